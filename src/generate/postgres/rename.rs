use super::quote::{ident, qualified};
use crate::{
    generate::rename::table_of,
    schema::{Facts, Kind, Name, ObjectId, Schema},
};

/// The statements that rename an object of `schema`, or move it to another schema; `None` if there
/// are none for its kind.
pub fn rename(from: &ObjectId, to: &ObjectId, schema: &Schema) -> Option<Vec<String>> {
    if from.is_part() {
        return part(from, to, schema).map(|statement| vec![statement]);
    }
    let word = word(from, schema)?;
    let mut statements = Vec::new();
    let mut name = from.qualified();
    if from.schema != to.schema {
        statements.push(format!(
            "ALTER {word} {}{} SET SCHEMA {}",
            qualified(&name),
            from.signature,
            ident(&to.schema)
        ));
        name.schema.clone_from(&to.schema);
    }
    if from.name != to.name {
        statements.push(format!(
            "ALTER {word} {}{} RENAME TO {}",
            qualified(&name),
            from.signature,
            ident(&to.name)
        ));
    }
    Some(statements)
}

/// The word for the kind of an object that is no part of another one.
fn word(id: &ObjectId, schema: &Schema) -> Option<&'static str> {
    Some(match id.kind {
        Kind::Table if is_foreign(&id.qualified(), schema) => "FOREIGN TABLE",
        Kind::Table => "TABLE",
        Kind::Schema => "SCHEMA",
        Kind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
        Kind::Server => "SERVER",
        Kind::Collation => "COLLATION",
        Kind::Enum | Kind::Composite | Kind::Range => "TYPE",
        Kind::Domain => "DOMAIN",
        Kind::Function => "FUNCTION",
        Kind::Procedure => "PROCEDURE",
        Kind::Aggregate => "AGGREGATE",
        Kind::TextSearchDictionary => "TEXT SEARCH DICTIONARY",
        Kind::TextSearchConfiguration => "TEXT SEARCH CONFIGURATION",
        Kind::Sequence => "SEQUENCE",
        Kind::Statistics => "STATISTICS",
        Kind::View => "VIEW",
        Kind::MaterializedView => "MATERIALIZED VIEW",
        Kind::EventTrigger => "EVENT TRIGGER",
        Kind::Publication => "PUBLICATION",
        _ => return None,
    })
}

fn part(from: &ObjectId, to: &ObjectId, schema: &Schema) -> Option<String> {
    let (old, new) = (ident(&from.name), ident(&to.name));
    let table = table_of(from);
    let shown = qualified(&table);
    let holder = holder(&table, schema);
    Some(match from.kind {
        Kind::Column => format!("ALTER {holder} {shown} RENAME COLUMN {old} TO {new}"),
        Kind::PrimaryKey | Kind::Unique | Kind::ForeignKey | Kind::Check | Kind::Exclusion => {
            format!("ALTER {holder} {shown} RENAME CONSTRAINT {old} TO {new}")
        }
        Kind::Index => {
            let index = qualified(&Name::new(from.schema.clone(), from.name.clone()));
            format!("ALTER INDEX {index} RENAME TO {new}")
        }
        Kind::Trigger => format!("ALTER TRIGGER {old} ON {shown} RENAME TO {new}"),
        Kind::Rule => format!("ALTER RULE {old} ON {shown} RENAME TO {new}"),
        Kind::Policy => format!("ALTER POLICY {old} ON {shown} RENAME TO {new}"),
        _ => return None,
    })
}

/// The word for what has parts.
fn holder(name: &Name, schema: &Schema) -> &'static str {
    let of = |kind| schema.get(&ObjectId::new(kind, name.schema.clone(), name.name.clone()));
    if of(Kind::View).is_some() {
        "VIEW"
    } else if of(Kind::MaterializedView).is_some() {
        "MATERIALIZED VIEW"
    } else if of(Kind::Domain).is_some() {
        "DOMAIN"
    } else if is_foreign(name, schema) {
        "FOREIGN TABLE"
    } else {
        "TABLE"
    }
}

fn is_foreign(name: &Name, schema: &Schema) -> bool {
    let id = ObjectId::new(Kind::Table, name.schema.clone(), name.name.clone());
    let facts = schema.get(&id).map(|object| &object.facts);
    matches!(facts, Some(Facts::Table(table)) if table.foreign.is_some())
}
