//! What a script leaves in its session reaches neither the next script nor the bookkeeping.

use crate::common::{Backend, Env};

const ON: &str = "";
const OFF: &str = "-- migrator: transaction = off\n";

/// Which header the scripts have that leave something, which the ones that look, and the command.
const KINDS: [(&str, &str, &str); 4] = [
    (ON, ON, "upgrade"),
    (OFF, OFF, "upgrade"),
    (OFF, ON, "upgrade"),
    (ON, ON, "upgrade --transaction all"),
];

/// Something to leave, and whether it can be left in the middle of a resumable script, too.
type Dirt = (&'static str, bool);

const POSTGRES: &[Dirt] = &[
    ("SET ROLE [ROLE]", true),
    ("SET SESSION AUTHORIZATION [ROLE]", true),
    ("SET search_path TO nowhere", true),
    (
        "SELECT pg_catalog.set_config('search_path', '', false)",
        true,
    ),
    ("SET session_replication_role TO replica", true),
    ("SET default_transaction_read_only TO on", true),
    (
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
        true,
    ),
    ("SET client_encoding TO 'LATIN1'", true),
    ("SET NAMES 'SQL_ASCII'", true),
    ("SET standard_conforming_strings TO off", true),
    (
        "SET timezone TO 'Asia/Tokyo'; SET datestyle TO 'German'",
        true,
    ),
    (
        "SET statement_timeout TO '1h'; SET lock_timeout TO '1h'; SET row_security TO off",
        true,
    ),
    (
        "SET application_name TO 'nobody'; SET migrator.session TO 'nobody'",
        true,
    ),
    ("SELECT pg_advisory_unlock_all()", true),
    (
        "SET check_function_bodies TO off; SET default_tablespace TO ''; SET work_mem TO '1MB'",
        true,
    ),
    (
        "CREATE TEMP TABLE migrator_version (x integer); CREATE TEMP TABLE migrator_version_log (x integer)",
        false,
    ),
    (
        "CREATE TEMP TABLE seen (x integer); SET search_path TO pg_temp",
        false,
    ),
    (
        "LISTEN something; DECLARE c CURSOR WITH HOLD FOR SELECT 1; PREPARE p AS SELECT 1",
        false,
    ),
    (
        "SET LOCAL ROLE [ROLE]; SET LOCAL search_path TO nowhere",
        false,
    ),
    ("SET CONSTRAINTS ALL DEFERRED", false),
    ("DISCARD ALL", true),
];

/// Everything a script of PostgreSQL can see of its session.
const SEEN_BY_POSTGRES: &str = "concat_ws(',', current_user, session_user, current_schemas(false), \
     length('żółw'), length('\\n'), \
     (SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings \
      WHERE name IN ('search_path', 'session_replication_role', 'default_transaction_read_only', \
      'default_transaction_isolation', 'transaction_isolation', 'client_encoding', 'TimeZone', \
      'DateStyle', 'statement_timeout', 'lock_timeout', 'row_security', 'check_function_bodies', \
      'work_mem', 'client_connection_check_interval')), \
     current_setting('migrator.session', true), \
     (SELECT count(*) FROM pg_cursors WHERE name = 'c'), (SELECT count(*) FROM pg_prepared_statements), \
     (SELECT count(*) FROM pg_listening_channels()), \
     (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND pg_table_is_visible(oid)), \
     (SELECT count(DISTINCT objid) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'))";

const ATTACH_AND_WRITE: &str =
    "ATTACH ':memory:' AS other; CREATE TABLE other.migrator_version (x)";

const SQLITE: &[Dirt] = &[
    ("PRAGMA foreign_keys = ON", true),
    ("PRAGMA query_only = ON", true),
    ("PRAGMA writable_schema = ON", true),
    ("PRAGMA recursive_triggers = ON", true),
    (
        "PRAGMA ignore_check_constraints = ON; PRAGMA legacy_alter_table = ON",
        true,
    ),
    (
        "PRAGMA case_sensitive_like = ON; PRAGMA reverse_unordered_selects = ON",
        true,
    ),
    (
        "PRAGMA cache_size = 7; PRAGMA defer_foreign_keys = ON",
        true,
    ),
    (
        "PRAGMA trusted_schema = OFF; PRAGMA max_page_count = 100000",
        true,
    ),
    (ATTACH_AND_WRITE, true),
    ("ATTACH 'beside.db' AS migrator_version", true),
    (
        "CREATE TEMP TABLE migrator_version (x); CREATE TEMP TABLE migrator_version_log (x)",
        false,
    ),
    (
        "CREATE TEMP TABLE seen (x); CREATE TEMP VIEW v AS SELECT 1",
        false,
    ),
    (
        "CREATE TEMP TRIGGER t BEFORE INSERT ON main.migrator_version BEGIN SELECT RAISE(IGNORE); END",
        false,
    ),
    (
        "CREATE TEMP TRIGGER t BEFORE INSERT ON main.migrator_version_log BEGIN SELECT RAISE(ABORT, 'no'); END",
        false,
    ),
];

/// Everything a script of SQLite can see of its session.
const SEEN_BY_SQLITE: &str = "concat_ws(',', (SELECT foreign_keys FROM pragma_foreign_keys), \
     (SELECT query_only FROM pragma_query_only), (SELECT writable_schema FROM pragma_writable_schema), \
     (SELECT recursive_triggers FROM pragma_recursive_triggers), \
     (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints), \
     (SELECT legacy_alter_table FROM pragma_legacy_alter_table), 'a' LIKE 'A', \
     (SELECT reverse_unordered_selects FROM pragma_reverse_unordered_selects), \
     (SELECT cache_size FROM pragma_cache_size), (SELECT defer_foreign_keys FROM pragma_defer_foreign_keys), \
     (SELECT trusted_schema FROM pragma_trusted_schema), (SELECT max_page_count FROM pragma_max_page_count), \
     (SELECT group_concat(name) FROM pragma_database_list WHERE name <> 'temp'), \
     (SELECT count(*) FROM sqlite_temp_schema))";

/// Writes revisions that look, leave something, look, leave something else … Returns how many.
fn write(
    env: &Env,
    dirt: &[Dirt],
    seen: &str,
    (leaves, looks, _): (&str, &str, &str),
    role: &str,
) -> usize {
    let table = match env.backend {
        Backend::Sqlite => "main.seen",
        Backend::Postgres => "public.seen",
    };
    env.write(
        "migrations/1_table.up.sql",
        format!("CREATE TABLE {table} (number integer, what text);\n"),
    );
    let mut number = 1;
    let look = |number: &mut usize| {
        *number += 1;
        let script = format!("{looks}INSERT INTO {table} SELECT {number}, {seen};\n");
        env.write(&format!("migrations/{number}_look.up.sql"), script);
    };
    look(&mut number);
    for (statements, resumable) in dirt {
        let header = if *resumable { leaves } else { ON };
        // It cannot be run in a transaction.
        let header = if statements.starts_with("DISCARD ALL") {
            OFF
        } else {
            header
        };
        number += 1;
        let script = format!("{header}{};\n", statements.replace("[ROLE]", role));
        env.write(&format!("migrations/{number}_leave.up.sql"), script);
        look(&mut number);
    }
    number
}

/// Runs them; what was seen must be the same every time, and every revision on record.
fn check(backend: Backend, dirt: &[Dirt], seen: &str, kind: (&str, &str, &str)) {
    let mut env = Env::new(backend);
    let role = match backend {
        Backend::Postgres => env
            .sql("SELECT current_database() || '_role'")
            .trim()
            .to_owned(),
        Backend::Sqlite => String::new(),
    };
    if backend == Backend::Postgres {
        env.sql(&format!("CREATE ROLE {role}"));
    }
    // A file that ATTACH can open.
    env.write("beside.db", "");
    let one_transaction = kind.2.ends_with("all");
    let fits = |(statements, _): &&Dirt| match *statements {
        "DISCARD ALL" | ATTACH_AND_WRITE => !one_transaction,
        // Refused in a transaction, where it would do nothing.
        "PRAGMA foreign_keys = ON" => kind.0 == OFF,
        _ => true,
    };
    let dirt: Vec<_> = dirt.iter().filter(fits).copied().collect();
    let count = write(&env, &dirt, seen, kind, &role);
    let output = env.run(kind.2);
    if backend == Backend::Postgres {
        env.sql(&format!("DROP ROLE {role}"));
    }
    assert!(output.status.success(), "{kind:?}: {}", env.transcript());
    let lines = env.sql("SELECT what FROM seen ORDER BY number");
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), dirt.len() + 1);
    for (line, (statements, _)) in lines[1..].iter().zip(&dirt) {
        assert_eq!(*line, lines[0], "{kind:?}: after {statements}");
    }
    for sql in [
        "SELECT count(*) FROM migrator_version WHERE state = 'applied'",
        "SELECT count(*) FROM migrator_version_log WHERE event = 'upgrade' AND outcome = 'ok'",
    ] {
        assert_eq!(env.sql(sql), format!("{count}\n"), "{kind:?}");
    }
}

