//! The ledger in one file, by redb.
//!
//! Owns the tables, and that a change whose commit failed half-way is settled before anything else is done. Values are JSON, so
//! that a person with a redb reader can read them.
//!
//! | table | key | value |
//! |---|---|---|
//! | `meta` | `version` | the version of this format, as JSON; it stands before everything else |
//! | `policies` | domain | the policy |
//! | `unikernels` | name | [`RecordedUnikernel`](super::RecordedUnikernel) |

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path as FilePath, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageError, Table, TableDefinition,
    TableError, WriteTransaction,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Change, Contents, Ledger, LedgerError};
use crate::state::sync_directory;

/// The version of the format that is written and read.
pub const VERSION: u32 = 1;

/// Only the daemon's user reads what it runs.
const MODE: u32 = 0o600;

const META: TableDefinition<&str, &str> = TableDefinition::new("meta");
const POLICIES: TableDefinition<&str, &str> = TableDefinition::new("policies");
const UNIKERNELS: TableDefinition<&str, &str> = TableDefinition::new("unikernels");
const VERSION_KEY: &str = "version";

/// A ledger in a redb file, locked as long as this lives.
#[derive(Debug)]
pub struct RedbLedger {
    path: PathBuf,
    /// None where a commit failed, and the file could not be opened again since.
    database: Mutex<Option<Database>>,
}

impl RedbLedger {
    /// Opens the ledger, and makes it where there is none.
    ///
    /// # Errors
    /// [`LedgerError`] where another process has it open, or it is none of this version.
    pub fn open(path: &FilePath) -> Result<Self, LedgerError> {
        let ledger = Self {
            path: path.to_owned(),
            database: Mutex::new(None),
        };
        ledger.opened(&mut ledger.lock())?;
        // A new file must be there after a power cut, not only what is written in it.
        let directory = path.parent().unwrap_or(FilePath::new("."));
        sync_directory(directory).map_err(|error| ledger.failed(&error))?;
        Ok(ledger)
    }

