//! Scratch databases for other programs, such as test suites.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    Error, Project, SchemaArgs, SchemaProgress, Session,
    schema::{Reader, Sandbox},
};
use crate::{
    database::{
        self, Location, Scratch, ScratchEntry, ScratchRequest, ScratchScope, ScratchUse,
        TemplateRequest,
    },
    revision::{History, Repeatable, Revision, Script, Target},
    sql::{self, Dialect, Vars},
};

/// Arguments of [`scratch`].
#[derive(Clone)]
pub struct ScratchArgs {
    /// The state of the database.
    pub target: Target,
    /// `scratch-url`: the server for scratch databases.
    pub scratch_url: Option<Location>,
    /// Receives progress.
    pub progress: Option<SchemaProgress>,
}

/// A scratch database. Dropping the value without [`Self::drop`] leaves a database on a server to the
/// next scratch database.
pub struct ScratchDatabase {
    scratch: Box<dyn Scratch>,
    is_copy: bool,
}

impl ScratchDatabase {
    /// The URL of the database, with the password if there is one.
    pub fn url(&self) -> String {
        self.scratch.location().url()
    }

    /// Whether the database was copied from a template that existed before.
    pub fn is_copy(&self) -> bool {
        self.is_copy
    }

    /// Makes sure that the database is still known to have an owner.
    ///
    /// # Errors
    /// Fails when the server does not answer.
    pub async fn renew(&mut self) -> Result<(), Error> {
        Ok(self.scratch.renew().await?)
    }

    /// Drops the database, with the sessions that are left in it.
    ///
    /// # Errors
    /// Fails when the database cannot be dropped; the next scratch database retries.
    pub async fn drop(self) -> Result<(), Error> {
        Ok(self.scratch.drop().await?)
    }
}

impl fmt::Debug for ScratchDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScratchDatabase")
            .field("database", &self.scratch.location().to_string())
            .finish_non_exhaustive()
    }
}

/// Creates a scratch database and runs the scripts that the target needs in it; on a server, from a
/// template if there is one. The database of `session` is only read. A request to stop ends the work
/// at once and drops the database.
///
/// # Errors
/// Fails when the target cannot be resolved, when no scratch database can be created, or when a
/// script fails.
pub async fn scratch(
    project: &Project,
    session: &mut Session,
    args: &ScratchArgs,
) -> Result<ScratchDatabase, Error> {
    let dialect = session.dialect();
    let history = project.history(dialect)?;
    let schema_args = SchemaArgs {
        scratch_url: args.scratch_url.clone(),
        progress: args.progress.clone(),
        ..SchemaArgs::default()
    };
    let mut reader = Reader {
        project,
        session,
        args: &schema_args,
    };
    let targets = reader.resolved(&args.target).await?;
    let schema = reader.home_schema().await?;
    let stop = session.stop_signal().clone();
    let template = TemplateRequest {
        content: content(project, session, &history, &targets),
        project: project_digest(project, session),
        label: args.target.to_string(),
    };
    let request = ScratchRequest {
        like: session.location().clone(),
        url: args.scratch_url.clone(),
        settings: session.settings().clone(),
        schema,
        purpose: ScratchUse::Shared,
        // An empty database is created as fast as it is copied.
        template: (!targets.is_empty()).then_some(template),
        stopped: Arc::new({
            let stop = stop.clone();
            move || stop.is_requested()
        }),
    };
    if let Some(progress) = &args.progress {
        progress("creating a scratch database", 0, 0);
    }
    let opened = Sandbox::open(&request, args.progress.clone()).await;
    let mut sandbox = match opened {
        Err(_) if stop.is_requested() => return Err(Error::Interrupted),
        opened => opened?,
    };
    let is_copy = sandbox.is_copy();
    let applied = tokio::select! {
        biased;
        () = stop.requested() => Err(Error::Interrupted),
        applied = fill(&mut sandbox, project, &targets) => applied,
    };
    if let Err(error) = applied {
        // The first error is the one to report.
        let _ = sandbox.leave().await;
        return Err(error);
    }
    let scratch = sandbox.keep().await?;
    Ok(ScratchDatabase { scratch, is_copy })
}

async fn fill(sandbox: &mut Sandbox, project: &Project, targets: &[Target]) -> Result<(), Error> {
    match sandbox.is_copy() {
        true => Ok(()),
        false => sandbox.apply(project, targets).await,
    }
}

