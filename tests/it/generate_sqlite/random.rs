//! Random schemas and random edits of them.
//!
//! `MIGRATOR_TEST_PAIRS=2000` makes a long run.

use std::{cell::RefCell, fmt::Write as _};

use tokio::runtime::Builder;

use super::{Failure, prove};
use crate::common::{Choices, long_run, quoted, with_choices};

const PAIRS: u32 = 100;

const TABLES: [&str; 6] = ["users", "order", "Two Words", "größe", "it's", "a_b"];
const COLUMNS: [&str; 8] = [
    "name", "group", "x y", "Total", "żółw", "q\"q", "note", "rowid",
];
const TYPES: [&str; 7] = [
    "",
    "INT",
    "TEXT",
    "VARCHAR(10)",
    "REAL",
    "NUMERIC(8, 2)",
    "BLOB",
];
const STRICT_TYPES: [&str; 5] = ["INT", "TEXT", "REAL", "BLOB", "ANY"];
const DEFAULTS: [&str; 7] = ["", "", "1", "-2.5", "'it''s'", "(1 + 1)", "CURRENT_DATE"];

#[derive(Clone, Debug)]
struct Schema {
    tables: Vec<Table>,
    views: Vec<View>,
    triggers: Vec<Trigger>,
    search: Option<Search>,
}

#[derive(Clone, Debug)]
struct Table {
    name: String,
    /// How the key is declared.
    key: usize,
    columns: Vec<Column>,
    strict: bool,
    without_rowid: bool,
    check: bool,
    unique: Option<usize>,
    indexes: Vec<Index>,
    comments: bool,
}

#[derive(Clone, Debug)]
struct Column {
    name: &'static str,
    of_type: usize,
    not_null: bool,
    default: usize,
    nocase: bool,
    unique: bool,
    /// 1: virtual, 2: stored.
    generated: usize,
    refers: Option<usize>,
}

#[derive(Clone, Debug)]
struct Index {
    number: usize,
    columns: Vec<usize>,
    unique: bool,
    partial: bool,
}

/// A view over a table or over the view before it.
#[derive(Clone, Debug)]
struct View {
    number: usize,
    table: usize,
    over_view: bool,
    column: Option<usize>,
}

#[derive(Clone, Debug)]
struct Trigger {
    number: usize,
    table: usize,
    writes: usize,
    event: usize,
}

#[derive(Clone, Debug)]
struct Search {
    columns: usize,
    porter: bool,
}

fn schema(choices: &mut Choices<'_>) -> Schema {
    let count = 1 + choices.below(3);
    let tables = (0..count).map(|at| table(choices, TABLES[at], count));
    let mut schema = Schema {
        tables: tables.collect(),
        views: Vec::new(),
        triggers: Vec::new(),
        search: None,
    };
    for _ in 0..choices.below(4) {
        add_user(choices, &mut schema);
    }
    schema
}

fn table(choices: &mut Choices<'_>, name: &str, tables: usize) -> Table {
    let names = choices.some(&COLUMNS, 4).into_iter();
    let columns = names.map(|name| column(choices, name, tables)).collect();
    let mut table = Table {
        name: name.to_owned(),
        key: choices.below(5),
        columns,
        strict: choices.rarely(4),
        without_rowid: choices.rarely(5),
        check: choices.rarely(4),
        unique: choices.rarely(4).then(|| choices.below(4)),
        indexes: Vec::new(),
        comments: choices.rarely(3),
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
        default: choices.below(DEFAULTS.len()),
        nocase: choices.rarely(5),
        unique: choices.rarely(7),
        generated: choices.below(12).saturating_sub(9),
        refers: choices.rarely(5).then(|| choices.below(tables)),
    }
}

fn add_index(choices: &mut Choices<'_>, table: &mut Table) {
    table.indexes.push(Index {
        number: choices.below(100),
        columns: (0..1 + choices.below(2))
            .map(|_| choices.below(8))
            .collect(),
        unique: choices.rarely(5),
        partial: choices.rarely(4),
    });
    table.indexes.dedup_by_key(|index| index.number);
}

fn add_user(choices: &mut Choices<'_>, schema: &mut Schema) {
    let (number, table) = (choices.below(100), choices.below(schema.tables.len()));
    match choices.below(5) {
        0 | 1 => schema.views.push(View {
            number,
            table,
            over_view: choices.rarely(3),
            column: choices.rarely(2).then(|| choices.below(8)),
        }),
        2 | 3 => schema.triggers.push(Trigger {
            number,
            table,
            writes: choices.below(schema.tables.len()),
            event: choices.below(3),
        }),
        _ => {
            schema.search = Some(Search {
                columns: 1 + choices.below(3),
                porter: choices.rarely(2),
            });
        }
    }
}

/// One change of a schema.
fn edit(choices: &mut Choices<'_>, schema: &mut Schema) {
    let count = schema.tables.len();
    match choices.below(12) {
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
        5 => schema.search = None,
        _ => {
            let at = choices.below(count);
            edit_table(choices, &mut schema.tables[at], count);
        }
    }
}

