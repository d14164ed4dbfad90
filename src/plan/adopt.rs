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

/// What `adopt` records of what another tool has applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// Whose records they are.
    pub tool: ExternalTool,
    /// The table.
    pub table: String,
    /// Rows that come, in topological order.
    pub rows: Vec<(NewRow, Past)>,
    /// Revisions of the directory that are not applied, in order.
    pub pending: Vec<RevisionId>,
    /// How many of its checksums were compared with the files.
    pub compared: usize,
    /// What is only done after it was seen and agreed to.
    pub doubts: Vec<AdoptDoubt>,
}

/// What only a human can agree to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptDoubt {
    /// The tool has stopped partway. It counts as not applied.
    #[error("according to {table}, migration {entry} stopped partway")]
    Failed {
        /// The name of the migration in the tool.
        entry: String,
        /// The tool's table.
        table: String,
        /// The revision it is here, and its file.
        revision: Option<(RevisionId, String)>,
    },
    /// The file is not the one that was applied. As it is now, it counts as applied.
    #[error(
        "according to the checksum in {table}, revision {revision} was changed after it was applied"
    )]
    Changed {
        /// The ID of the revision.
        revision: RevisionId,
        /// The file of the script.
        file: String,
        /// The tool's table.
        table: String,
    },
    /// There is nothing here to record it by. It is left out.
    #[error("according to {table}, migration {entry} is applied, but it is not in the directory")]
    Unknown {
        /// The name of the migration in the tool.
        entry: String,
        /// The tool's table.
        table: String,
    },
    /// It is not applied, and something above it is. It stays so.
    #[error("according to {table}, revision {revision} is not applied, but {above} above it is")]
    Gap {
        /// The ID of the revision.
        revision: RevisionId,
        /// The file of the script.
        file: String,
        /// The first one above it that is applied.
        above: RevisionId,
        /// The tool's table.
        table: String,
    },
}

/// Why nothing can be adopted, whatever is agreed to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// Our own records are there.
    #[error("the version table already has {}", rows(*.0))]
    NotEmpty(
        /// How many.
        usize,
    ),
    /// A tool that keeps one row would have left one.
    #[error("{table} has {} instead of the one that golang-migrate keeps", rows(*.found))]
    SeveralVersions {
        /// The tool's table.
        table: String,
        /// The number of rows.
        found: usize,
    },
}

impl Adoption {
    /// How many files are not the ones that were applied.
    pub fn changed(&self) -> usize {
        let doubts = self.doubts.iter();
        doubts
            .filter(|doubt| matches!(doubt, AdoptDoubt::Changed { .. }))
            .count()
    }

    /// What the log says of it: a row for each revision, and one for each doubt.
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
            // What stays as it is must not read as if it were applied.
            let error = (!doubt.is_recorded()).then(|| format!("not recorded: {doubt}"));
            LogEntry { error, ..entry }
        });
        recorded.chain(doubts).collect()
    }
}

impl AdoptDoubt {
    /// The revision it is about, where there is one.
    pub fn revision(&self) -> Option<&RevisionId> {
        match self {
            Self::Failed { revision, .. } => revision.as_ref().map(|(id, _)| id),
            Self::Changed { revision, .. } | Self::Gap { revision, .. } => Some(revision),
            Self::Unknown { .. } => None,
        }
    }

    /// Whether the revision is recorded as applied all the same.
    pub fn is_recorded(&self) -> bool {
        matches!(self, Self::Changed { .. })
    }

    /// The file it is about, where there is one.
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

/// What becomes of `records` here. `layout` is how the directory was read.
///
/// # Errors
/// When there is no way at all.
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
