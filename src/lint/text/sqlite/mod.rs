//! Reads statements of SQLite.

mod query;
mod table;
mod words;

use words::Words;

use crate::{
    lint::{Act, CreateIndex, DropObject, IndexKey},
    schema::{
        Kind,
        sqlite::name,
        sqlite::scan::{scan_index, scan_trigger, scan_view, scan_virtual_table},
    },
};

/// Returns what a statement says.
pub(super) fn read(sql: &str) -> Vec<Act> {
    let mut words = Words::new(sql);
    let acts = if words.eat("CREATE") {
        create(sql, &mut words)
    } else if words.eat_all(&["ALTER", "TABLE"]) {
        table::alter(sql, &mut words)
    } else if words.eat("DROP") {
        drop_object(&mut words).map(|act| vec![act])
    } else if words.eat("PRAGMA") {
        pragma(&mut words).map(|act| vec![act])
    } else if words.eat("VACUUM") {
        let tables = Vec::new();
        Some(vec![Act::Vacuum { full: true, tables }])
    } else if words.eat("REINDEX") {
        Some(vec![Act::Reindex {
            kind: Kind::Index,
            name: words.name().unwrap_or_default(),
            concurrently: false,
        }])
    } else if HARMLESS.iter().any(|word| words.is(word)) {
        Some(vec![Act::Harmless])
    } else {
        query::read(sql, &mut words)
    };
    acts.unwrap_or_else(|| vec![Act::Unknown])
}

/// The first words of statements without an effect on tables.
const HARMLESS: &[&str] = &[
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "COMMIT",
    "DETACH",
    "END",
    "EXPLAIN",
    "RELEASE",
    "ROLLBACK",
    "SAVEPOINT",
];

fn create(sql: &str, words: &mut Words<'_>) -> Option<Vec<Act>> {
    let temporary = words.eat_any(&["TEMP", "TEMPORARY"]);
    let act = if words.is("TABLE") {
        table::create(sql, words, temporary)?
    } else if words.eat_any(&["UNIQUE", "INDEX"]) {
        index(sql, words)?
    } else if words.is("VIEW") {
        let scan = scan_view(sql).ok()?;
        Act::CreateView {
            kind: Kind::View,
            name: name(scan.name.name),
            or_replace: false,
            sources: query::sources(scan.query.of(sql)),
        }
    } else if words.is("TRIGGER") {
        let scan = scan_trigger(sql).ok()?;
        Act::CreatePart {
            kind: Kind::Trigger,
            table: name(scan.table.name),
            name: scan.name.name,
            restrictive: false,
        }
    } else {
        let scan = scan_virtual_table(sql).ok()?;
        Act::Create {
            kind: Kind::VirtualTable,
            name: name(scan.name.name),
            or_replace: false,
        }
    };
    Some(vec![act])
}

fn index(sql: &str, words: &mut Words<'_>) -> Option<Act> {
    let scan = scan_index(sql).ok()?;
    words.eat("INDEX");
    let insert_at = words.end();
    let if_not_exists = words.eat_all(&["IF", "NOT", "EXISTS"]);
    let keys = scan.keys.iter().map(|key| {
        let written = key.expression.of(sql).trim();
        let column = key.column(sql);
        IndexKey {
            is_column: column.is_some(),
            is_quoted: column.is_some() && written.starts_with(['"', '\'']),
            text: column.unwrap_or_else(|| written.to_owned()),
        }
    });
    Some(Act::CreateIndex(Box::new(CreateIndex {
        name: Some(scan.name.name.clone()),
        table: name(scan.table.name.clone()),
        only: false,
        unique: scan.unique,
        concurrently: false,
        if_not_exists,
        keys: keys.collect(),
        condition: scan.condition.map(|it| it.of(sql).to_owned()),
        insert_at,
    })))
}

fn drop_object(words: &mut Words<'_>) -> Option<Act> {
    let kinds = [
        ("TABLE", Kind::Table),
        ("INDEX", Kind::Index),
        ("VIEW", Kind::View),
        ("TRIGGER", Kind::Trigger),
    ];
    let (_, kind) = kinds.into_iter().find(|(word, _)| words.eat(word))?;
    let if_exists = words.eat_all(&["IF", "EXISTS"]);
    let dropped = words.name()?;
    words.is_done().then_some(Act::Drop(DropObject {
        kind,
        name: dropped,
        table: None,
        if_exists,
        cascade: false,
        concurrently: false,
    }))
}

fn pragma(words: &mut Words<'_>) -> Option<Act> {
    let pragma = words.name()?.name.to_ascii_lowercase();
    let value = match words.eat_symbol("=") || words.eat_symbol("(") {
        true => words.rest().trim_end_matches(')').trim().to_owned(),
        false => return Some(Act::Harmless),
    };
    Some(Act::Set {
        name: pragma,
        value: value.trim_matches(['\'', '"']).to_owned(),
    })
}

#[cfg(test)]
mod tests;
