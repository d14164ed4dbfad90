use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::{BatchProgress, Checksum, Direction, RevisionId, StatementsDigest, Subject};

/// A row of the version table that records a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRevision {
    /// Order of application, unique, from 1.
    pub sequence: i64,
    /// The recorded revision.
    pub revision: RevisionId,
    /// The revision's message when it was applied.
    pub message: String,
    /// The parents when the revision was applied; they take precedence over those in the file.
    pub parents: Vec<RevisionId>,
    /// The dependencies when the revision was applied.
    pub depends_on: Vec<RevisionId>,
    /// The checksum of the up script.
    pub up_checksum: Checksum,
    /// The checksum of the down script, if there was one.
    pub down_checksum: Option<Checksum>,
    /// The raw down script; `None` if there is none or it was not loaded.
    pub down_script: Option<String>,
    /// Whether the revision is applied completely.
    pub state: State,
    /// The start time of its run, in UTC.
    pub started_at: DateTime<Utc>,
    /// The end time of its run, in UTC; `None` during the first, partial run.
    pub applied_at: Option<DateTime<Utc>>,
    /// The duration of the run, in milliseconds.
    pub duration_ms: i64,
    /// The `user@host` that ran it.
    pub applied_by: String,
    /// The version of migrator that ran it.
    pub tool_version: String,
}

/// Whether a row records a completely applied revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The revision is completely applied.
    Applied,
    /// A `transaction = off` script has stopped partway.
    Partial(Box<Partial>),
}

impl From<Partial> for State {
    fn from(partial: Partial) -> Self {
        Self::Partial(Box::new(partial))
    }
}

/// The progress of a `transaction = off` script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The direction of the script.
    pub direction: Direction,
    /// The raw text of the script.
    pub script: String,
    /// Number of units done; a BEGIN…COMMIT block is one unit.
    pub statements_done: usize,
    /// Total number of units.
    pub statements_total: usize,
    /// A digest of the checksums of the units done, in order.
    pub statements_digest: StatementsDigest,
    /// The outcome of the next unit; `None` if it has not begun.
    pub interruption: Option<Interruption>,
    /// The progress of the next unit, if it is a repeated statement that has begun.
    pub batch: Option<Box<BatchProgress>>,
}

impl Partial {
    /// Returns the part that changes from unit to unit.
    pub fn progress(&self) -> UnitProgress {
        UnitProgress {
            statements_done: self.statements_done,
            statements_digest: self.statements_digest,
            interruption: self.interruption.clone(),
            batch: self.batch.clone(),
        }
    }
}

/// The part of a [`Partial`] that changes from unit to unit. Its size does not depend on the
/// script's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitProgress {
    /// See [`Partial::statements_done`].
    pub statements_done: usize,
    /// See [`Partial::statements_digest`].
    pub statements_digest: StatementsDigest,
    /// See [`Partial::interruption`].
    pub interruption: Option<Interruption>,
    /// See [`Partial::batch`].
    pub batch: Option<Box<BatchProgress>>,
}

/// The state in which the next unit was interrupted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// The outcome.
    pub ending: Ending,
    /// On PostgreSQL, the indexes that the table of a CREATE INDEX CONCURRENTLY had before, quoted
    /// and schema-qualified. Newer indexes may come from this unit.
    pub indexes_before: Option<Vec<String>>,
}

/// The outcome of a unit that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The unit failed with this error and left nothing behind, except perhaps an invalid index.
    Failed(String),
    /// The unit began outside a transaction, and its outcome was not observed.
    Unknown,
}

/// Formats the outcome for a message about the statements done.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "the next statement failed: {error}"),
            Self::Unknown => f.write_str(
                "the next statement was running when the last run ended; its outcome is unknown",
            ),
        }
    }
}

/// The stored form of [`Ending::Unknown`].
const RUNNING: &str = "running outside of a transaction";
/// Separates the names of indexes in the stored form.
const INDEXES_BEFORE: &str = "\nindexes before it: ";

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ending {
            Ending::Failed(error) => f.write_str(error)?,
            Ending::Unknown => f.write_str(RUNNING)?,
        }
        match &self.indexes_before {
            None => Ok(()),
            Some(names) => write!(f, "{INDEXES_BEFORE}{}", names.join(", ")),
        }
    }
}

