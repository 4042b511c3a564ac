//! The two encodings of the message protocol.
//!
//! Owns how messages become bytes. Both encodings are read and written by one reader and one writer of its own, since each that serde is
//! given is compiled into every type of the protocol: with serde_json beside bincode `policy.wasm` was half as large again.

mod bincode;
mod error;
mod input;
mod json;
mod reader;
mod writer;

pub use error::CodecError;
pub use json::write_string as write_json_string;

use reader::Reader;
use serde::Serialize;
use serde::de::DeserializeOwned;
use writer::Writer;

/// The longest message in bytes. In bincode it holds a snapshot of more than a million unikernels.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How a message is written as bytes. The numbers are part of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Encoding {
    /// bincode 2, standard configuration: little-endian, integers of variable length.
    Bincode = 0,
    /// JSON as UTF-8, without blanks.
    Json = 1,
}

impl Encoding {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Bincode, Self::Json];

    /// The encoding of that number.
    #[must_use]
    pub fn of_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.number() == number)
    }

    /// Its number in the ABI.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Bincode => 0,
            Self::Json => 1,
        }
    }
}

/// Reads a message.
///
/// # Errors
/// [`CodecError`] where the bytes are no such message: too long, ended too early, with bytes behind it, or with a value that the
/// type refuses.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], encoding: Encoding) -> Result<T, CodecError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        let message = format!("the message is {} bytes long: at most {MESSAGE_BYTES_MAX}", bytes.len());
        return Err(CodecError::new(message));
    }
    let mut reader = Reader::new(bytes, encoding);
    let read = T::deserialize(&mut reader).and_then(|message| reader.end().map(|()| message));
    read.map_err(|error| match encoding {
        Encoding::Bincode => error,
        Encoding::Json => error.in_text(bytes),
    })
}

