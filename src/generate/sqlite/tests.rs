//! The pure parts: what is read of texts, and compact scripts.

use std::collections::HashSet;

use super::{
    super::{Fill, MigrationOptions, migrate},
    table::{Affinity, affinity},
    text::{free_name, is_constant, mentions, qualifies, quotes_names_only, sources},
};
use crate::schema::{
    Schema, Scope,
    sqlite::{Catalog, Expression, RowKind, SchemaRow},
};

/// The schema of texts, each with its kind, its name and its table.
fn schema(rows: &[(RowKind, &str, &str, &str)]) -> Schema {
    let rows = rows.iter().map(|(kind, name, table, sql)| SchemaRow {
        kind: *kind,
        name: (*name).to_owned(),
        table: (*table).to_owned(),
        sql: (*sql).to_owned(),
    });
    Catalog::new(rows.collect(), []).into_schema(&Scope::default())
}

fn table(sql: &str) -> Schema {
    schema(&[(RowKind::Table, "t", "t", sql)])
}

fn script(from: &Schema, to: &Schema, fills: &[&str]) -> String {
    let fills = fills.iter().map(|fill| fill.parse::<Fill>().unwrap());
    let options = MigrationOptions {
        fills: fills.collect(),
        apart: false,
    };
    migrate(from, to, &options).unwrap().to_string()
}

#[test]
fn defaults_that_add_column_accepts_are_known() {
    let check = |text: &str, expected: bool| {
        assert_eq!(is_constant(&Expression::new(text)), expected, "{text}");
    };
    for text in [
        "1", "-1", "+ 2.5", "'a'", "x'00'", "TRUE", "false", "0x1F", "(1)",
    ] {
        check(text, true);
    }
    for text in [
        "CURRENT_TIME",
        "1 + 1",
        "random()",
        "NULL",
        "name",
        "- - 1",
        "-'a'",
        "",
    ] {
        check(text, false);
    }
}

#[test]
fn names_in_texts_are_found() {
    assert!(mentions("CHECK (\"A b\" > 0)", "a B"));
    assert!(mentions("x.[y] = 1", "Y"));
    assert!(!mentions("'it is a' -- name\n", "name"));
    assert!(qualifies("CHECK (\"T\" . a > 0)", "t"));
    assert!(!qualifies("CHECK (t > .5)", "t"));
    let known = HashSet::from(["a".to_owned()]);
    assert!(quotes_names_only("SELECT \"A\", [words], 'words'", &known));
    assert!(!quotes_names_only("SELECT \"words\"", &known));
}

#[test]
fn what_a_view_or_trigger_uses_is_found() {
    let check = |text: &str, expected: &[&str]| assert_eq!(sources(text), expected, "{text}");
    check(
        "CREATE VIEW v AS SELECT 1 FROM a JOIN main.\"B\" ON 1",
        &["a", "b"],
    );
    check("CREATE VIEW v AS WITH c AS (SELECT 1) SELECT * FROM c", &[]);
    check("CREATE VIEW v AS SELECT * FROM (SELECT 1), d", &[]);
    check(
        "CREATE TRIGGER r AFTER UPDATE OF x ON t BEGIN UPDATE OR IGNORE u SET a = 1; INSERT INTO w VALUES (1); END",
        &["u", "w"],
    );
}

#[test]
fn types_have_affinities() {
    let check = |declared: &str, expected: Affinity| {
        assert_eq!(affinity(declared, false), expected, "{declared}");
    };
    check("BIGINT", Affinity::Integer);
    check("varchar(10)", Affinity::Text);
    check("", Affinity::Blob);
    check("double precision", Affinity::Real);
    check("DECIMAL(10,2)", Affinity::Numeric);
    check("CHARINT", Affinity::Integer);
    check("ANY", Affinity::Numeric);
    assert_eq!(affinity("any", true), Affinity::Blob);
}

#[test]
fn temporary_names_are_free() {
    let mut taken = HashSet::from(["new_t".to_owned()]);
    assert_eq!(free_name("new", "T", &mut taken), "new_T_2");
    assert_eq!(free_name("new", "t", &mut taken), "new_t_3");
}

#[test]
fn equal_schemas_need_nothing() {
    let a = table("CREATE TABLE t (a INT, b)");
    let b = table("create table T (\n  a int, -- one\n  [b]\n)");
    assert_eq!(script(&a, &b, &[]), "");
}

#[test]
fn a_rebuild_reads_well() {
    let from = schema(&[
        (
            RowKind::Table,
            "t",
            "t",
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, b TEXT)",
        ),
        (RowKind::Index, "i", "t", "CREATE INDEX i ON t (a)"),
        (RowKind::View, "v", "v", "CREATE VIEW v AS SELECT a FROM t"),
    ]);
    let to = schema(&[
        (
            RowKind::Table,
            "t",
            "t",
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT NOT NULL)",
        ),
        (RowKind::Index, "i", "t", "CREATE INDEX i ON t (a)"),
        (RowKind::View, "v", "v", "CREATE VIEW v AS SELECT a FROM t"),
    ]);
    let expected = "\
-- Views and triggers keep the names of tables that are rebuilt.
PRAGMA legacy_alter_table = ON;

-- Table t is rebuilt, since ALTER TABLE cannot make this change. Foreign keys must be off.
CREATE TABLE new_t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INT NOT NULL);

INSERT INTO new_t (id, a)
SELECT id, coalesce(a, 0)
FROM t;

UPDATE sqlite_sequence SET seq = old.seq
FROM (SELECT seq FROM sqlite_sequence WHERE name = 't') AS old
WHERE name = 'new_t';

-- Loses the values of column t.b.
DROP TABLE t;

ALTER TABLE new_t RENAME TO t;

PRAGMA legacy_alter_table = OFF;

CREATE INDEX i ON t (a);
";
    assert_eq!(script(&from, &to, &["t.a=0"]), expected);
}

#[test]
fn a_text_that_is_not_understood_is_refused() {
    let from = table("CREATE TABLE t (a)");
    let mut to = table("CREATE TABLE t (a NOT NULL)");
    to.unreadable = vec![crate::schema::Unreadable {
        id: to.objects[0].id.clone(),
        what: "the text of CREATE TABLE".to_owned(),
    }];
    let refused = migrate(&from, &to, &MigrationOptions::default()).unwrap_err();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].object, to.objects[0].id);
}
