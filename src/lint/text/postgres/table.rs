//! CREATE TABLE and ALTER TABLE.

use super::{
    query,
    tree::{Node, SyntaxKind as K},
};
use crate::{
    lint::{
        Act, Column, ColumnChange, Constraint, ConstraintKind, CreateTable, Generated, LockMode,
        Reference, TableChange,
    },
    schema::{Kind, Name},
};

/// The kinds of nodes that are types.
const TYPES: &[K] = &[
    K::ARRAY_TYPE,
    K::PATH_TYPE,
    K::PERCENT_TYPE,
    K::VARCHAR_TYPE,
    K::CHARACTER_TYPE,
    K::BIT_TYPE,
    K::BIT_VARYING_TYPE,
    K::DOUBLE_TYPE,
    K::TIME_TYPE,
    K::TIMESTAMP_TYPE,
    K::INTERVAL_TYPE,
];

/// The type directly below a node.
pub(super) fn data_type(node: &Node) -> Option<String> {
    let found = node.children().find(|it| TYPES.contains(&it.kind()))?;
    Some(found.plain())
}

pub(super) fn create(statement: &Node) -> Option<Vec<Act>> {
    let name = match statement.child(K::INTO_CLAUSE) {
        Some(into) => into.child(K::TABLE_NAME),
        None => statement.child(K::TABLE_NAME),
    };
    let name = name?.name();
    let is_query = matches!(statement.kind(), K::CREATE_TABLE_AS | K::SELECT_INTO);
    let mut table = CreateTable {
        if_not_exists: statement.has(K::IF_NOT_EXISTS),
        temporary: statement.deep(K::TEMP).next().is_some(),
        partition_of: named(statement, K::PARTITION_OF).next(),
        is_default: statement.has(K::PARTITION_DEFAULT),
        inherits: named(statement, K::INHERITS).collect(),
        is_partitioned: statement.has(K::PARTITION_BY),
        sources: is_query.then(|| query::sources(statement)),
        name,
        ..CreateTable::default()
    };
    let arguments = statement.child(K::TABLE_ARG_LIST);
    for argument in arguments.iter().flat_map(Node::children) {
        match argument.kind() {
            K::COLUMN => table.columns.push(column(&argument)?),
            K::LIKE_CLAUSE => {
                let like = argument.child(K::RELATION_NAME_REF)?;
                table.like.push(like.name());
            }
            _ => {
                if let Some(constraint) = constraint(&argument, "") {
                    table.constraints.push(constraint);
                }
            }
        }
    }
    Some(vec![Act::CreateTable(Box::new(table))])
}

/// The tables that a clause names.
fn named(statement: &Node, clause: K) -> impl Iterator<Item = Name> + use<> {
    let clause = statement.child(clause);
    let names = clause.into_iter().flat_map(|it| it.deep(K::TABLE_NAME_REF));
    names.map(|it| it.name())
}

/// A column of CREATE TABLE or ADD COLUMN.
fn column(node: &Node) -> Option<Column> {
    let mut column = Column {
        name: node.child(K::COLUMN_NAME)?.word(),
        data_type: data_type(node).unwrap_or_default(),
        ..Column::default()
    };
    for clause in node.children() {
        match clause.kind() {
            K::NOT_NULL_CONSTRAINT => column.not_null = true,
            K::DEFAULT_CONSTRAINT => column.default = expression(&clause),
            K::GENERATED_CONSTRAINT => match clause.child(K::GENERATED_IDENTITY) {
                Some(_) => (column.identity, column.not_null) = (true, true),
                None => column.generated = Some(generated(&clause)),
            },
            _ => {
                if let Some(mut constraint) = constraint(&clause, &column.name) {
                    constraint.has_options |= has_options(node);
                    column.not_null |= matches!(constraint.kind, ConstraintKind::PrimaryKey(_));
                    column.constraints.push(constraint);
                }
            }
        }
    }
    Some(column)
}

/// The expression of a clause: its first node that is no name of a constraint.
fn expression(clause: &Node) -> Option<String> {
    let mut nodes = clause.children();
    let found = nodes.find(|it| it.kind() != K::CONSTRAINT_NAME_CLAUSE)?;
    Some(found.plain())
}

fn generated(clause: &Node) -> Generated {
    let stored = clause.deep(K::STORED).next().is_some();
    Generated {
        expression: clause.plain(),
        stored,
    }
}

