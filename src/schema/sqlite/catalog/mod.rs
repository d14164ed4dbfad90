//! Makes the objects of a schema from the rows of sqlite_schema.

mod parts;
mod table;

use std::collections::{HashMap, HashSet};

use super::{
    Expression, Index, Trigger, View, VirtualColumn, VirtualTable,
    scan::{self, ScanError, TableScan},
};
use crate::{
    schema::{Kind, Object, ObjectId, Schema, Scope, Unreadable, name::folded},
    sql::Dialect,
};

/// A row of sqlite_schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRow {
    /// The column `type`.
    pub kind: RowKind,
    /// The name.
    pub name: String,
    /// The table of an index or a trigger; of others, the name.
    pub table: String,
    /// The text.
    pub sql: String,
}

/// The type of a row of sqlite_schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A table of any kind.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A trigger.
    Trigger,
}

impl RowKind {
    /// The type with this name in sqlite_schema.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "table" => Some(Self::Table),
            "index" => Some(Self::Index),
            "view" => Some(Self::View),
            "trigger" => Some(Self::Trigger),
            _ => None,
        }
    }
}

/// A row of PRAGMA table_list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTable {
    /// The type.
    pub table_type: TableType,
    /// The number of columns, including generated and hidden ones.
    pub columns: usize,
    /// Whether the table is WITHOUT ROWID.
    pub without_rowid: bool,
    /// Whether the table is STRICT.
    pub strict: bool,
}

/// The type of a table in PRAGMA table_list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableType {
    /// An ordinary table.
    Ordinary,
    /// A virtual table.
    Virtual,
    /// A table in which a virtual table keeps its rows.
    Shadow,
    /// A view.
    View,
}

/// A row of PRAGMA table_xinfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PragmaColumn {
    /// The name.
    pub name: String,
    /// The declared type.
    pub declared_type: String,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// The text of the default.
    pub default: Option<String>,
    /// The place in the primary key, from 1; 0 for other columns.
    pub primary_key: usize,
    /// 1 for hidden columns, 2 and 3 for generated ones, of which 3 are stored.
    pub hidden: i64,
}

/// What a database says about its objects.
///
/// The texts tell everything about ordinary tables, and table_list whether they were understood.
/// Of virtual tables and of texts that are not understood, table_xinfo tells the columns.
#[derive(Debug)]
pub struct Catalog {
    rows: Vec<SchemaRow>,
    listed: HashMap<String, ListedTable>,
    /// What the texts of ordinary tables say, by name.
    scans: HashMap<String, TableScan>,
    /// The columns of other tables, by name.
    columns: HashMap<String, Vec<PragmaColumn>>,
    /// The shadow tables of virtual tables, by name.
    shadows: HashMap<String, Vec<String>>,
}

/// What is known of all objects while one of them is made.
struct Context<'a> {
    scans: &'a HashMap<String, TableScan>,
    /// The tables and views by name.
    relations: HashMap<String, ObjectId>,
}

/// The objects that were made.
#[derive(Default)]
struct Made {
    objects: Vec<Object>,
    unreadable: Vec<Unreadable>,
}

impl Catalog {
    /// A catalog of all rows of sqlite_schema that have a text, and of the tables in table_list by
    /// name. Objects of SQLite itself and shadow tables are left out.
    pub fn new(
        rows: Vec<SchemaRow>,
        listed: impl IntoIterator<Item = (String, ListedTable)>,
    ) -> Self {
        let listed = listed.into_iter();
        let listed = listed.map(|(name, table)| (folded(&name).into_owned(), table));
        let mut catalog = Self {
            rows,
            listed: listed.collect(),
            scans: HashMap::new(),
            columns: HashMap::new(),
            shadows: HashMap::new(),
        };
        catalog.set_shadows_aside();
        for row in &catalog.rows {
            if row.kind == RowKind::Table
                && let Some(scan) = catalog.scanned(row)
            {
                catalog.scans.insert(folded(&row.name).into_owned(), scan);
            }
        }
        catalog
    }

    /// Leaves out objects of SQLite itself and shadow tables.
    fn set_shadows_aside(&mut self) {
        let mut hidden = HashSet::new();
        let rows = self.rows.iter().filter(|row| row.kind == RowKind::Table);
        for row in rows {
            let key = folded(&row.name).into_owned();
            if self.type_of(&key) == Some(TableType::Shadow) {
                // SQLite tells a shadow table by the name before the last underscore.
                let owner = key.rsplit_once('_').map_or("", |(owner, _)| owner);
                let shadows = self.shadows.entry(owner.to_owned()).or_default();
                shadows.push(row.name.clone());
                hidden.insert(key);
            }
        }
        for shadows in self.shadows.values_mut() {
            shadows.sort_unstable();
        }
        self.rows.retain(|row| {
            let is_own = |name: &str| {
                let start = name.get(..7);
                start.is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
            };
            !is_own(&row.name) && !is_own(&row.table) && !hidden.contains(&*folded(&row.table))
        });
    }

