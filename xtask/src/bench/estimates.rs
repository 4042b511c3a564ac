//! What criterion found out, as a table.
//!
//! Owns which operations and worlds there are, and their order; they are `core/benches/times.rs`'s. Measures nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde_json::Value;

use crate::step::Failure;

const OPERATIONS: [&str; 7] = [
    "check",
    "refuse",
    "insert and remove",
    "insert_policy",
    "headroom",
    "how_many_fit",
    "plan of ten",
];
const LAYOUTS: [&str; 2] = ["one domain", "spread"];
const COUNTS: [u32; 4] = [10, 1_000, 100_000, 1_000_000];

/// How long one operation takes in one world.
#[derive(Debug, PartialEq)]
pub(super) struct Estimate {
    /// Such as `spread, 1000`.
    world: String,
    operation: String,
    median_ns: f64,
    /// How far the median's confidence interval (95 %) reaches to its farther side, as a part of the median.
    uncertainty: f64,
}

/// Every estimate below `folder` that was written since `since`: a benchmark that is no more leaves its last behind.
///
/// # Errors
/// When one cannot be read or understood.
pub(super) fn read(folder: &Path, since: SystemTime) -> Result<Vec<Estimate>, Failure> {
    let mut estimates = Vec::new();
    for measured in newest(folder).map_err(|error| unreadable(folder, &error))? {
        let file = measured.join("estimates.json");
        let written = fs::metadata(&file).and_then(|file| file.modified());
        if written.map_err(|error| unreadable(&file, &error))? < since {
            continue;
        }
        let text = |name| {
            let path = measured.join(name);
            fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))
        };
        let estimate = parse(&text("benchmark.json")?, &text("estimates.json")?);
        estimates.push(estimate.ok_or_else(|| unreadable(&file, &io::ErrorKind::InvalidData.into()))?);
    }
    Ok(estimates)
}

/// Every `WORLD/OPERATION/new` below the folder.
fn newest(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for world in fs::read_dir(folder)? {
        let world = world?.path();
        if world.is_dir() {
            for operation in fs::read_dir(world)? {
                let new = operation?.path().join("new");
                found.extend(new.join("estimates.json").exists().then_some(new));
            }
        }
    }
    Ok(found)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("criterion's {}: {error}", path.display()),
        "remove criterion's folder and measure again",
    )
}

fn parse(benchmark: &str, estimates: &str) -> Option<Estimate> {
    let benchmark: Value = serde_json::from_str(benchmark).ok()?;
    let estimates: Value = serde_json::from_str(estimates).ok()?;
    let median = &estimates["median"];
    let interval = &median["confidence_interval"];
    let (median_ns, lower, upper) = (
        median["point_estimate"].as_f64()?,
        interval["lower_bound"].as_f64()?,
        interval["upper_bound"].as_f64()?,
    );
    Some(Estimate {
        world: benchmark["group_id"].as_str()?.to_owned(),
        operation: benchmark["function_id"].as_str()?.to_owned(),
        median_ns,
        uncertainty: (median_ns - lower).max(upper - median_ns) / median_ns,
    })
}

/// The medians in Markdown: a row for each operation, a column for each world.
///
/// # Errors
/// When one is missing.
pub(super) fn table(estimates: &[Estimate]) -> Result<String, Failure> {
    let worlds = || {
        LAYOUTS
            .into_iter()
            .flat_map(|layout| COUNTS.map(|count| (layout, count)))
    };
    let mut header = vec!["median".to_owned()];
    header.extend(worlds().map(|(layout, count)| format!("{layout}, {}", grouped(count))));
    let mut rows = vec![header];
    for operation in OPERATIONS {
        let mut row = vec![operation.to_owned()];
        for (layout, count) in worlds() {
            let world = format!("{layout}, {count}");
            let estimate = estimates
                .iter()
                .find(|estimate| estimate.operation == operation && estimate.world == world)
                .ok_or_else(|| missing(operation, &world))?;
            row.push(duration(estimate.median_ns));
        }
        rows.push(row);
    }
    Ok(markdown(&rows))
}

fn missing(operation: &str, world: &str) -> Failure {
    Failure::new(
        format!("`{operation}` was not measured in the world `{world}`"),
        "do xtask/src/bench/estimates.rs and core/benches/times.rs name the same?",
    )
}

/// How far the figures may be trusted.
pub(super) fn noise(estimates: &[Estimate]) -> String {
    let mut sorted: Vec<_> = estimates.iter().collect();
    sorted.sort_by(|one, other| one.uncertainty.total_cmp(&other.uncertainty));
    match (sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(typical), Some(worst)) => format!(
            "the medians are within {:.0} %, {} in `{}` within {:.0} % (95 % confidence)",
            typical.uncertainty * 100.0,
            worst.operation,
            worst.world,
            worst.uncertainty * 100.0
        ),
        _ => "nothing was measured".to_owned(),
    }
}

