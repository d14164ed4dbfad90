use crate::{
    cli::{
        context::Context,
        describe,
        error::{Error, Exit},
    },
    report::{BranchesView, Fork, Lead, RevisionLine},
    revision::{History, Revision},
};

/// List where the history branches, and the heads that each branch leads to
///
/// Reads the directory only; no database is needed. With -v roots, parents and
/// files, too.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let history = context.history(context.dialect())?;
    let line = |revision: &Revision| describe::line(&history, revision, Vec::new());
    let lead = |revision: &Revision| lead(&history, revision, line(revision));
    let forks = history.branch_points().into_iter().map(|point| Fork {
        point: line(point),
        children: history.children(&point.id).into_iter().map(lead).collect(),
    });
    let labels = history.by_id().filter(|r| r.label.is_some());
    let view = BranchesView {
        forks: forks.collect(),
        labels: labels.map(lead).collect(),
        roots: history.roots().into_iter().map(lead).collect(),
    };
    context.output.result(&view);
    Ok(Exit::Done)
}

fn lead(history: &History, revision: &Revision, line: RevisionLine) -> Lead {
    let heads = history.heads_above(&revision.id).into_iter();
    Lead {
        line,
        heads: heads.map(|head| head.id.clone()).collect(),
    }
}
