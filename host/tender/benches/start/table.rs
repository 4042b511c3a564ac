//! Tables in Markdown.

use std::time::Duration;

/// Prints a table; the first column is words, all others are figures.
pub(crate) fn print<const COLUMNS: usize>(header: [&str; COLUMNS], rows: impl Iterator<Item = [String; COLUMNS]>) {
    let header = header.map(str::to_owned);
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default().max(3)
    });
    for (index, row) in rows.iter().enumerate() {
        println!("|{}", line(row, &widths));
        if index == 0 {
            let rule = widths.iter().enumerate().map(|(column, &width)| match column {
                0 => format!(" {} |", "-".repeat(width)),
                _ => format!(" {}: |", "-".repeat(width - 1)),
            });
            println!("|{}", rule.collect::<String>());
        }
    }
    println!();
}

fn line<const COLUMNS: usize>(row: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let cells = cells.map(|(column, (cell, &width))| match column {
        0 => format!(" {cell:<width$} |"),
        _ => format!(" {cell:>width$} |"),
    });
    cells.collect()
}

/// Three digits are as many as mean something.
pub(crate) fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 9.995 {
        format!("{ms:.2} ms")
    } else {
        format!("{ms:.1} ms")
    }
}
