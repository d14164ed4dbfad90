//! Upgrades and downgrades of many targets: who is next, and when to end.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{Local, Timelike};
use tokio::runtime::Runtime;

use super::{
    super::{Error, Project},
    Fleet, FleetArgs, FleetStop, Voice,
    account::{Account, Ended},
    attempt::{Attempt, Next},
    journal::Journal,
    journey::Journey,
    place::Places,
    queue::{Item, Queue},
    states::States,
    verdict::Verdict,
};
use crate::{
    fleet::{Minute, Outcome, Stage, StageKind, TargetLine},
    revision::Direction,
};

/// How a target is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// It is accounted for.
    Done,
    /// In a session of its own.
    Session,
    /// Over a connection that goes from schema to schema.
    Journey,
}

impl Wait {
    /// How a target is run that the read pass has judged.
    pub fn of(verdict: &Verdict) -> Self {
        match verdict.plan {
            Some(_) => Self::Journey,
            None => Self::Session,
        }
    }
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
    /// The URLs of databases each of whose schemas needs a session of its own.
    pub unshared: Mutex<HashSet<String>>,
}

/// The targets of a stage.
struct Part<'a> {
    queue: &'a Queue,
    /// Since when targets are found locked.
    busy: &'a Mutex<HashMap<usize, Instant>>,
    how: &'a [Wait],
    are_canaries: bool,
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
    pub fn stages(&self, stages: &[Stage], waiting: &[Wait]) -> Result<(), Error> {
        for stage in stages {
            let members = stage.members.iter().copied();
            let members = members.filter(|index| waiting[*index] != Wait::Done);
            let members: Vec<usize> = members.collect();
            let has_failed = self.account.has_failed_canary();
            if has_failed && stage.kind != StageKind::Canaries {
                self.account.end(Ended::Canary);
            }
            self.stage(&members, waiting, stage.kind == StageKind::Canaries)?;
        }
        Ok(())
    }

    /// The targets that are selected and not accounted for.
    pub fn unaccounted(&self, selected: &[usize]) -> Vec<Wait> {
        let mut waiting = vec![Wait::Done; self.fleet.targets.len()];
        for index in self.account.missing(selected) {
            waiting[index] = Wait::Session;
        }
        waiting
    }

    fn stage(&self, members: &[usize], how: &[Wait], are_canaries: bool) -> Result<(), Error> {
        let config = &self.fleet.config;
        let queue = Queue::new(config.jobs_per_server, config.server_wait);
        for index in members.iter().copied() {
            let place = self.places.of(&self.fleet.targets[index]);
            queue.add(index, place.ok().and_then(|place| place.location.server()));
        }
        let busy: Mutex<HashMap<usize, Instant>> = Mutex::default();
        let part = Part {
            queue: &queue,
            busy: &busy,
            how,
            are_canaries,
        };
        super::workers(config.jobs.min(members.len()), |runtime| {
            self.work(&part, runtime);
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
        } else if self.account.has_failed_enough() {
            self.account.end(Ended::Failures);
        } else if !is_open(self.fleet, self.args) {
            self.account.end(Ended::Closed);
        }
        self.account.ended().is_none()
    }

    /// Takes one target after the other. The connection of a journey takes the place of a target in the
    /// queue, so that there are never more than the server may have.
    fn work(&self, part: &Part<'_>, runtime: &Runtime) {
        let may_start = || self.may_start();
        let mut journey: Option<Journey> = None;
        let mut next = part.queue.next(&may_start);
        while let Some(item) = next {
            let has_place = self.item(item, part, &mut journey, runtime);
            next = None;
            if has_place {
                let goes_on = |index: usize| {
                    part.how[index] == Wait::Journey && self.is_on_the_way(journey.as_ref(), index)
                };
                next = part.queue.pass(item, &may_start, &goes_on);
            }
            if next.is_some() {
                continue;
            }
            if let Some(journey) = journey.take() {
                runtime.block_on(journey.end());
            }
            if has_place {
                part.queue.finish(item);
            }
            next = part.queue.next(&may_start);
        }
    }

    /// Makes an attempt at a target. Returns whether it still has its place in the queue.
    fn item(
        &self,
        item: Item,
        part: &Part<'_>,
        journey: &mut Option<Journey>,
        runtime: &Runtime,
    ) -> bool {
        let busy_since = {
            let busy = part.busy.lock().unwrap_or_else(PoisonError::into_inner);
            busy.get(&item.index).copied()
        };
        let attempt = Attempt {
            index: item.index,
            begin: busy_since.unwrap_or_else(Instant::now),
            busy_since,
            how: part.how[item.index],
            args: &self.args.migrate,
        };
        let (line, has_place) = match runtime.block_on(self.attempt(&attempt, journey)) {
            Next::Busy => {
                let mut busy = part.busy.lock().unwrap_or_else(PoisonError::into_inner);
                busy.entry(item.index).or_insert(attempt.begin);
                part.queue.delay(item, LOCK_PAUSE);
                return false;
            }
            Next::Refused(_) if part.queue.refuse(item) => return false,
            Next::Refused(line) => (line, false),
            Next::Finished(line) => (line, true),
        };
        if part.are_canaries && line.outcome == Outcome::Failed {
            self.account.note_failed_canary();
        }
        self.account.add(self.fleet, &line, self.journal);
        has_place
    }
}
