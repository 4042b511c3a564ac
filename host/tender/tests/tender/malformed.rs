//! Files that are not what they should be, for both targets: the library's verdict, and then the program, which must
//! say the same and start nothing. Where a wrong file is still a right one, the program runs it and stays whole itself.

use std::os::unix::process::ExitStatusExt;
use std::process::Output;

use fulmar_tender::Image;

use crate::elf::{TARGET_HVT, TARGET_SPT, Unikernel, fields};
use crate::tender::{file, has_kvm, run, text};

const MEMORY_MIB: u64 = 2;

/// Runs the program on a file and compares what it does with what the library says.
#[track_caller]
fn check(wrong: &[u8], is_run: bool, what: &str) {
    let verdict = Image::parse(wrong).map_err(|error| error.to_string());
    let fits = verdict.as_ref().map(|image| image.check_fits(MEMORY_MIB));
    let path = file(wrong);
    let path = path.to_str().unwrap();
    let refused = |sentence: String| {
        let output = run(&["--mem=2", path]);
        assert_eq!(text(&output.stderr), format!("fulmar-tender: {sentence}\n"), "{what}");
        assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)), "{what}");
    };
    match (&verdict, fits) {
        (Err(error), _) => refused(format!("`{path}`: {error}")),
        (_, Ok(Err(error))) => refused(error.to_string()),
        _ if is_run => check_contained(&run(&["--mem=2", path]), what),
        _ => {}
    }
}

/// The unikernel ended by itself, or by what it did; the program neither panicked nor ended for another reason.
fn check_contained(output: &Output, what: &str) {
    let stderr = text(&output.stderr);
    match (output.status.code(), output.status.signal()) {
        (Some(1), None) if stderr.starts_with("fulmar-tender: ") => {}
        // Where the first instruction is another, the status may be, too.
        (Some(_), None) | (None, Some(libc::SIGSEGV | libc::SIGILL | libc::SIGSYS)) => assert_eq!(stderr, "", "{what}"),
        other => panic!("{what}: {other:?}: {stderr}"),
    }
}

#[test]
fn a_file_cut_off_anywhere_starts_nothing() {
    for target in [TARGET_SPT, TARGET_HVT] {
        let whole = Unikernel::of(target).file();
        for length in 0..whole.len() {
            assert!(Image::parse(&whole[..length]).is_err());
            check(&whole[..length], false, &format!("{length} bytes for target {target}"));
        }
    }
}

#[test]
fn no_wrong_field_breaks_the_tender() {
    for target in [TARGET_SPT, TARGET_HVT] {
        let is_run = target == TARGET_SPT || has_kvm();
        let right = Unikernel::of(target).file();
        for (offset, size) in fields() {
            let mut bytes = [0; 8];
            bytes[..size].copy_from_slice(&right[offset..offset + size]);
            for value in wrong_values(u64::from_le_bytes(bytes), size) {
                let mut wrong = right.clone();
                wrong[offset..offset + size].copy_from_slice(&value.to_le_bytes()[..size]);
                let what = format!("{value:#x} in the {size} bytes at {offset} for target {target}");
                check(&wrong, is_run, &what);
            }
        }
    }
}

/// The neighbours, the opposite, and the edges of what fits into so many bytes.
fn wrong_values(right: u64, size: usize) -> Vec<u64> {
    let bits = 8 * size;
    let max = u64::MAX >> (64 - bits);
    let edges = [
        0,
        1,
        0xfff,
        0x1000,
        0x1f_ffff,
        0x20_0000,
        1 << 32,
        1 << 47,
        max >> 1,
        1 << (bits - 1),
        max.wrapping_sub(0xfff),
        max,
    ];
    let near = [right.wrapping_sub(1), right.wrapping_add(1), !right];
    let mut values: Vec<u64> = edges.into_iter().chain(near).map(|value| value & max).collect();
    values.sort_unstable();
    values.dedup();
    values.retain(|&value| value != right);
    values
}
