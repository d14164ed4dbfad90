//! Columns.

use super::{
    sequence::{adjusted, aside, range, rename},
    server::changed_options,
    sides::table_of,
    step::Step,
    types::{Conversion, conversion, is_same_but_modifier, type_object, usual_storage},
    write::Writer,
};
use crate::{
    generate::{
        LossKind,
        postgres::{
            column::own_identity,
            expression::stable,
            quote::{ident, literal, qualified},
            reference,
        },
    },
    schema::{
        Facts, Name, Object,
        postgres::{Column, Identity, default_name},
    },
};

impl Writer<'_, '_> {
    /// What changes at a column.
    pub(super) fn alter_column(&mut self, old: usize, new: usize, a: &Column, b: &Column) {
        let (_, to) = self.pair(old, new);
        let objects = &self.plan.dump.layout.objects;
        let Some(whole) = objects.whole(new) else {
            return;
        };
        let altered = reference::altered(objects.get(whole)).unwrap_or_default();
        let name = ident(&to.id.name);
        let change = ColumnChange {
            old,
            new,
            to,
            altered: &altered,
            name: &name,
        };
        self.prepare_sequence(&change, a, b);
        if a.generated.is_some() && b.generated.is_none() && !self.is_implied(old, "generated") {
            self.push(change.action("DROP EXPRESSION"));
        }
        if own_identity(a).is_some() && b.identity.is_none() {
            self.drop_identity(&change, a, b);
        }
        if a.not_null.is_some() && b.not_null.is_none() && !self.is_implied(old, "not_null") {
            self.push(change.action("DROP NOT NULL"));
        }
        if let (Some(before), Some(after)) = (own_identity(a), own_identity(b))
            && is_narrowed(a, b)
        {
            let clauses = range(&before.range, &after.range, "SET ");
            let step = change.action(clauses.join(" "));
            self.push(Step::new(to, step.sql()));
        }
        let is_retyped = self.alter_type(&change, a, b);
        self.alter_default(&change, a, b, is_retyped);
        if a.not_null.is_none()
            && let Some(not_null) = &b.not_null
            && !not_null.not_valid
            && !self.is_implied(old, "not_null")
        {
            let fill = self.fill(to);
            if fill.is_some() || !self.becomes_key(new) {
                self.fill_and_check(to, &altered, fill.as_deref(), true);
            }
        }
        self.alter_identity(&change, whole, a, b);
        self.move_sequence(&change, a, b);
        self.alter_settings(&change, a, b, is_retyped);
    }

    /// Whether the change of the parent's column changes this one, too.
    fn is_implied(&self, old: usize, attribute: &str) -> bool {
        let own = self.plan.changed[old].get(attribute);
        let side = &self.plan.old;
        let Some(parent) = side.inherited_from(old) else {
            return false;
        };
        if !self.keeps_parent(old, parent) || self.plan.new_of[parent].is_none() {
            return false;
        }
        own.is_some()
            && own == self.plan.changed[parent].get(attribute)
            && !(attribute == "default" && self.is_default_alone(parent))
    }

    /// Whether the tables of both columns stay child and parent.
    fn keeps_parent(&self, child: usize, parent: usize) -> bool {
        let old = self.plan.old.objects();
        let objects = &self.plan.dump.layout.objects;
        let table = |at: usize| old.whole(at).and_then(|it| self.plan.new_of[it]);
        match (table(child), table(parent)) {
            (Some(child), Some(parent)) => objects.parents(child).contains(&parent),
            _ => false,
        }
    }

    /// Whether a child of the table has another default, so that the parent's is changed alone.
    fn is_default_alone(&self, column: usize) -> bool {
        let objects = &self.plan.dump.layout.objects;
        let Some(new) = self.plan.new_of[column] else {
            return false;
        };
        let Some(table) = objects.whole(new) else {
            return false;
        };
        let default = |table: usize| {
            let name = &self.plan.new_object(new).id.name;
            objects.column(table, name).map(|it| it.default.as_ref())
        };
        let usual = default(table);
        let mut children = objects.children(table).iter();
        children.any(|child| default(*child).is_some_and(|it| Some(it) != usual))
    }