/// Writes a message.
///
/// # Panics
/// Never for the messages of the protocol: they consist of what the codec knows.
#[must_use]
pub fn encode<T: Serialize>(message: &T, encoding: Encoding) -> Vec<u8> {
    let mut writer = Writer::new(encoding);
    message.serialize(&mut writer).expect("messages can be encoded");
    writer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fulmar_core::protocol::{Request, Response};
    use fulmar_core::{Amount, CpuId, Name, Path, Unikernel};

    fn request() -> Request {
        let name: Name = "alice:web".parse().unwrap();
        let cpus = [CpuId::new(3).unwrap()].into_iter().collect();
        Request::InsertUnikernel {
            name,
            unikernel: Unikernel::new(32.into(), cpus).unwrap(),
        }
    }

    #[test]
    fn messages_survive_both_encodings() {
        for encoding in Encoding::ALL {
            assert_eq!(decode(&encode(&request(), encoding), encoding), Ok(request()));
            assert_eq!(Encoding::of_number(encoding.number()), Some(encoding));
        }
        assert_eq!(Encoding::of_number(2), None);
    }

    #[test]
    fn every_proper_prefix_is_refused() {
        for encoding in Encoding::ALL {
            let bytes = encode(&request(), encoding);
            for end in 0..bytes.len() {
                assert!(
                    decode::<Request>(&bytes[..end], encoding).is_err(),
                    "{encoding:?} {end}"
                );
            }
        }
    }

    #[test]
    fn trailing_bytes_are_refused() {
        for (encoding, sentence) in [
            (Encoding::Bincode, "1 bytes follow the message"),
            (Encoding::Json, "more follows the message at line 1 column "),
        ] {
            let mut bytes = encode(&request(), encoding);
            bytes.push(b'x');
            let error = decode::<Request>(&bytes, encoding).unwrap_err().to_string();
            assert!(error.starts_with(sentence), "{error}");
        }
    }

    #[test]
    fn a_length_that_lies_is_refused() {
        // `load` (variant 13) with 2^63 facts.
        let bytes = [13, 253, 0, 0, 0, 0, 0, 0, 0, 0x80];
        check(
            &bytes,
            Encoding::Bincode,
            "a list of 9223372036854775808 elements cannot be in 0 bytes",
        );
        // `find_policy` (variant 11) of a name of 2^62 bytes.
        let bytes = [11, 253, 0, 0, 0, 0, 0, 0, 0, 0x40];
        check(&bytes, Encoding::Bincode, "the message ends too early");
    }

    #[test]
    fn a_number_as_a_key_has_one_form() {
        let usage = |cpu: &str| {
            let counts = r#""unikernels":1,"memory_mib":1,"block_mib":0,"bridges":{}"#;
            let json = format!(r#"{{{counts},"cpuids":{{"{cpu}":1}}}}"#);
            decode::<fulmar_core::Usage>(json.as_bytes(), Encoding::Json)
        };
        assert_eq!(usage("10").unwrap().cpuids[&CpuId::new(10).unwrap()], 1);
        for cpu in [
            "",
            "x",
            "1x",
            " 1",
            "1 ",
            "01",
            "+1",
            "-0",
            "1.0",
            "1e0",
            "18446744073709551616",
        ] {
            assert_eq!(
                usage(cpu).unwrap_err().to_string(),
                "a key that is a number is written in plain digits at line 1 column 69",
                "`{cpu}`"
            );
        }
    }

    fn check(bytes: &[u8], encoding: Encoding, sentence: &str) {
        let error = decode::<Request>(bytes, encoding).unwrap_err().to_string();
        assert_eq!(error, sentence, "{}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn what_is_no_message_is_said_with_its_place() {
        let memory = |mib: &str| {
            format!(r#"{{"insert_unikernel":{{"name":"a","unikernel":{{"memory_mib":{mib},"cpuids":[0]}}}}}}"#)
        };
        let long = format!("1{}", "0".repeat(60));
        let too_large = format!("the number `1{}…` is too large at line 1 column 59", "0".repeat(39));
        for (json, sentence) in [
            (
                r#"{"find_policy":{"domain":"a::b"}}"#,
                "a label is empty: write `a:b`, not `a::b` at line 1 column 26",
            ),
            (
                &*memory("0"),
                "a unikernel needs memory: at least 1 MiB at line 1 column 45",
            ),
            (
                &*memory("-1"),
                "expected a whole number of at least 0, found `-1` at line 1 column 59",
            ),
            (
                &*memory("1.5"),
                "expected a whole number of at least 0, found `1.5` at line 1 column 59",
            ),
            (
                &*memory("1e-1"),
                "expected a whole number of at least 0, found `1e-1` at line 1 column 59",
            ),
            (&*memory("01"), "a number does not begin with 0 at line 1 column 61"),
            (&*memory("1."), "expected a digit, found `,` at line 1 column 61"),
            (
                &*memory("+1"),
                "expected a whole number of at least 0, found `+1` at line 1 column 59",
            ),
            (
                &*memory("\"1\""),
                "expected a whole number of at least 0, found a string at line 1 column 59",
            ),
            (
                &*memory("null"),
                "expected a whole number of at least 0, found `null` at line 1 column 59",
            ),
            (
                &*memory("9007199254740992"),
                "the amount 9007199254740992 is too large: at most 9007199254740991 at line 1 column 59",
            ),
            (
                &*memory("18446744073709551616"),
                "the number `18446744073709551616` is too large at line 1 column 59",
            ),
            (
                &*memory("1e999999999999999999999"),
                "the number `1e999999999999999999999` is too large at line 1 column 59",
            ),
            (&*memory(&long), &*too_large),
            (
                r#"{"find_policy":{"domain":"a","more":1}}"#,
                "unknown field `more`; known: `domain` at line 1 column 30",
            ),
            (
                r#"{"find_policy":{"domain":"a","domain":"b"}}"#,
                "the field `domain` is there twice at line 1 column 16",
            ),
            (
                r#"{"find_policy":{}}"#,
                "the field `domain` is missing at line 1 column 16",
            ),
            (
                r#"{"audit":{"more":1}}"#,
                "unknown field `more`; there is none here at line 1 column 11",
            ),
            (
                r#"{"find_policy":{"domain":["a"]}}"#,
                "expected a string, found an array at line 1 column 26",
            ),
            (
                "{\n \"find_policy\" : {\r\n\"domain\" : \"green\" x}}",
                "expected `,` or `}`, found `x` at line 3 column 20",
            ),
            (
                r#"{"find_policy":{"domain":"a",}}"#,
                "expected a string, found `}` at line 1 column 30",
            ),
            (
                r#"{"find_policy":{"domain":"\x"}}"#,
                "no escape that JSON has at line 1 column 28",
            ),
            (
                r#"{"find_policy":{"domain":"\u00g0"}}"#,
                "`\\u` needs four hexadecimal digits at line 1 column 29",
            ),
            (
                "{\"find_policy\":{\"domain\":\"\t\"}}",
                "a control character in a string must be escaped at line 1 column 27",
            ),
            (
                r#"{"destroy":{}}"#,
                "unknown kind `destroy`; known: `check_unikernel`, ",
            ),
            ("3", "expected one kind of `check_unikernel`, "),
            (
                "{}",
                "expected an object with exactly one field, its kind at line 1 column 1",
            ),
            (
                r#"{"audit":{},"snapshot":{}}"#,
                "expected an object with exactly one field, its kind at line 1 column 12",
            ),
            (
                r#""audit""#,
                "this kind has fields: expected an object, `{\"kind\": {…}}` at line 1 column 1",
            ),
            (
                r#"{"plan":{"steps":[],"after_refusal":{"stop":null},"look_at":":"}}"#,
                "this kind has no fields: expected a string at line 1 column 37",
            ),
            (r#"{"audit":{}"#, "the text ends too early at line 1 column 12"),
            ("", "the text ends too early at line 1 column 1"),
            ("[[[[", "expected one kind of `check_unikernel`, "),
        ] {
            let error = decode::<Request>(json.as_bytes(), Encoding::Json)
                .unwrap_err()
                .to_string();
            let is_said = if sentence.ends_with(", ") {
                error.starts_with(sentence)
            } else {
                error == sentence
            };
            assert!(is_said, "{json}\n{error}\n{sentence}");
        }
        check(
            b"{\"audit\":{\"\xff",
            Encoding::Json,
            "a string is not UTF-8 at line 1 column 12",
        );
        // The same in bincode: `find_policy` (variant 11) of "a::b", the options of a policy, and what is no request.
        check(
            b"\x0b\x04a::b",
            Encoding::Bincode,
            "a label is empty: write `a:b`, not `a::b`",
        );
        check(b"\x0b\x01\xff", Encoding::Bincode, "a text is not UTF-8");
        check(
            b"\x06\x01a\x01\x01\x02",
            Encoding::Bincode,
            "an option begins with 2: it can be 0 or 1",
        );
        check(b"\x16", Encoding::Bincode, "there is no kind 22");
        check(b"\xfd", Encoding::Bincode, "a number is longer than its type");
    }

    #[test]
    fn a_number_is_what_it_is_worth_and_a_text_what_it_says() {
        let expected = decode::<Request>(br#"{"check_block":{"name":"a:d","size_mib":1000}}"#, Encoding::Json).unwrap();
        for number in [
            "1000.0",
            "1e3",
            "1E+3",
            "0.1e4",
            "10000000e-4",
            "1000.000e0",
            "1000e0000",
        ] {
            let json = format!(r#"{{"check_block":{{"size_mib":{number},"name":"\u0061\u003a\u0064"}}}}"#);
            assert_eq!(
                decode(json.as_bytes(), Encoding::Json).as_ref(),
                Ok(&expected),
                "{json}"
            );
        }
        for number in ["0", "-0", "0.0", "0e9", "-0.0e-1"] {
            let json = format!(r#"{{"find_policy":{{"domain":"a"}},"usage":{number}}}"#);
            let zero: Amount = decode(number.as_bytes(), Encoding::Json).unwrap();
            assert_eq!(zero, Amount::ZERO, "{json}");
        }
        for (string, said) in [
            (r#""\"\\\/\b\f\n\r\t\u0000é\ud83d\udc1f""#, "\"\\/\u{8}\u{c}\n\r\t\0é🐟"),
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\udc1fx""#, "\u{fffd}x"),
            (r#""\ud83d\ud83d\udc1f""#, "\u{fffd}🐟"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(
                decode::<String>(string.as_bytes(), Encoding::Json).as_deref(),
                Ok(said),
                "{string}"
            );
        }
    }

    /// What is written is what serde_json would write, and what is read what it would read.
    #[test]
    fn json_is_that_of_serde_json() {
        let message = (0..0x20)
            .map(char::from_u32)
            .map(Option::unwrap)
            .chain("\"\\/\u{7f}é🐟\u{fffd}".chars());
        let message = Response::Malformed {
            message: message.collect(),
        };
        assert_eq!(encode(&message, Encoding::Json), serde_json::to_vec(&message).unwrap());
        assert_eq!(
            encode(&request(), Encoding::Json),
            serde_json::to_vec(&request()).unwrap()
        );
        let mut tree = fulmar_core::Tree::new();
        fulmar_core::protocol::answer(&mut tree, request());
        let name = Path::root();
        for request in [
            Request::Walk { domain: name.clone() },
            Request::Usage { domain: name },
            Request::Snapshot {},
        ] {
            let answer = fulmar_core::protocol::answer(&mut tree, request);
            let json = serde_json::to_vec(&answer).unwrap();
            assert_eq!(encode(&answer, Encoding::Json), json);
            for encoding in Encoding::ALL {
                assert_eq!(decode(&encode(&answer, encoding), encoding).as_ref(), Ok(&answer));
            }
        }
        for number in [0, 9, 10, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(encode(&number, Encoding::Json), number.to_string().into_bytes());
        }
    }
}
