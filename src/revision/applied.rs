use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::{BatchProgress, Checksum, Direction, RevisionId, StatementsDigest, Subject};

/// A row of the version table that is about a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRevision {
    /// Order of application, unique, from 1.
    pub sequence: i64,
    /// The revision it is about.
    pub revision: RevisionId,
    /// The revision's message when it was applied.
    pub message: String,
    /// The parents when it was applied; they rule over the file's.
    pub parents: Vec<RevisionId>,
    /// What it depended on when it was applied.
    pub depends_on: Vec<RevisionId>,
    /// Of the up script.
    pub up_checksum: Checksum,
    /// Of the down script, where there was one.
    pub down_checksum: Option<Checksum>,
    /// The raw down script; `None` without one, or when it was not asked for.
    pub down_script: Option<String>,
    /// Whether it is applied completely.
    pub state: State,
    /// When its run began, UTC.
    pub started_at: DateTime<Utc>,
    /// When it was done, UTC; `None` while partial for the first time.
    pub applied_at: Option<DateTime<Utc>>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// `user@host` of who ran it.
    pub applied_by: String,
    /// The version of migrator that ran it.
    pub tool_version: String,
}

/// Whether a row stands for a whole revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Completely applied.
    Applied,
    /// In the middle of a `transaction = off` script.
    Partial(Box<Partial>),
}

impl From<Partial> for State {
    fn from(partial: Partial) -> Self {
        Self::Partial(Box::new(partial))
    }
}

/// How far a `transaction = off` script has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// Which of the two scripts runs.
    pub direction: Direction,
    /// Its raw text.
    pub script: String,
    /// Units done; a BEGIN…COMMIT block is one unit.
    pub statements_done: usize,
    /// Units of the script.
    pub statements_total: usize,
    /// Of the checksums of the units done, in order.
    pub statements_digest: StatementsDigest,
    /// What is known of the unit after those done; `None` when it has not begun.
    pub interruption: Option<Interruption>,
    /// How far that unit has come, if it is one that is repeated and has begun.
    pub batch: Option<Box<BatchProgress>>,
}

impl Partial {
    /// What of it changes from unit to unit.
    pub fn progress(&self) -> UnitProgress {
        UnitProgress {
            statements_done: self.statements_done,
            statements_digest: self.statements_digest,
            interruption: self.interruption.clone(),
            batch: self.batch.clone(),
        }
    }
}

/// What of a [`Partial`] changes from unit to unit. Its size does not depend on the script's.
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

/// How the unit that comes next was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interruption {
    /// The outcome.
    pub ending: Ending,
    /// PostgreSQL, of a CREATE INDEX CONCURRENTLY: the indexes that its table had before, quoted
    /// and with their schema. What is new since may be of this unit.
    pub indexes_before: Option<Vec<String>>,
}

/// The outcome for a unit that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It failed with this error and has left no trace, but perhaps an invalid index.
    Failed(String),
    /// It was begun outside a transaction, and nobody has seen its end.
    Unknown,
}

/// In a sentence on the statements that are done.
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

/// In the version table, a unit whose end nobody has seen.
const RUNNING: &str = "running outside of a transaction";
/// In the version table, before the names of indexes.
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

/// The parts of `"a"."b", "c"."d"`; commas within quotes part nothing.
fn quoted_names(text: &str) -> Vec<String> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let names = parts.map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// A row to be written; times, duration and actor are the database's to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// See [`AppliedRevision::sequence`].
    pub sequence: i64,
    /// What it is about.
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
}

/// What is known of how another tool applied a revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// When it was done; `None` when the tool kept no time.
    pub applied_at: Option<DateTime<Utc>>,
    /// How long it took, in milliseconds; 0 when it is not known.
    pub duration_ms: i64,
}

impl Past {
    /// When it began; when it was done where the duration makes no sense.
    pub fn started_at(&self) -> Option<DateTime<Utc>> {
        let done = self.applied_at?;
        let duration = TimeDelta::try_milliseconds(self.duration_ms);
        let began = duration.and_then(|duration| done.checked_sub_signed(duration));
        Some(began.filter(|time| time.year() > 0).unwrap_or(done))
    }
}

