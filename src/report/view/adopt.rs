use serde_json::{Value, json};

use super::{Json, Paint, Verbosity, View, history::ids, history::rfc3339, object};
use crate::{
    ops::AdoptReport,
    plan::{AdoptDoubt, Adoption},
    report::{Style, count},
    revision::{NewRow, Past, RevisionId},
};

impl View for AdoptReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> String {
        let Adoption {
            tool, table, rows, ..
        } = &self.adoption;
        if self.done && verbosity == Verbosity::Quiet {
            return String::new();
        }
        let verb = if self.done {
            paint.paint(Style::Good, "Adopted")
        } else {
            "Would adopt".to_owned()
        };
        let mut text = format!(
            "{verb} {} from {tool} ({table}): {} applied, {} pending.\n",
            self.database,
            count(rows.len(), "revision"),
            self.adoption.pending.len(),
        );
        if !self.done || verbosity == Verbosity::Verbose {
            text.push_str(&self.lines(paint));
        }
        if self.adoption.compared > 0 && self.adoption.changed() == 0 {
            let compared = count(self.adoption.compared, "checksum");
            text.push_str(&format!(
                "{compared} of {tool} compared: the files are the same.\n"
            ));
        }
        for doubt in &self.adoption.doubts {
            let mark = paint.paint(Style::Warning, "doubt:");
            text.push_str(&format!("{mark} {doubt}\n  {}\n", self.accepted(doubt)));
        }
        if !self.done {
            text.push_str("Nothing was changed.\n");
        }
        text
    }

    fn json(&self) -> Json {
        let adoption = &self.adoption;
        object(json!({
            "database": self.database,
            "tool": adoption.tool.as_str(),
            "table": adoption.table,
            "checksums_compared": adoption.compared,
            "recorded": adoption.rows.iter().map(row_json).collect::<Vec<_>>(),
            "pending": ids(&adoption.pending),
            "doubts": adoption.doubts.iter().map(doubt_json).collect::<Vec<_>>(),
            "done": self.done,
        }))
    }
}

impl AdoptReport {
    fn lines(&self, paint: Paint) -> String {
        let rows = &self.adoption.rows;
        let width = rows.iter().map(|(row, _)| row.subject.as_str().len()).max();
        let width = width.unwrap_or(0);
        let line = |(row, past): &(NewRow, Past)| {
            let id = paint.paint(Style::Id, format!("{:<width$}", row.subject.as_str()));
            let when = past.applied_at.map_or_else(String::new, |at| {
                let at = format!("  applied {}", at.format("%Y-%m-%d %H:%M:%S"));
                paint.paint(Style::Dim, at)
            });
            format!("  {id}  {}{when}\n", row.message)
        };
        rows.iter().map(line).collect()
    }

    /// What becomes of it.
    fn accepted(&self, doubt: &AdoptDoubt) -> String {
        let what = match doubt {
            AdoptDoubt::Failed { .. } => {
                "it counts as not applied: `upgrade` runs it from its beginning"
            }
            AdoptDoubt::Changed { .. } => "the file as it is now counts as applied",
            AdoptDoubt::Unknown { .. } => "it is left out",
            AdoptDoubt::Gap { .. } => "it stays pending",
        };
        match self.done {
            true => what.to_owned(),
            false => format!("only with --yes: {what}"),
        }
    }
}

fn row_json((row, past): &(NewRow, Past)) -> Value {
    json!({
        "revision": row.subject.as_str(),
        "message": row.message,
        "applied_at": past.applied_at.map(rfc3339),
    })
}

fn doubt_json(doubt: &AdoptDoubt) -> Value {
    let (kind, entry) = match doubt {
        AdoptDoubt::Failed { entry, .. } => ("failed", Some(entry)),
        AdoptDoubt::Changed { .. } => ("changed", None),
        AdoptDoubt::Unknown { entry, .. } => ("unknown", Some(entry)),
        AdoptDoubt::Gap { .. } => ("gap", None),
    };
    json!({
        "kind": kind,
        "entry": entry,
        "revision": doubt.revision().map(RevisionId::as_str),
        "file": doubt.file(),
        "message": doubt.to_string(),
    })
}
