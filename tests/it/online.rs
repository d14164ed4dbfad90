//! `revision --autogenerate --online`: revisions that programs in use do not notice.

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

use crate::common::{Backend, Env};

const DOWN: &str = "DROP SCHEMA shop CASCADE;\n";

/// A project whose first revision is `base`, which is applied, and whose model is `model`.
fn project(backend: Backend, base: &str, model: &str) -> Env {
    let env = Env::new(backend);
    let config = format!(
        "[migrator]\nurl = \"{}\"\n\n[model]\nsql = \"schema.sql\"\n",
        env.url()
    );
    env.write("migrator.toml", config);
    fs::create_dir_all(env.path("migrations")).unwrap();
    env.write("migrations/1_base.up.sql", base);
    env.write("migrations/1_base.down.sql", DOWN);
    env.write("schema.sql", model);
    done(&env, &["upgrade"]);
    env
}

fn run(env: &Env, arguments: &[&str]) -> (i32, String) {
    let output = env.command().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().unwrap(), text)
}

#[track_caller]
fn done(env: &Env, arguments: &[&str]) -> String {
    let (status, text) = run(env, arguments);
    assert_eq!(status, 0, "{arguments:?}: {text}");
    text
}

fn generate(env: &Env, more: &[&str]) -> String {
    let arguments = ["revision", "--autogenerate", "--online", "-m", "change"];
    done(env, &[&arguments, more].concat())
}

/// The new up scripts, by their names without identifiers.
fn scripts(env: &Env) -> BTreeMap<String, String> {
    let entries = fs::read_dir(env.path("migrations")).unwrap();
    let files = entries.filter_map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name()?.to_str()?.strip_suffix(".up.sql")?;
        let (_, name) = name.split_once('_')?;
        let is_new = name.starts_with("change");
        is_new.then(|| (name.to_owned(), fs::read_to_string(&path).unwrap()))
    });
    files.collect()
}

/// The codes of what lint finds in the new revisions, apart from notes.
fn found(env: &Env) -> Vec<String> {
    let entries = fs::read_dir(env.path("migrations")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let first = names
        .filter(|name| name.contains("_change.up"))
        .min()
        .unwrap();
    let range = format!("{}:", first.split('_').next().unwrap());
    let (_, text) = run(env, &["--format", "json", "lint", &range]);
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    let revisions = report["revisions"].as_array().unwrap();
    let findings = revisions
        .iter()
        .flat_map(|it| it["findings"].as_array().unwrap());
    let causes = findings.flat_map(|it| it["causes"].as_array().unwrap());
    let serious = causes.filter(|it| it["severity"] != "note");
    let codes = serious.map(|it| it["code"].as_str().unwrap().to_owned());
    // Existing NULLs make a validation fail, which is up to the rows.
    codes.filter(|code| code != "L302").collect()
}

const BASE: &str = "CREATE SCHEMA shop;
CREATE TABLE shop.customers (id bigint PRIMARY KEY, email text);
CREATE TABLE shop.orders (
    id serial PRIMARY KEY, customer bigint, total integer NOT NULL DEFAULT 0, code integer UNIQUE, note text, old text
);
COMMENT ON COLUMN shop.orders.total IS 'in cents';
CREATE INDEX orders_total ON shop.orders (total, customer);
CREATE VIEW shop.notes AS SELECT note FROM shop.orders;
";

#[test]
fn every_kind_of_change_is_written_without_a_wait() {
    let model = "CREATE SCHEMA shop;
CREATE TABLE shop.customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);
CREATE TABLE shop.orders (
    id bigserial PRIMARY KEY, customer bigint REFERENCES shop.customers, total bigint NOT NULL DEFAULT 0,
    code bigint UNIQUE, note text, state text NOT NULL, CHECK (total >= 0)
);
COMMENT ON COLUMN shop.orders.total IS 'in cents';
CREATE INDEX orders_total ON shop.orders (total, customer);
CREATE INDEX orders_note ON shop.orders (note);
CREATE VIEW shop.notes AS SELECT note, state FROM shop.orders;
";
    // A check on a column that gets another type has no other form, so it comes later.
    let first = model.replace(", CHECK (total >= 0)", "");
    let env = project(Backend::Postgres, BASE, &first);
    let text = generate(&env, &["--allow-loss", "--fill", "shop.orders.state='new'"]);
    assert!(text.contains("Proven with rows"), "{text}");
    assert!(!text.contains("others wait"), "{text}");
    assert_eq!(found(&env), Vec::<String>::new(), "{:#?}", scripts(&env));
    let rows = "INSERT INTO shop.customers VALUES (1, 'a'); \
                INSERT INTO shop.orders (customer, total, code, note) VALUES (1, 2, 3, 'n'), (1, 4, NULL, NULL)";
    env.sql(rows);
    done(&env, &["upgrade", "--phase", "expand"]);
    env.sql("INSERT INTO shop.orders (customer, total, code) VALUES (1, 5, 6)");
    done(&env, &["upgrade"]);
    let sums = "SELECT count(*), sum(total), sum(code), min(state), max(id) FROM shop.orders";
    assert_eq!(env.sql(sums).trim(), "3|11|9|new|3");
    done(&env, &["check"]);
    let text = generate(&env, &[]);
    assert!(text.contains("Nothing was written"), "{text}");
    done(&env, &["verify"]);
    done(&env, &["downgrade", "1"]);
    let sums = "SELECT count(*), sum(total), sum(code), max(id) FROM shop.orders";
    assert_eq!(env.sql(sums).trim(), "3|11|9|3");
    done(&env, &["upgrade"]);
    env.write("schema.sql", model);
    generate(&env, &[]);
    let scripts = scripts(&env);
    let (_, last) = scripts.iter().next_back().unwrap();
    assert!(last.contains("VALIDATE CONSTRAINT"), "{scripts:#?}");
    assert!(last.contains("phase = contract"), "{scripts:#?}");
}

