//! What is recorded of `transaction = off` scripts: how much, in which form, and what is made of
//! it when they are resumed.

use migrator::internals::{
    revision::{Checksum, Headers, TransactionMode},
    sql::{self, Dialect},
};

use crate::common::{Backend, Env};

const OFF: &str = "-- migrator: transaction = off\n";
const FILE: &str = "migrations/1_a.up.sql";
const DOWN: &str = "migrations/1_a.down.sql";

/// A project with one script of these statements, one a line.
fn project(backend: Backend, statements: &[&str]) -> Env {
    let env = Env::new(backend);
    env.revision("1_a", &script(statements), "DROP TABLE a;\n");
    env
}

fn script(statements: &[&str]) -> String {
    format!("{OFF}{};\n", statements.join(";\n"))
}

/// Statements that end with one that fails.
const FAILING: [&str; 5] = [
    "CREATE TABLE a (x integer)",
    "INSERT INTO a VALUES (1)",
    "INSERT INTO a VALUES (2)",
    "INSERT INTO nowhere VALUES (3)",
    "INSERT INTO a VALUES (4)",
];

const FIXED: [&str; 5] = [
    "CREATE TABLE a (x integer)",
    "INSERT INTO a VALUES (1)",
    "INSERT INTO a VALUES (2)",
    "INSERT INTO a VALUES (3)",
    "INSERT INTO a VALUES (4)",
];

fn upgrade(env: &mut Env) {
    let output = env.run("upgrade");
    assert!(output.status.success(), "{}", env.transcript());
}

/// Runs a command that must be refused with `expected`, and change nothing.
fn refused(env: &mut Env, line: &str, expected: &str) {
    let before = env.fingerprint();
    let output = env.run(line);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && text.contains(expected),
        "{text}"
    );
    assert!(env.fingerprint() == before, "{line} has changed something");
}

/// A project that has stopped at the fourth statement.
fn stopped(backend: Backend) -> Env {
    let mut env = project(backend, &FAILING);
    let output = env.run("upgrade");
    assert_eq!(output.status.code(), Some(4), "{}", env.transcript());
    env
}

/// The list that layout 1 keeps of the statements done.
fn listed(backend: Backend, statements: &[&str]) -> String {
    let dialect = match backend {
        Backend::Sqlite => Dialect::Sqlite,
        Backend::Postgres => Dialect::Postgres,
    };
    let headers = Headers {
        transaction: TransactionMode::Off,
        ..Headers::default()
    };
    let checksums = statements.iter().map(|statement| {
        let canonical = sql::canonicalize(dialect, statement);
        Checksum::of(&canonical, &headers).to_string()
    });
    checksums.collect::<Vec<_>>().join(",")
}

/// Makes of the tables what the first release has made, `done` statements into the script.
pub(crate) fn to_layout_1(env: &Env, done: usize) {
    let list = listed(env.backend, &FAILING[..done]);
    if env.backend == Backend::Sqlite {
        env.sql("DROP TABLE migrator_version_progress");
    }
    env.sql(&format!(
        "ALTER TABLE migrator_version DROP COLUMN up_script;
         UPDATE migrator_version SET statements_done = {done}, statement_checksums = '{list}',
            error = 'it failed' WHERE state = 'partial';
         UPDATE migrator_version_log SET detail = '1' WHERE event = 'layout'"
    ));
}

fn rows_of_a(env: &Env) -> String {
    env.sql("SELECT x FROM a ORDER BY x").replace('\n', " ")
}

fn layouts(env: &Env) -> String {
    let sql = "SELECT detail FROM migrator_version_log WHERE event = 'layout' ORDER BY sequence";
    env.sql(sql).replace('\n', " ")
}

