//! Rules against scripts: the examples of each rule, and what decides about findings.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    revision::{self, Direction},
    schema::{
        Name, Schema, Scope,
        sqlite::{Catalog, RowKind, SchemaRow},
    },
    sql::{Dialect, split},
};

/// The schema that scripts make on SQLite.
fn schema(scripts: &[&str]) -> Schema {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = off")
        .unwrap();
    for script in scripts {
        // A script whose failure is the finding leaves what it made until then.
        let _ = connection.execute_batch(script);
    }
    schema_of(&connection)
}

pub(super) fn schema_of(connection: &rusqlite::Connection) -> Schema {
    let mut rows = connection
        .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        .unwrap();
    let rows = rows.query_map([], |row| {
        let kind: String = row.get(0)?;
        Ok(SchemaRow {
            kind: match kind.as_str() {
                "table" => RowKind::Table,
                "index" => RowKind::Index,
                "view" => RowKind::View,
                _ => RowKind::Trigger,
            },
            name: row.get(1)?,
            table: row.get(2)?,
            sql: row.get(3)?,
        })
    });
    let rows = rows.unwrap().map(Result::unwrap);
    let rows = rows.filter(|row| !row.name.starts_with("sqlite_"));
    Catalog::new(rows.collect(), []).into_schema(&Scope::default())
}

/// A script after others, at the level of the text; on SQLite with the schemas before and after.
pub(super) fn script(dialect: Dialect, before: &str, sql: &str) -> Script {
    let mut known = Known::new(dialect);
    for statement in split(dialect, before).unwrap() {
        known.effects(&text::read(dialect, statement.text(before)));
        known.begin_run();
    }
    known.begin_run();
    let parsed = revision::Script::parse(dialect, Direction::Up, "x.up.sql", sql).unwrap();
    let headers = Headers::from(&*parsed.headers);
    let mut script = text::script(dialect, sql, headers, &mut known).unwrap();
    if dialect == Dialect::Sqlite {
        script.before = Some(schema(&[before]).into());
        script.after = Some(schema(&[before, sql]).into());
    }
    script
}

/// The settings in which all rules apply.
fn all_rules() -> Settings {
    let severity = |rule: &&'static Rule| (rule.name.to_owned(), Some(rule.severity));
    Settings {
        severities: rules::ALL.iter().map(severity).collect(),
        ..Settings::default()
    }
}

/// The names of the rules that find something, each once.
fn found(script: &Script, settings: &Settings) -> BTreeSet<&'static str> {
    let findings = lint(script, settings);
    let causes = findings.iter().flat_map(|finding| &finding.causes);
    causes.map(|cause| cause.rule.name).collect()
}

fn postgres(before: &str, sql: &str) -> Vec<Finding> {
    lint(
        &script(Dialect::Postgres, before, sql),
        &Settings::default(),
    )
}

#[test]
fn rules_find_their_bad_examples_and_not_their_good_ones() {
    for rule in rules::ALL {
        let fits = |it: &&Dialect| rule.example_dialect.is_none_or(|only| only == **it);
        for dialect in rule.dialects.iter().filter(fits) {
            let check = |example: &Example, expected: bool| {
                let script = script(*dialect, example.before, example.sql);
                for statement in &script.statements {
                    assert!(
                        !statement.acts.contains(&Act::Unknown),
                        "{}: {}",
                        rule.name,
                        statement.sql
                    );
                }
                let found = found(&script, &all_rules());
                assert_eq!(
                    found.contains(rule.name),
                    expected,
                    "{} on {dialect}: {}\n{found:?}\n{:#?}",
                    rule.name,
                    example.sql,
                    script
                        .statements
                        .iter()
                        .map(|it| &it.effects)
                        .collect::<Vec<_>>(),
                );
            };
            check(&rule.bad, true);
            check(&rule.good, false);
        }
    }
}

