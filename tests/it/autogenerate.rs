//! `revision --autogenerate`: scripts from a declared schema.

use std::{fs, process::Output};

use serde_json::Value;

#[cfg(unix)]
use crate::common::on_terminal;
use crate::common::{Backend, Env, PostgresDatabase, Running, wait_until};

/// A project whose model is `schema.sql`.
fn project(backend: Backend, model: &str) -> Env {
    with_model(backend, "sql = \"schema.sql\"", model)
}

fn with_model(backend: Backend, source: &str, model: &str) -> Env {
    let env = Env::new(backend);
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n[model]\n{source}\ntimeout = \"20s\"\n"),
    );
    env.write("schema.sql", model);
    fs::create_dir_all(env.path("migrations")).unwrap();
    env
}

fn run(env: &Env, arguments: &[&str]) -> Output {
    env.command().args(arguments).output().unwrap()
}

/// Runs `revision --autogenerate` and returns its status and its result as JSON.
fn autogenerate(env: &Env, arguments: &[&str]) -> (i32, Value) {
    let fixed = [
        "--format",
        "json",
        "revision",
        "--autogenerate",
        "-m",
        "change",
    ];
    let output = run(env, &[&fixed, arguments].concat());
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json)
}

#[track_caller]
fn expect(env: &Env, arguments: &[&str], status: i32) -> String {
    let output = run(env, arguments);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
    text
}

/// Changes the model, generates, upgrades, downgrades and upgrades again, and generates nothing then.
#[track_caller]
fn change(env: &Env, model: &str, arguments: &[&str]) -> Value {
    env.write("schema.sql", model);
    let before = schema(env);
    let (status, json) = autogenerate(env, arguments);
    assert_eq!(status, 0, "{json:#}");
    let count = json["revisions"].as_array().unwrap().len();
    assert_ne!(count, 0, "{json:#}");
    expect(env, &["upgrade"], 0);
    let after = schema(env);
    expect(env, &["downgrade", &format!("-{count}")], 0);
    if before != after {
        assert_eq!(schema(env), before, "{json:#}");
    }
    expect(env, &["upgrade"], 0);
    assert_eq!(schema(env), after);
    let (status, again) = autogenerate(env, &[]);
    assert_eq!(
        (status, &again["revisions"]),
        (0, &Value::Array(Vec::new()))
    );
    expect(env, &["check"], 0);
    json
}

#[track_caller]
fn refused(env: &Env, arguments: &[&str], status: i32, code: &str) -> Value {
    let files = env.files();
    let (found, json) = autogenerate(env, arguments);
    assert_eq!(
        (found, &json["errors"][0]["code"]),
        (status, &code.into()),
        "{json:#}"
    );
    assert_eq!(env.files(), files);
    json
}

/// The schema without quotes, which renames add.
fn schema(env: &Env) -> String {
    env.schema().replace('"', "")
}

const CUSTOMERS: &str = "CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL);\n";
const ORDERS: &str = "CREATE TABLE orders (id integer PRIMARY KEY, \
    customer_id integer NOT NULL REFERENCES customers (id), total integer DEFAULT 0);\n\
    CREATE INDEX orders_by_customer ON orders (customer_id);\n";

fn successive_edits(backend: Backend) {
    let env = project(backend, "");
    change(&env, CUSTOMERS, &[]);
    let both = format!("{CUSTOMERS}{ORDERS}");
    change(&env, &both, &[]);
    env.sql(
        "INSERT INTO customers (id, email) VALUES (1, 'a@b'); INSERT INTO orders VALUES (1, 1, 5)",
    );
    let more = both.replace("total integer", "note text, total integer");
    change(&env, &more, &[]);
    let stricter = more.replace("note text", "note text CHECK (note <> '')");
    change(&env, &stricter, &[]);
    assert_eq!(env.sql("SELECT total FROM orders").trim(), "5");
}

#[test]
fn successive_edits_in_sqlite() {
    successive_edits(Backend::Sqlite);
}

#[test]
fn successive_edits_in_postgres() {
    successive_edits(Backend::Postgres);
}

