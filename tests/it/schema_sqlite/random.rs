//! Random CREATE TABLE texts: what is read from a text agrees with the pragmas.

use std::{cell::RefCell, collections::BTreeSet};

use migrator::internals::schema::sqlite::{
    Expression, ForeignKey, KeyColumn,
    scan::{Definition, TableScan, scan_table},
};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, sqlite::SqliteRow};

use crate::common::{Choices, with_choices};

const CASES: u32 = 1_500;

impl Choices<'_> {
    fn one<'b>(&mut self, of: &[&'b str]) -> &'b str {
        of[self.below(of.len())]
    }

    /// White space or a comment.
    fn space(&mut self) -> &'static str {
        self.one(&[
            " ",
            " ",
            " ",
            "\n\t",
            "  ",
            "/* ) , */",
            " -- it's (\n",
            "\r\n",
        ])
    }

    /// The words with spaces between them, in any case.
    fn words(&mut self, words: &[&str]) -> String {
        let mut text = String::new();
        for word in words {
            text += self.space();
            text += &match self.below(4) {
                0 => word.to_ascii_lowercase(),
                _ => (*word).to_owned(),
            };
        }
        text
    }

    fn quoted(&mut self, name: &str) -> String {
        let is_plain = [
            "a",
            "b",
            "Ccc",
            "key",
            "desc",
            "größe",
            "generated",
            "action",
        ]
        .contains(&name);
        match self.below(if is_plain { 6 } else { 4 }) {
            0 => format!("\"{}\"", name.replace('"', "\"\"")),
            1 => format!("`{name}`"),
            2 if !name.contains(']') => format!("[{name}]"),
            3 => format!("'{name}'"),
            4 | 5 => name.to_owned(),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }
}

const NAMES: [&str; 12] = [
    "a",
    "b",
    "Ccc",
    "key",
    "desc",
    "größe",
    "generated",
    "action",
    "two words",
    "a\"b",
    "order",
    "x]y",
];

/// A CREATE TABLE, most of which SQLite accepts.
fn text(choices: &mut Choices<'_>) -> String {
    let count = 1 + choices.below(5);
    let first = choices.below(NAMES.len());
    let names: Vec<&str> = (0..count)
        .map(|at| NAMES[(first + at) % NAMES.len()])
        .collect();
    let strict = choices.rarely(5);
    let mut key = choices.below(3);
    let mut parts = Vec::new();
    for name in &names {
        let is_key = key == 0 && choices.rarely(2);
        key += usize::from(is_key);
        parts.push(column(choices, name, strict, is_key));
    }
    if key == 1 {
        parts.push(key_over("PRIMARY KEY", choices, &names));
    }
    for _ in 0..choices.below(4) {
        parts.push(table_constraint(choices, &names));
    }
    let mut options = Vec::new();
    if strict {
        options.push("STRICT".to_owned());
    }
    if key < 2 && choices.rarely(3) {
        options.push(choices.words(&["WITHOUT", "ROWID"]));
    }
    let space = choices.space();
    format!(
        "{} t{space}({}{space}){space}{}",
        choices.words(&["CREATE", "TABLE"]),
        parts.join(choices.one(&[",", ", ", " ,\n"])),
        options.join(", ")
    )
}

fn column(choices: &mut Choices<'_>, name: &str, strict: bool, is_key: bool) -> String {
    const TYPES: [&str; 14] = [
        "",
        "INTEGER",
        "integer",
        "INT",
        "TEXT",
        "VARCHAR(10)",
        "numeric ( 10 , 2 )",
        "DOUBLE  PRECISION",
        "\"my type\"",
        "[x y] z",
        "BLOB",
        "'text'",
        "unsigned big int",
        "DECIMAL(-1)",
    ];
    let mut text = choices.quoted(name);
    let declared = if strict {
        choices.one(&["INTEGER", "int", "TEXT", "any", "Real"])
    } else {
        choices.one(&TYPES)
    };
    text += choices.space();
    text += declared;
    if is_key {
        text += &choices.words(&["PRIMARY", "KEY"]);
        let order = choices.one(&["", "", " ASC", " DESC"]);
        text += order;
        text += &conflict(choices);
        if declared.eq_ignore_ascii_case("INTEGER") && order != " DESC" && choices.rarely(2) {
            text += &choices.words(&["AUTOINCREMENT"]);
        }
    }
    for _ in 0..choices.below(4) {
        text += &column_constraint(choices, name);
    }
    text
}

