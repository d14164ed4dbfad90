//! Finds pg_dump and pg_restore, and runs them without exposing the password.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use sqlx::{ConnectOptions, postgres::PgSslMode};

use super::{
    super::{CopyError, DatabaseError, location::decode},
    options::ServerOptions,
    url,
};
use crate::arrange::Arrange as _;

/// The interval at which a program is checked for its end.
const NAP: Duration = Duration::from_millis(20);

/// The number of bytes kept of a program's output, from its end.
const SAID: usize = 16 * 1024;

/// An installed program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    pub major: u32,
}

/// Finds a program of at least the major version `needed`. The closest version is preferred, since
/// a newer one may use statements that an older server does not know. Among equal versions, the one
/// in the PATH is preferred.
///
/// # Errors
/// [`CopyError::NoProgram`].
pub(super) fn find(name: &'static str, needed: u32) -> Result<Program, CopyError> {
    find_in(directories(), name, needed)
}

/// Finds a program of the major version `wanted`, or else of the closest newer one, or else of the
/// newest that is installed.
///
/// # Errors
/// [`CopyError::NoProgram`] if there is none at all.
pub(super) fn nearest(name: &'static str, wanted: u32) -> Result<Program, CopyError> {
    nearest_in(directories(), name, wanted)
}

fn nearest_in(
    directories: Vec<PathBuf>,
    name: &'static str,
    wanted: u32,
) -> Result<Program, CopyError> {
    let missing = match find_in(directories, name, wanted) {
        Err(error) => error,
        found => return found,
    };
    let CopyError::NoProgram { found, .. } = &missing else {
        return Err(missing);
    };
    // The first of equal ones.
    match found.iter().rev().max_by_key(|(_, major)| *major) {
        Some((path, major)) => Ok(Program {
            name,
            path: path.clone(),
            major: *major,
        }),
        None => Err(missing),
    }
}

fn find_in(
    directories: Vec<PathBuf>,
    name: &'static str,
    needed: u32,
) -> Result<Program, CopyError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for directory in directories {
        let path = directory.join(format!("{name}{}", env::consts::EXE_SUFFIX));
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !path.is_file() || !seen.insert(real) {
            continue;
        }
        if let Some(major) = version(&path) {
            if major == needed {
                return Ok(Program { name, path, major });
            }
            found.push((path, major));
        }
    }
    let fits = found.iter().filter(|(_, major)| *major > needed);
    match fits.min_by_key(|(_, major)| *major) {
        Some((path, major)) => Ok(Program {
            name,
            path: path.clone(),
            major: *major,
        }),
        None => Err(CopyError::NoProgram {
            name,
            needed,
            found,
        }),
    }
}

/// The directories to search: first the PATH, then the directories of packages.
fn directories() -> Vec<PathBuf> {
    const BESIDE: &[(&str, &str, &str)] = &[
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr/libexec", "postgresql", ""),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "libpq", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "libpq", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/usr/local", "pgsql", "bin"),
        ("/Library/PostgreSQL", "", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
        ("C:\\Program Files\\PostgreSQL", "", "bin"),
    ];
    let path = env::var_os("PATH").unwrap_or_default();
    let mut all: Vec<PathBuf> = env::split_paths(&path).collect();
    for (parent, prefix, last) in BESIDE {
        let Ok(entries) = fs::read_dir(parent) else {
            continue;
        };
        let mut names: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path().join(last))
            .collect();
        names.arrange();
        all.extend(names);
    }
    all
}

/// The major version in `pg_dump (PostgreSQL) 15.18 (Debian 15.18-1)`.
fn version(path: &Path) -> Option<u32> {
    let output = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    major_of(&text)
}

fn major_of(text: &str) -> Option<u32> {
    let words = text.split_whitespace();
    let number = words
        .skip_while(|word| !word.contains("PostgreSQL"))
        .nth(1)?;
    let digits = number.find(|c: char| !c.is_ascii_digit());
    number[..digits.unwrap_or(number.len())].parse().ok()
}

/// The input of a running program.
pub(super) enum Input<'a> {
    Nothing,
    /// A function writes the input.
    From(Box<dyn FnOnce(ChildStdin) -> Result<(), CopyError> + Send + 'a>),
}

/// The destination of a program's output.
pub(super) enum Output<'a> {
    Nothing,
    To(Box<dyn FnOnce(ChildStdout) -> Result<(), CopyError> + Send + 'a>),
}

