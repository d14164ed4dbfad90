//! Code shared by `fleet upgrade` and `fleet downgrade`.

use std::time::Instant;

use super::{Teller, name_of, open};
use crate::{
    backup::{Observer, Store},
    cli::{
        context::Context,
        options::{LogArgs, Vars},
    },
    ops::{
        self, BackupArgs, Fleet, FleetArgs, FleetEnded, FleetRunReport, FleetSelection, FleetStop,
        MigrateArgs,
    },
    report::{
        self, Diagnostic, FleetPlanView, FleetRunView, codes,
        error::{self, Error},
        exit::Exit,
    },
    revision::{Direction, TransactionScope},
};

/// Options of `fleet upgrade` and `fleet downgrade`.
#[derive(Debug, clap::Args)]
pub struct FleetRunArgs {
    /// Show what would run without changing anything
    #[arg(long)]
    dry_run: bool,

    /// Start targets outside of `deadline`, too
    #[arg(long)]
    any_time: bool,

    /// Use one transaction per revision, or one for the whole run of a target
    #[arg(long, value_name = "SCOPE")]
    transaction: Option<TransactionScope>,

    #[command(flatten)]
    log: LogArgs,

    #[command(flatten)]
    pub vars: Vars,

    /// Make a backup of each target first, if there is anything to run in it
    #[arg(long)]
    backup: bool,

    /// Make no backups, even if `[backup] before` asks for them
    #[arg(long, conflicts_with = "backup")]
    no_backup: bool,
}

pub async fn run(
    context: &Context,
    direction: Direction,
    selection: FleetSelection,
    mut migrate: MigrateArgs,
    options: &FleetRunArgs,
) -> Result<Exit, Error> {
    let name = match direction {
        Direction::Up => "upgrade",
        Direction::Down => "downgrade",
    };
    let fleet = open(context, name).await?;
    let teller = Teller::new(context);
    let stop = FleetStop::default();
    migrate.transaction = options.transaction;
    let before = &context.config.backup.before;
    let configured = match direction {
        Direction::Up => before.upgrade,
        Direction::Down => before.downgrade,
    };
    if options.backup || configured && !options.no_backup {
        migrate.backup = Some(backups(context, &stop));
    }
    let args = FleetArgs {
        selection,
        migrate,
        any_time: options.any_time,
    };
    let work = Work {
        context,
        fleet: &fleet,
        direction,
        args: &args,
        stop: &stop,
    };
    if options.dry_run {
        teller.listen(&stop)?;
        return work.show_plan(&teller);
    }
    work.confirm(name, &teller)?;
    context.open_fleet_log(options.log.log_file.as_deref(), name, &fleet)?;
    teller.listen(&stop)?;
    let begin = Instant::now();
    let ran = teller.with_voice(|voice| {
        ops::fleet_migrate(&fleet, &context.project, direction, &args, &stop, voice)
    });
    teller.bar.finish();
    let result = match ran {
        Ok(report) => finished(context, &fleet, &report, &teller),
        Err(error) => Err(error.into()),
    };
    context.end_log(&result, begin.elapsed());
    result
}

/// A run that is prepared.
struct Work<'a> {
    context: &'a Context,
    fleet: &'a Fleet,
    direction: Direction,
    args: &'a FleetArgs,
    stop: &'a FleetStop,
}

impl Work<'_> {
    fn plan(&self, teller: &Teller<'_>) -> Result<ops::FleetPlanReport, Error> {
        let Self {
            context,
            fleet,
            direction,
            args,
            stop,
        } = self;
        let planned = teller.with_voice(|voice| {
            ops::plan_fleet_migrate(fleet, &context.project, *direction, args, stop, voice)
        });
        teller.bar.finish();
        Ok(planned?)
    }

    fn show_plan(&self, teller: &Teller<'_>) -> Result<Exit, Error> {
        let report = self.plan(teller)?;
        let view = FleetPlanView {
            report: &report,
            targets: self.fleet.targets(),
        };
        let errors = teller
            .reasons
            .diagnostics(&report.tally, &name_of(self.fleet));
        if errors.is_empty() {
            self.context.output.result(&view);
            return Ok(Exit::Done);
        }
        super::failed(self.context, &view, errors, Exit::Failed)
    }

    /// Asks once for a protected environment, after showing the plan and the number of targets.
    fn confirm(&self, name: &str, teller: &Teller<'_>) -> Result<(), Error> {
        let is_protected = self.context.config.protected
            || self
                .fleet
                .any_database(|location| self.context.is_protected(location))?;
        if !is_protected || self.context.yes {
            return Ok(());
        }
        let environment = self.fleet.environment();
        let mut number = self.fleet.targets().len();
        if self.context.can_ask() {
            let report = self.plan(teller)?;
            number = report.targets;
            let view = FleetPlanView {
                report: &report,
                targets: self.fleet.targets(),
            };
            self.context.output.shown_before_question(&view);
        }
        let targets = report::count(number, "target");
        let question = format!(
            "{environment} is protected, with {targets}. Type the environment's name to {name} them: "
        );
        if self.context.answers(&question, environment) {
            return Ok(());
        }
        let message =
            format!("{environment} is protected, and {name} of {targets} was not confirmed");
        Err(Error::new(codes::M112, message).hint(format!(
            "type the environment's name ({environment}) when asked, or give --yes"
        )))
    }
}

/// How backups of targets are made. Nothing is shown of them.
fn backups(context: &Context, stop: &FleetStop) -> BackupArgs {
    let stop = stop.clone();
    BackupArgs {
        store: Store::new(&context.config.backup.directory),
        making: context.making(),
        observer: Observer {
            progress: std::sync::Arc::new(|_, _, _| {}),
            tell: std::sync::Arc::new(|_| {}),
            stopped: std::sync::Arc::new(move || stop.is_forced()),
        },
    }
}

fn finished(
    context: &Context,
    fleet: &Fleet,
    report: &FleetRunReport,
    teller: &Teller<'_>,
) -> Result<Exit, Error> {
    if let Some(error) = &report.journal_error {
        context.output.warn(&Diagnostic {
            message: format!("the journal is not complete: {error}; --failed may miss targets"),
            ..Diagnostic::default()
        });
    }
    let view = FleetRunView {
        report,
        targets: fleet.targets(),
        lines: teller.take_lines(),
    };
    let tally = &report.tally;
    let interrupted = report.ended == Some(FleetEnded::Stopped);
    if tally.failed == 0 && tally.not_started == 0 {
        context.output.result(&view);
        return Ok(Exit::Done);
    }
    let mut errors = teller.reasons.diagnostics(tally, &name_of(fleet));
    let is_busy = !errors.is_empty() && errors.iter().all(|it| it.code == codes::M705.id);
    let all = report::count(tally.total, "target");
    errors.push(error::fleet_failed(format!(
        "of {all}, {} failed and {} were not started",
        tally.failed, tally.not_started
    )));
    let exit = match (interrupted, tally.steps > 0) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Partway,
        (false, false) if is_busy && tally.not_started == 0 => Exit::Busy,
        (false, false) => Exit::Failed,
    };
    super::failed(context, &view, errors, exit)
}
