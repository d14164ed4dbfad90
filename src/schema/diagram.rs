use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, Kind, Name, Object, ObjectId, Schema};
use crate::arrange::Arrange as _;

/// The tables of a schema and their foreign keys, as a picture shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagram {
    /// The tables by name. Partitions are left out, since they have the columns of their parent.
    pub tables: Vec<DiagramTable>,
    /// The foreign keys, by the tables that have them.
    pub references: Vec<Reference>,
}

/// A table in a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagramTable {
    /// The name.
    pub name: Name,
    /// The comment.
    pub comment: Option<String>,
    /// The columns in order.
    pub columns: Vec<DiagramColumn>,
    /// Whether the table is marked as changed.
    pub is_changed: bool,
}

/// A column in a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiagramColumn {
    /// The name.
    pub name: String,
    /// The type; empty if there is none.
    pub data_type: String,
    /// Whether the column is a part of the primary key.
    pub in_primary_key: bool,
    /// Whether the column is a part of a foreign key.
    pub in_foreign_key: bool,
    /// Whether the column is unique by itself.
    pub is_unique: bool,
    /// Whether the column refuses NULL.
    pub not_null: bool,
    /// The comment.
    pub comment: Option<String>,
}

/// A foreign key in a picture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The table that has the foreign key.
    pub from: Name,
    /// Its columns.
    pub columns: Vec<String>,
    /// The referenced table.
    pub to: Name,
    /// The referenced columns; empty for the primary key.
    pub referenced_columns: Vec<String>,
    /// Whether a row can refer to none.
    pub is_optional: bool,
    /// Whether at most one row refers to another.
    pub is_unique: bool,
}

impl Diagram {
    /// The diagram of a schema, in which the tables of `changed` are marked. A partition counts as
    /// the table that it is a part of.
    pub fn new(schema: &Schema, changed: &BTreeSet<Name>) -> Self {
        let names = Names::of(schema);
        let changed: BTreeSet<Name> = changed.iter().map(|name| names.drawn(name)).collect();
        let mut diagram = Self::default();
        for object in schema.objects.iter().filter(|object| is_drawn(object)) {
            let name = object.id.qualified();
            let parts = Parts::of(schema, &name);
            diagram.references.extend(parts.references(&name));
            diagram.tables.push(DiagramTable {
                columns: parts.columns(schema),
                comment: object.comment.clone(),
                is_changed: changed.contains(&name),
                name,
            });
        }
        diagram.tables.arrange_by(|a, b| a.name.cmp(&b.name));
        diagram.resolve(&names);
        diagram.references.arrange();
        diagram
    }

    /// Spells the names in references as the tables and columns do.
    fn resolve(&mut self, names: &Names<'_>) {
        let columns = self.tables.iter().map(|table| {
            let columns = table.columns.iter().map(|column| column.name.clone());
            (table.name.clone(), columns.collect())
        });
        let columns: BTreeMap<Name, Vec<String>> = columns.collect();
        for reference in &mut self.references {
            reference.to = names.drawn(&reference.to);
            let to = (&reference.to, &mut reference.referenced_columns);
            for (table, used) in [(&reference.from, &mut reference.columns), to] {
                for name in used {
                    let mut all = columns.get(table).into_iter().flatten();
                    if let Some(spelt) = all.find(|column| names.is_same(column, name)) {
                        name.clone_from(spelt);
                    }
                }
            }
        }
    }
}

/// The names of tables.
struct Names<'a> {
    /// Whether the case of names means nothing.
    folds: bool,
    /// The drawn tables.
    tables: Vec<Name>,
    /// The partitioned table of each partition.
    partitions: BTreeMap<Name, &'a Name>,
}

impl<'a> Names<'a> {
    fn of(schema: &'a Schema) -> Self {
        let mut names = Self {
            folds: schema.dialect.folds_names(),
            tables: Vec::new(),
            partitions: BTreeMap::new(),
        };
        for object in &schema.objects {
            if is_drawn(object) {
                names.tables.push(object.id.qualified());
            } else if let Facts::Table(table) = &object.facts
                && let Some(partition) = &table.partition_of
            {
                names
                    .partitions
                    .insert(object.id.qualified(), &partition.parent);
            }
        }
        names.tables.arrange();
        names
    }

    fn is_same(&self, a: &str, b: &str) -> bool {
        a == b || self.folds && a.eq_ignore_ascii_case(b)
    }

    /// The name of the drawn table that `name` stands for; `name` itself if none is drawn.
    fn drawn(&self, name: &Name) -> Name {
        let mut name = name;
        // No chain of partitions is longer than there are partitions.
        for _ in 0..self.partitions.len() {
            match self.partitions.get(name) {
                Some(parent) => name = parent,
                None => break,
            }
        }
        if self.folds && self.tables.binary_search(name).is_err() {
            let mut all = self.tables.iter();
            let is_same =
                |it: &&Name| it.schema == name.schema && self.is_same(&it.name, &name.name);
            return all.find(is_same).unwrap_or(name).clone();
        }
        name.clone()
    }
}

