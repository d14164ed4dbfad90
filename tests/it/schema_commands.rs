//! `schema dump`, `diff` and `draw`, drift and the schema file, end to end on both databases.

use std::fs;

use crate::common::{Backend, Env, PostgresDatabase};

fn project(env: &Env) {
    env.revision(
        "1_shop",
        "CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL UNIQUE);\n\
         CREATE TABLE orders (id integer PRIMARY KEY, customer integer NOT NULL REFERENCES customers (id), total integer);\n",
        "DROP TABLE orders;\nDROP TABLE customers;\n",
    );
    env.revision(
        "2_totals",
        "CREATE VIEW totals AS SELECT c.id AS customer, sum(o.total) AS total FROM orders o JOIN customers c ON c.id = o.customer GROUP BY c.id;\n\
         CREATE INDEX orders_customer ON orders (customer);\n",
        "DROP INDEX orders_customer;\nDROP VIEW totals;\n",
    );
}

fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        scenario(&mut env);
        snapshot!(env, name);
    }
}

#[test]
fn schemas_are_printed_compared_and_drawn() {
    on_both("schema", |env| {
        project(env);
        env.run("upgrade");
        env.run("schema dump");
        env.run("schema dump head-1");
        env.run("schema dump base");
        env.run("schema diff head live");
        env.run("schema diff head-1 head");
        env.run("schema diff head-1 head --format json");
        env.run("schema draw --changed 1");
        env.run("schema dump --include orders");
        env.write(
            "other.sql",
            "CREATE TABLE customers (id integer PRIMARY KEY);\n",
        );
        env.run("schema diff other.sql live");
        env.run("schema diff other.sql live --exclude table:orders --exclude totals");
    });
}

#[test]
fn drift_names_every_object() {
    on_both("schema_drift", |env| {
        project(env);
        env.run("upgrade");
        env.run("status --schema");
        env.run("check --schema");
        env.sql(
            "DROP INDEX orders_customer;\n\
             CREATE TABLE extra (id integer PRIMARY KEY);\n\
             ALTER TABLE customers ADD COLUMN phone text DEFAULT 'none';\n",
        );
        env.run("status --schema");
        env.run("status --schema --format json");
        env.run("check --schema");
        env.run("check --schema --format github");
    });
}

#[test]
fn drift_knows_what_is_applied() {
    on_both("schema_drift_applied", |env| {
        project(env);
        env.write(
            "migrations/R_names.sql",
            "DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT email FROM customers;\n",
        );
        env.run("upgrade");
        env.run("downgrade 1");
        env.run("status --schema");
        env.run("check --schema --pending-ok");
        env.remove("migrations/1_shop.up.sql");
        env.remove("migrations/1_shop.down.sql");
        env.write(
            "migrations/2_totals.up.sql",
            "CREATE TABLE t (id integer);\n",
        );
        env.run("status --schema");
    });
}

#[test]
fn sources_that_cannot_be_read_are_errors() {
    on_both("schema_sources", |env| {
        project(env);
        env.run("schema dump nosuch");
        env.run("schema dump nosuch.sql");
        env.run("schema dump ./migrations");
        env.run("schema dump mysql://h/db");
        env.run("schema diff head live --exclude tabel:x");
        env.write("broken/1.sql", "CREATE TABLE a (id integer);\n");
        env.write(
            "broken/2.sql",
            "CREATE TABLE b (id integer);\nCREATE TABLE a (x integer);\n",
        );
        env.run("schema dump ./broken");
        env.write("migrations/3_broken.up.sql", "DROP TABLE nosuch;\n");
        env.write("migrations/3_broken.down.sql", "SELECT 1;\n");
        env.run("schema dump head");
        env.run("schema draw nosuch.sql --changed 1");
        env.write("one.sql", "CREATE TABLE a (id integer);\n");
        env.run("schema draw one.sql --changed 1");
    });
}

#[test]
fn scripts_that_reach_beyond_their_database_are_refused() {
    on_both("schema_outside", |env| {
        let outside = match env.backend {
            Backend::Sqlite => "ATTACH 'other.db' AS other;\n",
            Backend::Postgres => "CREATE ROLE nobody_else;\n",
        };
        env.write("outside.sql", outside);
        env.run("schema dump outside.sql");
        assert!(!env.path("other.db").exists());
        if env.backend == Backend::Postgres {
            let found = env.sql("SELECT count(*) FROM pg_roles WHERE rolname = 'nobody_else'");
            assert_eq!(found.trim(), "0");
        }
    });
}

