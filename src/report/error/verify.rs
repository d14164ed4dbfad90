use super::{Diagnostic, Error, diagnostic, run};
use crate::{
    execute::PartialFailure,
    ops::{
        self, NotVerified, Unlike, Verdict, VerifiedRevision, VerifyFinding, VerifyReport,
        VerifyScript,
    },
    report::{Snippet, codes, codes::Code, count, difference_sentences},
    schema::RowChanges,
};

/// The diagnostic of a finding about `revision`.
pub fn verify_finding(revision: &VerifiedRevision, finding: &VerifyFinding) -> Diagnostic {
    let down = || Snippet::file(revision.down.as_deref().unwrap_or(&revision.up));
    let up = || Snippet::file(&revision.up);
    match finding {
        VerifyFinding::UpFails(failure) => failed(codes::M880, failure, None),
        VerifyFinding::DownFails(failure) => {
            let note = "right after the up script, in a scratch database";
            failed(codes::M881, failure, Some(note))
        }
        VerifyFinding::UpFailsAgain(failure) => {
            let note = "the second time, after the down script; the first time it succeeded";
            failed(codes::M883, failure, Some(note))
        }
        VerifyFinding::DownRefused(error) => {
            let found = Error::from(ops::Error::Plan(error.clone())).diagnostics;
            let mut found = found.into_iter().next().unwrap_or_default();
            found.code = codes::M881.id;
            found
        }
        VerifyFinding::FailsWithRows { script, failure } => {
            let script = script_name(*script);
            let note = format!("the {script} fails in every table with rows");
            failed(codes::M888, failure, Some(&note))
        }
        VerifyFinding::NotRestored(unlike) => {
            let words = ["is left behind", "is missing", "differs"];
            let what = "the down script does not restore the schema";
            unlike_finding(codes::M882, unlike, words, what, down())
        }
        VerifyFinding::UpDiffers(unlike) => {
            let words = ["is new", "is missing", "differs"];
            let what = "the up script makes another schema the second time";
            unlike_finding(codes::M884, unlike, words, what, up())
        }
        VerifyFinding::RowsLost { table, rows } => {
            let rows = count(*rows, "row");
            let message = format!("the up script loses {rows} of {table}");
            at(up(), codes::M885, message)
        }
        VerifyFinding::RowsNotRestored { table, changes } => {
            let changes = row_changes(changes);
            let what = "the down script does not restore the rows of";
            at(down(), codes::M886, format!("{what} {table}: {changes}"))
        }
    }
}

fn at(place: Snippet, code: Code, message: String) -> Diagnostic {
    Diagnostic {
        place: Some(place),
        ..diagnostic(code, message)
    }
}

/// A script of the cycle.
pub fn script_name(script: VerifyScript) -> &'static str {
    match script {
        VerifyScript::Up => "up script",
        VerifyScript::Down => "down script",
        VerifyScript::UpAgain => "up script, run again after the down script,",
    }
}

/// The diagnostic of a repeatable script that failed.
pub fn verify_repeatable(failure: &PartialFailure) -> Diagnostic {
    failed(codes::M887, failure, None)
}

/// The diagnostics of all findings.
pub fn verify_findings(report: &VerifyReport) -> Vec<Diagnostic> {
    let revisions = report.revisions.iter();
    let findings = revisions.flat_map(|revision| {
        let findings = revision.findings.iter();
        findings.map(|finding| verify_finding(revision, finding))
    });
    let repeatable = report.repeatable.as_deref().map(verify_repeatable);
    findings.chain(repeatable).collect()
}

/// Warnings of the revisions that were not verified.
pub fn unverified(report: &VerifyReport) -> Vec<Diagnostic> {
    let revisions = report.revisions.iter();
    let warnings = revisions.filter_map(|it| {
        let reason = not_verified(&it.verdict)?;
        Some(Diagnostic {
            message: format!("{} was not verified: {reason}", it.revision),
            ..Diagnostic::default()
        })
    });
    warnings.collect()
}

/// The reason why a revision was not verified, in one line.
pub fn not_verified(verdict: &Verdict) -> Option<String> {
    let Verdict::NotVerified(cause) = verdict else {
        return None;
    };
    let first = |error: Error| {
        let messages = error.diagnostics.into_iter().map(|it| it.message);
        messages.collect::<Vec<_>>().join("; ")
    };
    Some(match cause {
        NotVerified::Outside(script) => format!(
            "it {}, and the server is not for scratch databases alone",
            script.does
        ),
        NotVerified::Lacking(failure) => first(run::without_outcome(failure)),
        NotVerified::UpFails => "its up script fails".to_owned(),
        NotVerified::Needs(revision) => format!("it needs {revision}, which could not be applied"),
        NotVerified::Refused(reason) => reason.clone(),
    })
}

/// What differs between rows: `2 rows are missing, 3 values of total differ`.
pub fn row_changes(changes: &RowChanges) -> String {
    let are = |number: usize| if number == 1 { "is" } else { "are" };
    let mut parts = Vec::new();
    if changes.lost > 0 {
        parts.push(format!(
            "{} {} missing",
            count(changes.lost, "row"),
            are(changes.lost)
        ));
    }
    if changes.added > 0 {
        parts.push(format!(
            "{} {} new",
            count(changes.added, "row"),
            are(changes.added)
        ));
    }
    for (column, number) in &changes.changed {
        let differ = if *number == 1 { "differs" } else { "differ" };
        parts.push(format!("{} of {column} {differ}", count(*number, "value")));
    }
    parts.join(", ")
}

fn failed(code: Code, failure: &PartialFailure, note: Option<&str>) -> Diagnostic {
    let found = run::without_outcome(failure).diagnostics.into_iter().next();
    let mut found = found.unwrap_or_default();
    found.code = code.id;
    // The advice is that of a run in a database that stays.
    found.hint = None;
    found.notes.extend(note.map(str::to_owned));
    found
}

fn unlike_finding(
    code: Code,
    unlike: &Unlike,
    words: [&str; 3],
    what: &str,
    place: Snippet,
) -> Diagnostic {
    let mut sentences = difference_sentences(&unlike.difference, words);
    let message = match sentences.len() {
        1 => format!("{what}: {}", sentences.remove(0)),
        number => format!("{what}: {}", count(number, "object")),
    };
    Diagnostic {
        notes: sentences,
        ..at(place, code, message)
    }
}
