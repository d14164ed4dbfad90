use serde_json::{Value, json};

use super::{
    Json, Page, Paint, Verbosity, View,
    history::{ending_json, ids, width},
    object,
};
use crate::{
    ops::{RevisionLine, StatusReport},
    plan::{Halfway, Obstacle, Relation, RepeatableState, RepeatableStatus},
    report::{Style, batches::so_far, count},
    revision::{Direction, Partial, RevisionId},
};

/// The width of the name column.
pub(super) const NAMES: usize = 10;

/// The maximum number of pending revisions listed without `-v`.
const LISTED: usize = 10;

impl StatusReport {
    fn findings(&self) -> Vec<String> {
        let drift = &self.drift;
        let mut findings = Vec::new();
        for (revision, partial) in &drift.partial {
            findings.push(format!(
                "{revision} stopped in its {} script: {} of {} statements are done",
                partial.direction, partial.statements_done, partial.statements_total
            ));
            findings.extend(so_far(partial));
            let ending = partial.interruption.as_ref().map(|left| &left.ending);
            let ending = ending.map_or_else(String::new, ToString::to_string);
            findings.extend(ending.lines().map(str::to_owned));
        }
        findings.extend(self.halfway.iter().map(|found| {
            format!(
                "some of the revisions that the baseline {} replaces: {} applied, {} missing",
                found.baseline,
                found.applied.len(),
                found.missing.len()
            )
        }));
        let mut list = |ids: &[_], what: &str| {
            if !ids.is_empty() {
                findings.push(format!("{what}: {}", self::ids(ids).join(", ")));
            }
        };
        list(&drift.edited_up, "up script changed after it was applied");
        list(
            &drift.edited_down,
            "down script changed after it was applied",
        );
        let unknown = match drift.relation {
            Relation::Ahead => "applied, above all revisions of this directory",
            _ => "applied, but not in this directory",
        };
        list(&drift.unknown, unknown);
        list(
            &drift.out_of_order,
            "sorts before an applied revision and does not name its parent",
        );
        findings
    }
}

impl StatusReport {
    /// The number of revisions, and of partially applied ones in that direction.
    fn with_partial(&self, whole: usize, direction: Direction, done: &str) -> String {
        let partial = self.drift.partial.iter();
        let partial = partial.filter(|(_, partial)| partial.direction == direction);
        match partial.count() {
            0 => count(whole, "revision"),
            partial => format!("{}, {partial} partially {done}", count(whole, "revision")),
        }
    }
}

impl View for StatusReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        let several = |page: &mut Page, name: &str, values: Vec<String>| {
            for (index, value) in values.into_iter().enumerate() {
                let name = if index == 0 { name } else { "" };
                let name = paint.paint(Style::Dim, format!("{name:<NAMES$}"));
                page.fact(name, value, NAMES);
            }
        };
        let fact = |page: &mut Page, name, value| several(page, name, vec![value]);
        fact(&mut page, "Database", self.database.clone());
        fact(
            &mut page,
            "Directory",
            format!("{} ({})", self.directory, count(self.revisions, "revision")),
        );
        let table = match self.version_table_exists {
            true => self.version_table.clone(),
            false => format!("{} (does not exist)", self.version_table),
        };
        fact(&mut page, "Table", table);
        let lines = |lines: &[RevisionLine], none: &str| {
            let width = width(lines);
            let shown: Vec<_> = lines.iter().map(|line| line.human(paint, width)).collect();
            if shown.is_empty() {
                vec![none.to_owned()]
            } else {
                shown
            }
        };
        several(
            &mut page,
            "Current",
            lines(&self.current, "base (nothing is applied)"),
        );
        several(&mut page, "Head", lines(&self.heads, "none"));
        fact(
            &mut page,
            "Applied",
            self.with_partial(self.applied, Direction::Down, "reverted"),
        );
        fact(
            &mut page,
            "Pending",
            self.with_partial(self.pending.len(), Direction::Up, "applied"),
        );
        let limit = if verbosity == Verbosity::Verbose {
            usize::MAX
        } else {
            LISTED
        };
        let pending_width = width(&self.pending);
        for line in self.pending.iter().take(limit) {
            fact(&mut page, "", line.human(paint, pending_width));
        }
        if self.pending.len() > limit {
            let more = format!("… and {} more (-v lists all)", self.pending.len() - limit);
            fact(&mut page, "", paint.paint(Style::Dim, more));
        }
        if !self.repeatables.is_empty() {
            let lines = repeatable_lines(&self.repeatables, paint, verbosity);
            several(&mut page, "Repeated", lines);
        }
        let findings = self.findings();
        let drift = if findings.is_empty() {
            vec!["none".to_owned()]
        } else {
            let findings = findings.into_iter();
            findings
                .map(|found| paint.paint(Style::Warning, found))
                .collect()
        };
        several(&mut page, "Drift", drift);
        let obstacles = self.obstacles.iter();
        let obstacles = obstacles.map(|found| paint.paint(Style::Warning, obstacle(found)));
        several(&mut page, "Obstacle", obstacles.collect());
        page
    }

    fn json(&self) -> Json {
        let line_ids = |lines: &[RevisionLine]| {
            lines
                .iter()
                .map(|line| line.id.as_str().to_owned())
                .collect::<Vec<_>>()
        };
        let partial: Vec<_> = self.drift.partial.iter().map(partial_json).collect();
        object(json!({
            "database": self.database,
            "schema": self.schema,
            "directory": self.directory,
            "revisions": self.revisions,
            "applied": self.applied,
            "current": line_ids(&self.current),
            "heads": line_ids(&self.heads),
            "pending": line_ids(&self.pending),
            "repeatables": self.repeatables.iter().map(repeatable_json).collect::<Vec<_>>(),
            "drift": {
                "relation": match self.drift.relation {
                    Relation::Known => "known",
                    Relation::Ahead => "ahead",
                    Relation::Diverged => "diverged",
                    Relation::Unrelated => "unrelated",
                },
                "edited_up": ids(&self.drift.edited_up),
                "edited_down": ids(&self.drift.edited_down),
                "unknown": ids(&self.drift.unknown),
                "out_of_order": ids(&self.drift.out_of_order),
                "halfway": self.halfway.iter().map(halfway_json).collect::<Vec<_>>(),
                "partial": partial,
            },
            "version_table": self.version_table,
            "version_table_exists": self.version_table_exists,
            "obstacles": self.obstacles.iter().map(obstacle_json).collect::<Vec<_>>(),
        }))
    }
}

