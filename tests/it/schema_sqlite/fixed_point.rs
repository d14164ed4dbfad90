//! What is dumped makes the same schema, and the same dump.

use std::{fs, process::Command, process::Stdio, time::Duration};

use migrator::internals::{
    database::{self, Access, Location, StepRequest},
    generate,
    schema::{Difference, compare},
    sql::{self, Dialect},
};

use super::{dump, file_of, inspect, mutations::START, rows, run, settings};
use crate::common::SqliteDatabase;

/// Much that SQLite can keep, in an unhelpful order.
const RICH: &str = r#"
CREATE TABLE zoo (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- the key
    "weird "" name" TEXT /* quoted */ DEFAULT 'it''s; -- no comment',
    [brackets] BLOB DEFAULT x'00ff' CHECK (typeof([brackets]) = 'blob'),
    `ticks` REAL DEFAULT 1e-5,
    point REAL CHECK (.5 < point),
    größe VARCHAR(10) COLLATE NOCASE,
    both INT GENERATED ALWAYS AS (id * 2) STORED,
    parent INT REFERENCES zoo DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "a b" UNIQUE (größe DESC, ticks) ON CONFLICT REPLACE
    CHECK (id <> 0) FOREIGN KEY (parent, both) REFERENCES nowhere (x, y) ON DELETE SET NULL
);
CREATE TABLE "select" ("from" INTEGER, "where" TEXT, PRIMARY KEY ("from", "where" DESC)) WITHOUT ROWID, STRICT;
CREATE TABLE copied AS SELECT 1 AS one, 'a' AS "two words", 2.5 AS "three";
ALTER TABLE copied ADD COLUMN later TEXT DEFAULT (-1);
ALTER TABLE copied RENAME TO "Renamed";
CREATE VIEW a_view AS SELECT * FROM z_view;
CREATE VIEW z_view AS SELECT id FROM "zoo" -- a comment at the end
;
CREATE VIEW broken AS SELECT missing FROM nowhere;
CREATE VIEW circle_a AS SELECT * FROM circle_b;
CREATE VIEW circle_b AS SELECT * FROM circle_a;
CREATE VIEW with_columns ("a b", c) AS WITH x AS (SELECT 1) SELECT 1, ';' FROM x;
CREATE UNIQUE INDEX partial ON zoo (lower("größe"), "weird "" name" COLLATE RTRIM DESC) WHERE parent IS NOT NULL -- why
;
CREATE INDEX "by "" name" ON "select" ("where");
CREATE TRIGGER log_it AFTER UPDATE OF größe, point ON zoo FOR EACH ROW
WHEN old.point <> new.point AND (SELECT count(*) FROM Renamed) > 0
BEGIN
    -- A comment; with a semicolon.
    INSERT INTO Renamed VALUES (new.id, CASE WHEN new.point > 0 THEN 'END;' ELSE 'BEGIN' END, 1);
    DELETE FROM Renamed WHERE one < 0;
END;
CREATE TRIGGER instead INSTEAD OF INSERT ON z_view BEGIN SELECT raise(ABORT, 'no'); END;
CREATE TRIGGER other DELETE ON zoo BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE documents USING fts5(title, body, content = '', tokenize = "porter unicode61");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab('documents', 'row');
CREATE VIRTUAL TABLE old_search USING fts4(title, body, tokenize=porter);
CREATE VIRTUAL TABLE areas USING rtree(id, min_x, max_x, min_y, max_y, +label TEXT);
CREATE TABLE documents_user (id INTEGER);
CREATE TRIGGER indexed AFTER INSERT ON zoo BEGIN
    INSERT INTO documents (rowid, title) VALUES (new.id, new.größe);
END;
INSERT INTO zoo (größe, "brackets") VALUES ('x', x'01');
ANALYZE;
"#;

