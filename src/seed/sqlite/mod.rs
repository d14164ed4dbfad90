//! Tables of SQLite.

mod blame;
mod constraints;
mod values;

use std::sync::Arc;

use self::{blame::blame, values::Type};
use super::{
    hint::{Hint, hints},
    table::{Column, Language, Named, Source, Table, Values, Way},
    wanted::{Family, Sample, in_form, json_of, mentioned, shape, wanted},
};
use crate::{
    schema::{
        Facts, Kind, Name, Object, ObjectId, Schema,
        sqlite::{self, Expression, KeyColumn, VirtualTable},
    },
    sql::{Dialect, in_quotes},
};

const DIALECT: Dialect = Dialect::Sqlite;

const LANGUAGE: Language = Language {
    equal: |left, right| format!("{left} = {right}"),
    together: None,
    blame,
    count,
};

/// The table of this name, as far as others refer to it.
pub(super) fn source(schema: &Schema, name: &Name) -> Option<Source> {
    let object = object(schema, name)?;
    let way = match &object.facts {
        Facts::SqliteVirtualTable(facts) => virtual_table(schema, name, facts).way,
        _ => Way::Insert,
    };
    Some(Source {
        name: object.id.qualified(),
        sql: target(name),
        way,
    })
}

/// The table of this name.
pub(super) fn table(schema: &Schema, name: &Name) -> Option<Table> {
    let object = object(schema, name)?;
    let name = object.id.qualified();
    match &object.facts {
        Facts::SqliteTable(facts) => Some(ordinary(schema, &name, facts)),
        Facts::SqliteVirtualTable(facts) => Some(virtual_table(schema, &name, facts)),
        _ => None,
    }
}

fn object<'a>(schema: &'a Schema, name: &Name) -> Option<&'a Object> {
    let mut kinds = [Kind::Table, Kind::VirtualTable].into_iter();
    kinds.find_map(|kind| schema.get(&ObjectId::new(kind, "", &*name.name)))
}

fn target(name: &Name) -> String {
    format!("main.{}", in_quotes(&name.name))
}

fn empty(name: &Name) -> Table {
    Table {
        name: name.clone(),
        target: target(name),
        way: Way::Insert,
        language: LANGUAGE,
        columns: Vec::new(),
        keys: Vec::new(),
        checks: Vec::new(),
        references: Vec::new(),
    }
}

fn ordinary(schema: &Schema, name: &Name, facts: &sqlite::Table) -> Table {
    let mut found = empty(name);
    let parts = schema.parts(name);
    let mut columns: Vec<(u32, &str, &sqlite::Column)> = parts
        .iter()
        .filter_map(|part| match &part.facts {
            Facts::SqliteColumn(column) => {
                Some((column.position, part.id.name.as_str(), &**column))
            }
            _ => None,
        })
        .collect();
    columns.sort_unstable_by_key(|(position, ..)| *position);
    let conditions = conditions(parts);
    let computed = computed(parts);
    let key = primary_key(parts);
    for (_, name, column) in columns {
        if column.generated.is_some() {
            continue;
        }
        let is_key = key.iter().any(|it| it.column == *name);
        let declared = Type::of(&column.declared_type, facts.strict);
        let is_rowid = is_key
            && key.len() == 1
            && !facts.without_rowid
            && column.declared_type.eq_ignore_ascii_case("integer");
        // The keys of tables without rowids are NOT NULL.
        let nullable = !column.not_null && !(is_key && (facts.without_rowid || facts.strict));
        found.columns.push(Column {
            name: name.to_owned(),
            sql: in_quotes(name),
            data_type: column.declared_type.to_ascii_lowercase(),
            nullable: nullable && !is_rowid,
            can_omit: column.default.as_ref().is_some_and(is_constant),
            values: values_of(&About {
                of: declared,
                name,
                default: column.default.as_deref().unwrap_or_default(),
                conditions: &conditions,
                computed: &computed,
                is_key: is_key && key.len() == 1,
            }),
        });
    }
    constraints::add(schema, name, &conditions, &mut found);
    found
}

/// A column, and what its values depend on.
struct About<'a> {
    of: Type,
    name: &'a str,
    default: &'a str,
    conditions: &'a [(String, String)],
    computed: &'a [&'a Expression],
    /// Whether the column alone is the primary key.
    is_key: bool,
}

