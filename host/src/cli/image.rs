//! Reading an image from a file, before it is sent.
//!
//! Owns that what cannot be an image is told without asking the daemon. What an image holds is not looked at: the daemon does.

use std::fs;
use std::io;
use std::path::Path;

use fulmar::api::IMAGE_BYTES_MAX;
use fulmar::door::{Code, Problem};

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let unreadable = |error: io::Error| {
        let sentence = format!("cannot read the image `{}`: {error}", path.display());
        Problem::new(Code::Invalid, sentence)
    };
    // Before it is opened: a pipe would keep whoever opens it waiting.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("it is no file")));
    }
    if metadata.len() > IMAGE_BYTES_MAX as u64 {
        return Err(too_large(path, metadata.len()));
    }
    fs::read(path).map_err(unreadable)
}

fn too_large(path: &Path, bytes: u64) -> Problem {
    let sentence = format!(
        "the image `{}` has {bytes} bytes, at most {IMAGE_BYTES_MAX} are taken: strip its debug symbols",
        path.display()
    );
    Problem::new(Code::TooLarge, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_by_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("web.spt");
        assert_eq!(
            read(&missing).unwrap_err().message,
            format!(
                "cannot read the image `{}`: No such file or directory (os error 2)",
                missing.display()
            )
        );
        assert_eq!(
            read(dir.path()).unwrap_err().message,
            format!("cannot read the image `{}`: it is no file", dir.path().display())
        );
    }

    #[test]
    fn an_image_beyond_the_bound_is_not_even_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(IMAGE_BYTES_MAX as u64 + 1).unwrap();
        let problem = read(file.path()).unwrap_err();
        assert_eq!(problem.code, Code::TooLarge);
        assert_eq!(
            problem.message,
            format!(
                "the image `{}` has 134217729 bytes, at most 134217728 are taken: strip its debug symbols",
                file.path().display()
            )
        );
    }
}
