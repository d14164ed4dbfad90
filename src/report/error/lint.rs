use std::sync::Arc;

use super::{Error, diagnostic, verify::verify_finding};
use crate::{
    lint::{Finding, Severity},
    ops::{self, FixError, LintReport, LintedRevision, Unproven},
    report::{Diagnostic, Snippet, Weight, codes, difference_sentences},
};

/// The diagnostic of a finding in the up script of a revision.
pub fn lint_finding(revision: &LintedRevision, finding: &Finding) -> Diagnostic {
    let mut notes = Vec::new();
    for (relation, mode) in &finding.locks {
        notes.push(format!("lock: {mode} on {relation}"));
    }
    for cause in finding.causes.iter().skip(1) {
        let (code, message) = (cause.rule.code, &cause.message);
        notes.push(format!("{code}: {message}"));
    }
    let safe = finding
        .causes
        .iter()
        .find_map(|cause| cause.safe.as_deref());
    let first = finding.causes.first();
    Diagnostic {
        code: first.map_or("", |cause| cause.rule.code),
        message: first.map_or_else(String::new, |cause| cause.message.clone()),
        place: Some(Snippet {
            file: revision.file.clone(),
            text: Some(Arc::clone(&revision.text)),
            offset: Some(finding.span.start),
            length: finding.span.len(),
            at: None,
        }),
        notes,
        hint: safe.map(|safe| format!("safe form:\n{safe}")),
        diff: None,
    }
}

/// What is wrong with the script itself: its suppressions, or that it cannot run.
pub fn lint_problems(revision: &LintedRevision) -> Vec<Diagnostic> {
    let suppressions = revision.problems.iter().map(|problem| Diagnostic {
        place: Some(Snippet {
            file: revision.file.clone(),
            text: Some(Arc::clone(&revision.text)),
            offset: Some(problem.offset),
            ..Snippet::default()
        }),
        ..diagnostic(codes::M901, problem.to_string())
    });
    let mut found: Vec<Diagnostic> = suppressions.collect();
    if let Some(refused) = &revision.refused {
        found.extend(Error::from(ops::Error::Plan(refused.clone())).diagnostics);
    }
    found
}

/// The diagnostics of all errors.
pub fn lint_errors(report: &LintReport) -> Vec<Diagnostic> {
    let revisions = report.revisions.iter();
    let errors = revisions.flat_map(|revision| {
        let findings = revision.findings.iter();
        let errors = findings.filter(|it| it.severity == Severity::Error);
        let errors = errors.map(|finding| lint_finding(revision, finding));
        errors.chain(lint_problems(revision))
    });
    errors.collect()
}

impl From<FixError> for Error {
    fn from(error: FixError) -> Self {
        const NOTHING: &str =
            "the fixed scripts were tried in scratch databases; nothing was written";
        let message = error.to_string();
        match error {
            FixError::Applied { .. } => Self::new(codes::M902, message)
                .note("a database keeps what its scripts were; others would get another history")
                .hint(
                    "leave it, with a suppression: -- migrator: allow = RULE (applied everywhere)",
                ),
            FixError::Unproven(Unproven::Fails {
                file,
                text,
                offset,
                error,
            }) => Self::from(Diagnostic {
                place: Some(Snippet {
                    file,
                    text: Some(text.into()),
                    offset: Some(offset),
                    ..Snippet::default()
                }),
                ..diagnostic(codes::M903, error)
            })
            .note(NOTHING),
            FixError::Unproven(Unproven::NotVerified(verified)) => {
                let findings = verified.findings.iter();
                let found = findings.map(|finding| Diagnostic {
                    code: codes::M903.id,
                    place: None,
                    ..verify_finding(&verified, finding)
                });
                Self::many(found.collect()).note(NOTHING)
            }
            FixError::Unproven(Unproven::Differs(difference)) => {
                let mut found = Self::new(codes::M903, message);
                for sentence in
                    difference_sentences(&difference, ["is added", "is missing", "differs"])
                {
                    found = found.note(sentence);
                }
                found.note(NOTHING)
            }
            FixError::Unproven(_) => Self::new(codes::M903, message).note(NOTHING),
        }
    }
}

/// The weight of a severity.
pub fn lint_weight(severity: Severity) -> Weight {
    match severity {
        Severity::Error => Weight::Error,
        Severity::Warning => Weight::Warning,
        Severity::Note => Weight::Note,
    }
}
