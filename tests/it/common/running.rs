//! Commands and database sessions that continue beside a test.

use std::{
    fs,
    process::{Child, Command},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, raw_sql};
use tempfile::NamedTempFile;
use tokio::runtime::Runtime;

use super::{Env, env::words, options, wait_until};

/// A `migrator` that runs; killed with the value.
pub struct Running {
    process: Child,
    stdout: NamedTempFile,
    stderr: NamedTempFile,
}

/// The outcome of one.
#[derive(Debug)]
pub struct Finished {
    /// `None` when a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Running {
    /// Starts `migrator LINE` in the project.
    pub fn start(env: &Env, line: &str) -> Self {
        Self::spawn(env.command().args(words(line)))
    }

    /// Starts a command that is ready.
    pub fn spawn(command: &mut Command) -> Self {
        let (stdout, stderr) = (file(), file());
        command
            .stdout(stdout.reopen().unwrap())
            .stderr(stderr.reopen().unwrap());
        #[cfg(unix)]
        hear_hangups(command);
        let process = command.spawn().unwrap();
        Self {
            process,
            stdout,
            stderr,
        }
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it has said so far.
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.stderr.path()).unwrap()
    }

    /// Waits until it says `text`.
    pub fn wait_for(&mut self, text: &str) {
        wait_until(text, || {
            let said = self.stderr();
            let ended = self.process.try_wait().unwrap();
            assert!(
                said.contains(text) || ended.is_none(),
                "it ended without `{text}`: {said}"
            );
            said.contains(text)
        });
    }

    /// Sends a signal by its name: `INT`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{kill}");
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Whether it continues.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Finished {
        let mut status = None;
        wait_until("the command ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        Finished {
            status: status.unwrap().code(),
            stdout: fs::read_to_string(self.stdout.path()).unwrap(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Finished {
    /// It must have ended with `status`.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }
}

fn file() -> NamedTempFile {
    tempfile::Builder::new()
        .prefix("migrator-test-")
        .tempfile()
        .unwrap()
}

/// A session of PostgreSQL that stays; ended with the value.
pub struct Session {
    runtime: Runtime,
    connection: Option<PgConnection>,
}

impl Session {
    /// Opens one to the database of `env`.
    pub fn open(env: &Env) -> Self {
        Self::open_url(&env.url())
    }

    /// Opens one to the database that `url` leads to.
    pub fn open_url(url: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let options = options(url).application_name("someone else");
        let connection = runtime.block_on(options.connect()).unwrap();
        Self {
            runtime,
            connection: Some(connection),
        }
    }

    /// Runs `sql`; the first value of the first row.
    pub fn run(&mut self, sql: &str) -> Option<String> {
        self.try_run(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same, or what the server says.
    pub fn try_run(&mut self, sql: &str) -> Result<Option<String>, String> {
        let connection = self.connection.as_mut().unwrap();
        let sql = AssertSqlSafe(sql.to_owned());
        let rows = self.runtime.block_on(raw_sql(sql).fetch_all(connection));
        let rows = rows.map_err(|error| error.to_string())?;
        Ok(rows.first().and_then(|row| row.try_get_unchecked(0).ok()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = self.runtime.block_on(connection.close());
        }
    }
}

/// Tests that are started with `nohup` ignore SIGHUP, and so would what they start.
#[cfg(unix)]
fn hear_hangups(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    let usual = || {
        // SAFETY: the call is safe between fork and exec.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
        Ok(())
    };
    // SAFETY: see above.
    unsafe { command.pre_exec(usual) };
}
