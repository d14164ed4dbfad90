//! Which statement creates which object.

use super::{
    objects::{Objects, parent_index},
    quote::in_schema,
};
use crate::schema::{
    Facts, Kind, Name, Object,
    postgres::{Column, Index, IndexKey, Key, MAX_NAME, Sequence, SequenceRange, default_name},
};

/// What creates each object.
pub(super) struct Layout<'a> {
    pub objects: Objects<'a>,
    /// The object whose statement creates this one; itself if it has a statement of its own.
    pub within: Vec<usize>,
    /// Whether the server makes the object by itself: the index of a partition, an inherited
    /// constraint, the sequence of a `serial` column.
    pub made: Vec<bool>,
    /// The word for the type of a `serial` column.
    pub serial: Vec<Option<&'static str>>,
    /// Indexes of partitioned tables that are created alone, since the indexes of the partitions are
    /// attached to them.
    pub only: Vec<bool>,
    /// Partitions that are created as tables and attached then.
    pub attached: Vec<bool>,
    /// Columns that get their default later.
    pub late_default: Vec<bool>,
}

impl<'a> Layout<'a> {
    pub fn of(objects: Objects<'a>) -> Self {
        let count = objects.len();
        let mut layout = Self {
            within: (0..count).collect(),
            made: vec![false; count],
            serial: vec![None; count],
            only: vec![false; count],
            attached: vec![false; count],
            late_default: vec![false; count],
            objects,
        };
        for at in 0..count {
            match &layout.objects.get(at).facts {
                Facts::Table(_) => layout.attached[at] = layout.is_attached_later(at),
                Facts::Key(_) | Facts::Exclusion(_) | Facts::Index(_) => layout.divide_index(at),
                Facts::Column(column) => layout.find_serial(at, column),
                _ => {}
            }
        }
        for at in 0..count {
            layout.place(at);
        }
        layout
    }

    /// The table or domain whose CREATE statement can hold the object.
    pub fn host(&self, at: usize) -> Option<usize> {
        let whole = self.objects.whole(at)?;
        let has_list = matches!(
            self.objects.get(whole).facts,
            Facts::Table(_) | Facts::Domain(_)
        );
        has_list.then_some(whole)
    }

    fn place(&mut self, at: usize) {
        let Some(host) = self.host(at) else { return };
        let is_inside = match &self.objects.get(at).facts {
            Facts::Column(_) => true,
            Facts::Key(_) | Facts::Exclusion(_) => {
                !self.made[at] && !self.only[at] && !self.is_key_of_partition(at)
            }
            Facts::ForeignKey(key) => {
                self.made[at] = key.is_inherited && !self.is_attached_key(at);
                !self.made[at] && !key.not_valid
            }
            Facts::Trigger(trigger) => {
                self.made[at] = trigger.is_inherited;
                false
            }
            Facts::Check(check) => {
                self.made[at] = check.is_inherited && !self.attached[host];
                !self.made[at] && !check.not_valid
            }
            _ => false,
        };
        if is_inside {
            self.within[at] = host;
        }
    }

    /// Whether the primary key of a partition has to be added later. In PARTITION OF it would make NOT
    /// NULL constraints beside those of the partitioned table.
    fn is_key_of_partition(&self, at: usize) -> bool {
        let object = self.objects.get(at);
        let Some(host) = self.objects.whole(at) else {
            return false;
        };
        let table = self.objects.table(host);
        object.id.kind == Kind::PrimaryKey
            && parent_index(object).is_some()
            && table.is_some_and(|table| table.partition_of.is_some())
            && !self.attached[host]
    }

    /// Whether an inherited foreign key has a name of its own, so that the partition must have it
    /// before it is attached.
    fn is_attached_key(&self, at: usize) -> bool {
        let Some(host) = self.objects.whole(at) else {
            return false;
        };
        self.attached[host] && !self.has_parent_constraint(host, self.objects.get(at))
    }

    /// Whether a parent of the table has a constraint of the same kind and name.
    fn has_parent_constraint(&self, table: usize, object: &Object) -> bool {
        self.parent_constraints(table, object).next().is_some()
    }

