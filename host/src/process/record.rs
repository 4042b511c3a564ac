//! The record of which process runs a unikernel: how the next daemon finds it.
//!
//! Owns the file's form (JSON, the version first) and what the next daemon is to do where that process is gone.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path as FilePath;

use serde::{Deserialize, Serialize};

use super::Process;

/// The version of the form that is written and read.
const VERSION: u32 = 1;

/// Which process runs a unikernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRecord {
    version: u32,
    /// Its number.
    pub(crate) pid: u32,
    /// When it was started, in clock ticks since the host was.
    pub(crate) start_ticks: u64,
    /// Which start of the host that was.
    pub(crate) boot_id: String,
    /// The same moment for people, in milliseconds since 1970.
    pub(crate) started_unix_ms: u64,
    /// What it means where it is gone.
    pub(crate) if_gone: IfGone,
}

/// What it means where the process of a recorded unikernel is gone, and the host was not started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IfGone {
    /// The unikernel has run, and ended. Or its creation was not finished, and nobody was told that it was.
    Forget,
    /// It was being started again, and may not have run yet. The daemon that did so is gone, or it would say
    /// [`Forget`](Self::Forget) by now.
    StartAgain,
}

impl RunRecord {
    pub(crate) fn of(process: &Process, boot_id: &str, started_unix_ms: u64, if_gone: IfGone) -> Self {
        Self {
            version: VERSION,
            pid: process.number(),
            start_ticks: process.start_ticks(),
            boot_id: boot_id.to_owned(),
            started_unix_ms,
            if_gone,
        }
    }

    /// Writes it in place of the one that is there. It is whole or not there, also after a power cut: a unikernel is started
    /// again after one, but not where its record cannot be read.
    pub(crate) fn write(&self, path: &FilePath) -> io::Result<()> {
        let json = serde_json::to_vec(self).expect("numbers and text can always be written as JSON");
        let unfinished = path.with_extension("new");
        let mut file = File::create(&unfinished)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    }

    /// Reads it; `None` where there is none.
    pub(crate) fn read(path: &FilePath) -> Result<Option<Self>, String> {
        match fs::read(path) {
            Ok(json) => parse(&json).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The version, whatever else there is.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn parse(json: &[u8]) -> Result<RunRecord, String> {
    let Version { version } = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!(
            "it has version {version}, this program reads version {VERSION}"
        ));
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION_1: &str =
        r#"{"version":1,"pid":7,"start_ticks":123456,"boot_id":"b","started_unix_ms":8,"if_gone":"forget"}"#;

    #[test]
    fn a_record_of_version_1_is_read_and_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("process");
        assert_eq!(RunRecord::read(&path), Ok(None));
        fs::write(&path, VERSION_1).unwrap();
        let record = RunRecord::read(&path).unwrap().unwrap();
        assert_eq!(
            (record.pid, record.start_ticks, record.if_gone),
            (7, 123_456, IfGone::Forget)
        );
        record.write(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), VERSION_1);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn other_records_are_refused() {
        assert_eq!(
            parse(br#"{"version":2,"host":"other"}"#).unwrap_err(),
            "it has version 2, this program reads version 1"
        );
        for json in ["", "{}", r#"{"version":1}"#, r#"{"version":1,"pid":-1}"#] {
            assert!(parse(json.as_bytes()).is_err(), "{json}");
        }
    }
}