#[test]
fn rules_are_documented_and_in_order() {
    let codes: Vec<&str> = rules::ALL.iter().map(|rule| rule.code).collect();
    let names: BTreeSet<&str> = rules::ALL.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), rules::ALL.len());
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    for rule in rules::ALL {
        let group = match rule.class {
            Class::Blocks => "L1",
            Class::Breaks => "L2",
            Class::Fails => "L3",
            Class::Loses => "L4",
            Class::Note => "L5",
            Class::Style => "L6",
        };
        assert!(rule.code.starts_with(group), "{}", rule.name);
        let texts = [
            rule.summary,
            rule.docs,
            rule.safe,
            rule.silent,
            rule.bad.sql,
        ];
        assert!(texts.iter().all(|it| !it.is_empty()), "{}", rule.name);
        assert!(!rule.dialects.is_empty(), "{}", rule.name);
        assert!(!rule.docs.contains("  "), "{}", rule.name);
        assert_eq!(rules::find(rule.name), Some(*rule));
    }
    assert_eq!(rules::find("no-such-rule"), None);
}

const TABLES: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, total int, note varchar(20));
    CREATE TABLE customers (id bigint PRIMARY KEY);";

#[test]
fn causes_of_a_statement_are_merged() {
    let findings = postgres(
        TABLES,
        "ALTER TABLE orders ADD CONSTRAINT a UNIQUE (note), ADD CONSTRAINT b CHECK (total > 0);",
    );
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}");
    };
    assert_eq!(finding.severity, Severity::Error);
    let blocks = finding.causes.iter();
    let blocks = blocks.filter(|it| it.rule.class == Class::Blocks);
    let blocks: Vec<_> = blocks.map(|it| it.rule.name).collect();
    assert_eq!(blocks, ["add-unique-or-primary-key", "add-check"]);
    let waits = "reads and writes of orders wait while an index is built";
    assert_eq!(
        finding.message.matches(waits).count(),
        1,
        "{}",
        finding.message
    );
    let locked = (Name::new("", "orders"), LockMode::AccessExclusive);
    assert_eq!(finding.locks, [locked]);
    assert_eq!((finding.line, finding.column), (1, 1));
}

#[test]
fn sizes_decide_about_severities() {
    let index = script(
        Dialect::Postgres,
        TABLES,
        "CREATE INDEX i ON orders (total);",
    );
    let check = |rows: u64, pages: u64, expected: Severity| {
        let sizes = [(Name::new("public", "orders"), Size { rows, pages })];
        let settings = Settings {
            sizes: sizes.into(),
            ..Settings::default()
        };
        let findings = lint(&index, &settings);
        assert_eq!(findings[0].severity, expected, "{rows} {pages}");
    };
    check(10, 1, Severity::Note);
    check(1_000_000, 10, Severity::Error);
    check(10, 10_000, Severity::Error);
    let mut settings = Settings::default();
    let name = "create-index-non-concurrent".to_owned();
    settings
        .severities
        .insert(name.clone(), Some(Severity::Warning));
    assert_eq!(lint(&index, &settings)[0].severity, Severity::Warning);
    settings.severities.insert(name, None);
    assert!(lint(&index, &settings).is_empty());
}

#[test]
fn contract_revisions_may_break() {
    let mut dropped = script(Dialect::Postgres, TABLES, "DROP TABLE orders;");
    let check = |script: &Script, expected: bool| {
        let found = found(script, &Settings::default());
        assert_eq!(found.contains("drop-table"), expected);
    };
    check(&dropped, true);
    dropped.headers.phase = Some(Phase::Expand);
    check(&dropped, true);
    dropped.headers.phase = Some(Phase::Contract);
    check(&dropped, false);
}

#[test]
fn young_tables_are_in_nobodys_way() {
    let made = "CREATE TABLE new (id int); CREATE INDEX i ON new (id);
        ALTER TABLE new ADD UNIQUE (id), ALTER id TYPE text, ADD COLUMN x int NOT NULL;
        UPDATE new SET x = 1; ALTER TABLE new DROP COLUMN x; DROP TABLE new;";
    assert_eq!(
        found(&script(Dialect::Postgres, "", made), &Settings::default()),
        BTreeSet::new()
    );
    // A table of an earlier script of the run is young as well.
    let mut known = Known::new(Dialect::Postgres);
    let read = |sql: &str, known: &mut Known| {
        text::script(Dialect::Postgres, sql, Headers::default(), known).unwrap()
    };
    known.begin_run();
    read("CREATE TABLE t (a int);", &mut known);
    let second = read("CREATE INDEX i ON t (a); DROP TABLE t;", &mut known);
    assert_eq!(found(&second, &Settings::default()), BTreeSet::new());
}

