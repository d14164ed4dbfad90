use std::collections::{HashMap, HashSet};

use super::{
    Error, Mark, Project, RevisionLine, Session,
    line::{applied_heads, line},
};
use crate::{
    database::Detail,
    plan,
    revision::{History, LogRow, Observed, Range, Revision, RevisionId, State},
    sql::Dialect,
};

/// Arguments of `history`.
#[derive(Clone, Debug, Default)]
pub struct HistoryArgs {
    /// The range of revisions to list; `None` lists all.
    pub range: Option<Range>,
    /// The maximum number of revisions to list, newest first.
    pub limit: Option<usize>,
    /// Whether lines show what is applied in the database.
    pub indicate_current: bool,
}

/// Revisions, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryReport {
    /// The revisions, newest first.
    pub lines: Vec<RevisionLine>,
    /// Whether a range was given.
    pub is_range: bool,
    /// Applied revisions that the directory does not have.
    pub unknown: Vec<RevisionId>,
}

/// The log of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogReport {
    /// The database.
    pub database: String,
    /// The rows of the log, newest first.
    pub rows: Vec<LogRow>,
}

impl HistoryArgs {
    /// Whether [`history()`] needs a database.
    pub fn needs_database(&self) -> bool {
        self.indicate_current || self.range.as_ref().is_some_and(Range::needs_database)
    }
}

/// Lists revisions. `session` is used only if [`HistoryArgs::needs_database`] is true.
///
/// # Errors
/// Fails when the scripts are invalid, the range matches no revision, or the database cannot be
/// read.
pub async fn history(
    project: &Project,
    session: Option<&mut Session>,
    dialect: Dialect,
    args: &HistoryArgs,
) -> Result<HistoryReport, Error> {
    let history = project.history(dialect)?;
    let observed = match session.filter(|_| args.needs_database()) {
        Some(session) => {
            session.allow_missing(history.is_empty());
            let observed = session.observe(Detail::Brief).await?;
            Some(plan::seen(&history, observed, dialect))
        }
        None => None,
    };
    let rows = observed.as_ref().map_or(&[][..], |seen| &seen.applied);
    let listed = match &args.range {
        None => history.in_order().collect(),
        Some(range) => history.between(range, rows)?,
    };
    let cut = listed.len()
        - args
            .limit
            .map_or(listed.len(), |limit| limit.min(listed.len()));
    let listed = listed.into_iter().skip(cut).collect();
    let marks = observed.as_ref().filter(|_| args.indicate_current);
    let drift = marks.map(|observed| plan::compare(&history, observed, dialect));
    Ok(HistoryReport {
        lines: lines(&history, listed, marks),
        is_range: args.range.is_some(),
        unknown: drift.map(|drift| drift.unknown).unwrap_or_default(),
    })
}

/// Reads the log: the newest `limit` rows, or all.
///
/// # Errors
/// Fails when the database cannot be read.
pub async fn log(session: &mut Session, limit: Option<usize>) -> Result<LogReport, Error> {
    let mut rows = session.log().await?;
    rows.reverse();
    rows.truncate(limit.unwrap_or(usize::MAX));
    Ok(LogReport {
        database: session.place().to_owned(),
        rows,
    })
}

/// Lists the heads of the directory, newest first.
///
/// # Errors
/// Fails when the scripts are invalid.
pub fn heads(project: &Project, dialect: Dialect) -> Result<HistoryReport, Error> {
    let history = project.history(dialect)?;
    Ok(HistoryReport {
        lines: super::line::lines(&history, history.heads().into_iter().rev()),
        is_range: false,
        unknown: Vec::new(),
    })
}

/// Lines of the revisions, newest first, with marks if the database was read.
fn lines(
    history: &History,
    listed: Vec<&Revision>,
    observed: Option<&Observed>,
) -> Vec<RevisionLine> {
    let current = observed.map(applied_heads).unwrap_or_default();
    let current: HashSet<RevisionId> = current.into_iter().collect();
    let rows = observed.into_iter().flat_map(|observed| &observed.applied);
    let states: HashMap<_, _> = rows.map(|row| (&row.revision, &row.state)).collect();
    let marks = |revision: &Revision| {
        observed?;
        Some(match states.get(&revision.id) {
            None => Mark::Pending,
            Some(State::Partial(_)) => Mark::Partial,
            Some(State::Applied) if current.contains(&revision.id) => Mark::Current,
            Some(State::Applied) => Mark::Applied,
        })
    };
    let newest_first = listed.into_iter().rev();
    let mut lines: Vec<_> = newest_first
        .map(|revision| line(history, revision, marks(revision).into_iter().collect()))
        .collect();
    // A parent is not shown if it is on the line below.
    let below = lines.iter().skip(1).map(|line| Some(line.id.clone()));
    let below: Vec<Option<RevisionId>> = below.chain([None]).collect();
    for (line, below) in lines.iter_mut().zip(below) {
        line.show_parents = match line.parents.as_slice() {
            [] => below.is_some(),
            [only] => Some(only) != below.as_ref(),
            _ => true,
        };
    }
    lines
}
