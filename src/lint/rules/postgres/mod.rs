//! Rules about PostgreSQL.

pub(super) mod add_key;
pub(super) mod brief;
pub(super) mod cascade;
pub(super) mod check;
pub(super) mod column_default;
pub(super) mod column_type;
pub(super) mod create_index;
pub(super) mod domain;
pub(super) mod enum_value;
pub(super) mod exclusion;
pub(super) mod foreign_key;
pub(super) mod identifier;
pub(super) mod lock_timeout;
pub(super) mod many_tables;
pub(super) mod matview;
pub(super) mod not_null;
pub(super) mod opaque;
pub(super) mod partition;
pub(super) mod rewrite;
pub(super) mod row_security;
pub(super) mod style;
pub(super) mod validate;
pub(super) mod while_locked;

use super::{BLOCKS, BREAKS, FAILS, LOSES, NOTE, ORDERS, STYLE, one, sql};
use crate::{
    lint::{Constraint, ConstraintKind, Context, Draft, Fix, Rule, TableChange, wait},
    schema::Name,
    sql::Dialect,
};

/// The dialect of these rules.
pub(super) const POSTGRES: &[Dialect] = &[Dialect::Postgres];

/// A rule about what others of PostgreSQL wait for.
const BLOCKS_POSTGRES: Rule = Rule {
    dialects: POSTGRES,
    ..BLOCKS
};

/// The draft about the work that this rule explains, with a safe form.
fn waiting(context: &Context<'_>, rule: &str, safe: impl FnOnce() -> Option<Safe>) -> Vec<Draft> {
    let mut drafts = wait::drafts(context, rule);
    if let Some(draft) = drafts.first_mut()
        && let Some(safe) = safe()
    {
        draft.safe = Some(safe.text);
        draft.fix = safe.fix;
    }
    drafts
}

/// A safe form, and the edit that makes it.
struct Safe {
    text: String,
    fix: Option<Fix>,
}

impl Safe {
    /// SQL that takes more than an edit.
    fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, fix: None }
    }

    /// An edit.
    fn fix(fix: Fix) -> Self {
        let mut text = String::new();
        if fix.transaction_off {
            text.push_str("-- migrator: transaction = off\n");
        }
        if let Some(directive) = &fix.directive {
            text.push_str(directive);
            text.push('\n');
        }
        text.push_str(&sql::script(&fix.replace));
        if !fix.following.is_empty() {
            text.push_str("\n-- in a later revision\n");
            text.push_str(&sql::script(&fix.following));
        }
        Self {
            text,
            fix: Some(fix),
        }
    }
}

/// The form of ADD CONSTRAINT that scans nothing, and the validation in another transaction.
fn not_valid(context: &Context<'_>) -> Option<Safe> {
    let (table, change) = sql::only_change(context)?;
    let TableChange::AddConstraint(constraint) = change else {
        return None;
    };
    let name = name_of(table, constraint);
    let statement = match constraint.name {
        Some(_) => format!("{} NOT VALID", context.statement().sql),
        None => return None,
    };
    let drop = drop_constraint(table, &name);
    Some(Safe::fix(Fix {
        following: vec![validate(table, &name)],
        following_down: vec![drop.clone(), statement.clone()],
        replace: vec![statement],
        down: vec![drop],
        ..Fix::default()
    }))
}

fn validate(table: &Name, constraint: &str) -> String {
    let (table, constraint) = (sql::path(table), sql::word(constraint));
    format!("ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}")
}

fn drop_constraint(table: &Name, constraint: &str) -> String {
    let (table, constraint) = (sql::path(table), sql::word(constraint));
    format!("ALTER TABLE {table} DROP CONSTRAINT {constraint}")
}

/// The name of a constraint: its own, or that which the server gives it.
fn name_of(table: &Name, constraint: &Constraint) -> String {
    let named = |columns: &[String], label| sql::named(table, columns, label);
    if let Some(name) = &constraint.name {
        return name.clone();
    }
    match &constraint.kind {
        ConstraintKind::PrimaryKey(_) => named(&[], "pkey").replace("__", "_"),
        ConstraintKind::Unique(columns) => named(columns, "key"),
        ConstraintKind::ForeignKey(key) => named(&key.columns, "fkey"),
        ConstraintKind::NotNull(column) => named(std::slice::from_ref(column), "not_null"),
        ConstraintKind::Check(_) => named(&[], "check").replace("__", "_"),
        ConstraintKind::Exclusion => named(&[], "excl").replace("__", "_"),
    }
}
