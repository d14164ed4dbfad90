//! What commands share: the configuration, and how directory and database are reached from it.

use std::{
    path::Path,
    pin::pin,
    sync::{Arc, OnceLock},
    thread,
};

use anyhow::Context as _;
use serde_json::json;
use tokio::sync::oneshot::{self, error::RecvError};

use super::{
    args::Global,
    codes, describe,
    error::{self, Error, Exit},
    log_file::LogFile,
    output::Output,
};
use crate::{
    database::{self, Access, Database, DatabaseError, Detail, Location, Settings},
    execute::{self, Sink, Stop},
    layout::Layout,
    plan::{Ahead, OutOfOrder, Plan, Situation},
    project::{
        self, Config, ConfigProblem, ConfigProblemKind, DirectoryProblem, Flags, Misspelt, Reading,
        Sources, TransactionScope, Url,
    },
    report::Diagnostic,
    revision::{History, Observed},
    sql::Dialect,
};

pub use crate::database::actor;

/// What a command does with the database; with its name, which administrators see.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// What is not there is an error.
    Reader(&'static str),
    /// A missing SQLite file is an empty state, and made when something is written.
    Creator(&'static str),
}

impl Role {
    /// Of a command that makes nothing. As long as there are no revisions, nothing is missing
    /// either: a project begins without its database.
    pub fn reader(name: &'static str, history: &History) -> Self {
        if history.is_empty() {
            Self::Creator(name)
        } else {
            Self::Reader(name)
        }
    }
}

/// The configuration of one run, and where its output goes.
pub struct Context {
    pub config: Config,
    pub output: Output,
    /// Whether everything is confirmed beforehand.
    pub yes: bool,
    log: OnceLock<Arc<LogFile>>,
    /// The options that choose configuration and database, as they were given.
    given: Given,
}

/// See [`Context::command`].
struct Given {
    config: Option<std::path::PathBuf>,
    environment: Option<String>,
    url: Option<String>,
}

impl Context {
    /// Reads the configuration.
    ///
    /// `vars` are the values of placeholders that the command line gives.
    pub fn load(
        global: &Global,
        vars: Vec<(String, String)>,
        output: Output,
    ) -> Result<Self, Error> {
        let cwd = std::env::current_dir().context("the working directory can't be read")?;
        let sources = Sources {
            cwd,
            flags: Flags {
                config: global.config.clone(),
                environment: global.environment.clone(),
                url: global.url.clone(),
                vars,
            },
            process_env: std::env::vars_os().collect(),
        };
        let config = project::load(&sources).map_err(|problems| error::config(&problems))?;
        for Misspelt { name, nearest } in &config.misspelt {
            output.warn(&Diagnostic {
                message: format!("nothing reads the variable {name}"),
                hint: Some(format!("did you mean {nearest}?")),
                ..Diagnostic::default()
            });
        }
        Ok(Self {
            config,
            output,
            yes: global.yes,
            log: OnceLock::new(),
            given: Given {
                config: global.config.clone(),
                environment: global.environment.clone(),
                url: global.url.clone(),
            },
        })
    }

    /// Whether there is a log file, by `flag` or the configuration.
    pub fn is_logged(&self, flag: Option<&Path>) -> bool {
        flag.is_some() || self.config.log_file.is_some()
    }

    /// Opens the log file that `flag` or the configuration names, if there is one. Comes before
    /// any connection.
    pub fn open_log(&self, flag: Option<&Path>, command: &str, place: &str) -> Result<(), Error> {
        let (path, shown) = match (flag, &self.config.log_file) {
            (Some(path), _) => (path, path.display().to_string()),
            (None, Some(path)) => (path.as_path(), self.config.show(path)),
            (None, None) => return Ok(()),
        };
        let start = json!({
            "event": "run_start",
            "command": command,
            "database": place,
            "actor": actor(),
            "tool_version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
        });
        let log = LogFile::open(path, shown, start, self.output)?;
        // A command opens one at most.
        let _ = self.log.set(Arc::new(log));
        Ok(())
    }

    /// A sink that writes into the log file as well, when there is one.
    pub fn logged(&self, sink: Sink) -> Sink {
        match self.log.get() {
            Some(log) => log.keep(sink),
            None => sink,
        }
    }

    /// The end of a run, for the log file.
    pub fn end_log(&self, result: &Result<Exit, Error>) {
        if let Some(log) = self.log.get() {
            log.end(result);
        }
    }

    /// A command line for the same project and database, to be copied into a shell. Never with a
    /// password.
    pub fn command(&self, rest: &[&str]) -> String {
        let mut words = vec!["migrator".to_owned()];
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([name.to_owned(), shell_word(&value)]);
            }
        };
        let config = self.given.config.as_ref();
        option("-c", config.map(|config| config.display().to_string()));
        option("-n", self.given.environment.clone());
        let url = self.given.url.as_deref();
        option("--url", url.map(database::without_password));
        words.extend(rest.iter().map(|word| shell_word(word)));
        words.join(" ")
    }

    /// Where the database is.
    pub fn location(&self) -> Result<Location, Error> {
        parse(self.config.url().map_err(error::config)?)
    }

    /// Whether a database is named at all.
    pub fn has_database(&self) -> bool {
        let unnamed = |problem: &ConfigProblem| matches!(problem.kind, ConfigProblemKind::NoUrl);
        match self.config.url() {
            Ok(_) => true,
            Err(problems) => !problems.iter().all(unnamed),
        }
    }

    /// A database as people see it: a file as seen from the working directory.
    pub fn place(&self, location: &Location) -> String {
        match location {
            Location::Sqlite(file) => format!("sqlite:{}", self.config.show(file)),
            Location::Postgres(_) => location.to_string(),
        }
    }

    /// The same in what went wrong: below, files are known by their whole path.
    pub fn shown(&self, mut error: Error) -> Error {
        if let Ok(location @ Location::Sqlite(_)) = self.location()
            && let Some(path) = location.to_string().strip_prefix("sqlite:")
        {
            let place = self.place(&location);
            for diagnostic in &mut error.diagnostics {
                diagnostic.message = renamed(&diagnostic.message, path, &place);
            }
        }
        error
    }

    /// Says what went wrong and goes on.
    pub fn warn(&self, error: Error) {
        let shown = self.shown(error);
        for diagnostic in &shown.diagnostics {
            self.output.warn(diagnostic);
        }
    }

    /// Whose rules scripts follow, as far as the url tells; without one it hardly matters.
    pub fn dialect(&self) -> Dialect {
        self.location()
            .map_or(Dialect::Postgres, |location| location.dialect())
    }

    /// The directory as a history.
    pub fn history(&self, dialect: Dialect) -> Result<History, Error> {
        let reading = self.reading(dialect);
        project::read_history(&self.config.migrations, &self.shown_migrations(), &reading)
            .map_err(|problems| error::directory(&problems))
    }

    /// The same, with or without down scripts, while a connection is made and its state is read, which
    /// takes about as long. What is wrong with the directory comes first, and then nothing is left of the
    /// connection.
    ///
    /// The state is known, and the lock held, unless someone else has it.
    pub async fn history_and_state(
        &self,
        location: &Location,
        role: Role,
        downs: bool,
    ) -> Result<(History, (Box<dyn Database>, Option<Observed>)), Error> {
        let reading = Reading {
            checksums: true,
            downs,
            ..self.reading(location.dialect())
        };
        let (directory, shown) = (self.config.migrations.clone(), self.shown_migrations());
        let (done, mut read) = oneshot::channel();
        thread::Builder::new()
            .spawn(move || done.send(project::read_history(&directory, &shown, &reading)))
            .context("can't start")?;
        let mut looking = pin!(self.look(location, role));
        let looked = tokio::select! {
            biased;
            history = &mut read => {
                let history = read_by_thread(history)?;
                return Ok((history, looking.await?));
            }
            looked = &mut looking => looked,
        };
        match (read_by_thread(read.await), looked) {
            (Ok(history), looked) => Ok((history, looked?)),
            (Err(error), Err(_)) => Err(error),
            (Err(error), Ok((database, _))) => {
                // Nothing was done with it.
                let _ = execute::release(database).await;
                Err(error)
            }
        }
    }

    /// Such a history with its down scripts.
    pub fn with_downs(&self, history: History, dialect: Dialect) -> Result<History, Error> {
        let reading = Reading {
            checksums: true,
            ..self.reading(dialect)
        };
        let shown = self.shown_migrations();
        project::read_downs(&self.config.migrations, &shown, &reading, history)
            .map_err(|problems| error::directory(&problems))
    }

    async fn look(
        &self,
        location: &Location,
        role: Role,
    ) -> Result<(Box<dyn Database>, Option<Observed>), DatabaseError> {
        let mut database = self.open(location, role).await?;
        match execute::look_early(database.as_mut()).await {
            Ok(observed) => Ok((database, observed)),
            Err(error) => {
                // The error says it all.
                let _ = execute::release(database).await;
                Err(error)
            }
        }
    }

    /// The same for a command that writes scripts.
    pub fn history_to_write(&self, dialect: Dialect) -> Result<History, Error> {
        self.own_layout()?;
        self.history(dialect)
    }

    /// Scripts are written in our own layout only.
    pub fn own_layout(&self) -> Result<(), Error> {
        let shown = self.shown_migrations();
        match self.layout()? {
            Layout::Native => Ok(()),
            layout => Err(Error::new(
                codes::M228,
                format!("scripts are written in migrator's own layout, and {shown} is in that of {layout}"),
            )
            .hint("`migrator convert --to DIR` writes it out as migrator's own")),
        }
    }

    /// The layout that the directory is read in.
    pub fn layout(&self) -> Result<Layout, Error> {
        let reading = self.reading(self.dialect());
        project::layout_of(&self.config.migrations, &self.shown_migrations(), &reading)
            .map_err(|problem| error::directory(&[problem]))
    }

    /// How the directory is read.
    pub fn reading(&self, dialect: Dialect) -> Reading {
        Reading {
            dialect,
            layout: self.config.layout,
            leave_out: self.config.leave_out.clone(),
            checksums: false,
            ups: true,
            downs: true,
        }
    }

    /// The directory as people see it.
    pub fn shown_migrations(&self) -> String {
        self.config.show(&self.config.migrations)
    }

    /// A connection.
    pub async fn connect(
        &self,
        location: &Location,
        role: Role,
    ) -> Result<Box<dyn Database>, Error> {
        Ok(self.open(location, role).await?)
    }

    async fn open(
        &self,
        location: &Location,
        role: Role,
    ) -> Result<Box<dyn Database>, DatabaseError> {
        let (name, access) = match role {
            Role::Reader(name) => (name, Access::Existing),
            Role::Creator(name) => (name, Access::Create),
        };
        database::connect(location, access, self.settings(name)).await
    }

    /// What a connection of the command `name` is opened with.
    pub fn settings(&self, name: &str) -> Settings {
        Settings {
            version_table: self.config.version_table.clone(),
            actor: actor(),
            application_name: format!("migrator {name}"),
            lock_timeout: self.config.lock_timeout,
            statement_timeout: self.config.statement_timeout,
            connect_timeout: self.config.connect_timeout,
            statement_times: self.output.is_verbose() || self.log.get().is_some(),
            statement_marks: !self.config.slow_statement.is_zero(),
        }
    }

    /// The database's state; a SQLite file that is not there yet is an empty state.
    pub async fn observe_or_empty(&self, command: &'static str) -> Result<Observed, Error> {
        Ok(self.observe_table(command).await?.0)
    }

    /// The same with the version table's name, which on PostgreSQL has its schema then.
    pub async fn observe_table(&self, command: &'static str) -> Result<(Observed, String), Error> {
        let location = self.location()?;
        match self.open(&location, Role::Reader(command)).await {
            Err(DatabaseError::Missing { .. }) if location.dialect() == Dialect::Sqlite => {
                Ok((Observed::default(), self.config.version_table.clone()))
            }
            Err(error) => Err(error.into()),
            Ok(mut database) => {
                let observed = database.observe(Detail::WithScripts).await?;
                let table = database.version_table();
                database.close().await?;
                Ok((observed, table))
            }
        }
    }

    /// Takes the lock that all runs share, and says so while it waits.
    pub async fn lock(&self, database: &mut dyn Database) -> Result<(), Error> {
        let (progress, sink) = self.output.progress();
        let stop = Stop::default();
        execute::watch(stop.clone(), database.canceller(), Sink::clone(&sink))
            .context("can't start")?;
        let locked = execute::lock(database, self.config.lock_wait, &stop, &sink).await;
        if let Some(progress) = progress {
            progress.finish(locked.is_err());
        }
        Ok(locked?)
    }

    /// What plans are made from.
    pub fn situation<'a>(
        &'a self,
        history: &'a History,
        observed: &'a Observed,
    ) -> Result<Situation<'a>, Error> {
        Ok(Situation {
            history,
            observed,
            dialect: self.location()?.dialect(),
            vars: &self.config.vars,
            out_of_order: match self.config.out_of_order {
                project::OutOfOrder::Error => OutOfOrder::Error,
                project::OutOfOrder::Warn => OutOfOrder::Warn,
                project::OutOfOrder::Allow => OutOfOrder::Allow,
            },
            ahead: match self.config.ahead {
                project::Ahead::Warn => Ahead::Warn,
                project::Ahead::Error => Ahead::Error,
            },
            one_transaction: false,
        })
    }

    /// How patient the steps of a run are.
    pub fn options(&self) -> execute::Options {
        execute::Options {
            attempts: self.config.lock_attempts,
            slow_statement: self.config.slow_statement,
            ..execute::Options::default()
        }
    }

    /// Says what people should know before `plan` runs.
    pub fn warn_of(&self, plan: &Plan) {
        for warning in &plan.warnings {
            self.output.warn(&describe::warning(warning));
        }
    }

    /// Whether the configuration wants one transaction for a whole run.
    pub fn one_transaction(&self) -> bool {
        self.config.transaction == TransactionScope::All
    }

    /// Whether the configuration protects it, by whatever name.
    pub fn is_protected(&self, location: &Location) -> bool {
        let same = |url: &Url| parse(url).is_ok_and(|other| other.is_same_database(location));
        self.config.protected
            || self
                .config
                .protected_urls()
                .iter()
                .any(|protected| same(&protected.url))
    }

    /// A target that is no single revision where one is needed.
    pub fn not_one_revision(&self, text: &str) -> Error {
        Error::new(codes::M402, format!("`{text}` is not one revision"))
            .hint("name a revision by its id")
    }
}