    /// The database; opened again, which settles what a failed commit left open.
    fn opened<'a>(&self, database: &'a mut Option<Database>) -> Result<&'a Database, LedgerError> {
        if database.is_none() {
            let opened = create(&self.path).map_err(|error| self.opening_failed(error))?;
            self.check_version(&opened)?;
            *database = Some(opened);
        }
        Ok(database.as_ref().expect("it was opened right above"))
    }

    /// A ledger without a version is a new one: the version is written with the tables.
    fn check_version(&self, database: &Database) -> Result<(), LedgerError> {
        let transaction = database.begin_write().map_err(|error| self.failed(&error))?;
        let found = self.make_tables(&transaction)?;
        transaction.commit().map_err(|error| self.failed(&error))?;
        if found == VERSION.to_string() {
            return Ok(());
        }
        Err(LedgerError::Version {
            path: self.path.clone(),
            found,
        })
    }

    /// Makes the tables that are missing, unless it is a ledger of another version; says which version it is.
    fn make_tables(&self, transaction: &WriteTransaction) -> Result<String, LedgerError> {
        let failed = |error: TableError| self.failed(&error);
        let mut meta = transaction.open_table(META).map_err(failed)?;
        let found = meta.get(VERSION_KEY).map_err(|error| self.failed(&error))?;
        if let Some(found) = found.map(|version| version.value().to_owned()) {
            return Ok(found);
        }
        put(&mut meta, VERSION_KEY, &VERSION).map_err(|error| self.failed(&error))?;
        transaction.open_table(POLICIES).map_err(failed)?;
        transaction.open_table(UNIKERNELS).map_err(failed)?;
        Ok(VERSION.to_string())
    }

    fn read<K, V>(&self, table: &impl ReadableTable<&'static str, &'static str>) -> Result<BTreeMap<K, V>, LedgerError>
    where
        K: FromStr<Err: ToString> + Ord,
        V: DeserializeOwned,
    {
        let entries = table.iter().map_err(|error| self.failed(&error))?;
        let entry = |entry: Result<_, StorageError>| {
            let (key, value): (redb::AccessGuard<'_, &str>, redb::AccessGuard<'_, &str>) =
                entry.map_err(|error| self.failed(&error))?;
            let damaged = |what: String| self.damaged(format!("`{}`: {what}", key.value()));
            let value = serde_json::from_str(value.value()).map_err(|error| damaged(error.to_string()))?;
            let key = key
                .value()
                .parse()
                .map_err(|error: K::Err| damaged(error.to_string()))?;
            Ok((key, value))
        };
        entries.map(entry).collect()
    }

    fn try_record(&self, database: &Database, changes: &[Change]) -> Result<(), redb::Error> {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut policies = transaction.open_table(POLICIES)?;
            let mut unikernels = transaction.open_table(UNIKERNELS)?;
            for change in changes {
                match change {
                    Change::PutPolicy { domain, policy } => put(&mut policies, &domain.to_string(), policy)?,
                    Change::RemovePolicy { domain } => drop(policies.remove(&*domain.to_string())?),
                    Change::PutUnikernel { name, unikernel } => put(&mut unikernels, &name.to_string(), unikernel)?,
                    Change::RemoveUnikernel { name } => drop(unikernels.remove(&*name.to_string())?),
                }
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn load_from(&self, database: &Database) -> Result<Contents, LedgerError> {
        let transaction = database.begin_read().map_err(|error| self.failed(&error))?;
        let table = |definition| transaction.open_table(definition).map_err(|error| self.failed(&error));
        Ok(Contents {
            policies: self.read(&table(POLICIES)?)?,
            unikernels: self.read(&table(UNIKERNELS)?)?,
        })
    }

    /// A panic elsewhere leaves the database as it is: redb undoes what was not committed.
    fn lock(&self) -> MutexGuard<'_, Option<Database>> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opening_failed(&self, error: DatabaseError) -> LedgerError {
        match error {
            DatabaseError::DatabaseAlreadyOpen => LedgerError::InUse {
                path: self.path.clone(),
            },
            DatabaseError::Storage(StorageError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                self.damaged(error.to_string())
            }
            DatabaseError::UpgradeRequired(version) => LedgerError::Version {
                path: self.path.clone(),
                found: format!("{version} of redb"),
            },
            DatabaseError::Storage(StorageError::Corrupted(what)) => self.damaged(what),
            other => self.failed(&other),
        }
    }

    fn damaged(&self, what: String) -> LedgerError {
        LedgerError::Damaged {
            path: self.path.clone(),
            what,
        }
    }

    fn failed(&self, error: &dyn std::error::Error) -> LedgerError {
        LedgerError::Disk {
            path: self.path.clone(),
            error: error.to_string(),
        }
    }
}

impl Ledger for RedbLedger {
    fn load(&self) -> Result<Contents, LedgerError> {
        self.load_from(self.opened(&mut self.lock())?)
    }

    fn record(&self, changes: &[Change]) -> Result<(), LedgerError> {
        let mut database = self.lock();
        let Err(error) = self.try_record(self.opened(&mut database)?, changes) else {
            return Ok(());
        };
        // A commit that failed may be on the disk all the same, whole or not at all. Opened again, the file tells.
        *database = None;
        let contents = self.load_from(self.opened(&mut database)?)?;
        if changes.iter().all(|change| contents.reflects(change)) {
            return Ok(());
        }
        Err(self.failed(&error))
    }
}

impl Contents {
    /// Whether it is as it would be after this change.
    fn reflects(&self, change: &Change) -> bool {
        match change {
            Change::PutPolicy { domain, policy } => self.policies.get(domain) == Some(policy),
            Change::RemovePolicy { domain } => !self.policies.contains_key(domain),
            Change::PutUnikernel { name, unikernel } => self.unikernels.get(name) == Some(unikernel),
            Change::RemoveUnikernel { name } => !self.unikernels.contains_key(name),
        }
    }
}

/// What redb may keep of the file in memory: far more than a ledger of ten thousand unikernels has. Its default is 1 GiB.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Opens the file, and reads it whole once: redb would trust it, and panic later where the disk lost a page.
fn create(path: &FilePath) -> Result<Database, DatabaseError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(MODE);
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    builder.create_with_backend(FileBackend::new(options.open(path)?)?)
}

fn put(table: &mut Table<'_, &str, &str>, key: &str, value: &impl Serialize) -> Result<(), StorageError> {
    let json = serde_json::to_string(value).expect("names, amounts and lists can always be written as JSON");
    table.insert(key, &*json).map(drop)
}

#[cfg(test)]
mod tests;
