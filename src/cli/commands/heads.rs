use crate::{
    cli::{
        context::Context,
        describe,
        error::{Error, Exit},
    },
    report::HistoryView,
};

/// List the revisions that nobody revises
///
/// Reads the directory only; no database is needed.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let history = context.history(context.dialect())?;
    let heads = history.heads().into_iter().rev();
    let lines = heads
        .map(|revision| describe::line(&history, revision, Vec::new()))
        .collect();
    context.output.result(&HistoryView {
        lines,
        empty: "There are no revisions yet.",
    });
    Ok(Exit::Done)
}
