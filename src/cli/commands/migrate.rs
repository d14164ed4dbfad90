//! What `upgrade` and `downgrade` share.

use std::{path::PathBuf, time::Instant};

use clap::ValueEnum;

use crate::{
    backup::Store,
    cli::{
        backup::Work,
        codes,
        context::Context,
        error::{Error, Exit},
    },
    database::Access,
    ops::{self, BackupArgs, MigrateArgs, RunReport, Start},
    report::{self, View},
    revision::{Direction, Range, Target, TransactionScope},
};

/// How much one transaction holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// One transaction per revision
    Revision,
    /// One transaction for the whole run
    All,
}

impl From<Scope> for TransactionScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Revision => Self::Revision,
            Scope::All => Self::All,
        }
    }
}

/// Whether a backup is made first.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct BackupFirst {
    /// Make a backup before anything runs, if there is something to do
    #[arg(long)]
    backup: bool,

    /// Make no backup, whatever `[backup] before` says
    #[arg(long, conflicts_with = "backup")]
    no_backup: bool,
}

impl BackupFirst {
    /// The flags, or else the configuration.
    pub fn is_wanted(self, configured: bool) -> bool {
        self.backup || configured && !self.no_backup
    }
}

/// What `upgrade`, `downgrade` and `redo` take.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Append every statement with its time to FILE, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// What was asked for.
pub struct Request {
    pub direction: Direction,
    pub target: Target,
    pub start: Start,
    pub dry_run: bool,
    pub sql: bool,
    pub allow_nonempty: bool,
    pub transaction: Option<Scope>,
    pub log_file: Option<PathBuf>,
    pub backup: bool,
}

/// A script is printed byte by byte, and what a terminal obeys would hide a part of it.
fn refuse_on_terminal(script: &str) -> Result<(), Error> {
    let text = script.replace("\r\n", "\n");
    if !text.contains(report::escape::is_hidden) {
        return Ok(());
    }
    let message = "the script contains control characters, which a terminal would not show";
    Err(Error::new(codes::M433, message).hint("write it to a file: --sql > FILE"))
}

pub async fn run(context: &Context, request: Request) -> Result<Exit, Error> {
    let project = &context.project;
    let direction = request.direction;
    let mut args = MigrateArgs {
        transaction: request.transaction.map(TransactionScope::from),
        allow_nonempty: request.allow_nonempty,
        ..MigrateArgs::to(request.target)
    };
    if request.dry_run {
        let work = async |session: &mut ops::Session| match direction {
            Direction::Up => ops::plan_upgrade(project, session, &args).await,
            Direction::Down => ops::plan_downgrade(project, session, &args).await,
        };
        context.output.result(&context.read("plan", work).await?);
        return Ok(Exit::Done);
    }
    if request.sql {
        let work = async |session: &mut ops::Session| {
            ops::offline(project, session, direction, &request.start, &args).await
        };
        let report = context.read("plan", work).await?;
        if context.output.is_human() && report::is_terminal() {
            refuse_on_terminal(&report.sql)?;
        }
        context.output.result(&report);
        return Ok(Exit::Done);
    }
    let (name, access) = match direction {
        Direction::Up => ("upgrade", Access::Create),
        Direction::Down => ("downgrade", Access::Existing),
    };
    let log_file = request.log_file.as_deref();
    if context.is_logged(log_file) {
        // An invalid directory begins no log.
        project.history(context.location()?.dialect())?;
        context.open_log(log_file, name)?;
    }
    let begin = Instant::now();
    let backup = request.backup.then(|| Work::within(context));
    args.backup = backup.as_ref().map(|work| BackupArgs {
        store: Store::new(&context.config.backup.directory),
        making: context.making(),
        observer: work.observer.clone(),
    });
    let ran = context.operate((name, access), async |session, live| {
        let report = match direction {
            Direction::Up => ops::upgrade(project, session, &args).await,
            Direction::Down => ops::downgrade(project, session, &args).await,
        };
        live.finish(report.as_ref().is_ok_and(|report| report.failure.is_some()));
        report
    });
    let result = match ran.await {
        Ok(report) => finished(context, report),
        Err(error) => Err(error),
    };
    context.end_log(&result, begin.elapsed());
    result
}

fn finished(context: &Context, mut report: RunReport) -> Result<Exit, Error> {
    if let Some(failure) = report.failure.take() {
        let mut error = Error::from(*failure);
        if let (Some(file), Some(diagnostic)) = (&report.backup, error.diagnostics.last_mut()) {
            let command = context.command(&["--yes", "restore", file]);
            let note = format!("to restore the backup that was made before: {command}");
            diagnostic.notes.push(note);
        }
        error.result = Some(report.json());
        return Err(error);
    }
    context.output.result(&report);
    Ok(match report.interrupted {
        true => Exit::Interrupted,
        false => Exit::Done,
    })
}

/// Start and target of `text`, which is a target or, with `--sql`, a range.
pub fn ends(direction: Direction, text: &str, sql: bool) -> Result<(Start, Target), Error> {
    if !Range::is_range(text) {
        return Ok((Start::Database, text.parse()?));
    }
    if !sql {
        let message = format!("`{text}` is a range, and where the database is decides the start");
        return Err(Error::new(codes::M430, message)
            .hint("name the target alone, or give --sql for a script from one state to another"));
    }
    let range: Range = text.parse()?;
    let start = match (direction, range.start) {
        (_, Some(start @ (Target::Current(_) | Target::Relative(_)))) => {
            let message = format!("`{start}` depends on the database, which a range does not read");
            return Err(Error::new(codes::M431, message).hint(
                "name the revision, or leave the start and its colon out to start from the database",
            ));
        }
        (_, Some(start)) => start,
        (Direction::Up, None) => Target::Base,
        (Direction::Down, None) => Target::Head,
    };
    let target = match (direction, range.end) {
        (_, Some(end)) => end,
        (Direction::Up, None) => Target::Head,
        (Direction::Down, None) => {
            let message = format!("`{text}` does not say how far down to go");
            return Err(
                Error::new(codes::M431, message).hint(format!("to revert everything: {text}base"))
            );
        }
    };
    Ok((Start::Assumed(start), target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_script_that_could_hide_from_it() {
        assert!(refuse_on_terminal("SELECT 1;\r\n\t-- żółw\n").is_ok());
        for hidden in ["\u{1b}[2K", "\r", "\u{9b}1A", "\u{202e}"] {
            let script = format!("DROP TABLE t; -- {hidden}SELECT 1;\n");
            let error = refuse_on_terminal(&script).unwrap_err();
            assert_eq!(error.diagnostics[0].code, codes::M433.id, "{hidden:?}");
        }
    }
}
