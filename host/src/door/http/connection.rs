//! The socket's side of the door: accepting connections, bounding them, and ending them with the daemon.
//!
//! Owns how many connections there are and how long one may say nothing. What is said on them is the router's matter.
//! `axum::serve` would accept without bound and wait for ever for a caller's headers, so the loop is here.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::io::Errno;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Ask, Door, router};
use crate::steward::Steward;

/// The most connections at a time; more wait in the listener's queue. Somebody who follows a console keeps one.
pub const CONNECTIONS_MAX: usize = 256;

/// How long a connection may take for the head of a request, or wait for its next one.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);

/// The size, in bytes, of hyper's buffer for a connection, and so of a request's head (hyper lets it grow to twice as much). A
/// path with the longest name has 300.
const BUFFER_BYTES: usize = 64 * 1024;

/// The most header fields of a request; curl sends five.
const HEADERS_MAX: usize = 64;

/// How long requests may go on after the daemon was told to stop.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);

/// How long to wait where the host has no descriptor or memory left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the interface until `shutdown` is done; then ends consoles that are followed, and lets other requests finish for
/// a few seconds.
///
/// # Errors
/// Where the listener no longer accepts connections.
pub async fn serve(
    listener: UnixListener,
    steward: Steward,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let ask: Ask = Arc::new(move |command| {
        let steward = steward.clone();
        Box::pin(async move { steward.ask(command).await })
    });
    serve_for(listener, ask, shutdown).await
}

/// Serves the interface for whoever is asked.
pub(super) async fn serve_for(
    listener: UnixListener,
    ask: Ask,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(());
    let router = router(Door::new(ask, stopping.clone()));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let outcome = loop {
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = accept(&listener), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok(stream) => {
                    connections.spawn(connection(stream, router.clone(), stopping.clone()));
                }
                Err(error) => break Err(error),
            },
        }
    };
    drop((listener, stop));
    drain(connections).await;
    outcome
}

/// Lets requests finish that are going on.
async fn drain(mut connections: JoinSet<()>) {
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(DRAIN_TIME_MAX, finished).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests were cut off");
    }
}

/// The next connection. What only concerns one of them, or passes, is waited out.
async fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Ok(stream),
            Err(error) if passes(&error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn passes(error: &io::Error) -> bool {
    use Errno as E;
    matches!(
        Errno::from_io_error(error),
        Some(E::CONNABORTED | E::INTR | E::MFILE | E::NFILE | E::NOBUFS | E::NOMEM | E::PERM)
    )
}

async fn connection(stream: UnixStream, router: Router, mut stopping: watch::Receiver<()>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection broke");
    }
}
