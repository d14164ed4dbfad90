//! CREATE TABLE and ALTER TABLE.

use super::{query, words::Words};
use crate::{
    lint::{
        Act, Column, Constraint, ConstraintKind, CreateTable, Generated, Reference, TableChange,
    },
    schema::{
        Kind,
        sqlite::{
            ForeignKey, KeyColumn, name,
            scan::{ColumnScan, ConstraintScan, Definition, TableScan, scan_table},
        },
    },
};

pub(super) fn create(sql: &str, words: &mut Words<'_>, temporary: bool) -> Option<Act> {
    words.eat("TABLE");
    let if_not_exists = words.eat_all(&["IF", "NOT", "EXISTS"]);
    let table = words.name()?;
    if words.eat("AS") {
        return Some(Act::CreateTable(Box::new(CreateTable {
            name: table,
            if_not_exists,
            temporary,
            sources: Some(query::sources(words.rest())),
            ..CreateTable::default()
        })));
    }
    let scan = scan_table(sql).ok()?;
    Some(Act::CreateTable(Box::new(CreateTable {
        if_not_exists,
        temporary,
        autoincrement: has_autoincrement(&scan),
        ..facts(sql, &scan)
    })))
}

fn has_autoincrement(scan: &TableScan) -> bool {
    scan.all_constraints().any(|(_, it)| {
        matches!(
            it.definition,
            Definition::PrimaryKey {
                autoincrement: true,
                ..
            }
        )
    })
}

fn facts(sql: &str, scan: &TableScan) -> CreateTable {
    let columns = scan.columns.iter().map(|it| column(sql, it));
    let constraints = scan.constraints.iter();
    CreateTable {
        name: name(scan.name.name.clone()),
        columns: columns.collect(),
        constraints: constraints.filter_map(|it| constraint(sql, it)).collect(),
        ..CreateTable::default()
    }
}

fn column(sql: &str, scan: &ColumnScan) -> Column {
    let mut column = Column {
        name: scan.name.name.clone(),
        data_type: scan.type_name(sql).to_ascii_lowercase(),
        ..Column::default()
    };
    for clause in &scan.constraints {
        match &clause.definition {
            Definition::NotNull { .. } => column.not_null = true,
            Definition::Default(value) => column.default = Some(value.of(sql).to_owned()),
            Definition::Generated { expression, stored } => {
                column.generated = Some(Generated {
                    expression: expression.of(sql).to_owned(),
                    stored: *stored,
                });
            }
            _ => column.constraints.extend(constraint(sql, clause)),
        }
    }
    column
}

fn constraint(sql: &str, scan: &ConstraintScan) -> Option<Constraint> {
    let names = |columns: &[KeyColumn]| -> Vec<String> {
        columns.iter().map(|it| it.column.to_string()).collect()
    };
    let kind = match &scan.definition {
        Definition::PrimaryKey { columns, .. } => ConstraintKind::PrimaryKey(names(columns)),
        Definition::Unique { columns, .. } => ConstraintKind::Unique(names(columns)),
        Definition::Check(expression) => {
            ConstraintKind::Check(expression.of(sql).to_ascii_lowercase())
        }
        Definition::ForeignKey(key) => ConstraintKind::ForeignKey(reference(key)),
        _ => return None,
    };
    Some(Constraint {
        name: scan.name.as_ref().map(|it| it.name.clone()),
        kind,
        ..Constraint::default()
    })
}

/// A foreign key as an act has it.
fn reference(key: &ForeignKey) -> Reference {
    let names = |columns: &[crate::schema::sqlite::Identifier]| -> Vec<String> {
        columns.iter().map(ToString::to_string).collect()
    };
    let action = key.on_delete.as_deref();
    Reference {
        columns: names(&key.columns),
        table: name(key.references.to_string()),
        referenced: names(&key.referenced_columns),
        cascades: action.is_some_and(|it| it.eq_ignore_ascii_case("CASCADE")),
    }
}

pub(super) fn alter(sql: &str, words: &mut Words<'_>) -> Option<Vec<Act>> {
    let table = words.name()?;
    let change = if words.eat("RENAME") {
        if words.eat("TO") {
            let to = words.word()?;
            return Some(vec![Act::Rename {
                kind: Kind::Table,
                name: table,
                to,
            }]);
        }
        words.eat("COLUMN");
        let from = words.word()?;
        if !words.eat("TO") {
            return None;
        }
        let to = words.word()?;
        TableChange::RenameColumn { from, to }
    } else if words.eat("ADD") {
        words.eat("COLUMN");
        let definition = sql.get(words.start()..)?;
        let table = format!("CREATE TABLE t ({definition}\n)");
        let scan = scan_table(&table).ok()?;
        let [only] = scan.columns.as_slice() else {
            return None;
        };
        TableChange::AddColumn {
            column: Box::new(column(&table, only)),
            if_not_exists: false,
        }
    } else if words.eat("DROP") {
        words.eat("COLUMN");
        TableChange::DropColumn {
            column: words.word()?,
            if_exists: false,
            cascade: false,
        }
    } else {
        return None;
    };
    Some(vec![Act::AlterTable { table, change }])
}
