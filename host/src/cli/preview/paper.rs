//! What a preview is drawn on: which characters there are, and whether there are colours.
//!
//! Owns the glyphs, their ASCII stand-ins, and the terminal's codes. What is drawn is not known here.

use std::env;
use std::io::{self, IsTerminal};

/// What can be drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper {
    pub(super) is_unicode: bool,
    pub(super) is_coloured: bool,
}

/// What a colour says. Everything that it says is also said in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Full,
    Faint,
    Strong,
}

impl Paper {
    /// What the person at standard output can see.
    pub(super) fn of_stdout() -> Self {
        let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
        // In the order in which the C library asks.
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        let is_dumb = set("TERM").is_some_and(|term| term == "dumb");
        Self {
            is_unicode: locale.is_some_and(|locale| is_utf8(&locale)),
            // https://no-color.org
            is_coloured: io::stdout().is_terminal() && !is_dumb && set("NO_COLOR").is_none(),
        }
    }

    /// The first of them, or its stand-in.
    pub(super) fn glyph<'g>(self, unicode: &'g str, ascii: &'g str) -> &'g str {
        if self.is_unicode { unicode } else { ascii }
    }

    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.is_coloured || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Full => "33",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A bar of `width` characters, of which the share `used` / `limit` is filled, to the eighth of a character. It looks empty only
    /// where nothing is used, and full only where nothing is left.
    pub(super) fn bar(self, used: u64, limit: u64, width: usize) -> String {
        let parts = if self.is_unicode { 8 } else { 1 };
        let filled = filled(used, limit, width * parts);
        let (whole, part) = (filled / parts, filled % parts);
        let mut bar = self.glyph("█", "#").repeat(whole);
        if part > 0 {
            bar.push(['▏', '▎', '▍', '▌', '▋', '▊', '▉'][part - 1]);
        }
        let rest = width - whole - usize::from(part > 0);
        let tone = if used >= limit && used > 0 {
            if used > limit { Tone::Bad } else { Tone::Full }
        } else {
            Tone::Good
        };
        self.paint(tone, &bar) + &self.paint(Tone::Faint, &self.glyph("░", ".").repeat(rest))
    }
}

fn is_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// How many of `cells` are filled.
fn filled(used: u64, limit: u64, cells: usize) -> usize {
    if used == 0 {
        return 0;
    }
    if used >= limit {
        return cells;
    }
    let share = u128::from(used) * cells as u128 / u128::from(limit);
    let share = usize::try_from(share).unwrap_or(cells);
    share.max(1).min(cells - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNICODE: Paper = Paper {
        is_unicode: true,
        is_coloured: false,
    };
    const ASCII: Paper = Paper {
        is_unicode: false,
        is_coloured: false,
    };

    #[test]
    fn a_bar_is_filled_by_its_share() {
        for (used, limit, unicode, ascii) in [
            (0, 0, "░░░░", "...."),
            (0, 8, "░░░░", "...."),
            (1, 1_000_000, "▏░░░", "#..."),
            (3, 8, "█▌░░", "#..."),
            (4, 8, "██░░", "##.."),
            (999_999, 1_000_000, "███▉", "###."),
            (8, 8, "████", "####"),
            (9, 8, "████", "####"),
            (1, 0, "████", "####"),
            (u64::MAX - 1, u64::MAX, "███▉", "###."),
        ] {
            assert_eq!(UNICODE.bar(used, limit, 4), unicode, "{used} of {limit}");
            assert_eq!(ASCII.bar(used, limit, 4), ascii, "{used} of {limit}");
        }
    }

    #[test]
    fn colours_surround_what_they_colour() {
        let coloured = Paper {
            is_coloured: true,
            ..UNICODE
        };
        assert_eq!(coloured.paint(Tone::Bad, "no"), "\u{1b}[31mno\u{1b}[0m");
        assert_eq!(coloured.paint(Tone::Bad, ""), "");
        assert_eq!(coloured.bar(1, 2, 2), "\u{1b}[32m█\u{1b}[0m\u{1b}[2m░\u{1b}[0m");
    }

    #[test]
    fn a_locale_says_whether_it_is_utf8() {
        for (locale, is) in [
            ("de_DE.UTF-8", true),
            ("C.utf8", true),
            ("C", false),
            ("de_DE@euro", false),
        ] {
            assert_eq!(is_utf8(locale), is, "{locale}");
        }
    }
}
