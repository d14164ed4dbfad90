use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::{Json, Page, Paint, Verbosity, View, object, status::partial_json};
use crate::{
    ops::RepairReport,
    plan::{Repair, RepairKind},
    report::{Style, batches::so_far, count},
    revision::{Direction, Partial},
};

impl View for RepairReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        if self.repairs.is_empty() && !self.partial.is_empty() {
            let mut page = Page::of("No edited scripts to accept.");
            self.settled(&mut page, paint);
            return page;
        }
        if self.repairs.is_empty() {
            return Page::of(format!(
                "Nothing to repair: the records of {} agree with the directory.",
                self.database
            ));
        }
        if !self.done {
            let mut page = Page::default();
            for repair in &self.repairs {
                show(&mut page, repair, paint);
            }
            self.settled(&mut page, paint);
            return page;
        }
        if verbosity == Verbosity::Quiet {
            return Page::default();
        }
        Page::of(format!(
            "{} {} of {}. The schema was not changed.",
            paint.paint(Style::Good, "Repaired"),
            count(self.repairs.len(), "record"),
            self.database
        ))
    }

    fn has_changed(&self) -> bool {
        self.done && !self.repairs.is_empty()
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "done": self.done,
            "repairs": self.repairs.iter().map(repair_json).collect::<Vec<_>>(),
            "partial": self.partial.iter().map(partial_json).collect::<Vec<_>>(),
        }))
    }
}

impl RepairReport {
    /// The partially applied revisions, and how to resolve them.
    fn settled(&self, page: &mut Page, paint: Paint) {
        for (revision, partial) in &self.partial {
            let Partial {
                direction,
                statements_done: done,
                statements_total: total,
                ..
            } = partial;
            let id = paint.paint(Style::Id, revision);
            page.row(format!(
                "{id} is partially applied: {done} of {total} statements of its {direction} script are done"
            ));
            if let Some(batches) = so_far(partial) {
                page.row(format!("  {batches}"));
            }
            if let Some(found) = &partial.interruption {
                page.block("  ", &found.ending.to_string());
            }
            let verb = match direction {
                Direction::Up => "upgrade",
                Direction::Down => "downgrade TARGET",
            };
            let mut way = |command: &str, what: &str| {
                page.row(format!("  {command:<38}  {what}"));
            };
            way(&format!("migrator {verb}"), "resumes it");
            if done < total {
                let command = format!("migrator repair --statement {} --done", done + 1);
                way(&command, "it took effect (or --undone)");
            }
            way(
                "migrator repair --mark applied",
                "you completed it by hand (or unapplied)",
            );
        }
    }
}

fn show(page: &mut Page, repair: &Repair, paint: Paint) {
    let id = paint.paint(Style::Id, &repair.subject);
    let head = format!("{id}  {}", repair.message);
    match &repair.kind {
        RepairKind::Up { before, now } => {
            page.row(format!(
                "{head}: the up script was changed after it was applied"
            ));
            page.exact(format!("  - {before}"));
            page.exact(format!("  + {now}"));
            page.row(
                "  The text that was applied is not stored; compare the file with your version control.",
            );
        }
        RepairKind::Down { before: None, now } => {
            page.row(format!(
                "{head}: a down script was added after it was applied"
            ));
            diff(page, "", now, paint);
        }
        RepairKind::Down {
            before: Some(before),
            now,
        } => {
            page.row(format!(
                "{head}: the down script was changed after it was applied"
            ));
            diff(page, before, now, paint);
        }
        RepairKind::Gone => page.row(format!(
            "{head}: its file is missing; its record is removed, and the objects it created stay"
        )),
        RepairKind::Statement { number, text, done } => {
            page.row(format!(
                "{head}: statement {number} counts as {}",
                if *done {
                    "done; the next run resumes after it"
                } else {
                    "undone; the next run starts with it"
                }
            ));
            page.block("  ", text);
        }
        RepairKind::Mark {
            direction,
            progress: (done, total),
            applied,
        } => {
            let script = match direction {
                Direction::Up => "up",
                Direction::Down => "down",
            };
            let state = if *applied {
                "applied completely"
            } else {
                "not applied at all"
            };
            page.row(format!(
                "{head}: {done} of {total} statements of its {script} script are done; it counts as {state}"
            ));
        }
    }
}

/// The lines that differ, with some context.
fn diff(page: &mut Page, before: &str, now: &str, paint: Paint) {
    let diff = TextDiff::from_lines(before, now);
    for change in diff
        .grouped_ops(2)
        .iter()
        .flatten()
        .flat_map(|op| diff.iter_changes(op))
    {
        let line = change.value().trim_end();
        page.exact(match change.tag() {
            ChangeTag::Delete => paint.paint(Style::Bad, format!("  - {line}")),
            ChangeTag::Insert => paint.paint(Style::Good, format!("  + {line}")),
            ChangeTag::Equal => format!("    {line}"),
        });
    }
}

fn repair_json(repair: &Repair) -> Value {
    let (kind, detail) = match &repair.kind {
        RepairKind::Up { before, now } => (
            "up",
            json!({ "before": before.to_string(), "now": now.to_string() }),
        ),
        RepairKind::Down { before, now } => ("down", json!({ "before": before, "now": now })),
        RepairKind::Gone => ("gone", Value::Null),
        RepairKind::Statement { number, text, done } => (
            "statement",
            json!({ "statement": number, "sql": text, "done": done }),
        ),
        RepairKind::Mark {
            direction,
            progress: (done, total),
            applied,
        } => (
            "mark",
            json!({
                "direction": direction.as_str(),
                "statements_done": done,
                "statements_total": total,
                "applied": applied,
            }),
        ),
    };
    json!({ "revision": repair.subject.as_str(), "kind": kind, "detail": detail })
}
