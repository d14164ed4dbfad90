//! Settings of the session that loads the statements.

use super::Block;
use crate::schema::{Facts, Kind, Schema};

/// Types of pg_catalog whose names are no keywords, so that another type of that name is found
/// first if the search path names its schema before pg_catalog.
const TYPES: [&str; 33] = [
    "aclitem",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cid",
    "cidr",
    "circle",
    "date",
    "inet",
    "int4range",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "oid",
    "path",
    "point",
    "polygon",
    "refcursor",
    "regclass",
    "regproc",
    "regtype",
    "text",
    "tsquery",
    "tsvector",
    "uuid",
    "xml",
];

/// Adds the settings that the statements need. `evaluated` are the statements that run functions,
/// which get the session's own search path back.
pub(super) fn add(schema: &Schema, blocks: &mut Vec<Block>, evaluated: &mut Vec<Block>) {
    let mut settings = Vec::new();
    if schema.objects.iter().any(|it| has_checked_body(&it.facts)) {
        settings.push("SET check_function_bodies = off".to_owned());
    }
    let can_capture = schema.objects.iter().any(|it| match it.id.kind {
        // Functions and operators of other schemas can fit arguments better than those of
        // pg_catalog.
        Kind::Function
        | Kind::Procedure
        | Kind::Aggregate
        | Kind::Operator
        | Kind::Collation
        | Kind::Extension => true,
        Kind::Table
        | Kind::View
        | Kind::MaterializedView
        | Kind::Sequence
        | Kind::Enum
        | Kind::Domain
        | Kind::Composite
        | Kind::Range => TYPES.contains(&it.id.name.as_str()) || it.id.name.starts_with("pg_"),
        _ => false,
    });
    if can_capture {
        settings.push("SET search_path = ''".to_owned());
        if !evaluated.is_empty() {
            evaluated.insert(0, self::settings(vec!["RESET search_path".to_owned()]));
        }
    }
    if !settings.is_empty() {
        blocks.insert(0, self::settings(settings));
    }
}

fn settings(statements: Vec<String>) -> Block {
    Block {
        object: None,
        notes: Vec::new(),
        statements,
    }
}

/// Whether the server checks the body against objects that may come later.
fn has_checked_body(facts: &Facts) -> bool {
    match facts {
        Facts::Routine(routine) => {
            routine.sql_body.is_none() && !matches!(routine.language.as_str(), "c" | "internal")
        }
        _ => false,
    }
}
