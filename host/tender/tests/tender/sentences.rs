//! Every sentence that the library and the program can say of an error, as the sources have it, against a list.
//!
//! Most are provoked by the other tests. Some need a host that nobody has at hand, such as a KVM that fails; they at least do
//! not change unseen.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tender/sentences.txt");

#[test]
fn no_sentence_changes_unseen() {
    let mut sentences = BTreeSet::new();
    for path in files(Path::new(SOURCES)) {
        sentences.extend(sentences_of(&fs::read_to_string(path).unwrap()));
    }
    let list = fs::read_to_string(LIST).unwrap();
    let listed: BTreeSet<_> = list.lines().map(str::to_owned).collect();
    let mut difference = String::new();
    for sentence in sentences.symmetric_difference(&listed) {
        let sign = if sentences.contains(sentence) { '+' } else { '-' };
        writeln!(difference, "{sign} {sentence}").unwrap();
    }
    assert!(
        difference.is_empty(),
        "sentences.txt is not what the sources say:\n{difference}"
    );
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// The format strings of all `#[error("…")]`, also where such an attribute fills several lines.
fn sentences_of(source: &str) -> Vec<String> {
    let attributes = source.split("#[error(").skip(1);
    let quoted = attributes.filter_map(|rest| rest.trim_start().strip_prefix('"'));
    quoted.map(|rest| until_quote(rest).replace('\n', " ")).collect()
}

/// Up to the first quotation mark that is not escaped.
fn until_quote(text: &str) -> &str {
    let mut escaped = false;
    let end = text.find(|character| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    &text[..end.expect("a sentence ends")]
}
