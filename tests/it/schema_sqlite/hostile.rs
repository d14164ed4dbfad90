//! Hostile names, missing modules, damaged texts, and what is left out.

use migrator::internals::schema::{Difference, Facts, Kind, Schema, Scope, Unreadable, compare};

use super::{dump, file_of, inspect, inspect_in, lines, rows, schema_of};

fn names(schema: &Schema) -> Vec<String> {
    let objects = schema.objects.iter();
    objects.map(|object| object.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_kept() {
    let hostile = [
        "",
        " ",
        "a\"b",
        "a'b",
        "a`b",
        "a]b",
        "[a",
        "a\nb",
        "a\r\nb",
        "a\tb",
        "größe",
        "表",
        "\u{1F600}",
        "select",
        "constraint",
        "1st",
        "a.b",
        "a;b",
        "--",
        "/*",
        "$1",
        "?",
        ":a",
        "null",
        "rowid",
        "(a)",
        "#2",
    ];
    for name in hostile {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        let sql = format!(
            "CREATE TABLE {quoted} ({quoted} TEXT CONSTRAINT {quoted} NOT NULL CONSTRAINT {quoted} UNIQUE
                CONSTRAINT {quoted} CHECK ({quoted} <> '') CONSTRAINT {quoted} REFERENCES {quoted} ({quoted}),
                other TEXT UNIQUE REFERENCES {quoted}, CHECK ({quoted} > other), PRIMARY KEY ({quoted}));
             CREATE INDEX {quoted}\"_i\" ON {quoted} ({quoted} DESC) WHERE {quoted} > 'a';
             CREATE VIEW {quoted}\"_v\" ({quoted}) AS SELECT {quoted} FROM {quoted};
             CREATE TRIGGER {quoted}\"_t\" AFTER UPDATE OF {quoted} ON {quoted} BEGIN SELECT {quoted} FROM {quoted}; END;"
        );
        // Suffixes make the names of the other objects.
        let sql = sql.replace("\"\"_", "_");
        let file = file_of(&sql).await;
        let schema = inspect(&file.path).await;
        assert_eq!(schema.unreadable, [], "{name}");
        let table = schema.objects.iter().find(|it| it.id.kind == Kind::Table);
        let table = table.unwrap();
        assert_eq!(table.id.name, name);
        let parts = schema.parts(&table.id.qualified());
        assert!(
            parts
                .iter()
                .all(|part| part.id.parent == name && part.id.is_part())
        );
        let kinds = [
            (Kind::Column, 2),
            (Kind::PrimaryKey, 1),
            (Kind::Unique, 2),
            (Kind::ForeignKey, 2),
            (Kind::Check, 2),
            (Kind::Index, 1),
            (Kind::Trigger, 1),
        ];
        for (kind, count) in kinds {
            let of_kind = parts.iter().filter(|part| part.id.kind == kind).count();
            assert_eq!(of_kind, count, "{kind} of {name}: {:#?}", names(&schema));
        }
        let index = parts
            .iter()
            .find(|part| part.id.kind == Kind::Index)
            .unwrap();
        let Facts::SqliteIndex(index) = &index.facts else {
            panic!("{index:?}");
        };
        assert_eq!(index.keys[0].column.as_deref(), Some(name));
        let loaded = file_of(&dump(&schema)).await;
        assert_eq!(inspect(&loaded.path).await, schema, "{name}");
        assert_eq!(rows(&loaded.path).await, rows(&file.path).await, "{name}");
        let empty = schema_of("").await;
        let dropped = compare(&schema, &empty).changes;
        assert_eq!(
            dropped.len(),
            2,
            "the table and the view of {name}: {dropped:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_users_is_left_out() {
    let sql = "
        CREATE TABLE mine (id INTEGER PRIMARY KEY AUTOINCREMENT);
        CREATE TABLE Migrator_Version (a); CREATE TABLE migrator_version_log (a); CREATE INDEX i ON migrator_version_log (a);
        CREATE TABLE migrator_version_progress (a); CREATE TRIGGER t AFTER INSERT ON migrator_version BEGIN SELECT 1; END;
        CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
        CREATE TABLE goose_db_version (mine TEXT);
        CREATE VIRTUAL TABLE search USING fts5(a);
        CREATE TABLE search_data_2 (a); CREATE TABLE search_user (a);
        INSERT INTO mine DEFAULT VALUES; ANALYZE;";
    let schema = schema_of(sql).await;
    let objects = schema.objects.iter().filter(|object| !object.id.is_part());
    let found: Vec<String> = objects.map(|object| object.id.to_string()).collect();
    let expected = [
        // It does not have the columns of that tool.
        "table goose_db_version",
        "table mine",
        "table search_data_2",
        "table search_user",
        "virtual table search",
    ];
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn virtual_tables_tell_their_columns_and_shadow_tables() {
    let schema = schema_of("CREATE VIRTUAL TABLE Docs USING fts5(title, body UNINDEXED)").await;
    let [object] = &schema.objects[..] else {
        panic!("{:?}", names(&schema));
    };
    let Facts::SqliteVirtualTable(table) = &object.facts else {
        panic!("{object:?}");
    };
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|it| (&*it.name, it.hidden))
        .collect();
    let expected = [
        ("title", false),
        ("body", false),
        ("Docs", true),
        ("rank", true),
    ];
    assert_eq!(columns, expected);
    let shadows = [
        "Docs_config",
        "Docs_content",
        "Docs_data",
        "Docs_docsize",
        "Docs_idx",
    ];
    assert_eq!(table.shadow_tables, shadows);
    assert_eq!(&*table.arguments[1], "body UNINDEXED");
}

/// Changes texts as no statement can.
fn damaged(sql: &str, change: &str) -> String {
    format!("{sql}; PRAGMA writable_schema = ON; {change}; PRAGMA writable_schema = RESET;")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_module_is_no_error() {
    let sql = damaged(
        "CREATE TABLE a (x); CREATE VIEW v AS SELECT * FROM nowhere",
        "INSERT INTO sqlite_schema VALUES ('table', 'places', 'places', 0, 'CREATE VIRTUAL TABLE places USING Spatial_Index(id, \"shape\" , size=3)')",
    );
    let schema = schema_of(&sql).await;
    let table = schema.objects.iter().find(|it| it.id.name == "places");
    let Facts::SqliteVirtualTable(table) = &table.unwrap().facts else {
        panic!("{:?}", names(&schema));
    };
    assert_eq!(&*table.module, "Spatial_Index");
    let arguments: Vec<&str> = table.arguments.iter().map(|it| &**it).collect();
    assert_eq!(arguments, ["id", "\"shape\"", "size=3"]);
    assert!(table.columns.is_empty() && table.shadow_tables.is_empty());
    assert!(names(&schema).contains(&"column a.x".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_not_understood_is_named() {
    // SQLite reads this text, in which a column is named by a keyword, only from the file.
    let sql = damaged(
        "CREATE TABLE a (x INTEGER PRIMARY KEY, y TEXT NOT NULL DEFAULT 'y'); CREATE TABLE b (z); CREATE INDEX i ON a (y)",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE a (x INTEGER PRIMARY KEY, y TEXT NOT NULL DEFAULT ''y'') strict' || char(59) || ' more' WHERE name = 'a'",
    );
    let schema = inspect(&file_of(&sql).await.path).await;
    let unreadable = schema
        .unreadable
        .iter()
        .map(|it: &Unreadable| format!("{}: {}", it.id, it.what));
    assert_eq!(
        unreadable.collect::<Vec<_>>(),
        ["table a: the text of CREATE TABLE"]
    );
    let all = names(&schema);
    for name in [
        "table a",
        "column a.x",
        "column a.y",
        "primary key a",
        "index a.i",
        "column b.z",
    ] {
        assert!(all.contains(&name.to_owned()), "{name} of {all:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_string_in_the_place_of_a_column_is_an_expression() {
    let sql = "CREATE TABLE a (x TEXT); CREATE INDEX i ON a (\"x\", \"y\")";
    let schema = schema_of(sql).await;
    let index = schema
        .objects
        .iter()
        .find(|it| it.id.kind == Kind::Index)
        .unwrap();
    let Facts::SqliteIndex(index) = &index.facts else {
        panic!("{index:?}");
    };
    assert_eq!(index.keys[0].column.as_deref(), Some("x"));
    assert_eq!(index.keys[1].expression.as_deref(), Some("\"y\""));
    assert_eq!(index.keys[1].column, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn constraints_with_the_same_name_are_told_apart() {
    let schema =
        schema_of("CREATE TABLE a (x UNIQUE UNIQUE, CHECK (x > 0), CHECK (X > 0), CHECK (x > 0))")
            .await;
    let all = names(&schema);
    let expected = [
        "table a",
        "column a.x",
        "unique constraint a (x)",
        "unique constraint a (x)#2",
        "check constraint a (X > 0)",
        "check constraint a (x > 0)#2",
        "check constraint a (x > 0)#3",
    ];
    assert_eq!(all, expected);
    let fewer = schema_of("CREATE TABLE a (x UNIQUE, CHECK (x > 0), CHECK (x > 0))").await;
    let found = compare(&schema, &fewer);
    let expected = [
        "- unique constraint a (x)#2",
        "- check constraint a (x > 0)#3",
    ];
    assert_eq!(lines(&found), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_limits_what_is_read() {
    let file = file_of("CREATE TABLE a (x); CREATE INDEX i ON a (x); CREATE TABLE b (y); CREATE VIEW v AS SELECT 1").await;
    let scope = Scope {
        include: vec!["table:*".parse().unwrap()],
        exclude: vec!["b".parse().unwrap()],
    };
    let schema = inspect_in(&file.path, &scope).await;
    assert_eq!(names(&schema), ["table a", "column a.x", "index a.i"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncommitted_change_of_another_program_is_not_seen() {
    let file = file_of("PRAGMA journal_mode = WAL; CREATE TABLE a (x)").await;
    let mut other = super::connect(&file.path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE; CREATE TABLE b (y); DROP TABLE a")
        .execute(&mut other)
        .await
        .unwrap();
    let before = inspect(&file.path).await;
    assert_eq!(names(&before), ["table a", "column a.x"]);
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    let after = inspect(&file.path).await;
    assert_eq!(names(&after), ["table b", "column b.y"]);
    assert_ne!(compare(&before, &after), Difference::default());
}
