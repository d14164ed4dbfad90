//! Changes of a table that ALTER TABLE makes exactly.

use super::{
    copy::fill,
    table::{Column, Table},
    text::{is_constant, is_null, mentions},
};
use crate::{
    generate::{Fill, Loss, LossKind, Statement},
    schema::{
        Facts, Kind, Object, Schema, Scope, compare,
        sqlite::{
            Catalog, RowKind, SchemaRow, quoted,
            scan::{ColumnScan, ConstraintScan, Definition, TableScan, scan_table},
            significant,
        },
    },
};

/// What else than the table there is while it is altered.
pub(super) struct Surroundings<'a> {
    /// The indexes of the table that stay.
    pub indexes: Vec<&'a Object>,
    /// The texts of the views and triggers that stay and may use the table.
    pub users: Vec<&'a str>,
    /// Whether DROP COLUMN, which reads all views and triggers, understands all of them.
    pub allows_drop: bool,
}

/// The statements that make `new` of `old`; `None` if ALTER TABLE cannot.
pub(super) fn alter(
    old: &Table<'_>,
    new: &Table<'_>,
    around: &Surroundings<'_>,
    fills: &[Fill],
) -> Option<Vec<Statement>> {
    let added = missing(new, old);
    let dropped = missing(old, new);
    if added.is_empty() && dropped.is_empty() || old.name() != new.name() {
        return None;
    }
    let may_add = |column: &Column| may_add(new, *column) && fill(new, *column, fills).is_none();
    if !added.iter().all(may_add) {
        return None;
    }
    if !dropped.is_empty() && !around.allows_drop {
        return None;
    }
    let definitions = [
        definitions(new, &added, false),
        definitions(new, &added, true),
    ];
    let found = definitions.into_iter().find_map(|definitions| {
        let text = edited(old, &definitions, &dropped, around)?;
        is_same_table(old.name(), &text, &new.facts.sql).then_some(definitions)
    })?;
    let table = quoted(old.name());
    let adds = added.iter().zip(found).map(|(column, definition)| {
        let sql = format!("ALTER TABLE {table} ADD COLUMN {definition}");
        Statement::new(Some(column.id.clone()), sql)
    });
    let drops = dropped.iter().map(|column| {
        let sql = format!("ALTER TABLE {table} DROP COLUMN {}", quoted(column.name()));
        let mut statement = Statement::new(Some(column.id.clone()), sql);
        if !column.is_generated() {
            statement.losses.push(Loss {
                object: column.id.clone(),
                kind: LossKind::Values,
            });
        }
        statement
    });
    Some(adds.chain(drops).collect())
}

/// The columns of `here` that are not in `there`.
pub(super) fn missing<'a>(here: &Table<'a>, there: &Table<'_>) -> Vec<Column<'a>> {
    let columns = here.columns.iter().copied();
    columns
        .filter(|column| there.column(column.name()).is_none())
        .collect()
}

/// Whether ADD COLUMN accepts the column whatever rows there are.
fn may_add(table: &Table<'_>, column: Column<'_>) -> bool {
    let facts = column.facts;
    let mut scans = table.scan.columns.iter();
    if scans.any(|scan| column.is(&scan.name.name) && is_key(scan)) {
        return false;
    }
    if facts.generated.is_some() {
        return !facts.stored;
    }
    let default = facts.default.as_ref().filter(|it| !is_null(it));
    let refers = table
        .parts_of(Kind::ForeignKey)
        .any(|part| match &part.facts {
            Facts::SqliteForeignKey(key) => key.columns.iter().any(|it| column.is(it)),
            _ => false,
        });
    match default {
        Some(default) => is_constant(default) && !refers,
        None => !facts.not_null,
    }
}