#[test]
fn a_partial_row_of_layout_1_is_resumed() {
    for backend in Backend::ALL {
        let mut env = stopped(backend);
        to_layout_1(&env, 3);
        let before = env.fingerprint();
        let status = env.run("status");
        let text = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(text.contains("3 of 5"), "{text}");
        assert!(env.fingerprint() == before, "status has written");
        env.write(FILE, script(&FIXED));
        upgrade(&mut env);
        assert_eq!(rows_of_a(&env), "1 2 3 4 ", "{backend:?}");
        assert_eq!(layouts(&env), "1 2 ", "{backend:?}");
        let left = "SELECT count(*) FROM migrator_version WHERE state <> 'applied'
            OR statement_checksums IS NOT NULL OR script IS NOT NULL";
        assert_eq!(env.sql(left), "0\n");
    }
}

#[test]
fn an_older_layout_is_upgraded_by_what_writes_and_once() {
    for backend in Backend::ALL {
        let mut env = project(backend, &FIXED);
        upgrade(&mut env);
        to_layout_1(&env, 0);
        env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
        for line in ["status", "check", "upgrade --dry-run", "history -i"] {
            env.run(line);
            assert_eq!(layouts(&env), "1 ", "{line}");
        }
        upgrade(&mut env);
        assert_eq!(layouts(&env), "1 2 ", "{backend:?}");
        let down = env.run("downgrade base");
        assert!(down.status.success(), "{}", env.transcript());
        assert_eq!(layouts(&env), "1 2 ", "{backend:?}");
    }
}

#[test]
fn a_script_of_sql_upgrades_an_older_layout() {
    for backend in Backend::ALL {
        // Where a range names the start, no database tells which layout it has.
        for line in ["upgrade --sql", "upgrade 1:2 --sql"] {
            let mut env = project(backend, &FIXED);
            upgrade(&mut env);
            to_layout_1(&env, 0);
            env.revision("2_b", "CREATE TABLE b (x integer);\n", "DROP TABLE b;\n");
            let output = env.run(line);
            let text = String::from_utf8(output.stdout).unwrap();
            // The shell of SQLite cannot decide whether to add a column.
            if backend == Backend::Sqlite && line.contains(':') {
                let old = "the version table migrator_version has an older layout; \
                           run `migrator ensure-version` first";
                stops(&env, &text, old);
                assert!(env.run("ensure-version").status.success());
            }
            if backend == Backend::Sqlite && !line.contains(':') {
                let copy = std::fs::read(env.path("app.db")).unwrap();
                assert!(env.run("ensure-version").status.success());
                let upgraded = "the layout of the version table migrator_version has been \
                                upgraded; print this script again";
                stops(&env, &text, upgraded);
                env.write("app.db", copy);
            }
            let ran = env.shell(&text);
            assert!(ran.status.success(), "{ran:?}\n{text}");
            assert_eq!(layouts(&env), "1 2 ", "{backend:?}: {line}");
            let status = env.run("status");
            assert!(status.status.success(), "{}", env.transcript());
            // A database that is up to date is left as it is.
            let output = env.run("downgrade 2:1 --sql");
            let ran = env.shell(std::str::from_utf8(&output.stdout).unwrap());
            assert!(ran.status.success(), "{ran:?}");
            assert_eq!(layouts(&env), "1 2 ", "{backend:?}: {line}");
        }
    }
}

/// Runs a script that must stop with `why` and change nothing.
fn stops(env: &Env, script: &str, why: &str) {
    let before = env.fingerprint();
    let ran = env.shell(script);
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(!ran.status.success() && said.contains(why), "{ran:?}");
    assert!(env.fingerprint() == before, "it has changed something");
}

#[test]
fn the_statement_that_was_changed_is_named() {
    let check = |backend, old: bool, edited: &[&str], expected: &str, line: u32| {
        let mut env = stopped(backend);
        if old {
            to_layout_1(&env, 3);
        }
        env.write(FILE, script(edited));
        refused(&mut env, "upgrade", expected);
        let place = format!("{FILE}:{line}:1");
        assert!(env.transcript().contains(&place), "{}", env.transcript());
    };
    for backend in Backend::ALL {
        for old in [false, true] {
            let mut edited = FIXED;
            edited[1] = "INSERT INTO a VALUES (11)";
            let named = "statement 2 of revision 1 was changed after it was run";
            check(backend, old, &edited, named, 3);
            edited.swap(1, 3);
            check(backend, old, &edited, named, 3);
            let named = "statement 3 of revision 1 was changed after it was run";
            check(backend, old, &FIXED[..2], named, 1);
        }
    }
}

