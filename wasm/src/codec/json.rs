//! JSON as text (RFC 8259): what a string and a number say, and where lists and objects go on.
//!
//! Knows no message: which value is expected where is said in `reader`. What cannot be a value is refused where it stands; nothing is
//! skipped or kept, so that the depth and the size of a text cost nothing beyond what its message holds.

use std::borrow::Cow;

use super::CodecError;
use super::input::Input;

/// Of a number, what an error shows.
const SHOWN_MAX: usize = 40;

/// The first byte after blanks, unread.
pub(super) fn next(input: &mut Input<'_>) -> Option<u8> {
    while matches!(input.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        input.advance(1);
    }
    input.peek()
}

/// Takes a byte as read that must come next.
pub(super) fn expect(input: &mut Input<'_>, byte: u8) -> Result<(), CodecError> {
    next(input);
    if input.take(byte) {
        Ok(())
    } else {
        let expected = format!("`{}`", char::from(byte));
        Err(unexpected(input, &expected))
    }
}

/// Whether `null` comes next; then it is read.
pub(super) fn null(input: &mut Input<'_>) -> bool {
    next(input);
    let is_null = input.rest().starts_with(b"null");
    if is_null {
        input.advance(4);
    }
    is_null
}

/// Whether there is more in a list or an object, of which the opening bracket is read.
pub(super) fn more(input: &mut Input<'_>, close: u8, is_first: &mut bool) -> Result<bool, CodecError> {
    next(input);
    let was_first = std::mem::replace(is_first, false);
    if input.take(close) {
        Ok(false)
    } else if was_first || input.take(b',') {
        Ok(true)
    } else {
        Err(unexpected(input, &format!("`,` or `{}`", char::from(close))))
    }
}

/// The name of the next field of an object, and where it stands.
pub(super) fn next_field<'de>(
    input: &mut Input<'de>,
    is_first: &mut bool,
) -> Result<Option<(usize, Cow<'de, str>)>, CodecError> {
    if !more(input, b'}', is_first)? {
        return Ok(None);
    }
    next(input);
    let start = input.at();
    let name = string(input)?;
    expect(input, b':')?;
    Ok(Some((start, name)))
}

/// Reads a string. Half of a surrogate pair is U+FFFD, as everywhere where JavaScript's texts become UTF-8.
pub(super) fn string<'de>(input: &mut Input<'de>) -> Result<Cow<'de, str>, CodecError> {
    next(input);
    if !input.take(b'"') {
        return Err(unexpected(input, "a string"));
    }
    let plain = run(input)?;
    if input.take(b'"') {
        return Ok(Cow::Borrowed(plain));
    }
    let mut text = plain.to_owned();
    while !input.take(b'"') {
        if input.take(b'\\') {
            text.push(escaped(input)?);
        } else {
            text.push_str(run(input)?);
        }
    }
    Ok(Cow::Owned(text))
}

/// Everything up to a `"` or a `\`.
fn run<'de>(input: &mut Input<'de>) -> Result<&'de str, CodecError> {
    let rest = input.rest();
    let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20));
    let run = &rest[..end.unwrap_or(rest.len())];
    match std::str::from_utf8(run) {
        Err(error) => {
            input.advance(error.valid_up_to());
            Err(input.error("a string is not UTF-8"))
        }
        Ok(text) => {
            input.advance(run.len());
            match input.peek() {
                None => Err(early(input)),
                Some(..0x20) => Err(input.error("a control character in a string must be escaped")),
                Some(_) => Ok(text),
            }
        }
    }
}

/// What stands behind a `\`.
fn escaped(input: &mut Input<'_>) -> Result<char, CodecError> {
    let Some(kind) = input.peek() else {
        return Err(early(input));
    };
    let meant = match kind {
        b'"' | b'\\' | b'/' => char::from(kind),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            input.advance(1);
            return code_point(input);
        }
        _ => return Err(input.error("no escape that JSON has")),
    };
    input.advance(1);
    Ok(meant)
}

