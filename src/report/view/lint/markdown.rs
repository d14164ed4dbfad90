//! Findings as a comment on a pull request.

use std::fmt::Write as _;

use crate::{
    lint::{Finding, Severity},
    ops::LintedRevision,
    report::{
        Diagnostic,
        markdown::{block, code, escaped},
    },
};

/// A heading, the summary, a paragraph for each finding with the statement and its safe form, and one
/// for each problem of a script itself.
pub(super) fn markdown<'a>(
    summary: &str,
    findings: impl Iterator<Item = (&'a LintedRevision, &'a Finding)>,
    problems: &[Diagnostic],
    path: &dyn Fn(&str) -> String,
) -> String {
    let mut text = format!("### Migrations\n\n{}\n", escaped(summary));
    for (revision, finding) in findings {
        let sign = match finding.severity {
            Severity::Error => "❌",
            Severity::Warning => "⚠️",
            Severity::Note => "ℹ️",
        };
        let file = path(&revision.file);
        let codes: Vec<&str> = finding.causes.iter().map(|it| it.rule.code).collect();
        let message = capitalized(&finding.message);
        let place = format!("{file}:{}", finding.line);
        headline(&mut text, sign, &message, &codes.join(", "), Some(&place));
        for (relation, mode) in &finding.locks {
            let _ = write!(text, "\n- {mode} on {}\n", code(&relation.to_string()));
        }
        let sql = revision.text.get(finding.span.clone()).unwrap_or_default();
        let _ = write!(text, "\n{}\n", block(sql));
        let safe = finding
            .causes
            .iter()
            .find_map(|cause| cause.safe.as_deref());
        if let Some(safe) = safe {
            let _ = write!(
                text,
                "\n<details><summary>Safe form</summary>\n\n{}\n</details>\n",
                block(safe)
            );
        }
    }
    for problem in problems {
        let place = problem.place.as_ref().map(|it| match it.position() {
            Some(at) => format!("{}:{}", path(&it.file), at.line),
            None => path(&it.file),
        });
        let message = capitalized(&problem.message);
        headline(&mut text, "❌", &message, problem.code, place.as_deref());
        if let Some(hint) = &problem.hint {
            let _ = write!(text, "\n{}\n", escaped(&capitalized(hint)));
        }
    }
    text
}

/// The first line of a paragraph.
fn headline(text: &mut String, sign: &str, message: &str, codes: &str, place: Option<&str>) {
    let place = place.map(|it| format!(" in {}", code(it)));
    let _ = write!(
        text,
        "\n{sign} **{}** ({codes}){}\n",
        escaped(message),
        place.unwrap_or_default(),
    );
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