/// Runs a program that reads and writes one row at a time until `stop`. Returns how often.
fn program(url: &str, stop: &AtomicBool) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let options = crate::common::options(url);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        let mut done = 0;
        while !stop.load(Ordering::Relaxed) {
            let row = 1 + done % 3_000;
            let statements = [
                format!("INSERT INTO shop.orders (total) VALUES ({row})"),
                format!("UPDATE shop.orders SET total = total + 1 WHERE id = {row}"),
                format!("SELECT total FROM shop.orders WHERE id = {row}"),
            ];
            for sql in statements {
                let ran = connection.execute(AssertSqlSafe(sql.clone())).await;
                ran.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
            done += 1;
        }
        done
    })
}

#[test]
fn a_type_is_changed_beside_a_program() {
    let base = "CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigserial PRIMARY KEY, total integer NOT NULL);
CREATE INDEX orders_total ON shop.orders (total);
INSERT INTO shop.orders (total) SELECT n FROM generate_series(1, 3000) n;
";
    let model = "CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigserial PRIMARY KEY, total bigint NOT NULL);
CREATE INDEX orders_total ON shop.orders (total);
";
    let env = project(Backend::Postgres, base, model);
    generate(&env, &[]);
    let names: Vec<String> = scripts(&env).into_keys().collect();
    assert_eq!(names, ["change", "change_2_validate", "change_3_contract"]);
    let url = env.url();
    let stop = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let (stop, url) = (&stop, &url);
        let running = scope.spawn(move || program(url, stop));
        done(&env, &["upgrade", "--phase", "expand"]);
        let differ = "SELECT count(*) FROM shop.orders WHERE total_new IS DISTINCT FROM total";
        assert_eq!(env.sql(differ).trim(), "0");
        done(&env, &["upgrade"]);
        stop.store(true, Ordering::Relaxed);
        running.join().unwrap()
    });
    let rows = env.sql("SELECT count(total) FROM shop.orders");
    assert_eq!(rows.trim(), (3_000 + written).to_string());
    done(&env, &["check"]);
    done(&env, &["downgrade", "1"]);
    let rows = env.sql("SELECT count(total), pg_typeof(min(total)) FROM shop.orders");
    assert_eq!(rows.trim(), format!("{}|integer", 3_000 + written));
}

