use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::Error;
use crate::{
    layout::{Layout, Surroundings},
    plan::{self, Accepted, Obstacle, PlanContext, PlanError, PlanProblem},
    project::{self, FilesBelow, Reading},
    revision::{Ahead, Downs, History, Observed, OutOfOrder, TransactionScope},
    sql::{Dialect, Vars},
};

/// Where scripts come from.
#[derive(Clone, Debug)]
pub enum Scripts {
    /// A directory, and its name in messages.
    Directory {
        /// The directory.
        path: PathBuf,
        /// Its name in messages.
        shown: String,
    },
    /// File names with their contents, compiled into a program.
    Embedded(Arc<[(PathBuf, Vec<u8>)]>),
}

/// The scripts of a project and what it has decided about running them.
///
/// The scripts are read once, by the first operation that needs them.
#[derive(Debug)]
pub struct Project {
    /// Where the scripts come from.
    pub scripts: Scripts,
    /// The naming convention of the scripts; `None` detects it.
    pub layout: Option<Layout>,
    /// Files of the directory that are not read: see [`Reading::leave_out`].
    pub leave_out: Vec<String>,
    /// Whether scripts are read in directories below: see [`Reading::recursive`].
    pub recursive: bool,
    /// Values of placeholders.
    pub vars: Vars,
    /// Policy for revisions that sort before an applied one.
    pub out_of_order: OutOfOrder,
    /// Policy for a database that is ahead of the scripts.
    pub ahead: Ahead,
    /// Whether revisions need down scripts.
    pub downs: Downs,
    /// How much one transaction holds.
    pub transaction: TransactionScope,
    /// What is accepted of a database without records of migrator's own.
    pub accepted: Accepted,
    /// The directory of the project's own templates.
    pub templates: PathBuf,
    /// The working directory, which paths in results are relative to; empty shows them as they are.
    pub cwd: PathBuf,
    loaded: Mutex<Option<Loaded>>,
}

/// The scripts as far as they were read.
#[derive(Clone, Debug)]
struct Loaded {
    dialect: Dialect,
    history: Arc<History>,
    has_downs: bool,
}

impl Clone for Project {
    /// A project with the same settings, whose scripts are read again.
    fn clone(&self) -> Self {
        Self {
            scripts: self.scripts.clone(),
            layout: self.layout,
            leave_out: self.leave_out.clone(),
            recursive: self.recursive,
            vars: self.vars.clone(),
            out_of_order: self.out_of_order,
            ahead: self.ahead,
            downs: self.downs,
            transaction: self.transaction,
            accepted: self.accepted,
            templates: self.templates.clone(),
            cwd: self.cwd.clone(),
            loaded: Mutex::default(),
        }
    }
}

impl Project {
    /// A project with default settings.
    pub fn new(scripts: Scripts) -> Self {
        Self {
            scripts,
            layout: None,
            leave_out: Vec::new(),
            recursive: false,
            vars: Vars::default(),
            out_of_order: OutOfOrder::default(),
            ahead: Ahead::default(),
            downs: Downs::default(),
            transaction: TransactionScope::default(),
            accepted: Accepted::default(),
            templates: PathBuf::new(),
            cwd: PathBuf::new(),
            loaded: Mutex::default(),
        }
    }

    /// The project that a configuration describes.
    #[cfg(feature = "cli")]
    pub fn configured(config: &project::Config) -> Self {
        Self {
            layout: config.layout,
            leave_out: config.leave_out.clone(),
            recursive: config.recursive,
            vars: config.vars.clone(),
            out_of_order: config.out_of_order,
            ahead: config.ahead,
            downs: config.downs,
            transaction: config.transaction,
            accepted: Accepted {
                records: config.records_of == project::RecordsOf::Ignore,
                tables: config.allow_nonempty,
            },
            templates: config.templates.clone(),
            cwd: config.cwd().to_owned(),
            ..Self::new(Scripts::Directory {
                path: config.migrations.clone(),
                shown: config.show(&config.migrations),
            })
        }
    }

