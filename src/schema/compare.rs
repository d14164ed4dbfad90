use std::{cmp::Ordering, collections::HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Facts, Kind, Name, Object, ObjectId, Schema, Unmodelled, expression::is_same_expression,
};

/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The object exists only in the second schema. Its parts are not listed.
    Add {
        /// The object.
        object: ObjectId,
    },
    /// The object exists only in the first schema. Its parts are not listed.
    Drop {
        /// The object.
        object: ObjectId,
    },
    /// An attribute of the object differs.
    Alter {
        /// The object.
        object: ObjectId,
        /// The attribute, as in the facts.
        attribute: String,
        /// The value in the first schema.
        from: Value,
        /// The value in the second schema.
        to: Value,
    },
}

impl Change {
    /// The object that differs.
    pub fn object(&self) -> &ObjectId {
        match self {
            Self::Add { object } | Self::Drop { object } | Self::Alter { object, .. } => object,
        }
    }
}

/// What is worth knowing, but no difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The columns that both tables have are in another order.
    ColumnOrder {
        /// The table.
        table: Name,
        /// The columns in the order of the first schema.
        from: Vec<String>,
        /// The columns in the order of the second schema.
        to: Vec<String>,
    },
    /// A dropped and an added object differ in nothing but their names.
    PossibleRename {
        /// The dropped object.
        from: ObjectId,
        /// The added object.
        to: ObjectId,
    },
    /// An object of a kind without facts exists only in the first schema.
    OnlyInFirst(Unmodelled),
    /// An object of a kind without facts exists only in the second schema.
    OnlyInSecond(Unmodelled),
}

/// What differs between two schemas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The differences, sorted by object.
    pub changes: Vec<Change>,
    /// What is worth knowing beside them.
    pub notes: Vec<Note>,
}

impl Difference {
    /// Whether the schemas are equal.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Compares two schemas of the same dialect.
pub fn compare(from: &Schema, to: &Schema) -> Difference {
    let mut changes = Vec::new();
    let (mut dropped, mut added) = (Vec::new(), Vec::new());
    for pair in pairs(&from.objects, &to.objects) {
        match pair {
            Pair::Both(old, new) => alter(old, new, &mut changes),
            Pair::First(old) if goes_with_parent(old, from, to) => {}
            Pair::First(old) => {
                dropped.push(old);
                let object = old.id.clone();
                changes.push(Change::Drop { object });
            }
            Pair::Second(new) if goes_with_parent(new, to, from) => {}
            Pair::Second(new) => {
                added.push(new);
                let object = new.id.clone();
                changes.push(Change::Add { object });
            }
        }
    }
    let mut notes = column_order(from, to);
    notes.extend(renames(from, to, &dropped, &added));
    let only = |a: &Schema, b: &Schema| {
        let all = a.unmodelled.iter();
        let only = all.filter(|it| b.unmodelled.binary_search(it).is_err());
        only.cloned().collect::<Vec<_>>()
    };
    notes.extend(only(from, to).into_iter().map(Note::OnlyInFirst));
    notes.extend(only(to, from).into_iter().map(Note::OnlyInSecond));
    Difference { changes, notes }
}

enum Pair<'a> {
    First(&'a Object),
    Second(&'a Object),
    Both(&'a Object, &'a Object),
}

/// Merges two sorted lists.
fn pairs<'a>(from: &'a [Object], to: &'a [Object]) -> Vec<Pair<'a>> {
    let (mut old, mut new) = (from.iter().peekable(), to.iter().peekable());
    let mut found = Vec::with_capacity(from.len().max(to.len()));
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.id.cmp(&new.id),
        };
        match order {
            Ordering::Less => found.extend(old.next().map(Pair::First)),
            Ordering::Greater => found.extend(new.next().map(Pair::Second)),
            Ordering::Equal => {
                let both = old.next().zip(new.next());
                found.extend(both.map(|(old, new)| Pair::Both(old, new)));
            }
        }
    }
}

/// Whether `object` is a part of an object that is in `here`, but not in `there`.
fn goes_with_parent(object: &Object, here: &Schema, there: &Schema) -> bool {
    let Some(parent) = object.id.parent_name() else {
        return false;
    };
    let kinds = Kind::ALL.iter().filter(|kind| kind.has_parts());
    let mut wholes = kinds.map(|kind| {
        let (schema, name) = (parent.schema.clone(), parent.name.clone());
        ObjectId::new(*kind, schema, name)
    });
    let whole = wholes.find(|id| here.get(id).is_some());
    whole.is_some_and(|id| there.get(&id).is_none())
}

fn alter(old: &Object, new: &Object, changes: &mut Vec<Change>) {
    old.compare(new, &mut |attribute, from, to| {
        if has_expressions(attribute) && is_same(&from, &to) {
            return;
        }
        changes.push(Change::Alter {
            object: old.id.clone(),
            attribute: attribute.to_owned(),
            from,
            to,
        });
    });
}

