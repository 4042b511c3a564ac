//! Labels, paths and names: how domains, unikernels and block devices are called.
//!
//! Owns the grammar (Albatross: `Vmm_core.Name`) and its bounds. Whether anything of that name exists is the tree's matter.
//!
//! | text | as a [`Path`] | as a [`Name`] |
//! |---|---|---|
//! | `alice:bob` | the domain `alice:bob` | `bob` in the domain `alice` |
//! | `alice:bob:`, `:alice:bob` | the domain `alice:bob` | refused; `bob` in `alice` |
//! | `:` or nothing | the root | refused |
//! | `a::b` | refused | refused |

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

/// The longest label, in bytes, as in the domain name system (Albatross: `Vmm_core.Name.valid_label`).
pub const LABEL_BYTES_MAX: usize = 63;

/// The longest name as text, in bytes, as in the domain name system: a name can be a file's name (255 bytes on Linux).
pub const NAME_BYTES_MAX: usize = 253;

/// The longest path as text, in bytes, so that with any label behind it it is a name. It bounds the depth of the tree to 95 labels.
pub const PATH_BYTES_MAX: usize = NAME_BYTES_MAX - 1 - LABEL_BYTES_MAX;

/// One step of a path: 1 to 63 characters out of `a-z 0-9 - .`, the first one not `-`. Capitals are accepted and stored
/// as small letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Label(Box<str>);

impl Label {
    /// Reads a label.
    ///
    /// # Errors
    /// [`NameError`] says which rule the text breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check_label(text)?;
        Ok(Self(text.to_ascii_lowercase().into_boxed_str()))
    }

    /// A label of a path, which was checked when the path was read.
    pub(crate) fn of_path(label: &str) -> Self {
        Self(label.into())
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Label {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A domain: the labels from the root down to it. The empty path is the root.
///
/// Paths are ordered label by label, so a domain comes right before everything below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Path(Box<str>);

impl Path {
    /// The domain that holds all others.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels, outermost first; none for the root.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        // Splitting the empty text would yield one empty label.
        self.0.split(':').filter(|label| !label.is_empty())
    }

    /// The domain right above; `None` above the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once(':').map_or("", |(above, _)| above).into()))
    }

    /// The domain one label below.
    ///
    /// # Errors
    /// [`NameError::PathTooLong`] where the text would be longer than [`PATH_BYTES_MAX`].
    pub fn child(&self, label: &Label) -> Result<Self, NameError> {
        let text = join(self, label);
        check_path_length(&text)?;
        Ok(Self(text.into()))
    }

    /// A domain right below this one that is known to exist, and so to have a name of allowed length.
    pub(crate) fn within(&self, label: &Label) -> Self {
        Self(join(self, label).into())
    }

    /// The domain `depth` labels below the root, on the way down to this one.
    pub(crate) fn prefix(&self, depth: usize) -> Self {
        let end = self
            .0
            .match_indices(':')
            .nth(depth.wrapping_sub(1))
            .map_or(self.0.len(), |(at, _)| at);
        Self(if depth == 0 { "".into() } else { self.0[..end].into() })
    }

    /// Whether `other` is this domain or lies below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.is_root()
            || other
                .0
                .strip_prefix(&*self.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }
}

impl Ord for Path {
    fn cmp(&self, other: &Self) -> Ordering {
        self.labels().cmp(other.labels())
    }
}

impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Path {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text == ":" {
            return Ok(Self::root());
        }
        let inner = text.strip_prefix(':').unwrap_or(text);
        let inner = inner.strip_suffix(':').unwrap_or(inner);
        check_path_length(inner)?;
        inner.split(':').try_for_each(check_label)?;
        Ok(Self(inner.to_ascii_lowercase().into_boxed_str()))
    }
}

/// A unikernel or a block device: a label within a domain. Ordered by domain, then by label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Name {
    domain: Path,
    label: Label,
}

impl Name {
    /// Names `label` in `domain`.
    #[must_use]
    pub fn new(domain: Path, label: Label) -> Self {
        Self { domain, label }
    }