/// Runs a program to its end. `look` is polled for whether to continue.
///
/// # Errors
/// The error output of the program, or the error of `look` or of a pipe.
pub(super) fn run(
    program: &Program,
    options: &ServerOptions,
    arguments: &[String],
    input: Input<'_>,
    output: Output<'_>,
    mut look: impl FnMut() -> Result<(), DatabaseError>,
) -> Result<(), CopyError> {
    let mut command = Command::new(&program.path);
    command.args(arguments).stderr(Stdio::piped());
    command.stdin(match input {
        Input::Nothing => Stdio::null(),
        Input::From(_) => Stdio::piped(),
    });
    command.stdout(match output {
        Output::Nothing => Stdio::null(),
        Output::To(_) => Stdio::piped(),
    });
    environment(&mut command, options);
    let failed = |error: &io::Error| CopyError::ProgramFailed {
        name: program.name,
        reason: format!("{}: {error}", program.path.display()),
    };
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let said = child.stderr.take().map(listen);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (ended, looked, piped) = thread::scope(|scope| {
        let feeding = scope.spawn(move || match (input, stdin) {
            (Input::From(feed), Some(stdin)) => feed(stdin),
            _ => Ok(()),
        });
        let draining = scope.spawn(move || match (output, stdout) {
            (Output::To(drain), Some(stdout)) => drain(stdout),
            _ => Ok(()),
        });
        let (ended, looked) = wait(&mut child, &mut look);
        let died = || {
            CopyError::Database(DatabaseError::Other(
                "a thread of the backup died".to_owned(),
            ))
        };
        let fed = feeding.join().unwrap_or_else(|_| Err(died()));
        let drained = draining.join().unwrap_or_else(|_| Err(died()));
        (ended, looked, drained.and(fed))
    });
    let said = said.and_then(|said| said.join().ok()).unwrap_or_default();
    looked?;
    let status = ended.map_err(|error| failed(&error))?;
    if status.success() {
        return piped;
    }
    match piped {
        // The program ended because of a failure on this side.
        Err(
            error @ (CopyError::Database(DatabaseError::Interrupted)
            | CopyError::File { .. }
            | CopyError::Damaged { .. }),
        ) => Err(error),
        _ => {
            // Ctrl-C reaches the program as well, perhaps before this process has noticed it.
            thread::sleep(NAP);
            look()?;
            Err(CopyError::ProgramFailed {
                name: program.name,
                reason: shortened(&said, program.name, status),
            })
        }
    }
}

fn wait(
    child: &mut Child,
    look: &mut impl FnMut() -> Result<(), DatabaseError>,
) -> (io::Result<ExitStatus>, Result<(), DatabaseError>) {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return (Ok(status), Ok(())),
            Err(error) => return (Err(error), Ok(())),
            Ok(None) => {}
        }
        if let Err(error) = look() {
            let _ = child.kill();
            return (child.wait(), Err(error));
        }
        thread::sleep(NAP);
    }
}

/// Reads the error output of a program and keeps its end.
fn listen(mut stderr: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut said = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = stderr.read(&mut piece) {
            said.extend_from_slice(&piece[..read]);
            if said.len() > 2 * SAID {
                said.drain(..said.len() - SAID);
            }
        }
        String::from_utf8_lossy(&said).into_owned()
    })
}

/// The error output of a program, without the program's name on every line.
fn shortened(said: &str, name: &str, status: ExitStatus) -> String {
    let lines = said.lines().filter_map(|line| {
        let line = line.strip_prefix(&format!("{name}: ")).unwrap_or(line);
        let line = line.strip_prefix("error: ").unwrap_or(line).trim();
        (!line.is_empty()).then_some(line)
    });
    let lines: Vec<_> = lines.take(10).collect();
    if lines.is_empty() {
        return status.to_string();
    }
    lines.join("; ")
}

/// Sets the environment with which the program connects. A password in the arguments would be
/// visible to other users.
fn environment(command: &mut Command, options: &ServerOptions) {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => options.get_host().to_owned(),
    };
    let database = url::database(options).to_owned();
    // These variables are part of `options` already; libpq must not apply them again.
    for name in [
        "PGSERVICE",
        "PGHOSTADDR",
        "PGOPTIONS",
        "PGDATABASE",
        "PGCLIENTENCODING",
    ] {
        command.env_remove(name);
    }
    command
        .env("PGHOST", host)
        .env("PGPORT", options.get_port().to_string())
        .env("PGUSER", options.get_username())
        .env("PGDATABASE", database)
        .env("PGSSLMODE", ssl_mode(options.get_ssl_mode()))
        .env("PGCONNECT_TIMEOUT", "30");
    if let Some(name) = options.get_application_name() {
        command.env("PGAPPNAME", name);
    }
    if let Some(settings) = options.get_options() {
        command.env("PGOPTIONS", settings);
    }
    // sqlx exposes password and certificates only in a URL. Its other parts might not be valid in
    // one.
    let url = options
        .login()
        .clone()
        .host("h")
        .username("u")
        .database("d");
    let url = url.to_url_lossy();
    let password = url.password().and_then(|password| decode(password).ok());
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let verifies = matches!(
        options.get_ssl_mode(),
        PgSslMode::VerifyCa | PgSslMode::VerifyFull
    );
    let mut has_root = env::var_os("PGSSLROOTCERT").is_some();
    for (name, value) in url.query_pairs() {
        let variable = match &*name {
            "sslrootcert" => "PGSSLROOTCERT",
            "sslcert" => "PGSSLCERT",
            "sslkey" => "PGSSLKEY",
            _ => continue,
        };
        // The value may be a certificate itself, which libpq reads only from files.
        if let Some(file) = value.strip_prefix("file: ") {
            has_root |= variable == "PGSSLROOTCERT";
            command.env(variable, file);
        }
    }
    if verifies
        && !has_root
        && let Some(roots) = system_roots()
    {
        command.env("PGSSLROOTCERT", roots);
    }
}

