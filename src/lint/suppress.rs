//! Suppressions: `-- migrator: allow = RULE[, RULE] (reason)` above a statement.

use super::{Finding, Rule, Script, Settings, judge::applies, rules};
use crate::{
    arrange::Arrange as _,
    nearest::nearest,
    revision::{AllowDirective, allow_directives},
    sql::position,
};

/// Findings after suppressions.
#[derive(Clone, Debug, Default)]
pub struct Suppressed {
    /// What is left.
    pub findings: Vec<Finding>,
    /// The number of causes that were suppressed.
    pub suppressed: usize,
    /// What is wrong with the suppressions, in text order.
    pub problems: Vec<SuppressionProblem>,
}

/// What is wrong with a suppression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SuppressionProblem {
    /// The kind.
    pub kind: SuppressionProblemKind,
    /// Byte offset in the script.
    pub offset: usize,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A kind of mistake in a suppression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuppressionProblemKind {
    /// The directive has another form.
    #[error("a suppression has the form `-- migrator: allow = RULE (reason)`")]
    Syntax,
    /// The reason is missing.
    #[error("a suppression needs its reason: `-- migrator: allow = RULE (reason)`")]
    NoReason,
    /// There is no such rule.
    #[error("`{name}` is not a rule{}", hint(*.nearest))]
    UnknownRule {
        /// The name.
        name: String,
        /// The rule with the most similar name.
        nearest: Option<&'static str>,
    },
    /// No statement follows.
    #[error("no statement follows this suppression")]
    NoStatement,
    /// The rule finds nothing in the statement.
    #[error("`{name}` finds nothing in the statement below")]
    Unused {
        /// The name.
        name: &'static str,
    },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |it| format!("; did you mean `{it}`?"))
}

/// A rule that is suppressed in a statement.
struct Allowed {
    rule: &'static Rule,
    /// Byte offset of its name.
    at: usize,
    statement: usize,
    is_used: bool,
}

/// Takes away what the script `text` suppresses. A suppression that finds nothing to suppress is a
/// problem, unless its rule is off or the phase silences it.
pub fn suppress(
    text: &str,
    script: &Script,
    settings: &Settings,
    findings: Vec<Finding>,
) -> Suppressed {
    let mut reader = Reader {
        text,
        script,
        allowed: Vec::new(),
        problems: Vec::new(),
    };
    for directive in allow_directives(script.dialect, text) {
        reader.directive(&directive);
    }
    let mut allowed = std::mem::take(&mut reader.allowed);
    let mut result = Suppressed::default();
    for finding in findings {
        let mut here: Vec<&mut Allowed> = allowed
            .iter_mut()
            .filter(|it| it.statement == finding.statement)
            .collect();
        let before = finding.causes.len();
        for allowed in &mut here {
            allowed.is_used |= finding.causes.iter().any(|it| it.rule == allowed.rule);
        }
        let left = finding.without(|rule| here.iter().any(|it| it.rule == rule));
        let after = left.as_ref().map_or(0, |it| it.causes.len());
        result.suppressed += before - after;
        result.findings.extend(left);
    }
    for unused in allowed.iter().filter(|it| !it.is_used) {
        let is_foreign = !unused.rule.dialects.contains(&script.dialect);
        if is_foreign || applies(unused.rule, script, settings) {
            let name = unused.rule.name;
            reader.problem(unused.at, SuppressionProblemKind::Unused { name });
        }
    }
    result.problems = reader.problems;
    result.problems.arrange_by_key(|it| it.offset);
    result
}

struct Reader<'a> {
    text: &'a str,
    script: &'a Script,
    allowed: Vec<Allowed>,
    problems: Vec<SuppressionProblem>,
}

