//! Reading and comparing a large schema, beside pg_dump: `cargo bench --bench schema -- URL [TABLES]`.
//!
//! URL is that of a server on this machine whose role may create databases; `tests/run -- cargo bench
//! --bench schema` starts one. Each table has eight columns and three indexes.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use migrator::internals::{
    database::{self, Access, Location, Settings},
    generate::{MigrationOptions, migrate},
    schema::{Kind, Object, Schema, Scope, compare},
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row, postgres::PgConnectOptions};

const NAME: &str = "migrator_bench_schema";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let server = arguments
        .next()
        .or_else(|| env::var("MIGRATOR_TEST_POSTGRES").ok());
    let server = server.expect("the URL of a PostgreSQL server");
    let tables = arguments
        .next()
        .map_or(10_000, |text| text.parse().expect("a number of tables"));
    let (place, _) = server.rsplit_once('/').expect("the URL of a database");
    let url = format!("{place}/{NAME}");
    let options: PgConnectOptions = server.parse().expect("the URL of a PostgreSQL server");
    let mut admin = options.connect().await.expect("the server answers");
    for sql in [
        format!("DROP DATABASE IF EXISTS {NAME}"),
        format!("CREATE DATABASE {NAME} TEMPLATE template0"),
    ] {
        admin
            .execute(AssertSqlSafe(sql))
            .await
            .expect("a database is created");
    }
    fill(&url, tables).await;
    measure(&url, &mut admin).await;
    let drop = format!("DROP DATABASE {NAME}");
    admin
        .execute(AssertSqlSafe(drop))
        .await
        .expect("the database is dropped");
}

async fn fill(url: &str, tables: usize) {
    let options: PgConnectOptions = url.parse().expect("a URL");
    let mut connection = options.connect().await.expect("the database answers");
    connection
        .execute("CREATE SCHEMA app")
        .await
        .expect("a schema");
    for start in (0..tables).step_by(50) {
        let mut sql = String::new();
        for number in start..(start + 50).min(tables) {
            let parent = number.saturating_sub(1);
            let _ = write!(
                sql,
                "CREATE TABLE app.table_{number} (
                    id bigint PRIMARY KEY, name text NOT NULL, kind character varying(20) DEFAULT 'a' NOT NULL,
                    amount numeric(10,2) DEFAULT 0 CHECK (amount >= 0), created timestamp with time zone DEFAULT now(),
                    parent bigint REFERENCES app.table_{parent}, is_open boolean DEFAULT true, data jsonb);
                CREATE INDEX table_{number}_name ON app.table_{number} (name);
                CREATE UNIQUE INDEX table_{number}_kind ON app.table_{number} (kind, created DESC);"
            );
        }
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .expect("tables");
    }
    connection
        .execute("VACUUM ANALYZE")
        .await
        .expect("statistics");
    connection.close().await.expect("closed");
}

async fn measure(url: &str, admin: &mut sqlx::PgConnection) {
    let location = Location::parse(url, Path::new("/")).expect("a URL");
    let settings = Settings {
        version_table: "app.migrator_version".into(),
        actor: "bench".into(),
        application_name: NAME.into(),
        lock_timeout: Duration::from_secs(5),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(10),
        statement_times: false,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    };
    let connected = database::connect(&location, Access::Existing, settings).await;
    let mut connection = connected.expect("the database answers");
    let pid = format!("SELECT pid FROM pg_stat_activity WHERE application_name = '{NAME}'");
    let pid: i32 = admin
        .fetch_one(AssertSqlSafe(pid))
        .await
        .expect("a session")
        .get(0);
    let mut read = async |name: &str| -> Schema {
        let (begin, before) = (Instant::now(), cpu(pid));
        let schema = connection
            .inspect(&Scope::default())
            .await
            .expect("the schema is read");
        let (took, cpu) = (begin.elapsed(), cpu(pid) - before);
        println!(
            "{name}: {took:.2?}, of it the server's processor {cpu:.2?}, {} objects",
            schema.objects.len()
        );
        schema
    };
    let begin = Instant::now();
    let first = read("inspection, the first of its session").await;
    let mut best = begin.elapsed();
    let begin = Instant::now();
    let second = read("inspection").await;
    best = best.min(begin.elapsed());
    println!(
        "memory with two schemas: {} MB at most",
        peak_memory() / 1024
    );
    let begin = Instant::now();
    let changes = compare(&first, &second).changes.len();
    println!("comparison: {:.2?}, {changes} changes", begin.elapsed());
    let empty = Schema::new(first.dialect, Vec::new());
    let begin = Instant::now();
    let changes = compare(&empty, &second).changes.len();
    println!(
        "comparison with an empty schema: {:.2?}, {changes} changes",
        begin.elapsed()
    );
    let begin = Instant::now();
    let status = Command::new("pg_dump")
        .args(["-s", url])
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("pg_dump runs").success());
    let dump = begin.elapsed();
    println!(
        "pg_dump -s: {dump:.2?}; inspection: 1/{:.1} of it",
        dump.as_secs_f64() / best.as_secs_f64()
    );
    connection.close().await.expect("closed");
    plan(&first);
}

/// Plans ways from a schema to parts of it and back, with more and more changes.
fn plan(schema: &Schema) {
    let is_removed = |object: &Object| {
        matches!(object.id.kind, Kind::Index) || object.id.name.as_str() == "is_open"
    };
    let options = MigrationOptions::default();
    let mut tenth = Duration::ZERO;
    for changes in [100, 1_000, 10_000] {
        let mut left = changes;
        let mut kept = |object: &&Object| {
            let is_removed = left > 0 && is_removed(object);
            left -= usize::from(is_removed);
            !is_removed
        };
        let objects = schema.objects.iter().filter(&mut kept).cloned().collect();
        let part = Schema::new(schema.dialect, objects);
        assert_eq!(left, 0, "the schema is too small for {changes} changes");
        let begin = Instant::now();
        let down = migrate(schema, &part, &options).expect("a way down");
        let up = migrate(&part, schema, &options).expect("a way up");
        let took = begin.elapsed();
        println!(
            "planning {changes} changes, both ways: {took:.2?}, {} statements, {:.1} x a tenth of them",
            down.statements.len() + up.statements.len(),
            took.as_secs_f64() / tenth.as_secs_f64()
        );
        tenth = took;
    }
}

/// The time that a process has used, in user and in system mode.
fn cpu(pid: i32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |field: usize| {
        fields
            .get(field)
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// The most memory that this process has used, in kB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
