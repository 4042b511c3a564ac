//! The segments: as the processor holds them at the start, and as they stand in the descriptor table, for the guest that
//! loads them again.

use kvm_bindings::{kvm_dtable, kvm_segment};

/// Where the descriptor table begins. The guest may copy it, but not see it: its page is not present.
pub(super) const TABLE_ADDRESS: u64 = 0x1000;

/// The null descriptor, code and data.
const TABLE_ENTRIES: u16 = 3;
const CODE_INDEX: u16 = 1;
const DATA_INDEX: u16 = 2;

const TYPE_EXECUTE_ACCESSED: u8 = 9;
const TYPE_READ_WRITE_ACCESSED: u8 = 3;
const TYPE_BUSY_TASK: u8 = 11;

/// 64-bit code, executable only, for the kernel.
pub(super) fn code() -> kvm_segment {
    kvm_segment {
        limit: u32::MAX,
        selector: CODE_INDEX * 8,
        type_: TYPE_EXECUTE_ACCESSED,
        present: 1,
        s: 1,
        l: 1,
        g: 1,
        ..kvm_segment::default()
    }
}

/// Data, readable and writable, for the kernel.
pub(super) fn data() -> kvm_segment {
    kvm_segment {
        limit: u32::MAX,
        selector: DATA_INDEX * 8,
        type_: TYPE_READ_WRITE_ACCESSED,
        present: 1,
        db: 1,
        s: 1,
        g: 1,
        ..kvm_segment::default()
    }
}

/// A 64-bit task state that is in use, without which no processor enters long mode.
pub(super) fn task() -> kvm_segment {
    kvm_segment {
        type_: TYPE_BUSY_TASK,
        present: 1,
        ..kvm_segment::default()
    }
}

/// No segment at all.
pub(super) fn unusable() -> kvm_segment {
    kvm_segment {
        unusable: 1,
        ..kvm_segment::default()
    }
}

/// The register that says where the table is.
pub(super) fn table_register() -> kvm_dtable {
    kvm_dtable {
        base: TABLE_ADDRESS,
        limit: TABLE_ENTRIES * 8 - 1,
        ..kvm_dtable::default()
    }
}

/// The table itself.
pub(super) fn table() -> Vec<u8> {
    [0, descriptor(&code()), descriptor(&data())]
        .into_iter()
        .flat_map(u64::to_le_bytes)
        .collect()
}

/// A segment in the layout of the table. The limit there counts pages if `g` is set; in the register it counts bytes.
fn descriptor(segment: &kvm_segment) -> u64 {
    let limit = u64::from(if segment.g == 1 {
        segment.limit >> 12
    } else {
        segment.limit
    });
    let access = [
        (segment.type_, 0),
        (segment.s, 4),
        (segment.dpl, 5),
        (segment.present, 7),
        (segment.avl, 12),
        (segment.l, 13),
        (segment.db, 14),
        (segment.g, 15),
    ];
    let access = access
        .iter()
        .fold(0, |bits, &(field, shift)| bits | (u64::from(field) << shift));
    (limit & 0xffff)
        | ((segment.base & 0xff_ffff) << 16)
        | (access << 40)
        | (((limit >> 16) & 0xf) << 48)
        | (((segment.base >> 24) & 0xff) << 56)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_a_null_a_code_and_a_data_descriptor() {
        let words: Vec<u64> = table()
            .chunks(8)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
            .collect();
        assert_eq!(words, [0, 0x00af_9900_0000_ffff, 0x00cf_9300_0000_ffff]);
        assert_eq!((table_register().base, table_register().limit), (0x1000, 23));
    }

    #[test]
    fn a_base_and_a_limit_in_bytes_are_spread_over_the_descriptor() {
        let segment = kvm_segment {
            base: 0x1234_5678,
            limit: 0xa_bcde,
            ..task()
        };
        assert_eq!(descriptor(&segment), 0x120a_8b34_5678_bcde);
    }

    #[test]
    fn selectors_point_into_the_table() {
        assert_eq!((code().selector, data().selector, task().selector), (8, 16, 0));
    }
}
