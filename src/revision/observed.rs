use chrono::{DateTime, Utc};

use super::{AppliedRevision, Checksum, RepeatableId, RevisionId};

/// The layout of the version table that this version writes. Layout 1 has the list of all
/// checksums in the place of a [`super::StatementsDigest`], and no table of progress on SQLite.
pub const LAYOUT: u32 = 2;

/// What is read from the version table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Rows of revisions by sequence. Empty when there is no table.
    pub applied: Vec<AppliedRevision>,
    /// Rows of repeatable scripts by sequence.
    pub repeatables: Vec<AppliedRepeatable>,
    /// The layout's version; `None` when there is no table.
    pub layout: Option<u32>,
}

/// A row of the version table that is about a repeatable script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRepeatable {
    /// Order of application among all rows, unique, from 1.
    pub sequence: i64,
    /// The script.
    pub id: RepeatableId,
    /// Its message when it ran.
    pub message: String,
    /// What was applied when it ran and nothing applied revised. It tells whether something was
    /// reverted since.
    pub upon: Vec<RevisionId>,
    /// Of the script that ran.
    pub checksum: Checksum,
    /// When its run began, UTC.
    pub started_at: DateTime<Utc>,
    /// When it was done, UTC.
    pub applied_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// `user@host` of who ran it.
    pub applied_by: String,
    /// The version of migrator that ran it.
    pub tool_version: String,
}

/// A row of the version table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Of a revision.
    Revision(AppliedRevision),
    /// Of a repeatable script.
    Repeatable(AppliedRepeatable),
}

impl Observed {
    /// The state that rows by sequence show.
    pub fn of(rows: impl IntoIterator<Item = Row>, layout: u32) -> Self {
        let mut observed = Self {
            layout: Some(layout),
            ..Self::default()
        };
        rows.into_iter().for_each(|row| observed.add(row));
        observed
    }

    /// Takes in the row of the next sequence.
    pub fn add(&mut self, row: Row) {
        match row {
            Row::Revision(row) => self.applied.push(row),
            Row::Repeatable(row) => self.repeatables.push(row),
        }
    }

    /// The sequences of all rows.
    pub fn sequences(&self) -> impl Iterator<Item = i64> {
        let revisions = self.applied.iter().map(|row| row.sequence);
        revisions.chain(self.repeatables.iter().map(|row| row.sequence))
    }

    /// Whether the table has no row.
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty() && self.repeatables.is_empty()
    }

    /// The highest sequence, 0 when nothing is applied.
    pub fn last_sequence(&self) -> i64 {
        self.sequences().max().unwrap_or(0)
    }
}
