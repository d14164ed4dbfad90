//! Small histories and version tables for tests.

use chrono::DateTime;

use super::{AppliedRevision, Checksum, Direction, History, RevisionId, Script, ScriptPair, State};
use crate::sql::Dialect;

/// Returns the IDs in `text`, separated by spaces.
pub fn ids(text: &str) -> Vec<RevisionId> {
    text.split_whitespace()
        .map(|id| id.parse().unwrap())
        .collect()
}

/// Creates a script pair without a down script from `ID[_slug]` and the headers of its up script.
pub fn pair(name: &str, headers: &str) -> ScriptPair {
    let (id, slug) = name.split_once('_').unwrap_or((name, "x"));
    let text: String = headers
        .split(';')
        .filter(|header| !header.trim().is_empty())
        .map(|header| format!("-- migrator: {}\n", header.trim()))
        .collect();
    let up = Script::parse(
        Dialect::Sqlite,
        Direction::Up,
        format!("{id}_{slug}.up.sql"),
        text,
    );
    ScriptPair {
        id: id.parse().unwrap(),
        slug: slug.to_owned(),
        up: up.unwrap(),
        down: None,
    }
}

/// Adds a down script to `pair`.
pub fn with_down(mut pair: ScriptPair) -> ScriptPair {
    let file = pair.up.file.replace(".up.", ".down.");
    pair.down = Script::parse(Dialect::Sqlite, Direction::Down, file, "").ok();
    pair
}

/// Creates a history of [`pair`]s.
pub fn history(pairs: &[(&str, &str)]) -> History {
    History::new(
        pairs
            .iter()
            .map(|(name, headers)| pair(name, headers))
            .collect(),
    )
    .unwrap()
}

/// Creates a checksum that repeats one digit.
pub fn checksum(digit: char) -> Checksum {
    format!("v1:{}", digit.to_string().repeat(64))
        .parse()
        .unwrap()
}

/// Creates a fully applied row; parents and dependencies are separated by spaces.
pub fn row(sequence: i64, id: &str, parents: &str, depends_on: &str) -> AppliedRevision {
    AppliedRevision {
        sequence,
        revision: id.parse().unwrap(),
        message: String::new(),
        parents: ids(parents),
        depends_on: ids(depends_on),
        up_checksum: checksum('0'),
        down_checksum: None,
        down_script: None,
        state: State::Applied,
        started_at: DateTime::UNIX_EPOCH,
        applied_at: Some(DateTime::UNIX_EPOCH),
        duration_ms: 0,
        applied_by: String::new(),
        tool_version: String::new(),
    }
}
