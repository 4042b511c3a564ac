//! Disks: what a unikernel reads and writes, and what it is told of nonsense.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;

use std::process::Output;

use fulmar_tender::Target;
use rustix::process::Signal;

use crate::tender::{disk, giving, has_kvm, on_each_target, run, signal, tender, text, unikernel};

const SECTOR: u64 = 512;
const CAPACITY: u64 = 8 * SECTOR;

fn option(path: &tempfile::TempPath) -> String {
    format!("--block:storage={}", path.display())
}

/// Runs `block` and hands back what it prints after the first line, which is checked.
#[track_caller]
fn run_block(target: Target, options: &[&str], size: &str, arguments: &[&str]) -> String {
    let program = unikernel("block", target);
    let output = run(&[options, &["--mem=2", &*program], arguments].concat());
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    let (first, rest) = text(&output.stdout).split_once('\n').unwrap();
    assert_eq!(first, size);
    rest.to_owned()
}

#[test]
fn what_a_unikernel_writes_is_in_the_file_and_another_reads_it() {
    on_each_target(|target| {
        let path = disk(1 << 18);
        let size = "262144 bytes in sectors of 512";
        assert_eq!(
            run_block(target, &[&option(&path)], size, &["fill=7", "verify=7"]),
            "filled\nverified\n"
        );
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 1 << 18);
        for (place, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
            assert_eq!(u64::from_le_bytes(*word), 7 + place as u64);
        }
        for other in [Target::Spt, target] {
            assert_eq!(run_block(other, &[&option(&path)], size, &["verify=7"]), "verified\n");
        }
    });
}

#[test]
fn a_sector_may_be_larger() {
    on_each_target(|target| {
        for sector in [1024, 4096, 32768] {
            let path = disk(1 << 18);
            let options = [&*option(&path), &format!("--block-sector-size:storage={sector}")];
            let size = format!("262144 bytes in sectors of {sector}");
            let said = run_block(target, &options, &size, &["fill=0x123456789", "verify=0x123456789"]);
            assert_eq!(said, "filled\nverified\n");
        }
    });
}

#[test]
fn a_disk_may_be_a_descriptor_that_the_parent_opened() {
    on_each_target(|target| {
        let path = disk(4096);
        let opened = File::options().read(true).write(true).open(&path).unwrap();
        let option = format!("--block:storage=@{}", opened.as_raw_fd());
        let command = tender(&[&option, "--mem=2", &unikernel("block", target), "fill=9"]);
        let output = giving(command, &opened).output().unwrap();
        assert_eq!(text(&output.stdout), "4096 bytes in sectors of 512\nfilled\n");
        assert_eq!(
            fs::read(&path).unwrap()[..16],
            [9, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0]
        );
    });
}

/// Accesses to a disk of eight sectors, which must not have grown afterwards.
fn access(target: Target, words: &str) -> Output {
    let path = disk(CAPACITY);
    let program = unikernel("block", target);
    let option = option(&path);
    let words: Vec<_> = words.split(' ').collect();
    let output = run(&[&[&*option, "--mem=2", &*program], &words[..]].concat());
    assert_eq!(fs::metadata(&path).unwrap().len(), CAPACITY);
    output
}

/// The unikernel is told `what` of both a read and a write.
#[track_caller]
fn check_told(target: Target, settings: &str, what: &str) {
    let output = access(target, &format!("{settings} write read"));
    let console = text(&output.stdout);
    assert!(
        console.ends_with(&format!("\nWrite: {what}\nRead: {what}\n")),
        "{settings}: {output:?}"
    );
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
}

/// The filter kills the process, whether it reads or writes.
#[track_caller]
fn check_killed(settings: &str) {
    for word in ["read", "write"] {
        let output = access(Target::Spt, &format!("{settings} {word}"));
        assert_eq!(signal(output.status), Some(Signal::SYS), "{settings}: {output:?}");
    }
}

#[test]
fn the_first_and_the_last_sector_can_be_reached() {
    on_each_target(|target| {
        for offset in [0, CAPACITY - SECTOR] {
            check_told(target, &format!("offset={offset}"), "ok");
        }
    });
}

