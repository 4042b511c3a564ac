//! The client: asks a daemon over its Unix socket, by the HTTP interface.
//!
//! Owns the requests' bytes, and what is said where no daemon answers. Prints nothing; what a problem means for the caller is
//! the caller's affair.

mod console;
mod form;

use std::io;
use std::path::{Path as FilePath, PathBuf};

use axum::body::Bytes;
use fulmar_core::protocol::Snapshot;
use fulmar_core::{Name, Path, Policy};
use fulmar_wasm::codec::{self, Encoding};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::net::UnixStream;

use crate::api::{PolicyInfo, Selection, UnikernelConfig, UnikernelInfo};
use crate::door::{Code, Policies, Problem, ProblemBody, Unikernels};

pub use console::ConsoleReader;

/// The largest answer that is read, in bytes: some 100,000 unikernels. A console is read line by line.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

const JSON: &str = "application/json";

/// Asks the daemon behind a socket. Every request has a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the daemon that listens at this socket.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// Gives a domain a policy, in place of the one it has.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn add_policy(&self, domain: &Path, policy: &Policy) -> Result<(), ClientError> {
        let request = request(Method::PUT, &format!("/v1/policies/{domain}"), JSON, json(policy));
        self.done(request).await
    }

    /// Takes a domain's policy away.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn remove_policy(&self, domain: &Path) -> Result<(), ClientError> {
        self.done(empty(Method::DELETE, &format!("/v1/policies/{domain}")))
            .await
    }

    /// The policies of a domain and everything below it.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn policies(&self, domain: &Path) -> Result<Vec<PolicyInfo>, ClientError> {
        let request = empty(Method::GET, &format!("/v1/policies?at={domain}"));
        let Policies { policies } = self.ask(request).await?;
        Ok(policies)
    }

    /// Creates and starts a unikernel.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn create(
        &self,
        name: &Name,
        config: &UnikernelConfig,
        image: &[u8],
    ) -> Result<UnikernelInfo, ClientError> {
        let form = form::Form::new(&json(config), image);
        let request = request(
            Method::PUT,
            &format!("/v1/unikernels/{name}"),
            &form.content_type,
            form.body,
        );
        self.ask(request).await
    }

    /// Ends a unikernel and forgets it.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn destroy(&self, name: &Name) -> Result<(), ClientError> {
        self.done(empty(Method::DELETE, &format!("/v1/unikernels/{name}")))
            .await
    }

    /// The selected unikernels.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn unikernels(&self, selection: &Selection) -> Result<Vec<UnikernelInfo>, ClientError> {
        let request = empty(Method::GET, &format!("/v1/unikernels?at={selection}"));
        let Unikernels { unikernels } = self.ask(request).await?;
        Ok(unikernels)
    }

    /// The last `lines` of a unikernel's console, all that are kept where there is no number; and with `follow` those to come.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn console(&self, name: &Name, follow: bool, lines: Option<usize>) -> Result<ConsoleReader, ClientError> {
        let lines = lines.map_or_else(String::new, |lines| format!("&lines={lines}"));
        let request = empty(
            Method::GET,
            &format!("/v1/unikernels/{name}/console?follow={follow}{lines}"),
        );
        Ok(ConsoleReader::new(self.send(request).await?.into_body()))
    }

    /// Everything that the daemon's tree of resources holds.
    ///
    /// # Errors
    /// [`ClientError`], as for every request.
    pub async fn snapshot(&self) -> Result<Snapshot, ClientError> {
        let body = collect(self.send(empty(Method::GET, "/v1/snapshot")).await?).await?;
        codec::decode(&body, Encoding::Bincode).map_err(|error| ClientError::Gibberish(error.to_string()))
    }

    async fn done(&self, request: Request<Full<Bytes>>) -> Result<(), ClientError> {
        let IgnoredAny = self.ask(request).await?;
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(&self, request: Request<Full<Bytes>>) -> Result<T, ClientError> {
        let body = collect(self.send(request).await?).await?;
        serde_json::from_slice(&body).map_err(|error| ClientError::Gibberish(error.to_string()))
    }

    /// Sends a request; hears a problem, or the answer up to its body.
    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError> {
        let response = self.connect().await?.send_request(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = collect(response).await?;
        match serde_json::from_slice::<ProblemBody>(&body) {
            Ok(ProblemBody { error }) => Err(ClientError::Problem(error)),
            Err(_) => Err(ClientError::Gibberish(format!("the status {status}"))),
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let unreachable = |error| ClientError::Unreachable {
            socket: self.socket.clone(),
            error,
        };
        let stream = UnixStream::connect(&self.socket).await.map_err(unreachable)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // What goes wrong on the connection is heard where its answer is awaited.
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn collect(response: Response<Incoming>) -> Result<Bytes, ClientError> {
    match Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ClientError::Gibberish(format!("more than {ANSWER_BYTES_MAX} bytes")))
        }
        Err(error) => Err(ClientError::Lost(error.to_string())),
    }
}

fn empty(method: Method, path: &str) -> Request<Full<Bytes>> {
    request(method, path, JSON, Vec::new())
}

fn request(method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "fulmar")
        .header(CONTENT_TYPE, content_type)
        .body(Full::new(body.into()))
        .expect("names and domains have no characters that a path does not")
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("policies and footprints can always be written as JSON")
}