    /// TYPE. Returns whether the default is to be set again.
    fn alter_type(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) -> bool {
        let old = change.old;
        let is_replaced = self.plan.fates.retyped[old];
        let is_type_changed = a.data_type != b.data_type;
        if !is_type_changed && a.collation == b.collation && !is_replaced {
            return false;
        }
        let is_child = self.plan.old.inherited_from(old).is_some_and(|parent| {
            self.keeps_parent(old, parent)
                && (self.plan.fates.retyped[parent] || self.is_implied(old, "data_type"))
        });
        if is_child || self.is_implied(old, "data_type") || self.is_implied(old, "collation") {
            return is_replaced || !is_same_but_modifier(&a.data_type, &b.data_type);
        }
        if self.is_partition_key(change) {
            self.refuse(
                change.to,
                "PostgreSQL cannot change the type of a column in a partition key",
            );
            return false;
        }
        let objects = &self.plan.dump.layout.objects;
        let found = conversion(
            (self.plan.old.objects(), &a.data_type),
            (objects, &b.data_type),
        );
        let is_same = is_same_but_modifier(&a.data_type, &b.data_type) && !is_replaced;
        let is_reset = !is_same && a.default.is_some() && a.generated.is_none();
        if is_reset && !self.plan.fates.detached[old] {
            self.push(change.action("DROP DEFAULT"));
        }
        let mut action = format!("TYPE {}", b.data_type);
        if let Some(collation) = &b.collation {
            action.push_str(&format!(" COLLATE {}", qualified(collation)));
        }
        if a.generated.is_none() || b.generated.is_none() {
            action.push_str(&self.using(change, a, b, found, is_replaced));
        }
        let step = change.action(action);
        let is_lossy = found.is_lossy(&a.data_type, &b.data_type) && is_type_changed
            || is_replaced && self.loses_values(a);
        self.push(match is_lossy {
            true => step.losing(LossKind::Precision),
            false => step,
        });
        !is_same
    }

    fn is_partition_key(&self, change: &ColumnChange<'_>) -> bool {
        let objects = &self.plan.dump.layout.objects;
        let table = objects.whole(change.new).and_then(|it| objects.table(it));
        let key = table.and_then(|table| table.partition_by.as_ref());
        key.is_some_and(|key| super::sides::mentions(key, &change.to.id.name))
    }

    /// ` USING …`, where ALTER COLUMN … TYPE finds no cast by itself.
    fn using(
        &self,
        change: &ColumnChange<'_>,
        a: &Column,
        b: &Column,
        found: Conversion,
        is_replaced: bool,
    ) -> String {
        let (name, to) = (change.name, &b.data_type);
        let objects = &self.plan.dump.layout.objects;
        if is_replaced {
            let kinds = (
                type_object(self.plan.old.objects(), &a.data_type),
                type_object(objects, to),
            );
            return match kinds {
                (Some(old), Some(new)) => self.using_replaced(change, (old, new), a, b, found),
                _ if a.data_type == b.data_type => String::new(),
                _ => format!(" USING {name}::text::{to}"),
            };
        }
        let brackets = |data_type: &str| data_type.matches("[]").count();
        match (found, brackets(&a.data_type), brackets(to)) {
            (Conversion::Lossless | Conversion::Assignment, ..) => String::new(),
            (Conversion::Explicit, ..) => format!(" USING {name}::{to}"),
            (_, 0, 1) => {
                format!(" USING CASE WHEN {name} IS NOT NULL THEN ARRAY[{name}]::{to} END")
            }
            (_, 1, 0) => format!(" USING {name}[1]::{to}"),
            _ => format!(" USING {name}::text::{to}"),
        }
    }

    fn using_replaced(
        &self,
        change: &ColumnChange<'_>,
        (old, new): (usize, usize),
        a: &Column,
        b: &Column,
        found: Conversion,
    ) -> String {
        let (name, to) = (change.name, &b.data_type);
        let brackets = a.data_type.find("[]").map_or("", |at| &a.data_type[at..]);
        match (
            &self.plan.old.get(old).facts,
            &self.plan.new_object(new).facts,
        ) {
            (Facts::Domain(_), Facts::Domain(_)) if brackets.is_empty() => match found {
                Conversion::Lossless | Conversion::Assignment => String::new(),
                Conversion::Explicit => format!(" USING {name}::{to}"),
                Conversion::Text => format!(" USING {name}::text::{to}"),
            },
            (Facts::Composite(from), Facts::Composite(facts)) if brackets.is_empty() => {
                let attribute = |it: &crate::schema::postgres::Attribute| {
                    let before = from.attributes.iter().find(|old| old.name == it.name);
                    match before {
                        Some(before) => {
                            let value = format!("({name}).{}", ident(&it.name));
                            match before.data_type == it.data_type {
                                true => value,
                                false => format!("{value}::text::{}", it.data_type),
                            }
                        }
                        None => "NULL".to_owned(),
                    }
                };
                let attributes: Vec<String> = facts.attributes.iter().map(attribute).collect();
                format!(
                    " USING CASE WHEN {name} IS DISTINCT FROM NULL THEN ROW({})::{to} END",
                    attributes.join(", ")
                )
            }
            _ => format!(" USING {name}::text{brackets}::{to}"),
        }
    }

