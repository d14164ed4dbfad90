//! What lint reports.

use std::ops::Range;

use super::{Level, LockMode, Work, rule::Rule, wait};
use crate::{arrange::Arrange as _, schema::Name};

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// A problem under conditions that lint cannot check.
    Warning,
    /// A problem.
    Error,
}

impl Severity {
    /// The name in configuration, JSON and display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A statement with what rules found in it.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The index of the statement in the script.
    pub statement: usize,
    /// The bytes of the statement in the script.
    pub span: Range<usize>,
    /// Line of the statement, from 1.
    pub line: u32,
    /// Column of the statement in characters, from 1.
    pub column: u32,
    /// The highest severity of the causes.
    pub severity: Severity,
    /// What happens to whom, of all causes.
    pub message: String,
    /// The locks that block writes during work, or at all if there is no work: relation and mode.
    pub locks: Vec<(Name, LockMode)>,
    /// How this is known.
    pub level: Level,
    /// The causes, the most severe first. There is at least one.
    pub causes: Vec<Cause>,
}

impl Finding {
    /// Makes the severity and the message those of the causes.
    pub fn sum_up(&mut self) {
        let order = |a: &Cause, b: &Cause| {
            let order = b.severity.cmp(&a.severity);
            order.then_with(|| a.rule.code.cmp(b.rule.code))
        };
        self.causes.arrange_by(order);
        // What others wait for is said together.
        let works: Vec<_> = self.causes.iter().flat_map(|it| it.works.clone()).collect();
        let mut messages: Vec<String> = Vec::new();
        for cause in &self.causes {
            let message = match cause.works.is_empty() {
                true => cause.message.clone(),
                false => wait::describe(&works),
            };
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
        self.message = messages.join("; ");
        self.severity = self.causes.first().map_or(Severity::Note, |it| it.severity);
    }
}

/// What one rule found in a statement.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The rule.
    pub rule: &'static Rule,
    /// How serious it is here.
    pub severity: Severity,
    /// What happens to whom.
    pub message: String,
    /// The tables whose sizes decide about the severity.
    pub tables: Vec<Name>,
    /// The work during which others wait, with the lock, if that is what the message says.
    pub works: Vec<(Work, LockMode)>,
    /// A form without the problem, as SQL with the names of the statement.
    pub safe: Option<String>,
    /// The edit that makes the safe form.
    pub fix: Option<Fix>,
    /// A query that shows whether existing rows make the statement fail.
    pub probe: Option<Probe>,
}

/// A query to be run read-only against the database that the script is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The query. Its only value is the number of rows, or groups of rows, for which the statement
    /// fails.
    pub sql: String,
    /// What is counted, for the message: `rows with NULL in orders.total`.
    pub counts: String,
}

/// A mechanical edit of a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// The statements that replace this one, without `;`. None removes it.
    pub replace: Vec<String>,
    /// Whether the script needs the header `transaction = off`.
    pub transaction_off: bool,
    /// The statements of a revision that has to follow.
    pub following: Vec<String>,
    /// A directive to put above the statement: `-- migrator: batch`.
    pub directive: Option<String>,
    /// The statements that revert `replace`, if they are known.
    pub down: Vec<String>,
    /// The statements that revert `following`, so that what `replace` made is left.
    pub following_down: Vec<String>,
}