/// A change of the version table. Each must hit exactly one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordChange {
    /// It is applied.
    Insert(Arc<NewRow>),
    /// What another tool has applied is recorded, as of the time it did.
    Adopt(Arc<NewRow>, Past),
    /// It is no longer applied.
    Delete(Subject),
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
    /// A `transaction = off` script went on. The text of the script is not written again, so that
    /// a script of thousands of statements costs no more than its parts.
    Progress {
        /// The row.
        subject: Subject,
        /// Units done that the row must show now.
        from: usize,
        /// The new progress.
        to: UnitProgress,
    },
    /// A unit that is repeated has changed rows once more: the row's batch becomes this one, and
    /// how the unit was left is forgotten.
    Batch {
        /// The row.
        subject: Subject,
        /// Units done that the row must show now.
        done: usize,
        /// The batch that the row must show now; `None` before the first.
        from: Option<BatchProgress>,
        /// The new one.
        to: BatchProgress,
    },
    /// What the row says of the scripts becomes what the directory has now.
    Accept {
        /// The row.
        subject: Subject,
        /// Of the up script.
        up_checksum: Checksum,
        /// Of the down script.
        down_checksum: Option<Checksum>,
        /// The raw down script.
        down_script: Option<String>,
    },
    /// A `transaction = off` up script is done: the row becomes applied.
    Finish {
        /// The row.
        subject: Subject,
        /// Units done that the row must show now.
        from: usize,
        /// Whether the time of the record is that of the whole script. Otherwise it is added to what
        /// earlier runs took.
        whole: bool,
    },
}

impl RecordChange {
    /// Whose row it changes.
    pub fn subject(&self) -> &Subject {
        match self {
            Self::Insert(row) | Self::Adopt(row, _) | Self::Begin(row, _) => &row.subject,
            Self::Delete(subject)
            | Self::Enter { subject, .. }
            | Self::Progress { subject, .. }
            | Self::Batch { subject, .. }
            | Self::Accept { subject, .. }
            | Self::Finish { subject, .. } => subject,
        }
    }
}

/// What a log row tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogEvent {
    /// The first row: the layout's version, in `detail`.
    Layout,
    /// An up script ran.
    Upgrade,
    /// A down script ran.
    Downgrade,
    /// The record was set without running anything.
    Stamp,
    /// A record was repaired.
    Repair,
    /// Records of replaced revisions became that of their baseline.
    Squash,
    /// What another tool had recorded was recorded here.
    Adopt,
    /// Statements of a script were slow: in `detail`, as JSON.
    Slow,
    /// A statement that was repeated has come to its end; the total, in `detail`.
    Batch,
}

impl LogEvent {
    /// As the log table writes it.
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

/// A row for the log; time and actor are the database's to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// What happened.
    pub event: LogEvent,
    /// What it happened to.
    pub subject: Option<Subject>,
    /// The message.
    pub message: Option<String>,
    /// Why it failed; `None` when it succeeded.
    pub error: Option<String>,
    /// Anything worth knowing, in a few words.
    pub detail: Option<String>,
    /// How long it took before the transaction that records it began.
    pub elapsed: Duration,
}

/// A row of the log as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Order of the events, from 1.
    pub sequence: i64,
    /// When, UTC.
    pub at: DateTime<Utc>,
    /// As written: newer versions may know more events.
    pub event: String,
    /// What it happened to.
    pub subject: Option<Subject>,
    /// The message.
    pub message: Option<String>,
    /// `ok` or `failed`.
    pub outcome: String,
    /// In milliseconds.
    pub duration_ms: i64,
    /// `user@host`.
    pub actor: String,
    /// The version of migrator.
    pub tool_version: String,
    /// The error message, if it failed.
    pub error: Option<String>,
    /// Anything else.
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
