mod facts;
mod fix;
mod markdown;
mod sarif;

use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{
    lint::{Finding, Level, Severity},
    ops::{LintReport, LintedRevision},
    report::{
        Diagnostic, Style, Weight, annotation, count, duration,
        error::{lint_finding, lint_problems, lint_weight},
    },
};

/// The result of `lint`.
#[derive(Debug)]
pub struct LintView {
    /// The report.
    pub report: LintReport,
    /// Whether every statement is shown with its effects.
    pub facts: bool,
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

impl View for LintView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        if self.facts {
            facts::show(&mut page, &self.report, paint);
        }
        let least = match verbosity {
            Verbosity::Verbose => Severity::Note,
            _ => Severity::Warning,
        };
        for (revision, finding) in self.findings() {
            if finding.severity < least {
                continue;
            }
            let found = lint_finding(revision, finding);
            page.append(found.human(paint.0, lint_weight(finding.severity), self.columns));
            page.blank();
        }
        for found in self.problems() {
            page.append(found.human(paint.0, Weight::Error, self.columns));
            page.blank();
        }
        for revision in &self.report.revisions {
            if let Some(reason) = &revision.not_measured {
                page.sentence(format!(
                    "{} was only read, not executed: {reason}.",
                    revision.file
                ));
            }
        }
        if verbosity > Verbosity::Quiet {
            page.sentence(self.summary(paint, verbosity));
        }
        page
    }

    fn json(&self) -> Json {
        let report = &self.report;
        let revisions = report.revisions.iter();
        let revisions: Vec<Value> = revisions.map(|it| self.revision_json(it)).collect();
        object(json!({
            "directory": report.directory,
            "passed": report.passed(),
            "level": report.level.name(),
            "interrupted": report.interrupted,
            "revisions": revisions,
            "counts": {
                "error": report.count(Severity::Error),
                "warning": report.count(Severity::Warning),
                "note": report.count(Severity::Note),
            },
            "duration_ms": report.elapsed.as_millis(),
        }))
    }

    fn github(&self, path: &dyn Fn(&str) -> String) -> Page {
        let mut page = Page::default();
        for (revision, finding) in self.findings() {
            let found = lint_finding(revision, finding);
            page.append(annotation(&found, lint_weight(finding.severity), path));
        }
        for found in self.problems() {
            page.append(annotation(&found, Weight::Error, path));
        }
        page.sentence(self.summary(Paint(false), Verbosity::Normal));
        page
    }

    fn sarif(&self, path: &dyn Fn(&str) -> String) -> Option<Value> {
        Some(sarif::sarif(self.findings(), &self.problems(), path))
    }

    fn markdown(&self, path: &dyn Fn(&str) -> String) -> Option<String> {
        let summary = self.summary(Paint(false), Verbosity::Verbose);
        Some(markdown::markdown(
            &summary,
            self.findings(),
            &self.problems(),
            path,
        ))
    }
}

impl LintView {
    fn findings(&self) -> impl Iterator<Item = (&LintedRevision, &Finding)> {
        let revisions = self.report.revisions.iter();
        revisions.flat_map(|revision| revision.findings.iter().map(move |it| (revision, it)))
    }

    /// What is wrong with scripts themselves.
    fn problems(&self) -> Vec<Diagnostic> {
        self.report
            .revisions
            .iter()
            .flat_map(lint_problems)
            .collect()
    }

    fn revision_json(&self, revision: &LintedRevision) -> Value {
        let findings = revision.findings.iter().map(finding_json);
        let mut fields = json!({
            "revision": revision.revision.as_str(),
            "message": revision.message,
            "file": revision.file,
            "not_measured": revision.not_measured,
            "suppressed": revision.suppressed,
            "problems": lint_problems(revision).iter().map(Diagnostic::json).collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
        });
        if self.facts {
            fields["statements"] = revision.statements.iter().map(facts::json).collect();
        }
        fields
    }

    fn summary(&self, paint: Paint, verbosity: Verbosity) -> String {
        let report = &self.report;
        let words = [
            (Severity::Error, "error", Style::Bad),
            (Severity::Warning, "warning", Style::Warning),
            (Severity::Note, "note", Style::Dim),
        ];
        let counts = words.into_iter().filter_map(|(severity, word, style)| {
            let found = report.count(severity);
            let text = count(found, word);
            (found > 0).then(|| paint.paint(style, text))
        });
        let mut counts: Vec<String> = counts.collect();
        let problems = self.problems().len();
        if problems > 0 {
            counts.insert(0, paint.paint(Style::Bad, count(problems, "problem")));
        }
        let suppressed: usize = report.revisions.iter().map(|it| it.suppressed).sum();
        if suppressed > 0 {
            counts.push(format!("{suppressed} suppressed"));
        }
        let found = match counts.is_empty() {
            true => paint.paint(Style::Good, "nothing found"),
            false => counts.join(", "),
        };
        let begin = match report.interrupted {
            true => "Interrupted: ",
            false => "",
        };
        let revisions = count(report.revisions.len(), "revision");
        let how = match report.level {
            Level::Measured => "executed in a scratch database",
            Level::Text => "read",
        };
        let hidden = report.count(Severity::Note) > 0 && verbosity < Verbosity::Verbose;
        let more = match hidden {
            true => " (-v shows notes)",
            false => "",
        };
        let took = duration(report.elapsed);
        format!("{begin}{revisions} {how}: {found}{more}; {took}.")
    }
}

fn finding_json(finding: &Finding) -> Value {
    let locks = finding.locks.iter();
    let locks = locks.map(|(relation, mode)| json!({ "relation": relation, "mode": mode.name() }));
    let causes = finding.causes.iter().map(|cause| {
        json!({
            "rule": cause.rule.name,
            "code": cause.rule.code,
            "class": cause.rule.class.name(),
            "severity": cause.severity.name(),
            "message": cause.message,
            "tables": cause.tables,
            "safe": cause.safe,
        })
    });
    json!({
        "line": finding.line,
        "column": finding.column,
        "severity": finding.severity.name(),
        "level": finding.level.name(),
        "message": finding.message,
        "locks": locks.collect::<Vec<_>>(),
        "causes": causes.collect::<Vec<_>>(),
    })
}
