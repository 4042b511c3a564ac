//! Writes messages in either encoding: one writer for both, for the reason that `reader` gives.

use serde::Serialize;
use serde::ser::{Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, Serializer};

use super::{CodecError, Encoding, bincode, json};

pub(super) struct Writer {
    bytes: Vec<u8>,
    encoding: Encoding,
}

impl Writer {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            bytes: Vec::with_capacity(FIRST_CAPACITY),
            encoding,
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What only JSON has.
    fn json(&mut self, text: &str) {
        if self.encoding == Encoding::Json {
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    fn natural(&mut self, number: u64) {
        match self.encoding {
            Encoding::Bincode => bincode::write(number, &mut self.bytes),
            Encoding::Json => json::write_natural(number, &mut self.bytes),
        }
    }

    /// bincode writes numbers of different lengths differently.
    fn small(&mut self, number: u32) {
        match self.encoding {
            Encoding::Bincode => bincode::write(number, &mut self.bytes),
            Encoding::Json => json::write_natural(number.into(), &mut self.bytes),
        }
    }

    fn text(&mut self, text: &str) {
        match self.encoding {
            Encoding::Bincode => bincode::write(text, &mut self.bytes),
            Encoding::Json => json::write_string(text, &mut self.bytes),
        }
    }

    /// Begins a kind; in JSON by its name, in bincode by its position.
    fn kind(&mut self, position: u32, name: &'static str, open: &str) {
        match self.encoding {
            Encoding::Bincode => self.small(position),
            Encoding::Json => {
                self.json("{");
                self.text(name);
                self.json(open);
            }
        }
    }

    /// Begins a list or a map.
    fn begin(&mut self, length: Option<usize>, open: &str, close: &'static str) -> Result<Compound<'_>, CodecError> {
        if self.encoding == Encoding::Bincode {
            let length = length.ok_or_else(unsupported)?;
            self.natural(length as u64);
        }
        self.json(open);
        Ok(Compound::new(self, close))
    }
}

/// Enough for most answers.
const FIRST_CAPACITY: usize = 128;

fn unsupported() -> CodecError {
    CodecError::new("no message holds values of this type".to_owned())
}

/// What a message never holds.
macro_rules! refuse {
    ($($name:ident($($type:ty),*) -> $result:ty;)*) => {
        $(fn $name(self $(, _: $type)*) -> Result<$result, CodecError> {
            Err(unsupported())
        })*
    };
}

type Never = Impossible<(), CodecError>;

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    fn serialize_u32(self, number: u32) -> Result<(), CodecError> {
        self.small(number);
        Ok(())
    }

    fn serialize_u64(self, number: u64) -> Result<(), CodecError> {
        self.natural(number);
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), CodecError> {
        self.text(text);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), CodecError> {
        match self.encoding {
            Encoding::Bincode => bincode::write(0_u8, &mut self.bytes),
            Encoding::Json => self.json("null"),
        }
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CodecError> {
        if self.encoding == Encoding::Bincode {
            bincode::write(1_u8, &mut self.bytes);
        }
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, position: u32, name: &'static str) -> Result<(), CodecError> {
        match self.encoding {
            Encoding::Bincode => self.small(position),
            Encoding::Json => self.text(name),
        }
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), CodecError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        position: u32,
        name: &'static str,
        value: &T,
    ) -> Result<(), CodecError> {
        self.kind(position, name, ":");
        value.serialize(&mut *self)?;
        self.json("}");
        Ok(())
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Compound<'a>, CodecError> {
        self.begin(length, "[", "]")
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Compound<'a>, CodecError> {
        self.begin(length, "{", "}")
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, CodecError> {
        self.json("{");
        Ok(Compound::new(self, "}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        position: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, CodecError> {
        self.kind(position, name, ":{");
        Ok(Compound::new(self, "}}"))
    }

    fn is_human_readable(&self) -> bool {
        self.encoding == Encoding::Json
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
    }
}

/// A list, a map or a struct that is being written.
pub(super) struct Compound<'a> {
    writer: &'a mut Writer,
    close: &'static str,
    is_first: bool,
}

impl<'a> Compound<'a> {
    fn new(writer: &'a mut Writer, close: &'static str) -> Self {
        Self {
            writer,
            close,
            is_first: true,
        }
    }

    fn comma(&mut self) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.writer.json(",");
        }
    }

    fn name(&mut self, name: &'static str) {
        if self.writer.encoding == Encoding::Json {
            self.comma();
            self.writer.text(name);
            self.writer.json(":");
        }
    }

    fn close(&mut self) {
        self.writer.json(self.close);
    }
}

impl SerializeSeq for Compound<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.comma();
        value.serialize(&mut *self.writer)
    }

    fn end(mut self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = CodecError;

    /// Numbers are quoted where they are keys.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CodecError> {
        self.comma();
        let start = self.writer.bytes.len();
        key.serialize(&mut *self.writer)?;
        if self.writer.encoding == Encoding::Json && self.writer.bytes.get(start) != Some(&b'"') {
            self.writer.bytes.insert(start, b'"');
            self.writer.bytes.push(b'"');
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.writer.json(":");
        value.serialize(&mut *self.writer)
    }

    fn end(mut self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Compound<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), CodecError> {
        self.name(name);
        value.serialize(&mut *self.writer)
    }

    fn end(mut self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}

impl SerializeStructVariant for Compound<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), CodecError> {
        SerializeStruct::serialize_field(self, name, value)
    }

    fn end(mut self) -> Result<(), CodecError> {
        self.close();
        Ok(())
    }
}