fn is_drawn(object: &Object) -> bool {
    match &object.facts {
        Facts::Table(table) => table.partition_of.is_none(),
        Facts::SqliteTable(_) | Facts::SqliteVirtualTable(_) => true,
        _ => false,
    }
}

/// The keys of a table.
struct Parts<'a> {
    name: &'a Name,
    /// Whether the case of names means nothing.
    folds: bool,
    primary: Vec<&'a str>,
    unique: Vec<Vec<&'a str>>,
    foreign: Vec<(Vec<&'a str>, Name, Vec<String>)>,
    not_null: BTreeSet<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(schema: &'a Schema, name: &'a Name) -> Self {
        let mut parts = Self {
            name,
            folds: schema.dialect.folds_names(),
            primary: Vec::new(),
            unique: Vec::new(),
            foreign: Vec::new(),
            not_null: BTreeSet::new(),
        };
        for object in schema.parts(name) {
            parts.add(object);
        }
        parts
    }

    fn add(&mut self, object: &'a Object) {
        let key = match &object.facts {
            Facts::Key(key) => key.columns.iter().map(String::as_str).collect(),
            Facts::SqlitePrimaryKey(key) => key.columns.iter().map(|it| &*it.column).collect(),
            Facts::SqliteUnique(key) => key.columns.iter().map(|it| &*it.column).collect(),
            Facts::ForeignKey(key) => {
                let columns = key.columns.iter().map(String::as_str).collect();
                let referenced = key.referenced_columns.clone();
                return (self.foreign).push((columns, key.references.clone(), referenced));
            }
            Facts::SqliteForeignKey(key) => {
                let columns = key.columns.iter().map(|it| &**it).collect();
                // The reference can be written in another case than the table.
                let referenced = object.depends_on.first().map(ObjectId::qualified);
                let references = referenced.unwrap_or_else(|| {
                    let itself = self.is_same(&key.references, &self.name.name);
                    let name = if itself {
                        &self.name.name
                    } else {
                        &*key.references
                    };
                    Name::new("", name)
                });
                let referenced = key.referenced_columns.iter().map(ToString::to_string);
                return (self.foreign).push((columns, references, referenced.collect()));
            }
            Facts::Index(index) if index.unique && index.condition.is_none() => {
                let columns = index.keys.iter().map(|key| key.column.as_deref());
                match columns.collect::<Option<Vec<_>>>() {
                    Some(columns) => columns,
                    None => return,
                }
            }
            Facts::SqliteIndex(index) if index.unique && index.condition.is_none() => {
                let columns = index.keys.iter().map(|key| key.column.as_deref());
                match columns.collect::<Option<Vec<_>>>() {
                    Some(columns) => columns,
                    None => return,
                }
            }
            Facts::Column(column) if column.not_null.is_some() => {
                self.not_null.insert(&object.id.name);
                return;
            }
            Facts::SqliteColumn(column) if column.not_null => {
                self.not_null.insert(&object.id.name);
                return;
            }
            _ => return,
        };
        if object.id.kind == Kind::PrimaryKey {
            self.primary.clone_from(&key);
        }
        self.unique.push(key);
    }

    fn columns(&self, schema: &Schema) -> Vec<DiagramColumn> {
        let mut columns = Vec::new();
        let id = ObjectId::new(Kind::VirtualTable, &self.name.schema, &self.name.name);
        if let Some(Facts::SqliteVirtualTable(table)) = schema.get(&id).map(|it| &it.facts) {
            let shown = table.columns.iter().filter(|column| !column.hidden);
            let shown = shown.map(|column| DiagramColumn {
                name: column.name.to_string(),
                data_type: column.declared_type.to_string(),
                ..DiagramColumn::default()
            });
            return shown.collect();
        }
        for object in schema.parts(self.name) {
            let (position, data_type) = match &object.facts {
                Facts::Column(column) => (i64::from(column.position), column.data_type.clone()),
                Facts::SqliteColumn(column) => {
                    (i64::from(column.position), column.declared_type.to_string())
                }
                _ => continue,
            };
            let name = object.id.name.as_str();
            let column = DiagramColumn {
                name: name.to_owned(),
                data_type,
                in_primary_key: self.has(&self.primary, name),
                in_foreign_key: self.foreign.iter().any(|key| self.has(&key.0, name)),
                is_unique: (self.unique.iter()).any(|key| key.len() == 1 && self.has(key, name)),
                not_null: self.is_not_null(name),
                comment: object.comment.clone(),
            };
            columns.push((position, column));
        }
        columns.arrange_by_key(|(position, _)| *position);
        columns.into_iter().map(|(_, column)| column).collect()
    }

    fn is_same(&self, a: &str, b: &str) -> bool {
        a == b || self.folds && a.eq_ignore_ascii_case(b)
    }

    fn has(&self, names: &[&str], name: &str) -> bool {
        names.iter().any(|other| self.is_same(other, name))
    }

    fn is_not_null(&self, column: &str) -> bool {
        let mut declared = self.not_null.iter();
        declared.any(|name| self.is_same(name, column)) || self.has(&self.primary, column)
    }

    fn references(&self, from: &Name) -> Vec<Reference> {
        let keys = self.foreign.iter();
        keys.map(|(columns, to, referenced)| Reference {
            from: from.clone(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            to: to.clone(),
            referenced_columns: referenced.clone(),
            is_optional: !columns.iter().all(|column| self.is_not_null(column)),
            is_unique: self
                .unique
                .iter()
                .any(|key| key.iter().all(|column| self.has(columns, column))),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::{ObjectId, postgres, sqlite},
        sql::Dialect,
    };

    #[test]
    fn tables_have_their_columns_and_keys() {
        let orders = Name::new("shop", "orders");
        let column = |name: &str, position| {
            let facts = postgres::Column {
                data_type: "bigint".into(),
                position,
                ..Default::default()
            };
            Object::new(ObjectId::part(Kind::Column, &orders, name), facts)
        };
        let primary = postgres::Key {
            columns: vec!["id".into()],
            ..Default::default()
        };
        let foreign = postgres::ForeignKey {
            columns: vec!["customer".into()],
            references: Name::new("shop", "customers"),
            referenced_columns: vec!["id".into()],
            ..Default::default()
        };
        let schema = Schema::new(
            Dialect::Postgres,
            vec![
                Object::new(
                    ObjectId::new(Kind::Table, "shop", "orders"),
                    postgres::Table::default(),
                ),
                column("id", 2),
                column("customer", 1),
                Object::new(ObjectId::part(Kind::PrimaryKey, &orders, "pk"), primary),
                Object::new(ObjectId::part(Kind::ForeignKey, &orders, "fk"), foreign),
            ],
        );
        let diagram = Diagram::new(&schema, &BTreeSet::from([orders.clone()]));
        let [table] = diagram.tables.as_slice() else {
            panic!("{diagram:?}");
        };
        assert!(table.is_changed);
        let names: Vec<_> = table.columns.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["customer", "id"]);
        assert!(table.columns[0].in_foreign_key && !table.columns[0].not_null);
        assert!(table.columns[1].in_primary_key && table.columns[1].not_null);
        let [reference] = diagram.references.as_slice() else {
            panic!("{diagram:?}");
        };
        assert!(reference.is_optional && !reference.is_unique);
    }

    fn table(name: &Name, partition_of: Option<&Name>) -> Object {
        let partition_of = partition_of.map(|parent| postgres::Partition {
            parent: parent.clone(),
            ..Default::default()
        });
        let facts = postgres::Table {
            partition_of,
            ..Default::default()
        };
        Object::new(ObjectId::new(Kind::Table, &name.schema, &name.name), facts)
    }

    #[test]
    fn partitions_stand_for_their_table() {
        let [events, year, month] =
            ["events", "events_2026", "events_2026_01"].map(|name| Name::new("log", name));
        let notes = Name::new("log", "notes");
        let foreign = postgres::ForeignKey {
            columns: vec!["event".into()],
            references: month.clone(),
            ..Default::default()
        };
        let schema = Schema::new(
            Dialect::Postgres,
            vec![
                table(&events, None),
                table(&year, Some(&events)),
                table(&month, Some(&year)),
                table(&notes, None),
                Object::new(ObjectId::part(Kind::ForeignKey, &notes, "fk"), foreign),
            ],
        );
        let diagram = Diagram::new(&schema, &BTreeSet::from([month]));
        let drawn = diagram.tables.iter().map(|it| (&it.name, it.is_changed));
        assert!(drawn.eq([(&events, true), (&notes, false)]));
        assert_eq!(diagram.references[0].to, events);
    }

    #[test]
    fn references_are_spelt_as_the_tables_are() {
        let (users, posts) = (Name::new("", "Users"), Name::new("", "posts"));
        let column = |table: &Name, name: &str| {
            Object::new(
                ObjectId::part(Kind::Column, table, name),
                sqlite::Column::default(),
            )
        };
        let foreign = sqlite::ForeignKey {
            columns: vec!["AUTHOR".into()],
            references: "USERS".into(),
            referenced_columns: vec!["id".into()],
            ..Default::default()
        };
        let of = |name: &Name| {
            Object::new(
                ObjectId::new(Kind::Table, "", &name.name),
                sqlite::Table::default(),
            )
        };
        let schema = Schema::new(
            Dialect::Sqlite,
            vec![
                of(&users),
                column(&users, "ID"),
                of(&posts),
                column(&posts, "author"),
                Object::new(ObjectId::part(Kind::ForeignKey, &posts, "fk"), foreign),
            ],
        );
        let diagram = Diagram::new(&schema, &BTreeSet::from([Name::new("", "users")]));
        let [reference] = diagram.references.as_slice() else {
            panic!("{diagram:?}");
        };
        assert_eq!(reference.to, users);
        assert_eq!(
            (&*reference.columns[0], &*reference.referenced_columns[0]),
            ("author", "ID")
        );
        assert!(diagram.tables[0].is_changed && diagram.tables[1].columns[0].in_foreign_key);
    }
}
