//! Floors: the same statements and the same rows of version table and log in the same
//! transactions, with nothing around them. They come ready from a file: nothing is read from a
//! directory, checked or planned.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use migrator::internals::{
    database::{Access, Location, Settings},
    ops::{self, MigrateArgs, Project, Scripts, Session},
    plan::Step,
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, raw_sql};

use super::{
    database::Database,
    measure::{self, Measured, Scenario},
    scripts,
};

/// Makes this program a floor.
pub const FLAG: &str = "--floor";

/// The C library, or the driver, in a loop.
pub const LOOP: &str = "bare loop";
/// `sqlite3`, `psql`.
pub const SHELL: &str = "shell";
/// All of them.
pub const WHO: [&str; 2] = [LOOP, SHELL];

/// Separates what is sent at once. No statement of ours holds it.
const END: &str = "\n-- end\n";

/// The files of one database and number of revisions.
pub struct Floors {
    dir: PathBuf,
    /// By scenario.
    files: Vec<(Scenario, PathBuf)>,
}

/// Has a process of its own write what the floors run: what this one needs would count as its
/// children's memory.
pub fn prepare(dir: &Path, database: &Database, size: usize) -> Floors {
    let dir = dir.join("floor");
    scripts::pairs(&dir.join("migrations"), size);
    let url = with_tables(database, &dir);
    measure::run(&mut this(&["write", &url, &dir.display().to_string()]));
    let files = WRITTEN.map(|scenario| (scenario, file(&dir, scenario)));
    Floors {
        dir,
        files: files.into(),
    }
}

/// What is written to run.
const WRITTEN: [Scenario; 3] = [Scenario::Empty, Scenario::AtOnce, Scenario::Base];

fn file(dir: &Path, scenario: Scenario) -> PathBuf {
    dir.join(format!("{scenario:?}.sql"))
}

fn write(url: &str, dir: &Path) {
    let times = times(url);
    let up = block_on(steps(url, &dir.join("migrations"), times));
    let down = (1..=up.len()).rev().map(|n| reverted(n, times));
    let down = down.collect::<Vec<_>>();
    for scenario in WRITTEN {
        let one = |step: &String| format!("BEGIN;\n{step}COMMIT;\n");
        let text = match scenario {
            Scenario::AtOnce => format!("BEGIN;{END}{}{END}COMMIT;", up.join(END)),
            Scenario::Base => down.iter().map(one).collect::<Vec<_>>().join(END),
            _ => up.iter().map(one).collect::<Vec<_>>().join(END),
        };
        fs::write(file(dir, scenario), text).unwrap();
    }
}

impl Floors {
    /// One round of one of them.
    pub fn measure(
        &self,
        who: &'static str,
        database: &Database,
        size: usize,
        measured: &mut Measured,
    ) {
        let mut url = String::new();
        for (scenario, file) in &self.files {
            if *scenario != Scenario::Base {
                url = with_tables(database, &self.dir);
            }
            let taken = match who {
                LOOP => measure::run(&mut this(&["run", &url, &file.display().to_string()])),
                _ => shell(&url, file),
            };
            measured.add(database, *scenario, size, who, taken);
            if (*scenario, who) == (Scenario::Empty, LOOP) {
                let migrations = self.dir.join("migrations").display().to_string();
                for _ in 0..measure::QUICK {
                    let taken = measure::run(&mut this(&["read", &url, &migrations]));
                    measured.add(database, Scenario::Nothing, size, who, taken);
                }
            }
        }
    }
}

fn this(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg(FLAG).args(arguments);
    command
}

fn shell(url: &str, file: &Path) -> measure::Taken {
    match url.strip_prefix("sqlite:") {
        Some(database) => {
            let mut command = Command::new("sqlite3");
            command
                .args(["-bail", database])
                .stdin(File::open(file).unwrap());
            measure::run_as_it_is(&mut command)
        }
        None => {
            let mut command = Command::new("psql");
            command
                .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"])
                .arg(file)
                .arg(url);
            measure::run(&mut command)
        }
    }
}

/// An empty database with the tables of ours: made by one revision that is reverted.
fn with_tables(database: &Database, dir: &Path) -> String {
    let url = database.fresh(dir);
    let one = tempfile::tempdir().unwrap();
    scripts::pairs(&one.path().join("migrations"), 1);
    for arguments in [["upgrade", "head"], ["downgrade", "base"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrator"));
        command
            .args(["-q", "--url", &url])
            .args(arguments)
            .current_dir(one.path());
        measure::run(&mut command);
    }
    url
}

/// How times are written.
struct Times {
    start: &'static str,
    now: &'static str,
    elapsed: &'static str,
}

fn times(url: &str) -> &'static Times {
    if url.starts_with("sqlite:") {
        &Times {
            start: "'2026-01-01T00:00:00.000Z'",
            now: "'2026-01-01T00:00:00.000Z'",
            elapsed: "1",
        }
    } else {
        &Times {
            start: "now()",
            now: "clock_timestamp()",
            elapsed: "(date_part('epoch', clock_timestamp() - now()) * 1000)::bigint",
        }
    }
}