    /// Whether values of a replaced type may not fit the new one.
    fn loses_values(&self, a: &Column) -> bool {
        let Some(old) = type_object(self.plan.old.objects(), &a.data_type) else {
            return false;
        };
        let Some(new) = self.plan.new_of[old] else {
            return true;
        };
        match (
            &self.plan.old.get(old).facts,
            &self.plan.new_object(new).facts,
        ) {
            (Facts::Enum(a), Facts::Enum(b)) => a.labels.iter().any(|it| !b.labels.contains(it)),
            (Facts::Domain(a), Facts::Domain(b)) => {
                let objects = &self.plan.dump.layout.objects;
                let found = conversion(
                    (self.plan.old.objects(), &a.data_type),
                    (objects, &b.data_type),
                );
                found != Conversion::Lossless
            }
            (Facts::Range(_), _) => false,
            _ => true,
        }
    }

    fn alter_default(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column, is_reset: bool) {
        let old = change.old;
        let is_detached = self.plan.fates.detached[old];
        let is_reset = is_reset && a.default.is_some() && a.generated.is_none();
        let is_changed = self.differs(old, "default") && !self.is_implied(old, "default");
        let comes_later = own_identity(a).is_some() && self.new_sequence(change, b).is_some();
        if b.generated.is_some() || comes_later {
            return;
        }
        let is_child = is_reset
            && !is_changed
            && self
                .plan
                .old
                .inherited_from(old)
                .is_some_and(|it| self.keeps_parent(old, it));
        let mut altered = change.altered.to_owned();
        if is_changed && self.is_default_alone(old) {
            altered = altered.replacen("TABLE ", "TABLE ONLY ", 1);
        }
        let name = change.name;
        match &b.default {
            Some(default) if (is_changed || is_reset || is_detached) && !is_child => {
                let action = format!("ALTER COLUMN {name} SET DEFAULT {}", stable(default));
                self.push(Step::action(change.to, &altered, action));
            }
            None if is_changed && a.default.is_some() && !is_reset && !is_detached => {
                let action = format!("ALTER COLUMN {name} DROP DEFAULT");
                self.push(Step::action(change.to, &altered, action));
            }
            _ => {}
        }
    }

    /// Whether a primary key that is added refuses NULL in the column.
    fn becomes_key(&self, new: usize) -> bool {
        let objects = &self.plan.dump.layout.objects;
        let Some(whole) = objects.whole(new) else {
            return false;
        };
        let name = &self.plan.new_object(new).id.name;
        objects.parts(whole).any(|(at, part)| match &part.facts {
            Facts::Key(key) => {
                part.id.kind == crate::schema::Kind::PrimaryKey
                    && self.plan.is_created(at)
                    && key.columns.contains(name)
            }
            _ => false,
        })
    }

