use super::{column::Column, numbered};
use crate::schema::{
    Facts, Kind, Name, Object, ObjectId, Schema, mentions,
    postgres::{self, Deferrable, Index, IndexKey, ReplicaIdentity, truncated},
};

/// What is made for the new column since the old one has it.
#[derive(Default)]
pub(super) struct Copies {
    /// All of it. Foreign keys are not validated.
    pub objects: Vec<Object>,
    /// The indexes, and the names that they get in the end.
    pub indexes: Vec<(Name, String)>,
    /// The keys that get an index.
    pub keys: Vec<Key>,
    /// The foreign keys, and the names that they get in the end.
    pub foreign_keys: Vec<(String, String)>,
}

/// A key that gets another index.
pub(super) struct Key {
    pub name: String,
    /// `PRIMARY KEY` or `UNIQUE`.
    pub kind: &'static str,
    /// The index, which gets the name of the key.
    pub index: String,
}

impl Copies {
    /// # Errors
    /// Fails with the reason if something else belongs to the column.
    pub fn of(column: &Column<'_>, (from, to): (&Schema, &Schema)) -> Result<Self, String> {
        let mut copies = Self::default();
        for part in from.parts(&column.table) {
            if part.id != column.id {
                copies.part(column, part, (from, to))?;
            }
        }
        for object in &from.objects {
            is_no_user(column, object)?;
        }
        Ok(copies)
    }

    /// Copies what belongs to the column.
    fn part(
        &mut self,
        column: &Column<'_>,
        part: &Object,
        (from, to): (&Schema, &Schema),
    ) -> Result<(), String> {
        let name = &column.id.name;
        let is_used = match &part.facts {
            Facts::Index(index) => {
                let in_keys = index.keys.iter().any(|it| it.column.as_ref() == Some(name));
                let texts = index.keys.iter().filter_map(|it| it.expression.as_ref());
                let mut texts = texts.chain(&index.condition);
                if texts.any(|it| mentions(it, name)) {
                    return Err(format!("{} has an expression with it", part.id));
                }
                in_keys || index.include.contains(name)
            }
            Facts::Key(key) => key.columns.contains(name) || key.include.contains(name),
            Facts::ForeignKey(key) => key.columns.contains(name),
            other => {
                // Whatever the facts are, they name the column.
                let text = serde_json::to_string(other).unwrap_or_default();
                return match mentions(&text, name) {
                    true => Err(format!("{} uses it", part.id)),
                    false => Ok(()),
                };
            }
        };
        if !is_used {
            return Ok(());
        }
        if !to
            .get(&part.id)
            .is_some_and(|it| it.facts.is_same(&part.facts))
        {
            return Err(format!("{} changes as well", part.id));
        }
        self.copy(column, part, from)
    }

    fn copy(&mut self, column: &Column<'_>, part: &Object, from: &Schema) -> Result<(), String> {
        let copy_name = free(from, &part.id);
        let renamed = |names: &[String]| -> Vec<String> {
            let rename = |it: &String| match *it == column.id.name {
                true => column.new.id.name.clone(),
                false => it.clone(),
            };
            names.iter().map(rename).collect()
        };
        let (kind, facts): (Kind, Facts) = match &part.facts {
            Facts::Index(index) => {
                is_simple(column, part, from, index.is_clustered, index.is_invalid)?;
                let mut copy = (**index).clone();
                for key in &mut copy.keys {
                    rename_key(column, part, key)?;
                }
                copy.include = renamed(&index.include);
                let name = Name::new(&part.id.schema, &copy_name);
                self.indexes.push((name, part.id.name.clone()));
                (Kind::Index, copy.into())
            }
            Facts::Key(key) => {
                is_simple(column, part, from, key.is_clustered, key.is_invalid)?;
                if key.deferrable != Deferrable::Never || key.without_overlaps {
                    return Err(format!("{} is deferrable or about ranges", part.id));
                }
                self.keys.push(Key {
                    name: part.id.name.clone(),
                    kind: match part.id.kind {
                        Kind::PrimaryKey => "PRIMARY KEY",
                        _ => "UNIQUE",
                    },
                    index: copy_name.clone(),
                });
                (Kind::Index, index_of(key, &renamed).into())
            }
            Facts::ForeignKey(key) => {
                let name = part.id.name.clone();
                self.foreign_keys.push((copy_name.clone(), name));
                let copy = postgres::ForeignKey {
                    columns: renamed(&key.columns),
                    on_delete_columns: renamed(&key.on_delete_columns),
                    not_valid: true,
                    ..(**key).clone()
                };
                (Kind::ForeignKey, copy.into())
            }
            _ => return Ok(()),
        };
        self.objects.push(Object {
            id: ObjectId::part(kind, &column.table, copy_name),
            facts,
            ..part.clone()
        });
        Ok(())
    }
}

