use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    AppliedRevision, Checksum, NewRow, RecordChange, RepeatableId, RevisionId, State, Subject,
};

/// The layout of the version table that this version writes. Layout 1 stores a list of all
/// checksums instead of a [`super::StatementsDigest`], and has neither a column for up scripts nor,
/// on SQLite, a progress table.
pub const LAYOUT: u32 = 2;

/// The content of the version table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Rows of revisions, by sequence. Empty if there is no table.
    pub applied: Vec<AppliedRevision>,
    /// Rows of repeatable scripts by sequence.
    pub repeatables: Vec<AppliedRepeatable>,
    /// The layout version; `None` if there is no table.
    pub layout: Option<u32>,
}

impl Observed {
    /// The changes that record the same in an empty version table, apart from times and actors.
    pub fn copied(&self) -> Vec<RecordChange> {
        let applied = self.applied.iter().map(|row| match &row.state {
            State::Applied => RecordChange::Insert(row.copied()),
            State::Partial(partial) => RecordChange::Begin(row.copied(), (**partial).clone()),
        });
        let repeatables = self.repeatables.iter();
        let repeatables = repeatables.map(|row| RecordChange::Insert(row.copied()));
        applied.chain(repeatables).collect()
    }
}

impl AppliedRevision {
    /// The row of a revision that `new` makes, without its down script; `None` for a repeatable script.
    fn recorded(new: &NewRow) -> Option<Self> {
        let Subject::Revision(revision) = &new.subject else {
            return None;
        };
        Some(Self {
            sequence: new.sequence,
            revision: revision.clone(),
            message: new.message.clone(),
            parents: new.parents.clone(),
            depends_on: new.depends_on.clone(),
            up_checksum: new.up_checksum.clone(),
            down_checksum: new.down_checksum.clone(),
            down_script: None,
            state: State::Applied,
            started_at: DateTime::UNIX_EPOCH,
            applied_at: None,
            duration_ms: 0,
            applied_by: String::new(),
            tool_version: String::new(),
        })
    }

    /// The row that records the same elsewhere.
    fn copied(&self) -> Arc<NewRow> {
        NewRow {
            sequence: self.sequence,
            subject: self.revision.clone().into(),
            message: self.message.clone(),
            parents: self.parents.clone(),
            depends_on: self.depends_on.clone(),
            up_checksum: self.up_checksum.clone(),
            down_checksum: self.down_checksum.clone(),
            down_script: self.down_script.clone(),
            up_script: None,
        }
        .into()
    }
}

impl AppliedRepeatable {
    /// The row that records the same elsewhere.
    fn copied(&self) -> Arc<NewRow> {
        NewRow {
            sequence: self.sequence,
            subject: Subject::Repeatable(self.id.clone()),
            message: self.message.clone(),
            parents: self.upon.clone(),
            depends_on: Vec::new(),
            up_checksum: self.checksum.clone(),
            down_checksum: None,
            down_script: None,
            up_script: None,
        }
        .into()
    }
}

/// A row of the version table that records a repeatable script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRepeatable {
    /// Order of application among all rows, unique, from 1.
    pub sequence: i64,
    /// The script.
    pub id: RepeatableId,
    /// The message of the script when it ran.
    pub message: String,
    /// The applied heads when the script ran. They show whether a revision was reverted since.
    pub upon: Vec<RevisionId>,
    /// The checksum of the script that ran.
    pub checksum: Checksum,
    /// The start time of the run, in UTC.
    pub started_at: DateTime<Utc>,
    /// The end time of the run, in UTC.
    pub applied_at: DateTime<Utc>,
    /// The duration of the run, in milliseconds.
    pub duration_ms: i64,
    /// The `user@host` that ran it.
    pub applied_by: String,
    /// The version of migrator that ran it.
    pub tool_version: String,
}

/// A row of the version table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A row of a revision.
    Revision(AppliedRevision),
    /// A row of a repeatable script.
    Repeatable(AppliedRepeatable),
}

impl Observed {
    /// Creates the state from rows in order of sequence.
    pub fn of(rows: impl IntoIterator<Item = Row>, layout: u32) -> Self {
        let mut observed = Self {
            layout: Some(layout),
            ..Self::default()
        };
        rows.into_iter().for_each(|row| observed.add(row));
        observed
    }

    /// Adds the row with the next sequence.
    pub fn add(&mut self, row: Row) {
        match row {
            Row::Revision(row) => self.applied.push(row),
            Row::Repeatable(row) => self.repeatables.push(row),
        }
    }

    /// The state after changes of rows of revisions, in which times and actors are missing; `None` if
    /// the changes do not tell it.
    pub fn after<'a>(
        mut self,
        changes: impl IntoIterator<Item = &'a RecordChange>,
    ) -> Option<Self> {
        for change in changes {
            match change {
                RecordChange::Insert(row) => self.applied.push(AppliedRevision::recorded(row)?),
                RecordChange::Delete(Subject::Revision(id))
                | RecordChange::DeleteApplied(Subject::Revision(id)) => {
                    self.applied.retain(|row| row.revision != *id);
                }
                _ => return None,
            }
        }
        Some(self)
    }

    /// Whether both record the same, apart from times and actors.
    #[cfg(feature = "cli")]
    pub fn records_same(&self, other: &Self) -> bool {
        let applied = |it: &Self| it.applied.iter().map(AppliedRevision::copied).collect();
        let (own, others): (Vec<_>, Vec<_>) = (applied(self), applied(other));
        let mut states = self.applied.iter().zip(&other.applied);
        own == others
            && states.all(|(a, b)| a.state == b.state)
            && self.repeatables == other.repeatables
    }

    /// Returns the sequences of all rows.
    pub fn sequences(&self) -> impl Iterator<Item = i64> {
        let revisions = self.applied.iter().map(|row| row.sequence);
        revisions.chain(self.repeatables.iter().map(|row| row.sequence))
    }

    /// Returns whether the table has no row.
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty() && self.repeatables.is_empty()
    }

    /// Returns the highest sequence, or 0 if there is none.
    pub fn last_sequence(&self) -> i64 {
        self.sequences().max().unwrap_or(0)
    }
}
