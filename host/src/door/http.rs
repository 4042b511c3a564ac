//! The HTTP door: paths and methods to commands, outcomes to JSON; a snapshot to the bytes that other programs read, too.
//!
//! Owns the routes and what is read from a path and a query. `connection` owns the socket's side, `body` what a body may
//! be, `console` the one answer that does not end. `HTTP.md` describes the interface for those who use it.

mod body;
mod connection;
mod console;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{self, DefaultBodyLimit, FromRequestParts, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use fulmar_core::{Name, Path};
use fulmar_wasm::codec::{self, Encoding};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, watch};

use super::problem::{Code, Problem};
use super::wire::{ConsoleQuery, Policies, Unikernels};
use crate::api::{Answer, Command, Outcome, Selection};

pub(crate) use body::{CONFIG_PART, IMAGE_PART};
pub use body::{JSON_BYTES_MAX, UPLOAD_TIME_MAX, UPLOADS_MAX};
pub use connection::{CONNECTIONS_MAX, serve};

/// Who is asked: the steward; in the tests of this door, somebody who says what the test wants to hear.
type Ask = Arc<dyn Fn(Command) -> Asked + Send + Sync>;
type Asked = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// The door, as every request finds it.
#[derive(Clone)]
struct Door {
    ask: Ask,
    /// One permit for each image in memory, from its first byte to its outcome.
    uploads: Arc<Semaphore>,
    /// Ends when the daemon does, and ends the answers that would go on for ever.
    stopping: watch::Receiver<()>,
}

impl Door {
    fn new(ask: Ask, stopping: watch::Receiver<()>) -> Self {
        Self {
            ask,
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
            stopping,
        }
    }

    async fn ask(&self, command: Command) -> Result<Answer, Problem> {
        Ok((self.ask)(command).await?)
    }

    /// Receives a unikernel and has it created.
    async fn create(&self, name: Name, request: Request) -> Result<Answer, Problem> {
        let permit = body::permit(&self.uploads).await?;
        let (config, image) = body::upload(request).await?;
        let asking = (self.ask)(Command::Create { name, config, image });
        // A caller that hangs up ends this future, but not the steward's work: the permit stays with the image.
        let asked = tokio::spawn(async move {
            let outcome = asking.await;
            drop(permit);
            outcome
        });
        let lost = |_| Problem::new(Code::Failed, "the outcome was lost: ask what runs");
        Ok(asked.await.map_err(lost)??)
    }
}

fn router(door: Door) -> Router {
    Router::new()
        .route("/v1/policies", get(policies))
        .route("/v1/policies/{domain}", put(add_policy).delete(remove_policy))
        .route("/v1/unikernels", get(unikernels))
        .route("/v1/unikernels/{name}", put(create).delete(destroy))
        .route("/v1/unikernels/{name}/console", get(read_console))
        .route("/v1/snapshot", get(snapshot))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(body::UPLOAD_BYTES_MAX))
        .with_state(door)
}

type Reply = Result<Response, Problem>;

async fn add_policy(State(door): State<Door>, Segment(domain): Segment<Path>, body: Body) -> Reply {
    let policy = body::json(body).await?;
    door.ask(Command::AddPolicy { domain, policy }).await.map(reply)
}

async fn remove_policy(State(door): State<Door>, Segment(domain): Segment<Path>) -> Reply {
    door.ask(Command::RemovePolicy { domain }).await.map(reply)
}

async fn policies(State(door): State<Door>, Query(At { at }): Query<At>) -> Reply {
    let domain = at.parse().map_err(Problem::invalid)?;
    door.ask(Command::Policies { domain }).await.map(reply)
}

async fn create(State(door): State<Door>, Segment(name): Segment<Name>, request: Request) -> Reply {
    door.create(name, request).await.map(reply)
}

async fn destroy(State(door): State<Door>, Segment(name): Segment<Name>) -> Reply {
    door.ask(Command::Destroy { name }).await.map(reply)
}

async fn unikernels(State(door): State<Door>, Query(At { at }): Query<At>) -> Reply {
    let selection = Selection::new(&at).map_err(Problem::invalid)?;
    door.ask(Command::Unikernels { selection }).await.map(reply)
}

async fn read_console(
    State(door): State<Door>,
    Segment(name): Segment<Name>,
    Query(query): Query<ConsoleQuery>,
) -> Reply {
    match door.ask(Command::Console { name }).await? {
        Answer::Console(view) => Ok(console::reply(view, query, door.stopping)),
        other => Ok(reply(other)),
    }
}

async fn snapshot(State(door): State<Door>) -> Reply {
    door.ask(Command::Snapshot).await.map(reply)
}

fn reply(answer: Answer) -> Response {
    match answer {
        Answer::Done => Json(serde_json::json!({})).into_response(),
        Answer::Created(unikernel) => (StatusCode::CREATED, Json(unikernel)).into_response(),
        Answer::Policies(policies) => Json(Policies { policies }).into_response(),
        Answer::Unikernels(unikernels) => Json(Unikernels { unikernels }).into_response(),
        Answer::Console(view) => Json(view.history).into_response(),
        Answer::Snapshot(snapshot) => {
            let bytes = codec::encode(&snapshot, Encoding::Bincode);
            ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
        }
    }
}

async fn unknown_path(uri: Uri) -> Problem {
    let path = uri.path().escape_debug();
    Problem::new(
        Code::UnknownPath,
        format!("there is no path `{path}`: use those below /v1/policies and /v1/unikernels, or /v1/snapshot"),
    )
}

async fn unknown_method(method: Method, uri: Uri) -> Problem {
    let path = uri.path().escape_debug();
    Problem::new(
        Code::UnknownMethod,
        format!("`{method}` does not go with `{path}`: the `allow` header says what does"),
    )
}

/// The variable segment of a path: a domain or a name.
struct Segment<T>(T);

impl<T: FromStr<Err: Display>> FromRequestParts<Door> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let extract::Path(text) = extract::Path::<String>::from_request_parts(parts, door)
            .await
            .map_err(Problem::invalid)?;
        text.parse().map(Self).map_err(Problem::invalid)
    }
}

/// The query, with no field that is not known.
struct Query<T>(T);

impl<T: DeserializeOwned> FromRequestParts<Door> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let wrong = |error: QueryRejection| Problem::invalid(error.body_text());
        let extract::Query(query) = extract::Query::from_request_parts(parts, door).await.map_err(wrong)?;
        Ok(Self(query))
    }
}

/// Where to look; everywhere where it is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    #[serde(default)]
    at: String,
}
