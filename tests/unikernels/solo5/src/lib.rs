//! What a unikernel in Rust needs to run under a Solo5 tender: the same calls for every Solo5 target.
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! solo5::entry!(greet);
//!
//! fn greet(boot: solo5::Boot) -> u8 {
//!     solo5::println!("hello, {}", boot.command_line());
//!     0 // the exit status
//! }
//! ```
//!
//! A feature chooses the target. Everything that depends on it is in the file of its name, and each such file offers
//! the same. There is no memory allocator.
//!
//! Nothing is checked on the way to the tender, which must not rely on it: a program that asks for a sector beyond the
//! end asks the tender.

#![no_std]

mod boot;
mod console;
mod device;
pub mod note;
mod number;
#[cfg_attr(feature = "hvt", path = "hvt.rs")]
#[cfg_attr(feature = "spt", path = "spt.rs")]
mod target;

#[cfg(not(any(feature = "hvt", feature = "spt")))]
compile_error!("choose a Solo5 target with a feature: `hvt` or `spt`");
#[cfg(all(feature = "hvt", feature = "spt"))]
compile_error!("`hvt` and `spt` exclude each other; `--no-default-features` turns the default off");

pub use boot::Boot;
pub use console::print_line;
pub use device::{Access, Block, Device, Failure, Net};
pub use note::Kind;
pub use number::parse_number;
pub use target::{
    DeviceId, TARGET_NAME, TARGET_NUMBER, block, clock_monotonic, clock_wall, exit, forbidden_call, net, wait_until,
};
#[cfg(feature = "hvt")]
pub use target::{call, hypercall};
#[cfg(feature = "spt")]
pub use target::{epoll, system_call, timer};

use core::panic::PanicInfo;
use core::time::Duration;

/// The exit status of a unikernel that gave up by itself.
const ABORTED: u8 = 255;

/// Ends the unikernel as failed: exit status 255.
pub fn abort() -> ! {
    exit(ABORTED)
}

/// Returns when [`clock_monotonic`] has reached `deadline`, whatever arrives meanwhile.
pub fn sleep_until(deadline: Duration) {
    while clock_monotonic() < deadline {
        wait_until(deadline);
    }
}

/// Returns when at least `time` has passed.
pub fn sleep(time: Duration) {
    sleep_until(clock_monotonic().saturating_add(time));
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    abort()
}

/// Makes `$main`, a `fn(Boot) -> u8`, the unikernel's program, and the file around it a Solo5 unikernel that declares
/// the given devices, each a name and a [`Kind`]. What `$main` returns is the exit status. Exactly once in a unikernel.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        $crate::entry!($main, []);
    };
    ($main:path, [$($device:expr),*]) => {
        #[expect(unsafe_code, reason = "the linker script looks for these names")]
        const _: () = {
            const DEVICES: &[(&str, $crate::Kind)] = &[$($device),*];

            #[used]
            #[unsafe(link_section = ".interp")]
            static INTERPRETER: [u8; $crate::note::INTERPRETER.len()] = *$crate::note::INTERPRETER;

            #[used]
            #[unsafe(link_section = ".note.solo5.abi")]
            static ABI: $crate::note::Abi = $crate::note::Abi::new($crate::TARGET_NUMBER);

            #[used]
            #[unsafe(link_section = ".note.solo5.manifest")]
            static MANIFEST: $crate::note::Manifest<{ DEVICES.len() }> = $crate::note::Manifest::new(DEVICES);

            /// The tender jumps here, with the boot info's address as the first argument.
            #[unsafe(no_mangle)]
            extern "C" fn _start(boot_info: usize) -> ! {
                // SAFETY: the tender gives the address of a boot info that it has filled in and never touches again.
                let boot = unsafe { $crate::Boot::from_address(boot_info) };
                $crate::exit($main(boot))
            }
        };
    };
}
