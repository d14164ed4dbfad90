//! Columns.

use super::{
    identity::is_narrowed,
    sequence::range,
    server::changed_options,
    sides::{keeps_parent, table_of},
    step::Step,
    types::usual_storage,
    write::Writer,
};
use crate::{
    generate::postgres::{
        column::own_identity,
        expression::stable,
        quote::{ident, literal, qualified},
        reference,
    },
    schema::{
        Facts, Object,
        postgres::{Column, default_name},
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
            let step = change.action("DROP EXPRESSION");
            // ALTER TABLE looks at the expression before it performs any of its actions.
            let is_retyped = a.data_type != b.data_type || self.plan.fates.retyped[old];
            self.push(match is_retyped {
                true => Step::new(to, step.sql()),
                false => step,
            });
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
    pub(super) fn is_implied(&self, old: usize, attribute: &str) -> bool {
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
    pub(super) fn keeps_parent(&self, child: usize, parent: usize) -> bool {
        let objects = (self.plan.old.objects(), &self.plan.dump.layout.objects);
        keeps_parent(objects, &self.plan.new_of, (child, parent))
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
            self.push(change.action(options.trim_start()));
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

/// A column that is altered.
pub(super) struct ColumnChange<'a> {
    pub old: usize,
    pub new: usize,
    pub to: &'a Object,
    /// `TABLE shop.orders`.
    pub altered: &'a str,
    pub name: &'a str,
}

impl ColumnChange<'_> {
    pub fn action(&self, change: impl AsRef<str>) -> Step {
        let action = format!("ALTER COLUMN {} {}", self.name, change.as_ref());
        Step::action(self.to, self.altered, action)
    }
}
