//! Doors: what stands between people and the steward.
//!
//! A door turns bytes into a [`Command`](crate::api::Command) and an [`Outcome`](crate::api::Outcome) into bytes. It decides
//! nothing, performs nothing, and keeps nothing but what is on its way. What it owns is its encoding and the bounds of that:
//! how much it reads, for how long, and from how many at a time.
//!
//! There is one door so far, [`http`], over a Unix socket: who may open the socket may ask for anything.

pub mod http;
mod problem;
mod wire;

pub use problem::{Code, Problem, ProblemBody};
pub use wire::{ConsoleRecord, Policies, Unikernels};
