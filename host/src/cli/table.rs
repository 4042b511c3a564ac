//! Tables: rows of text in columns, two blanks apart.
//!
//! Owns the widths. What stands in a column is not looked at.

/// Lays out a heading and rows of as many cells. No line ends with blanks.
pub(super) fn layout<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let heading = heading.map(str::to_owned);
    let lines = || std::iter::once(&heading).chain(rows);
    let mut widths = [0; N];
    for line in lines() {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    lines().map(|line| aligned(line, &widths)).collect()
}

fn aligned(line: &[String], widths: &[usize]) -> String {
    let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    let mut text = cells.collect::<Vec<_>>().join("  ");
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["ä".to_owned(), "long".to_owned()], ["bcd".to_owned(), String::new()]];
        assert_eq!(layout(["A", "B"], &rows), "A    B\nä    long\nbcd\n");
    }
}
