//! Identity columns, and sequences that give their position to others.

use super::{
    column::ColumnChange,
    sequence::{adjusted, aside, limits, range, rename},
    sides::table_of,
    step::Step,
    write::Writer,
};
use crate::{
    generate::{
        LossKind,
        postgres::{
            Statements,
            column::own_identity,
            expression::stable,
            quote::{literal, qualified},
        },
    },
    schema::{
        Facts, Kind, Name, Object, ObjectId,
        postgres::{Column, Identity, SequenceRange},
    },
};

impl Writer<'_, '_> {
    pub(super) fn drop_identity(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) {
        if self.new_sequence(change, b).is_some() {
            // Its position is taken over first.
            return;
        }
        let step = change.action("DROP IDENTITY");
        let is_kept = a.identity.is_none();
        self.push(match is_kept {
            true => step,
            false => step.losing(LossKind::Position),
        });
    }

    /// Makes room for a sequence that has the name of the one that gives its position.
    pub(super) fn prepare_sequence(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) {
        let (None, Some(identity)) = (&a.identity, own_identity(b)) else {
            return;
        };
        if let Some(sequence) = self.old_sequence(change.old)
            && sequence == identity.sequence
        {
            let sql = rename(&sequence, &aside(&sequence).name);
            self.push(Step::new(change.to, sql));
        }
    }

    /// The sequence of a `serial` column, if it is dropped.
    pub(super) fn old_sequence(&self, column: usize) -> Option<Name> {
        let object = self.plan.old.get(column);
        let objects = self.plan.old.objects();
        let at = objects.sequence(&table_of(object), &object.id.name)?;
        self.fate(at)
            .is_gone()
            .then(|| objects.get(at).id.qualified())
    }

    /// The sequence that a column gets, if it is new.
    pub(super) fn new_sequence(&self, change: &ColumnChange<'_>, b: &Column) -> Option<Name> {
        let objects = &self.plan.dump.layout.objects;
        let at = objects.sequence(&table_of(change.to), &change.to.id.name)?;
        let sequence = self.plan.new_object(at);
        let is_used = b.default.as_ref().is_some_and(|it| it.contains("nextval("));
        (self.plan.is_created(at) && is_used).then(|| sequence.id.qualified())
    }

    /// The name of an old sequence while another one of its name is there; `None` if it keeps it.
    pub(super) fn sequence_aside(&self, old: usize) -> Option<Name> {
        let object = self.plan.old.get(old);
        let Facts::Sequence(sequence) = &object.facts else {
            return None;
        };
        let (table, column) = sequence.owned_by.as_ref()?;
        let objects = &self.plan.dump.layout.objects;
        let facts = objects.column(objects.relation(table)?, column)?;
        let name = object.id.qualified();
        (own_identity(facts)?.sequence == name).then(|| aside(&name))
    }

    /// The identity sequence that gives its name and its position to a new sequence.
    pub(super) fn identity_aside(&self, new: usize) -> Option<(Name, Name)> {
        let object = self.plan.new_object(new);
        let Facts::Sequence(sequence) = &object.facts else {
            return None;
        };
        let (table, column) = sequence.owned_by.as_ref()?;
        let objects = self.plan.old.objects();
        let facts = objects.column(objects.relation(table)?, column)?;
        let name = object.id.qualified();
        (own_identity(facts)?.sequence == name).then(|| (name.clone(), aside(&name)))
    }

    pub(super) fn alter_identity(
        &mut self,
        change: &ColumnChange<'_>,
        whole: usize,
        a: &Column,
        b: &Column,
    ) {
        let Some(after) = own_identity(b) else { return };
        let Some(before) = own_identity(a) else {
            let dump = &self.plan.dump;
            let added = dump.identity(change.to, b, after);
            self.push(change.action(format!("ADD{added}")));
            let mut statements = Statements::default();
            dump.identity_sequence(whole, b, &mut statements);
            self.dumped(change.to, change.altered, statements);
            return;
        };
        let mut clauses = Vec::new();
        if before.always != after.always && !self.is_implied(change.old, "identity") {
            let word = if after.always { "ALWAYS" } else { "BY DEFAULT" };
            clauses.push(format!("SET GENERATED {word}"));
        }
        let usual = match is_narrowed(a, b) {
            // That was done before the type changed.
            true => after.range.clone(),
            false => adjusted(&before.range, &a.data_type, &b.data_type),
        };
        clauses.extend(range(&usual, &after.range, "SET "));
        if !clauses.is_empty() {
            let step = change.action(clauses.join(" "));
            let is_moved = clauses.iter().any(|it| it == "RESTART");
            self.push(if is_moved {
                step.losing(LossKind::Position)
            } else {
                step
            });
        }
        self.alter_identity_sequence(change, whole, before, after);
    }