/// Every step of `upgrade head` with the rows that record it.
async fn steps(url: &str, migrations: &Path, times: &Times) -> Vec<String> {
    let project = Project::new(Scripts::Directory {
        shown: migrations.display().to_string(),
        path: migrations.to_owned(),
    });
    let location = Location::parse(url, Path::new("")).unwrap();
    let mut session = Session::new(location, settings()).access(Access::Create);
    let args = MigrateArgs::to("head".parse().unwrap());
    let planned = ops::plan_upgrade(&project, &mut session, &args).await;
    let plan = planned.unwrap().plan;
    session.close().await.unwrap();
    let Times {
        start,
        now,
        elapsed,
    } = times;
    let step = |step: &Step| {
        let row = step.row.as_ref().unwrap();
        let parents: Vec<_> = row.parents.iter().map(ToString::to_string).collect();
        format!(
            "{}INSERT INTO migrator_version (sequence, revision, kind, message, parents, depends_on, up_checksum, \
             down_checksum, down_script, state, started_at, applied_at, duration_ms, applied_by, tool_version, \
             up_script) VALUES ({}, '{}', 'revision', '{}', '{}', '', '{}', '{}', '{}', 'applied', \
             {start}, {now}, {elapsed}, 'user@host', '0.1.0', '{}');\n{}",
            step.script.text,
            row.sequence,
            row.subject,
            row.message,
            parents.join(","),
            row.up_checksum,
            row.down_checksum.as_ref().unwrap(),
            row.down_script.as_ref().unwrap(),
            row.up_script.as_ref().unwrap().replace('\'', "''"),
            logged("upgrade", &row.subject.to_string(), &row.message, times),
        )
    };
    plan.steps.iter().map(step).collect()
}

fn settings() -> Settings {
    Settings {
        version_table: "migrator_version".to_owned(),
        actor: "user@host".to_owned(),
        application_name: "floor".to_owned(),
        lock_timeout: Duration::ZERO,
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(10),
        statement_times: false,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    }
}

/// A step of `downgrade base` with what records it.
fn reverted(n: usize, times: &Times) -> String {
    let revision = (20_260_101_000_000 + n as u64).to_string();
    format!(
        "{}DELETE FROM migrator_version WHERE revision = '{revision}';\n{}",
        scripts::down(n),
        logged("downgrade", &revision, &format!("t{n}"), times)
    )
}

fn logged(event: &str, revision: &str, message: &str, times: &Times) -> String {
    let Times { now, elapsed, .. } = times;
    format!(
        "INSERT INTO migrator_version_log (at, event, revision, message, outcome, duration_ms, actor, tool_version) \
         VALUES ({now}, '{event}', '{revision}', '{message}', 'ok', {elapsed}, 'user@host', '0.1.0');\n"
    )
}

/// Is the floor: `run URL FILE` or `read URL DIRECTORY`; or writes its files: `write URL DIRECTORY`.
pub fn run(arguments: &[String]) {
    let [verb, url, path] = arguments else {
        panic!("{arguments:?}")
    };
    match (verb.as_str(), url.strip_prefix("sqlite:")) {
        ("write", _) => write(url, Path::new(path)),
        ("run", Some(file)) => {
            let text = fs::read_to_string(path).unwrap();
            sqlite(file, text.split(END), false);
        }
        ("run", None) => block_on(async {
            let text = fs::read_to_string(path).unwrap();
            let mut connection = PgConnection::connect(url).await.unwrap();
            for sql in text.split(END) {
                connection
                    .execute(raw_sql(AssertSqlSafe(sql)))
                    .await
                    .unwrap();
            }
            connection.close().await.unwrap();
        }),
        ("read", file) => {
            read_all(Path::new(path));
            match file {
                Some(file) => sqlite(file, std::iter::once(TABLE), true),
                None => block_on(async {
                    let mut connection = PgConnection::connect(url).await.unwrap();
                    let found = connection.fetch_all(raw_sql(TABLE)).await.unwrap();
                    assert!(!found.is_empty());
                    connection.close().await.unwrap();
                }),
            }
        }
        _ => panic!("{arguments:?}"),
    }
}

/// What a state is read by.
const TABLE: &str = "SELECT sequence, revision, kind, message, parents, depends_on, up_checksum, \
    down_checksum, state, started_at, applied_at, duration_ms, applied_by, tool_version \
    FROM migrator_version ORDER BY sequence";

fn read_all(dir: &Path) {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).unwrap() {
        bytes += fs::read(entry.unwrap().path()).unwrap().len();
    }
    assert!(bytes > 0);
}

fn sqlite<'a>(file: &str, all: impl Iterator<Item = &'a str>, must_answer: bool) {
    use rusqlite::ffi;
    use std::{
        ffi::{CString, c_char, c_int, c_void},
        ptr::null_mut,
    };
    extern "C" fn row(
        seen: *mut c_void,
        _: c_int,
        _: *mut *mut c_char,
        _: *mut *mut c_char,
    ) -> c_int {
        // SAFETY: it is the counter below, which outlives the call.
        unsafe { *seen.cast::<u64>() += 1 };
        0
    }
    let name = CString::new(file).unwrap();
    let mut handle = null_mut();
    let mut seen = 0_u64;
    // SAFETY: the strings end in NUL and outlive the calls; the handle is used by this thread alone
    // and closed once.
    unsafe {
        assert_eq!(
            ffi::sqlite3_open(name.as_ptr(), &mut handle),
            ffi::SQLITE_OK
        );
        for sql in all {
            let sql = CString::new(sql).unwrap();
            let seen = (&raw mut seen).cast();
            let code = ffi::sqlite3_exec(handle, sql.as_ptr(), Some(row), seen, null_mut());
            assert_eq!(code, ffi::SQLITE_OK);
        }
        assert_eq!(ffi::sqlite3_close(handle), ffi::SQLITE_OK);
    }
    assert!(seen > 0 || !must_answer);
}

/// Runs a future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
