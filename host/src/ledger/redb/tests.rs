//! What a ledger keeps, and what it says where it cannot.

use super::*;
use std::fs;

const POLICY: &str = r#"{"unikernels":2,"memory_mib":512,"block_mib":null,"cpuids":[0,1],"bridges":["dmz"]}"#;
const UNIKERNEL: &str = r#"{"config":{"unikernel":{"memory_mib":32,"cpuids":[0],"block_devices":[],"bridges":[]},"arguments":["a","b"]},"image_sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#;

fn in_directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger.redb");
    (directory, path)
}

/// A file as version 1 writes it, without the code that writes it.
fn write_version(path: &FilePath, version: &str) {
    let database = Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    for (table, key, value) in [
        ("meta", "version", version),
        ("policies", ":", POLICY),
        ("policies", "alice:bob", POLICY),
        ("unikernels", "alice:bob:web", UNIKERNEL),
    ] {
        let definition = TableDefinition::<&str, &str>::new(table);
        transaction.open_table(definition).unwrap().insert(key, value).unwrap();
    }
    transaction.commit().unwrap();
}

fn put_unikernel() -> Change {
    Change::PutUnikernel {
        name: "alice:bob:web".parse().unwrap(),
        unikernel: serde_json::from_str(UNIKERNEL).unwrap(),
    }
}

#[test]
fn a_ledger_of_version_1_is_read() {
    let (_directory, path) = in_directory();
    write_version(&path, "1");
    let contents = RedbLedger::open(&path).unwrap().load().unwrap();
    let domains: Vec<_> = contents.policies.keys().map(ToString::to_string).collect();
    assert_eq!(domains, [":", "alice:bob"]);
    assert!(contents.reflects(&put_unikernel()));
}

#[test]
fn version_1_is_what_is_written() {
    let (_directory, path) = in_directory();
    let policy = Change::PutPolicy {
        domain: "alice".parse().unwrap(),
        policy: serde_json::from_str(POLICY).unwrap(),
    };
    RedbLedger::open(&path)
        .unwrap()
        .record(&[policy, put_unikernel()])
        .unwrap();
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_read().unwrap();
    for (table, key, value) in [
        ("meta", "version", "1"),
        ("policies", "alice", POLICY),
        ("unikernels", "alice:bob:web", UNIKERNEL),
    ] {
        let definition = TableDefinition::<&str, &str>::new(table);
        let found = transaction.open_table(definition).unwrap().get(key).unwrap().unwrap();
        assert_eq!(found.value(), value);
    }
}

#[test]
fn what_was_recorded_is_there_when_it_is_opened_again() {
    let (_directory, path) = in_directory();
    RedbLedger::open(&path).unwrap().record(&[put_unikernel()]).unwrap();
    let ledger = RedbLedger::open(&path).unwrap();
    assert!(ledger.load().unwrap().reflects(&put_unikernel()));
    let name = "alice:bob:web".parse().unwrap();
    ledger.record(&[Change::RemoveUnikernel { name }]).unwrap();
    drop(ledger);
    assert_eq!(RedbLedger::open(&path).unwrap().load().unwrap(), Contents::default());
}

#[test]
fn a_ledger_that_a_failed_commit_closed_is_opened_again() {
    let (_directory, path) = in_directory();
    let ledger = RedbLedger::open(&path).unwrap();
    *ledger.lock() = None;
    ledger.record(&[put_unikernel()]).unwrap();
    *ledger.lock() = None;
    assert!(ledger.load().unwrap().reflects(&put_unikernel()));
}

/// What is said where this file is opened and read, with its path taken out.
fn refusal(path: &FilePath) -> String {
    let outcome = RedbLedger::open(path).and_then(|ledger| ledger.load());
    let message = outcome.expect_err("it cannot be read").to_string();
    message.replace(path.to_str().unwrap(), "LEDGER")
}

#[test]
fn another_version_is_refused_and_left_alone() {
    let (_directory, path) = in_directory();
    write_version(&path, "2");
    for _ in 0..2 {
        assert_eq!(
            refusal(&path),
            "the ledger `LEDGER` has format version 2, this program reads version 1: run the version that wrote it"
        );
    }
}

#[test]
fn a_second_daemon_is_refused() {
    let (_directory, path) = in_directory();
    let _first = RedbLedger::open(&path).unwrap();
    assert_eq!(
        refusal(&path),
        "the ledger `LEDGER` is in use: another daemon runs on this state directory"
    );
}

#[test]
fn a_damaged_ledger_is_refused() {
    let (_directory, path) = in_directory();
    fs::write(&path, b"no ledger, and long enough to be read as one. ".repeat(400)).unwrap();
    let message = refusal(&path);
    assert!(message.starts_with("the ledger `LEDGER` is damaged: "), "{message}");
    assert!(
        message.ends_with("; put a copy in its place, or move it away to begin with nothing"),
        "{message}"
    );
}

#[test]
fn a_ledger_that_lost_a_page_is_refused_and_not_believed() {
    let (_directory, path) = in_directory();
    let many = (0..2000).map(|number| {
        let Change::PutUnikernel { unikernel, .. } = put_unikernel() else {
            unreachable!("it is one")
        };
        let name = format!("alice:u{number}").parse().unwrap();
        Change::PutUnikernel { name, unikernel }
    });
    RedbLedger::open(&path)
        .unwrap()
        .record(&many.collect::<Vec<_>>())
        .unwrap();
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    // The first page is the file's head, and says itself when it is damaged.
    for at in (4096..whole.len()).step_by(whole.len() / 23) {
        let mut damaged = whole.clone();
        damaged[at..].iter_mut().take(4096).for_each(|byte| *byte = !*byte);
        fs::write(&path, damaged).unwrap();
        match RedbLedger::open(&path).and_then(|ledger| ledger.load()) {
            // A page that nothing was in.
            Ok(contents) => assert_eq!(contents.unikernels.len(), 2000),
            Err(error) => {
                assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 5, "{refused}");
}

#[test]
fn a_value_that_nobody_wrote_is_named() {
    let (_directory, path) = in_directory();
    drop(RedbLedger::open(&path).unwrap());
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(POLICIES).unwrap().insert("alice", "{}").unwrap();
    transaction.commit().unwrap();
    drop(database);
    let message = refusal(&path);
    let start = "the ledger `LEDGER` is damaged: `alice`: missing field `unikernels`";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn a_state_directory_that_is_gone_is_the_disks_matter() {
    let message = refusal(FilePath::new("/nowhere/ledger.redb"));
    assert!(
        message.starts_with("the ledger `LEDGER` cannot be read or written: "),
        "{message}"
    );
}
