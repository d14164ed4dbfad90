use crate::{
    cli::context::Context,
    database::Access,
    ops,
    report::{Diagnostic, error::Error, exit::Exit},
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

    /// List only the newest N
    #[arg(short = 'N', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Mark what is current, applied and pending in the database
    #[arg(short, long)]
    indicate_current: bool,

    /// Print the log of the database instead: every operation with its time, user and outcome
    #[arg(long, conflicts_with_all = ["range", "indicate_current"])]
    log: bool,
}

pub async fn cmd_history(args: HistoryArgs, context: &Context) -> Result<Exit, Error> {
    let limit = args.limit.and_then(|limit| limit.try_into().ok());
    if args.log {
        let work = async |session: &mut ops::Session| ops::log(session, limit).await;
        context.page(&context.read("history", work).await?);
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
        limit,
        indicate_current: args.indicate_current,
    };
    let mut session = match request.needs_database() {
        true => Some(context.session("history", Access::Existing)?),
        false => None,
    };
    let (project, dialect) = (&context.project, context.dialect()?);
    let report = ops::history(project, session.as_mut(), dialect, &request).await?;
    if !report.unknown.is_empty() {
        // Unknown revisions cannot be listed, but must be mentioned.
        let unknown: Vec<_> = report.unknown.iter().map(ToString::to_string).collect();
        context.output.warn(&Diagnostic {
            message: format!("applied, but not in this directory: {}", unknown.join(", ")),
            ..Diagnostic::default()
        });
    }
    context.leave(session).await;
    context.page(&report);
    Ok(Exit::Done)
}
