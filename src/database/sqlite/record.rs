//! Writing to the version table and its log.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{
    super::DatabaseError, command::Command, connect::Connection, version_table::VersionTable,
};
use crate::revision::{LogEntry, RecordChange};

/// When what is recorded began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion {
    started_at: DateTime<Utc>,
    clock: Instant,
    carried: Duration,
}

impl Occasion {
    /// It begins now, and `carried` of it was spent before.
    pub fn begin(carried: Duration) -> Self {
        let before = TimeDelta::from_std(carried).unwrap_or_default();
        Self {
            started_at: Utc::now() - before,
            clock: Instant::now(),
            carried,
        }
    }

    /// It ends now.
    fn times(&self) -> Times {
        Times {
            began: time(self.started_at),
            now: time(Utc::now()),
            carried: self.carried,
            elapsed: self.clock.elapsed(),
        }
    }
}

/// As the tables write a time.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What a step is recorded by.
#[derive(Debug)]
pub(super) struct Record<'a> {
    times: Times,
    changes: Cow<'a, [RecordChange]>,
    log: Cow<'a, [LogEntry]>,
}

impl<'a> Record<'a> {
    /// That of something which ends now.
    pub fn of(occasion: &Occasion, changes: &'a [RecordChange], log: &'a [LogEntry]) -> Self {
        Self {
            times: occasion.times(),
            changes: changes.into(),
            log: log.into(),
        }
    }

    /// The same, for later.
    pub fn into_owned(self) -> Record<'static> {
        Record {
            times: self.times,
            changes: self.changes.into_owned().into(),
            log: self.log.into_owned().into(),
        }
    }
}

/// Writes changes and log into the transaction that is open.
///
/// # Errors
/// [`DatabaseError::StateChanged`] when a change does not hit exactly one row.
pub(super) fn write(
    connection: &mut Connection,
    table: &VersionTable,
    actor: &str,
    records: &[Record<'_>],
) -> Result<(), DatabaseError> {
    // The same statements in a row.
    let mut writer = connection.writer();
    for record in records {
        for change in &*record.changes {
            for command in Command::of(table, actor, change) {
                command.run(&mut writer, &record.times)?;
            }
        }
    }
    for record in records {
        for entry in &*record.log {
            Command::entry(table, actor, entry).run(&mut writer, &record.times)?;
        }
    }
    Ok(())
}

/// What the values of a command stand for that depend on when it runs.
#[derive(Debug)]
pub(super) struct Times {
    /// As [`time`] writes it.
    pub began: String,
    /// Likewise.
    pub now: String,
    /// Spent before the transaction.
    pub carried: Duration,
    /// Spent in it.
    pub elapsed: Duration,
}

impl Times {
    /// Milliseconds of what took `carried` before the transaction.
    pub fn duration(&self, carried: Duration) -> i64 {
        i64::try_from((carried + self.elapsed).as_millis()).unwrap_or(i64::MAX)
    }

    /// Of something that takes no time.
    pub fn now() -> Self {
        let now = time(Utc::now());
        Self {
            began: now.clone(),
            now,
            carried: Duration::ZERO,
            elapsed: Duration::ZERO,
        }
    }
}