/// Reads `0041`, or `d83d\udc1f`.
fn code_point(input: &mut Input<'_>) -> Result<char, CodecError> {
    let unit = code_unit(input)?;
    if let 0xd800..0xdc00 = unit
        && let Some(low) = input.rest().strip_prefix(b"\\u").and_then(hexadecimal)
        && let 0xdc00..0xe000 = low
    {
        input.advance(6);
        let pair = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        return Ok(char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
}

fn code_unit(input: &mut Input<'_>) -> Result<u32, CodecError> {
    let Some(unit) = hexadecimal(input.rest()) else {
        return Err(input.error("`\\u` needs four hexadecimal digits"));
    };
    input.advance(4);
    Ok(unit)
}

fn hexadecimal(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.first_chunk::<4>()?;
    digits
        .iter()
        .try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

/// Reads a number for what it is worth, however it is written: `1.0` and `10e-1` are 1. So it is in JavaScript, where nobody can
/// tell them apart, and in JSON Schema.
pub(super) fn natural(input: &mut Input<'_>) -> Result<u64, CodecError> {
    const EXPECTED: &str = "a whole number of at least 0";
    if !matches!(next(input), Some(b'-' | b'0'..=b'9')) {
        return Err(unexpected(input, EXPECTED));
    }
    let start = input.at();
    let number = Number::read(input)?;
    match number.worth() {
        Worth::Natural(worth) => Ok(worth),
        Worth::TooLarge => Err(CodecError::new(format!("the number {} is too large", number.shown())).at(start)),
        Worth::Other => Err(CodecError::new(format!("expected {EXPECTED}, found {}", number.shown())).at(start)),
    }
}

/// A number as it is written.
struct Number<'de> {
    text: &'de [u8],
    whole: &'de [u8],
    fraction: &'de [u8],
    exponent: i64,
}

enum Worth {
    Natural(u64),
    TooLarge,
    Other,
}

impl<'de> Number<'de> {
    fn read(input: &mut Input<'de>) -> Result<Self, CodecError> {
        let text = input.rest();
        input.take(b'-');
        let starts_with_0 = input.peek() == Some(b'0');
        let whole = digits(input)?;
        if starts_with_0 && whole.len() > 1 {
            return Err(input.error("a number does not begin with 0"));
        }
        let fraction = if input.take(b'.') { digits(input)? } else { &[] };
        let mut exponent = 0;
        if input.take(b'e') || input.take(b'E') {
            let is_negative = input.take(b'-');
            if !is_negative {
                input.take(b'+');
            }
            // Saturated it is still as absurd.
            let magnitude = digits(input)?.iter().fold(0_i64, |sum, digit| {
                sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
            });
            exponent = if is_negative { -magnitude } else { magnitude };
        }
        let length = text.len() - input.rest().len();
        Ok(Self {
            text: &text[..length],
            whole,
            fraction,
            exponent,
        })
    }

    fn worth(&self) -> Worth {
        if self.whole.len() == self.text.len() && self.whole.len() < 20 {
            return Worth::Natural(
                self.whole
                    .iter()
                    .fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')),
            );
        }
        self.worth_of_odd()
    }

    fn worth_of_odd(&self) -> Worth {
        let digits = || {
            self.whole
                .iter()
                .chain(self.fraction)
                .map(|digit| u64::from(digit - b'0'))
        };
        // How many there are up to the last one that is not 0.
        let significant = (1..)
            .zip(digits())
            .filter(|(_, digit)| *digit != 0)
            .map(|(count, _)| count)
            .last();
        let Some(significant) = significant else {
            return Worth::Natural(0);
        };
        let before_point = i64::try_from(self.whole.len())
            .unwrap_or(i64::MAX)
            .saturating_add(self.exponent);
        let zeros = before_point.saturating_sub(significant);
        if self.text.first() == Some(&b'-') || zeros < 0 {
            return Worth::Other;
        }
        let zeros = usize::try_from(zeros).unwrap_or(usize::MAX).min(20);
        let worth = digits()
            .take(usize::try_from(significant).unwrap_or(usize::MAX))
            .chain(std::iter::repeat_n(0, zeros))
            .try_fold(0_u64, |sum, digit| sum.checked_mul(10)?.checked_add(digit));
        worth.map_or(Worth::TooLarge, Worth::Natural)
    }

    /// As it is written, or its beginning.
    fn shown(&self) -> String {
        let shown = self.text.get(..SHOWN_MAX).unwrap_or(self.text);
        let more = if shown.len() < self.text.len() { "…" } else { "" };
        format!("`{}{more}`", String::from_utf8_lossy(shown))
    }
}

fn digits<'de>(input: &mut Input<'de>) -> Result<&'de [u8], CodecError> {
    let rest = input.rest();
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    input.advance(length);
    if length == 0 {
        return Err(unexpected(input, "a digit"));
    }
    Ok(&rest[..length])
}

/// What comes next is not what was expected.
#[cold]
pub(super) fn unexpected(input: &mut Input<'_>, expected: &str) -> CodecError {
    let found = match next(input) {
        None => return early(input),
        Some(b'{') => "an object".to_owned(),
        Some(b'[') => "an array".to_owned(),
        Some(b'"') => "a string".to_owned(),
        Some(_) => {
            let word = input.rest();
            let end = word
                .iter()
                .position(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'+'));
            let word = &word[..end.unwrap_or(word.len()).clamp(1, SHOWN_MAX)];
            format!("`{}`", String::from_utf8_lossy(word))
        }
    };
    input.error(format!("expected {expected}, found {found}"))
}

fn early(input: &Input<'_>) -> CodecError {
    input.error("the text ends too early")
}

/// Writes a text as a string of JSON.
pub fn write_string(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..0x20)) {
        bytes.extend_from_slice(&rest[..end]);
        write_escaped(rest[end], bytes);
        rest = &rest[end + 1..];
    }
    bytes.extend_from_slice(rest);
    bytes.push(b'"');
}

fn write_escaped(byte: u8, bytes: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        ..0x20 => {
            bytes.extend_from_slice(b"\\u00");
            bytes.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
            return;
        }
        _ => byte,
    };
    bytes.extend([b'\\', short]);
}

/// Writes a number.
pub(super) fn write_natural(mut number: u64, bytes: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    while start == digits.len() || number > 0 {
        start -= 1;
        digits[start] += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    bytes.extend_from_slice(&digits[start..]);
}
