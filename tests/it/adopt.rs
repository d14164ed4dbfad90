//! Moving in: databases that other tools have half applied, in tests/fixtures/adopt, adopted and brought to head.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::common::{Backend, Env};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/adopt")
}

/// The tool's own directory.
fn migrations(env: &Env, tool: &str) {
    fn copy(from: &Path, to: &str, env: &Env) {
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{to}/{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                copy(&path, &name, env);
            } else {
                env.write(&name, fs::read(&path).unwrap());
            }
        }
    }
    let directory = match tool {
        // As docs/alembic_to_scripts.py writes them.
        "alembic" => format!("alembic_{}_scripts", env.backend.name()),
        _ => tool.to_owned(),
    };
    copy(&fixtures().join(directory), "migrations", env);
    // Flyway's files could have these names, too.
    if tool == "refinery" {
        config(env, "layout = \"refinery\"");
    }
}

/// A project as the tool has left it half way.
fn half_way(tool: &str, backend: Backend) -> Env {
    let env = Env::new(backend);
    migrations(&env, tool);
    let file = fixtures().join(format!("{tool}_{}.sql", backend.name()));
    env.load(&fs::read_to_string(file).unwrap());
    env
}

/// What migrator alone makes of the directory.
fn made_by_us(tool: &str, backend: Backend) -> String {
    let mut env = Env::new(backend);
    migrations(&env, tool);
    assert!(env.run("upgrade").status.success(), "{}", env.transcript());
    schema(&env)
}

/// The schema without what SQLite adds for the other tool's own table. Alembic writes tabs into a
/// database, and spaces into a script.
fn schema(env: &Env) -> String {
    let schema = env.schema().replace('\t', "    ");
    let lines = schema
        .lines()
        .filter(|line| !line.contains("sqlite_sequence"));
    lines.collect::<Vec<_>>().join("\n")
}

const TABLES: [(&str, &str); 9] = [
    ("sqlx", "_sqlx_migrations"),
    ("golang-migrate", "schema_migrations"),
    ("diesel", "__diesel_schema_migrations"),
    ("dbmate", "schema_migrations"),
    ("goose", "goose_db_version"),
    ("flyway", "flyway_schema_history"),
    ("refinery", "refinery_schema_history"),
    ("sql-migrate", "gorp_migrations"),
    ("alembic", "alembic_version"),
];

#[test]
fn what_a_tool_has_half_applied_goes_on_in_sqlite() {
    goes_on(Backend::Sqlite);
}

#[test]
fn what_a_tool_has_half_applied_goes_on_in_postgres() {
    goes_on(Backend::Postgres);
}

fn goes_on(backend: Backend) {
    for (tool, table) in TABLES {
        let mut env = half_way(tool, backend);
        let theirs = env.sql(&format!("SELECT * FROM {table}"));
        assert!(!theirs.is_empty());
        let before = env.fingerprint();
        env.run("adopt --dry-run");
        assert!(env.fingerprint() == before, "{tool}: a dry run writes");
        env.run("adopt");
        env.run("status");
        env.run("upgrade");
        // refinery has no down scripts.
        if tool != "refinery" {
            env.run("downgrade -1");
            env.run("upgrade");
        }
        snapshot!(env, format!("adopt_{tool}"));
        assert_eq!(env.sql(&format!("SELECT * FROM {table}")), theirs, "{tool}");
        env.sql(&format!("DROP TABLE {table}"));
        assert_eq!(schema(&env), made_by_us(tool, backend), "{tool}");
    }
}