/// A digest of everything in the project that decides the content of a database at `targets`.
fn content(project: &Project, session: &Session, history: &History, targets: &[Target]) -> String {
    let settings = session.settings();
    let mut digest = Content::new(session.dialect(), &project.vars);
    digest.add(&settings.version_table);
    for (name, value) in &settings.session {
        digest.add(name);
        digest.add(value);
    }
    let names: Option<Vec<&str>> = targets.iter().map(name).collect();
    let all: Vec<&Revision> = history.in_order().collect();
    let needed = match &names {
        Some(names) => {
            let ids = all.iter().map(|revision| &revision.id);
            let ids: Vec<_> = ids.filter(|id| names.contains(&id.as_str())).collect();
            history.closure(&ids.into_iter().cloned().collect::<Vec<_>>())
        }
        // A relative target depends on all revisions.
        None => all.clone(),
    };
    for target in targets.iter().filter(|_| names.is_none()) {
        digest.add(&target.to_string());
    }
    for revision in &needed {
        digest.revision(revision);
    }
    // Repeatable scripts run when nothing is pending.
    if needed.len() == all.len() {
        for repeatable in history.repeatables() {
            digest.repeatable(repeatable);
        }
    }
    digest.finish()
}

/// The ID in a target that names a revision by it.
fn name(target: &Target) -> Option<&str> {
    match target {
        Target::Name { text } => Some(text),
        _ => None,
    }
}

/// A digest that tells this project and database from others.
fn project_digest(project: &Project, session: &Session) -> String {
    let mut digest = Content::new(session.dialect(), Vars::none());
    let (directory, _) = project.directory();
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    digest.add(&directory.display().to_string());
    digest.add(&session.location().address());
    digest.finish()
}

struct Content<'a> {
    hash: Sha256,
    dialect: Dialect,
    vars: &'a Vars,
}

impl<'a> Content<'a> {
    fn new(dialect: Dialect, vars: &'a Vars) -> Self {
        Self {
            hash: Sha256::new(),
            dialect,
            vars,
        }
    }

    fn add(&mut self, part: &str) {
        self.hash.update((part.len() as u64).to_be_bytes());
        self.hash.update(part);
    }

    fn revision(&mut self, revision: &Revision) {
        self.add(revision.id.as_str());
        self.add(&revision.slug);
        self.script(&revision.up);
        // Records contain down scripts.
        match &revision.down {
            Some(down) => self.script(down),
            None => self.add(""),
        }
    }

    fn repeatable(&mut self, repeatable: &Repeatable) {
        self.add(&repeatable.id.to_string());
        self.script(&repeatable.script);
    }

    fn script(&mut self, script: &Script) {
        self.add(&script.text);
        let Some(how) = script.headers.placeholders else {
            return;
        };
        // What cannot be expanded is reported by the run.
        if let Ok(expanded) = sql::expand(self.dialect, &script.text, how, self.vars) {
            self.add(&expanded.text);
        }
    }

    fn finish(self) -> String {
        format!("{:x}", self.hash.finalize())
    }
}

/// The scratch databases and templates that belong to a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScratchListReport {
    /// The databases and templates.
    pub entries: Vec<ScratchEntry>,
}

/// The scratch databases and templates that were dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScratchDropReport {
    /// The databases and templates.
    pub dropped: Vec<ScratchEntry>,
}

/// Lists the scratch databases and templates beside the database of `session`, or with `all` of all
/// databases of the server.
///
/// # Errors
/// Fails when the server does not answer.
pub async fn list_scratch_databases(
    session: &Session,
    scratch_url: Option<Location>,
    all: bool,
) -> Result<ScratchListReport, Error> {
    let entries = database::list_scratch(&scope(session, scratch_url, all)).await?;
    Ok(ScratchListReport { entries })
}

/// Drops the templates that nobody uses and the scratch databases whose process has ended, beside the
/// database of `session`, or with `all` of all databases of the server.
///
/// # Errors
/// Fails when the server does not answer or refuses.
pub async fn drop_scratch_databases(
    session: &Session,
    scratch_url: Option<Location>,
    all: bool,
) -> Result<ScratchDropReport, Error> {
    let dropped = database::drop_scratch(&scope(session, scratch_url, all)).await?;
    Ok(ScratchDropReport { dropped })
}

fn scope(session: &Session, url: Option<Location>, all: bool) -> ScratchScope {
    ScratchScope {
        like: session.location().clone(),
        url,
        settings: session.settings().clone(),
        all,
    }
}