/// A constraint of a table, or of the column `of`.
pub(super) fn constraint(node: &Node, of: &str) -> Option<Constraint> {
    let own = || match of {
        "" => Vec::new(),
        column => vec![column.to_owned()],
    };
    let columns = || {
        let list = node.child(K::INDEX_PARAMETERS);
        let list = list.and_then(|it| it.child(K::CONSTRAINT_COLUMN_REF_LIST));
        match list {
            Some(list) => words(&list),
            None => own(),
        }
    };
    let kind = match node.kind() {
        K::PRIMARY_KEY_CONSTRAINT => ConstraintKind::PrimaryKey(columns()),
        K::UNIQUE_CONSTRAINT => ConstraintKind::Unique(columns()),
        K::CHECK_CONSTRAINT => ConstraintKind::Check(expression(node)?),
        K::EXCLUDE_CONSTRAINT => ConstraintKind::Exclusion,
        K::NOT_NULL_CONSTRAINT => {
            let column = node.child(K::COLUMN_NAME_REF).map(|it| it.word());
            ConstraintKind::NotNull(column.unwrap_or_else(|| of.to_owned()))
        }
        K::REFERENCES_CONSTRAINT => ConstraintKind::ForeignKey(Reference {
            columns: own(),
            table: node.child(K::TABLE_NAME_REF)?.name(),
            referenced: words(node),
            cascades: cascades(node),
        }),
        K::FOREIGN_KEY_CONSTRAINT => {
            let mut lists = node.all(K::FOREIGN_KEY_COLUMN_LIST);
            let columns = words(&lists.next()?);
            ConstraintKind::ForeignKey(Reference {
                columns,
                table: node.child(K::TABLE_NAME_REF)?.name(),
                referenced: lists.next().map(|it| words(&it)).unwrap_or_default(),
                cascades: cascades(node),
            })
        }
        _ => return None,
    };
    let name = node.child(K::CONSTRAINT_NAME_CLAUSE);
    let using = node.child(K::USING_INDEX_NAME);
    Some(Constraint {
        name: name
            .and_then(|it| it.child(K::CONSTRAINT_NAME))
            .map(|it| it.word()),
        kind,
        not_valid: node.has(K::NOT_VALID) || node.has(K::NOT_ENFORCED),
        using_index: using
            .and_then(|it| it.child(K::INDEX_REF))
            .map(|it| it.word()),
        has_options: has_options(node),
    })
}

/// Whether the definition of a key has clauses about its index or about when it is checked.
fn has_options(node: &Node) -> bool {
    let options = [
        K::CONSTRAINT_INCLUDE_CLAUSE,
        K::CONSTRAINT_INDEX_TABLESPACE,
        K::WITH_PARAMS,
        K::NULLS_NOT_DISTINCT,
        K::WITHOUT_OVERLAPS,
        K::DEFERRABLE_CONSTRAINT_OPTION,
        K::INITIALLY_DEFERRED_CONSTRAINT_OPTION,
    ];
    options.iter().any(|kind| node.deep(*kind).next().is_some())
}

fn cascades(node: &Node) -> bool {
    let action = node.child(K::ON_DELETE_ACTION);
    action.is_some_and(|it| it.has(K::CASCADE))
}

fn words(list: &Node) -> Vec<String> {
    list.all(K::COLUMN_NAME_REF).map(|it| it.word()).collect()
}

pub(super) fn alter(statement: &Node) -> Option<Vec<Act>> {
    let mut children = statement.children();
    let relation = children.find(|it| {
        matches!(
            it.kind(),
            K::TABLE_RELATION_NAME | K::RELATION_NAME | K::TABLE_NAME_REF
        )
    });
    // ALL IN TABLESPACE has no table.
    let table = relation?.name();
    let mut acts = Vec::new();
    for action in children {
        acts.push(match action.kind() {
            K::TABLE_RENAME_TO => Act::Rename {
                kind: Kind::Table,
                name: table.clone(),
                to: action.child(K::TABLE_NAME)?.word(),
            },
            K::SET_SCHEMA => Act::SetSchema {
                kind: Kind::Table,
                name: table.clone(),
                schema: action.child(K::SCHEMA_REF)?.word(),
            },
            _ => Act::AlterTable {
                table: table.clone(),
                change: change(&action)?,
            },
        });
    }
    Some(acts)
}

