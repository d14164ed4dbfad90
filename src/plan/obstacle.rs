use super::adopt::Reading;
use crate::{
    layout::{ExternalTool, Surroundings},
    revision::{History, Observed},
};

/// Obstacles to ignore in a database without migrator's own records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Ignore records of other tools.
    pub records: bool,
    /// Allow tables without a version table.
    pub tables: bool,
}

/// A reason why it is unclear which revisions a database without migrator's records has applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Another tool's records name revisions of this directory.
    #[error(
        "{table} contains records of {tool} for {}, and there are none of migrator",
        named(*.revisions)
    )]
    Records {
        /// The tool that owns the records.
        tool: ExternalTool,
        /// The tool's table.
        table: String,
        /// Number of revisions of the directory that the records name.
        revisions: usize,
    },
    /// Another tool's table exists but cannot be read.
    #[error("{table} is the table of {tool} and cannot be read: {reason}")]
    Unreadable {
        /// The tool that owns the table.
        tool: ExternalTool,
        /// The tool's table.
        table: String,
        /// The reason why it cannot be read.
        reason: String,
    },
    /// The database has tables but no version table.
    #[error("the database is not empty and has no version table: it contains {}", list(.tables, *.count))]
    NotEmpty {
        /// Names of the first few tables, sorted; never empty.
        tables: Vec<String>,
        /// Total number of tables.
        count: usize,
    },
}

fn named(revisions: usize) -> String {
    match revisions {
        1 => "1 revision of this directory".to_owned(),
        _ => format!("{revisions} revisions of this directory"),
    }
}

fn list(names: &[String], count: usize) -> String {
    let listed = names.join(", ");
    match count.saturating_sub(names.len()) {
        0 if count == 1 => format!("the table {listed}"),
        0 => format!("the tables {listed}"),
        more => format!("the tables {listed} and {more} more"),
    }
}

/// Returns whether objects other than the version table matter for a database in this state.
pub fn needs_survey(history: &History, observed: &Observed) -> bool {
    observed.is_empty() && !(history.is_empty() && history.repeatables().is_empty())
}

/// Returns the records of other tools that prevent a first record.
pub fn external_records(
    history: &History,
    surroundings: &Surroundings,
    accepted: Accepted,
) -> Vec<Obstacle> {
    if accepted.records {
        return Vec::new();
    }
    let readable = surroundings.records.iter().filter_map(|records| {
        let mut reading = Reading::new(history, records);
        let revisions = match reading.read() {
            Ok(()) => reading.named(),
            // It is unknown which row counts.
            Err(_) => records.entries.len(),
        };
        (revisions > 0).then(|| Obstacle::Records {
            tool: records.tool,
            table: records.table.clone(),
            revisions,
        })
    });
    let unreadable = surroundings.unreadable.iter();
    let unreadable = unreadable.map(|found| Obstacle::Unreadable {
        tool: found.tool,
        table: found.table.clone(),
        reason: found.reason.clone(),
    });
    readable.chain(unreadable).collect()
}

/// Returns all obstacles to a first upgrade.
pub fn obstacles(
    history: &History,
    observed: &Observed,
    surroundings: &Surroundings,
    accepted: Accepted,
) -> Vec<Obstacle> {
    let found = external_records(history, surroundings, accepted);
    let is_new = observed.layout.is_none();
    if !found.is_empty() || accepted.tables || !is_new || surroundings.table_count == 0 {
        return found;
    }
    vec![Obstacle::NotEmpty {
        tables: surroundings.tables.clone(),
        count: surroundings.table_count,
    }]
}
