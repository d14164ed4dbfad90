//! What creates objects, and completes them.

use super::{
    sequence::rename,
    sides::table_of,
    step::{Step, divided},
    write::Writer,
};
use crate::{
    generate::postgres::{
        Statements,
        objects::{Objects, parent_index},
        privileges as dumped,
        quote::{ident, qualified},
        reference, relation,
    },
    schema::{
        Facts, Kind, Object,
        postgres::{Column, ForeignKey, Sequence},
    },
};

impl Writer<'_, '_> {
    /// Creates an object that has statements of its own.
    pub(super) fn create(&mut self, at: usize) {
        let layout = &self.plan.dump.layout;
        let object = self.plan.new_object(at);
        let whole = layout.objects.whole(at);
        let is_whole_kept = whole.is_some_and(|whole| !self.plan.is_created(whole));
        if is_whole_kept
            && let Some(whole) = whole
            && let Facts::Column(column) = &object.facts
            && !column.data_type.is_empty()
        {
            self.add_column(at, whole, column);
            return;
        }
        if let Facts::ForeignKey(key) = &object.facts
            && key.is_inherited
            && is_whole_kept
            && !self.becomes_partition(at)
        {
            self.name_share(at, object, key);
            return;
        }
        if object.id.kind == Kind::Schema && object.id.name == "public" {
            self.push(Step::new(object, "CREATE SCHEMA public"));
        }
        let altered = whole
            .map(|whole| self.plan.new_object(whole))
            .and_then(reference::altered);
        let altered = altered
            .or_else(|| reference::altered(object))
            .unwrap_or_default();
        if let Some((from, aside)) = self.identity_aside(at) {
            self.push(Step::new(object, rename(&from, &aside.name)));
        }
        if layout.made[at] {
            self.name_index(object);
        }
        for block in self.plan.dump.blocks(at) {
            let mut notes = block.notes;
            for statement in block.statements {
                let mut step = divided(object, &altered, &statement);
                step.notes.append(&mut notes);
                self.push(step);
            }
            if let Some(note) = notes.into_iter().next() {
                self.refuse(object, note.lines().next().unwrap_or_default());
            }
        }
        if object.id.kind == Kind::Schema && object.id.name == "public" {
            self.finish_public(object);
        }
        self.without_default_privileges(object);
        if let Facts::Sequence(sequence) = &object.facts {
            self.give_sequence(at, sequence);
        }
        if let Some(block) = self.plan.dump.refresh(at) {
            for statement in block.statements {
                self.push(Step::new(object, statement).last());
            }
        }
        if is_whole_kept
            && !layout.made[at]
            && let Some(parent) = parent_index(object)
        {
            let parent_at = layout.objects.index(parent);
            if parent_at.is_some_and(|parent| !self.plan.is_created(parent)) {
                let sql = format!(
                    "ALTER INDEX {} ATTACH PARTITION {}",
                    qualified(parent),
                    qualified(&object.id.qualified())
                );
                self.push(Step::new(object, sql));
            }
        }
    }

    /// Whether the table of a part is attached to a partitioned table.
    fn becomes_partition(&self, part: usize) -> bool {
        let whole = self.plan.dump.layout.objects.whole(part);
        let old = whole.and_then(|whole| self.plan.old_of[whole]);
        old.is_some_and(|old| self.plan.leaves_parent(old))
    }

    /// Gives a partition's share of a foreign key its own name and comment.
    fn name_share(&mut self, at: usize, object: &Object, key: &ForeignKey) {
        let usual = share_name(&self.plan.dump.layout.objects, at, key);
        if let Some(usual) = usual.filter(|it| *it != object.id.name) {
            self.rename_constraint(object, &usual, &object.id.name);
        }
        let mut statements = Statements::default();
        dumped::finish(object, None, &mut statements);
        for sql in statements.statements {
            self.push(Step::new(object, sql));
        }
    }

    pub(super) fn rename_constraint(&mut self, object: &Object, from: &str, to: &str) {
        let table = qualified(&table_of(object));
        let (from, to) = (ident(from), ident(to));
        let sql = format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}");
        self.push(Step::new(object, sql));
    }

    /// Gives the index that the server made for a partition its name.
    fn name_index(&mut self, object: &Object) {
        let Some(usual) = crate::generate::postgres::layout::default_index_name(object) else {
            return;
        };
        if usual != object.id.name {
            let schema = object.id.schema.clone();
            let from = qualified(&crate::schema::Name::new(schema, usual));
            let sql = format!("ALTER INDEX {from} RENAME TO {}", ident(&object.id.name));
            self.push(Step::new(object, sql));
        }
    }

    /// Gives a sequence to the column of a table that was there before.
    pub(super) fn give_sequence(&mut self, at: usize, sequence: &Sequence) {
        let Some((table, column)) = &sequence.owned_by else {
            return;
        };
        let layout = &self.plan.dump.layout;
        let place = layout.objects.relation(table);
        if layout.made[at] || place.is_none_or(|place| self.plan.is_created(place)) {
            return;
        }
        let object = self.plan.new_object(at);
        let mut statements = Statements::default();
        relation::owned_by(object, table, column, &mut statements);
        for statement in statements.statements {
            self.push(Step::new(object, statement).last());
        }
    }

    /// ADD COLUMN and what completes the column.
    fn add_column(&mut self, at: usize, whole: usize, column: &Column) {
        let dump = &self.plan.dump;
        let (object, table) = (self.plan.new_object(at), self.plan.new_object(whole));
        let altered = reference::altered(table).unwrap_or_default();
        let has_value = column.default.is_some()
            || column.generated.is_some()
            || column.identity.is_some()
            || dump.layout.serial[at].is_some();
        let fill = self.fill(object);
        let waits = column.not_null.is_some() && !has_value && self.has_rows(whole);
        let needs_fill = waits || fill.is_some();
        let mut added = column.clone();
        if needs_fill {
            added.not_null = None;
        }
        let line = dump.column(whole, (at, object, &added));
        self.push(Step::action(object, &altered, format!("ADD COLUMN {line}")));
        if needs_fill {
            self.fill_and_check(object, &altered, fill.as_deref(), column.not_null.is_some());
        }
        let mut statements = Statements::default();
        dump.column_settings(whole, (at, object, column), &mut statements);
        dump.identity_sequence(whole, column, &mut statements);
        for statement in statements.statements {
            self.push(divided(object, &altered, &statement));
        }
        let mut statements = Statements::default();
        dump.not_null_comment(object, column, &mut statements);
        dumped::finish(object, Some(table), &mut statements);
        for statement in statements.statements {
            self.push(Step::new(object, statement).last());
        }
    }

    /// Whether a table can have rows.
    fn has_rows(&self, table: usize) -> bool {
        let object = self.plan.new_object(table);
        match &object.facts {
            Facts::Table(table) => table.foreign.is_none(),
            _ => false,
        }
    }
}

/// The name of the foreign key of which a partition's one is a share.
pub(super) fn share_name(objects: &Objects<'_>, at: usize, key: &ForeignKey) -> Option<String> {
    let parents = objects.parents(objects.whole(at)?);
    let mut parts = parents.into_iter().flat_map(|parent| objects.parts(parent));
    parts.find_map(|(_, part)| match &part.facts {
        Facts::ForeignKey(of_parent)
            if of_parent.columns == key.columns && of_parent.references == key.references =>
        {
            Some(part.id.name.clone())
        }
        _ => None,
    })
}
