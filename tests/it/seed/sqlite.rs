//! Definitions of SQLite, all in one file under names of their own.

use migrator::internals::schema::Name;

use super::{counts, inspect, seed, seed_toward, texts, try_each};
use crate::common::{self, SqliteDatabase};

/// Definitions whose tables all get a full row.
const FULL: &[&str] = &[
    "CREATE TABLE types (a INTEGER, b TEXT, c REAL, d BLOB, e NUMERIC, f, g BOOLEAN, h DATETIME, i DATE, j VARCHAR(3), k JSON, l UUID,
     m DECIMAL(5,2), n UNSIGNED BIG INT, o TIME, p NVARCHAR(20))",
    "CREATE TABLE strict_types (a INTEGER, b TEXT, c REAL, d BLOB, e ANY, f INT) STRICT",
    "CREATE TABLE rowids (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT DEFAULT 'x', b TEXT DEFAULT CURRENT_TIMESTAMP, c DEFAULT (random()))",
    "CREATE TABLE without_rowid (a TEXT PRIMARY KEY, b INTEGER) WITHOUT ROWID",
    "CREATE TABLE two_keys (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "CREATE TABLE generated (a INTEGER NOT NULL, b INTEGER AS (a * 2) STORED, c TEXT AS ('x' || a))",
    "CREATE TABLE \"select\" (\"from\" INTEGER PRIMARY KEY, \"it's \"\"x\" TEXT NOT NULL, [b c] TEXT)",
    "CREATE TABLE fk_c (id INTEGER PRIMARY KEY, b INTEGER NOT NULL UNIQUE REFERENCES fk_b (no));
     CREATE TABLE fk_b (id TEXT PRIMARY KEY NOT NULL, no INTEGER NOT NULL UNIQUE, a REFERENCES fk_a);
     CREATE TABLE fk_a (id INTEGER PRIMARY KEY)",
    "CREATE TABLE tenants (id INTEGER PRIMARY KEY);
     CREATE TABLE projects (tenant INTEGER NOT NULL REFERENCES tenants, id TEXT NOT NULL, PRIMARY KEY (tenant, id));
     CREATE TABLE members (tenant INTEGER NOT NULL REFERENCES Tenants, project TEXT NOT NULL, who TEXT NOT NULL,
       FOREIGN KEY (tenant, project) REFERENCES projects, UNIQUE (tenant, project, who))",
    "CREATE TABLE self (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES self, root INTEGER NOT NULL REFERENCES self (id))",
    "CREATE TABLE cycle_a (id INTEGER PRIMARY KEY, b INTEGER NOT NULL REFERENCES cycle_b);
     CREATE TABLE cycle_b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES cycle_a)",
    "CREATE TABLE half_a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES half_b);
     CREATE TABLE half_b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES half_a)",
    "CREATE TABLE nowhere (a INTEGER REFERENCES missing, b TEXT)",
    "CREATE TABLE lists (a TEXT NOT NULL CHECK (a IN ('new', 'it''s')), b INTEGER CHECK (b IN (0, 1)), c TEXT UNIQUE NOT NULL CHECK (c IN ('x', 'y')))",
    "CREATE TABLE numbers (a INTEGER NOT NULL CHECK (a > 1000), b REAL CHECK (b BETWEEN 0 AND 1), c INTEGER CHECK (-5 < c AND c <= -3),
     d INTEGER CHECK (d >= 0 AND typeof(d) = 'integer'))",
    "CREATE TABLE lengths (a TEXT CHECK (length(a) = 64), b BLOB NOT NULL UNIQUE CHECK (length(b) = 32), c TEXT CHECK (length(c) > 0 AND length(c) <= 5),
     d BLOB CHECK (length(d) IN (20, 33)))",
    "CREATE TABLE patterns (a TEXT CHECK (a LIKE '%@%'), b TEXT CHECK (b GLOB '[a-z]*.txt'), c TEXT UNIQUE CHECK (c NOT GLOB '*[^0-9a-f]*' AND length(c) = 40),
     d TEXT CHECK (d GLOB '[0-9][0-9]:[0-9][0-9]'))",
    "CREATE TABLE json (a TEXT CHECK (json_valid(a)), b TEXT NOT NULL CHECK (json_type(b) = 'array'), c TEXT CHECK (c IS NULL OR json_valid(c)))",
    "CREATE TABLE stored (a FLOAT[4] NOT NULL CHECK (typeof(a) == 'blob' AND length(a) == 4), b TEXT NOT NULL CHECK (typeof(b) = 'text' AND length(b) <= 10),
     c TEXT AS (json_extract(d, '$.seed')), d TEXT NOT NULL, e TEXT NOT NULL DEFAULT '[]', f CHECK (typeof(f) IN ('integer', 'null')));
     CREATE INDEX stored_e ON stored (json_array_length(e))",
    "CREATE TABLE times (a DATE CHECK (a > '1900-01-01' AND a < '2000-01-01'), b TEXT NOT NULL CHECK (b LIKE '____-__-__'), c INTEGER NOT NULL CHECK (c BETWEEN 1 AND 12))",
    "CREATE TABLE ends (a TEXT COLLATE NOCASE UNIQUE, b INTEGER CHECK (b = 7 OR b > 100), c TEXT CHECK (c IS NULL OR c <> ''), d INTEGER CHECK (d IS NOT 5) DEFAULT 3)",
    "CREATE TABLE pairs (a INTEGER, b INTEGER, c TEXT, d TEXT, CHECK (a < b), CONSTRAINT differ CHECK (c <> d))",
    "CREATE TABLE uniques (a TEXT NOT NULL, b TEXT, UNIQUE (a COLLATE NOCASE)); CREATE UNIQUE INDEX uniques_b ON uniques (lower(b)) WHERE b IS NOT NULL",
    "CREATE TABLE single (id INTEGER PRIMARY KEY CHECK (id = 1), a TEXT NOT NULL)",
    "CREATE TABLE replaced (a INTEGER PRIMARY KEY ON CONFLICT REPLACE, b TEXT UNIQUE ON CONFLICT ROLLBACK)",
    "CREATE TABLE logged (a TEXT); CREATE TABLE log (a TEXT, at TEXT);
     CREATE TRIGGER note AFTER INSERT ON logged BEGIN INSERT INTO log VALUES (new.a, 'now'); END",
    "CREATE VIRTUAL TABLE search USING fts5(title, body); CREATE VIRTUAL TABLE areas USING rtree(id, x0, x1, y0, y1)",
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
     CREATE VIRTUAL TABLE posts_index USING fts5(body, content='Posts', content_rowid='id');
     CREATE TRIGGER posts_indexed AFTER INSERT ON posts BEGIN INSERT INTO posts_index (rowid, body) VALUES (new.id, new.body); END",
];

