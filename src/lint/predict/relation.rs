//! What is known of a relation.

use std::collections::HashMap;

use crate::{
    lint::{Constraint, ConstraintKind},
    schema::{Kind, Name},
};

/// A table, a view or a materialized view.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub name: Name,
    pub kind: Kind,
    /// Whether the run made it.
    pub is_young: bool,
    pub is_partitioned: bool,
    pub partition_of: Option<Name>,
    /// Whether it is the default partition of its table.
    pub is_default: bool,
    pub columns: HashMap<String, ColumnFacts>,
    pub constraints: Vec<Known>,
    pub indexes: Vec<Index>,
}

/// What is known of a column.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnFacts {
    /// In lower case and with single spaces.
    pub data_type: String,
    pub not_null: bool,
    /// Whether the value is computed when it is read.
    pub is_virtual: bool,
}

/// What is known of a domain.
#[derive(Clone, Debug)]
pub(super) struct DomainFacts {
    /// The type under it.
    pub data_type: String,
    /// Whether values are checked.
    pub is_constrained: bool,
}

/// A constraint that is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub name: String,
    pub kind: ConstraintKind,
    /// Whether existing rows satisfy it.
    pub is_valid: bool,
}

/// An index.
#[derive(Clone, Debug)]
pub(super) struct Index {
    pub name: String,
    /// The columns; the text of an expression for others.
    pub keys: Vec<String>,
    /// The expressions and the condition, which the server does not compare: such an index is built
    /// anew where one on columns alone is kept.
    pub expressions: Vec<String>,
}

impl Relation {
    pub(super) fn new(name: Name, kind: Kind, is_young: bool) -> Self {
        Self {
            name,
            kind,
            is_young,
            is_partitioned: false,
            partition_of: None,
            is_default: false,
            columns: HashMap::new(),
            constraints: Vec::new(),
            indexes: Vec::new(),
        }
    }

    /// Whether the relation may be in a schema; empty stands for any.
    pub(super) fn may_be_in(&self, schema: &str) -> bool {
        schema.is_empty() || self.name.schema.is_empty() || self.name.schema == schema
    }

    pub(super) fn is_named(&self, name: &Name) -> bool {
        self.may_be_in(&name.schema)
    }

    /// Whether a valid constraint says that the column is not NULL.
    pub(super) fn proves_not_null(&self, column: &str) -> bool {
        self.constraints.iter().any(|it| {
            it.is_valid
                && match &it.kind {
                    ConstraintKind::Check(expression) => says_not_null(expression, column),
                    ConstraintKind::NotNull(of) => of == column,
                    _ => false,
                }
        })
    }

    /// Whether the column is known to be NOT NULL, and to be nullable; `None` if nothing is known.
    pub(super) fn is_not_null(&self, column: &str) -> Option<bool> {
        self.columns.get(column).map(|it| it.not_null)
    }

    /// The indexes with the column among their keys.
    pub(super) fn indexes_on<'a>(&'a self, column: &'a str) -> impl Iterator<Item = &'a Index> {
        let uses = move |index: &&Index| index.keys.iter().any(|key| mentions(key, column));
        self.indexes.iter().filter(uses)
    }

    /// The indexes with an expression or a condition about the column.
    pub(super) fn indexes_over<'a>(&'a self, column: &'a str) -> impl Iterator<Item = &'a Index> {
        let uses = move |index: &&Index| index.expressions.iter().any(|it| mentions(it, column));
        self.indexes.iter().filter(uses)
    }

    /// Whether a valid CHECK mentions the column.
    pub(super) fn has_check_on(&self, column: &str) -> bool {
        self.constraints.iter().any(|it| match &it.kind {
            ConstraintKind::Check(expression) => it.is_valid && mentions(expression, column),
            _ => false,
        })
    }

    /// Adds a constraint of the text, with its default name.
    pub(super) fn add_constraint(&mut self, constraint: &Constraint) -> String {
        let name = constraint
            .name
            .clone()
            .unwrap_or_else(|| default_name(&self.name.name, &constraint.kind));
        match &constraint.kind {
            ConstraintKind::PrimaryKey(columns) | ConstraintKind::Unique(columns) => {
                let keys = match &constraint.using_index {
                    Some(index) => {
                        let found = self.indexes.iter().position(|it| it.name == *index);
                        found.map(|at| self.indexes.remove(at).keys)
                    }
                    None => Some(columns.clone()),
                };
                let keys = keys.unwrap_or_default();
                if matches!(constraint.kind, ConstraintKind::PrimaryKey(_)) {
                    keys.iter().for_each(|column| self.set_not_null(column));
                }
                let name = name.clone();
                self.indexes.push(Index {
                    name,
                    keys,
                    expressions: Vec::new(),
                });
            }
            ConstraintKind::NotNull(column) if !constraint.not_valid => {
                self.set_not_null(&column.clone());
            }
            _ => {}
        }
        self.constraints.push(Known {
            name: name.clone(),
            kind: constraint.kind.clone(),
            is_valid: !constraint.not_valid,
        });
        name
    }

    fn set_not_null(&mut self, column: &str) {
        if let Some(facts) = self.columns.get_mut(column) {
            facts.not_null = true;
        }
    }
}

/// The name that the server gives a constraint.
fn default_name(table: &str, kind: &ConstraintKind) -> String {
    let joined = |columns: &[String], label: &str| {
        let columns = columns.join("_");
        crate::schema::postgres::default_name(table, Some(&columns), label)
    };
    match kind {
        ConstraintKind::PrimaryKey(_) => crate::schema::postgres::default_name(table, None, "pkey"),
        ConstraintKind::Unique(columns) => joined(columns, "key"),
        ConstraintKind::ForeignKey(key) => joined(&key.columns, "fkey"),
        ConstraintKind::NotNull(column) => joined(std::slice::from_ref(column), "not_null"),
        ConstraintKind::Check(_) => crate::schema::postgres::default_name(table, None, "check"),
        ConstraintKind::Exclusion => crate::schema::postgres::default_name(table, None, "excl"),
    }
}

/// Whether an expression is `column IS NOT NULL`, perhaps in parentheses.
fn says_not_null(expression: &str, column: &str) -> bool {
    let mut text = expression.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        text = inner.trim();
    }
    // A conjunction says it of each of its operands.
    text.split(" and ").any(|part| {
        let part = part.trim_matches(['(', ')', ' ']);
        let name = part.strip_suffix("is not null").map(str::trim);
        name.is_some_and(|name| name.trim_matches('"') == column)
    })
}

/// Whether a text has the word.
pub(super) fn mentions(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !word.is_empty() && !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
