//! `fleet upgrade` and `fleet downgrade`.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    super::{Error, MigrateArgs, PlanReport, Project, Session, plan_downgrade, plan_upgrade},
    Fleet, FleetError, FleetSelection, FleetStop, Voice,
    account::{Account, Ended, TargetWarning},
    journal::Journal,
    read::{Pass, Seen},
    run::{Run, Wait, is_open},
    states::States,
    verdict::Verdict,
};
use crate::{
    arrange::Arrange as _,
    fleet::{Outcome, Stage, StageKind, Tally, TargetLine},
    project::Exists,
    revision::Direction,
};

/// Arguments of `fleet upgrade` and `fleet downgrade`.
#[derive(Clone, Debug)]
pub struct FleetArgs {
    /// The targets.
    pub selection: FleetSelection,
    /// What is done in each.
    pub migrate: MigrateArgs,
    /// Whether targets may be started at any time.
    pub any_time: bool,
}

/// The result of `fleet upgrade` or `fleet downgrade`.
#[derive(Debug)]
pub struct FleetRunReport {
    /// The environment.
    pub environment: String,
    /// The direction.
    pub direction: Direction,
    /// The account of all targets.
    pub tally: Tally,
    /// Warnings about targets.
    pub warnings: Vec<TargetWarning>,
    /// Why the run ended before all targets were started; `None` if it did not.
    pub ended: Option<Ended>,
    /// The duration.
    pub elapsed: Duration,
    /// Why the journal could not be written to its end.
    pub journal_error: Option<String>,
}

/// What a run would do.
#[derive(Debug)]
pub struct FleetPlanReport {
    /// The environment.
    pub environment: String,
    /// The direction.
    pub direction: Direction,
    /// The number of selected targets.
    pub targets: usize,
    /// The number of targets in which there is nothing to do.
    pub current: usize,
    /// The plans, by the first of their targets.
    pub plans: Vec<FleetPlan>,
    /// Targets that do not exist, cannot be read or whose plan is refused.
    pub tally: Tally,
}

/// What a run would do in targets that are in one state.
#[derive(Debug)]
pub struct FleetPlan {
    /// The plan, made with the first target.
    pub plan: PlanReport,
    /// The indices of the targets.
    pub targets: Vec<usize>,
}

/// Upgrades or downgrades the targets of a fleet.
///
/// # Errors
/// Fails when the scripts are invalid, nothing may be started now, or the journal cannot be begun. What
/// happens in a target is no error: [`FleetRunReport::tally`] has it.
pub fn fleet_migrate(
    fleet: &Fleet,
    project: &Project,
    direction: Direction,
    args: &FleetArgs,
    stop: &FleetStop,
    voice: &Voice<'_>,
) -> Result<FleetRunReport, Error> {
    project.history(fleet.dialect)?;
    refuse_backups(fleet, args)?;
    if !is_open(fleet, args)
        && let Some(window) = fleet.config.deadline
    {
        return Err(FleetError::Closed { window }.into());
    }
    let stages = fleet.stages(&args.selection)?;
    let places = fleet.places()?;
    let command = match direction {
        Direction::Up => "fleet upgrade",
        Direction::Down => "fleet downgrade",
    };
    let journal = Journal::begin(&fleet.config.journal, command)?;
    let states = verdicts(fleet, project, direction, &args.migrate);
    let all = stages.iter().map(|stage| stage.members.len()).sum();
    let run = Run {
        fleet,
        project,
        places: &places,
        states: &states,
        direction,
        args,
        stop,
        voice,
        journal: Some(&journal),
        account: Account::new(fleet, all, voice),
        unshared: Mutex::default(),
    };
    let waiting = read(&run, &stages)?;
    run.stages(&stages, &waiting)?;
    let (tally, warnings, ended, elapsed) = run.account.finish();
    Ok(FleetRunReport {
        environment: fleet.config.environment.clone(),
        direction,
        tally,
        warnings,
        ended,
        elapsed,
        journal_error: journal.finish().map(|error| error.to_string()),
    })
}

/// The most plans that are kept for runs. The others are made again.
const KEPT: usize = 64;

fn refuse_backups(fleet: &Fleet, args: &FleetArgs) -> Result<(), Error> {
    match args.migrate.backup.is_some() && fleet.has_schemas {
        true => Err(FleetError::BackupOfSchemas.into()),
        false => Ok(()),
    }
}