/// The definitions of added columns. `with_constraints` moves the constraints of the table that
/// belong to them there.
fn definitions(table: &Table<'_>, added: &[Column<'_>], with_constraints: bool) -> Vec<String> {
    let text = table.facts.sql.as_str();
    let own = |column: &Column| {
        let mut scans = table.scan.columns.iter();
        let scan = scans.find(|scan| column.is(&scan.name.name));
        scan.map_or_else(String::new, |scan| scan.span.of(text).to_owned())
    };
    let mut definitions: Vec<String> = added.iter().map(own).collect();
    if !with_constraints {
        return definitions;
    }
    for constraint in &table.scan.constraints {
        let owner = |column: &Column| match &constraint.definition {
            Definition::ForeignKey(key) => match key.columns.as_slice() {
                [only] => column.is(only),
                _ => false,
            },
            Definition::Check(span) => mentions(span.of(text), column.name()),
            _ => false,
        };
        // A check may use all columns that were added before its own.
        if let Some(at) = added.iter().rposition(owner)
            && let Some(clause) = as_column_constraint(text, constraint)
        {
            definitions[at] += &format!(" {clause}");
        }
    }
    definitions
}

/// A constraint of a table in the form of a constraint of a column.
fn as_column_constraint(text: &str, constraint: &ConstraintScan) -> Option<String> {
    let whole = constraint.span.of(text);
    if !matches!(constraint.definition, Definition::ForeignKey(_)) {
        return Some(whole.to_owned());
    }
    let references = significant(whole).find(|token| {
        let word = &whole[token.start..token.end];
        word.eq_ignore_ascii_case("references")
    })?;
    let clause = &whole[references.start..];
    Some(match &constraint.name {
        Some(name) => format!("CONSTRAINT {} {clause}", name.span.of(text)),
        None => clause.to_owned(),
    })
}

/// The text of the table after the statements, as SQLite edits it; `None` if it would refuse.
fn edited(
    old: &Table<'_>,
    definitions: &[String],
    dropped: &[Column<'_>],
    around: &Surroundings<'_>,
) -> Option<String> {
    let mut text = old.facts.sql.clone();
    for definition in definitions {
        let scan = scan_table(&text).ok()?;
        let end = scan.columns.last()?.span.end;
        text.insert_str(end, &format!(", {definition}"));
    }
    for column in dropped {
        let scan = scan_table(&text).ok()?;
        text = without(&text, &scan, column.name())?;
        let indexes = around
            .indexes
            .iter()
            .filter_map(|index| match &index.facts {
                Facts::SqliteIndex(index) => Some(index.sql.as_str()),
                _ => None,
            });
        let mut others = indexes
            .chain(around.users.iter().copied())
            .chain([text.as_str()]);
        if others.any(|other| mentions(other, column.name())) {
            return None;
        }
    }
    Some(text)
}

/// The text of a table after DROP COLUMN.
fn without(text: &str, scan: &TableScan, name: &str) -> Option<String> {
    let is_named = |it: &ColumnScan| it.name.name.eq_ignore_ascii_case(name);
    let at = scan.columns.iter().position(is_named)?;
    let column = &scan.columns[at];
    if is_key(column) || scan.columns.len() == 1 {
        return None;
    }
    let (start, end) = match scan.columns.get(at + 1) {
        Some(next) => (column.span.start, next.span.start),
        None => {
            let before = scan.columns[at - 1].span.end;
            // SQLite looks backwards for the comma, and would find one in a comment.
            if text[before..column.span.start].matches(',').count() != 1 {
                return None;
            }
            (before, column.span.end)
        }
    };
    Some(format!("{}{}", &text[..start], &text[end..]))
}

/// Whether the definition of a column makes it a key.
fn is_key(column: &ColumnScan) -> bool {
    let is_key = |it: &Definition| {
        matches!(
            it,
            Definition::PrimaryKey { .. } | Definition::Unique { .. }
        )
    };
    column.definitions().any(is_key)
}

/// Whether two texts of CREATE TABLE have the same facts.
fn is_same_table(name: &str, a: &str, b: &str) -> bool {
    let schema = |sql: &str| -> Schema {
        let row = SchemaRow {
            kind: RowKind::Table,
            name: name.to_owned(),
            table: name.to_owned(),
            sql: sql.to_owned(),
        };
        Catalog::new(vec![row], []).into_schema(&Scope::default())
    };
    let (a, b) = (schema(a), schema(b));
    a.unreadable.is_empty() && b.unreadable.is_empty() && compare(&a, &b).is_empty()
}
