//! The answer that does not end by itself: a console, line by line, as `application/x-ndjson`.
//!
//! Owns that a caller who reads too slowly is told so, and that the answer ends with the unikernel or the daemon. The lines
//! are pulled by the connection: an answer has no task of its own that could outlive it, and waits in no buffer but the
//! channel's.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as HttpBody, Frame};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

use crate::api::{ConsoleLine, ConsoleView};
use crate::door::wire::{ConsoleQuery, ConsoleRecord};

/// Answers with the last lines, and with those to come where they are asked for.
pub(super) fn reply(view: ConsoleView, query: ConsoleQuery, stopping: watch::Receiver<()>) -> Response {
    let skipped = query.lines.map_or(0, |lines| view.history.len().saturating_sub(lines));
    let history = view.history.into_iter().skip(skipped);
    let lines = Lines {
        history: Some(history.flat_map(|line| record(&ConsoleRecord::Line(line))).collect()),
        next: query.follow.then(|| next(view.live, stopping)),
    };
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::new(lines)).into_response()
}

/// The lines kept, then the lines to come.
struct Lines {
    history: Option<Bytes>,
    next: Option<Next>,
}

/// The next line; and the channel, to wait for the one after it.
type Next = Pin<Box<dyn Future<Output = (Heard, Live)> + Send>>;
type Heard = Result<ConsoleLine, RecvError>;
type Live = (broadcast::Receiver<ConsoleLine>, watch::Receiver<()>);

fn next(mut live: broadcast::Receiver<ConsoleLine>, mut stopping: watch::Receiver<()>) -> Next {
    Box::pin(async move {
        let heard = tokio::select! {
            heard = live.recv() => heard,
            _ = stopping.changed() => Err(RecvError::Closed),
        };
        (heard, (live, stopping))
    })
}

impl Lines {
    fn poll_record(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(pending) = &mut self.next else {
            return Poll::Ready(None);
        };
        let (heard, (live, stopping)) = ready!(pending.as_mut().poll(context));
        let heard = match heard {
            Ok(line) => ConsoleRecord::Line(line),
            Err(RecvError::Lagged(dropped_lines)) => ConsoleRecord::Dropped { dropped_lines },
            Err(RecvError::Closed) => {
                self.next = None;
                return Poll::Ready(None);
            }
        };
        self.next = Some(next(live, stopping));
        Poll::Ready(Some(record(&heard).into()))
    }
}

impl HttpBody for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match self.history.take() {
            Some(history) => Some(history),
            None => ready!(self.poll_record(context)),
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn record(record: &ConsoleRecord) -> Vec<u8> {
    let mut line = serde_json::to_vec(record).expect("numbers and text can always be written as JSON");
    line.push(b'\n');
    line
}
