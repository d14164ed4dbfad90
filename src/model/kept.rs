use super::carry::carry;
use crate::{
    arrange::Arrange as _,
    project::ModelSource,
    schema::{Facts, Kind, Name, Object, ObjectId, Schema},
};

/// What a source of models cannot declare, and what therefore stays as it is at the head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The kinds of objects that it cannot declare.
    kinds: Vec<Kind>,
    /// The kinds of objects whose comments it can declare; `None` if it can declare everything.
    comments: Option<&'static [Kind]>,
    /// The tables in which the ORM keeps its own records.
    tables: &'static [&'static str],
    /// Whether partitions stay.
    partitions: bool,
    /// Whether indexes on expressions and on some of the rows stay.
    special_indexes: bool,
}

/// The kinds that no ORM declares.
#[rustfmt::skip]
const BEYOND_ORMS: &[Kind] = &[
    Kind::Schema, Kind::Extension, Kind::ForeignDataWrapper, Kind::Server, Kind::UserMapping,
    Kind::Collation, Kind::Domain, Kind::Composite, Kind::Range, Kind::Function, Kind::Procedure,
    Kind::Aggregate, Kind::Operator, Kind::Cast, Kind::TextSearchDictionary,
    Kind::TextSearchConfiguration, Kind::VirtualTable, Kind::Statistics, Kind::Trigger, Kind::Rule,
    Kind::EventTrigger, Kind::Publication, Kind::DefaultPrivileges,
];

/// The kinds of objects that others refer to and that may exist before all tables.
#[rustfmt::skip]
const BEFORE_TABLES: &[Kind] = &[
    Kind::Schema, Kind::Extension, Kind::Collation, Kind::Enum, Kind::Domain, Kind::Composite,
    Kind::Range, Kind::Function, Kind::Aggregate, Kind::Operator, Kind::Cast,
    Kind::TextSearchDictionary, Kind::TextSearchConfiguration, Kind::Sequence,
];

