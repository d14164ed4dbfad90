//! A rule, and what it sees.

use super::{
    Act, Effects,
    finding::{Cause, Severity},
    script::{Script, Settings, Statement},
};
pub use crate::revision::Phase;
use crate::{
    schema::{Kind, Name, ObjectId, Schema},
    sql::Dialect,
};

/// What a rule is about. The order is that of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Others wait while the statement works.
    Blocks,
    /// Programs of before the change fail.
    Breaks,
    /// The statement fails, or fails with some rows.
    Fails,
    /// Rows are lost.
    Loses,
    /// Worth knowing.
    Note,
    /// A matter of taste.
    Style,
}

impl Class {
    /// The name in JSON and display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Breaks => "breaks",
            Self::Fails => "fails",
            Self::Loses => "loses",
            Self::Note => "note",
            Self::Style => "style",
        }
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// The name, by which it is suppressed: `add-foreign-key`.
    pub name: &'static str,
    /// The code: `L101`.
    pub code: &'static str,
    /// The class.
    pub class: Class,
    /// The dialects.
    pub dialects: &'static [Dialect],
    /// The severity, unless it is set otherwise. For rules that block, that of large tables.
    pub severity: Severity,
    /// Whether the rule applies without being asked for.
    pub is_on: bool,
    /// The phase in which the rule is silent.
    pub allowed_in: Option<Phase>,
    /// What is wrong, in a few words: `an index is built while writes wait`.
    pub summary: &'static str,
    /// What happens, and in which versions.
    pub docs: &'static str,
    /// The safe form, as SQL or as a sentence.
    pub safe: &'static str,
    /// When the rule is silent.
    pub silent: &'static str,
    /// The dialect of the examples, if they are not for all dialects of the rule.
    pub example_dialect: Option<Dialect>,
    /// A script in which the rule finds something.
    pub bad: Example,
    /// A script in which it does not.
    pub good: Example,
    /// Finds causes in a statement.
    pub check: fn(&Context<'_>) -> Vec<Draft>,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Rule {}

/// A script as an example of a rule.
#[derive(Clone, Copy, Debug, Default)]
pub struct Example {
    /// The script that has run before.
    pub before: &'static str,
    /// The script.
    pub sql: &'static str,
}

/// A [`Cause`] before its severity is known.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What happens to whom.
    pub message: String,
    /// The tables whose sizes decide about the severity.
    pub tables: Vec<Name>,
    /// The work during which others wait, if that is what the message says.
    pub works: Vec<(super::Work, super::LockMode)>,
    /// The number of rows that are changed, if it is known.
    pub rows: Option<u64>,
    /// A severity other than that of the rule.
    pub severity: Option<Severity>,
    /// See [`Cause::safe`].
    pub safe: Option<String>,
    /// See [`Cause::fix`].
    pub fix: Option<super::Fix>,
    /// See [`Cause::probe`].
    pub probe: Option<super::Probe>,
}

impl Draft {
    /// A draft with a message alone.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    /// The draft about a table.
    pub fn about(mut self, table: &Name) -> Self {
        self.tables.push(table.clone());
        self
    }

    /// The draft with another severity than that of the rule.
    pub fn severe(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// The draft with a safe form.
    pub fn safe(mut self, sql: impl Into<String>) -> Self {
        self.safe = Some(sql.into());
        self
    }

    /// The draft with an edit.
    pub fn fix(mut self, fix: super::Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// The cause with its severity.
    pub(super) fn into_cause(self, rule: &'static Rule, severity: Severity) -> Cause {
        Cause {
            rule,
            severity,
            message: self.message,
            tables: self.tables,
            works: self.works,
            safe: self.safe,
            fix: self.fix,
            probe: self.probe,
        }
    }
}

/// What a rule sees: a statement in its script.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The script.
    pub script: &'a Script,
    /// The index of the statement.
    pub at: usize,
    /// The settings.
    pub settings: &'a Settings,
}

impl<'a> Context<'a> {
    /// The statement.
    pub fn statement(&self) -> &'a Statement {
        &self.script.statements[self.at]
    }

    /// What the statement says.
    pub fn acts(&self) -> &'a [Act] {
        &self.statement().acts
    }

    /// What the statement does.
    pub fn effects(&self) -> &'a Effects {
        &self.statement().effects
    }

    /// The statements before this one.
    pub fn earlier(&self) -> &'a [Statement] {
        &self.script.statements[..self.at]
    }

    /// The statements after this one.
    pub fn later(&self) -> &'a [Statement] {
        &self.script.statements[self.at + 1..]
    }

    /// Whether the server is of the major version or a newer one. A server that is not known is.
    pub fn is_since(&self, major: u32) -> bool {
        self.script.server.is_none_or(|server| server >= major)
    }

    /// The schema before the script.
    pub fn before(&self) -> Option<&'a Schema> {
        self.script.before.as_deref()
    }

    /// The schema after the script.
    pub fn after(&self) -> Option<&'a Schema> {
        self.script.after.as_deref()
    }

    /// Whether names of the dialect differ in case alone are the same.
    pub fn is_name(&self, a: &str, b: &str) -> bool {
        match self.script.dialect.folds_names() {
            true => a.eq_ignore_ascii_case(b),
            false => a == b,
        }
    }

    /// Whether two names may stand for the same object. A name without a schema stands for that of
    /// any.
    pub fn is_same(&self, a: &Name, b: &Name) -> bool {
        let is_schema = a.schema.is_empty() || b.schema.is_empty() || a.schema == b.schema;
        is_schema && self.is_name(&a.name, &b.name)
    }

    /// Whether the run made the object of this kind and name, so that no program knows it.
    pub fn is_young(&self, kind: Kind, name: &Name) -> bool {
        let is_it = |id: &ObjectId| id.kind == kind && self.is_same(&id.qualified(), name);
        self.is_made(is_it)
    }

    /// Whether the run made the table, view or materialized view of this name.
    pub fn is_young_relation(&self, name: &Name) -> bool {
        self.is_made(|id| {
            let is_relation = matches!(
                id.kind,
                Kind::Table | Kind::VirtualTable | Kind::View | Kind::MaterializedView
            );
            is_relation && self.is_same(&id.qualified(), name)
        })
    }

    /// Whether the run made this part of a table, or the table.
    pub fn is_young_part(&self, kind: Kind, table: &Name, part: &str) -> bool {
        let is_part = |id: &ObjectId| {
            let is_of_table = |parent: Name| self.is_same(&parent, table);
            id.kind == kind
                && self.is_name(&id.name, part)
                && id.parent_name().is_some_and(is_of_table)
        };
        self.is_young_relation(table) || self.is_made(is_part)
    }

    /// Whether a later script of the run makes a table or view of this name.
    pub fn is_made_later(&self, name: &Name) -> bool {
        self.script.later.iter().any(|id| {
            let is_relation = !id.is_part() && id.kind.has_parts();
            is_relation && self.is_same(&id.qualified(), name)
        })
    }

    fn is_made(&self, is_it: impl Fn(&ObjectId) -> bool) -> bool {
        let earlier = self.earlier().iter();
        let mut in_script = earlier.flat_map(|it| &it.effects.created);
        in_script.any(&is_it) || self.script.young.iter().any(is_it)
    }
}