/// What is in doubt, and how it is made so in a project of sqlx.
type Doubt = (&'static str, fn(&Env));

const DOUBTS: [Doubt; 5] = [
    ("failed", |env| {
        env.sql("UPDATE _sqlx_migrations SET success = false WHERE version = 20260101000002");
    }),
    ("changed", |env| {
        let file = "migrations/20260101000001_create_users.up.sql";
        env.write(
            file,
            "CREATE TABLE users (id integer PRIMARY KEY, name varchar);\n",
        );
    }),
    ("unknown", |env| {
        env.remove("migrations/20260101000002_create_posts.up.sql");
        env.remove("migrations/20260101000002_create_posts.down.sql");
    }),
    ("gap", |env| {
        let version = "UPDATE _sqlx_migrations SET version = 20260101000003";
        env.sql(&format!("{version} WHERE version = 20260101000002"));
    }),
    ("line_ends", |env| {
        let file = "migrations/20260101000001_create_users.up.sql";
        let text = fs::read_to_string(env.path(file)).unwrap();
        env.write(file, text.replace('\n', "\r\n"));
    }),
];

#[test]
fn what_is_in_doubt_is_shown_and_refused() {
    for backend in Backend::ALL {
        let mut transcript = Env::new(backend);
        for (name, make) in DOUBTS {
            let mut env = half_way("sqlx", backend);
            config(&env, "layout = \"sqlx\"");
            make(&env);
            let before = env.fingerprint();
            env.note(&format!("# {name}"));
            env.run("adopt --dry-run");
            assert!(env.fingerprint() == before, "{name}: a dry run writes");
            let refused = env.run("adopt");
            if name == "line_ends" {
                assert!(refused.status.success());
            } else {
                assert_eq!(refused.status.code(), Some(1), "{name}");
                assert!(env.fingerprint() == before, "{name}: a refusal writes");
                env.run("--format json adopt");
                env.run("adopt --yes");
            }
            env.run("-v history --log");
            env.run("status");
            transcript.append(env.transcript());
        }
        snapshot!(transcript, "adopt_doubts");
    }
}

fn config(env: &Env, text: &str) {
    let url = env.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\n{text}\n"),
    );
}

#[test]
fn without_records_there_is_nothing_to_adopt() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        migrations(&env, "sqlx");
        env.run("adopt");
        env.load("CREATE TABLE other (id integer)");
        env.run("adopt");
        env.run("adopt --from flyway");
        env.run("adopt --from rubbish");
        env.sql("CREATE TABLE gorp_migrations (id integer)");
        env.run("adopt");
        env.sql("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)");
        env.sql("CREATE TABLE schema_migrations (version bigint, dirty boolean)");
        env.run("adopt");
        env.run("adopt --from dbmate");
        env.run("adopt --from golang-migrate --dry-run");
        env.sql(
            "INSERT INTO schema_migrations VALUES (20260101000001, false), (20260101000002, false)",
        );
        let before = env.fingerprint();
        env.run("adopt --from golang-migrate --yes");
        assert!(env.fingerprint() == before);
        env.sql("DELETE FROM schema_migrations WHERE version = 20260101000002");
        env.run("adopt --from golang-migrate");
        // Once is enough.
        env.run("adopt --from golang-migrate --yes");
        env.run("-q adopt --from golang-migrate --dry-run");
        snapshot!(env, "adopt_refused");
    }
}

#[test]
fn the_time_is_that_of_the_other_tool() {
    for backend in Backend::ALL {
        let mut env = half_way("sqlx", backend);
        assert!(env.run("adopt").status.success());
        let (ours, theirs) = match backend {
            Backend::Sqlite => (
                "substr(applied_at, 1, 19)",
                "replace(installed_on, ' ', 'T')",
            ),
            Backend::Postgres => ("applied_at", "installed_on"),
        };
        let ours = env.sql(&format!(
            "SELECT {ours} FROM migrator_version ORDER BY sequence"
        ));
        let theirs = env.sql(&format!(
            "SELECT {theirs} FROM _sqlx_migrations ORDER BY version"
        ));
        assert_eq!(ours, theirs);
        let took = env.sql("SELECT duration_ms FROM migrator_version ORDER BY sequence");
        let theirs =
            env.sql("SELECT execution_time / 1000000 FROM _sqlx_migrations ORDER BY version");
        assert_eq!(took, theirs);
        let began = match backend {
            Backend::Sqlite => {
                "SELECT count(*) FROM migrator_version WHERE started_at < applied_at"
            }
            Backend::Postgres => {
                "SELECT count(*) FROM migrator_version
                 WHERE started_at + duration_ms * interval '1 ms' = applied_at"
            }
        };
        assert_eq!(env.sql(began).trim(), "2");
    }
}

