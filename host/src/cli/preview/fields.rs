//! The fields of one table of a plan, each with the place where it is written.
//!
//! Owns places in the file, and that no field is left unread: one that is misspelt would otherwise be a limit that is not there.
//! What the fields mean is not known here.

use std::fmt::{self, Display};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// What is wrong with a plan, and where: the place is in bytes, and becomes a line and a column with the text beside it.
#[derive(Debug)]
pub(super) struct Wrong {
    at: usize,
    sentence: String,
}

impl Wrong {
    pub(super) fn at(at: usize, sentence: impl Display) -> Self {
        Self {
            at,
            sentence: sentence.to_string(),
        }
    }

    /// Lines and columns begin with 1; a column is a character.
    pub(super) fn in_text(self, text: &str) -> PlanError {
        let before = text.get(..self.at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        PlanError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            sentence: self.sentence,
        }
    }
}

/// What is wrong with a plan, for a person.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlanError {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) sentence: String,
}

impl Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.sentence)
    }
}

/// A field: what it is called, its value, and where that begins.
pub(super) struct Field<'t, 'i> {
    name: &'t str,
    value: &'t DeValue<'i>,
    at: usize,
}

type Entry<'t, 'i> = (&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>);

/// The fields of a table that are not read yet.
pub(super) struct Fields<'t, 'i> {
    at: usize,
    unread: Vec<Entry<'t, 'i>>,
}

impl<'t, 'i> Fields<'t, 'i> {
    /// A table that begins there.
    pub(super) fn new(span: &Range<usize>, table: &'t DeTable<'i>) -> Self {
        let mut unread: Vec<_> = table.iter().collect();
        unread.sort_by_key(|(key, _)| key.span().start);
        Self { at: span.start, unread }
    }

    /// Where the table begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Field<'t, 'i>> {
        let position = self.unread.iter().position(|(key, _)| key.get_ref().as_ref() == name)?;
        let (key, value) = self.unread.remove(position);
        Some(Field {
            name: key.get_ref(),
            value: value.get_ref(),
            at: value.span().start,
        })
    }

    /// A field that has to be there; `what` says of what.
    pub(super) fn need(&mut self, name: &str, what: &str) -> Result<Field<'t, 'i>, Wrong> {
        let at = self.at;
        self.take(name)
            .ok_or_else(|| Wrong::at(at, format!("{what} needs the field `{name}`")))
    }

    /// Refuses the first field that nobody knows: before one is missed, because it may be that one, misspelt.
    pub(super) fn only(&self, what: &str, known: &[&str]) -> Result<(), Wrong> {
        let is_unknown = |(key, _): &&Entry<'_, '_>| !known.contains(&key.get_ref().as_ref());
        let Some((key, _)) = self.unread.iter().find(is_unknown) else {
            return Ok(());
        };
        let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
        Err(Wrong::at(
            key.span().start,
            format!(
                "{what} has no field `{}`: use {}",
                key.get_ref().escape_debug(),
                known.join(", ")
            ),
        ))
    }
}

impl<'t, 'i> Field<'t, 'i> {
    /// What is wrong with the value, behind the field's name.
    pub(super) fn wrong(&self, error: impl Display) -> Wrong {
        Wrong::at(self.at, format!("`{}`: {error}", self.name))
    }

    /// The value as a text, read.
    pub(super) fn text<T, E: Display>(&self, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Wrong> {
        let text = self.value.as_str().ok_or_else(|| self.another("a text in quotes"))?;
        read(text).map_err(|error| self.wrong(error))
    }

    /// The value as a whole number, read. A sign is part of the digits.
    pub(super) fn number<T, E: Display>(&self, read: impl FnOnce(u64) -> Result<T, E>) -> Result<T, Wrong> {
        let integer = self
            .value
            .as_integer()
            .ok_or_else(|| self.another("a whole number, without quotes"))?;
        let digits = integer.as_str();
        match u64::from_str_radix(digits, integer.radix()) {
            Ok(number) => read(number).map_err(|error| self.wrong(error)),
            Err(_) => Err(self.wrong(format!("`{digits}` is no whole number from 0 to 2^53 - 1"))),
        }
    }

    /// The value as a list of texts, each of them read.
    pub(super) fn texts<T, E: Display>(&self, read: impl Fn(&str) -> Result<T, E>) -> Result<Vec<T>, Wrong> {
        let items = self.value.as_array().ok_or_else(|| self.another("a list of texts"))?;
        let item = |item: &'t Spanned<DeValue<'i>>| {
            let item = Field {
                name: self.name,
                value: item.get_ref(),
                at: item.span().start,
            };
            item.text(&read)
        };
        items.iter().map(item).collect()
    }

    /// The value as a list of tables.
    pub(super) fn tables(&self) -> Result<Vec<Fields<'t, 'i>>, Wrong> {
        let wanted = || self.another("tables, each begun by `[[step]]`");
        let items = self.value.as_array().ok_or_else(wanted)?;
        let table = |item: &'t Spanned<DeValue<'i>>| {
            let table = item.get_ref().as_table().ok_or_else(wanted)?;
            Ok(Fields::new(&item.span(), table))
        };
        items.iter().map(table).collect()
    }

    fn another(&self, wanted: &str) -> Wrong {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a fraction",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(format!("{found} stands where {wanted} belongs"))
    }
}