fn verdicts<'a>(
    fleet: &Fleet,
    project: &'a Project,
    direction: Direction,
    args: &'a MigrateArgs,
) -> States<'a, Verdict> {
    let dialect = fleet.dialect;
    let kept = AtomicUsize::new(0);
    States::new(move |observed| {
        let mut verdict = Verdict::of(project, dialect, direction, args, observed);
        if verdict.plan.is_some() && kept.fetch_add(1, Ordering::Relaxed) >= KEPT {
            verdict.plan = None;
        }
        verdict
    })
}

/// The read pass of a run. Accounts for targets in which there is nothing to do and for those that are
/// missing; returns for each target how it is to be run.
fn read(run: &Run<'_>, stages: &[Stage]) -> Result<Vec<Wait>, Error> {
    let members = |stage: &Stage| stage.members.clone();
    let all: Vec<usize> = stages.iter().flat_map(members).collect();
    let mut is_canary = vec![false; run.fleet.targets.len()];
    for stage in stages
        .iter()
        .filter(|stage| stage.kind == StageKind::Canaries)
    {
        stage
            .members
            .iter()
            .for_each(|index| is_canary[*index] = true);
    }
    let waiting = Mutex::new(vec![Wait::Done; run.fleet.targets.len()]);
    let wait = |index: usize, how: Wait| {
        waiting.lock().unwrap_or_else(PoisonError::into_inner)[index] = how;
    };
    let (seen, total) = (AtomicUsize::new(0), all.len());
    let each = |index: usize, found: Seen<Verdict>| {
        (run.voice.reading)(seen.fetch_add(1, Ordering::Relaxed) + 1, total);
        let line = match found {
            Seen::State(verdict) if verdict.is_current() => {
                run.warn_all(index, &verdict.warnings);
                verdict.line(index, Duration::ZERO)
            }
            Seen::State(verdict) => return wait(index, Wait::of(&verdict)),
            Seen::Doubtful => return wait(index, Wait::Session),
            Seen::Missing(error) => absent(run.fleet, run.voice, index, error.into()),
            Seen::Failed(error) => failed(run.voice, index, error),
        };
        if is_canary[index] && line.outcome == Outcome::Failed {
            run.account.note_failed_canary();
        }
        run.account.add(run.fleet, &line, run.journal);
    };
    let pass = Pass {
        fleet: run.fleet,
        places: run.places,
        states: run.states,
        stop: &run.stop.outer,
    };
    pass.glance(&all, &each)?;
    let mut waiting = waiting.into_inner().unwrap_or_else(PoisonError::into_inner);
    if run.stop.outer.is_requested() {
        // Those that were not looked at are not started either.
        waiting = run.unaccounted(&all);
    }
    Ok(waiting)
}

/// The line of a target that does not exist.
fn absent(fleet: &Fleet, voice: &Voice<'_>, index: usize, error: Error) -> TargetLine {
    let outcome = match fleet.config.exists {
        Exists::Skip => Outcome::Skipped,
        Exists::Require => Outcome::Failed,
    };
    TargetLine {
        outcome,
        ..failed(voice, index, error)
    }
}

fn failed(voice: &Voice<'_>, index: usize, error: Error) -> TargetLine {
    TargetLine {
        outcome: Outcome::Failed,
        reason: Some((voice.explain)(error)),
        ..TargetLine::not_started(index)
    }
}

/// Plans [`fleet_migrate`] without locking or changing anything.
///
/// # Errors
/// The errors of [`fleet_migrate`].
pub fn plan_fleet_migrate(
    fleet: &Fleet,
    project: &Project,
    direction: Direction,
    args: &FleetArgs,
    stop: &FleetStop,
    voice: &Voice<'_>,
) -> Result<FleetPlanReport, Error> {
    project.history(fleet.dialect)?;
    refuse_backups(fleet, args)?;
    let stages = fleet.stages(&args.selection)?;
    let selected: Vec<usize> = stages.into_iter().flat_map(|stage| stage.members).collect();
    let states = verdicts(fleet, project, direction, &args.migrate);
    let found = look(fleet, &states, stop, &selected, voice)?;
    let mut report = FleetPlanReport {
        environment: fleet.config.environment.clone(),
        direction,
        targets: selected.len(),
        current: 0,
        plans: Vec::new(),
        tally: Tally::default(),
    };
    let plans = sort(fleet, voice, found, &mut report);
    for targets in plans {
        match plan_of(fleet, project, direction, args, targets[0]) {
            Ok(plan) => report.plans.push(FleetPlan { plan, targets }),
            Err(error) => {
                let line = failed(voice, targets[0], error);
                let lines = targets.into_iter().map(|target| TargetLine {
                    target,
                    ..line.clone()
                });
                lines.for_each(|line| report.tally.add(&line));
            }
        }
    }
    Ok(report)
}

