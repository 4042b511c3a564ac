//! What [`Image::parse`] and [`Image::check_fits`] say about files, right, wrong and random.

use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use fulmar_tender::{DeviceKind, Image, Target};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use crate::elf::ProgramField::{Address, Align, FileSize, Flags, MemorySize, Offset, Type};
use crate::elf::{
    ABI, ABI_NOTE, BLOCK, BSS, DATA, MANIFEST, MANIFEST_NOTE, NET, TARGET_HVT, TEXT, Unikernel, program_field,
};

/// The sentence that refuses the right file with `bytes` put at `offset`.
#[track_caller]
fn check_refused(offset: usize, bytes: &[u8], sentence: &str) {
    let mut file = Unikernel::default().file();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    match Image::parse(&file) {
        Ok(image) => panic!("accepted, but expected: {sentence}\n{image:#x?}"),
        Err(error) => assert_eq!(error.to_string(), sentence),
    }
}

#[track_caller]
fn check_field_refused(program: usize, field: crate::elf::ProgramField, value: u64, sentence: &str) {
    check_refused(program_field(program, field), &value.to_le_bytes(), sentence);
}

#[test]
fn a_right_file_is_read_in_full() {
    let devices = vec![("service", NET), ("data", BLOCK)];
    let file = Unikernel {
        devices,
        ..Unikernel::default()
    }
    .file();
    let image = Image::parse(&file).unwrap();

    assert_eq!((image.target(), image.abi_version()), (Target::Spt, 2));
    let devices: Vec<_> = image
        .manifest()
        .devices()
        .iter()
        .map(|device| (device.name(), device.kind()))
        .collect();
    assert_eq!(devices, [("service", DeviceKind::Net), ("data", DeviceKind::Block)]);
    assert_eq!(image.entry(), 0x10_0000);
    assert_eq!(image.kernel_end(), 0x10_3000);

    let [text, data] = image.segments() else {
        panic!("the segment without bytes is not loaded")
    };
    assert_eq!((text.address(), text.pages()), (0x10_0000, 0x10_0000..0x10_1000));
    assert_eq!((data.address(), data.pages()), (0x10_1000, 0x10_1000..0x10_3000));
    assert_eq!(
        (text.protection().to_string(), data.protection().to_string()),
        ("r-x".into(), "rw-".into())
    );
    assert_eq!(
        (text.contents(&file), data.contents(&file)),
        (&*Unikernel::default().text, &b"data"[..])
    );
}

#[test]
fn where_the_bytes_lie_makes_no_difference() {
    let file = Unikernel::default().file();
    let image = Image::parse(&file).unwrap();
    for gap in 0..8 {
        let moved = [&vec![0; gap], &*file].concat();
        assert_eq!(Image::parse(&moved[gap..]).unwrap(), image, "{gap} bytes further");
    }
    let on_disk = tempfile::tempfile().unwrap();
    on_disk.write_all_at(&file, 0).unwrap();
    assert_eq!(Image::read(&on_disk).unwrap(), image);
    on_disk.set_len(MANIFEST_NOTE as u64).unwrap();
    assert_eq!(
        Image::read(&on_disk).unwrap_err(),
        Image::parse(&file[..MANIFEST_NOTE]).unwrap_err()
    );
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let file = Unikernel {
        devices: vec![("service", NET)],
        ..Unikernel::default()
    }
    .file();
    for length in 0..file.len() {
        let error = Image::parse(&file[..length])
            .expect_err("a part is not the whole")
            .to_string();
        assert!(length < 4 || error.contains("cut off"), "{length} bytes: {error}");
    }
}

#[test]
fn every_byte_of_the_header_is_checked_but_those_no_loader_looks_at() {
    let file = Unikernel::default().file();
    let right = Image::parse(&file).unwrap();
    let ignored = |offset| matches!(offset, 7..16 | 40..52 | 58..64); // OS ABI and padding; sections and flags
    for offset in 0..64 {
        let mut wrong = file.clone();
        wrong[offset] ^= 0xff;
        let same = Image::parse(&wrong).is_ok_and(|image| image == right);
        assert_eq!(same, ignored(offset), "byte {offset}");
    }
}

#[test]
fn no_flipped_bit_makes_the_parser_panic() {
    let file = Unikernel {
        devices: vec![("service", NET)],
        ..Unikernel::default()
    }
    .file();
    for bit in 0..file.len() * 8 {
        let mut wrong = file.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        let _ = Image::parse(&wrong).map(|image| image.check_fits(32));
    }
}

