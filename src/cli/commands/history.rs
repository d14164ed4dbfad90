use std::collections::{HashMap, HashSet};

use crate::{
    cli::{
        context::{Context, Role},
        describe,
        error::{Error, Exit},
    },
    database::Detail,
    plan,
    report::{Diagnostic, HistoryView, LogView, Mark, RevisionLine},
    revision::{History, Observed, Range, Revision, RevisionId, State},
};

/// List the revisions, newest first
///
/// Reads the directory only; a database is needed for -i, --log and ranges
/// with `current`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those from A to B, both included: A:B, A: or :B; -N: are the last N and the head
    #[arg(short, long, value_name = "A:B", allow_hyphen_values = true)]
    range: Option<String>,

    /// Mark what is current, applied and pending in the database
    #[arg(short, long)]
    indicate_current: bool,

    /// Print the log of the database instead: what was done when, by whom, with which outcome
    #[arg(long, conflicts_with_all = ["range", "indicate_current"])]
    log: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    if args.log {
        return log(context).await;
    }
    let range: Option<Range> = match &args.range {
        None => None,
        Some(text) => Some(text.parse().map_err(|error| {
            Error::from(error).hint("a range is A:B, A: or :B, and both ends belong to it")
        })?),
    };
    let history = context.history(context.dialect())?;
    let needed = args.indicate_current || range.as_ref().is_some_and(Range::needs_database);
    let observed = if needed {
        Some(observe(context, &history).await?)
    } else {
        None
    };
    let rows = observed.as_ref().map_or(&[][..], |seen| &seen.applied);
    let listed = match &range {
        None => history.in_order().collect(),
        Some(range) => history.between(range, rows)?,
    };
    let marks = observed.as_ref().filter(|_| args.indicate_current);
    if let Some(observed) = marks {
        warn_of_unknown(context, &history, observed)?;
    }
    context.output.result(&HistoryView {
        lines: lines(&history, listed, marks),
        empty: if range.is_some() {
            "There are no revisions in that range."
        } else {
            "There are no revisions yet."
        },
    });
    Ok(Exit::Done)
}

async fn log(context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let mut database = context.connect(&location, Role::Reader("history")).await?;
    let mut rows = database.log().await?;
    database.close().await?;
    rows.reverse();
    context.output.result(&LogView {
        database: context.place(&location),
        rows,
    });
    Ok(Exit::Done)
}

async fn observe(context: &Context, history: &History) -> Result<Observed, Error> {
    let location = context.location()?;
    let role = Role::reader("history", history);
    let mut database = context.connect(&location, role).await?;
    let observed = database.observe(Detail::Brief).await?;
    database.close().await?;
    Ok(plan::seen(history, observed, location.dialect()))
}

/// What the directory does not have can't be listed, but must not go unsaid.
fn warn_of_unknown(context: &Context, history: &History, observed: &Observed) -> Result<(), Error> {
    let drift = plan::compare(history, observed, context.location()?.dialect());
    let unknown: Vec<_> = drift.unknown.iter().map(ToString::to_string).collect();
    if !unknown.is_empty() {
        context.output.warn(&Diagnostic {
            message: format!("applied, but not in this directory: {}", unknown.join(", ")),
            ..Diagnostic::default()
        });
    }
    Ok(())
}

/// Newest first; with marks where it was asked what is applied.
fn lines(
    history: &History,
    listed: Vec<&Revision>,
    observed: Option<&Observed>,
) -> Vec<RevisionLine> {
    let current: HashSet<RevisionId> = observed
        .map(describe::applied_heads)
        .unwrap_or_default()
        .into_iter()
        .collect();
    let rows = observed.into_iter().flat_map(|observed| &observed.applied);
    let states: HashMap<_, _> = rows.map(|row| (&row.revision, &row.state)).collect();
    let marks = |revision: &Revision| {
        observed?;
        Some(match states.get(&revision.id) {
            None => Mark::Pending,
            Some(State::Partial(_)) => Mark::Partial,
            Some(State::Applied) if current.contains(&revision.id) => Mark::Current,
            Some(State::Applied) => Mark::Applied,
        })
    };
    let newest_first = listed.into_iter().rev();
    let mut lines: Vec<_> = newest_first
        .map(|revision| describe::line(history, revision, marks(revision).into_iter().collect()))
        .collect();
    // A parent goes without saying when it is the line below.
    let below: Vec<Option<RevisionId>> = lines
        .iter()
        .skip(1)
        .map(|line| Some(line.id.clone()))
        .chain([None])
        .collect();
    for (line, below) in lines.iter_mut().zip(below) {
        line.show_parents = match line.parents.as_slice() {
            [] => below.is_some(),
            [only] => Some(only) != below.as_ref(),
            _ => true,
        };
    }
    lines
}
