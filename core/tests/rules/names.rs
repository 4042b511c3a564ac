//! Texts read as names: random ones, and those that were once read wrongly.

use fulmar_core::Label;
use proptest::prelude::*;

use crate::grammar::{assert_ordered_by_labels, assert_read_as_the_grammar_says};
use crate::world::cases;

/// Out of what names are made of and a little more, so that some are names and the others nearly are.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[abAB0.:_-]{0,12}",
        1 => "(:?[a-c]{1,63}){1,5}:?",
        1 => "([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}",
        1 => "[a-z]{60,70}",
        1 => any::<String>(),
    ]
}

#[test]
fn a_refused_label_is_quoted_without_its_control_characters() {
    // Found by fuzzing: behind a `-` they went to the terminal as they were.
    for text in ["-\u{7f}", "-\n", "-\u{1b}[2J", "a:-\t"] {
        assert_read_as_the_grammar_says(text);
    }
    assert_eq!(
        Label::new("-\u{1b}[2J").unwrap_err().to_string(),
        "the label `-\\u{1b}[2J` begins with `-`: begin with a letter, a digit or `.`"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_text_is_read_as_the_grammar_says(text in text()) {
        assert_read_as_the_grammar_says(&text);
    }

    #[test]
    fn paths_are_ordered_as_lists_of_labels(one in "[ab.:-]{0,6}", other in "[ab.:-]{0,6}") {
        assert_ordered_by_labels(&one, &other);
    }
}
