//! A PostgreSQL server of the machine's own programs, started for one command.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{CopyError, DatabaseError, unique},
    options::ServerOptions,
    programs::{self, Program},
    url,
};
use crate::files::{self, create_private, open_existing};

/// The prefix of the directory's name.
const PREFIX: &str = "migrator-scratch-";

/// The file in the directory that its process has locked.
const LOCK: &str = "lock";

/// The superuser of the server.
const USER: &str = "migrator";

/// How long the server may take to start.
const STARTING: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Runs the server until its own standard input ends, which it does with this process, and then
/// stops the server and removes the directory. The arguments are the directory and the server's
/// command line.
const KEEPER: &str = r#"dir=$1; shift
"$@" </dev/null >"$dir/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$dir""#;

/// A running server. Dropping the value stops it and removes its files; so does the end of the
/// process.
pub(super) struct OwnServer {
    directory: PathBuf,
    keeper: Child,
    /// Locked while the process lives.
    _lock: File,
}

impl OwnServer {
    /// Removes what killed processes have left, and starts a server on a socket in a new directory. Its
    /// major version is `major` if that is installed.
    ///
    /// # Errors
    /// Fails when the programs are missing or the server does not start.
    pub fn start(major: u32) -> Result<Self, DatabaseError> {
        let initdb = program("initdb", major)?;
        let postgres = initdb.path.with_file_name("postgres");
        let parent = env::temp_dir();
        let directory = parent.join(format!("{PREFIX}{}", unique()));
        let failed = |error: io::Error| other(format!("{}: {error}", directory.display()));
        create_directory(&directory).map_err(failed)?;
        let lock = create_private(&directory.join(LOCK)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        sweep(&parent, &directory);
        let made = initialize(&initdb, &directory).and_then(|()| keep(&postgres, &directory));
        let keeper = match made {
            Ok(keeper) => keeper,
            Err(error) => {
                let _ = fs::remove_dir_all(&directory);
                return Err(error);
            }
        };
        let server = Self {
            directory,
            keeper,
            _lock: lock,
        };
        server.wait()?;
        Ok(server)
    }

    /// Waits until the server listens.
    fn wait(&self) -> Result<(), DatabaseError> {
        let begin = Instant::now();
        let status = self.directory.join("data/postmaster.pid");
        while begin.elapsed() < STARTING {
            let text = text(&status);
            // The eighth line is the state.
            if text
                .lines()
                .nth(7)
                .is_some_and(|state| state.trim() == "ready")
            {
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        let log = text(&self.directory.join("log"));
        let said = log.lines().last().unwrap_or("it wrote nothing");
        Err(other(format!("the server did not start: {said}")))
    }

    /// The options to connect with as its superuser.
    ///
    /// # Errors
    /// Fails when the environment has parameters that cannot be used.
    pub fn options(&self) -> Result<ServerOptions, DatabaseError> {
        let parameters = format!(
            "host='{}' user={USER} dbname=scratch sslmode=disable",
            self.directory.display()
        );
        match url::parse_keywords(&parameters) {
            Some(Ok(options)) => Ok(options),
            Some(Err(error)) => Err(other(error.to_string())),
            None => Err(other("the directory of the server has an unusable name")),
        }
    }

    /// Stops the server and waits until its files are removed.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // The keeper ends when its input does.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The text of a file; empty if it cannot be read.
fn text(path: &Path) -> String {
    let bytes = files::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn other(reason: impl Into<String>) -> DatabaseError {
    DatabaseError::Other(reason.into())
}

fn program(name: &'static str, major: u32) -> Result<Program, DatabaseError> {
    programs::nearest(name, major).map_err(|error| match error {
        CopyError::NoProgram { .. } => other(format!(
            "PostgreSQL's {name} is not installed on this machine"
        )),
        error => other(error.to_string()),
    })
}

fn initialize(initdb: &Program, directory: &Path) -> Result<(), DatabaseError> {
    let output = Command::new(&initdb.path)
        .arg("--pgdata")
        .arg(directory.join("data"))
        .args(["--username", USER, "--auth", "trust", "--no-sync"])
        .args(["--encoding", "UTF8", "--locale", "C"])
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| other(format!("initdb: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // A hint may follow the error.
    let error = said.lines().find(|line| line.contains("error:"));
    let said = error.or(said.lines().last()).unwrap_or("it wrote nothing");
    Err(other(format!("initdb failed: {said}")))
}

fn keep(postgres: &Path, directory: &Path) -> Result<Child, DatabaseError> {
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "sh"]).arg(directory);
    command.arg(postgres).arg("-D").arg(directory.join("data"));
    command.arg("-k").arg(directory);
    for setting in [
        "listen_addresses=",
        "fsync=off",
        "full_page_writes=off",
        "synchronous_commit=off",
        "max_connections=20",
    ] {
        command.args(["-c", setting]);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // A Ctrl-C in the terminal is for this process, which then ends the keeper.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
        .spawn()
        .map_err(|error| other(format!("sh: {error}")))
}

/// Stops the servers and removes the directories of processes that ended before their keepers
/// could. A directory of another user could name any process of this one, so it is left alone.
fn sweep(parent: &Path, own: &Path) {
    let (Ok(entries), Ok(own)) = (fs::read_dir(parent), fs::symlink_metadata(own)) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = entry.metadata().is_ok_and(|found| is_alike(&found, &own));
        if is_ours && name.to_string_lossy().starts_with(PREFIX) {
            remove_if_left(&entry.path());
        }
    }
}

fn remove_if_left(directory: &Path) {
    let Ok(lock) = open_existing(&directory.join(LOCK)) else {
        return;
    };
    if lock.try_lock().is_err() {
        return;
    }
    if let Ok(program) = program("pg_ctl", 0) {
        let _ = Command::new(&program.path)
            .args(["stop", "--mode", "immediate", "--silent", "-D"])
            .arg(directory.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
    let _ = fs::remove_dir_all(directory);
}

/// Whether both are directories of the same user that no other one can write to.
#[cfg(unix)]
fn is_alike(found: &fs::Metadata, own: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.is_dir() && found.uid() == own.uid() && found.mode() == own.mode()
}

#[cfg(not(unix))]
fn is_alike(found: &fs::Metadata, _: &fs::Metadata) -> bool {
    found.is_dir()
}

#[cfg(unix)]
fn create_directory(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn create_directory(directory: &Path) -> io::Result<()> {
    fs::create_dir(directory)
}
