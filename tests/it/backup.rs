//! Backups and restores on both databases: what is said, what is refused, beside writers, killed.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::common::{Backend, Env, Running, Session, sqlite, wait_until};
use serde_json::Value;

/// What differs from run to run in what is said of backups.
const BACKUP_FILTERS: &[(&str, &str)] = &[
    (r"\d{8}T\d{6}Z(-\d)?", "[STAMP]"),
    (r"_before_\d{8}_\d{6}", "_before_[STAMP]"),
    (r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d ", "[AT] "),
    (r"[ ]*\d+(\.\d+)? (bytes|[kMGT]B)\b", " [SIZE]"),
    (r"and \d+ were written", "and [SIZE] were written"),
    (r"at line \d+ column \d+", "at [POSITION]"),
    (r#"("size": )\d+"#, "${1}0"),
    (r#"("host": )"[^"]+""#, r#"$1"[HOST]""#),
    (r"\bon \S+, \d+ tables", "on [HOST], [N] tables"),
    (r"\b[0-9a-f]{64}\b", "[HASH]"),
    (r"(PostgreSQL|SQLite) \d+(\.\d+)+", "$1 [VERSION]"),
    (r"\(\d+(\.\d+)? (ms|s)\)", "([TIME])"),
];

macro_rules! backup_snapshot {
    ($env:expr, $name:expr) => {
        snapshot!($env, format!("backup_{}", $name), BACKUP_FILTERS)
    };
}

/// A database with a revision and some rows; databases beside it go with it.
pub(crate) struct Project(Env);

impl std::ops::Deref for Project {
    type Target = Env;

    fn deref(&self) -> &Env {
        &self.0
    }
}

impl std::ops::DerefMut for Project {
    fn deref_mut(&mut self) -> &mut Env {
        &mut self.0
    }
}

impl Project {
    pub(crate) fn new(backend: Backend, settings: &str) -> Self {
        let env = Env::new(backend);
        let url = env.url();
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{url}\"\n{settings}"),
        );
        env.revision(
            "20260101000001_create_users",
            "-- Create users\nCREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\n\
             INSERT INTO users VALUES (1, 'ada'), (2, 'bob');\n",
            "DROP TABLE users;\n",
        );
        let project = Self(env);
        assert!(quietly(&project, "upgrade --no-backup"));
        project
    }

    /// Files of backups, without their manifests, the oldest first.
    pub(crate) fn backups(&self) -> Vec<String> {
        let files = self.files().into_iter();
        let mut files: Vec<_> = files
            .filter(|it| it.starts_with("backups/") && !it.ends_with(".json"))
            .filter(|it| !it.starts_with("backups/."))
            .collect();
        // As they were made: of two of one second the names do not tell.
        files.sort_by_key(|file| self.number(file));
        files
    }

    /// Its place in the order in which backups were made; 0 without a manifest.
    pub(crate) fn number(&self, file: &str) -> u64 {
        let text = fs::read_to_string(self.manifest(file)).unwrap_or_default();
        let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
        manifest["number"].as_u64().unwrap_or(0)
    }

    pub(crate) fn backup(&self, options: &str) -> String {
        let output = self
            .command()
            .args(["--format", "json", "backup"])
            .args(options.split_whitespace())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        made["backup"]["file"].as_str().unwrap().to_owned()
    }

    pub(crate) fn forget_backup(&self, file: &str) {
        self.remove(file);
        fs::remove_file(self.manifest(file)).unwrap();
    }

    pub(crate) fn manifest(&self, file: &str) -> PathBuf {
        self.path(&format!("{file}.manifest.json"))
    }

    /// Databases whose names begin with that of this one; files beside that of SQLite.
    pub(crate) fn beside(&self) -> Vec<String> {
        let mut found: Vec<String> = match self.backend {
            Backend::Sqlite => {
                let files = self.files().into_iter();
                let beside =
                    files.filter(|it| (it.starts_with("app.db") && it != "app.db") || is_draft(it));
                beside.collect()
            }
            Backend::Postgres => {
                let names = self.sql(
                    "SELECT datname FROM pg_database \
                     WHERE starts_with(datname, current_database() || '_')",
                );
                names.lines().map(str::to_owned).collect()
            }
        };
        found.sort();
        found
    }

    /// Nothing but the database, its backups and ones that were kept.
    pub(crate) fn nothing_is_left(&self) {
        let left = self.beside();
        let kept = |name: &String| name.contains("before");
        assert!(left.iter().all(kept), "{left:?}");
        let drafts = self.files().into_iter().filter(|it| is_draft(it));
        assert_eq!(drafts.count(), 0);
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if self.backend == Backend::Postgres && !thread::panicking() {
            for name in self.beside() {
                self.drop_database(&name);
            }
        }
    }
}

/// Whether a file is one in the making.
fn is_draft(file: &str) -> bool {
    file.contains(".migrator-") && !file.ends_with("lock")
}

/// Runs `migrator LINE` outside the transcript.
pub(crate) fn quietly(env: &Env, line: &str) -> bool {
    let words = line.split_whitespace();
    let output = env.command().args(words).output().unwrap();
    if !output.status.success() {
        // Shown by a test that fails.
        eprintln!("{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

fn on_both(name: &str, settings: &str, scenario: impl Fn(&mut Project)) {
    for backend in Backend::ALL {
        let mut project = Project::new(backend, settings);
        scenario(&mut project);
        backup_snapshot!(project.0, name);
    }
}

/// Long ones, which take their time.
pub(crate) fn fill(env: &Env, rows: u32) {
    let series = match env.backend {
        Backend::Sqlite => format!(
            "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {rows}) \
             INSERT INTO big SELECT x, hex(randomblob(250)) FROM n"
        ),
        Backend::Postgres => format!(
            "INSERT INTO big SELECT x, repeat(md5(x::text), 16) FROM generate_series(1, {rows}) AS n (x)"
        ),
    };
    env.sql("CREATE TABLE big (id integer PRIMARY KEY, text text)");
    env.sql(&series);
}

#[test]
fn made_listed_verified_and_restored() {
    on_both("cycle", "", |env| {
        env.run("backup list");
        env.run("backup verify");
        env.run("backup");
        env.run("-v backup list");
        env.run("backup verify");
        // Two of one second could be listed in any order.
        env.forget_backup(&env.backups()[0]);
        let file = env.backup("--compress none");
        env.run("--format json backup list");
        let full = env.fingerprint();
        env.sql("INSERT INTO users VALUES (3, 'eve')");
        env.run(&format!("restore {file}"));
        assert_eq!(env.sql("SELECT count(*) FROM users"), "3\n");
        env.run(&format!("--yes restore {file}"));
        env.run("status");
        assert_eq!(env.sql("SELECT count(*) FROM users"), "2\n");
        if env.backend == Backend::Postgres {
            assert_eq!(env.fingerprint(), full);
        }
        let kept = env.beside();
        assert_eq!(kept.len(), 1, "{kept:?}");
        let rows = match env.backend {
            Backend::Sqlite => sqlite(&env.path(&kept[0]), "SELECT count(*) FROM users"),
            Backend::Postgres => {
                let url = env.url().replace(&database(env), &kept[0]);
                let mut session = Session::open_url(&url);
                session.run("SELECT count(*)::text FROM users").unwrap() + "\n"
            }
        };
        assert_eq!(rows, "3\n");
        env.nothing_is_left();
    });
}

pub(crate) fn database(env: &Env) -> String {
    let url = env.url();
    url.rsplit_once('/').unwrap().1.to_owned()
}

#[test]
fn the_old_one_is_thrown_away_when_that_is_said_twice() {
    on_both("discard", "", |env| {
        let file = env.backup("");
        env.sql("DELETE FROM users");
        env.run(&format!("restore {file} --discard-old"));
        assert_eq!(env.sql("SELECT count(*) FROM users"), "0\n");
        env.run(&format!("--format json --yes restore {file} --discard-old"));
        assert_eq!(env.sql("SELECT count(*) FROM users"), "2\n");
        assert_eq!(env.beside(), [""; 0]);
    });
}

#[test]
fn a_protected_database_asks() {
    on_both("protected", "protected = true\n", |env| {
        let file = env.backup("");
        env.run(&format!("restore {file}"));
    });
}

#[test]
fn what_is_not_a_backup_or_not_whole_is_refused() {
    on_both("refused", "", |env| {
        let state = env.fingerprint();
        for compress in ["none", "zstd"] {
            let file = env.backup(&format!("--compress {compress}"));
            let whole = fs::read(env.path(&file)).unwrap();
            let mut changed = whole.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            for damaged in [&changed[..], &whole[..whole.len() - 1], &[]] {
                fs::write(env.path(&file), damaged).unwrap();
                env.run(&format!("backup verify {file}"));
                env.run(&format!("--yes restore {file}"));
            }
            env.run("backup list");
            fs::write(env.path(&file), &whole).unwrap();
            let manifest = env.manifest(&file);
            let text = fs::read_to_string(&manifest).unwrap();
            let wrong = [
                text.replace("users\": 2", "users\": 7"),
                text.replace("\"format\": 1", "\"format\": 9"),
                text[..text.find("\"sequence\"").unwrap()].to_owned(),
            ];
            for wrong in wrong {
                fs::write(&manifest, wrong).unwrap();
                env.run(&format!("backup verify {file}"));
                env.run(&format!("--yes restore {file}"));
            }
            fs::remove_file(&manifest).unwrap();
            env.run(&format!("--yes restore {file}"));
            fs::write(&manifest, text).unwrap();
            assert!(quietly(env, &format!("backup verify {file}")));
            env.forget_backup(&file);
        }
        env.run("backup verify missing.dump");
        env.run("restore migrations");
        assert_eq!(env.fingerprint(), state);
        env.nothing_is_left();
    });
}

#[test]
fn a_backup_of_the_other_database_is_refused() {
    let mut env = Project::new(Backend::Postgres, "");
    let file = env.backup("");
    env.run(&format!("--url sqlite:app.db restore {file}"));
    assert!(!env.files().contains(&"app.db".to_owned()));
    // Made by a pg_dump that no pg_restore here knows.
    let manifest = env.manifest(&file);
    let text = fs::read_to_string(&manifest).unwrap();
    let client = text
        .lines()
        .find(|line| line.contains("\"client\""))
        .unwrap();
    fs::write(&manifest, text.replace(client, "    \"client\": \"999\",")).unwrap();
    let output = env.command().args(["backup", "verify", &file]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = "error[M821]: no pg_restore is new enough: version 999 or newer is required";
    assert!(said.starts_with(expected), "{said}");
    backup_snapshot!(env.0, "other");
}

#[test]
fn a_directory_that_cannot_be_used_stops_everything() {
    on_both("directory", "", |env| {
        env.write("backups", "a file");
        let before = env.fingerprint();
        env.run("backup");
        env.revision(
            "20260101000002_more",
            "CREATE TABLE more (x integer);\n",
            "DROP TABLE more;\n",
        );
        env.run("upgrade --backup");
        assert_eq!(env.fingerprint(), before);
    });
}

#[test]
fn migrations_make_one_first() {
    let settings = "[backup]\nbefore = [\"upgrade\", \"downgrade\"]\nkeep = 2\n";
    on_both("before", settings, |env| {
        env.run("upgrade");
        assert_eq!(env.backups(), [""; 0], "there was nothing to do");
        env.revision(
            "20260101000002_more",
            "CREATE TABLE more (x integer);\n",
            "DROP TABLE more;\n",
        );
        env.run("upgrade --dry-run");
        env.run("upgrade");
        env.run("--format json downgrade -1");
        env.run("upgrade --no-backup");
        assert_eq!(env.backups().len(), 2);
        let oldest = env.backups()[0].clone();
        env.run("downgrade -1");
        assert_eq!(env.backups().len(), 2);
        assert!(!env.backups().contains(&oldest));
        env.run_with("upgrade", &[("MIGRATOR_BACKUP_KEEP", "x")]);
        env.run_with("upgrade", &[("MIGRATOR_BACKUP_BEFORE", "repair")]);
    });
}

#[test]
fn a_failed_migration_says_the_command_that_brings_the_backup_back() {
    on_both("failed", "", |env| {
        env.revision(
            "20260101000002_more",
            "CREATE TABLE more (x integer);\n",
            "DROP TABLE more;\n",
        );
        env.revision(
            "20260101000003_bad",
            "-- migrator: transaction = off\nDELETE FROM users;\nSELECT nonsense;\n",
            "SELECT 1;\n",
        );
        let output = env.run("-c migrator.toml upgrade --backup");
        assert_eq!(output.status.code(), Some(4));
        assert_eq!(env.sql("SELECT count(*) FROM users"), "0\n");
        let said = String::from_utf8(output.stderr).unwrap();
        let command = said.split("before: migrator ").nth(1).unwrap();
        let command = command.lines().next().unwrap();
        env.run(command);
        assert_eq!(env.sql("SELECT count(*) FROM users"), "2\n");
        env.run("status");
    });
}

#[test]
fn a_missing_or_empty_database_is_filled() {
    for backend in Backend::ALL {
        let mut env = Project::new(backend, "");
        let file = env.backup("");
        let url = match backend {
            Backend::Sqlite => "sqlite:other.db".to_owned(),
            Backend::Postgres => env.url() + "_other",
        };
        for expected in ["missing", "empty"] {
            let line = format!("--url {url} --format json restore {file}");
            let words = line.split_whitespace();
            let output = env.command().args(words).output().unwrap();
            let restored: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(restored["before"], expected, "{output:?}");
            assert_eq!(restored["kept"], Value::Null);
            assert!(quietly(&env, &format!("--url {url} db drop --yes")));
            assert!(quietly(&env, &format!("--url {url} db create")));
        }
        env.forget();
    }
}

#[test]
fn a_sqlite_file_is_the_same_whatever_its_pages_and_journal() {
    use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
    for (from, to) in [("wal", "delete"), ("delete", "wal"), ("wal", "wal")] {
        let env = Project::new(Backend::Sqlite, "");
        env.sql(&format!("PRAGMA journal_mode = {from}"));
        let file = env.backup("");
        fs::remove_file(env.path("app.db")).unwrap();
        let other = "PRAGMA page_size = 512; CREATE TABLE other (x); INSERT INTO other VALUES (1);";
        env.write("app.db", "");
        env.sql(&format!("{other} PRAGMA journal_mode = {to}"));
        // Someone has it open, and sees the new one after it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let same_pages = from == to;
        if same_pages {
            env.sql("PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM");
            env.sql("PRAGMA journal_mode = WAL");
        }
        let mut reader = runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(env.path("app.db"));
            SqliteConnection::connect_with(&options).await.unwrap()
        });
        let mut ask = |sql: &'static str| {
            runtime.block_on(async {
                let rows = sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut reader);
                rows.await.unwrap()
            })
        };
        assert_eq!(ask("SELECT count(*) FROM other"), 1);
        let restored = quietly(&env, &format!("--yes restore {file}"));
        if to == "wal" && !same_pages {
            // Pages of another size cannot be written into a WAL that others use.
            assert!(!restored);
            assert_eq!(ask("SELECT count(*) FROM other"), 1);
            runtime.block_on(reader.close()).unwrap();
            drop(runtime);
            env.sql("SELECT 1 FROM other");
            env.nothing_is_left();
            continue;
        }
        assert!(restored, "{from} {to}");
        assert_eq!(ask("SELECT count(*) FROM users"), 2);
        runtime.block_on(reader.close()).unwrap();
        drop(runtime);
        assert_eq!(env.sql("PRAGMA integrity_check"), "ok\n");
        env.nothing_is_left();
    }
}

#[test]
fn what_is_set_for_a_database_is_carried_over() {
    let env = Project::new(Backend::Postgres, "");
    let name = database(&env);
    env.sql(&format!(
        "ALTER DATABASE {name} SET search_path TO 'a, b', public;
         ALTER DATABASE {name} SET work_mem TO '5MB';
         ALTER ROLE postgres IN DATABASE {name} SET statement_timeout TO '77s';
         ALTER DATABASE {name} CONNECTION LIMIT 50;
         REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC;
         COMMENT ON DATABASE {name} IS 'it''s \"ours\"'"
    ));
    let about = "SELECT ARRAY(SELECT a::text FROM unnest(d.datacl) AS a ORDER BY 1)::text, d.datconnlimit, shobj_description(d.oid, 'pg_database'), \
                 d.datcollate, d.encoding, d.datdba, (SELECT string_agg(concat(s.setrole, s.setconfig), ';' ORDER BY s.setrole) \
                 FROM pg_db_role_setting AS s WHERE s.setdatabase = d.oid) \
                 FROM pg_database AS d WHERE d.datname = current_database()";
    let before = env.sql(about);
    let file = env.backup("");
    env.sql("DELETE FROM users");
    // Ended, as everybody who is in there.
    let mut session = Session::open(&env);
    assert!(quietly(&env, &format!("--yes restore {file}")));
    assert!(session.try_run("SELECT 1").is_err());
    assert_eq!(env.sql(about), before);
    assert_eq!(env.sql("SELECT count(*) FROM public.users"), "2\n");
    let _ = session.try_run("SELECT 1");
    std::mem::forget(session);
}

/// Moves rows from one table to another, one each, until it is told to end.
fn write_on(env: &Env, stop: &AtomicBool) -> u32 {
    let mut written = 0;
    let sql = "BEGIN; INSERT INTO log_a VALUES (1); INSERT INTO log_b VALUES (1); COMMIT";
    match env.backend {
        Backend::Postgres => {
            let mut session = Session::open(env);
            while !stop.load(Ordering::SeqCst) {
                session.run(sql);
                written += 1;
            }
        }
        Backend::Sqlite => {
            while !stop.load(Ordering::SeqCst) {
                env.sql(&sql.replace("BEGIN", "BEGIN IMMEDIATE"));
                written += 1;
            }
        }
    }
    written
}

#[test]
fn a_writer_goes_on_and_the_copy_is_of_one_moment() {
    for backend in Backend::ALL {
        for compress in ["none", "zstd"] {
            let env = Project::new(backend, "");
            if backend == Backend::Sqlite {
                env.sql("PRAGMA journal_mode = WAL");
            }
            env.sql("CREATE TABLE log_a (x integer); CREATE TABLE log_b (x integer)");
            fill(&env, 8_000);
            let stop = AtomicBool::new(false);
            let (file, written) = thread::scope(|scope| {
                let writer = scope.spawn(|| write_on(&env, &stop));
                let file = env.backup(&format!("--compress {compress}"));
                stop.store(true, Ordering::SeqCst);
                (file, writer.join().unwrap())
            });
            assert!(written > 1, "{written}");
            let text = fs::read_to_string(env.manifest(&file)).unwrap();
            let manifest: Value = serde_json::from_str(&text).unwrap();
            let rows = |table: &str| {
                let named = match backend {
                    Backend::Sqlite => table.to_owned(),
                    Backend::Postgres => format!("public.{table}"),
                };
                manifest["tables"][named].as_u64().unwrap()
            };
            assert_eq!(rows("log_a"), rows("log_b"));
            assert_eq!(rows("big"), 8_000);
            assert!(quietly(&env, &format!("backup verify {file}")));
            // The writer continues, and is only held up.
            stop.store(false, Ordering::SeqCst);
            thread::scope(|scope| {
                let writer = (backend == Backend::Sqlite).then(|| {
                    scope.spawn(|| write_on(&env, &stop));
                });
                let restored = quietly(&env, &format!("--yes restore {file}"));
                stop.store(true, Ordering::SeqCst);
                assert!(restored, "{writer:?}");
            });
            let both = env.sql("SELECT count(*) FROM log_a UNION ALL SELECT count(*) FROM log_b");
            let both: Vec<u64> = both.lines().map(|line| line.parse().unwrap()).collect();
            assert_eq!(both[0], both[1]);
            assert!(both[0] >= rows("log_a"), "{both:?}");
            assert_eq!(env.sql("SELECT count(*) FROM big"), "8000\n");
            env.nothing_is_left();
        }
    }
}

/// Starts `migrator LINE` and kills it after each of so many parts of the time that it takes.
fn kill_all_along(env: &Env, line: &str, times: u32, mut after: impl FnMut(&Env)) {
    let begin = Instant::now();
    Running::start(env, line).finish().expect(0);
    let whole = begin.elapsed();
    after(env);
    for time in 0..times {
        let mut running = Running::start(env, line);
        thread::sleep(whole * time / times + Duration::from_millis(1));
        running.kill();
        after(env);
    }
}

#[test]
fn a_killed_backup_is_never_listed() {
    for backend in Backend::ALL {
        let env = Project::new(backend, "[backup]\nkeep = 0\n");
        fill(&env, 3_000);
        let state = env.fingerprint();
        for compress in ["none", "zstd"] {
            let line = format!("backup --compress {compress}");
            kill_all_along(&env, &line, 12, |env| {
                let mut command = env.command();
                command.args(["--format", "json", "backup", "list"]);
                let output = command.output().unwrap();
                let listed: Value = serde_json::from_slice(&output.stdout).unwrap();
                for backup in listed["backups"].as_array().unwrap() {
                    assert_eq!(backup["whole"], true, "{backup}");
                }
            });
        }
        for file in env.backups() {
            assert!(env.manifest(&file).exists(), "{file}");
            assert!(quietly(&env, &format!("backup verify {file}")), "{file}");
        }
        assert_eq!(env.fingerprint(), state);
        env.backup("");
        env.nothing_is_left();
        let manifests = env.files().into_iter().filter(|it| it.ends_with(".json"));
        assert_eq!(manifests.count(), env.backups().len());
    }
}

#[test]
fn a_killed_restore_leaves_the_old_one_or_the_new_one() {
    for backend in Backend::ALL {
        for (compress, journal) in [("none", "WAL"), ("zstd", "DELETE")] {
            let env = Project::new(backend, "");
            if backend == Backend::Sqlite {
                env.sql(&format!("PRAGMA journal_mode = {journal}"));
            }
            fill(&env, 2_000);
            let file = env.backup(&format!("--compress {compress}"));
            env.sql("DELETE FROM users; UPDATE big SET text = 'old'");
            let old = "SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM big WHERE text = 'old')";
            let (mut olds, mut news) = (0, 0);
            kill_all_along(&env, &format!("--yes restore {file}"), 16, |env| {
                match env.sql(old).as_str() {
                    "0 2000\n" => olds += 1,
                    "2 0\n" => {
                        news += 1;
                        env.sql("DELETE FROM users; UPDATE big SET text = 'old'");
                    }
                    other => panic!("{other}"),
                }
                if env.backend == Backend::Sqlite {
                    assert_eq!(env.sql("PRAGMA integrity_check"), "ok\n");
                }
            });
            assert!(olds > 0 && news > 0, "{olds} {news}");
            assert!(quietly(&env, &format!("--yes restore {file}")));
            assert_eq!(env.sql(old), "2 0\n");
            env.nothing_is_left();
        }
    }
}

#[test]
fn a_signal_ends_a_backup_and_leaves_nothing() {
    for backend in Backend::ALL {
        let env = Project::new(backend, "");
        fill(&env, 30_000);
        let before = env.files();
        let blocker = (backend == Backend::Postgres).then(|| {
            // pg_dump waits for it.
            let mut session = Session::open(&env);
            session.run("BEGIN; LOCK TABLE users");
            session
        });
        let running = Running::start(&env, "backup");
        wait_until("it copies", || {
            let entries = fs::read_dir(env.path("backups")).into_iter().flatten();
            entries.flatten().any(|entry| {
                let size = entry.metadata().map_or(0, |found| found.len());
                let is_draft = is_draft(&entry.file_name().to_string_lossy());
                is_draft && (size > 0 || backend == Backend::Postgres)
            })
        });
        running.signal("INT");
        let finished = running.finish().expect(130);
        let said = "error[M706]: interrupted; nothing was changed";
        assert!(finished.stderr.contains(said), "{finished:#?}");
        drop(blocker);
        let mut after = env.files();
        after.retain(|it| !it.ends_with("backups.lock"));
        assert_eq!(after, before);
        env.backup("");
    }
}

#[test]
fn what_only_the_application_has_can_not_be_checked() {
    let mut env = Env::new(Backend::Sqlite);
    let url = "sqlite:app.db";
    env.write("app.db", "");
    sqlite(
        &env.path("app.db"),
        "CREATE TABLE a (x text COLLATE NOCASE PRIMARY KEY) WITHOUT ROWID;
         INSERT INTO a VALUES ('1'), ('2');
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'OF_THE_APP');",
    );
    for line in ["backup", "backup verify"] {
        let output = env.run(&format!("{line} --url {url}"));
        assert!(output.status.success(), "{}", env.transcript());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("1 table, 2 rows"), "{text}");
        if line == "backup verify" {
            assert!(text.contains("cannot be checked here"), "{text}");
            assert!(
                text.contains("no such collation sequence: OF_THE_APP"),
                "{text}"
            );
        }
    }
}
