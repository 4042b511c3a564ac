//! The state directory: what lies where.
//!
//! Owns the names of files and directories, and that no unikernel's name can lead out of its place. What is in them is the
//! matter of those who write them.
//!
//! | path | what it is |
//! |---|---|
//! | `ledger.redb` | the ledger; its lock is the daemon's |
//! | `images/SHA256` | an image that some unikernel uses |
//! | `run/u-NAME/console` | the FIFO that the unikernel writes to |
//! | `run/u-NAME/process` | which process runs it |
//! | `fulmar.sock` | the socket, where it is nowhere else |

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path as FilePath, PathBuf};

use fulmar_core::Name;

/// Stands before every unikernel's name: `.` and `..` are names too. With it a name still fits the 255 bytes of a file's.
const PREFIX: &str = "u-";

/// Only the daemon's user looks in.
const MODE: u32 = 0o700;

/// The state directory.
#[derive(Clone, Debug)]
pub struct StateDirectory(PathBuf);

impl StateDirectory {
    /// Opens a state directory, and makes it where there is none.
    ///
    /// # Errors
    /// [`StateError`] where it cannot be made or found.
    pub fn open(path: &FilePath) -> Result<Self, StateError> {
        let made = |path: &FilePath| {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(MODE);
            builder.create(path).map_err(|error| StateError {
                path: path.to_owned(),
                error,
            })
        };
        made(path)?;
        // The tender is started elsewhere, and must find the images all the same.
        let state = Self(fs::canonicalize(path).map_err(|error| StateError {
            path: path.to_owned(),
            error,
        })?);
        made(&state.images())?;
        made(&state.runs())?;
        Ok(state)
    }

    /// The directory itself, from the root of the file system.
    #[must_use]
    pub fn path(&self) -> &FilePath {
        &self.0
    }

    /// The ledger's file.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.0.join("ledger.redb")
    }

    /// The socket, where nobody wants it elsewhere.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("fulmar.sock")
    }

    pub(crate) fn images(&self) -> PathBuf {
        self.0.join("images")
    }

    fn runs(&self) -> PathBuf {
        self.0.join("run")
    }

    /// What belongs to one unikernel while it runs.
    pub(crate) fn run(&self, name: &Name) -> RunDirectory {
        RunDirectory(self.runs().join(format!("{PREFIX}{name}")))
    }

    /// The unikernels that have a run directory, in order. What else lies there was not put there by the daemon, and stays.
    pub(crate) fn run_names(&self) -> io::Result<Vec<Name>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.runs())? {
            let file_name = entry?.file_name();
            match file_name.to_str().and_then(name_of) {
                Some(name) => names.push(name),
                None => tracing::warn!(entry = ?file_name, "the run directory holds what is no unikernel's"),
            }
        }
        names.sort();
        Ok(names)
    }
}

/// The unikernel that a directory belongs to, if its name is written as the daemon writes it.
fn name_of(directory: &str) -> Option<Name> {
    let text = directory.strip_prefix(PREFIX)?;
    let name = text.parse::<Name>().ok()?;
    (name.to_string() == text).then_some(name)
}

/// The directory of one unikernel.
#[derive(Clone, Debug)]
pub(crate) struct RunDirectory(PathBuf);

impl RunDirectory {
    /// Makes it, empty.
    pub(crate) fn make_anew(&self) -> io::Result<()> {
        self.remove()?;
        DirBuilder::new().mode(MODE).create(&self.0)
    }

    /// Removes it with what is in it, if it is there.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(crate) fn console(&self) -> PathBuf {
        self.0.join("console")
    }

    pub(crate) fn process(&self) -> PathBuf {
        self.0.join("process")
    }
}

/// Makes what was created, renamed or removed in a directory survive a power cut.
pub(crate) fn sync_directory(path: &FilePath) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The state directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the state directory `{}` cannot be used: {error}; give another one, or run as a user who may write there", path.display())]
pub struct StateError {
    path: PathBuf,
    error: io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn no_name_leads_out_of_the_run_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(temporary.path()).unwrap();
        for name in [".", "..", "web", "alice:..", "..:..:..", "alice:bob:web.example"] {
            let name: Name = name.parse().unwrap();
            let RunDirectory(path) = state.run(&name);
            assert_eq!(path.parent(), Some(&*state.runs()));
            state.run(&name).make_anew().unwrap();
        }
        let names: Vec<_> = state.run_names().unwrap().iter().map(Name::to_string).collect();
        assert_eq!(
            names,
            [".", "..", "web", "..:..:..", "alice:..", "alice:bob:web.example"]
        );
    }

    #[test]
    fn the_longest_name_is_a_file_name() {
        let label = "a".repeat(63);
        let name: Name = [&*label, &label, &"a".repeat(61), &label].join(":").parse().unwrap();
        let temporary = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(temporary.path()).unwrap();
        state.run(&name).make_anew().unwrap();
        assert_eq!(state.run_names().unwrap(), [name]);
    }

    #[test]
    fn only_names_as_the_daemon_writes_them_are_unikernels() {
        assert_eq!(name_of("u-web"), Some("web".parse().unwrap()));
        for other in ["web", "u-", "u-Web", "u-:web", "u-a b", "lost+found"] {
            assert_eq!(name_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_new_state_directory_is_private() {
        let temporary = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(&temporary.path().join("a/b")).unwrap();
        let mode = fs::metadata(state.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
