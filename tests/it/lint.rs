//! `lint`: what statements do to those who use the database.

use std::{collections::BTreeSet, fs};

use migrator::internals::{
    lint::{Example, Rule, rules},
    sql::Dialect,
};
use serde_json::Value;

use crate::common::{Backend, Env};

/// A project with these up scripts, numbered from 1.
fn project(backend: Backend, ups: &[&str]) -> Env {
    let env = Env::new(backend);
    env.write(
        "migrator.toml",
        format!(
            "[migrator]\nurl = \"{}\"\ndowns = \"optional\"\n",
            env.url()
        ),
    );
    fs::create_dir_all(env.path("migrations")).unwrap();
    for (number, up) in (1..).zip(ups) {
        env.write(&format!("migrations/{number}_step.up.sql"), up);
    }
    env
}

fn run(env: &Env, arguments: &[&str]) -> (i32, String) {
    let output = env.command().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap(), text)
}

fn lint(env: &Env, arguments: &[&str]) -> (i32, Value) {
    let (status, text) = run(env, &[&["--format", "json", "lint"], arguments].concat());
    let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    (status, json)
}

/// The line of each finding with the codes of its causes.
fn codes(json: &Value) -> Vec<(u64, BTreeSet<String>)> {
    let revisions = json["revisions"].as_array().expect("revisions").iter();
    let findings = revisions.flat_map(|it| it["findings"].as_array().unwrap());
    let codes = |finding: &Value| {
        let causes = finding["causes"].as_array().unwrap().iter();
        let codes = causes.map(|cause| cause["code"].as_str().unwrap().to_owned());
        (finding["line"].as_u64().unwrap(), codes.collect())
    };
    findings.map(codes).collect()
}

/// Whether a rule finds something in the second of two revisions.
fn finds(backend: Backend, rule: &Rule, example: &Example) -> (bool, Value) {
    // Empty scripts are no revisions.
    let before = match example.before {
        "" => "SELECT 1;",
        before => before,
    };
    let env = project(backend, &[before, example.sql]);
    env.write(
        "migrator.toml",
        format!(
            "[migrator]\nurl = \"{}\"\ndowns = \"optional\"\n[lint]\nnote = [\"{}\"]\n",
            env.url(),
            rule.name
        ),
    );
    let (_, json) = lint(&env, &["2"]);
    let is_found = codes(&json)
        .iter()
        .any(|(_, codes)| codes.contains(rule.code));
    (is_found, json)
}

