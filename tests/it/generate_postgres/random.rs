//! Random schemas and random edits of them.
//!
//! `MIGRATOR_TEST_PAIRS=2000` makes a long run, which goes on after a failure.

use std::{cell::RefCell, fmt::Write as _, panic};

use super::{Outcome, caught, may_be_due_to_rows, prove};
use crate::common::{Choices, PostgresDatabase, long_run, quoted, with_choices};

const PAIRS: u32 = 50;

const TABLES: [&str; 5] = ["users", "order", "Two Words", "größe", "it's"];
const COLUMNS: [&str; 7] = ["name", "group", "x y", "Total", "żółw", "q\"q", "note"];
const TYPES: [&str; 14] = [
    "text",
    "integer",
    "bigint",
    "varchar(20)",
    "numeric(10,2)",
    "boolean",
    "timestamptz",
    "jsonb",
    "text[]",
    "shop.mood",
    "shop.level[]",
    "shop.short",
    "date",
    "text COLLATE \"C\"",
];
const LABELS: [&str; 5] = ["sad", "ok", "happy", "it's", "Other"];
const BODIES: [&str; 3] = ["$1 * 2", "$1 + 1", "$1"];

#[derive(Clone, Debug)]
struct Schema {
    /// The labels of the two enums.
    enums: [Vec<usize>; 2],
    /// The check of the domain.
    domain: usize,
    /// The body of the function, and whether its result is a bigint.
    function: (usize, bool),
    tables: Vec<Table>,
    views: Vec<View>,
    triggers: Vec<Trigger>,
    /// The number of partitions of a partitioned table.
    partitions: Option<usize>,
}

#[derive(Clone, Debug)]
struct Table {
    name: &'static str,
    key: usize,
    columns: Vec<Column>,
    check: Option<usize>,
    unique: Option<usize>,
    indexes: Vec<Index>,
    unlogged: bool,
    secured: bool,
    comment: usize,
}

#[derive(Clone, Debug)]
struct Column {
    name: &'static str,
    of_type: usize,
    not_null: bool,
    default: bool,
    unique: bool,
    generated: bool,
    refers: Option<usize>,
    comment: bool,
}

#[derive(Clone, Debug)]
struct Index {
    number: usize,
    columns: Vec<usize>,
    unique: bool,
    partial: bool,
    descending: bool,
    includes: bool,
}

#[derive(Clone, Debug)]
struct View {
    number: usize,
    table: usize,
    column: Option<usize>,
    over_view: bool,
    materialized: bool,
    calls: bool,
}

#[derive(Clone, Debug)]
struct Trigger {
    number: usize,
    table: usize,
    event: usize,
    of_column: Option<usize>,
}

fn labels(choices: &mut Choices<'_>) -> Vec<usize> {
    let all: Vec<usize> = (0..LABELS.len()).collect();
    choices.some(&all, LABELS.len())
}

fn schema(choices: &mut Choices<'_>) -> Schema {
    let count = 1 + choices.below(3);
    let tables = (0..count).map(|at| table(choices, TABLES[at], count));
    let tables = tables.collect();
    let mut schema = Schema {
        enums: [labels(choices), labels(choices)],
        domain: choices.below(3),
        function: (choices.below(BODIES.len()), choices.rarely(3)),
        tables,
        views: Vec::new(),
        triggers: Vec::new(),
        partitions: choices.rarely(3).then(|| choices.below(3)),
    };
    for _ in 0..choices.below(5) {
        add_user(choices, &mut schema);
    }
    schema
}

fn table(choices: &mut Choices<'_>, name: &'static str, tables: usize) -> Table {
    let names = choices.some(&COLUMNS, 4).into_iter();
    let columns = names.map(|name| column(choices, name, tables)).collect();
    let mut table = Table {
        name,
        key: choices.below(5),
        columns,
        check: choices.rarely(4).then(|| choices.below(3)),
        unique: choices.rarely(4).then(|| choices.below(4)),
        indexes: Vec::new(),
        unlogged: choices.rarely(9),
        secured: choices.rarely(6),
        comment: choices.below(3),
    };
    for _ in 0..choices.below(3) {
        add_index(choices, &mut table);
    }
    table
}