fn values_of(about: &About<'_>) -> Values {
    let name = about.name;
    let mut hints: Vec<Hint> = about
        .conditions
        .iter()
        .flat_map(|(_, condition)| hints(DIALECT, condition, name))
        .collect();
    hints.extend(about.computed.iter().flat_map(|it| computing(it, name)));
    // A condition on the type of the values is stricter than an affinity.
    let demanded = hints.iter().find_map(|hint| match hint {
        Hint::Stored(name) => Type::of_values(name),
        _ => None,
    });
    let of = demanded.unwrap_or(about.of);
    let family = of.family();
    let literals =
        |samples: Vec<Sample>| -> Vec<String> { samples.iter().map(|it| of.literal(it)).collect() };
    let mut edges = of.edges();
    edges.extend(literals(mentioned(&hints, family)));
    // Far from the numbers that scripts and SQLite itself give.
    let first = if about.is_key && of == Type::Integer {
        1_000_000_000
    } else {
        0
    };
    let mut wanted = literals(wanted(&hints, family));
    if let (true, Family::Json | Family::Text(_)) = (wanted.is_empty(), family)
        && let Some((hint, empty)) = shape(about.default)
    {
        wanted = literals(json_of(&[hint]));
        edges = literals(vec![empty]);
    }
    Values {
        wanted,
        edges,
        guess: match family {
            Family::Text(_) => Some(Arc::new(move |form, number| {
                of.literal(&Sample::Text(in_form(form, number)))
            })),
            _ => None,
        },
        plain: Arc::new(move |number| of.plain(first + number)),
    }
}

/// The check constraints: what SQLite calls each in its errors, and the expressions.
fn conditions(parts: &[Object]) -> Vec<(String, String)> {
    let conditions = parts.iter().filter_map(|part| match &part.facts {
        Facts::SqliteCheck(check) => {
            let expression = check.expression.to_string();
            let name = check.name.as_ref().map(|name| name.to_string());
            Some((name.unwrap_or_else(|| expression.clone()), expression))
        }
        _ => None,
    });
    conditions.collect()
}

/// The expressions that are computed for each row.
fn computed(parts: &[Object]) -> Vec<&Expression> {
    let mut found = Vec::new();
    for part in parts {
        match &part.facts {
            Facts::SqliteColumn(column) => found.extend(&column.generated),
            Facts::SqliteIndex(index) => {
                found.extend(index.keys.iter().filter_map(|key| key.expression.as_ref()));
                found.extend(&index.condition);
            }
            _ => {}
        }
    }
    found
}

/// What an expression says about a column without being a condition.
fn computing(expression: &Expression, name: &str) -> Vec<Hint> {
    let mut found = hints(DIALECT, expression, name);
    found.retain(|hint| *hint == Hint::Json);
    found
}

fn primary_key(parts: &[Object]) -> &[KeyColumn] {
    let key = parts.iter().find_map(|part| match &part.facts {
        Facts::SqlitePrimaryKey(key) => Some(key.columns.as_slice()),
        _ => None,
    });
    key.unwrap_or_default()
}

/// Whether a default always has the same value.
fn is_constant(default: &Expression) -> bool {
    let keywords = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"];
    let is_keyword = |it: &&str| default.eq_ignore_ascii_case(it);
    (default.starts_with('\'') || !default.contains('(')) && !keywords.iter().any(is_keyword)
}

/// A virtual table: texts for a full-text index, numbers for an R-tree.
fn virtual_table(schema: &Schema, name: &Name, facts: &VirtualTable) -> Table {
    let mut found = empty(name);
    let is_text = facts.module.to_ascii_lowercase().starts_with("fts");
    let is_tree = facts.module.to_ascii_lowercase().starts_with("rtree");
    for argument in &facts.arguments {
        let Some((option, value)) = argument.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches(['\'', '"', '`', '[', ']']);
        if option.trim().eq_ignore_ascii_case("content") && !value.is_empty() {
            // Its rows are those of another table, and triggers keep the index.
            let content = object(schema, &sqlite::name(value));
            let content = content.map(|object| object.id.qualified());
            found.way = Way::Through(content.into_iter().collect());
        }
    }
    let columns = facts.columns.iter().filter(|column| !column.hidden);
    for (at, column) in columns.enumerate() {
        // The numbers of an R-tree are pairs of a lower and an upper bound.
        let offset = u64::try_from(at).unwrap_or(0);
        let of = match (is_tree, is_text) {
            (true, _) => Type::Integer,
            (false, true) => Type::Text(usize::MAX),
            (false, false) => Type::of(&column.declared_type, false),
        };
        found.columns.push(Column {
            name: column.name.to_string(),
            sql: in_quotes(&column.name),
            data_type: column.declared_type.to_ascii_lowercase(),
            nullable: is_text,
            can_omit: false,
            values: Values {
                wanted: Vec::new(),
                guess: None,
                edges: if is_tree { Vec::new() } else { of.edges() },
                plain: Arc::new(move |number| of.plain(number + offset)),
            },
        });
    }
    if is_tree {
        let columns = vec![0];
        let name = String::new();
        found.keys.push(Named { name, columns });
    }
    found
}

/// The query for the number of rows of tables, up to `limit`.
fn count(sources: &[(usize, &str)], limit: usize) -> String {
    // There may be more tables than terms of a compound SELECT.
    let counts = sources.iter().map(|(at, source)| {
        format!("({at}, (SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT {limit})))")
    });
    format!("VALUES {}", counts.collect::<Vec<_>>().join(", "))
}
