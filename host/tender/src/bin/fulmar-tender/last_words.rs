//! What the tender says on standard error, each time one line in one write.

use std::fmt::Display;
use std::io::{Write, stderr};

const NAME: &str = "fulmar-tender";

/// Far more than any message has that is made of numbers and fixed words.
const SHORT_BYTES_MAX: usize = 512;

/// Says something of any length, such as with a path in it.
pub(crate) fn say(message: &impl Display) {
    write(format!("{NAME}: {message}\n").as_bytes());
}

/// Says something short, without allocating: behind a filter there is no more memory to be had. What is too long is cut off.
pub(crate) fn say_short(message: &impl Display) {
    let mut line = [0; SHORT_BYTES_MAX];
    let bytes = print(&mut line, message);
    write(&line[..bytes]);
}

fn print(line: &mut [u8; SHORT_BYTES_MAX], message: &impl Display) -> usize {
    let (text, _) = line.split_at_mut(SHORT_BYTES_MAX - 1);
    let mut rest = &mut *text;
    // It only fails where there is no more room.
    let _ = write!(rest, "{NAME}: {message}");
    let bytes = SHORT_BYTES_MAX - 1 - rest.len();
    line[bytes] = b'\n';
    bytes + 1
}

fn write(line: &[u8]) {
    // Where standard error is gone, the status still tells.
    let _ = stderr().write_all(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_ends_with_a_newline_even_where_it_is_cut() {
        let mut line = [0; SHORT_BYTES_MAX];
        let bytes = print(&mut line, &"hypercall 9");
        assert_eq!(line[..bytes], *b"fulmar-tender: hypercall 9\n");
        assert_eq!(print(&mut line, &"x".repeat(1000)), SHORT_BYTES_MAX);
        assert_eq!(line[SHORT_BYTES_MAX - 2..], *b"x\n");
    }
}