fn column_constraint(choices: &mut Choices<'_>, name: &str) -> String {
    const VALUES: [&str; 16] = [
        " 1",
        " -1.5e-3",
        " + 2",
        " .5",
        " 1e+5",
        " 'it''s ('",
        " \"text\"",
        " x'00'",
        " NULL",
        " current_date",
        "(1 + (2))",
        "( 'a)' )",
        " key",
        " 0xE",
        " true",
        " 1.",
    ];
    let named = if choices.rarely(3) {
        let name = choices.quoted("some name");
        format!("{} {name}", choices.words(&["CONSTRAINT"]))
    } else {
        String::new()
    };
    let clause = match choices.below(10) {
        0 => choices.words(&["NOT", "NULL"]) + &conflict(choices),
        1 => choices.words(&["NULL"]),
        2 => choices.words(&["UNIQUE"]) + &conflict(choices),
        3 => {
            let column = choices.quoted(name);
            choices.words(&["CHECK"]) + &format!("({column} <> ')' /* ( */)")
        }
        4 => choices.words(&["DEFAULT"]) + choices.one(&VALUES),
        5 => choices.words(&["COLLATE"]) + choices.one(&[" NOCASE", " \"rtrim\"", " binary"]),
        6 => choices.words(&["REFERENCES"]) + &references(choices, 1),
        7 => {
            // A comment between the first two words would be part of the type.
            let long = format!(" GENERATED ALWAYS{}", choices.words(&["AS"]));
            let generated = if choices.rarely(2) {
                choices.words(&["AS"])
            } else {
                long
            };
            generated + "(1)" + choices.one(&["", " STORED", " virtual"])
        }
        8 => deferrable(choices),
        _ => String::new(),
    };
    named + &clause
}

fn conflict(choices: &mut Choices<'_>) -> String {
    if !choices.rarely(4) {
        return String::new();
    }
    let algorithm = choices.one(&["ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK"]);
    choices.words(&["ON", "CONFLICT", algorithm])
}

fn deferrable(choices: &mut Choices<'_>) -> String {
    let not = if choices.rarely(3) {
        choices.words(&["NOT"])
    } else {
        String::new()
    };
    let when = choices.one(&["", " INITIALLY DEFERRED", " INITIALLY IMMEDIATE"]);
    not + &choices.words(&["DEFERRABLE"]) + when
}

fn references(choices: &mut Choices<'_>, columns: usize) -> String {
    let name = choices.one(&["t", "other", "two words"]);
    let mut text = format!(
        " {}",
        if name == "two words" {
            choices.quoted(name)
        } else {
            name.to_owned()
        }
    );
    if choices.rarely(2) {
        let columns: Vec<String> = (0..columns).map(|at| choices.quoted(NAMES[at])).collect();
        text += &format!("{}({})", choices.space(), columns.join(" , "));
    }
    for _ in 0..choices.below(4) {
        text += &match choices.below(4) {
            0 => choices.words(&["MATCH"]) + " full",
            1 => choices.words(&["ON", "INSERT", "CASCADE"]),
            at => {
                let event = if at == 2 { "DELETE" } else { "UPDATE" };
                let actions = [
                    "CASCADE",
                    "SET  NULL",
                    "set default",
                    "RESTRICT",
                    "NO /**/ ACTION",
                ];
                choices.words(&["ON", event]) + " " + choices.one(&actions)
            }
        };
    }
    if choices.rarely(3) {
        text += &deferrable(choices);
    }
    text
}

fn table_constraint(choices: &mut Choices<'_>, names: &[&str]) -> String {
    let named = if choices.rarely(2) {
        choices.words(&["CONSTRAINT"]) + " c"
    } else {
        String::new()
    };
    let constraint = match choices.below(3) {
        0 => key_over("UNIQUE", choices, names),
        1 => choices.words(&["CHECK"]) + "(1 <> 2)" + &conflict(choices),
        _ => {
            let count = 1 + choices.below(names.len());
            let columns: Vec<String> = names[..count]
                .iter()
                .map(|name| choices.quoted(name))
                .collect();
            let columns = columns.join(",");
            let key = choices.words(&["FOREIGN", "KEY"]) + &format!("({columns})");
            key + &choices.words(&["REFERENCES"]) + &references(choices, count)
        }
    };
    named + &constraint
}

