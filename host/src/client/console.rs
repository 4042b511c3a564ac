//! Reading a console: the answer's bytes to lines, as they come.
//!
//! Owns the bound of one line. Whether it was followed, and when it ends, is the daemon's matter.

use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::ClientError;
use crate::door::ConsoleRecord;

/// The longest line, as JSON: far above what the daemon keeps of one.
const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// The lines of a console. They end with the last one kept; followed, with the unikernel.
#[derive(Debug)]
pub struct ConsoleReader {
    body: Incoming,
    /// What came and was not yet handed out: at most one line that is not complete, behind complete ones.
    unread: Vec<u8>,
    /// How much of `unread` was handed out.
    read: usize,
}

impl ConsoleReader {
    pub(super) fn new(body: Incoming) -> Self {
        Self {
            body,
            unread: Vec::new(),
            read: 0,
        }
    }

    /// The next line, once there is one; `None` when there will be no more.
    ///
    /// # Errors
    /// [`ClientError::Lost`] where the daemon went away, [`ClientError::Gibberish`] where it is none.
    pub async fn next(&mut self) -> Result<Option<ConsoleRecord>, ClientError> {
        loop {
            if let Some(length) = self.rest().iter().position(|byte| *byte == b'\n') {
                let record = serde_json::from_slice(&self.rest()[..length]);
                self.read += length + 1;
                return record
                    .map(Some)
                    .map_err(|error| ClientError::Gibberish(error.to_string()));
            }
            if !self.receive().await? {
                return Ok(None);
            }
        }
    }

    fn rest(&self) -> &[u8] {
        &self.unread[self.read..]
    }

    /// Waits for more bytes; `false` at the end.
    async fn receive(&mut self) -> Result<bool, ClientError> {
        self.unread.drain(..self.read);
        self.read = 0;
        if self.unread.len() > RECORD_BYTES_MAX {
            let sentence = format!("a line of more than {RECORD_BYTES_MAX} bytes");
            return Err(ClientError::Gibberish(sentence));
        }
        let Some(frame) = self.body.frame().await else {
            return Ok(false);
        };
        if let Ok(bytes) = frame?.into_data() {
            self.unread.extend_from_slice(&bytes);
        }
        Ok(true)
    }
}