#[test]
fn an_access_beyond_the_end_is_refused() {
    for offset in [CAPACITY, CAPACITY + SECTOR, 1 << 40, 1 << 63, u64::MAX - 511] {
        check_killed(&format!("offset={offset}"));
        if has_kvm() {
            check_told(Target::Hvt, &format!("offset={offset}"), "invalid");
        }
    }
}

#[test]
fn in_hvt_an_access_is_of_whole_sectors_and_ends_within_the_disk() {
    if !has_kvm() {
        return;
    }
    for offset in [1, 511, CAPACITY - 1, u64::MAX] {
        check_told(Target::Hvt, &format!("offset={offset}"), "invalid");
    }
    for length in [
        1,
        511,
        513,
        CAPACITY + 1,
        CAPACITY + SECTOR,
        1 << 32,
        u64::MAX,
        u64::MAX - 511,
    ] {
        check_told(Target::Hvt, &format!("length={length}"), "invalid");
    }
    for (offset, length) in [(SECTOR, CAPACITY), (CAPACITY - SECTOR, 1024), (SECTOR, u64::MAX - 511)] {
        check_told(Target::Hvt, &format!("offset={offset} length={length}"), "invalid");
    }
    check_told(Target::Hvt, &format!("length={CAPACITY}"), "ok");
    check_told(Target::Hvt, "length=0", "ok");
}

#[test]
fn in_spt_an_access_is_of_one_sector() {
    for length in [0, 1, 511, 513, 1024, CAPACITY, u64::MAX] {
        check_killed(&format!("length={length}"));
    }
    // Of the offset only the end counts.
    check_told(Target::Spt, "offset=1", "ok");
    check_killed(&format!("offset={}", CAPACITY - SECTOR + 1));
}

#[test]
fn a_device_that_is_not_the_unikernels_is_refused() {
    for descriptor in [0, 1, 2, 1000, u64::MAX] {
        check_killed(&format!("device={descriptor}"));
    }
    if has_kvm() {
        for handle in [0, 2, 63, 64, u64::MAX] {
            check_told(Target::Hvt, &format!("device={handle}"), "invalid");
        }
    }
}

#[test]
fn an_access_with_memory_that_is_not_the_unikernels_is_refused() {
    const END: u64 = 2 << 20;
    for address in [END - 511, END, 1 << 32, u64::MAX - 511, u64::MAX] {
        check_told(Target::Spt, &format!("address={address}"), "unspecified");
        if has_kvm() {
            for (word, does) in [("read", "write"), ("write", "read")] {
                let output = access(Target::Hvt, &format!("address={address} {word}"));
                let sentence = format!("{does} of 512 bytes at {address:#x}: outside of the unikernel's memory");
                let sentence = format!("fulmar-tender: hypercall `block {word}`: {sentence}\n");
                assert_eq!((text(&output.stderr), output.status.code()), (&*sentence, Some(1)));
            }
        }
    }
}

#[test]
fn a_disk_is_not_read_into_text() {
    let address = "address=0x100000";
    let output = access(Target::Spt, &format!("{address} write read"));
    assert!(
        text(&output.stdout).ends_with("\nWrite: ok\nRead: unspecified\n"),
        "{output:?}"
    );
    if has_kvm() {
        let output = access(Target::Hvt, &format!("{address} write read"));
        assert!(text(&output.stdout).ends_with("\nWrite: ok\n"), "{output:?}");
        let sentence = "hypercall `block read`: write of 512 bytes at 0x100000: the unikernel may not write there";
        assert_eq!(text(&output.stderr), format!("fulmar-tender: {sentence}\n"));
    }
}

#[test]
fn a_disk_that_shrinks_is_an_unspecified_failure() {
    on_each_target(|target| {
        let path = disk(CAPACITY);
        let program = unikernel("block", target);
        let mut command = tender(&[&option(&path), "--hold", "--mem=2", &program, "offset=512", "read"]);
        let (parent, child) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut running = crate::tender::Running::start(command.stdin(std::os::fd::OwnedFd::from(child)));
        drop(command);
        (&parent).read_exact(&mut [0]).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
        (&parent).write_all(b"x").unwrap();
        running.line();
        assert_eq!(running.line(), "Read: unspecified");
    });
}