fn renames(backend: Backend) {
    let env = project(backend, CUSTOMERS);
    change(&env, CUSTOMERS, &[]);
    env.sql("INSERT INTO customers VALUES (1, 'a@b')");
    let renamed = CUSTOMERS.replace("email", "address");
    env.write("schema.sql", &renamed);
    let json = refused(&env, &["--allow-loss"], 3, "M891");
    let text = json.to_string();
    assert!(
        text.contains("--rename") && text.contains("--no-rename"),
        "{text}"
    );
    refused(&env, &["--rename", "customers.mail=address"], 2, "M897");
    refused(
        &env,
        &["--no-rename", "customers.mail", "--allow-loss"],
        3,
        "M891",
    );
    change(&env, &renamed, &["--rename", "customers.email=address"]);
    assert_eq!(env.sql("SELECT address FROM customers").trim(), "a@b");
    let table = renamed.replace("customers", "clients");
    env.write("schema.sql", &table);
    change(&env, &table, &["--rename", "customers=clients"]);
    assert_eq!(env.sql("SELECT address FROM clients").trim(), "a@b");
    let again = table.replace("address", "place");
    change(
        &env,
        &again,
        &[
            "--no-rename",
            "clients.address",
            "--allow-loss",
            "--fill",
            "clients.place='?'",
            "--fill",
            "clients.address='?'",
        ],
    );
    assert_eq!(env.sql("SELECT place FROM clients").trim(), "?");
}

#[test]
fn renames_in_sqlite() {
    renames(Backend::Sqlite);
}

#[test]
fn renames_in_postgres() {
    renames(Backend::Postgres);
}

fn renames_in_the_model(backend: Backend) {
    let env = project(backend, CUSTOMERS);
    change(&env, CUSTOMERS, &[]);
    env.sql("INSERT INTO customers VALUES (1, 'a@b')");
    let model = "-- migrator: renamed-from = customers\nCREATE TABLE clients (id integer PRIMARY KEY,\n\
        -- migrator: renamed-from = email\naddress text NOT NULL);\n";
    let json = change(&env, model, &[]);
    assert_eq!(json["renames"].as_array().unwrap().len(), 2, "{json:#}");
    assert_eq!(env.sql("SELECT address FROM clients").trim(), "a@b");
    env.write(
        "schema.sql",
        format!("{model}-- migrator: renamed-from = x\nCREATE VIEW v AS SELECT 1 AS a;"),
    );
    let json = refused(&env, &[], 2, "M897");
    assert_eq!(json["errors"][0]["line"], 5, "{json:#}");
}

#[test]
fn renames_in_the_model_of_sqlite() {
    renames_in_the_model(Backend::Sqlite);
}

#[test]
fn renames_in_the_model_of_postgres() {
    renames_in_the_model(Backend::Postgres);
}

fn losses(backend: Backend) {
    let env = project(backend, CUSTOMERS);
    change(&env, CUSTOMERS, &[]);
    env.write(
        "schema.sql",
        "CREATE TABLE customers (id integer PRIMARY KEY);",
    );
    let json = refused(&env, &[], 3, "M892");
    assert!(json.to_string().contains("customers.email"), "{json:#}");
    let (status, json) = autogenerate(&env, &["--allow-loss"]);
    assert_eq!(status, 0, "{json:#}");
    let up = json["revisions"][0]["up"].as_str().unwrap();
    assert!(up.contains("-- Loses the values of column"), "{up}");
    assert_eq!(json["losses"].as_array().unwrap().len(), 1);
}

#[test]
fn losses_in_sqlite() {
    losses(Backend::Sqlite);
}

#[test]
fn losses_in_postgres() {
    losses(Backend::Postgres);
}

fn fills(backend: Backend) {
    let env = project(
        backend,
        "CREATE TABLE customers (id integer PRIMARY KEY);\n",
    );
    change(
        &env,
        "CREATE TABLE customers (id integer PRIMARY KEY);\n",
        &[],
    );
    env.sql("INSERT INTO customers (id) VALUES (7)");
    env.write("schema.sql", CUSTOMERS);
    let (status, json) = autogenerate(&env, &["--dry-run"]);
    assert_eq!(status, 0, "{json:#}");
    assert_eq!(json["proof"]["with_rows"], false, "{json:#}");
    assert_eq!(
        env.files()
            .iter()
            .filter(|it| it.contains("migrations/"))
            .count(),
        2
    );
    let json = change(&env, CUSTOMERS, &["--fill", "customers.email='none'"]);
    assert_eq!(json["proof"]["with_rows"], true, "{json:#}");
    assert_eq!(env.sql("SELECT email FROM customers").trim(), "none");
}