fn examples_hold(dialect: Dialect, backend: Backend) {
    let mut checked = 0;
    let mut faults = Vec::new();
    for rule in rules::ALL {
        let applies = rule.dialects.contains(&dialect);
        if !applies || rule.example_dialect.is_some_and(|only| only != dialect) {
            continue;
        }
        for (example, expected) in [(&rule.bad, true), (&rule.good, false)] {
            let (found, json) = finds(backend, rule, example);
            if found != expected {
                faults.push(format!("{} {expected}: {json:#}", rule.name));
            }
            checked += 1;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked > 20, "{checked}");
}

#[test]
fn rules_find_their_examples_in_postgres() {
    examples_hold(Dialect::Postgres, Backend::Postgres);
}

#[test]
fn rules_find_their_examples_in_sqlite() {
    examples_hold(Dialect::Sqlite, Backend::Sqlite);
}

const TABLE: &str =
    "CREATE TABLE orders (id bigint PRIMARY KEY, customer varchar(20), total int);\n";

/// Statements that look alike and are not.
#[test]
fn what_statements_do_is_measured() {
    let script = "\
ALTER TABLE orders ALTER COLUMN customer TYPE varchar(40);
ALTER TABLE orders ALTER COLUMN customer TYPE char(40);
ALTER TABLE orders ADD COLUMN a timestamptz DEFAULT now();
ALTER TABLE orders ADD COLUMN b float DEFAULT random();
DO $$ BEGIN CREATE INDEX o ON orders (total); END $$;
DO $$ BEGIN PERFORM 1; END $$;
CREATE TABLE young (id int);
CREATE INDEX y ON young (id);
TRUNCATE orders;
";
    let env = project(Backend::Postgres, &[TABLE, script]);
    let (status, json) = lint(&env, &["2"]);
    assert_eq!(status, 3, "{json:#}");
    let found = codes(&json);
    let is_found = |line: u64, code: &str| {
        found
            .iter()
            .any(|(at, codes)| *at == line && codes.contains(code))
    };
    assert!(is_found(2, "L109"), "{found:?}");
    assert!(is_found(4, "L110"), "{found:?}");
    assert!(is_found(5, "L101"), "{found:?}");
    let blocked: Vec<u64> = found
        .iter()
        .filter(|(_, codes)| {
            codes
                .iter()
                .any(|code| ("L101".."L113").contains(&code.as_str()))
        })
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(blocked, [2, 4, 5], "{json:#}");
    assert_eq!(json["revisions"][0]["findings"][0]["level"], "measured");
}

/// Facts of statements in and outside transactions.
#[test]
fn facts_name_locks_and_work() {
    let alone = "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY o ON orders (total);\n";
    let env = project(Backend::Postgres, &[TABLE, alone, "DROP TABLE orders;"]);
    let (_, json) = lint(&env, &["--facts"]);
    let statement = |revision: usize| &json["revisions"][revision]["statements"][0];
    let built = statement(1);
    assert_eq!(built["works"][0]["kind"], "build", "{built:#}");
    assert_eq!(built["works"][0]["relation"], "public.orders", "{built:#}");
    assert_eq!(built["locks"][0]["mode"], "SHARE UPDATE EXCLUSIVE");
    let dropped = statement(2);
    assert_eq!(dropped["locks"][0]["mode"], "ACCESS EXCLUSIVE");
    assert_eq!(dropped["dropped"][0]["name"], "orders", "{dropped:#}");
    let (status, text) = run(&env, &["lint", "2", "--facts"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("builds o on public.orders"), "{text}");
}

#[test]
fn the_text_level_needs_no_database() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let env = project(backend, &[TABLE, "CREATE INDEX o ON orders (total);"]);
        let url = match backend {
            Backend::Sqlite => "sqlite:nowhere/at/all.db",
            Backend::Postgres => "postgres://nobody@127.0.0.1:1/nowhere",
        };
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\ndowns = \"optional\"\n"),
        );
        let (status, json) = lint(&env, &["--text", "2"]);
        // SQLite has nobody else who waits for long.
        let (expected, exit) = match backend {
            Backend::Sqlite => ("L123", 0),
            Backend::Postgres => ("L101", 3),
        };
        assert_eq!(status, exit, "{json:#}");
        assert!(codes(&json)[0].1.contains(expected), "{json:#}");
        assert_eq!(json["level"], "text");
    }
}

/// A range is applied together, so that what one revision creates is new to the next.
#[test]
fn tables_of_the_same_run_are_not_in_use() {
    let env = project(
        Backend::Postgres,
        &[TABLE, "CREATE INDEX o ON orders (total);"],
    );
    let (status, json) = lint(&env, &[":2"]);
    assert_eq!((status, codes(&json).len()), (0, 0), "{json:#}");
    let (status, json) = lint(&env, &[]);
    assert_eq!((status, codes(&json).len()), (3, 1), "{json:#}");
}

