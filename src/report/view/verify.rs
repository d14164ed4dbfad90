use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object, schema::note_text};
use crate::{
    ops::{Unlike, Verdict, VerifiedRevision, VerifyFinding, VerifyNote, VerifyReport},
    report::{
        Diagnostic, Style, Weight, annotation, count, duration,
        error::{
            not_verified, row_changes, script_name, verify_finding, verify_findings,
            verify_repeatable,
        },
        lines::changed_lines,
    },
};

/// The result of `verify`.
#[derive(Debug)]
pub struct VerifyView {
    /// The report.
    pub report: VerifyReport,
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

/// How many tables without rows are named without `-v`.
const TABLES: usize = 5;

impl View for VerifyView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        let names = self.report.revisions.iter();
        let width = names.map(|it| it.revision.as_str().chars().count()).max();
        let is_quiet = verbosity == Verbosity::Quiet;
        for revision in &self.report.revisions {
            if !is_quiet || !revision.findings.is_empty() {
                page.row(line(revision, width.unwrap_or(0), paint));
            }
            for finding in &revision.findings {
                self.finding(&mut page, revision, finding, paint, verbosity);
            }
            for note in &revision.notes {
                let is_warning = matches!(note, VerifyNote::FailsWithRows { .. });
                if verbosity == Verbosity::Verbose || is_warning && !is_quiet {
                    let note = format!("    note: {}", sentence(note));
                    page.row(paint.paint(Style::Dim, note));
                }
            }
        }
        if let Some(failure) = &self.report.repeatable {
            self.diagnostic(&mut page, &verify_repeatable(failure), paint);
        }
        if verbosity > Verbosity::Quiet {
            let last = self.report.revisions.last();
            if last.is_some_and(|revision| revision.findings.is_empty()) {
                page.blank();
            }
            self.summary(&mut page, paint, verbosity);
        }
        page
    }

    fn json(&self) -> Json {
        let report = &self.report;
        let revisions: Vec<Value> = report.revisions.iter().map(revision_json).collect();
        let empty = report.coverage.empty.iter();
        let empty = empty.map(|(table, reason)| json!({ "table": table, "reason": reason }));
        let unused = report.unused_seeds.iter();
        let unused = unused.map(|(place, error)| json!({ "place": place, "error": error }));
        let repeatable = report.repeatable.as_deref().map(verify_repeatable);
        object(json!({
            "directory": report.directory,
            "passed": report.passed(),
            "interrupted": report.interrupted,
            "revisions": revisions,
            "repeatable": repeatable.map(|found| found.json()),
            "coverage": {
                "with_rows": report.coverage.filled.len(),
                "without_rows": empty.collect::<Vec<_>>(),
            },
            "unused_seeds": unused.collect::<Vec<_>>(),
            "duration_ms": report.elapsed.as_millis(),
        }))
    }

    fn github(&self, path: &dyn Fn(&str) -> String) -> Page {
        let mut page = Page::default();
        for found in verify_findings(&self.report) {
            page.append(annotation(&found, Weight::Error, path));
        }
        self.summary(&mut page, Paint(false), Verbosity::Normal);
        page
    }
}

impl VerifyView {
    fn finding(
        &self,
        page: &mut Page,
        revision: &VerifiedRevision,
        finding: &VerifyFinding,
        paint: Paint,
        verbosity: Verbosity,
    ) {
        self.diagnostic(page, &verify_finding(revision, finding), paint);
        if let VerifyFinding::NotRestored(unlike) | VerifyFinding::UpDiffers(unlike) = finding {
            page.append(definitions(unlike, paint, verbosity));
        }
        page.blank();
    }

    fn diagnostic(&self, page: &mut Page, found: &Diagnostic, paint: Paint) {
        page.append(found.human(paint.0, Weight::Error, self.columns));
    }

    fn summary(&self, page: &mut Page, paint: Paint, verbosity: Verbosity) {
        let report = &self.report;
        let of = |wanted: fn(&VerifiedRevision) -> bool| {
            report.revisions.iter().filter(|it| wanted(it)).count()
        };
        let findings: usize = report.revisions.iter().map(|it| it.findings.len()).sum();
        let findings = findings + usize::from(report.repeatable.is_some());
        let (style, found) = match findings {
            0 => (Style::Good, "nothing found".to_owned()),
            findings => (Style::Bad, count(findings, "finding")),
        };
        let mut parts = vec![paint.paint(style, found)];
        let complete = of(|it| matches!(it.verdict, Verdict::Complete));
        parts.push(format!("{} verified", count(complete, "revision")));
        let no_down = of(|it| matches!(it.verdict, Verdict::NoDown { .. }));
        if no_down > 0 {
            parts.push(format!("{no_down} without a down script"));
        }
        let not = of(|it| matches!(it.verdict, Verdict::NotVerified(_)));
        if not > 0 {
            parts.push(paint.paint(Style::Warning, format!("{not} not verified")));
        }
        let begin = if report.interrupted {
            "Interrupted"
        } else {
            "Verified"
        };
        let took = duration(report.elapsed);
        page.sentence(format!("{begin}: {}; {took}.", parts.join(", ")));
        self.coverage(page, verbosity);
    }

