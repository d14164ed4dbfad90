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

/// Scripts and the options for running them; [`Self::connect`] adds the database.
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
    /// Uses the scripts of a directory, which [`Self::connect`] reads.
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        let path = directory.into();
        Self::of(Scripts::Directory {
            shown: path.display().to_string(),
            path,
        })
    }

    /// Uses scripts that are compiled into the program, given as file names with their contents:
    /// `("20261122093000_create_users.up.sql", "CREATE TABLE …")`. Files that are not named like a
    /// script are ignored, as in a directory.
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
                direct: None,
            },
            lock_wait: Duration::from_secs(60),
            options: RunOptions::default(),
            events: Arc::new(|_| {}),
            stop: Stop::default(),
        }
    }

    /// Sets the version table: `name`, or `schema.name` on PostgreSQL. The default is
    /// `migrator_version`.
    pub fn version_table(mut self, name: impl Into<String>) -> Self {
        self.settings.version_table = name.into();
        self
    }

    /// Sets the actor in the records. The default is `user@host`.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.settings.actor = actor.into();
        self
    }

    /// Sets the naming convention of the scripts, if they belong to another tool. By default, the
    /// layout of a directory is detected, and embedded scripts are in the native layout.
    pub fn layout(mut self, layout: Layout) -> Self {
        self.project.layout = Some(layout);
        self
    }

    /// Sets whether [`Session::upgrade`] may start in a database that has tables but no version
    /// table. By default it refuses. On PostgreSQL only the schema of the version table counts,
    /// without tables of extensions.
    pub fn allow_nonempty(mut self, allow: bool) -> Self {
        self.project.accepted.tables = allow;
        self
    }

    /// Sets whether to ignore records that another tool has kept of these revisions. By default an
    /// upgrade is refused if there are such records and none of migrator.
    pub fn ignore_external_records(mut self, ignore: bool) -> Self {
        self.project.accepted.records = ignore;
        self
    }

    /// Sets whether scripts are read from subdirectories as well. By default they are not.
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.project.recursive = recursive;
        self
    }

    /// Sets how long to wait for another run's lock. The default is 60 s; zero makes a single
    /// attempt.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// PostgreSQL: sets how long a statement may wait for a lock before its revision is rolled back
    /// and retried. The default is 2 s; zero means no limit.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.settings.lock_timeout = timeout;
        self
    }

    /// PostgreSQL: sets how often a revision is attempted when that happens. The default is 10 and
    /// the minimum 1.
    pub fn lock_attempts(mut self, attempts: u32) -> Self {
        self.options.attempts = attempts.max(1);
        self
    }

    /// PostgreSQL: sets how long a statement may run. Zero, the default, means no limit.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.settings.statement_timeout = timeout;
        self
    }

    /// Sets how long a statement may run before it is reported by
    /// [`EventKind::StatementRuns`](crate::EventKind::StatementRuns) and recorded in the log as
    /// slow. Zero, the default, means never. Otherwise each run starts a thread, and on PostgreSQL
    /// a second connection is opened once a statement is slow.
    pub fn slow_statement(mut self, limit: Duration) -> Self {
        self.options.slow_statement = limit;
        self.settings.statement_marks = !limit.is_zero();
        self
    }

    /// Sets how long to wait for a connection, and for a SQLite file locked by another program. The
    /// default is 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Sets the policy for revisions that sort before an applied one.
    pub fn out_of_order(mut self, policy: OutOfOrder) -> Self {
        self.project.out_of_order = policy;
        self
    }

    /// Sets the policy for a database that has more revisions than the scripts.
    pub fn ahead(mut self, policy: Ahead) -> Self {
        self.project.ahead = policy;
        self
    }

    /// Sets whether a whole run is one transaction, instead of each revision.
    pub fn one_transaction(mut self, one: bool) -> Self {
        self.project.transaction = match one {
            true => TransactionScope::All,
            false => TransactionScope::Revision,
        };
        self
    }

    /// Sets the value of the placeholder `:{name}` in scripts with the header `vars = on`. A name
    /// is a letter or `_`, then letters, digits, `_`, `-` and `.`; other names cannot occur in a
    /// script.
    pub fn var(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.project.vars.set(name, value);
        self
    }

    /// Calls `tell` with each event of a run, and lets PostgreSQL measure the time of each
    /// statement. The run waits for the call to return.
    pub fn on_event(mut self, tell: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = Arc::new(tell);
        self.settings.statement_times = true;
        self
    }

    /// Ends runs after the current revision once [`Stop::request`] is called, for example by a
    /// program's own signal handler.
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Reads and checks the scripts, then connects. Nothing is changed, and a missing SQLite file
    /// is created only when something is applied.
    ///
    /// Relative SQLite paths are relative to the working directory. PostgreSQL's variables
    /// (`PGPASSWORD`, …) supply what the URL omits.
    ///
    /// # Errors
    /// [`Error::Scripts`] before connecting; [`Error::Url`], [`Error::VersionTable`],
    /// [`Error::Database`].
    pub async fn connect(&self, url: &str) -> Result<Session, Error> {
        let (project, mut session) = self.session(url, Access::Create)?;
        let history = project.history(session.dialect()).map_err(Error::of)?;
        let connected = session.connect().await;
        connected.map_err(Error::of)?;
        Ok(Session::new(project, history, session))
    }

    /// The project, and a session that is not connected yet.
    pub(super) fn session(
        &self,
        url: &str,
        access: Access,
    ) -> Result<(Project, ops::Session), Error> {
        let name = &self.settings.version_table;
        project::check_table_name(name).map_err(|expected| Error::VersionTable {
            name: name.clone(),
            expected,
        })?;
        let location = Location::parse(url, Path::new("")).map_err(Error::of)?;
        let session = ops::Session::new(location, self.settings.clone())
            .access(access)
            .lock_wait(self.lock_wait)
            .options(self.options)
            .on_events({
                let tell = Arc::clone(&self.events);
                move |event| tell(event)
            })
            .stop(self.stop.clone());
        Ok((self.project.clone(), session))
    }
}

impl Migrator {
    /// A session with the default settings that creates nothing.
    pub(super) fn read_only_session(location: Location) -> ops::Session {
        let settings = Self::embedded(NO_SCRIPTS).settings;
        ops::Session::new(location, settings).access(Access::Existing)
    }
}

const NO_SCRIPTS: [(&str, &[u8]); 0] = [];

/// The application name shown to administrators, such as `migrator in shop`.
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
