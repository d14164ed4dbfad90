//! Queries and statements that change rows.

use std::collections::HashSet;

use super::tree::{Node, SyntaxKind as K};
use crate::{
    lint::{Act, ChangeRows},
    schema::{Name, path},
    sql::{Dialect, RowVerb, lex, row_change},
};

/// The relations that a statement reads, apart from those of its WITH, each once.
pub(super) fn sources(statement: &Node) -> Vec<Name> {
    let own: HashSet<String> = statement.deep(K::CTE_NAME).map(|it| it.word()).collect();
    let mut found: Vec<Name> = Vec::new();
    for item in statement.deep(K::RELATION_FROM_ITEM) {
        let Some(name) = item.children().next().map(|it| it.name()) else {
            continue;
        };
        let is_own = name.schema.is_empty() && own.contains(&name.name);
        if !is_own && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Functions of PostgreSQL that scripts call in queries and that touch no table.
const HARMLESS: &[&str] = &[
    "set_config",
    "setval",
    "nextval",
    "now",
    "max",
    "count",
    "coalesce",
];

pub(super) fn query(statement: &Node) -> Option<Vec<Act>> {
    let mut acts: Vec<Act> = within(statement).collect();
    let calls = statement.deep(K::CALL_EXPR).any(|call| {
        let name = call.children().next().map(|it| it.word());
        name.is_none_or(|name| !HARMLESS.contains(&name.as_str()))
    });
    acts.push(Act::Query {
        sources: sources(statement),
        calls,
    });
    Some(acts)
}

/// INSERT, UPDATE, DELETE, MERGE and COPY, after those within WITH.
pub(super) fn change(statement: &Node) -> Option<Vec<Act>> {
    if statement.kind() == K::COPY {
        return copy(statement);
    }
    let mut acts: Vec<Act> = within(statement).collect();
    acts.push(one(statement)?);
    Some(acts)
}

/// The statements within WITH that change rows.
fn within(statement: &Node) -> impl Iterator<Item = Act> + use<> {
    let tables = statement.child(K::WITH_CLAUSE);
    let tables = tables.into_iter().flat_map(|it| it.children());
    let statements = tables.flat_map(|it| it.children());
    statements.filter_map(|it| one(&it))
}

fn one(statement: &Node) -> Option<Act> {
    let (verb, table) = match statement.kind() {
        K::INSERT => (RowVerb::Insert, statement.child(K::RELATION_NAME_REF)),
        K::UPDATE => (RowVerb::Update, statement.child(K::RELATION_NAME)),
        K::DELETE => (RowVerb::Delete, statement.child(K::RELATION_NAME)),
        K::MERGE => (RowVerb::Merge, statement.child(K::TABLE_RELATION_NAME)),
        _ => return None,
    };
    let columns = statement.child(K::COLUMN_TARGET_LIST);
    let columns = columns
        .iter()
        .flat_map(|it| it.deep(K::COLUMN_NAME_REF))
        .map(|it| it.word());
    Some(Act::ChangeRows(Box::new(ChangeRows {
        verb,
        table: table?.name(),
        sources: sources(statement),
        columns: columns.collect(),
        selected: None,
        condition: statement.child(K::WHERE_CLAUSE).map(|it| {
            let text = it.text();
            let from = text.len().min("where".len());
            text[from..].trim().to_owned()
        }),
        is_values: statement.has(K::VALUES) || statement.has(K::DEFAULT_VALUES),
    })))
}

/// An INSERT of many rows, without what is read of shorter ones. `None` for other statements.
pub(super) fn large(sql: &str) -> Option<Act> {
    let change = row_change(Dialect::Postgres, sql).ok()?;
    if change.verb != RowVerb::Insert {
        return None;
    }
    let written = match change.table.contains('"') {
        true => change.table.clone(),
        false => change.table.to_lowercase(),
    };
    let mut parts = path(&written)?;
    let name = parts.pop()?;
    let words = lex(Dialect::Postgres, sql.as_bytes());
    let mut words = words.map(|token| &sql[token.start..token.end]);
    let is_values = words.any(|word| word.eq_ignore_ascii_case("VALUES"));
    is_values.then(|| {
        Act::ChangeRows(Box::new(ChangeRows {
            verb: RowVerb::Insert,
            table: Name::new(parts.pop().unwrap_or_default(), name),
            sources: Vec::new(),
            columns: Vec::new(),
            selected: None,
            condition: None,
            is_values,
        }))
    })
}

fn copy(statement: &Node) -> Option<Vec<Act>> {
    if !statement.has(K::COPY_FROM) {
        let sources = match statement.child(K::COPY_TABLE) {
            Some(table) => vec![table.child(K::TABLE_NAME_REF)?.name()],
            None => sources(statement),
        };
        let calls = false;
        return Some(vec![Act::Query { sources, calls }]);
    }
    let table = statement.child(K::COPY_TABLE)?;
    let columns = table.deep(K::COLUMN_NAME_REF).map(|it| it.word());
    Some(vec![Act::ChangeRows(Box::new(ChangeRows {
        verb: RowVerb::Insert,
        columns: columns.collect(),
        table: table.child(K::TABLE_NAME_REF)?.name(),
        sources: Vec::new(),
        selected: None,
        condition: None,
        is_values: true,
    }))])
}
