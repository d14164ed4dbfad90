use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::Error;
use crate::{
    layout::{Layout, Surroundings},
    plan::{self, Accepted, Obstacle, PlanContext, PlanError, PlanProblem},
    project::{self, Directory, FilesBelow, Reading},
    revision::{Ahead, Downs, History, Observed, OutOfOrder, TransactionScope},
    sql::{Dialect, Vars},
};

/// The source of scripts.
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

/// The scripts of a project and its policies for running them.
///
/// The first operation that needs the scripts reads them.
#[derive(Debug)]
pub struct Project {
    /// The source of the scripts.
    pub scripts: Scripts,
    /// The naming convention of the scripts; `None` detects it.
    pub layout: Option<Layout>,
    /// Files of the directory to ignore: see [`Reading::leave_out`].
    pub leave_out: Vec<String>,
    /// Whether to read scripts from subdirectories: see [`Reading::recursive`].
    pub recursive: bool,
    /// The values of placeholders.
    pub vars: Vars,
    /// The policy for revisions that sort before an applied one.
    pub out_of_order: OutOfOrder,
    /// The policy for a database that is ahead of the scripts.
    pub ahead: Ahead,
    /// Whether revisions need down scripts.
    pub downs: Downs,
    /// The scope of one transaction.
    pub transaction: TransactionScope,
    /// What is accepted in a database without records of migrator.
    pub accepted: Accepted,
    /// The directory of the project's own templates.
    pub templates: PathBuf,
    /// The working directory, which paths in results are relative to. If it is empty, paths are
    /// shown unchanged.
    pub cwd: PathBuf,
    loaded: Mutex<Option<Loaded>>,
}

/// The scripts read so far.
#[derive(Clone, Debug)]
struct Loaded {
    dialect: Dialect,
    history: Arc<History>,
    has_downs: bool,
    /// See [`Directory::may_have_below`].
    may_have_below: bool,
}

impl Clone for Project {
    /// Returns a project with the same settings that has not read its scripts.
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

    /// The project of a configuration.
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

    /// Returns the history of the scripts, including down scripts.
    ///
    /// # Errors
    /// [`Error::Scripts`] with every problem of the directory.
    pub fn history(&self, dialect: Dialect) -> Result<Arc<History>, Error> {
        match self.loaded(dialect) {
            Some(loaded) if loaded.has_downs => Ok(loaded.history),
            Some(loaded) => self.with_downs(loaded),
            None => {
                let read = read(&self.scripts, &self.reading(dialect))?;
                Ok(self.keep(dialect, true, read))
            }
        }
    }

    /// Returns the history, with down scripts only if they have been read already.
    pub(super) fn ups(&self, dialect: Dialect) -> Result<Arc<History>, Error> {
        match self.loaded(dialect) {
            Some(loaded) => Ok(loaded.history),
            None => {
                let read = read(&self.scripts, &self.early_reading(dialect, false))?;
                Ok(self.keep(dialect, false, read))
            }
        }
    }

    /// A function that reads the scripts on any thread; `None` if they have been read. Pass its
    /// result to [`Self::keep`].
    pub(super) fn reader(
        &self,
        dialect: Dialect,
        downs: bool,
    ) -> Option<impl FnOnce() -> Result<Directory, Error> + Send + use<>> {
        if self.loaded(dialect).is_some() {
            return None;
        }
        let (scripts, reading) = (self.scripts.clone(), self.early_reading(dialect, downs));
        Some(move || read(&scripts, &reading))
    }

    /// Whether down scripts have been read.
    pub(super) fn has_downs(&self, dialect: Dialect) -> bool {
        self.loaded(dialect).is_some_and(|loaded| loaded.has_downs)
    }

    /// Reads the down scripts of a history that lacks them.
    fn with_downs(&self, loaded: Loaded) -> Result<Arc<History>, Error> {
        let Scripts::Directory { path, shown } = &self.scripts else {
            return Ok(loaded.history);
        };
        // The stored history must not keep a second copy alive.
        self.set(None);
        let history = Arc::unwrap_or_clone(loaded.history);
        let reading = self.early_reading(loaded.dialect, true);
        let history =
            project::read_downs(path, shown, &reading, history).map_err(Error::Scripts)?;
        let complete = Directory {
            history,
            may_have_below: loaded.may_have_below,
        };
        Ok(self.keep(loaded.dialect, true, complete))
    }

    /// The scripts that have been read with the rules of `dialect`.
    fn loaded(&self, dialect: Dialect) -> Option<Loaded> {
        let loaded = self.loaded.lock();
        let loaded = loaded.unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().filter(|it| it.dialect == dialect).cloned()
    }