#[test]
fn a_record_that_tells_no_statement_is_refused_all_the_same() {
    for backend in Backend::ALL {
        let mut env = stopped(backend);
        // As if this version split the text that ran in another way.
        env.sql("UPDATE migrator_version SET script = 'SELECT 1'");
        let mut edited = FIXED;
        edited[0] = "CREATE TABLE a (x bigint)";
        env.write(FILE, script(&edited));
        refused(
            &mut env,
            "upgrade",
            "one of the first 3 statements of revision 1 was changed",
        );
        env.write(FILE, script(&FIXED));
        upgrade(&mut env);
        assert_eq!(rows_of_a(&env), "1 2 3 4 ", "{backend:?}");
    }
}

#[test]
fn a_script_that_lost_its_header_is_not_resumed() {
    for backend in Backend::ALL {
        let mut env = stopped(backend);
        env.write(FILE, script(&FIXED).replace(OFF, ""));
        refused(
            &mut env,
            "upgrade",
            "no longer has its header `transaction = off`",
        );
    }
}

#[test]
fn a_down_script_is_resumed_and_compared_likewise() {
    for backend in Backend::ALL {
        for old in [false, true] {
            let mut env = project(backend, &FIXED);
            upgrade(&mut env);
            let down = [
                "DELETE FROM a WHERE x = 1",
                "DELETE FROM nowhere",
                "DROP TABLE a",
            ];
            env.write(DOWN, script(&down));
            let output = env.run("downgrade base");
            assert_eq!(output.status.code(), Some(4), "{}", env.transcript());
            if old {
                let list = listed(backend, &down[..1]);
                to_layout_1(&env, 0);
                env.sql(&format!(
                    "UPDATE migrator_version SET statements_done = 1, statement_checksums = '{list}'"
                ));
            }
            let mut edited = down;
            edited[0] = "DELETE FROM a WHERE x = 2";
            env.write(DOWN, script(&edited));
            let named = "statement 1 of revision 1 was changed after it was run";
            refused(&mut env, "downgrade base", named);
            let mut fixed = down;
            fixed[1] = "DELETE FROM a WHERE x > 3";
            env.write(DOWN, script(&fixed));
            let output = env.run("downgrade base");
            assert!(output.status.success(), "{}", env.transcript());
            assert_eq!(env.sql("SELECT count(*) FROM migrator_version"), "0\n");
        }
    }
}

#[test]
fn repair_settles_a_statement_of_either_layout() {
    for backend in Backend::ALL {
        for old in [false, true] {
            let mut env = stopped(backend);
            if old {
                to_layout_1(&env, 3);
            }
            env.sql("INSERT INTO a VALUES (3)");
            let repaired = env.run("repair --statement 4 --done --yes");
            assert!(repaired.status.success(), "{}", env.transcript());
            upgrade(&mut env);
            assert_eq!(rows_of_a(&env), "1 2 3 4 ", "{backend:?} {old}");
        }
    }
}

/// The version row says where the script began; only the table of progress says how far it is.
#[test]
fn a_row_without_its_progress_is_refused_on_sqlite() {
    let mut env = stopped(Backend::Sqlite);
    env.sql("DELETE FROM migrator_version_progress");
    env.write(FILE, script(&FIXED));
    let expected = "makes no sense as statement_checksums of row 1";
    refused(&mut env, "upgrade", expected);
    refused(&mut env, "status", expected);
}

/// Bytes of the script that `--sql` writes for a script of `count` statements.
fn written(backend: Backend, count: usize) -> usize {
    let mut env = project(backend, &[]);
    env.write(FILE, many(count));
    let output = env.run("upgrade :head --sql");
    assert!(output.status.success(), "{}", env.transcript());
    output.stdout.len()
}