/// The index of a key over the new column.
fn index_of(key: &postgres::Key, renamed: &impl Fn(&[String]) -> Vec<String>) -> Index {
    let keys = renamed(&key.columns).into_iter().map(|column| IndexKey {
        column: Some(column),
        ..IndexKey::default()
    });
    Index {
        method: "btree".to_owned(),
        unique: true,
        nulls_not_distinct: key.nulls_not_distinct,
        keys: keys.collect(),
        include: renamed(&key.include),
        options: key.options.clone(),
        tablespace: key.tablespace.clone(),
        ..Index::default()
    }
}

fn rename_key(column: &Column<'_>, part: &Object, key: &mut IndexKey) -> Result<(), String> {
    if key.column.as_ref() != Some(&column.id.name) {
        return Ok(());
    }
    if key.operator_class.is_some() || key.collation.is_some() {
        return Err(format!(
            "{} has an operator class or a collation for it",
            part.id
        ));
    }
    key.column = Some(column.new.id.name.clone());
    Ok(())
}

/// Whether nothing else names an index.
fn is_simple(
    column: &Column<'_>,
    part: &Object,
    from: &Schema,
    is_clustered: bool,
    is_invalid: bool,
) -> Result<(), String> {
    let (table, name) = (&column.table, &part.id.name);
    let id = ObjectId::new(Kind::Table, &table.schema, &table.name);
    let is_identity = from.get(&id).is_some_and(|it| match &it.facts {
        Facts::Table(table) => table.replica_identity == ReplicaIdentity::Index(name.clone()),
        _ => false,
    });
    match is_clustered || is_invalid || is_identity {
        true => Err(format!(
            "{} is marked for CLUSTER or as replica identity, or is invalid",
            part.id
        )),
        false => Ok(()),
    }
}

/// Whether an object outside the table has nothing to do with the column.
fn is_no_user(column: &Column<'_>, object: &Object) -> Result<(), String> {
    let name = &column.id.name;
    let uses = match &object.facts {
        Facts::ForeignKey(key) => {
            key.references == column.table && key.referenced_columns.contains(name)
        }
        Facts::Statistics(_) | Facts::Publication(_) => {
            let text = serde_json::to_string(&object.facts).unwrap_or_default();
            mentions(&text, &column.table.name) && mentions(&text, name)
        }
        Facts::Sequence(_) => false,
        // Parts of the table were looked at.
        _ => {
            let is_elsewhere = object.id.parent_name().as_ref() != Some(&column.table);
            is_elsewhere && object.depends_on.contains(&column.id)
        }
    };
    match uses {
        true => Err(format!("{} uses it", object.id)),
        false => Ok(()),
    }
}

/// A name for a copy. Indexes and keys share their names with the relations of the schema.
fn free(from: &Schema, id: &ObjectId) -> String {
    numbered(truncated(&id.name, 56), "new", |name| {
        let is_it = |it: &Object| it.id.schema == id.schema && it.id.name == name;
        !from.objects.iter().any(is_it)
    })
}
