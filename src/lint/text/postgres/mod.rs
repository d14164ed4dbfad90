//! Reads statements of PostgreSQL.

mod drop;
mod query;
mod table;
mod tree;

use tree::{Node, SyntaxKind as K, parse};

use crate::{
    lint::{Act, DomainChange, LockMode},
    schema::{Kind, Name},
};

/// The longest INSERT in bytes that is parsed as a whole. Longer ones hold rows.
const LARGEST: usize = 64 * 1024;

/// Returns what a statement says.
pub(super) fn read(sql: &str) -> Vec<Act> {
    if sql.len() > LARGEST
        && let Some(rows) = query::large(sql)
    {
        return vec![rows];
    }
    let Some(statement) = parse(sql) else {
        return vec![query::large(sql).unwrap_or(Act::Unknown)];
    };
    let acts = match statement.kind() {
        K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE | K::CREATE_TABLE_AS | K::SELECT_INTO => {
            table::create(&statement)
        }
        K::ALTER_TABLE | K::ALTER_FOREIGN_TABLE => table::alter(&statement),
        K::INSERT | K::UPDATE | K::DELETE | K::MERGE | K::COPY => query::change(&statement),
        K::SELECT | K::COMPOUND_SELECT | K::PAREN_SELECT | K::VALUES | K::TABLE => {
            query::query(&statement)
        }
        K::CREATE_INDEX => index(&statement).map(|act| vec![act]),
        K::ALTER_INDEX | K::ALTER_VIEW | K::ALTER_MATERIALIZED_VIEW | K::ALTER_SEQUENCE => {
            alter_relation(&statement)
        }
        K::ALTER_SCHEMA | K::ALTER_FUNCTION | K::ALTER_PROCEDURE => renamed(&statement),
        K::ALTER_TYPE => alter_type(&statement),
        K::CREATE_DOMAIN => create_domain(&statement).map(|act| vec![act]),
        K::ALTER_DOMAIN => alter_domain(&statement),
        K::CREATE_VIEW | K::CREATE_MATERIALIZED_VIEW => view(&statement).map(|act| vec![act]),
        K::CREATE_TRIGGER | K::CREATE_RULE | K::CREATE_POLICY => {
            part(&statement).map(|act| vec![act])
        }
        K::DO => opaque("DO"),
        K::CALL => opaque("CALL"),
        K::EXECUTE => opaque("EXECUTE"),
        K::SET => set(&statement).map(|act| vec![act]),
        K::REINDEX => reindex(&statement).map(|act| vec![act]),
        K::CLUSTER => Some(vec![Act::Cluster {
            table: statement.child(K::TABLE_NAME_REF).map(|it| it.name()),
        }]),
        K::VACUUM => Some(vec![vacuum(&statement)]),
        K::REFRESH => refresh(&statement).map(|act| vec![act]),
        K::TRUNCATE => truncate(&statement).map(|act| vec![act]),
        K::LOCK => lock(&statement).map(|act| vec![act]),
        _ => drop::read(&statement).or_else(|| other(&statement)),
    };
    acts.unwrap_or_else(|| vec![Act::Unknown])
}

fn opaque(what: &'static str) -> Option<Vec<Act>> {
    Some(vec![Act::Opaque { what }])
}

/// What creates an object that holds no rows; anything else has no effect on tables.
fn other(statement: &Node) -> Option<Vec<Act>> {
    let (kind, name) = match statement.kind() {
        K::CREATE_TYPE => {
            let kind = if statement.has(K::ENUM_TYPE) {
                Kind::Enum
            } else if statement.has(K::RANGE_TYPE) {
                Kind::Range
            } else {
                Kind::Composite
            };
            (kind, K::TYPE_NAME)
        }
        K::CREATE_FUNCTION => (Kind::Function, K::FUNCTION_NAME),
        K::CREATE_PROCEDURE => (Kind::Procedure, K::PROCEDURE_NAME),
        K::CREATE_AGGREGATE => (Kind::Aggregate, K::AGGREGATE_NAME),
        K::CREATE_EXTENSION => (Kind::Extension, K::EXTENSION),
        K::CREATE_SEQUENCE => (Kind::Sequence, K::SEQUENCE),
        K::CREATE_SCHEMA => (Kind::Schema, K::NAMED_SCHEMA),
        _ => return Some(vec![Act::Harmless]),
    };
    let Some(name) = statement.deep(name).next() else {
        return Some(vec![Act::Harmless]);
    };
    Some(vec![Act::Create {
        kind,
        name: name.name(),
        or_replace: statement.has(K::OR_REPLACE),
    }])
}

