use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Migrator};
use crate::{
    database::Location,
    generate,
    schema::{self, Change, Note, ObjectId, Scope},
};

/// The contents of a database, apart from rows: tables, columns, constraints, indexes, views,
/// functions and so on, as typed facts.
///
/// It serializes to the JSON that `migrator schema dump --format json` prints as `schema`.
///
/// ```no_run
/// use migrator::Schema;
///
/// # async fn example() -> Result<(), migrator::Error> {
/// let shop = Schema::inspect("postgres://localhost/shop").await?;
/// let copy = Schema::inspect("postgres://localhost/shop_copy").await?;
/// for change in shop.diff(&copy).changes {
///     println!("{change}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(schema::Schema);

impl Schema {
    /// Reads the schema of the database at `url`, in one snapshot and without changing anything.
    /// Left out are the version table and the tables of other migration tools, system objects and
    /// members of extensions.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Database`]
    pub async fn inspect(url: &str) -> Result<Self, Error> {
        let location = Location::parse(url, Path::new("")).map_err(Error::of)?;
        let mut session = Migrator::read_only_session(location);
        let found = session.inspect(&Scope::default()).await;
        // The facts are complete, whatever the end of the session says.
        let _ = session.close().await;
        found.map(Self).map_err(Error::of)
    }

    /// The objects, sorted.
    pub fn objects(&self) -> impl Iterator<Item = SchemaObject> {
        let objects = self.0.objects.iter();
        objects.map(|object| SchemaObject::of(object.id.clone()))
    }

    /// The objects whose kinds are not modelled, such as `operator class shop.x`. They are neither
    /// compared nor written by [`Self::to_sql`].
    pub fn unmodelled(&self) -> impl Iterator<Item = String> {
        let all = self.0.unmodelled.iter();
        all.map(|object| format!("{} {}", object.kind, object.name))
    }

    /// What differs from this schema to `other`.
    pub fn diff(&self, other: &Self) -> SchemaDiff {
        let found = schema::compare(&self.0, &other.0);
        SchemaDiff {
            changes: found.changes.into_iter().map(SchemaChange::of).collect(),
            column_orders: found.notes.into_iter().filter_map(column_order).collect(),
        }
    }

    /// Returns SQL that recreates the schema in an empty database. The same schema always gives the
    /// same text.
    ///
    /// # Errors
    /// [`Error::Other`] when objects depend on each other in a circle.
    pub fn to_sql(&self) -> Result<String, Error> {
        let blocks = generate::dump(&self.0).map_err(|cycle| Error::Other(Box::new(cycle)))?;
        Ok(generate::script(&blocks))
    }
}

fn column_order(note: Note) -> Option<String> {
    match note {
        Note::ColumnOrder { table, .. } => Some(table.to_string()),
        _ => None,
    }
}

/// The identity of an object, such as `column shop.orders.total`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaObject {
    /// The schema; empty for objects outside schemas.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub schema: String,
    /// The table, view or domain that the object is a part of; empty if it is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parent: String,
    /// The kind, such as `materialized view`.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// The argument types of a routine or an operator, in parentheses; otherwise empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub signature: String,
    #[serde(skip)]
    shown: String,
}

impl SchemaObject {
    fn of(id: ObjectId) -> Self {
        Self {
            shown: id.to_string(),
            kind: id.kind.name(),
            schema: id.schema,
            parent: id.parent,
            name: id.name,
            signature: id.signature,
        }
    }
}

/// Formats the kind and the name as SQL: `column shop.orders.total`.
impl fmt::Display for SchemaObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// What differs between two schemas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SchemaDiff {
    /// The differences, sorted by object.
    pub changes: Vec<SchemaChange>,
    /// The tables whose columns are in another order, which is not a difference.
    pub column_orders: Vec<String>,
}

impl SchemaDiff {
    /// Whether the schemas are equal.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaChange {
    /// The object exists only in the second schema. Its parts are not listed.
    Add {
        /// The object.
        object: SchemaObject,
    },
    /// The object exists only in the first schema. Its parts are not listed.
    Drop {
        /// The object.
        object: SchemaObject,
    },
    /// An attribute of the object differs.
    Alter {
        /// The object.
        object: SchemaObject,
        /// The name of the attribute, such as `data_type`.
        attribute: String,
        /// The value in the first schema.
        from: Value,
        /// The value in the second schema.
        to: Value,
    },
}

impl SchemaChange {
    fn of(change: Change) -> Self {
        match change {
            Change::Add { object } => Self::Add {
                object: SchemaObject::of(object),
            },
            Change::Drop { object } => Self::Drop {
                object: SchemaObject::of(object),
            },
            Change::Alter {
                object,
                attribute,
                from,
                to,
            } => Self::Alter {
                object: SchemaObject::of(object),
                attribute,
                from,
                to,
            },
        }
    }
}

/// Formats the change in one line: `alter column shop.orders.total: data_type "integer" → "bigint"`.
impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { object } => write!(f, "add {object}"),
            Self::Drop { object } => write!(f, "drop {object}"),
            Self::Alter {
                object,
                attribute,
                from,
                to,
            } => write!(f, "alter {object}: {attribute} {from} → {to}"),
        }
    }
}
