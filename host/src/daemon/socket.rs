//! The socket's file.
//!
//! Owns who may open it, and that a daemon that listens is never pushed aside: only the file of one that is gone is replaced.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path as FilePath, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use tokio::net::UnixListener;

/// The longest path of a socket, in bytes: the system keeps it in 108, the last one 0.
const PATH_BYTES_MAX: usize = 107;

/// The daemon's user and group may ask for anything, others for nothing.
const MODE: u32 = 0o660;

/// How many callers may wait to be accepted; as the standard library has it.
const BACKLOG: i32 = 128;

/// The path of the daemon's socket.
#[derive(Debug)]
pub(super) struct Socket(PathBuf);

impl Socket {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &FilePath {
        &self.0
    }

    /// Listens.
    pub(super) fn listen(&self) -> Result<UnixListener, SocketError> {
        let bytes = self.0.as_os_str().len();
        if bytes > PATH_BYTES_MAX {
            return Err(SocketError::TooLong {
                path: self.0.clone(),
                bytes,
            });
        }
        self.clear()?;
        self.open().map_err(|error| self.failed(error))
    }

    /// Removes what a daemon that is gone has left.
    fn clear(&self) -> Result<(), SocketError> {
        match fs::symlink_metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed(error)),
            Ok(file) if !file.file_type().is_socket() => return Err(SocketError::NoSocket { path: self.0.clone() }),
            Ok(_) => {}
        }
        match UnixStream::connect(&self.0) {
            Ok(_) => Err(SocketError::InUse { path: self.0.clone() }),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(&self.0).map_err(|error| self.failed(error))
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Nobody can connect before `listen`, so nobody can before the mode is right.
    fn open(&self) -> io::Result<UnixListener> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        bind(&socket, &SocketAddrUnix::new(&*self.0)?)?;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(MODE))?;
        listen(&socket, BACKLOG)?;
        UnixListener::from_std(socket.into())
    }

    /// Removes the file, when nobody listens any more.
    pub(super) fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(%error, "cannot remove the socket");
        }
    }

    fn failed(&self, error: io::Error) -> SocketError {
        SocketError::System {
            path: self.0.clone(),
            error,
        }
    }
}

/// Why the daemon cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Longer than the system allows.
    #[error("the socket's path `{}` is {bytes} bytes long, at most {PATH_BYTES_MAX} can be: give a shorter one with `--socket`", path.display())]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// Another daemon is there.
    #[error("another daemon is listening on `{}`: stop it, or give another path with `--socket`", path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// A file is there.
    #[error("`{}` is there and is no socket: remove it, or give another path with `--socket`", path.display())]
    NoSocket {
        /// The path.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot listen on `{}`: {error}", path.display())]
    System {
        /// The path.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_directory() -> (tempfile::TempDir, Socket) {
        let directory = tempfile::tempdir().unwrap();
        let socket = Socket::new(directory.path().join("fulmar.sock"));
        (directory, socket)
    }

    fn refusal(socket: &Socket) -> String {
        let message = socket.listen().expect_err("it cannot listen").to_string();
        message.replace(socket.path().to_str().unwrap(), "SOCKET")
    }

    #[tokio::test]
    async fn the_daemons_user_and_group_may_ask() {
        let (_directory, socket) = in_directory();
        let _listener = socket.listen().unwrap();
        let mode = fs::metadata(socket.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        UnixStream::connect(socket.path()).unwrap();
    }

    #[tokio::test]
    async fn a_daemon_that_listens_is_not_pushed_aside_and_one_that_is_gone_is_replaced() {
        let (_directory, socket) = in_directory();
        let listener = socket.listen().unwrap();
        assert_eq!(
            refusal(&socket),
            "another daemon is listening on `SOCKET`: stop it, or give another path with `--socket`"
        );
        drop(listener);
        assert!(socket.path().exists());
        socket.listen().unwrap();
    }

    #[tokio::test]
    async fn a_file_is_not_replaced() {
        let (_directory, socket) = in_directory();
        fs::write(socket.path(), "a letter").unwrap();
        assert_eq!(
            refusal(&socket),
            "`SOCKET` is there and is no socket: remove it, or give another path with `--socket`"
        );
        assert_eq!(fs::read_to_string(socket.path()).unwrap(), "a letter");
    }

    #[tokio::test]
    async fn a_path_may_have_107_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let rest = PATH_BYTES_MAX - directory.path().as_os_str().len() - 1;
        Socket::new(directory.path().join("s".repeat(rest))).listen().unwrap();
        let longer = Socket::new(directory.path().join("s".repeat(rest + 1)));
        assert_eq!(
            refusal(&longer),
            "the socket's path `SOCKET` is 108 bytes long, at most 107 can be: give a shorter one with `--socket`"
        );
    }
}