#[test]
fn a_table_is_found_where_the_search_path_leads() {
    let mut env = Env::new(Backend::Postgres);
    migrations(&env, "golang-migrate");
    env.sql(
        "CREATE SCHEMA app;
         CREATE TABLE app.schema_migrations (version bigint, dirty boolean);
         INSERT INTO app.schema_migrations VALUES (1, false)",
    );
    env.run("adopt");
    let url = format!("{}?options=-csearch_path%3Dapp,public", env.url());
    env.run_with("adopt", &[("MIGRATOR_URL", &url)]);
    snapshot!(env, "adopt_search_path");
}

#[test]
fn a_table_that_the_role_may_not_read_is_named() {
    let mut env = half_way("goose", Backend::Postgres);
    let role = format!("reader_{}", std::process::id());
    env.sql(&format!(
        "CREATE ROLE {role} LOGIN; GRANT CREATE ON SCHEMA public TO {role}"
    ));
    let url = env.url().replacen("postgres@", &format!("{role}@"), 1);
    let output = env.run_with("adopt", &[("MIGRATOR_URL", &url)]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("error[M643]: public.goose_db_version of goose cannot be read"),
        "{text}"
    );
    env.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn converted_scripts_are_known_by_the_same_records() {
    // Those of Alembic are converted as they are.
    for (tool, _) in TABLES.into_iter().filter(|(tool, _)| *tool != "alembic") {
        let mut env = half_way(tool, Backend::Sqlite);
        assert!(env.run("convert --to scripts").status.success());
        config(&env, "migrations = \"scripts\"");
        let output = env.run("adopt");
        assert!(output.status.success(), "{}", env.transcript());
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.ends_with(": 2 revisions applied, 2 pending.\n"),
            "{said}"
        );
        env.run("upgrade");
        assert_eq!(env.sql("SELECT count(*) FROM migrator_version").trim(), "4");
    }
}

#[test]
fn repeatable_scripts_of_flyway_run_at_the_next_upgrade() {
    let mut env = half_way("flyway", Backend::Sqlite);
    let view = "DROP VIEW IF EXISTS names;\nCREATE VIEW names AS SELECT name FROM users;\n";
    env.write("migrations/R__names.sql", view);
    env.sql(view);
    env.sql(
        "INSERT INTO flyway_schema_history VALUES
         (3, NULL, 'names', 'SQL', 'R__names.sql', 1, '', '2026-11-25 03:05:43.123', 1, 1)",
    );
    for line in ["adopt", "status", "upgrade", "status"] {
        env.run(line);
    }
    snapshot!(env, "adopt_flyway_repeatable");
}

/// Tools let their users name the table.
#[test]
fn a_table_of_another_name_is_read_where_it_is_named() {
    for backend in Backend::ALL {
        let mut env = half_way("goose", backend);
        env.sql("ALTER TABLE goose_db_version RENAME TO own_versions");
        let unnamed = env.run("adopt --from goose");
        assert!(!unnamed.status.success());
        env.run("adopt --table own_versions");
        env.run("adopt --from goose --table nothing");
        env.run("adopt --from flyway --table own_versions");
        env.run("adopt --from goose --table own_versions");
        env.run("upgrade");
        snapshot!(env, "adopt_named_table");
    }
    let env = half_way("goose", Backend::Postgres);
    env.sql("CREATE SCHEMA other; ALTER TABLE goose_db_version SET SCHEMA other");
    let line = [
        "adopt",
        "--from",
        "goose",
        "--table",
        "other.goose_db_version",
    ];
    let adopted = env.command().args(line).output().unwrap();
    let said = String::from_utf8_lossy(&adopted.stdout);
    assert!(
        said.contains("(other.goose_db_version): 2 revisions applied"),
        "{said}"
    );
}

#[test]
fn old_flyway_called_its_table_otherwise() {
    for backend in Backend::ALL {
        let mut env = half_way("flyway", backend);
        env.sql("ALTER TABLE flyway_schema_history RENAME TO schema_version");
        let refused = env.run("upgrade");
        assert!(!refused.status.success(), "{}", env.transcript());
        assert!(env.run("adopt").status.success(), "{}", env.transcript());
        assert!(
            env.transcript().contains("from flyway ("),
            "{}",
            env.transcript()
        );
        assert!(env.run("upgrade").status.success(), "{}", env.transcript());
    }
}

