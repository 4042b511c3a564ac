//! What the tests of the whole share: recorded traces, the faces of the rules, a daemon of their own.

pub mod face;
pub mod host;
pub mod javascript;
pub mod message;
pub mod trace;
pub mod typescript;