#[test]
fn safe_forms_name_what_the_statement_names() {
    let check = |sql: &str, rule: &str, expected: &str| {
        let findings = postgres(TABLES, sql);
        let mut causes = findings.iter().flat_map(|it| &it.causes);
        let cause = causes.find(|it| it.rule.name == rule).unwrap();
        assert_eq!(cause.safe.as_deref(), Some(expected));
        assert!(cause.fix.is_some(), "{sql}");
    };
    check(
        "CREATE INDEX i ON orders (total);",
        "create-index-non-concurrent",
        "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY i ON orders (total);",
    );
    check(
        "ALTER TABLE orders ADD UNIQUE (note);",
        "add-unique-or-primary-key",
        "-- migrator: transaction = off\nCREATE UNIQUE INDEX CONCURRENTLY orders_note_key ON orders (note);\n\
         ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE USING INDEX orders_note_key;",
    );
    check(
        "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers;",
        "add-foreign-key",
        "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES customers NOT VALID;\n\
         -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT f;",
    );
    check(
        "ALTER TABLE orders ALTER total SET NOT NULL;",
        "set-not-null",
        "ALTER TABLE orders ADD CONSTRAINT orders_total_not_null_check CHECK (total IS NOT NULL) NOT VALID;\n\
         -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_not_null_check;\n\
         ALTER TABLE orders ALTER COLUMN total SET NOT NULL;\n\
         ALTER TABLE orders DROP CONSTRAINT orders_total_not_null_check;",
    );
}

#[test]
fn safe_forms_are_those_that_the_server_knows() {
    let check = |rule: &str, server, expected: bool| {
        let rule = rules::find(rule).unwrap();
        let mut script = script(Dialect::Postgres, rule.bad.before, rule.bad.sql);
        script.server = server;
        let findings = lint(&script, &Settings::default());
        let mut causes = findings.iter().flat_map(|it| &it.causes);
        let cause = causes.find(|it| it.rule == rule).unwrap();
        assert_eq!(cause.safe.is_some(), expected, "{server:?}");
    };
    check("detach-partition", None, true);
    check("detach-partition", Some(14), true);
    check("detach-partition", Some(13), false);
}

#[test]
fn measured_effects_have_the_last_word() {
    let mut widened = script(
        Dialect::Postgres,
        "",
        "ALTER TABLE orders ALTER total TYPE bigint;",
    );
    assert!(found(&widened, &Settings::default()).contains("column-type-rewrite"));
    widened.statements[0].effects = Effects {
        level: Level::Measured,
        ..Effects::default()
    };
    assert!(lint(&widened, &Settings::default()).is_empty());
    // What a DO block builds is explained by what it made.
    let mut opaque = script(Dialect::Postgres, "", "DO $$ BEGIN EXECUTE 'x'; END $$;");
    assert_eq!(found(&opaque, &Settings::default()), ["opaque-sql"].into());
    let table = Name::new("public", "orders");
    let index = crate::schema::ObjectId::part(crate::schema::Kind::Index, &table, "i");
    opaque.statements[0].effects = Effects {
        level: Level::Measured,
        locks: vec![Lock {
            relation: table.clone(),
            mode: LockMode::Share,
            is_held: false,
        }],
        works: vec![Work {
            relation: table.clone(),
            kind: WorkKind::Build {
                index: index.qualified(),
            },
        }],
        created: vec![index],
        dropped: Vec::new(),
    };
    let names = found(&opaque, &Settings::default());
    assert_eq!(names, ["create-index-non-concurrent"].into());
}

proptest! {
    #[test]
    fn any_text_is_read(
        text in "(?s)((CREATE|ALTER|DROP|TABLE|INDEX|ON|ADD|COLUMN|t|a|\\(|\\)|,|'|\"|;|SELECT|FROM|UPDATE|SET|INTO|INSERT|AS|TYPE|\\.|--|:|\\*|é) ?|.){0,24}",
    ) {
        for dialect in Dialect::ALL {
            let mut known = Known::new(dialect);
            known.effects(&text::read(dialect, &text));
            known.begin_run();
            if let Ok(script) = text::script(dialect, &text, Headers::default(), &mut known) {
                lint(&script, &all_rules());
            }
        }
    }
}