impl Kept {
    /// What the source cannot declare, apart from the kinds that are dropped nevertheless.
    pub fn of(source: &ModelSource, drop: &[Kind]) -> Self {
        use Kind::{
            Check, Column, Enum, Exclusion, MaterializedView, Policy, Sequence, Table, View,
        };
        let on_tables: &'static [Kind] = &[Table, Column];
        type Row = (&'static [Kind], &'static [Kind], &'static [&'static str]);
        let (more, comments, tables): Row = match source {
            ModelSource::SqlAlchemy(_) => (
                &[View, MaterializedView, Policy],
                &[
                    Table,
                    Column,
                    Kind::PrimaryKey,
                    Kind::Unique,
                    Kind::ForeignKey,
                    Check,
                    Exclusion,
                ],
                &["alembic_version"],
            ),
            ModelSource::Django(_) => (
                &[View, MaterializedView, Policy, Enum, Sequence],
                on_tables,
                &["django_migrations"],
            ),
            // It can declare views and policies, but does not export those that are declared as existing.
            ModelSource::Drizzle(_) => (
                &[View, MaterializedView, Policy, Exclusion],
                &[],
                &["__drizzle_migrations"],
            ),
            ModelSource::Prisma(_) => (
                &[View, MaterializedView, Policy, Sequence, Check, Exclusion],
                &[],
                &["_prisma_migrations"],
            ),
            ModelSource::Sql(_) | ModelSource::Command(_) | ModelSource::Url(_) => {
                return Self::default();
            }
        };
        let kinds = BEYOND_ORMS.iter().chain(more).copied();
        Self {
            kinds: kinds.filter(|kind| !drop.contains(kind)).collect(),
            comments: Some(comments),
            tables,
            partitions: !drop.contains(&Table),
            special_indexes: matches!(source, ModelSource::Prisma(_))
                && !drop.contains(&Kind::Index),
        }
    }

    /// The objects of the head that a declared schema may refer to without declaring them, such as
    /// extensions: those that depend on nothing else.
    pub fn before(&self, head: &Schema) -> Schema {
        let is_one = |object: &&Object| {
            let is_kept = self.kinds.contains(&object.id.kind) && !is_owned(object);
            is_kept && BEFORE_TABLES.contains(&object.id.kind)
        };
        let mut objects: Vec<Object> = head.objects.iter().filter(is_one).cloned().collect();
        loop {
            let ids: Vec<ObjectId> = objects.iter().map(|object| object.id.clone()).collect();
            objects.retain(|object| object.depends_on.iter().all(|id| ids.contains(id)));
            if objects.len() == ids.len() {
                return Schema::new(head.dialect, objects);
            }
        }
    }

    /// The declared schema, with what it cannot declare as it is at the head.
    pub fn merged(&self, declared: Schema, head: &Schema) -> Schema {
        let Some(comments) = self.comments else {
            return declared;
        };
        let mut schema = declared;
        self.leave_out_mapped_views(&mut schema, head);
        for object in &mut schema.objects {
            if let Some(old) = head.get(&object.id) {
                carry(old, object, comments);
            }
        }
        let is_added = |object: &&Object| {
            schema.get(&object.id).is_none() && self.is_kept(object, &schema, head)
        };
        let added: Vec<Object> = head.objects.iter().filter(is_added).cloned().collect();
        schema.objects.extend(added);
        let dialect = schema.dialect;
        schema.objects.arrange_by(|a, b| a.id.order(&b.id, dialect));
        schema
    }

    /// A model of a view is declared like a table.
    fn leave_out_mapped_views(&self, schema: &mut Schema, head: &Schema) {
        let views = [Kind::View, Kind::MaterializedView];
        let views = views.into_iter().filter(|kind| self.kinds.contains(kind));
        let views: Vec<Kind> = views.collect();
        let is_view = |name: Name| {
            let id = |kind: &Kind| ObjectId::new(*kind, name.schema.clone(), name.name.clone());
            views.iter().any(|kind| head.get(&id(kind)).is_some())
        };
        schema.objects.retain(|object| {
            let table = match object.id.kind {
                Kind::Table => Some(object.id.qualified()),
                _ => object.id.parent_name(),
            };
            !table.is_some_and(is_view)
        });
    }

    fn is_kept(&self, object: &Object, declared: &Schema, head: &Schema) -> bool {
        let Some(whole) = head.parent_of(&object.id) else {
            return self.is_kept_whole(object, declared, head);
        };
        match declared.get(&whole.id) {
            // What belongs to a table goes with it.
            None => self.is_kept_whole(whole, declared, head),
            Some(_) => {
                self.kinds.contains(&object.id.kind) || self.special_indexes && is_special(object)
            }
        }
    }

    fn is_kept_whole(&self, object: &Object, declared: &Schema, head: &Schema) -> bool {
        let is_own =
            object.id.kind == Kind::Table && self.tables.contains(&object.id.name.as_str());
        if is_own || self.kinds.contains(&object.id.kind) && !is_owned(object) {
            return true;
        }
        let Facts::Table(table) = &object.facts else {
            return false;
        };
        if table.foreign.is_some() {
            return self.partitions;
        }
        let parent = table.partition_of.as_ref().map(|place| &place.parent);
        let parent =
            parent.map(|name| ObjectId::new(Kind::Table, name.schema.clone(), name.name.clone()));
        self.partitions
            && parent.is_some_and(|id| {
                let above = head.get(&id);
                declared.get(&id).is_some()
                    || above.is_some_and(|above| self.is_kept_whole(above, declared, head))
            })
    }
}

/// Whether the object is an index on expressions or on some of the rows.
fn is_special(object: &Object) -> bool {
    match &object.facts {
        Facts::Index(index) => {
            index.condition.is_some() || index.keys.iter().any(|key| key.expression.is_some())
        }
        Facts::SqliteIndex(index) => {
            index.condition.is_some() || index.keys.iter().any(|key| key.expression.is_some())
        }
        _ => false,
    }
}

/// Whether the object is a sequence that goes with its column.
fn is_owned(object: &Object) -> bool {
    matches!(&object.facts, Facts::Sequence(sequence) if sequence.owned_by.is_some())
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod kept_tests;
