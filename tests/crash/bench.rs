//! One cell of the laboratory: a project, copies of a database to run it on, and what an
//! undisturbed run does.

use std::{
    cell::RefCell,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    common::Backend,
    server::{Server, patiently},
    session::{Place, Session},
    state::{Look, Oracle},
    watch::{Needs, Watch},
    workload::{self, Kind},
};

/// Undisturbed runs that are timed.
const TIMED: usize = 3;

pub struct Bench {
    pub backend: Backend,
    pub kind: Kind,
    pub oracle: Oracle,
    /// Of an undisturbed run.
    pub duration: Duration,
    /// Changes that can be seen from outside during one.
    pub changes: usize,
    /// What it needs, for SQLite.
    pub needs: Needs,
    /// Where SQLite files are made; beside the project if it does not matter.
    pub disk: Option<PathBuf>,
    pub server: Option<RefCell<Server>>,
    directory: TempDir,
    template: Trial,
}

/// A database for one run.
#[derive(Clone, Debug)]
pub struct Trial {
    pub place: Place,
    /// On a server.
    pub name: String,
}

impl Trial {
    pub fn file(&self) -> &Path {
        match &self.place {
            Place::Sqlite(path) => path,
            Place::Postgres(_) => panic!("no file"),
        }
    }
}

impl Bench {
    pub fn new(backend: Backend, kind: Kind, server: Option<Server>) -> Result<Self, String> {
        let directory = tempfile::tempdir().unwrap();
        let migrations = directory.path().join("migrations");
        fs::create_dir(&migrations).unwrap();
        fs::write(directory.path().join("migrator.toml"), "[migrator]\n").unwrap();
        let revisions = kind.revisions(backend);
        for revision in &revisions {
            revision.write(&migrations);
        }
        let server = server.map(RefCell::new);
        let template = match &server {
            Some(server) => {
                let (name, place) = server.borrow_mut().create("template0");
                Trial { place, name }
            }
            None => Trial {
                place: Place::Sqlite(directory.path().join("template.db")),
                name: String::new(),
            },
        };
        if let Place::Sqlite(path) = &template.place {
            fs::write(path, "").unwrap();
        }
        let mut session = Session::open(&template.place)?;
        session.rows(workload::ground(backend))?;
        session.close();
        let mut bench = Self {
            backend,
            kind,
            oracle: Oracle::empty(kind),
            duration: Duration::ZERO,
            changes: 0,
            needs: Needs::default(),
            disk: None,
            server,
            directory,
            template,
        };
        bench.prepare(&revisions)?;
        Ok(bench)
    }

    fn prepare(&mut self, revisions: &[workload::Revision]) -> Result<(), String> {
        if self.kind.is_down() {
            let template = self.template.clone();
            succeeded(&self.run(&template, &["upgrade", "head"], "0s"))?;
        }
        let trial = self.fresh();
        let mut session = Session::open(&trial.place)?;
        self.oracle = Oracle::new(&mut session, self.backend, self.kind, revisions)?;
        session.close();
        self.remove(&trial);
        let mut times = Vec::new();
        for _ in 0..TIMED {
            let trial = self.fresh();
            let begun = Instant::now();
            succeeded(&self.run(&trial, self.kind.arguments(), "0s"))?;
            times.push(begun.elapsed());
            self.remove(&trial);
        }
        times.sort();
        self.duration = times[TIMED / 2];
        let watched: Result<Vec<usize>, String> = (0..TIMED).map(|_| self.watch_one()).collect();
        self.changes = watched?.into_iter().min().unwrap_or(0);
        Ok(())
    }

    /// An undisturbed run that is watched; it must end as the oracle says. Returns the changes
    /// that were seen.
    fn watch_one(&mut self) -> Result<usize, String> {
        let trial = self.fresh();
        let mut watch = Watch::new(&trial, self.backend)?;
        watch.glance();
        let mut child = self.spawn(self.migrator(&trial));
        while child.try_wait().unwrap().is_none() {
            watch.glance();
        }
        let changes = watch.changes();
        self.needs = watch.close();
        succeeded(&child.wait_with_output().unwrap())?;
        let look = self.look(&trial)?;
        let found = self.oracle.violations(&look);
        if self.oracle.position(&look) != self.oracle.end() || !found.is_empty() {
            return Err(format!("an undisturbed run ends wrong: {found:?}"));
        }
        self.oracle.records = look.records;
        self.remove(&trial);
        Ok(changes)
    }