/// Three digits are as many as mean something.
fn duration(ns: f64) -> String {
    if ns < 999.5 {
        format!("{ns:.0} ns")
    } else if ns < 9_995.0 {
        format!("{:.2} µs", ns / 1e3)
    } else if ns < 99_950.0 {
        format!("{:.1} µs", ns / 1e3)
    } else {
        format!("{:.0} µs", ns / 1e3)
    }
}

fn grouped(count: u32) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The first row is the header; the first column is words, all others are figures.
fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let rule: Vec<_> = (0..columns)
        .map(|column| match column {
            0 => "-".repeat(widths[0]),
            _ => format!("{}:", "-".repeat(widths[column] - 1)),
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!(" {cell:<width$} |"),
                _ => format!(" {cell:>width$} |"),
            });
        format!("|{}\n", cells.collect::<String>())
    };
    let (header, body) = rows.split_at(rows.len().min(1));
    header.iter().chain([&rule]).chain(body).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(world: &str, operation: &str, median_ns: f64) -> Estimate {
        Estimate {
            world: world.to_owned(),
            operation: operation.to_owned(),
            median_ns,
            uncertainty: 0.0,
        }
    }

    fn all() -> Vec<Estimate> {
        let worlds = LAYOUTS
            .into_iter()
            .flat_map(|layout| COUNTS.map(|count| format!("{layout}, {count}")));
        worlds
            .flat_map(|world| OPERATIONS.map(|operation| estimate(&world, operation, 84.4)))
            .collect()
    }

    #[test]
    fn criterions_files_are_understood() {
        let benchmark = r#"{"group_id":"spread, 10","function_id":"check","value_str":null,"throughput":null}"#;
        let estimates = r#"{"mean":{"point_estimate":211.7},"median":{"confidence_interval":
            {"confidence_level":0.95,"lower_bound":150.0,"upper_bound":170.0},"point_estimate":160.0}}"#;
        assert_eq!(
            parse(benchmark, estimates),
            Some(Estimate {
                uncertainty: 0.0625,
                ..estimate("spread, 10", "check", 160.0)
            })
        );
        assert_eq!(parse(benchmark, r#"{"mean":{"point_estimate":211.7}}"#), None);
        assert_eq!(parse("{}", estimates), None);
    }

    #[test]
    fn every_operation_is_a_row_and_every_world_a_column() {
        let table = table(&all()).unwrap();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 2 + OPERATIONS.len());
        assert_eq!(
            lines[0],
            "| median            | one domain, 10 | one domain, 1,000 | one domain, 100,000 | one domain, 1,000,000 | \
             spread, 10 | spread, 1,000 | spread, 100,000 | spread, 1,000,000 |"
        );
        assert!(
            lines[1].starts_with("| ----------------- | -------------: |"),
            "{}",
            lines[1]
        );
        assert!(
            lines[2].starts_with("| check             |          84 ns |"),
            "{}",
            lines[2]
        );
    }

    #[test]
    fn a_figure_that_is_missing_is_named() {
        let mut estimates = all();
        estimates.retain(|estimate| (&*estimate.operation, &*estimate.world) != ("headroom", "spread, 1000"));
        assert!(
            table(&estimates)
                .unwrap_err()
                .to_string()
                .starts_with("`headroom` was not measured in the world `spread, 1000`: ")
        );
    }

    #[test]
    fn durations_have_three_digits_at_most() {
        for (ns, said) in [
            (84.44, "84 ns"),
            (999.4, "999 ns"),
            (999.6, "1.00 µs"),
            (6_059.0, "6.06 µs"),
            (12_345.0, "12.3 µs"),
            (1_500_000.0, "1500 µs"),
        ] {
            assert_eq!(duration(ns), said);
        }
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(
            COUNTS.map(grouped),
            ["10", "1,000", "100,000", "1,000,000"].map(str::to_owned)
        );
    }

    #[test]
    fn the_noise_is_the_typical_and_the_worst() {
        let mut estimates = vec![
            estimate("a", "x", 1.0),
            estimate("b", "y", 1.0),
            estimate("c", "z", 1.0),
        ];
        estimates[0].uncertainty = 0.2;
        estimates[1].uncertainty = 0.03;
        assert_eq!(
            noise(&estimates),
            "the medians are within 3 %, x in `a` within 20 % (95 % confidence)"
        );
        assert_eq!(noise(&[]), "nothing was measured");
    }

    #[test]
    fn what_an_earlier_run_has_left_is_not_read() {
        let folder = std::env::temp_dir().join(format!("fulmar-estimates-{}", std::process::id()));
        let new = folder.join("spread, 10/check/new");
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join("benchmark.json"), "not read").unwrap();
        fs::write(new.join("estimates.json"), "not read").unwrap();

        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(read(&folder, later).unwrap(), []);
        assert!(read(&folder, SystemTime::UNIX_EPOCH).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
