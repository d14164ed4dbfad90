//! What the guarantees cost: `migrator upgrade` against a program that only
//! does BEGIN, statements, row, COMMIT.
//!
//! ```sh
//! cargo bench --bench overhead                        # SQLite
//! tests/run -- cargo bench --bench overhead           # and PostgreSQL
//! ```
//!
//! Both are whole processes that read, check and plan the same scripts, and write the same rows into
//! the same tables, which were made before. They take turns, and the ratio is that of the medians.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use migrator::{Direction, Migrator, plan::Step};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, raw_sql};

const ROUNDS: usize = 11;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--bare") {
        return bare(&arguments[at + 1], Path::new(&arguments[at + 2]));
    }
    let revisions: usize =
        env::var("MIGRATOR_BENCH_REVISIONS").map_or(1000, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    write_scripts(dir.path(), revisions);
    println!("{revisions} revisions of a table, an index and a row; {ROUNDS} rounds");
    compare("SQLite", dir.path(), || {
        let file = dir.path().join("bench.db");
        for name in [
            "bench.db",
            "bench.db-journal",
            "bench.db-wal",
            "bench.db-shm",
        ] {
            let _ = fs::remove_file(dir.path().join(name));
        }
        format!("sqlite:{}", file.display())
    });
    match env::var("MIGRATOR_TEST_POSTGRES") {
        Ok(server) => compare("PostgreSQL", dir.path(), || fresh_database(&server)),
        Err(_) => {
            println!("PostgreSQL: not measured; run tests/run -- cargo bench --bench overhead")
        }
    }
}

/// Lets both run in turns, each time on an empty database.
fn compare(name: &str, dir: &Path, fresh: impl Fn() -> String) {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut migrator = Command::new(env!("CARGO_BIN_EXE_migrator"));
        migrator.args(["-q", "--url", &with_tables(&fresh()), "upgrade"]);
        ours.push(timed(migrator.current_dir(dir)));
        let mut floor = Command::new(env::current_exe().unwrap());
        let url = with_tables(&fresh());
        floor.arg("--bare").arg(url).arg(dir.join("migrations"));
        bare.push(timed(&mut floor));
    }
    let (ours, bare) = (median(ours), median(bare));
    println!(
        "{name:10}  migrator {:7.0} ms   bare {:7.0} ms   ratio {:.3}",
        ours.as_secs_f64() * 1e3,
        bare.as_secs_f64() * 1e3,
        ours.as_secs_f64() / bare.as_secs_f64()
    );
}

