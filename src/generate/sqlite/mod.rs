//! SQLite's SQL.

mod alter;
mod copy;
mod plan;
mod rebuild;
#[cfg(feature = "cli")]
mod rename;
mod standing;
mod table;
mod text;
mod virtual_table;

use std::collections::HashMap;

pub(super) use plan::migrate;
#[cfg(feature = "cli")]
pub(super) use rename::rename;

use super::Block;
use crate::{
    arrange::Arrange as _,
    schema::{Cycle, Facts, Object, ObjectId, Schema},
    sql::{Dialect, TokenKind, lex},
};

/// See [`super::dump`]. The texts are those that the database keeps, which make the same rows in
/// sqlite_schema.
pub(super) fn dump(schema: &Schema) -> Result<Vec<Block>, Cycle> {
    let texts = schema.objects.iter().filter_map(|object| {
        let (rank, sql) = text(&object.facts)?;
        Some((rank, object, sql))
    });
    let mut texts: Vec<_> = texts.collect();
    texts.arrange_by_key(|(rank, ..)| *rank);
    let ranks = texts.chunk_by(|(a, ..), (b, ..)| a == b);
    let ordered = ranks
        .flat_map(|texts| in_order(texts, own))
        .map(|(object, sql)| Block {
            object: Some(object.id.clone()),
            notes: Vec::new(),
            statements: vec![statement(sql)],
        });
    Ok(ordered.collect())
}

fn own(object: &Object) -> Vec<&ObjectId> {
    object.depends_on.iter().collect()
}

/// The place of a kind of object in a dump, and the text of the object. Parts of a table have no
/// text.
fn text(facts: &Facts) -> Option<(u8, &str)> {
    match facts {
        Facts::SqliteTable(table) => Some((0, &table.sql)),
        Facts::SqliteVirtualTable(table) => Some((1, &table.sql)),
        Facts::SqliteIndex(index) => Some((2, &index.sql)),
        Facts::SqliteView(view) => Some((3, &view.sql)),
        Facts::SqliteTrigger(trigger) => Some((4, &trigger.sql)),
        _ => None,
    }
}

/// Objects of one rank, each after those that it needs. SQLite creates a table or a view before
/// what it names exists, so a cycle is broken anywhere.
fn in_order<'a>(
    texts: &[(u8, &'a Object, &'a str)],
    needs: impl Fn(&'a Object) -> Vec<&'a ObjectId>,
) -> Vec<(&'a Object, &'a str)> {
    let places: HashMap<&ObjectId, usize> = texts
        .iter()
        .enumerate()
        .map(|(place, (_, object, _))| (&object.id, place))
        .collect();
    let mut ordered = Vec::with_capacity(texts.len());
    let mut is_seen = vec![false; texts.len()];
    for first in 0..texts.len() {
        // Each object waits for those that it needs.
        let mut waiting: Vec<(usize, Option<Vec<&ObjectId>>)> = vec![(first, None)];
        while let Some((place, needed)) = waiting.pop() {
            let (_, object, sql) = texts[place];
            let mut needed = match needed {
                Some(needed) => needed,
                None if std::mem::replace(&mut is_seen[place], true) => continue,
                None => needs(object).into_iter().rev().collect(),
            };
            match needed.pop() {
                Some(next) => {
                    waiting.push((place, Some(needed)));
                    waiting.extend(places.get(next).map(|next| (*next, None)));
                }
                None => ordered.push((object, sql)),
            }
        }
    }
    ordered
}

/// A kept text as a statement that a `;` can follow.
fn statement(sql: &str) -> String {
    let last = lex(Dialect::Sqlite, sql.as_bytes()).last();
    let end = match last {
        Some(last) if last.kind == TokenKind::LineComment => "\n",
        // SQLite takes the end of the text for that of the comment.
        Some(last) if last.kind == TokenKind::BlockComment && !last.closed => "*/",
        _ => "",
    };
    format!("{sql}{end}")
}

#[cfg(test)]
mod tests;
