use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{Error, Session};
use crate::{
    database::{self, Access, Location, Settings},
    execute::{Event, RunOptions, Stop},
    layout::Layout,
    ops::{self, Project, Scripts},
    project,
    revision::{Ahead, OutOfOrder, TransactionScope},
};

/// Scripts and how they are to be run; [`Self::connect`] adds the database.
///
/// The defaults are those of the `migrator` command. See the [crate's documentation](crate) for an
/// example.
#[derive(Clone)]
pub struct Migrator {
    project: Project,
    settings: Settings,
    lock_wait: Duration,
    options: RunOptions,
    events: Arc<dyn Fn(&Event) + Send + Sync>,
    stop: Stop,
}

impl Migrator {
    /// The scripts of a directory. It is read by [`Self::connect`].
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        let path = directory.into();
        Self::of(Scripts::Directory {
            shown: path.display().to_string(),
            path,
        })
    }

    /// Scripts that are compiled into the program, as file names with their contents:
    /// `("20261122093000_create_users.up.sql", "CREATE TABLE …")`. What is not named like a
    /// script is ignored, as it is in a directory.
    ///
    /// With the `include_dir` crate a whole directory needs no list:
    /// `Migrator::embedded(DIR.files().map(|file| (file.path(), file.contents())))`.
    pub fn embedded<N, T>(files: impl IntoIterator<Item = (N, T)>) -> Self
    where
        N: AsRef<Path>,
        T: AsRef<[u8]>,
    {
        let files = files
            .into_iter()
            .map(|(name, content)| (name.as_ref().to_owned(), content.as_ref().to_owned()));
        Self::of(Scripts::Embedded(files.collect()))
    }

    fn of(scripts: Scripts) -> Self {
        Self {
            project: Project::new(scripts),
            settings: Settings {
                version_table: "migrator_version".to_owned(),
                actor: database::actor(),
                application_name: application_name(),
                lock_timeout: Duration::from_secs(2),
                statement_timeout: Duration::ZERO,
                connect_timeout: Duration::from_secs(10),
                statement_times: false,
                session: Vec::new(),
                statement_marks: false,
            },
            lock_wait: Duration::from_secs(60),
            options: RunOptions::default(),
            events: Arc::new(|_| {}),
            stop: Stop::default(),
        }
    }

    /// The version table: `name`, or `schema.name` on PostgreSQL; `migrator_version` by default.
    pub fn version_table(mut self, name: impl Into<String>) -> Self {
        self.settings.version_table = name.into();
        self
    }

    /// Who it is, for the records; `user@host` by default.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.settings.actor = actor.into();
        self
    }

    /// Whose names and markers the scripts have, when they are another tool's. Without it that of a
    /// directory is found by looking, and scripts that are compiled in are our own.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.project.layout = Some(layout);
        self
    }

    /// Whether [`Session::upgrade`] may begin in a database that has tables but no version table; by
    /// default it is refused. On PostgreSQL what counts is the schema of the version table, without
    /// tables of extensions.
    pub fn allow_nonempty(mut self, allow: bool) -> Self {
        self.project.accepted.tables = allow;
        self
    }

    /// Whether records that another tool has kept of these revisions mean nothing; by default an
    /// upgrade is refused where there are such and none of migrator.
    pub fn ignore_external_records(mut self, ignore: bool) -> Self {
        self.project.accepted.records = ignore;
        self
    }

    /// Whether scripts are read in directories below as well; by default those of one directory are.
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.project.recursive = recursive;
        self
    }

    /// How long to wait for another run's lock, 60 s by default; zero is one attempt.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// PostgreSQL: how long a statement may wait for a lock before its revision is rolled back and
    /// tried again, 2 s by default; zero is as long as it takes.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.settings.lock_timeout = timeout;
        self
    }

    /// PostgreSQL: how often a revision is tried when that happens, 10 by default and never less
    /// than 1.
    pub fn lock_attempts(mut self, attempts: u32) -> Self {
        self.options.attempts = attempts.max(1);
        self
    }

    /// PostgreSQL: how long a statement may run; zero, the default, is as long as it takes.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.settings.statement_timeout = timeout;
        self
    }

    /// How long a statement may run before [`EventKind::StatementRuns`](crate::EventKind::StatementRuns) describes it, and it is kept in
    /// the log as slow; zero, the default, is never. Otherwise a thread is started for each run, and
    /// on PostgreSQL a second connection is opened once a statement is slow.
    pub fn slow_statement(mut self, limit: Duration) -> Self {
        self.options.slow_statement = limit;
        self.settings.statement_marks = !limit.is_zero();
        self
    }

    /// How long to wait for a connection, and for a SQLite file that another program has locked;
    /// 10 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// What to do about revisions that sort before an applied one.
    pub fn out_of_order(mut self, policy: OutOfOrder) -> Self {
        self.project.out_of_order = policy;
        self
    }

    /// What to do when the database knows more revisions than the scripts.
    pub fn ahead(mut self, policy: Ahead) -> Self {
        self.project.ahead = policy;
        self
    }

    /// Whether a whole run is one transaction, instead of each revision.
    pub fn one_transaction(mut self, one: bool) -> Self {
        self.project.transaction = match one {
            true => TransactionScope::All,
            false => TransactionScope::Revision,
        };
        self
    }

    /// What the placeholder `:{name}` stands for in scripts with the header `vars = on`. A name is
    /// a letter or `_`, then letters, digits, `_`, `-` and `.`; no script can have another.
    pub fn var(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.project.vars.set(name, value);
        self
    }

    /// Calls `tell` with everything that happens during a run, and PostgreSQL takes the time of
    /// each statement. It is called from the run, which waits for it.
    pub fn on_event(mut self, tell: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = Arc::new(tell);
        self.settings.statement_times = true;
        self
    }

    /// Runs end after the revision that runs once [`Stop::request`] is called: for a program's own
    /// handler of signals.
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Reads and checks the scripts, then connects. Nothing is changed, and a SQLite file that is
    /// missing is made only when something is applied.
    ///
    /// Relative SQLite paths are relative to the working directory. PostgreSQL's variables
    /// (`PGPASSWORD`, …) fill in what the URL leaves open.
    ///
    /// # Errors
    /// [`Error::Scripts`] before there is any connection; [`Error::Url`], [`Error::VersionTable`],
    /// [`Error::Database`].
    pub async fn connect(&self, url: &str) -> Result<Session, Error> {
        let name = &self.settings.version_table;
        project::check_table_name(name).map_err(|expected| Error::VersionTable {
            name: name.clone(),
            expected,
        })?;
        let location =
            Location::parse(url, Path::new("")).map_err(|error| Error::of(error.into()))?;
        let project = self.project.clone();
        let history = project.history(location.dialect()).map_err(Error::of)?;
        let mut session = ops::Session::new(location, self.settings.clone())
            .access(Access::Create)
            .lock_wait(self.lock_wait)
            .options(self.options)
            .on_events({
                let tell = Arc::clone(&self.events);
                move |event| tell(event)
            })
            .stop(self.stop.clone());
        let connected = session.connect().await;
        connected.map_err(|error| Error::of(error.into()))?;
        Ok(Session::new(project, history, session))
    }
}

/// What administrators see: `migrator in shop`.
fn application_name() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(Path::file_stem);
    name.map_or("migrator".to_owned(), |name| {
        format!("migrator in {}", name.to_string_lossy())
    })
}

impl fmt::Debug for Migrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrator")
            .field("settings", &self.settings)
            .field("lock_wait", &self.lock_wait)
            .finish_non_exhaustive()
    }
}