fn column(choices: &mut Choices<'_>, name: &'static str, tables: usize) -> Column {
    Column {
        name,
        of_type: choices.below(TYPES.len()),
        not_null: choices.rarely(4),
        default: choices.rarely(3),
        unique: choices.rarely(7),
        generated: choices.rarely(7),
        refers: choices.rarely(5).then(|| choices.below(tables)),
        comment: choices.rarely(6),
    }
}

fn add_index(choices: &mut Choices<'_>, table: &mut Table) {
    let number = choices.below(100);
    table.indexes.retain(|index| index.number != number);
    table.indexes.push(Index {
        number,
        columns: (0..1 + choices.below(2))
            .map(|_| choices.below(8))
            .collect(),
        unique: choices.rarely(5),
        partial: choices.rarely(4),
        descending: choices.rarely(4),
        includes: choices.rarely(5),
    });
}

fn add_user(choices: &mut Choices<'_>, schema: &mut Schema) {
    let (number, table) = (choices.below(100), choices.below(schema.tables.len()));
    let is_free = schema.views.iter().all(|view| view.number != number)
        && schema.triggers.iter().all(|it| it.number != number);
    if !is_free {
        return;
    }
    match choices.below(3) {
        0 => schema.triggers.push(Trigger {
            number,
            table,
            event: choices.below(3),
            of_column: choices.rarely(3).then(|| choices.below(8)),
        }),
        _ => schema.views.push(View {
            number,
            table,
            column: choices.rarely(2).then(|| choices.below(8)),
            over_view: choices.rarely(3),
            materialized: choices.rarely(3),
            calls: choices.rarely(4),
        }),
    }
}

/// One change of a schema.
fn edit(choices: &mut Choices<'_>, schema: &mut Schema) {
    let count = schema.tables.len();
    match choices.below(15) {
        0 => {
            let name = TABLES[choices.below(TABLES.len())];
            if schema.tables.iter().all(|table| table.name != name) {
                let made = table(choices, name, count + 1);
                schema.tables.push(made);
            }
        }
        1 if count > 1 => choices.remove_from(&mut schema.tables),
        2 => add_user(choices, schema),
        3 if !schema.views.is_empty() => choices.remove_from(&mut schema.views),
        4 if !schema.triggers.is_empty() => choices.remove_from(&mut schema.triggers),
        5 => {
            let number = choices.below(2);
            schema.enums[number] = labels(choices);
        }
        6 => schema.domain = choices.below(3),
        7 => schema.function = (choices.below(BODIES.len()), choices.rarely(2)),
        8 => schema.partitions = choices.rarely(2).then(|| choices.below(3)),
        _ => {
            let at = choices.below(count);
            edit_table(choices, &mut schema.tables[at], count);
        }
    }
}

fn edit_table(choices: &mut Choices<'_>, table: &mut Table, tables: usize) {
    let count = table.columns.len();
    let at = choices.below(count);
    match choices.below(13) {
        0..3 => {
            let name = COLUMNS[choices.below(COLUMNS.len())];
            if table.columns.iter().all(|column| column.name != name) {
                let made = column(choices, name, tables);
                table.columns.push(made);
            }
        }
        3 if count > 1 => {
            table.columns.remove(at);
        }
        4 => table.unlogged = !table.unlogged,
        5 => table.secured = !table.secured,
        6 => table.key = choices.below(5),
        7 => add_index(choices, table),
        8 => {
            table.indexes.pop();
        }
        9 => table.check = choices.rarely(2).then(|| choices.below(3)),
        10 => table.unique = choices.rarely(2).then(|| choices.below(4)),
        11 => table.comment = choices.below(3),
        _ => {
            let name = table.columns[at].name;
            table.columns[at] = column(choices, name, tables);
        }
    }
}

impl Table {
    fn column(&self, at: usize) -> &Column {
        &self.columns[at % self.columns.len()]
    }

    fn has_id(&self) -> bool {
        self.key < 4
    }

