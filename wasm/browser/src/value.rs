//! Reads JavaScript values as JSON is read.
//!
//! Owns what is an object, a list and a missing field. serde-wasm-bindgen, which writes the answers, would read a struct field by
//! field and never see the others, take a text for a list of its characters, and an `undefined` for a `null`: a preview would then
//! admit what the host does not even understand.
//!
//! A value is first taken over as a whole, and then read into the messages' types: reading them out of JavaScript directly
//! compiles the way there into each of those types, and made the package three times as large.

use js_sys::{Array, Symbol};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_wasm_bindgen::Error;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// Lists and objects in lists and objects: no message is deeper than ten, and the stack is not endless.
const DEPTH_MAX: usize = 32;

/// A value that is about to be read.
pub(crate) enum Value {
    Null,
    Bool(bool),
    Natural(u64),
    Negative(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    /// In the order in which JavaScript has the fields.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// Takes a value over.
    ///
    /// # Errors
    /// Where it is none that JSON has, is too deep, or one of its getters throws.
    pub(crate) fn of(value: &JsValue) -> Result<Self, Error> {
        Self::within(value, DEPTH_MAX)
    }

    fn within(value: &JsValue, depth: usize) -> Result<Self, Error> {
        if let Some(number) = value.as_f64() {
            return Ok(Self::number(number));
        }
        if let Some(text) = value.as_string() {
            return Ok(Self::Text(text));
        }
        if let Some(bool) = value.as_bool() {
            return Ok(Self::Bool(bool));
        }
        if value.is_null() || value.is_undefined() {
            return Ok(Self::Null);
        }
        if !value.is_object() {
            return Err(Error::custom(format_args!("no value that JSON has: {value:?}")));
        }
        let depth = depth.checked_sub(1).ok_or_else(|| Error::custom("too deep"))?;
        // Not `instanceof`, which does not hold for a proxy of a list; frameworks hand those out.
        if Array::is_array(value) {
            let elements = value.unchecked_ref::<Array>().to_vec();
            let elements = elements.iter().map(|element| Self::within(element, depth));
            return Ok(Self::List(elements.collect::<Result<_, _>>()?));
        }
        Self::object(value, depth)
    }

    /// As `JSON.stringify` has it: without the fields that are undefined.
    fn object(object: &JsValue, depth: usize) -> Result<Self, Error> {
        if Symbol::iterator().js_in(object) {
            return Err(Error::custom("a map or a set, expected a plain object or a list"));
        }
        let mut fields = Vec::new();
        for pair in entries(object)?.to_vec() {
            let pair: Array = pair.unchecked_into();
            let (name, value) = (pair.get(0), pair.get(1));
            if !value.is_undefined() {
                fields.push((name.as_string().unwrap_or_default(), Self::within(&value, depth)?));
            }
        }
        Ok(Self::Object(fields))
    }

    /// Whole numbers as such, however large: an amount that is too large is refused by its own type, with its own words.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds"
    )]
    fn number(number: f64) -> Self {
        const NATURAL_END: f64 = 18_446_744_073_709_551_616.0; // 2^64
        const NEGATIVE_END: f64 = -9_223_372_036_854_775_808.0; // -2^63
        let is_whole = number.trunc() == number;
        if is_whole && (0.0..NATURAL_END).contains(&number) {
            Self::Natural(number as u64)
        } else if is_whole && (NEGATIVE_END..0.0).contains(&number) {
            Self::Negative(number as i64)
        } else {
            Self::Float(number)
        }
    }

    /// What it is, where something else was expected.
    #[cold]
    fn refuse(&self, expected: &dyn de::Expected) -> Error {
        let unexpected = match self {
            Self::Null => Unexpected::Other("null"),
            Self::Bool(bool) => Unexpected::Bool(*bool),
            Self::Natural(number) => Unexpected::Unsigned(*number),
            Self::Negative(number) => {
                return Error::invalid_value(Unexpected::Signed(*number), expected);
            }
            Self::Float(number) => Unexpected::Float(*number),
            Self::Text(text) => Unexpected::Str(text),
            Self::List(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        };
        Error::invalid_type(unexpected, expected)
    }
}

/// Each type is only offered what it expects: offering it everything would compile everything into it.
impl<'de> de::Deserializer<'de> for Value {
    type Error = Error;

    /// Only what is ignored is asked for so.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Natural(number) => visitor.visit_u64(number),
            other => Err(other.refuse(&visitor)),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => visitor.visit_string(text),
            other => Err(other.refuse(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            other => Err(other.refuse(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::List(elements) => visitor.visit_seq(SeqDeserializer::new(elements.into_iter())),
            other => Err(other.refuse(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Object(fields) => visitor.visit_map(MapDeserializer::new(fields.into_iter())),
            other => Err(other.refuse(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    /// `"variant"`, or an object of one field: `{variant: …}`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(variant) => visitor.visit_enum(Choice(variant, Self::Null)),
            Self::Object(mut fields) if fields.len() == 1 => match fields.pop() {
                Some((variant, content)) => visitor.visit_enum(Choice(variant, content)),
                None => unreachable!("there is one"),
            },
            Self::Object(_) => Err(Error::custom("expected an object with exactly one field: its kind")),
            other => Err(other.refuse(&visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit_struct tuple tuple_struct ignored_any
    }
}

#[wasm_bindgen]
extern "C" {
    /// As js-sys has it, but getters may throw.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = entries)]
    fn entries(object: &JsValue) -> Result<Array, JsValue>;
}

impl<'de> IntoDeserializer<'de, Error> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A variant, and what it holds.
struct Choice(String, Value);

impl<'de> de::EnumAccess<'de> for Choice {
    type Error = Error;
    type Variant = Value;

    fn variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Value), Error> {
        Ok((seed.deserialize(Value::Text(self.0))?, self.1))
    }
}

impl<'de> de::VariantAccess<'de> for Value {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        de::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_seq(self, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_map(self, visitor)
    }
}
