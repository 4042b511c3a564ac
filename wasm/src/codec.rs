//! The two encodings of the message protocol.
//!
//! Owns how messages become bytes, and is the only file that knows bincode: that crate is no longer maintained
//! (RUSTSEC-2025-0141), so everything that it decodes is bounded here, and it can be replaced here.

use core::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

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

/// Bytes that are no message: which rule they break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecError {
    message: String,
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CodecError {}

/// Counts what bincode allocates while decoding, too, so that a length that lies is refused before it costs memory.
fn bincode_config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<MESSAGE_BYTES_MAX>()
}

/// Reads a message.
///
/// # Errors
/// [`CodecError`] where the bytes are no such message: too long, ended too early, with bytes behind it, or with a value that the
/// type refuses.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], encoding: Encoding) -> Result<T, CodecError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        let message = format!("the message is {} bytes long: at most {MESSAGE_BYTES_MAX}", bytes.len());
        return Err(CodecError { message });
    }
    match encoding {
        Encoding::Bincode => decode_bincode(bytes),
        Encoding::Json => serde_json::from_slice(bytes).map_err(|error| CodecError {
            message: error.to_string(),
        }),
    }
}

fn decode_bincode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, read) = bincode::serde::decode_from_slice(bytes, bincode_config()).map_err(|error| CodecError {
        message: bincode_sentence(&error),
    })?;
    if read < bytes.len() {
        return Err(CodecError {
            message: format!("{} bytes follow the message", bytes.len() - read),
        });
    }
    Ok(value)
}

fn bincode_sentence(error: &bincode::error::DecodeError) -> String {
    match error {
        // What the types of `core` say about a value that they refuse.
        bincode::error::DecodeError::OtherString(sentence) => sentence.clone(),
        other => format!("no bincode message: {other}"),
    }
}

/// Writes a message.
///
/// # Panics
/// Never for the messages of the protocol: their maps have strings or numbers as keys, and memory is the only writer.
#[must_use]
pub fn encode<T: Serialize>(message: &T, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Bincode => bincode::serde::encode_to_vec(message, bincode_config()).expect("messages can be encoded"),
        Encoding::Json => serde_json::to_vec(message).expect("messages can be encoded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fulmar_core::protocol::Request;
    use fulmar_core::{CpuId, Name, Unikernel};

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
            (Encoding::Json, "trailing characters at line 1"),
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
        assert!(decode::<Request>(&bytes, Encoding::Bincode).is_err());
    }

    #[test]
    fn what_the_types_refuse_is_said_in_their_words() {
        for (json, sentence) in [
            (
                r#"{"find_policy":{"domain":"a::b"}}"#,
                "a label is empty: write `a:b`, not `a::b`",
            ),
            (
                r#"{"insert_unikernel":{"name":"a","unikernel":{"memory_mib":0,"cpuids":[0]}}}"#,
                "a unikernel needs memory: at least 1 MiB",
            ),
            (
                r#"{"insert_unikernel":{"name":"a","unikernel":{"memory_mib":9007199254740992,"cpuids":[0]}}}"#,
                "the amount 9007199254740992 is too large: at most 9007199254740991",
            ),
            (
                r#"{"find_policy":{"domain":"a","more":1}}"#,
                "unknown field `more`, expected `domain`",
            ),
            (
                r#"{"destroy":{}}"#,
                "unknown variant `destroy`, expected one of `check_unikernel`",
            ),
            (
                r#"{"insert_block":{"name":"a","size_mib":-1}}"#,
                "invalid value: integer `-1`, expected u64",
            ),
        ] {
            let error = decode::<Request>(json.as_bytes(), Encoding::Json)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(sentence), "{error}");
        }
        // The same in bincode: `find_policy` (variant 11) of "a::b".
        let error = decode::<Request>(b"\x0b\x04a::b", Encoding::Bincode)
            .unwrap_err()
            .to_string();
        assert_eq!(error, "a label is empty: write `a:b`, not `a::b`");
    }
}
