use super::{Context, Draft, LOSES, Name, POSTGRES, Rule};
use crate::{
    arrange::Arrange as _,
    lint::{Act, Example, Level, Severity, TableChange, wait},
    schema::ObjectId,
};

pub(in crate::lint::rules) static DROP: Rule = Rule {
    name: "drop-cascade",
    code: "L401",
    dialects: POSTGRES,
    severity: Severity::Warning,
    summary: "CASCADE drops what the script does not name",
    docs: "CASCADE drops everything that depends on the object: views, foreign keys, columns of a \
        dropped type with their values. Which ones is decided when the statement runs.",
    safe: "Drop each object by its name, without CASCADE, so that what was not thought of is an error.",
    silent: "Nothing else goes, as far as was measured; the object was created in the same run.",
    bad: Example {
        before: "CREATE TABLE orders (id bigint);\nCREATE VIEW totals AS SELECT id FROM orders;",
        sql: "DROP TABLE orders CASCADE;",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint);\nCREATE VIEW totals AS SELECT id FROM orders;",
        sql: "DROP VIEW totals;\nDROP TABLE orders;",
    },
    check: check_drop,
    ..LOSES
};

fn check_drop(context: &Context<'_>) -> Vec<Draft> {
    let mut named: Vec<String> = Vec::new();
    for act in context.acts() {
        match act {
            Act::Drop(object) if object.cascade && !is_young(context, &object.name) => {
                named.push(object.name.to_string());
            }
            Act::AlterTable { table, change } if !context.is_young_relation(table) => {
                match change {
                    TableChange::DropColumn {
                        column,
                        cascade: true,
                        ..
                    } => named.push(format!("{table}.{column}")),
                    TableChange::DropConstraint {
                        name,
                        cascade: true,
                        ..
                    } => named.push(name.clone()),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    if named.is_empty() {
        return Vec::new();
    }
    if context.effects().level == Level::Text {
        let message = format!("what depends on {} is dropped as well", named.join(", "));
        return vec![Draft::new(message).severe(Severity::Note)];
    }
    let unnamed: Vec<String> = context
        .effects()
        .dropped
        .iter()
        .filter(|id| !is_named(context, id))
        .map(ToString::to_string)
        .collect();
    match unnamed.as_slice() {
        [] => Vec::new(),
        [..] => {
            let shown = unnamed
                .iter()
                .take(4)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            let more = match unnamed.len().saturating_sub(4) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            vec![Draft::new(format!("CASCADE also drops {shown}{more}"))]
        }
    }
}

fn is_young(context: &Context<'_>, name: &Name) -> bool {
    let earlier = context.earlier().iter().flat_map(|it| &it.effects.created);
    let mut created = earlier.chain(&context.script.young);
    created.any(|id| context.is_same(&id.qualified(), name))
}

/// Whether an object, or what it is a part of, is named by the statement.
fn is_named(context: &Context<'_>, id: &ObjectId) -> bool {
    context.acts().iter().any(|act| match act {
        Act::Drop(object) => {
            let is_of = |parent: Name| context.is_same(&parent, &object.name);
            context.is_same(&id.qualified(), &object.name)
                || id.parent_name().is_some_and(is_of)
                || id.schema == object.name.name
        }
        Act::AlterTable { table, change } => {
            let is_of = id
                .parent_name()
                .is_some_and(|it| context.is_same(&it, table));
            match change {
                TableChange::DropColumn { column, .. } => is_of && id.name == *column,
                TableChange::DropConstraint { name, .. } => is_of && id.name == *name,
                _ => false,
            }
        }
        _ => false,
    })
}

pub(in crate::lint::rules) static TRUNCATE: Rule = Rule {
    name: "truncate-cascade",
    code: "L402",
    dialects: POSTGRES,
    severity: Severity::Warning,
    summary: "TRUNCATE empties tables that it does not name",
    docs: "TRUNCATE … CASCADE empties every table with a foreign key to the named ones, and those \
        that refer to these, whether the foreign key says ON DELETE CASCADE or not.",
    safe: "Name all tables: TRUNCATE customers, orders;",
    silent: "The tables were created in the same run.",
    bad: Example {
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (customer bigint REFERENCES customers);",
        sql: "TRUNCATE customers CASCADE;",
    },
    good: Example {
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (customer bigint REFERENCES customers);",
        sql: "TRUNCATE customers, orders;",
    },
    check: check_truncate,
    ..LOSES
};

fn check_truncate(context: &Context<'_>) -> Vec<Draft> {
    let truncated = context.acts().iter().filter_map(|act| match act {
        Act::Truncate {
            tables,
            cascade: true,
        } => Some(tables),
        _ => None,
    });
    let drafts = truncated.filter_map(|tables| {
        let old: Vec<&Name> = tables
            .iter()
            .filter(|it| !context.is_young_relation(it))
            .collect();
        let referring = referring(context, &old);
        let known = context.before().is_some();
        if old.is_empty() || known && referring.is_empty() {
            return None;
        }
        let message = match referring.is_empty() {
            true => format!(
                "tables that refer to {} are emptied as well",
                wait::list(&old)
            ),
            false => {
                let referring: Vec<&Name> = referring.iter().collect();
                format!("{} is emptied as well", wait::list(&referring))
            }
        };
        Some(Draft {
            tables: old.into_iter().cloned().collect(),
            ..Draft::new(message)
        })
    });
    drafts.collect()
}

/// The tables with a foreign key to one of `tables`, apart from these, as the schema says.
fn referring(context: &Context<'_>, tables: &[&Name]) -> Vec<Name> {
    let objects = context.before().into_iter().flat_map(|it| &it.objects);
    let is_among = |name: &Name| tables.iter().any(|it| context.is_same(it, name));
    let keys = objects.filter_map(|object| match &object.facts {
        crate::schema::Facts::ForeignKey(key) if is_among(&key.references) => {
            object.id.parent_name()
        }
        _ => None,
    });
    let mut found: Vec<Name> = keys.filter(|it| !is_among(it)).collect();
    found.arrange();
    found.dedup();
    found
}
