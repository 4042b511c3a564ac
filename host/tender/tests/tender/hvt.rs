//! The hypercalls of an `hvt` unikernel: every row of their table, and what is no row of it.

use fulmar_tender::Target;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};

use crate::tender::{has_kvm, run, text, unikernel};

/// The memory of the unikernels here, which is also the first address beyond it.
const END: u64 = 4 << 20;

/// What `hostile` prints with these words when it ends by itself.
#[track_caller]
fn said(words: &str) -> String {
    let output = run_hostile(words);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)), "{words}");
    text(&output.stdout).to_owned()
}

/// The last of these words ends the tender with that message, and status 1.
#[track_caller]
fn check_stopped(words: &str, message: &str) {
    let output = run_hostile(words);
    assert_eq!(text(&output.stderr), format!("fulmar-tender: {message}\n"), "{words}");
    assert_eq!(output.status.code(), Some(1));
    let outlived = words.split(' ').count() - 1;
    assert_eq!(text(&output.stdout).lines().count(), outlived, "{words}");
}

fn run_hostile(words: &str) -> std::process::Output {
    let words: Vec<_> = words.split(' ').collect();
    run(&[&["--mem=4", &*unikernel("hostile", Target::Hvt)], &words[..]].concat())
}

#[test]
fn the_processor_begins_as_the_interface_says() {
    if !has_kvm() {
        return;
    }
    for (name, value) in [
        ("cr0", 0x8001_0021_u32), // PE, PG, NE, WP
        ("cr3", 0x2000),
        ("cr4", 0x620),  // PAE, OSFXSR, OSXMMEXCPT
        ("efer", 0x500), // LME, LMA
        ("cs", 8),
        ("ds", 16),
        ("es", 16),
        ("fs", 16),
        ("gs", 16),
        ("ss", 16),
        ("ldt", 0),
    ] {
        let word = format!("register={name}");
        let said = said(&word);
        // ET, which real processors do not let go off.
        let said = said.replace("0x80010031", "0x80010021");
        assert_eq!(said, format!("{word}: {value:#x}\n"));
    }
}

#[test]
fn below_the_unikernel_the_boot_info_can_be_read_and_nothing_written() {
    if !has_kvm() {
        return;
    }
    let output = run_hostile("read=0x10000 read=0xfffff write=0x10000");
    let fault = "fulmar-tender: the unikernel faulted and could not handle it (triple fault), at instruction 0x10";
    assert!(text(&output.stderr).starts_with(fault), "{output:?}");
    assert_eq!(text(&output.stdout).lines().count(), 2);
    for address in ["0x10fff", "0x80000", "0xfffff"] {
        let output = run_hostile(&format!("write={address}"));
        assert!(text(&output.stderr).starts_with(fault), "{output:?}");
    }
}

#[test]
fn no_network_ring_is_offered() {
    if !has_kvm() {
        return;
    }
    // After five words of the boot info: what host and guest can do, and where the ring is.
    for address in 0x1_0028..0x1_0038 {
        let word = format!("read={address}");
        assert_eq!(said(&word), format!("{word}: 0x0\n"));
    }
}

#[test]
fn only_32_bit_writes_to_the_eight_ports_are_hypercalls() {
    if !has_kvm() {
        return;
    }
    for number in [0, 9, 10, 0xff, 0x100, 0xfaff] {
        check_stopped(
            &format!("call={number}"),
            &format!("hypercall {number}: there is none of that number"),
        );
    }
    let only = "hypercalls are 32-bit writes to ports 0x501 to 0x508";
    for port in ["0x0", "0x80", "0x3f8", "0x4ff"] {
        check_stopped(&format!("port={port},buffer"), &format!("port {port} written: {only}"));
    }
    for number in 0x500..=0x509 {
        check_stopped(&format!("byte={number}"), &format!("port {number:#x} written: {only}"));
        check_stopped(&format!("in={number}"), &format!("port {number:#x} read: {only}"));
    }
}

