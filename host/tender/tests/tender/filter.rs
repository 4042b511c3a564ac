//! What the system-call filters of running tenders allow, asked call by call and argument by argument.
//!
//! The filter is the one the kernel holds, not one that was compiled for a test.

use fulmar_tender::Target;
use rustix::process::Pid;

use crate::bpf::Filters;
use crate::lab::{Wire, in_own_network};
use crate::tender::{Running, disk, hello, on_each_target, skip, tender, unikernel};

type Arguments = [u64; 6];

const READ: u32 = 0;
const WRITE: u32 = 1;
const IOCTL: u32 = 16;
const PREAD64: u32 = 17;
const PWRITE64: u32 = 18;
const ARCH_PRCTL: u32 = 158;
const CLOCK_GETTIME: u32 = 228;
const EXIT_GROUP: u32 = 231;
const EPOLL_PWAIT: u32 = 281;
const TIMERFD_SETTIME: u32 = 286;

const LISTED: [u32; 10] = [
    READ,
    WRITE,
    IOCTL,
    PREAD64,
    PWRITE64,
    ARCH_PRCTL,
    CLOCK_GETTIME,
    EXIT_GROUP,
    EPOLL_PWAIT,
    TIMERFD_SETTIME,
];

const KVM_RUN: u64 = 0xae80;
const ARCH_SET_FS: u64 = 0x1002;

/// What a filter may be asked about beyond every number that a kernel knows.
const CALLS_END: u32 = 1024;

/// Solo5's own `hvt` tender keeps so many calls, whatever their arguments.
const SOLO5_CALLS: usize = 18;

/// Asks about every call with each of these descriptors (and what else may be a first argument), requests, lengths and
/// offsets; about those that are on no list with a part of them. Compares with what is expected, and returns the calls
/// that are allowed somehow.
fn check(filters: &Filters, offsets: &[u64], expected: impl Fn(u32, Arguments) -> bool) -> Vec<u32> {
    let firsts = (0..40).chain([ARCH_SET_FS, 0x1001, 1 << 32, (1 << 32) + 1, u64::MAX]);
    let mut questions = Vec::new();
    for first in firsts {
        for second in [0, KVM_RUN, 0xae01, 0xae41, (1 << 32) + KVM_RUN] {
            for third in [0, 511, 512, 513, 4096, 4097, 1 << 32] {
                questions.extend(offsets.iter().map(|&fourth| [first, second, third, fourth, 0, 0]));
            }
        }
    }
    let is_allowed = |&call: &u32| {
        let step = if LISTED.contains(&call) { 1 } else { 47 };
        let asked = questions.iter().step_by(step);
        let allowed = asked.filter(|&&arguments| {
            let allowed = filters.allow(call, arguments);
            assert_eq!(allowed, expected(call, arguments), "call {call} with {arguments:#x?}");
            allowed
        });
        allowed.count() > 0
    };
    for call in 0..CALLS_END {
        assert!(
            !filters.allow_elsewhere(call, questions[0]),
            "call {call} by another door"
        );
    }
    (0..CALLS_END).filter(is_allowed).collect()
}

/// The number of the descriptor that is this.
fn descriptor(running: &Running, kind: &str) -> u64 {
    let descriptors = running.descriptors();
    let found = descriptors
        .iter()
        .find_map(|line| line.split_once(' ').filter(|(_, is)| is.ends_with(kind)));
    found
        .unwrap_or_else(|| panic!("no {kind} among {descriptors:?}"))
        .0
        .parse()
        .unwrap()
}

/// The filters of a tender whose unikernel has begun to run.
fn read(running: &mut Running) -> Option<Filters> {
    running.line();
    let read = Filters::of(Pid::from_child(&running.child));
    read.map_err(|error| skip(&format!("the filter of a process cannot be read here: {error}")))
        .ok()
}

/// What is expected of a tender whose unikernel has no devices.
fn without_devices(target: Target, running: &Running) -> impl Fn(u32, Arguments) -> bool {
    let [epoll, timer] = ["eventpoll", "timerfd"].map(|kind| descriptor(running, kind));
    let vcpu = (target == Target::Hvt).then(|| descriptor(running, "kvm-vcpu:0"));
    move |call, [first, second, ..]| match call {
        WRITE => first == 1 || first == 2 && target == Target::Hvt,
        IOCTL => Some(first) == vcpu && second == KVM_RUN,
        ARCH_PRCTL => first == ARCH_SET_FS && target == Target::Spt,
        CLOCK_GETTIME => first == 0 || first == 1 && target == Target::Spt,
        EPOLL_PWAIT => first == epoll,
        TIMERFD_SETTIME => first == timer,
        call => call == EXIT_GROUP,
    }
}

#[test]
fn without_devices_six_calls_are_left_each_on_its_descriptor() {
    on_each_target(|target| {
        let mut running = Running::start(&mut tender(&[&hello(target), "sleep=60"]));
        let Some(filters) = read(&mut running) else { return };
        let allowed = check(&filters, &[0], without_devices(target, &running));
        assert_eq!(allowed.len(), 6);
    });
}

#[test]
fn a_disk_adds_reading_and_writing_it_up_to_its_last_sector() {
    const CAPACITY: u64 = 4096;
    on_each_target(|target| {
        let path = disk(CAPACITY);
        let option = format!("--block:storage={}", path.display());
        let mut running = Running::start(&mut tender(&[&option, &unikernel("block", target), "wait"]));
        let Some(filters) = read(&mut running) else { return };
        let file = descriptor(&running, path.to_str().unwrap());
        let others = without_devices(target, &running);
        let offsets = [0, 1, CAPACITY - 512, CAPACITY - 511, CAPACITY, 1 << 32, u64::MAX];
        let allowed = check(&filters, &offsets, |call, arguments| {
            let [first, _, length, offset, ..] = arguments;
            let is_length = length == 512 || target == Target::Hvt && length <= CAPACITY;
            let is_inside = is_length && offset <= CAPACITY - 512;
            match call {
                PREAD64 | PWRITE64 => first == file && is_inside,
                _ => others(call, arguments),
            }
        });
        assert_eq!(allowed.len(), 8);
    });
}

#[test]
fn an_interface_adds_reading_and_writing_it() {
    in_own_network(|| {
        let wire = Wire::new(0, 1500);
        on_each_target(|target| {
            let option = format!("--net:service={}", wire.guests());
            let mut running = Running::start(&mut tender(&[&option, &unikernel("net", target), "serve=1"]));
            let Some(filters) = read(&mut running) else { return };
            let tap = descriptor(&running, "/dev/net/tun");
            let others = without_devices(target, &running);
            let allowed = check(&filters, &[0], |call, arguments| match call {
                READ | WRITE if arguments[0] == tap => true,
                READ => false,
                _ => others(call, arguments),
            });
            assert_eq!(allowed.len(), 7);
            assert!(allowed.len() < SOLO5_CALLS);
        });
    });
}
