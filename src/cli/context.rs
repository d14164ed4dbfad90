//! Code shared by commands: the configuration, and access to project and database.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{memory, options::Global, pager::Pager, roots};
use crate::{
    database::{self, Access, Location, Settings},
    execute::{Event, EventKind, RunOptions, Stop},
    ops::{self, ModelArgs, Project, SchemaArgs, Session},
    plan::Warning,
    project::{self, Config, ConfigProblem, ConfigProblemKind, Flags, Misspelt, Sources, Url},
    report::{
        Bar, Diagnostic, LogFile, Output, Progress, View, codes,
        error::{self, Error},
        exit::Exit,
        shell_word,
    },
    schema::Schema,
    sql::Dialect,
};
use anyhow::Context as _;

/// The number of steps from which releasing memory is worth a millisecond. After 5,000 scripts it
/// is a fifth of what the run needs.
const MANY: usize = 2000;

/// The configuration and output of one command.
pub struct Context {
    pub config: Config,
    pub project: Project,
    pub output: Output,
    /// The stop signal of all operations of the command.
    pub stop: Stop,
    /// Whether everything is confirmed in advance.
    pub yes: bool,
    log: OnceLock<Arc<LogFile>>,
    /// The global options as given.
    global: Global,
}

impl Context {
    /// Reads the configuration.
    ///
    /// `vars` are the values of placeholders on the command line.
    pub fn load(
        global: &Global,
        vars: Vec<(String, String)>,
        output: Output,
    ) -> Result<Self, Error> {
        let cwd = std::env::current_dir().context("the working directory cannot be read")?;
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
        if let Some(Ok(location)) = config.url().ok().map(parse) {
            roots::trust_only(&location);
        }
        for Misspelt { name, nearest } in &config.misspelt {
            output.warn(&Diagnostic {
                message: format!("nothing reads the variable {name}"),
                hint: Some(format!("did you mean {nearest}?")),
                ..Diagnostic::default()
            });
        }
        Ok(Self {
            project: Project::configured(&config),
            config,
            output,
            stop: Stop::default(),
            yes: global.yes,
            log: OnceLock::new(),
            global: global.clone(),
        })
    }

    /// Opens the log file named by `flag` or the configuration, if any. An invalid script directory
    /// is reported first, without logging.
    pub fn open_log(&self, flag: Option<&Path>, command: &str) -> Result<(), Error> {
        if flag.is_none() && self.config.log_file.is_none() {
            return Ok(());
        }
        let location = self.location()?;
        self.project.history(location.dialect())?;
        self.open_log_of(flag, command, &self.place(&location))
    }

    /// Opens the log file for the targets of a fleet.
    pub fn open_fleet_log(
        &self,
        flag: Option<&Path>,
        command: &str,
        fleet: &ops::Fleet,
    ) -> Result<(), Error> {
        self.project.history(fleet.dialect())?;
        let name = format!("fleet {}", fleet.environment());
        self.open_log_of(flag, &format!("fleet {command}"), &name)
    }

    fn open_log_of(&self, flag: Option<&Path>, command: &str, place: &str) -> Result<(), Error> {
        let (path, shown) = match (flag, &self.config.log_file) {
            (Some(path), _) => (path, path.display().to_string()),
            (None, Some(path)) => (path.as_path(), self.config.show(path)),
            (None, None) => return Ok(()),
        };
        let (output, name) = (self.output.clone(), shown.clone());
        let failed = move |error: &std::io::Error| {
            output.warn(&Diagnostic {
                message: format!(
                    "{name}: can no longer write to the log file: {error}; the run continues without it"
                ),
                ..Diagnostic::default()
            });
        };
        let log = LogFile::open(path, command, place, failed).map_err(|error| {
            let message = format!("{shown}: cannot write to the log file: {error}");
            Error::new(codes::M850, message)
                .hint("name another file with --log-file, or create its directory")
        })?;
        // A command opens at most one log file.
        let _ = self.log.set(Arc::new(log));
        Ok(())
    }

