//! Writes to the version table and its log.

use std::{
    borrow::Cow,
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{
    super::DatabaseError, command::Command, connect::Connection, version_table::VersionTable,
};
use crate::revision::{LogEntry, RecordChange};

/// The start of the recorded work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion {
    started_at: DateTime<Utc>,
    clock: Instant,
    carried: Duration,
}

impl Occasion {
    /// Starts now; `carried` is the time spent before.
    pub fn begin(carried: Duration) -> Self {
        let before = TimeDelta::from_std(carried).unwrap_or_default();
        Self {
            started_at: Utc::now() - before,
            clock: Instant::now(),
            carried,
        }
    }

    /// The times, with the end set to now.
    fn times(&self) -> Times {
        Times {
            began: time(self.started_at),
            now: time(Utc::now()),
            carried: self.carried,
            elapsed: self.clock.elapsed(),
        }
    }
}

/// A time in the format of the tables.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The record of a step.
#[derive(Debug)]
pub(super) struct Record<'a> {
    times: Times,
    changes: Cow<'a, [RecordChange]>,
    log: Cow<'a, [LogEntry]>,
}

impl<'a> Record<'a> {
    /// The record of work that ends now.
    pub fn of(occasion: &Occasion, changes: &'a [RecordChange], log: &'a [LogEntry]) -> Self {
        Self {
            times: occasion.times(),
            changes: changes.into(),
            log: log.into(),
        }
    }

    /// The record with owned data, to be written later.
    pub fn into_owned(self) -> Record<'static> {
        Record {
            times: self.times,
            changes: self.changes.into_owned().into(),
            log: self.log.into_owned().into(),
        }
    }
}

/// Writes changes and log entries in the open transaction.
///
/// # Errors
/// [`DatabaseError::StateChanged`] when a change does not affect exactly one row.
pub(super) fn write(
    connection: &mut Connection,
    table: &VersionTable,
    actor: &str,
    records: &[Record<'_>],
) -> Result<(), DatabaseError> {
    // Grouping keeps identical statements together.
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

/// The times that a command's values depend on.
#[derive(Debug)]
pub(super) struct Times {
    /// The start, in the format of [`time`].
    pub began: String,
    /// The end, in the format of [`time`].
    pub now: String,
    /// The time spent before the transaction.
    pub carried: Duration,
    /// The time spent in the transaction.
    pub elapsed: Duration,
}

impl Times {
    /// The milliseconds of work that took `carried` before the transaction.
    pub fn duration(&self, carried: Duration) -> i64 {
        i64::try_from((carried + self.elapsed).as_millis()).unwrap_or(i64::MAX)
    }

    /// The times of work without a duration.
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
