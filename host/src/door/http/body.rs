//! The bodies of requests: JSON, and a unikernel with its image.
//!
//! Owns how much is read, and for how long. Together the bounds say what strangers can make the door hold:
//! [`UPLOADS_MAX`] images (512 MiB), and for every connection one body of JSON and hyper's buffers.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::api::{IMAGE_BYTES_MAX, UnikernelConfig};
use crate::door::problem::{Code, Problem};

/// The largest body of JSON, in bytes: a policy of all 8192 CPUs and 256 bridges takes 45 KiB.
pub const JSON_BYTES_MAX: usize = 256 * 1024;

/// The most images that are received or being created at a time: what they take of memory is four times
/// [`IMAGE_BYTES_MAX`].
pub const UPLOADS_MAX: usize = 4;

/// The longest time that an image may take to arrive: at 1 MiB a second every one does. A caller that stalls would keep
/// others from uploading.
pub const UPLOAD_TIME_MAX: Duration = Duration::from_secs(150);

/// How long a caller waits for its turn to upload before it is sent away.
const UPLOAD_TURN_MAX: Duration = Duration::from_secs(30);

/// The longest time that a body of JSON may take to arrive.
const JSON_TIME_MAX: Duration = Duration::from_secs(10);

/// The largest upload: both parts, and room for what multipart/form-data writes around them.
pub(super) const UPLOAD_BYTES_MAX: usize = IMAGE_BYTES_MAX + JSON_BYTES_MAX + 16 * 1024;

/// The name of the first part: a [`UnikernelConfig`] as JSON.
pub(crate) const CONFIG_PART: &str = "config";

/// The name of the second part: the image's bytes.
pub(crate) const IMAGE_PART: &str = "image";

/// Reads a body of JSON, whatever its content type says: curl calls everything a form.
pub(super) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    if body.size_hint().lower() > JSON_BYTES_MAX as u64 {
        return Err(too_large("the JSON", JSON_BYTES_MAX));
    }
    let read = timeout(JSON_TIME_MAX, to_bytes(body, JSON_BYTES_MAX));
    let bytes = read.await.map_err(|_| too_slow("the JSON", JSON_TIME_MAX))?;
    parse("the body", &bytes.map_err(|error| broken_off(&error))?)
}

/// Waits for a turn to upload.
pub(super) async fn permit(uploads: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = timeout(UPLOAD_TURN_MAX, Arc::clone(uploads).acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or_else(|| {
        let sentence = format!("{UPLOADS_MAX} images are being received already: try again");
        Problem::new(Code::Busy, sentence)
    })
}

/// Reads the two parts of an upload, in their order: so that what is asked for is known before the image is kept.
pub(super) async fn upload(request: Request) -> Result<(UnikernelConfig, Vec<u8>), Problem> {
    timeout(UPLOAD_TIME_MAX, parts(request))
        .await
        .map_err(|_| too_slow("the upload", UPLOAD_TIME_MAX))?
}

async fn parts(request: Request) -> Result<(UnikernelConfig, Vec<u8>), Problem> {
    let announced = request.body().size_hint().lower();
    if announced > UPLOAD_BYTES_MAX as u64 {
        return Err(too_large("the image", IMAGE_BYTES_MAX));
    }
    let no_form = |_| {
        let sentence = format!("this is no multipart/form-data: send the parts `{CONFIG_PART}` and `{IMAGE_PART}`");
        Problem::invalid(sentence)
    };
    let mut parts = Multipart::from_request(request, &()).await.map_err(no_form)?;
    let outcome = config_and_image(&mut parts, announced).await;
    if outcome.is_err() {
        discard(&mut parts).await;
    }
    outcome
}

async fn config_and_image(parts: &mut Multipart, announced: u64) -> Result<(UnikernelConfig, Vec<u8>), Problem> {
    let config = part(parts, CONFIG_PART, JSON_BYTES_MAX, 0).await?;
    let config = parse("the part `config`", &config)?;
    let image = part(parts, IMAGE_PART, IMAGE_BYTES_MAX, announced).await?;
    match parts.next_field().await.map_err(|error| broken_form(&error))? {
        Some(field) => Err(unexpected(&field, "nothing more")),
        None => Ok((config, image)),
    }
}

/// Reads what still comes, and forgets it: a caller whose writing fails may never read why. The bounds hold here, too.
async fn discard(parts: &mut Multipart) {
    while let Ok(Some(mut field)) = parts.next_field().await {
        while let Ok(Some(_)) = field.chunk().await {}
    }
}

/// Reads the next part, which must be the one of this name. At first there is room for what was `announced`, so that a large
/// one is not copied while it grows; memory that is not written to is not taken.
async fn part(parts: &mut Multipart, name: &str, bytes_max: usize, announced: u64) -> Result<Vec<u8>, Problem> {
    let next = parts.next_field().await.map_err(|error| broken_form(&error))?;
    let mut field = next.ok_or_else(|| Problem::invalid(format!("the part `{name}` is missing")))?;
    if field.name() != Some(name) {
        return Err(unexpected(&field, &format!("`{name}`")));
    }
    let room = usize::try_from(announced).map_or(bytes_max, |announced| announced.min(bytes_max));
    let mut bytes = Vec::with_capacity(room);
    while let Some(chunk) = field.chunk().await.map_err(|error| broken_form(&error))? {
        if bytes.len() + chunk.len() > bytes_max {
            return Err(too_large(&format!("the part `{name}`"), bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::invalid(format!("{what}: {error}")))
}

fn unexpected(field: &Field<'_>, expected: &str) -> Problem {
    let name = field.name().unwrap_or_default().escape_debug();
    Problem::invalid(format!(
        "the part `{name}` comes where {expected} is expected: send `{CONFIG_PART}`, then `{IMAGE_PART}`"
    ))
}

fn too_large(what: &str, bytes_max: usize) -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("{what} is too large: at most {bytes_max} bytes"),
    )
}

fn too_slow(what: &str, time_max: Duration) -> Problem {
    let seconds = time_max.as_secs();
    Problem::new(Code::Timeout, format!("{what} did not arrive within {seconds} seconds"))
}

fn broken_form(error: &MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large("the upload", UPLOAD_BYTES_MAX);
    }
    Problem::invalid(format!("the multipart/form-data is broken: {}", error.body_text()))
}

/// [`to_bytes`] reports a body beyond its limit by an error within the error.
fn broken_off(error: &axum::Error) -> Problem {
    let source = error.source();
    if source.is_some_and(<dyn Error>::is::<LengthLimitError>) {
        return too_large("the JSON", JSON_BYTES_MAX);
    }
    Problem::invalid(format!("the body broke off: {error}"))
}
