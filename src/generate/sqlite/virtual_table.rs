//! Virtual tables, which are dropped and created again.

use std::collections::HashSet;

use super::{statement, text::free_name};
use crate::{
    generate::{Loss, LossKind, Statement},
    schema::{
        Facts, Kind, Object, ObjectId,
        sqlite::{VirtualColumn, VirtualTable, quoted},
    },
};

/// The statements of a virtual table before and after the other tables change.
#[derive(Default)]
pub(super) struct Replaced {
    /// The rows are put aside, and the table is dropped.
    pub before: Vec<Statement>,
    /// The table is created and filled.
    pub after: Vec<Statement>,
}

/// Where a table has its rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// In tables of its own.
    Own,
    /// In another table.
    Other,
    /// Nowhere: only what is searched by is kept.
    None,
    /// It is unknown, or the module computes them.
    Computed,
}

/// The statements that make `new` of `old`, both of which have the same name.
pub(super) fn replace(old: &Object, new: &Object, taken: &mut HashSet<String>) -> Replaced {
    let mut replaced = Replaced {
        before: vec![dropping(old)],
        after: vec![creating(new)],
    };
    let (Facts::SqliteVirtualTable(from), Facts::SqliteVirtualTable(to)) = (&old.facts, &new.facts)
    else {
        return replaced;
    };
    let pairs = pairs(from, to);
    let name = new.id.name.as_str();
    match (content(from), content(to)) {
        (_, Content::Other) => {
            replaced.before[0].losses.clear();
            let sql = format!("INSERT INTO {0} ({0}) VALUES ('rebuild')", quoted(name));
            replaced
                .after
                .push(Statement::new(Some(new.id.clone()), sql));
        }
        (Content::Own | Content::Other, Content::Own | Content::None) if pairs.len() > 1 => {
            // What has no content keeps no values.
            let kept = if content(to) == Content::None {
                &[][..]
            } else {
                &pairs
            };
            replaced.before[0].losses = lost(old, from, kept);
            carry(old, name, &pairs, &mut replaced, taken);
        }
        _ => {}
    }
    replaced
}

/// Puts the rows into another table meanwhile.
fn carry(
    old: &Object,
    name: &str,
    pairs: &[(String, String)],
    replaced: &mut Replaced,
    taken: &mut HashSet<String>,
) {
    let of_table = |sql: String| Statement::new(Some(old.id.clone()), sql);
    let other = free_name("old", name, taken);
    let numbered: Vec<String> = (1..=pairs.len()).map(|at| format!("v{at}")).collect();
    let values = pairs.iter().zip(&numbered);
    let values: Vec<String> = values
        .map(|((value, _), number)| format!("{value} AS {number}"))
        .collect();
    let mut aside = of_table(format!(
        "CREATE TABLE {} AS\nSELECT {}\nFROM {}",
        quoted(&other),
        values.join(", "),
        quoted(&old.id.name)
    ));
    let note = format!(
        "Virtual table {} is made again, since it cannot be altered.",
        quoted(name)
    );
    aside.notes.push(note);
    replaced.before.insert(0, aside);
    let targets: Vec<&str> = pairs.iter().map(|(_, target)| target.as_str()).collect();
    replaced.after.push(of_table(format!(
        "INSERT INTO {} ({})\nSELECT {}\nFROM {}",
        quoted(name),
        targets.join(", "),
        numbered.join(", "),
        quoted(&other)
    )));
    replaced
        .after
        .push(of_table(format!("DROP TABLE {}", quoted(&other))));
}

/// The statement that creates a virtual table.
pub(super) fn creating(table: &Object) -> Statement {
    let sql = match &table.facts {
        Facts::SqliteVirtualTable(facts) => statement(&facts.sql),
        _ => String::new(),
    };
    Statement::new(Some(table.id.clone()), sql)
}

/// The statement that drops a virtual table.
pub(super) fn dropping(table: &Object) -> Statement {
    let sql = format!("DROP TABLE {}", quoted(&table.id.name));
    let mut statement = Statement::new(Some(table.id.clone()), sql);
    if let Facts::SqliteVirtualTable(facts) = &table.facts
        && matches!(content(facts), Content::Own | Content::None)
    {
        statement.losses.push(Loss {
            object: table.id.clone(),
            kind: LossKind::Rows,
        });
    }
    statement
}

fn is_module(table: &VirtualTable, start: &str) -> bool {
    let module = table.module.get(..start.len());
    module.is_some_and(|module| module.eq_ignore_ascii_case(start))
}

fn content(table: &VirtualTable) -> Content {
    let option = table.arguments.iter().find_map(|argument| {
        let (name, value) = argument.split_once('=')?;
        let is_content = name.trim().eq_ignore_ascii_case("content");
        is_content.then(|| value.trim().trim_matches(['\'', '"', '`', '[', ']']))
    });
    let is_search = is_module(table, "fts4") || is_module(table, "fts5");
    match option.filter(|_| is_search) {
        Some("") => Content::None,
        Some(_) => Content::Other,
        None if table.shadow_tables.is_empty() => Content::Computed,
        None => Content::Own,
    }
}

fn shown(table: &VirtualTable) -> impl Iterator<Item = &VirtualColumn> {
    table.columns.iter().filter(|column| !column.hidden)
}

/// The expressions that are read from the old table, and the columns of the new one that get them,
/// the key first.
fn pairs(from: &VirtualTable, to: &VirtualTable) -> Vec<(String, String)> {
    let key = |table: &VirtualTable| match is_module(table, "rtree") {
        // The first column is the key, whatever its name.
        true => shown(table).next().map(|column| column.name.to_string()),
        false => None,
    };
    let (old_key, new_key) = (key(from), key(to));
    let named = |key: &Option<String>| match key {
        Some(name) => quoted(name).into_owned(),
        None => "rowid".to_owned(),
    };
    let mut pairs = vec![(named(&old_key), named(&new_key))];
    for column in shown(to) {
        let is_key = |key: &Option<String>| key.as_deref().is_some_and(|key| column.name == *key);
        let before = shown(from).find(|before| before.name == column.name);
        if let Some(before) = before
            && !is_key(&new_key)
        {
            let names = (&before.name, &column.name);
            pairs.push((quoted(names.0).into_owned(), quoted(names.1).into_owned()));
        }
    }
    pairs
}

/// The columns whose values the new table does not have.
fn lost(old: &Object, from: &VirtualTable, pairs: &[(String, String)]) -> Vec<Loss> {
    let kept = |column: &&VirtualColumn| {
        let name = quoted(&column.name);
        pairs.iter().any(|(value, _)| *value == name)
    };
    shown(from)
        .filter(|column| !kept(column))
        .map(|column| Loss {
            object: ObjectId::part(Kind::Column, &old.id.qualified(), &*column.name),
            kind: LossKind::Values,
        })
        .collect()
}
