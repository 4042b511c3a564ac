//! What a unikernel may declare, by way of whole files.

use fulmar_tender::{DEVICES_MAX, Device, Image};
use proptest::prelude::proptest;
use proptest::{collection::hash_set, sample::select};

use crate::elf::{BLOCK, MANIFEST_NOTE, NET, Unikernel, manifest};

/// Past the note's header and padding.
const MANIFEST: usize = MANIFEST_NOTE + 24;
/// Past the manifest's header and the reserved entry.
const FIRST_DEVICE: usize = MANIFEST + 8 + 104;

#[track_caller]
fn check_refused(offset: usize, bytes: &[u8], sentence: &str) {
    let devices = vec![("service", NET), ("data", BLOCK)];
    let mut file = Unikernel {
        devices,
        ..Unikernel::default()
    }
    .file();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    assert_eq!(
        Image::parse(&file).unwrap_err().to_string(),
        format!("manifest: {sentence}")
    );
}

#[test]
fn wrong_manifests_are_refused() {
    check_refused(MANIFEST, &[2], "version 2, but only version 1 is known");
    check_refused(MANIFEST + 4, &[0], "0 entries, but there must be 1 to 64");
    check_refused(MANIFEST + 4, &[65], "65 entries, but there must be 1 to 64");
    check_refused(MANIFEST + 4, &[255; 4], "4294967295 entries, but there must be 1 to 64");
    check_refused(MANIFEST + 4, &[2], "2 entries make 216 bytes, but it has 320");
    check_refused(MANIFEST + 4, &[4], "4 entries make 424 bytes, but it has 320");
    check_refused(
        MANIFEST_NOTE + 4,
        &11_u32.to_le_bytes(),
        "7 bytes are too short for a header of 8",
    );
    check_refused(MANIFEST + 8, b"x", "the first entry is not the reserved one");
    check_refused(
        MANIFEST + 8 + 68,
        &2_u32.to_le_bytes(),
        "the first entry is not the reserved one",
    );
    check_refused(MANIFEST + 8 + 96, &[1], "entry 0: is marked as attached already");
    check_refused(FIRST_DEVICE + 96, &[1], "entry 1: is marked as attached already");
    check_refused(FIRST_DEVICE + 68, &[0], "device `service`: unknown type 0");
    check_refused(
        FIRST_DEVICE + 68 + 3,
        &[0x40],
        "device `service`: unknown type 1073741826",
    );
    let second = [&b"service\0"[..], &[0; 60], &NET.to_le_bytes()].concat();
    check_refused(
        FIRST_DEVICE + 104,
        &second,
        "network device `service` is declared twice",
    );
    let name = "entry 1: the name must be 1 to 67 ASCII letters and digits";
    for bytes in [&b"\0"[..], b"ser-ice", b"s rvice", &[0xff], "é".as_bytes(), &[b'a'; 68]] {
        check_refused(FIRST_DEVICE, bytes, name);
    }
}

#[test]
fn a_manifest_has_at_most_63_devices() {
    let names: Vec<&str> = (0..DEVICES_MAX).map(|number| &*format!("net{number}").leak()).collect();
    let devices = names.iter().map(|&name| (name, NET)).collect();
    let image = Image::parse(
        &Unikernel {
            devices,
            ..Unikernel::default()
        }
        .file(),
    )
    .unwrap();
    assert!(image.manifest().devices().iter().map(Device::name).eq(names));
}

proptest! {
    #[test]
    fn a_manifest_is_given_to_the_guest_as_it_stands_in_the_file(
        names in hash_set("[a-zA-Z0-9]{1,67}", 0..9), kind in select(vec![NET, BLOCK])
    ) {
        let devices: Vec<(&'static str, u32)> = names.into_iter().map(|name| (&*name.leak(), kind)).collect();
        let bytes = manifest(&devices);
        let image = Image::parse(&Unikernel { devices, ..Unikernel::default() }.file()).unwrap();
        assert_eq!(image.manifest().to_bytes(), bytes);
    }
}