proptest! {
    #[test]
    fn random_bytes_do_not_make_the_parser_panic(bytes: Vec<u8>) {
        let _ = Image::parse(&bytes);
    }

    #[test]
    fn random_numbers_in_a_file_do_not_make_the_parser_panic(
        patches in proptest::collection::vec((0_usize..800, number()), 1..6),
        memory_mib: u64,
    ) {
        let mut file = Unikernel { devices: vec![("service", NET)], ..Unikernel::default() }.file();
        for (place, number) in patches {
            let place = place.min(file.len() - 8) & !3;
            file[place..place + 8].copy_from_slice(&number.to_le_bytes());
        }
        let _ = Image::parse(&file).map(|image| image.check_fits(memory_mib));
    }
}

/// Any number, but mostly those at which arithmetic goes wrong.
fn number() -> impl Strategy<Value = u64> {
    let edge = prop_oneof![Just(0), Just(0x10_0000), Just(1 << 32), Just(1 << 63), Just(u64::MAX)];
    prop_oneof![
        any::<u64>(),
        (edge, 0_u64..3).prop_map(|(edge, step)| edge.wrapping_sub(step))
    ]
}

#[test]
fn what_is_not_a_program_for_this_machine_is_refused() {
    check_refused(0, b"#!/b", "not an ELF file");
    check_refused(4, &[1], "ELF class 1, but a unikernel has class 2 (64 bits)");
    check_refused(
        5,
        &[2],
        "ELF data encoding 2, but a unikernel has encoding 1 (little-endian)",
    );
    check_refused(6, &[3], "ELF versions 3 and 1, but there is only version 1");
    check_refused(20, &[4], "ELF versions 1 and 4, but there is only version 1");
    check_refused(
        16,
        &[3],
        "ELF type 3, but a unikernel has type 2 (an executable at a fixed address)",
    );
    check_refused(18, &[183], "ELF machine 183, but this host runs machine 62 (x86-64)");
    check_refused(52, &[63], "ELF header of 63 bytes, but it must have 64");
    check_refused(54, &[32], "program headers of 32 bytes each, but they must have 56");
    check_refused(56, &[0], "there are no program headers, so there is nothing to run");
    let outside = "the file is cut off: 5 program headers from offset 65536 lie outside its 532 bytes";
    check_refused(32, &0x1_0000_u64.to_le_bytes(), outside);
    check_refused(
        24,
        &0xf_ffff_u64.to_le_bytes(),
        "the entry point 0xfffff lies below 0x100000",
    );
    let error = Image::parse(&Unikernel::default().file()[..63])
        .unwrap_err()
        .to_string();
    assert_eq!(error, "the file is cut off: 63 bytes do not hold an ELF header of 64");
}

#[test]
fn notes_that_do_not_make_a_unikernel_are_refused() {
    let missing = |name| format!("there is no Solo5 {name} note, so this is not a Solo5 unikernel");
    check_refused(program_field(ABI, Type), &[0], &missing("ABI"));
    check_refused(program_field(MANIFEST, Type), &[0], &missing("manifest"));
    check_refused(ABI_NOTE, &[5], &missing("ABI"));
    check_refused(ABI_NOTE + 12, b"solo5", &missing("ABI"));
    check_refused(ABI_NOTE + 8, b"MFT1", "there are two Solo5 manifest notes");
    check_refused(MANIFEST_NOTE + 8, b"ABI1", "there are two Solo5 ABI notes");
    check_refused(ABI_NOTE + 4, &[15], "the Solo5 ABI note has 15 bytes, but must have 16");
    let truncated = "a Solo5 note describes 17 bytes, but its segment of 36 bytes does not hold them";
    check_refused(ABI_NOTE + 4, &[17], truncated);
    check_refused(
        MANIFEST_NOTE + 4,
        &[3],
        "the Solo5 manifest note has 3 bytes, too few for its padding of 4",
    );
    check_refused(
        ABI_NOTE + 20,
        &[7],
        "unknown Solo5 target 7; the known ones are 1 (hvt) to 6 (xen)",
    );
    let version = "made for version 1 of the Solo5 `spt` interface, but this host speaks version 2";
    check_refused(ABI_NOTE + 24, &[1], version);
    check_refused(
        ABI_NOTE + 35,
        &[1],
        "the reserved words of the Solo5 ABI note are not zero",
    );
    let outside = "the file is cut off: a note of 36 bytes from offset 4096 lies outside its 532 bytes";
    check_field_refused(ABI, Offset, 4096, outside);
}

