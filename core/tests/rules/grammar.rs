//! The grammar of names once more, as plainly as possible, and what holds for every text.
//!
//! Shares no code with the readers but their types.

use core::fmt::{Debug, Display};

use fulmar_core::{BlockDevice, Bridge, DeviceName, Label, Mac, Name, NetDevice, Path};

/// Reads a text as everything that has a name: the readers accept what the grammar does and nothing else, and what was read is
/// written so that it is read the same again.
#[track_caller]
pub(crate) fn assert_read_as_the_grammar_says(text: &str) {
    let small = text.to_ascii_lowercase();
    compare(&Label::new(text), is_label(text).then_some(&*small), text);
    compare(&text.parse::<Path>(), path_text(&small), text);
    compare(&text.parse::<Name>(), name_text(&small), text);
    compare(&Bridge::new(text), is_bridge(text).then_some(text), text);
    compare(&DeviceName::new(text), is_device(text).then_some(text), text);
    compare(&text.parse::<Mac>(), is_mac(text).then_some(&*small), text);
    read_again(text);
    assert_parts(text);
}

/// Two texts that are paths are ordered, and contain each other, as lists of their labels do.
#[track_caller]
pub(crate) fn assert_ordered_by_labels(one: &str, other: &str) {
    let (Ok(one), Ok(other)) = (one.parse::<Path>(), other.parse::<Path>()) else {
        return;
    };
    let (labels, others): (Vec<_>, Vec<_>) = (one.labels().collect(), other.labels().collect());
    assert_eq!(one.cmp(&other), labels.cmp(&others), "{one} and {other}");
    assert_eq!(one.contains(&other), others.starts_with(&labels), "{one} and {other}");
    assert_eq!(other.contains(&one), labels.starts_with(&others), "{one} and {other}");
}

/// A reader's answer is what the grammar says the text is, in its written form. An error is one line.
#[track_caller]
fn compare<T: Display, E: Display>(read: &Result<T, E>, expected: Option<&str>, text: &str) {
    let kind = core::any::type_name::<T>();
    let written = read.as_ref().ok().map(T::to_string);
    assert_eq!(written.as_deref(), expected, "{text:?} as {kind}");
    if let Err(error) = read {
        let sentence = error.to_string();
        assert!(!sentence.contains(char::is_control), "{text:?} as {kind}: {sentence:?}");
    }
}

/// What is written is read the same again, through the conversions of messages as well.
#[track_caller]
fn read_again(text: &str) {
    fn check<T, E>(read: Result<T, E>)
    where
        T: Clone + Debug + Display + PartialEq + TryFrom<String, Error = E> + Into<String>,
        E: Debug,
    {
        if let Ok(value) = read {
            let text: String = value.clone().into();
            assert_eq!(text, value.to_string());
            assert_eq!(T::try_from(text).unwrap(), value);
        }
    }
    check(Label::try_from(text.to_owned()));
    check(Path::try_from(text.to_owned()));
    check(Name::try_from(text.to_owned()));
    check(Bridge::try_from(text.to_owned()));
    check(DeviceName::try_from(text.to_owned()));
    check(Mac::try_from(text.to_owned()));
}

/// Paths and names are their parts, and devices that are called the same on both sides are what the host's side allows.
#[track_caller]
fn assert_parts(text: &str) {
    if let Ok(path) = text.parse::<Path>() {
        let labels: Vec<_> = path.labels().map(|label| Label::new(label).unwrap()).collect();
        let joined = labels.iter().try_fold(Path::root(), |above, label| above.child(label));
        assert_eq!(joined, Ok(path.clone()));
        let above = labels.split_last().map(|(_, above)| above.iter().map(Label::as_str));
        let parent = path.parent();
        assert_eq!(
            parent.as_ref().map(|parent| parent.labels().collect::<Vec<_>>()),
            above.map(Iterator::collect)
        );
        assert_eq!(path.is_root(), labels.is_empty());
    }
    if let Ok(name) = text.parse::<Name>() {
        assert_eq!(Name::new(name.domain().clone(), name.label().clone()), name);
        assert_eq!(name.sibling(name.label()), name);
    }
    if let Ok(device) = DeviceName::new(text) {
        let block = BlockDevice::same_name(device.clone()).map(|block| block.host.to_string());
        assert_eq!(block.ok(), is_label(text).then(|| text.to_ascii_lowercase()));
        let net = NetDevice::same_name(device).map(|net| net.bridge.to_string());
        assert_eq!(net.ok(), is_bridge(text).then(|| text.to_owned()));
    }
}

/// How the path is written, if it is one. One colon in front and one behind may be left out.
fn path_text(text: &str) -> Option<&str> {
    if text.is_empty() || text == ":" {
        return Some(":");
    }
    let inner = text.strip_prefix(':').unwrap_or(text);
    let inner = inner.strip_suffix(':').unwrap_or(inner);
    (inner.len() <= 189 && inner.split(':').all(is_label)).then_some(inner)
}

/// How the name is written, if it is one. The colon in front may be left out.
fn name_text(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(':').unwrap_or(text);
    let domain_bytes = inner.rfind(':').unwrap_or(0);
    (domain_bytes <= 189 && inner.split(':').all(is_label)).then_some(inner)
}

fn is_label(text: &str) -> bool {
    is_made_of(text, 63, "-.") && !text.starts_with('-')
}

fn is_bridge(text: &str) -> bool {
    is_made_of(text, 15, "-._") && !text.starts_with(['-', '.'])
}

fn is_device(text: &str) -> bool {
    is_made_of(text, 67, "")
}

fn is_mac(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    parts.len() == 6
        && parts
            .iter()
            .all(|part| part.len() == 2 && part.chars().all(|digit| digit.is_ascii_hexdigit()))
}

/// Letters, figures and these, 1 to `bytes_max` of them.
fn is_made_of(text: &str, bytes_max: usize, others: &str) -> bool {
    let alphabet = |c: char| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9') || others.contains(c);
    !text.is_empty() && text.len() <= bytes_max && text.chars().all(alphabet)
}
