//! Results in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS).

use serde_json::{Value, json};

use crate::{
    lint::{Finding, Rule, Severity},
    ops::LintedRevision,
    report::{Diagnostic, Snippet, codes::CODES},
    sql::position,
};

/// One run with the findings, each under the rule of its first cause, and the problems of the scripts
/// themselves, under their codes.
pub(super) fn sarif<'a>(
    findings: impl Iterator<Item = (&'a LintedRevision, &'a Finding)>,
    problems: &[Diagnostic],
    path: &dyn Fn(&str) -> String,
) -> Value {
    let mut rules: Vec<&'static Rule> = Vec::new();
    let mut results = Vec::new();
    for (revision, finding) in findings {
        let Some(cause) = finding.causes.first() else {
            continue;
        };
        let known = rules.iter().position(|rule| **rule == *cause.rule);
        let index = known.unwrap_or_else(|| {
            rules.push(cause.rule);
            rules.len() - 1
        });
        let end = position(&revision.text, finding.span.end);
        results.push(json!({
            "ruleId": cause.rule.code,
            "ruleIndex": index,
            "level": level(finding.severity),
            "message": { "text": text(finding) },
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": { "uri": uri(&path(&revision.file)) },
                    "region": {
                        "startLine": finding.line,
                        "startColumn": finding.column,
                        "endLine": end.line,
                        "endColumn": end.column,
                    },
                },
            }],
        }));
    }
    let mut rules: Vec<Value> = rules.into_iter().map(rule_json).collect();
    for problem in problems {
        let known = rules.iter().position(|rule| rule["id"] == problem.code);
        let index = known.unwrap_or_else(|| {
            rules.push(code_json(problem.code));
            rules.len() - 1
        });
        results.push(problem_json(problem, index, path));
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "migrator",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn problem_json(problem: &Diagnostic, index: usize, path: &dyn Fn(&str) -> String) -> Value {
    let location = |place: &Snippet| {
        let mut location = json!({ "artifactLocation": { "uri": uri(&path(&place.file)) } });
        if let Some(at) = place.position() {
            location["region"] = json!({ "startLine": at.line, "startColumn": at.column });
        }
        json!({ "physicalLocation": location })
    };
    json!({
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": "error",
        "message": { "text": problem.message },
        "locations": problem.place.iter().map(location).collect::<Vec<_>>(),
    })
}

fn code_json(id: &str) -> Value {
    let known = CODES.iter().find(|it| it.id == id);
    json!({
        "id": id,
        "shortDescription": { "text": known.map_or("", |it| it.title) },
        "fullDescription": { "text": known.map_or("", |it| it.explanation) },
        "defaultConfiguration": { "level": "error" },
    })
}

fn rule_json(rule: &'static Rule) -> Value {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.docs },
        "help": { "text": rule.safe },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn text(finding: &Finding) -> String {
    let safe = finding
        .causes
        .iter()
        .find_map(|cause| cause.safe.as_deref());
    match safe {
        Some(safe) => format!("{}\nSafe form:\n{safe}", finding.message),
        None => finding.message.clone(),
    }
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            b'\\' => uri.push('/'),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uri_references() {
        let check = |path, expected| assert_eq!(uri(path), expected);
        check("migrations/1_a.up.sql", "migrations/1_a.up.sql");
        check("a b/ł.sql", "a%20b/%C5%82.sql");
        check(r"a\b", "a/b");
    }
}
