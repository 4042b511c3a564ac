//! Built files at the places where others look for them.
//!
//! Owns how a file gets there: whole or not at all, and untouched when nothing changed, because cargo rebuilds what
//! embeds a file as soon as its time changes. Knows nothing of what is in it.

use std::{fs, io, path::Path};

use crate::step::Failure;

/// Makes `to` the same as `from`; `true` when it was not before.
///
/// # Errors
/// When `from` cannot be read or `to` cannot be written.
pub(crate) fn place(from: &Path, to: &Path) -> Result<bool, Failure> {
    let bytes = fs::read(from).map_err(|error| failed("read", from, &error))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(false);
    }
    write_whole(to, &bytes).map_err(|error| failed("write", to, &error))?;
    Ok(true)
}

/// Beside the place first, then renamed: who reads meanwhile sees the old file or the new one.
fn write_whole(to: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = to.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let beside = to.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&beside, bytes)
        .and_then(|()| fs::rename(&beside, to))
        .inspect_err(|_| {
            let _ = fs::remove_file(&beside);
        })
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        format!("cannot {verb} {}: {error}", path.display()),
        "is the disk full, or the folder another user's?",
    )
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use super::place;

    #[test]
    fn only_a_change_touches_the_file() {
        let folder = env::temp_dir().join(format!("fulmar-artifact-{}", process::id()));
        let (from, to) = (folder.join("from"), folder.join("dist/to"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&from, "one").unwrap();

        assert!(place(&from, &to).unwrap());
        let first = fs::metadata(&to).unwrap().modified().unwrap();
        assert!(!place(&from, &to).unwrap());
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), first);

        fs::write(&from, "two").unwrap();
        assert!(place(&from, &to).unwrap());
        assert_eq!(fs::read_to_string(&to).unwrap(), "two");
        assert_eq!(
            fs::read_dir(folder.join("dist")).unwrap().count(),
            1,
            "nothing is left beside it"
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
