//! Lines on the unikernel's console.
//!
//! A line goes out in one piece, so that what several writers print does not mix. What the console does not take is
//! lost: a unikernel must not stop because nobody reads what it says.

use core::fmt::{self, Write};

use crate::target::write;

/// Longer lines are cut. As much as a pipe takes in one piece (`PIPE_BUF`).
const LINE_BYTES_MAX: usize = 4096;

/// A line in the making, without its end.
struct Line {
    bytes: [u8; LINE_BYTES_MAX],
    length: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = LINE_BYTES_MAX - 1 - self.length; // one byte is for the line's end
        let taken = text.len().min(room);
        self.bytes[self.length..self.length + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length += taken;
        Ok(())
    }
}

/// Prints one line; [`println!`](crate::println) is the way to call it.
pub fn print_line(text: fmt::Arguments<'_>) {
    let mut line = Line {
        bytes: [0; LINE_BYTES_MAX],
        length: 0,
    };
    // A value that fails to print itself leaves a shorter line.
    let _ = line.write_fmt(text);
    line.bytes[line.length] = b'\n';
    write(&line.bytes[..=line.length]);
}

/// Prints one line on the console, formatted like the standard library's macro of this name.
#[macro_export]
macro_rules! println {
    ($($text:tt)*) => { $crate::print_line(::core::format_args!($($text)*)) };
}
