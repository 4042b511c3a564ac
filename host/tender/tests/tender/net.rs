//! Networks: pings over taps and bridges, frames of every length, and what a unikernel is told of nonsense.

use std::os::fd::{AsFd, AsRawFd};
use std::process::Stdio;
use std::time::Duration;

use fulmar_tender::Target;
use rustix::process::Signal;

use crate::lab::{NO_PACKET_INFORMATION, TAP, Tap, Wire, in_own_network, ip};
use crate::pinger::{Peer, plain_frame};
use crate::tender::{Running, giving, has_kvm, on_each_target, run, signal, tender, text, unikernel};

const PINGS: usize = 10_000;
const ETHERNET_BYTES: usize = 14;
/// The shortest packet with an echo request.
const PACKET_BYTES_MIN: usize = 28;

/// Starts `net` or `net2` on these wires.
fn start(program: &str, target: Target, wires: &[Wire], options: &[&str], arguments: &[&str]) -> Running {
    let names: &[&str] = if wires.len() == 1 {
        &["service"]
    } else {
        &["service0", "service1"]
    };
    let nets = names
        .iter()
        .zip(wires)
        .map(|(name, wire)| format!("--net:{name}={}", wire.guests()));
    let nets: Vec<_> = nets.collect();
    let program = unikernel(program, target);
    let nets = nets.iter().map(String::as_str);
    let words: Vec<_> = nets
        .chain(options.iter().copied())
        .chain(["--mem=4", &*program])
        .collect();
    Running::start(tender(&[&words, arguments].concat()).stderr(Stdio::piped()))
}

/// Pings on every wire by turns, so many each, of packets of every length up to the MTU.
fn check_pings(program: &str, target: Target, mtu: usize, wires: &[Wire], options: &[&str]) {
    let total = (PINGS * wires.len()).to_string();
    let buffer = format!("length={}", mtu + ETHERNET_BYTES);
    let mut running = start(program, target, wires, options, &[&buffer, &format!("serve={total}")]);
    for _ in wires {
        let line = running.line();
        assert!(line.ends_with(&format!(", MTU {mtu}")), "{line}");
    }
    let mut peers: Vec<_> = (0..)
        .zip(wires)
        .map(|(network, wire)| Peer::find(wire, network))
        .collect();
    for number in 0..PINGS {
        let bytes = PACKET_BYTES_MIN + number * 7919 % (mtu - PACKET_BYTES_MIN + 1);
        peers.iter_mut().for_each(|peer| peer.ping(bytes));
    }
    peers.iter_mut().for_each(Peer::finish);
    for _ in wires {
        let line = running.line();
        assert!(line.ends_with(&format!(": answered {PINGS} pings")), "{line}");
    }
    let (status, said) = running.end();
    assert_eq!((status.code(), &*said), (Some(0), ""));
}

#[test]
fn ten_thousand_pings_are_answered() {
    in_own_network(|| {
        for (number, mtu) in [(0, 1500), (1, 9000)] {
            let wires = [Wire::new(number, mtu)];
            on_each_target(|target| check_pings("net", target, mtu, &wires, &[]));
        }
    });
}

#[test]
fn ten_thousand_pings_are_answered_on_each_of_two_interfaces() {
    in_own_network(|| {
        for (number, mtu) in [(0, 1500), (2, 9000)] {
            let wires = [Wire::new(number, mtu), Wire::new(number + 1, mtu)];
            on_each_target(|target| check_pings("net2", target, mtu, &wires, &[]));
        }
    });
}

#[test]
fn the_address_is_the_one_given_or_a_random_local_one() {
    in_own_network(|| {
        let wires = [Wire::new(0, 1500)];
        on_each_target(|target| {
            let mac = "--net-mac:service=02:00:00:ab:cd:ef";
            let mut running = start("net", target, &wires, &[mac], &["serve=1"]);
            assert_eq!(running.line(), "service: 02:00:00:ab:cd:ef, MTU 1500");
            assert_eq!(Peer::find(&wires[0], 0).mac(), [2, 0, 0, 0xab, 0xcd, 0xef]);
            drop(running);

            let random = || start("net", target, &wires, &[], &[]).line();
            let lines = [random(), random()];
            assert_ne!(lines[0], lines[1]);
            for line in lines {
                let first = u8::from_str_radix(&line["service: ".len()..][..2], 16).unwrap();
                assert_eq!(first & 3, 2, "local, and of one station: {line}");
            }
        });
    });
}

