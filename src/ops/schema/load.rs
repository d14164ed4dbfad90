//! Runs scripts in a scratch database.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{SourceError, reader::Progress};
use crate::{
    arrange::Arrange as _,
    database::{Access, Location, Scratch, ScratchRequest, ScratchUse, Settings, scratch},
    execute::{Event, EventKind, Hold, Stop},
    files,
    ops::{Error, MigrateArgs, Project, Scripts, Session, session::until_stopped, upgrade},
    plan::Accepted,
    revision::{Ahead, Downs, History, OutOfOrder, RevisionId, Script, Target, TransactionScope},
    sql::{self, Dialect, Token},
};

/// A script that would change more than its own database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideScript {
    /// The file.
    pub file: String,
    /// The text of the file.
    pub text: String,
    /// The byte offset of the statement.
    pub offset: usize,
    /// What the statement does: `CREATE ROLE`.
    pub does: &'static str,
}

/// Scripts that would change more than the scratch database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scripts reach beyond their database: {}", .scripts.iter().map(|it| it.file.as_str()).collect::<Vec<_>>().join(", "))]
pub struct Outside {
    /// The statements.
    pub scripts: Vec<OutsideScript>,
    /// Whether they could run on a server for scratch databases alone.
    pub on_server: bool,
}

/// An open scratch database.
pub(in crate::ops) struct Sandbox {
    pub session: Session,
    scratch: Box<dyn Scratch>,
    /// The requests to stop that wait until the database is dropped.
    stop: Stop,
}

/// What creates scratch databases for one operation.
#[derive(Clone)]
pub(in crate::ops) struct Sandboxes {
    /// The database that they resemble.
    pub like: Location,
    /// The server, unless it is that of the database.
    pub url: Option<Location>,
    pub settings: Settings,
    /// The schema that exists before the first revision.
    pub schema: Option<String>,
    /// The requests to stop that wait until a database is complete or dropped.
    pub stop: Stop,
}

impl Sandboxes {
    /// Creates a scratch database. `progress` counts the scripts that run there.
    pub async fn create(&self, progress: Option<Progress>) -> Result<Sandbox, Error> {
        let request = ScratchRequest {
            like: self.like.clone(),
            url: self.url.clone(),
            settings: self.settings.clone(),
            schema: self.schema.clone(),
            purpose: ScratchUse::Own,
            template: None,
            stopped: Arc::new(|| false),
        };
        // What is half created could not be dropped.
        let _held = self.stop.hold();
        let sandbox = Sandbox::open(&request, progress).await?;
        Ok(sandbox.stopped_by(self.stop.clone()))
    }

    /// Runs `work` in a scratch database. A request to stop ends the work at once.
    pub async fn within<T>(
        &self,
        progress: Option<Progress>,
        work: impl AsyncFnOnce(&mut Sandbox) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut sandbox = self.create(progress).await?;
        let found = until_stopped(&self.stop, work(&mut sandbox)).await;
        match (found, sandbox.leave().await) {
            (Ok(found), Ok(())) => Ok(found),
            (Ok(_), Err(error)) => Err(error),
            // The first error is the one to report.
            (Err(error), _) => Err(error),
        }
    }
}

impl Sandbox {
    /// Creates a scratch database for `request`.
    pub async fn open(request: &ScratchRequest, progress: Option<Progress>) -> Result<Self, Error> {
        let (like, settings) = (&request.like, &request.settings);
        let scratch = scratch(request).await?;
        // What the URL of the database asks of its sessions holds here as well.
        let settings = like.adjust(settings.clone()).without_notices();
        let mut session = Session::new(scratch.location().clone(), settings)
            .named("the scratch database")
            .access(Access::Create);
        if let Some(progress) = progress {
            session = session.on_events(steps(progress));
        }
        Ok(Self {
            session,
            scratch,
            stop: Stop::default(),
        })
    }

