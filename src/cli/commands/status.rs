use crate::{
    cli::{
        context::{Context, Role},
        describe,
        error::{Error, Exit},
    },
    database::Detail,
    plan,
    report::StatusView,
    revision::State,
};

/// Show where the database stands: current, head, pending, drift
#[derive(Debug, clap::Args)]
pub struct Args {}

pub async fn run(_: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let history = context.history(location.dialect())?;
    let role = Role::reader("status", &history);
    let mut database = context.connect(&location, role).await?;
    let observed = database.observe(Detail::Brief).await?;
    database.close().await?;
    let halfway = plan::halfway(&history, &observed, location.dialect());
    let observed = plan::seen(&history, observed, location.dialect());
    let rows = observed.applied.iter();
    let view = StatusView {
        database: context.place(&location),
        directory: context.shown_migrations(),
        revisions: history.len(),
        applied: rows.filter(|row| row.state == State::Applied).count(),
        current: describe::current(Some(&history), &observed),
        heads: history
            .heads()
            .into_iter()
            .map(|r| describe::line(&history, r, Vec::new()))
            .collect(),
        pending: plan::pending(&history, &observed)
            .into_iter()
            .map(|r| describe::line(&history, r, Vec::new()))
            .collect(),
        repeatables: plan::repeatables(&history, &observed, location.dialect()),
        halfway,
        drift: plan::compare(&history, &observed, location.dialect()),
    };
    context.output.result(&view);
    Ok(Exit::Done)
}
