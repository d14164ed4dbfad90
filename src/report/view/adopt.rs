use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, history::ids, history::rfc3339, object};
use crate::{
    ops::AdoptReport,
    plan::{AdoptDoubt, Adoption},
    report::{Style, count},
    revision::{NewRow, Past, RevisionId},
};

impl View for AdoptReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let Adoption {
            tool, table, rows, ..
        } = &self.adoption;
        if self.done && verbosity == Verbosity::Quiet {
            return Page::default();
        }
        let verb = if self.done {
            paint.paint(Style::Good, "Adopted")
        } else {
            "Would adopt".to_owned()
        };
        let mut page = Page::of(format!(
            "{verb} {} from {tool} ({table}): {} applied, {} pending.",
            self.database,
            count(rows.len(), "revision"),
            self.adoption.pending.len(),
        ));
        if !self.done || verbosity == Verbosity::Verbose {
            self.lines(&mut page, paint);
        }
        if self.adoption.compared > 0 && self.adoption.changed() == 0 {
            let compared = count(self.adoption.compared, "checksum");
            page.sentence(format!("{compared} of {tool} compared: all files match."));
        }
        for doubt in &self.adoption.doubts {
            let mark = paint.paint(Style::Warning, "doubt:");
            page.row(format!("{mark} {doubt}"));
            page.row(format!("  {}", self.accepted(doubt)));
        }
        if !self.done {
            page.sentence("Nothing was changed.");
        }
        page
    }

    fn has_changed(&self) -> bool {
        self.done
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
    fn lines(&self, page: &mut Page, paint: Paint) {
        let rows = &self.adoption.rows;
        let width = rows.iter().map(|(row, _)| row.subject.as_str().len()).max();
        let width = width.unwrap_or(0);
        for (row, past) in rows {
            let id = paint.paint(Style::Id, format!("{:<width$}", row.subject.as_str()));
            let when = past.applied_at.map_or_else(String::new, |at| {
                let at = format!("  applied {}", at.format("%Y-%m-%d %H:%M:%S"));
                paint.paint(Style::Dim, at)
            });
            page.row(format!("  {id}  {}{when}", row.message));
        }
    }

    /// The consequence of accepting a doubt.
    fn accepted(&self, doubt: &AdoptDoubt) -> String {
        let what = match doubt {
            AdoptDoubt::Failed { .. } => {
                "counts as not applied; `upgrade` runs it from the beginning"
            }
            AdoptDoubt::Changed { .. } => "the current file counts as applied",
            AdoptDoubt::Unknown { .. } => "not recorded",
            AdoptDoubt::Gap { .. } => "stays pending",
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