fn index(statement: &Node) -> Option<Act> {
    let relation = statement.child(K::TABLE_RELATION_NAME)?;
    let keys = statement.child(K::PARTITION_ITEM_LIST)?;
    let keys = keys.all(K::PARTITION_ITEM).map(|item| {
        let expression = item.children().next();
        let is_column = expression
            .as_ref()
            .is_some_and(|it| it.kind() == K::NAME_REF);
        crate::lint::IndexKey {
            text: match (&expression, is_column) {
                (Some(column), true) => column.word(),
                (Some(expression), false) => expression.plain(),
                (None, _) => String::new(),
            },
            is_column,
            is_quoted: false,
        }
    });
    Some(Act::CreateIndex(Box::new(crate::lint::CreateIndex {
        name: statement.child(K::INDEX).map(|it| it.word()),
        only: relation.has_word(K::ONLY_KW),
        table: relation.name(),
        unique: statement.has_word(K::UNIQUE_KW),
        concurrently: statement.has_word(K::CONCURRENTLY_KW),
        if_not_exists: statement.has(K::IF_NOT_EXISTS),
        keys: keys.collect(),
        condition: statement.child(K::WHERE_CLAUSE).map(|it| it.plain()),
        insert_at: statement.end_of(K::INDEX_KW)?,
    })))
}

/// RENAME and SET SCHEMA of an object, by the kind of its statement.
fn renamed(statement: &Node) -> Option<Vec<Act>> {
    let kind = match statement.kind() {
        K::ALTER_INDEX => Kind::Index,
        K::ALTER_VIEW => Kind::View,
        K::ALTER_MATERIALIZED_VIEW => Kind::MaterializedView,
        K::ALTER_SEQUENCE => Kind::Sequence,
        K::ALTER_SCHEMA => Kind::Schema,
        K::ALTER_PROCEDURE => Kind::Procedure,
        K::ALTER_TYPE => Kind::Composite,
        K::ALTER_DOMAIN => Kind::Domain,
        _ => Kind::Function,
    };
    let of = statement
        .children()
        .find(|it| !matches!(it.kind(), K::IF_EXISTS | K::ONLY_KW))?;
    let name = match of.child(K::FUNCTION_NAME_REF) {
        Some(function) => function.name(),
        None => of.name(),
    };
    if let Some(schema) = statement.child(K::SET_SCHEMA) {
        let schema = schema.child(K::SCHEMA_REF)?.word();
        return Some(vec![Act::SetSchema { kind, name, schema }]);
    }
    let rename = [
        K::INDEX_RENAME_TO,
        K::VIEW_RENAME_TO,
        K::SEQUENCE_RENAME_TO,
        K::SCHEMA_RENAME_TO,
        K::TYPE_RENAME_TO,
        K::DOMAIN_RENAME_TO,
        K::FUNCTION_RENAME_TO,
        K::PROCEDURE_RENAME_TO,
    ];
    for rename in rename {
        if let Some(rename) = statement.child(rename) {
            let to = rename.children().next()?.word();
            return Some(vec![Act::Rename { kind, name, to }]);
        }
    }
    Some(vec![Act::Harmless])
}

fn alter_relation(statement: &Node) -> Option<Vec<Act>> {
    if let Some(rename) = statement.child(K::RENAME_COLUMN) {
        let table = statement.child(K::VIEW_REF)?.name();
        let change = crate::lint::TableChange::RenameColumn {
            from: rename.child(K::COLUMN_NAME_REF)?.word(),
            to: rename.child(K::COLUMN_NAME)?.word(),
        };
        return Some(vec![Act::AlterTable { table, change }]);
    }
    renamed(statement)
}

fn alter_type(statement: &Node) -> Option<Vec<Act>> {
    let name = statement.child(K::TYPE_NAME_REF)?.name();
    if let Some(add) = statement.child(K::ADD_VALUE) {
        let value = add.child(K::LITERAL)?.string();
        return Some(vec![Act::AddValue { name, value }]);
    }
    if let Some(rename) = statement.child(K::RENAME_VALUE) {
        let mut values = rename.all(K::LITERAL).map(|it| it.string());
        let (from, to) = (values.next()?, values.next()?);
        return Some(vec![Act::RenameValue { name, from, to }]);
    }
    renamed(statement)
}

fn create_domain(statement: &Node) -> Option<Act> {
    Some(Act::CreateDomain {
        name: statement.child(K::DOMAIN)?.name(),
        data_type: table::data_type(statement).unwrap_or_default(),
        is_constrained: statement.has(K::CHECK_CONSTRAINT) || statement.has(K::NOT_NULL_CONSTRAINT),
    })
}

fn alter_domain(statement: &Node) -> Option<Vec<Act>> {
    let name = statement.child(K::DOMAIN_REF)?.name();
    if statement.has(K::DOMAIN_RENAME_TO) || statement.has(K::SET_SCHEMA) {
        return renamed(statement);
    }
    let change = if let Some(add) = statement.child(K::ADD_CONSTRAINT) {
        let constraint = add.children().find_map(|it| table::constraint(&it, ""))?;
        DomainChange::AddConstraint(Box::new(constraint))
    } else if statement.has(K::SET_NOT_NULL) {
        DomainChange::SetNotNull
    } else if let Some(validate) = statement.child(K::VALIDATE_CONSTRAINT) {
        DomainChange::Validate(validate.child(K::CONSTRAINT_NAME_REF)?.word())
    } else if let Some(drop) = statement.child(K::DROP_CONSTRAINT) {
        DomainChange::DropConstraint(drop.child(K::CONSTRAINT_NAME_REF)?.word())
    } else {
        DomainChange::Other
    };
    Some(vec![Act::AlterDomain { name, change }])
}

