//! `hello`: a unikernel for tests and demonstrations. Prints a greeting and each of its arguments, then does what the
//! arguments say, in their order:
//!
//! | argument | what it does |
//! |---|---|
//! | `sleep=SECONDS` | sleeps so long (`0.25` is a quarter of a second), and says how long it was |
//! | `tick=MS` | prints a numbered line every MS milliseconds until it is killed |
//! | `clock` | prints both clocks, in nanoseconds |
//! | `exit=N` | ends with exit status N, 0 to 255 |
//! | `abort` | aborts: exit status 255 |
//! | `fault` | writes to address 0 |
//! | `syscall` | makes a call that no tender allows: a system call, in `hvt` a hypercall |
//! | `spin` | computes for ever |
//! | `flood=N` | prints N lines of 4,095 bytes as fast as it can |
//! | `info` | prints the boot info: where the unikernel ends, and every entry of the manifest |
//!
//! All other arguments are only printed. Without one that says otherwise it ends with exit status 0.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "`fault` writes where nothing may be written")]

use core::time::Duration;
use solo5::{Boot, println};

solo5::entry!(hello);

fn hello(boot: Boot) -> u8 {
    println!(
        "hello from {} with {} MiB of memory",
        solo5::TARGET_NAME,
        boot.memory_bytes() >> 20
    );
    for argument in boot.arguments() {
        println!("argument: {argument}");
    }
    for argument in boot.arguments() {
        obey(argument, &boot);
    }
    0
}

fn obey(argument: &str, boot: &Boot) {
    match argument.split_once('=').unwrap_or((argument, "")) {
        ("sleep", seconds) => parse_seconds(seconds).map_or_else(|| misunderstood(argument), sleep),
        ("tick", milliseconds) => milliseconds.parse().map_or_else(|_| misunderstood(argument), tick),
        ("clock", "") => clock(),
        ("exit", status) => status
            .parse()
            .map_or_else(|_| misunderstood(argument), |status| solo5::exit(status)),
        ("abort", "") => solo5::abort(),
        ("fault", "") => fault(),
        ("syscall", "") => solo5::forbidden_call(),
        ("spin", "") => spin(),
        ("flood", lines) => lines.parse().map_or_else(|_| misunderstood(argument), flood),
        ("info", "") => info(boot),
        _ => {}
    }
}

/// A test that asks for nonsense should fail.
fn misunderstood(argument: &str) {
    println!("cannot understand {argument}");
    solo5::abort();
}

fn sleep(time: Duration) {
    let start = solo5::clock_monotonic();
    solo5::sleep(time);
    println!("slept {} ms", (solo5::clock_monotonic() - start).as_millis());
}

fn clock() {
    let (monotonic, wall) = (solo5::clock_monotonic(), solo5::clock_wall());
    println!("monotonic {} ns, wall {} ns", monotonic.as_nanos(), wall.as_nanos());
}

fn tick(period_ms: u64) {
    let mut deadline = solo5::clock_monotonic();
    for number in 1_u64.. {
        println!("tick {number}");
        deadline = deadline.saturating_add(Duration::from_millis(period_ms));
        solo5::sleep_until(deadline);
    }
}

fn fault() {
    // SAFETY: not sound, and meant so: no Solo5 target maps address 0, so the write ends the unikernel.
    unsafe { core::ptr::null_mut::<u8>().write_volatile(1) };
}

fn spin() {
    loop {
        core::hint::spin_loop();
    }
}

/// As a line can be 4,095 bytes long with its end, there is room for any number.
const DOTS: &str = match str::from_utf8(&[b'.'; 4074]) {
    Ok(dots) => dots,
    Err(_) => "",
};

fn flood(lines: u64) {
    // Padding by the formatter would copy dot by dot, which takes long where KVM has to emulate `rep movsb`.
    for number in 1..=lines {
        println!("{DOTS}{number:020}");
    }
}

fn info(boot: &Boot) {
    println!(
        "ends at {:#x}, {} bytes of arguments",
        boot.kernel_end(),
        boot.command_line().len()
    );
    for device in boot.devices() {
        let (handle, name, kind) = (device.handle(), device.name(), device.kind());
        println!(
            "device {handle}: `{name}` of type {kind:#x}, attached {}",
            device.attached()
        );
    }
}

/// Reads seconds with at most three decimals, without floating point.
fn parse_seconds(text: &str) -> Option<Duration> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let unit_ms = match decimals.len() {
        1 => 100,
        2 => 10,
        3 => 1,
        _ => return None,
    };
    let milliseconds = decimals.parse::<u64>().ok()? * unit_ms;
    Duration::from_secs(whole.parse().ok()?).checked_add(Duration::from_millis(milliseconds))
}