/// Why a request has no answer, or not the one hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The daemon did not do it, and says why.
    #[error(transparent)]
    Problem(Problem),
    /// Nobody could be asked.
    #[error("{}", unreachable(.socket, .error))]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why it could not be opened.
        error: io::Error,
    },
    /// The daemon went away before it had answered: what was asked may have been done or not.
    #[error("the daemon went away before it answered ({0}): it may have done it or not, ask again what is")]
    Lost(String),
    /// The answer is none of this interface: perhaps another program, or another version, listens there.
    #[error("what listens there does not answer as fulmar does: {0}")]
    Gibberish(String),
}

impl ClientError {
    /// The error as a problem: one shape for everything that went wrong.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        let code = match self {
            Self::Problem(problem) => return problem,
            Self::Unreachable { .. } | Self::Lost(_) => Code::Unreachable,
            Self::Gibberish(_) => Code::Failed,
        };
        Problem::new(code, self.to_string())
    }
}

impl From<hyper::Error> for ClientError {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse() {
            Self::Gibberish(error.to_string())
        } else {
            Self::Lost(error.to_string())
        }
    }
}

fn unreachable(socket: &FilePath, error: &io::Error) -> String {
    let socket = socket.display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!(
                "there is no socket `{socket}`: start the daemon (fulmar serve), or say where it listens (--socket)"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("you may not open the socket `{socket}`: join its group, or ask as its owner")
        }
        io::ErrorKind::ConnectionRefused => {
            format!("nobody listens at the socket `{socket}`: start the daemon (fulmar serve)")
        }
        _ => format!("cannot open the socket `{socket}`: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_daemon_that_is_not_there_is_told_by_its_socket() {
        let dir = tempfile::tempdir().unwrap();
        let abandoned = dir.path().join("abandoned.sock");
        drop(tokio::net::UnixListener::bind(&abandoned).unwrap());
        for (socket, begin) in [
            (dir.path().join("missing.sock"), "there is no socket"),
            (abandoned, "nobody listens at the socket"),
        ] {
            let error = Client::new(&socket).policies(&Path::root()).await.unwrap_err();
            assert!(error.to_string().starts_with(begin), "{error}");
            assert_eq!(error.into_problem().code, Code::Unreachable);
        }
    }

    #[test]
    fn whoever_cannot_reach_the_daemon_is_told_what_to_do() {
        for (kind, sentence) in [
            (
                io::ErrorKind::NotFound,
                "there is no socket `/s`: start the daemon (fulmar serve), or say where it listens (--socket)",
            ),
            (
                io::ErrorKind::PermissionDenied,
                "you may not open the socket `/s`: join its group, or ask as its owner",
            ),
            (
                io::ErrorKind::ConnectionRefused,
                "nobody listens at the socket `/s`: start the daemon (fulmar serve)",
            ),
            (
                io::ErrorKind::InvalidInput,
                "cannot open the socket `/s`: invalid input parameter",
            ),
        ] {
            assert_eq!(unreachable(FilePath::new("/s"), &kind.into()), sentence);
        }
    }
}
