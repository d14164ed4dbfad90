//! Columns that get another type.

use super::{
    column::ColumnChange,
    fate::Fate,
    types::{Conversion, conversion, is_same_but_modifier, type_object},
    write::Writer,
};
use crate::{
    generate::{
        LossKind,
        postgres::quote::{ident, qualified},
    },
    schema::{
        Facts, mentions,
        postgres::{Attribute, Column},
    },
};

impl Writer<'_, '_> {
    /// TYPE. Returns whether the default is to be set again.
    pub(super) fn alter_type(&mut self, change: &ColumnChange<'_>, a: &Column, b: &Column) -> bool {
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

    /// Whether the column is in the partition key of its table, or of a partition that has partitions.
    pub(super) fn is_partition_key(&self, change: &ColumnChange<'_>) -> bool {
        let objects = &self.plan.dump.layout.objects;
        let mut tables: Vec<usize> = objects.whole(change.new).into_iter().collect();
        while let Some(at) = tables.pop() {
            let table = objects.table(at);
            let key = table.and_then(|table| table.partition_by.as_ref());
            if key.is_some_and(|key| mentions(key, &change.to.id.name)) {
                return true;
            }
            tables.extend(objects.children(at));
        }
        false
    }

    /// ` USING …`, where ALTER COLUMN … TYPE finds no cast by itself.
    pub(super) fn using(
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
        // Whether an element has no cast of its own.
        let is_text = |from: &str, to: &str| {
            conversion((self.plan.old.objects(), from), (objects, to)) == Conversion::Text
        };
        let element = |data_type: &str| data_type.replacen("[]", "", 1);
        match (found, brackets(&a.data_type), brackets(to)) {
            (Conversion::Lossless | Conversion::Assignment, ..) => String::new(),
            (Conversion::Explicit, ..) => format!(" USING {name}::{to}"),
            (_, 0, 1) => {
                let text = match is_text(&a.data_type, &element(to)) {
                    true => "::text",
                    false => "",
                };
                format!(" USING CASE WHEN {name} IS NOT NULL THEN ARRAY[{name}{text}]::{to} END")
            }
            (_, 1, 0) if is_text(&element(&a.data_type), to) => {
                format!(" USING {name}[1]::text::{to}")
            }
            (_, 1, 0) => format!(" USING {name}[1]::{to}"),
            _ => format!(" USING {name}::text::{to}"),
        }
    }

    pub(super) fn using_replaced(
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
            (Facts::Domain(from), Facts::Domain(_))
                if brackets.is_empty() && !self.is_replaced_type(&from.data_type) =>
            {
                match found {
                    Conversion::Lossless | Conversion::Assignment => String::new(),
                    Conversion::Explicit => format!(" USING {name}::{to}"),
                    Conversion::Text => format!(" USING {name}::text::{to}"),
                }
            }
            (Facts::Composite(from), Facts::Composite(facts)) if brackets.is_empty() => {
                let attribute = |it: &Attribute| {
                    let before = from.attributes.iter().find(|old| old.name == it.name);
                    match before {
                        Some(before) => {
                            let value = format!("({name}).{}", ident(&it.name));
                            let is_same = before.data_type == it.data_type
                                && !self.is_replaced_type(&before.data_type);
                            match is_same {
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

    /// Whether a type is dropped after another one of its name has taken its place.
    fn is_replaced_type(&self, data_type: &str) -> bool {
        let of_type = type_object(self.plan.old.objects(), data_type);
        of_type.is_some_and(|at| self.plan.fates.of[at] == Fate::Replaced)
    }

    /// Whether values of a replaced type may not fit the new one.
    pub(super) fn loses_values(&self, a: &Column) -> bool {
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
            (Facts::Range(a), Facts::Range(b)) => {
                let objects = &self.plan.dump.layout.objects;
                let found =
                    conversion((self.plan.old.objects(), &a.subtype), (objects, &b.subtype));
                found != Conversion::Lossless
            }
            _ => true,
        }
    }
}
