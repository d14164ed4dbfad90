use super::numbered;
use crate::{
    generate::qualified,
    schema::{
        Facts, Kind, Name, Object, ObjectId, Schema, mentions,
        postgres::{self, Enabled, ident, truncated},
    },
};

/// The longest name without the part that tells new objects from old ones.
const LONGEST: usize = 52;

/// A column that gets another type, and the one that takes its place.
pub(super) struct Column<'a> {
    pub id: ObjectId,
    pub table: Name,
    facts: &'a postgres::Column,
    /// The new column, while it has neither a default nor NOT NULL.
    pub new: Object,
    /// The only column of the primary key.
    pub key: Option<String>,
    /// What turns a value into one of the new type: `::bigint`.
    cast: String,
    pub is_required: bool,
    /// The sequence that is dropped with the column.
    pub sequence: Option<Name>,
    /// The name of the trigger and of its function.
    pub trigger: Name,
    /// The name of the constraint that says that both are equal.
    pub check: String,
    pub table_sql: String,
    pub old_sql: String,
    pub new_sql: String,
}

impl<'a> Column<'a> {
    /// # Errors
    /// Fails with the reason if the column cannot have another one in its place.
    pub fn of(
        id: &ObjectId,
        using: Option<&str>,
        (from, to): (&Schema, &'a Schema),
    ) -> Result<Self, String> {
        let table = id.parent_name().unwrap_or_default();
        let (before, after) = match (from.get(id), to.get(id)) {
            (Some(before), Some(after)) => (before, after),
            _ => return Err("the column is not there before and after".to_owned()),
        };
        let (Facts::Column(old), Facts::Column(facts)) = (&before.facts, &after.facts) else {
            return Err("it is not about a column".to_owned());
        };
        stays_itself(before, after)?;
        if old.data_type == facts.data_type {
            return Err("the type itself is replaced".to_owned());
        }
        is_plain(from, &table)?;
        if facts.identity.is_some() || facts.generated.is_some() {
            return Err("the server makes the values of the column".to_owned());
        }
        let cast = cast(&ident(&id.name), using, &facts.data_type)?;
        depends_on_no_setting(&old.data_type, &facts.data_type)?;
        let new_name = free(from, to, &id.name, "new", |name| {
            ObjectId::part(Kind::Column, &table, name)
        });
        let triggers = triggers(from, &table)?;
        let positions = from.parts(&table).iter().filter_map(|it| match &it.facts {
            Facts::Column(column) => Some(column.position),
            _ => None,
        });
        let column = postgres::Column {
            default: None,
            not_null: None,
            position: positions.max().unwrap_or_default().saturating_add(1),
            ..(**facts).clone()
        };
        let new = Object {
            id: ObjectId::part(Kind::Column, &table, new_name.clone()),
            facts: column.into(),
            ..after.clone()
        };
        let of_both = format!("{}_{}", table.name, id.name);
        let stem = truncated(&of_both, LONGEST);
        let function = free(from, to, stem, "sync", |name| {
            ObjectId::new(Kind::Function, &table.schema, name).with_signature("()")
        });
        let check = free(from, to, stem, "same", |name| {
            ObjectId::part(Kind::Check, &table, name)
        });
        Ok(Self {
            key: key(from, &table),
            is_required: facts.not_null.is_some(),
            sequence: sequence(from, &table, &id.name),
            trigger: Name::new(&table.schema, after_all(&function, &triggers)),
            check,
            table_sql: qualified(&table),
            old_sql: ident(&id.name).into_owned(),
            new_sql: ident(&new_name).into_owned(),
            id: id.clone(),
            table,
            facts,
            new,
            cast,
        })
    }

    /// The new column with its default.
    pub fn with_default(&self) -> Object {
        let mut object = self.new.clone();
        if let Facts::Column(column) = &mut object.facts {
            column.default.clone_from(&self.facts.default);
        }
        object
    }

    /// The function of the trigger.
    pub fn function(&self) -> String {
        let (name, old, new) = (qualified(&self.trigger), &self.old_sql, &self.new_sql);
        let cast = &self.cast;
        format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n\
             BEGIN\n    NEW.{new} := NEW.{old}{cast};\n    RETURN NEW;\nEND $$"
        )
    }

