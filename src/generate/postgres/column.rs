//! Columns.

use super::{
    Dump, Statements,
    expression::{in_parentheses, stable},
    layout::table_name,
    privileges::grants_on_sequence,
    quote::{foreign_options, ident, literal, parameters, qualified, range},
    reference,
};
use crate::schema::{
    Facts, Kind, Object,
    postgres::{Column, Identity, default_name},
};

/// A column of a table with its place among the objects.
pub(super) type Placed<'a> = (usize, &'a Object, &'a Column);

impl Dump<'_> {
    /// A line of CREATE TABLE.
    pub(super) fn column(&self, table: usize, (at, object, column): Placed<'_>) -> String {
        let serial = self.layout.serial[at];
        let mut sql = ident(&object.id.name).into_owned();
        sql.push(' ');
        sql.push_str(serial.unwrap_or(&column.data_type));
        if let Some(compression) = &column.compression {
            sql.push_str(&format!(" COMPRESSION {compression}"));
        }
        sql.push_str(&foreign_options(&column.foreign_options));
        if let Some(collation) = &column.collation {
            sql.push_str(&format!(" COLLATE {}", qualified(collation)));
        }
        sql.push_str(&self.column_constraints(table, (at, object, column)));
        sql
    }

    /// Default, generated value, identity and NOT NULL, each part after a space.
    pub(super) fn column_constraints(
        &self,
        table: usize,
        (at, object, column): Placed<'_>,
    ) -> String {
        let mut sql = String::new();
        let serial = self.layout.serial[at];
        if let Some(generated) = &column.generated {
            let expression = in_parentheses(&generated.expression);
            let word = if generated.is_virtual {
                "VIRTUAL"
            } else {
                "STORED"
            };
            sql.push_str(&format!(" GENERATED ALWAYS AS {expression} {word}"));
        } else if let Some(identity) = own_identity(column) {
            sql.push_str(&self.identity(object, column, identity));
        } else if let Some(default) = &column.default
            && serial.is_none()
            && !self.layout.late_default[at]
        {
            sql.push_str(&format!(" DEFAULT {}", stable(default)));
        }
        if let Some(not_null) = &column.not_null
            && !not_null.not_valid
        {
            let is_plain = not_null.name.is_none() && !not_null.no_inherit;
            let is_implied = serial.is_some()
                || own_identity(column).is_some()
                || self.is_in_primary_key(table, &object.id.name);
            if let Some(name) = &not_null.name {
                sql.push_str(&format!(" CONSTRAINT {}", ident(name)));
            }
            if !(is_plain && is_implied) {
                sql.push_str(" NOT NULL");
            }
            if not_null.no_inherit {
                sql.push_str(" NO INHERIT");
            }
        }
        sql
    }

    /// Whether CREATE TABLE has a primary key with this column.
    fn is_in_primary_key(&self, table: usize, column: &str) -> bool {
        let mut parts = self.layout.objects.parts(table);
        parts.any(|(at, part)| match &part.facts {
            Facts::Key(key) => {
                part.id.kind == Kind::PrimaryKey
                    && self.layout.within[at] == table
                    && key.columns.iter().any(|it| it == column)
            }
            _ => false,
        })
    }

    /// ` GENERATED … AS IDENTITY (…)`.
    pub(super) fn identity(&self, object: &Object, column: &Column, identity: &Identity) -> String {
        let usual_name = default_name(&object.id.parent, Some(&object.id.name), "seq");
        let sequence = &identity.sequence;
        let is_usual = sequence.schema == object.id.schema && sequence.name == usual_name;
        let mut options = String::new();
        if !is_usual {
            options = format!(" SEQUENCE NAME {}", qualified(sequence));
        }
        options.push_str(&range(&identity.range, &column.data_type));
        let when = if identity.always {
            "ALWAYS"
        } else {
            "BY DEFAULT"
        };
        let options = match options.trim_start() {
            "" => String::new(),
            some => format!(" ({some})"),
        };
        format!(" GENERATED {when} AS IDENTITY{options}")
    }

    /// What CREATE TABLE cannot say about a column.
    pub(super) fn column_settings(
        &self,
        table: usize,
        (_, object, column): Placed<'_>,
        to: &mut Statements,
    ) {
        let whole = self.object(table);
        let word = reference::altered(whole).unwrap_or_default();
        let name = ident(&object.id.name);
        let mut alter =
            |change: String| to.push(format!("ALTER {word} ALTER COLUMN {name} {change}"));
        if let Some(storage) = &column.storage {
            alter(format!("SET STORAGE {storage}"));
        }
        if let Some(target) = column.statistics {
            alter(format!("SET STATISTICS {target}"));
        }
        if !column.options.is_empty() {
            alter(format!("SET {}", parameters(&column.options)));
        }
        if let Some(not_null) = &column.not_null
            && not_null.not_valid
        {
            let constraint = match &not_null.name {
                Some(constraint) => format!("CONSTRAINT {} ", ident(constraint)),
                None => String::new(),
            };
            let inherit = if not_null.no_inherit {
                " NO INHERIT"
            } else {
                ""
            };
            to.push(format!(
                "ALTER {word} ADD {constraint}NOT NULL {name}{inherit} NOT VALID"
            ));
        }
    }

    /// The comment on the NOT NULL constraint of a column.
    pub(super) fn not_null_comment(&self, object: &Object, column: &Column, to: &mut Statements) {
        let Some(not_null) = &column.not_null else {
            return;
        };
        let id = &object.id;
        let name = not_null.name.clone();
        let name = name.unwrap_or_else(|| default_name(&id.parent, Some(&id.name), "not_null"));
        if let Some(comment) = &not_null.comment {
            to.push(format!(
                "COMMENT ON CONSTRAINT {} ON {} IS {}",
                ident(&name),
                qualified(&table_name(object)),
                literal(comment)
            ));
        }
    }

    /// The sequence of an identity column, after the table has its owner.
    pub(super) fn identity_sequence(&self, table: usize, column: &Column, to: &mut Statements) {
        let Some(identity) = own_identity(column) else {
            return;
        };
        let name = qualified(&identity.sequence);
        let is_unlogged = self
            .layout
            .objects
            .table(table)
            .is_some_and(|table| table.unlogged);
        if identity.unlogged != is_unlogged {
            let word = if identity.unlogged {
                "UNLOGGED"
            } else {
                "LOGGED"
            };
            to.push(format!("ALTER SEQUENCE {name} SET {word}"));
        }
        if let Some(grants) = &identity.grants {
            let owner = self.object(table).owner.as_deref();
            grants_on_sequence(grants, &name, owner, to);
        }
        if let Some(comment) = &identity.comment {
            to.push(format!(
                "COMMENT ON SEQUENCE {name} IS {}",
                literal(comment)
            ));
        }
    }

    /// What distinguishes a column from the column of the parents that it comes from.
    pub(super) fn inherited_column(
        &self,
        table: usize,
        (at, object, column): Placed<'_>,
        to: &mut Statements,
    ) {
        let objects = &self.layout.objects;
        let parents = objects.parents(table);
        let parents: Vec<&Column> = parents
            .into_iter()
            .filter_map(|parent| objects.column(parent, &object.id.name))
            .collect();
        let word = reference::altered(self.object(table)).unwrap_or_default();
        let only = word.replacen("TABLE ", "TABLE ONLY ", 1);
        let name = ident(&object.id.name);
        let mut alter =
            |change: String| to.push(format!("ALTER {only} ALTER COLUMN {name} {change}"));
        let usual = parents.iter().find_map(|parent| parent.default.as_ref());
        if column.generated.is_none() && !self.layout.late_default[at] {
            match &column.default {
                Some(default) if Some(default) != usual => {
                    alter(format!("SET DEFAULT {}", stable(default)));
                }
                None if usual.is_some() => alter("DROP DEFAULT".to_owned()),
                _ => {}
            }
        }
        let usual = parents.iter().find_map(|parent| parent.not_null.as_ref());
        match (&column.not_null, usual) {
            (Some(not_null), None)
                if !not_null.not_valid && !self.is_in_primary_key(table, &object.id.name) =>
            {
                alter("SET NOT NULL".to_owned());
            }
            (None, Some(_)) => alter("DROP NOT NULL".to_owned()),
            _ => {}
        }
        let usual = parents
            .iter()
            .find_map(|parent| parent.compression.as_ref());
        if column.compression.as_ref() != usual {
            let method = column.compression.as_deref().unwrap_or("default");
            alter(format!("SET COMPRESSION {method}"));
        }
        if !column.foreign_options.is_empty() {
            let options: Vec<String> = column
                .foreign_options
                .iter()
                .map(|(option, value)| format!("{} {}", ident(option), literal(value)))
                .collect();
            alter(format!("OPTIONS (ADD {})", options.join(", ADD ")));
        }
        let mut own = column.clone();
        let usual = parents.iter().find_map(|parent| parent.storage.as_ref());
        if column.storage.as_ref() == usual {
            own.storage = None;
        } else if column.storage.is_none() {
            own.storage = Some("DEFAULT".to_owned());
        }
        own.not_null
            .take_if(|it| !it.not_valid || usual_not_valid(&parents));
        self.column_settings(table, (at, object, &own), to);
    }

    /// A column that has statements of its own: one of a view, or the default of a column that has to
    /// wait.
    pub(super) fn late_column(&self, at: usize, column: &Column, to: &mut Statements) {
        let object = self.object(at);
        let Some(whole) = self.layout.objects.whole(at) else {
            return;
        };
        let word = reference::altered(self.object(whole)).unwrap_or_default();
        let name = ident(&object.id.name);
        if let Some(default) = &column.default {
            let default = stable(default);
            to.push(format!(
                "ALTER {word} ALTER COLUMN {name} SET DEFAULT {default}"
            ));
        }
        if self.layout.late_default[at] {
            return;
        }
        if let Some(method) = &column.compression {
            to.push(format!(
                "ALTER {word} ALTER COLUMN {name} SET COMPRESSION {method}"
            ));
        }
        self.column_settings(whole, (at, object, column), to);
    }
}

/// The identity of a column that has a sequence of its own. Partitions use that of the partitioned
/// table.
pub(super) fn own_identity(column: &Column) -> Option<&Identity> {
    let identity = column.identity.as_ref();
    identity.filter(|identity| !identity.sequence.name.is_empty())
}

fn usual_not_valid(parents: &[&Column]) -> bool {
    let mut not_null = parents.iter().filter_map(|parent| parent.not_null.as_ref());
    not_null.any(|it| it.not_valid)
}
