use crate::{
    cli::{context::Context, options::Vars},
    ops,
    report::{
        CheckView,
        error::{self, Error},
        exit::Exit,
    },
};

/// Check the directory and the database for problems
///
/// Checks that the directory has one head and a down script for every revision, and that every
/// statement of every script can run. If a database is configured, also checks that none of its
/// revisions is edited, missing, partially applied or pending, and if a model is configured, that the
/// scripts make it. Exits with status 3 if there is a
/// problem. --format github prints annotations for GitHub Actions.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Compare with a commit, such as origin/main: its scripts may not be changed, removed or overtaken
    #[arg(long, value_name = "GITREF")]
    base: Option<String>,

    /// Check the directory only
    #[arg(long)]
    no_database: bool,

    /// Allow pending revisions
    #[arg(long)]
    pending_ok: bool,

    /// Compare the schema of the database too, with what its applied scripts make
    #[arg(long, conflicts_with = "no_database")]
    schema: bool,

    /// Verify the revisions that are new since --base, or all, in a scratch database
    #[arg(long, conflicts_with = "no_database")]
    verify: bool,

    /// Lint the revisions that are new since --base, or all, in a scratch database
    #[arg(long, conflicts_with = "no_database")]
    lint: bool,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_check(args: CheckArgs, context: &Context) -> Result<Exit, Error> {
    let skip = args.no_database.then_some("--no-database");
    let (mut session, unasked) = context.session_unless("check", skip)?;
    let dialect = context.dialect()?;
    let model = context.model().filter(|_| session.is_some());
    let (schema, bar) = match args.schema || args.verify || args.lint || model.is_some() {
        true => {
            let (request, bar) = context.watched(context.schema_request()?)?;
            (Some(request), Some(bar))
        }
        false => (None, None),
    };
    let verify = schema.clone().filter(|_| args.verify);
    let lint = schema.clone().filter(|_| args.lint);
    let request = ops::CheckArgs {
        base: args.base.clone(),
        pending_ok: args.pending_ok,
        model: model.zip(schema.clone()),
        schema: schema.filter(|_| args.schema),
        verify: verify.map(|schema| super::verify::request(context, schema)),
        lint: lint.map(|schema| super::lint::request(context, schema)),
    };
    let checked = ops::check(&context.project, session.as_mut(), dialect, &request).await;
    if let Some(bar) = bar {
        bar.finish();
    }
    context.leave(session).await;
    let way = "--no-database checks the directory only";
    let report = checked.map_err(|error| error::or_without_database(error, way))?;
    let findings = report.findings.iter();
    let mut findings: Vec<_> = findings
        .map(|found| error::finding(found, &report.history))
        .collect();
    findings.extend(report.drift.iter().flat_map(error::drift));
    findings.extend(report.model.iter().flat_map(error::model_drift));
    if let Some(verified) = &report.verified {
        findings.extend(error::verify_findings(verified));
    }
    if let Some(linted) = &report.linted {
        findings.extend(error::lint_errors(linted));
    }
    let passed = findings.is_empty();
    let interrupted = report.verified.as_ref().is_some_and(|it| it.interrupted)
        || report.linted.as_ref().is_some_and(|it| it.interrupted);
    if let Some(verified) = &report.verified {
        for diagnostic in error::unverified(verified) {
            context.output.warn(&diagnostic);
        }
    }
    context.output.result(&CheckView {
        directory: report.directory,
        revisions: report.history.len(),
        database: report.database.ok_or(unasked.unwrap_or_default()),
        base: args.base,
        findings,
        columns: context.output.columns(),
    });
    Ok(match (interrupted, passed) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Done,
        (false, false) => Exit::CheckFailed,
    })
}