#[test]
fn a_statement_for_which_others_wait_is_alone_and_named() {
    let base = "CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint PRIMARY KEY, total integer DEFAULT 1, note text);
CREATE VIEW shop.totals AS SELECT total FROM shop.orders;
";
    let model = base
        .replace("total integer", "total bigint")
        .replace("note text", "note text, tax integer");
    let env = project(Backend::Postgres, base, &model);
    let text = generate(&env, &[]);
    let waits = "others wait for ALTER TABLE shop.orders ALTER COLUMN total TYPE bigint: view shop.totals uses it";
    assert!(text.contains(waits), "{text}");
    let scripts = scripts(&env);
    assert!(scripts["change"].contains("ADD COLUMN tax"), "{scripts:#?}");
    let (_, wait) = scripts.iter().next_back().unwrap();
    for word in ["DROP VIEW", "SET DEFAULT", "TYPE bigint", "CREATE VIEW"] {
        assert!(wait.contains(word), "{scripts:#?}");
    }
    done(&env, &["upgrade"]);
    done(&env, &["check"]);
}

#[test]
fn a_type_is_replaced_in_one_transaction() {
    let base = "CREATE SCHEMA shop;
CREATE TYPE shop.state AS ENUM ('new', 'paid', 'gone');
CREATE TABLE shop.orders (id bigint PRIMARY KEY, state shop.state DEFAULT 'new');
";
    let model = base.replace(", 'gone'", ", 'sent'");
    let env = project(Backend::Postgres, base, &model);
    let text = generate(&env, &["--allow-loss"]);
    assert!(text.contains("the type itself is replaced"), "{text}");
    let scripts = scripts(&env);
    let [script] = scripts.values().collect::<Vec<_>>()[..] else {
        panic!("{scripts:#?}");
    };
    for word in ["RENAME TO", "CREATE TYPE", "TYPE shop.state", "DROP TYPE"] {
        assert!(script.contains(word), "{script}");
    }
}

#[test]
fn values_that_a_session_decides_about_are_not_copied() {
    let base =
        "CREATE SCHEMA shop;\nCREATE TABLE shop.orders (id bigint PRIMARY KEY, at timestamp);\n";
    let model = base.replace("at timestamp", "at timestamptz");
    let env = project(Backend::Postgres, base, &model);
    let arguments = [
        "--format",
        "json",
        "revision",
        "--autogenerate",
        "--online",
        "--allow-loss",
        "--dry-run",
    ];
    let text = done(&env, &[&arguments[..], &["-m", "change"]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    let waiting = report["waiting"].as_array().unwrap();
    let reasons: Vec<&str> = waiting
        .iter()
        .map(|it| it["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["the cast depends on settings of the session"]);
}

#[test]
fn what_has_no_form_at_all_is_refused() {
    let base =
        "CREATE SCHEMA shop;\nCREATE TABLE shop.orders (id bigint PRIMARY KEY, total integer);\n";
    let model = base.replace("total", "sum");
    let env = project(Backend::Postgres, base, &model);
    let rename = [
        "revision",
        "--autogenerate",
        "--online",
        "-m",
        "change",
        "--rename",
        "shop.orders.total=sum",
    ];
    let (status, text) = run(&env, &rename);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("error[M905]"), "{text}");
    assert!(scripts(&env).is_empty());

    let env = Env::new(Backend::Sqlite);
    let config = format!(
        "[migrator]\nurl = \"{}\"\n\n[model]\nsql = \"schema.sql\"\n",
        env.url()
    );
    env.write("migrator.toml", config);
    fs::create_dir_all(env.path("migrations")).unwrap();
    env.write("schema.sql", "CREATE TABLE t (a);\n");
    let arguments = ["revision", "--autogenerate", "--online", "-m", "change"];
    let (status, text) = run(&env, &arguments);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("error[M905]"), "{text}");
}