#[test]
fn the_schema_file_follows_the_database() {
    on_both("schema_file", |env| {
        project(env);
        let config = fs::read_to_string(env.path("migrator.toml")).unwrap_or_default();
        let config = match config.contains("[migrator]") {
            true => config.replace("[migrator]\n", "[migrator]\nschema-file = \"schema.sql\"\n"),
            false => format!("[migrator]\nschema-file = \"schema.sql\"\n{config}"),
        };
        env.write("migrator.toml", config);
        env.run("upgrade 1");
        let first = fs::read_to_string(env.path("schema.sql")).unwrap();
        env.note(&first);
        let modified = |env: &Env| {
            fs::metadata(env.path("schema.sql"))
                .unwrap()
                .modified()
                .unwrap()
        };
        let before = modified(env);
        env.run("upgrade 1");
        assert_eq!(modified(env), before, "an unchanged file is left alone");
        env.run("upgrade");
        assert_ne!(fs::read_to_string(env.path("schema.sql")).unwrap(), first);
        env.run("downgrade 1");
        assert_eq!(fs::read_to_string(env.path("schema.sql")).unwrap(), first);
        env.remove("schema.sql");
        fs::create_dir(env.path("schema.sql")).unwrap();
        env.run("upgrade");
    });
}

#[test]
fn a_role_needs_createdb_and_nothing_else() {
    let database = PostgresDatabase::create();
    let role = |suffix: &str, options: &str| {
        let name = format!("{}_{suffix}", database.name);
        database.query(&format!("CREATE ROLE {name} LOGIN {options}"));
        let url = database.url.replace("postgres@", &format!("{name}@"));
        (name, url)
    };
    let (creator, creator_url) = role("createdb", "CREATEDB");
    let (other, other_url) = role("plain", "");
    let mut env = Env::new(Backend::Postgres);
    env.write("one.sql", "CREATE TABLE a (id integer PRIMARY KEY);\n");
    let dump = |env: &mut Env, url: &str, scratch: &str| {
        let output = env
            .command()
            .args(["--url", url, "schema", "dump", "one.sql"])
            .env("MIGRATOR_SCRATCH_URL", scratch)
            // Whether this machine has a server's programs must not decide.
            .env("TMPDIR", "/nonexistent")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, sql, _) = dump(&mut env, &creator_url, "");
    assert_eq!(code, Some(0));
    assert!(sql.contains("CREATE TABLE public.a"), "{sql}");
    let (code, sql, error) = dump(&mut env, &other_url, "");
    assert_eq!((code, sql.as_str()), (Some(1), ""));
    assert!(
        error.contains("M872") && error.contains("permission denied to create database"),
        "{error}"
    );
    let (code, sql, error) = dump(&mut env, &other_url, &creator_url);
    assert_eq!(code, Some(0), "{error}");
    assert!(sql.contains("CREATE TABLE public.a"), "{sql}");
    let (code, _, error) = dump(&mut env, &creator_url, &other_url);
    assert_eq!(code, Some(1));
    assert!(error.contains("on the server of scratch-url"), "{error}");
    assert_eq!(database.scratch_databases(), "0");
    for role in [creator, other] {
        database.query(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    }
}

#[test]
fn what_a_killed_process_leaves_is_removed_by_the_next() {
    let database = PostgresDatabase::create();
    let env = Env::new(Backend::Postgres);
    env.write(
        "slow.sql",
        "CREATE TABLE a (id integer);\nSELECT pg_sleep(60);\n",
    );
    env.write("quick.sql", "CREATE TABLE a (id integer);\n");
    let dump = |file: &str| {
        let mut command = env.command();
        command.args(["--url", &database.url, "schema", "dump", file]);
        command
    };
    let mut running = dump("slow.sql").spawn().unwrap();
    crate::common::wait_until("the script runs", || {
        let found = database.value(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '{}\\_scratch\\_%' \
             AND wait_event = 'PgSleep'",
            database.name
        ));
        found.as_deref() == Some("1")
    });
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(database.scratch_databases(), "1");
    assert!(dump("quick.sql").output().unwrap().status.success());
    assert_eq!(database.scratch_databases(), "0");
}