    fn set(&self, loaded: Option<Loaded>) {
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// Stores scripts that have been read.
    pub(super) fn keep(&self, dialect: Dialect, has_downs: bool, read: Directory) -> Arc<History> {
        let history = Arc::new(read.history);
        self.set(Some(Loaded {
            dialect,
            history: Arc::clone(&history),
            has_downs,
            may_have_below: read.may_have_below,
        }));
        history
    }

    /// A project with the same settings and other scripts.
    pub(super) fn with_history(&self, dialect: Dialect, history: History) -> Self {
        let project = self.clone();
        let read = Directory {
            history,
            may_have_below: false,
        };
        project.keep(dialect, true, read);
        project
    }

    /// The directory of scripts and its name in messages. Embedded scripts have no directory.
    pub(super) fn directory(&self) -> (&Path, &str) {
        match &self.scripts {
            Scripts::Directory { path, shown } => (path, shown),
            Scripts::Embedded(_) => (Path::new(""), "the embedded scripts"),
        }
    }

    /// The options for reading scripts.
    pub(super) fn reading(&self, dialect: Dialect) -> Reading {
        Reading {
            layout: self.layout,
            leave_out: self.leave_out.clone(),
            recursive: self.recursive,
            ..Reading::new(dialect)
        }
    }

    /// The options for reading scripts for a run, where the reading threads compute the checksums.
    fn early_reading(&self, dialect: Dialect, downs: bool) -> Reading {
        Reading {
            checksums: true,
            downs,
            ..self.reading(dialect)
        }
    }

    /// Checks whether an upgrade may start in a database without records, given the survey of that
    /// database.
    ///
    /// # Errors
    /// [`Error::Plan`] with all obstacles.
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

    /// Checks whether first records of the existing database may be written.
    ///
    /// # Errors
    /// [`Error::Plan`] with the records of other tools.
    pub(super) fn admit_records(
        &self,
        history: &History,
        beside: Option<&Surroundings>,
    ) -> Result<(), Error> {
        beside.map_or(Ok(()), |beside| {
            occupied(plan::external_records(history, beside, self.accepted))
        })
    }

    /// The context of plans.
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
            expand_only: false,
        }
    }

    /// The context of plans for a run that may override the transaction scope.
    pub(super) fn run_context<'a>(
        &'a self,
        history: &'a History,
        observed: &'a Observed,
        dialect: Dialect,
        transaction: Option<TransactionScope>,
    ) -> PlanContext<'a> {
        PlanContext {
            one_transaction: transaction.unwrap_or(self.transaction) == TransactionScope::All,
            expand_only: false,
            ..self.plan_context(history, observed, dialect)
        }
    }

    /// Returns the layout of the scripts.
    ///
    /// # Errors
    /// [`Error::Scripts`] when the layout cannot be read or detected.
    pub fn detected_layout(&self, dialect: Dialect) -> Result<Layout, Error> {
        match &self.scripts {
            Scripts::Embedded(_) => Ok(self.layout.unwrap_or(Layout::Native)),
            Scripts::Directory { path, shown } => {
                project::layout_of(path, shown, &self.reading(dialect))
                    .map_err(|problem| Error::Scripts(vec![problem]))
            }
        }
    }

    /// Returns the `.sql` files in subdirectories that are not read.
    ///
    /// # Errors
    /// [`Error::Scripts`] when the directory cannot be read.
    pub fn unread(&self, dialect: Dialect) -> Result<Option<FilesBelow>, Error> {
        if let Some(loaded) = self.loaded(dialect)
            && !loaded.may_have_below
        {
            return Ok(None);
        }
        match &self.scripts {
            Scripts::Embedded(_) => Ok(None),
            Scripts::Directory { path, shown } => {
                project::unread_below(path, shown, &self.reading(dialect))
                    .map_err(|problem| Error::Scripts(vec![problem]))
            }
        }
    }

    /// Fails unless scripts can be written to the directory, which requires the native layout.
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

    /// A path for results: relative to the working directory if it is below it.
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

fn read(scripts: &Scripts, reading: &Reading) -> Result<Directory, Error> {
    match scripts {
        Scripts::Directory { path, shown } => project::read_directory(path, shown, reading),
        Scripts::Embedded(files) => {
            let files = files.iter().map(|(name, content)| (name, content));
            project::embedded_history(files, reading).map(|history| Directory {
                history,
                may_have_below: false,
            })
        }
    }
    .map_err(Error::Scripts)
}
