use crate::{
    cli::{
        args::Vars,
        context::Context,
        error::{self, Error, Exit},
    },
    database::Access,
    ops,
    report::CheckView,
};

/// Check the directory and the database for problems
///
/// One head, a down script for every revision, and statements that can run in
/// every script; and where a database is configured, nothing edited, missing,
/// partially applied or pending in it.
/// Exits with 3 when something is found. --format github prints annotations for
/// GitHub's workflows.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// A commit, such as origin/main: nothing of it may be edited, gone or overtaken
    #[arg(long, value_name = "GITREF")]
    base: Option<String>,

    /// Check the directory only
    #[arg(long)]
    no_database: bool,

    /// Revisions may be pending
    #[arg(long)]
    pending_ok: bool,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_check(args: CheckArgs, context: &Context) -> Result<Exit, Error> {
    let unasked = match (args.no_database, context.has_database()) {
        (true, _) => Some("--no-database"),
        (_, false) => Some("no url is configured"),
        (_, true) => None,
    };
    // A url that can't be understood is an error, unless nobody wants the database.
    let mut session = match unasked {
        None => Some(context.session("check", Access::Existing)?),
        Some(_) => None,
    };
    let dialect = context.dialect()?;
    let request = ops::CheckArgs {
        base: args.base.clone(),
        pending_ok: args.pending_ok,
    };
    let checked = ops::check(&context.project, session.as_mut(), dialect, &request).await;
    context.leave(session).await;
    let report = checked.map_err(|error| {
        let is_database = matches!(error, ops::Error::Database(_));
        let mut error = Error::from(error);
        if let Some(last) = error.diagnostics.last_mut().filter(|_| is_database) {
            let way = "--no-database checks the directory only";
            last.notes.push(way.to_owned());
        }
        error
    })?;
    let findings = report.findings.iter();
    let findings: Vec<_> = findings
        .map(|found| error::finding(found, &report.history))
        .collect();
    let passed = findings.is_empty();
    context.output.result(&CheckView {
        directory: report.directory,
        revisions: report.history.len(),
        database: report.database.ok_or(unasked.unwrap_or_default()),
        base: args.base,
        findings,
        columns: context.output.columns(),
    });
    Ok(match passed {
        true => Exit::Done,
        false => Exit::CheckFailed,
    })
}