fn key_over(what: &str, choices: &mut Choices<'_>, names: &[&str]) -> String {
    let count = 1 + choices.below(names.len());
    let first = choices.below(names.len());
    let columns = (0..count).map(|at| {
        let column = choices.quoted(names[(first + at) % names.len()]);
        let collation = choices.one(&["", "", " COLLATE nocase", " COLLATE BINARY"]);
        column + collation + choices.one(&["", "", " DESC", " asc"])
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let space = choices.space();
    format!("{space}{what}{space}({columns}){}", conflict(choices))
}

#[test]
fn texts_say_what_the_pragmas_say() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let connected = runtime.block_on(SqliteConnection::connect("sqlite::memory:"));
    let connection = RefCell::new(connected.unwrap());
    // Dropping a table would look for rows that refer to it.
    let off = runtime.block_on(execute(
        &mut connection.borrow_mut(),
        "PRAGMA foreign_keys = OFF",
    ));
    assert!(off);
    let loaded = RefCell::new(0);
    with_choices(CASES, 1_000, |choices| {
        let text = text(choices);
        let mut connection = connection.borrow_mut();
        runtime.block_on(async {
            if execute(&mut connection, &text).await {
                *loaded.borrow_mut() += 1;
                let checked = check(&mut connection).await;
                assert!(execute(&mut connection, "DROP TABLE t").await);
                return checked.map_err(|reason| format!("{text}\n{reason}"));
            }
            Ok(())
        })
    });
    let loaded = loaded.into_inner();
    assert!(
        loaded > CASES / 3,
        "only {loaded} of {CASES} texts are valid"
    );
}

async fn execute(connection: &mut SqliteConnection, sql: &str) -> bool {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    sql.execute(connection).await.is_ok()
}

async fn query(connection: &mut SqliteConnection, sql: &str) -> Vec<SqliteRow> {
    let sql = sqlx::query(AssertSqlSafe(sql.to_owned()));
    sql.fetch_all(connection).await.unwrap()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, read: T, told: T) -> Result<(), String> {
    if read == told {
        return Ok(());
    }
    Err(format!("{what}: read {read:?}, SQLite says {told:?}"))
}

/// Compares what is read of table `t` with what SQLite says.
async fn check(connection: &mut SqliteConnection) -> Result<(), String> {
    let sql = "SELECT sql, wr, strict FROM sqlite_schema AS s JOIN pragma_table_list AS l
        ON l.schema = 'main' AND l.name = s.name WHERE s.name = 't'";
    let rows = query(connection, sql).await;
    let text: String = rows[0].get(0);
    let scan = scan_table(&text).map_err(|error| format!("{text}: {error}"))?;
    same("WITHOUT ROWID", scan.without_rowid, rows[0].get(1))?;
    same("STRICT", scan.strict, rows[0].get(2))?;
    check_columns(connection, &text, &scan).await?;
    check_foreign_keys(connection, &scan).await?;
    check_keys(connection, &text, &scan).await
}

async fn check_columns(
    connection: &mut SqliteConnection,
    text: &str,
    scan: &TableScan,
) -> Result<(), String> {
    let rows = query(
        connection,
        "SELECT * FROM pragma_table_xinfo('t') ORDER BY cid",
    )
    .await;
    same("columns", scan.columns.len(), rows.len())?;
    let key = key_of(scan);
    for (column, row) in scan.columns.iter().zip(&rows) {
        let name = &column.name.name;
        same("name", name, &row.get("name"))?;
        let told: String = row.get("type");
        let declared = Expression::new(&column.type_name(text));
        same("type", declared.clone(), Expression::new(&told))?;
        let place = key.iter().position(|it| it.column == **name);
        let told: i64 = row.get("pk");
        same(
            "place in the key",
            place.map_or(0, |place| place as i64 + 1),
            told,
        )?;
        let is_declared = column
            .definitions()
            .any(|it| matches!(it, Definition::NotNull { .. }));
        let is_integer = declared.eq_ignore_ascii_case("integer");
        let is_rowid = is_integer && key.len() == 1 && !scan.without_rowid;
        let is_descending = column.definitions().any(
            |it| matches!(it, Definition::PrimaryKey { columns, .. } if columns[0].descending),
        );
        let is_rowid = is_rowid && !is_descending;
        let refuses = place.is_some() && (scan.without_rowid || scan.strict && !is_rowid);
        same("NOT NULL", is_declared || refuses, row.get("notnull"))?;
        let default = column.definitions().filter_map(|it| match it {
            Definition::Default(span) => Some(Expression::new(span.of(text))),
            _ => None,
        });
        let told: Option<String> = row.get("dflt_value");
        same(
            "default",
            default.last(),
            told.as_deref().map(Expression::new),
        )?;
        let hidden = column.definitions().find_map(|it| match it {
            Definition::Generated { stored, .. } => Some(2 + i64::from(*stored)),
            _ => None,
        });
        same("generated", hidden.unwrap_or(0), row.get("hidden"))?;
    }
    Ok(())
}

fn key_of(scan: &TableScan) -> Vec<KeyColumn> {
    let found = scan
        .all_constraints()
        .find_map(|(_, it)| match &it.definition {
            Definition::PrimaryKey { columns, .. } => Some(columns.clone()),
            _ => None,
        });
    found.unwrap_or_default()
}

async fn check_foreign_keys(
    connection: &mut SqliteConnection,
    scan: &TableScan,
) -> Result<(), String> {
    let rows = query(
        connection,
        "SELECT * FROM pragma_foreign_key_list('t') ORDER BY id DESC, seq",
    )
    .await;
    let mut told: Vec<(i64, ForeignKey)> = Vec::new();
    for row in &rows {
        let id: i64 = row.get("id");
        if told.last().is_none_or(|(last, _)| *last != id) {
            let action = |name| Some(row.get::<String, _>(name)).filter(|it| it != "NO ACTION");
            let key = ForeignKey {
                references: row.get::<String, _>("table").into(),
                on_update: action("on_update"),
                on_delete: action("on_delete"),
                ..ForeignKey::default()
            };
            told.push((id, key));
        }
        let (_, key) = told.last_mut().unwrap();
        key.columns.push(row.get::<String, _>("from").into());
        let to: Option<String> = row.get("to");
        key.referenced_columns.extend(to.map(Into::into));
    }
    let told: Vec<ForeignKey> = told.into_iter().map(|(_, key)| key).collect();
    let read = scan
        .all_constraints()
        .filter_map(|(_, it)| match &it.definition {
            // The pragma tells neither.
            Definition::ForeignKey(key) => Some(ForeignKey {
                match_clause: None,
                deferred: false,
                ..key.clone()
            }),
            _ => None,
        });
    same("foreign keys", read.collect(), told)
}

/// The columns of a key with their collations, and their orders.
type Key = (Vec<(String, String)>, Vec<bool>);

async fn check_keys(
    connection: &mut SqliteConnection,
    text: &str,
    scan: &TableScan,
) -> Result<(), String> {
    let sql = "SELECT l.name, l.origin, x.name, x.desc, x.coll
        FROM pragma_index_list('t') AS l, pragma_index_xinfo(l.name) AS x
        WHERE x.key ORDER BY l.seq, x.seqno";
    let mut told: Vec<(String, Key)> = Vec::new();
    for row in query(connection, sql).await {
        let name: String = row.get(0);
        if told.last().is_none_or(|(last, _)| *last != name) {
            told.push((name, Key::default()));
        }
        let (_, (columns, orders)) = told.last_mut().unwrap();
        columns.push((
            row.get::<String, _>(2),
            row.get::<String, _>(4).to_ascii_uppercase(),
        ));
        orders.push(row.get(3));
    }
    let mut primary = key_of(scan);
    if let [only] = &mut primary[..] {
        let column = scan.columns.iter().find(|it| only.column == *it.name.name);
        if column
            .unwrap()
            .type_name(text)
            .eq_ignore_ascii_case("integer")
        {
            // SQLite forgets the collation of a key that would be the rowid.
            only.collation = None;
        }
    }
    let primary = key(scan, &primary);
    let unique = scan
        .all_constraints()
        .filter_map(|(_, it)| match &it.definition {
            Definition::Unique { columns, .. } => Some(key(scan, columns)),
            _ => None,
        });
    let read: BTreeSet<Key> = unique.chain([primary.clone()]).collect();
    for (name, key) in &told {
        if !read.contains(key) {
            return Err(format!("index {name} {key:?} is not among {read:?}"));
        }
    }
    // SQLite makes one index for keys that differ in nothing but their order.
    let told: BTreeSet<_> = told.into_iter().map(|(_, key)| key.0).collect();
    for (columns, _) in &read {
        if *columns != primary.0 && !told.contains(columns) {
            return Err(format!("no index for {columns:?} among {told:?}"));
        }
    }
    Ok(())
}

fn key(scan: &TableScan, columns: &[KeyColumn]) -> Key {
    let own = |name: &str| {
        let column = scan
            .columns
            .iter()
            .find(|it| it.name.name.eq_ignore_ascii_case(name));
        let collations = column.unwrap().definitions().filter_map(|it| match it {
            Definition::Collate(name) => Some(name.name.clone()),
            _ => None,
        });
        collations.last().unwrap_or_else(|| "BINARY".to_owned())
    };
    let columns = columns.iter().map(|it| {
        let collation = it.collation.as_ref().map(ToString::to_string);
        let collation = collation.unwrap_or_else(|| own(&it.column));
        (
            (it.column.to_string(), collation.to_ascii_uppercase()),
            it.descending,
        )
    });
    columns.unzip()
}