/// Definitions of one table that gets no row, with the reason.
const EMPTY: &[(&str, &str)] = &[
    (
        "CREATE TABLE t (a); CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT raise(ABORT, 'rows come from the importer'); END",
        "rows come from the importer",
    ),
    (
        "CREATE TABLE t (a); CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT raise(ROLLBACK, 'not here'); END",
        "not here",
    ),
    (
        "CREATE TABLE t (a); CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT raise(IGNORE); END",
        "a trigger or a rule discards its rows",
    ),
    (
        "CREATE TABLE t (a CHECK (a IS NULL AND a IS NOT NULL))",
        "CHECK constraint failed: a IS NULL AND a IS NOT NULL",
    ),
];

/// Runs SQL with another program's connection.
fn sqlite(database: &SqliteDatabase, sql: &str) -> String {
    std::thread::scope(|scope| {
        let run = || common::sqlite(&database.path, sql);
        scope.spawn(run).join().unwrap()
    })
}

fn quoted(tables: &[Name]) -> Vec<String> {
    let names = tables.iter().map(|table| table.name.replace('"', "\"\""));
    names.map(|name| format!("\"{name}\"")).collect()
}

fn create(definitions: &[&str]) -> SqliteDatabase {
    let database = SqliteDatabase::create();
    std::fs::write(&database.path, "").unwrap();
    sqlite(&database, &definitions.join(";\n"));
    database
}

/// The columns of a table.
async fn columns(url: &str, table: &str) -> Vec<String> {
    let table = table.trim_matches('"');
    let sql =
        format!("SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden <> 1 ORDER BY cid");
    let rows = texts(url, &sql).await;
    let names = rows.into_iter().flatten().flatten();
    names
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
        .collect()
}

/// The rows of all tables, as text, without what defaults make of the time.
async fn rows(url: &str, tables: &[String]) -> Vec<Vec<Option<String>>> {
    let mut found = Vec::new();
    for table in tables {
        let columns: Vec<String> = columns(url, table).await;
        let shown: Vec<String> = columns
            .iter()
            .map(|column| format!("quote({column})"))
            .collect();
        found.extend(
            texts(
                url,
                &format!("SELECT {} FROM {table}", shown.join(" || ' ' || ")),
            )
            .await,
        );
    }
    found
}