/// The system's certificates, which this connection trusts and libpq does not look for.
fn system_roots() -> Option<PathBuf> {
    let own = env::home_dir().map(|home| home.join(".postgresql/root.crt"));
    if own.is_some_and(|own| own.exists()) {
        return None;
    }
    let usual = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ];
    usual.iter().map(PathBuf::from).find(|path| path.exists())
}

fn ssl_mode(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

/// A database name as an argument that cannot be taken for anything else.
pub(super) fn database_argument(name: &str) -> String {
    let name = name.replace('\\', "\\\\").replace('\'', "\\'");
    format!("--dbname=dbname='{name}'")
}

/// A writer that ignores a closed pipe: the program that has ended reports its own error.
pub(super) fn forgiving(to: impl Write) -> impl Write {
    Forgiving(to)
}

struct Forgiving<W>(W);

impl<W: Write> Write for Forgiving<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self.0.write(buffer) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(buffer.len()),
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, ffi::OsStr};

    use super::*;

    #[test]
    fn versions_are_read() {
        let check = |text: &str, major| assert_eq!(major_of(text), major, "{text}");
        check(
            "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
            Some(15),
        );
        check("pg_restore (PostgreSQL) 18beta1\n", Some(18));
        check("pg_dump (PostgreSQL) 9.6.24\n", Some(9));
        check("pg_dump: command not found\n", None);
        check("", None);
    }

    #[test]
    fn nothing_of_a_url_gets_into_the_arguments() {
        let url = "//jo%2Fhn:s%40cr%2Fet%25@db.example.org:6000/shop\
                   ?sslmode=verify-full&sslrootcert=/ca.pem&options[search_path]=app";
        let options = url::parse(url).unwrap();
        let mut command = Command::new("pg_dump");
        environment(&mut command, &options);
        assert_eq!(command.get_args().count(), 0);
        let set: HashMap<_, _> = command.get_envs().collect();
        let check = |name: &str, value: &str| {
            assert_eq!(set[OsStr::new(name)], Some(OsStr::new(value)), "{name}");
        };
        check("PGHOST", "db.example.org");
        check("PGPORT", "6000");
        check("PGUSER", "jo/hn");
        check("PGPASSWORD", "s@cr/et%");
        check("PGDATABASE", "shop");
        check("PGSSLMODE", "verify-full");
        check("PGSSLROOTCERT", "/ca.pem");
        check("PGOPTIONS", "-c search_path=app");
    }

    #[test]
    fn a_database_is_named_without_doubt() {
        assert_eq!(
            database_argument("a=b'c\\"),
            "--dbname=dbname='a=b\\'c\\\\'"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_nearest_version_that_will_do_is_taken() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let directories: Vec<_> = ["14", "17", "16", "17b", "none"]
            .into_iter()
            .map(|version| {
                let directory = dir.path().join(version);
                fs::create_dir(&directory).unwrap();
                let path = directory.join("pg_dump");
                let number = version.trim_end_matches('b');
                let script = format!("#!/bin/sh\necho 'pg_dump (PostgreSQL) {number}.1'\n");
                fs::write(&path, script).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
                directory
            })
            .collect();
        let check = |needed, expected: Option<&str>| {
            let found = find_in(directories.clone(), "pg_dump", needed);
            let found = found.map(|program| program.path);
            let expected = expected.map(|version| dir.path().join(version).join("pg_dump"));
            assert_eq!(found.ok(), expected, "{needed}");
        };
        check(14, Some("14"));
        check(15, Some("16"));
        check(17, Some("17"));
        check(18, None);
        let nearest = |wanted, expected: &str| {
            let found = nearest_in(directories.clone(), "pg_dump", wanted).unwrap();
            let expected = dir.path().join(expected).join("pg_dump");
            assert_eq!(found.path, expected, "{wanted}");
        };
        nearest(14, "14");
        nearest(15, "16");
        nearest(18, "17");
        assert!(nearest_in(Vec::new(), "pg_dump", 14).is_err());
        let error = find_in(directories[..1].to_vec(), "pg_dump", 15).unwrap_err();
        let path = directories[0].join("pg_dump");
        let expected = format!(
            "no pg_dump is new enough: version 15 or newer is required, but {} is 14",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        let error = find_in(Vec::new(), "pg_dump", 15).unwrap_err();
        let expected = "no pg_dump found; version 15 or newer is required";
        assert_eq!(error.to_string(), expected);
    }
}