impl From<&str> for Interruption {
    fn from(text: &str) -> Self {
        let (ending, names) = match text.rsplit_once(INDEXES_BEFORE) {
            Some((ending, names)) => (ending, Some(names)),
            None => (text, None),
        };
        Self {
            ending: match ending {
                RUNNING => Ending::Unknown,
                error => Ending::Failed(error.to_owned()),
            },
            indexes_before: names.map(quoted_names),
        }
    }
}

/// Splits `"a"."b", "c"."d"` into names; commas within quotes do not separate.
fn quoted_names(text: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let names = parts.map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// A row to write; the database fills in times, duration and actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// See [`AppliedRevision::sequence`].
    pub sequence: i64,
    /// The subject of the row.
    pub subject: Subject,
    /// See [`AppliedRevision::message`].
    pub message: String,
    /// See [`AppliedRevision::parents`] and [`super::AppliedRepeatable::upon`].
    pub parents: Vec<RevisionId>,
    /// See [`AppliedRevision::depends_on`].
    pub depends_on: Vec<RevisionId>,
    /// See [`AppliedRevision::up_checksum`].
    pub up_checksum: Checksum,
    /// See [`AppliedRevision::down_checksum`].
    pub down_checksum: Option<Checksum>,
    /// See [`AppliedRevision::down_script`].
    pub down_script: Option<String>,
    /// The raw up script; `None` if it is larger than [`super::LARGEST_STORED_UP`].
    pub up_script: Option<Arc<str>>,
}

/// The texts stored in a row. Up scripts are only needed to show how they were changed, so they are
/// read for single rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredScripts {
    /// The subject of the row.
    pub subject: Subject,
    /// The raw up script; `None` if it was too large, or written by a version that did not store it.
    pub up: Option<Arc<str>>,
    /// See [`AppliedRevision::down_script`].
    pub down: Option<Arc<str>>,
}

/// The known details of how another tool applied a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The time it was applied; `None` if the tool did not record it.
    pub applied_at: Option<DateTime<Utc>>,
    /// The duration, in milliseconds; 0 if unknown.
    pub duration_ms: i64,
}

impl Past {
    /// Returns the start time, or the end time if the duration is invalid.
    pub fn started_at(&self) -> Option<DateTime<Utc>> {
        let done = self.applied_at?;
        let duration = TimeDelta::try_milliseconds(self.duration_ms);
        let began = duration.and_then(|duration| done.checked_sub_signed(duration));
        Some(began.filter(|time| time.year() > 0).unwrap_or(done))
    }
}

/// A change to the version table. Each must affect exactly one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordChange {
    /// A revision or repeatable script is recorded as applied.
    Insert(Arc<NewRow>),
    /// A revision that another tool has applied is recorded, with the time of that tool.
    Adopt(Arc<NewRow>, Past),
    /// A row is removed, because its subject is no longer applied.
    Delete(Subject),
    /// Like [`Self::Delete`], of a row that must be fully applied, so that it has no progress to
    /// remove.
    DeleteApplied(Subject),
    /// A `transaction = off` up script begins: a new row, partial.
    Begin(Arc<NewRow>, Partial),
    /// A `transaction = off` down script begins, or a script is resumed: the row's state becomes
    /// this one, with the text of the script.
    Enter {
        /// The row.
        subject: Subject,
        /// Units done that the row must show now; `None` when it must be fully applied.
        from: Option<usize>,
        /// The new state.
        to: Partial,
    },
    /// A `transaction = off` script made progress. The text of the script is not written again, so
    /// that the cost does not grow with its size.
    Progress {
        /// The row.
        subject: Subject,
        /// Units done that the row must show now.
        from: usize,
        /// The new progress.
        to: UnitProgress,
    },
    /// A repeated unit has changed more rows: the row's batch is replaced, and the unit's earlier
    /// outcome is cleared.
    Batch {
        /// The row.
        subject: Subject,
        /// Units done that the row must show now.
        done: usize,
        /// The batch that the row must show now; `None` for the first batch.
        from: Option<BatchProgress>,
        /// The new batch.
        to: BatchProgress,
    },
    /// The row is updated to the current scripts of the directory.
    Accept {
        /// The row.
        subject: Subject,
        /// The checksum of the up script.
        up_checksum: Checksum,
        /// The checksum of the down script.
        down_checksum: Option<Checksum>,
        /// The raw down script.
        down_script: Option<String>,
        /// See [`NewRow::up_script`].
        up_script: Option<Arc<str>>,
    },
    /// A `transaction = off` up script is done: the row becomes applied.
    Finish {
        /// The row.
        subject: Subject,
        /// Units done that the row must show now.
        from: usize,
        /// Whether the recorded duration covers the whole script. Otherwise it is added to that of
        /// earlier runs.
        whole: bool,
    },
}