#[test]
fn an_argument_must_lie_in_memory_that_its_call_may_use() {
    if !has_kvm() {
        return;
    }
    // By number: name, size, and whether the tender answers in it.
    for (number, name, size, answers) in [
        (1, "walltime", 8, true),
        (2, "puts", 16, false),
        (3, "poll", 24, true),
        (4, "block write", 40, true),
        (5, "block read", 40, true),
        (6, "net write", 32, true),
        (7, "net read", 32, true),
        (8, "halt", 16, false),
    ] {
        let access = if answers { "write" } else { "read" };
        let port = 0x500 + number;
        for address in [END - size + 1, END, u64::from(u32::MAX) - 7] {
            let sentence = format!("{access} of {size} bytes at {address:#x}: outside of the unikernel's memory");
            check_stopped(
                &format!("port={port},{address}"),
                &format!("hypercall `{name}`: {sentence}"),
            );
        }
        for address in [0, 0x1000, 0xfff8] {
            let sentence = format!("{access} of {size} bytes at {address:#x}: the unikernel may not {access} there");
            check_stopped(
                &format!("port={port},{address}"),
                &format!("hypercall `{name}`: {sentence}"),
            );
        }
        if answers {
            let output = run_hostile(&format!("port={port},text"));
            let said = text(&output.stderr);
            assert!(said.ends_with(": the unikernel may not write there\n"), "{said}");
            assert_eq!(output.status.code(), Some(1));
        }
    }
}

#[test]
fn the_wall_clock_is_the_hosts() {
    if !has_kvm() {
        return;
    }
    let said = said("call=1");
    let nanoseconds = u64::from_str_radix(said.trim_end().strip_prefix("call=1: 0x").unwrap(), 16).unwrap();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let age = now.as_nanos() - u128::from(nanoseconds);
    assert!(age < 10_000_000_000, "{age} ns old");
}

#[test]
fn text_is_printed_from_readable_memory_only() {
    if !has_kvm() {
        return;
    }
    // Four zeros, and nothing at all wherever it is within memory.
    assert_eq!(
        said("call=2,buffer,4"),
        "\0\0\0\0call=2,buffer,4: 0x".to_owned() + &address_of("buffer") + "\n"
    );
    for place in [0, 0x10_0000, END] {
        assert_eq!(
            said(&format!("call=2,{place},0")),
            format!("call=2,{place},0: {place:#x}\n")
        );
    }
    for (address, length) in [
        (END - 4, 5),
        (END, 1),
        (0x10_0000, END),
        (u64::MAX, 1),
        (u64::MAX - 4, 5),
        (4096 * 300, u64::MAX),
        (1 << 63, 1 << 63),
    ] {
        let sentence = format!("read of {length} bytes at {address:#x}: outside of the unikernel's memory");
        check_stopped(
            &format!("call=2,{address},{length}"),
            &format!("hypercall `puts`: {sentence}"),
        );
    }
    let sentence = "hypercall `puts`: read of 16 bytes at 0x1000: the unikernel may not read there";
    check_stopped("call=2,0x1000,16", sentence);
}

/// Where `hostile` has something, in hexadecimal.
fn address_of(word: &str) -> String {
    let said = said(&format!("call=2,{word},0"));
    said.trim_end().rsplit_once(": 0x").unwrap().1.to_owned()
}

#[test]
fn poll_returns_at_once_or_after_the_time_that_is_asked_for() {
    if !has_kvm() {
        return;
    }
    for (nanoseconds, milliseconds) in [(0, 0), (1, 0), (100_000_000, 100)] {
        let start = std::time::Instant::now();
        assert_eq!(
            said(&format!("call=3,{nanoseconds}")),
            format!("call=3,{nanoseconds}: {nanoseconds:#x}\n")
        );
        assert!(start.elapsed().as_millis() >= milliseconds);
    }
}

#[test]
fn a_device_that_is_not_there_is_an_invalid_argument() {
    if !has_kvm() {
        return;
    }
    for handle in [0, 1, 63, 64, u64::MAX] {
        for call in 4..=7 {
            let words = format!("call={call},{handle},buffer,512");
            assert_eq!(said(&words), format!("{words}: {handle:#x}\n"));
        }
    }
}

#[test]
fn halt_ends_with_the_lowest_8_bits_of_its_status() {
    if !has_kvm() {
        return;
    }
    for (status, code) in [("0", 0), ("255", 255), ("256", 0), ("0x1ff", 255), ("0xffffffff", 255)] {
        let output = run_hostile(&format!("call=8,0,{status}"));
        assert_eq!(
            (text(&output.stderr), output.status.code()),
            ("", Some(code)),
            "{status}"
        );
    }
}