    fn type_of(&self, key: &str) -> Option<TableType> {
        self.listed.get(key).map(|listed| listed.table_type)
    }

    /// What the text of an ordinary table says, unless SQLite read it otherwise.
    fn scanned(&self, row: &SchemaRow) -> Option<TableScan> {
        let listed = self.listed.get(&*folded(&row.name));
        if listed.is_some_and(|listed| listed.table_type != TableType::Ordinary) {
            return None;
        }
        let scan = scan::scan_table(&row.sql).ok()?;
        let agrees = listed.is_none_or(|listed| {
            listed.columns == scan.columns.len()
                && listed.without_rowid == scan.without_rowid
                && listed.strict == scan.strict
        });
        agrees.then_some(scan)
    }

    /// The tables whose columns are not known from their texts.
    pub fn unexplained(&self) -> Vec<String> {
        let tables = self.rows.iter().filter(|row| {
            row.kind == RowKind::Table && !self.scans.contains_key(&*folded(&row.name))
        });
        tables.map(|row| row.name.clone()).collect()
    }

    /// Adds the columns of one of [`Self::unexplained`].
    pub fn explain(&mut self, table: &str, columns: Vec<PragmaColumn>) {
        self.columns.insert(folded(table).into_owned(), columns);
    }

    /// The name and the names of the columns of an ordinary table.
    pub fn columns_of(&self, table: &str) -> Option<(&str, Vec<&str>)> {
        let scan = self.scans.get(&*folded(table))?;
        let columns = scan.columns.iter().map(|column| column.name.name.as_str());
        Some((&scan.name.name, columns.collect()))
    }

    /// Leaves out tables with all their parts.
    pub fn leave_out(&mut self, tables: &[&str]) {
        let is_out = |name: &str| tables.iter().any(|table| table.eq_ignore_ascii_case(name));
        self.rows.retain(|row| !is_out(&row.table));
    }

    /// The schema of all objects in `scope`.
    pub fn into_schema(mut self, scope: &Scope) -> Schema {
        let context = Context {
            relations: self.relations(),
            scans: &self.scans,
        };
        let mut made = Made {
            objects: Vec::with_capacity(self.rows.len() * 4),
            unreadable: Vec::new(),
        };
        for row in std::mem::take(&mut self.rows) {
            let key = folded(&row.name).into_owned();
            match row.kind {
                RowKind::Table if self.type_of(&key) == Some(TableType::Virtual) => {
                    let columns = self.columns.remove(&key).unwrap_or_default();
                    let shadows = self.shadows.remove(&key).unwrap_or_default();
                    context.add_virtual_table(row, columns, shadows, &mut made);
                }
                RowKind::Table => match self.scans.get(&key) {
                    Some(scan) => context.add_table(row, scan, &mut made),
                    None => {
                        let columns = self.columns.remove(&key).unwrap_or_default();
                        let listed = self.listed.get(&key);
                        context.add_unreadable_table(row, listed, &columns, &mut made);
                    }
                },
                RowKind::Index => context.add_index(row, &mut made),
                RowKind::View => context.add_view(row, &mut made),
                RowKind::Trigger => context.add_trigger(row, &mut made),
            }
        }
        let Made {
            mut objects,
            mut unreadable,
        } = made;
        if !scope.is_everything() {
            objects.retain(|object| scope.holds(&object.id));
            unreadable.retain(|unreadable| scope.holds(&unreadable.id));
        }
        unreadable.sort_unstable();
        let schema = Schema::new(Dialect::Sqlite, objects);
        Schema {
            unreadable,
            ..schema
        }
    }

    fn relations(&self) -> HashMap<String, ObjectId> {
        let relations = self.rows.iter().filter_map(|row| {
            let key = folded(&row.name).into_owned();
            let kind = match row.kind {
                RowKind::Table if self.type_of(&key) == Some(TableType::Virtual) => {
                    Kind::VirtualTable
                }
                RowKind::Table => Kind::Table,
                RowKind::View => Kind::View,
                RowKind::Index | RowKind::Trigger => return None,
            };
            Some((key, ObjectId::new(kind, "", &row.name)))
        });
        relations.collect()
    }
}

