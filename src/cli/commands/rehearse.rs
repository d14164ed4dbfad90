use std::path::PathBuf;

use super::upgrade::Expand;
use crate::{
    backup::{Making, Store},
    cli::{backup::Work, context::Context, options::Vars},
    database::Access,
    files::Compression,
    ops::{self, BackupArgs, RehearseArgs as Request},
    report::{RehearseView, error::Error, exit::Exit},
};

/// Run pending revisions on a copy of the database
///
/// Copies the database with its rows, applies what `upgrade TARGET` would, and tells for every revision how long
/// its statements took, which tables they locked, rewrote and read, and what failed. Then the revisions are
/// reverted, and schema and rows compared. The database itself is only read, and the copy is dropped.
/// Exits with status 3 if a script fails or does not bring everything back. --format is human, json, markdown or
/// html: `migrator rehearse --format html > rehearsal.html` writes a page that needs no network.
#[derive(Debug, clap::Args)]
pub struct RehearseArgs {
    /// Where to upgrade to: head, heads, a revision, or +N
    #[arg(default_value = "head", allow_negative_numbers = true)]
    target: String,

    /// Load this backup instead of copying the database
    #[arg(long, value_name = "BACKUP")]
    from: Option<PathBuf>,

    /// Copy no rows (PostgreSQL): locks and sizes are known, times and failures on rows are not
    #[arg(long, conflicts_with = "from")]
    schema_only: bool,

    /// With `expand`: leave revisions with `phase = contract`, and those that need them, pending
    #[arg(long, value_name = "PHASE")]
    phase: Option<Expand>,

    /// Leave out the down scripts
    #[arg(long)]
    no_downs: bool,

    #[command(flatten)]
    pub vars: Vars,
}

pub async fn cmd_rehearse(args: RehearseArgs, context: &Context) -> Result<Exit, Error> {
    let mut session = context.session("rehearse", Access::Existing)?;
    let store = Store::new(&context.config.backup.directory);
    let from = match &args.from {
        Some(file) => Some(store.find(file)?),
        None => None,
    };
    let target = args.target.parse().map_err(ops::Error::from)?;
    let work = Work::begin(context)?;
    let request = Request {
        target,
        expand_only: args.phase.is_some(),
        from,
        schema_only: args.schema_only,
        backup: BackupArgs {
            store,
            making: Making {
                compression: Compression::None,
                ..context.making()
            },
            observer: work.observer.clone(),
        },
        schema: context.schema_request()?,
        downs: !args.no_downs,
        observer: work.observer.clone(),
    };
    let done = ops::rehearse(&context.project, &mut session, &request).await;
    work.finish();
    context.leave(Some(session)).await;
    let report = done?;
    let exit = match report.passed() {
        true => Exit::Done,
        false => Exit::CheckFailed,
    };
    let columns = context.output.columns();
    context.output.result(&RehearseView { report, columns });
    Ok(exit)
}
