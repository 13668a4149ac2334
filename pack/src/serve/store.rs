//! The database: what the server knows survives a kill at any moment. One file, one transaction for each batch of messages; an answer
//! leaves only after the transaction that it belongs to is on disk.

use std::path::Path;

use redb::{Database, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::{Device, Event, Outcome};

const DEVICES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("devices");
const OUTCOMES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("outcomes");
const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("events");

/// The most devices that a server takes.
pub const MAX_DEVICES: u64 = 10_000;
/// The most results that a server keeps.
pub const MAX_OUTCOMES: u64 = 100_000;
/// How many events are kept.
const MAX_EVENTS: u64 = 2_000;

/// The database failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Reading or writing it.
    #[error("the database failed")]
    Database(#[from] Box<redb::Error>),
    /// What it holds.
    #[error("the database holds a record that cannot be read")]
    Record(#[from] serde_json::Error),
    /// There is no room.
    #[error("{found} {what} are there, which is the limit")]
    Full {
        /// What there are too many of.
        what: &'static str,
        /// How many.
        found: u64,
    },
}

fn failed(error: impl Into<redb::Error>) -> Error {
    Error::Database(Box::new(error.into()))
}

/// The database.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// It is no such file, another process has it, or it cannot be written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let database = Database::create(path).map_err(failed)?;
        let store = Self { database };
        store.write(|_| Ok(()))?;
        Ok(store)
    }

    /// Does `work` in one transaction. It counts as a whole when this returns, and not at all after an error or a kill.
    ///
    /// # Errors
    /// The database's, and those of `work`.
    pub fn write<T>(&self, work: impl FnOnce(&mut Change<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let transaction = self.database.begin_write().map_err(failed)?;
        let done = {
            let mut change = Change::new(&transaction)?;
            work(&mut change)?
        };
        transaction.commit().map_err(failed)?;
        Ok(done)
    }
}

/// A transaction.
pub struct Change<'t> {
    devices: Table<'t, &'static str, &'static [u8]>,
    outcomes: Table<'t, &'static str, &'static [u8]>,
    events: Table<'t, u64, &'static [u8]>,
}

impl<'t> Change<'t> {
    fn new(transaction: &'t WriteTransaction) -> Result<Self, Error> {
        Ok(Self {
            devices: transaction.open_table(DEVICES).map_err(failed)?,
            outcomes: transaction.open_table(OUTCOMES).map_err(failed)?,
            events: transaction.open_table(EVENTS).map_err(failed)?,
        })
    }

    /// A device.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn device(&self, id: &str) -> Result<Option<Device>, Error> {
        let found = self.devices.get(id).map_err(failed)?;
        found.map(|bytes| read(bytes.value())).transpose()
    }

    /// Keeps a device.
    ///
    /// # Errors
    /// See [`Error`]; there may be too many.
    pub fn put_device(&mut self, device: &Device) -> Result<(), Error> {
        let is_known = self.devices.get(device.id.as_str()).map_err(failed)?.is_some();
        let found = self.devices.len().map_err(failed)?;
        if !is_known && found >= MAX_DEVICES {
            return Err(Error::Full { what: "devices", found });
        }
        self.devices.insert(device.id.as_str(), write(device)?.as_slice()).map_err(failed)?;
        Ok(())
    }

    /// All devices, in the order of their ids.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn devices(&self) -> Result<Vec<Device>, Error> {
        self.devices.iter().map_err(failed)?.map(|entry| read(entry.map_err(failed)?.1.value())).collect()
    }

    /// Records an outcome, unless one is there under this key. Whether it is new.
    ///
    /// # Errors
    /// See [`Error`]; there may be too many.
    pub fn put_outcome(&mut self, key: &str, outcome: &Outcome) -> Result<bool, Error> {
        if self.outcomes.get(key).map_err(failed)?.is_some() {
            return Ok(false);
        }
        let found = self.outcomes.len().map_err(failed)?;
        if found >= MAX_OUTCOMES {
            return Err(Error::Full { what: "results", found });
        }
        self.outcomes.insert(key, write(outcome)?.as_slice()).map_err(failed)?;
        Ok(true)
    }

    /// All outcomes, by key.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn outcomes(&self) -> Result<Vec<(String, Outcome)>, Error> {
        let entries = self.outcomes.iter().map_err(failed)?;
        entries
            .map(|entry| {
                let (key, value) = entry.map_err(failed)?;
                Ok((key.value().to_owned(), read(value.value())?))
            })
            .collect()
    }

    /// Adds an event; the oldest goes when there are too many.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn put_event(&mut self, event: &Event) -> Result<(), Error> {
        let next = self.events.last().map_err(failed)?.map_or(0, |(number, _)| number.value() + 1);
        self.events.insert(next, write(event)?.as_slice()).map_err(failed)?;
        if let Some(oldest) = next.checked_sub(MAX_EVENTS) {
            self.events.remove(oldest).map_err(failed)?;
        }
        Ok(())
    }

    /// The last `count` events, the newest first, each with its number.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn events(&self, count: usize) -> Result<Vec<(u64, Event)>, Error> {
        let entries = self.events.iter().map_err(failed)?.rev().take(count);
        entries
            .map(|entry| {
                let (number, value) = entry.map_err(failed)?;
                Ok((number.value(), read(value.value())?))
            })
            .collect()
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    Ok(serde_json::from_slice(bytes)?)
}

fn write(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    Ok(serde_json::to_vec(value)?)
}