#[test]
fn fills_in_sqlite() {
    fills(Backend::Sqlite);
}

#[test]
fn fills_in_postgres() {
    fills(Backend::Postgres);
}

#[test]
fn a_new_enum_value_that_is_used_at_once_is_a_revision_of_its_own() {
    let table = "CREATE TABLE t (id int PRIMARY KEY, state state NOT NULL DEFAULT 'new');";
    let first = format!("CREATE TYPE state AS ENUM ('new', 'done');\n{table}");
    let env = project(Backend::Postgres, &first);
    change(&env, &first, &[]);
    env.sql("INSERT INTO t VALUES (1, 'done')");
    let second = first
        .replace("'done')", "'open', 'done')")
        .replace("DEFAULT 'new'", "DEFAULT 'open'");
    let json = change(&env, &second, &[]);
    let revisions = json["revisions"].as_array().unwrap();
    assert_eq!(revisions.len(), 2, "{json:#}");
    let up = revisions[1]["up"].as_str().unwrap();
    assert!(up.contains("-- migrator: transaction = off"), "{up}");
    assert_eq!(env.sql("SELECT state FROM t").trim(), "done");
    expect(&env, &["downgrade", "base"], 0);
    let text = expect(&env, &["upgrade", "--transaction", "all"], 1);
    assert!(text.contains("M309"), "{text}");
}

#[test]
fn a_new_enum_value_in_a_bound_or_a_fill_is_committed_before() {
    let first = "CREATE TYPE state AS ENUM ('new');\n\
        CREATE TABLE t (id int, state state NOT NULL) PARTITION BY LIST (state);\n\
        CREATE TYPE kind AS ENUM ('a');\nCREATE TABLE u (id int);";
    let env = project(Backend::Postgres, first);
    change(&env, first, &[]);
    env.sql("INSERT INTO u VALUES (1)");
    let second = first
        .replace("'a'", "'a', 'b'")
        .replace("u (id int)", "u (id int, kind kind NOT NULL)");
    let json = change(&env, &second, &["--fill", "u.kind='b'"]);
    assert_eq!(json["revisions"].as_array().unwrap().len(), 2, "{json:#}");
    assert_eq!(env.sql("SELECT kind FROM u").trim(), "b");
    let third = second.replace("'new'", "'new', 'done'")
        + "\nCREATE TABLE t_done PARTITION OF t FOR VALUES IN ('done');";
    env.write("schema.sql", third);
    // A value of the key's type cannot be taken back.
    refused(&env, &[], 3, "M890");
    let (status, json) = autogenerate(&env, &["--no-down", "for the test"]);
    assert_eq!(status, 0, "{json:#}");
    assert_eq!(json["revisions"].as_array().unwrap().len(), 2, "{json:#}");
    expect(&env, &["upgrade"], 0);
}

#[test]
fn a_fill_fires_no_triggers() {
    let first = "CREATE TABLE t (id int PRIMARY KEY, note text NOT NULL);\nCREATE TABLE log (id int);\n\
        CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$\n\
        BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;\n\
        CREATE TRIGGER logged BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION logged();\n\
        CREATE TRIGGER off BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION logged();\n\
        ALTER TABLE t DISABLE TRIGGER off;\n\
        CREATE TRIGGER always BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION logged();\n\
        ALTER TABLE t ENABLE ALWAYS TRIGGER always;";
    let env = project(Backend::Postgres, first);
    change(&env, first, &[]);
    env.sql("INSERT INTO t VALUES (1, 'a')");
    let second = first.replace("note text", "state text");
    let fills = ["--fill", "t.state='new'", "--fill", "t.note='old'"];
    let flags = [&["--allow-loss", "--no-rename", "t.note"][..], &fills].concat();
    let json = change(&env, &second, &flags);
    assert_eq!(json["proof"]["with_rows"], true, "{json:#}");
    assert_eq!(env.sql("SELECT count(*) FROM log").trim(), "1");
}

