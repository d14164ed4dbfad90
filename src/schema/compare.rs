use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Facts, Kind, Name, Object, ObjectId, Schema, Unmodelled, name::folded,
    postgres::is_same_expression,
};
use crate::arrange::Arrange as _;

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
    for pair in pairs(from, to) {
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

/// Merges the sorted objects of both schemas.
fn pairs<'a>(from: &'a Schema, to: &'a Schema) -> Vec<Pair<'a>> {
    let mut old = from.objects.iter().peekable();
    let mut new = to.objects.iter().peekable();
    let mut found = Vec::with_capacity(from.objects.len().max(to.objects.len()));
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.id.order(&new.id, from.dialect),
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
    let whole = here.parent_of(&object.id);
    whole.is_some_and(|whole| there.get(&whole.id).is_none())
}

fn alter(old: &Object, new: &Object, changes: &mut Vec<Change>) {
    if let Some((from, to)) = respelled(old, new) {
        changes.push(Change::Alter {
            object: old.id.clone(),
            attribute: "spelling".to_owned(),
            from: from.into(),
            to: to.into(),
        });
    }
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

/// The names of one object that differ in the case of letters.
fn respelled<'a>(old: &'a Object, new: &'a Object) -> Option<(&'a str, &'a str)> {
    let (from, to) = (old.id.name.as_str(), new.id.name.as_str());
    // A constraint without a name has that of its definition, in which the case means nothing.
    let has_name = !from.starts_with('(');
    (from != to && has_name).then_some((from, to))
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
    let mut notes = Vec::new();
    let is_same_table = |a: &Object, b: &Object| {
        a.id.schema == b.id.schema && a.id.parent == b.id.parent && a.id.is_part() == b.id.is_part()
    };
    for parts in from.objects.chunk_by(is_same_table) {
        let old = in_order(parts);
        let Some(table) = parts[0].id.parent_name().filter(|_| old.len() > 1) else {
            continue;
        };
        let new = in_order(to.parts(&table));
        let is_same = |(a, b): (&&Object, &&Object)| a.id.order(&b.id, from.dialect).is_eq();
        if old.len() == new.len() && old.iter().zip(&new).all(is_same) {
            continue;
        }
        let common = |these: &[&Object], others: &[&Object]| {
            let other_names: HashSet<_> = others.iter().map(|it| key(&it.id.name, to)).collect();
            let these = these.iter().map(|column| &column.id.name);
            let these = these.filter(|name| other_names.contains(&key(name, to)));
            these.cloned().collect::<Vec<_>>()
        };
        let (old, new) = (common(&old, &new), common(&new, &old));
        let is_same = |(a, b): (&String, &String)| key(a, to) == key(b, to);
        if !old.iter().zip(&new).all(is_same) {
            notes.push(Note::ColumnOrder {
                table,
                from: old,
                to: new,
            });
        }
    }
    notes
}

/// The columns among `parts`, in order.
fn in_order(parts: &[Object]) -> Vec<&Object> {
    let position = |object: &Object| match &object.facts {
        Facts::Column(column) => Some(i64::from(column.position)),
        Facts::SqliteColumn(column) => Some(i64::from(column.position)),
        _ => None,
    };
    let mut columns: Vec<&Object> = parts.iter().filter(|it| position(it).is_some()).collect();
    columns.arrange_by_key(|column| position(column));
    columns
}

/// What identifies an object of that name, in the dialect of `schema`.
fn key<'a>(name: &'a str, schema: &Schema) -> Cow<'a, str> {
    if schema.dialect.folds_names() {
        folded(name)
    } else {
        name.into()
    }
}

/// How many pairs of dropped and added objects are compared. So many are no renames by hand.
const MAX_RENAME_PAIRS: usize = 1_000_000;

/// The pairs of a dropped and an added object that could be one renamed object. An object that
/// could be one of several is left out.
fn renames(from: &Schema, to: &Schema, dropped: &[&Object], added: &[&Object]) -> Vec<Note> {
    let (dropped, added) = (alike(from, dropped), alike(to, added));
    let mut notes = Vec::new();
    for (group, old) in &dropped {
        let Some(new) = added.get(group) else {
            continue;
        };
        if old.len().saturating_mul(new.len()) > MAX_RENAME_PAIRS {
            continue;
        }
        for old_one in old {
            let like = |new: &&&Object| is_like(from, old_one, to, new);
            let mut candidates = new.iter().filter(like);
            let (Some(new_one), None) = (candidates.next(), candidates.next()) else {
                continue;
            };
            let rivals = old.iter().filter(|other| is_like(from, other, to, new_one));
            if rivals.count() == 1 {
                notes.push(Note::PossibleRename {
                    from: old_one.id.clone(),
                    to: new_one.id.clone(),
                });
            }
        }
    }
    notes.arrange_by(|a, b| match (a, b) {
        (Note::PossibleRename { from: a, .. }, Note::PossibleRename { from: b, .. }) => a.cmp(b),
        _ => Ordering::Equal,
    });
    notes
}

/// Groups objects, so that only those of one group can be equal but for their names.
fn alike<'a>(schema: &Schema, objects: &[&'a Object]) -> HashMap<String, Vec<&'a Object>> {
    let mut groups: HashMap<String, Vec<&Object>> = HashMap::new();
    for object in objects {
        let id = &object.id;
        let mut group = format!("{}\0{}\0{}", id.kind, key(&id.parent, schema), id.signature);
        for column in columns_of(schema, id) {
            group.push('\0');
            group.push_str(&key(&column.id.name, schema));
        }
        groups.entry(group).or_default().push(object);
    }
    groups
}

/// Whether two objects of one group, of which one was dropped and the other was added, are equal
/// but for their names. Objects with parts must have the same columns.
fn is_like(from: &Schema, old: &Object, to: &Schema, new: &Object) -> bool {
    let (a, b) = (&old.id, &new.id);
    let same_place = a.schema == b.schema || a.name == b.name;
    if !same_place || !old.facts.is_same(&new.facts) {
        return false;
    }
    let (old, new) = (columns_of(from, a), columns_of(to, b));
    let is_same = |(old, new): (&&Object, &&Object)| old.facts.is_same(&new.facts);
    old.len() == new.len() && old.iter().zip(&new).all(is_same)
}

/// The columns of the object `id`.
fn columns_of<'a>(schema: &'a Schema, id: &ObjectId) -> Vec<&'a Object> {
    if !id.kind.has_parts() {
        return Vec::new();
    }
    let parts = schema.parts(&id.qualified()).iter();
    parts.filter(|part| part.id.kind == Kind::Column).collect()
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
