//! A column that gets another type while programs use it.
//!
//! A new column stands beside the old one; a trigger keeps it the same, and it is filled in batches. What
//! the old column has (indexes, keys, foreign keys) is made for the new one as well. A validated CHECK shows
//! that both are equal before a revision of the contract phase swaps them, which changes the catalog alone.

mod column;
mod copies;

use std::borrow::Cow;

use self::{column::Column, copies::Copies};
use super::{
    Job, Refill,
    item::{Item, Made},
};
use crate::{
    generate::{MigrationOptions, Statement, migrate, qualified},
    revision::Phase,
    schema::{Object, ObjectId, Schema, postgres::ident},
};

/// The statements in the place of those that change the type.
pub(super) struct Retyped {
    pub items: Vec<Item>,
    /// The statements about the column, by their numbers.
    pub absorbed: Vec<usize>,
}

/// The statements in the place of statement `at`, which changes a type with the expression `using`.
///
/// # Errors
/// Fails with the reason if there is no such form.
pub(super) fn items(
    at: usize,
    statements: &[Statement],
    using: Option<&str>,
    (from, to): (&Schema, &Schema),
) -> Result<Retyped, String> {
    let id = statements[at].object.as_ref();
    let id = id.ok_or("it is not about a single column")?;
    let column = Column::of(id, using, (from, to))?;
    let copies = Copies::of(&column, (from, to))?;
    if !statements[at].losses.is_empty() {
        return Err("values that do not fit would be refused from the start".to_owned());
    }
    let of_column = |it: &(usize, &Statement)| it.1.object.as_ref() == Some(id);
    let absorbed = statements.iter().enumerate().filter(of_column);
    let absorbed = absorbed.map(|(number, _)| number).collect();
    let mut writer = Writer {
        column: &column,
        copies: &copies,
        items: Vec::new(),
    };
    writer.build(from)?;
    writer.validate();
    writer.swap(from)?;
    let items = writer.items;
    Ok(Retyped { items, absorbed })
}

struct Writer<'a> {
    column: &'a Column<'a>,
    copies: &'a Copies,
    items: Vec<Item>,
}