    /// The constraints of the same kind and name of the parents of a table.
    pub fn parent_constraints(
        &self,
        table: usize,
        object: &Object,
    ) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let (kind, name) = (object.id.kind, object.id.name.clone());
        self.objects
            .parents(table)
            .into_iter()
            .filter_map(move |parent| {
                let mut id = self.objects.get(parent).id.clone();
                (id.kind, id.parent, id.name) = (kind, id.name, name.clone());
                self.objects.find(&id)
            })
    }

    /// Whether PARTITION OF would make another table than the partition is.
    fn is_attached_later(&self, at: usize) -> bool {
        let Some(table) = self.objects.table(at) else {
            return false;
        };
        let Some(partition) = &table.partition_of else {
            return false;
        };
        let Some(parent) = self.objects.relation(&partition.parent) else {
            return true;
        };
        let (columns, usual) = (self.objects.columns(at), self.objects.columns(parent));
        let is_same_column = |(column, usual): (&(_, &Object, &Column), &(_, &Object, &Column))| {
            column.1.id.name == usual.1.id.name
                && column.2.generated == usual.2.generated
                && has_inherited_name(column.2, usual.1, usual.2)
        };
        let has_same_columns =
            columns.len() == usual.len() && columns.iter().zip(&usual).all(is_same_column);
        let has_own_key = self.objects.parts(at).any(|(_, part)| match &part.facts {
            Facts::ForeignKey(key) => key.is_inherited && !self.has_parent_constraint(at, part),
            _ => false,
        });
        !has_same_columns || has_own_key
    }

    /// Decides how the indexes of partitions come to be attached to this one.
    fn divide_index(&mut self, at: usize) {
        let is_root = parent_index(self.objects.get(at)).is_none();
        if !is_root || !is_partitioned(&self.objects, at) {
            return;
        }
        let is_made = self.makes_attached(at);
        let mut waiting = vec![at];
        while let Some(at) = waiting.pop() {
            waiting.extend(self.objects.attached(at));
            if is_made {
                self.made[at] = parent_index(self.objects.get(at)).is_some();
            } else {
                self.only[at] = is_partitioned(&self.objects, at);
            }
        }
    }

    /// Whether the server, when it creates this index, makes all attached ones as they are.
    fn makes_attached(&self, at: usize) -> bool {
        let index = self.objects.get(at);
        let is_invalid = match &index.facts {
            Facts::Index(index) => index.is_invalid,
            Facts::Key(key) => key.is_invalid,
            _ => false,
        };
        !is_invalid
            && self.objects.attached(at).iter().all(|child| {
                let object = self.objects.get(*child);
                default_index_name(object).as_deref() == Some(object.id.name.as_str())
                    && is_copy(&object.facts, &index.facts)
                    && self.makes_attached(*child)
            })
    }

    /// Finds out whether `serial` makes this column and its sequence.
    fn find_serial(&mut self, at: usize, column: &Column) {
        let word = match column.data_type.as_str() {
            "smallint" => "smallserial",
            "integer" => "serial",
            "bigint" => "bigserial",
            _ => return,
        };
        let id = &self.objects.get(at).id;
        let Some(name) = id.parent_name() else { return };
        let Some(sequence_at) = self.objects.sequence(&name, &id.name) else {
            return;
        };
        let Some(host) = self.host(at) else { return };
        let Some(table) = self.objects.table(host) else {
            return;
        };
        let sequence = self.objects.get(sequence_at);
        let Facts::Sequence(facts) = &sequence.facts else {
            return;
        };
        let usual_name = default_name(&id.parent, Some(&id.name), "seq");
        let sequence_name = in_schema(&sequence.id.schema, &sequence.id.name);
        let usual_default = format!("nextval('{}'::regclass)", sequence_name.replace('\'', "''"));
        let is_plain_table = table.partition_of.is_none()
            && table.of_type.is_none()
            && table.foreign.is_none()
            && !column.is_inherited;
        let is_serial = is_plain_table
            && sequence.id.name == usual_name
            && sequence.id.schema == id.schema
            && sequence.owner == self.objects.get(host).owner
            && column.default.as_deref() == Some(usual_default.as_str())
            && column
                .not_null
                .as_ref()
                .is_some_and(|it| *it == Default::default())
            && facts.data_type == column.data_type
            && is_usual_range(facts)
            && facts.unlogged == table.unlogged;
        if is_serial {
            self.serial[at] = Some(word);
            self.made[sequence_at] = true;
        }
    }
}

