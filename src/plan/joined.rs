//! Joins several scripts into one, with the headers that control how they run.

use std::{fmt::Write, time::Duration};

use super::{SourceSpan, SquashProblem};
use crate::{
    revision::{BatchDirective, ForeignKeys, Revision, Script, TransactionMode},
    sql::{self, Dialect, Statement, StatementKind, Vars},
};

/// The result of joining scripts.
pub(super) struct Joined {
    /// The headers and the statements.
    pub text: String,
    /// Number of statements.
    pub statements: usize,
}

/// A script's statements, without its own BEGIN and COMMIT.
struct Part<'a> {
    revision: &'a Revision,
    script: &'a Script,
    statements: Vec<Statement>,
    foreign_keys: bool,
}

/// Joins the statements of `scripts`, in order, into one script.
pub(super) fn one_script(
    dialect: Dialect,
    scripts: Vec<(&Revision, &Script)>,
    problems: &mut Vec<SquashProblem>,
) -> Joined {
    let mut parts = Vec::with_capacity(scripts.len());
    for (revision, script) in scripts {
        match part(dialect, revision, script, problems) {
            Ok(part) => parts.push(part),
            Err(found) => problems.extend(found),
        }
    }
    let off = |part: &Part<'_>| part.script.headers.transaction == TransactionMode::Off;
    let is_off = parts.iter().any(off);
    let has_vars = parts
        .iter()
        .any(|part| part.script.headers.placeholders.is_some());
    let acting = || parts.iter().filter(|part| !part.statements.is_empty());
    for (after, part) in acting().rev().enumerate() {
        let counts = |one: &Statement| match one.kind {
            // A script that may resume in another session cannot rely on session objects.
            StatementKind::SessionObject(_) => after > 0 || is_off,
            _ => after > 0,
        };
        problems.extend(leaves_something(dialect, part, counts));
    }
    let keys = acting().next().map(|part| part.foreign_keys);
    let others = acting().filter(|part| Some(part.foreign_keys) != keys);
    problems.extend(others.map(|part| SquashProblem::ForeignKeys {
        file: part.script.file.clone(),
        on: part.foreign_keys,
    }));
    if has_vars {
        problems.extend(parts.iter().filter_map(|part| placeholder(dialect, part)));
    }
    let mut text = String::new();
    let mut header = |key: &str, value: &str| {
        let _ = writeln!(text, "-- migrator: {key} = {value}");
    };
    if is_off {
        header("transaction", "off");
    }
    if keys == Some(true) {
        header("foreign-keys", "on");
    }
    if has_vars {
        header("vars", "on");
    }
    let headers = || acting().map(|part| &part.script.headers);
    if let Some(longest) = longest(headers().map(|one| one.lock_timeout)) {
        header("lock-timeout", &longest);
    }
    if let Some(longest) = longest(headers().map(|one| one.statement_timeout)) {
        header("statement-timeout", &longest);
    }
    let statements = parts.iter().map(|part| part.statements.len()).sum();
    for part in &parts {
        part.write(&mut text, is_off && !off(part));
    }
    Joined { text, statements }
}

fn part<'a>(
    dialect: Dialect,
    revision: &'a Revision,
    script: &'a Script,
    problems: &mut Vec<SquashProblem>,
) -> Result<Part<'a>, Vec<SquashProblem>> {
    let statements = sql::split(dialect, &script.text).map_err(|found| {
        let problem = |problem: sql::SqlProblem| SquashProblem::Sql {
            source_span: SourceSpan::at(script, problem.span.start),
            kind: problem.kind,
        };
        found.into_iter().map(problem).collect::<Vec<_>>()
    })?;
    let header = script
        .headers
        .foreign_keys
        .map(|keys| keys == ForeignKeys::On);
    if script.headers.transaction == TransactionMode::Off {
        return Ok(Part {
            revision,
            script,
            statements,
            foreign_keys: header.unwrap_or(false),
        });
    }
    let wrapper = sql::unwrap(dialect, &script.text, &statements);
    if !wrapper.modes.is_empty() {
        problems.push(SquashProblem::Modes {
            source_span: SourceSpan::at(script, statements.first().map_or(0, |one| one.span.start)),
            modes: wrapper.modes.clone(),
        });
    }
    Ok(Part {
        revision,
        script,
        foreign_keys: header.or(wrapper.foreign_keys).unwrap_or(false),
        statements: statements[wrapper.body].to_vec(),
    })
}

/// Returns the statements whose effect lasts for the session.
fn leaves_something<'a>(
    dialect: Dialect,
    part: &'a Part<'_>,
    counts: impl Fn(&Statement) -> bool + 'a,
) -> impl Iterator<Item = SquashProblem> + 'a {
    let leaves = move |one: &&Statement| {
        let text = one.text(&part.script.text);
        matches!(
            one.kind,
            StatementKind::Session | StatementKind::SessionObject(_)
        ) || dialect.session_change(text).is_some()
            || sql::mentions(text, "set_config(")
    };
    let found = part.statements.iter().filter(leaves);
    found
        .filter(move |one| counts(one))
        .map(|one| SquashProblem::Session {
            source_span: SourceSpan::at(part.script, one.span.start),
        })
}

/// Returns the problem of text that would become a placeholder, in a script without `vars`.
fn placeholder(dialect: Dialect, part: &Part<'_>) -> Option<SquashProblem> {
    if part.script.headers.placeholders.is_some() {
        return None;
    }
    let how = sql::Placeholders::NATIVE;
    let found = sql::expand(dialect, &part.script.text, how, Vars::none()).err()?;
    Some(SquashProblem::Placeholder {
        source_span: SourceSpan::at(part.script, found.first()?.1.start),
    })
}

/// Returns the longest timeout, if there is any. Zero means no limit, which is the longest.
fn longest(timeouts: impl Iterator<Item = Option<Duration>>) -> Option<String> {
    let all: Vec<_> = timeouts.flatten().collect();
    let longest = all.iter().max()?;
    Some(match all.contains(&Duration::ZERO) {
        true => "0".to_owned(),
        false => format!("{}ms", longest.as_millis()),
    })
}

impl Part<'_> {
    /// Writes the statements; as one transaction if `as_one` is set.
    fn write(&self, text: &mut String, as_one: bool) {
        let Revision { id, message, .. } = self.revision;
        let _ = writeln!(text, "\n-- {id} {}", sql::comment(message));
        let as_one = as_one && !self.statements.is_empty();
        if as_one {
            text.push_str("BEGIN;\n");
        }
        for (index, statement) in self.statements.iter().enumerate() {
            let before = index
                .checked_sub(1)
                .map_or(0, |index| end(&self.statements[index]));
            for directive in self.directives(before, statement.span.start) {
                text.push_str(&self.script.text[directive.start..directive.end]);
                text.push('\n');
            }
            text.push_str(statement.text(&self.script.text));
            text.push_str(";\n");
            if let Some(data) = &statement.copy_data {
                text.push_str(&self.script.text[data.clone()]);
                text.push_str("\\.\n");
            }
        }
        if as_one {
            text.push_str("COMMIT;\n");
        }
    }

    fn directives(&self, from: usize, to: usize) -> impl Iterator<Item = &BatchDirective> {
        let all = self.script.headers.batches.iter();
        all.filter(move |one| (from..to).contains(&one.start))
    }
}

fn end(statement: &Statement) -> usize {
    let data = statement.copy_data.as_ref();
    data.map_or(statement.span.end, |data| data.end)
}
