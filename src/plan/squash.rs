//! Squashes all revisions up to a given one into a baseline.

use std::{collections::HashSet, fmt::Write};

use super::{FileChange, SourceSpan, joined::one_script};
use crate::{
    revision::{Direction, History, Replaced, Revision, RevisionId, Script, is_label},
    sql::{self, Dialect},
};

/// The result of a squash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Squash {
    /// The ID of the baseline, which is that of the last revision it replaces.
    pub baseline: RevisionId,
    /// The message.
    pub message: String,
    /// The other revisions that it replaces, in order.
    pub replaces: Vec<RevisionId>,
    /// Number of statements in its up script.
    pub statements: usize,
    /// Replaced revisions that cannot be reverted. If there are any, the baseline has no down
    /// script.
    pub irreversible: Vec<RevisionId>,
    /// Files that are removed or become the baseline's.
    pub files: Vec<FileChange>,
}

/// A reason why revisions cannot be squashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SquashProblem {
    /// The range is a single revision, which already has no parent.
    #[error("revision {0} has no parent, so there is nothing to squash")]
    Nothing(RevisionId),
    /// A revision outside the range requires one inside it.
    #[error("revision {outside} requires {inside}, which would be removed")]
    Needed {
        /// The revision outside the range.
        outside: RevisionId,
        /// The file of its up script.
        file: String,
        /// The revision that it requires.
        inside: RevisionId,
    },
    /// A script cannot be split into statements.
    #[error("{kind}")]
    Sql {
        /// The place in the script.
        source_span: SourceSpan,
        /// The kind of problem.
        kind: sql::SqlProblemKind,
    },
    /// A script changes session state, which would affect the scripts joined after it.
    #[error("the session state that this leaves would affect the scripts after it")]
    Session {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// A BEGIN has transaction modes.
    #[error(
        "this transaction has the mode {modes}, but the squashed script has a single transaction"
    )]
    Modes {
        /// The place in the script.
        source_span: SourceSpan,
        /// The modes as written.
        modes: String,
    },
    /// Scripts have different foreign key settings.
    #[error("this script has foreign keys {}, but others do not", if *on { "on" } else { "off" })]
    ForeignKeys {
        /// The script.
        file: String,
        /// Whether the script has foreign keys on.
        on: bool,
    },
    /// A script without `vars` contains text that would become a placeholder.
    #[error("this would become a placeholder, because other scripts have the header `vars`")]
    Placeholder {
        /// The place in the script.
        source_span: SourceSpan,
    },
    /// Several labels would be on one revision.
    #[error("the labels {} cannot both be on one revision", .0.join(" and "))]
    Labels(
        /// The labels.
        Vec<String>,
    ),
}

