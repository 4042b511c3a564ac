//! Reads messages out of either encoding.
//!
//! One reader for both, which looks at each value which encoding it is in: serde compiles every message's type once for each
//! reader, and that is most of what a codec weighs. For the same reason it takes only what messages consist of (natural numbers, texts,
//! options, lists, maps, structs and enums), tells a type the position of a field instead of its name, and gives a struct its fields as a
//! map in bincode, too.

use std::borrow::Cow;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::input::Input;
use super::{CodecError, Encoding, bincode, json};

pub(super) struct Reader<'de> {
    input: Input<'de>,
    encoding: Encoding,
    /// JSON has numbers as keys of maps, too, but in quotes.
    is_at_key: bool,
}

impl<'de> Reader<'de> {
    pub(super) fn new(bytes: &'de [u8], encoding: Encoding) -> Self {
        Self {
            input: Input::new(bytes),
            encoding,
            is_at_key: false,
        }
    }

    /// Nothing may follow a message.
    pub(super) fn end(mut self) -> Result<(), CodecError> {
        match self.encoding {
            Encoding::Bincode if self.input.rest().is_empty() => Ok(()),
            Encoding::Bincode => Err(CodecError::new(format!(
                "{} bytes follow the message",
                self.input.rest().len()
            ))),
            Encoding::Json if json::next(&mut self.input).is_none() => Ok(()),
            Encoding::Json => Err(self.input.error("more follows the message")),
        }
    }

    fn natural(&mut self) -> Result<u64, CodecError> {
        match self.encoding {
            Encoding::Bincode => bincode::natural(&mut self.input),
            Encoding::Json if self.is_at_key => {
                let key = json::string(&mut self.input)?;
                // A key has one form: else two keys could be one number.
                let number = key.parse().ok().filter(|number: &u64| number.to_string() == *key);
                number.ok_or_else(|| CodecError::new("a key that is a number is written in plain digits".to_owned()))
            }
            Encoding::Json => json::natural(&mut self.input),
        }
    }

    /// bincode writes numbers of different lengths differently.
    fn small(&mut self) -> Result<u32, CodecError> {
        match self.encoding {
            Encoding::Bincode => bincode::small(&mut self.input),
            Encoding::Json => {
                let number = self.natural()?;
                u32::try_from(number).map_err(|_| CodecError::new(format!("the number `{number}` is too large")))
            }
        }
    }

    fn text(&mut self) -> Result<Cow<'de, str>, CodecError> {
        match self.encoding {
            Encoding::Bincode => bincode::text(&mut self.input).map(Cow::Borrowed),
            Encoding::Json => json::string(&mut self.input),
        }
    }

    fn is_some(&mut self) -> Result<bool, CodecError> {
        match self.encoding {
            Encoding::Bincode => bincode::is_some(&mut self.input),
            Encoding::Json => Ok(!json::null(&mut self.input)),
        }
    }

    /// Begins a list or a map: how many elements it has where that is said.
    fn begin(&mut self, open: u8) -> Result<Option<usize>, CodecError> {
        match self.encoding {
            Encoding::Bincode => bincode::length(&mut self.input).map(Some),
            Encoding::Json if json::next(&mut self.input) == Some(open) => {
                self.input.advance(1);
                Ok(None)
            }
            Encoding::Json => {
                let expected = if open == b'[' { "an array" } else { "an object" };
                Err(json::unexpected(&mut self.input, expected))
            }
        }
    }

    /// Begins a struct.
    fn fields(&mut self, names: &'static [&'static str]) -> Result<Fields<'_, 'de>, CodecError> {
        if self.encoding == Encoding::Json {
            self.begin(b'{')?;
        }
        Ok(Fields {
            reader: self,
            names,
            next: 0,
            is_first: true,
        })
    }

    /// Begins an enum: the position of the kind, and whether something belongs to it.
    fn kind(&mut self, kinds: &'static [&'static str]) -> Result<(usize, bool), CodecError> {
        let (known, input) = ("kind", &mut self.input);
        if self.encoding == Encoding::Bincode {
            let kind = bincode::small(input)?;
            return match usize::try_from(kind) {
                Ok(kind) if kind < kinds.len() => Ok((kind, true)),
                _ => Err(CodecError::new(format!("there is no kind {kind}"))),
            };
        }
        match json::next(input) {
            Some(b'"') => {
                let start = input.at();
                let kind = json::string(input)?;
                Ok((position(known, &kind, kinds).map_err(|error| error.at(start))?, false))
            }
            Some(b'{') => {
                input.advance(1);
                let kind = json::next_field(input, &mut true)?;
                let (start, kind) = kind.ok_or_else(|| CodecError::new(ONE_KIND.to_owned()))?;
                Ok((position(known, &kind, kinds).map_err(|error| error.at(start))?, true))
            }
            _ => Err(json::unexpected(input, &format!("one kind of {}", list(kinds)))),
        }
    }

    /// Behind what belongs to a kind nothing else may come.
    fn end_of_kind(&mut self) -> Result<(), CodecError> {
        match self.encoding {
            Encoding::Json if json::next(&mut self.input) == Some(b',') => Err(self.input.error(ONE_KIND)),
            Encoding::Json => json::expect(&mut self.input, b'}'),
            Encoding::Bincode => Ok(()),
        }
    }

    /// Where the next value begins.
    fn start(&mut self) -> usize {
        if self.encoding == Encoding::Json {
            json::next(&mut self.input);
        }
        self.input.at()
    }

    /// Reads a value; what its type has against it was said of where it begins.
    fn value<'a, S: DeserializeSeed<'de>>(&'a mut self, seed: S) -> Result<S::Value, CodecError> {
        let start = self.start();
        seed.deserialize(self).map_err(|error| error.at(start))
    }
}

