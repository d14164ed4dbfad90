use serde_json::{Value, json};

use super::{
    Json, Paint, RevisionLine, Verbosity, View,
    history::{ending_json, ids, width},
    object,
};
use crate::{
    plan::{Drift, Relation},
    report::{Style, count},
    revision::{Partial, RevisionId},
};

/// `status`: where the database stands, at one glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    /// The database.
    pub database: String,
    /// The directory.
    pub directory: String,
    /// Revisions in the directory.
    pub revisions: usize,
    /// Revisions applied, without those in their middle.
    pub applied: usize,
    /// Heads of what is applied.
    pub current: Vec<RevisionLine>,
    /// Heads of the directory.
    pub heads: Vec<RevisionLine>,
    /// What an upgrade to all heads would apply.
    pub pending: Vec<RevisionLine>,
    /// All disagreements.
    pub drift: Drift,
}

/// Pending revisions that are listed without `-v`.
const LISTED: usize = 10;

impl StatusView {
    fn findings(&self) -> Vec<String> {
        let drift = &self.drift;
        let mut findings = Vec::new();
        for (revision, partial) in &drift.partial {
            findings.push(format!(
                "{revision} stopped in its {} script: {} of {} statements are done",
                partial.direction, partial.statements_done, partial.statements_total
            ));
            findings.extend(
                partial
                    .interruption
                    .iter()
                    .map(|left| left.ending.to_string()),
            );
        }
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
            Relation::Ahead => "applied, above everything in this directory",
            _ => "applied, but not in this directory",
        };
        list(&drift.unknown, unknown);
        list(
            &drift.out_of_order,
            "sorts before an applied revision and names no parent",
        );
        findings
    }
}

impl View for StatusView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        let mut text = String::new();
        let mut fact = |name: &str, value: String| {
            let name = paint.paint(Style::Dim, format!("{name:<10}"));
            text.push_str(&format!("{name}{value}\n"));
        };
        fact("Database", self.database.clone());
        fact(
            "Directory",
            format!("{} ({})", self.directory, count(self.revisions, "revision")),
        );
        let lines = |lines: &[RevisionLine], none: &str| {
            let shown: Vec<_> = lines
                .iter()
                .map(|line| line.human(paint, width(lines)))
                .collect();
            if shown.is_empty() {
                none.to_owned()
            } else {
                shown.join(&format!("\n{:10}", ""))
            }
        };
        fact("Current", lines(&self.current, "base (nothing is applied)"));
        fact("Head", lines(&self.heads, "none"));
        let mut applied = count(self.applied, "revision");
        if !self.drift.partial.is_empty() {
            applied += &format!(", {} partly", self.drift.partial.len());
        }
        fact("Applied", applied);
        fact("Pending", count(self.pending.len(), "revision"));
        let limit = if verbosity == Verbosity::Verbose {
            usize::MAX
        } else {
            LISTED
        };
        for line in self.pending.iter().take(limit) {
            text.push_str(&format!(
                "{:10}{}\n",
                "",
                line.human(paint, width(&self.pending))
            ));
        }
        if self.pending.len() > limit {
            let more = format!(
                "{:10}… and {} more (-v lists all)",
                "",
                self.pending.len() - limit
            );
            text.push_str(&format!("{}\n", paint.paint(Style::Dim, more)));
        }
        let findings = self.findings();
        let drift = if findings.is_empty() {
            "none".to_owned()
        } else {
            let painted: Vec<_> = findings
                .into_iter()
                .map(|found| paint.paint(Style::Warning, found))
                .collect();
            painted.join(&format!("\n{:10}", ""))
        };
        text.push_str(&format!(
            "{}{drift}\n",
            paint.paint(Style::Dim, format!("{:<10}", "Drift"))
        ));
        text
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
            "directory": self.directory,
            "revisions": self.revisions,
            "applied": self.applied,
            "current": line_ids(&self.current),
            "heads": line_ids(&self.heads),
            "pending": line_ids(&self.pending),
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
                "partial": partial,
            },
        }))
    }
}

/// A revision in its middle.
pub(super) fn partial_json((revision, partial): &(RevisionId, Partial)) -> Value {
    let (error, in_doubt) = ending_json(partial);
    json!({
        "revision": revision.as_str(),
        "direction": partial.direction.as_str(),
        "statements_done": partial.statements_done,
        "statements_total": partial.statements_total,
        "error": error,
        "in_doubt": in_doubt,
    })
}
