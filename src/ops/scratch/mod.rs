//! Scratch databases for other programs, such as test suites.

mod content;

#[cfg(feature = "cli")]
use std::path::PathBuf;
use std::{fmt, sync::Arc};

use self::content::{content, project_digest};
use super::{
    Error, Project, SchemaArgs, SchemaProgress, Session,
    schema::{CREATING, Reader, Sandbox},
};
use crate::{
    database::{
        self, Location, Scratch, ScratchEntry, ScratchRequest, ScratchScope, ScratchUse,
        TemplateRequest,
    },
    revision::Target,
};
#[cfg(feature = "cli")]
use crate::{
    ops::SeedStatement,
    schema::{Name, Scope},
    sql::Dialect,
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
    /// The rows to make in the tables, if any.
    #[cfg(feature = "cli")]
    pub seed: Option<ScratchSeed>,
}

/// The rows of a scratch database.
#[cfg(feature = "cli")]
#[derive(Clone, Debug)]
pub struct ScratchSeed {
    /// The number that values are made from.
    pub number: u64,
    /// A file of statements that run before, and its name for display.
    pub file: Option<(PathBuf, String)>,
}

/// The tables without rows, and the statements of a seed file that failed, each with the reason.
#[cfg(feature = "cli")]
#[derive(Clone, Debug, Default)]
pub struct SeedReport {
    /// The tables.
    pub empty: Vec<(Name, String)>,
    /// The places of the statements.
    pub failed: Vec<(String, String)>,
}

/// A scratch database. Dropping the value without [`Self::drop`] leaves a database on a server to the
/// next scratch database.
pub struct ScratchDatabase {
    scratch: Box<dyn Scratch>,
    is_copy: bool,
    /// What could not be seeded when the database was made, unless it is a copy.
    #[cfg(feature = "cli")]
    pub seeded: SeedReport,
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
    #[cfg(feature = "cli")]
    let statements = statements(args, session.dialect())?;
    let history = project.history(session.dialect())?;
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
    let digest = content(project, session, &history, &targets);
    #[cfg(feature = "cli")]
    let digest = digest.seeded(args.seed.as_ref(), &statements);
    let template = TemplateRequest {
        content: digest.finish(),
        project: project_digest(project, session),
        label: label(args),
    };
    // An empty database is created as fast as it is copied.
    let template = (!targets.is_empty()).then_some(template);
    schema_args.tell(CREATING);
    let mut sandbox = open(session, args, schema, template).await?;
    let is_copy = sandbox.is_copy();
    #[cfg(feature = "cli")]
    let mut seeded = SeedReport::default();
    let filling = async {
        if is_copy {
            return Ok(());
        }
        sandbox.apply(project, &targets).await?;
        #[cfg(feature = "cli")]
        if let Some(seed) = &args.seed {
            seeded = make_rows(&mut sandbox.session, seed.number, statements).await?;
        }
        Ok(())
    };
    let filled = tokio::select! {
        biased;
        () = session.stop_signal().requested() => Err(Error::Interrupted),
        filled = filling => filled,
    };
    if let Err(error) = filled {
        // The first error is the one to report.
        let _ = sandbox.leave().await;
        return Err(error);
    }
    Ok(ScratchDatabase {
        scratch: sandbox.keep().await?,
        is_copy,
        #[cfg(feature = "cli")]
        seeded,
    })
}

/// What the database contains, for display.
fn label(args: &ScratchArgs) -> String {
    #[cfg(feature = "cli")]
    if let Some(seed) = &args.seed {
        return format!("{}, seed {}", args.target, seed.number);
    }
    args.target.to_string()
}

/// Creates the database, which is empty unless it is a copy of the template.
async fn open(
    session: &mut Session,
    args: &ScratchArgs,
    schema: Option<String>,
    template: Option<TemplateRequest>,
) -> Result<Sandbox, Error> {
    let stop = session.stop_signal().clone();
    let request = ScratchRequest {
        like: session.location().clone(),
        url: args.scratch_url.clone(),
        settings: session.settings().clone(),
        schema,
        purpose: ScratchUse::Shared,
        template,
        stopped: Arc::new({
            let stop = stop.clone();
            move || stop.is_requested()
        }),
    };
    match Sandbox::open(&request, args.progress.clone()).await {
        Err(_) if stop.is_requested() => Err(Error::Interrupted),
        opened => opened,
    }
}

/// The statements of the seed file.
#[cfg(feature = "cli")]
fn statements(args: &ScratchArgs, dialect: Dialect) -> Result<Vec<SeedStatement>, Error> {
    let file = args.seed.as_ref().and_then(|seed| seed.file.as_ref());
    match file {
        Some((path, shown)) => Ok(super::seed_file(path, shown, dialect)?),
        None => Ok(Vec::new()),
    }
}

/// Runs the statements of the seed file, each as soon as it succeeds, and makes rows in the tables that
/// are still empty.
#[cfg(feature = "cli")]
async fn make_rows(
    session: &mut Session,
    number: u64,
    mut waiting: Vec<SeedStatement>,
) -> Result<SeedReport, Error> {
    let mut failed = Vec::new();
    while !waiting.is_empty() {
        let texts: Vec<String> = waiting.iter().map(|it| it.sql.clone()).collect();
        let tried = session.try_each(&texts).await?;
        let before = waiting.len();
        failed = Vec::new();
        let mut left = Vec::new();
        for (statement, outcome) in waiting.into_iter().zip(tried) {
            if let Err(error) = outcome {
                failed.push((statement.place.clone(), error.to_string()));
                left.push(statement);
            }
        }
        if left.len() == before {
            break;
        }
        waiting = left;
    }
    let schema = session.inspect(&Scope::default()).await?;
    let tables = schema.stored_tables().into_iter().map(|table| table.name);
    let tables: Vec<Name> = tables.collect();
    let coverage = super::seed(session, &schema, &tables, number).await?;
    Ok(SeedReport {
        empty: coverage.empty,
        failed,
    })
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