    fn path(&self) -> String {
        format!("shop.{}", quoted(self.name))
    }

    fn sql(&self) -> String {
        let mut parts = Vec::new();
        let id = match self.key {
            0 => "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            1 => "serial PRIMARY KEY",
            2 => "integer PRIMARY KEY",
            _ => "bigint NOT NULL UNIQUE",
        };
        if self.has_id() {
            parts.push(format!("id {id}"));
        }
        parts.extend(self.columns.iter().map(|column| self.column_sql(column)));
        if let Some(check) = self.check {
            let name = quoted(self.column(0).name);
            let condition = match check {
                0 => format!("{name} IS NOT NULL OR {name} IS NULL"),
                1 if self.has_id() => "shop.twice(id::integer) > -1000".to_owned(),
                _ => format!("{name}::text <> 'bad'"),
            };
            parts.push(format!("CONSTRAINT \"some check\" CHECK ({condition})"));
        }
        if let Some(at) = self.unique {
            let (a, b) = (self.column(at).name, self.column(at + 1).name);
            let key = match a == b {
                true => quoted(a),
                false => format!("{}, {}", quoted(a), quoted(b)),
            };
            parts.push(format!("UNIQUE ({key})"));
        }
        let unlogged = if self.unlogged { "UNLOGGED " } else { "" };
        let (table, parts) = (self.path(), parts.join(", "));
        let mut sql = format!("CREATE {unlogged}TABLE {table} ({parts});\n");
        if self.secured {
            let _ = writeln!(sql, "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;");
            let _ = writeln!(
                sql,
                "CREATE POLICY reads ON {table} FOR SELECT USING (true);"
            );
        }
        if self.comment > 0 {
            let _ = writeln!(sql, "COMMENT ON TABLE {table} IS 'it''s {}';", self.comment);
            let _ = writeln!(sql, "GRANT SELECT ON {table} TO PUBLIC;");
        }
        for column in self.columns.iter().filter(|column| column.comment) {
            let name = quoted(column.name);
            let _ = writeln!(sql, "COMMENT ON COLUMN {table}.{name} IS 'a column';");
        }
        sql
    }

    fn column_sql(&self, column: &Column) -> String {
        let (name, of_type) = (quoted(column.name), TYPES[column.of_type]);
        if column.generated && self.has_id() {
            return format!("{name} bigint GENERATED ALWAYS AS (id * 2) STORED");
        }
        let mut sql = format!("{name} {of_type}");
        if column.default {
            let default = match of_type {
                "integer" => "shop.twice(4)",
                "bigint" => "7",
                "numeric(10,2)" => "0.5",
                "boolean" => "true",
                "timestamptz" => "now()",
                "date" => "CURRENT_DATE",
                "jsonb" | "text[]" | "shop.level[]" => "'{}'",
                "shop.mood" => "NULL",
                _ => "'it''s'",
            };
            let _ = write!(sql, " DEFAULT {default}");
        }
        if column.not_null {
            sql += " NOT NULL";
        }
        if column.unique {
            sql += " UNIQUE";
        }
        sql
    }

    /// The foreign keys, which need all tables.
    fn references_sql(&self, schema: &Schema) -> String {
        let mut sql = String::new();
        for column in &self.columns {
            let parent = column.refers.and_then(|at| schema.tables.get(at));
            let fits = matches!(TYPES[column.of_type], "integer" | "bigint")
                && !(column.generated && self.has_id());
            let Some(parent) = parent.filter(|parent| fits && parent.has_id()) else {
                continue;
            };
            let _ = writeln!(
                sql,
                "ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} (id) ON DELETE CASCADE;",
                self.path(),
                quoted(column.name),
                parent.path()
            );
        }
        sql
    }

