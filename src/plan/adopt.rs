mod reading;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::{PlanContext, upgrade::new_row};
use crate::{
    layout::{ExternalEntry, ExternalRecords, ExternalTool, Layout},
    revision::{LogEntry, LogEvent, NewRow, Past, RevisionId, Subject},
};
pub(super) use reading::Reading;

/// The records that `adopt` creates from the records of another tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The tool whose records are adopted.
    pub tool: ExternalTool,
    /// The tool's table.
    pub table: String,
    /// Rows to insert, in topological order.
    pub rows: Vec<(NewRow, Past)>,
    /// Revisions of the directory that are not applied, in order.
    pub pending: Vec<RevisionId>,
    /// Number of checksums that were compared with the files.
    pub compared: usize,
    /// Doubts that require the user's consent.
    pub doubts: Vec<AdoptDoubt>,
}

/// A reason why adopting needs the user's consent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptDoubt {
    /// The migration stopped partway. It is not recorded as applied.
    #[error("according to {table}, migration {entry} stopped partway")]
    Failed {
        /// The tool's name for the migration.
        entry: String,
        /// The tool's table.
        table: String,
        /// The matching revision and its file, if there is one.
        revision: Option<(RevisionId, String)>,
    },
    /// The file was changed after it was applied. Its current text is recorded as applied.
    #[error(
        "according to the checksum in {table}, revision {revision} was changed after it was applied"
    )]
    Changed {
        /// The revision.
        revision: RevisionId,
        /// The script file.
        file: String,
        /// The tool's table.
        table: String,
    },
    /// The directory has no matching revision. Nothing is recorded.
    #[error("according to {table}, migration {entry} is applied, but it is not in the directory")]
    Unknown {
        /// The tool's name for the migration.
        entry: String,
        /// The tool's table.
        table: String,
    },
    /// The revision is not applied, but one above it is. It stays unapplied.
    #[error("according to {table}, revision {revision} is not applied, but {above} above it is")]
    Gap {
        /// The revision.
        revision: RevisionId,
        /// The script file.
        file: String,
        /// The first applied revision above it.
        above: RevisionId,
        /// The tool's table.
        table: String,
    },
}

/// An error that consent cannot override.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// The version table already has rows.
    #[error("the version table already has {}", rows(*.0))]
    NotEmpty(
        /// Number of rows.
        usize,
    ),
    /// The table has several rows, but golang-migrate keeps only one.
    #[error("{table} has {} instead of the one that golang-migrate keeps", rows(*.found))]
    SeveralVersions {
        /// The tool's table.
        table: String,
        /// Number of rows.
        found: usize,
    },
}

impl Adoption {
    /// Returns the number of files that were changed after they were applied.
    pub fn changed(&self) -> usize {
        let doubts = self.doubts.iter();
        doubts
            .filter(|doubt| matches!(doubt, AdoptDoubt::Changed { .. }))
            .count()
    }

    /// Returns the log entries: one for each revision and one for each doubt.
    pub fn log_entries(&self) -> Vec<LogEntry> {
        let entry = |subject: Option<Subject>, message: Option<&str>, detail: String| LogEntry {
            elapsed: Duration::ZERO,
            event: LogEvent::Adopt,
            subject,
            message: message.map(str::to_owned),
            error: None,
            detail: Some(detail),
        };
        let recorded = self.rows.iter().map(|(row, _)| {
            let detail = format!("recorded, from {}'s {}", self.tool, self.table);
            entry(Some(row.subject.clone()), Some(&row.message), detail)
        });
        let doubts = self.doubts.iter().map(|doubt| {
            let subject = doubt.revision().cloned().map(Subject::from);
            let entry = entry(subject, None, format!("{doubt}; agreed to"));
            // An unrecorded migration must not read as applied.
            let error = (!doubt.is_recorded()).then(|| format!("not recorded: {doubt}"));
            LogEntry { error, ..entry }
        });
        recorded.chain(doubts).collect()
    }
}

impl AdoptDoubt {
    /// Returns the revision in doubt, if there is one.
    pub fn revision(&self) -> Option<&RevisionId> {
        match self {
            Self::Failed { revision, .. } => revision.as_ref().map(|(id, _)| id),
            Self::Changed { revision, .. } | Self::Gap { revision, .. } => Some(revision),
            Self::Unknown { .. } => None,
        }
    }

    /// Returns whether the revision is recorded as applied despite the doubt.
    pub fn is_recorded(&self) -> bool {
        matches!(self, Self::Changed { .. })
    }

    /// Returns the file in doubt, if there is one.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Failed { revision, .. } => revision.as_ref().map(|(_, file)| file.as_str()),
            Self::Changed { file, .. } | Self::Gap { file, .. } => Some(file),
            Self::Unknown { .. } => None,
        }
    }
}

fn rows(count: usize) -> String {
    match count {
        1 => "1 row".to_owned(),
        _ => format!("{count} rows"),
    }
}

/// Plans how to adopt `records`. `layout` is the layout that the directory was read with.
///
/// # Errors
/// Returns an error if nothing can be adopted, even with consent.
pub fn adopt(
    context: &PlanContext<'_>,
    records: &ExternalRecords,
    layout: Layout,
) -> Result<Adoption, AdoptError> {
    let observed = context.observed;
    if !observed.is_empty() {
        let rows = observed.applied.len() + observed.repeatables.len();
        return Err(AdoptError::NotEmpty(rows));
    }
    let mut reading = Reading::new(context.history, records);
    reading.read()?;
    let compared = reading.compare_checksums(layout);
    reading.look_for_gaps();
    let Reading {
        applied, doubts, ..
    } = reading;
    let in_order = || context.history.in_order();
    let rows = in_order().filter_map(|revision| Some((revision, applied.get(&revision.id)?)));
    Ok(Adoption {
        tool: records.tool,
        table: records.table.clone(),
        rows: rows
            .zip(1..)
            .map(|((revision, entry), at)| (new_row(context.dialect, revision, at), past(*entry)))
            .collect(),
        pending: in_order()
            .filter(|revision| !applied.contains_key(&revision.id))
            .map(|revision| revision.id.clone())
            .collect(),
        compared,
        doubts,
    })
}

fn past(entry: Option<&ExternalEntry>) -> Past {
    entry.map_or(Past::default(), |entry| Past {
        applied_at: entry.at,
        duration_ms: entry.duration_ms.unwrap_or(0),
    })
}
