use crate::{
    cli::{
        context::{Context, Role},
        error::{Error, Exit},
    },
    database::Detail,
    plan,
    report::{ChangedSince, ShowView},
    revision::{Observed, Resolved, State, Target},
};

/// Show one revision: files, parents, when it was applied
///
/// With -v the scripts too. A database is asked when one is configured.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The revision
    revision: String,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let target: Target = args.revision.parse()?;
    let history = context.history(context.dialect())?;
    let observed = observe(context)
        .await
        .map(|observed| plan::seen(&history, observed, context.dialect()));
    let rows = observed.as_ref().map_or(&[][..], |found| &found.applied);
    let ids = match history.resolve(&target, rows)? {
        Resolved::Revisions(ids) => ids,
        _ => return Err(context.not_one_revision(&args.revision)),
    };
    let [id] = ids.as_slice() else {
        return Err(context.not_one_revision(&args.revision));
    };
    let children: Vec<_> = history
        .children(id)
        .into_iter()
        .map(|child| child.id.clone())
        .collect();
    let applied = rows.iter().find(|row| row.revision == *id).cloned();
    let drift = observed
        .as_ref()
        .map(|observed| plan::compare(&history, observed, context.dialect()))
        .unwrap_or_default();
    // A script in its middle is compared when it goes on.
    let whole = applied
        .as_ref()
        .is_some_and(|row| row.state == State::Applied);
    let both = whole && history.get(id).is_some();
    let view = ShowView {
        revision: history.get(id).cloned(),
        head: children.is_empty() && history.get(id).is_some(),
        children,
        applied,
        changed: both.then(|| ChangedSince {
            up: drift.edited_up.contains(id),
            down: drift.edited_down.contains(id),
        }),
        unasked: observed.err(),
    };
    context.output.result(&view);
    Ok(Exit::Done)
}

/// A revision can be shown without its database: then only that part is missing, and the error
/// says why.
async fn observe(context: &Context) -> Result<Observed, &'static str> {
    if context.config.url().is_err() {
        return Err("no database given");
    }
    let result = async {
        let location = context.location()?;
        let mut database = context.connect(&location, Role::Reader("show")).await?;
        let observed = database.observe(Detail::Brief).await?;
        database.close().await?;
        Ok::<_, Error>(observed)
    };
    result.await.map_err(|error| {
        context.warn(error);
        "the database can't be read"
    })
}
