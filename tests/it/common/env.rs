//! The built binary in a cleared environment, with what it printed as one text.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use super::PostgresDatabase;

/// Which database a project uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A project of its own, with a database of its own.
pub struct Env {
    pub backend: Backend,
    dir: TempDir,
    postgres: Option<PostgresDatabase>,
    transcript: String,
}

impl Env {
    /// A directory with a migrator.toml that names a database of its own, and nothing else.
    pub fn new(backend: Backend) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("migrator-test-")
            .tempdir()
            .unwrap();
        let postgres = (backend == Backend::Postgres).then(PostgresDatabase::create);
        let env = Self {
            backend,
            dir,
            postgres,
            transcript: String::new(),
        };
        env.write(
            "migrator.toml",
            format!("[migrator]\nurl = \"{}\"\n", env.url()),
        );
        fs::create_dir(env.path("migrations")).unwrap();
        env
    }

    /// The URL that migrator.toml names.
    pub fn url(&self) -> String {
        self.postgres
            .as_ref()
            .map_or("sqlite:app.db".to_owned(), |database| database.url.clone())
    }

    /// Whether the server is of the major version or a newer one, so that it has the feature.
    pub fn is_since(&self, major: u32, feature: &str) -> bool {
        let database = self.postgres.as_ref().unwrap();
        database.is_since(major, feature)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Writes a pair of scripts: `20260101000001_name`, its up and its down.
    pub fn revision(&self, name: &str, up: &str, down: &str) {
        self.write(&format!("migrations/{name}.up.sql"), up);
        self.write(&format!("migrations/{name}.down.sql"), down);
    }

    /// The command, ready to run in the project.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrator"));
        command
            .env_clear()
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command.env("HOME", self.dir.path()).env("USER", "tester");
        // How long a statement takes here is no matter of most tests.
        command.env("MIGRATOR_SLOW_STATEMENT", "1h");
        for name in ["PATH", "SystemRoot", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs `migrator LINE` and adds the outcome to the transcript.
    pub fn run(&mut self, line: &str) -> Output {
        self.run_with(line, &[])
    }

    /// The same with variables of the environment.
    pub fn run_with(&mut self, line: &str, variables: &[(&str, &str)]) -> Output {
        let mut command = self.command();
        command.args(words(line)).envs(variables.iter().copied());
        let output = command.output().unwrap();
        let set: String = variables
            .iter()
            .map(|(name, value)| format!("{name}={value} "))
            .collect();
        let note = self.masked(&format!("$ {set}migrator {line}"));
        self.note(&note);
        self.add("stdout", &output.stdout);
        self.add("stderr", &output.stderr);
        if !output.status.success() {
            let status = output
                .status
                .code()
                .map_or("killed".to_owned(), |code| code.to_string());
            self.note(&format!("[exit status {status}]"));
        }
        self.transcript.push('\n');
        output
    }

    /// Runs `migrator LINE` without a transcript; whether it succeeds.
    pub fn run_quietly(&self, line: &str) -> bool {
        let output = self.command().args(words(line)).output().unwrap();
        output.status.success()
    }

    /// Adds a line of our own.
    pub fn note(&mut self, text: &str) {
        writeln!(self.transcript, "{text}").unwrap();
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let text = self.masked(&String::from_utf8_lossy(bytes));
        let text = text.trim_end_matches('\n');
        if name == "stdout" {
            writeln!(self.transcript, "{text}").unwrap();
        } else {
            for line in text.lines() {
                writeln!(self.transcript, "! {line}").unwrap();
            }
        }
    }

    /// Everything so far, with what differs from run to run masked.
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    /// `text` without paths, names of databases and hosts of this run.
    fn masked(&self, text: &str) -> String {
        let dir = self.dir.path();
        let real = fs::canonicalize(dir).unwrap();
        let mut text = text
            .replace(&format!("{}/", real.display()), "")
            .replace(&format!("{}/", dir.display()), "")
            .replace(&real.display().to_string(), "[DIR]");
        if let Some(postgres) = &self.postgres {
            text = text.replace(&postgres.name, "[NAME]");
            text = text.replace(&postgres.server(), "[SERVER]");
            if let Some((_, host)) = postgres.server().rsplit_once('@') {
                text = text.replace(host, "[HOST]");
            }
        }
        let host = gethostname::gethostname();
        text.replace(&format!("@{}", host.to_string_lossy()), "@[HOST]")
    }

    /// `command` with the addresses that only the run knows.
    pub fn fill(&self, command: &str) -> String {
        let Some(postgres) = &self.postgres else {
            return command.to_owned();
        };
        let server = postgres.server();
        let nobody = server
            .replace("postgres://", "")
            .rsplit_once('@')
            .map_or(server.clone(), |(_, host)| {
                format!("postgres://nobody_of_that_name@{host}")
            });
        command
            .replace("[SERVER]", &server)
            .replace("[NOBODY]", &nobody)
    }

    /// Begins the transcript again.
    pub fn forget(&mut self) {
        self.transcript.clear();
    }

    /// Adds the transcript of another project.
    pub fn append(&mut self, transcript: &str) {
        self.transcript.push_str(transcript);
    }

    /// Runs SQL with the database's own client.
    pub fn sql(&self, sql: &str) -> String {
        match &self.postgres {
            Some(postgres) => postgres.text(sql),
            None if !self.path("app.db").exists() => String::new(),
            None => super::sqlite(&self.path("app.db"), sql),
        }
    }

    /// Drops another database of the server, with its sessions.
    pub fn drop_database(&self, name: &str) {
        self.sql(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
        self.sql(&format!("DROP DATABASE IF EXISTS {name}"));
    }

    /// Runs `sql` where there may be no database yet.
    pub fn load(&self, sql: &str) {
        if self.backend == Backend::Sqlite {
            self.write("app.db", "");
            super::sqlite(&self.path("app.db"), sql);
        } else {
            self.sql(sql);
        }
    }

    /// Everything in the database, for comparisons: the file's bytes, or a dump.
    pub fn fingerprint(&self) -> Vec<u8> {
        match &self.postgres {
            Some(postgres) => postgres.dump(),
            None => fs::read(self.path("app.db")).unwrap_or_default(),
        }
    }

    /// The schema without our own tables, in a form that can be compared.
    pub fn schema(&self) -> String {
        match &self.postgres {
            Some(postgres) => postgres.schema(),
            None => self.sql(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema
                 WHERE tbl_name NOT LIKE 'migrator\\_%' ESCAPE '\\' ORDER BY type, name",
            ),
        }
    }

    /// Names of the files in the project's directory.
    pub fn files(&self) -> Vec<String> {
        fn walk(dir: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    found.push(path.strip_prefix(root).unwrap().display().to_string());
                }
            }
        }
        let mut found = Vec::new();
        walk(self.dir.path(), self.dir.path(), &mut found);
        found.sort();
        found
    }
}

