//! What the tender says of devices that it cannot attach; no unikernel is started then.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};

use fulmar_tender::Target;

use crate::elf::{BLOCK, Unikernel, number};
use crate::lab::{EXTRA_HEADER, NO_PACKET_INFORMATION, TAP, TUN, Tap, in_own_network, ip};
use crate::tender::{
    check_command_refused, check_refused, disk, file, giving, hello, on_each_target, run, tender, text, unikernel,
};

/// Both targets refuse with the same sentence, and need no KVM for it.
#[track_caller]
fn check(program: &str, options: &[&str], sentence: &str) {
    for target in [Target::Spt, Target::Hvt] {
        check_refused(&[options, &[&*unikernel(program, target)]].concat(), sentence);
    }
}

/// As [`check`], of a descriptor that the tender gets.
#[track_caller]
fn check_given(program: &str, descriptor: impl AsFd, options: &[&str], sentence: &str) {
    for target in [Target::Spt, Target::Hvt] {
        let command = tender(&[options, &[&*unikernel(program, target)]].concat());
        check_command_refused(giving(command, &descriptor), sentence);
    }
}

#[test]
fn every_declared_device_is_given_and_every_given_one_declared() {
    let path = disk(512);
    let storage = format!("--block:storage={}", path.display());
    let missing = "the unikernel declares the block device `storage`: attach one with `--block:storage=FILE`";
    check("block", &[], missing);
    check("block", &["--block-sector-size:storage=512"], missing);
    let missing = "the unikernel declares the network device `service`: attach one with `--net:service=TAP`";
    check("net", &[], missing);
    check("net", &["--net-mac:service=02:00:00:00:00:01"], missing);

    let extra = "the unikernel declares no network device `storage`: leave it out";
    check("block", &[&storage, "--net:storage=tap0"], extra);
    let extra = "the unikernel declares no block device `other`: leave it out";
    check("block", &[&storage, "--block:other=/nonexistent"], extra);
    for target in [Target::Spt, Target::Hvt] {
        let extra = "the unikernel declares no block device `storage`: leave it out";
        check_refused(&[&storage, &hello(target)], extra);
    }

    let all = "the unikernel declares the network device `service0`: attach one with `--net:service0=TAP`; \
        the unikernel declares the network device `service1`: attach one with `--net:service1=TAP`; \
        the unikernel declares no block device `storage`: leave it out";
    check("net2", &[&storage], all);
}

#[test]
fn a_file_that_is_no_whole_number_of_sectors_is_refused() {
    for (bytes, sector, reason) in [
        (511, 512, "Backing storage size must be block aligned (512 bytes)"),
        (513, 512, "Backing storage size must be block aligned (512 bytes)"),
        (512, 1024, "Backing storage size must be block aligned (1024 bytes)"),
        (
            40_000,
            32_768,
            "Backing storage size must be block aligned (32768 bytes)",
        ),
        (0, 512, "Backing storage must be at least 1 block (512 bytes) in size"),
    ] {
        let path = disk(bytes);
        let options = [
            format!("--block:storage={}", path.display()),
            format!("--block-sector-size:storage={sector}"),
        ];
        let sentence = format!("block device `storage`: `{}`: {reason}", path.display());
        check("block", &options.each_ref().map(String::as_str), &sentence);
    }
}

#[test]
fn a_sector_size_that_is_no_power_of_two_from_512_on_is_refused() {
    for size in ["0", "1", "256", "511", "513", "768", "65536", "-512", "4k", ""] {
        let option = format!("--block-sector-size:storage={size}");
        let reason = "Block size must be a multiple of 2 greater than or equal 512, and at most 32768";
        check("block", &[&option], &format!("`{option}`: {reason}"));
    }
}

#[test]
fn what_cannot_be_a_disk_is_refused() {
    for (path, reason) in [
        ("/nonexistent/disk", "No such file or directory (os error 2)"),
        ("/dev/null", "neither a regular file nor a block device"),
        ("/proc", "Is a directory (os error 21)"),
    ] {
        let sentence = format!("block device `storage`: `{path}`: {reason}");
        check("block", &[&format!("--block:storage={path}")], &sentence);
    }
    let path = disk(512);
    let given = |open: &mut std::fs::OpenOptions, reason: &str| {
        let opened = open.open(&path).unwrap();
        let number = opened.as_raw_fd();
        let sentence = format!("block device `storage`: descriptor {number}: {reason}");
        check_given("block", &opened, &[&format!("--block:storage=@{number}")], &sentence);
    };
    given(File::options().read(true), "it is not open for reading and writing");
    given(File::options().write(true), "it is not open for reading and writing");
    let append = "it is open for appending, so nothing could be written but at its end";
    given(File::options().read(true).append(true), append);
}

#[test]
fn a_descriptor_that_is_not_there_is_refused() {
    check("block", &["--block:storage=@999"], "descriptor 999 is not open");
    let form = "`@` is followed by the number of an open descriptor, 3 or higher";
    for option in [
        "--block:storage=@",
        "--block:storage=@0",
        "--block:storage=@2",
        "--block:storage=@x",
    ] {
        check("block", &[option], &format!("`{option}`: {form}"));
    }
    let opened = file(b"");
    let opened = File::options().read(true).write(true).open(&opened).unwrap();
    let number = opened.as_raw_fd();
    let both = [format!("--net:service0=@{number}"), format!("--net:service1=@{number}")];
    let sentence = format!("descriptor {number} is given for two devices");
    check_given("net2", &opened, &both.each_ref().map(String::as_str), &sentence);
}