    /// The scripts as a history, down scripts included.
    ///
    /// # Errors
    /// [`Error::Scripts`] with every problem of the directory.
    pub fn history(&self, dialect: Dialect) -> Result<Arc<History>, Error> {
        match self.loaded(dialect) {
            Some(loaded) if loaded.has_downs => Ok(loaded.history),
            Some(loaded) => self.with_downs(loaded.history, dialect),
            None => {
                let history = read(&self.scripts, &self.reading(dialect))?;
                Ok(self.keep(dialect, true, history))
            }
        }
    }

    /// The history without down scripts, unless those were read already.
    pub(super) fn ups(&self, dialect: Dialect) -> Result<Arc<History>, Error> {
        match self.loaded(dialect) {
            Some(loaded) => Ok(loaded.history),
            None => {
                let history = read(&self.scripts, &self.early_reading(dialect, false))?;
                Ok(self.keep(dialect, false, history))
            }
        }
    }

    /// What reads the scripts, on any thread; `None` once they were read. [`Self::keep`] takes what it
    /// has read.
    pub(super) fn reader(
        &self,
        dialect: Dialect,
        downs: bool,
    ) -> Option<impl FnOnce() -> Result<History, Error> + Send + use<>> {
        if self.loaded(dialect).is_some() {
            return None;
        }
        let (scripts, reading) = (self.scripts.clone(), self.early_reading(dialect, downs));
        Some(move || read(&scripts, &reading))
    }

    /// Whether down scripts were read.
    pub(super) fn has_downs(&self, dialect: Dialect) -> bool {
        self.loaded(dialect).is_some_and(|loaded| loaded.has_downs)
    }

    /// Reads the down scripts of a history that has none.
    fn with_downs(&self, history: Arc<History>, dialect: Dialect) -> Result<Arc<History>, Error> {
        let Scripts::Directory { path, shown } = &self.scripts else {
            return Ok(history);
        };
        // What is kept must not keep a second copy alive.
        self.set(None);
        let history = Arc::unwrap_or_clone(history);
        let reading = self.early_reading(dialect, true);
        let complete =
            project::read_downs(path, shown, &reading, history).map_err(Error::Scripts)?;
        Ok(self.keep(dialect, true, complete))
    }

    /// What was read by the rules of `dialect`.
    fn loaded(&self, dialect: Dialect) -> Option<Loaded> {
        let loaded = self.loaded.lock();
        let loaded = loaded.unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().filter(|it| it.dialect == dialect).cloned()
    }