    fn indexes_sql(&self) -> String {
        let mut sql = String::new();
        for index in &self.indexes {
            let mut columns: Vec<String> = index
                .columns
                .iter()
                .map(|at| quoted(self.column(*at).name))
                .collect();
            columns.dedup();
            let first = columns[0].clone();
            if index.descending {
                columns[0] += " DESC";
            }
            let unique = if index.unique { "UNIQUE " } else { "" };
            let name = quoted(&format!("{} {}", self.name, index.number));
            let (table, columns) = (self.path(), columns.join(", "));
            let _ = write!(sql, "CREATE {unique}INDEX {name} ON {table} ({columns})");
            if index.includes && self.has_id() {
                sql += " INCLUDE (id)";
            }
            if index.partial {
                let _ = write!(sql, " WHERE {first} IS NOT NULL");
            }
            sql += ";\n";
        }
        sql
    }

    fn rows_sql(&self) -> String {
        let is_written = |column: &&Column| !(column.generated && self.has_id());
        let columns: Vec<&Column> = self.columns.iter().filter(is_written).collect();
        let mut sql = String::new();
        for row in 1..4 {
            let names = columns.iter().map(|column| quoted(column.name));
            let values = columns.iter().map(|column| value(column, row));
            let (mut names, mut values): (Vec<_>, Vec<_>) = (names.collect(), values.collect());
            if self.has_id() {
                names.push("id".to_owned());
                values.push((row * 3).to_string());
            }
            let (names, values) = (names.join(", "), values.join(", "));
            let table = self.path();
            let _ = writeln!(
                sql,
                "INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT DO NOTHING;"
            );
        }
        sql
    }
}

fn value(column: &Column, row: usize) -> String {
    if !column.not_null && (column.refers.is_some() || row == 2) {
        return "NULL".to_owned();
    }
    match TYPES[column.of_type] {
        "integer" | "bigint" => (row * 3).to_string(),
        "numeric(10,2)" => format!("{row}.5"),
        "boolean" => "true".to_owned(),
        "timestamptz" | "date" => format!("'2026-01-0{row}'"),
        "jsonb" => format!("'{{\"a\": {row}}}'"),
        "text[]" => format!("'{{a,{row}}}'"),
        "shop.level[]" => {
            "(SELECT array_agg(l) FROM unnest(enum_range(NULL::shop.level)) AS l)".to_owned()
        }
        "shop.mood" => "enum_first(NULL::shop.mood)".to_owned(),
        _ => format!("'v''{row}'"),
    }
}

impl Schema {
    fn sql(&self) -> String {
        let mut sql = "CREATE SCHEMA shop;\n".to_owned();
        for (name, labels) in ["mood", "level"].iter().zip(&self.enums) {
            let labels = labels.iter().map(|at| LABELS[*at].replace('\'', "''"));
            let labels: Vec<String> = labels.map(|label| format!("'{label}'")).collect();
            let _ = writeln!(
                sql,
                "CREATE TYPE shop.{name} AS ENUM ({});",
                labels.join(", ")
            );
        }
        let check = ["", "CHECK (length(VALUE) < 50)", "NOT NULL DEFAULT 'd'"][self.domain];
        let _ = writeln!(sql, "CREATE DOMAIN shop.short AS text {check};");
        let (body, is_big) = self.function;
        let result = if is_big { "bigint" } else { "integer" };
        let _ = writeln!(
            sql,
            "CREATE FUNCTION shop.twice(integer) RETURNS {result} LANGUAGE sql IMMUTABLE AS 'SELECT {}';",
            match is_big {
                true => format!("({})::bigint", BODIES[body]),
                false => BODIES[body].to_owned(),
            }
        );
        sql += "CREATE FUNCTION shop.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';\n";
        sql.extend(self.tables.iter().map(Table::sql));
        sql.extend(self.tables.iter().map(|table| table.references_sql(self)));
        sql.extend(self.tables.iter().map(Table::indexes_sql));
        if let Some(count) = self.partitions {
            sql += "CREATE TABLE shop.events (at integer NOT NULL, what text) PARTITION BY RANGE (at);\n";
            for at in 0..count {
                let (from, to) = (at * 10, at * 10 + 10);
                let _ = writeln!(
                    sql,
                    "CREATE TABLE shop.events_{at} PARTITION OF shop.events FOR VALUES FROM ({from}) TO ({to});"
                );
            }
        }
        self.views_sql(&mut sql);
        for trigger in &self.triggers {
            let table = &self.tables[trigger.table % self.tables.len()];
            let event = ["INSERT", "DELETE", "UPDATE"][trigger.event];
            let of = match trigger.of_column {
                Some(at) if event == "UPDATE" => format!(" OF {}", quoted(table.column(at).name)),
                _ => String::new(),
            };
            let _ = writeln!(
                sql,
                "CREATE TRIGGER r{} AFTER {event}{of} ON {} FOR EACH ROW EXECUTE FUNCTION shop.note();",
                trigger.number,
                table.path()
            );
        }
        sql
    }