/// Squashes `to` and all that it requires into a baseline.
///
/// # Errors
/// Returns every problem that prevents the squash.
pub fn squash(
    history: &History,
    dialect: Dialect,
    to: &Revision,
    message: &str,
    slug: &str,
) -> Result<Squash, Vec<SquashProblem>> {
    let revisions = history.closure(std::slice::from_ref(&to.id));
    let mut problems = needed(history, &revisions, to);
    if revisions.len() == 1 {
        problems.push(SquashProblem::Nothing(to.id.clone()));
    }
    let labels: Vec<_> = revisions
        .iter()
        .filter_map(|one| one.label.clone())
        .collect();
    if labels.len() > 1 {
        problems.push(SquashProblem::Labels(labels.clone()));
    }
    let ups = revisions.iter().map(|one| (*one, &one.up));
    let up = one_script(dialect, ups.collect(), &mut problems);
    let no_way: Vec<_> = revisions.iter().filter(|one| one.down.is_none()).collect();
    let down = no_way.is_empty().then(|| {
        let downs = revisions.iter().rev();
        let downs = downs.filter_map(|one| Some((*one, one.down.as_ref()?)));
        one_script(dialect, downs.collect(), &mut problems)
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    let irreversible: Vec<_> = no_way.iter().map(|one| one.id.clone()).collect();
    let title = sql::comment(message);
    let mut head = format!("-- {title}\n-- migrator: revises = base\n");
    for line in replaces(&revisions, to) {
        let _ = writeln!(head, "-- migrator: replaces = {line}");
    }
    for label in labels.iter().filter(|label| is_label(label)) {
        let _ = writeln!(head, "-- migrator: label = {label}");
    }
    if !irreversible.is_empty() {
        let names = listed(&irreversible);
        let _ = writeln!(head, "-- migrator: irreversible = no way back from {names}");
    }
    let up_text = format!("{head}{}", up.text);
    let down_text = down.map(|down| format!("-- {title}\n{}", down.text));
    let inside = revisions.iter().filter(|one| one.id != to.id);
    Ok(Squash {
        baseline: to.id.clone(),
        message: message.to_owned(),
        replaces: inside.map(|one| one.id.clone()).collect(),
        statements: up.statements,
        irreversible,
        files: files(&revisions, to, slug, up_text, down_text),
    })
}

/// Returns revisions outside `revisions` that require one of them directly rather than through
/// `to`.
fn needed(history: &History, revisions: &[&Revision], to: &Revision) -> Vec<SquashProblem> {
    let inside: HashSet<_> = revisions.iter().map(|one| &one.id).collect();
    let outside = history.in_order().filter(|one| !inside.contains(&one.id));
    let needs = outside.flat_map(|one| {
        let edges = one.parents.iter().chain(&one.depends_on);
        edges.map(move |id| (one, id))
    });
    let wrong = needs.filter(|(_, id)| inside.contains(id) && **id != to.id);
    wrong
        .map(|(one, id)| SquashProblem::Needed {
            outside: one.id.clone(),
            file: one.up.file.clone(),
            inside: id.clone(),
        })
        .collect()
}

/// Returns the values of the header `replaces`, one per line, in order. Revisions that earlier
/// baselines replaced are included.
fn replaces(revisions: &[&Revision], to: &Revision) -> Vec<String> {
    let inside = revisions.iter().filter(|one| one.id != to.id);
    let direct: Vec<_> = inside.map(|one| one.id.clone()).collect();
    let mut lines = wrapped("", &direct);
    for baseline in revisions.iter().filter(|one| !one.replaces.is_empty()) {
        let mut groups: Vec<(RevisionId, Vec<RevisionId>)> = Vec::new();
        for Replaced { id, by } in &baseline.replaces {
            let by = by.as_ref().unwrap_or(&baseline.id);
            match groups.iter_mut().find(|(known, _)| known == by) {
                Some((_, group)) => group.push(id.clone()),
                None => groups.push((by.clone(), vec![id.clone()])),
            }
        }
        for (by, group) in groups {
            lines.extend(wrapped(&format!("{by}: "), &group));
        }
    }
    lines
}

/// Wraps lists of IDs to a readable width.
fn wrapped(prefix: &str, ids: &[RevisionId]) -> Vec<String> {
    let lines = ids.chunks(5).map(|ids| {
        let ids: Vec<_> = ids.iter().map(RevisionId::as_str).collect();
        format!("{prefix}{}", ids.join(", "))
    });
    lines.collect()
}

fn listed(ids: &[RevisionId]) -> String {
    match ids {
        [first, .., last] if ids.len() > 5 => {
            format!("{} revisions, {first} to {last}", ids.len())
        }
        few => few
            .iter()
            .map(RevisionId::as_str)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn files(
    revisions: &[&Revision],
    to: &Revision,
    slug: &str,
    up: String,
    down: Option<String>,
) -> Vec<FileChange> {
    let name = |script: &Script| {
        let file = script.file.rsplit_once('/');
        file.map_or(script.file.clone(), |(_, name)| name.to_owned())
    };
    let (mut up, mut down) = (Some(up), down);
    let mut changes = Vec::new();
    for revision in revisions {
        let is_last = revision.id == to.id;
        for script in [Some(&revision.up), revision.down.as_ref()]
            .into_iter()
            .flatten()
        {
            let text = match script.direction {
                Direction::Up => &mut up,
                Direction::Down => &mut down,
            };
            changes.push(FileChange {
                from: name(script),
                to: format!("{}_{slug}.{}.sql", to.id, script.direction),
                before: script.text.to_string(),
                after: text.take_if(|_| is_last),
            });
        }
    }
    changes
}

#[cfg(test)]
#[path = "squash_tests.rs"]
mod squash_tests;