fn edit_table(choices: &mut Choices<'_>, table: &mut Table, tables: usize) {
    let count = table.columns.len();
    let at = choices.below(count);
    match choices.below(12) {
        0..3 => {
            let name = COLUMNS[choices.below(COLUMNS.len())];
            if table.columns.iter().all(|column| column.name != name) {
                let place = choices.below(count + 1);
                let made = column(choices, name, tables);
                table.columns.insert(place, made);
            }
        }
        3 if count > 1 => {
            table.columns.remove(at);
        }
        4 => table.strict = !table.strict,
        5 => table.without_rowid = !table.without_rowid,
        6 => table.key = choices.below(5),
        7 => add_index(choices, table),
        8 => {
            table.indexes.pop();
        }
        9 => table.check = !table.check,
        10 => table.unique = choices.rarely(2).then(|| choices.below(4)),
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
        self.key < 3
    }

    fn sql(&self, schema: &Schema) -> String {
        let mut parts = Vec::new();
        let id = match self.key {
            0 => "id INTEGER PRIMARY KEY",
            1 if !self.without_rowid => "id INTEGER PRIMARY KEY AUTOINCREMENT",
            1 => "id INTEGER PRIMARY KEY",
            2 => "id INT NOT NULL UNIQUE",
            _ => "",
        };
        if self.has_id() {
            parts.push(id.to_owned());
        }
        for column in &self.columns {
            parts.push(self.column_sql(column, schema));
        }
        let is_keyed = self.without_rowid && self.key >= 2 || self.key == 3;
        let key = self.columns.iter().find(|column| column.generated == 0);
        match key {
            Some(key) if is_keyed => parts.push(format!("PRIMARY KEY ({})", quoted(key.name))),
            None if is_keyed => parts.insert(0, "k PRIMARY KEY".to_owned()),
            _ => {}
        }
        if self.check {
            let name = quoted(self.column(0).name);
            parts.push(format!(
                "CONSTRAINT \"some check\" CHECK ({name} IS NOT 'bad')"
            ));
        }
        if let Some(at) = self.unique {
            let (a, b) = (self.column(at).name, self.column(at + 1).name);
            let key = if a == b {
                quoted(a)
            } else {
                format!("{}, {} DESC", quoted(a), quoted(b))
            };
            parts.push(format!("UNIQUE ({key})"));
        }
        let mut options = Vec::new();
        options.extend(self.strict.then_some("STRICT"));
        options.extend(self.without_rowid.then_some("WITHOUT ROWID"));
        let between = if self.comments {
            ", -- one, two\n  "
        } else {
            ", "
        };
        format!(
            "CREATE TABLE {} ({}) {};\n",
            quoted(&self.name),
            parts.join(between),
            options.join(", ")
        )
    }

    fn column_sql(&self, column: &Column, schema: &Schema) -> String {
        let declared = match self.strict {
            true => STRICT_TYPES[column.of_type % STRICT_TYPES.len()],
            false => TYPES[column.of_type],
        };
        let mut sql = format!("{} {declared}", quoted(column.name));
        if column.not_null {
            sql += " NOT NULL";
        }
        if column.generated > 0 && self.has_id() {
            let how = if column.generated == 1 {
                "VIRTUAL"
            } else {
                "STORED"
            };
            write!(sql, " AS (id * 2) {how}").unwrap();
            return sql;
        }
        let default = DEFAULTS[column.default];
        if !default.is_empty() && (!self.strict || default == "(1 + 1)") {
            write!(sql, " DEFAULT {default}").unwrap();
        }
        if column.nocase {
            sql += " COLLATE NOCASE";
        }
        if column.unique {
            sql += " UNIQUE";
        }
        let parent = column.refers.and_then(|at| schema.tables.get(at));
        if let Some(parent) = parent.filter(|parent| parent.has_id()) {
            write!(
                sql,
                " REFERENCES {} (id) ON DELETE CASCADE",
                quoted(&parent.name)
            )
            .unwrap();
        }
        sql
    }

    /// The indexes. Names are those of the table, so that they are told apart.
    fn indexes_sql(&self) -> String {
        let mut sql = String::new();
        for index in &self.indexes {
            let mut columns: Vec<String> = index
                .columns
                .iter()
                .map(|at| quoted(self.column(*at).name))
                .collect();
            columns.dedup();
            let unique = if index.unique { "UNIQUE " } else { "" };
            let name = quoted(&format!("{} {}", self.name, index.number));
            let table = quoted(&self.name);
            write!(
                sql,
                "CREATE {unique}INDEX IF NOT EXISTS {name} ON {table} ({})",
                columns.join(", ")
            )
            .unwrap();
            if index.partial {
                write!(sql, " WHERE {} IS NOT NULL", columns[0]).unwrap();
            }
            sql += ";\n";
        }
        sql
    }

    fn rows_sql(&self) -> String {
        let mut sql = String::new();
        let columns: Vec<&Column> = self
            .columns
            .iter()
            .filter(|column| column.generated == 0 || !self.has_id())
            .collect();
        for row in 1..4 {
            let mut names: Vec<String> = columns.iter().map(|column| quoted(column.name)).collect();
            let mut values: Vec<String> = columns
                .iter()
                .map(|column| self.value(column, row))
                .collect();
            if self.has_id() {
                names.push("id".to_owned());
                values.push((row * 3).to_string());
            }
            let (names, values) = (names.join(", "), values.join(", "));
            writeln!(
                sql,
                "INSERT OR IGNORE INTO {} ({names}) VALUES ({values});",
                quoted(&self.name)
            )
            .unwrap();
        }
        sql
    }

    fn value(&self, column: &Column, row: usize) -> String {
        if column.refers.is_some() && !column.not_null {
            return "NULL".to_owned();
        }
        let declared = match self.strict {
            true => STRICT_TYPES[column.of_type % STRICT_TYPES.len()],
            false => TYPES[column.of_type],
        };
        match declared {
            "INT" => (row * 3).to_string(),
            "TEXT" | "VARCHAR(10)" => format!("'v''{row}'"),
            "REAL" | "NUMERIC(8, 2)" => format!("{row}.5"),
            "BLOB" => format!("x'0{row}'"),
            _ if row == 2 && !column.not_null => "NULL".to_owned(),
            _ => format!("'any {row}'"),
        }
    }
}

