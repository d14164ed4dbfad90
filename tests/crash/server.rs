//! Servers, and databases that are made for one run each.

use std::{
    path::Path,
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::session::{Place, Session};

/// How long anything may take before it counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(60);

const TICK: Duration = Duration::from_millis(2);

/// A server, with a session of its own on it.
pub struct Server {
    url: String,
    admin: Session,
    strategy: &'static str,
}

impl Server {
    pub fn new(url: &str) -> Self {
        let admin = Session::open(&Place::Postgres(url.to_owned())).unwrap();
        Self {
            url: url.to_owned(),
            admin,
            strategy: "",
        }
    }

    /// Makes databases so that they can outlive a crash: PostgreSQL 15's other way of copying
    /// logs sequences without the values they have in advance, and a crash sets those back.
    pub fn may_crash(mut self) -> Self {
        let version = self.admin.value("SHOW server_version_num").unwrap();
        if version.parse::<u32>().unwrap() >= 150_000 {
            self.strategy = "STRATEGY file_copy";
        }
        self
    }

    /// After a restart.
    pub fn reconnect(&mut self) {
        let place = Place::Postgres(self.url.clone());
        self.admin = patiently("the server takes connections", || {
            Session::open(&place).ok()
        });
    }

    /// A new database, as a copy of `template`.
    pub fn create(&mut self, template: &str) -> (String, Place) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("migrator_crash_{}_{number}", process::id());
        let strategy = self.strategy;
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template} {strategy}");
        self.admin.rows(&sql).unwrap();
        let (server, _) = self.url.rsplit_once('/').unwrap();
        let place = Place::Postgres(format!("{server}/{name}"));
        (name, place)
    }

    pub fn drop(&mut self, name: &str) {
        let sql = format!("DROP DATABASE {name} WITH (FORCE)");
        self.admin.rows(&sql).unwrap();
    }

    /// Cuts every connection to the database.
    pub fn cut(&mut self, name: &str) -> bool {
        let sql = format!(
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
             WHERE datname = '{name}' AND application_name LIKE 'migrator%'"
        );
        !self.admin.rows(&sql).unwrap().is_empty()
    }

    /// Waits until nobody but us is connected to the database: a backend outlives its client
    /// until the statement is done.
    pub fn wait_until_left(&mut self, name: &str) {
        let sql = format!(
            "SELECT count(*)::text FROM pg_stat_activity
             WHERE datname = '{name}' AND application_name LIKE 'migrator%'"
        );
        patiently("the backend ends", || {
            (self.admin.value(&sql).unwrap() == "0").then_some(())
        });
    }
}

/// A server that only one test has, so that it may be crashed.
pub struct Cluster {
    directory: String,
    pub url: String,
}

impl Cluster {
    pub fn start() -> Self {
        // It ends with this process, should its destructor never run.
        let printed = cluster(&["start", &process::id().to_string()]);
        let (directory, url) = printed.trim().split_once(' ').unwrap();
        Self {
            directory: directory.to_owned(),
            url: url.to_owned(),
        }
    }

    /// `pg_ctl restart -m immediate`.
    pub fn crash(&self) {
        cluster(&["crash", &self.directory]);
    }

    /// How long after the call of `crash` the connections break.
    pub fn latency(&self) -> Duration {
        let place = Place::Postgres(self.url.clone());
        let mut session = Session::open(&place).unwrap();
        let begun = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| self.crash());
            patiently("the server crashes", || session.rows("SELECT").err());
            begun.elapsed()
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        cluster(&["stop", &self.directory]);
    }
}

fn cluster(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster");
    let output = Command::new(script)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "tests/cluster {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// When there is none for a minute.
pub fn patiently<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited for a minute: {what}");
        thread::sleep(TICK);
    }
}
