//! The database trait against a real PostgreSQL server.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::Duration,
};

use crate::common::{PostgresDatabase, settings};
use migrator::internals::{
    database::{
        self, Access, Database, DatabaseError, Detail, Location, LockAttempt, Settings, StepError,
        StepRequest, StepStage,
    },
    revision::{
        Checksum, Direction, LAYOUT, LogEntry, LogEvent, NewRow, Partial, RecordChange, RevisionId,
        State, StatementsDigest, StoredScripts,
    },
    sql::{Statement, StatementKind},
};
use sqlx::{AssertSqlSafe, Executor};

async fn connect_with(url: &str, settings: Settings) -> Result<Box<dyn Database>, DatabaseError> {
    let location = Location::parse(url, Path::new("/")).unwrap();
    database::connect(&location, Access::Existing, settings).await
}

async fn connect(database: &PostgresDatabase) -> Box<dyn Database> {
    connect_with(&database.url, settings()).await.unwrap()
}

/// A database with its version table, locked by the connection to it.
async fn prepared() -> (PostgresDatabase, Box<dyn Database>) {
    let database = PostgresDatabase::create();
    let mut connection = connect(&database).await;
    assert_eq!(connection.try_lock().await, Ok(LockAttempt::Acquired));
    connection.prepare().await.unwrap();
    (database, connection)
}

/// A script whose statements are separated by `;;`, and COPY data from `<<` on.
fn split(text: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut start = 0;
    for part in text.split(";;") {
        let sql = part.split("<<").next().unwrap_or(part);
        let lead = sql.len() - sql.trim_start().len();
        let span = start + lead..start + sql.trim_end().len();
        let data_start = start + sql.len() + "<<".len();
        let kind = match sql.split_whitespace().next() {
            Some("COPY") => StatementKind::CopyIn,
            Some("SET" | "RESET") => StatementKind::Session,
            _ => StatementKind::Plain,
        };
        if !span.is_empty() {
            statements.push(Statement {
                span,
                line: 1,
                column: 1,
                copy_data: (kind == StatementKind::CopyIn)
                    .then(|| data_start.min(start + part.len())..start + part.len()),
                kind,
            });
        }
        start += part.len() + ";;".len();
    }
    statements
}

fn id(number: i64) -> RevisionId {
    number.to_string().parse().unwrap()
}

fn row(sequence: i64) -> Arc<NewRow> {
    Arc::new(NewRow {
        sequence,
        subject: id(sequence).into(),
        message: r"it's a \ message".into(),
        parents: (1..sequence).map(id).collect(),
        depends_on: Vec::new(),
        up_checksum: format!("v1:{}", "a".repeat(64)).parse().unwrap(),
        down_checksum: None,
        down_script: Some("DROP TABLE \"ż\"; -- $migrator0$ \\ ' %s".into()),
        up_script: Some("\u{feff}-- $migrator0$ \\ ' %s\r\nCREATE TABLE \"ż\" ()\n\n".into()),
    })
}

fn checksum(digit: char) -> Checksum {
    format!("v1:{}", digit.to_string().repeat(64))
        .parse()
        .unwrap()
}

fn partial(done: usize) -> Partial {
    Partial {
        direction: Direction::Up,
        script: "SELECT 1;\n$$ '\\".into(),
        statements_done: done,
        statements_total: 3,
        statements_digest: StatementsDigest::of(&vec![checksum('b'); done]),
        interruption: None,
        batch: None,
    }
}

fn entry() -> LogEntry {
    LogEntry {
        elapsed: Duration::ZERO,
        event: LogEvent::Upgrade,
        subject: Some(id(1).into()),
        message: Some("a message".into()),
        error: None,
        detail: None,
    }
}

/// How a step of a test differs from the usual one.
struct Step<'a> {
    text: &'a str,
    expects: i64,
    modes: &'a str,
    changes: Vec<RecordChange>,
    keep_session: bool,
    lock_timeout: Option<Duration>,
    statement_timeout: Option<Duration>,
}

impl<'a> Step<'a> {
    /// The step after `expects` others.
    fn new(expects: i64, text: &'a str) -> Self {
        Self {
            text,
            expects,
            modes: "",
            changes: vec![RecordChange::Insert(row(expects + 1))],
            keep_session: false,
            lock_timeout: None,
            statement_timeout: None,
        }
    }

    fn changing(mut self, changes: impl IntoIterator<Item = RecordChange>) -> Self {
        self.changes = changes.into_iter().collect();
        self
    }

    fn keeping(mut self) -> Self {
        self.keep_session = true;
        self
    }

    async fn run(&self, connection: &mut dyn Database) -> Result<Vec<(usize, u64)>, StepError> {
        let mut done = Vec::new();
        let statements = split(self.text);
        let log = [entry()];
        let request = self.request(&statements, &log);
        connection
            .run_step(&request, &mut |one| done.push((one.index, one.rows)))
            .await?;
        Ok(done)
    }

    async fn run_alone(&self, connection: &mut dyn Database) -> Result<(), StepError> {
        let statements = split(self.text);
        connection
            .run_alone(&self.request(&statements, &[]), &mut |_| ())
            .await
    }

    fn request<'b>(&'b self, statements: &'b [Statement], log: &'b [LogEntry]) -> StepRequest<'b> {
        StepRequest {
            carried: Duration::ZERO,
            label: "upgrade 1",
            text: self.text,
            statements,
            modes: self.modes,
            foreign_keys: false,
            unchecked_keys: false,
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout,
            expects: self.expects,
            changes: &self.changes,
            log,
            keep_session: self.keep_session,
        }
    }
}

async fn sequence(connection: &mut dyn Database) -> i64 {
    let observed = connection.observe(Detail::Brief).await.unwrap();
    observed.last_sequence()
}

fn sql_failure(error: StepError) -> (StepStage, database::SqlFailure) {
    match error.error {
        DatabaseError::Sql(failure) => (error.stage, failure),
        other => panic!("{:?}: {other:?}", error.stage),
    }
}

#[tokio::test]
async fn reading_makes_nothing() {
    let database = PostgresDatabase::create();
    let mut connection = connect(&database).await;
    let observed = connection.observe(Detail::WithScripts).await.unwrap();
    assert_eq!((observed.applied.len(), observed.layout), (0, None));
    assert_eq!(connection.log().await, Ok(Vec::new()));
    connection.close().await.unwrap();
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'migrator%'";
    assert_eq!(database.value(tables).as_deref(), Some("0"));
}

