//! What the tender needs of its host and its parent, and what it says where it is not given.
#![expect(
    unsafe_code,
    reason = "sets limits and takes rights in a child, before the tender begins"
)]

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use fulmar_tender::Target;
use rustix::process::{Resource, Rlimit, geteuid, setrlimit};

use crate::lab::{NO_PACKET_INFORMATION, TAP, Tap, Wire, in_own_network, ip};
use crate::pinger::Peer;
use crate::tender::{
    Running, check_command_refused, disk, giving, has_kvm, hello, on_each_target, skip, tender, text, unikernel,
};

const NOBODY: u32 = 65534;

/// `command`, after doing something in the child.
fn after(mut command: Command, prepare: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> Command {
    // SAFETY: what is done here between fork and exec are system calls without any memory of their own.
    unsafe { command.pre_exec(prepare) };
    command
}

fn limit(command: Command, what: Resource, to: u64) -> Command {
    after(command, move || {
        // This process may have been started with more descriptors than the standard ones.
        // SAFETY: marks descriptors of the child, which are closed when the tender begins.
        unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        let limit = Rlimit {
            current: Some(to),
            maximum: Some(to),
        };
        setrlimit(what, limit).map_err(Into::into)
    })
}

#[test]
fn memory_that_the_host_does_not_give_is_refused() {
    on_each_target(|target| {
        let command = limit(tender(&["--mem=1024", &hello(target)]), Resource::As, 1 << 30);
        let output = { command }.output().unwrap();
        let said = text(&output.stderr);
        assert!(
            said.starts_with("fulmar-tender: memory: 1024 MiB could not be mapped: "),
            "{said}"
        );
        assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
    });
}

#[test]
fn descriptors_that_the_host_does_not_give_are_refused() {
    let events = "the timer or the epoll set could not be made: Too many open files (os error 24)";
    check_command_refused(limit(tender(&[&hello(Target::Spt)]), Resource::Nofile, 4), events);
    if has_kvm() {
        let machine = "KVM: KVM_CREATE_VM: Too many open files (os error 24)";
        check_command_refused(limit(tender(&[&hello(Target::Hvt)]), Resource::Nofile, 4), machine);
    }
}

#[test]
fn text_that_cannot_be_printed_is_an_error() {
    for option in ["--help", "--version"] {
        let mut command = tender(&[option]);
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        check_command_refused(command, "standard output: No space left on device (os error 28)");
    }
}

/// A file that took the place of the console would be written by the guest: here, its disk.
#[test]
fn without_a_console_or_a_substitute_nothing_begins() {
    if !is_root() {
        return;
    }
    for (number, name) in [(0, "input"), (1, "output"), (2, "error")] {
        println!("standard {name}"); // shown if the claim does not hold
        let disk = disk(4096);
        let option = format!("--block:data={}", disk.display());
        let command = after(tender(&[&option, &unikernel("block", Target::Spt)]), move || {
            close_without_substitute(number)
        });
        let output = { command }.output().unwrap();
        let sentence =
            "fulmar-tender: a standard descriptor is closed, and `/dev/null` cannot be opened in its place\n";
        let said = if number == 2 { "" } else { sentence };
        assert_eq!(text(&output.stderr), said);
        assert_eq!((text(&output.stdout), output.status.code()), ("", Some(1)));
        assert_eq!(fs::read(&disk).unwrap(), [0; 4096]);
    }
}

/// Closes a standard descriptor where there is no `/dev/null`: in a view of the files with an empty `/dev`.
fn close_without_substitute(number: i32) -> io::Result<()> {
    let (root, dev, memory) = (c"/".as_ptr(), c"/dev".as_ptr(), c"tmpfs".as_ptr());
    let apart = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: changes the child's own view of the files, and its own descriptors; all strings are constants.
    let results = unsafe {
        [
            libc::unshare(libc::CLONE_NEWNS),
            libc::mount(memory, root, std::ptr::null(), apart, std::ptr::null()),
            libc::mount(memory, dev, memory, 0, std::ptr::null()),
            libc::close(number),
        ]
    };
    if results == [0; 4] {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[test]
fn a_console_that_the_parent_has_closed_is_never_a_disk() {
    on_each_target(|target| {
        let path = disk(4096);
        let option = format!("--block:storage={}", path.display());
        let command = after(
            tender(&[&option, "--mem=2", &unikernel("block", target), "read"]),
            || {
                for number in 0..3 {
                    // SAFETY: descriptors of the child, which nobody uses before the tender begins.
                    unsafe { libc::close(number) };
                }
                Ok(())
            },
        );
        assert_eq!({ command }.status().unwrap().code(), Some(0));
        assert_eq!(fs::read(&path).unwrap(), [0; 4096]);
    });
}

#[test]
fn a_tap_in_another_network_is_refused() {
    in_own_network(|| {
        let tap = Tap::open("tap0", TAP | NO_PACKET_INFORMATION).unwrap();
        ip("link set tap0 up");
        let number = tap.as_fd().as_raw_fd();
        on_each_target(|target| {
            let tap = &tap; // open meanwhile
            in_own_network(|| {
                let option = format!("--net:service=@{}", tap.as_fd().as_raw_fd());
                let reason = "the tap is in another network namespace, so its MTU cannot be read";
                let sentence = format!("network device `service`: descriptor {number}: {reason}");
                let command = giving(tender(&[&option, &unikernel("net", target)]), tap);
                check_command_refused(command, &sentence);
            });
        });
    });
}

#[test]
fn another_users_tap_is_refused() {
    in_own_network(|| {
        ip(&format!("tuntap add tap0 mode tap user {NOBODY}"));
        ip("link set tap0 up");
        on_each_target(|target| {
            // Root without the right to administer networks.
            const CAP_NET_ADMIN: libc::c_ulong = 12;
            let command = after(tender(&["--net:service=tap0", &unikernel("net", target)]), || {
                // SAFETY: takes a right away, from the child only.
                match unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0) } {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            });
            let reason =
                "this user may not use the tap; its owner is set when it is made (`ip tuntap add … user NAME`)";
            check_command_refused(command, &format!("network device `service`: `tap0`: {reason}"));
        });
    });
}

/// The tender and a unikernel where everybody may read them.
struct Copies(tempfile::TempDir);

impl Copies {
    fn of(unikernel_path: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        // By another process: while this one has a program open for writing, a child of another test has it, too, for a
        // moment, and nobody can run it.
        for (from, name) in [
            (env!("CARGO_BIN_EXE_fulmar-tender"), "tender"),
            (unikernel_path, "unikernel"),
        ] {
            let status = Command::new("cp").arg(from).arg(folder.path().join(name)).status();
            assert!(status.unwrap().success());
        }
        Self(folder)
    }

    /// Runs the unikernel as a user without rights.
    fn as_nobody(&self, options: &[&str], arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0.path().join("tender"));
        command
            .args(options)
            .arg(self.0.path().join("unikernel"))
            .args(arguments);
        command.uid(NOBODY).gid(NOBODY).stdin(std::process::Stdio::null());
        command
    }
}

/// Only root can become nobody.
fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        skip("needs root, to run the tender without it");
    }
    is_root
}

