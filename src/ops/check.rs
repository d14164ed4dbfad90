use std::{collections::HashSet, sync::Arc};

use super::{
    Error, LintArgs, LintReport, ModelArgs, ModelDrift, Project, SchemaArgs, SchemaDrift, Session,
    VerifyArgs, VerifyReport, edited, lint, model::model_drift, schema_drift, verify,
};
use crate::{
    database::Detail,
    plan::{self, CheckRequest, Finding},
    project,
    revision::{History, Observed, OutOfOrder, RevisionId},
    sql::Dialect,
};

/// Arguments of `check`.
#[derive(Clone, Default)]
pub struct CheckArgs {
    /// A git commit to compare with. Since that commit, no revision may be edited, removed or
    /// preceded by a new one.
    pub base: Option<String>,
    /// Whether revisions may be pending.
    pub pending_ok: bool,
    /// How to compare the schema of the database with what its applied scripts make; `None` to
    /// leave it out.
    pub schema: Option<SchemaArgs>,
    /// The declared schema, and how schemas are read; `None` to leave it out.
    pub model: Option<(ModelArgs, SchemaArgs)>,
    /// How to verify the revisions that are not in the commit, or all without one; `None` to leave it
    /// out.
    pub verify: Option<VerifyArgs>,
    /// How to lint the revisions that are not in the commit, or all without one; `None` to leave it
    /// out.
    pub lint: Option<LintArgs>,
}

/// The result of `check`.
#[derive(Debug)]
pub struct CheckReport {
    /// The directory.
    pub directory: String,
    /// The scripts that were checked.
    pub history: Arc<History>,
    /// The database, if one was checked.
    pub database: Option<String>,
    /// All problems found.
    pub findings: Vec<Finding>,
    /// The differences of the schema, if they were requested.
    pub drift: Option<SchemaDrift>,
    /// The differences from the declared schema, if it was compared.
    pub model: Option<ModelDrift>,
    /// What was verified, if that was requested.
    pub verified: Option<VerifyReport>,
    /// What lint found, if that was requested.
    pub linted: Option<LintReport>,
}

/// Checks the directory and, if a session is given, the database.
///
/// # Errors
/// Fails when the directory, the commit or the database cannot be read.
pub async fn check(
    project: &Project,
    mut session: Option<&mut Session>,
    dialect: Dialect,
    args: &CheckArgs,
) -> Result<CheckReport, Error> {
    let history = project.history(dialect)?;
    let base = base(project, dialect, args)?;
    let mut obstacles = Vec::new();
    let (mut drift, mut model, mut verified, mut linted) = (None, None, None, None);
    let (database, observed) = match &mut session {
        None => (None, None),
        Some(session) => {
            session.allow_missing(history.is_empty());
            let observed = session.observe(Detail::Brief).await?;
            if let Some(beside) = session.survey(&observed).await? {
                obstacles = plan::external_records(&history, &beside, project.accepted);
            }
            let observed = plan::seen(&history, observed, dialect);
            if let Some(schema) = &args.schema {
                drift = Some(schema_drift(project, session, schema).await?);
            }
            if let Some((declared, schema)) = &args.model {
                model = Some(model_drift(project, session, schema, declared).await?);
            }
            if let Some(verify) = &args.verify {
                verified = Some(verify_new(project, session, verify, base.as_ref()).await?);
            }
            if let Some(lint) = &args.lint {
                linted = Some(lint_new(project, session, lint, base.as_ref()).await?);
            }
            (Some(session.place().to_owned()), Some(observed))
        }
    };
    let unread = project.unread(dialect)?;
    let nothing = Observed::default();
    let faults = plan::script_faults(&project.plan_context(&history, &nothing, dialect));
    let mut findings = plan::check(&CheckRequest {
        history: &history,
        observed: observed.as_ref(),
        obstacles: &obstacles,
        faults: &faults,
        base: base.as_ref(),
        dialect,
        pending_ok: args.pending_ok,
        out_of_order_ok: project.out_of_order != OutOfOrder::Error,
        downs: project.downs,
    });
    if let Some(database) = session.and_then(Session::database) {
        edited::explain_findings(&mut findings, database, &history).await?;
    }
    findings.extend(unread.map(|below| Finding::FilesBelow {
        first: below.first,
        count: below.count,
    }));
    Ok(CheckReport {
        directory: project.directory().1.to_owned(),
        history,
        database,
        findings,
        drift,
        model,
        verified,
        linted,
    })
}

/// The revisions that are not in a git commit.
///
/// # Errors
/// Fails when the directory or the commit cannot be read.
pub fn new_since(
    project: &Project,
    dialect: Dialect,
    reference: &str,
) -> Result<HashSet<RevisionId>, Error> {
    let history = project.history(dialect)?;
    let base = at_commit(project, dialect, reference)?;
    Ok(missing_in(&base, &history))
}

fn missing_in(base: &History, history: &History) -> HashSet<RevisionId> {
    let ids = history.in_order().map(|revision| &revision.id);
    ids.filter(|id| base.get(id).is_none()).cloned().collect()
}

/// The scripts of the commit to compare with.
fn base(project: &Project, dialect: Dialect, args: &CheckArgs) -> Result<Option<History>, Error> {
    let Some(reference) = &args.base else {
        return Ok(None);
    };
    at_commit(project, dialect, reference).map(Some)
}

fn at_commit(project: &Project, dialect: Dialect, reference: &str) -> Result<History, Error> {
    let (directory, shown) = project.directory();
    let reading = project.reading(dialect);
    Ok(project::history_at(directory, shown, reference, &reading)?)
}

/// Verifies the revisions that `base` does not have.
async fn verify_new(
    project: &Project,
    session: &mut Session,
    args: &VerifyArgs,
    base: Option<&History>,
) -> Result<VerifyReport, Error> {
    let history = project.history(session.dialect())?;
    let only = base.map(|base| missing_in(base, &history));
    let args = VerifyArgs {
        only,
        ..args.clone()
    };
    verify(project, session, &args).await
}

/// Lints the revisions that `base` does not have, which are applied together.
async fn lint_new(
    project: &Project,
    session: &mut Session,
    args: &LintArgs,
    base: Option<&History>,
) -> Result<LintReport, Error> {
    let history = project.history(session.dialect())?;
    let only = base.map(|base| missing_in(base, &history));
    let args = LintArgs {
        together: only.is_some(),
        only,
        ..args.clone()
    };
    lint(project, session, &args).await
}
