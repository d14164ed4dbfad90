use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object, status::partial_json};
use crate::{
    ops::RepairReport,
    plan::{Repair, RepairKind},
    report::{Diff, Style, batches::so_far, count},
    revision::{Direction, Partial, ScriptChange},
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

/// The explanation if an up script was changed and is only known by its checksum.
pub(super) const NOT_STORED: &str =
    "The text that was applied is not stored; compare the file with your version control.";

fn show(page: &mut Page, repair: &Repair, paint: Paint) {
    let id = paint.paint(Style::Id, &repair.subject);
    let head = format!("{id}  {}", repair.message);
    match &repair.kind {
        RepairKind::Up {
            before,
            now,
            change,
        } => {
            page.row(format!(
                "{head}: the up script was changed after it was applied"
            ));
            match change {
                Some(change) => Diff::of(&repair.subject, change).show(page, paint),
                None => {
                    page.exact(format!("  - {before}"));
                    page.exact(format!("  + {now}"));
                    page.row(format!("  {NOT_STORED}"));
                }
            }
        }
        RepairKind::Down { before, now, file } => {
            let what = match before {
                None => "a down script was added",
                Some(_) => "the down script was changed",
            };
            page.row(format!("{head}: {what} after it was applied"));
            let change = ScriptChange {
                file: file.clone(),
                applied: before.as_deref().unwrap_or_default().into(),
                now: now.as_str().into(),
            };
            Diff::of(&repair.subject, &change).show(page, paint);
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

fn repair_json(repair: &Repair) -> Value {
    let (kind, detail) = match &repair.kind {
        RepairKind::Up {
            before,
            now,
            change,
        } => (
            "up",
            json!({
                "before": before.to_string(),
                "now": now.to_string(),
                "diff": change.as_ref().and_then(ScriptChange::unified),
            }),
        ),
        RepairKind::Down { before, now, .. } => ("down", json!({ "before": before, "now": now })),
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
