//! Scripts that are compiled into a program and applied when it starts.
//!
//! `cargo run --example embedded -- sqlite:app.db`, or the URL of a PostgreSQL database.

use std::process::ExitCode;

use include_dir::{Dir, include_dir};
use migrator::{Error, EventKind, Migrator};

/// A whole directory, in the program: `$CARGO_MANIFEST_DIR/migrations` in most of them.
static SCRIPTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/examples/migrations");

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: embedded URL");
        return ExitCode::FAILURE;
    };
    match migrate(&url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the database cannot be migrated: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn migrate(url: &str) -> Result<(), Error> {
    let files = SCRIPTS.files().map(|file| (file.path(), file.contents()));
    let migrator = Migrator::embedded(files).on_event(|event| match &event.kind {
        EventKind::StepDone { step, .. } => println!("applied {}", step.subject),
        EventKind::WaitingForLock { holder, .. } => {
            println!("waiting for {}", holder.as_deref().unwrap_or("another run"));
        }
        _ => {}
    });
    let mut session = migrator.connect(url).await?;
    let report = session.upgrade("head").await?;
    println!("{} revisions applied", report.done.len());
    session.close().await
}
