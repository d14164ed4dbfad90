use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{files, revision::one};
use crate::{
    cli::{
        codes,
        context::Context,
        error::{Error, Exit},
    },
    plan::{self, RebaseRequest},
    project,
    report::RebaseView,
    revision::{History, Observed, RevisionId},
};

/// Move a revision that is not applied onto the head
///
/// It and all that revise it get new ids from the clock, new file names and new
/// `revises` headers; their SQL stays as it is. A rebase that was interrupted
/// is completed by the next one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The revision; with it moves all that revises it
    revision: Option<String>,

    /// The head to move onto, where there are several
    #[arg(long, value_name = "REVISION")]
    onto: Option<String>,

    /// Don't ask the database whether something is applied
    #[arg(long)]
    offline: bool,

    /// Show what would be moved, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    if !args.dry_run && files::recover(context)? {
        return Ok(Exit::Done);
    }
    let Some(text) = &args.revision else {
        return Err(Error::new(codes::M001, "no revision to move was named")
            .hint("`migrator rebase REVISION`; `migrator heads` lists the heads"));
    };
    let dialect = context.dialect();
    let history = context.history_to_write(dialect)?;
    let revision = one(&history, text, context)?;
    let onto = args.onto.iter().map(|text| one(&history, text, context));
    let onto = onto.collect::<Result<Vec<_>, _>>()?;
    let (observed, unasked) = observe(&args, context).await?;
    let request = RebaseRequest {
        history: &history,
        observed: observed.as_ref(),
        dialect,
        revision: &revision,
        onto: onto.first(),
    };
    let rebase = plan::rebase(&request, |onto, count| fresh(&history, onto, count))?;
    if let Some(rebase) = &rebase
        && !args.dry_run
    {
        files::exchange(&rebase.files, context)?;
    }
    context.output.result(&RebaseView {
        revision,
        rebase,
        dry_run: args.dry_run,
        unasked,
    });
    Ok(Exit::Done)
}

/// What is applied, or why nobody was asked. A database that can't be asked is an error: something
/// may be applied in it.
async fn observe(
    args: &Args,
    context: &Context,
) -> Result<(Option<Observed>, Option<&'static str>), Error> {
    if args.offline {
        return Ok((None, Some("--offline")));
    }
    if !context.has_database() {
        return Ok((None, Some("no url is configured")));
    }
    let observed = context.observe_or_empty("rebase").await;
    match observed {
        Ok(observed) => Ok((Some(observed), None)),
        Err(mut error) => {
            if let Some(last) = error.diagnostics.last_mut() {
                last.notes
                    .push("--offline moves revisions without asking the database".to_owned());
            }
            Err(error)
        }
    }
}

/// The next free seconds from now on, or from the head's time on, should that lie in the future.
fn fresh(history: &History, onto: &RevisionId, count: usize) -> Vec<RevisionId> {
    let time = NaiveDateTime::parse_from_str(onto.as_str(), "%Y%m%d%H%M%S").ok();
    let after = time.map(|time| time.and_utc() + TimeDelta::seconds(1));
    let start: DateTime<Utc> = after.map_or_else(Utc::now, |after| after.max(Utc::now()));
    let mut taken: Vec<_> = history.by_id().map(|r| r.id.clone()).collect();
    let mut ids: Vec<RevisionId> = Vec::with_capacity(count);
    for _ in 0..count {
        let id = project::next_id(start, taken.iter().cloned());
        taken.push(id.clone());
        ids.push(id);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::{Direction, Script, ScriptPair};

    fn id(text: &str) -> RevisionId {
        text.parse().unwrap()
    }

    #[test]
    fn new_ids_sort_after_a_head_of_the_future() {
        let check = |head: &str, expected: &[&str]| {
            let file = format!("{head}_x.up.sql");
            let up = Script::parse(crate::sql::Dialect::Sqlite, Direction::Up, file, "");
            let pair = ScriptPair {
                id: id(head),
                slug: "x".to_owned(),
                up: up.unwrap(),
                down: None,
            };
            let history = History::new(vec![pair]).unwrap();
            let ids = fresh(&history, &id(head), 2);
            let ids: Vec<_> = ids.iter().map(RevisionId::as_str).collect();
            assert_eq!(ids, expected);
        };
        check("20991231235958", &["20991231235959", "21000101000000"]);
    }

    #[test]
    fn new_ids_are_of_now_otherwise() {
        let history = History::new(Vec::new()).unwrap();
        for head in ["7", "20201301000000", "20200101000000"] {
            let before = RevisionId::from_time(Utc::now());
            let ids = fresh(&history, &id(head), 2);
            assert!(before <= ids[0] && ids[0] < ids[1], "{ids:?}");
        }
    }
}
