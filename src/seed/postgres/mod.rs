//! Tables of PostgreSQL.

mod constraints;
mod partition;
mod types;
mod values;

use std::sync::Arc;

use self::{
    partition::Bound,
    types::{DomainFacts, Type},
};
use super::{
    blame::{Blame, Failure},
    hint::{Hint, hints},
    table::{Column, Language, Named, Source, Table, Values, Way},
    wanted::{Family, Sample, in_form, json_of, mentioned, shape, wanted},
};
use crate::{
    schema::{Facts, Kind, Name, Object, ObjectId, Schema, postgres},
    sql::{Dialect, in_quotes},
};

const DIALECT: Dialect = Dialect::Postgres;

const LANGUAGE: Language = Language {
    equal: |left, right| format!("{left} OPERATOR(pg_catalog.=) {right}"),
    together: Some(together),
    blame,
    count,
};

/// The table of this name, as far as others refer to it.
pub(super) fn source(schema: &Schema, name: &Name) -> Option<Source> {
    let facts = facts_of(schema, name)?;
    let sql = match facts.partition_by {
        Some(_) => qualified(name),
        None => format!("ONLY {}", qualified(name)),
    };
    Some(Source {
        name: name.clone(),
        sql,
        way: way(schema, name, facts),
    })
}

fn facts_of<'a>(schema: &'a Schema, name: &Name) -> Option<&'a postgres::Table> {
    let id = ObjectId::new(Kind::Table, &*name.schema, &*name.name);
    match &schema.get(&id)?.facts {
        Facts::Table(table) => Some(table),
        _ => None,
    }
}

/// The table of this name.
pub(super) fn table(schema: &Schema, name: &Name) -> Option<Table> {
    let facts = facts_of(schema, name)?;
    let parents = parents(schema, name);
    let parts = schema.parts(name);
    let mut columns: Vec<(i16, &Object, &postgres::Column)> = parts
        .iter()
        .filter_map(|part| match &part.facts {
            Facts::Column(column) => Some((column.position, part, &**column)),
            _ => None,
        })
        .collect();
    columns.sort_unstable_by_key(|(position, ..)| *position);
    let conditions = conditions(schema, name, &parents);
    let bounds = partition::bounds(schema, name);
    let mut found = Table {
        name: name.clone(),
        target: qualified(name),
        way: way(schema, name, facts),
        language: LANGUAGE,
        columns: Vec::new(),
        keys: Vec::new(),
        checks: Vec::new(),
        references: Vec::new(),
    };
    let serial = Serial::of(parts);
    for (_, part, column) in columns {
        let is_given =
            column.generated.is_none() && !column.identity.as_ref().is_some_and(|it| it.always);
        if is_given {
            let about = About {
                schema,
                name: &part.id.name,
                facts: column,
                conditions: &conditions,
                bounds: &bounds,
                serial: &serial,
            };
            let (column, domain) = about.column();
            let place = found.columns.len();
            found.columns.push(column);
            let checks = domain.checks.into_iter().map(|(name, _)| Named {
                name,
                columns: vec![place],
            });
            found.checks.extend(checks);
        }
    }
    constraints::add(schema, &parents, &conditions, &mut found);
    let keys = bounds.iter().flat_map(|bound| &bound.columns);
    let columns = keys.filter_map(|column| found.place(column)).collect();
    found.checks.push(Named {
        name: String::new(),
        columns,
    });
    Some(found)
}

/// The table itself and the partitioned tables above it, whose constraints hold as well.
fn parents(schema: &Schema, name: &Name) -> Vec<Name> {
    let mut found = vec![name.clone()];
    while let Some(parent) = partition::of(schema, &found[found.len() - 1])
        && !found.contains(&parent.parent)
    {
        found.push(parent.parent.clone());
    }
    found
}

fn way(schema: &Schema, name: &Name, facts: &postgres::Table) -> Way {
    if facts.foreign.is_some() {
        return Way::Never("it is a foreign table");
    }
    if facts.partition_by.is_none() {
        return Way::Insert;
    }
    let tables = schema.objects.iter().filter(|object| match &object.facts {
        Facts::Table(table) => table
            .partition_of
            .as_ref()
            .is_some_and(|it| it.parent == *name),
        _ => false,
    });
    let tables: Vec<Name> = tables.map(|object| object.id.qualified()).collect();
    match tables.is_empty() {
        true => Way::Never("it has no partitions"),
        false => Way::Through(tables),
    }
}