/// Words as a shell would part them, with double quotes only.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What differs from run to run and is no path: times, IDs, ports.
const FILTERS: &[(&str, &str)] = &[
    (r" +\d+(\.\d+)? (ms|s)\b", " [TIME]"),
    (r#"("duration_ms": )[\d.]+"#, "${1}0"),
    (
        r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?",
        "[AT]",
    ),
    (r"since \d\d:\d\d:\d\d UTC", "since [AT]"),
    (r"\(pid \d+", "(pid [PID]"),
    (r"port \d{4,5}\b", "port [PORT]"),
    (r"[ ]+\n", "\n"),
];

/// The name of a transcript's snapshot, and its content: the transcript, or on PostgreSQL what differs
/// from the snapshot of the same name on SQLite, where there is one.
pub fn snapshot_of(env: &Env, name: &str, filters: &[(&str, &str)]) -> (String, String) {
    let mut text = env.transcript().to_owned();
    for (pattern, replacement) in filters.iter().chain(FILTERS) {
        let pattern = regex::Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, *replacement).into_owned();
    }
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots");
    let first = fs::read_to_string(snapshots.join(format!("{name}@sqlite.snap")));
    if let (Backend::Postgres, Ok(first)) = (env.backend, first) {
        let (_, first) = first.split_once("\n---\n").unwrap();
        text = difference(first.trim(), text.trim());
    }
    (format!("{name}@{}", env.backend.name()), text)
}

/// Lines that differ, each group below the line before it.
fn difference(before: &str, after: &str) -> String {
    let diff = similar::TextDiff::from_lines(before, after);
    let mut text = String::from("difference from SQLite:\n");
    for group in diff.grouped_ops(1) {
        text += "@@\n";
        for change in group
            .iter()
            .flat_map(|operation| diff.iter_changes(operation))
        {
            let _ = writeln!(
                text,
                "{}{}",
                change.tag(),
                change.value().trim_end_matches('\n')
            );
        }
    }
    text
}

/// Compares a transcript with its snapshot; filters of a test's own come first.
///
/// After a change of both databases' output, snapshots have to be updated twice: those of PostgreSQL
/// are compared with those of SQLite as they are.
#[macro_export]
macro_rules! snapshot {
    ($env:expr, $name:expr) => {
        snapshot!($env, $name, &[])
    };
    ($env:expr, $name:expr, $filters:expr) => {{
        let (name, text) = $crate::common::snapshot_of(&$env, &$name.to_string(), $filters);
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }};
}