fn change(action: &Node) -> Option<TableChange> {
    let if_exists = action.has(K::IF_EXISTS);
    let cascade = action.has(K::CASCADE);
    let name = |kind| action.child(kind).map(|it: Node| it.word());
    Some(match action.kind() {
        K::ADD_COLUMN => TableChange::AddColumn {
            column: Box::new(column(action)?),
            if_not_exists: action.has(K::IF_NOT_EXISTS),
        },
        K::DROP_COLUMN => TableChange::DropColumn {
            column: name(K::COLUMN_NAME_REF)?,
            if_exists,
            cascade,
        },
        K::ALTER_COLUMN => TableChange::AlterColumn {
            column: name(K::COLUMN_NAME_REF)?,
            change: column_change(action)?,
        },
        K::RENAME_COLUMN => TableChange::RenameColumn {
            from: name(K::COLUMN_NAME_REF)?,
            to: name(K::COLUMN_NAME)?,
        },
        K::ADD_CONSTRAINT => {
            let found = action.children().find_map(|it| constraint(&it, ""));
            TableChange::AddConstraint(Box::new(found?))
        }
        K::DROP_CONSTRAINT => TableChange::DropConstraint {
            name: name(K::CONSTRAINT_NAME_REF)?,
            if_exists,
            cascade,
        },
        K::VALIDATE_CONSTRAINT => TableChange::ValidateConstraint(name(K::CONSTRAINT_NAME_REF)?),
        K::ALTER_CONSTRAINT if action.deep(K::ENFORCED).next().is_some() => {
            TableChange::EnforceConstraint
        }
        K::RENAME_CONSTRAINT => TableChange::RenameConstraint {
            from: name(K::CONSTRAINT_NAME_REF)?,
            to: name(K::CONSTRAINT_NAME)?,
        },
        K::ATTACH_PARTITION => TableChange::Attach {
            partition: action.child(K::TABLE_NAME_REF)?.name(),
            is_default: action.has(K::PARTITION_DEFAULT),
        },
        K::DETACH_PARTITION => TableChange::Detach {
            partition: action.child(K::TABLE_NAME_REF)?.name(),
            concurrently: action.has(K::DETACH_CONCURRENTLY) || action.has(K::DETACH_FINALIZE),
        },
        K::ENABLE_RLS => TableChange::EnableRowSecurity,
        K::SET_LOGGED | K::SET_UNLOGGED => TableChange::SetLogged,
        K::SET_TABLESPACE => TableChange::SetTablespace,
        K::SET_ACCESS_METHOD => TableChange::SetAccessMethod,
        kind => TableChange::Other(lock_of(kind)),
    })
}

/// The lock of the actions that only change the catalog.
fn lock_of(kind: K) -> LockMode {
    match kind {
        K::ENABLE_TRIGGER
        | K::DISABLE_TRIGGER
        | K::ENABLE_REPLICA_TRIGGER
        | K::ENABLE_ALWAYS_TRIGGER
        | K::ALTER_CONSTRAINT => LockMode::ShareRowExclusive,
        K::SET_OPTIONS
        | K::RESET_OPTIONS
        | K::OPTION_ITEM_LIST
        | K::CLUSTER_ON
        | K::SET_WITHOUT_CLUSTER => LockMode::ShareUpdateExclusive,
        _ => LockMode::AccessExclusive,
    }
}

fn column_change(action: &Node) -> Option<ColumnChange> {
    let name = |it: &Node| it.kind() != K::COLUMN_NAME_REF;
    let option = action.children().find(name)?;
    Some(match option.kind() {
        K::SET_TYPE => ColumnChange::Type {
            data_type: data_type(&option)?,
            using: option.child(K::USING_EXPR).and_then(|it| {
                let expression = it.children().next()?;
                Some(expression.plain())
            }),
            collate: option.has(K::COLLATE),
        },
        K::SET_NOT_NULL => ColumnChange::SetNotNull,
        K::DROP_NOT_NULL => ColumnChange::DropNotNull,
        K::SET_DEFAULT => ColumnChange::SetDefault(expression(&option).unwrap_or_default()),
        K::DROP_DEFAULT => ColumnChange::DropDefault,
        K::SET_EXPRESSION => ColumnChange::SetExpression,
        K::ADD_GENERATED => ColumnChange::AddIdentity,
        K::SET_STATISTICS | K::SET_OPTIONS | K::SET_OPTIONS_LIST | K::RESET_OPTIONS => {
            ColumnChange::Other(LockMode::ShareUpdateExclusive)
        }
        _ => ColumnChange::Other(LockMode::AccessExclusive),
    })
}