    fn drop_identity(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) {
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
    fn prepare_sequence(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) {
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
    fn old_sequence(&self, column: usize) -> Option<Name> {
        let object = self.plan.old.get(column);
        let objects = self.plan.old.objects();
        let at = objects.sequence(&table_of(object), &object.id.name)?;
        self.fate(at)
            .is_gone()
            .then(|| objects.get(at).id.qualified())
    }

    /// The sequence that a column gets, if it is new.
    fn new_sequence(&self, change: &ColumnChange<'_>, b: &Column) -> Option<Name> {
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

    fn alter_identity(&mut self, change: &ColumnChange<'_>, whole: usize, a: &Column, b: &Column) {
        let Some(after) = own_identity(b) else { return };
        let Some(before) = own_identity(a) else {
            let dump = &self.plan.dump;
            let added = dump.identity(change.to, b, after);
            self.push(change.action(format!("ADD{added}")));
            let mut statements = crate::generate::postgres::Statements::default();
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

    fn alter_identity_sequence(
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
    fn move_sequence(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) {
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

    fn range_of<'c>(
        &'c self,
        sequence: &Name,
        column: &'c Column,
    ) -> Option<&'c crate::schema::postgres::SequenceRange> {
        if let Some(identity) = own_identity(column) {
            return Some(&identity.range);
        }
        let objects = &self.plan.dump.layout.objects;
        let id = crate::schema::ObjectId::new(
            crate::schema::Kind::Sequence,
            sequence.schema.clone(),
            sequence.name.clone(),
        );
        match &objects.get(objects.find(&id)?).facts {
            Facts::Sequence(sequence) => Some(&sequence.range),
            _ => None,
        }
    }

    fn alter_settings(
        &mut self,
        change: &ColumnChange<'_>,
        a: &Column,
        b: &Column,
        is_retyped: bool,
    ) {
        let old = change.old;
        let objects = &self.plan.dump.layout.objects;
        let usual = if is_retyped { None } else { a.storage.as_ref() };
        if usual != b.storage.as_ref() && !self.is_implied(old, "storage") {
            let storage = b.storage.as_deref();
            let storage = storage.unwrap_or_else(|| usual_storage(objects, &b.data_type));
            self.push(change.action(format!("SET STORAGE {storage}")));
        }
        if a.compression != b.compression {
            let method = b.compression.as_deref().unwrap_or("default");
            self.push(change.action(format!("SET COMPRESSION {method}")));
        }
        if a.statistics != b.statistics && !self.is_implied(old, "statistics") {
            let target = b.statistics.unwrap_or(-1);
            self.push(change.action(format!("SET STATISTICS {target}")));
        }
        let altered = format!("{} ALTER COLUMN {}", change.altered, change.name);
        let start = self.steps.len();
        self.set_options(change.to, &altered, &a.options, &b.options);
        let options: Vec<Step> = self.steps.drain(start..).collect();
        for step in options {
            self.push(change.action(step.text));
        }
        let options = changed_options(&a.foreign_options, &b.foreign_options);
        if !options.is_empty() {
            self.push(change.action(options.trim_start().to_owned()));
        }
        self.alter_not_null(change, a, b);
    }

    /// The name and the other attributes of NOT NULL constraints, which they have since PostgreSQL 18.
    fn alter_not_null(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) {
        let (Some(before), Some(after)) = (&a.not_null, &b.not_null) else {
            return;
        };
        let id = &change.to.id;
        let usual = default_name(&id.parent, Some(&id.name), "not_null");
        let name = |it: &Option<String>| it.clone().unwrap_or_else(|| usual.clone());
        let (from, to) = (name(&before.name), name(&after.name));
        if from != to && !after.is_inherited {
            let sql = format!(
                "ALTER {} RENAME CONSTRAINT {} TO {}",
                change.altered,
                ident(&from),
                ident(&to)
            );
            self.push(Step::new(change.to, sql));
        }
        if before.not_valid && !after.not_valid {
            let action = format!("VALIDATE CONSTRAINT {}", ident(&to));
            self.push(Step::action(change.to, change.altered, action));
        }
        if before.no_inherit != after.no_inherit {
            let word = if after.no_inherit {
                "NO INHERIT"
            } else {
                "INHERIT"
            };
            let action = format!("ALTER CONSTRAINT {} {word}", ident(&to));
            self.push(Step::action(change.to, change.altered, action));
        }
        if before.comment != after.comment {
            let text = after
                .comment
                .as_ref()
                .map_or("NULL".to_owned(), |it| literal(it));
            let table = qualified(&table_of(change.to));
            let sql = format!("COMMENT ON CONSTRAINT {} ON {table} IS {text}", ident(&to));
            self.push(Step::new(change.to, sql).last());
        }
    }
}

/// Whether the range of an identity has to be narrowed before the type of the column can be.
fn is_narrowed(a: &Column, b: &Column) -> bool {
    let (Some(before), Some(after)) = (own_identity(a), own_identity(b)) else {
        return false;
    };
    let usual = adjusted(&before.range, &a.data_type, &b.data_type);
    a.data_type != b.data_type && (usual.max > after.range.max || usual.min < after.range.min)
}

/// A column that is altered.
struct ColumnChange<'a> {
    old: usize,
    new: usize,
    to: &'a Object,
    /// `TABLE shop.orders`.
    altered: &'a str,
    name: &'a str,
}

impl ColumnChange<'_> {
    fn action(&self, change: impl AsRef<str>) -> Step {
        let action = format!("ALTER COLUMN {} {}", self.name, change.as_ref());
        Step::action(self.to, self.altered, action)
    }
}