#[test]
fn a_tap_may_be_a_descriptor_that_the_parent_opened() {
    in_own_network(|| {
        let wire = Wire::new(0, 1280);
        on_each_target(|target| {
            let tap = Tap::open(wire.guests(), TAP | NO_PACKET_INFORMATION).unwrap();
            let option = format!("--net:service=@{}", tap.as_fd().as_raw_fd());
            let command = tender(&[&option, &unikernel("net", target), "serve=100"]);
            let mut running = Running::start(&mut giving(command, &tap));
            assert!(running.line().ends_with(", MTU 1280"));
            let mut peer = Peer::find(&wire, 0);
            (0..100).for_each(|_| peer.ping(1280));
            peer.finish();
            assert_eq!(running.line(), "service: answered 100 pings");
        });
    });
}

#[test]
fn no_frame_is_cut_and_one_that_is_too_long_is_dropped_and_counted() {
    const MTU: usize = 1500;
    const LONGEST: usize = MTU + ETHERNET_BYTES;
    in_own_network(|| {
        let wire = Wire::new(0, MTU);
        on_each_target(|target| {
            let lengths = [
                60,
                1000,
                LONGEST - 1,
                LONGEST,
                LONGEST + 1,
                LONGEST + 2,
                LONGEST + 3,
                LONGEST + 4,
                3000,
                20_000,
            ];
            // With and without a tag, and after each frame a mark.
            let frames: Vec<_> = [false, true]
                .into_iter()
                .flat_map(|tagged| lengths.map(|length| (tagged, length)))
                .collect();
            let arriving = lengths.into_iter().filter(|&length| length <= LONGEST).count() * 2 + frames.len();
            let report = format!("report={arriving}");
            let wires = std::slice::from_ref(&wire);
            let mut running = start("net", target, wires, &[], &["serve=1", &report]);
            running.line();
            let mut peer = Peer::find(&wire, 0);
            peer.ping(100);
            peer.finish();
            assert_eq!(
                (&*running.line(), &*running.line()),
                ("service: answered 1 pings", "ready")
            );
            let dropped = dropped(wire.guests());
            for (number, (tagged, length)) in frames.into_iter().enumerate() {
                let mark = 100 + number;
                wire.send(&plain_frame(peer.mac(), tagged, length));
                wire.send(&plain_frame(peer.mac(), false, mark));
                for bytes in [length, mark].into_iter().filter(|&length| length <= LONGEST) {
                    assert_eq!(
                        running.line(),
                        format!("service: frame of {bytes} bytes"),
                        "tagged: {tagged}"
                    );
                }
            }
            // Those that a bridge lets through: it leaves room for a tag, whether there is one or not.
            assert_eq!(crate::net::dropped(wire.guests()) - dropped, 8);
        });
    });
}

/// How many frames the kernel has dropped instead of handing them to who holds the tap.
fn dropped(tap: &str) -> u64 {
    let output = std::process::Command::new("ip")
        .args(["-s", "-o", "link", "show", tap])
        .output()
        .unwrap();
    let shown = text(&output.stdout).to_owned();
    let transmitted = shown.split_once("TX: ").unwrap().1.split_once('\\').unwrap().1;
    transmitted.split_whitespace().nth(3).unwrap().parse().unwrap()
}

#[test]
fn in_hvt_a_frame_that_the_unikernels_own_buffer_does_not_hold_is_dropped_aloud() {
    if !has_kvm() {
        return;
    }
    in_own_network(|| {
        let wires = [Wire::new(0, 1500)];
        let mut running = start("net", Target::Hvt, &wires, &[], &["serve=1", "length=200", "report=2"]);
        running.line();
        let mut peer = Peer::find(&wires[0], 0);
        peer.ping(100);
        peer.finish();
        assert_eq!(
            (&*running.line(), &*running.line()),
            ("service: answered 1 pings", "ready")
        );
        for length in [201, 200, 1500, 60] {
            wires[0].send(&plain_frame(peer.mac(), false, length));
        }
        assert_eq!(running.line(), "service: frame of 200 bytes");
        assert_eq!(running.line(), "service: frame of 60 bytes");
        let sentence = "network device with handle 1: a frame of 201 bytes was dropped, since the unikernel's buffer holds 200; this is said once";
        assert_eq!(running.end().1, format!("fulmar-tender: {sentence}\n"));
    });
}

/// The kernel calls a tap ready for ever when it is gone: a unikernel that tried again would never rest.
#[test]
fn in_hvt_a_unikernel_ends_with_its_tap_but_not_while_that_is_only_down() {
    if !has_kvm() {
        return;
    }
    in_own_network(|| {
        let wires = [Wire::new(0, 1500)];
        let tap = wires[0].guests();
        let mut running = start("net", Target::Hvt, &wires, &[], &["serve=2"]);
        running.line();
        Peer::find(&wires[0], 0);
        ip(&format!("link set {tap} down"));
        ip(&format!("link set {tap} up"));
        // The bridge may take a while to see it: asked until it answers.
        let mut peer = Peer::find(&wires[0], 0);
        peer.ping(100);
        peer.finish();
        ip(&format!("link delete {tap}"));
        let (status, said) = running.end();
        let sentence = "network device with handle 1: the tap is gone, or cannot be used any more (os error 77)";
        assert_eq!(said, format!("fulmar-tender: {sentence}\n"));
        assert_eq!(status.code(), Some(1));
    });
}

