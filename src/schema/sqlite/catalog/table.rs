//! The objects that a CREATE TABLE makes.

use super::{Context, ListedTable, Made, PragmaColumn, SchemaRow, parts};
use crate::{
    arrange::Arrange as _,
    schema::{
        Kind, Object, ObjectId, Unreadable,
        sqlite::{
            Check, Column, Expression, ForeignKey, KeyColumn, PrimaryKey, Table, Unique,
            keywords::quoted,
            scan::{ColumnScan, ConstraintScan, Definition, TableScan},
        },
    },
};

impl Context<'_> {
    pub(super) fn add_table(&self, row: SchemaRow, scan: &TableScan, made: &mut Made) {
        let text = row.sql.as_str();
        for (position, column) in (0..).zip(&scan.columns) {
            let facts = Column {
                position,
                ..column_facts(text, column, scan)
            };
            let id = self.part(Kind::Column, &row.name, &column.name.name);
            made.add(id, facts, Vec::new());
        }
        let mut constraints = Vec::new();
        let mut autoincrement = false;
        for (column, constraint) in scan.all_constraints() {
            autoincrement |= matches!(
                constraint.definition,
                Definition::PrimaryKey {
                    autoincrement: true,
                    ..
                }
            );
            self.add_constraint(&row, scan, column, constraint, &mut constraints);
        }
        tell_apart(&mut constraints);
        made.objects.append(&mut constraints);
        let facts = Table {
            strict: scan.strict,
            without_rowid: scan.without_rowid,
            autoincrement,
            sql: row.sql,
        };
        made.add(ObjectId::new(Kind::Table, "", row.name), facts, Vec::new());
    }

    fn add_constraint(
        &self,
        row: &SchemaRow,
        scan: &TableScan,
        column: Option<&ColumnScan>,
        constraint: &ConstraintScan,
        constraints: &mut Vec<Object>,
    ) {
        let name = constraint.name.as_ref().map(|name| name.name.as_str());
        let id = |kind, unnamed: &dyn Fn() -> String| {
            let name = name.map_or_else(unnamed, str::to_owned);
            self.part(kind, &row.name, &name)
        };
        let name = name.map(Into::into);
        let object = match &constraint.definition {
            Definition::PrimaryKey {
                columns, conflict, ..
            } => {
                let id = self.part(Kind::PrimaryKey, &row.name, "");
                let facts = PrimaryKey {
                    not_rowid: is_not_rowid(&row.sql, scan, column, columns),
                    columns: parts::key_columns(columns, scan),
                    conflict: conflict.clone(),
                    name,
                };
                Object::new(id, facts)
            }
            Definition::Unique { columns, conflict } => {
                let unnamed = || in_parentheses(columns.iter().map(|key| &*key.column));
                let facts = Unique {
                    columns: parts::key_columns(columns, scan),
                    conflict: conflict.clone(),
                    name,
                };
                Object::new(id(Kind::Unique, &unnamed), facts)
            }
            Definition::Check(span) => {
                let expression = parts::expression(&row.sql, *span, scan);
                let id = id(Kind::Check, &|| format!("({})", expression.canonical()));
                Object::new(id, Check { expression, name })
            }
            Definition::ForeignKey(key) => {
                let unnamed = || {
                    let columns = in_parentheses(key.columns.iter().map(|column| &**column));
                    format!("{columns} REFERENCES {}", quoted(&key.references))
                };
                let id = id(Kind::ForeignKey, &unnamed);
                let referenced = self.relation(&key.references);
                let referenced = referenced.filter(|it| !it.name.eq_ignore_ascii_case(&row.name));
                let facts = ForeignKey {
                    name,
                    ..key.clone()
                };
                Object {
                    depends_on: referenced.cloned().into_iter().collect(),
                    ..Object::new(id, facts)
                }
            }
            Definition::Deferrable(deferred) => {
                defer_last(constraints, *deferred);
                return;
            }
            Definition::NotNull { .. }
            | Definition::Null
            | Definition::Default(_)
            | Definition::Collate(_)
            | Definition::Generated { .. }
            | Definition::NameOnly => return,
        };
        constraints.push(object);
    }

    /// Adds what the pragmas tell of a table whose text is not understood.
    pub(super) fn add_unreadable_table(
        &self,
        row: SchemaRow,
        listed: Option<&ListedTable>,
        columns: &[PragmaColumn],
        made: &mut Made,
    ) {
        for (position, column) in (0..).zip(columns) {
            let facts = Column {
                declared_type: Expression::new(&column.declared_type),
                default: column.default.as_deref().map(Expression::new),
                not_null: column.not_null,
                stored: column.hidden == 3,
                position,
                ..Column::default()
            };
            let id = self.part(Kind::Column, &row.name, &column.name);
            made.add(id, facts, Vec::new());
        }
        let mut key: Vec<_> = columns.iter().filter(|it| it.primary_key > 0).collect();
        key.arrange_by_key(|column| column.primary_key);
        if !key.is_empty() {
            let columns = key.into_iter().map(|column| KeyColumn {
                column: column.name.as_str().into(),
                ..KeyColumn::default()
            });
            let facts = PrimaryKey {
                columns: columns.collect(),
                ..PrimaryKey::default()
            };
            let id = self.part(Kind::PrimaryKey, &row.name, "");
            made.add(id, facts, Vec::new());
        }
        let id = ObjectId::new(Kind::Table, "", row.name);
        made.unreadable.push(Unreadable {
            id: id.clone(),
            what: "the text of CREATE TABLE".to_owned(),
        });
        let facts = Table {
            strict: listed.is_some_and(|listed| listed.strict),
            without_rowid: listed.is_some_and(|listed| listed.without_rowid),
            autoincrement: false,
            sql: row.sql,
        };
        made.add(id, facts, Vec::new());
    }
}