#[test]
fn suppressions_need_a_reason_and_a_finding() {
    let allowed = |what: &str| format!("-- a step\n{what}\nCREATE INDEX o ON orders (total);\n");
    let check = |directive: &str, status: i32, part: &str| {
        let env = project(Backend::Postgres, &[TABLE, &allowed(directive)]);
        let (found, text) = run(&env, &["lint", "2"]);
        assert_eq!(found, status, "{directive}: {text}");
        assert!(text.contains(part), "{directive}: {text}");
    };
    check(
        "-- migrator: allow = create-index-non-concurrent (it is small)",
        0,
        "1 suppressed",
    );
    check("-- migrator: allow = L101 (it is small)", 0, "1 suppressed");
    check(
        "-- migrator: allow = create-index-non-concurrent",
        3,
        "needs its reason",
    );
    check(
        "-- migrator: allow = set-not-null (why)",
        3,
        "finds nothing",
    );
    check("-- migrator: allow = create-index (why)", 3, "M901");
}

#[test]
fn problems_of_scripts_are_in_every_format() {
    let wrong = "-- a step\n-- migrator: allow = no-such-rule (why)\nDROP TABLE t;\n";
    let env = project(Backend::Sqlite, &["CREATE TABLE t (a);", wrong]);
    let check = |format: &str, parts: &[&str]| {
        let (status, text) = run(&env, &["lint", "2", "--format", format]);
        assert_eq!(status, 3, "{text}");
        for part in parts {
            assert!(text.contains(part), "{format}: {text}");
        }
    };
    let place = "migrations/2_step.up.sql";
    check("human", &["error[M901]", &format!("{place}:2:")]);
    check("github", &["title=M901", &format!("file={place},line=2")]);
    check(
        "sarif",
        &[
            "\"ruleId\": \"M901\"",
            "\"id\": \"M901\"",
            "\"startLine\": 2",
        ],
    );
    check("markdown", &["(M901)", &format!("`{place}:2`")]);
}

#[test]
fn formats_for_findings_are_refused_without_findings() {
    let env = project(Backend::Sqlite, &["CREATE TABLE t (a);"]);
    for flags in [&["--fix"][..], &["--write-sizes", "sizes.json"]] {
        for format in ["github", "sarif", "markdown"] {
            let arguments = [&["lint", "--format", format], flags].concat();
            let (status, text) = run(&env, &arguments);
            assert_eq!(status, 2, "{text}");
            assert!(text.contains("M001") && text.contains(flags[0]), "{text}");
        }
    }
    assert!(!env.path("sizes.json").exists());
}

#[test]
fn small_tables_are_notes() {
    let env = project(
        Backend::Postgres,
        &[TABLE, "CREATE INDEX o ON orders (total);"],
    );
    assert_eq!(run(&env, &["upgrade", "1"]).0, 0);
    let (status, json) = lint(&env, &["2", "--sizes", "live"]);
    assert_eq!(
        (status, &json["counts"]["note"]),
        (0, &Value::from(1)),
        "{json:#}"
    );
    assert_eq!(run(&env, &["lint", "--write-sizes", "sizes.json"]).0, 0);
    let (status, json) = lint(&env, &["2", "--sizes", "sizes.json"]);
    assert_eq!(
        (status, &json["counts"]["note"]),
        (0, &Value::from(1)),
        "{json:#}"
    );
    let large = fs::read_to_string(env.path("sizes.json")).unwrap();
    let large = large.replace("\"rows\": 0", "\"rows\": 1000000");
    env.write("sizes.json", large);
    let (status, json) = lint(&env, &["2", "--sizes", "sizes.json"]);
    assert_eq!(
        (status, &json["counts"]["error"]),
        (3, &Value::from(1)),
        "{json:#}"
    );
    env.write("sizes.json", "[]");
    let (status, text) = run(&env, &["lint", "2", "--sizes", "sizes.json"]);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("M900"), "{text}");
}

