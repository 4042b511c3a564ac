//! What a unikernel in Rust needs to run under a Solo5 tender: the same safe calls for every Solo5 target.
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
//! the same: [`Boot`], `write`, `exit`, the clocks, `sleep_until`. There is no memory allocator, and no device yet.

#![no_std]

mod console;
pub mod note;
#[cfg(feature = "spt")]
#[path = "spt.rs"]
mod target;

#[cfg(not(feature = "spt"))]
compile_error!("choose a Solo5 target with a feature: `spt`");

pub use console::print_line;
pub use target::{Boot, TARGET_NAME, TARGET_NUMBER, clock_monotonic, clock_wall, exit, forbidden_call, sleep_until};

use core::panic::PanicInfo;
use core::time::Duration;

/// The exit status of a unikernel that gave up by itself.
const ABORTED: u8 = 255;

/// Ends the unikernel as failed: exit status 255.
pub fn abort() -> ! {
    exit(ABORTED)
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

/// Makes `$main`, a `fn(Boot) -> u8`, the unikernel's program, and the file around it a Solo5 unikernel without
/// devices. What `$main` returns is the exit status. Exactly once in a unikernel.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[expect(unsafe_code, reason = "the linker script looks for these names")]
        const _: () = {
            #[used]
            #[unsafe(link_section = ".interp")]
            static INTERPRETER: [u8; $crate::note::INTERPRETER.len()] = *$crate::note::INTERPRETER;

            #[used]
            #[unsafe(link_section = ".note.solo5.abi")]
            static ABI: $crate::note::Abi = $crate::note::Abi::new($crate::TARGET_NUMBER);

            #[used]
            #[unsafe(link_section = ".note.solo5.manifest")]
            static MANIFEST: $crate::note::Manifest = $crate::note::Manifest::without_devices();

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
