//! What commands share: the configuration, and how directory and database are reached from it.

mod connection;
mod directory;

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use anyhow::Context as _;
use serde_json::json;

use super::{
    args::Global,
    codes, describe,
    error::{self, Error, Exit},
    log_file::LogFile,
    output::Output,
};
use crate::{
    database::{self, Location},
    execute::{self, Sink},
    plan::{Ahead, OutOfOrder, Plan, Situation},
    project::{
        self, Config, ConfigProblem, ConfigProblemKind, Flags, Misspelt, Sources, TransactionScope,
        Url,
    },
    report::Diagnostic,
    revision::{History, Observed},
    sql::Dialect,
};

pub use connection::Role;

pub use crate::database::actor;

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
