//! The host of Fulmar.

pub mod api;
pub mod policy;
