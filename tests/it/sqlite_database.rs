//! The `Database` trait against real SQLite files.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use migrator::internals::{
    database::{
        self, Access, Database, DatabaseError, Detail, Location, LockAttempt, Settings, SqlFailure,
        StatementDone, StepError, StepRequest, StepStage,
    },
    revision::{
        Checksum, Direction, LAYOUT, LogEntry, LogEvent, NewRow, Observed, Partial, RecordChange,
        RevisionId, State, StatementsDigest, StoredScripts, Subject,
    },
    sql::{Statement, StatementKind},
};
use sqlx::{
    AssertSqlSafe, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use tempfile::TempDir;

/// A directory with a database in it.
struct Place {
    directory: TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.db");
        Self { directory, file }
    }

    /// With a version table, and what `sql` makes.
    async fn prepared(sql: &str) -> (Self, Box<dyn Database>) {
        let place = Self::new();
        let mut database = place.open().await;
        database.prepare().await.unwrap();
        place.execute(sql).await;
        (place, database)
    }

    async fn open(&self) -> Box<dyn Database> {
        connect(&self.file, Access::Create, settings())
            .await
            .unwrap()
    }

    /// By another program.
    async fn other(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(&self.file)
            .create_if_missing(true)
            .foreign_keys(false)
            .busy_timeout(Duration::ZERO);
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    async fn execute(&self, sql: &str) {
        let mut other = self.other().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut other)
            .await
            .unwrap();
        other.close().await.unwrap();
    }

    /// The rows of a query of one text column.
    async fn texts(&self, sql: &str) -> Vec<String> {
        let mut other = self.other().await;
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&mut other)
            .await
            .unwrap();
        other.close().await.unwrap();
        rows.iter()
            .map(|row: &SqliteRow| row.get::<String, _>(0))
            .collect()
    }

    async fn text(&self, sql: &str) -> String {
        self.texts(sql).await.join("|")
    }

    /// Everything in the file, as SQL values.
    async fn dump(&self) -> String {
        let mut all = self.text("SELECT type || name || tbl_name || coalesce(sql, '') FROM sqlite_schema ORDER BY name").await;
        let tables = self
            .texts("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .await;
        for table in tables {
            let columns = self
                .texts(&format!(
                    "SELECT 'quote(\"' || name || '\")' FROM pragma_table_info('{table}')"
                ))
                .await;
            let row = columns.join(" || ',' || ");
            all += "\n";
            all += &table;
            all += &self
                .text(&format!("SELECT {row} FROM \"{table}\" ORDER BY 1"))
                .await;
        }
        all
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

async fn connect(
    file: &Path,
    access: Access,
    settings: Settings,
) -> Result<Box<dyn Database>, DatabaseError> {
    database::connect(&Location::Sqlite(file.to_owned()), access, settings).await
}

fn settings() -> Settings {
    Settings {
        version_table: "migrator_version".into(),
        actor: "tester@here".into(),
        application_name: "migrator upgrade".into(),
        lock_timeout: Duration::from_secs(1),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_millis(150),
        statement_times: true,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    }
}

fn id(text: &str) -> RevisionId {
    text.parse().unwrap()
}

fn checksum(digit: char) -> Checksum {
    format!("v1:{}", String::from(digit).repeat(64))
        .parse()
        .unwrap()
}

fn row(sequence: i64, revision: &str) -> Arc<NewRow> {
    Arc::new(NewRow {
        sequence,
        subject: id(revision).into(),
        message: "add users".into(),
        parents: vec![id("1"), id("0002")],
        depends_on: vec![],
        up_checksum: checksum('a'),
        down_checksum: Some(checksum('b')),
        down_script: Some("-- żółć\nDROP TABLE users;\n".into()),
        up_script: Some("\u{feff}-- żółć ' ?1\r\nCREATE TABLE users (x)\n\n".into()),
    })
}

fn partial(direction: Direction, done: usize, error: Option<&str>) -> Partial {
    Partial {
        direction,
        script: "SELECT 1; SELECT 2; SELECT 3".into(),
        statements_done: done,
        statements_total: 3,
        statements_digest: StatementsDigest::of(&vec![checksum('c'); done]),
        interruption: error.map(Into::into),
        batch: None,
    }
}

fn entry(revision: &str) -> LogEntry {
    LogEntry {
        elapsed: Duration::ZERO,
        event: LogEvent::Upgrade,
        subject: Some(id(revision).into()),
        message: Some("add users".into()),
        error: None,
        detail: None,
    }
}

/// A script and where its statements are.
struct Script {
    text: String,
    statements: Vec<Statement>,
}

fn script(parts: &[&str]) -> Script {
    let mut text = String::from("-- żółć\n");
    let mut statements = Vec::new();
    for part in parts {
        let start = text.len();
        text += part;
        statements.push(Statement {
            span: start..text.len(),
            line: 1,
            column: 1,
            kind: kind(part),
            copy_data: None,
        });
        text += ";\n";
    }
    Script { text, statements }
}

fn kind(statement: &str) -> StatementKind {
    match statement.split(' ').next().unwrap() {
        "PRAGMA" | "ATTACH" => StatementKind::Session,
        "VACUUM" => StatementKind::OutsideTransaction("VACUUM"),
        _ if statement.starts_with("CREATE TEMP") => {
            StatementKind::SessionObject("a temporary table")
        }
        _ => StatementKind::Plain,
    }
}

/// What a step needs beyond its statements.
#[derive(Clone, Default)]
struct With {
    foreign_keys: bool,
    keep_session: bool,
    expects: i64,
    changes: Vec<RecordChange>,
    log: Vec<LogEntry>,
}

/// A step that records revision 1.
fn first() -> With {
    With {
        changes: vec![RecordChange::Insert(row(1, "1"))],
        log: vec![entry("1")],
        ..With::default()
    }
}

fn nth(sequence: i64) -> With {
    let revision = sequence.to_string();
    With {
        expects: sequence - 1,
        changes: vec![RecordChange::Insert(row(sequence, &revision))],
        log: vec![entry(&revision)],
        ..With::default()
    }
}

async fn step(
    database: &mut Box<dyn Database>,
    parts: &[&str],
    with: With,
) -> Result<Vec<StatementDone>, StepError> {
    let script = script(parts);
    let mut done = Vec::new();
    database
        .run_step(&request(&script, &with), &mut |one| done.push(one))
        .await
        .map(|()| done)
}

async fn alone(
    database: &mut Box<dyn Database>,
    part: &str,
    keep_session: bool,
) -> Result<(), StepError> {
    let (script, with) = (
        script(&[part]),
        With {
            keep_session,
            ..With::default()
        },
    );
    database
        .run_alone(&request(&script, &with), &mut |_| ())
        .await
}

fn request<'a>(script: &'a Script, with: &'a With) -> StepRequest<'a> {
    StepRequest {
        carried: Duration::ZERO,
        label: "upgrade 1",
        text: &script.text,
        statements: &script.statements,
        modes: "",
        foreign_keys: with.foreign_keys,
        unchecked_keys: false,
        lock_timeout: None,
        statement_timeout: None,
        expects: with.expects,
        changes: &with.changes,
        log: &with.log,
        keep_session: with.keep_session,
    }
}

async fn observe(database: &mut Box<dyn Database>) -> Observed {
    database.observe(Detail::WithScripts).await.unwrap()
}

fn sql_failure(error: StepError) -> (StepStage, SqlFailure) {
    match error {
        StepError {
            stage,
            error: DatabaseError::Sql(failure),
        } => (stage, failure),
        other => panic!("{other:?}"),
    }
}

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob');";

/// Posts refer to users; two rows are fine, `BROKEN` adds one that is not.
const POSTS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    INSERT INTO users VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users ON DELETE CASCADE);
    INSERT INTO posts VALUES (10, 1), (20, 2);";
const BROKEN: &str = "INSERT INTO posts VALUES (30, 99);";

// Connecting.

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_said() {
    let place = Place::new();
    let directory = place.directory.path();
    fs::write(
        directory.join("text.db"),
        "this is some text and no database, however long it is",
    )
    .unwrap();
    fs::write(directory.join("short.db"), "short").unwrap();
    fs::write(directory.join("empty.db"), "").unwrap();
    let check = async |name: &str, access, expected: &str| {
        let found = match connect(&directory.join(name), access, settings()).await {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string().replace(directory.to_str().unwrap(), ""),
        };
        assert_eq!(found, expected, "{name}");
    };
    check(
        "gone.db",
        Access::Existing,
        "database /gone.db does not exist",
    )
    .await;
    check("gone.db", Access::Create, "ok").await;
    check(
        "a/b.db",
        Access::Existing,
        "database /a/b.db does not exist",
    )
    .await;
    check(
        "a/b.db",
        Access::Create,
        "cannot connect to /a/b.db: directory /a does not exist",
    )
    .await;
    check(
        "",
        Access::Create,
        "/ is not a database: it is a directory, not a regular file",
    )
    .await;
    check(
        "text.db",
        Access::Existing,
        "/text.db is not a database: file is not a database",
    )
    .await;
    check(
        "short.db",
        Access::Create,
        "/short.db is not a database: file is not a database",
    )
    .await;
    check("empty.db", Access::Existing, "ok").await;
    assert_eq!(place.names(), ["empty.db", "short.db", "text.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_sqlite_has_not_are_refused() {
    for name in ["public.version", "", "sqlite_version"] {
        let settings = Settings {
            version_table: name.into(),
            ..settings()
        };
        let result = connect(Path::new(":memory:"), Access::Create, settings).await;
        assert!(
            matches!(result, Err(DatabaseError::NotAVersionTable { .. })),
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_made_when_something_is_written_and_not_before() {
    let place = Place::new();
    let mut database = place.open().await;
    assert_eq!(database.try_lock().await, Ok(LockAttempt::Acquired));
    assert_eq!(observe(&mut database).await, Observed::default());
    assert_eq!(database.log().await, Ok(vec![]));
    assert_eq!(place.names(), ["app.db.migrator-lock"]);
    database.prepare().await.unwrap();
    assert_eq!(observe(&mut database).await.layout, Some(LAYOUT));
    database.close().await.unwrap();
    assert_eq!(place.names(), ["app.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanishes_is_not_made_again() {
    let (place, mut database) = Place::prepared("").await;
    step(&mut database, &["PRAGMA cache_size = 100"], first())
        .await
        .unwrap();
    fs::remove_file(&place.file).unwrap();
    assert!(matches!(
        database.observe(Detail::Brief).await,
        Err(DatabaseError::Missing { .. })
    ));
    assert!(place.names().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_is_read_and_not_written() {
    let (place, database) = Place::prepared(USERS).await;
    database.close().await.unwrap();
    let mut permissions = fs::metadata(&place.file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&place.file, permissions).unwrap();
    let is_root = fs::File::options().write(true).open(&place.file).is_ok();
    let mut database = place.open().await;
    assert_eq!(observe(&mut database).await.layout, Some(LAYOUT));
    let result = step(&mut database, &["CREATE TABLE t (x)"], first()).await;
    match result {
        Ok(_) => assert!(is_root, "permissions do not hold for root alone"),
        Err(error) => {
            assert_eq!(error.stage, StepStage::Begin);
            assert!(
                matches!(error.error, DatabaseError::ReadOnly { .. }),
                "{error:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_settings_stay() {
    let place = Place::new();
    place
        .execute("PRAGMA journal_mode = WAL; CREATE TABLE t (x)")
        .await;
    let mut database = place.open().await;
    database.prepare().await.unwrap();
    step(&mut database, &["INSERT INTO t VALUES (1)"], first())
        .await
        .unwrap();
    database.close().await.unwrap();
    assert_eq!(place.text("PRAGMA journal_mode").await, "wal");
    assert_eq!(
        place
            .text("SELECT name FROM sqlite_schema WHERE name LIKE 'sqlite_seq%'")
            .await,
        ""
    );
}

// The version table.

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_read_as_they_were_written() {
    let (place, mut database) = Place::prepared("").await;
    database
        .record(&[RecordChange::Insert(row(1, "007"))], &[entry("007")])
        .await
        .unwrap();
    let observed = observe(&mut database).await;
    let applied = &observed.applied[0];
    let wanted = row(1, "007");
    assert_eq!(applied.sequence, 1);
    assert_eq!(applied.revision.as_str(), "007");
    assert_eq!(
        (applied.revision.clone().into(), &applied.message),
        (wanted.subject.clone(), &wanted.message)
    );
    assert_eq!(
        (&applied.parents, &applied.depends_on),
        (&wanted.parents, &wanted.depends_on)
    );
    assert_eq!(
        (&applied.up_checksum, &applied.down_checksum),
        (&wanted.up_checksum, &wanted.down_checksum)
    );
    assert_eq!(applied.down_script, wanted.down_script);
    assert_eq!(applied.state, State::Applied);
    assert_eq!(applied.applied_by, "tester@here");
    assert_eq!(applied.tool_version, env!("CARGO_PKG_VERSION"));
    assert!(applied.applied_at.unwrap() >= applied.started_at);
    let brief = database.observe(Detail::Brief).await.unwrap();
    assert_eq!(brief.applied[0].down_script, None);
    let scripts = database.scripts(&[id("8").into(), id("007").into()]).await;
    let stored = StoredScripts {
        subject: id("007").into(),
        up: wanted.up_script.clone(),
        down: wanted.down_script.as_deref().map(Into::into),
    };
    assert_eq!(scripts, Ok(vec![stored]));
    let form = "____-__-__T__:__:__.___Z";
    assert_eq!(place.text(&format!("SELECT 'x' FROM migrator_version WHERE started_at LIKE '{form}' AND applied_at LIKE '{form}'")).await, "x");

    let log = database.log().await.unwrap();
    assert_eq!(
        (log[0].event.as_str(), log[0].detail.as_deref()),
        ("layout", Some("2"))
    );
    assert_eq!(
        (
            log[1].sequence,
            log[1].event.as_str(),
            log[1].outcome.as_str()
        ),
        (2, "upgrade", "ok")
    );
    assert_eq!(log[1].subject, Some(id("7").into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_partial_state_goes_its_way() {
    let (_place, mut database) = Place::prepared("").await;
    let mut go = async |change: RecordChange| {
        database.record(&[change], &[]).await?;
        let observed = observe(&mut database).await;
        Ok::<_, DatabaseError>(
            observed
                .applied
                .first()
                .map(|row| (row.state.clone(), row.applied_at.is_some())),
        )
    };
    let revision = id("1");
    let up = |done, error| partial(Direction::Up, done, error);
    let progress = |from, to: Partial| RecordChange::Progress {
        subject: id("1").into(),
        from,
        to: to.progress(),
    };
    let enter = |from, to| RecordChange::Enter {
        subject: id("1").into(),
        from,
        to,
    };

    let state = go(RecordChange::Begin(row(1, "1"), up(0, None))).await;
    assert_eq!(state, Ok(Some((State::from(up(0, None)), false))));
    let state = go(progress(0, up(1, Some("it broke")))).await;
    assert_eq!(
        state,
        Ok(Some((State::from(up(1, Some("it broke"))), false)))
    );
    let finish = |from| RecordChange::Finish {
        whole: false,
        subject: id("1").into(),
        from,
    };
    for wrong in [
        progress(0, up(1, None)),
        enter(Some(0), up(1, None)),
        enter(None, up(1, None)),
        finish(2),
        RecordChange::Delete(id("2").into()),
        RecordChange::Insert(row(2, "1")),
        RecordChange::Insert(row(1, "2")),
    ] {
        let error = go(wrong.clone()).await.unwrap_err();
        assert!(
            matches!(error, DatabaseError::StateChanged { .. }),
            "{wrong:?}: {error:?}"
        );
    }
    assert_eq!(go(finish(1)).await, Ok(Some((State::Applied, true))));
    let down = partial(Direction::Down, 0, None);
    let state = go(enter(None, down.clone())).await;
    assert_eq!(state, Ok(Some((State::from(down), true))));
    assert_eq!(go(RecordChange::Delete(revision.into())).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn preparing_again_writes_nothing() {
    let (place, mut database) = Place::prepared("").await;
    let before = fs::read(&place.file).unwrap();
    database.prepare().await.unwrap();
    let mut second = place.open().await;
    second.prepare().await.unwrap();
    assert_eq!(fs::read(&place.file).unwrap(), before);
    assert_eq!(database.log().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn observing_writes_nothing() {
    let place = Place::new();
    place.execute(USERS).await;
    let before = fs::read(&place.file).unwrap();
    let mut database = place.open().await;
    assert_eq!(observe(&mut database).await, Observed::default());
    assert_eq!(database.log().await, Ok(vec![]));
    database.close().await.unwrap();
    assert_eq!(fs::read(&place.file).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_not_ours_are_refused() {
    let check = async |sql: &str, expected: &str| {
        let (_place, mut database) = Place::prepared("").await;
        database
            .record(&[RecordChange::Insert(row(1, "1"))], &[])
            .await
            .unwrap();
        _place
            .execute(&format!("PRAGMA ignore_check_constraints = 1; {sql}"))
            .await;
        let error = database.observe(Detail::Brief).await.unwrap_err();
        assert_eq!(error.to_string(), expected, "{sql}");
        assert!(
            database.prepare().await.is_err() || sql.starts_with("UPDATE migrator_version SET"),
            "{sql}"
        );
    };
    let odd = |what: &str| format!("migrator_version is not a valid version table: {what}");
    check(
        "DROP TABLE migrator_version_log",
        &odd("its log migrator_version_log is missing"),
    )
    .await;
    check(
        "DROP TABLE migrator_version",
        &odd("its log migrator_version_log is there, the table is not"),
    )
    .await;
    check(
        "DROP TABLE migrator_version; CREATE VIEW migrator_version AS SELECT 1",
        "migrator_version is not trusted: it is a view",
    )
    .await;
    check(
        "ALTER TABLE migrator_version DROP COLUMN message",
        &odd("it has no column message"),
    )
    .await;
    check(
        "ALTER TABLE migrator_version DROP COLUMN up_script",
        &odd("it has no column up_script"),
    )
    .await;
    check(
        "UPDATE migrator_version_log SET detail = 'x'",
        &odd("its log migrator_version_log names no layout"),
    )
    .await;
    check("UPDATE migrator_version_log SET detail = '9'; ALTER TABLE migrator_version DROP COLUMN message", "the version table migrator_version has layout 9, this version of migrator supports up to 2").await;
    check(
        "DROP TABLE migrator_version_progress",
        &odd("its table migrator_version_progress is missing"),
    )
    .await;
    check(
        "ALTER TABLE migrator_version_progress DROP COLUMN batch",
        &odd("it has no column batch").replace("migrator_version ", "migrator_version_progress "),
    )
    .await;
    check(
        "UPDATE migrator_version SET revision = 'x'",
        &odd("`x` makes no sense as revision of row 1"),
    )
    .await;
    check(
        "UPDATE migrator_version SET up_checksum = 'v2:ff'",
        &odd("`v2:ff` makes no sense as up_checksum of row 1"),
    )
    .await;
    check(
        "UPDATE migrator_version SET started_at = 'yesterday'",
        &odd("`yesterday` makes no sense as started_at of row 1"),
    )
    .await;
    check(
        "UPDATE migrator_version SET kind = 'k'",
        &odd("`k` makes no sense as kind of row 1"),
    )
    .await;
    check(
        "UPDATE migrator_version SET state = 'partial'",
        &odd("`NULL` makes no sense as direction of row 1"),
    )
    .await;
    check(
        "UPDATE migrator_version SET message = x'00'",
        &odd("`a blob` makes no sense as message of row 1"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_name_can_be_the_version_table() {
    let place = Place::new();
    let settings = Settings {
        version_table: "My \"odd\" täble".into(),
        ..settings()
    };
    let mut database = connect(&place.file, Access::Create, settings)
        .await
        .unwrap();
    database.prepare().await.unwrap();
    step(&mut database, &["CREATE TABLE t (x)"], first())
        .await
        .unwrap();
    assert_eq!(observe(&mut database).await.applied.len(), 1);
}

// Steps.

#[tokio::test(flavor = "multi_thread")]
async fn a_step_and_its_record_are_written_together() {
    let (place, mut database) = Place::prepared(USERS).await;
    let parts = [
        "CREATE TABLE t (x)",
        "INSERT INTO t SELECT id FROM users",
        "SELECT * FROM t",
    ];
    let done = step(&mut database, &parts, first()).await.unwrap();
    let rows: Vec<_> = done.iter().map(|done| (done.index, done.rows)).collect();
    assert_eq!(rows, [(0, 0), (1, 2), (2, 0)]);
    assert_eq!(observe(&mut database).await.last_sequence(), 1);
    assert_eq!(place.text("SELECT group_concat(x) FROM t").await, "1,2");
    assert_eq!(database.log().await.unwrap().len(), 2);

    let down = With {
        expects: 1,
        changes: vec![RecordChange::Delete(id("1").into())],
        ..With::default()
    };
    step(&mut database, &["DROP TABLE t"], down).await.unwrap();
    assert_eq!(observe(&mut database).await.applied, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_leaves_no_trace() {
    let check = async |setup: &str, parts: &[&str], stage: StepStage, code: &str| {
        let (place, mut database) = Place::prepared(&format!("{USERS}{setup}")).await;
        let before = place.dump().await;
        let error = step(&mut database, parts, first()).await.unwrap_err();
        let (found, failure) = sql_failure(error);
        assert_eq!(
            (found, failure.code.as_deref()),
            (stage, Some(code)),
            "{parts:?}"
        );
        assert_eq!(place.dump().await, before, "{parts:?}");
        // And the connection is good for the next one.
        step(
            &mut database,
            &["INSERT INTO users VALUES (3, 'eve')"],
            first(),
        )
        .await
        .unwrap();
        assert_eq!(
            place.text("SELECT name FROM users WHERE id = 3").await,
            "eve"
        );
    };
    let third = StepStage::Statement(2);
    let good = ["CREATE TABLE t (x)", "UPDATE users SET name = name || 'x'"];
    check(
        "",
        &[good[0], good[1], "CREATE TABLE users (x)"],
        third,
        "SQLITE_ERROR",
    )
    .await;
    check(
        "",
        &[
            good[0],
            good[1],
            "INSERT INTO users VALUES (9, 'annx')",
            "SELECT 1",
        ],
        third,
        "SQLITE_CONSTRAINT_UNIQUE",
    )
    .await;
    // These end the whole transaction; the statement after them must not run.
    check(
        "",
        &[
            good[0],
            good[1],
            "INSERT OR ROLLBACK INTO users VALUES (1, 'x')",
            "DELETE FROM users",
        ],
        third,
        "SQLITE_CONSTRAINT_PRIMARYKEY",
    )
    .await;
    let trigger =
        "CREATE TRIGGER no BEFORE DELETE ON users BEGIN SELECT RAISE(ROLLBACK, 'no'); END";
    check(
        trigger,
        &[good[0], good[1], "DELETE FROM users", "DROP TABLE users"],
        third,
        "SQLITE_CONSTRAINT_TRIGGER",
    )
    .await;
    // The disk is full.
    let filler = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO t SELECT randomblob(4000) FROM n";
    check(
        "",
        &["PRAGMA max_page_count = 20", good[0], filler],
        third,
        "SQLITE_FULL",
    )
    .await;
    // The record cannot be written.
    check(
        "",
        &["DROP TABLE migrator_version"],
        StepStage::Record,
        "SQLITE_ERROR",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_bytes_of_the_statement() {
    let (_place, mut database) = Place::prepared(USERS).await;
    let mut check = async |statement: &str, expected: Option<&str>| {
        let error = step(&mut database, &["SELECT 1", statement], first())
            .await
            .unwrap_err();
        let (stage, failure) = sql_failure(error);
        assert_eq!(stage, StepStage::Statement(1));
        assert_eq!(
            failure.offset.map(|at| &statement[at..]),
            expected,
            "{statement}: {failure:?}"
        );
    };
    check(
        "SELECT 'żółć', missing FROM users",
        Some("missing FROM users"),
    )
    .await;
    check("SELECT 'żółć' FRUM users x", Some("users x")).await;
    check("INSERT INTO users VALUES (1, 'żółć')", None).await;
    check("SELECT 1; DROP TABLE users", Some("DROP TABLE users")).await;
    check("SELECT 1 \0 DROP TABLE users", Some("\0 DROP TABLE users")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_not_the_planned_one_stops_a_step() {
    let (place, mut database) = Place::prepared(USERS).await;
    step(&mut database, &[], first()).await.unwrap();
    let before = place.dump().await;
    let error = step(&mut database, &["DROP TABLE users"], first())
        .await
        .unwrap_err();
    assert_eq!(error.stage, StepStage::Begin);
    assert!(matches!(error.error, DatabaseError::StateChanged { .. }));
    let gone = With {
        expects: 1,
        changes: vec![RecordChange::Delete(id("5").into())],
        ..With::default()
    };
    let error = step(&mut database, &["DROP TABLE users"], gone)
        .await
        .unwrap_err();
    assert_eq!(error.stage, StepStage::Record);
    assert!(matches!(error.error, DatabaseError::StateChanged { .. }));
    assert_eq!(place.dump().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_control_is_refused_before_anything_runs() {
    use migrator::internals::sql::TransactionControl;
    let (place, mut database) = Place::prepared(USERS).await;
    let before = place.dump().await;
    let mut marked = script(&["DELETE FROM users", "COMMIT"]);
    marked.statements[1].kind = StatementKind::Transaction(TransactionControl::Commit);
    let with = first();
    let error = database
        .run_step(&request(&marked, &with), &mut |_| ())
        .await
        .unwrap_err();
    assert_eq!(error.stage, StepStage::Statement(1));
    assert_eq!(place.dump().await, before);
    // One that was not recognized ends the step at once.
    let error = step(&mut database, &["ROLLBACK", "DELETE FROM users"], first())
        .await
        .unwrap_err();
    assert_eq!(error.stage, StepStage::Statement(0));
    assert_eq!(place.dump().await, before);
}

// Other programs.

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_is_waited_for_and_then_named() {
    let (place, mut database) = Place::prepared(USERS).await;
    let mut other = place.other().await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let error = step(&mut database, &["DELETE FROM users"], first())
        .await
        .unwrap_err();
    assert_eq!(error.stage, StepStage::Begin);
    let DatabaseError::Busy { waited, .. } = error.error else {
        panic!("{error:?}")
    };
    assert!(waited >= settings().connect_timeout);
    assert!(matches!(
        database.begin_run(false).await,
        Err(DatabaseError::Busy { .. })
    ));
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    step(&mut database, &["DELETE FROM users"], first())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_blocks_the_commit_only_without_wal() {
    for (mode, blocked) in [("DELETE", true), ("WAL", false)] {
        let (place, mut database) =
            Place::prepared(&format!("PRAGMA journal_mode = {mode}; {USERS}")).await;
        let before = place.dump().await;
        let mut reader = place.other().await;
        sqlx::raw_sql("BEGIN; SELECT * FROM users")
            .execute(&mut reader)
            .await
            .unwrap();
        let result = step(&mut database, &["DELETE FROM users"], first()).await;
        let rows = sqlx::query("SELECT 1 FROM users")
            .fetch_all(&mut reader)
            .await
            .unwrap();
        assert_eq!(rows.len(), 2, "{mode}: the reader still sees its snapshot");
        sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
        match result {
            Ok(_) => assert!(!blocked, "{mode}"),
            Err(error) => {
                assert!(blocked, "{mode}: {error:?}");
                assert_eq!(error.stage, StepStage::Commit);
                assert!(matches!(error.error, DatabaseError::Busy { .. }));
                assert_eq!(place.dump().await, before);
                step(&mut database, &["DELETE FROM users"], first())
                    .await
                    .unwrap();
            }
        }
        assert_eq!(place.text("SELECT name FROM users").await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_may_ask_for_the_whole_file() {
    for (modes, readable) in [("DEFERRED", true), ("", true), ("exclusive", false)] {
        let (place, mut database) = Place::prepared(USERS).await;
        let (script, with) = (script(&["SELECT 1"]), first());
        let request = StepRequest {
            modes,
            ..request(&script, &with)
        };
        let runtime = tokio::runtime::Handle::current();
        let mut other = place.other().await;
        let mut read = None;
        let mut during = |_| {
            let query = sqlx::query("SELECT 1 FROM users").fetch_all(&mut other);
            read = Some(runtime.block_on(query).is_ok());
        };
        database.run_step(&request, &mut during).await.unwrap();
        assert_eq!(read, Some(readable), "{modes}");
    }
}

// Foreign keys.

const REBUILD: [&str; 4] = [
    "CREATE TABLE new_users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)",
    "INSERT INTO new_users SELECT id, name, 1 FROM users",
    "DROP TABLE users",
    "ALTER TABLE new_users RENAME TO users",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_keeps_the_children() {
    for (foreign_keys, left) in [(false, "10|20"), (true, "")] {
        let (place, mut database) = Place::prepared(POSTS).await;
        step(
            &mut database,
            &REBUILD,
            With {
                foreign_keys,
                ..first()
            },
        )
        .await
        .unwrap();
        let ids = "SELECT CAST(id AS TEXT) FROM posts";
        assert_eq!(
            place.text(ids).await,
            left,
            "with foreign keys on, dropping the parent cascades"
        );
        // Switched off again, whatever the step wanted.
        let off = ["CREATE TABLE fk AS SELECT foreign_keys AS state FROM pragma_foreign_keys"];
        step(&mut database, &off, nth(2)).await.unwrap();
        assert_eq!(place.text("SELECT CAST(state AS TEXT) FROM fk").await, "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_new_violations_are_refused() {
    let check = async |setup: &str, parts: &[&str], expected: Option<&str>| {
        let (place, mut database) = Place::prepared(&format!("{POSTS}{setup}")).await;
        let before = place.dump().await;
        match step(&mut database, parts, first()).await {
            Ok(_) => assert_eq!(expected, None, "{parts:?}"),
            Err(StepError {
                stage: StepStage::Verify,
                error: DatabaseError::ForeignKeys(lines) | DatabaseError::KeysInDoubt(lines),
            }) => {
                assert_eq!(Some(lines.join("; ").as_str()), expected, "{parts:?}");
                assert_eq!(place.dump().await, before, "{parts:?}");
            }
            Err(other) => panic!("{parts:?}: {other:?}"),
        }
    };
    let posts = "of posts (column author)";
    check(
        "",
        &["DELETE FROM users WHERE id = 1"],
        Some(&format!("1 row {posts} has no parent in users (rowid 10)")),
    )
    .await;
    check(
        "",
        &["DELETE FROM users"],
        Some(&format!(
            "2 rows {posts} have no parent in users (rowid 10, 20)"
        )),
    )
    .await;
    check("", &["DELETE FROM users", "DELETE FROM posts"], None).await;
    check(
        "",
        &["DROP TABLE users"],
        Some(&format!(
            "2 rows {posts} have no parent in users (rowid 10, 20)"
        )),
    )
    .await;
    check(BROKEN, &["UPDATE users SET name = 'x' || name"], None).await;
    check(
        BROKEN,
        &["DELETE FROM users WHERE id = 1"],
        Some(&format!(
            "1 row {posts} has no parent in users, besides 1 that had none before (rowid 10, 30)"
        )),
    )
    .await;
    // A rebuild of the child gives the broken row another rowid.
    let rebuild = [
        "CREATE TABLE new_posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES Users)",
        "INSERT INTO new_posts (author) SELECT author FROM posts ORDER BY id DESC",
        "DROP TABLE posts",
        "ALTER TABLE new_posts RENAME TO posts",
    ];
    check(BROKEN, &rebuild, None).await;
    // One broken row for another.
    check(
        BROKEN,
        &[
            "DELETE FROM posts WHERE id = 30",
            "INSERT INTO posts VALUES (40, 77)",
        ],
        None,
    )
    .await;
    // A mismatch in one table hides nothing of another one, nor of its own other keys.
    let mismatch = "CREATE TABLE a (x REFERENCES users (missing), author REFERENCES users); INSERT INTO a VALUES (5, 99);";
    check(mismatch, &["UPDATE users SET name = 'x' || name"], None).await;
    check(
        mismatch,
        &["DELETE FROM users WHERE id = 1"],
        Some(&format!("1 row {posts} has no parent in users (rowid 10)")),
    )
    .await;
    check(
        mismatch,
        &["INSERT INTO a VALUES (6, 98)"],
        Some("1 row of a (column author) has no parent in users, besides 1 that had none before"),
    )
    .await;
    check(
        "",
        &[
            "CREATE TABLE a (x REFERENCES users (missing))",
            "INSERT INTO a VALUES (NULL)",
        ],
        Some("foreign key mismatch - \"a\" referencing \"users\""),
    )
    .await;
    // What the mismatch has hidden is not new when it is fixed.
    let hidden =
        "CREATE TABLE p (k); CREATE TABLE c (k REFERENCES p (k)); INSERT INTO c VALUES (1), (2);";
    check(hidden, &["CREATE UNIQUE INDEX pk ON p (k)"], None).await;
    check(
        hidden,
        &[
            "CREATE UNIQUE INDEX pk ON p (k)",
            "INSERT INTO c VALUES (3)",
        ],
        Some("1 row of c (column k) has no parent in p, besides 2 that had none before (rowid 1, 2, 3)"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_several_steps_is_verified_as_a_whole() {
    let (place, mut database) = Place::prepared(POSTS).await;
    let begin = RecordChange::Begin(row(1, "1"), partial(Direction::Up, 0, None));
    database.record(&[begin], &[]).await.unwrap();
    let progress = |done: usize| With {
        keep_session: true,
        expects: 1,
        changes: vec![RecordChange::Progress {
            subject: id("1").into(),
            from: done - 1,
            to: partial(Direction::Up, done, None).progress(),
        }],
        ..With::default()
    };
    let finish = |from| With {
        changes: vec![RecordChange::Finish {
            whole: false,
            subject: id("1").into(),
            from,
        }],
        ..progress(1)
    };
    step(
        &mut database,
        &["DELETE FROM users WHERE id = 1"],
        progress(1),
    )
    .await
    .unwrap();
    step(&mut database, &["SELECT 1"], progress(2))
        .await
        .unwrap();
    let error = step(&mut database, &["SELECT 2"], finish(2))
        .await
        .unwrap_err();
    assert_eq!(error.stage, StepStage::Verify);
    step(
        &mut database,
        &["DELETE FROM posts WHERE id = 10"],
        finish(2),
    )
    .await
    .unwrap();
    assert_eq!(
        observe(&mut database).await.applied[0].state,
        State::Applied
    );
    assert_eq!(place.text("SELECT CAST(id AS TEXT) FROM posts").await, "20");
}

// Sessions.

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_session_reaches_the_next_step() {
    let probe = "CREATE TABLE probe AS SELECT
        (SELECT query_only FROM pragma_query_only) || (SELECT recursive_triggers FROM pragma_recursive_triggers)
        || (SELECT legacy_alter_table FROM pragma_legacy_alter_table) || (SELECT cache_size FROM pragma_cache_size)
        || (SELECT group_concat(name) FROM pragma_database_list) || (SELECT count(*) FROM temp.sqlite_schema)
        || ('A' LIKE 'a') AS state";
    let attached = Place::new();
    let attach = format!("ATTACH '{}' AS other", attached.file.display());
    let check = async |parts: &[&str], file: bool| {
        let place = Place::new();
        let path = if file {
            place.file.clone()
        } else {
            ":memory:".into()
        };
        let mut database = connect(&path, Access::Create, settings()).await.unwrap();
        database.prepare().await.unwrap();
        step(&mut database, parts, first()).await.unwrap();
        assert_eq!(observe(&mut database).await.last_sequence(), 1, "{parts:?}");
        step(
            &mut database,
            &[
                probe,
                "INSERT INTO probe SELECT * FROM (SELECT '' AS x) WHERE 0",
            ],
            nth(2),
        )
        .await
        .unwrap();
        let good =
            "SELECT 1 / (state = '000-2000main1' OR state = '000-2000main,temp01') FROM probe";
        let failing = "CREATE TABLE must_be_good (x NOT NULL)";
        let insert = "INSERT INTO must_be_good SELECT CASE WHEN state IN ('000-2000main01', '000-2000main,temp01') THEN 1 END FROM probe";
        step(&mut database, &[failing, insert, good], nth(3))
            .await
            .unwrap_or_else(|error| panic!("{parts:?}, {file}: {error}"));
    };
    for file in [true, false] {
        check(&["SELECT 1"], file).await;
        check(&["PRAGMA query_only = 1"], file).await;
        check(
            &[
                "PRAGMA recursive_triggers = 1",
                "PRAGMA legacy_alter_table = 1",
                "PRAGMA cache_size = 7",
                "PRAGMA case_sensitive_like = 1",
            ],
            file,
        )
        .await;
        check(&["PRAGMA writable_schema = 1"], file).await;
        check(
            &[
                "CREATE TEMP TABLE migrator_version (x)",
                "CREATE TEMP TABLE migrator_version_log (x)",
            ],
            file,
        )
        .await;
        check(&["CREATE TEMP TABLE t (x)", "CREATE TEMP VIEW v AS SELECT * FROM t", "CREATE TEMP TRIGGER tr AFTER INSERT ON main.migrator_version BEGIN SELECT RAISE(ABORT, 'no'); END"], file).await;
        check(&["CREATE TEMP TRIGGER \"o\"\"dd\" BEFORE INSERT ON main.migrator_version_log BEGIN SELECT RAISE(IGNORE); END"], file).await;
        check(
            &[
                &attach,
                "CREATE TABLE other.migrator_version (x)",
                "DROP TABLE other.migrator_version",
            ],
            file,
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_failed_step_stays_either() {
    let (place, mut database) = Place::prepared(USERS).await;
    let parts = [
        "PRAGMA query_only = 1",
        "PRAGMA foreign_keys = 1",
        "DELETE FROM users",
    ];
    let error = step(&mut database, &parts, first()).await.unwrap_err();
    assert!(
        matches!(error.error, DatabaseError::ReadOnly { .. }),
        "{error:?}"
    );
    step(&mut database, &["DELETE FROM users"], first())
        .await
        .unwrap();
    assert_eq!(place.text("SELECT name FROM users").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_session_lasts_until_it_is_reset() {
    for file in [true, false] {
        let place = Place::new();
        let path = if file {
            place.file.clone()
        } else {
            ":memory:".into()
        };
        let mut database = connect(&path, Access::Create, settings()).await.unwrap();
        database.prepare().await.unwrap();
        let kept = |with: With| With {
            keep_session: true,
            ..with
        };
        step(
            &mut database,
            &["PRAGMA case_sensitive_like = 1"],
            kept(first()),
        )
        .await
        .unwrap();
        alone(&mut database, "PRAGMA foreign_keys = 1", true)
            .await
            .unwrap();
        alone(&mut database, "PRAGMA query_only = 1", true)
            .await
            .unwrap();
        // The script cannot write now, the record can.
        let error = step(&mut database, &["CREATE TABLE t (x)"], kept(nth(2)))
            .await
            .unwrap_err();
        assert!(
            matches!(error.error, DatabaseError::ReadOnly { .. }),
            "{error:?}"
        );
        step(&mut database, &["SELECT 1"], kept(nth(2)))
            .await
            .unwrap();
        database
            .record(&[RecordChange::Insert(row(3, "3"))], &[])
            .await
            .unwrap();
        let probe = "CREATE TABLE probe AS SELECT (SELECT foreign_keys FROM pragma_foreign_keys) || ('A' LIKE 'a') AS state";
        let holds = |state: &str| {
            format!(
                "CREATE TEMP TABLE x AS SELECT abs(CASE state WHEN '{state}' THEN 1 ELSE -9223372036854775808 END) FROM probe"
            )
        };
        step(
            &mut database,
            &["PRAGMA query_only = 0", probe, &holds("10")],
            kept(nth(4)),
        )
        .await
        .unwrap();
        database.reset_session().await.unwrap();
        step(
            &mut database,
            &["DROP TABLE probe", probe, &holds("01")],
            nth(5),
        )
        .await
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn some_statements_run_alone() {
    let (place, mut database) = Place::prepared(USERS).await;
    alone(&mut database, "VACUUM", false).await.unwrap();
    alone(&mut database, "PRAGMA journal_mode = WAL", false)
        .await
        .unwrap();
    assert_eq!(place.text("PRAGMA journal_mode").await, "wal");
    let error = alone(&mut database, "BEGIN", false).await.unwrap_err();
    assert!(matches!(error.error, DatabaseError::Other(_)), "{error:?}");
    let error = step(&mut database, &["VACUUM"], first()).await.unwrap_err();
    assert_eq!(sql_failure(error).0, StepStage::Statement(0));
    database.begin_run(false).await.unwrap();
    assert!(alone(&mut database, "VACUUM", false).await.is_err());
    step(&mut database, &["DELETE FROM users"], first())
        .await
        .unwrap();
    database.commit_run().await.unwrap();
    assert_eq!(observe(&mut database).await.last_sequence(), 1);
}

// Runs.

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_one_transaction() {
    for commit in [true, false] {
        let (place, mut database) = Place::prepared(POSTS).await;
        let before = place.dump().await;
        database.begin_run(false).await.unwrap();
        step(
            &mut database,
            &[
                "CREATE TEMP TABLE migrator_version (x)",
                "PRAGMA query_only = 1",
            ],
            first(),
        )
        .await
        .unwrap();
        step(&mut database, &REBUILD, nth(2)).await.unwrap();
        assert_eq!(observe(&mut database).await.last_sequence(), 2);
        assert_eq!(place.dump().await, before);
        if commit {
            database.commit_run().await.unwrap();
            assert_eq!(observe(&mut database).await.last_sequence(), 2);
            assert_eq!(
                place.text("SELECT CAST(age AS TEXT) FROM users").await,
                "1|1"
            );
        } else {
            database.rollback_run().await.unwrap();
            assert_eq!(place.dump().await, before);
        }
        assert!(
            database.commit_run().await.is_err(),
            "there is no run any more"
        );
    }
}

/// Whether there are foreign keys is remembered within a run, and not from before it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_sees_foreign_keys_of_others_and_its_own() {
    let harmless = ["UPDATE users SET name = name || 'x'"];
    let keys = [
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER REFERENCES users)",
        "INSERT INTO posts VALUES (10, 1)",
    ];
    let breaks = ["DELETE FROM users WHERE id = 1"];
    let refused = |result: Result<Vec<StatementDone>, StepError>| {
        let error = result.expect_err("a post loses its author");
        assert_eq!(error.stage, StepStage::Verify, "{error:?}");
    };
    let (place, mut database) = Place::prepared(USERS).await;
    step(&mut database, &harmless, first()).await.unwrap();
    place.execute(&keys.join(";")).await;
    database.begin_run(false).await.unwrap();
    refused(step(&mut database, &breaks, nth(2)).await);
    database.rollback_run().await.unwrap();

    let (_place, mut database) = Place::prepared(USERS).await;
    database.begin_run(false).await.unwrap();
    step(&mut database, &harmless, nth(1)).await.unwrap();
    step(&mut database, &harmless, nth(2)).await.unwrap();
    step(&mut database, &keys, nth(3)).await.unwrap();
    refused(step(&mut database, &breaks, nth(4)).await);
    database.rollback_run().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_many_steps_records_each() {
    const STEPS: i64 = 250;
    let (place, mut database) = Place::prepared(USERS).await;
    database.begin_run(false).await.unwrap();
    for sequence in 1..=STEPS {
        let table = format!("CREATE TABLE t{sequence} (x)");
        step(&mut database, &[&table], nth(sequence)).await.unwrap();
        if sequence == 130 {
            assert_eq!(observe(&mut database).await.last_sequence(), 130);
        }
    }
    database.commit_run().await.unwrap();
    let rows = observe(&mut database).await;
    let expected: Vec<_> = (1..=STEPS)
        .map(|sequence| id(&sequence.to_string()))
        .collect();
    let found: Vec<_> = rows
        .applied
        .iter()
        .map(|row| row.revision.clone())
        .collect();
    assert_eq!(found, expected);
    let logged: Vec<_> = database.log().await.unwrap();
    let logged = logged.into_iter().filter_map(|row| row.subject);
    let expected: Vec<_> = expected.into_iter().map(Subject::from).collect();
    assert_eq!(logged.collect::<Vec<_>>(), expected);
    assert_eq!(place.text("PRAGMA integrity_check").await, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_at_the_version_table_in_a_run_finds_it_written() {
    let counting = "INSERT INTO seen SELECT count(*) FROM ";
    for (view, source) in [
        ("CREATE VIEW other AS SELECT 1", "Migrator_Version"),
        (
            "CREATE VIEW progress AS SELECT * FROM MIGRATOR_version",
            "progress",
        ),
    ] {
        let (place, mut database) = Place::prepared(USERS).await;
        step(&mut database, &["CREATE TABLE seen (n)", view], first())
            .await
            .unwrap();
        database.begin_run(false).await.unwrap();
        for sequence in 2..=4 {
            let statement = format!("{counting}{source}");
            step(&mut database, &[&statement], nth(sequence))
                .await
                .unwrap();
        }
        database.commit_run().await.unwrap();
        let seen = place.text("SELECT CAST(n AS TEXT) FROM seen").await;
        assert_eq!(seen, "1|2|3", "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_not_committed_over_rows_that_its_scripts_wrote() {
    let (place, mut database) = Place::prepared(USERS).await;
    step(&mut database, &["SELECT 1"], first()).await.unwrap();
    let before = place.dump().await;
    database.begin_run(false).await.unwrap();
    step(&mut database, &["CREATE TABLE t (x)"], nth(2))
        .await
        .unwrap();
    let tampering = "UPDATE migrator_version SET sequence = sequence + 100";
    step(&mut database, &[tampering], nth(3)).await.unwrap();
    let error = step(&mut database, &["SELECT 1"], nth(4))
        .await
        .unwrap_err();
    assert!(
        matches!(error.error, DatabaseError::StateChanged { .. }),
        "{error:?}"
    );
    assert!(database.commit_run().await.is_err());
    assert_eq!(place.dump().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_a_failed_step_is_never_committed() {
    let check = async |parts: &[&str], foreign_keys: bool| {
        let (place, mut database) = Place::prepared(POSTS).await;
        let before = place.dump().await;
        database.begin_run(false).await.unwrap();
        step(&mut database, &["CREATE TABLE t (x)"], first())
            .await
            .unwrap();
        step(
            &mut database,
            parts,
            With {
                foreign_keys,
                ..nth(2)
            },
        )
        .await
        .unwrap_err();
        let error = step(&mut database, &["SELECT 1"], nth(2))
            .await
            .unwrap_err();
        assert_eq!(error.stage, StepStage::Begin);
        assert!(database.commit_run().await.is_err());
        assert_eq!(place.dump().await, before, "{parts:?}");
        step(&mut database, &["CREATE TABLE t (x)"], first())
            .await
            .unwrap();
    };
    check(&["CREATE TABLE t (x)"], false).await;
    check(&["DELETE FROM users"], false).await;
    check(&["INSERT OR ROLLBACK INTO users VALUES (1, 'x')"], false).await;
    check(&["SELECT 1"], true).await;
}

// Cancelling.

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_what_runs() {
    for parts in [
        &["DELETE FROM users", ENDLESS][..],
        &[
            "DELETE FROM users",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO users SELECT i + 10, i FROM n",
        ],
    ] {
        let (place, mut database) = Place::prepared(USERS).await;
        let before = place.dump().await;
        let canceller = database.canceller();
        // Nothing runs yet.
        canceller.cancel().await;
        let (script, with) = (script(parts), first());
        let begun = Arc::new(tokio::sync::Notify::new());
        let waiting = Arc::clone(&begun);
        let stopper = tokio::spawn(async move {
            waiting.notified().await;
            canceller.cancel().await;
        });
        let error = database
            .run_step(&request(&script, &with), &mut |_| begun.notify_one())
            .await
            .unwrap_err();
        stopper.await.unwrap();
        assert_eq!(
            error,
            StepError {
                stage: StepStage::Statement(1),
                error: DatabaseError::Interrupted
            }
        );
        assert_eq!(place.dump().await, before);
        step(&mut database, &["DELETE FROM users"], first())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_between_two_statements_stops_the_next() {
    let (place, mut database) = Place::prepared(USERS).await;
    let canceller = database.canceller();
    let (script, with) = (script(&["SELECT 1", "DELETE FROM users"]), first());
    let runtime = tokio::runtime::Handle::current();
    let result = database
        .run_step(&request(&script, &with), &mut |_| {
            runtime.block_on(canceller.cancel())
        })
        .await;
    assert_eq!(
        result,
        Err(StepError {
            stage: StepStage::Statement(1),
            error: DatabaseError::Interrupted
        })
    );
    assert_eq!(place.text("SELECT name FROM users").await, "ann|bob");
    // After the last statement, too.
    let (script, with) = (self::script(&["DELETE FROM users"]), first());
    let canceller = database.canceller();
    let result = database
        .run_step(&request(&script, &with), &mut |_| {
            runtime.block_on(canceller.cancel())
        })
        .await;
    assert_eq!(result.unwrap_err().error, DatabaseError::Interrupted);
    assert_eq!(place.text("SELECT name FROM users").await, "ann|bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_ends_waiting_and_outlives_the_connection() {
    let (place, database) = Place::prepared(USERS).await;
    database.close().await.unwrap();
    let patient = Settings {
        connect_timeout: Duration::from_secs(3600),
        ..settings()
    };
    let mut database = connect(&place.file, Access::Existing, patient)
        .await
        .unwrap();
    let mut other = place.other().await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let canceller = database.canceller();
    let stopper = tokio::spawn({
        let canceller = Arc::clone(&canceller);
        // Until it has an effect: the step may not have begun yet.
        async move {
            loop {
                canceller.cancel().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    let error = step(&mut database, &["DELETE FROM users"], first())
        .await
        .unwrap_err();
    stopper.abort();
    assert_eq!(
        error,
        StepError {
            stage: StepStage::Begin,
            error: DatabaseError::Interrupted
        }
    );
    database.close().await.unwrap();
    canceller.cancel().await;
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
}

// The lock.

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_names_its_holder() {
    let (place, mut first) = Place::prepared("").await;
    // Another spelling of the same file.
    let directory = place.directory.path();
    let spelled = directory
        .join("..")
        .join(directory.file_name().unwrap())
        .join("app.db");
    let mut second = connect(&spelled, Access::Create, settings()).await.unwrap();
    assert_eq!(first.try_lock().await, Ok(LockAttempt::Acquired));
    assert_eq!(first.try_lock().await, Ok(LockAttempt::Acquired));
    let Ok(LockAttempt::Held {
        holder: Some(holder),
    }) = second.try_lock().await
    else {
        panic!("the first one has it");
    };
    let start = format!(
        "migrator upgrade (pid {}, tester@here, since 2",
        std::process::id()
    );
    assert!(
        holder.starts_with(&start) && holder.ends_with(" UTC)"),
        "{holder}"
    );
    first.unlock().await.unwrap();
    first.unlock().await.unwrap();
    assert_eq!(place.names(), ["app.db"]);
    assert_eq!(second.try_lock().await, Ok(LockAttempt::Acquired));
    drop(second);
    assert_eq!(
        first.try_lock().await,
        Ok(LockAttempt::Acquired),
        "a dropped holder lets go"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_file_that_is_left_behind_does_not_matter() {
    let (place, mut database) = Place::prepared("").await;
    fs::write(
        place.file.with_extension("db.migrator-lock"),
        "someone, long ago, with a name that is longer than ours will ever be, I hope and believe",
    )
    .unwrap();
    assert_eq!(database.try_lock().await, Ok(LockAttempt::Acquired));
    let text = fs::read_to_string(place.file.with_extension("db.migrator-lock")).unwrap();
    assert!(
        text.starts_with("migrator upgrade") && text.ends_with("UTC)\n"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_lock_file_is_noticed() {
    let (place, mut one) = Place::prepared(USERS).await;
    let mut two = place.open().await;
    let file = place.file.with_extension("db.migrator-lock");
    one.try_lock().await.unwrap();
    fs::remove_file(&file).unwrap();
    // Nobody else has it: it is taken again.
    step(&mut one, &["SELECT 1"], first()).await.unwrap();
    assert!(matches!(two.try_lock().await, Ok(LockAttempt::Held { .. })));
    // Someone else has it.
    fs::remove_file(&file).unwrap();
    assert_eq!(two.try_lock().await, Ok(LockAttempt::Acquired));
    let error = step(&mut one, &["DELETE FROM users"], nth(2))
        .await
        .unwrap_err();
    assert_eq!(
        error,
        StepError {
            stage: StepStage::Begin,
            error: DatabaseError::LockLost
        }
    );
    one.unlock().await.unwrap();
    assert!(file.exists(), "it is not ours to remove");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_only_one_has_the_lock() {
    let place = Place::new();
    let held = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let tasks = (0..8).map(|_| {
        let (file, held) = (place.file.clone(), Arc::clone(&held));
        tokio::spawn(async move {
            use std::sync::atomic::Ordering::SeqCst;
            let mut database = connect(&file, Access::Create, settings()).await.unwrap();
            let mut times = 0;
            while times < 50 {
                if database.try_lock().await == Ok(LockAttempt::Acquired) {
                    assert_eq!(held.fetch_add(1, SeqCst), 0, "two have it");
                    tokio::task::yield_now().await;
                    held.fetch_sub(1, SeqCst);
                    database.unlock().await.unwrap();
                    times += 1;
                }
                tokio::task::yield_now().await;
            }
            times
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), 50);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_the_same_lock_and_no_link_is_written_through() {
    let place = Place::new();
    let link = place.directory.path().join("link.db");
    std::os::unix::fs::symlink("app.db", &link).unwrap();
    let mut one = place.open().await;
    let mut two = connect(&link, Access::Create, settings()).await.unwrap();
    // Before there is a file, and after.
    assert_eq!(one.try_lock().await, Ok(LockAttempt::Acquired));
    assert!(matches!(two.try_lock().await, Ok(LockAttempt::Held { .. })));
    one.prepare().await.unwrap();
    assert!(matches!(two.try_lock().await, Ok(LockAttempt::Held { .. })));
    one.unlock().await.unwrap();
    let precious = place.directory.path().join("precious");
    fs::write(&precious, "text").unwrap();
    std::os::unix::fs::symlink(
        &precious,
        place.directory.path().join("app.db.migrator-lock"),
    )
    .unwrap();
    let error = one.try_lock().await.unwrap_err();
    assert!(
        matches!(error, DatabaseError::Unreachable { .. }),
        "{error:?}"
    );
    assert_eq!(fs::read_to_string(precious).unwrap(), "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_memory_works() {
    let mut database = connect(Path::new(":memory:"), Access::Existing, settings())
        .await
        .unwrap();
    assert_eq!(database.try_lock().await, Ok(LockAttempt::Acquired));
    assert_eq!(observe(&mut database).await, Observed::default());
    database.prepare().await.unwrap();
    step(&mut database, &["CREATE TABLE t (x)"], first())
        .await
        .unwrap();
    let error = step(&mut database, &["CREATE TABLE t (x)"], nth(2))
        .await
        .unwrap_err();
    assert_eq!(sql_failure(error).0, StepStage::Statement(0));
    assert_eq!(observe(&mut database).await.last_sequence(), 1);
    database.close().await.unwrap();
}
