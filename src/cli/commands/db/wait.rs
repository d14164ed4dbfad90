use std::time::Duration;

use anyhow::Context as _;

use crate::{
    cli::{
        codes,
        context::Context,
        error::{Error, Exit},
    },
    database::{Access, DatabaseError},
    ops,
    report::duration,
    revision::parse_duration,
};

/// Wait until the database can be used
///
/// Until the server accepts connections and has the database; for SQLite, until
/// the file can be opened, or created where it is to be.
#[derive(Debug, clap::Args)]
pub struct DbWaitArgs {
    /// How long at most; 0 looks once
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
    let ready = tokio::select! {
        ready = ops::wait_for_database(&session, timeout, waiting) => ready?,
        interrupted = interrupted() => {
            interrupted.context("can't listen for signals")?;
            return Err(Error::new(codes::M706, "interrupted while waiting for the database"));
        }
    };
    context.output.result(&ready);
    Ok(Exit::Done)
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
