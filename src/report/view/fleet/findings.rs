//! What is wrong with targets of a fleet.

use serde_json::{Value, json};

use super::{
    super::{Json, Page, Paint, Verbosity, View, object},
    causes_json, name_of, target_names,
};
use crate::{
    fleet::{Tally, Target},
    ops::FleetVerifyReport,
    report::{Diagnostic, Shown, Style, Weight, count, fleet::in_targets},
};

/// Findings with the targets that have them.
pub struct FleetFindings<'a> {
    /// The findings, with the indices of targets.
    pub found: Vec<(Diagnostic, Vec<usize>)>,
    /// The targets of the fleet.
    pub targets: &'a [Target],
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

impl FleetFindings<'_> {
    /// All findings, with notes of their targets, and `result` at last, unless only problems are wanted.
    fn human(&self, paint: Paint, verbosity: Verbosity, result: impl FnOnce() -> String) -> Page {
        let noted = self.found.iter().map(|(found, indices)| {
            let mut found = found.clone();
            if !indices.is_empty() {
                found
                    .notes
                    .push(in_targets(indices, &name_of(self.targets)));
            }
            found
        });
        let noted: Vec<_> = noted.collect();
        let mut page = Shown::of(&noted).human(paint, |found| {
            found.human(paint.0, Weight::Error, self.columns)
        });
        if verbosity == Verbosity::Quiet {
            return page;
        }
        if !page.is_empty() {
            page.blank();
        }
        page.sentence(result());
        page
    }

    fn json(&self) -> Vec<Value> {
        let found = self.found.iter().map(|(found, indices)| {
            let mut value = found.json();
            value["targets"] = json!(target_names(self.targets, indices));
            value
        });
        found.collect()
    }
}

/// How many of the targets just counted do not exist.
fn of_missing(tally: &Tally) -> String {
    match tally.skipped {
        0 => String::new(),
        missing => format!(", {missing} of which do not exist"),
    }
}

/// The result of `fleet check`.
pub struct FleetCheckView<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The directory.
    pub directory: &'a str,
    /// The number of revisions in the directory.
    pub revisions: usize,
    /// The number of selected targets.
    pub checked: usize,
    /// All findings.
    pub findings: FleetFindings<'a>,
    /// Targets that do not exist or cannot be read.
    pub tally: &'a Tally,
}

impl View for FleetCheckView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        self.findings.human(paint, verbosity, || {
            let (style, result) = match self.findings.found.len() {
                0 => (Style::Good, "nothing found".to_owned()),
                found => (Style::Bad, count(found, "finding")),
            };
            let result = paint.paint(style, result);
            let missing = of_missing(self.tally);
            format!(
                "Checked {} ({}) and {} of {}{missing}: {result}.",
                self.directory,
                count(self.revisions, "revision"),
                count(self.checked, "target"),
                self.environment,
            )
        })
    }

    fn json(&self) -> Json {
        object(json!({
            "environment": self.environment,
            "directory": self.directory,
            "revisions": self.revisions,
            "targets": self.checked,
            "passed": self.findings.found.is_empty() && self.tally.failed == 0,
            "findings": self.findings.json(),
            "causes": causes_json(self.tally, self.findings.targets),
        }))
    }
}

/// The result of `fleet verify`.
pub struct FleetVerifyView<'a> {
    /// The result.
    pub report: &'a FleetVerifyReport,
    /// The differences.
    pub findings: FleetFindings<'a>,
}

impl View for FleetVerifyView<'_> {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        self.findings.human(paint, verbosity, || {
            let report = self.report;
            let differ: usize = report.drifts.iter().map(|found| found.targets.len()).sum();
            let (style, result) = match differ {
                0 => (Style::Good, "none differs".to_owned()),
                1 => (Style::Bad, "1 differs".to_owned()),
                number => (Style::Bad, format!("{number} differ")),
            };
            let missing = of_missing(&report.tally);
            format!(
                "Compared {} of {}{missing}: {}.",
                count(report.targets, "target"),
                report.environment,
                paint.paint(style, result)
            )
        })
    }

    fn json(&self) -> Json {
        let report = self.report;
        object(json!({
            "environment": report.environment,
            "targets": report.targets,
            "equal": report.equal,
            "passed": self.findings.found.is_empty() && report.tally.failed == 0,
            "findings": self.findings.json(),
            "causes": causes_json(&report.tally, self.findings.targets),
        }))
    }
}
