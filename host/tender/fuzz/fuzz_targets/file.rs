//! Bytes as a unikernel's file.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod claims;

fuzz_target!(|bytes: &[u8]| claims::assert_refused_or_sound(bytes));