/// Runs `net` on the wire with these words, to its end.
fn access(target: Target, wire: &Wire, words: &str) -> std::process::Output {
    let words: Vec<_> = words.split(' ').collect();
    let option = format!("--net:service={}", wire.guests());
    run(&[&[&*option, "--mem=4", &*unikernel("net", target)], &words[..]].concat())
}

/// The unikernel is told this of its last word.
#[track_caller]
fn check_told(target: Target, wire: &Wire, words: &str, what: &str) {
    let output = access(target, wire, words);
    assert_eq!(text(&output.stdout).lines().last(), Some(what), "{words}: {output:?}");
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
}

#[test]
fn a_unikernel_is_told_what_came_of_its_frames() {
    in_own_network(|| {
        let wire = Wire::new(0, 1500);
        on_each_target(|target| {
            check_told(target, &wire, "read", "Read: again");
            for length in [14, 60, 1514] {
                check_told(
                    target,
                    &wire,
                    &format!("length={length} write"),
                    &format!("Write: {length} bytes"),
                );
            }
            for length in [0, 1, 13] {
                check_told(target, &wire, &format!("length={length} write"), "Write: invalid");
            }
        });
    });
}

#[test]
fn what_a_unikernel_sends_arrives_whole() {
    in_own_network(|| {
        let wire = Wire::new(0, 9000);
        on_each_target(|target| {
            let mut running = start(
                "net",
                target,
                std::slice::from_ref(&wire),
                &[],
                &["serve=1", "length=9014", "write"],
            );
            running.line();
            let mut peer = Peer::find(&wire, 0);
            peer.ping(9000);
            peer.finish();
            // `write` sends the buffer again, which holds the answer.
            let frame = peer.next_frame("the answer, again");
            assert_eq!(frame.len(), 9014);
            assert_eq!(running.line(), "service: answered 1 pings");
            assert_eq!(running.line(), "Write: 9014 bytes");
        });
    });
}

#[test]
fn a_device_that_is_not_the_unikernels_is_refused() {
    in_own_network(|| {
        let wire = Wire::new(0, 1500);
        for word in ["read", "write"] {
            // 1 may be written: it is the console.
            for descriptor in [0, 2, 1000, u64::MAX] {
                let words = format!("device={descriptor} {word}");
                let output = access(Target::Spt, &wire, &words);
                assert_eq!(signal(output.status), Some(Signal::SYS), "{words}: {output:?}");
            }
            if has_kvm() {
                for handle in [0, 2, 63, 64, 65, u64::MAX] {
                    let what = if word == "read" {
                        "Read: invalid"
                    } else {
                        "Write: invalid"
                    };
                    check_told(Target::Hvt, &wire, &format!("device={handle} {word}"), what);
                }
            }
        }
    });
}

#[test]
fn a_frame_in_memory_that_is_not_the_unikernels_is_refused() {
    const END: u64 = 4 << 20;
    in_own_network(|| {
        let wire = Wire::new(0, 1500);
        for address in [END - 59, END, 1 << 32, u64::MAX] {
            check_told(
                Target::Spt,
                &wire,
                &format!("length=60 address={address} write"),
                "Write: unspecified",
            );
            if has_kvm() {
                for (word, does) in [("read", "write"), ("write", "read")] {
                    let output = access(Target::Hvt, &wire, &format!("length=60 address={address} {word}"));
                    let sentence = format!("{does} of 60 bytes at {address:#x}: outside of the unikernel's memory");
                    let sentence = format!("fulmar-tender: hypercall `net {word}`: {sentence}\n");
                    assert_eq!((text(&output.stderr), output.status.code()), (&*sentence, Some(1)));
                }
            }
        }
    });
}

#[test]
fn a_unikernel_that_waits_for_frames_costs_no_processor() {
    in_own_network(|| {
        let wires = [Wire::new(0, 1500), Wire::new(1, 1500)];
        on_each_target(|target| {
            let mut running = start("net2", target, &wires, &[], &["serve=1"]);
            running.line();
            running.line();
            let before = running.processor_ticks();
            std::thread::sleep(Duration::from_millis(300));
            assert!(running.processor_ticks() - before <= 1);
        });
    });
}
