//! Reads JavaScript values as JSON is read.
//!
//! Owns what is an object, a list and a missing field; everything else is left to serde-wasm-bindgen. That crate alone reads a
//! struct field by field and never sees the others, takes a text for a list of its characters, and an `undefined` for a `null`: a
//! preview would then admit what the host does not even understand.

use js_sys::{Array, Symbol};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_wasm_bindgen::Error;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// A value that is about to be read.
pub(crate) struct Reader(JsValue);

impl From<JsValue> for Reader {
    fn from(value: JsValue) -> Self {
        Self(value)
    }
}

/// Everything is read as what it is: what the reader's type expected instead is then said in the words that serde has for JSON.
impl<'de> de::Deserializer<'de> for Reader {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Some(array) = self.array() {
            return visitor.visit_seq(SeqDeserializer::new(array.iter().map(Self)));
        }
        if self.0.is_object() {
            return visitor.visit_map(MapDeserializer::new(self.fields()?));
        }
        match self.0.as_f64() {
            Some(number) => read_number(number, visitor),
            None => serde_wasm_bindgen::Deserializer::from(self.0).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() || self.0.is_undefined() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// `"variant"`, or an object of one field: `{variant: …}`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_string() {
            return visitor.visit_enum(Choice {
                variant: self.0,
                content: JsValue::UNDEFINED,
            });
        }
        if !self.0.is_object() || self.array().is_some() {
            return self.deserialize_any(visitor);
        }
        let mut fields = self.fields()?;
        match (fields.next(), fields.next()) {
            (Some((variant, Self(content))), None) => visitor.visit_enum(Choice {
                variant: variant.0,
                content,
            }),
            _ => Err(Error::custom("expected an object with exactly one field: its kind")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

impl Reader {
    /// Also where it is a proxy of one, as frameworks wrap them: `instanceof` says so too seldom.
    fn array(&self) -> Option<&Array> {
        Array::is_array(&self.0).then(|| self.0.unchecked_ref())
    }

    /// The fields of an object, in its order and as `JSON.stringify` has them: without those that are undefined.
    fn fields(&self) -> Result<impl Iterator<Item = (Self, Self)> + use<>, Error> {
        if Symbol::iterator().js_in(&self.0) {
            return Err(Error::custom("a map or a set, expected a plain object or a list"));
        }
        let pairs: Vec<JsValue> = entries(&self.0)?.to_vec();
        let pairs = pairs.into_iter().map(JsCast::unchecked_into::<Array>);
        let fields = pairs.map(|pair| (Self(pair.get(0)), Self(pair.get(1))));
        Ok(fields.filter(|(_, Self(value))| !value.is_undefined()))
    }
}

#[wasm_bindgen]
extern "C" {
    /// As js-sys has it, but getters may throw.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = entries)]
    fn entries(object: &JsValue) -> Result<Array, JsValue>;
}

impl<'de> IntoDeserializer<'de, Error> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Whole numbers as such, however large: an amount that is too large is refused by its own type, with its own words.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, and within the bounds"
)]
fn read_number<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, Error> {
    const BELOW: f64 = 18_446_744_073_709_551_616.0; // 2^64
    if number.trunc() != number || number.abs() >= BELOW / 2.0 && number < 0.0 || number >= BELOW {
        visitor.visit_f64(number)
    } else if number < 0.0 {
        visitor.visit_i64(number as i64)
    } else {
        visitor.visit_u64(number as u64)
    }
}

/// A variant, and what it holds.
struct Choice {
    variant: JsValue,
    content: JsValue,
}

impl<'de> de::EnumAccess<'de> for Choice {
    type Error = Error;
    type Variant = Reader;

    fn variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Reader), Error> {
        Ok((seed.deserialize(Reader(self.variant))?, Reader(self.content)))
    }
}

impl<'de> de::VariantAccess<'de> for Reader {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        de::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: de::DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_any(self, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        de::Deserializer::deserialize_any(self, visitor)
    }
}
