use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, history::ids, object, schema::difference};
use crate::{
    online::Waiting,
    ops::{AutogenerateReport, Proof},
    report::Style,
};

/// The result of `revision --autogenerate`.
#[derive(Debug)]
pub struct AutogenerateView {
    report: AutogenerateReport,
    /// The scripts, if they were not written.
    scripts: Option<String>,
}

impl AutogenerateView {
    /// The view of a report; `dry_run` prints the scripts.
    pub fn new(report: AutogenerateReport, dry_run: bool) -> Self {
        let scripts = (dry_run && !report.revisions.is_empty()).then(|| scripts(&report));
        Self { report, scripts }
    }
}

impl View for AutogenerateView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let report = &self.report;
        if report.revisions.is_empty() {
            let nothing = "The head is the declared schema. Nothing was written.";
            return Page::of(paint.paint(Style::Good, nothing));
        }
        let mut page = Page::default();
        if verbosity > Verbosity::Quiet {
            for (from, to) in &report.renames {
                page.row(format!(
                    "{} {from} → {to}",
                    paint.paint(Style::Warning, "~")
                ));
            }
            page.append(difference(&report.difference, paint, verbosity));
            if !page.is_empty() {
                page.blank();
            }
        }
        for file in report.written.iter().flat_map(|written| &written.files) {
            page.row(format!("created {}", paint.paint(Style::Strong, file)));
        }
        if verbosity > Verbosity::Quiet {
            proof_sentences(&mut page, &report.proof, paint);
        }
        for waiting in &report.waiting {
            let what = paint.paint(Style::Warning, "others wait for");
            page.row(format!(
                "{what} {}: {}",
                first_line(&waiting.sql),
                waiting.reason
            ));
        }
        page
    }

    fn exact(&self) -> Option<&str> {
        self.scripts.as_deref()
    }

    fn has_changed(&self) -> bool {
        !self.report.written.is_empty()
    }

    fn json(&self) -> Json {
        let report = &self.report;
        let revisions = report.revisions.iter().enumerate().map(|(number, draft)| {
            let written = report.written.get(number);
            json!({
                "revision": draft.id.as_str(),
                "parents": ids(&draft.parents),
                "files": written.map(|it| &it.files),
                "up": draft.up,
                "down": draft.down,
            })
        });
        let renames = report.renames.iter();
        let renames = renames.map(|(from, to)| json!({ "from": from, "to": to }));
        let (with_rows, reason) = proof(&report.proof);
        object(json!({
            "revisions": revisions.collect::<Vec<_>>(),
            "renames": renames.collect::<Vec<_>>(),
            "changes": report.difference.changes,
            "notes": report.difference.notes,
            "losses": report.losses,
            "waiting": report.waiting.iter().map(waiting).collect::<Vec<_>>(),
            "proof": { "with_rows": with_rows, "reason": reason },
        }))
    }
}

fn waiting(waiting: &Waiting) -> Value {
    json!({
        "sql": waiting.sql,
        "message": waiting.message,
        "reason": waiting.reason,
    })
}

fn first_line(sql: &str) -> &str {
    sql.lines().next().unwrap_or_default()
}

/// Whether scripts were proven with rows, and the reason if they were not.
pub(super) fn proof(proof: &Proof) -> (bool, Option<&str>) {
    match proof {
        Proof::WithRows => (true, None),
        Proof::WithoutRows(reason) => (false, Some(reason)),
    }
}

pub(super) fn proof_sentences(page: &mut Page, proof: &Proof, paint: Paint) {
    match proof {
        Proof::WithRows => {
            page.sentence("Proven with rows: up, down and up again.");
        }
        Proof::WithoutRows(reason) => {
            let text = "Proven without rows only: up, down and up again.";
            page.sentence(paint.paint(Style::Warning, text));
            page.sentence(format!("With rows: {reason}"));
        }
    }
}

/// The scripts, each below the name of its file.
fn scripts(report: &AutogenerateReport) -> String {
    let mut text = String::new();
    for draft in &report.revisions {
        let up = Some((&draft.up_file, &draft.up));
        let down = draft.down.as_ref().map(|down| (&draft.down_file, down));
        for (file, script) in [up, down].into_iter().flatten() {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&format!("-- {file}\n{script}"));
        }
    }
    text
}