#[test]
fn postgres_sessions_are_clean_for_every_script() {
    for kind in KINDS {
        check(Backend::Postgres, POSTGRES, SEEN_BY_POSTGRES, kind);
    }
}

#[test]
fn sqlite_sessions_are_clean_for_every_script() {
    for kind in KINDS {
        check(Backend::Sqlite, SQLITE, SEEN_BY_SQLITE, kind);
    }
}

#[test]
fn an_attached_database_that_can_not_be_detached_ends_the_run() {
    let mut env = Env::new(Backend::Sqlite);
    env.revision("1_attach", &format!("{ATTACH_AND_WRITE};\n"), "");
    env.revision("2_b", "CREATE TABLE b (x integer);\n", "");
    let output = env.run("upgrade --transaction all");
    assert_eq!(output.status.code(), Some(1), "{}", env.transcript());
    let said = "the attached database other takes part in the transaction";
    assert!(env.transcript().contains(said), "{}", env.transcript());
    assert_eq!(env.sql("SELECT count(*) FROM migrator_version"), "0\n");
    assert!(env.run("upgrade").status.success(), "{}", env.transcript());
}

#[test]
fn a_role_that_may_not_read_the_records_can_be_set() {
    for (header, set) in [
        (ON, "SET ROLE"),
        (ON, "SET SESSION AUTHORIZATION"),
        (OFF, "SET ROLE"),
        (OFF, "SET SESSION AUTHORIZATION"),
    ] {
        let mut env = Env::new(Backend::Postgres);
        let role = env
            .sql("SELECT current_database() || '_role'")
            .trim()
            .to_owned();
        env.sql(&format!(
            "CREATE ROLE {role}; CREATE SCHEMA theirs AUTHORIZATION {role}"
        ));
        env.revision(
            "1_theirs",
            &format!("{header}{set} {role};\nCREATE TABLE theirs.a (x integer);\nINSERT INTO theirs.a VALUES (1);\n"),
            &format!("{header}{set} {role};\nDROP TABLE theirs.a;\n"),
        );
        env.revision(
            "2_ours",
            "CREATE TABLE ours (x integer);\n",
            "DROP TABLE ours;\n",
        );
        let output = env.run("upgrade");
        let owners = env.sql(
            "SELECT tableowner = current_user FROM pg_tables
             WHERE schemaname IN ('public', 'theirs') ORDER BY tablename",
        );
        let back = env.run("downgrade base");
        env.sql(&format!("DROP SCHEMA theirs CASCADE; DROP ROLE {role}"));
        assert!(
            output.status.success() && back.status.success(),
            "{}",
            env.transcript()
        );
        // a, migrator_version, migrator_version_log, ours
        assert_eq!(owners, "f\nt\nt\nt\n");
    }
}

#[test]
fn a_role_that_is_set_for_every_session_is_no_hindrance() {
    let mut env = Env::new(Backend::Postgres);
    env.revision("1_a", "CREATE TABLE a (x integer);", "DROP TABLE a;");
    let role = format!("of_{}", env.sql("SELECT current_database()").trim());
    env.sql(&format!(
        "CREATE ROLE {role}; GRANT ALL ON SCHEMA public TO {role}"
    ));
    let url = format!("{}?options=-c%20role%3D{role}", env.url());
    env.write("migrator.toml", format!("[migrator]\nurl = \"{url}\"\n"));
    let up = env.run("upgrade");
    let owner = env.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'a'");
    env.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    assert!(up.status.success(), "{up:?}");
    assert_eq!(owner.trim(), role);
}
