use std::borrow::Cow;

use super::{
    ConstraintScan, Definition, NameAt, ScanError, Span,
    constraint::{column_constraint, starts_table_constraint, table_constraint},
    create,
};
use crate::{
    schema::sqlite::tokens::{Cursor, significant, unquoted},
    sql::TokenKind,
};

/// What a CREATE TABLE says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableScan {
    /// The name.
    pub name: NameAt,
    /// The columns in order.
    pub columns: Vec<ColumnScan>,
    /// The constraints behind the columns, in order.
    pub constraints: Vec<ConstraintScan>,
    /// What is between the parentheses.
    pub body: Span,
    /// Whether STRICT is given.
    pub strict: bool,
    /// Whether WITHOUT ROWID is given.
    pub without_rowid: bool,
}

/// A column of a CREATE TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnScan {
    /// The name.
    pub name: NameAt,
    /// The declared type, which may be empty.
    pub declared_type: Span,
    /// The constraints and other clauses of the column, in order.
    pub constraints: Vec<ConstraintScan>,
    /// The whole definition.
    pub span: Span,
}

impl TableScan {
    /// The definitions of all constraints, each with its column if it is one of a column.
    pub fn all_constraints(&self) -> impl Iterator<Item = (Option<&ColumnScan>, &ConstraintScan)> {
        let of_columns = self.columns.iter().flat_map(|column| {
            let constraints = column.constraints.iter();
            constraints.map(move |constraint| (Some(column), constraint))
        });
        of_columns.chain(self.constraints.iter().map(|constraint| (None, constraint)))
    }
}

impl ColumnScan {
    /// The declared type as SQLite knows it: if it begins with a quote, without quotes.
    pub fn type_name<'a>(&self, text: &'a str) -> Cow<'a, str> {
        const QUOTES: [char; 4] = ['"', '\'', '`', '['];
        let declared = self.declared_type.of(text);
        let Some(behind) = declared.strip_prefix(QUOTES) else {
            return declared.into();
        };
        // SQLite drops the last character, whatever it is, if there is no other quote.
        match behind.strip_suffix(|last: char| last.is_ascii()) {
            Some(inside) if !inside.is_empty() && !inside.contains(QUOTES) => inside.into(),
            _ => {
                let first = significant(declared).next();
                let name = first.and_then(|it| unquoted(it.kind, &declared[it.start..it.end]));
                name.unwrap_or_else(|| declared.into())
            }
        }
    }

    /// The definitions of the column's constraints and other clauses.
    pub fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.constraints
            .iter()
            .map(|constraint| &constraint.definition)
    }
}

/// Reads a CREATE TABLE.
///
/// # Errors
/// Fails when SQLite would not keep such a text.
pub fn scan_table(text: &str) -> Result<TableScan, ScanError> {
    let mut cursor = create(text, &["TABLE"])?;
    let name = cursor.qualified_name()?;
    cursor.expect_symbol("(")?;
    let start = cursor.end();
    let (mut columns, mut constraints) = (Vec::new(), Vec::new());
    loop {
        if starts_table_constraint(&cursor) {
            constraints.push(table_constraint(&mut cursor)?);
        } else {
            columns.push(column(&mut cursor)?);
        }
        // The comma between two table constraints may be missing.
        let another =
            cursor.eat_symbol(",") || !constraints.is_empty() && starts_table_constraint(&cursor);
        if !another {
            break;
        }
    }
    let end = cursor.start();
    cursor.expect_symbol(")")?;
    let (mut strict, mut without_rowid) = (false, false);
    while !cursor.is_done() {
        if cursor.eat("STRICT") {
            strict = true;
        } else {
            cursor.expect("WITHOUT")?;
            cursor.expect("ROWID")?;
            without_rowid = true;
        }
        if !cursor.eat_symbol(",") && !cursor.is_done() {
            return Err(cursor.error());
        }
    }
    Ok(TableScan {
        name,
        columns,
        constraints,
        body: Span { start, end },
        strict,
        without_rowid,
    })
}

fn column(cursor: &mut Cursor<'_>) -> Result<ColumnScan, ScanError> {
    let start = cursor.start();
    let name = cursor.name()?;
    let declared_type = declared_type(cursor)?;
    let mut constraints = Vec::new();
    while let Some(constraint) = column_constraint(cursor, &name.name)? {
        constraints.push(constraint);
    }
    Ok(ColumnScan {
        name,
        declared_type,
        constraints,
        span: cursor.since(start),
    })
}

/// Takes any number of names, and one or two numbers in parentheses.
fn declared_type(cursor: &mut Cursor<'_>) -> Result<Span, ScanError> {
    const BEHIND_TYPES: [&str; 11] = [
        "CONSTRAINT",
        "PRIMARY",
        "NOT",
        "NULL",
        "UNIQUE",
        "CHECK",
        "DEFAULT",
        "COLLATE",
        "REFERENCES",
        "AS",
        "DEFERRABLE",
    ];
    let start = cursor.start();
    let mut any = false;
    while let Some((kind, _)) = cursor.peek() {
        let is_name = matches!(
            kind,
            TokenKind::Word | TokenKind::QuotedName | TokenKind::String
        );
        if !is_name || is_generated(cursor) || cursor.is_any(&BEHIND_TYPES) {
            break;
        }
        cursor.skip();
        any = true;
    }
    if any
        && cursor
            .peek()
            .is_some_and(|(kind, _)| kind == TokenKind::Open)
    {
        cursor.parentheses()?;
    }
    let end = if any { cursor.end() } else { start };
    if is_generated(cursor) && !cursor.is_at(2, "AS") {
        // SQLite cuts these words off a type.
        cursor.skip();
        cursor.skip();
    }
    Ok(Span { start, end })
}

fn is_generated(cursor: &Cursor<'_>) -> bool {
    cursor.is("GENERATED") && cursor.is_at(1, "ALWAYS")
}