    /// Something else in the same domain.
    #[must_use]
    pub fn sibling(&self, label: &Label) -> Self {
        Self::new(self.domain.clone(), label.clone())
    }

    /// The domain it belongs to.
    #[must_use]
    pub fn domain(&self) -> &Path {
        &self.domain
    }

    /// What it is called there.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.label
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.ends_with(':') {
            return Err(NameError::DomainOnly { text: text.to_owned() });
        }
        let (domain, label) = text.rsplit_once(':').unwrap_or(("", text));
        if domain.ends_with(':') {
            return Err(NameError::EmptyLabel);
        }
        Ok(Self {
            domain: domain.parse()?,
            label: Label::new(label)?,
        })
    }
}

fn join(domain: &Path, label: &Label) -> String {
    let mut text = String::from(&*domain.0);
    if !domain.is_root() {
        text.push(':');
    }
    text.push_str(label.as_str());
    text
}

fn check_path_length(text: &str) -> Result<(), NameError> {
    if text.len() > PATH_BYTES_MAX {
        Err(NameError::PathTooLong { bytes: text.len() })
    } else {
        Ok(())
    }
}

fn check_label(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::EmptyLabel);
    }
    if text.len() > LABEL_BYTES_MAX {
        return Err(NameError::LabelTooLong { bytes: text.len() });
    }
    if text.starts_with('-') {
        return Err(NameError::LeadingHyphen { label: text.to_owned() });
    }
    match text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')))
    {
        Some(character) => Err(NameError::Character {
            label: text.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `alice:bob`; the root is written `:`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { ":" } else { &self.0 })
    }
}

/// `alice:bob:web`; at the root `web`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.domain.is_root() {
            write!(f, "{}:", self.domain)?;
        }
        self.label.fmt(f)
    }
}

impl TryFrom<String> for Label {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl TryFrom<String> for Path {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0.into()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        if path.is_root() { ":".to_owned() } else { path.0.into() }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        join(&name.domain, &name.label)
    }
}

