use super::adopt::Reading;
use crate::{
    layout::{ExternalTool, Surroundings},
    revision::{History, Observed},
};

/// What is accepted of a database that has no records of migrator's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Records of other tools mean nothing.
    pub records: bool,
    /// There may be tables without a version table.
    pub tables: bool,
}

/// What a database without records of migrator's own holds that makes a first write a guess.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Another tool has applied revisions of this directory, or begun to.
    #[error(
        "{table} contains records of {tool} for {}, and there are none of migrator",
        named(*.revisions)
    )]
    Records {
        /// Whose they are.
        tool: ExternalTool,
        /// The tool's table.
        table: String,
        /// How many revisions of the directory they are about.
        revisions: usize,
    },
    /// Another tool's table is there and can't be read.
    #[error("{table} is the table of {tool} and cannot be read: {reason}")]
    Unreadable {
        /// Whose it is.
        tool: ExternalTool,
        /// The tool's table.
        table: String,
        /// What is in the way.
        reason: String,
    },
    /// There are tables, and no version table.
    #[error("the database is not empty and has no version table: it contains {}", list(.tables, *.count))]
    NotEmpty {
        /// The first few, by name; never empty.
        tables: Vec<String>,
        /// How many there are.
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

/// Whether it matters what a database in this state holds beside the version table.
pub fn needs_survey(history: &History, observed: &Observed) -> bool {
    observed.is_empty() && !(history.is_empty() && history.repeatables().is_empty())
}

/// The records of other tools that stand in the way of a first record.
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
            // Nobody can tell which of the rows counts.
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

/// All that stands in the way of a first upgrade.
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
