//! `fulmar snapshot`: the daemon's tree, to be kept or previewed on.
//!
//! Owns where the bytes go. What is in them is the core's, how they are encoded the codec's.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path as FilePath;

use fulmar::client::Client;
use fulmar::door::{Code, Problem};
use fulmar_core::Fact;
use fulmar_core::protocol::Snapshot;
use fulmar_wasm::codec::{self, Encoding};
use serde::Serialize;

use super::{Stop, print};

/// Takes a snapshot: into a file, or to standard output as bytes, with `--json` as JSON.
pub(super) async fn take(client: &Client, json: bool, file: Option<&FilePath>) -> Result<(), Stop> {
    if file.is_none() && !json && io::stdout().is_terminal() {
        let sentence = "a snapshot is no text, and would upset the terminal: name a file, redirect it, or use --json";
        return Err(Problem::invalid(sentence).into());
    }
    let snapshot = client.snapshot().await?;
    let Some(file) = file else {
        return Ok(to_stdout(json, &snapshot)?);
    };
    fs::write(file, codec::encode(&snapshot, Encoding::Bincode)).map_err(|error| {
        let sentence = format!("cannot write the snapshot `{}`: {error}", file.display());
        Problem::new(Code::Failed, sentence)
    })?;
    let contents = Contents::of(&snapshot);
    print(json, &contents, || contents.sentence(file))?;
    Ok(())
}

fn to_stdout(json: bool, snapshot: &Snapshot) -> io::Result<()> {
    if json {
        return print(json, snapshot, String::new);
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(&codec::encode(snapshot, Encoding::Bincode))?;
    stdout.flush()
}

/// What is in a snapshot, counted.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Contents {
    policies: usize,
    blocks: usize,
    unikernels: usize,
}

impl Contents {
    fn of(snapshot: &Snapshot) -> Self {
        let mut contents = Self::default();
        for fact in &snapshot.facts {
            match fact {
                Fact::Policy { .. } => contents.policies += 1,
                Fact::Block { .. } => contents.blocks += 1,
                Fact::Unikernel { .. } => contents.unikernels += 1,
            }
        }
        contents
    }

    fn sentence(&self, file: &FilePath) -> String {
        let Self {
            policies,
            blocks,
            unikernels,
        } = self;
        let file = file.display();
        format!("wrote {file}; policies: {policies}, block devices: {blocks}, unikernels: {unikernels}\n")
    }
}