impl Reader<'_> {
    fn problem(&mut self, offset: usize, kind: SuppressionProblemKind) {
        let place = position(self.text, offset);
        self.problems.push(SuppressionProblem {
            kind,
            offset,
            line: place.line,
            column: place.column,
        });
    }

    /// Reads `= RULE, RULE (reason)`.
    fn directive(&mut self, directive: &AllowDirective) {
        let Some(value) = directive.text.strip_prefix('=') else {
            return self.problem(directive.at, SuppressionProblemKind::Syntax);
        };
        let (names, reason) = match value.split_once('(') {
            Some((names, reason)) => (names, reason.trim_end().strip_suffix(')')),
            None => (value, None),
        };
        if reason.is_none_or(|reason| !reason.contains(char::is_alphanumeric)) {
            let at = directive.at + 1 + names.trim_end().len();
            self.problem(at, SuppressionProblemKind::NoReason);
        }
        let mut statements = self.script.statements.iter();
        let statement = statements.position(|it| it.span.start > directive.start);
        let Some(statement) = statement else {
            return self.problem(directive.start, SuppressionProblemKind::NoStatement);
        };
        let mut next = directive.at + 1;
        for part in names.split(',') {
            let at = next + part.len() - part.trim_start().len();
            next += part.len() + 1;
            match rules::find(part.trim()) {
                Some(rule) => self.allowed.push(Allowed {
                    rule,
                    at,
                    statement,
                    is_used: false,
                }),
                None => self.unknown(at, part.trim()),
            }
        }
    }

    fn unknown(&mut self, at: usize, name: &str) {
        if name.is_empty() {
            return self.problem(at, SuppressionProblemKind::Syntax);
        }
        let all = rules::ALL.iter().map(|rule| rule.name);
        let kind = SuppressionProblemKind::UnknownRule {
            name: name.to_owned(),
            nearest: nearest(name, all, 1).first().copied(),
        };
        self.problem(at, kind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        lint::{lint, tests::script},
        sql::Dialect,
    };

    const BEFORE: &str = "CREATE TABLE t (a int); CREATE TABLE u (a int);";

    fn suppressed(sql: &str) -> Suppressed {
        let script = script(Dialect::Postgres, BEFORE, sql);
        let settings = Settings::default();
        let findings = lint(&script, &settings);
        suppress(sql, &script, &settings, findings)
    }

    #[test]
    fn causes_are_suppressed_in_the_statement_below() {
        let check = |sql: &str, left: usize, count: usize| {
            let result = suppressed(sql);
            assert_eq!(result.problems, [], "{sql}");
            assert_eq!(
                (result.findings.len(), result.suppressed),
                (left, count),
                "{sql}"
            );
        };
        let index = "CREATE INDEX i ON t (a);";
        let allow = "-- migrator: allow = create-index-non-concurrent (at night)";
        check(index, 1, 0);
        check(&format!("{allow}\n{index}"), 0, 1);
        check(&format!("-- Add an index\n{allow}\n-- more\n{index}"), 0, 1);
        check(
            &format!("SELECT 1;\n{allow}\n{index}\nCREATE INDEX j ON u (a);"),
            1,
            1,
        );
        // Other causes of the statement are left.
        check(
            "-- migrator: allow = drop-column (unused since 2.0)\nALTER TABLE t DROP COLUMN a, ADD CHECK (a > 0);",
            1,
            1,
        );
        check(
            "-- migrator: allow = drop-table , many-tables-locked (unused since 2.0)\nDROP TABLE t, u;",
            0,
            2,
        );
        check("SELECT '\n-- migrator: allow = x';", 0, 0);
    }

    #[test]
    fn mistakes_are_problems_with_their_places() {
        let check = |marked: &str, expected: SuppressionProblemKind| {
            let at = marked.find('¦').unwrap();
            let sql = marked.replacen('¦', "", 1);
            let problems = suppressed(&sql).problems;
            let found: Vec<_> = problems.iter().map(|it| (it.offset, &it.kind)).collect();
            assert_eq!(found, [(at, &expected)], "{sql}");
            assert!(problems[0].line > 0 && problems[0].column > 0);
        };
        let index = "\nCREATE INDEX i ON t (a);";
        check(
            &format!("-- migrator: allow = create-index-non-concurrent¦{index}"),
            SuppressionProblemKind::NoReason,
        );
        check(
            &format!("-- migrator: allow = create-index-non-concurrent¦ ( ){index}"),
            SuppressionProblemKind::NoReason,
        );
        check(
            &format!("-- migrator: allow = ¦create-index-non-concurent (x){index}"),
            SuppressionProblemKind::UnknownRule {
                name: "create-index-non-concurent".to_owned(),
                nearest: Some("create-index-non-concurrent"),
            },
        );
        check(
            &format!("-- migrator: allow = ¦drop-table (x){index}"),
            SuppressionProblemKind::Unused { name: "drop-table" },
        );
        check(
            &format!("-- migrator: allow ¦drop-table (x){index}"),
            SuppressionProblemKind::Syntax,
        );
        check(
            &format!("SELECT 1;{index}\n¦-- migrator: allow = drop-table (x)"),
            SuppressionProblemKind::NoStatement,
        );
        // A rule that is off has nothing to say about its suppression.
        let off = "-- migrator: allow = prefer-text (old)\nCREATE TABLE n (a varchar(2));";
        assert_eq!(suppressed(off).problems, []);
    }
}