/// Whether the NOT NULL constraint of a partition's column has the name that PARTITION OF gives it.
fn has_inherited_name(column: &Column, parent: &Object, of_parent: &Column) -> bool {
    let (Some(own), Some(usual)) = (&column.not_null, &of_parent.not_null) else {
        return column
            .not_null
            .as_ref()
            .is_none_or(|own| own.name.is_none());
    };
    if !own.is_inherited {
        // Before version 18 they have no names.
        return own.name == usual.name;
    }
    let id = &parent.id;
    let usual = usual.name.clone();
    let usual = usual.unwrap_or_else(|| default_name(&id.parent, Some(&id.name), "not_null"));
    own.name.as_ref() == Some(&usual)
}

/// Whether the index is one of a partitioned table.
fn is_partitioned(objects: &Objects<'_>, index: usize) -> bool {
    let table = objects.whole(index).and_then(|table| objects.table(table));
    table.is_some_and(|table| table.partition_by.is_some())
}

/// Whether the sequence has the values that `serial` gives it.
fn is_usual_range(sequence: &Sequence) -> bool {
    let max = match sequence.data_type.as_str() {
        "smallint" => i64::from(i16::MAX),
        "integer" => i64::from(i32::MAX),
        _ => i64::MAX,
    };
    let usual = SequenceRange {
        start: 1,
        increment: 1,
        min: 1,
        max,
        cache: 1,
        cycle: false,
    };
    sequence.range == usual
}

/// The name that the server gives an index, unless it is taken. `None` for indexes with expressions,
/// whose names depend on those.
pub(super) fn default_index_name(object: &Object) -> Option<String> {
    let table = &object.id.parent;
    let (columns, label) = match &object.facts {
        Facts::Key(_) if object.id.kind == Kind::PrimaryKey => {
            return Some(default_name(table, None, "pkey"));
        }
        Facts::Key(key) => {
            let columns = key.columns.iter().chain(&key.include);
            (columns.cloned().collect(), "key")
        }
        Facts::Exclusion(exclusion) => (key_columns(&exclusion.keys, &exclusion.include)?, "excl"),
        Facts::Index(index) => (key_columns(&index.keys, &index.include)?, "idx"),
        _ => return None,
    };
    let mut names: Vec<&str> = columns.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    // Names that occur twice get numbers.
    if names.len() < columns.len() {
        return None;
    }
    let mut joined = String::new();
    for column in columns {
        if !joined.is_empty() {
            joined.push('_');
        }
        joined.push_str(&column);
        if joined.len() > MAX_NAME {
            break;
        }
    }
    Some(default_name(table, Some(&joined), label))
}

fn key_columns(keys: &[IndexKey], include: &[String]) -> Option<Vec<String>> {
    let mut columns = Vec::new();
    for key in keys {
        columns.push(key.column.clone()?);
    }
    columns.extend_from_slice(include);
    Some(columns)
}

/// Whether the index of a partition is what the server makes of the partitioned table's.
fn is_copy(child: &Facts, parent: &Facts) -> bool {
    match (child, parent) {
        (Facts::Key(child), Facts::Key(parent)) => {
            let made = Key {
                parent: child.parent.clone(),
                is_inherited: child.is_inherited,
                is_clustered: child.is_clustered,
                index_comment: child.index_comment.clone(),
                ..(**parent).clone()
            };
            **child == made && child.tablespace.is_none()
        }
        (Facts::Index(child), Facts::Index(parent)) => {
            let made = Index {
                parent: child.parent.clone(),
                is_clustered: child.is_clustered,
                ..(**parent).clone()
            };
            let has_statistics = child.keys.iter().any(|key| key.statistics.is_some());
            **child == made && child.tablespace.is_none() && !has_statistics
        }
        (Facts::Exclusion(child), Facts::Exclusion(parent)) => {
            let mut made = (**parent).clone();
            made.parent.clone_from(&child.parent);
            made.is_inherited = child.is_inherited;
            made.is_clustered = child.is_clustered;
            made.index_comment.clone_from(&child.index_comment);
            **child == made && child.tablespace.is_none()
        }
        _ => false,
    }
}

/// The name of the table that has the part.
pub(super) fn table_name(object: &Object) -> Name {
    object.id.parent_name().unwrap_or_default()
}