/// Rows of the live database decide whether a constraint can be added.
#[test]
fn rows_that_are_in_the_way_are_counted() {
    let env = project(
        Backend::Postgres,
        &[
            TABLE,
            "ALTER TABLE orders ALTER COLUMN customer SET NOT NULL;",
        ],
    );
    let has = |json: &Value| codes(json).iter().any(|(_, codes)| codes.contains("L302"));
    assert!(has(&lint(&env, &["2"]).1));
    assert_eq!(run(&env, &["upgrade", "1"]).0, 0);
    env.sql("INSERT INTO orders VALUES (1, 'a', 1)");
    assert!(!has(&lint(&env, &["2", "--sizes", "live"]).1));
    env.sql("INSERT INTO orders VALUES (2, NULL, 1), (3, NULL, 1)");
    let (status, json) = lint(&env, &["2", "--sizes", "live"]);
    assert_eq!(status, 3);
    assert!(has(&json) && json.to_string().contains(": 2 "), "{json:#}");
}

#[test]
fn a_script_that_cannot_run_is_a_problem_and_the_rest_goes_on() {
    let wrong = "CREATE INDEX CONCURRENTLY o ON orders (total);";
    let env = project(Backend::Postgres, &[TABLE, wrong, "SELECT 1;"]);
    let (status, json) = lint(&env, &[]);
    assert_eq!(status, 3, "{json:#}");
    assert_eq!(
        json["revisions"][1]["problems"][0]["code"], "M304",
        "{json:#}"
    );
    let reason = json["revisions"][2]["not_measured"].as_str();
    assert_eq!(reason, Some("it needs 2, which could not be applied"));
}

#[test]
fn check_lints_what_is_new() {
    let env = project(Backend::Sqlite, &["CREATE TABLE t (a);", "DROP TABLE t;"]);
    assert_eq!(run(&env, &["upgrade", "1"]).0, 0);
    let (status, text) = run(&env, &["check", "--pending-ok", "--lint"]);
    assert_eq!(status, 3, "{text}");
    assert!(text.contains("error[L201]"), "{text}");
}

/// The up scripts of a column's rename: what the old program can live with, and the rest.
const RENAME: [&str; 4] = [
    "CREATE TABLE t (id integer PRIMARY KEY, a text);",
    "ALTER TABLE t ADD COLUMN b text;",
    "-- drop a\n-- migrator: phase = contract\nALTER TABLE t DROP COLUMN a;",
    "-- elsewhere\n-- migrator: revises = 2\nCREATE TABLE u (id integer);",
];

#[test]
fn contract_revisions_wait() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let env = project(backend, &RENAME);
        let (status, text) = run(&env, &["upgrade", "--phase", "expand", "heads"]);
        assert_eq!(status, 0, "{text}");
        assert!(text.contains("3 stays pending"), "{text}");
        let (_, text) = run(&env, &["current"]);
        assert!(text.contains('4'), "{text}");
        let (_, text) = run(&env, &["status"]);
        assert!(text.contains("contract"), "{text}");
        let (status, text) = run(&env, &["upgrade", "--phase", "expand", "heads"]);
        assert_eq!(status, 0, "{text}");
        // It is older than what is applied, and not out of order.
        let (status, text) = run(&env, &["upgrade", "heads"]);
        assert_eq!(status, 0, "{text}");
        let (_, text) = run(&env, &["lint", "3"]);
        assert!(!text.contains("L202"), "{text}");
    }
}

#[test]
fn what_needs_a_contract_revision_waits_with_it() {
    let ups = [
        RENAME[0],
        RENAME[1],
        RENAME[2],
        "CREATE TABLE u (id integer);",
    ];
    let env = project(Backend::Sqlite, &ups);
    let (status, text) = run(&env, &["upgrade", "--phase", "expand", "--sql"]);
    assert_eq!(status, 0, "{text}");
    assert!(
        !text.contains("TABLE u") && text.contains("ADD COLUMN b"),
        "{text}"
    );
    let (status, text) = run(&env, &["upgrade", "--phase", "expand"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("3, 4 stay pending"), "{text}");
    let (status, text) = run(&env, &["upgrade", "--phase", "contract"]);
    assert_eq!(status, 2, "{text}");
}