impl Schema {
    fn sql(&self) -> String {
        let tables = self.tables.iter().map(|table| table.sql(self));
        let mut sql: String = tables.collect();
        sql.extend(self.tables.iter().map(Table::indexes_sql));
        if let Some(search) = &self.search {
            let columns = ["title", "body", "tags"][..search.columns].join(", ");
            let tokenizer = if search.porter {
                ", tokenize = porter"
            } else {
                ""
            };
            writeln!(
                sql,
                "CREATE VIRTUAL TABLE search USING fts5({columns}{tokenizer});"
            )
            .unwrap();
        }
        for (at, view) in self.views.iter().enumerate() {
            let table = &self.tables[view.table % self.tables.len()];
            let columns = view
                .column
                .map_or("*".to_owned(), |at| quoted(table.column(at).name));
            let source = match at.checked_sub(1) {
                Some(before) if view.over_view => {
                    format!("(SELECT * FROM v{})", self.views[before].number)
                }
                _ => format!("(SELECT {columns} FROM {})", quoted(&table.name)),
            };
            writeln!(
                sql,
                "CREATE VIEW IF NOT EXISTS v{} AS SELECT * FROM {source} AS s;",
                view.number
            )
            .unwrap();
        }
        for trigger in &self.triggers {
            let on = &self.tables[trigger.table % self.tables.len()];
            let to = &self.tables[trigger.writes % self.tables.len()];
            let event = ["INSERT", "DELETE", "UPDATE"][trigger.event];
            let column = quoted(to.column(trigger.number).name);
            writeln!(
                sql,
                "CREATE TRIGGER IF NOT EXISTS r{} AFTER {event} ON {} BEGIN DELETE FROM {} WHERE {column} = 'none'; END;",
                trigger.number,
                quoted(&on.name),
                quoted(&to.name)
            )
            .unwrap();
        }
        sql
    }

    fn rows_sql(&self) -> String {
        let mut sql: String = self.tables.iter().map(Table::rows_sql).collect();
        if self.search.is_some() {
            sql += "INSERT INTO search (rowid, title) VALUES (7, 'seven'), (9, 'nine');";
        }
        sql
    }
}

#[test]
fn random_edits_up_and_down() {
    let pairs = long_run().unwrap_or(PAIRS);
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let counts = RefCell::new([0_u32; 4]);
    with_choices(pairs, 200, |choices| {
        let before = schema(choices);
        let mut after = before.clone();
        for _ in 0..1 + choices.below(4) {
            edit(choices, &mut after);
        }
        let (from, to) = (before.sql(), after.sql());
        let valid = runtime.block_on(async { is_valid(&from).await && is_valid(&to).await });
        if !valid {
            counts.borrow_mut()[3] += 1;
            return Ok(());
        }
        let mut found = runtime.block_on(prove(&from, &before.rows_sql(), &to, &[]));
        if let Err(Failure::Rows(_)) = found {
            counts.borrow_mut()[1] += 1;
            found = runtime.block_on(prove(&from, "", &to, &[]));
        }
        let failed = |what: String| format!("{from}\n=>\n{to}\n{what}");
        match found {
            Ok(_) => counts.borrow_mut()[0] += 1,
            Err(Failure::Wrong(what)) if what.contains("KeysInDoubt") => {
                counts.borrow_mut()[2] += 1
            }
            Err(Failure::Wrong(what)) => return Err(failed(what)),
            Err(other) => return Err(failed(format!("{other:?}"))),
        }
        Ok(())
    });
    let [proven, without_rows, mismatched, invalid] = counts.into_inner();
    println!(
        "{proven} proven, {without_rows} of them without rows; {mismatched} with keys that are none; {invalid} invalid"
    );
    assert!(
        proven > pairs / 2,
        "only {proven} of {pairs} pairs are proven"
    );
}

async fn is_valid(sql: &str) -> bool {
    let file = crate::common::SqliteDatabase::create();
    crate::schema_sqlite::run(&file.path, sql).await.is_ok()
}
