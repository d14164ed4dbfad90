//! DROP.

use super::tree::{Node, SyntaxKind as K};
use crate::{
    lint::{Act, DropObject},
    schema::Kind,
};

/// The statements that drop objects: the kind of the objects, and of the nodes with their names.
const DROPS: &[(K, Kind, K)] = &[
    (K::DROP_TABLE, Kind::Table, K::TABLE_NAME_REF),
    (K::DROP_FOREIGN_TABLE, Kind::Table, K::TABLE_NAME_REF),
    (K::DROP_INDEX, Kind::Index, K::INDEX_REF),
    (K::DROP_VIEW, Kind::View, K::VIEW_REF),
    (
        K::DROP_MATERIALIZED_VIEW,
        Kind::MaterializedView,
        K::VIEW_REF,
    ),
    (K::DROP_TYPE, Kind::Composite, K::TYPE_NAME_REF),
    (K::DROP_DOMAIN, Kind::Domain, K::DOMAIN_REF),
    (K::DROP_SCHEMA, Kind::Schema, K::SCHEMA_REF),
    (K::DROP_SEQUENCE, Kind::Sequence, K::SEQUENCE_REF),
    (K::DROP_FUNCTION, Kind::Function, K::FUNCTION_NAME_REF),
    (K::DROP_PROCEDURE, Kind::Procedure, K::PROCEDURE_NAME_REF),
    (K::DROP_ROUTINE, Kind::Function, K::ROUTINE_NAME_REF),
    (K::DROP_AGGREGATE, Kind::Aggregate, K::FUNCTION_NAME_REF),
    (K::DROP_EXTENSION, Kind::Extension, K::EXTENSION_REF),
    (K::DROP_TRIGGER, Kind::Trigger, K::TRIGGER_REF),
    (K::DROP_RULE, Kind::Rule, K::RULE_REF),
    (K::DROP_POLICY, Kind::Policy, K::POLICY_REF),
];

/// One act an object; `None` for statements that drop nothing.
pub(super) fn read(statement: &Node) -> Option<Vec<Act>> {
    let (_, kind, names) = DROPS.iter().find(|(it, ..)| *it == statement.kind())?;
    let on = statement
        .child(K::ON_RELATION)
        .or_else(|| statement.child(K::ON_TABLE));
    let table = on.and_then(|on| on.children().next());
    let dropped = statement.deep(*names).map(|name| {
        Act::Drop(DropObject {
            kind: *kind,
            name: name.name(),
            table: table.as_ref().map(Node::name),
            if_exists: statement.has(K::IF_EXISTS),
            cascade: statement.has(K::CASCADE),
            concurrently: statement.has_word(K::CONCURRENTLY_KW),
        })
    });
    Some(dropped.collect())
}
