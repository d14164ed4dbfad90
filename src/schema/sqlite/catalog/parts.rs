//! What constraints, columns and indexes have in common.

use crate::schema::sqlite::{
    Expression, Index, IndexKey, KeyColumn,
    keywords::is_reserved,
    scan::{ColumnScan, Definition, IndexScan, Span, TableScan},
    tokens::{significant, unquoted},
};
use crate::sql::TokenKind;

/// The collating sequence of a column, if it is not BINARY. Of several ones, the last counts.
pub(super) fn collation(column: &ColumnScan) -> Option<&str> {
    let names = column
        .definitions()
        .filter_map(|definition| match definition {
            Definition::Collate(name) => Some(name.name.as_str()),
            _ => None,
        });
    let last = names.last();
    last.filter(|name| !name.eq_ignore_ascii_case("BINARY"))
}

fn column_of<'a>(table: &'a TableScan, name: &str) -> Option<&'a ColumnScan> {
    let mut columns = table.columns.iter();
    columns.find(|column| column.name.name.eq_ignore_ascii_case(name))
}

/// An expression over the columns of a table.
pub(super) fn expression(text: &str, span: Span, table: &TableScan) -> Expression {
    Expression::new(span.of(text)).with_columns(|name| column_of(table, name).is_some())
}

/// The columns of a key, without collating sequences that are those of the columns.
pub(super) fn key_columns(columns: &[KeyColumn], table: &TableScan) -> Vec<KeyColumn> {
    let own = |key: &KeyColumn| {
        let column = column_of(table, &key.column);
        column.and_then(collation).unwrap_or("BINARY")
    };
    let columns = columns.iter().map(|key| KeyColumn {
        collation: key.collation.clone().filter(|name| *name != *own(key)),
        ..key.clone()
    });
    columns.collect()
}

/// The facts of an index on `table`, which is not known if its text is not understood.
pub(super) fn index(text: &str, scan: &IndexScan, table: Option<&TableScan>) -> Index {
    let expression = |span: Span| match table {
        Some(table) => expression(text, span, table),
        None => Expression::new(span.of(text)),
    };
    let keys = scan.keys.iter().map(|key| {
        let sorted = expression(key.expression);
        let name = sorted.as_name();
        // A name in double quotes that is no column is a string.
        let is_column = name.as_ref().is_some_and(|name| {
            let table = table.map(|table| column_of(table, name));
            table.is_none_or(|column| column.is_some())
        });
        let column = name.filter(|_| is_column);
        let own = match (table, &column) {
            (Some(table), Some(column)) => column_of(table, column).and_then(collation),
            _ => None,
        };
        let own = own.unwrap_or("BINARY");
        IndexKey {
            collation: key.collation.clone().filter(|name| *name != *own),
            descending: key.descending,
            column: column.map(|name| name.into_owned().into()),
            expression: (!is_column).then_some(sorted.clone()),
        }
    });
    Index {
        unique: scan.unique,
        keys: keys.collect(),
        condition: scan.condition.map(expression),
        ..Index::default()
    }
}

/// The value of a default. A name stands for a string.
pub(super) fn default(text: &str) -> Expression {
    let value = Expression::new(text);
    let mut tokens = significant(text);
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return value;
    };
    let is_string = match token.kind {
        TokenKind::QuotedName => true,
        TokenKind::Word => !is_reserved(text),
        _ => false,
    };
    match unquoted(token.kind, &text[token.start..token.end]) {
        Some(name) if is_string => Expression::new(&format!("'{}'", name.replace('\'', "''"))),
        _ => value,
    }
}