fn view(statement: &Node) -> Option<Act> {
    let kind = match statement.kind() {
        K::CREATE_VIEW => Kind::View,
        _ => Kind::MaterializedView,
    };
    Some(Act::CreateView {
        kind,
        name: statement.child(K::VIEW)?.name(),
        or_replace: statement.has(K::OR_REPLACE),
        sources: query::sources(statement),
    })
}

fn part(statement: &Node) -> Option<Act> {
    let (kind, name, on) = match statement.kind() {
        K::CREATE_TRIGGER => (Kind::Trigger, K::TRIGGER, K::ON_RELATION),
        K::CREATE_RULE => (Kind::Rule, K::RULE, K::RULE_ON),
        _ => (Kind::Policy, K::POLICY, K::ON_TABLE),
    };
    let on = statement.child(on)?;
    let table = on
        .child(K::RELATION_NAME_REF)
        .or_else(|| on.child(K::TABLE_NAME_REF))?;
    let policy = statement.child(K::AS_POLICY_TYPE);
    Some(Act::CreatePart {
        kind,
        table: table.name(),
        name: statement.child(name)?.word(),
        restrictive: policy.is_some_and(|it| it.plain().ends_with("restrictive")),
    })
}

fn set(statement: &Node) -> Option<Act> {
    if let Some(zone) = statement.child(K::SET_TIME_ZONE) {
        let value = zone.child(K::LITERAL);
        return Some(Act::Set {
            name: "timezone".to_owned(),
            value: value.map(|it| it.string()).unwrap_or_default(),
        });
    }
    let Some(config) = statement.child(K::SET_CONFIG) else {
        return Some(Act::Harmless);
    };
    let value = config.child(K::TO_CONFIG_VALUE);
    let values = value.iter().flat_map(Node::children);
    let values: Vec<String> = values.map(|it| it.string()).collect();
    Some(Act::Set {
        name: config.child(K::CONFIG_PARAMETER_REF)?.plain(),
        value: values.join(", "),
    })
}

fn reindex(statement: &Node) -> Option<Act> {
    let targets = [
        (K::REINDEX_TARGET_TABLE, Kind::Table),
        (K::REINDEX_TARGET_INDEX, Kind::Index),
        (K::REINDEX_TARGET_SCHEMA, Kind::Schema),
        (K::REINDEX_TARGET_DATABASE, Kind::Schema),
        (K::REINDEX_TARGET_SYSTEM, Kind::Schema),
    ];
    let found = targets
        .iter()
        .find_map(|(target, kind)| Some((statement.child(*target)?, *kind)));
    let (target, kind) = found?;
    let options = statement.child(K::REINDEX_OPTION_LIST);
    Some(Act::Reindex {
        kind,
        name: target
            .children()
            .next()
            .map(|it| it.name())
            .unwrap_or_default(),
        concurrently: target.has_word(K::CONCURRENTLY_KW)
            || options.is_some_and(|it| it.has(K::REINDEX_OPTION_CONCURRENTLY)),
    })
}

fn vacuum(statement: &Node) -> Act {
    let options = statement.child(K::VACUUM_OPTION_LIST);
    let by_option = options
        .iter()
        .flat_map(|it| it.all(K::VACUUM_OPTION))
        .any(|it| {
            let text = it.plain();
            let value = text.strip_prefix("full").map(str::trim);
            value.is_some_and(|value| !matches!(value, "false" | "off" | "0"))
        });
    let tables = statement.deep(K::TABLE_RELATION_NAME);
    Act::Vacuum {
        full: by_option || statement.has_word(K::FULL_KW),
        tables: tables.map(|it| it.name()).collect(),
    }
}

fn refresh(statement: &Node) -> Option<Act> {
    Some(Act::Refresh {
        name: statement.child(K::VIEW_REF)?.name(),
        concurrently: statement.has_word(K::CONCURRENTLY_KW),
        without_data: statement.has(K::WITH_NO_DATA),
    })
}

fn truncate(statement: &Node) -> Option<Act> {
    let tables = statement.child(K::TABLE_LIST)?;
    let tables = tables.all(K::TABLE_RELATION_NAME).map(|it| it.name());
    Some(Act::Truncate {
        tables: tables.collect(),
        cascade: statement.has(K::CASCADE),
    })
}

fn lock(statement: &Node) -> Option<Act> {
    let relations = statement.child(K::RELATION_LIST)?;
    let tables: Vec<Name> = relations.children().map(|it| it.name()).collect();
    let mode = match statement.child(K::LOCK_MODE_CLAUSE) {
        Some(clause) => {
            let text = clause.plain();
            let text = text.strip_prefix("in ").unwrap_or(&text);
            LockMode::parse(text.strip_suffix(" mode").unwrap_or(text))?
        }
        None => LockMode::AccessExclusive,
    };
    Some(Act::LockTable { tables, mode })
}

#[cfg(test)]
mod tests;