    pub(super) fn alter_identity_sequence(
        &mut self,
        change: &ColumnChange<'_>,
        whole: usize,
        a: &Identity,
        b: &Identity,
    ) {
        if a.sequence.schema == b.sequence.schema && a.sequence.name != b.sequence.name {
            self.push(Step::new(change.to, rename(&a.sequence, &b.sequence.name)));
        }
        let name = qualified(&b.sequence);
        let table = |object: &Object| match &object.facts {
            Facts::Table(table) => table.unlogged,
            _ => false,
        };
        let to = self.plan.new_object(whole);
        let was = self.plan.old_of[whole].is_some_and(|it| table(self.plan.old.get(it)));
        // The sequence follows its table.
        let usual = if was == table(to) {
            a.unlogged
        } else {
            table(to)
        };
        if usual != b.unlogged {
            let word = if b.unlogged { "UNLOGGED" } else { "LOGGED" };
            self.push(Step::new(
                change.to,
                format!("ALTER SEQUENCE {name} SET {word}"),
            ));
        }
        let owner = to.owner.as_deref();
        self.grants_on_sequence(
            change.to,
            (&name, owner),
            a.grants.as_deref(),
            b.grants.as_deref(),
        );
        if a.comment != b.comment {
            let text = b
                .comment
                .as_ref()
                .map_or("NULL".to_owned(), |it| literal(it));
            let sql = format!("COMMENT ON SEQUENCE {name} IS {text}");
            self.push(Step::new(change.to, sql).last());
        }
    }

    /// Gives a new sequence the position of the old one, or one after the values of the column.
    pub(super) fn move_sequence(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) {
        let from_identity = own_identity(a).map(|it| it.sequence.clone());
        let added = own_identity(b).filter(|_| from_identity.is_none());
        let added = added.map(|it| it.sequence.clone());
        let Some(target) = added.or_else(|| self.new_sequence(change, b)) else {
            return;
        };
        let text = literal(&qualified(&target));
        let source = from_identity
            .clone()
            .or_else(|| self.old_sequence(change.old));
        if let Some(source) = source {
            let source = if source == target {
                aside(&source)
            } else {
                source
            };
            let source = qualified(&source);
            let sql = format!("SELECT setval({text}, last_value, is_called) FROM {source}");
            self.push(Step::new(change.to, sql));
        } else if !a.default.as_ref().is_some_and(|it| it.contains("nextval(")) {
            let (name, table) = (change.name, qualified(&table_of(change.to)));
            let range = self.range_of(&target, b);
            let (best, compare, limit) = match range {
                Some(range) if range.increment < 0 => ("min", "<=", range.max),
                Some(range) => ("max", ">=", range.min),
                None => ("max", ">=", 1),
            };
            let sql = format!(
                "SELECT setval({text}, {best}({name})) FROM {table} HAVING {best}({name}) {compare} {limit}"
            );
            self.push(Step::new(change.to, sql));
        }
        if from_identity.is_some() {
            self.push(change.action("DROP IDENTITY"));
            if let Some(default) = &b.default {
                self.push(change.action(format!("SET DEFAULT {}", stable(default))));
            }
        }
    }

    pub(super) fn range_of<'c>(
        &'c self,
        sequence: &Name,
        column: &'c Column,
    ) -> Option<&'c SequenceRange> {
        if let Some(identity) = own_identity(column) {
            return Some(&identity.range);
        }
        let objects = &self.plan.dump.layout.objects;
        let id = ObjectId::new(
            Kind::Sequence,
            sequence.schema.clone(),
            sequence.name.clone(),
        );
        match &objects.get(objects.find(&id)?).facts {
            Facts::Sequence(sequence) => Some(&sequence.range),
            _ => None,
        }
    }
}

/// Whether the range of an identity has to be narrowed before the type of the column can be.
pub(super) fn is_narrowed(a: &Column, b: &Column) -> bool {
    let (Some(before), Some(after)) = (own_identity(a), own_identity(b)) else {
        return false;
    };
    let usual = adjusted(&before.range, &a.data_type, &b.data_type);
    let (low, high) = limits(&b.data_type);
    let fits = usual.max <= high && usual.min >= low;
    a.data_type != b.data_type && !fits && usual != after.range
}
