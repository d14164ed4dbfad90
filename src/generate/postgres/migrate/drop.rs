//! What drops objects.

use super::{create::share_name, fate::Fate, object::enabled, step::Step, write::Writer};
use crate::{
    generate::{
        LossKind,
        postgres::{
            layout::table_name,
            quote::{ident, in_schema, qualified},
            reference,
        },
    },
    schema::{Facts, Kind, Object, postgres::Table},
};

impl Writer<'_, '_> {
    /// Drops an object, or what of it is in the way of others.
    pub(super) fn down(&mut self, at: usize) {
        let object = self.plan.old.get(at);
        if self.fate(at) == Fate::Replaced {
            let name = in_schema(&object.id.schema, &self.aside_name(at));
            self.push(Step::new(object, format!("DROP {} {name}", word(object))));
            return;
        }
        if self.fate(at).is_gone() && !self.plan.loses_default_first(at) {
            self.drop(at);
            return;
        }
        let whole = self.plan.old.objects().whole(at);
        match &object.facts {
            Facts::Column(_) => {
                let altered = whole.and_then(|whole| reference::altered(self.plan.old.get(whole)));
                let action = format!("ALTER COLUMN {} DROP DEFAULT", ident(&object.id.name));
                self.push(Step::action(object, &altered.unwrap_or_default(), action));
            }
            Facts::Domain(_) => {
                let name = qualified(&object.id.qualified());
                self.push(Step::new(
                    object,
                    format!("ALTER DOMAIN {name} DROP DEFAULT"),
                ));
            }
            Facts::Table(table) => self.leave_parents(at, object, table),
            _ => {}
        }
    }

    fn drop(&mut self, at: usize) {
        let object = self.plan.old.get(at);
        let name = ident(&object.id.name);
        let whole = self.plan.old.whole(at);
        let altered = whole.and_then(reference::altered).unwrap_or_default();
        let is_domain = whole.is_some_and(|whole| whole.id.kind == Kind::Domain);
        match &object.facts {
            Facts::Column(column) if column.data_type.is_empty() => {
                self.drop_view_column(at, object, &altered);
            }
            Facts::Column(column) => {
                let step = Step::action(object, &altered, format!("DROP COLUMN {name}"));
                let is_computed = column.generated.is_some();
                self.push(match is_computed {
                    true => step,
                    false => step.losing(LossKind::Values),
                });
            }
            Facts::ForeignKey(key) if key.is_inherited && self.is_share_kept(at) => {
                if object.comment.is_some() {
                    let mut bare = object.clone();
                    bare.comment = None;
                    self.comment(object, &bare, whole);
                }
                let usual = share_name(self.plan.old.objects(), at, key);
                if let Some(usual) = usual.filter(|it| *it != object.id.name) {
                    self.rename_constraint(object, &object.id.name, &usual);
                }
            }
            Facts::Key(_) | Facts::ForeignKey(_) | Facts::Exclusion(_) | Facts::Check(_) => {
                let step = Step::action(object, &altered, format!("DROP CONSTRAINT {name}"));
                self.push(match is_domain {
                    true => Step::new(object, step.sql()),
                    false => step,
                });
            }
            Facts::Trigger(trigger) if trigger.is_inherited => self.enable_as_parent(at, object),
            Facts::Trigger(_) | Facts::Rule(_) | Facts::Policy(_) => {
                let table = qualified(&table_name(object));
                let kind = object.id.kind.name().to_uppercase();
                self.push(Step::new(object, format!("DROP {kind} {name} ON {table}")));
            }
            Facts::UserMapping(_) => {
                let user = match object.id.name.as_str() {
                    "PUBLIC" => "PUBLIC".into(),
                    name => crate::generate::postgres::quote::role(name),
                };
                let server = ident(&object.id.parent);
                let sql = format!("DROP USER MAPPING FOR {user} SERVER {server}");
                self.push(Step::new(object, sql));
            }
            Facts::DefaultPrivileges(facts) => {
                self.default_privileges(object, &object.id, Some(facts), None);
            }
            Facts::Table(table) => {
                let step = Step::new(object, format!("DROP {}", word_and_name(object)));
                let has_rows = table.partition_by.is_none() && table.foreign.is_none();
                self.push(match has_rows {
                    true => step.losing(LossKind::Rows),
                    false => step,
                });
            }
            Facts::Sequence(_) => self.drop_sequence(at, object),
            _ => self.push(Step::new(object, format!("DROP {}", word_and_name(object)))),
        }
    }

    /// Whether a partition goes on having its share of a foreign key.
    fn is_share_kept(&self, at: usize) -> bool {
        let whole = self.plan.old.objects().whole(at);
        whole.is_some_and(|whole| !self.plan.leaves_parent(whole))
    }

    fn drop_sequence(&mut self, at: usize, object: &Object) {
        match self.sequence_aside(at) {
            Some(aside) => {
                let sql = format!("DROP SEQUENCE {}", qualified(&aside));
                self.push(Step::new(object, sql));
            }
            None => {
                let step = Step::new(object, format!("DROP {}", word_and_name(object)));
                self.push(step.losing(LossKind::Position));
            }
        }
    }