/// Counts what needs no plan, and returns the others, grouped by state.
fn sort(
    fleet: &Fleet,
    voice: &Voice<'_>,
    found: Vec<(usize, Seen<Verdict>)>,
    report: &mut FleetPlanReport,
) -> Vec<Vec<usize>> {
    let mut plans: Vec<(Arc<Verdict>, Vec<usize>)> = Vec::new();
    for (index, seen) in found {
        match seen {
            Seen::State(verdict) if verdict.is_current() => report.current += 1,
            Seen::State(verdict) => {
                match plans.iter_mut().find(|it| Arc::ptr_eq(&it.0, &verdict)) {
                    Some((_, targets)) => targets.push(index),
                    None => plans.push((verdict, vec![index])),
                }
            }
            Seen::Missing(error) => report.tally.add(&absent(fleet, voice, index, error.into())),
            Seen::Failed(error) => report.tally.add(&failed(voice, index, error)),
            Seen::Doubtful => {}
        }
    }
    plans.into_iter().map(|(_, targets)| targets).collect()
}

/// The plan of one target, made over a session.
fn plan_of(
    fleet: &Fleet,
    project: &Project,
    direction: Direction,
    args: &FleetArgs,
    index: usize,
) -> Result<PlanReport, Error> {
    let planned: Mutex<Option<Result<PlanReport, Error>>> = Mutex::default();
    let places = fleet.places()?;
    super::workers(1, |runtime| {
        let plan = async {
            let target = &fleet.targets[index];
            let place = places
                .of(target)
                .map_err(|kind| Fleet::lost_place(target, kind))?;
            let mut session = Session::new(place.location, place.settings).named(&*target.name);
            let plan = match direction {
                Direction::Up => plan_upgrade(project, &mut session, &args.migrate).await,
                Direction::Down => plan_downgrade(project, &mut session, &args.migrate).await,
            };
            // What was read is complete.
            let _ = session.close().await;
            plan
        };
        let plan = runtime.block_on(plan);
        *planned.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
    })?;
    let planned = planned.into_inner().unwrap_or_else(PoisonError::into_inner);
    planned.unwrap_or(Err(Error::Interrupted))
}

/// The whole read pass: what is doubtful at first sight is asked over a session. In the order of targets.
///
/// # Errors
/// Fails when the URL of all targets is invalid, no thread can be started, or a request stops the pass.
pub(super) fn look<T: Send + Sync>(
    fleet: &Fleet,
    states: &States<'_, T>,
    stop: &FleetStop,
    selected: &[usize],
    voice: &Voice<'_>,
) -> Result<Vec<(usize, Seen<T>)>, Error> {
    let places = fleet.places()?;
    let pass = Pass {
        fleet,
        places: &places,
        states,
        stop: &stop.outer,
    };
    let found: Mutex<Vec<(usize, Seen<T>)>> = Mutex::default();
    let (seen, total) = (AtomicUsize::new(0), selected.len());
    let each = |index: usize, seen_of_it: Seen<T>| {
        if !matches!(seen_of_it, Seen::Doubtful) {
            (voice.reading)(seen.fetch_add(1, Ordering::Relaxed) + 1, total);
        }
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        found.push((index, seen_of_it));
    };
    pass.glance(selected, &each)?;
    let doubtful: Vec<usize> = {
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        let doubtful = found.extract_if(.., |(_, seen)| matches!(seen, Seen::Doubtful));
        doubtful.map(|(index, _)| index).collect()
    };
    pass.ask(&doubtful, &each)?;
    if stop.outer.is_requested() {
        return Err(Error::Interrupted);
    }
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.arrange_by_key(|(index, _)| *index);
    Ok(found)
}
