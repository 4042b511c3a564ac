//! The images: files named by the SHA-256 of what is in them, each written once.
//!
//! Owns that a file of that name is whole and is what its name says. Who uses which image is the steward's knowledge.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::state::sync_directory;

/// Tells apart the files that are being written at the same time. Only one daemon writes here.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The SHA-256 of an image: 64 hexadecimal digits, in small letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageDigest(String);

impl ImageDigest {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for ImageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ImageDigest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(digit) {
            Ok(Self(text))
        } else {
            Err(format!("`{}` is no SHA-256", text.escape_debug()))
        }
    }
}

impl From<ImageDigest> for String {
    fn from(digest: ImageDigest) -> Self {
        digest.0
    }
}

/// The directory of images.
#[derive(Clone, Debug)]
pub(crate) struct Images(PathBuf);

impl Images {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    /// Where the image of this digest is.
    pub(crate) fn path(&self, digest: &ImageDigest) -> PathBuf {
        self.0.join(&digest.0)
    }

    /// Writes an image, unless it is there already. Afterwards it survives a power cut.
    pub(crate) fn keep(&self, digest: &ImageDigest, bytes: &[u8]) -> io::Result<()> {
        // The same length and yet other bytes: then the disk lost some of them, and they are written again.
        if self.size(digest)? == Some(bytes.len() as u64) && fs::read(self.path(digest))? == bytes {
            return Ok(());
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.0.join(format!(".{digest}.{number}"));
        let written = self.write(&unfinished, digest, bytes);
        if written.is_err() {
            // The reason why it could not be written is the one worth telling.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn size(&self, digest: &ImageDigest) -> io::Result<Option<u64>> {
        match fs::metadata(self.path(digest)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, unfinished: &FilePath, digest: &ImageDigest, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file: File = options.write(true).create_new(true).mode(0o400).open(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(unfinished, self.path(digest))?;
        sync_directory(&self.0)
    }

    /// Reads an image, and makes sure that it is the one.
    pub(crate) fn read(&self, digest: &ImageDigest) -> io::Result<Vec<u8>> {
        let bytes = fs::read(self.path(digest))?;
        if ImageDigest::of(&bytes) != *digest {
            return Err(io::Error::other("its content is not what was written there"));
        }
        Ok(bytes)
    }

    /// Removes an image, if it is there.
    pub(crate) fn remove(&self, digest: &ImageDigest) -> io::Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes everything that is not one of the images in use: also what was being written when the daemon was killed.
    pub(crate) fn remove_all_but(&self, is_used: impl Fn(&ImageDigest) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !ImageDigest::try_from(name).is_ok_and(|digest| is_used(&digest)) {
                tracing::info!(file = ?entry.file_name(), "removed an image that nobody uses");
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(directory: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_image_is_written_once_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let images = Images::new(directory.path().to_owned());
        let digest = ImageDigest::of(b"");
        assert_eq!(
            digest.to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        images.keep(&digest, b"").unwrap();
        images.keep(&digest, b"").unwrap();
        assert_eq!(files(&directory), [digest.to_string()]);
        assert_eq!(images.read(&digest).unwrap(), b"");
        images.remove(&digest).unwrap();
        images.remove(&digest).unwrap();
        assert_eq!(files(&directory), [""; 0]);
    }

    #[test]
    fn an_image_that_the_disk_lost_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let images = Images::new(directory.path().to_owned());
        let digest = ImageDigest::of(b"whole");
        fs::write(images.path(&digest), b"whale").unwrap();
        assert_eq!(
            images.read(&digest).unwrap_err().to_string(),
            "its content is not what was written there"
        );
        images.keep(&digest, b"whole").unwrap();
        assert_eq!(images.read(&digest).unwrap(), b"whole");
    }

    #[test]
    fn what_nobody_uses_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let images = Images::new(directory.path().to_owned());
        let [used, unused] = [b"used".as_slice(), b"unused"].map(|bytes| {
            let digest = ImageDigest::of(bytes);
            images.keep(&digest, bytes).unwrap();
            digest
        });
        fs::write(directory.path().join(format!(".{unused}.0")), b"unu").unwrap();
        images.remove_all_but(|digest| *digest == used).unwrap();
        assert_eq!(files(&directory), [used.to_string()]);
    }

    #[test]
    fn a_digest_is_no_path() {
        assert!(ImageDigest::try_from("../".repeat(21) + "a").is_err());
        assert!(ImageDigest::try_from("A".repeat(64)).is_err());
    }
}
