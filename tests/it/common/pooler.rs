//! A PgBouncer of one's own.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{Env, wait_until};

/// A PgBouncer before the database of an [`Env`]; stopped with the value.
pub struct Pooler {
    process: Child,
    dir: TempDir,
    database: String,
}

impl Pooler {
    /// Starts one with the lines `settings` in its configuration.
    ///
    /// # Panics
    /// Without the program: tests that do not run must not pass.
    pub fn start(env: &Env, settings: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("migrator-pool-")
            .tempdir()
            .unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        // It refuses to run as root.
        let is_root = fs::metadata(dir.path()).unwrap().uid() == 0;
        let user = if is_root { "user = nobody\n" } else { "" };
        let url = env.url();
        let (server, database) = url.rsplit_once('/').unwrap();
        let config = format!(
            "[databases]\n{database} = {}\n[pgbouncer]\nunix_socket_dir = {}\nauth_type = any\n{user}{settings}\n",
            address(server),
            dir.path().display(),
        );
        let file = dir.path().join("pgbouncer.ini");
        fs::write(&file, config).unwrap();
        let log = fs::File::create(dir.path().join("log")).unwrap();
        let process = Command::new(program())
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let pooler = Self {
            process,
            database: database.to_owned(),
            dir,
        };
        wait_until("PgBouncer listens", || {
            UnixStream::connect(pooler.dir.path().join(".s.PGSQL.6432")).is_ok()
        });
        pooler
    }

    /// Leads through it to the database.
    pub fn url(&self) -> String {
        let dir = self.dir.path().display();
        format!(
            "postgres:///{}?host={dir}&port=6432&user=app",
            self.database
        )
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `postgres://user:password@host:port` as PgBouncer has it.
fn address(server: &str) -> String {
    let (login, place) = server
        .trim_start_matches("postgres://")
        .rsplit_once('@')
        .unwrap();
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "5432"));
    let mut address = format!("host={host} port={port} user={user}");
    if !password.is_empty() {
        address += &format!(" password={password}");
    }
    address
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|dir| dir.join("pgbouncer"))
        .find(|file| Path::exists(file))
        .expect(
            "this test needs PgBouncer: run `tests/run`, which installs it where it can, \
             or install it (sudo apt-get install pgbouncer, brew install pgbouncer)",
        )
}
