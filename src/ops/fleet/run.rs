//! Upgrades and downgrades of many targets: who is next, when to end, and what became of each.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{Local, Timelike};
use tokio::runtime::Runtime;

use super::{
    super::{Error, MigrateArgs, Project, RunReport, Session, downgrade, upgrade},
    Fleet, FleetArgs, FleetStop, Voice,
    journal::Journal,
    place::Places,
    queue::{Item, Queue},
    read::{is_missing, is_refusal, missing},
    states::States,
    verdict::Verdict,
};
use crate::{
    database::{Access, Detail},
    execute::LockError,
    fleet::{Minute, Outcome, Stage, StageKind, Tally, TargetLine},
    plan::Warning,
    project::Exists,
    revision::Direction,
};

/// Why a run ended before all of its targets were started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A signal stopped it.
    Stopped,
    /// The window in which targets may be started was over.
    Closed,
    /// A canary has failed.
    Canary,
    /// As many targets have failed as were allowed to.
    Failures,
}

/// The pause between two attempts to take the lock of a target.
const LOCK_PAUSE: Duration = Duration::from_millis(300);

/// A run over the targets that the read pass has left.
pub(super) struct Run<'a> {
    pub fleet: &'a Fleet,
    pub project: &'a Project,
    pub places: &'a Places<'a>,
    pub states: &'a States<'a, Verdict>,
    pub direction: Direction,
    pub args: &'a FleetArgs,
    pub stop: &'a FleetStop,
    pub voice: &'a Voice<'a>,
    pub journal: Option<&'a Journal>,
    pub account: Account<'a>,
}

/// The account of a run, shared by its threads.
pub(super) struct Account<'a> {
    tally: Mutex<Tally>,
    /// The targets that are accounted for.
    accounted: Mutex<HashSet<usize>>,
    warnings: Mutex<Vec<TargetWarning>>,
    ended: Mutex<Option<Ended>>,
    /// The number of failures after which no target is started.
    limit: usize,
    canaries_failed: AtomicUsize,
    all: usize,
    begin: Instant,
    voice: &'a Voice<'a>,
}

/// A warning about targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetWarning {
    /// The warning.
    pub text: String,
    /// The indices of the targets.
    pub targets: Vec<usize>,
}

/// A target that is being run.
struct Attempt<'a> {
    index: usize,
    begin: Instant,
    /// When it was found locked.
    busy_since: Option<Instant>,
    args: &'a MigrateArgs,
}

/// What follows from an attempt.
enum Next {
    Finished(TargetLine),
    /// The server has refused the connection.
    Refused(TargetLine),
    /// Another session holds the lock.
    Busy,
}

impl<'a> Account<'a> {
    pub fn new(fleet: &Fleet, all: usize, voice: &'a Voice<'a>) -> Self {
        let limit = fleet
            .config
            .max_failures
            .map_or(usize::MAX, |share| share.of(all));
        Self {
            tally: Mutex::default(),
            accounted: Mutex::default(),
            warnings: Mutex::default(),
            ended: Mutex::default(),
            limit,
            canaries_failed: AtomicUsize::new(0),
            all,
            begin: Instant::now(),
            voice,
        }
    }

    /// Adds a target that has ended, or was not started.
    pub fn add(&self, fleet: &Fleet, line: &TargetLine, journal: Option<&Journal>) {
        let target = &fleet.targets[line.target];
        self.accounted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(line.target);
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.add(line);
        if let Some(journal) = journal.filter(|_| line.outcome != Outcome::NotStarted) {
            journal.add(target, line);
        }
        (self.voice.finished)(
            target,
            line,
            &Progress {
                done: tally.total,
                all: self.all,
                failed: tally.failed,
                elapsed: self.begin.elapsed(),
            },
        );
    }

    /// Adds a warning about a target.
    pub fn warn(&self, target: usize, text: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        match warnings.iter_mut().find(|it| it.text == text) {
            Some(known) => known.targets.push(target),
            None => warnings.push(TargetWarning {
                text,
                targets: vec![target],
            }),
        }
    }

    pub fn ended(&self) -> Option<Ended> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, reason: Ended) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.get_or_insert(reason);
    }

    fn failed(&self) -> usize {
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failed
    }

    pub fn finish(self) -> (Tally, Vec<TargetWarning>, Option<Ended>, Duration) {
        let mut warnings = self
            .warnings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for warning in &mut warnings {
            warning.targets.sort_unstable();
        }
        warnings.sort_by_key(|it| it.targets.first().copied());
        (
            self.tally
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            warnings,
            self.ended
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            self.begin.elapsed(),
        )
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The targets that are accounted for.
    pub done: usize,
    /// All targets.
    pub all: usize,
    /// Those that have failed.
    pub failed: usize,
    /// The time since the run began.
    pub elapsed: Duration,
}