/// The names and expressions of the check constraints.
fn conditions(schema: &Schema, name: &Name, parents: &[Name]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for table in parents {
        for part in schema.parts(table) {
            let Facts::Check(check) = &part.facts else {
                continue;
            };
            let passes = check.not_enforced || check.no_inherit && table != name;
            if !passes && !found.iter().any(|(known, _)| *known == part.id.name) {
                found.push((part.id.name.clone(), check.expression.clone()));
            }
        }
    }
    found
}

/// The columns of the primary key, and those whose values come from a sequence.
struct Serial<'a>(Vec<&'a str>);

impl<'a> Serial<'a> {
    fn of(parts: &'a [Object]) -> Self {
        let mut found = Vec::new();
        for part in parts {
            match &part.facts {
                Facts::Key(key) if part.id.kind == Kind::PrimaryKey && key.columns.len() == 1 => {
                    found.push(key.columns[0].as_str());
                }
                Facts::Column(column) => {
                    let default = column.default.as_deref().unwrap_or_default();
                    if default.starts_with("nextval(") || column.identity.is_some() {
                        found.push(part.id.name.as_str());
                    }
                }
                _ => {}
            }
        }
        Self(found)
    }
}

/// A column, and what its values depend on.
struct About<'a> {
    schema: &'a Schema,
    name: &'a str,
    facts: &'a postgres::Column,
    conditions: &'a [(String, String)],
    bounds: &'a [Bound],
    serial: &'a Serial<'a>,
}

impl About<'_> {
    fn column(&self) -> (Column, DomainFacts) {
        let (of, domain) = types::resolve(self.schema, &self.facts.data_type);
        let mut hints = self.hints(&domain);
        hints.extend(self.bounds.iter().flat_map(|bound| bound.hints(self.name)));
        let has_default = self.facts.default.is_some() || domain.has_default;
        let default = self.facts.default.as_deref().unwrap_or_default();
        let column = Column {
            name: self.name.to_owned(),
            sql: in_quotes(self.name),
            data_type: self.facts.data_type.clone(),
            nullable: self.facts.not_null.is_none() && !domain.not_null,
            can_omit: has_default && is_constant(default),
            values: self.values(of, &hints),
        };
        (column, domain)
    }

    fn hints(&self, domain: &DomainFacts) -> Vec<Hint> {
        let own = self.conditions.iter();
        let own = own.flat_map(|(_, condition)| hints(DIALECT, condition, self.name));
        let of_domain = domain.checks.iter();
        let of_domain = of_domain.flat_map(|(_, condition)| hints(DIALECT, condition, "VALUE"));
        own.chain(of_domain).collect()
    }

    fn values(&self, of: Type, hints: &[Hint]) -> Values {
        let family = values::family(&of);
        let literals = |samples: Vec<Sample>| samples.into_iter().map(sample);
        let mut edges: Vec<String> = values::edges(&of).iter().map(|it| literal(it)).collect();
        edges.extend(literals(mentioned(hints, family)));
        let first = match &of {
            Type::Integer { max, .. } if self.serial.0.contains(&self.name) => far(*max),
            _ => 0,
        };
        let mut wanted: Vec<String> = literals(wanted(hints, family)).collect();
        let default = self.facts.default.as_deref().unwrap_or_default();
        if let (true, Family::Json | Family::Text(_)) = (wanted.is_empty(), family)
            && let Some((hint, empty)) = shape(default)
        {
            wanted.extend(literals(json_of(&[hint])));
            edges = vec![sample(empty)];
        }
        let ranges = self.bounds.iter();
        wanted.extend(ranges.flat_map(|bound| bound.expressions(self.name, &of)));
        Values {
            wanted,
            edges,
            guess: match family {
                Family::Text(max) => Some(Arc::new(move |form, number| {
                    literal(&in_form(form, number).chars().take(max).collect::<String>())
                })),
                _ => None,
            },
            plain: Arc::new(move |number| literal(&values::plain(&of, first + number))),
        }
    }
}