#[tokio::test(flavor = "multi_thread")]
async fn dump_and_load_is_a_fixed_point() {
    for sql in [RICH, START, ""] {
        let file = file_of(sql).await;
        let schema = inspect(&file.path).await;
        let dumped = dump(&schema);
        let loaded = file_of(&format!("BEGIN; {dumped} COMMIT;")).await;
        let again = inspect(&loaded.path).await;
        assert_eq!(compare(&schema, &again), Difference::default());
        assert_eq!(again, schema);
        assert_eq!(dump(&again), dumped);
        assert_eq!(rows(&loaded.path).await, rows(&file.path).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runner_loads_a_dump_in_one_transaction() {
    // A statement of a script ends before a comment at its end.
    let rich = RICH.replace(" -- why\n;", ";");
    let rich = rich.replace(" -- a comment at the end\n;", ";");
    let file = file_of(&rich).await;
    let schema = inspect(&file.path).await;
    let text = dump(&schema);
    let statements = sql::split(Dialect::Sqlite, &text).unwrap();
    assert_eq!(statements.len(), generate::dump(&schema).unwrap().len());
    let loaded = SqliteDatabase::create();
    let location = Location::Sqlite(loaded.path.clone());
    let opened = database::connect(&location, Access::Create, settings());
    let mut database = opened.await.unwrap();
    database.prepare().await.unwrap();
    let request = StepRequest {
        label: "load",
        text: &text,
        statements: &statements,
        modes: "",
        foreign_keys: false,
        unchecked_keys: true,
        lock_timeout: None,
        statement_timeout: None,
        expects: 0,
        changes: &[],
        log: &[],
        carried: Duration::ZERO,
        keep_session: false,
    };
    database.run_step(&request, &mut |_| ()).await.unwrap();
    // The version table and its log are no part of the schema.
    let again = database.inspect(&Default::default()).await.unwrap();
    assert_eq!(again, schema);
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_loads_a_dump() {
    let file = file_of(RICH).await;
    let loaded = SqliteDatabase::create();
    let script = loaded.directory.path().join("dump.sql");
    fs::write(&script, dump(&inspect(&file.path).await)).unwrap();
    let shell = Command::new("sqlite3")
        .args(["-init", "/dev/null", "-bail"])
        .arg(&loaded.path)
        .stdin(Stdio::from(fs::File::open(&script).unwrap()))
        .output()
        .expect("the sqlite3 shell is needed; tests/run installs it on Debian");
    assert!(shell.status.success(), "{shell:?}");
    assert_eq!(rows(&loaded.path).await, rows(&file.path).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_come_after_what_they_need() {
    let schema = inspect(&file_of(RICH).await.path).await;
    let blocks = generate::dump(&schema).unwrap();
    let objects = blocks.iter().flat_map(|it| &it.object);
    let order: Vec<String> = objects.map(ToString::to_string).collect();
    let place = |name: &str| {
        let place = order.iter().position(|object| object == name);
        place.unwrap_or_else(|| panic!("{name} of {order:?}"))
    };
    assert!(place("view z_view") < place("view a_view"));
    assert!(place("virtual table documents") < place("virtual table vocabulary"));
    assert!(place("table zoo") < place("virtual table areas"));
    assert!(place("virtual table vocabulary") < place("index zoo.partial"));
    assert!(place("index zoo.partial") < place("view circle_a"));
    assert!(place("view with_columns") < place("trigger zoo.indexed"));
    // A file that was compacted has its rows in another order.
    let compacted = file_of(&format!("{RICH} VACUUM;")).await;
    assert_eq!(inspect(&compacted.path).await, schema);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_leaves_the_file_alone() {
    let file = file_of(RICH).await;
    run(&file.path, "PRAGMA wal_checkpoint(TRUNCATE);")
        .await
        .unwrap();
    let before = fs::read(&file.path).unwrap();
    inspect(&file.path).await;
    assert!(fs::read(&file.path).unwrap() == before);
    let names = fs::read_dir(file.directory.path()).unwrap();
    assert_eq!(names.count(), 1);
}