#[test]
fn a_cookie_is_at_least_512_readable_bytes() {
    if !has_kvm() {
        return;
    }
    for cookie in ["buffer", "text", &(END - 512).to_string()] {
        assert_eq!(run_hostile(&format!("call=8,{cookie},5")).status.code(), Some(5));
    }
    for cookie in [END - 511, END, u64::MAX, u64::MAX - 511] {
        let sentence = format!("read of 512 bytes at {cookie:#x}: outside of the unikernel's memory");
        check_stopped(&format!("call=8,{cookie},5"), &format!("hypercall `halt`: {sentence}"));
    }
    let sentence = "hypercall `halt`: read of 512 bytes at 0x1: the unikernel may not read there";
    check_stopped("call=8,1,5", sentence);
}

#[test]
fn a_unikernel_that_stops_its_processor_is_stopped() {
    if !has_kvm() {
        return;
    }
    let output = run_hostile("instruction=hlt");
    let sentence =
        "fulmar-tender: the unikernel stopped its processor (hlt), and nothing could ever wake it, at instruction 0x10";
    assert!(text(&output.stderr).starts_with(sentence), "{output:?}");
    assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
}

#[test]
fn page_tables_of_its_own_reach_no_further() {
    if !has_kvm() {
        return;
    }
    let check = |address: &str, message: &str| {
        let output = run_hostile(&format!("alias={address}"));
        let said = text(&output.stderr);
        assert!(
            said.starts_with(&format!("fulmar-tender: {message}, at instruction 0x10")),
            "{address}: {said}"
        );
        assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
    };
    check(
        "0x100000",
        "host/guest translation fault: the unikernel reached for memory as it may not",
    );
    for address in ["0x400000", "0xfee00000", "0x100000000", "0xffffffff000"] {
        let device = format!("the unikernel reached for a device at {address}, where there is none");
        check(address, &device);
    }
    // What the tender has put below the unikernel is the guest's alone: the tender does not read it again.
    for address in ["0x1000", "0x2000", "0x10000"] {
        assert_eq!(said(&format!("alias={address}")), format!("alias={address}: 0x0\n"));
    }
}

/// A hypercall that `hostile` makes: with a structure of words that are mostly at the edges of something, or with a
/// structure that is itself somewhere. A sleep is short.
fn any_call() -> impl Strategy<Value = String> {
    let edge = prop_oneof![
        Just(0),
        Just(0x1_0000),
        Just(0x10_0000),
        Just(END),
        Just(1 << 32),
        Just(1 << 63),
        Just(u64::MAX)
    ];
    let number = prop_oneof![
        any::<u64>(),
        (edge, 0..1024_u64).prop_map(|(edge, back)| edge.wrapping_sub(back)),
        0..4096_u64
    ];
    let word = prop_oneof![
        number.clone().prop_map(|number| number.to_string()),
        Just("buffer".to_owned()),
        Just("text".to_owned())
    ];
    let words = proptest::collection::vec(word, 5);
    prop_oneof![
        (0..3_u32, words.clone()).prop_map(|(call, words)| format!("call={call},{}", words.join(","))),
        (0..1000_u32).prop_map(|nanoseconds| format!("call=3,{nanoseconds}")),
        (4..10_u32, words).prop_map(|(call, words)| format!("call={call},{}", words.join(","))),
        (1..9_u32, number)
            .prop_filter("it would sleep", |(call, _)| *call != 3)
            .prop_map(|(call, address)| format!("port={},{}", 0x500 + call, address & u64::from(u32::MAX))),
    ]
}

#[test]
fn whatever_a_unikernel_asks_it_goes_on_or_ends_with_a_sentence() {
    if !has_kvm() {
        return;
    }
    let config = ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(calls in proptest::collection::vec(any_call(), 1..6))| {
        let output = run_hostile(&calls.join(" "));
        let said = text(&output.stderr);
        let is_sentence = said.starts_with("fulmar-tender: ") && said.lines().count() == 1;
        let is_right = match output.status.code() {
            Some(1) => is_sentence || said.is_empty(),
            Some(_) => said.is_empty(),
            None => false,
        };
        prop_assert!(is_right, "{:?}: {} {}", calls, output.status, said);
    });
}

#[test]
fn data_can_be_executed_and_gains_nothing() {
    if !has_kvm() {
        return;
    }
    // An `hvt` guest's page tables have no bit against it (`EFER.NXE` is off), and it may do in data what it may in text.
    assert_eq!(said("run=data run=stack"), "run=data: 0x0\nrun=stack: 0x0\n");
}
