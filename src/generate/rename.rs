use std::str::FromStr;

use super::{Statement, rename_statements};
use crate::{
    schema::{self, Kind, Name, ObjectId, Schema},
    sql::Dialect,
};

/// An object that has another name in the declared schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The kind, if it is given.
    pub kind: Option<Kind>,
    /// The present name, with its table and its schema.
    pub from: Vec<String>,
    /// The new name, alone or with its table and its schema.
    pub to: Vec<String>,
    /// The rename as it was written.
    pub text: String,
}

/// The error of a text that is no rename.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form OLD=NEW")]
pub struct RenameSyntaxError(String);

impl FromStr for Rename {
    type Err = RenameSyntaxError;

    /// Parses `orders=purchases`, `shop.orders.total=sum` or `index:shop.a=b`, with names as in SQL.
    fn from_str(text: &str) -> Result<Self, RenameSyntaxError> {
        let error = || RenameSyntaxError(text.to_owned());
        let (from, to) = text.split_once('=').ok_or_else(error)?;
        let (kind, from) = match from.split_once(':') {
            Some((kind, from)) => (Some(kind.parse().map_err(|_| error())?), from),
            None => (None, from),
        };
        Ok(Self {
            kind,
            from: schema::path(from).ok_or_else(error)?,
            to: schema::path(to).ok_or_else(error)?,
            text: text.to_owned(),
        })
    }
}

/// The error of a rename that does not fit a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// No object has the old name.
    #[error("nothing is named {0}")]
    Unknown(String),
    /// Several objects have the old name.
    #[error("{name} names several objects: {}", .objects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// The objects.
        objects: Vec<ObjectId>,
    },
    /// The new name is in another table, or in another schema where that is not possible.
    #[error("{0} cannot get a name elsewhere")]
    Elsewhere(ObjectId),
    /// Objects of this kind have no statement for it.
    #[error("{0} cannot be renamed")]
    Kind(ObjectId),
}

/// A rename as statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The object under its old name.
    pub from: ObjectId,
    /// The object under its new name.
    pub to: ObjectId,
    /// The statements that give it the new name.
    pub up: Vec<Statement>,
    /// The statements that give it the old name back.
    pub down: Vec<Statement>,
}

/// Returns the statements of a rename of an object of `schema`.
///
/// # Errors
/// Fails when not exactly one object has the old name, or when it cannot have the new one.
pub fn rename(schema: &Schema, rename: &Rename) -> Result<Renamed, RenameError> {
    let old = object(schema, rename)?;
    let new = new_id(schema.dialect, old, &rename.to)
        .ok_or_else(|| RenameError::Elsewhere(old.clone()))?;
    let (up, down) = rename_statements(old, &new, schema)
        .zip(rename_statements(&new, old, schema))
        .ok_or_else(|| RenameError::Kind(old.clone()))?;
    let statement = |sql: String| Statement::new(Some(old.clone()), sql);
    Ok(Renamed {
        from: old.clone(),
        up: up.into_iter().map(statement).collect(),
        down: down.into_iter().map(statement).collect(),
        to: new,
    })
}

/// Whether `path` is the name of the object, alone or with its schema.
pub fn is_named(id: &ObjectId, path: &[String], dialect: Dialect) -> bool {
    let full = full_path(id);
    let is_same = |a: &str, b: &str| match dialect.folds_names() {
        true => a.eq_ignore_ascii_case(b),
        false => a == b,
    };
    let is_suffix = |full: &[&str]| {
        full.len() == path.len() && full.iter().zip(path).all(|(a, b)| is_same(a, b))
    };
    is_suffix(&full) || !id.schema.is_empty() && is_suffix(&full[1..])
}

/// The name of an object as a rename takes it: `shop.orders.total`.
pub fn shown_path(id: &ObjectId) -> String {
    let shown = id.to_string();
    let name = shown.strip_prefix(id.kind.name()).unwrap_or(&shown);
    name.trim_start().to_owned()
}

fn full_path(id: &ObjectId) -> Vec<&str> {
    let parts = [id.schema.as_str(), id.parent.as_str(), id.name.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

fn object<'a>(schema: &'a Schema, rename: &Rename) -> Result<&'a ObjectId, RenameError> {
    let ids = schema.objects.iter().map(|object| &object.id);
    let mut found: Vec<&ObjectId> = ids
        .filter(|id| rename.kind.is_none_or(|kind| id.kind == kind))
        .filter(|id| is_named(id, &rename.from, schema.dialect))
        .collect();
    // Tables and columns are what is renamed most.
    if found.len() > 1 {
        let is_usual = |id: &&&ObjectId| matches!(id.kind, Kind::Table | Kind::Column);
        let usual: Vec<&ObjectId> = found.iter().filter(is_usual).copied().collect();
        if usual.len() == 1 {
            found = usual;
        }
    }
    let name = || rename.from.join(".");
    match found.as_slice() {
        [] => Err(RenameError::Unknown(name())),
        [one] => Ok(one),
        several => Err(RenameError::Ambiguous {
            name: name(),
            objects: several.iter().map(|id| (*id).clone()).collect(),
        }),
    }
}

/// The identity under the new name, unless that belongs to another table or cannot be moved there.
fn new_id(dialect: Dialect, old: &ObjectId, to: &[String]) -> Option<ObjectId> {
    let mut new = old.clone();
    let (name, place) = to.split_last()?;
    new.name.clone_from(name);
    if place.is_empty() || is_named(&new, to, dialect) {
        return Some(new);
    }
    match (place, old.parent.is_empty(), old.schema.is_empty()) {
        ([schema], true, false) => {
            new.schema.clone_from(schema);
            Some(new)
        }
        _ => None,
    }
}

/// The table that a part belongs to.
pub(super) fn table_of(id: &ObjectId) -> Name {
    id.parent_name().unwrap_or_default()
}
