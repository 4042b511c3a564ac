//! `fulmar`: the daemon, and the commands that ask it.
//!
//! Owns nothing but the way in: [`cli`] reads the words, asks and prints; `exit` says how it ended.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run().into()
}