/// Whether the attribute holds expressions in the words of the database.
fn has_expressions(attribute: &str) -> bool {
    [
        "expression",
        "default",
        "generated",
        "condition",
        "keys",
        "using",
        "check",
        "query",
        "definition",
        "columns",
        "tables",
        "partition_by",
        "arguments",
        "sql_body",
    ]
    .contains(&attribute)
}

/// Whether two values are equal but for the words of the expressions in them.
fn is_same(from: &Value, to: &Value) -> bool {
    match (from, to) {
        (Value::String(from), Value::String(to)) => is_same_expression(from, to),
        (Value::Array(from), Value::Array(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| is_same(from, to))
        }
        (Value::Object(from), Value::Object(to)) => {
            let is_same = |(name, from)| to.get(name).is_some_and(|to| is_same(from, to));
            from.len() == to.len() && from.iter().all(is_same)
        }
        _ => from == to,
    }
}

/// The tables whose common columns are in another order.
fn column_order(from: &Schema, to: &Schema) -> Vec<Note> {
    let (old, new) = (columns(from), columns(to));
    let mut notes = Vec::new();
    for (table, old) in &old {
        let Some(new) = new.get(table) else { continue };
        let common = |these: &[(i64, &str)], others: &[(i64, &str)]| {
            let names: std::collections::HashSet<&str> =
                others.iter().map(|(_, name)| *name).collect();
            let these = these.iter().map(|(_, name)| *name);
            these
                .filter(|name| names.contains(name))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let is_equal = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| a.1 == b.1);
        if is_equal {
            continue;
        }
        let (from, to) = (common(old, new), common(new, old));
        if from != to {
            notes.push(Note::ColumnOrder {
                table: Name::new(table.0, table.1),
                from,
                to,
            });
        }
    }
    notes.sort_by(|a, b| match (a, b) {
        (Note::ColumnOrder { table: a, .. }, Note::ColumnOrder { table: b, .. }) => a.cmp(b),
        _ => Ordering::Equal,
    });
    notes
}

/// The columns of each table in order.
fn columns(schema: &Schema) -> HashMap<(&str, &str), Vec<(i64, &str)>> {
    let mut found: HashMap<_, Vec<(i64, &str)>> = HashMap::new();
    for object in &schema.objects {
        let position = match &object.facts {
            Facts::Column(column) => i64::from(column.position),
            Facts::SqliteColumn(column) => i64::from(column.position),
            _ => continue,
        };
        let id = &object.id;
        let columns = found.entry((id.schema.as_str(), id.parent.as_str()));
        columns.or_default().push((position, id.name.as_str()));
    }
    for columns in found.values_mut() {
        columns.sort_unstable();
    }
    found
}

/// How many pairs of dropped and added objects are compared. So many are no renames by hand.
const MAX_RENAME_PAIRS: usize = 1_000_000;

/// The pairs of a dropped and an added object that could be one renamed object. An object that
/// could be one of several is left out.
fn renames(from: &Schema, to: &Schema, dropped: &[&Object], added: &[&Object]) -> Vec<Note> {
    let mut notes = Vec::new();
    if dropped.len().saturating_mul(added.len()) > MAX_RENAME_PAIRS {
        return notes;
    }
    for old in dropped {
        let like = |new: &&&Object| is_like(from, old, to, new);
        let mut candidates = added.iter().filter(like);
        let (Some(new), None) = (candidates.next(), candidates.next()) else {
            continue;
        };
        let rivals = dropped.iter().filter(|other| is_like(from, other, to, new));
        if rivals.count() == 1 {
            notes.push(Note::PossibleRename {
                from: old.id.clone(),
                to: new.id.clone(),
            });
        }
    }
    notes
}

/// Whether two objects, of which one was dropped and the other was added, are equal but for their
/// names. Objects with parts must have the same columns.
fn is_like(from: &Schema, old: &Object, to: &Schema, new: &Object) -> bool {
    let (a, b) = (&old.id, &new.id);
    let same_place = a.kind == b.kind
        && a.parent == b.parent
        && a.signature == b.signature
        && (a.schema == b.schema || a.name == b.name);
    if !same_place || !old.facts.is_same(&new.facts) {
        return false;
    }
    if !a.kind.has_parts() {
        return true;
    }
    let (old, new) = (columns_of(from, a), columns_of(to, b));
    let is_same = |(old, new): (&&Object, &&Object)| {
        old.id.name == new.id.name && old.facts.is_same(&new.facts)
    };
    old.len() == new.len() && old.iter().zip(&new).all(is_same)
}

/// The columns of the object `id`.
fn columns_of<'a>(schema: &'a Schema, id: &ObjectId) -> Vec<&'a Object> {
    let parts = schema.parts(&id.qualified()).iter();
    parts.filter(|part| part.id.kind == Kind::Column).collect()
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