    /// The trigger that keeps both columns the same.
    pub fn trigger(&self) -> String {
        let (name, function) = (ident(&self.trigger.name), qualified(&self.trigger));
        let table = &self.table_sql;
        format!(
            "CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table}\n    \
             FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    }

    /// The UPDATE that gives all rows their values.
    pub fn fill(&self) -> String {
        let (table, old, new) = (&self.table_sql, &self.old_sql, &self.new_sql);
        format!("UPDATE {table} SET {new} = {old}{}", self.cast)
    }

    /// The condition that both columns are equal.
    pub fn equal(&self) -> String {
        let (old, new, cast) = (&self.old_sql, &self.new_sql, &self.cast);
        match self.is_required {
            // SET NOT NULL reads no row where a constraint says the same.
            true => format!("{new} IS NOT NULL AND {new} = {old}{cast}"),
            false => format!("{new} IS NOT DISTINCT FROM {old}{cast}"),
        }
    }
}

/// Only the type of the column, and its default with it, may change.
fn stays_itself(before: &Object, after: &Object) -> Result<(), String> {
    let mut others = Vec::new();
    before.compare(after, &mut |attribute, _, _| {
        if !matches!(attribute, "data_type" | "default") {
            others.push(attribute);
        }
    });
    match others.first() {
        None => Ok(()),
        Some(attribute) => Err(format!(
            "{} of the column changes as well",
            attribute.replace('_', " ")
        )),
    }
}

/// Only a table by itself has rows that a trigger on it sees.
fn is_plain(from: &Schema, table: &Name) -> Result<(), String> {
    let id = ObjectId::new(Kind::Table, &table.schema, &table.name);
    let Some(Facts::Table(facts)) = from.get(&id).map(|it| &it.facts) else {
        return Err("it is not about a table".to_owned());
    };
    let is_child = |it: &Object| match &it.facts {
        Facts::Table(child) => child.inherits.contains(table),
        _ => false,
    };
    let is_alone = facts.partition_by.is_none()
        && facts.partition_of.is_none()
        && facts.inherits.is_empty()
        && facts.foreign.is_none()
        && !from.objects.iter().any(is_child);
    match is_alone {
        true => Ok(()),
        false => Err("the table is partitioned, foreign, or one of a family".to_owned()),
    }
}

/// The cast after the name of the column: `::text::integer`.
fn cast(column: &str, using: Option<&str>, data_type: &str) -> Result<String, String> {
    let Some(using) = using else {
        return Ok(format!("::{data_type}"));
    };
    let using = using.trim();
    let cast = using.strip_prefix(column).filter(|it| it.starts_with("::"));
    let is_cast = |it: &&str| !it.contains(['\'', '+', '*', '/', '|', '?', '[', '<', '=']);
    let cast = cast.filter(is_cast);
    cast.map(str::to_owned)
        .ok_or_else(|| format!("the new values come from the expression {using}"))
}

/// What the cast makes must not depend on a setting of the session, which each program has its own of.
fn depends_on_no_setting(from: &str, to: &str) -> Result<(), String> {
    let is_zoned = |name: &str| name.contains("with time zone");
    let is_time = |name: &str| {
        let words = ["timestamp", "time", "date", "interval", "money"];
        words.iter().any(|word| mentions(name, word))
    };
    let has_no_equality = |name: &str| {
        let words = ["json", "xml", "point", "line", "lseg", "path", "polygon"];
        words.iter().any(|word| mentions(name, word))
    };
    let is_text = |name: &str| !is_time(name);
    if is_zoned(from) != is_zoned(to)
        || is_time(from) && is_text(to)
        || is_time(to) && is_text(from)
    {
        return Err("the cast depends on settings of the session".to_owned());
    }
    if has_no_equality(to) {
        return Err(format!("values of {to} cannot be compared"));
    }
    Ok(())
}

/// The names of the triggers of a table.
///
/// # Errors
/// Fails if one runs for each row that is filled.
fn triggers<'s>(from: &'s Schema, table: &Name) -> Result<Vec<&'s str>, String> {
    let mut names = Vec::new();
    for part in from.parts(table) {
        let Facts::Trigger(trigger) = &part.facts else {
            continue;
        };
        let fires = !matches!(trigger.enabled, Enabled::Disabled);
        if fires && trigger.events.iter().any(|it| it == "UPDATE") {
            return Err(format!("{} would run for each row", part.id));
        }
        names.push(part.id.name.as_str());
    }
    Ok(names)
}

/// A name with which a trigger runs after the others of its kind: they run in the order of their names.
fn after_all(name: &str, others: &[&str]) -> String {
    match others.iter().all(|other| *other < name) {
        true => name.to_owned(),
        false => format!("zz_{name}"),
    }
}

/// A name that no object of either schema has.
fn free(
    from: &Schema,
    to: &Schema,
    stem: &str,
    word: &str,
    id: impl Fn(String) -> ObjectId,
) -> String {
    numbered(truncated(stem, LONGEST), word, |name| {
        let id = id(name.to_owned());
        from.get(&id).is_none() && to.get(&id).is_none()
    })
}

/// The only column of the primary key.
fn key(from: &Schema, table: &Name) -> Option<String> {
    from.parts(table)
        .iter()
        .find_map(|part| match (&part.facts, part.id.kind) {
            (Facts::Key(key), Kind::PrimaryKey) => match key.columns.as_slice() {
                [only] => Some(ident(only).into_owned()),
                _ => None,
            },
            _ => None,
        })
}

/// The sequence that belongs to a column.
fn sequence(from: &Schema, table: &Name, column: &str) -> Option<Name> {
    from.objects.iter().find_map(|object| match &object.facts {
        Facts::Sequence(sequence) => {
            let (of, owner) = sequence.owned_by.as_ref()?;
            (of == table && owner == column).then(|| object.id.qualified())
        }
        _ => None,
    })
}
