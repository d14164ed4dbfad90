//! Rules about types and forms. All are off unless they are asked for.

use super::{Context, Draft, POSTGRES, Rule, STYLE};
use crate::{
    lint::{Act, Column, ColumnChange, Example, TableChange},
    schema::Name,
};

const STYLE_POSTGRES: Rule = Rule {
    dialects: POSTGRES,
    ..STYLE
};

const OFF: &str = "By default; turn it on with `[lint]`.";

/// The columns that the statement makes, with their tables.
fn columns<'a>(context: &Context<'a>) -> Vec<(&'a Name, &'a Column)> {
    let mut found = Vec::new();
    for act in context.acts() {
        match act {
            Act::CreateTable(table) => {
                found.extend(table.columns.iter().map(|it| (&table.name, it)));
            }
            Act::AlterTable {
                table,
                change: TableChange::AddColumn { column, .. },
            } => found.push((table, &**column)),
            _ => {}
        }
    }
    found
}

/// One draft for all columns with such a type.
fn of_type(context: &Context<'_>, is_it: fn(&str) -> bool, advice: &str) -> Vec<Draft> {
    let mut names: Vec<String> = columns(context)
        .into_iter()
        .filter(|(_, column)| is_it(&column.data_type))
        .map(|(table, column)| format!("{table}.{}", column.name))
        .collect();
    names.extend(context.acts().iter().filter_map(|act| match act {
        Act::AlterTable {
            table,
            change:
                TableChange::AlterColumn {
                    column,
                    change: ColumnChange::Type { data_type, .. },
                },
        } if is_it(data_type) => Some(format!("{table}.{column}")),
        _ => None,
    }));
    match names.is_empty() {
        true => Vec::new(),
        false => vec![Draft::new(format!("{}: {advice}", names.join(", ")))],
    }
}

pub(in crate::lint::rules) static BIGINT: Rule = Rule {
    name: "prefer-bigint",
    code: "L601",
    summary: "a column holds 2 billion numbers",
    docs: "integer and serial end at 2,147,483,647. A key that reaches it stops all INSERTs, and the \
        change to bigint rewrites the table.",
    safe: "CREATE TABLE orders (id bigint PRIMARY KEY);",
    silent: OFF,
    bad: Example {
        before: "",
        sql: "CREATE TABLE orders (id integer PRIMARY KEY);",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (id bigint PRIMARY KEY);",
    },
    check: |context| of_type(context, is_short_integer, "bigint does not run out"),
    ..STYLE_POSTGRES
};

fn is_short_integer(data_type: &str) -> bool {
    matches!(
        data_type,
        "int"
            | "integer"
            | "int4"
            | "int2"
            | "smallint"
            | "serial"
            | "serial4"
            | "serial2"
            | "smallserial"
    )
}

pub(in crate::lint::rules) static TEXT: Rule = Rule {
    name: "prefer-text",
    code: "L602",
    summary: "a type limits the length of texts",
    docs: "varchar(n) and char(n) are no faster than text. A shorter limit rewrites the table; a CHECK \
        can be changed without.",
    safe: "CREATE TABLE orders (note text CHECK (length(note) <= 200));",
    silent: OFF,
    bad: Example {
        before: "",
        sql: "CREATE TABLE orders (note varchar(200));",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (note text);",
    },
    check: |context| {
        let is_limited =
            |it: &str| it.ends_with(')') && (it.starts_with("varchar") || it.starts_with("char"));
        of_type(
            context,
            is_limited,
            "text with a CHECK can be changed without a rewrite",
        )
    },
    ..STYLE_POSTGRES
};

pub(in crate::lint::rules) static TIMESTAMPTZ: Rule = Rule {
    name: "prefer-timestamptz",
    code: "L603",
    summary: "a time stamp has no time zone",
    docs: "A timestamp is read in the time zone of whoever reads it. timestamptz is a moment, in the \
        same 8 bytes.",
    safe: "CREATE TABLE orders (placed_at timestamptz);",
    silent: OFF,
    bad: Example {
        before: "",
        sql: "CREATE TABLE orders (placed_at timestamp);",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (placed_at timestamptz);",
    },
    check: |context| {
        let is_naive = |it: &str| {
            it.starts_with("timestamp")
                && !it.starts_with("timestamptz")
                && !it.ends_with("with time zone")
        };
        of_type(
            context,
            is_naive,
            "timestamptz is a moment, whoever reads it",
        )
    },
    ..STYLE_POSTGRES
};

pub(in crate::lint::rules) static IDENTITY: Rule = Rule {
    name: "prefer-identity",
    code: "L604",
    summary: "a serial column",
    docs: "serial makes a sequence with rights of its own, and a default that anybody can change. \
        GENERATED … AS IDENTITY is the standard's form of it.",
    safe: "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
    silent: OFF,
    bad: Example {
        before: "",
        sql: "CREATE TABLE orders (id bigserial PRIMARY KEY);",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
    },
    check: |context| {
        of_type(
            context,
            |it| it.contains("serial"),
            "an identity column is the standard's form",
        )
    },
    ..STYLE_POSTGRES
};

pub(in crate::lint::rules) static JSONB: Rule = Rule {
    name: "prefer-jsonb",
    code: "L605",
    summary: "a json column",
    docs: "json has no equality, so that DISTINCT, GROUP BY and UNION fail on it, and every access \
        parses the text. jsonb has both, and indexes.",
    safe: "CREATE TABLE orders (extra jsonb);",
    silent: OFF,
    bad: Example {
        before: "",
        sql: "CREATE TABLE orders (extra json);",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (extra jsonb);",
    },
    check: |context| of_type(context, |it| it == "json", "jsonb has equality and indexes"),
    ..STYLE_POSTGRES
};

pub(in crate::lint::rules) static ROBUST: Rule = Rule {
    name: "prefer-robust",
    code: "L606",
    summary: "a statement outside a transaction cannot run again",
    docs: "Where statements run one by one, one that fails leaves those before it done. Written with IF \
        EXISTS or IF NOT EXISTS, a script can be run again by hand. migrator itself remembers which \
        statements are done.",
    safe: "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer ON orders (customer);",
    silent: OFF,
    bad: Example {
        before: "CREATE TABLE orders (customer bigint);",
        sql: "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY orders_customer ON orders (customer);",
    },
    good: Example {
        before: "CREATE TABLE orders (customer bigint);",
        sql: "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer ON orders (customer);",
    },
    check: check_robust,
    ..STYLE_POSTGRES
};

fn check_robust(context: &Context<'_>) -> Vec<Draft> {
    let is_alone = context.script.headers.transaction_off;
    let fragile = context.acts().iter().any(|act| match act {
        Act::CreateIndex(index) => {
            (is_alone || index.concurrently) && index.name.is_some() && !index.if_not_exists
        }
        Act::CreateTable(table) => is_alone && !table.if_not_exists,
        Act::Drop(object) => (is_alone || object.concurrently) && !object.if_exists,
        Act::AlterTable { change, .. } if is_alone => match change {
            TableChange::AddColumn { if_not_exists, .. } => !if_not_exists,
            TableChange::DropColumn { if_exists, .. }
            | TableChange::DropConstraint { if_exists, .. } => !if_exists,
            _ => false,
        },
        _ => false,
    });
    match fragile {
        true => vec![Draft::new("the statement fails when it is run again")],
        false => Vec::new(),
    }
}
