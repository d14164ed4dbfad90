//! The result of `rehearse`.

mod html;
mod human;
mod json;
mod markdown;
mod verdict;
mod words;

use super::{Json, Page, Paint, Verbosity, View};
use crate::{
    execute::PartialFailure,
    ops::{RehearseReport, Reverted},
    report::{
        Diagnostic,
        error::{rehearsed_failure, rehearsed_finding},
    },
};

/// The result of `rehearse`.
#[derive(Debug)]
pub struct RehearseView {
    /// The report.
    pub report: RehearseReport,
    /// The width of the terminal in columns.
    pub columns: Option<usize>,
}

impl View for RehearseView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        human::page(self, paint, verbosity)
    }

    fn json(&self) -> Json {
        json::fields(&self.report)
    }

    fn html(&self) -> Option<String> {
        Some(html::page(&self.report))
    }

    fn markdown(&self, _: &dyn Fn(&str) -> String) -> Option<String> {
        Some(markdown::text(&self.report))
    }
}

/// What failed or was not restored.
fn found(report: &RehearseReport) -> Vec<Diagnostic> {
    let mut found = failures(report);
    match &report.reverted {
        Reverted::Failed(_, failed) => found.push(failure(failed, "down")),
        Reverted::Done(findings) => found.extend(findings.iter().map(rehearsed_finding)),
        Reverted::Not | Reverted::NoDown(_) => {}
    }
    found
}

/// The up scripts and repeatable scripts that failed.
fn failures(report: &RehearseReport) -> Vec<Diagnostic> {
    let revisions = report.revisions.iter();
    let failed = revisions.filter_map(|it| Some((it, it.failure.as_deref()?)));
    let failures = failed.map(|(it, failed)| match it.subject.revision() {
        Some(_) => failure(failed, "up"),
        None => failure(failed, "repeatable"),
    });
    failures.collect()
}

fn failure(failed: &PartialFailure, script: &str) -> Diagnostic {
    let mut found = rehearsed_failure(failed);
    let note = format!("in the {script} script, on the copy");
    found.notes.push(note);
    found
}
