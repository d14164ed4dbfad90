use crate::{
    cli::{
        context::{Context, Role},
        error::{self, Error, Exit},
    },
    database::Detail,
    plan::{self, CheckRequest},
    project,
    report::CheckView,
    revision::{History, Observed},
    sql::Dialect,
};

/// Say whether the directory is fit to be merged and deployed
///
/// One head, a way back from every revision; and where a database is
/// configured, nothing edited, missing, half done or pending in it. Exits with
/// 3 when something is found. --format github prints annotations for GitHub's
/// workflows.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A commit, such as origin/main: nothing of it may be edited, gone or overtaken
    #[arg(long, value_name = "GITREF")]
    base: Option<String>,

    /// Look at the directory only
    #[arg(long)]
    no_database: bool,

    /// Revisions may be pending
    #[arg(long)]
    pending_ok: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let dialect = dialect(&args, context)?;
    let history = context.history(dialect)?;
    let base = match &args.base {
        Some(reference) => Some(project::history_at(
            &context.config.migrations,
            &context.shown_migrations(),
            reference,
            &context.reading(dialect),
        )?),
        None => None,
    };
    let observed = observe(&args, &history, context).await?;
    let request = CheckRequest {
        history: &history,
        observed: observed.as_ref().ok(),
        base: base.as_ref(),
        dialect,
        pending_ok: args.pending_ok,
        out_of_order_ok: context.config.out_of_order != project::OutOfOrder::Error,
    };
    let findings = plan::check(&request);
    let findings: Vec<_> = findings
        .iter()
        .map(|found| error::finding(found, &history))
        .collect();
    let passed = findings.is_empty();
    context.output.result(&CheckView {
        directory: context.shown_migrations(),
        revisions: history.len(),
        database: match observed {
            Ok(_) => Ok(context.place(&context.location()?)),
            Err(reason) => Err(reason),
        },
        base: args.base,
        findings,
        columns: context.output.columns(),
    });
    Ok(if passed {
        Exit::Done
    } else {
        Exit::CheckFailed
    })
}

/// A url that can't be understood is an error, unless nobody wants the database.
fn dialect(args: &Args, context: &Context) -> Result<Dialect, Error> {
    if args.no_database || !context.has_database() {
        return Ok(context.dialect());
    }
    Ok(context.location()?.dialect())
}

/// What is applied, or why nobody was asked.
async fn observe(
    args: &Args,
    history: &History,
    context: &Context,
) -> Result<Result<Observed, &'static str>, Error> {
    if args.no_database {
        return Ok(Err("--no-database"));
    }
    if !context.has_database() {
        return Ok(Err("no url is configured"));
    }
    let result = async {
        let location = context.location()?;
        let role = Role::reader("check", history);
        let mut database = context.connect(&location, role).await?;
        let observed = database.observe(Detail::Brief).await?;
        database.close().await?;
        Ok::<_, Error>(plan::seen(history, observed, location.dialect()))
    };
    result.await.map(Ok).map_err(|mut error| {
        if let Some(last) = error.diagnostics.last_mut() {
            let way = "--no-database checks the directory only";
            last.notes.push(way.to_owned());
        }
        error
    })
}
