use crate::{
    cli::{context::Context, error::Error, exit::Exit},
    database::Access,
    ops,
    report::Diagnostic,
};

/// List revisions, newest first
///
/// Reads the directory only, except for -i, --log and ranges with `current`, which read the
/// database.
#[derive(Debug, clap::Args)]
pub struct HistoryArgs {
    /// List only revisions from A to B, inclusive: A:B, A: or :B; -N: lists the head and the N before it
    #[arg(short, long, value_name = "A:B", allow_hyphen_values = true)]
    range: Option<String>,

    /// Mark what is current, applied and pending in the database
    #[arg(short, long)]
    indicate_current: bool,

    /// Print the log of the database instead: every operation with its time, user and outcome
    #[arg(long, conflicts_with_all = ["range", "indicate_current"])]
    log: bool,
}

pub async fn cmd_history(args: HistoryArgs, context: &Context) -> Result<Exit, Error> {
    if args.log {
        let work = async |session: &mut ops::Session| ops::log(session).await;
        context.output.result(&context.read("history", work).await?);
        return Ok(Exit::Done);
    }
    let range = match &args.range {
        None => None,
        Some(text) => Some(text.parse().map_err(|error| {
            Error::from(error).hint("a range is A:B, A: or :B, and both ends belong to it")
        })?),
    };
    let request = ops::HistoryArgs {
        range,
        indicate_current: args.indicate_current,
    };
    let mut session = match request.needs_database() {
        true => Some(context.session("history", Access::Existing)?),
        false => None,
    };
    let (project, dialect) = (&context.project, context.dialect()?);
    let report = ops::history(project, session.as_mut(), dialect, &request).await?;
    if !report.unknown.is_empty() {
        // What the directory does not have cannot be listed, but must not go unsaid.
        let unknown: Vec<_> = report.unknown.iter().map(ToString::to_string).collect();
        context.output.warn(&Diagnostic {
            message: format!("applied, but not in this directory: {}", unknown.join(", ")),
            ..Diagnostic::default()
        });
    }
    context.output.result(&report);
    context.leave(session).await;
    Ok(Exit::Done)
}
