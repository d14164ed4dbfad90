//! Code shared by `upgrade` and `downgrade`.

use std::time::Instant;

use crate::{
    backup::Store,
    cli::{backup::Work, context::Context, options::RunArgs},
    database::Access,
    ops::{self, BackupArgs, MigrateArgs, RunReport},
    report::{self, Preview, View, codes, error::Error, exit::Exit},
    revision::Direction,
};

/// Refuses to print a script to a terminal: it is printed unchanged, and control sequences could
/// hide a part of it.
fn refuse_on_terminal(script: &str) -> Result<(), Error> {
    let text = script.replace("\r\n", "\n");
    if !text.contains(report::escape::is_hidden) {
        return Ok(());
    }
    let message = "the script contains control characters, which a terminal does not show";
    Err(Error::new(codes::M433, message).hint("write it to a file: --sql > FILE"))
}

/// The options of `upgrade` alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Up {
    pub allow_nonempty: bool,
    pub expand_only: bool,
}

pub async fn run(
    context: &Context,
    direction: Direction,
    target: &str,
    options: &RunArgs,
    up: Up,
) -> Result<Exit, Error> {
    let project = &context.project;
    let (start, target) = ops::start_and_target(direction, target, options.sql)?;
    let mut args = MigrateArgs {
        transaction: options.transaction,
        allow_nonempty: up.allow_nonempty,
        expand_only: up.expand_only,
        ..MigrateArgs::to(target)
    };
    if options.dry_run {
        let work = async |session: &mut ops::Session| match direction {
            Direction::Up => ops::plan_upgrade(project, session, &args).await,
            Direction::Down => ops::plan_downgrade(project, session, &args).await,
        };
        context.output.result(&context.read("plan", work).await?);
        return Ok(Exit::Done);
    }
    if options.sql {
        let work = async |session: &mut ops::Session| {
            ops::offline(project, session, direction, &start, &args).await
        };
        let report = context.read("plan", work).await?;
        if context.output.is_human() && report::is_terminal() {
            refuse_on_terminal(&report.sql)?;
        }
        context.output.result(&report);
        return Ok(Exit::Done);
    }
    let before = &context.config.backup.before;
    let (name, access, backup) = match direction {
        Direction::Up => ("upgrade", Access::Create, before.upgrade),
        Direction::Down => ("downgrade", Access::Existing, before.downgrade),
    };
    if direction == Direction::Down {
        let plan = async |session: &mut ops::Session| {
            let plan = ops::plan_downgrade(project, session, &args).await;
            plan.map(Preview::Plan)
        };
        context.confirm_plan(name, plan).await?;
    }
    context.open_log(options.log.log_file.as_deref(), name)?;
    let begin = Instant::now();
    let backup = options.backup_first(backup);
    let backup = backup.then(|| Work::within(context));
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
        if report.as_ref().is_ok_and(|report| report.failure.is_none()) {
            context.rewrite_schema_file(session).await;
        }
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
        // A run that was rolled back completely needs no backup.
        if let Some(file) = report
            .backup
            .as_ref()
            .filter(|_| error.exit == Exit::Partway)
        {
            let command = context.command(&["--yes", "restore", file]);
            error = error.note(format!("to restore the backup made before: {command}"));
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