const ONE_KIND: &str = "expected an object with exactly one field, its kind";

/// The position of a name among those that are known.
fn position(what: &str, name: &str, names: &[&str]) -> Result<usize, CodecError> {
    names.iter().position(|known| *known == name).ok_or_else(|| {
        let beginning: String = name.chars().take(NAME_CHARS_SHOWN).collect();
        let beginning = beginning.escape_debug();
        CodecError::new(match names {
            [] => format!("unknown {what} `{beginning}`; there is none here"),
            _ => format!("unknown {what} `{beginning}`; known: {}", list(names)),
        })
    })
}

/// Of an unknown name, what an error shows.
const NAME_CHARS_SHOWN: usize = 64;

fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = CodecError;

    /// bincode does not say of which type a value is.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CodecError> {
        Err(CodecError::new("no message holds values of this type".to_owned()))
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_u32(self.small()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_u64(self.natural()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_str(&self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        if self.is_some()? {
            visitor.visit_some(self)
        } else {
            visitor.visit_none()
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, CodecError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let left = self.begin(b'[')?;
        visitor.visit_seq(Elements::new(self, left))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CodecError> {
        let left = self.begin(b'{')?;
        visitor.visit_map(Elements::new(self, left))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        visitor.visit_map(self.fields(names)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        kinds: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        let (kind, has_content) = self.kind(kinds)?;
        let reader = &mut *self;
        let value = visitor.visit_enum(Kind {
            reader,
            kind,
            has_content,
        })?;
        if has_content {
            self.end_of_kind()?;
        }
        Ok(value)
    }

    fn is_human_readable(&self) -> bool {
        self.encoding == Encoding::Json
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// A list that is being read, or a map.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    /// Where it is known beforehand: in bincode.
    left: Option<usize>,
    is_first: bool,
}

impl<'a, 'de> Elements<'a, 'de> {
    fn new(reader: &'a mut Reader<'de>, left: Option<usize>) -> Self {
        Self {
            reader,
            left,
            is_first: true,
        }
    }

    fn is_there_more(&mut self, close: u8) -> Result<bool, CodecError> {
        match &mut self.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => json::more(&mut self.reader.input, close, &mut self.is_first),
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = CodecError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CodecError> {
        if self.is_there_more(b']')? {
            self.reader.value(seed).map(Some)
        } else {
            Ok(None)
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.left
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CodecError> {
        if !self.is_there_more(b'}')? {
            return Ok(None);
        }
        self.reader.is_at_key = true;
        let key = self.reader.value(seed);
        self.reader.is_at_key = false;
        key.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, CodecError> {
        if self.left.is_none() {
            json::expect(&mut self.reader.input, b':')?;
        }
        self.reader.value(seed)
    }
}

/// The fields of a struct.
struct Fields<'a, 'de> {
    reader: &'a mut Reader<'de>,
    names: &'static [&'static str],
    /// In bincode they are all there, one after the other.
    next: usize,
    is_first: bool,
}

impl Fields<'_, '_> {
    fn next_position(&mut self) -> Result<Option<usize>, CodecError> {
        if self.reader.encoding == Encoding::Bincode {
            let next = self.next;
            self.next += 1;
            return Ok((next < self.names.len()).then_some(next));
        }
        match json::next_field(&mut self.reader.input, &mut self.is_first)? {
            None => Ok(None),
            Some((start, name)) => {
                let position = position("field", &name, self.names);
                position.map(Some).map_err(|error| error.at(start))
            }
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CodecError> {
        match self.next_position()? {
            None => Ok(None),
            Some(position) => seed.deserialize((position as u64).into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, CodecError> {
        self.reader.value(seed)
    }
}

/// What an enum holds.
struct Kind<'a, 'de> {
    reader: &'a mut Reader<'de>,
    kind: usize,
    has_content: bool,
}

impl Kind<'_, '_> {
    fn with_content(&self, is_expected: bool) -> Result<(), CodecError> {
        match (is_expected, self.has_content) {
            (true, false) => Err(CodecError::new(
                "this kind has fields: expected an object, `{\"kind\": {…}}`".to_owned(),
            )),
            (false, true) if self.reader.encoding == Encoding::Json => {
                Err(CodecError::new("this kind has no fields: expected a string".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

impl<'de> EnumAccess<'de> for Kind<'_, 'de> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), CodecError> {
        let kind = seed.deserialize((self.kind as u64).into_deserializer())?;
        Ok((kind, self))
    }
}

impl<'de> VariantAccess<'de> for Kind<'_, 'de> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<(), CodecError> {
        self.with_content(false)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, CodecError> {
        self.with_content(true)?;
        self.reader.value(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, CodecError> {
        self.reader.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CodecError> {
        self.with_content(true)?;
        let start = self.reader.start();
        let fields = self.reader.fields(names)?;
        visitor.visit_map(fields).map_err(|error| error.at(start))
    }
}