    fn views_sql(&self, sql: &mut String) {
        for (at, view) in self.views.iter().enumerate() {
            let table = &self.tables[view.table % self.tables.len()];
            let columns = view
                .column
                .map_or("*".to_owned(), |at| quoted(table.column(at).name));
            let source = match at.checked_sub(1) {
                Some(before) if view.over_view => {
                    format!("SELECT * FROM shop.v{}", self.views[before].number)
                }
                _ if view.calls => {
                    let path = table.path();
                    format!("SELECT {columns}, shop.twice(1) AS twice FROM {path}")
                }
                _ => format!("SELECT {columns} FROM {}", table.path()),
            };
            let materialized = if view.materialized {
                "MATERIALIZED "
            } else {
                ""
            };
            let _ = writeln!(
                sql,
                "CREATE {materialized}VIEW shop.v{} AS {source};",
                view.number
            );
        }
    }

    fn rows_sql(&self) -> String {
        let mut sql: String = self.tables.iter().map(Table::rows_sql).collect();
        if self.partitions.is_some_and(|count| count > 0) {
            sql += "INSERT INTO shop.events VALUES (3, 'three'), (4, 'four');";
        }
        sql
    }
}

/// A database with a schema; `None` if the server refuses it.
fn made(sql: &str, rows: &str) -> Option<PostgresDatabase> {
    let database = PostgresDatabase::create();
    let run = || {
        database.query(&format!("{sql} {rows}"));
    };
    panic::catch_unwind(panic::AssertUnwindSafe(run)).ok()?;
    Some(database)
}

/// How many pairs ended how.
#[derive(Debug, Default)]
struct Counts {
    proven: u32,
    /// Those of them whose statements fail for the rows, which are proven without.
    without_rows: u32,
    refused: u32,
    invalid: u32,
}

fn pair(before: &Schema, after: &Schema, counts: &mut Counts) -> Result<(), String> {
    let (from, to) = (before.sql(), after.sql());
    let Some((first, second)) = made(&from, &before.rows_sql()).zip(made(&to, "")) else {
        counts.invalid += 1;
        return Ok(());
    };
    let mut found = caught(|| prove(&first, &second, None));
    if may_be_due_to_rows(&found) {
        let empty = made(&from, "").ok_or("it runs with rows only")?;
        found = caught(|| prove(&empty, &second, None));
        counts.without_rows += 1;
    }
    match found {
        Ok(Outcome::Proven) => counts.proven += 1,
        Ok(Outcome::Refused(_)) => counts.refused += 1,
        Err(error) => return Err(format!("{from}\n=>\n{to}\n{error}")),
    }
    Ok(())
}

#[test]
fn random_edits_up_and_down() {
    let long = long_run();
    let pairs = long.unwrap_or(PAIRS);
    let counts = RefCell::new(Counts::default());
    let failures = RefCell::new(Vec::new());
    with_choices(pairs, 100, |choices| {
        let before = schema(choices);
        let mut after = before.clone();
        for _ in 0..1 + choices.below(4) {
            edit(choices, &mut after);
        }
        match pair(&before, &after, &mut counts.borrow_mut()) {
            Err(failure) if long.is_some() => failures.borrow_mut().push(failure),
            other => other?,
        }
        Ok(())
    });
    let counts = counts.into_inner();
    println!("{counts:?}");
    let failures = failures.into_inner();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(counts.proven > pairs / 2, "{counts:?}");
}