fn many(count: usize) -> String {
    let inserts = (10_001..10_000 + count).map(|x| format!("INSERT INTO a VALUES ({x});\n"));
    format!(
        "{OFF}CREATE TABLE a (x integer);\n{}",
        inserts.collect::<String>()
    )
}

#[test]
fn twice_the_statements_are_twice_the_commands() {
    for backend in Backend::ALL {
        let [less, some, more] = [100, 300, 700].map(|count| written(backend, count));
        let (first, second) = (some - less, more - some);
        // The numbers of the statements get longer, and nothing else.
        assert!(
            second * 100 < first * 2 * 102,
            "{backend:?}: {first} bytes for 200 statements, {second} for 400"
        );
    }
}

/// Where a script of 2,000 statements stops at its end, and its down script is as long.
#[test]
fn the_record_of_a_long_script_is_small() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        env.write(FILE, many(2_000) + "SELECT * FROM nowhere;\n");
        env.write(DOWN, many(2_000));
        let output = env.run("upgrade");
        assert_eq!(output.status.code(), Some(4), "{}", env.transcript());
        let texts = env.sql("SELECT length(script) + length(down_script) FROM migrator_version");
        assert!(texts.trim().parse::<usize>().unwrap() > 100_000, "{texts}");
        // All that is written again with every statement. PostgreSQL keeps the texts apart and
        // does not write those that an update leaves alone.
        let row = match backend {
            Backend::Postgres => {
                "SELECT pg_column_size(statements_done) + pg_column_size(statement_checksums)
                    + pg_column_size(error) + pg_column_size(duration_ms) FROM migrator_version"
            }
            Backend::Sqlite => {
                "SELECT length(revision) + length(statements_done) + length(statement_checksums)
                    + length(error) + length(duration_ms) FROM migrator_version_progress"
            }
        };
        let bytes: usize = env.sql(row).trim().parse().unwrap();
        assert!(bytes < 1_000, "{backend:?}: {bytes} bytes");
        if backend == Backend::Postgres {
            let size = "SELECT pg_total_relation_size('migrator_version')";
            let bytes: usize = env.sql(size).trim().parse().unwrap();
            // 157 MB, when each update held the checksums of all statements before it.
            assert!(bytes < 1 << 20, "{bytes} bytes");
        }
    }
}

#[test]
fn all_records_agree_on_how_long_a_script_took() {
    for backend in Backend::ALL {
        let batch = "-- migrator: batch pause=150ms\n\
                     UPDATE a SET x = 1 WHERE x IN (SELECT min(x) FROM a WHERE x > 1)";
        let mut env = project(
            backend,
            &[
                "CREATE TABLE a (x integer)",
                "INSERT INTO a VALUES (2), (3), (4)",
                batch,
                "VACUUM",
            ],
        );
        upgrade(&mut env);
        let number = |sql: &str| -> i64 { env.sql(sql).trim().parse().unwrap() };
        let row = number("SELECT duration_ms FROM migrator_version");
        let log = number("SELECT duration_ms FROM migrator_version_log WHERE event = 'upgrade'");
        let batch = number("SELECT duration_ms FROM migrator_version_log WHERE event = 'batch'");
        // Three batches with a pause after each.
        assert!(batch >= 450, "{backend:?}: {batch}");
        assert!(
            batch <= log && (log - row).abs() <= 20,
            "{backend:?}: {log} {row} {batch}"
        );

        env.write(
            "migrations/2_b.up.sql",
            script(&[
                "UPDATE a SET x = 2",
                "-- migrator: batch pause=300ms\nUPDATE a SET x = 1 WHERE x = 2",
                "SELECT nosuch",
            ]),
        );
        assert!(!env.run("upgrade").status.success());
        let number = |sql: &str| -> i64 { env.sql(sql).trim().parse().unwrap() };
        let failed =
            number("SELECT duration_ms FROM migrator_version_log WHERE outcome = 'failed'");
        assert!(failed >= 300, "{backend:?}: {failed}");
    }
}