#[tokio::test]
async fn preparing_twice_writes_once() {
    let (database, mut connection) = prepared().await;
    connection.prepare().await.unwrap();
    let mut other = connect(&database).await;
    other.prepare().await.unwrap();
    let observed = other.observe(Detail::Brief).await.unwrap();
    assert_eq!(observed.layout, Some(LAYOUT));
    let log = connection.log().await.unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(
        (
            log[0].event.as_str(),
            log[0].detail.as_deref(),
            log[0].sequence
        ),
        ("layout", Some("2"), 1)
    );
}

#[tokio::test]
async fn a_role_that_may_only_read_can_observe() {
    let (database, mut connection) = prepared().await;
    Step::new(0, "SELECT 1")
        .run(&mut *connection)
        .await
        .unwrap();
    let role = format!("reader_{}", database.name);
    database.query(&format!(
        "CREATE ROLE {role} LOGIN; GRANT SELECT ON migrator_version, migrator_version_log TO {role}"
    ));
    let url = database.url.replacen("postgres@", &format!("{role}@"), 1);
    let mut reader = connect_with(&url, settings()).await.unwrap();
    assert_eq!(sequence(&mut *reader).await, 1);
    assert_eq!(reader.log().await.unwrap().len(), 2);
    let refused = Step::new(1, "SELECT 1").run(&mut *reader).await;
    assert_eq!(refused.unwrap_err().error, DatabaseError::LockLost);
    reader.close().await.unwrap();
    database.query(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[tokio::test]
async fn odd_tables_are_refused() {
    let check = async |sql: &str, expected: fn(&DatabaseError) -> bool| {
        let (database, mut connection) = prepared().await;
        database.query(sql);
        let fresh = connect(&database).await.observe(Detail::Brief).await;
        assert!(fresh.as_ref().is_err_and(expected), "{sql}: {fresh:?}");
        let known = connection.observe(Detail::Brief).await;
        assert!(known.as_ref().is_err_and(expected), "{sql}: {known:?}");
        let made = connection.prepare().await;
        assert!(made.as_ref().is_err_and(expected), "{sql}: {made:?}");
    };
    let foreign = |error: &DatabaseError| matches!(error, DatabaseError::NotAVersionTable { table, .. } if table == "public.migrator_version");
    let newer = |error: &DatabaseError| {
        matches!(
            error,
            DatabaseError::NewerLayout {
                found: 9,
                known: LAYOUT,
                ..
            }
        )
    };
    check("DROP TABLE migrator_version_log", foreign).await;
    check("DROP TABLE migrator_version", foreign).await;
    let nonsense = "UPDATE migrator_version_log SET detail = 'x'";
    check(nonsense, foreign).await;
    check("ALTER TABLE migrator_version DROP COLUMN parents", foreign).await;
    check(
        "ALTER TABLE migrator_version DROP COLUMN up_script",
        foreign,
    )
    .await;
    check(
        "ALTER TABLE migrator_version_log DROP COLUMN detail",
        foreign,
    )
    .await;
    check(
        "INSERT INTO migrator_version VALUES (1, 'x', 'revision', '', '', '', 'v1:0', NULL, NULL, \
         'applied', NULL, NULL, NULL, NULL, NULL, NULL, NULL, now(), now(), 1, '', '')",
        foreign,
    )
    .await;
    let layout = "INSERT INTO migrator_version_log (event, outcome, duration_ms, actor, tool_version, detail) \
                  VALUES ('layout', 'ok', 0, '', '', '9')";
    check(layout, newer).await;
    let gone = format!("{layout}; ALTER TABLE migrator_version DROP COLUMN parents");
    check(&gone, newer).await;
}

#[tokio::test]
async fn the_table_is_found_where_it_is() {
    let (database, _connection) = prepared().await;
    let with = |table: &str, path: &str| {
        let url = format!("{}?options[search_path]={path}", database.url);
        let version_table = table.to_owned();
        async move {
            let settings = Settings {
                version_table,
                ..settings()
            };
            connect_with(&url, settings).await
        }
    };
    database.query("CREATE SCHEMA other; CREATE SCHEMA \"a.b\"");
    // Not in the first schema of the path, but in a later one: it is not taken for it.
    let mut found = with("migrator_version", "other,public").await.unwrap();
    assert_eq!(found.observe(Detail::Brief).await.unwrap().layout, None);
    assert_eq!(
        found.ambiguity(),
        Some(DatabaseError::AmbiguousTable {
            table: "other.migrator_version".into(),
            exists: false,
            others: vec!["public.migrator_version".into()],
        })
    );
    let missing = with("nosuch.migrator_version", "public").await.err();
    assert_eq!(
        missing,
        Some(DatabaseError::MissingSchema {
            schema: "nosuch".into(),
            table: "migrator_version".into(),
        })
    );
    let mut qualified = with("\"a.b\".\"V \"\"1\"", "public").await.unwrap();
    qualified.prepare().await.unwrap();
    Step::new(0, "SELECT 1").run(&mut *qualified).await.unwrap();
    assert_eq!(
        database
            .value("SELECT count(*) FROM \"a.b\".\"V \"\"1\"")
            .as_deref(),
        Some("1")
    );
    let mut second = with("other.migrator_version", "public").await.unwrap();
    second.prepare().await.unwrap();
    let mut ambiguous = with("migrator_version", "other,public").await.unwrap();
    assert_eq!(ambiguous.shown_table(), "other.migrator_version");
    let doubt = DatabaseError::AmbiguousTable {
        table: "other.migrator_version".into(),
        exists: true,
        others: vec!["public.migrator_version".into()],
    };
    assert_eq!(ambiguous.ambiguity(), Some(doubt.clone()));
    assert_eq!(ambiguous.try_lock().await, Err(doubt));
    let nowhere = with("migrator_version", "missing").await.err();
    assert!(
        matches!(&nowhere, Some(DatabaseError::Sql(failure)) if failure.hint.is_some()),
        "{nowhere:?}"
    );
}

#[tokio::test]
async fn connecting_says_what_is_wrong() {
    let database = PostgresDatabase::create();
    let check = async |url: String, expected: fn(&DatabaseError) -> bool| {
        let error = connect_with(&url, settings()).await.err().unwrap();
        assert!(expected(&error), "{url}: {error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    };
    let missing = database.url.replace(&database.name, "no_such_database");
    check(missing, |error| {
        matches!(error, DatabaseError::Missing { .. })
    })
    .await;
    let role = database.url.replacen("postgres@", "nobody_here:secret@", 1);
    check(role, |error| matches!(error, DatabaseError::Denied { .. })).await;
    check("postgres://u:secret@127.0.0.1:1/db".into(), |error| {
        matches!(error, DatabaseError::Unreachable { .. })
    })
    .await;
    check(
        "postgres://u:secret@no-such-host.invalid/db".into(),
        |error| matches!(error, DatabaseError::Unreachable { .. }),
    )
    .await;
}

#[tokio::test]
async fn a_step_commits_with_its_record() {
    let (database, mut connection) = prepared().await;
    let done = Step::new(
        0,
        "CREATE TABLE t (a int) -- end;;INSERT INTO t VALUES (1), (2)",
    )
    .run(&mut *connection)
    .await;
    assert_eq!(done, Ok(vec![(0, 0), (1, 2)]));
    assert_eq!(
        database.value("SELECT count(*) FROM t").as_deref(),
        Some("2")
    );
    let observed = connection.observe(Detail::WithScripts).await.unwrap();
    let [applied] = observed.applied.as_slice() else {
        panic!("{observed:?}");
    };
    let new = row(1);
    assert_eq!(new.subject, applied.revision);
    assert_eq!(applied.message, new.message);
    assert_eq!(applied.down_script, new.down_script);
    assert_eq!(applied.up_checksum, new.up_checksum);
    assert_eq!(applied.state, State::Applied);
    assert_eq!(applied.applied_by, "tester@here");
    assert!(applied.applied_at.unwrap() >= applied.started_at);
    let brief = connection.observe(Detail::Brief).await.unwrap();
    assert_eq!(brief.applied[0].down_script, None);
    let scripts = connection.scripts(&[id(7).into(), id(1).into()]).await;
    let stored = StoredScripts {
        subject: id(1).into(),
        up: new.up_script.clone(),
        down: new.down_script.as_deref().map(Into::into),
    };
    assert_eq!(scripts, Ok(vec![stored]));
    let log = connection.log().await.unwrap();
    assert_eq!(
        (log[1].event.as_str(), log[1].outcome.as_str()),
        ("upgrade", "ok")
    );
    assert_eq!(log[1].subject, Some(id(1).into()));
}

#[tokio::test]
async fn each_statement_has_its_own_time() {
    let (_database, mut connection) = prepared().await;
    let step = Step::new(0, "SELECT 1;;SELECT pg_sleep(0.2);;SELECT 1");
    let statements = split(step.text);
    let mut slept = Vec::new();
    let mut progress = |one: database::StatementDone| slept.push(one.elapsed);
    let request = step.request(&statements, &[]);
    connection.run_step(&request, &mut progress).await.unwrap();
    assert_eq!(slept.len(), 3);
    assert!(slept[1] >= Duration::from_millis(200), "{slept:?}");
    let row = &connection.observe(Detail::Brief).await.unwrap().applied[0];
    assert!(row.duration_ms >= 200, "{row:?}");
}

#[tokio::test]
async fn a_failing_statement_leaves_nothing() {
    let check = async |text: &str, stage: StepStage, code: &str, at: Option<&str>| {
        let (database, mut connection) = prepared().await;
        let error = Step::new(0, text).run(&mut *connection).await.unwrap_err();
        let (found, failure) = sql_failure(error);
        assert_eq!(
            (found, failure.code.as_deref()),
            (stage, Some(code)),
            "{text}"
        );
        let statements = split(text);
        let offset = at.map(|needle| match stage {
            StepStage::Statement(index) => statements[index].text(text).find(needle).unwrap(),
            _ => panic!("{text}: an offset outside of a statement"),
        });
        assert_eq!(failure.offset, offset, "{text}");
        assert_eq!(sequence(&mut *connection).await, 0, "{text}");
        let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                    AND relname NOT LIKE 'migrator%'";
        assert_eq!(database.value(left).as_deref(), Some("0"), "{text}");
        // And the connection works on.
        Step::new(0, "SELECT 1")
            .run(&mut *connection)
            .await
            .unwrap();
    };
    let statement = StepStage::Statement;
    check(
        "CREATE TABLE a ();;SELEC 1",
        statement(1),
        "42601",
        Some("SELEC"),
    )
    .await;
    check(
        "CREATE TABLE \"żółć\" ();;SELECT 'żółć 🦀', oops",
        statement(1),
        "42703",
        Some("oops"),
    )
    .await;
    check(
        "CREATE TABLE a ();;CREATE TABLE a ()",
        statement(1),
        "42P07",
        None,
    )
    .await;
    check("SELECT 1/0;;SELECT 1", statement(0), "22012", None).await;
    check(
        "DO $$BEGIN PERFORM oops(); END$$",
        statement(0),
        "42883",
        None,
    )
    .await;
    check(
        "CREATE TABLE a (x int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);;\
         INSERT INTO a VALUES (1), (1)",
        StepStage::Verify,
        "23505",
        None,
    )
    .await;
    check(
        "CREATE TABLE a (x int);;COPY a FROM STDIN<<x\n",
        statement(1),
        "22P02",
        None,
    )
    .await;
    check(
        "COPY missing FROM STDIN<<1\n;;SELECT 1",
        statement(0),
        "42P01",
        None,
    )
    .await;
    check(
        "CREATE INDEX CONCURRENTLY i ON pg_class (oid)",
        statement(0),
        "25001",
        None,
    )
    .await;
    check(
        "SELECT 1;;DO $$BEGIN COMMIT; END$$",
        statement(1),
        "2D000",
        None,
    )
    .await;
}

#[tokio::test]
async fn copy_data_arrives() {
    let (database, mut connection) = prepared().await;
    let text = "CREATE TABLE t (a int, b text);;COPY t FROM STDIN<<1\tżółć\n2\t\\N\n;;\
                COPY t FROM STDIN<<;;COPY t FROM STDIN<<3\tc\r\n4\td\r\n;;\
                COPY t FROM STDIN CSV<<5,\"x\r\ny\"\r\n;;UPDATE t SET a = a + 10";
    let done = Step::new(0, text).run(&mut *connection).await.unwrap();
    assert_eq!(done, [(0, 0), (1, 2), (2, 0), (3, 2), (4, 1), (5, 5)]);
    let rows = database.query("SELECT a, b FROM t ORDER BY a");
    let expected = [
        ("11", Some("żółć")),
        ("12", None),
        ("13", Some("c")),
        ("14", Some("d")),
        ("15", Some("x\ny")),
    ];
    let expected: Vec<Vec<Option<String>>> = expected
        .iter()
        .map(|(a, b)| vec![Some((*a).into()), b.map(Into::into)])
        .collect();
    assert_eq!(rows, expected);
    assert_eq!(sequence(&mut *connection).await, 1);
}

#[tokio::test]
async fn what_a_script_leaves_does_not_reach_the_next() {
    let check = async |leaves: &str, shows: &str| {
        let (database, mut connection) = prepared().await;
        let role = format!("role_{}", database.name);
        database.query(&format!("CREATE ROLE {role}"));
        let leaves = leaves.replace("ROLE_NAME", &role);
        let sees = format!("CREATE TABLE seen AS SELECT ({shows})::text AS it");
        let mut fresh = connect(&database).await;
        let before = "CREATE TABLE before_it AS SELECT 1";
        assert_eq!(fresh.try_lock().await.unwrap(), held(&database).await);
        Step::new(0, &leaves)
            .run(&mut *connection)
            .await
            .unwrap_or_else(|error| panic!("{leaves}: {error:?}"));
        Step::new(1, before).run(&mut *connection).await.unwrap();
        Step::new(2, &sees).run(&mut *connection).await.unwrap();
        let expected = database.value(&format!("SELECT ({shows})::text"));
        assert_eq!(database.value("SELECT it FROM seen"), expected, "{leaves}");
        connection.close().await.unwrap();
        database.query(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    };
    check("SET ROLE ROLE_NAME", "current_user").await;
    check("SET SESSION AUTHORIZATION ROLE_NAME", "session_user").await;
    check(
        "SELECT set_config('search_path', '', false)",
        "current_setting('search_path')",
    )
    .await;
    check("SET standard_conforming_strings = off", "'a\\\\b'").await;
    check(
        "SET client_encoding = 'LATIN1';;SELECT 'ż'",
        "current_setting('client_encoding')",
    )
    .await;
    check(
        "SET session_replication_role = replica",
        "current_setting('session_replication_role')",
    )
    .await;
    check(
        "SET default_transaction_read_only = on",
        "current_setting('default_transaction_read_only')",
    )
    .await;
    check(
        "SET client_min_messages = error",
        "current_setting('client_min_messages')",
    )
    .await;
    check(
        "SET statement_timeout = '1h'",
        "current_setting('statement_timeout')",
    )
    .await;
    // The client of the tests is in UTC, the server may call it otherwise.
    check(
        "SET TimeZone = 'Asia/Tokyo'",
        "date_part('timezone', clock_timestamp())",
    )
    .await;
    check("SET CONSTRAINTS ALL DEFERRED", "1").await;
    check(
        "CREATE TEMP TABLE x (a int);;DECLARE c CURSOR FOR SELECT * FROM x;;FETCH c",
        "to_regclass('x')",
    )
    .await;
    check(
        "PREPARE p AS SELECT 1",
        "(SELECT count(*) FROM pg_prepared_statements)",
    )
    .await;
    check(
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "(SELECT count(*) FROM pg_cursors)",
    )
    .await;
    check("LISTEN x", "(SELECT count(*) FROM pg_listening_channels())").await;
    check("SELECT pg_advisory_unlock_all()", "1").await;
}

/// The answer of [`Database::try_lock`] while the connection of [`prepared`] has the lock.
async fn held(database: &PostgresDatabase) -> LockAttempt {
    let holder = database.value(
        "SELECT format('migrator test (pid %s, postgres@%s, since %s UTC)', a.pid, \
         coalesce(host(a.client_addr), 'local'), to_char(backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS')) \
         FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
         WHERE locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    assert!(holder.is_some());
    LockAttempt::Held { holder }
}

#[tokio::test]
async fn the_lock_is_exclusive_and_returned() {
    let (database, mut connection) = prepared().await;
    let mut other = connect(&database).await;
    assert_eq!(other.try_lock().await.unwrap(), held(&database).await);
    // Twice is once.
    assert_eq!(connection.try_lock().await, Ok(LockAttempt::Acquired));
    connection.unlock().await.unwrap();
    connection.unlock().await.unwrap();
    assert_eq!(other.try_lock().await, Ok(LockAttempt::Acquired));
    let lost = Step::new(0, "CREATE TABLE t ()")
        .run(&mut *connection)
        .await;
    assert_eq!(
        lost,
        Err(StepError {
            stage: StepStage::Begin,
            error: DatabaseError::LockLost
        })
    );
    let recorded = connection
        .record(&[RecordChange::Insert(row(1))], &[])
        .await;
    assert_eq!(recorded, Err(DatabaseError::LockLost));
    // A line of the log alone changes no state.
    connection.record(&[], &[entry()]).await.unwrap();
    other.close().await.unwrap();
    // Another version table is another lock.
    let elsewhere = Settings {
        version_table: "other_version".into(),
        ..settings()
    };
    let mut third = connect_with(&database.url, elsewhere).await.unwrap();
    assert_eq!(third.try_lock().await, Ok(LockAttempt::Acquired));
    assert_eq!(connection.try_lock().await, Ok(LockAttempt::Acquired));
}

#[tokio::test]
async fn a_state_that_is_not_the_planned_one_stops_a_step() {
    let (database, mut connection) = prepared().await;
    let error = Step::new(7, "CREATE TABLE t ()")
        .run(&mut *connection)
        .await
        .unwrap_err();
    assert_eq!(error.stage, StepStage::Begin);
    assert!(
        matches!(error.error, DatabaseError::StateChanged { .. }),
        "{error:?}"
    );
    assert_eq!(database.value("SELECT to_regclass('t')"), None);
}

#[tokio::test]
async fn records_must_hit_one_row() {
    let check = async |change: RecordChange| {
        let (database, mut connection) = prepared().await;
        Step::new(0, "SELECT 1")
            .run(&mut *connection)
            .await
            .unwrap();
        let step = Step::new(1, "CREATE TABLE t ()").changing([change.clone()]);
        let error = step.run(&mut *connection).await.unwrap_err();
        assert_eq!(error.stage, StepStage::Record, "{change:?}");
        assert!(
            matches!(error.error, DatabaseError::StateChanged { .. }),
            "{error:?}"
        );
        assert_eq!(database.value("SELECT to_regclass('t')"), None);
        let recorded = connection.record(&[change], &[]).await;
        assert!(
            matches!(recorded, Err(DatabaseError::StateChanged { .. })),
            "{recorded:?}"
        );
    };
    let progress = |revision, from, to| RecordChange::Progress {
        subject: id(revision).into(),
        from,
        to: partial(to).progress(),
    };
    let enter = |revision, from, to| RecordChange::Enter {
        subject: id(revision).into(),
        from,
        to: partial(to),
    };
    check(RecordChange::Delete(id(2).into())).await;
    check(RecordChange::Insert(row(1))).await;
    check(RecordChange::Finish {
        whole: false,
        subject: id(1).into(),
        from: 0,
    })
    .await;
    check(progress(1, 0, 1)).await;
    check(enter(1, Some(0), 1)).await;
    check(enter(2, None, 1)).await;
}

#[tokio::test]
async fn partial_rows_go_their_way() {
    let (_database, mut connection) = prepared().await;
    let mut state = async |changes: Vec<RecordChange>| {
        connection.record(&changes, &[entry()]).await.unwrap();
        let observed = connection.observe(Detail::Brief).await.unwrap();
        observed.applied.first().map(|row| row.state.clone())
    };
    let progress = |from, to: &Partial| RecordChange::Progress {
        subject: id(1).into(),
        from,
        to: to.progress(),
    };
    let enter = |from, to: &Partial| RecordChange::Enter {
        subject: id(1).into(),
        from,
        to: to.clone(),
    };
    let begun = vec![RecordChange::Begin(row(1), partial(0))];
    assert_eq!(state(begun).await, Some(State::from(partial(0))));
    let failed = Partial {
        interruption: Some("it's \\ bad".into()),
        ..partial(2)
    };
    let went_on = vec![progress(0, &partial(1)), progress(1, &failed)];
    assert_eq!(state(went_on).await, Some(State::from(failed)));
    let edited = Partial {
        script: "SELECT 1;\nSELECT 3".into(),
        ..partial(2)
    };
    let resumed = vec![enter(Some(2), &edited)];
    assert_eq!(state(resumed).await, Some(State::from(edited)));
    let finished = vec![RecordChange::Finish {
        whole: false,
        subject: id(1).into(),
        from: 2,
    }];
    assert_eq!(state(finished).await, Some(State::Applied));
    let down = Partial {
        direction: Direction::Down,
        ..partial(0)
    };
    assert_eq!(
        state(vec![enter(None, &down)]).await,
        Some(State::from(down))
    );
    assert_eq!(state(vec![RecordChange::Delete(id(1).into())]).await, None);
}

#[tokio::test]
async fn modes_are_those_of_the_script() {
    let (_database, mut connection) = prepared().await;
    let mut step = Step::new(
        0,
        "SELECT 1 / (current_setting('transaction_isolation') = 'serializable')::int",
    );
    assert_eq!(
        sql_failure(step.run(&mut *connection).await.unwrap_err()).0,
        StepStage::Statement(0)
    );
    step.modes = "ISOLATION LEVEL SERIALIZABLE";
    assert_eq!(step.run(&mut *connection).await, Ok(vec![(0, 1)]));
    let mut step = Step::new(
        1,
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;;\
         SELECT 1 / (current_setting('transaction_isolation') = 'repeatable read')::int",
    );
    assert_eq!(step.run(&mut *connection).await, Ok(vec![(0, 0), (1, 1)]));
    step.modes = "ISOLATION LEVEL SERIALIZABLE, READ  ONLY";
    let (stage, failure) = sql_failure(step.run(&mut *connection).await.unwrap_err());
    assert_eq!(
        (stage, failure.code.as_deref()),
        (StepStage::Begin, Some("25006"))
    );
}

#[tokio::test]
async fn a_script_that_ends_the_transaction_is_noticed() {
    let (database, mut connection) = prepared().await;
    let text = "CREATE TABLE t ();;COMMIT;;SELECT 1";
    let error = Step::new(0, text).run(&mut *connection).await.unwrap_err();
    assert_eq!(error.stage, StepStage::Verify);
    assert!(error.to_string().contains("committed"), "{error}");
    assert_eq!(sequence(&mut *connection).await, 0);
    assert_eq!(
        database.value("SELECT to_regclass('t')").as_deref(),
        Some("t")
    );
}

#[tokio::test]
async fn a_lock_timeout_names_who_blocks() {
    let (database, mut connection) = prepared().await;
    Step::new(0, "CREATE TABLE t ()")
        .run(&mut *connection)
        .await
        .unwrap();
    let mut blocker = database.connect().await;
    let lock = "SET application_name = 'in the way'; BEGIN; LOCK TABLE t";
    blocker.execute(sqlx::raw_sql(lock)).await.unwrap();
    let mut step = Step::new(1, "SELECT 1;;ALTER TABLE t ADD a int");
    step.lock_timeout = Some(Duration::from_secs(3));
    let error = step.run(&mut *connection).await.unwrap_err();
    assert_eq!(error.stage, StepStage::Statement(1));
    let DatabaseError::LockTimeout { failure, blockers } = error.error else {
        panic!("{error:?}");
    };
    assert_eq!(failure.code.as_deref(), Some("55P03"));
    assert_eq!(blockers.len(), 1, "{blockers:?}");
    assert!(blockers[0].starts_with("in the way (pid "), "{blockers:?}");
    assert!(
        blockers[0].ends_with("idle in transaction)"),
        "{blockers:?}"
    );
}

#[tokio::test]
async fn a_statement_timeout_is_an_error_of_the_statement() {
    let (_database, mut connection) = prepared().await;
    let mut step = Step::new(0, "SELECT 1;;SELECT pg_sleep(60)");
    step.statement_timeout = Some(Duration::from_millis(100));
    let (stage, failure) = sql_failure(step.run(&mut *connection).await.unwrap_err());
    assert_eq!(
        (stage, failure.code.as_deref()),
        (StepStage::Statement(1), Some("57014"))
    );
}

/// Waits until `condition` holds on the server.
async fn until(database: &PostgresDatabase, condition: &str) {
    let mut connection = database.connect().await;
    let sql = format!("SELECT 1 WHERE {condition}");
    for _ in 0..1000 {
        let row = connection
            .fetch_optional(sqlx::raw_sql(AssertSqlSafe(sql.as_str())))
            .await;
        if row.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {condition}");
}

const SLEEPING: &str = "EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                        AND wait_event = 'PgSleep')";

#[tokio::test]
async fn cancelling_stops_what_runs_and_nothing_else() {
    let (database, mut connection) = prepared().await;
    let cancel = connection.canceller();
    // Nothing runs: nothing happens.
    cancel.cancel().await;
    let step = Step::new(0, "CREATE TABLE t ();;SELECT pg_sleep(60)");
    let stop = async {
        until(&database, SLEEPING).await;
        cancel.cancel().await;
    };
    let (stopped, ()) = tokio::join!(step.run(&mut *connection), stop);
    assert_eq!(
        stopped,
        Err(StepError {
            stage: StepStage::Statement(1),
            error: DatabaseError::Interrupted
        })
    );
    let alone = Step::new(0, "SELECT pg_sleep(60)");
    let stop = async {
        until(&database, SLEEPING).await;
        cancel.cancel().await;
    };
    let (stopped, ()) = tokio::join!(alone.run_alone(&mut *connection), stop);
    assert_eq!(stopped.unwrap_err().error, DatabaseError::Interrupted);
    assert_eq!(database.value("SELECT to_regclass('t')"), None);
    Step::new(0, "SELECT 1")
        .run(&mut *connection)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_step_begins_no_further_message() {
    let (database, mut connection) = prepared().await;
    Step::new(0, "CREATE TABLE t (a int)")
        .run(&mut *connection)
        .await
        .unwrap();
    let cancel = connection.canceller();
    let statements = split("COPY t FROM STDIN<<1\n;;INSERT INTO t VALUES (2)");
    let step = Step::new(1, "COPY t FROM STDIN<<1\n;;INSERT INTO t VALUES (2)");
    let request = step.request(&statements, &[]);
    let mut done = Vec::new();
    let mut progress = |one: database::StatementDone| {
        done.push(one.index);
        let cancel = Arc::clone(&cancel);
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async move { cancel.cancel().await });
        });
    };
    let stopped = connection.run_step(&request, &mut progress).await;
    assert_eq!(stopped.unwrap_err().error, DatabaseError::Interrupted);
    assert_eq!(done, [0]);
    assert_eq!(
        database.value("SELECT count(*) FROM t").as_deref(),
        Some("0")
    );
}

#[tokio::test]
async fn a_lost_connection_loses_the_step_and_the_lock() {
    let check = async |text: &str, alone: bool| {
        let (database, mut connection) = prepared().await;
        let kill = async {
            until(&database, SLEEPING).await;
            database.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event = 'PgSleep'",
            );
        };
        let step = Step::new(0, text);
        let run = async {
            if alone {
                step.run_alone(&mut *connection).await
            } else {
                step.run(&mut *connection).await.map(drop)
            }
        };
        let (lost, ()) = tokio::join!(run, kill);
        let error = lost.unwrap_err().error;
        let fits = if alone {
            matches!(error, DatabaseError::OutcomeUnknown(_))
        } else {
            matches!(error, DatabaseError::ConnectionLost(_))
        };
        assert!(fits, "{text}: {error:?}");
        connection.unlock().await.unwrap();
        assert_eq!(sequence(&mut *connection).await, 0);
        // The lock went with the session, and can be had again.
        assert_eq!(connection.try_lock().await, Ok(LockAttempt::Acquired));
        Step::new(0, "CREATE TABLE t ()")
            .run(&mut *connection)
            .await
            .unwrap();
    };
    check("CREATE TABLE t ();;SELECT pg_sleep(60)", false).await;
    check(
        "CREATE TABLE t (a int);;COPY t FROM STDIN<<1\n;;SELECT pg_sleep(60)",
        false,
    )
    .await;
    check(
        "CREATE TABLE t (a int);;SELECT pg_sleep(60);;COPY t FROM STDIN<<1\n",
        false,
    )
    .await;
    check("SELECT pg_sleep(60)", true).await;
}

#[tokio::test]
async fn a_run_is_one_transaction() {
    let (database, mut connection) = prepared().await;
    let count =
        "SELECT (SELECT count(*) FROM migrator_version) || ',' || (to_regclass('t') IS NOT NULL)";
    connection.begin_run(false).await.unwrap();
    Step::new(0, "CREATE TABLE t ()")
        .run(&mut *connection)
        .await
        .unwrap();
    Step::new(1, "SET ROLE pg_monitor;;SELECT 1/0")
        .run(&mut *connection)
        .await
        .unwrap_err();
    assert_eq!(database.value(count).as_deref(), Some("0,false"));
    connection.rollback_run().await.unwrap();
    connection.rollback_run().await.unwrap();
    assert_eq!(sequence(&mut *connection).await, 0);

    connection.begin_run(false).await.unwrap();
    Step::new(
        0,
        "CREATE TABLE t (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, \
                  b int UNIQUE DEFERRABLE)",
    )
    .run(&mut *connection)
    .await
    .unwrap();
    // Constraints are as declared in every step, and no step leaves events behind.
    let swap = "INSERT INTO t VALUES (1, 1), (2, 2);;UPDATE t SET a = 2 WHERE b = 1;;\
                UPDATE t SET a = 1 WHERE b = 2";
    Step::new(1, swap).run(&mut *connection).await.unwrap();
    Step::new(
        2,
        "ALTER TABLE t ADD c int;;UPDATE t SET a = 2 WHERE b = 2;;UPDATE t SET a = 1 WHERE b = 1",
    )
    .run(&mut *connection)
    .await
    .unwrap();
    assert_eq!(sequence(&mut *connection).await, 3);
    assert_eq!(database.value(count).as_deref(), Some("0,false"));
    connection.record(&[], &[entry()]).await.unwrap();
    connection.commit_run().await.unwrap();
    assert_eq!(database.value(count).as_deref(), Some("3,true"));
    assert_eq!(connection.log().await.unwrap().len(), 5);

    connection.begin_run(false).await.unwrap();
    let immediate = Step::new(3, "UPDATE t SET b = 2 WHERE b = 1;;SELECT 1");
    let (stage, _) = sql_failure(immediate.run(&mut *connection).await.unwrap_err());
    assert_eq!(stage, StepStage::Statement(0));
    connection.rollback_run().await.unwrap();
    assert_eq!(sequence(&mut *connection).await, 3);
}

#[tokio::test]
async fn a_step_that_ends_the_transaction_of_a_run_is_noticed() {
    for ends in ["COMMIT", "ROLLBACK", "COMMIT;;BEGIN"] {
        let (_database, mut connection) = prepared().await;
        connection.begin_run(false).await.unwrap();
        Step::new(0, "CREATE TABLE t ()")
            .run(&mut *connection)
            .await
            .unwrap();
        let (stage, failure) =
            sql_failure(Step::new(1, ends).run(&mut *connection).await.unwrap_err());
        assert_eq!(stage, StepStage::Verify, "{ends}: {failure:?}");
        assert!(
            failure.message.contains("ended the transaction"),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_run_whose_connection_is_lost_never_commits() {
    let (database, mut connection) = prepared().await;
    connection.begin_run(false).await.unwrap();
    Step::new(0, "CREATE TABLE t ()")
        .run(&mut *connection)
        .await
        .unwrap();
    database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let committed = connection.commit_run().await;
    assert!(
        matches!(committed, Err(DatabaseError::ConnectionLost(_))),
        "{committed:?}"
    );
    let again = connection.commit_run().await;
    assert!(
        matches!(again, Err(DatabaseError::ConnectionLost(_))),
        "{again:?}"
    );
    assert_eq!(sequence(&mut *connection).await, 0);
}

#[tokio::test]
async fn session_state_can_be_kept_and_records_stay_ours() {
    let (database, mut connection) = prepared().await;
    let role = format!("role_{}", database.name);
    database.query(&format!(
        "CREATE ROLE {role}; GRANT CREATE ON SCHEMA public TO {role}"
    ));
    let begin = Step::new(0, "SELECT 1").changing([RecordChange::Begin(row(1), partial(0))]);
    begin.run(&mut *connection).await.unwrap();
    let progress = |from: usize| RecordChange::Progress {
        subject: id(1).into(),
        from,
        to: partial(from + 1).progress(),
    };
    let set = format!("SET ROLE {role};;SET lock_timeout = '3s';;SET search_path = public");
    Step::new(1, &set)
        .changing([progress(0)])
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    let shown = format!(
        "SELECT 1 / (current_user = '{role}' AND current_setting('lock_timeout') = '3s' \
         AND current_setting('search_path') = 'public')::int"
    );
    let make = format!("{shown};;CREATE TABLE t ();;SET client_encoding = 'LATIN1'");
    Step::new(1, &make)
        .changing([progress(1)])
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    // A failure does not take it back, either.
    Step::new(1, "SELECT 1/0")
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap_err();
    connection.record(&[], &[entry()]).await.unwrap();
    Step::new(1, &shown)
        .run_alone(&mut *connection)
        .await
        .unwrap();
    Step::new(1, "CREATE INDEX CONCURRENTLY \"ż\" ON t ((1))")
        .run_alone(&mut *connection)
        .await
        .unwrap();
    connection.record(&[progress(2)], &[]).await.unwrap();
    let owners = "SELECT string_agg(DISTINCT relowner::regrole::text || relname, ',' ORDER BY relowner::regrole::text || relname) \
                  FROM pg_class WHERE relname IN ('t', 'ż')";
    assert_eq!(database.value(owners), Some(format!("{role}t,{role}ż")));
    connection.reset_session().await.unwrap();
    let finish = RecordChange::Finish {
        whole: false,
        subject: id(1).into(),
        from: 3,
    };
    let back =
        "SELECT 1 / (current_user = 'postgres' AND current_setting('lock_timeout') = '5s')::int";
    Step::new(1, back)
        .changing([finish])
        .run(&mut *connection)
        .await
        .unwrap();
    let observed = connection.observe(Detail::Brief).await.unwrap();
    assert_eq!(observed.applied[0].state, State::Applied);

    let authorize = format!("SET SESSION AUTHORIZATION {role}");
    Step::new(1, &authorize)
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    let still = format!("SELECT 1 / (session_user = '{role}')::int");
    Step::new(2, &still)
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    database.query(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[tokio::test]
async fn a_statement_alone_waits_as_long_as_it_takes() {
    let (database, mut connection) = prepared().await;
    Step::new(0, "CREATE TABLE t (a int)")
        .run(&mut *connection)
        .await
        .unwrap();
    let check = async |connection: &mut dyn Database, expected: &str, lock_timeout| {
        let text = format!("SELECT 1 / (current_setting('lock_timeout') = '{expected}')::int");
        let mut step = Step::new(1, &text);
        step.lock_timeout = lock_timeout;
        assert_eq!(step.run_alone(connection).await, Ok(()), "{expected}");
    };
    check(&mut *connection, "0", None).await;
    let kept = "SELECT 1 / (current_setting('lock_timeout') = '5s')::int";
    Step::new(1, kept)
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    connection.reset_session().await.unwrap();
    check(&mut *connection, "700ms", Some(Duration::from_millis(700))).await;
    connection.reset_session().await.unwrap();
    Step::new(2, "SET lock_timeout = '9s'")
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    check(&mut *connection, "9s", None).await;
    Step::new(3, "VACUUM t")
        .run_alone(&mut *connection)
        .await
        .unwrap();
    let error = Step::new(3, "CREATE INDEX CONCURRENTLY i ON t (oops)")
        .run_alone(&mut *connection)
        .await;
    let (stage, failure) = sql_failure(error.unwrap_err());
    assert_eq!(
        (stage, failure.code.as_deref()),
        (StepStage::Statement(0), Some("42703"))
    );
    Step::new(3, "CREATE INDEX CONCURRENTLY i ON t (a)")
        .run_alone(&mut *connection)
        .await
        .unwrap();
    assert_eq!(
        database
            .value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")
            .as_deref(),
        Some("t")
    );
}

#[tokio::test]
async fn big_scripts_are_sent_in_parts() {
    let (database, mut connection) = prepared().await;
    let mut text = "CREATE TABLE t (a text)".to_owned();
    for _ in 0..30 {
        text += &format!(";;INSERT INTO t VALUES ('{}')", "x".repeat(100_000));
    }
    let good = Step::new(0, &text).run(&mut *connection).await.unwrap();
    assert_eq!(good.len(), 31);
    assert_eq!(
        database.value("SELECT count(*) FROM t").as_deref(),
        Some("30")
    );
    let text = text.replacen("CREATE TABLE t (a text)", "SELECT 1", 1) + ";;SELECT oops";
    let (stage, failure) =
        sql_failure(Step::new(1, &text).run(&mut *connection).await.unwrap_err());
    assert_eq!((stage, failure.offset), (StepStage::Statement(31), Some(7)));
    assert_eq!(
        database.value("SELECT count(*) FROM t").as_deref(),
        Some("30")
    );
}

/// A way to the server that can be cut: once `cut` is set, the next message still
/// reaches the server, but the client does not hear of it.
struct Proxy {
    url: String,
    cut: Arc<AtomicU8>,
}

const OPEN: u8 = 0;
/// The client loses its connection as soon as the message is on its way.
const CUT_AT_ONCE: u8 = 1;
/// The client loses its connection when the answer comes.
const CUT_THE_ANSWER: u8 = 2;
/// As the one before, and nobody gets through any more.
const CUT_FOR_GOOD: u8 = 3;

impl Proxy {
    fn to(database: &PostgresDatabase) -> Self {
        let (user, address) = database.url.split_once('@').unwrap();
        let (server, path) = address.split_once('/').unwrap();
        let server = server.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{user}@{}/{path}", listener.local_addr().unwrap());
        let cut = Arc::new(AtomicU8::new(OPEN));
        let shared = Arc::clone(&cut);
        thread::spawn(move || {
            for client in listener.incoming() {
                if shared.load(Ordering::SeqCst) == CUT_FOR_GOOD {
                    continue;
                }
                let client = client.unwrap();
                let server = TcpStream::connect(&server).unwrap();
                let pair = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let cut = Arc::clone(&shared);
                thread::spawn(move || forward(pair.0, pair.1, &cut, CUT_AT_ONCE));
                let cut = Arc::clone(&shared);
                thread::spawn(move || forward(server, client, &cut, CUT_THE_ANSWER));
            }
        });
        Self { url, cut }
    }

    fn cut(&self, how: u8) {
        self.cut.store(how, Ordering::SeqCst);
    }
}

/// Forwards until the end, or until `cut` says that it is here; the server's side then stays open.
fn forward(mut from: TcpStream, mut to: TcpStream, cut: &AtomicU8, here: u8) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let cut_now = cut.load(Ordering::SeqCst);
        if here == CUT_THE_ANSWER && cut_now >= CUT_THE_ANSWER {
            if cut_now == CUT_THE_ANSWER {
                cut.store(OPEN, Ordering::SeqCst);
            }
            let _ = to.shutdown(Shutdown::Both);
            thread::park();
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
        if here == CUT_AT_ONCE && cut_now == CUT_AT_ONCE {
            cut.store(OPEN, Ordering::SeqCst);
            let _ = from.shutdown(Shutdown::Both);
            thread::park();
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[tokio::test]
async fn a_session_that_was_kept_is_not_replaced_unseen() {
    let (database, connection) = prepared().await;
    connection.close().await.unwrap();
    let proxy = Proxy::to(&database);
    let mut connection = connect_with(&proxy.url, settings()).await.unwrap();
    assert_eq!(connection.try_lock().await, Ok(LockAttempt::Acquired));
    let begin = Step::new(0, "SELECT 1").changing([RecordChange::Begin(row(1), partial(0))]);
    begin.run(&mut *connection).await.unwrap();
    let progress = |from: usize| RecordChange::Progress {
        subject: id(1).into(),
        from,
        to: partial(from + 1).progress(),
    };
    let lost = |outcome: Result<(), DatabaseError>| {
        assert!(
            matches!(outcome, Err(DatabaseError::SessionLost(_))),
            "{outcome:?}"
        );
    };
    let set = Step::new(1, "SET search_path = pg_catalog");
    let set = set.changing([progress(0)]).keeping();
    set.run(&mut *connection).await.unwrap();
    proxy.cut(CUT_THE_ANSWER);
    let next = Step::new(1, "CREATE TABLE public.t ()");
    let next = next.changing([progress(1)]).keeping();
    let outcome = next.run(&mut *connection).await;
    lost(outcome.map(drop).map_err(|error| error.error));
    let done = "SELECT statements_done::text FROM migrator_version";
    assert_eq!(database.value(done).as_deref(), Some("2"));

    Step::new(1, "SELECT 1")
        .changing([])
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    proxy.cut(CUT_THE_ANSWER);
    lost(connection.record(&[progress(2)], &[]).await);
    assert_eq!(database.value(done).as_deref(), Some("3"));

    // Nothing comes after the end.
    Step::new(1, "SELECT 1")
        .changing([])
        .keeping()
        .run(&mut *connection)
        .await
        .unwrap();
    proxy.cut(CUT_THE_ANSWER);
    let finish = RecordChange::Finish {
        whole: false,
        subject: id(1).into(),
        from: 3,
    };
    let end = Step::new(1, "SELECT 1").changing([finish]).keeping();
    end.run(&mut *connection).await.unwrap();
    let state = "SELECT state FROM migrator_version";
    assert_eq!(database.value(state).as_deref(), Some("applied"));
}

#[tokio::test]
async fn a_connection_lost_in_commit_is_settled_by_the_table() {
    let check = async |text: &str,
                       how: u8,
                       expected: fn(&Result<(), DatabaseError>) -> bool,
                       rows: &str| {
        let (database, connection) = prepared().await;
        connection.close().await.unwrap();
        let proxy = Proxy::to(&database);
        let requested = [("timezone", "UTC"), ("datestyle", "ISO, MDY")];
        let impatient = Settings {
            connect_timeout: Duration::from_secs(2),
            // They are set now, so that the first message after the lock is the step.
            session: requested
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
            ..settings()
        };
        let mut connection = connect_with(&proxy.url, impatient).await.unwrap();
        assert_eq!(connection.try_lock().await, Ok(LockAttempt::Acquired));
        proxy.cut(how);
        let step = Step::new(0, text).run(&mut *connection).await;
        let outcome = step.map(drop).map_err(|error| error.error);
        assert!(expected(&outcome), "{text}, {how}: {outcome:?}");
        let count = "SELECT count(*) FROM migrator_version";
        assert_eq!(
            database.value(count).as_deref(),
            Some(rows),
            "{text}, {how}"
        );
        // Whatever it was: nothing of the lost session is still running.
        if how != CUT_FOR_GOOD {
            assert_eq!(connection.try_lock().await, Ok(LockAttempt::Acquired));
        }
    };
    let quick = "CREATE TABLE t ()";
    check(quick, CUT_THE_ANSWER, |outcome| outcome.is_ok(), "1").await;
    let lost = |outcome: &Result<(), DatabaseError>| {
        matches!(outcome, Err(DatabaseError::ConnectionLost(_)))
    };
    check(
        "CREATE TABLE t ();;SELECT pg_sleep(600)",
        CUT_AT_ONCE,
        lost,
        "0",
    )
    .await;
    check(
        quick,
        CUT_FOR_GOOD,
        |outcome| matches!(outcome, Err(DatabaseError::OutcomeUnknown(_))),
        "1",
    )
    .await;
}