fn timed(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
    begin.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn write_scripts(dir: &Path, revisions: usize) {
    fs::create_dir(dir.join("migrations")).unwrap();
    for n in 1..=revisions {
        let id = 20_260_101_000_000_u64 + n as u64;
        let up = format!(
            "CREATE TABLE t{n} (id integer PRIMARY KEY, name text NOT NULL);\nCREATE INDEX t{n}_name ON t{n} (name);\nINSERT INTO t{n} VALUES (1, 'one');\n"
        );
        let file = |direction| dir.join(format!("migrations/{id}_t{n}.{direction}.sql"));
        fs::write(file("up"), up).unwrap();
        fs::write(file("down"), format!("DROP TABLE t{n};\n")).unwrap();
    }
}

fn fresh_database(server: &str) -> String {
    let name = "migrator_bench";
    block_on(async {
        let mut connection = PgConnection::connect(server).await.unwrap();
        for sql in ["DROP DATABASE IF EXISTS ", "CREATE DATABASE "] {
            connection
                .execute(raw_sql(AssertSqlSafe(format!("{sql}{name}"))))
                .await
                .unwrap();
        }
        connection.close().await.unwrap();
    });
    let end = server.rfind('/').unwrap();
    format!("{}/{name}", &server[..end])
}

/// Makes the version table and its log: `migrator` does, with one revision that it reverts.
fn with_tables(url: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    write_scripts(dir.path(), 1);
    for arguments in [["upgrade", "head"], ["downgrade", "base"]] {
        let mut migrator = Command::new(env!("CARGO_BIN_EXE_migrator"));
        migrator.args(["-q", "--url", url]).args(arguments);
        timed(migrator.current_dir(dir.path()));
    }
    url.to_owned()
}

/// How times are written.
struct Dialect {
    start: &'static str,
    now: &'static str,
    elapsed: &'static str,
}

const SQLITE: Dialect = Dialect {
    start: "'2026-01-01T00:00:00.000Z'",
    now: "'2026-01-01T00:00:00.000Z'",
    elapsed: "1",
};

const POSTGRES: Dialect = Dialect {
    start: "now()",
    now: "clock_timestamp()",
    elapsed: "(date_part('epoch', clock_timestamp() - now()) * 1000)::bigint",
};

/// The plan of `upgrade`, each step with the rows that record it.
async fn steps(url: &str, dir: &Path, dialect: &Dialect) -> Vec<String> {
    let mut session = Migrator::open(dir).connect(url).await.unwrap();
    let plan = session.plan(Direction::Up, "head").await.unwrap();
    session.close().await.unwrap();
    let Dialect {
        start,
        now,
        elapsed,
    } = dialect;
    let step = |step: &Step| {
        let row = step.row.as_ref().unwrap();
        let statements: Vec<_> = step
            .statements
            .iter()
            .map(|one| one.text(&step.script.text))
            .collect();
        let parents: Vec<_> = row.parents.iter().map(ToString::to_string).collect();
        format!(
            "BEGIN;\n{};\nINSERT INTO migrator_version (sequence, revision, kind, message, parents, depends_on, up_checksum,
            down_checksum, down_script, state, started_at, applied_at, duration_ms, applied_by, tool_version)
            VALUES ({}, '{}', 'revision', '{}', '{}', '', '{}', '{}', '{}', 'applied',
            {start}, {now}, {elapsed}, 'user@host', '0.1.0');
            INSERT INTO migrator_version_log (at, event, revision, message, outcome, duration_ms, actor, tool_version)
            VALUES ({now}, 'upgrade', '{}', '{}', 'ok', {elapsed}, 'user@host', '0.1.0');\nCOMMIT;",
            statements.join(";\n"),
            row.sequence,
            row.subject,
            row.message,
            parents.join(","),
            row.up_checksum,
            row.down_checksum.as_ref().unwrap(),
            row.down_script.as_ref().unwrap(),
            row.subject,
            row.message,
        )
    };
    plan.steps.iter().map(step).collect()
}

fn bare(url: &str, dir: &Path) {
    match url.strip_prefix("sqlite:") {
        Some(file) => bare_sqlite(file, &block_on(steps(url, dir, &SQLITE))),
        None => block_on(async {
            let steps = steps(url, dir, &POSTGRES).await;
            let mut connection = PgConnection::connect(url).await.unwrap();
            for step in &steps {
                connection
                    .execute(raw_sql(AssertSqlSafe(step.as_str())))
                    .await
                    .unwrap();
            }
            connection.close().await.unwrap();
        }),
    }
}

fn bare_sqlite(file: &str, steps: &[String]) {
    use libsqlite3_sys as ffi;
    use std::{ffi::CString, ptr::null_mut};
    let name = CString::new(file).unwrap();
    let mut handle = null_mut();
    // SAFETY: the strings end in NUL and outlive the calls; the handle is used by this thread alone
    // and closed once.
    unsafe {
        assert_eq!(
            ffi::sqlite3_open(name.as_ptr(), &mut handle),
            ffi::SQLITE_OK
        );
        for sql in steps {
            let sql = CString::new(sql.as_str()).unwrap();
            let code = ffi::sqlite3_exec(handle, sql.as_ptr(), None, null_mut(), null_mut());
            assert_eq!(code, ffi::SQLITE_OK);
        }
        assert_eq!(ffi::sqlite3_close(handle), ffi::SQLITE_OK);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
