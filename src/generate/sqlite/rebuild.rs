//! A new table in the place of one that ALTER TABLE cannot change.

use std::collections::HashSet;

use super::{
    alter::missing,
    copy::Copy,
    statement,
    table::{Column, Table},
    text::{free_name, qualifies, replaced, string},
};
use crate::{
    generate::{Fill, Loss, LossKind, Statement},
    schema::sqlite::quoted,
};

/// The statements that replace `old` by `new` and keep the rows. `taken` has the names that a
/// temporary table cannot have. Indexes and triggers are lost.
pub(super) fn rebuild(
    old: &Table<'_>,
    new: &Table<'_>,
    fills: &[Fill],
    taken: &mut HashSet<String>,
) -> Vec<Statement> {
    let copy = Copy::new(old, new, fills);
    // A check that names its table cannot be written for a table of another name.
    match qualifies(scan_body(new), new.name()) {
        true => aside(old, new, &copy, taken),
        false => beside(old, new, &copy, taken),
    }
}

fn scan_body<'a>(table: &'a Table<'_>) -> &'a str {
    table.scan.body.of(&table.facts.sql)
}

/// Makes the new table beside the old one and renames it.
fn beside(
    old: &Table<'_>,
    new: &Table<'_>,
    copy: &Copy,
    taken: &mut HashSet<String>,
) -> Vec<Statement> {
    let of_table = |sql: String| Statement::new(Some(old.id.clone()), sql);
    let other = free_name("new", new.name(), taken);
    let text = replaced(&new.facts.sql, new.scan.name.span, &quoted(&other));
    let mut create = of_table(statement(&text));
    create.notes.push(rebuilt(old));
    let mut statements = vec![
        create,
        copying(
            old,
            copy.statement(&other, old.name(), new.has_conflict_clause()),
            copy,
        ),
    ];
    if old.facts.autoincrement && new.facts.autoincrement {
        statements.push(of_table(sequence(old.name(), &other)));
    }
    statements.push(dropping(old, new));
    let sql = format!(
        "ALTER TABLE {} RENAME TO {}",
        quoted(&other),
        quoted(new.name())
    );
    statements.push(of_table(sql));
    statements
}

/// Puts the rows aside, and makes the new table in the place of the old one.
fn aside(
    old: &Table<'_>,
    new: &Table<'_>,
    copy: &Copy,
    taken: &mut HashSet<String>,
) -> Vec<Statement> {
    let of_table = |sql: String| Statement::new(Some(old.id.clone()), sql);
    let other = free_name("old", new.name(), taken);
    let names: Vec<String> = (1..=copy.values.len()).map(|at| format!("v{at}")).collect();
    let values = copy.values.iter().zip(&names);
    let values: Vec<String> = values
        .map(|(value, name)| format!("{value} AS {name}"))
        .collect();
    let sql = format!(
        "CREATE TABLE {} AS\nSELECT {}\nFROM {}",
        quoted(&other),
        values.join(", "),
        quoted(old.name())
    );
    let mut create = of_table(sql);
    create.notes.push(rebuilt(old));
    let mut statements = vec![create];
    let keeps_sequence = old.facts.autoincrement && new.facts.autoincrement;
    if keeps_sequence {
        let sql = format!(
            "INSERT INTO sqlite_sequence (name, seq)\nSELECT {}, seq FROM sqlite_sequence WHERE name = {}",
            string(&other),
            string(old.name())
        );
        statements.push(of_table(sql));
    }
    statements.push(dropping(old, new));
    statements.push(of_table(statement(&new.facts.sql)));
    let back = Copy {
        targets: copy.targets.clone(),
        values: names,
        ..Copy::default()
    };
    let sql = back.statement(new.name(), &other, new.has_conflict_clause());
    statements.push(copying(old, sql, copy));
    if keeps_sequence {
        statements.push(of_table(sequence(&other, new.name())));
        let sql = format!(
            "DELETE FROM sqlite_sequence WHERE name = {}",
            string(&other)
        );
        statements.push(of_table(sql));
    }
    statements.push(of_table(format!("DROP TABLE {}", quoted(&other))));
    statements
}

fn rebuilt(old: &Table<'_>) -> String {
    format!(
        "Table {} is rebuilt, since ALTER TABLE cannot make this change. Foreign keys must be off.",
        quoted(old.name())
    )
}

/// The statement that fills the new table, with what it loses and why it may fail.
fn copying(old: &Table<'_>, sql: String, copy: &Copy) -> Statement {
    Statement {
        losses: copy.losses.clone(),
        notes: copy.notes.clone(),
        ..Statement::new(Some(old.id.clone()), sql)
    }
}

/// The statement that gives `to` the counter of AUTOINCREMENT that `from` has.
fn sequence(from: &str, to: &str) -> String {
    format!(
        "UPDATE sqlite_sequence SET seq = old.seq\nFROM (SELECT seq FROM sqlite_sequence WHERE name = {}) AS old\nWHERE name = {}",
        string(from),
        string(to)
    )
}

/// The statement that drops the old table, with the values that the new one does not have.
fn dropping(old: &Table<'_>, new: &Table<'_>) -> Statement {
    let mut lost: Vec<Column> = missing(old, new);
    let computed = |column: &&Column| {
        let after = new.column(column.name());
        after.is_some_and(|after| after.is_generated())
    };
    lost.extend(old.columns.iter().filter(computed).copied());
    let new_alias_keeps = |column: &Column| {
        // The new table has the same values as rowids.
        let alias = old.alias().is_some_and(|alias| alias.is(column.name()));
        let is_new_alias = new
            .alias()
            .is_some_and(|it| old.column(it.name()).is_none());
        alias && (is_new_alias || new.rowid().is_some())
    };
    lost.retain(|column| !column.is_generated() && !new_alias_keeps(column));
    let mut losses: Vec<Loss> = lost
        .iter()
        .map(|column| Loss {
            object: column.id.clone(),
            kind: LossKind::Values,
        })
        .collect();
    if old.facts.autoincrement && !new.facts.autoincrement {
        losses.push(Loss {
            object: old.id.clone(),
            kind: LossKind::Position,
        });
    }
    Statement {
        losses,
        ..Statement::new(
            Some(old.id.clone()),
            format!("DROP TABLE {}", quoted(old.name())),
        )
    }
}
