use crate::{
    cli::{
        context::Context,
        describe,
        error::{Error, Exit},
    },
    report::HistoryView,
    revision::RevisionId,
};

/// List the revisions, newest first
///
/// Reads the directory only; no database is needed.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let history = context.history(context.dialect())?;
    let mut lines: Vec<_> = history
        .in_order()
        .rev()
        .map(|revision| describe::line(&history, revision, Vec::new()))
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
    context.output.result(&HistoryView {
        lines,
        empty: "There are no revisions yet.",
    });
    Ok(Exit::Done)
}
