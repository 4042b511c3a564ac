//! The host of Fulmar: decides by `policy.wasm` who may run which unikernel, and runs it.
//!
//! A [`door`] turns what somebody says into a [`Command`](api::Command); the [`steward`](steward::Steward) asks the
//! [`policy`] module, does what it admits, records it in the [`ledger`], and answers. The [`daemon`] is both together, and
//! the [`client`] is who asks it from outside.
//!
//! ```no_run
//! use fulmar::api::Selection;
//! use fulmar::client::Client;
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("/var/lib/fulmar/fulmar.sock");
//! for unikernel in client.unikernels(&Selection::new("alice:")?).await? {
//!     println!("{}: {:?}", unikernel.name, unikernel.state);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What should run is in the ledger; what does run is observed, and found again by the next daemon: unikernels go on without
//! one. [`state`] says what lies where on disk.

pub mod api;
pub mod client;
mod console;
pub mod daemon;
pub mod door;
pub mod host;
pub mod images;
mod launch;
pub mod ledger;
pub mod policy;
mod process;
pub mod state;
pub mod steward;
mod supervisor;