fn column_facts(text: &str, column: &ColumnScan, table: &TableScan) -> Column {
    let mut facts = Column {
        declared_type: Expression::new(&column.type_name(text)),
        collation: parts::collation(column).map(Into::into),
        ..Column::default()
    };
    for constraint in &column.constraints {
        match &constraint.definition {
            Definition::NotNull { conflict } => {
                facts.not_null = true;
                facts.not_null_name = constraint.name.as_ref().map(|it| it.name.as_str().into());
                facts.not_null_conflict.clone_from(conflict);
            }
            Definition::Default(value) => facts.default = Some(parts::default(value.of(text))),
            Definition::Generated { expression, stored } => {
                facts.generated = Some(parts::expression(text, *expression, table));
                facts.stored = *stored;
            }
            _ => {}
        }
    }
    facts
}

/// Whether the key would be the rowid without the DESC at its column.
fn is_not_rowid(
    text: &str,
    table: &TableScan,
    column: Option<&ColumnScan>,
    columns: &[KeyColumn],
) -> bool {
    let is_integer = |column: &ColumnScan| {
        let declared = column.type_name(text);
        declared.eq_ignore_ascii_case("INTEGER")
    };
    !table.without_rowid
        && column.is_some_and(is_integer)
        && columns.iter().any(|column| column.descending)
}

/// Sets whether the last foreign key is deferred.
fn defer_last(constraints: &mut [Object], deferred: bool) {
    let keys = constraints.iter_mut().rev();
    let last = keys.filter_map(|object| match &mut object.facts {
        crate::schema::Facts::SqliteForeignKey(key) => Some(key),
        _ => None,
    });
    if let Some(key) = last.into_iter().next() {
        key.deferred = deferred;
    }
}

/// Numbers constraints that have the same kind and name.
fn tell_apart(constraints: &mut [Object]) {
    let dialect = crate::sql::Dialect::Sqlite;
    constraints.arrange_by(|a, b| a.id.order(&b.id, dialect));
    let mut start = 0;
    while start < constraints.len() {
        let first = constraints[start].id.clone();
        let others = &constraints[start + 1..];
        let same = others
            .iter()
            .take_while(|it| it.id.order(&first, dialect).is_eq());
        let end = start + 1 + same.count();
        if end > start + 1 {
            // The order in the text means nothing.
            constraints[start..end].sort_by_cached_key(|it| format!("{:?}", it.facts));
            for (number, other) in (1..).zip(&mut constraints[start..end]).skip(1) {
                other.id.signature = format!("#{number}");
            }
        }
        start = end;
    }
}

fn in_parentheses<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(quoted).collect();
    format!("({})", names.join(", "))
}