/// An obstacle and how to resolve it.
fn obstacle(found: &Obstacle) -> String {
    match found {
        Obstacle::Records { tool, .. } | Obstacle::Unreadable { tool, .. } => {
            format!("{found}; run `migrator adopt --from {tool}` first")
        }
        Obstacle::NotEmpty { .. } => format!("{found}; `migrator explain M518`"),
    }
}

fn obstacle_json(found: &Obstacle) -> Value {
    let (kind, tool, table) = match found {
        Obstacle::Records { tool, table, .. } => ("records", Some(tool), Some(table)),
        Obstacle::Unreadable { tool, table, .. } => ("unreadable", Some(tool), Some(table)),
        Obstacle::NotEmpty { .. } => ("not_empty", None, None),
    };
    json!({
        "kind": kind,
        "tool": tool.map(|tool| tool.as_str()),
        "table": table,
        "message": found.to_string(),
    })
}

/// The scripts that are due or whose file is missing, and their number; all scripts with `-v`.
fn repeatable_lines(all: &[RepeatableStatus], paint: Paint, verbosity: Verbosity) -> Vec<String> {
    let due = all.iter().filter(|one| one.state.is_due()).count();
    let total = count(all.len(), "script");
    let head = match due {
        0 => total,
        _ => format!("{total}, {due} to run"),
    };
    let shown = |one: &&RepeatableStatus| {
        verbosity == Verbosity::Verbose || one.state != RepeatableState::Applied
    };
    let width = all
        .iter()
        .filter(shown)
        .map(|one| one.id.as_str().chars().count());
    let width = width.max().unwrap_or(0);
    let line = |one: &RepeatableStatus| {
        let id = paint.paint(Style::Id, format!("{:<width$}", one.id.as_str()));
        format!("{id}  {}", paint.paint(Style::Dim, words(one.state)))
    };
    let lines = all.iter().filter(shown).map(line);
    std::iter::once(head).chain(lines).collect()
}

fn words(state: RepeatableState) -> &'static str {
    match state {
        RepeatableState::Applied => "applied",
        RepeatableState::New => "never ran",
        RepeatableState::Changed => "changed since it ran",
        RepeatableState::Overtaken => "to run again: a revision was reverted since it ran",
        RepeatableState::Gone => "has run; its file is missing",
    }
}

fn repeatable_json(one: &RepeatableStatus) -> Value {
    json!({
        "name": one.id.as_str(),
        "file": one.file,
        "state": match one.state {
            RepeatableState::Applied => "applied",
            RepeatableState::New => "new",
            RepeatableState::Changed => "changed",
            RepeatableState::Overtaken => "overtaken",
            RepeatableState::Gone => "gone",
        },
    })
}

fn halfway_json(found: &Halfway) -> Value {
    json!({
        "baseline": found.baseline.as_str(),
        "applied": ids(&found.applied),
        "missing": ids(&found.missing),
    })
}

/// A partially applied revision.
pub(super) fn partial_json((revision, partial): &(RevisionId, Partial)) -> Value {
    let (error, in_doubt) = ending_json(partial);
    json!({
        "revision": revision.as_str(),
        "direction": partial.direction.as_str(),
        "statements_done": partial.statements_done,
        "statements_total": partial.statements_total,
        "batch": partial.batch.as_ref().map(|batch| json!({
            "batches": batch.batches,
            "rows": batch.rows,
            "table_rows": batch.table_rows,
        })),
        "error": error,
        "in_doubt": in_doubt,
    })
}