#[test]
fn a_tap_that_cannot_be_attached_is_refused() {
    in_own_network(|| {
        ip("tuntap add down0 mode tap");
        ip("tuntap add taken0 mode tap");
        ip("tuntap add tun0 mode tun");
        ip("tuntap add many0 mode tap multi_queue");
        ip("link add bridge0 type bridge");
        for name in ["taken0", "tun0", "many0", "bridge0"] {
            ip(&format!("link set {name} up"));
        }
        let _holder = Tap::open("taken0", TAP | NO_PACKET_INFORMATION).unwrap();
        let missing = "there is no network interface of this name; make one, such as with `ip tuntap add`";
        for (name, reason) in [
            ("tap0", missing),
            ("tap%d", missing),
            ("down0", "the interface is down; `ip link set NAME up` brings it up"),
            ("taken0", "another program uses the tap"),
            ("tun0", "not a tap with one queue"),
            ("many0", "not a tap with one queue"),
            ("bridge0", "not a tap with one queue"),
            ("a123456789012345", "the name of a network interface has 1 to 15 bytes"),
        ] {
            let sentence = format!("network device `service`: `{name}`: {reason}");
            check("net", &[&format!("--net:service={name}")], &sentence);
        }
        let left = std::process::Command::new("ip").args(["-o", "link"]).output().unwrap();
        assert_eq!(
            left.stdout.iter().filter(|&&byte| byte == b'\n').count(),
            6,
            "none was made: {left:?}"
        );
    });
}

#[test]
fn a_descriptor_that_is_no_fit_tap_is_refused() {
    in_own_network(|| {
        let header = "the tap was opened without IFF_NO_PI, or with IFF_VNET_HDR: its frames have a header in front";
        for (name, flags, reason) in [
            ("plain0", TAP, header),
            ("long0", TAP | NO_PACKET_INFORMATION | EXTRA_HEADER, header),
            ("tun0", TUN | NO_PACKET_INFORMATION, "not a tap with one queue"),
        ] {
            let tap = Tap::open(name, flags).unwrap();
            let number = tap.as_fd().as_raw_fd();
            let sentence = format!("network device `service`: descriptor {number}: {reason}");
            check_given("net", &tap, &[&format!("--net:service=@{number}")], &sentence);
        }
        let other = File::open("/dev/null").unwrap();
        let number = other.as_raw_fd();
        let sentence = format!("network device `service`: descriptor {number}: not a tap with one queue");
        check_given("net", &other, &[&format!("--net:service=@{number}")], &sentence);
    });
}

#[test]
fn an_address_that_is_none_is_refused() {
    for mac in [
        "",
        "02:00:00:00:00",
        "02:00:00:00:00:01:02",
        "02-00-00-00-00-01",
        "01:00:00:00:00:01",
        "02:00:00:00:00:0g",
    ] {
        let option = format!("--net-mac:service={mac}");
        let sentence = format!("`{option}` is not a MAC address of one station, such as `02:00:00:00:00:01`");
        check("net", &[&option], &sentence);
    }
}

#[test]
fn an_option_that_says_nothing_is_refused() {
    let form = "has no value; the form is `--net:NAME=TAP` or `--block:NAME=FILE`";
    for option in ["--net:service", "--net:service=", "--block:storage="] {
        check("net", &[option], &format!("`{option}` {form}"));
    }
    let name = "the name of a device is 1 to 67 ASCII letters and digits";
    for option in ["--net:=tap0", "--net:a-b=tap0", "--block:a.b=x"] {
        check("net", &[option], &format!("`{option}`: {name}"));
    }
    for option in ["-m", "--memory=3", "--net", "--hold=yes"] {
        let sentence = format!("unknown option `{option}`; `fulmar-tender --help` lists them, and `--` ends them");
        check("net", &[option], &sentence);
    }
    for words in [&[][..], &["--mem=32"], &["--"]] {
        check_refused(words, "no unikernel given; `fulmar-tender --help` shows how");
    }
}

#[test]
fn a_unikernel_may_have_63_devices() {
    let names: Vec<String> = (1..=63).map(|number| format!("disk{number}")).collect();
    let paths: Vec<_> = names.iter().map(|_| disk(512)).collect();
    let options: Vec<String> = names
        .iter()
        .zip(&paths)
        .map(|(name, path)| format!("--block:{name}={}", path.display()))
        .collect();
    on_each_target(|target| {
        let devices = names.iter().map(|name| (&**name, BLOCK)).collect();
        let unikernel = file(
            &Unikernel {
                devices,
                ..Unikernel::of(number(target))
            }
            .file(),
        );
        let words: Vec<&str> = options
            .iter()
            .map(String::as_str)
            .chain(["--mem=2", unikernel.to_str().unwrap()])
            .collect();
        let output = run(&words);
        assert_eq!((text(&output.stderr), output.status.code()), ("", Some(42)));
    });
}
