//! Queries and statements that change rows.

use super::words::Words;
use crate::{
    lint::{Act, ChangeRows},
    schema::{Name, sqlite::name},
    sql::{Dialect, RowVerb, TokenKind, row_change},
};

/// The tables that a query reads, apart from those that it defines itself, each once.
pub(super) fn sources(query: &str) -> Vec<Name> {
    let mut words = Words::new(query);
    let (mut found, mut own): (Vec<Name>, Vec<String>) = (Vec::new(), Vec::new());
    let mut last: Option<String> = None;
    while let Some((kind, text)) = words.peek() {
        if words.eat("AS") {
            if words
                .peek()
                .is_some_and(|(kind, _)| kind == TokenKind::Open)
            {
                own.extend(last.take());
            }
            continue;
        }
        if words.eat_any(&["FROM", "JOIN"]) {
            relations(&mut words, &mut found);
            continue;
        }
        last = crate::schema::sqlite::unquoted(kind, text).map(std::borrow::Cow::into_owned);
        words.skip();
    }
    found.retain(|it| !own.iter().any(|name| name.eq_ignore_ascii_case(&it.name)));
    found
}

/// Takes the names after FROM or JOIN: `a, b AS c`.
fn relations(words: &mut Words<'_>, found: &mut Vec<Name>) {
    loop {
        let is_name = words.peek().is_some_and(|(kind, _)| {
            matches!(
                kind,
                TokenKind::Word | TokenKind::QuotedName | TokenKind::String
            )
        });
        if !is_name || words.is("SELECT") || words.is("VALUES") {
            return;
        }
        let Some(relation) = words.name() else { return };
        if !found.contains(&relation) {
            found.push(relation);
        }
        let is_alias = words
            .peek()
            .is_some_and(|(kind, text)| kind == TokenKind::Word && !is_keyword(text));
        if words.eat("AS") || is_alias {
            words.skip();
        }
        if !words.eat_symbol(",") {
            return;
        }
    }
}

/// Whether a word after a table is no alias.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "CROSS",
        "EXCEPT",
        "FULL",
        "GROUP",
        "HAVING",
        "INDEXED",
        "INNER",
        "INTERSECT",
        "JOIN",
        "LEFT",
        "LIMIT",
        "NATURAL",
        "NOT",
        "ON",
        "ORDER",
        "OUTER",
        "RIGHT",
        "SET",
        "UNION",
        "USING",
        "WHERE",
        "WINDOW",
        "RETURNING",
        "FROM",
    ];
    KEYWORDS.iter().any(|it| it.eq_ignore_ascii_case(word))
}

pub(super) fn read(sql: &str, words: &mut Words<'_>) -> Option<Vec<Act>> {
    let Ok(change) = row_change(Dialect::Sqlite, sql) else {
        let is_query = ["SELECT", "VALUES", "WITH"].iter().any(|it| words.is(it));
        let sources = sources(sql);
        return is_query.then(|| {
            vec![Act::Query {
                sources,
                calls: false,
            }]
        });
    };
    let table = Words::new(&change.table).name()?;
    let is_insert = change.verb == RowVerb::Insert;
    let mut read = ChangeRows {
        verb: change.verb,
        sources: sources(sql),
        columns: Vec::new(),
        selected: None,
        condition: None,
        is_values: false,
        table: table.clone(),
    };
    if is_insert {
        insert(words, &mut read);
    } else {
        read.sources
            .retain(|it| !it.name.eq_ignore_ascii_case(&table.name));
        if words.skip_to(&["WHERE"]) {
            words.eat("WHERE");
            read.condition = Some(words.rest().to_owned());
        }
    }
    Some(vec![Act::ChangeRows(Box::new(read))])
}

/// Reads the columns and the source of an INSERT.
fn insert(words: &mut Words<'_>, read: &mut ChangeRows) {
    if !words.skip_to(&["INTO"]) {
        return;
    }
    words.eat("INTO");
    words.name();
    if words.eat("AS") {
        words.skip();
    }
    if words
        .peek()
        .is_some_and(|(kind, _)| kind == TokenKind::Open)
    {
        words.skip();
        while let Some(column) = words.word() {
            read.columns.push(column);
            if !words.eat_symbol(",") {
                break;
            }
        }
        words.eat_symbol(")");
    }
    read.is_values = words.is("VALUES") || words.is("DEFAULT");
    if words.eat("SELECT") {
        read.selected = selected(words);
        if words.eat("FROM") {
            if let Some(source) = words.name() {
                let is_alone = words.is_done() || !words.eat_symbol(",") && !words.is("JOIN");
                if !is_alone || read.sources != [name(source.name)] {
                    read.selected = None;
                }
            }
        } else {
            read.selected = None;
        }
    }
}

/// The columns that a SELECT selects, up to FROM; for an expression, its text.
fn selected(words: &mut Words<'_>) -> Option<Vec<String>> {
    if words.eat_any(&["DISTINCT", "ALL"]) {
        return None;
    }
    let mut found = Vec::new();
    loop {
        let start = words.start();
        let text = words.rest();
        let mut tokens = Vec::new();
        while let Some((kind, part)) = words.peek() {
            if part == "," || words.is("FROM") {
                break;
            }
            words.skip();
            if kind == TokenKind::Open {
                words.leave();
            }
            tokens.push((kind, part));
        }
        let length = words.end().saturating_sub(start).min(text.len());
        found.push(match tokens.as_slice() {
            [(kind, only)] => match crate::schema::sqlite::unquoted(*kind, only) {
                Some(column) => column.into_owned(),
                None => (*only).to_owned(),
            },
            _ => text.get(..length)?.to_owned(),
        });
        if !words.eat_symbol(",") {
            return Some(found);
        }
    }
}