#[test]
fn rows_of_revisions_that_do_not_fit_are_named_with_the_flag() {
    let first = "CREATE TABLE t (id integer PRIMARY KEY, note text);";
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let env = project(backend, first);
        env.write(
            "migrations/20240101000000_t.up.sql",
            format!("{first}\nINSERT INTO t VALUES (1, NULL);"),
        );
        env.write("migrations/20240101000000_t.down.sql", "DROP TABLE t;");
        expect(&env, &["upgrade"], 0);
        env.write("schema.sql", first.replace("text", "text NOT NULL"));
        let json = refused(&env, &[], 3, "M893");
        let hint = json["errors"][0]["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("--fill"), "{json:#}");
        env.write("schema.sql", first.replace("text", "text CHECK (id > 1)"));
        let json = refused(&env, &[], 3, "M893");
        let hint = json["errors"][0]["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("by hand"), "{json:#}");
    }
}

#[test]
fn sequences_follow_their_tables_and_columns() {
    let first = "CREATE TABLE reviews (id serial PRIMARY KEY, number serial);\n\
        CREATE TABLE plain (id int GENERATED ALWAYS AS IDENTITY);";
    let env = project(Backend::Postgres, first);
    change(&env, first, &[]);
    env.sql("INSERT INTO reviews DEFAULT VALUES; INSERT INTO plain DEFAULT VALUES");
    let second = "CREATE TABLE ratings (id serial CONSTRAINT reviews_pkey PRIMARY KEY, place serial);\n\
        CREATE TABLE simple (id int GENERATED ALWAYS AS IDENTITY);";
    let renames = ["reviews=ratings", "ratings.number=place", "plain=simple"];
    let flags: Vec<&str> = renames.iter().flat_map(|it| ["--rename", it]).collect();
    change(&env, second, &flags);
    env.sql("INSERT INTO ratings DEFAULT VALUES; INSERT INTO simple DEFAULT VALUES");
    let found =
        env.sql("SELECT id, place FROM ratings UNION SELECT id, 0 FROM simple ORDER BY 1, 2");
    assert_eq!(found.split_whitespace().collect::<String>(), "1|01|12|02|2");
}

fn sources(backend: Backend) {
    // The files of a directory run in any order.
    let env = with_model(
        backend,
        "sql = [\"model\", \"schema.sql\"]",
        "CREATE VIEW v AS SELECT id FROM orders;",
    );
    env.write("model/1_orders.sql", ORDERS);
    env.write("model/2_customers.sql", CUSTOMERS);
    let (status, json) = autogenerate(&env, &[]);
    assert_eq!(status, 0, "{json:#}");
    expect(&env, &["upgrade"], 0);

    // What a command prints.
    let words = "command = [\"cat\", \"schema.sql\"]";
    let env = with_model(backend, words, CUSTOMERS);
    let (status, json) = autogenerate(&env, &[]);
    assert_eq!(status, 0, "{json:#}");
    expect(&env, &["upgrade"], 0);

    // The database itself is a model as well.
    let url = match backend {
        Backend::Sqlite => format!("sqlite:{}", env.path("app.db").display()),
        Backend::Postgres => env.url(),
    };
    let other = with_model(backend, &format!("url = \"{url}\""), "");
    let (status, json) = autogenerate(&other, &[]);
    assert_eq!(
        (status, json["revisions"].as_array().unwrap().len()),
        (0, 1),
        "{json:#}"
    );
}

#[test]
fn sources_of_sqlite() {
    sources(Backend::Sqlite);
}

#[test]
fn sources_of_postgres() {
    sources(Backend::Postgres);
}

fn bad_models(backend: Backend) {
    let env = Env::new(backend);
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{}\"\n", env.url()),
    );
    fs::create_dir_all(env.path("migrations")).unwrap();
    refused(&env, &[], 2, "M894");

    let of_command = |command: &str, code: &str, part: &str| {
        let env = with_model(backend, &format!("command = \"{command}\""), "");
        let json = refused(&env, &[], 1, code);
        assert!(json.to_string().contains(part), "{json:#}");
    };
    of_command("echo oops >&2; exit 4", "M895", "oops");
    of_command("true", "M895", "printed nothing");
    of_command("no-such-program", "M895", "no-such-program");
    of_command(
        "echo Loading models ...",
        "M701",
        "output of `sh -c echo Loading models ...`",
    );

    let of_sql = |sql: &str, code: &str, part: &str| {
        let env = project(backend, sql);
        let json = refused(&env, &[], 1, code);
        assert!(json.to_string().contains(part), "{json:#}");
        json
    };
    of_sql(
        "CREATE TABLE t (a int);\nCREATE TABEL u (a int);\n",
        "M701",
        "schema.sql",
    );
    of_sql(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
        "M896",
        "t",
    );
    let missing = project(backend, "");
    missing.remove("schema.sql");
    refused(&missing, &[], 1, "M871");
}

#[test]
fn bad_models_of_sqlite() {
    bad_models(Backend::Sqlite);
}

#[test]
fn bad_models_of_postgres() {
    bad_models(Backend::Postgres);
    let env = project(Backend::Postgres, "CREATE ROLE somebody;");
    refused(&env, &[], 1, "M874");
}

#[test]
fn a_model_that_hangs_is_ended() {
    let env = Env::new(Backend::Sqlite);
    env.write(
        "migrator.toml",
        "[migrator]\nurl = \"sqlite:app.db\"\n[model]\ncommand = \"sleep 600\"\ntimeout = \"500ms\"\n",
    );
    fs::create_dir_all(env.path("migrations")).unwrap();
    let json = refused(&env, &[], 1, "M895");
    assert!(json.to_string().contains("0.5 seconds"), "{json:#}");
}

#[test]
fn two_sources_are_refused() {
    let env = with_model(
        Backend::Sqlite,
        "sql = \"schema.sql\"\nurl = \"sqlite:x.db\"",
        "",
    );
    let text = expect(&env, &["current"], 2);
    assert!(text.contains("exactly one"), "{text}");
}

#[test]
fn check_compares_the_model() {
    let env = project(Backend::Sqlite, CUSTOMERS);
    change(&env, CUSTOMERS, &[]);
    env.write("schema.sql", format!("{CUSTOMERS}{ORDERS}"));
    let text = expect(&env, &["check"], 3);
    assert!(text.contains("M898") && text.contains("orders"), "{text}");
    expect(&env, &["check", "--no-database"], 0);
}

#[test]
fn killed_at_any_moment_it_has_written_all_or_nothing() {
    for milliseconds in (0..60).map(|step| step * 3) {
        let env = project(Backend::Sqlite, CUSTOMERS);
        let mut child = env
            .command()
            .args(["revision", "--autogenerate", "-m", "change"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        // The next command completes what was decided.
        if env.path("migrations/.migrator-rebase.json").exists() {
            autogenerate(&env, &[]);
        }
        let (status, json) = autogenerate(&env, &["--dry-run"]);
        assert_eq!(status, 0, "{json:#}");
        let scripts = env
            .files()
            .iter()
            .filter(|file| file.ends_with(".sql") && file.contains("migrations/"))
            .count();
        let pending = json["revisions"].as_array().unwrap().len();
        assert!(
            matches!((scripts, pending), (0, 1) | (2, 0)),
            "{scripts} {pending}"
        );
    }
}

fn from_database(backend: Backend) {
    let env = Env::new(backend);
    let create = match backend {
        Backend::Sqlite => {
            env.write("app.db", "");
            "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b TEXT); CREATE VIEW v AS SELECT b FROM t;"
        }
        Backend::Postgres => {
            "CREATE TABLE t (a serial PRIMARY KEY, b text); CREATE VIEW v AS SELECT b FROM t;"
        }
    };
    env.sql(create);
    env.sql("INSERT INTO t (b) VALUES ('x')");
    let before = env.schema();
    let url = env.url();
    expect(&env, &["init", ".", "--from-database", &url], 1);
    expect(&env, &["init", "new", "--from-database", &url], 0);
    assert_eq!(env.schema(), before);
    let files = env.files();
    let scripts = files
        .iter()
        .filter(|file| file.starts_with("new/migrations/") && file.ends_with(".sql"));
    assert_eq!(scripts.count(), 2, "{files:?}");
    let config = ["--config", "new/migrator.toml"];
    // It is there already, so that it may not be made again.
    expect(&env, &[&config[..], &["upgrade"]].concat(), 1);
    expect(
        &env,
        &["init", "stamped", "--from-database", &url, "--stamp"],
        0,
    );
    let config = ["--config", "stamped/migrator.toml"];
    let text = expect(&env, &[&config[..], &["status", "--schema"]].concat(), 0);
    assert!(text.contains("as the applied scripts make it"), "{text}");
    expect(&env, &[&config[..], &["check", "--verify"]].concat(), 0);
    assert_eq!(env.sql("SELECT b FROM t").trim(), "x");
}

#[test]
fn projects_are_made_from_databases_of_sqlite() {
    from_database(Backend::Sqlite);
}

#[test]
fn projects_are_made_from_databases_of_postgres() {
    from_database(Backend::Postgres);
}

#[test]
fn passwords_are_not_written() {
    let env = Env::new(Backend::Postgres);
    let url = env.url().replace("postgres@", "postgres:secret@");
    let text = expect(&env, &["init", "new", "--from-database", &url], 0);
    assert!(
        text.contains("The database is empty") && !text.contains("secret"),
        "{text}"
    );
    let config = fs::read_to_string(env.path("new/migrator.toml")).unwrap();
    assert!(
        config.contains("url = \"${DATABASE_URL}\"") && !config.contains("secret"),
        "{config}"
    );
}

#[cfg(unix)]
#[test]
fn a_terminal_is_asked() {
    let env = project(Backend::Sqlite, CUSTOMERS);
    change(&env, CUSTOMERS, &[]);
    env.write("schema.sql", CUSTOMERS.replace("email", "address"));
    let mut command = env.command();
    command.args(["revision", "--autogenerate", "-m", "rename"]);
    let (status, shown) = on_terminal(&mut command, "[y/n] ", "y\n");
    assert_eq!(status, Some(0), "{shown}");
    assert!(
        shown.contains("--rename customers.email=customers.address"),
        "{shown}"
    );
    env.write(
        "schema.sql",
        "CREATE TABLE customers (id integer PRIMARY KEY);",
    );
    let mut command = env.command();
    command.args(["revision", "--autogenerate", "-m", "drop"]);
    let (status, shown) = on_terminal(&mut command, "[y/N] ", "n\n");
    assert_eq!(status, Some(3), "{shown}");
    assert!(shown.contains("M892"), "{shown}");
}

/// A signal ends the work on the head and on the model, and both scratch databases go.
#[cfg(unix)]
#[test]
fn a_signal_leaves_nothing_behind() {
    let sleep = "SELECT pg_sleep(600);";
    let env = project(Backend::Postgres, sleep);
    env.revision("1_slow", sleep, "SELECT 1;");
    let database = PostgresDatabase::create();
    let url = env.url();
    let name = url.rsplit('/').next().unwrap();
    let count = |from: &str, condition: &str| {
        let like = format!("datname LIKE '{name}\\_scratch\\_%'");
        let sql = format!("SELECT count(*) FROM {from} WHERE {like} {condition}");
        database.value(&sql).unwrap()
    };
    for model in ["sql = \"schema.sql\"", "command = [\"sleep\", \"600\"]"] {
        let config = format!("[migrator]\nurl = \"{url}\"\n[model]\n{model}\n");
        env.write("migrator.toml", config);
        let scripts = if model.starts_with("sql") { "2" } else { "1" };
        let mut command = env.command();
        command.args(["revision", "--autogenerate", "-m", "change"]);
        let running = Running::spawn(&mut command);
        wait_until("the scripts sleep", || {
            count("pg_stat_activity", "AND wait_event = 'PgSleep'") == scripts
        });
        running.signal("INT");
        let finished = running.finish().expect(130);
        assert!(finished.stderr.contains("M706"), "{finished:?}");
        assert_eq!(count("pg_database", ""), "0", "{model}");
    }
}