/// Copying the note for each of them would take minutes, of a daemon that only wants to know whether to keep the file.
#[test]
fn as_many_headers_as_can_be_of_one_long_note_cost_next_to_nothing() {
    const NOTE_BYTES: usize = 16 << 20;
    let mut file = Unikernel::default().file();
    let (note, description) = (file.len(), NOTE_BYTES - 20);
    let description = u32::try_from(description).unwrap();
    file.extend([6_u32.to_le_bytes(), description.to_le_bytes(), *b"LONG"].concat());
    file.extend(b"Solo5\0\0\0");
    file.resize(note + NOTE_BYTES, 0);

    let mut header = file[program_field(ABI, Type)..][..56].to_vec();
    header[8..16].copy_from_slice(&(note as u64).to_le_bytes());
    header[32..40].copy_from_slice(&(NOTE_BYTES as u64).to_le_bytes());
    let headers = [&file[64..ABI_NOTE], &header.repeat(usize::from(u16::MAX) - 5)].concat();
    let table = file.len() as u64;
    file.extend(headers);
    file[32..40].copy_from_slice(&table.to_le_bytes());
    file[56..58].copy_from_slice(&u16::MAX.to_le_bytes());

    let started = Instant::now();
    assert_eq!(Image::parse(&file).unwrap().target(), Target::Spt);
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn segments_that_cannot_be_loaded_are_refused() {
    let sizes = "program header 2: 12 bytes in the file, but room for only 11 in memory";
    check_field_refused(TEXT, MemorySize, 11, sizes);
    let outside = "program header 3: the file is cut off: 5 bytes from offset 528 lie outside its 532 bytes";
    check_field_refused(DATA, FileSize, 5, outside);
    let outside = format!(
        "program header 3: the file is cut off: 4 bytes from offset {} lie",
        u64::MAX
    );
    check_field_refused(DATA, Offset, u64::MAX, &format!("{outside} outside its 532 bytes"));
    for align in [0, 1, 2048, 12288] {
        let sentence = format!("program header 2: an alignment of {align} is not a power of two of at least 4096");
        check_field_refused(TEXT, Align, align, &sentence);
    }
    let low = "program header 2: begins at 0xff000 once aligned, but nothing may be loaded below 0x100000";
    check_field_refused(TEXT, Address, 0xf_ffff, low);
    let low = "program header 2: begins at 0x0 once aligned, but nothing may be loaded below 0x100000";
    check_field_refused(TEXT, Align, 0x20_0000, low);
    let high = "program header 3: 8192 bytes from address 0xfffffffffffff000 reach beyond the address space";
    check_field_refused(DATA, Address, 0xffff_ffff_ffff_f000, high);
    let descending = "program header 3: begins at 0x101000, below the segment before it at 0x102000";
    check_field_refused(TEXT, Address, 0x10_2000, descending);
    let overlap =
        "program header 3: begins at 0x101000 once aligned, within the segment before it, which ends at 0x102000";
    check_field_refused(TEXT, MemorySize, 0x1001, overlap);
    check_refused(
        program_field(TEXT, Flags),
        &[7],
        "program header 2: is both writable and executable",
    );
}

#[test]
fn a_file_that_loads_nothing_is_refused() {
    let mut file = Unikernel::default().file();
    for program in [TEXT, DATA, BSS] {
        file[program_field(program, Type)] = 0;
    }
    let error = Image::parse(&file).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no program header loads anything, so there is nothing to run"
    );
}

#[test]
fn a_unikernel_fits_memory_that_holds_it_up_to_its_targets_limit() {
    let image = |target, entry: u64| {
        let mut file = Unikernel {
            target,
            ..Unikernel::default()
        }
        .file();
        file[24..32].copy_from_slice(&entry.to_le_bytes());
        Image::parse(&file).unwrap()
    };
    let fits = |image: &Image, memory_mib| image.check_fits(memory_mib).map_err(|error| error.to_string());
    let refused = |sentence: &str| Err(sentence.to_owned());

    let spt = image(2, 0x10_0000);
    assert_eq!(fits(&spt, 2), Ok(()));
    assert_eq!(fits(&spt, 1 << 20), Ok(()));
    let too_little = "MiB asked, the unikernel takes 2 MiB only to be loaded";
    assert_eq!(fits(&spt, 0), refused(&format!("memory: 0 {too_little}")));
    assert_eq!(fits(&spt, 1), refused(&format!("memory: 1 {too_little}")));
    let too_much = "memory: 1048577 MiB asked, `spt` takes at most 1048576 MiB";
    assert_eq!(fits(&spt, (1 << 20) + 1), refused(too_much));
    let beyond = "memory: 2 MiB asked, the unikernel starts at address 0x200000, beyond the end";
    assert_eq!(fits(&image(2, 0x20_0000), 2), refused(beyond));

    let hvt = image(TARGET_HVT, 0x10_0000);
    assert_eq!(fits(&hvt, 4096), Ok(()));
    assert_eq!(
        fits(&hvt, 4098),
        refused("memory: 4098 MiB asked, `hvt` takes at most 4096 MiB")
    );
    assert_eq!(
        fits(&hvt, 33),
        refused("memory: 33 MiB asked, `hvt` takes multiples of 2 MiB")
    );
    assert_eq!(
        fits(&image(6, 0x10_0000), 32),
        refused("memory: `xen` unikernels run without a tender")
    );
}
