//! `migrator fleet`: many databases of one project.

mod check;
mod downgrade;
mod list;
mod migrate;
mod status;
mod upgrade;
mod verify;

use std::sync::{Mutex, PoisonError};

use clap::Subcommand;

use crate::{
    cli::context::Context,
    execute::{self, Event, EventKind, Sink},
    fleet::{Selection, Target, TargetLine},
    ops::{Fleet, FleetError, FleetProgress, FleetSelection, FleetStop, Voice},
    report::{self, Bar, Diagnostic, FleetReasons, View, codes, error::Error, exit::Exit},
};
use anyhow::Context as _;

/// Many databases: status, check, verify, upgrade, downgrade
#[derive(Debug, clap::Args)]
pub struct FleetCommandArgs {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    List(list::FleetListArgs),
    Status(status::FleetStatusArgs),
    Check(check::FleetCheckArgs),
    Verify(verify::FleetVerifyArgs),
    Upgrade(upgrade::FleetUpgradeArgs),
    Downgrade(downgrade::FleetDowngradeArgs),
}

impl Command {
    /// The values of placeholders.
    pub fn assignments(&self) -> Result<Vec<(String, String)>, Error> {
        match self {
            Self::List(_) | Self::Status(_) | Self::Verify(_) => Ok(Vec::new()),
            Self::Check(args) => args.vars.assignments(),
            Self::Upgrade(args) => args.run.vars.assignments(),
            Self::Downgrade(args) => args.run.vars.assignments(),
        }
    }
}

pub async fn cmd_fleet(args: FleetCommandArgs, context: &Context) -> Result<Exit, Error> {
    match args.command {
        Command::List(args) => list::cmd_fleet_list(args, context).await,
        Command::Status(args) => status::cmd_fleet_status(args, context).await,
        Command::Check(args) => check::cmd_fleet_check(args, context).await,
        Command::Verify(args) => verify::cmd_fleet_verify(args, context).await,
        Command::Upgrade(args) => upgrade::cmd_fleet_upgrade(args, context).await,
        Command::Downgrade(args) => downgrade::cmd_fleet_downgrade(args, context).await,
    }
}

/// Options that choose targets.
#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// Only targets whose name matches; `*` and `?` are wildcards; may be repeated
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,

    /// No target whose name matches; may be repeated
    #[arg(long, value_name = "GLOB")]
    except: Vec<String>,

    /// Only targets that failed when they were last run
    #[arg(long)]
    failed: bool,

    /// At most N targets, the first ones
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl TargetArgs {
    fn selection(&self) -> FleetSelection {
        FleetSelection {
            names: Selection {
                only: self.only.clone(),
                except: self.except.clone(),
                limit: self.limit,
            },
            failed: self.failed,
        }
    }
}

/// The fleet of the chosen environment.
async fn open(context: &Context, name: &str) -> Result<Fleet, Error> {
    if context.has_url_flag() {
        let error = Error::new(
            codes::M928,
            "--url names one database, and a fleet has its own",
        );
        return Err(error.hint("leave --url out, and choose an environment with -n"));
    }
    let Some(config) = context.config.fleet.clone() else {
        let environment = context.config.environment.clone();
        return Err(FleetError::NoFleet { environment }.into());
    };
    Ok(Fleet::open(config, context.settings(name)).await?)
}

/// What tells of targets while a command runs.
struct Teller<'a> {
    context: &'a Context,
    reasons: FleetReasons,
    bar: Bar,
    /// The lines of targets, for one JSON object.
    lines: Mutex<Vec<serde_json::Value>>,
}

impl<'a> Teller<'a> {
    fn new(context: &'a Context) -> Self {
        Self {
            context,
            reasons: FleetReasons::default(),
            bar: context.output.bar(),
            lines: Mutex::default(),
        }
    }

    /// Turns signals into requests to stop.
    fn listen(&self, stop: &FleetStop) -> Result<(), Error> {
        let output = self.context.output.clone();
        let sink = Sink::new("fleet", move |event: &Event| match event.kind {
            EventKind::StopRequested => output.waiting(
                "finishing the running targets; press Ctrl-C again to cancel what they run",
            ),
            EventKind::CancelRequested => output.waiting("cancelling the running statements"),
            _ => {}
        });
        let canceller = std::sync::Arc::new(stop.clone());
        Ok(
            execute::watch(stop.requests(), canceller, sink)
                .context("cannot listen for signals")?,
        )
    }

    /// Calls `work` with what operations over fleets tell.
    fn with_voice<T>(&self, work: impl FnOnce(&Voice<'_>) -> T) -> T {
        let explain = |error| self.reasons.explain(error);
        let warn = |warning: &_| Diagnostic::from(warning).message;
        let finished = |target: &Target, line: &TargetLine, progress: &FleetProgress| {
            self.finished(target, line, progress);
        };
        let reading = |done: usize, all: usize| {
            self.bar.tell(&format!(
                "reading {done} of {}",
                report::count(all, "target")
            ));
        };
        work(&Voice {
            explain: &explain,
            warn: &warn,
            finished: &finished,
            reading: &reading,
            events: self.context.logged(),
            lock_wait: self.context.config.lock_wait,
            options: self.context.run_options(),
        })
    }

    fn finished(&self, target: &Target, line: &TargetLine, progress: &FleetProgress) {
        self.bar.tell(&report::fleet_progress(progress));
        let output = &self.context.output;
        if output.is_lines() {
            output.line(&report::target_json(target, line));
        } else if !output.is_human() {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(report::target_json(target, line));
        }
    }

    fn take_lines(&self) -> Vec<serde_json::Value> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = std::mem::take(&mut *lines);
        // Targets end in any order.
        lines.sort_by_cached_key(|line| line["name"].as_str().map(str::to_owned));
        lines
    }
}

/// The error of a command over targets of which some have failed. For people, the result comes first.
fn failed(
    context: &Context,
    view: &dyn View,
    errors: Vec<Diagnostic>,
    exit: Exit,
) -> Result<Exit, Error> {
    // What a monitor reads has the targets that failed as a number.
    let is_metrics = context.output.findings_format() == Some("prometheus");
    if context.output.is_human() || is_metrics {
        context.output.result(view);
    }
    Err(Error {
        diagnostics: errors,
        exit,
        result: Some(view.json()),
    })
}

/// Ends a command that looks for problems: with the errors of targets that could not be looked at, or by
/// whether it found none.
fn found(
    context: &Context,
    view: &dyn View,
    errors: Vec<Diagnostic>,
    is_fine: bool,
) -> Result<Exit, Error> {
    if !errors.is_empty() {
        return failed(context, view, errors, Exit::Failed);
    }
    context.output.result(view);
    Ok(match is_fine {
        true => Exit::Done,
        false => Exit::CheckFailed,
    })
}

/// The names of targets by their index.
fn name_of(fleet: &Fleet) -> impl Fn(usize) -> String {
    |index| fleet.targets()[index].name.to_string()
}
