//! The page tables: what of its memory a guest sees, and what it may write, before it makes tables of its own.
//!
//! Every address is mapped to itself, in pages of 2 MiB but for the first 2 MiB, which have pages of 4 KiB: the tables
//! themselves and the null page are not there, and what the tender tells the guest can be read only. Makes bytes; writes
//! nothing anywhere.

use fulmar_tender::LOAD_ADDRESS_MIN;

use super::BOOT_INFO_ADDRESS;

/// Where the tables begin, and with them the value of the register `cr3`.
pub(super) const ROOT_ADDRESS: u64 = 0x2000;

const POINTERS_ADDRESS: u64 = 0x3000;
/// One directory a GiB, of at most four.
const DIRECTORIES_ADDRESS: u64 = 0x4000;
const FIRST_PAGES_ADDRESS: u64 = 0x8000;

const TABLE_BYTES: u64 = 4096;
const ENTRIES: u64 = 512;
const SMALL_PAGE: u64 = 4096;
const LARGE_PAGE: u64 = SMALL_PAGE * ENTRIES;
const DIRECTORY_SPAN: u64 = LARGE_PAGE * ENTRIES;

const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const LARGE: u64 = 1 << 7;

/// The tables for a memory of that many bytes, a multiple of 2 MiB and at most 4 GiB: addresses, and what stands there.
/// Entries after the last one are zero, as the memory is.
pub(super) fn tables(memory_bytes: u64) -> Vec<(u64, Vec<u8>)> {
    let directories = memory_bytes.div_ceil(DIRECTORY_SPAN);
    let mut tables = vec![
        table(ROOT_ADDRESS, [POINTERS_ADDRESS | PRESENT | WRITABLE]),
        table(
            POINTERS_ADDRESS,
            (0..directories).map(|index| directory_address(index) | PRESENT | WRITABLE),
        ),
        table(
            FIRST_PAGES_ADDRESS,
            (0..ENTRIES).map(|index| small_page(index * SMALL_PAGE)),
        ),
    ];
    for index in 0..directories {
        let start = index * DIRECTORY_SPAN;
        let end = memory_bytes.min(start + DIRECTORY_SPAN);
        let pages = (start..end).step_by(usize::try_from(LARGE_PAGE).unwrap_or(usize::MAX));
        tables.push(table(directory_address(index), pages.map(large_page)));
    }
    tables
}

fn directory_address(index: u64) -> u64 {
    DIRECTORIES_ADDRESS + index * TABLE_BYTES
}

fn large_page(address: u64) -> u64 {
    if address == 0 {
        FIRST_PAGES_ADDRESS | PRESENT | WRITABLE
    } else {
        address | PRESENT | WRITABLE | LARGE
    }
}

fn small_page(address: u64) -> u64 {
    if address < BOOT_INFO_ADDRESS {
        0
    } else if address < LOAD_ADDRESS_MIN {
        address | PRESENT
    } else {
        address | PRESENT | WRITABLE
    }
}

fn table(address: u64, entries: impl IntoIterator<Item = u64>) -> (u64, Vec<u8>) {
    (address, entries.into_iter().flat_map(u64::to_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1 << 20;

    /// What a processor makes of the tables: the physical address, and whether it can be written.
    fn translate(tables: &[(u64, Vec<u8>)], address: u64) -> Option<(u64, bool)> {
        let entry = |table: u64, level: u32| {
            let index = (address >> (12 + 9 * level)) % ENTRIES;
            let (_, bytes) = tables
                .iter()
                .find(|(start, _)| *start == table)
                .expect("a table that is there");
            let offset = usize::try_from(index * 8).unwrap();
            bytes
                .get(offset..offset + 8)
                .map_or(0, |entry| u64::from_le_bytes(entry.try_into().unwrap()))
        };
        let (mut table, mut writable) = (ROOT_ADDRESS, true);
        for level in [3, 2, 1, 0] {
            let entry = entry(table, level);
            if entry & PRESENT == 0 {
                return None;
            }
            writable &= entry & WRITABLE != 0;
            let span = SMALL_PAGE << (9 * level);
            table = entry & !0xfff;
            if level == 0 || entry & LARGE != 0 {
                assert_eq!(table % span, 0, "a page that is not aligned");
                return Some((table + address % span, writable));
            }
        }
        unreachable!("the lowest level returns")
    }

    #[test]
    fn tables_lie_between_the_descriptors_and_the_boot_info_and_none_overlaps_another() {
        let mut ranges: Vec<_> = tables(4096 * MIB)
            .iter()
            .map(|(address, bytes)| *address..address + bytes.len() as u64)
            .collect();
        ranges.sort_by_key(|range| range.start);
        assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
        assert_eq!(
            (ranges.first().unwrap().start, ranges.last().unwrap().end),
            (0x2000, 0x9000)
        );
    }

    #[test]
    fn the_null_page_and_the_tables_are_not_there_and_what_the_tender_writes_is_read_only() {
        let tables = tables(2 * MIB);
        for (address, seen) in [
            (0, None),
            (0xffff, None),
            (0x1_0000, Some((0x1_0000, false))),
            (0xf_ffff, Some((0xf_ffff, false))),
            (0x10_0000, Some((0x10_0000, true))),
            (0x1f_ffff, Some((0x1f_ffff, true))),
            (0x20_0000, None),
        ] {
            assert_eq!(translate(&tables, address), seen, "{address:#x}");
        }
    }

    proptest! {
        #[test]
        fn all_memory_above_the_first_mib_is_mapped_to_itself_and_nothing_beyond(
            large_pages in 1..=2048_u64, address in 0x10_0000..(5_u64 << 30)
        ) {
            let memory_bytes = large_pages * LARGE_PAGE;
            let seen = translate(&tables(memory_bytes), address);
            prop_assert_eq!(seen, (address < memory_bytes).then_some((address, true)));
        }
    }
}