#[tokio::test]
async fn every_table_gets_rows_and_a_full_one() {
    let database = create(FULL);
    let coverage = seed(&database.url, 1).await;
    assert_eq!(coverage.empty, []);
    for table in quoted(&coverage.filled) {
        let present: Vec<String> = columns(&database.url, &table)
            .await
            .iter()
            .map(|column| format!("{column} IS NOT NULL"))
            .collect();
        let sql = format!(
            "SELECT count(*), coalesce(sum({}), 0) FROM {table}",
            present.join(" AND ")
        );
        let (all, full) = counts(&texts(&database.url, &sql).await);
        assert!(all > 0 && full > 0, "{table}: {all} rows, {full} full");
    }
    assert_eq!(
        sqlite(&database, "PRAGMA foreign_key_list(nowhere)")
            .lines()
            .count(),
        1
    );
    sqlite(&database, "DROP TABLE nowhere");
    assert_eq!(sqlite(&database, "PRAGMA foreign_key_check"), "");
    assert_eq!(sqlite(&database, "PRAGMA integrity_check").trim(), "ok");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_rows() {
    let [first, second, third] = [create(FULL), create(FULL), create(FULL)];
    let coverage = seed(&first.url, 7).await;
    seed(&second.url, 7).await;
    seed(&third.url, 8).await;
    let tables = quoted(&coverage.filled);
    let expected = rows(&first.url, &tables).await;
    assert_eq!(expected, rows(&second.url, &tables).await);
    assert_ne!(expected, rows(&third.url, &tables).await);
}

#[tokio::test]
async fn tables_without_rows_have_a_reason() {
    for (sql, reason) in EMPTY {
        let database = create(&[sql]);
        let coverage = seed(&database.url, 1).await;
        assert_eq!(coverage.filled, [], "{sql}");
        let [(_, found)] = coverage.empty.as_slice() else {
            panic!("{sql}: {coverage:?}");
        };
        assert_eq!(found, reason, "{sql}");
    }
}

#[tokio::test]
async fn exactly_one_of_several_columns() {
    let database = create(&[
        "CREATE TABLE t (a TEXT, b TEXT, c TEXT, d TEXT, CHECK ((a IS NOT NULL) + (b IS NOT NULL) + (c IS NOT NULL) + (d IS NOT NULL) = 1))",
    ]);
    let coverage = seed(&database.url, 1).await;
    assert_eq!(coverage.empty, []);
}

#[tokio::test]
async fn rows_satisfy_later_schemas() {
    let now = create(&[
        "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER, data TEXT)",
    ]);
    let later = create(&[
        "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name GLOB '[A-Z][0-9]'));
         CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a, data JSON NOT NULL)",
    ]);
    let later = inspect(&later.url).await;
    let coverage = seed_toward(&now.url, &[&later], 1).await;
    assert_eq!(coverage.empty, []);
    let wrong = "SELECT count(*) FROM b LEFT JOIN a ON a.id = b.a
        WHERE a.name IS NULL OR a.name NOT GLOB '[A-Z][0-9]' OR NOT json_valid(data)";
    assert_eq!(sqlite(&now, wrong), "0\n");
}

#[tokio::test]
async fn statements_that_fail_change_nothing() {
    let database = create(&[
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.id = 4 BEGIN SELECT raise(ROLLBACK, 'no'); END",
        "CREATE TRIGGER late AFTER INSERT ON t WHEN new.id = 5 BEGIN SELECT raise(FAIL, 'late'); END",
    ]);
    let outcomes = try_each(
        &database.url,
        &[
            "INSERT INTO t VALUES (1), (2)",
            "INSERT INTO t VALUES (3), (1)",
            "INSERT INTO t VALUES (6), (5)",
            "INSERT INTO t VALUES (4)",
            "INSERT INTO t VALUES (7)",
            "INSERT INTO t SELECT 8 WHERE false",
        ],
    );
    let outcomes = outcomes.await;
    let rows: Vec<Option<u64>> = outcomes
        .iter()
        .map(|it| it.as_ref().ok().copied())
        .collect();
    assert_eq!(rows, [Some(2), None, None, None, Some(1), Some(0)]);
    assert_eq!(sqlite(&database, "SELECT id FROM t"), "1\n2\n7\n");
}

#[tokio::test]
async fn there_can_be_very_many_tables() {
    let tables: Vec<String> = (0..700)
        .map(|number| format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, a TEXT NOT NULL)"))
        .collect();
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    let database = create(&tables);
    let coverage = seed(&database.url, 1).await;
    assert_eq!((coverage.filled.len(), coverage.empty.len()), (700, 0));
}