#[test]
fn without_root_spt_needs_nothing() {
    if is_root() {
        let output = Copies::of(&hello(Target::Spt))
            .as_nobody(&["--mem=2"], &["exit=7"])
            .output()
            .unwrap();
        assert_eq!((text(&output.stderr), output.status.code()), ("", Some(7)));
    }
}

#[test]
fn without_the_right_to_a_device_the_tender_says_which() {
    let is_closed = |path| fs::metadata(path).is_ok_and(|device| device.permissions().mode() & 0o006 == 0);
    if !is_root() {
        return;
    }
    if is_closed("/dev/kvm") {
        let sentence = "`/dev/kvm`: Permission denied (os error 13); an `hvt` unikernel needs KVM, \
            and this user the right to read and write it";
        check_command_refused(Copies::of(&hello(Target::Hvt)).as_nobody(&[], &[]), sentence);
    }
    if is_closed("/dev/net/tun") {
        in_own_network(|| {
            ip("tuntap add tap0 mode tap");
            ip("link set tap0 up");
            let copies = Copies::of(&unikernel("net", Target::Spt));
            let sentence = "network device `service`: `tap0`: `/dev/net/tun`: Permission denied (os error 13)";
            check_command_refused(copies.as_nobody(&["--net:service=tap0"], &[]), sentence);
        });
    }
}

#[test]
fn without_root_what_the_parent_opened_can_be_attached() {
    if !is_root() {
        return;
    }
    in_own_network(|| {
        let wire = Wire::new(0, 1500);
        on_each_target(|target| {
            if target == Target::Hvt && !open_kvm_to_all() {
                return;
            }
            let path = disk(4096);
            let file = File::options().read(true).write(true).open(&path).unwrap();
            let tap = Tap::open(wire.guests(), TAP | NO_PACKET_INFORMATION).unwrap();

            let block = Copies::of(&unikernel("block", target));
            let option = format!("--block:storage=@{}", file.as_raw_fd());
            let command = block.as_nobody(&[&option, "--mem=2"], &["fill=3", "verify=3"]);
            let output = giving(command, &file).output().unwrap();
            assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));

            let net = Copies::of(&unikernel("net", target));
            let option = format!("--net:service=@{}", tap.as_fd().as_raw_fd());
            let command = net.as_nobody(&[&option, "--mem=4"], &["serve=10"]);
            let mut running = Running::start(&mut giving(command, &tap));
            running.line();
            let mut peer = Peer::find(&wire, 0);
            (0..10).for_each(|_| peer.ping(1500));
            peer.finish();
            assert_eq!(running.line(), "service: answered 10 pings");
        });
    });
}

/// Puts, for this thread and what it starts, a `/dev/kvm` over the other that everybody may open.
fn open_kvm_to_all() -> bool {
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    // SAFETY: only the mounts change, no memory and no descriptor; the thread is its test's alone.
    let own = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().join("kvm");
    let node = node.to_str().unwrap();
    let does = |line: &str| {
        let mut words = line.split(' ');
        let output = Command::new(words.next().unwrap()).args(words).output();
        output.is_ok_and(|output| output.status.success())
    };
    let is_done = own.is_ok()
        && does("mount --make-rprivate /")
        && does(&format!("mknod -m 666 {node} c 10 232"))
        && does(&format!("mount --bind {node} /dev/kvm"))
        && Path::new("/dev/kvm").exists();
    if !is_done {
        skip("/dev/kvm cannot be opened to another user here, so not tried for hvt");
    }
    is_done
}
