use super::{
    BOTH, ConstraintKind, Context, Draft, FAILS, Name, ORDERS, Rule, added, is_about_young,
    primary_key, required_column::is_required, sql,
};
use crate::{
    lint::{Act, ColumnChange, Example, Probe, Severity, TableChange},
    schema::Kind,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "data-dependent",
    code: "L302",
    dialects: BOTH,
    severity: Severity::Warning,
    summary: "the statement fails if existing rows do not fit",
    docs: "UNIQUE, NOT NULL, CHECK and FOREIGN KEY over existing rows, a required column and a narrower \
        type pass on an empty database, whatever the statement; on one with rows it depends on them. \
        Where a database is at hand, the rows are counted by a query that changes nothing.",
    safe: "Look for the rows first: SELECT count(*) FROM orders WHERE total IS NULL;",
    silent: "The query finds no row; the constraint is NOT VALID; the table, or a column of the constraint, was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "CREATE UNIQUE INDEX orders_customer ON orders (customer);",
    },
    good: Example {
        before: ORDERS,
        sql: "CREATE INDEX orders_customer ON orders (customer);",
    },
    check,
    ..FAILS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let mut probes: Vec<(Name, Probe)> = Vec::new();
    for (table, constraint) in added(context) {
        if constraint.not_valid || is_about_young(context, table, &constraint.kind) {
            continue;
        }
        if let Some(probe) = of_constraint(context, table, &constraint.kind) {
            probes.push((table.clone(), probe));
        }
    }
    for act in context.acts() {
        if let Act::AlterTable { table, change } = act
            && !context.is_young_relation(table)
            && let Some(probe) = of_change(context, table, change)
        {
            probes.push((table.clone(), probe));
        }
    }
    let drafts = probes.into_iter().map(|(table, probe)| Draft {
        message: format!("the statement fails if there are {}", probe.counts),
        tables: vec![table],
        probe: Some(probe),
        ..Draft::default()
    });
    drafts.collect()
}

fn probe(sql: String, counts: String) -> Option<Probe> {
    Some(Probe { sql, counts })
}

fn of_constraint(context: &Context<'_>, table: &Name, kind: &ConstraintKind) -> Option<Probe> {
    let path = sql::path(table);
    match kind {
        ConstraintKind::PrimaryKey(columns) | ConstraintKind::Unique(columns) => {
            unique(context, &path, columns)
        }
        ConstraintKind::NotNull(column) => {
            let column = sql::word(column);
            probe(
                format!("SELECT count(*) FROM {path} WHERE {column} IS NULL"),
                format!("rows of {table} with NULL in {column}"),
            )
        }
        ConstraintKind::Check(expression) => probe(
            format!("SELECT count(*) FROM {path} WHERE NOT ({expression})"),
            format!("rows of {table} that do not satisfy the CHECK"),
        ),
        ConstraintKind::ForeignKey(key) => {
            let referenced = match (key.referenced.is_empty(), context.before()) {
                (false, _) => key.referenced.clone(),
                (true, Some(before)) => primary_key(context, before, &key.table),
                (true, None) => Vec::new(),
            };
            let is_young = context.is_young_relation(&key.table);
            if referenced.len() != key.columns.len() || is_young {
                return None;
            }
            let pairs = key.columns.iter().zip(&referenced);
            let joined: Vec<String> = pairs
                .map(|(own, other)| format!("p.{} = c.{}", sql::word(other), sql::word(own)))
                .collect();
            let given = key
                .columns
                .iter()
                .map(|it| format!("c.{} IS NOT NULL", sql::word(it)));
            let given: Vec<String> = given.collect();
            let (parent, joined, given) = (
                sql::path(&key.table),
                joined.join(" AND "),
                given.join(" AND "),
            );
            probe(
                format!(
                    "SELECT count(*) FROM {path} AS c WHERE {given} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {joined})"
                ),
                format!("rows of {table} without their row of {}", key.table),
            )
        }
        ConstraintKind::Exclusion => None,
    }
}

fn unique(context: &Context<'_>, path: &str, columns: &[String]) -> Option<Probe> {
    if columns.is_empty() {
        return None;
    }
    let keys: Vec<String> = columns
        .iter()
        .map(|it| match it.starts_with('(') {
            true => it.clone(),
            false => sql::word(it).into_owned(),
        })
        .collect();
    let keys = keys.join(", ");
    // A partial index compares its own rows alone.
    let condition = context.acts().iter().find_map(|act| match act {
        Act::CreateIndex(index) => index.condition.as_deref(),
        _ => None,
    });
    let condition = match condition {
        Some(text) => {
            let text = text.strip_prefix("where ").unwrap_or(text);
            format!(" AND ({text})")
        }
        None => String::new(),
    };
    let given: Vec<String> = keys
        .split(", ")
        .map(|key| format!("{key} IS NOT NULL"))
        .collect();
    let given = match columns.iter().any(|it| it.starts_with('(')) {
        true => "true".to_owned(),
        false => given.join(" AND "),
    };
    probe(
        format!(
            "SELECT count(*) FROM (SELECT 1 FROM {path} WHERE {given}{condition} GROUP BY {keys} HAVING count(*) > 1) AS d"
        ),
        format!("equal values of {keys} in several rows of {path}"),
    )
}

fn of_change(context: &Context<'_>, table: &Name, change: &TableChange) -> Option<Probe> {
    let path = sql::path(table);
    match change {
        TableChange::AddColumn { column, .. } if is_required(column) => probe(
            format!("SELECT count(*) FROM {path}"),
            format!("rows in {table}"),
        ),
        TableChange::AlterColumn {
            column,
            change: ColumnChange::Type {
                data_type, using, ..
            },
        } if using.is_none() && !context.is_young_part(Kind::Column, table, column) => {
            let length = data_type
                .strip_prefix("varchar(")
                .or_else(|| data_type.strip_prefix("character varying("))?;
            let length: u32 = length.strip_suffix(')')?.trim().parse().ok()?;
            if widens(context, table, column, length) {
                return None;
            }
            let column = sql::word(column);
            probe(
                format!("SELECT count(*) FROM {path} WHERE length({column}::text) > {length}"),
                format!("rows of {table} with more than {length} characters in {column}"),
            )
        }
        _ => None,
    }
}

/// Whether the column is known to be no longer than `length` before the script.
fn widens(context: &Context<'_>, table: &Name, column: &str, length: u32) -> bool {
    let Some(before) = context.before() else {
        // Nothing is written anew, so that the type is known to be wider.
        return context.effects().works.is_empty();
    };
    let table = super::full_name(context, before, table);
    let mut parts = before.parts(&table).iter();
    let found = parts.find_map(|part| match &part.facts {
        crate::schema::Facts::Column(facts) if part.id.name == column => Some(&facts.data_type),
        _ => None,
    });
    let old = found.and_then(|it| it.split_once('(')?.1.strip_suffix(')')?.parse().ok());
    old.is_some_and(|old: u32| old <= length)
}