impl RecordChange {
    /// Returns the subject of the changed row.
    pub fn subject(&self) -> &Subject {
        match self {
            Self::Insert(row) | Self::Adopt(row, _) | Self::Begin(row, _) => &row.subject,
            Self::Delete(subject)
            | Self::DeleteApplied(subject)
            | Self::Enter { subject, .. }
            | Self::Progress { subject, .. }
            | Self::Batch { subject, .. }
            | Self::Accept { subject, .. }
            | Self::Finish { subject, .. } => subject,
        }
    }
}

/// The kind of event that a log row records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogEvent {
    /// The version table was created or upgraded; `detail` holds its layout version.
    Layout,
    /// An up script ran.
    Upgrade,
    /// A down script ran.
    Downgrade,
    /// A record was set without running a script.
    Stamp,
    /// A record was repaired.
    Repair,
    /// Records of replaced revisions were replaced by that of their baseline.
    Squash,
    /// A record of another tool was adopted.
    Adopt,
    /// Statements of a script were slow; `detail` lists them as JSON.
    Slow,
    /// A repeated statement has finished; `detail` holds the total.
    Batch,
}

impl LogEvent {
    /// Returns the event as written in the log table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Stamp => "stamp",
            Self::Repair => "repair",
            Self::Squash => "squash",
            Self::Adopt => "adopt",
            Self::Slow => "slow",
            Self::Batch => "batch",
        }
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A row to write to the log; the database fills in time and actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The event.
    pub event: LogEvent,
    /// The subject of the event.
    pub subject: Option<Subject>,
    /// The message.
    pub message: Option<String>,
    /// The error; `None` if the event succeeded.
    pub error: Option<String>,
    /// A short description of details.
    pub detail: Option<String>,
    /// The time spent before the transaction that records the event began.
    pub elapsed: Duration,
}

/// A row read from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Order of the events, from 1.
    pub sequence: i64,
    /// The time of the event, in UTC.
    pub at: DateTime<Utc>,
    /// The event as stored: newer versions may write other events.
    pub event: String,
    /// The subject of the event.
    pub subject: Option<Subject>,
    /// The message.
    pub message: Option<String>,
    /// `ok` or `failed`.
    pub outcome: String,
    /// The duration, in milliseconds.
    pub duration_ms: i64,
    /// The `user@host` that caused the event.
    pub actor: String,
    /// The version of migrator.
    pub tool_version: String,
    /// The error message, if it failed.
    pub error: Option<String>,
    /// A short description of details.
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interruptions_are_read_as_they_are_written() {
        let check = |ending: Ending, names: Option<&[&str]>| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let interruption = Interruption {
                ending,
                indexes_before: names.map(owned),
            };
            let written = interruption.to_string();
            assert_eq!(
                Interruption::from(written.as_str()),
                interruption,
                "{written}"
            );
        };
        check(Ending::Unknown, None);
        check(Ending::Unknown, Some(&[]));
        check(
            Ending::Unknown,
            Some(&["\"public\".\"a\"", "\"odd, one\".\"b\""]),
        );
        check(
            Ending::Failed("duplicate key\nin two lines".to_owned()),
            None,
        );
        check(Ending::Failed(String::new()), Some(&["\"public\".\"a\""]));
    }
}
