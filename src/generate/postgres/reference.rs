//! How statements name an object: `TABLE shop.orders`, `CONSTRAINT a ON shop.orders`.

use super::quote::{ident, in_schema, qualified};
use crate::schema::{Facts, Kind, Object, ObjectId};

/// The object in COMMENT ON; `None` for kinds without comments. `whole` is what it is a part of.
pub(super) fn commented(object: &Object, whole: Option<&Object>) -> Option<String> {
    let id = &object.id;
    let domain = match whole.map(|whole| whole.id.kind) {
        Some(Kind::Domain) => "DOMAIN ",
        _ => "",
    };
    let part = |word: &str| {
        let parent = qualified(&id.parent_name()?);
        Some(format!("{word} {} ON {domain}{parent}", ident(&id.name)))
    };
    match id.kind {
        Kind::PrimaryKey | Kind::Unique | Kind::ForeignKey | Kind::Check | Kind::Exclusion => {
            part("CONSTRAINT")
        }
        Kind::Trigger => part("TRIGGER"),
        Kind::Rule => part("RULE"),
        Kind::Policy => part("POLICY"),
        Kind::Column => {
            let parent = qualified(&id.parent_name()?);
            Some(format!("COLUMN {parent}.{}", ident(&id.name)))
        }
        _ => altered(object),
    }
}

/// The object in ALTER … OWNER TO; `None` for objects that have no owner of their own.
pub(super) fn altered(object: &Object) -> Option<String> {
    let id = &object.id;
    let name = in_schema(&id.schema, &id.name);
    let word = match id.kind {
        Kind::Schema => "SCHEMA",
        Kind::Extension => "EXTENSION",
        Kind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
        Kind::Server => "SERVER",
        Kind::Collation => "COLLATION",
        Kind::Enum | Kind::Composite | Kind::Range => "TYPE",
        Kind::Domain => "DOMAIN",
        Kind::Function => return Some(format!("FUNCTION {}", routine(id))),
        Kind::Procedure => return Some(format!("PROCEDURE {}", routine(id))),
        Kind::Aggregate => return Some(format!("AGGREGATE {}", aggregate(id))),
        Kind::Operator => return Some(format!("OPERATOR {}", operator(id))),
        Kind::Cast => return Some(format!("CAST {}", id.signature)),
        Kind::TextSearchDictionary => "TEXT SEARCH DICTIONARY",
        Kind::TextSearchConfiguration => "TEXT SEARCH CONFIGURATION",
        Kind::Sequence => "SEQUENCE",
        Kind::Table => match &object.facts {
            Facts::Table(table) if table.foreign.is_some() => "FOREIGN TABLE",
            _ => "TABLE",
        },
        Kind::View => "VIEW",
        Kind::MaterializedView => "MATERIALIZED VIEW",
        Kind::Index => "INDEX",
        Kind::Statistics => "STATISTICS",
        Kind::EventTrigger => "EVENT TRIGGER",
        Kind::Publication => "PUBLICATION",
        Kind::UserMapping
        | Kind::VirtualTable
        | Kind::Column
        | Kind::PrimaryKey
        | Kind::Unique
        | Kind::ForeignKey
        | Kind::Check
        | Kind::Exclusion
        | Kind::Trigger
        | Kind::Rule
        | Kind::Policy
        | Kind::DefaultPrivileges => return None,
    };
    Some(format!("{word} {name}"))
}

/// The object in GRANT … ON; `None` for kinds without privileges.
pub(super) fn granted(object: &Object) -> Option<String> {
    let id = &object.id;
    let name = in_schema(&id.schema, &id.name);
    Some(match id.kind {
        Kind::Table | Kind::View | Kind::MaterializedView => name,
        Kind::Column => qualified(&id.parent_name()?),
        Kind::Sequence => format!("SEQUENCE {name}"),
        Kind::Function => format!("FUNCTION {}", routine(id)),
        Kind::Procedure => format!("PROCEDURE {}", routine(id)),
        Kind::Aggregate => format!("FUNCTION {}", routine(id)),
        Kind::Enum | Kind::Composite | Kind::Range => format!("TYPE {name}"),
        Kind::Domain => format!("DOMAIN {name}"),
        Kind::Schema => format!("SCHEMA {name}"),
        Kind::ForeignDataWrapper => format!("FOREIGN DATA WRAPPER {name}"),
        Kind::Server => format!("FOREIGN SERVER {name}"),
        _ => return None,
    })
}

/// A routine with the types of its arguments.
fn routine(id: &ObjectId) -> String {
    format!("{}{}", in_schema(&id.schema, &id.name), id.signature)
}

/// An aggregate with the types of its arguments.
fn aggregate(id: &ObjectId) -> String {
    let signature = if id.signature == "()" {
        "(*)"
    } else {
        &id.signature
    };
    format!("{}{signature}", in_schema(&id.schema, &id.name))
}

/// An operator with the types of its operands.
fn operator(id: &ObjectId) -> String {
    format!("{}.{} {}", ident(&id.schema), id.name, id.signature)
}