/// A number far from those that sequences and scripts give.
fn far(max: i64) -> u64 {
    match max {
        0..=40_000 => 30_000,
        _ => 1_000_000_000,
    }
}

/// Whether a default always has the same value. One without an expression is that of a domain.
fn is_constant(default: &str) -> bool {
    let calls = default.contains('(') && !default.starts_with('\'');
    let keywords = ["CURRENT_", "LOCALTIME", "SESSION_USER", "USER"];
    !calls && !keywords.iter().any(|word| default.contains(word)) && !default.is_empty()
}

fn sample(sample: Sample) -> String {
    match sample {
        Sample::Text(text) | Sample::Number(text) => literal(&text),
        Sample::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            literal(&format!("\\x{digits}"))
        }
    }
}

fn qualified(name: &Name) -> String {
    match name.schema.is_empty() {
        true => in_quotes(&name.name),
        false => format!("{}.{}", in_quotes(&name.schema), in_quotes(&name.name)),
    }
}

/// A string constant without a type, so that it becomes a value of the column's.
fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match text.contains('\\') {
        true => format!("E'{}'", quoted.replace('\\', "\\\\")),
        false => format!("'{quoted}'"),
    }
}

/// The query for the number of rows of tables, up to `limit`.
fn count(sources: &[(usize, &str)], limit: usize) -> String {
    let counts = sources.iter().map(|(at, source)| {
        format!(
            "SELECT '{at}'::pg_catalog.text, (SELECT pg_catalog.count(*)::pg_catalog.text \
             FROM (SELECT 1 FROM {source} LIMIT {limit}) AS found)"
        )
    });
    counts.collect::<Vec<_>>().join(" UNION ALL ")
}

/// Foreign keys are checked at the end of the statement, so that rows can refer to each other.
fn together(inserts: &[String]) -> String {
    let Some((last, others)) = inserts.split_last() else {
        return String::new();
    };
    let others = others.iter().enumerate();
    let others: Vec<String> = others.map(|(at, it)| format!("i{at} AS ({it})")).collect();
    match others.is_empty() {
        true => last.clone(),
        false => format!("WITH {} {last}", others.join(", ")),
    }
}

fn blame(table: &Table, failure: &Failure) -> Blame {
    if let Some(name) = &failure.constraint {
        if let Some(key) = table.keys.iter().find(|key| key.name == *name) {
            return Blame::Duplicate(key.columns.clone());
        }
        if let Some(at) = table.references.iter().position(|it| it.name == *name) {
            return Blame::Reference(at);
        }
        let checks = table.checks.iter().filter(|check| check.name == *name);
        let columns: Vec<usize> = checks.flat_map(|it| it.columns.iter().copied()).collect();
        return Blame::Check(columns);
    }
    match failure
        .column
        .as_ref()
        .and_then(|column| table.place(column))
    {
        Some(column) => Blame::Null(vec![column]),
        None => {
            // An error of a partition constraint has no name.
            let partition = table.checks.iter().find(|check| check.name.is_empty());
            let partition = partition.map_or_else(Vec::new, |it| it.columns.clone());
            let of_type = of_types(table, &failure.message);
            Blame::Columns(if of_type.is_empty() {
                partition
            } else {
                of_type
            })
        }
    }
}

/// The columns whose types a message names, in whatever language.
fn of_types(table: &Table, message: &str) -> Vec<usize> {
    let is_part = |c: char| !c.is_alphanumeric() && c != '_';
    let words: Vec<&str> = message.split(is_part).collect();
    let is_named = |column: &Column| {
        let base = column.data_type.split(['(', '[', ' ']).next();
        let base = base.and_then(|base| base.rsplit('.').next());
        base.is_some_and(|base| words.contains(&base.trim_matches('"')))
    };
    let columns = table.columns.iter().enumerate();
    let columns = columns.filter(|(_, column)| is_named(column));
    columns.map(|(at, _)| at).collect()
}