    /// Writes the end of a command that took `elapsed` to the log file.
    pub fn end_log(&self, result: &Result<Exit, Error>, elapsed: Duration) {
        let Some(log) = self.log.get() else {
            return;
        };
        match result {
            Ok(Exit::Interrupted) => log.end("interrupted", &[], elapsed),
            Ok(_) => log.end("ok", &[], elapsed),
            Err(error) => log.end("failed", &error.diagnostics, elapsed),
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
        let config = self.global.config.as_ref();
        option("-c", config.map(|config| config.display().to_string()));
        option("-n", self.global.environment.clone());
        let url = self.global.url.as_deref();
        option("--url", url.map(database::without_password));
        words.extend(rest.iter().map(|word| shell_word(word)));
        words.join(" ")
    }

    /// The location of the database.
    pub fn location(&self) -> Result<Location, Error> {
        parse(self.config.url().map_err(error::config)?)
    }

    /// Whether a database is configured.
    pub fn has_database(&self) -> bool {
        let unnamed = |problem: &ConfigProblem| matches!(problem.kind, ConfigProblemKind::NoUrl);
        match self.config.url() {
            Ok(_) => true,
            Err(problems) => !problems.iter().all(unnamed),
        }
    }

    /// The database for display, with a file's path relative to the working directory.
    pub fn place(&self, location: &Location) -> String {
        location.shown(|file| self.config.show(file))
    }

    /// The error with file paths shown relative to the working directory, since other modules use
    /// full paths.
    pub fn shown(&self, mut error: Error) -> Error {
        if let Ok(location) = self.location()
            && let Some(file) = location.file()
        {
            let (path, place) = (file.display().to_string(), self.place(&location));
            for diagnostic in &mut error.diagnostics {
                diagnostic.rename(&path, &place);
            }
        }
        error
    }

    /// Warns of scripts that are not read.
    pub fn warn_of_unread(&self) -> Result<(), Error> {
        if let Some(below) = self.project.unread(self.dialect()?)? {
            let warning = Warning::FilesBelow {
                first: below.first,
                count: below.count,
            };
            self.output.warn(&Diagnostic::from(&warning));
        }
        Ok(())
    }

    /// Prints an error as a warning and continues.
    pub fn warn(&self, error: Error) {
        let shown = self.shown(error);
        for diagnostic in &shown.diagnostics {
            self.output.warn(diagnostic);
        }
    }

    /// The SQL dialect of scripts. Without a URL this is the default dialect, which suffices for
    /// commands that only list or create files.
    pub fn dialect(&self) -> Result<Dialect, Error> {
        match self.config.url() {
            Ok(url) => Ok(parse(url)?.dialect()),
            Err(_) => Ok(Dialect::default()),
        }
    }

    /// The configured scope of schemas and the server for scratch databases.
    pub fn schema_request(&self) -> Result<SchemaArgs, Error> {
        let scratch_url = match &self.config.scratch_url {
            Some(url) => Some(
                Location::parse(&url.text, &url.base)
                    .map_err(|error| error::location(&error, "scratch-url"))?,
            ),
            None => None,
        };
        Ok(SchemaArgs {
            scope: self.config.scope.clone(),
            scratch_url,
            progress: None,
        })
    }

    /// The declared schema, if one is configured.
    pub fn model(&self) -> Option<ModelArgs> {
        let config = &self.config;
        config.model.source.as_ref()?;
        let directory = config.file.as_ref().and_then(|file| file.parent());
        Some(ModelArgs {
            config: config.model.clone(),
            root: directory.unwrap_or(config.cwd()).to_owned(),
            cwd: config.cwd().to_owned(),
        })
    }

    /// Runs an operation that reads schemas, with a live line, and closes the session. Signals stop
    /// it, and remove its scratch databases.
    pub async fn read_schemas<T>(
        &self,
        name: &str,
        request: SchemaArgs,
        work: impl AsyncFnOnce(&mut Session, &SchemaArgs) -> Result<T, ops::Error>,
    ) -> Result<T, Error> {
        let (request, bar) = self.watched(request)?;
        let done = self
            .read(name, async |session| work(session, &request).await)
            .await;
        bar.finish();
        done
    }

    /// Lets signals stop work with scratch databases, and shows its progress on a live line.
    pub fn watched(&self, mut request: SchemaArgs) -> Result<(SchemaArgs, Arc<Bar>), Error> {
        self.listen()?;
        let bar = Arc::new(self.output.bar());
        let shown = Arc::clone(&bar);
        request.progress = Some(Arc::new(move |what, done, total| {
            shown.show(what, done, total);
        }));
        Ok((request, bar))
    }

    /// Rewrites the schema file after a change of the database, if one is configured. A failure does
    /// not undo the change, so it is a warning.
    pub async fn rewrite_schema_file(&self, session: &mut Session) {
        let Some(path) = &self.config.schema_file else {
            return;
        };
        let written = match self.schema_request() {
            Ok(request) => ops::write_schema_file(&self.project, session, path, &request)
                .await
                .map_err(Error::from),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            let shown = self.config.show(path);
            self.warn(error::schema_file(error, &shown));
        }
    }

    /// Warns of objects that have no facts and of facts that the role may not read.
    pub fn warn_of_unmodelled(&self, schema: &Schema) {
        for diagnostic in error::incomplete(schema) {
            self.output.warn(&diagnostic);
        }
    }

    /// Whether the configuration protects the database, under any name.
    pub fn is_protected(&self, location: &Location) -> bool {
        let same = |url: &Url| parse(url).is_ok_and(|other| other.is_same_database(location));
        self.config.protected
            || self
                .config
                .protected_urls()
                .iter()
                .any(|protected| same(&protected.url))
    }

    /// Prints a result, in a pager if it is longer than the screen.
    pub fn page(&self, view: &dyn View) {
        let pager = match self.global.no_pager {
            true => None,
            false => Pager::find(),
        };
        let text = pager.and_then(|pager| Some((pager, self.output.long_text(view)?)));
        if !text.is_some_and(|(pager, text)| pager.show(&text)) {
            self.output.result(view);
        }
    }

    /// Whether `--url` was given.
    pub fn has_url_flag(&self) -> bool {
        self.global.url.is_some()
    }

    /// Retries and reports of slow statements.
    pub fn run_options(&self) -> RunOptions {
        RunOptions {
            attempts: self.config.lock_attempts,
            slow_statement: self.config.slow_statement,
            ..RunOptions::default()
        }
    }

    /// Receives the events of targets, if they are logged.
    pub fn logged(&self) -> Option<ops::EventReceiver> {
        let log = Arc::clone(self.log.get()?);
        Some(Arc::new(move |event| log.event(event)))
    }

    /// A session with the configured database, for the command `name`.
    pub fn session(&self, name: &str, access: Access) -> Result<Session, Error> {
        let location = self.location()?;
        let place = self.place(&location);
        self.tell_origin();
        let options = self.run_options();
        let settings = Settings {
            direct: self.direct(&location)?,
            ..self.settings(name)
        };
        Ok(Session::new(location, settings)
            .named(place)
            .access(access)
            .lock_wait(self.config.lock_wait)
            .options(options)
            .stop(self.stop.clone()))
    }

    /// Prints the source of the URL, in verbose output.
    fn tell_origin(&self) {
        let (true, Ok(url)) = (self.output.is_verbose(), self.config.url()) else {
            return;
        };
        let instead = self.config.passed_over.as_ref();
        let instead = instead.map(|file| format!(", which overrides {file}"));
        let instead = instead.unwrap_or_default();
        self.output
            .waiting(&format!("URL from {}{instead}", url.origin));
    }

    /// A session with the configured database; `None` when no URL is configured.
    pub fn session_if_configured(&self, name: &str) -> Result<Option<Session>, Error> {
        match self.has_database() {
            true => self.session(name, Access::Existing).map(Some),
            false => Ok(None),
        }
    }

    /// A session for the command `name`, or the reason why no database is used. A URL that is
    /// invalid is an error, unless `skip` names the option that leaves the database out.
    pub fn session_unless(
        &self,
        name: &str,
        skip: Option<&'static str>,
    ) -> Result<(Option<Session>, Option<&'static str>), Error> {
        match skip.or_else(|| (!self.has_database()).then_some("no url is configured")) {
            None => Ok((Some(self.session(name, Access::Existing)?), None)),
            reason => Ok((None, reason)),
        }
    }

    /// The connection settings of the command `name`.
    pub fn settings(&self, name: &str) -> Settings {
        Settings {
            version_table: self.config.version_table.clone(),
            actor: database::actor(),
            application_name: format!("migrator {name}"),
            lock_timeout: self.config.lock_timeout,
            statement_timeout: self.config.statement_timeout,
            connect_timeout: self.config.connect_timeout,
            statement_times: self.output.is_verbose() || self.log.get().is_some(),
            session: self.config.session.clone(),
            statement_marks: !self.config.slow_statement.is_zero(),
            direct: None,
        }
    }

    /// The database without the pooler before it, if it is configured.
    fn direct(&self, location: &Location) -> Result<Option<Location>, Error> {
        let Some(url) = &self.config.direct_url else {
            return Ok(None);
        };
        let direct = Location::parse(&url.text, &url.base)
            .map_err(|error| error::location(&error, "direct-url"))?;
        match direct.dialect() == location.dialect() && direct.file().is_none() {
            true => Ok(Some(direct)),
            false => Err(error::direct_url()),
        }
    }

    /// Runs a read-only operation, and closes the session.
    pub async fn read<T>(
        &self,
        name: &str,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, ops::Error>,
    ) -> Result<T, Error> {
        let mut session = self.session(name, Access::Existing)?.on_events(self.told());
        let done = work(&mut session).await;
        self.leave(Some(session)).await;
        Ok(done?)
    }

    /// Runs an operation that signals can stop, shows its events, and closes the session. `access`
    /// is whether it creates a missing SQLite file.
    pub async fn operate<T>(
        &self,
        (name, access): (&str, Access),
        work: impl AsyncFnOnce(&mut Session, &Live) -> Result<T, ops::Error>,
    ) -> Result<T, Error> {
        let live = self.live();
        let session = self.session(name, access)?;
        let mut session = session.on_events(self.events(&live)).hear_signals();
        let done = work(&mut session, &live).await;
        live.finish(done.is_err());
        self.leave(Some(session)).await;
        Ok(done?)
    }

    /// The live display of an operation, if there is one.
    pub fn live(&self) -> Live {
        Live(self.output.progress())
    }

    /// Closes a session. A failure does not affect finished work.
    pub async fn leave(&self, session: Option<Session>) {
        let Some(mut session) = session else {
            return;
        };
        let warnings = session.take_warnings();
        let closed = session.close().await.err();
        for error in warnings.into_iter().chain(closed) {
            self.warn(error.into());
        }
    }

    /// Shows events, and writes them to the log file if there is one.
    pub fn events(&self, live: &Live) -> impl Fn(&Event) + Send + Sync + use<> {
        let (told, log) = (self.told(), self.log.get().cloned());
        let progress = live.0.clone();
        move |event| {
            if let Some(log) = &log {
                log.event(event);
            }
            if let Some(progress) = &progress {
                progress.show(event);
            }
            told(event);
        }
    }

    /// Prints warnings and notes of events, without progress.
    fn told(&self) -> impl Fn(&Event) + Send + Sync + use<> {
        let (output, cwd) = (self.output.clone(), self.project.cwd.clone());
        move |event| {
            if matches!(event.kind, EventKind::Planned { steps, .. } if steps > MANY) {
                memory::give_back();
            }
            output.told(&event.kind, &cwd);
        }
    }
}

/// The live display of an operation, if there is one.
pub struct Live(Option<Arc<Progress>>);

impl Live {
    /// Ends the display; `failed` is whether the operation has failed. Later events are not shown.
    pub fn finish(&self, failed: bool) {
        if let Some(progress) = &self.0 {
            progress.finish(failed);
        }
    }
}

fn parse(url: &Url) -> Result<Location, Error> {
    Location::parse(&url.text, &url.base)
        .map_err(|error| error::location(&error, &url.origin.to_string()))
}
