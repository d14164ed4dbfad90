use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::{Json, Paint, Verbosity, View, object, status::partial_json};
use crate::{
    ops::RepairReport,
    plan::{Repair, RepairKind},
    report::{Style, batches::so_far, count},
    revision::{Direction, Partial},
};

impl View for RepairReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        if self.repairs.is_empty() && !self.partial.is_empty() {
            return format!(
                "No edited script is to be accepted.\n{}",
                self.settled(paint)
            );
        }
        if self.repairs.is_empty() {
            return format!(
                "Nothing to repair: the records of {} agree with the directory.\n",
                self.database
            );
        }
        if !self.done {
            let repairs = self.repairs.iter().map(|repair| shown(repair, paint));
            return repairs.collect::<String>() + &self.settled(paint);
        }
        if verbosity == Verbosity::Quiet {
            return String::new();
        }
        format!(
            "{} {} of {}. The schema is untouched.\n",
            paint.paint(Style::Good, "Repaired"),
            count(self.repairs.len(), "record"),
            self.database
        )
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
    /// What is in its middle, and the ways out of it.
    fn settled(&self, paint: Paint) -> String {
        let mut text = String::new();
        for (revision, partial) in &self.partial {
            let Partial {
                direction,
                statements_done: done,
                statements_total: total,
                ..
            } = partial;
            let id = paint.paint(Style::Id, revision);
            text.push_str(&format!(
                "{id} is in its middle: {done} of {total} statements of its {direction} script are done\n"
            ));
            if let Some(batches) = so_far(partial) {
                text.push_str(&format!("  {batches}\n"));
            }
            if let Some(found) = &partial.interruption {
                text.push_str(&format!("  {}\n", found.ending));
            }
            let verb = match direction {
                Direction::Up => "upgrade",
                Direction::Down => "downgrade TARGET",
            };
            let mut way = |command: &str, what: &str| {
                text.push_str(&format!("  {command:<38}  {what}\n"));
            };
            way(&format!("migrator {verb}"), "goes on with it");
            if done < total {
                let command = format!("migrator repair --statement {} --done", done + 1);
                way(&command, "it took effect (or --undone)");
            }
            way(
                "migrator repair --mark applied",
                "you finished it by hand (or unapplied)",
            );
        }
        text
    }
}

fn shown(repair: &Repair, paint: Paint) -> String {
    let id = paint.paint(Style::Id, &repair.subject);
    let head = format!("{id}  {}", repair.message);
    match &repair.kind {
        RepairKind::Up { before, now } => format!(
            "{head}: the up script was changed after it was applied\n  - {before}\n  + {now}\n  \
             The text that was applied is not stored; compare the file with your version control.\n"
        ),
        RepairKind::Down { before: None, now } => format!(
            "{head}: a down script was added after it was applied\n{}",
            diff("", now, paint)
        ),
        RepairKind::Down {
            before: Some(before),
            now,
        } => format!(
            "{head}: the down script was changed after it was applied\n{}",
            diff(before, now, paint)
        ),
        RepairKind::Gone => {
            format!("{head}: its file is gone; its record is removed, what it made stays\n")
        }
        RepairKind::Statement { number, text, done } => format!(
            "{head}: statement {number} counts as {}\n{}",
            if *done {
                "done; the next run goes on after it"
            } else {
                "undone; the next run begins with it"
            },
            text.lines()
                .map(|line| format!("  {line}\n"))
                .collect::<String>()
        ),
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
            format!(
                "{head}: {done} of {total} statements of its {script} script are done; it counts as {state}\n"
            )
        }
    }
}

/// The lines that differ, with a little around them.
fn diff(before: &str, now: &str, paint: Paint) -> String {
    let diff = TextDiff::from_lines(before, now);
    let mut text = String::new();
    for change in diff
        .grouped_ops(2)
        .iter()
        .flatten()
        .flat_map(|op| diff.iter_changes(op))
    {
        let line = change.value().trim_end();
        text.push_str(&match change.tag() {
            ChangeTag::Delete => paint.paint(Style::Bad, format!("  - {line}")),
            ChangeTag::Insert => paint.paint(Style::Good, format!("  + {line}")),
            ChangeTag::Equal => format!("    {line}"),
        });
        text.push('\n');
    }
    text
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