type ReadHistory = Result<History, Vec<DirectoryProblem>>;

/// What the thread has read that was to read a directory.
fn read_by_thread(read: Result<ReadHistory, RecvError>) -> Result<History, Error> {
    let history = read.context("the directory was not read to its end")?;
    history.map_err(|problems| error::directory(&problems))
}

fn parse(url: &Url) -> Result<Location, Error> {
    Location::parse(&url.text, &url.base)
        .map_err(|error| error::location(&error, &url.origin.to_string()))
}

/// A word as shells take it.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:@=+,%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// `text` with `name` in place of `path`, but not where it is a part of a longer path.
fn renamed(text: &str, path: &str, name: &str) -> String {
    let mut parts = text.split(path);
    let mut renamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends = part.is_empty() || part.starts_with([' ', ':', ',', ';', ')']);
        renamed += if ends { name } else { path };
        renamed += part;
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        let check = |word: &str, expected: &str| assert_eq!(shell_word(word), expected);
        check("backups/app-1.sqlite.zst", "backups/app-1.sqlite.zst");
        check("a b", "'a b'");
        check("it's", "'it'\\''s'");
        check("", "''");
    }

    #[test]
    fn only_whole_paths_are_renamed() {
        let check = |text: &str, expected: &str| {
            assert_eq!(renamed(text, "/x/app.db", "sqlite:app.db"), expected);
        };
        check("no database at /x/app.db", "no database at sqlite:app.db");
        check("/x/app.db: locked", "sqlite:app.db: locked");
        check("/x/app.db-wal is gone", "/x/app.db-wal is gone");
        check("nothing", "nothing");
    }
}
