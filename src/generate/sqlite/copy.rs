//! Which columns of a table get which values of the rows of the one before.

use super::{
    table::{Affinity, Column, Table, affinity},
    text::is_null,
};
use crate::{
    generate::{Fill, Loss, LossKind},
    schema::{
        Facts, Object,
        sqlite::{KeyColumn, quoted},
    },
};

/// How the rows of a table get into the one that takes its place.
#[derive(Debug, Default)]
pub(super) struct Copy {
    /// The columns that are filled.
    pub targets: Vec<String>,
    /// Their values, over the columns of the old table.
    pub values: Vec<String>,
    /// What the conversion of values loses.
    pub losses: Vec<Loss>,
    /// What makes it fail.
    pub notes: Vec<String>,
}

impl Copy {
    /// The copy of the rows of `old` into `new`.
    pub fn new(old: &Table<'_>, new: &Table<'_>, fills: &[Fill]) -> Self {
        let mut copy = Self::default();
        if let (Some(target), Some(value)) = (new.rowid(), rowid_of(old)) {
            copy.add(target, value);
        }
        for column in new.columns.iter().filter(|column| !column.is_generated()) {
            copy.add_column(old, new, *column, fills);
        }
        if new.facts.strict && !old.facts.strict {
            let note = "Fails if a value does not have the type of its column.";
            copy.notes.push(note.to_owned());
        }
        copy.notes.extend(tightened(old, new));
        if copy.targets.is_empty() {
            // Each row needs some value.
            let first = new.columns.iter().find(|column| !column.is_generated());
            if let Some(first) = first {
                let default = first.facts.default.as_ref();
                let value = default.map_or("NULL", |default| &**default);
                copy.add(first.name(), value.to_owned());
            }
        }
        copy
    }

    fn add(&mut self, target: &str, value: String) {
        self.targets.push(quoted(target).into_owned());
        self.values.push(value);
    }

    fn add_column(&mut self, old: &Table<'_>, new: &Table<'_>, column: Column<'_>, fills: &[Fill]) {
        let name = column.name();
        let fill = fill(new, column, fills).map(|fill| fill.expression.as_str());
        let default = column.facts.default.as_ref();
        let default = default.filter(|it| !is_null(it)).map(|it| &**it);
        let Some(before) = old.column(name) else {
            let is_alias = new.alias().is_some_and(|alias| alias.is(name));
            match fill {
                Some(fill) => self.add(name, fill.to_owned()),
                None if is_alias => {
                    if let Some(rowid) = rowid_of(old) {
                        self.add(name, rowid);
                    }
                }
                None if new.refuses_null(column) && default.is_none() => {
                    self.notes.push(format!(
                        "Fails if there are rows: {} refuses NULL and has no default.",
                        quoted(name)
                    ));
                }
                None => {}
            }
            return;
        };
        let mut value = self.converted(old, before, new, column);
        if new.refuses_null(column) && !old.refuses_null(before) {
            match (fill, default) {
                (Some(fill), _) => value = format!("coalesce({value}, {fill})"),
                (None, Some(default)) => {
                    value = format!("coalesce({value}, {default})");
                    let note = format!("Rows with NULL in {} get its default.", quoted(name));
                    self.notes.push(note);
                }
                (None, None) => {
                    let note = format!("Fails if a row has NULL in {}.", quoted(name));
                    self.notes.push(note);
                }
            }
        }
        self.add(name, value);
    }

    /// The value of a column in the type of the new one. SQLite converts it by the affinity; a cast
    /// is needed only where a STRICT table takes nothing else.
    fn converted(
        &mut self,
        old: &Table<'_>,
        before: Column<'_>,
        new: &Table<'_>,
        column: Column<'_>,
    ) -> String {
        let name = quoted(before.name()).into_owned();
        let from = affinity(&before.facts.declared_type, old.facts.strict);
        let to = affinity(&column.facts.declared_type, new.facts.strict);
        let is_exact = match (from, to) {
            (Affinity::Integer | Affinity::Numeric, Affinity::Real) => false,
            (Affinity::Real, Affinity::Text) => false,
            (Affinity::Real | Affinity::Numeric, Affinity::Integer) => !new.facts.strict,
            (Affinity::Text | Affinity::Blob, to) => {
                !matches!(to, Affinity::Integer | Affinity::Numeric | Affinity::Real)
            }
            _ => true,
        };
        if !is_exact {
            self.losses.push(Loss {
                object: before.id.clone(),
                kind: LossKind::Precision,
            });
        }
        let is_blob = column.facts.declared_type.eq_ignore_ascii_case("blob");
        match (from, to) {
            (Affinity::Blob, Affinity::Text) if new.facts.strict => format!("CAST({name} AS TEXT)"),
            (from, Affinity::Blob) if new.facts.strict && is_blob && from != to => {
                format!("CAST({name} AS BLOB)")
            }
            _ => name,
        }
    }

    /// `INSERT INTO target (…) SELECT … FROM source`.
    pub fn statement(&self, target: &str, source: &str, overrides_conflicts: bool) -> String {
        let verb = match overrides_conflicts {
            // Otherwise ON CONFLICT IGNORE and REPLACE would drop rows.
            true => "INSERT OR ABORT INTO",
            false => "INSERT INTO",
        };
        format!(
            "{verb} {} ({})\nSELECT {}\nFROM {}",
            quoted(target),
            self.targets.join(", "),
            self.values.join(", "),
            quoted(source)
        )
    }
}

/// The constraints that only the new table has, as notes of how the copy fails.
fn tightened(old: &Table<'_>, new: &Table<'_>) -> Vec<String> {
    let names = |columns: &[KeyColumn]| {
        let names = columns.iter().map(|it| quoted(&it.column));
        names.collect::<Vec<_>>().join(", ")
    };
    let is_new = |part: &&Object| !old.parts.iter().any(|it| it.facts.is_same(&part.facts));
    let parts = new.parts.iter().filter(is_new);
    let note = |part: &Object| match &part.facts {
        Facts::SqlitePrimaryKey(key) => Some(format!(
            "Fails if two rows have the same {}.",
            names(&key.columns)
        )),
        Facts::SqliteUnique(key) => Some(format!(
            "Fails if two rows have the same {}.",
            names(&key.columns)
        )),
        Facts::SqliteCheck(check) => Some(format!(
            "Fails if a row violates CHECK ({}).",
            check.expression
        )),
        Facts::SqliteForeignKey(key) => Some(format!(
            "Fails if a row has no parent in {}.",
            quoted(&key.references)
        )),
        _ => None,
    };
    parts.filter_map(note).collect()
}

/// The expression of the rowid of a table that has one.
fn rowid_of(table: &Table<'_>) -> Option<String> {
    let alias = table.alias();
    let alias = alias.map(|alias| quoted(alias.name()).into_owned());
    alias.or_else(|| table.rowid().map(str::to_owned))
}

/// What was requested for a column.
pub(super) fn fill<'a>(
    table: &Table<'_>,
    column: Column<'_>,
    fills: &'a [Fill],
) -> Option<&'a Fill> {
    fills
        .iter()
        .find(|fill| fill.table.name.eq_ignore_ascii_case(table.name()) && column.is(&fill.column))
}