impl Writer<'_> {
    fn push(&mut self, object: &ObjectId, sql: String, job: Job, phase: Phase) -> &mut Item {
        let statement = Statement::new(Some(object.clone()), sql);
        self.add(statement, job, phase)
    }

    fn add(&mut self, statement: Statement, job: Job, phase: Phase) -> &mut Item {
        let at = self.items.len();
        self.items.push(Item::new(statement, job, phase));
        &mut self.items[at]
    }

    /// The new column, the trigger, the values, and copies of what belongs to the column.
    fn build(&mut self, from: &Schema) -> Result<(), String> {
        let column = self.column;
        let (table, new) = (&column.table_sql, &column.new_sql);
        let with_column = with(from, [column.new.clone()]);
        for statement in planned(from, &with_column)? {
            self.add(statement, Job::Build, Phase::Expand);
        }
        let id = &column.new.id;
        for sql in [column.function(), column.trigger()] {
            self.push(id, sql, Job::Build, Phase::Expand);
        }
        let rows = format!("{new} IS NULL AND {} IS NOT NULL", column.old_sql);
        let some = match &column.key {
            Some(key) => {
                format!("{key} IN (SELECT {key} FROM {table} WHERE {rows} LIMIT 1000)")
            }
            None => {
                format!("ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE {rows} LIMIT 1000))")
            }
        };
        let fill = format!("{}\nWHERE {some}", column.fill());
        self.push(id, fill, Job::Build, Phase::Expand)
            .statement
            .is_batched = true;
        let with_copies = with(&with_column, self.copies.objects.iter().cloned());
        for mut statement in planned(&with_column, &with_copies)? {
            statement.sql = concurrently(&statement.sql).into_owned();
            self.add(statement, Job::Build, Phase::Expand);
        }
        let (check, says) = (ident(&column.check), column.equal());
        let sql = format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({says}) NOT VALID");
        self.push(id, sql, Job::Build, Phase::Expand);
        Ok(())
    }

    fn validate(&mut self) {
        let table = &self.column.table_sql;
        let keys = self.copies.foreign_keys.iter().map(|(new, _)| new.clone());
        let constraints: Vec<String> = keys.chain([self.column.check.clone()]).collect();
        for name in constraints {
            let sql = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {}", ident(&name));
            let id = &self.column.new.id;
            let item = self.push(id, sql, Job::Validate, Phase::Expand);
            item.made = Made::Name(name);
        }
    }

    /// Puts the new column in the place of the old one.
    fn swap(&mut self, from: &Schema) -> Result<(), String> {
        let (column, copies) = (self.column, self.copies);
        let (table, old, new) = (&column.table_sql, &column.old_sql, &column.new_sql);
        let mut swap = vec![
            format!("DROP TRIGGER {} ON {table}", ident(&column.trigger.name)),
            format!("DROP FUNCTION {}()", qualified(&column.trigger)),
        ];
        let mut alter = |action: String| swap.push(format!("ALTER TABLE {table} {action}"));
        if column.is_required {
            alter(format!("ALTER COLUMN {new} SET NOT NULL"));
        }
        alter(format!("DROP CONSTRAINT {}", ident(&column.check)));
        for key in &copies.keys {
            alter(format!("DROP CONSTRAINT {}", ident(&key.name)));
        }
        if let Some(sequence) = &column.sequence {
            let sequence = qualified(sequence);
            swap.push(format!("ALTER SEQUENCE {sequence} OWNED BY {table}.{new}"));
        }
        let without_default = with(from, [column.new.clone()]);
        let with_default = with(from, [column.with_default()]);
        let default = planned(&without_default, &with_default)?;
        swap.extend(default.into_iter().map(|it| it.sql));
        let mut alter = |action: String| swap.push(format!("ALTER TABLE {table} {action}"));
        alter(format!("DROP COLUMN {old}"));
        alter(format!("RENAME COLUMN {new} TO {old}"));
        for (copy, name) in &copies.foreign_keys {
            let (copy, name) = (ident(copy), ident(name));
            alter(format!("RENAME CONSTRAINT {copy} TO {name}"));
        }
        for key in &copies.keys {
            let (name, index) = (ident(&key.name), ident(&key.index));
            let kind = key.kind;
            alter(format!("ADD CONSTRAINT {name} {kind} USING INDEX {index}"));
        }
        for (copy, name) in &copies.indexes {
            let copy = qualified(copy);
            swap.push(format!("ALTER INDEX {copy} RENAME TO {}", ident(name)));
        }
        let last = swap.len() - 1;
        for (number, sql) in swap.into_iter().enumerate() {
            let item = self.push(&column.id, sql, Job::Change, Phase::Contract);
            item.group = Some(column.id.clone());
            if number == last {
                item.refill = Some(Refill {
                    columns: [column.new.id.clone(), column.id.clone()],
                    sql: column.fill(),
                });
            }
        }
        Ok(())
    }
}

/// The first of `stem_word`, `stem_word2`, `stem_word3` … that is free.
fn numbered(stem: &str, word: &str, is_free: impl Fn(&str) -> bool) -> String {
    let names = (1..).map(|number| match number {
        1 => format!("{stem}_{word}"),
        _ => format!("{stem}_{word}{number}"),
    });
    let mut free = names.filter(|name| is_free(name));
    free.next().unwrap_or_default()
}

/// A schema with further objects, in the place of those of the same identity.
fn with(schema: &Schema, objects: impl IntoIterator<Item = Object>) -> Schema {
    let mut new: Vec<Object> = objects.into_iter().collect();
    let is_kept = |it: &&Object| !new.iter().any(|new| new.id == it.id);
    let kept: Vec<Object> = schema.objects.iter().filter(is_kept).cloned().collect();
    new.extend(kept);
    Schema::new(schema.dialect, new)
}

/// The statements that lead from one schema to another.
fn planned(from: &Schema, to: &Schema) -> Result<Vec<Statement>, String> {
    let options = MigrationOptions {
        apart: true,
        ..MigrationOptions::default()
    };
    let migration = migrate(from, to, &options);
    let refused = |refusals: Vec<crate::generate::Refusal>| {
        let first = refusals.into_iter().next();
        first.map_or_else(String::new, |it| format!("{}: {}", it.object, it.reason))
    };
    migration.map(|it| it.statements).map_err(refused)
}

/// The statement with CONCURRENTLY, if it builds an index.
fn concurrently(sql: &str) -> Cow<'_, str> {
    for start in ["CREATE INDEX ", "CREATE UNIQUE INDEX "] {
        if let Some(rest) = sql.strip_prefix(start) {
            return format!("{start}CONCURRENTLY {rest}").into();
        }
    }
    sql.into()
}
