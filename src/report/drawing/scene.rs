//! What a picture shows of a diagram.

use std::collections::{BTreeMap, BTreeSet};

use super::text::clean;
use crate::{
    arrange::Arrange as _,
    schema::{Diagram, DiagramColumn, DiagramTable, Name, Reference},
};

/// The number of columns up to which all of a table are shown. Beyond it, those that are no part of
/// a key are left out.
const MOST_COLUMNS: usize = 40;

/// The tables, columns and foreign keys of a picture.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub tables: Vec<Table<'a>>,
    pub links: Vec<Link<'a>>,
    /// The schemas of the tables, if there are several.
    pub schemas: Vec<&'a str>,
}

/// A table in a picture.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub name: &'a Name,
    /// The table; `None` if only foreign keys name it.
    pub table: Option<&'a DiagramTable>,
    /// The shown columns.
    pub rows: Vec<&'a DiagramColumn>,
    /// The columns left out.
    pub hidden: Vec<&'a DiagramColumn>,
}

/// A foreign key in a picture.
#[derive(Debug)]
pub(super) struct Link<'a> {
    pub reference: &'a Reference,
    /// The table that has the foreign key.
    pub from: usize,
    /// The rows of its columns; those of unknown columns are missing.
    pub columns: Vec<usize>,
    /// The referenced table.
    pub to: usize,
    /// The rows of the referenced columns.
    pub keys: Vec<usize>,
}

impl<'a> Scene<'a> {
    /// What is shown of `diagram`.
    pub(super) fn new(diagram: &'a Diagram) -> Self {
        let keys = key_columns(diagram);
        let mut tables: Vec<Table<'a>> = (diagram.tables.iter())
            .map(|table| Table::new(table, &keys))
            .collect();
        let known: BTreeSet<&Name> = diagram.tables.iter().map(|table| &table.name).collect();
        let missing = diagram.references.iter().flat_map(|it| [&it.from, &it.to]);
        let missing: BTreeSet<&Name> = missing.filter(|name| !known.contains(name)).collect();
        tables.extend(missing.into_iter().map(Table::missing));
        tables.arrange_by_key(|table| table.name);
        let places = tables.iter().enumerate();
        let places: BTreeMap<&Name, usize> = places.map(|(at, it)| (it.name, at)).collect();
        let links = diagram.references.iter().map(|reference| {
            let (from, to) = (places[&reference.from], places[&reference.to]);
            let referenced = match reference.referenced_columns.as_slice() {
                [] => tables[to].rows_where(|it| it.in_primary_key),
                columns => tables[to].rows_of(columns),
            };
            Link {
                reference,
                from,
                columns: tables[from].rows_of(&reference.columns),
                to,
                keys: referenced,
            }
        });
        let links = links.collect();
        let schemas = tables.iter().map(|table| table.name.schema.as_str());
        let schemas: BTreeSet<&str> = schemas.collect();
        Self {
            schemas: match schemas.len() {
                0 | 1 => Vec::new(),
                _ => schemas.into_iter().collect(),
            },
            tables,
            links,
        }
    }

    /// The number of tables, without those that only foreign keys name.
    pub(super) fn count(&self) -> usize {
        self.tables.iter().filter(|it| it.table.is_some()).count()
    }

    /// The number of tables that are marked as changed.
    pub(super) fn changed(&self) -> usize {
        self.tables.iter().filter(|it| it.is_changed()).count()
    }

    /// The name of a table in one line, with the schema if there are several.
    pub(super) fn name(&self, table: usize) -> String {
        let name = self.tables[table].name;
        match self.schemas.is_empty() {
            true => clean(&name.name).into_owned(),
            false => clean(&plain(name)).into_owned(),
        }
    }

    /// The ends of a foreign key: `orders.customer → customers.id`.
    pub(super) fn ends(&self, link: &Link<'_>) -> String {
        let end = |table: usize, columns: &[String]| {
            let columns = columns.iter().map(|it| clean(it));
            let columns: Vec<_> = columns.collect();
            match columns.as_slice() {
                [] => self.name(table),
                [column] => format!("{}.{column}", self.name(table)),
                columns => format!("{} ({})", self.name(table), columns.join(", ")),
            }
        };
        let reference = link.reference;
        format!(
            "{} → {}",
            end(link.from, &reference.columns),
            end(link.to, &reference.referenced_columns)
        )
    }

    /// The place of a table's schema among the schemas, if there are several.
    pub(super) fn schema(&self, table: &Table<'_>) -> Option<usize> {
        let name = table.name.schema.as_str();
        self.schemas.binary_search(&name).ok()
    }
}

impl<'a> Table<'a> {
    fn new(table: &'a DiagramTable, keys: &BTreeSet<(&Name, &str)>) -> Self {
        let is_key = |it: &DiagramColumn| {
            let is_part = it.in_primary_key || it.in_foreign_key || it.is_unique;
            is_part || keys.contains(&(&table.name, it.name.as_str()))
        };
        let key_count = table.columns.iter().filter(|it| is_key(it)).count();
        let mut others = match table.columns.len() <= MOST_COLUMNS {
            true => usize::MAX,
            false => MOST_COLUMNS.saturating_sub(key_count),
        };
        let (rows, hidden) = table.columns.iter().partition(|it| {
            if is_key(it) {
                return true;
            }
            let is_shown = others > 0;
            others = others.saturating_sub(1);
            is_shown
        });
        Self {
            name: &table.name,
            table: Some(table),
            rows,
            hidden,
        }
    }