/// SHA-256 of the first script of [`javascript`], as `sha256sum` gives it.
const FIRST: &str = "de010731e04c4b4da5fd08f2263dd6da07663aaf4957f7ed9adf5acf278d18c9";

/// Three scripts with the numbers of tools written in JavaScript, and a table of theirs that has the
/// first.
fn javascript(backend: Backend, table: &str) -> Env {
    let env = Env::new(backend);
    for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
        env.revision(
            &format!("2024010112000{id}_{name}"),
            &format!("CREATE TABLE {name} (x integer);\n"),
            &format!("DROP TABLE {name};\n"),
        );
    }
    env.load(&format!("CREATE TABLE a (x integer);\n{table}"));
    env
}

fn goes_on_from(tool: &str, backend: Backend, table: &str) {
    let mut env = javascript(backend, table);
    let said = env.run("upgrade");
    assert!(!said.status.success(), "{}", env.transcript());
    env.run("adopt");
    env.run("history --log -N 2");
    env.run("upgrade");
    snapshot!(env, format!("adopt_{tool}"));
}

#[test]
fn records_of_prisma_are_adopted() {
    for (backend, time, at) in [
        (Backend::Postgres, "timestamptz", "'2024-02-03 04:05:06Z'"),
        (Backend::Sqlite, "datetime", "1706933106000"),
    ] {
        let table = |rows: &str| {
            format!(
                "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, \
                 finished_at {time}, migration_name varchar(255) NOT NULL, logs text, rolled_back_at {time}, \
                 started_at {time} NOT NULL, applied_steps_count integer NOT NULL DEFAULT 0);\n\
                 INSERT INTO _prisma_migrations VALUES ('i1', 'c', NULL, '20240101120001_a', 'failed', {at}, {at}, 0), \
                 ('i2', 'c', {at}, '20240101120001_a', NULL, NULL, {at}, 1){rows};\n"
            )
        };
        goes_on_from("prisma", backend, &table(""));
        let failed = format!(", ('i3', 'c', NULL, '20240101120002_b', 'x', NULL, {at}, 0)");
        let mut env = javascript(backend, &table(&failed));
        assert!(!env.run("adopt").status.success());
        assert!(
            env.transcript().contains("error[M490]"),
            "{}",
            env.transcript()
        );
    }
}

#[test]
fn records_of_drizzle_are_adopted() {
    for (backend, prefix, id) in [
        (Backend::Postgres, "drizzle.", "serial"),
        (Backend::Sqlite, "", "SERIAL"),
    ] {
        let schema = match backend {
            Backend::Postgres => "CREATE SCHEMA drizzle;\n",
            Backend::Sqlite => "",
        };
        let table = format!(
            "{schema}CREATE TABLE {prefix}__drizzle_migrations (id {id} PRIMARY KEY, hash text NOT NULL, created_at bigint);\n\
             INSERT INTO {prefix}__drizzle_migrations (hash, created_at) VALUES ('{FIRST}', 1706933106000);\n"
        );
        goes_on_from("drizzle", backend, &table);
    }
}

#[test]
fn records_of_knex_and_node_pg_migrate_are_adopted() {
    for (backend, id, time, at) in [
        (
            Backend::Postgres,
            "serial",
            "timestamptz",
            "'2024-02-03 04:05:06Z'",
        ),
        (Backend::Sqlite, "integer", "datetime", "1706933106000"),
    ] {
        let table = format!(
            "CREATE TABLE knex_migrations (id {id} PRIMARY KEY, name varchar(255), batch integer, migration_time {time});\n\
             INSERT INTO knex_migrations (name, batch, migration_time) VALUES ('20240101120001_a.js', 1, {at});\n"
        );
        goes_on_from("knex", backend, &table);
    }
    goes_on_from(
        "node-pg-migrate",
        Backend::Postgres,
        "CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);\n\
         INSERT INTO pgmigrations (name, run_on) VALUES ('20240101120001_a', '2024-02-03 04:05:06');\n",
    );
}
