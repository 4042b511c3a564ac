//! Bytes as edits of a file that is right: most of what is refused is nearly right, and so would be what slips through.
//!
//! The first byte chooses target and devices; then come edits of an offset (two bytes), a width (one byte) and as many bytes;
//! what is left at the end cuts the file off.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod claims;
#[path = "../../tests/tender/elf.rs"]
#[expect(dead_code, reason = "the tests of the tender need more of it")]
mod elf;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, mut edits)) = bytes.split_first() else {
        return;
    };
    let mut file = right(*choice);
    while let Some(([low, high, width], rest)) = edits.split_first_chunk() {
        let width = usize::from(width % 9).min(rest.len());
        let (value, rest) = rest.split_at(width);
        let offset = usize::from(u16::from_le_bytes([*low, *high])) % file.len();
        for (to, from) in file[offset..].iter_mut().zip(value) {
            *to = *from;
        }
        edits = rest;
    }
    if let [cut, ..] = edits {
        file.truncate(file.len().saturating_sub(usize::from(*cut)));
    }
    claims::assert_refused_or_sound(&file);
});

fn right(choice: u8) -> Vec<u8> {
    let devices = [("service", elf::NET), ("data", elf::BLOCK), ("data", elf::NET)];
    elf::Unikernel {
        target: 1 + u32::from(choice % 6),
        devices: devices[..usize::from(choice / 6 % 4)].to_vec(),
        ..elf::Unikernel::default()
    }
    .file()
}
