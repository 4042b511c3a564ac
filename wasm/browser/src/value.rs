//! Takes JavaScript values over as JSON text, which the codec reads as it reads everybody else's.
//!
//! Owns what is an object, a list and a missing field. serde-wasm-bindgen, which writes the answers, would read a struct field by
//! field and never see the others, take a text for a list of its characters, and an `undefined` for a `null`: a preview would then
//! admit what the host does not even understand. `JSON.stringify` would make an empty object of a map and `null` of what is no number.

use fulmar_wasm::codec::write_json_string;
use js_sys::{Array, Error, Number, Symbol};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

/// Lists and objects in lists and objects: no message is deeper than ten, and the stack is not endless.
const DEPTH_MAX: usize = 32;

/// The JSON text of a value.
///
/// # Errors
/// Why it has none, or what one of its getters threw.
pub(crate) fn json_of(value: &JsValue) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    write(value, DEPTH_MAX, &mut text)?;
    Ok(text)
}

fn write(value: &JsValue, depth: usize, text: &mut Vec<u8>) -> Result<(), String> {
    if let Some(number) = value.as_f64() {
        return write_number(number, text);
    }
    if let Some(string) = value.as_string() {
        write_json_string(&string, text);
        return Ok(());
    }
    if let Some(bool) = value.as_bool() {
        text.extend_from_slice(if bool { b"true" } else { b"false" });
        return Ok(());
    }
    if value.is_null() || value.is_undefined() {
        text.extend_from_slice(b"null");
        return Ok(());
    }
    if !value.is_object() {
        let kind = value.js_typeof().as_string().unwrap_or_default();
        return Err(format!("no value that JSON has: a {kind}"));
    }
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("nested deeper than {DEPTH_MAX} lists and objects"));
    };
    // Not `instanceof`, which does not hold for a proxy of a list; frameworks hand those out.
    if Array::is_array(value) {
        return write_list(value.unchecked_ref(), depth, text);
    }
    write_object(value, depth, text)
}

/// As JavaScript prints it: digits, where it is a whole number that is not absurd.
fn write_number(number: f64, text: &mut Vec<u8>) -> Result<(), String> {
    let printed = Number::from(number)
        .to_string_with_radix(10)
        .map_err(|error| thrown(&error))?;
    let printed = String::from(printed);
    if !number.is_finite() {
        return Err(format!("no value that JSON has: {printed}"));
    }
    text.extend_from_slice(printed.as_bytes());
    Ok(())
}

fn write_list(list: &Array, depth: usize, text: &mut Vec<u8>) -> Result<(), String> {
    text.push(b'[');
    for (position, element) in list.to_vec().iter().enumerate() {
        if position > 0 {
            text.push(b',');
        }
        write(element, depth, text)?;
    }
    text.push(b']');
    Ok(())
}

/// As `JSON.stringify` has it: without the fields that are undefined.
fn write_object(object: &JsValue, depth: usize, text: &mut Vec<u8>) -> Result<(), String> {
    if Symbol::iterator().js_in(object) {
        return Err("a map or a set, expected a plain object or a list".to_owned());
    }
    text.push(b'{');
    let mut is_first = true;
    for pair in entries(object).map_err(|error| thrown(&error))?.to_vec() {
        let pair: Array = pair.unchecked_into();
        let (name, value) = (pair.get(0), pair.get(1));
        if value.is_undefined() {
            continue;
        }
        if !std::mem::replace(&mut is_first, false) {
            text.push(b',');
        }
        write_json_string(&name.as_string().unwrap_or_default(), text);
        text.push(b':');
        write(&value, depth, text)?;
    }
    text.push(b'}');
    Ok(())
}

/// What a getter of the value threw.
fn thrown(error: &JsValue) -> String {
    match error.dyn_ref::<Error>() {
        Some(error) => String::from(error.message()),
        None => error
            .as_string()
            .unwrap_or_else(|| "a getter threw what is no error".to_owned()),
    }
}

#[wasm_bindgen]
extern "C" {
    /// As js-sys has it, but getters may throw.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = entries)]
    fn entries(object: &JsValue) -> Result<Array, JsValue>;
}