    fn set(&self, loaded: Option<Loaded>) {
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// Keeps the scripts that were read.
    pub(super) fn keep(&self, dialect: Dialect, has_downs: bool, history: History) -> Arc<History> {
        let history = Arc::new(history);
        self.set(Some(Loaded {
            dialect,
            history: Arc::clone(&history),
            has_downs,
        }));
        history
    }

    /// The directory of scripts, and its name in messages. Embedded scripts have none.
    pub(super) fn directory(&self) -> (&Path, &str) {
        match &self.scripts {
            Scripts::Directory { path, shown } => (path, shown),
            Scripts::Embedded(_) => (Path::new(""), "the embedded scripts"),
        }
    }

    /// How the scripts are read.
    pub(super) fn reading(&self, dialect: Dialect) -> Reading {
        Reading {
            layout: self.layout,
            leave_out: self.leave_out.clone(),
            recursive: self.recursive,
            ..Reading::new(dialect)
        }
    }

    /// The same for a run, whose checksums are taken by the threads that read.
    fn early_reading(&self, dialect: Dialect, downs: bool) -> Reading {
        Reading {
            checksums: true,
            downs,
            ..self.reading(dialect)
        }
    }

    /// Lets an upgrade of a database without records begin, by what is beside the version table.
    ///
    /// # Errors
    /// [`Error::Plan`] with all that stands in the way.
    pub(super) fn admit(
        &self,
        observed: &Observed,
        beside: Option<&Surroundings>,
        accepted: Accepted,
        dialect: Dialect,
    ) -> Result<(), Error> {
        let (history, Some(beside)) = (self.ups(dialect)?, beside) else {
            return Ok(());
        };
        if !plan::needs_survey(&history, observed) {
            return Ok(());
        }
        occupied(plan::obstacles(&history, observed, beside, accepted))
    }

    /// Lets first records be written of what is in the database already.
    ///
    /// # Errors
    /// [`Error::Plan`] with the records of other tools that stand in the way.
    pub(super) fn admit_records(
        &self,
        history: &History,
        beside: Option<&Surroundings>,
    ) -> Result<(), Error> {
        beside.map_or(Ok(()), |beside| {
            occupied(plan::external_records(history, beside, self.accepted))
        })
    }

    /// What plans are made from.
    pub(super) fn plan_context<'a>(
        &'a self,
        history: &'a History,
        observed: &'a Observed,
        dialect: Dialect,
    ) -> PlanContext<'a> {
        PlanContext {
            history,
            observed,
            dialect,
            vars: &self.vars,
            out_of_order: self.out_of_order,
            ahead: self.ahead,
            one_transaction: self.transaction == TransactionScope::All,
        }
    }

    /// The same for a run that may choose its own transactions.
    pub(super) fn run_context<'a>(
        &'a self,
        history: &'a History,
        observed: &'a Observed,
        dialect: Dialect,
        transaction: Option<TransactionScope>,
    ) -> PlanContext<'a> {
        PlanContext {
            one_transaction: transaction.unwrap_or(self.transaction) == TransactionScope::All,
            ..self.plan_context(history, observed, dialect)
        }
    }

    /// The layout that the scripts are read in.
    ///
    /// # Errors
    /// [`Error::Scripts`] when it cannot be read or told.
    pub fn detected_layout(&self, dialect: Dialect) -> Result<Layout, Error> {
        match &self.scripts {
            Scripts::Embedded(_) => Ok(self.layout.unwrap_or(Layout::Native)),
            Scripts::Directory { path, shown } => {
                project::layout_of(path, shown, &self.reading(dialect))
                    .map_err(|problem| Error::Scripts(vec![problem]))
            }
        }
    }

    /// The `.sql` files in directories below that are not read.
    ///
    /// # Errors
    /// [`Error::Scripts`] when the directory can't be read.
    pub fn unread(&self, dialect: Dialect) -> Result<Option<FilesBelow>, Error> {
        match &self.scripts {
            Scripts::Embedded(_) => Ok(None),
            Scripts::Directory { path, shown } => {
                project::unread_below(path, shown, &self.reading(dialect))
                    .map_err(|problem| Error::Scripts(vec![problem]))
            }
        }
    }

    /// Fails unless scripts can be written here: they are written in the native layout only.
    #[cfg(feature = "cli")]
    pub(super) fn ensure_native(&self, dialect: Dialect) -> Result<(), Error> {
        match self.detected_layout(dialect)? {
            Layout::Native => Ok(()),
            layout => Err(Error::OtherLayout {
                directory: self.directory().1.to_owned(),
                layout,
            }),
        }
    }

    /// A path as results show it: relative to the working directory when it lies below it.
    #[cfg(feature = "cli")]
    pub fn show(&self, path: &Path) -> String {
        project::show(&self.cwd, path)
    }
}

fn occupied(obstacles: Vec<Obstacle>) -> Result<(), Error> {
    if obstacles.is_empty() {
        return Ok(());
    }
    let problems = obstacles.into_iter().map(PlanProblem::Occupied);
    Err(PlanError(problems.collect()).into())
}

fn read(scripts: &Scripts, reading: &Reading) -> Result<History, Error> {
    match scripts {
        Scripts::Directory { path, shown } => project::read_history(path, shown, reading),
        Scripts::Embedded(files) => {
            let files = files.iter().map(|(name, content)| (name, content));
            project::embedded_history(files, reading)
        }
    }
    .map_err(Error::Scripts)
}
