use std::time::{Duration, Instant};

use crate::{
    cli::{
        codes,
        context::Context,
        error::{Error, Exit},
    },
    database::{DatabaseError, Location, admin},
    report::{DbChange, DbView, duration},
    revision::parse_duration,
};
use anyhow::Context as _;

/// Wait until the database can be used
///
/// Until the server accepts connections and has the database; of SQLite, until
/// the file can be opened, or made where it is to be.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long at most; 0 looks once
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = time)]
    timeout: Duration,
}

fn time(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("a duration is 500ms, 30s, 5min, 1h or 0")
}

/// Pauses between two looks.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A single look may take so long, when there is no time to wait.
const ONE_LOOK: Duration = Duration::from_secs(1);

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let begin = Instant::now();
    tokio::select! {
        ready = ready(context, &location, begin, args.timeout) => ready?,
        interrupted = interrupted() => {
            interrupted.context("can't start")?;
            return Err(Error::new(codes::M706, "interrupted while waiting for the database"));
        }
    }
    context.output.result(&DbView {
        database: context.place(&location),
        change: DbChange::Ready(begin.elapsed()),
    });
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

async fn ready(
    context: &Context,
    location: &Location,
    begin: Instant,
    timeout: Duration,
) -> Result<(), Error> {
    let settings = context.settings("db wait");
    let mut said = String::new();
    let mut pause = FIRST_PAUSE;
    loop {
        let left = timeout.saturating_sub(begin.elapsed());
        let patience = match timeout {
            Duration::ZERO => ONE_LOOK,
            _ => left.min(settings.connect_timeout),
        };
        let error = match admin::probe(location, &settings, patience).await {
            Ok(()) => return Ok(()),
            Err(error @ DatabaseError::InMemory) => return Err(error.into()),
            Err(error) => error,
        };
        let reason = reason(context, error);
        let left = timeout.saturating_sub(begin.elapsed());
        if left <= pause {
            // Another look would come too late.
            tokio::time::sleep(left).await;
            return Err(late(context, location, timeout, &reason));
        }
        if reason != said {
            let until = duration(timeout);
            context
                .output
                .waiting(&format!("waiting up to {until}: {reason}"));
            said = reason;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn reason(context: &Context, error: DatabaseError) -> String {
    let shown = context.shown(error.into());
    let message = shown.diagnostics.into_iter().next().map(|d| d.message);
    message.unwrap_or_default()
}

fn late(context: &Context, location: &Location, timeout: Duration, reason: &str) -> Error {
    let place = context.place(location);
    let message = if timeout.is_zero() {
        format!("{place} can't be used yet")
    } else {
        format!("{place} could not be used within {}", duration(timeout))
    };
    let mut late = Error::new(codes::M614, message);
    for diagnostic in &mut late.diagnostics {
        diagnostic.notes.push(format!("the last reason: {reason}"));
    }
    late
}
