use std::time::Duration;

use crate::{
    cli::context::Context,
    database::{Access, DatabaseError},
    ops,
    report::{duration, error::Error, exit::Exit},
    revision::parse_duration,
};

/// Wait until the database is available
///
/// For PostgreSQL, waits until the server accepts connections and has the database; for SQLite,
/// until the file can be opened or created.
#[derive(Debug, clap::Args)]
pub struct DbWaitArgs {
    /// Maximum time to wait; 0 tries once
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = time)]
    timeout: Duration,
}

fn time(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("a duration is 500ms, 30s, 5min, 1h or 0")
}

pub async fn cmd_db_wait(args: DbWaitArgs, context: &Context) -> Result<Exit, Error> {
    let session = context.session("db wait", Access::Existing)?;
    let timeout = args.timeout;
    let waiting = |reason: &DatabaseError| {
        let shown = context.shown(Error::from(reason));
        let reason = shown.diagnostics.into_iter().next().map(|it| it.message);
        let (until, reason) = (duration(timeout), reason.unwrap_or_default());
        let line = format!("waiting up to {until}: {reason}");
        context.output.waiting(&line);
    };
    context.listen()?;
    let ready = ops::wait_for_database(&session, timeout, waiting).await?;
    context.output.result(&ready);
    Ok(Exit::Done)
}