/// Why a text is no label, path or name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing between two colons.
    EmptyLabel,
    /// A label of more than [`LABEL_BYTES_MAX`] bytes.
    LabelTooLong {
        /// Its length.
        bytes: usize,
    },
    /// A label that begins with `-`, and would be taken for an option.
    LeadingHyphen {
        /// The label.
        label: String,
    },
    /// A character that no label may hold.
    Character {
        /// The label.
        label: String,
        /// The first such character in it.
        character: char,
    },
    /// A path of more than [`PATH_BYTES_MAX`] bytes.
    PathTooLong {
        /// Their number.
        bytes: usize,
    },
    /// A domain where a unikernel's or a block device's name is needed.
    DomainOnly {
        /// The text.
        text: String,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyLabel => write!(f, "a label is empty: write `a:b`, not `a::b`"),
            Self::LabelTooLong { bytes } => {
                write!(f, "a label is {bytes} bytes long: at most {LABEL_BYTES_MAX}")
            }
            Self::LeadingHyphen { label } => {
                write!(
                    f,
                    "the label `{}` begins with `-`: begin with a letter, a digit or `.`",
                    label.escape_debug()
                )
            }
            Self::Character { label, character } => write!(
                f,
                "the label `{}` contains `{}`: only a-z, 0-9, `-` and `.` are allowed",
                label.escape_debug(),
                character.escape_debug()
            ),
            Self::PathTooLong { bytes } => write!(f, "the path is {bytes} bytes long: at most {PATH_BYTES_MAX}"),
            Self::DomainOnly { text } => {
                write!(
                    f,
                    "`{}` names a domain: a unikernel or block device needs a label after it, as in `alice:web`",
                    text.escape_debug()
                )
            }
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use alloc::vec::Vec;

    fn path(text: &str) -> Path {
        text.parse().unwrap()
    }

    #[test]
    fn every_accepted_form_is_written_back_in_its_short_form() {
        for (text, written) in [
            ("alice:bob", "alice:bob"),
            (":alice", "alice"),
            ("alice:", "alice"),
            (":a:b:", "a:b"),
            ("", ":"),
            (":", ":"),
        ] {
            assert_eq!(path(text).to_string(), written, "{text}");
            assert_eq!(path(written), path(text));
        }
        for (text, written) in [
            ("alice:bob:web", "alice:bob:web"),
            (":web", "web"),
            ("Web.V-2", "web.v-2"),
        ] {
            assert_eq!(text.parse::<Name>().unwrap().to_string(), written, "{text}");
        }
    }

    #[test]
    fn every_refused_form_says_why() {
        let deep = vec!["a"; 10_000].join(":");
        for (text, sentence) in [
            ("a::b", "a label is empty: write `a:b`, not `a::b`"),
            ("::", "a label is empty: write `a:b`, not `a::b`"),
            (
                "a:-x",
                "the label `-x` begins with `-`: begin with a letter, a digit or `.`",
            ),
            (&"x".repeat(64), "a label is 64 bytes long: at most 63"),
            (
                "bob_b",
                "the label `bob_b` contains `_`: only a-z, 0-9, `-` and `.` are allowed",
            ),
            (
                "grün",
                "the label `grün` contains `ü`: only a-z, 0-9, `-` and `.` are allowed",
            ),
            (
                "a b\n",
                "the label `a b\\n` contains ` `: only a-z, 0-9, `-` and `.` are allowed",
            ),
            (&deep, "the path is 19999 bytes long: at most 189"),
        ] {
            assert_eq!(text.parse::<Path>().unwrap_err().to_string(), sentence);
        }
        assert_eq!("a::b".parse::<Name>(), Err(NameError::EmptyLabel));
        assert_eq!("::b".parse::<Name>(), Err(NameError::EmptyLabel));
        for text in ["", ":", "alice:"] {
            let sentence = text.parse::<Name>().unwrap_err().to_string();
            assert!(
                sentence.starts_with(&alloc::format!("`{text}` names a domain")),
                "{sentence}"
            );
        }
    }

    #[test]
    fn the_longest_path_with_the_longest_label_is_the_longest_name() {
        let label = "x".repeat(63);
        let domain = [&*label, &*label, &"y".repeat(61)].join(":");
        assert_eq!(domain.len(), PATH_BYTES_MAX);
        let longest = Name::new(path(&domain), Label::new(&label).unwrap());
        assert_eq!(longest.to_string().len(), NAME_BYTES_MAX);
        assert_eq!(longest.to_string().parse(), Ok(longest));
        assert_eq!(
            path(&domain).child(&Label::new("z").unwrap()),
            Err(NameError::PathTooLong { bytes: 191 })
        );
        assert_eq!(
            alloc::format!("{domain}z").parse::<Path>(),
            Err(NameError::PathTooLong { bytes: 190 })
        );
    }

    #[test]
    fn a_prefix_is_a_domain_on_the_way_down() {
        for (depth, prefix) in [(0, ""), (1, "a"), (2, "a:bc"), (3, "a:bc:d"), (4, "a:bc:d")] {
            assert_eq!(path("a:bc:d").prefix(depth), path(prefix));
        }
        assert_eq!(Path::root().prefix(0), Path::root());
    }

    #[test]
    fn a_domain_comes_right_before_everything_below_it() {
        let mut paths = ["a-b", "a:b:c", "b", "", "a", "a:b", "a.b", "a:c"].map(path);
        paths.sort();
        let order: Vec<_> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(order, [":", "a", "a:b", "a:b:c", "a:c", "a-b", "a.b", "b"]);
    }

    #[test]
    fn a_domain_contains_itself_and_what_lies_below() {
        for (domain, below, expected) in [
            ("", "a", true),
            ("a", "a", true),
            ("a", "a:b", true),
            ("a", "ab", false),
            ("a:b", "a", false),
            ("", "", true),
        ] {
            assert_eq!(path(domain).contains(&path(below)), expected, "{domain} {below}");
        }
        assert_eq!(path("a:b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(Path::root()));
        assert_eq!(Path::root().parent(), None);
    }
}
