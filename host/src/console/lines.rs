//! Bytes to lines that can be shown to a person.
//!
//! Owns what a line may hold: a unikernel writes what it likes, but no escape sequence of it reaches a terminal. Pure; keeps the
//! line that has not ended yet.

use std::borrow::Cow;

/// The longest line, in bytes; a longer one is cut into several. It is more than a terminal is wide, and bounds a console's
/// memory.
pub(super) const LINE_BYTES_MAX: usize = 512;

/// Cuts what a unikernel writes into lines.
#[derive(Debug, Default)]
pub(crate) struct LineCutter {
    /// What follows the last end of a line; fewer than [`LINE_BYTES_MAX`] bytes between calls.
    rest: Vec<u8>,
}

impl LineCutter {
    /// Takes the next bytes, and gives each line that they end.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(String)) {
        for &byte in bytes {
            if byte == b'\n' {
                shown(&std::mem::take(&mut self.rest)).map(&mut line);
                continue;
            }
            self.rest.push(byte);
            if self.rest.len() == LINE_BYTES_MAX {
                let next = self.rest.split_off(whole_characters(&self.rest));
                shown(&std::mem::replace(&mut self.rest, next)).map(&mut line);
            }
        }
    }

    /// The line that was begun, when no more bytes can come.
    pub(crate) fn finish(&mut self) -> Option<String> {
        shown(&std::mem::take(&mut self.rest))
    }
}

/// How many of the bytes are before a character whose end is missing.
fn whole_characters(bytes: &[u8]) -> usize {
    match str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// The line as it can be shown; `None` where it is empty.
fn shown(line: &[u8]) -> Option<String> {
    let end = line.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
    let line = &line[..end];
    if line.is_empty() {
        return None;
    }
    let visible = |c: char| {
        if c.is_control() && c != '\t' {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let text: Cow<'_, str> = String::from_utf8_lossy(line);
    let mut text: String = text.chars().map(visible).collect();
    // A byte that is replaced becomes three.
    text.truncate(text.floor_char_boundary(LINE_BYTES_MAX));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of these pieces, the last one finished.
    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut cutter = LineCutter::default();
        let mut lines = Vec::new();
        for piece in pieces {
            cutter.feed(piece, |line| lines.push(line));
        }
        lines.extend(cutter.finish());
        lines
    }

    #[test]
    fn lines_end_where_the_unikernel_ends_them() {
        assert_eq!(lines(&[b"one\ntw", b"o\r\nthr", b"ee"]), ["one", "two", "three"]);
        assert_eq!(lines(&[b"\n\r\n\r\r\n"]), [""; 0]);
    }

    #[test]
    fn long_lines_are_cut_into_several() {
        let long = [b'x'; 2 * LINE_BYTES_MAX + 1];
        let lengths: Vec<_> = lines(&[&long, b"\n"]).iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_BYTES_MAX, LINE_BYTES_MAX, 1]);
        // Exactly one line long: the end of the line makes no empty one.
        assert_eq!(lines(&[&long[..LINE_BYTES_MAX], b"\n"]).len(), 1);
    }

    #[test]
    fn a_cut_goes_through_no_character() {
        let long = format!("x{}", "ü".repeat(LINE_BYTES_MAX / 2));
        let cut = lines(&[long.as_bytes()]);
        assert_eq!(cut.concat(), long);
        assert_eq!(cut.iter().map(String::len).collect::<Vec<_>>(), [511, 2]);
    }

    #[test]
    fn no_escape_sequence_reaches_a_terminal() {
        assert_eq!(
            lines(&[b"\x1b[2Ja\tb\x07\x7fc\rd"]),
            ["\u{fffd}[2Ja\tb\u{fffd}\u{fffd}c\u{fffd}d"]
        );
        // The same in one byte (C1), as UTF-8 and not.
        assert_eq!(lines(&["\u{9b}2J".as_bytes()]), ["\u{fffd}2J"]);
        assert_eq!(lines(&[b"\x9b2J"]), ["\u{fffd}2J"]);
    }

    #[test]
    fn what_is_no_utf_8_does_not_make_a_line_longer() {
        let noise = [0xff; LINE_BYTES_MAX];
        let cut = lines(&[&noise]);
        assert_eq!(cut, ["\u{fffd}".repeat(LINE_BYTES_MAX / 3)]);
    }
}