    fn coverage(&self, page: &mut Page, verbosity: Verbosity) {
        let coverage = &self.report.coverage;
        if !self.report.rows {
            return;
        }
        let (with, without) = (coverage.filled.len(), coverage.empty.len());
        let all = count(with + without, "table");
        let is_verbose = verbosity == Verbosity::Verbose;
        if without == 0 {
            page.sentence(format!("Rows: in all of {all}."));
        } else if is_verbose {
            page.sentence(format!("Rows: in {with} of {all}; none in {without}."));
            for (name, reason) in &coverage.empty {
                page.row(format!("  {name}: {reason}"));
            }
        } else {
            let names = coverage.empty.iter().take(TABLES);
            let mut names: Vec<String> = names.map(|(name, _)| name.to_string()).collect();
            if without > TABLES {
                names.push(format!("… and {} more", without - TABLES));
            }
            let names = names.join(", ");
            page.sentence(format!(
                "Rows: in {with} of {all}; none in {without}: {names}."
            ));
        }
        for (place, error) in &self.report.unused_seeds {
            page.sentence(format!("{place}: the statement was never run: {error}"));
        }
    }
}

/// One line about a revision.
fn line(revision: &VerifiedRevision, width: usize, paint: Paint) -> String {
    let (style, sign) = match (&revision.verdict, revision.findings.is_empty()) {
        (_, false) => (Style::Bad, "✗"),
        (Verdict::Complete, true) => (Style::Good, "✓"),
        (Verdict::NoDown { .. }, true) => (Style::Dim, "·"),
        (Verdict::NotVerified(_), true) => (Style::Warning, "?"),
    };
    let about = match &revision.verdict {
        Verdict::Complete => String::new(),
        Verdict::NoDown { irreversible: None } => "  no down script".to_owned(),
        Verdict::NoDown {
            irreversible: Some(reason),
        } => format!("  irreversible: {reason}"),
        verdict @ Verdict::NotVerified(_) => {
            format!(
                "  not verified: {}",
                not_verified(verdict).unwrap_or_default()
            )
        }
    };
    let id = revision.revision.as_str();
    let space = " ".repeat(width.saturating_sub(id.chars().count()));
    format!(
        "{} {}{space}  {}{}",
        paint.paint(style, sign),
        paint.paint(Style::Id, id),
        revision.message,
        paint.paint(Style::Dim, about)
    )
}

/// Both definitions of each object as a diff.
fn definitions(unlike: &Unlike, paint: Paint, verbosity: Verbosity) -> Page {
    let mut page = Page::default();
    for both in &unlike.definitions {
        let (old, new) = (&both.expected, &both.found);
        page.append(changed_lines(old, new, "    ", paint, verbosity));
    }
    page
}

fn sentence(note: &VerifyNote) -> String {
    match note {
        VerifyNote::FailsWithRows { script, failure } => format!(
            "the {} fails with the rows that were made, and was verified without rows: {failure}",
            script_name(*script)
        ),
        VerifyNote::Schema(note) => note_text(note),
        VerifyNote::TableDropped { table, rows } => {
            format!("the up script drops {table} with {}", count(*rows, "row"))
        }
        VerifyNote::RowsChanged { table, changes } => {
            let mut parts = Vec::new();
            if !changes.is_empty() {
                parts.push(row_changes(changes));
            }
            if !changes.dropped.is_empty() {
                parts.push(format!("values go with {}", changes.dropped.join(", ")));
            }
            if !changes.retyped.is_empty() {
                parts.push(format!("another type for {}", changes.retyped.join(", ")));
            }
            format!(
                "the up script changes rows of {table}: {}",
                parts.join("; ")
            )
        }
        VerifyNote::Unread { table, reason } => {
            format!("the rows of {table} are not compared: {reason}")
        }
    }
}

fn revision_json(revision: &VerifiedRevision) -> Value {
    let findings = revision.findings.iter().map(|finding| {
        let mut found = verify_finding(revision, finding).json();
        if let VerifyFinding::NotRestored(unlike) | VerifyFinding::UpDiffers(unlike) = finding
            && let Value::Object(fields) = &mut found
        {
            let definitions = unlike.definitions.iter().map(|both| {
                json!({ "object": both.object, "expected": both.expected, "found": both.found })
            });
            fields.insert("changes".to_owned(), json!(unlike.difference.changes));
            fields.insert("definitions".to_owned(), definitions.collect());
        }
        found
    });
    let verdict = match &revision.verdict {
        Verdict::Complete => "complete",
        Verdict::NoDown { .. } => "no_down",
        Verdict::NotVerified(_) => "not_verified",
    };
    json!({
        "revision": revision.revision.as_str(),
        "message": revision.message,
        "up": revision.up,
        "down": revision.down,
        "verdict": verdict,
        "reason": not_verified(&revision.verdict),
        "findings": findings.collect::<Vec<_>>(),
        "notes": revision.notes.iter().map(sentence).collect::<Vec<_>>(),
        "duration_ms": revision.elapsed.as_millis(),
    })
}