/// Whether targets may be started now.
pub(super) fn is_open(fleet: &Fleet, args: &FleetArgs) -> bool {
    let Some(window) = fleet.config.deadline.filter(|_| !args.any_time) else {
        return true;
    };
    let now = Local::now();
    Minute::at(now.hour(), now.minute()).is_none_or(|now| window.contains(now))
}

impl Run<'_> {
    /// Runs the stages, each after the one before it has finished. `waiting` are the targets that are to be
    /// run; all others are accounted for.
    ///
    /// # Errors
    /// Fails when no thread can be started.
    pub fn stages(&self, stages: &[Stage], waiting: &[bool]) -> Result<(), Error> {
        for stage in stages {
            let members = stage.members.iter().copied();
            let members: Vec<usize> = members.filter(|index| waiting[*index]).collect();
            let has_failed = self.account.canaries_failed.load(Ordering::Relaxed) > 0;
            if has_failed && stage.kind != StageKind::Canaries {
                self.account.end(Ended::Canary);
            }
            self.stage(&members, stage.kind == StageKind::Canaries)?;
        }
        Ok(())
    }

    /// For each target whether it is selected and not accounted for.
    pub fn unaccounted(&self, selected: &[usize]) -> Vec<bool> {
        let accounted = self
            .account
            .accounted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut waiting = vec![false; self.fleet.targets.len()];
        for index in selected {
            waiting[*index] = !accounted.contains(index);
        }
        waiting
    }

    /// Notes that the read pass has found a canary that cannot be run.
    pub fn note_failed_canary(&self) {
        self.account.canaries_failed.fetch_add(1, Ordering::Relaxed);
    }

    fn stage(&self, members: &[usize], are_canaries: bool) -> Result<(), Error> {
        let config = &self.fleet.config;
        let queue = Queue::new(config.jobs_per_server, config.server_wait);
        for index in members.iter().copied() {
            let place = self.places.of(&self.fleet.targets[index]);
            queue.add(index, place.ok().and_then(|place| place.location.server()));
        }
        let busy: Mutex<HashMap<usize, Instant>> = Mutex::default();
        super::workers(config.jobs.min(members.len()), |runtime| {
            while let Some(item) = queue.next(&|| self.may_start()) {
                self.item(item, &queue, &busy, runtime, are_canaries);
            }
        })?;
        for index in queue.drain() {
            let busy_since = busy
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&index);
            let line = TargetLine {
                elapsed: busy_since.map_or(Duration::ZERO, |since| since.elapsed()),
                ..TargetLine::not_started(index)
            };
            self.account.add(self.fleet, &line, self.journal);
        }
        Ok(())
    }

    /// Whether another target may be started.
    fn may_start(&self) -> bool {
        if self.stop.outer.is_requested() {
            self.account.end(Ended::Stopped);
        } else if self.account.failed() >= self.account.limit {
            self.account.end(Ended::Failures);
        } else if !is_open(self.fleet, self.args) {
            self.account.end(Ended::Closed);
        }
        self.account.ended().is_none()
    }

    fn item(
        &self,
        item: Item,
        queue: &Queue,
        busy: &Mutex<HashMap<usize, Instant>>,
        runtime: &Runtime,
        is_canary: bool,
    ) {
        let busy_since = {
            let busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
            busy.get(&item.index).copied()
        };
        let attempt = Attempt {
            index: item.index,
            begin: busy_since.unwrap_or_else(Instant::now),
            busy_since,
            args: &self.args.migrate,
        };
        let line = match runtime.block_on(self.attempt(&attempt)) {
            Next::Busy => {
                let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
                busy.entry(item.index).or_insert(attempt.begin);
                queue.delay(item, LOCK_PAUSE);
                return;
            }
            Next::Refused(_) if queue.refuse(item) => return,
            Next::Refused(line) => line,
            Next::Finished(line) => {
                queue.finish(item);
                line
            }
        };
        if is_canary && line.outcome == Outcome::Failed {
            self.note_failed_canary();
        }
        self.account.add(self.fleet, &line, self.journal);
    }

    async fn attempt(&self, attempt: &Attempt<'_>) -> Next {
        let target = &self.fleet.targets[attempt.index];
        let place = match self.places.of(target) {
            Ok(place) => place,
            Err(kind) => {
                return Next::Finished(self.failed(attempt, Fleet::lost_place(target, kind)));
            }
        };
        let events = self.voice.events.clone();
        let mut session = Session::new(place.location, place.settings)
            .named(&*target.name)
            .access(Access::Existing)
            // A target that is locked makes room for others meanwhile.
            .lock_wait(Duration::ZERO)
            .options(self.voice.options)
            .stop(self.stop.inner.clone())
            .cancelled_by(self.stop.running.clone());
        if let Some(events) = events {
            session = session.on_events(move |event| events(event));
        }
        let next = self.within(&mut session, attempt).await;
        for error in session.take_warnings() {
            let reason = (self.voice.explain)(error.into());
            self.account.warn(attempt.index, reason.message);
        }
        if let Err(error) = session.close().await {
            let reason = (self.voice.explain)(error.into());
            self.account.warn(attempt.index, reason.message);
        }
        next
    }

    async fn within(&self, session: &mut Session, attempt: &Attempt<'_>) -> Next {
        let observed = match session.observe(Detail::Brief).await {
            Ok(observed) => observed,
            Err(error) => return self.error(attempt, error.into()),
        };
        let verdict = self.states.of(&observed);
        if verdict.is_current() {
            self.warn_all(attempt.index, &verdict.warnings);
            return Next::Finished(verdict.line(attempt.index, attempt.begin.elapsed()));
        }
        let ran = match self.direction {
            Direction::Up => upgrade(self.project, session, attempt.args).await,
            Direction::Down => downgrade(self.project, session, attempt.args).await,
        };
        match ran {
            Ok(report) => Next::Finished(self.report(attempt, report)),
            Err(error) => self.error(attempt, error),
        }
    }

    fn report(&self, attempt: &Attempt<'_>, report: RunReport) -> TargetLine {
        self.warn_all(attempt.index, &report.warnings);
        let steps = report.done.len();
        let reason = match (report.failure, report.interrupted) {
            (Some(failure), _) => Some((self.voice.explain)(Error::Failed(failure))),
            (None, true) => Some((self.voice.explain)(Error::Interrupted)),
            (None, false) => None,
        };
        let outcome = match (&reason, steps) {
            (Some(_), _) => Outcome::Failed,
            (None, 0) => Outcome::Current,
            (None, _) => Outcome::Done,
        };
        TargetLine {
            target: attempt.index,
            outcome,
            from: Some(report.from.into()),
            to: Some(report.to.into()),
            steps,
            elapsed: attempt.begin.elapsed(),
            reason,
        }
    }

    fn error(&self, attempt: &Attempt<'_>, error: Error) -> Next {
        let error = match error {
            Error::Lock(LockError::Database(error)) => Error::Database(error),
            error => error,
        };
        match error {
            Error::Lock(LockError::Busy { holder, .. }) => {
                let waited = attempt
                    .busy_since
                    .map_or(Duration::ZERO, |since| since.elapsed());
                if waited < self.voice.lock_wait {
                    return Next::Busy;
                }
                let error = Error::Lock(LockError::Busy { holder, waited });
                Next::Finished(self.failed(attempt, error))
            }
            Error::Database(error) if is_missing(&error) => {
                let outcome = match self.fleet.config.exists {
                    Exists::Skip => Outcome::Skipped,
                    Exists::Require => Outcome::Failed,
                };
                let name = &self.fleet.targets[attempt.index].name;
                Next::Finished(TargetLine {
                    outcome,
                    ..self.failed(attempt, missing(error, name).into())
                })
            }
            Error::Database(error) if is_refusal(&error) => {
                Next::Refused(self.failed(attempt, error.into()))
            }
            error => Next::Finished(self.failed(attempt, error)),
        }
    }

    fn failed(&self, attempt: &Attempt<'_>, error: Error) -> TargetLine {
        let steps = match &error {
            Error::Partway { done, .. } => done.len(),
            _ => 0,
        };
        TargetLine {
            outcome: Outcome::Failed,
            steps,
            elapsed: attempt.begin.elapsed(),
            reason: Some((self.voice.explain)(error)),
            ..TargetLine::not_started(attempt.index)
        }
    }

    pub fn warn_all(&self, target: usize, warnings: &[Warning]) {
        for warning in warnings {
            self.account.warn(target, (self.voice.warn)(warning));
        }
    }
}

/// Events of a target, for a log.
pub type EventReceiver = Arc<dyn Fn(&crate::execute::Event) + Send + Sync>;
