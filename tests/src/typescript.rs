//! TypeScript types out of the Rust types, by way of their JSON Schema.
//!
//! Owns how a schema is written as a type. It knows the words of JSON Schema that our types give, and panics at any other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use fulmar_core::protocol::{Request, Response};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

const HEAD: &str = "\
// Made from the Rust types, do not edit: `ACCEPT=1 cargo test -p fulmar-tests --test types` writes it anew.
// A type with `Asked` at its end may leave fields out that are always there in an answer.
";

/// All types that a request or a response is made of.
#[must_use]
pub fn protocol() -> String {
    let asked = types(
        &SchemaSettings::draft2020_12()
            .for_deserialize()
            .into_generator()
            .into_root_schema_for::<Request>()
            .to_value(),
        "Request",
    );
    let answered = types(
        &SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<Response>()
            .to_value(),
        "Response",
    );
    let renamed = renamed(&asked, &answered);
    let asked = asked
        .iter()
        .map(|(name, schema)| (new_name(name, &renamed), schema, &renamed));
    let none = BTreeSet::new();
    let answered = answered.iter().map(|(name, schema)| (name.clone(), schema, &none));
    let texts: BTreeMap<String, String> = asked
        .chain(answered)
        .map(|(name, schema, renamed)| (name.clone(), declaration(&name, schema, renamed)))
        .collect();
    texts
        .into_values()
        .fold(HEAD.to_owned(), |file, text| file + "\n" + &text)
}

type Types = BTreeMap<String, Value>;

fn types(root: &Value, name: &str) -> Types {
    let mut types: Types = root["$defs"]
        .as_object()
        .expect("definitions")
        .clone()
        .into_iter()
        .collect();
    types.insert(name.to_owned(), root.clone());
    types
}

/// What is not the same in a request and in a response, or holds something that is not.
fn renamed(asked: &Types, answered: &Types) -> BTreeSet<String> {
    let in_both = |name: &String| answered.contains_key(name);
    let mut renamed: BTreeSet<String> = asked
        .keys()
        .filter(|name| in_both(name) && asked.get(*name) != answered.get(*name))
        .cloned()
        .collect();
    loop {
        let before = renamed.len();
        for (name, schema) in asked.iter().filter(|(name, _)| in_both(name)) {
            let text = schema.to_string();
            if renamed
                .iter()
                .any(|other| text.contains(&format!("\"#/$defs/{other}\"")))
            {
                renamed.insert(name.clone());
            }
        }
        if renamed.len() == before {
            return renamed;
        }
    }
}

fn new_name(name: &str, renamed: &BTreeSet<String>) -> String {
    let asked = if renamed.contains(name) { "Asked" } else { "" };
    format!("{name}{asked}")
}

fn declaration(name: &str, schema: &Value, renamed: &BTreeSet<String>) -> String {
    let writer = Writer { renamed };
    let mut text = comment(schema, "");
    let _ = match &schema["properties"] {
        Value::Object(_) => writeln!(text, "export interface {name} {}", writer.written(schema, "")),
        _ => writeln!(text, "export type {name} = {};", writer.written(schema, "")),
    };
    text.replace(" \n", "\n")
}

struct Writer<'r> {
    renamed: &'r BTreeSet<String>,
}

impl Writer<'_> {
    fn written(&self, schema: &Value, indent: &str) -> String {
        let object = schema.as_object().expect("a schema");
        if let Some(path) = object.get("$ref").and_then(Value::as_str) {
            return new_name(path.trim_start_matches("#/$defs/"), self.renamed);
        }
        if let Some(variants) = object.get("oneOf").and_then(Value::as_array) {
            return self.variants(variants, indent);
        }
        if let Some(either) = object.get("anyOf").and_then(Value::as_array) {
            let either: Vec<_> = either.iter().map(|schema| self.written(schema, indent)).collect();
            return either.join(" | ");
        }
        if let Some(value) = object.get("const") {
            return value.to_string();
        }
        if let Some(values) = object.get("enum").and_then(Value::as_array) {
            return values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
        }
        match object["type"].as_str() {
            Some("string") => "string".to_owned(),
            Some("integer") => "number".to_owned(),
            Some("null") => "null".to_owned(),
            Some("array") => format!("{}[]", self.written(&object["items"], indent)),
            Some("object") => self.object(object, indent),
            _ => panic!("no type for {schema}"),
        }
    }

    fn variants(&self, variants: &[Value], indent: &str) -> String {
        let deeper = format!("{indent}  ");
        variants.iter().fold(String::new(), |mut text, variant| {
            let written = self.written(variant, &deeper);
            let _ = write!(text, "\n{}{deeper}| {written}", comment(variant, &deeper));
            text
        })
    }

    fn object(&self, object: &Map<String, Value>, indent: &str) -> String {
        let values = object.get("patternProperties").and_then(Value::as_object);
        let values = values.and_then(|patterns| patterns.values().next());
        if let Some(values) = values.or(object.get("additionalProperties").filter(|any| any.is_object())) {
            return format!("{{ [key: string]: {} }}", self.written(values, indent));
        }
        let Some(fields) = object.get("properties").and_then(Value::as_object) else {
            return "Record<string, never>".to_owned();
        };
        let deeper = format!("{indent}  ");
        let required = object.get("required").and_then(Value::as_array);
        let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
        let optional = fields
            .keys()
            .map(String::as_str)
            .filter(|name| !required.contains(name));
        let mut text = "{".to_owned();
        for name in required.iter().copied().chain(optional) {
            let (field, mark) = (&fields[name], if required.contains(&name) { "" } else { "?" });
            let written = self.written(field, &deeper);
            let _ = write!(text, "\n{}{deeper}{name}{mark}: {written};", comment(field, &deeper));
        }
        format!("{text}\n{indent}}}")
    }
}

/// The first paragraph of a description, without rustdoc's links.
fn comment(schema: &Value, indent: &str) -> String {
    let Some(description) = schema["description"].as_str() else {
        return String::new();
    };
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let words = paragraph.replace("[`", "`").replace("`]", "`").replace('\n', " ");
    format!("{indent}/** {words} */\n")
}
