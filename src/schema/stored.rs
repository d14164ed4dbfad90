//! The tables that hold rows, and the columns by which their rows are compared.

use std::collections::HashSet;

use super::{Facts, Name, Object, Schema, name::folded, rows::RowColumn};
use crate::{arrange::Arrange as _, sql::Dialect};

/// The column that stands for the rowid of a SQLite table.
pub const ROWID: &str = "rowid";

/// A table that holds rows itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTable {
    /// The name; in lower case where the dialect folds names.
    pub name: Name,
    /// The columns with values of their own. [`ROWID`] is among them if rows are identified by it.
    pub columns: Vec<RowColumn>,
}

impl Schema {
    /// The tables that hold rows, sorted. Partitioned tables and foreign tables hold none. Values of
    /// generated columns are not compared, since they follow from the others.
    pub fn stored_tables(&self) -> Vec<StoredTable> {
        self.stored_tables_where(|_| true)
    }

    /// Those of the tables that hold rows whose names, as [`StoredTable::name`] has them, are `wanted`.
    pub fn stored_tables_where(&self, wanted: impl Fn(&Name) -> bool) -> Vec<StoredTable> {
        let objects = self.objects.iter().filter(|object| !object.id.is_part());
        let tables = objects.filter_map(|object| {
            let name = table_name(object.id.qualified(), self.dialect);
            wanted(&name).then(|| self.stored(object, name))?
        });
        tables.collect()
    }

    fn stored(&self, table: &Object, name: Name) -> Option<StoredTable> {
        let parts = self.parts(&table.id.qualified());
        let columns = match &table.facts {
            Facts::Table(facts) if facts.partition_by.is_none() && facts.foreign.is_none() => {
                ordinary(parts)
            }
            Facts::SqliteTable(facts) => {
                let mut columns = ordinary(parts);
                if !facts.without_rowid && !has_rowid_alias(parts) {
                    columns.push(rowid(&columns));
                }
                columns
            }
            Facts::SqliteVirtualTable(facts) => {
                let shown = facts.columns.iter().filter(|column| !column.hidden);
                let mut columns: Vec<RowColumn> = shown
                    .map(|column| RowColumn {
                        name: column.name.to_ascii_lowercase(),
                        data_type: String::new(),
                        is_key: false,
                    })
                    .collect();
                columns.push(rowid(&columns));
                columns
            }
            _ => return None,
        };
        Some(StoredTable { name, columns })
    }
}

/// A name as [`StoredTable::name`] has it.
pub fn table_name(name: Name, dialect: Dialect) -> Name {
    match dialect.folds_names() {
        true => Name::new(name.schema, folded(&name.name).into_owned()),
        false => name,
    }
}

/// The columns among the parts of a table.
fn ordinary(parts: &[Object]) -> Vec<RowColumn> {
    let keys: HashSet<String> = parts.iter().flat_map(primary_key).collect();
    let mut columns = Vec::new();
    for part in parts {
        let (position, name, data_type) = match &part.facts {
            Facts::Column(column) if column.generated.is_none() => (
                i64::from(column.position),
                part.id.name.clone(),
                column.data_type.clone(),
            ),
            Facts::SqliteColumn(column) if column.generated.is_none() => (
                i64::from(column.position),
                part.id.name.to_ascii_lowercase(),
                column.declared_type.canonical().to_ascii_lowercase(),
            ),
            _ => continue,
        };
        let is_key = keys.contains(&name);
        let column = RowColumn {
            name,
            data_type,
            is_key,
        };
        columns.push((position, column));
    }
    columns.arrange_by_key(|(position, _)| *position);
    columns.into_iter().map(|(_, column)| column).collect()
}

fn primary_key(part: &Object) -> Vec<String> {
    match &part.facts {
        Facts::Key(key) if part.id.kind == super::Kind::PrimaryKey => key.columns.clone(),
        Facts::SqlitePrimaryKey(key) => {
            let columns = key.columns.iter();
            columns
                .map(|column| column.column.to_ascii_lowercase())
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a column of a SQLite table is another name of the rowid.
fn has_rowid_alias(parts: &[Object]) -> bool {
    let key = parts.iter().find_map(|part| match &part.facts {
        Facts::SqlitePrimaryKey(key) if !key.not_rowid => Some(key),
        _ => None,
    });
    let Some([column]) = key.map(|key| key.columns.as_slice()) else {
        return false;
    };
    parts.iter().any(|part| match &part.facts {
        Facts::SqliteColumn(facts) => {
            column.column == *part.id.name && facts.declared_type.eq_ignore_ascii_case("integer")
        }
        _ => false,
    })
}

/// The rowid, which identifies the rows of tables without another key.
fn rowid(others: &[RowColumn]) -> RowColumn {
    RowColumn {
        name: ROWID.to_owned(),
        data_type: String::new(),
        is_key: others.iter().all(|column| !column.is_key),
    }
}