impl Context<'_> {
    /// The table or view with this name.
    fn relation(&self, name: &str) -> Option<&ObjectId> {
        self.relations.get(&*folded(name))
    }

    /// The identity of a part of the table or view `parent`.
    fn part(&self, kind: Kind, parent: &str, name: &str) -> ObjectId {
        // A trigger names its table in any case.
        let known = self.relation(parent);
        let parent = known.map_or(parent, |known| known.name.as_str());
        ObjectId::part(kind, &super::name(parent), name)
    }

    /// The tables and views, except `own`, whose names are in `texts`.
    fn named(&self, texts: &[&Expression], own: &str) -> Vec<ObjectId> {
        let names = texts.iter().flat_map(|text| text.names());
        let found = names.filter_map(|name| self.relation(&name));
        let found = found.filter(|id| !id.name.eq_ignore_ascii_case(own));
        let mut found: Vec<ObjectId> = found.cloned().collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn add_virtual_table(
        &self,
        row: SchemaRow,
        columns: Vec<PragmaColumn>,
        shadow_tables: Vec<String>,
        made: &mut Made,
    ) {
        let id = ObjectId::new(Kind::VirtualTable, "", &row.name);
        let scan = scan::scan_virtual_table(&row.sql);
        let scan = made.understood(scan, &id, "the text of CREATE VIRTUAL TABLE");
        let columns = columns.into_iter().map(|column| VirtualColumn {
            name: column.name.into(),
            declared_type: Expression::new(&column.declared_type),
            hidden: column.hidden == 1,
        });
        let facts = match scan {
            Some(scan) => VirtualTable {
                module: scan.module.name.into(),
                arguments: expressions(&row.sql, &scan.arguments),
                ..VirtualTable::default()
            },
            None => VirtualTable {
                arguments: vec![Expression::verbatim(&row.sql)],
                ..VirtualTable::default()
            },
        };
        let depends_on = self.named(&facts.arguments.iter().collect::<Vec<_>>(), &row.name);
        let facts = VirtualTable {
            columns: columns.collect(),
            shadow_tables,
            sql: row.sql,
            ..facts
        };
        made.add(id, facts, depends_on);
    }

    fn add_index(&self, row: SchemaRow, made: &mut Made) {
        let id = self.part(Kind::Index, &row.table, &row.name);
        let scan = scan::scan_index(&row.sql);
        let facts = match made.understood(scan, &id, "the text of CREATE INDEX") {
            Some(scan) => {
                let table = self.scans.get(&*folded(&row.table));
                parts::index(&row.sql, &scan, table)
            }
            None => Index {
                condition: Some(Expression::verbatim(&row.sql)),
                ..Index::default()
            },
        };
        let facts = Index {
            sql: row.sql,
            ..facts
        };
        made.add(id, facts, Vec::new());
    }

    fn add_view(&self, row: SchemaRow, made: &mut Made) {
        let id = ObjectId::new(Kind::View, "", &row.name);
        let scan = scan::scan_view(&row.sql);
        let facts = match made.understood(scan, &id, "the text of CREATE VIEW") {
            Some(scan) => View {
                query: Expression::verbatim(scan.query.of(&row.sql)),
                columns: scan.columns,
                ..View::default()
            },
            None => View {
                query: Expression::verbatim(&row.sql),
                ..View::default()
            },
        };
        let depends_on = self.named(&[&facts.query], &row.name);
        let facts = View {
            sql: row.sql,
            ..facts
        };
        made.add(id, facts, depends_on);
    }

    fn add_trigger(&self, row: SchemaRow, made: &mut Made) {
        let id = self.part(Kind::Trigger, &row.table, &row.name);
        let scan = scan::scan_trigger(&row.sql);
        let facts = match made.understood(scan, &id, "the text of CREATE TRIGGER") {
            Some(scan) => Trigger {
                timing: scan.timing.to_owned(),
                event: scan.event.to_owned(),
                columns: scan.columns,
                condition: scan.condition.map(|it| Expression::new(it.of(&row.sql))),
                body: Expression::verbatim(scan.body.of(&row.sql)),
                ..Trigger::default()
            },
            None => Trigger {
                body: Expression::verbatim(&row.sql),
                ..Trigger::default()
            },
        };
        let mut texts = vec![&facts.body];
        texts.extend(&facts.condition);
        let depends_on = self.named(&texts, &id.parent);
        let facts = Trigger {
            sql: row.sql,
            ..facts
        };
        made.add(id, facts, depends_on);
    }
}

impl Made {
    fn add(
        &mut self,
        id: ObjectId,
        facts: impl Into<crate::schema::Facts>,
        depends_on: Vec<ObjectId>,
    ) {
        let object = Object::new(id, facts);
        self.objects.push(Object {
            depends_on,
            ..object
        });
    }

    /// What was scanned; a text that was not understood is noted as unreadable.
    fn understood<T>(
        &mut self,
        scan: Result<T, ScanError>,
        id: &ObjectId,
        what: &str,
    ) -> Option<T> {
        scan.map_err(|_| {
            self.unreadable.push(Unreadable {
                id: id.clone(),
                what: what.to_owned(),
            });
        })
        .ok()
    }
}

fn expressions(text: &str, spans: &[scan::Span]) -> Vec<Expression> {
    let spans = spans.iter();
    spans.map(|span| Expression::new(span.of(text))).collect()
}