    /// A copy of the database as it is before a run.
    pub fn fresh(&self) -> Trial {
        self.fresh_with("")
    }

    /// The same, after `pragma` if it is SQLite.
    pub fn fresh_with(&self, pragma: &str) -> Trial {
        if let Some(server) = &self.server {
            let (name, place) = server.borrow_mut().create(&self.template.name);
            return Trial { place, name };
        }
        let path = self.disk().join("app.db");
        fs::copy(self.template.file(), &path).unwrap();
        let place = Place::Sqlite(path);
        let mut session = Session::open(&place).unwrap();
        session.rows(pragma).unwrap();
        session.close();
        Trial {
            place,
            name: String::new(),
        }
    }

    fn disk(&self) -> &Path {
        self.disk.as_deref().unwrap_or(self.directory.path())
    }

    pub fn remove(&self, trial: &Trial) {
        if let Some(server) = &self.server {
            server.borrow_mut().drop(&trial.name);
            return;
        }
        for suffix in SUFFIXES {
            let _ = fs::remove_file(beside(trial.file(), suffix));
        }
    }

    pub fn look(&self, trial: &Trial) -> Result<Look, String> {
        let mut session = Session::open(&trial.place)?;
        let look = Look::at(&mut session, self.backend);
        session.close();
        look
    }

    /// The command under test.
    pub fn migrator(&self, trial: &Trial) -> Command {
        let mut command = self.command(trial);
        command.args(self.kind.arguments());
        command
    }

    fn command(&self, trial: &Trial) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrator"));
        self.dress(&mut command);
        command.arg("--url").arg(trial.place.url());
        command
    }

    /// Directory and environment of the project.
    pub fn dress(&self, command: &mut Command) {
        command.env_clear().current_dir(self.directory.path());
        command.env("HOME", self.directory.path());
        command.env("USER", "tester");
        // The journal is there before the first revision.
        command.env("MIGRATOR_ALLOW_NONEMPTY", "true");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
    }

    pub fn spawn(&self, mut command: Command) -> Child {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Runs `migrator` to its end.
    pub fn run(&self, trial: &Trial, arguments: &[&str], lock_wait: &str) -> Output {
        let mut command = self.command(trial);
        command.args(arguments).env("MIGRATOR_LOCK_WAIT", lock_wait);
        ended(self.spawn(command))
    }

    /// Leaves only `bytes` on the disk of the databases; the file returned holds the rest.
    pub fn fill_disk(&self, bytes: u64) -> PathBuf {
        let path = self.disk().join("ballast");
        let mut file = fs::File::create(&path).unwrap();
        let block = vec![0; 64 << 10];
        while file.write(&block).is_ok_and(|written| written > 0) {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(bytes)).unwrap();
        path
    }

    /// What must not be there when nothing is running.
    pub fn left_behind(&self, trial: &Trial) -> Result<Vec<String>, String> {
        let mut session = Session::open(&trial.place)?;
        let found = match self.backend {
            Backend::Postgres => session.rows(LOCKS)?,
            Backend::Sqlite => {
                let mut found = session.rows("PRAGMA integrity_check")?;
                found.retain(|row| row != &["ok"]);
                found
            }
        };
        session.close();
        Ok(found.into_iter().flatten().collect())
    }

    /// Files beside a SQLite file.
    pub fn files_beside(&self, trial: &Trial) -> Vec<String> {
        if self.backend == Backend::Postgres {
            return Vec::new();
        }
        let suffixes = SUFFIXES.iter().skip(1);
        suffixes
            .filter(|suffix| beside(trial.file(), suffix).exists())
            .map(|suffix| format!("app.db{suffix}"))
            .collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.remove(&self.template.clone());
    }
}

const SUFFIXES: [&str; 5] = ["", "-journal", "-wal", "-shm", ".migrator-lock"];

const LOCKS: &str = "SELECT 'advisory lock of pid ' || l.pid FROM pg_locks AS l
    WHERE l.locktype = 'advisory'
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Waits for the end of `child`.
pub fn ended(mut child: Child) -> Output {
    patiently("migrator ends", || child.try_wait().unwrap());
    child.wait_with_output().unwrap()
}

pub fn succeeded(output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    Err(said(output))
}

/// Exit status and stderr.
pub fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    format!("{}: {}", output.status, text.trim())
}