    /// Takes what a column of a view has beside the query.
    fn drop_view_column(&mut self, at: usize, object: &Object, altered: &str) {
        let Facts::Column(column) = &object.facts else {
            return;
        };
        let name = ident(&object.id.name);
        if column.default.is_some() {
            let action = format!("ALTER COLUMN {name} DROP DEFAULT");
            self.push(Step::action(object, altered, action));
        }
        if column.statistics.is_some() {
            let action = format!("ALTER COLUMN {name} SET STATISTICS -1");
            self.push(Step::action(object, altered, action));
        }
        if let Some(storage) = &column.storage {
            self.refuse(
                object,
                format!("its storage {storage} cannot be taken back"),
            );
        }
        if !column.options.is_empty() {
            let names: Vec<_> = column.options.keys().map(|it| ident(it)).collect();
            let action = format!("ALTER COLUMN {name} RESET ({})", names.join(", "));
            self.push(Step::action(object, altered, action));
        }
        let mut bare = object.clone();
        (bare.comment, bare.grants) = (None, None);
        let whole = self.plan.old.whole(at);
        self.comment(object, &bare, whole);
        self.grants(object, &bare, None);
    }

    /// A partition's copy of a trigger is an object of its own only while it is enabled in another way.
    fn enable_as_parent(&mut self, at: usize, object: &Object) {
        let parent = self.plan.old.inherited_from(at);
        let parent =
            parent.filter(|parent| !self.fate(*parent).is_gone() && self.keeps_parent(at, *parent));
        if let Some(parent) = parent.and_then(|parent| self.plan.new_of[parent])
            && let Facts::Trigger(trigger) = &self.plan.new_object(parent).facts
        {
            let table = format!("TABLE {}", qualified(&table_name(object)));
            let name = ident(&object.id.name);
            let action = format!("{} TRIGGER {name}", enabled(trigger.enabled));
            self.push(Step::action(object, &table, action));
        }
    }

    /// Gives an old type another name.
    pub(super) fn aside(&mut self, at: usize) {
        let object = self.plan.old.get(at);
        let name = qualified(&object.id.qualified());
        let aside = self.aside_name(at);
        let sql = format!("ALTER {} {name} RENAME TO {}", word(object), ident(&aside));
        self.push(Step::new(object, sql));
        if let Facts::Range(range) = &object.facts {
            self.range_aside(object, range, &aside);
        }
    }

    /// DETACH PARTITION and NO INHERIT.
    fn leave_parents(&mut self, at: usize, object: &Object, from: &Table) {
        let Some(new) = self.plan.new_of[at] else {
            return;
        };
        let Facts::Table(to) = &self.plan.new_object(new).facts else {
            return;
        };
        let name = qualified(&object.id.qualified());
        if let Some(partition) = &from.partition_of
            && from.partition_of != to.partition_of
        {
            let parent = qualified(&partition.parent);
            let sql = format!("ALTER TABLE {parent} DETACH PARTITION {name}");
            self.push(Step::new(object, sql));
        }
        let altered = reference::altered(object).unwrap_or_default();
        for parent in left_parents(&from.inherits, &to.inherits) {
            let parent = qualified(&parent);
            self.push(Step::action(
                object,
                &altered,
                format!("NO INHERIT {parent}"),
            ));
        }
    }

    /// ATTACH PARTITION and INHERIT.
    pub(super) fn attach_table(&mut self, object: &Object, from: &Table, to: &Table) {
        let name = qualified(&object.id.qualified());
        if let Some(partition) = &to.partition_of
            && from.partition_of != to.partition_of
        {
            let parent = qualified(&partition.parent);
            let bound = &partition.bound;
            let sql = format!("ALTER TABLE {parent} ATTACH PARTITION {name}\n    {bound}");
            self.push(Step::new(object, sql));
        }
        let altered = reference::altered(object).unwrap_or_default();
        let left = left_parents(&from.inherits, &to.inherits);
        let stay: Vec<_> = from
            .inherits
            .iter()
            .filter(|it| !left.contains(it))
            .collect();
        for parent in to.inherits.iter().filter(|it| !stay.contains(it)) {
            let parent = qualified(parent);
            self.push(Step::action(object, &altered, format!("INHERIT {parent}")));
        }
    }
}

/// The parents that a table leaves, also to inherit from them in another order.
fn left_parents(
    from: &[crate::schema::Name],
    to: &[crate::schema::Name],
) -> Vec<crate::schema::Name> {
    let kept = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    from[kept..].to_vec()
}

/// The word for a kind in DROP and ALTER.
fn word(object: &Object) -> String {
    let altered = reference::altered(object).unwrap_or_default();
    let name = in_schema(&object.id.schema, &object.id.name);
    altered
        .strip_suffix(&name)
        .unwrap_or(&altered)
        .trim_end()
        .to_owned()
}

fn word_and_name(object: &Object) -> String {
    reference::altered(object).unwrap_or_default()
}
