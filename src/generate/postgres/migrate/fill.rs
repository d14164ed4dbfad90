//! Values for rows in columns that refuse NULL.

use super::{fate::Fate, sides::table_of, step::Step, write::Writer};
use crate::{
    generate::postgres::quote::{ident, qualified},
    schema::{Facts, Object, postgres::Enabled},
};

impl Writer<'_, '_> {
    /// Fills a column and refuses NULL in it.
    pub(super) fn fill_and_check(
        &mut self,
        object: &Object,
        altered: &str,
        fill: Option<&str>,
        is_checked: bool,
    ) {
        let name = ident(&object.id.name);
        let table = qualified(&table_of(object));
        if let Some(expression) = fill {
            self.update(
                object,
                &format!("UPDATE {table} SET {name} = {expression} WHERE {name} IS NULL"),
            );
        }
        if !is_checked {
            return;
        }
        let mut step = Step::action(object, altered, format!("ALTER COLUMN {name} SET NOT NULL"));
        if fill.is_none() {
            step = step.note(format!(
                "Fails while rows have NULL in {}: UPDATE {table} SET {name} = … belongs here.",
                object.id.name
            ));
        }
        self.push(step);
    }

    /// An UPDATE without the triggers of the table, which would change other columns and tables.
    fn update(&mut self, object: &Object, sql: &str) {
        let triggers = self.update_triggers(object);
        let table = qualified(&table_of(object));
        for (name, _) in &triggers {
            let sql = format!("ALTER TABLE {table} DISABLE TRIGGER {name}");
            self.push(Step::new(object, sql));
        }
        self.push(Step::new(object, sql));
        for (name, enable) in triggers {
            let sql = format!("ALTER TABLE {table} {enable} TRIGGER {name}");
            self.push(Step::new(object, sql));
        }
    }

    /// The triggers that an UPDATE of the table of a column fires, and how they are enabled again. Those
    /// that change are not there yet, or not any more.
    fn update_triggers(&self, column: &Object) -> Vec<(String, &'static str)> {
        let objects = self.plan.old.objects();
        let Some(table) = objects.relation(&table_of(column)) else {
            return Vec::new();
        };
        let parts = objects.parts(table);
        let parts = parts.filter(|(at, _)| self.plan.fate(*at) == Fate::Kept);
        parts
            .filter_map(|(_, part)| match &part.facts {
                Facts::Trigger(trigger) if trigger.events.iter().any(|it| it == "UPDATE") => {
                    let enable = match trigger.enabled {
                        Enabled::Origin => "ENABLE",
                        Enabled::Always => "ENABLE ALWAYS",
                        Enabled::Disabled | Enabled::Replica => return None,
                    };
                    Some((ident(&part.id.name).into_owned(), enable))
                }
                _ => None,
            })
            .collect()
    }

    /// The value that rows get in a column.
    pub(super) fn fill(&self, object: &Object) -> Option<String> {
        let table = table_of(object);
        let fits = |fill: &&crate::generate::Fill| {
            let is_schema = fill.table.schema == table.schema
                || fill.table.schema.is_empty() && table.schema == "public";
            is_schema && fill.table.name == table.name && fill.column == object.id.name
        };
        let found = self.options.fills.iter().find(fits)?;
        Some(found.expression.clone())
    }
}
