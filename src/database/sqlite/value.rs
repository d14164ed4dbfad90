//! Values of parameters and rows.

use rusqlite::{
    ToSql,
    types::{ToSqlOutput, ValueRef},
};

#[cfg(feature = "cli")]
use super::digests::digest;
#[cfg(feature = "cli")]
use crate::schema::Digest;

/// A value that is bound to a parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bind<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
}

impl From<i64> for Bind<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for Bind<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<Option<&'a str>> for Bind<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Null, Self::Text)
    }
}

impl ToSql for Bind<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// A value of a row: owned, or borrowed from the statement's current row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<T = String> {
    Null,
    Integer(i64),
    Text(T),
    /// An unexpected type, by its name.
    Other(&'static str),
}

impl Value<&str> {
    /// A copy that outlives the row.
    pub fn kept(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Text(text) => Value::Text((*text).to_owned()),
            Self::Other(name) => Value::Other(name),
        }
    }
}

impl<'a> From<ValueRef<'a>> for Value<&'a str> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Self::Text(text),
                Err(_) => Self::Other("text that is not UTF-8"),
            },
            ValueRef::Real(_) => Self::Other("a real number"),
            ValueRef::Blob(_) => Self::Other("a blob"),
        }
    }
}

/// A row that was read.
pub(super) type Row = Vec<Value>;

/// The current row of a statement. A column is read when it is asked for, so that no list is made
/// for each of thousands of rows.
#[derive(Clone, Copy)]
pub(super) struct Present<'a>(&'a rusqlite::Row<'a>);

impl<'a> Present<'a> {
    pub fn new(row: &'a rusqlite::Row<'a>) -> Self {
        Self(row)
    }

    /// The value of a column, from 0; NULL beyond the last one.
    pub fn get(self, column: usize) -> Value<&'a str> {
        self.0.get_ref(column).map_or(Value::Null, Value::from)
    }

    /// The digests of all values.
    #[cfg(feature = "cli")]
    pub fn digests(self) -> Box<[Digest]> {
        let columns = 0..self.0.as_ref().column_count();
        columns
            .map(|column| self.0.get_ref(column).ok().and_then(digest))
            .collect()
    }

    /// The names of all columns.
    #[cfg(feature = "cli")]
    pub fn names(self) -> Vec<String> {
        let names = self.0.as_ref().column_names();
        names.into_iter().map(str::to_owned).collect()
    }

    /// All values.
    pub fn values(self) -> impl Iterator<Item = Value<&'a str>> {
        (0..self.0.as_ref().column_count()).map(move |column| self.get(column))
    }
}