    fn missing(name: &'a Name) -> Self {
        Self {
            name,
            table: None,
            rows: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// Whether the table is marked as changed.
    pub(super) fn is_changed(&self) -> bool {
        self.table.is_some_and(|table| table.is_changed)
    }

    /// `… 3 more columns`, if columns are left out.
    pub(super) fn more(&self) -> Option<String> {
        match self.hidden.len() {
            0 => None,
            1 => Some("… 1 more column".to_owned()),
            count => Some(format!("… {count} more columns")),
        }
    }

    fn rows_where(&self, wanted: impl Fn(&DiagramColumn) -> bool) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| wanted(row))
            .map(|(at, _)| at)
            .collect()
    }

    fn rows_of(&self, columns: &[String]) -> Vec<usize> {
        let row = |column: &String| self.rows.iter().position(|row| row.name == *column);
        columns.iter().filter_map(row).collect()
    }
}

impl Link<'_> {
    /// `many to one, optional`
    pub(super) fn cardinality(&self) -> String {
        let rows = if self.reference.is_unique {
            "one"
        } else {
            "many"
        };
        let optional = if self.reference.is_optional {
            ", optional"
        } else {
            ""
        };
        format!("{rows} to one{optional}")
    }
}

/// A name as pictures show it: without quotes.
pub(super) fn plain(name: &Name) -> String {
    match name.schema.as_str() {
        "" => name.name.clone(),
        schema => format!("{schema}.{}", name.name),
    }
}

/// The columns at the ends of foreign keys.
fn key_columns(diagram: &Diagram) -> BTreeSet<(&Name, &str)> {
    let ends = diagram
        .references
        .iter()
        .flat_map(|it| [(&it.from, &it.columns), (&it.to, &it.referenced_columns)]);
    ends.flat_map(|(table, columns)| columns.iter().map(move |column| (table, column.as_str())))
        .collect()
}

/// Diagrams for tests.
#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A table with columns.
    pub(in super::super) fn table(name: Name, columns: &[DiagramColumn]) -> DiagramTable {
        DiagramTable {
            name,
            comment: None,
            columns: columns.to_vec(),
            is_changed: false,
        }
    }

    /// A column; `pk`, `fk`, `uk` and `!` among `marks` set its marks.
    pub(in super::super) fn column(name: &str, data_type: &str, marks: &str) -> DiagramColumn {
        DiagramColumn {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            in_primary_key: marks.contains("pk"),
            in_foreign_key: marks.contains("fk"),
            is_unique: marks.contains("uk"),
            not_null: marks.contains('!') || marks.contains("pk"),
            comment: None,
        }
    }

    /// A foreign key `(table, columns) → (table, columns)`.
    pub(in super::super) fn reference(
        (from, columns): (&Name, &[&str]),
        (to, referenced): (&Name, &[&str]),
    ) -> Reference {
        let owned = |columns: &[&str]| columns.iter().map(|&it| it.to_owned()).collect();
        Reference {
            from: from.clone(),
            columns: owned(columns),
            to: to.clone(),
            referenced_columns: owned(referenced),
            is_optional: false,
            is_unique: false,
        }
    }

    /// Two tables with a foreign key; the second one is marked as changed.
    pub(in super::super) fn shop() -> Diagram {
        let (customers, orders) = (Name::new("", "customers"), Name::new("", "orders"));
        let mut changed = table(
            orders.clone(),
            &[
                column("id", "bigint", "pk"),
                column("customer", "bigint", "fk"),
                column("placed at", "timestamp with time zone", "!"),
            ],
        );
        changed.is_changed = true;
        changed.comment = Some("What customers \"want\"".to_owned());
        let mut reference = reference((&orders, &["customer"]), (&customers, &["id"]));
        reference.is_optional = true;
        Diagram {
            tables: vec![
                table(
                    customers,
                    &[column("id", "bigint", "pk"), column("email", "text", "uk!")],
                ),
                changed,
            ],
            references: vec![reference],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::*, *};

    #[test]
    fn keys_are_shown_of_any_number_of_columns() {
        let (wide, other) = (Name::new("a", "wide"), Name::new("b", "other"));
        let mut columns: Vec<DiagramColumn> = (0..100)
            .map(|at| column(&format!("c{at}"), "text", ""))
            .collect();
        columns[90].in_primary_key = true;
        let diagram = Diagram {
            tables: vec![
                table(wide.clone(), &columns),
                table(other.clone(), &columns[..40]),
            ],
            references: vec![
                reference((&wide, &["c95"]), (&other, &["c3"])),
                reference((&other, &["c1"]), (&wide, &[])),
                reference((&other, &["c2"]), (&Name::new("c", "gone"), &["id"])),
            ],
        };
        let scene = Scene::new(&diagram);
        assert_eq!(scene.schemas, ["a", "b", "c"]);
        assert_eq!(scene.count(), 2);
        let [first, second, gone] = scene.tables.as_slice() else {
            panic!("{scene:?}");
        };
        assert_eq!((first.rows.len(), first.hidden.len()), (40, 60));
        assert_eq!(first.more().as_deref(), Some("… 60 more columns"));
        let last: Vec<_> = first.rows[37..].iter().map(|it| it.name.as_str()).collect();
        assert_eq!(last, ["c37", "c90", "c95"]);
        assert_eq!((second.rows.len(), second.more()), (40, None));
        assert!(gone.table.is_none());
        assert_eq!(scene.links[0].columns, [39]);
        assert_eq!(scene.links[1].keys, [38]);
        assert_eq!(scene.links[2].keys, [0; 0]);
        assert_eq!(scene.ends(&scene.links[0]), "a.wide.c95 → b.other.c3");
    }
}
