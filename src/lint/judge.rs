//! From rules to findings.

use super::{
    Cause, Class, Context, Draft, Finding, LockMode, Rule, Script, Settings, Severity, rules,
};
use crate::{arrange::Arrange as _, schema::Name};

/// Applies the rules to a script. Returns at most one finding a statement, in the order of the
/// statements.
pub fn lint(script: &Script, settings: &Settings) -> Vec<Finding> {
    let rules: Vec<&'static Rule> = rules::ALL
        .iter()
        .copied()
        .filter(|rule| applies(rule, script, settings))
        .collect();
    let contexts = (0..script.statements.len()).map(|at| Context {
        script,
        at,
        settings,
    });
    contexts
        .filter_map(|context| finding(&rules, &context))
        .collect()
}

pub(super) fn applies(rule: &Rule, script: &Script, settings: &Settings) -> bool {
    let set = settings.severities.get(rule.name);
    let is_on = match set {
        Some(severity) => severity.is_some(),
        None => rule.is_on,
    };
    let is_allowed = rule.allowed_in.is_some() && rule.allowed_in == script.headers.phase;
    is_on && !is_allowed && rule.dialects.contains(&script.dialect)
}

fn finding(rules: &[&'static Rule], context: &Context<'_>) -> Option<Finding> {
    let mut causes: Vec<Cause> = Vec::new();
    for rule in rules {
        for draft in (rule.check)(context) {
            let severity = severity(rule, &draft, context.settings);
            causes.push(draft.into_cause(rule, severity));
        }
    }
    let statement = context.statement();
    if causes.is_empty() {
        return None;
    }
    let mut finding = Finding {
        statement: context.at,
        span: statement.span.clone(),
        line: statement.line,
        column: statement.column,
        severity: Severity::Note,
        message: String::new(),
        locks: locks(context),
        level: statement.effects.level,
        causes,
    };
    finding.sum_up();
    Some(finding)
}

/// The severity of a draft. A rule that blocks is a note where all tables are known to be small.
fn severity(rule: &Rule, draft: &Draft, settings: &Settings) -> Severity {
    let set = settings.severities.get(rule.name).copied().flatten();
    let severity = set.or(draft.severity).unwrap_or(rule.severity);
    let by_rows = draft.rows.map(|rows| rows < settings.limits.rows);
    let is_small = by_rows.unwrap_or_else(|| {
        !draft.tables.is_empty() && draft.tables.iter().all(|table| settings.is_small(table))
    });
    match rule.class {
        Class::Blocks if is_small => Severity::Note,
        _ => severity,
    }
}

/// The locks under which writes wait while there is work; without work, all that block writes.
fn locks(context: &Context<'_>) -> Vec<(Name, LockMode)> {
    let effects = context.effects();
    let mut locks: Vec<(Name, LockMode)> = effects
        .blocking()
        .map(|(work, mode)| (work.relation.clone(), mode))
        .collect();
    if locks.is_empty() {
        let blocking = effects.locks.iter().filter(|it| it.mode.blocks_writes());
        locks = blocking.map(|it| (it.relation.clone(), it.mode)).collect();
    }
    locks.arrange();
    locks.dedup();
    locks
}

impl Finding {
    /// The finding without the causes of some rules; `None` if no cause is left.
    pub(super) fn without(mut self, is_suppressed: impl Fn(&Rule) -> bool) -> Option<Self> {
        self.causes.retain(|cause| !is_suppressed(cause.rule));
        self.sum_up();
        (!self.causes.is_empty()).then_some(self)
    }
}