    /// Has requests to stop wait while the database is being dropped.
    pub fn stopped_by(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Has requests to stop wait while the value lives.
    pub fn hold(&self) -> Hold {
        self.stop.hold()
    }

    /// Whether the database is a copy of a template, so that there is nothing to run.
    pub fn is_copy(&self) -> bool {
        self.scratch.is_copy()
    }

    /// Closes the session and keeps the database, as a copy of the template if one was requested.
    pub async fn keep(self) -> Result<Box<dyn Scratch>, Error> {
        let closed = self.session.close().await;
        if let Err(error) = closed {
            let _ = self.scratch.drop().await;
            return Err(error.into());
        }
        match self.scratch.is_copy() {
            true => Ok(self.scratch),
            false => Ok(self.scratch.keep().await?),
        }
    }

    /// The first statement of `script` that would change more than this database.
    pub fn refuses(&self, script: &Script) -> Option<OutsideScript> {
        if self.is_alone() {
            return None;
        }
        outside(script, self.session.dialect()).into_iter().next()
    }

    /// Whether scripts can change nothing but what is made for them.
    fn is_alone(&self) -> bool {
        !self.scratch.shares_server() && self.scratch.location().file().is_none()
    }

    /// Another session with the database, unless that is one in memory, which ends with its session.
    #[cfg(feature = "cli")]
    pub fn another_session(&self) -> Option<Session> {
        let location = self.scratch.location();
        location.file().is_none().then(|| {
            Session::new(location.clone(), self.session.settings().clone())
                .named(self.session.place())
                .access(Access::Existing)
        })
    }

    /// Closes the session and drops the database.
    pub async fn leave(self) -> Result<(), Error> {
        let _held = self.hold();
        let closed = self.session.close().await;
        self.scratch.drop().await?;
        Ok(closed?)
    }

    /// Runs the scripts of `project` up to `targets`.
    pub async fn apply(&mut self, project: &Project, targets: &[Target]) -> Result<(), Error> {
        if !self.is_alone() {
            let on_server = self.scratch.shares_server();
            refuse_outside(project, self.session.dialect(), on_server)?;
        }
        let project = lenient(project, self.session.dialect())?;
        for target in targets {
            let run = upgrade(
                &project,
                &mut self.session,
                &MigrateArgs::to(target.clone()),
            )
            .await;
            let report = run.map_err(in_scratch)?;
            if report.interrupted {
                return Err(Error::Interrupted);
            }
            if let Some(failure) = report.failure {
                return Err(in_scratch(Error::Failed(failure)));
            }
        }
        Ok(())
    }

    /// Runs texts of SQL, those that fail again after the others, so that their order does not
    /// matter.
    pub async fn run_texts(&mut self, texts: &[SqlText], like: &Project) -> Result<(), Error> {
        let dialect = self.session.dialect();
        // Each text with its number among the scripts.
        let mut order: Vec<(usize, &SqlText)> = (1..).zip(texts).collect();
        // How many texts have run, and how many have failed since one did.
        let (mut done, mut failed) = (0, 0);
        let mut first = None;
        loop {
            let mut names = Vec::with_capacity(order.len());
            let scripts = order.iter().map(|(number, text)| {
                let name = format!("{number}_schema.up.sql");
                names.push((name.clone(), text.shown.clone()));
                (PathBuf::from(name), in_transaction(dialect, &text.sql))
            });
            let mut project = Project::new(Scripts::Embedded(scripts.collect()));
            project.vars = like.vars.clone();
            let Err(error) = self.apply(&project, &[Target::Heads]).await else {
                return Ok(());
            };
            let in_files = |error: Error| Error::InFiles {
                names,
                error: Box::new(error),
            };
            let Some(more) = rolled_back(&error) else {
                return Err(in_files(error));
            };
            if more > 0 {
                (done, failed, first) = (done + more, 0, None);
            }
            failed += 1;
            first = first.or_else(|| Some(in_files(error)));
            if failed >= order.len() - done {
                return Err(first.take().unwrap_or(Error::Interrupted));
            }
            let (_, last) = order.remove(done);
            let number = order.iter().map(|(number, _)| *number).max();
            order.push((number.unwrap_or(0).max(texts.len()) + texts.len(), last));
        }
    }
}

/// A text of SQL.
#[derive(Clone, Debug)]
pub(in crate::ops) struct SqlText {
    /// Where it comes from, for display.
    pub shown: String,
    /// The text.
    pub sql: Vec<u8>,
}

/// The text with blanks for what keeps an index from being created in a transaction. Nobody writes to
/// the tables of a scratch database meanwhile, and the index is the same.
fn in_transaction(dialect: Dialect, sql: &[u8]) -> Vec<u8> {
    let mut text = sql.to_vec();
    // What cannot be read is reported by the run.
    let statements = std::str::from_utf8(sql).ok();
    let statements = statements.and_then(|it| Some((it, sql::split(dialect, it).ok()?)));
    let Some((whole, statements)) = statements else {
        return text;
    };
    for statement in statements {
        let sql = statement.text(whole);
        if dialect.concurrent_index(sql).is_none() {
            continue;
        }
        let is_word = |it: &Token| sql[it.start..it.end].eq_ignore_ascii_case("CONCURRENTLY");
        if let Some(word) = sql::lex(dialect, sql.as_bytes()).find(is_word) {
            let start = statement.span.start;
            text[start + word.start..start + word.end].fill(b' ');
        }
    }
    text
}

/// The number of scripts that a run committed before a script failed and was rolled back; `None` if
/// the run ended otherwise.
fn rolled_back(error: &Error) -> Option<usize> {
    match error {
        Error::InScratch(error) => match &**error {
            Error::Failed(failure) if failure.failure.units.is_none() => Some(failure.done.len()),
            _ => None,
        },
        _ => None,
    }
}

/// A receiver of events that counts the scripts that were run.
fn steps(progress: Progress) -> impl Fn(&Event) + Send + Sync {
    let (done, total) = (AtomicU64::new(0), AtomicU64::new(0));
    move |event| {
        match &event.kind {
            EventKind::Planned { steps, .. } => {
                done.store(0, Ordering::Relaxed);
                total.store(*steps as u64, Ordering::Relaxed);
            }
            EventKind::StepDone { .. } => {
                done.fetch_add(1, Ordering::Relaxed);
            }
            _ => return,
        }
        let (done, total) = (done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        progress("running scripts", done, total);
    }
}

/// The targets of revisions that are to be applied.
pub(super) fn targets<'a>(heads: impl Iterator<Item = &'a RevisionId>) -> Vec<Target> {
    heads
        .map(|id| Target::Name {
            text: id.as_str().to_owned(),
        })
        .collect()
}

/// A project with the same scripts whose policies accept what a scratch database is.
pub(in crate::ops) fn lenient(project: &Project, dialect: Dialect) -> Result<Project, Error> {
    let history = History::clone(&*project.history(dialect)?);
    let mut lenient = project.with_history(dialect, history);
    lenient.out_of_order = OutOfOrder::Allow;
    lenient.ahead = Ahead::Error;
    lenient.downs = Downs::Optional;
    lenient.transaction = TransactionScope::Revision;
    lenient.accepted = Accepted {
        records: true,
        tables: true,
    };
    Ok(lenient)
}

fn in_scratch(error: Error) -> Error {
    Error::InScratch(Box::new(error))
}

/// Fails if a script of `project` has statements whose effects reach beyond the database.
fn refuse_outside(project: &Project, dialect: Dialect, on_server: bool) -> Result<(), Error> {
    let history = project.history(dialect)?;
    let revisions = history.in_order().map(|revision| &revision.up);
    let repeatables = history
        .repeatables()
        .iter()
        .map(|repeatable| &repeatable.script);
    let scripts: Vec<OutsideScript> = revisions
        .chain(repeatables)
        .flat_map(|script| outside(script, dialect))
        .collect();
    if scripts.is_empty() {
        return Ok(());
    }
    Err(Outside { scripts, on_server }.into())
}

fn outside(script: &Script, dialect: Dialect) -> Vec<OutsideScript> {
    // What cannot be split is reported by the run.
    let Ok(statements) = sql::split(dialect, &script.text) else {
        return Vec::new();
    };
    let found = statements.iter().filter_map(|statement| {
        let does = dialect.reaches_outside(statement.text(&script.text))?;
        Some(OutsideScript {
            file: script.file.clone(),
            text: script.text.to_string(),
            offset: statement.span.start,
            does,
        })
    });
    found.collect()
}

/// Reads the file, or the `.sql` files of the directory by name.
pub(in crate::ops) fn sql_files(path: &Path, shown: &str) -> Result<Vec<SqlText>, SourceError> {
    let found = file_names(path, shown)?.into_iter();
    let read = found.map(|(file, shown)| match files::read(&file) {
        Ok(sql) => Ok(SqlText { shown, sql }),
        Err(error) => Err(SourceError::Read { path: shown, error }),
    });
    read.collect()
}

/// The file, or the `.sql` files of the directory by name, each with its name for display.
fn file_names(path: &Path, shown: &str) -> Result<Vec<(PathBuf, String)>, SourceError> {
    let failed = |error| SourceError::Read {
        path: shown.to_owned(),
        error,
    };
    if !path.metadata().map_err(failed)?.is_dir() {
        return Ok(vec![(path.to_owned(), shown.to_owned())]);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().filter(|name| name.ends_with(".sql")) {
            names.push(name.to_owned());
        }
    }
    names.arrange();
    if names.is_empty() {
        return Err(SourceError::NoFiles(shown.to_owned()));
    }
    let is_down = |name: &String| name.ends_with(".down.sql") || name == "down.sql";
    if names.iter().any(is_down) {
        return Err(SourceError::Migrations(shown.to_owned()));
    }
    let base = shown.trim_end_matches(['/', '\\']);
    let files = names.into_iter();
    Ok(files
        .map(|name| (path.join(&name), format!("{base}/{name}")))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_created_in_the_transaction() {
        let check = |sql: &str, expected: &str| {
            let found = in_transaction(Dialect::Postgres, sql.as_bytes());
            assert_eq!(String::from_utf8(found).unwrap(), expected);
        };
        check(
            "SELECT 'CONCURRENTLY';\n/* Concurrently */ create unique index concurrently i ON t (a);",
            "SELECT 'CONCURRENTLY';\n/* Concurrently */ create unique index              i ON t (a);",
        );
        let refresh = "REFRESH MATERIALIZED VIEW CONCURRENTLY v;";
        check(refresh, refresh);
    }
}
