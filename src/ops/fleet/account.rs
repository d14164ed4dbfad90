//! What became of the targets of a run, and why it ended.

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Fleet, Voice, journal::Journal};
use crate::{
    arrange::Arrange as _,
    fleet::{Outcome, Tally, TargetLine},
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

impl<'a> Account<'a> {
    /// An account of `all` targets.
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

    /// Why no more targets are started.
    pub fn ended(&self) -> Option<Ended> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts no more targets. The first reason counts.
    pub fn end(&self, reason: Ended) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.get_or_insert(reason);
    }

    /// Whether as many targets have failed as may.
    pub fn has_failed_enough(&self) -> bool {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.failed >= self.limit
    }

    /// Notes that a canary has failed.
    pub fn note_failed_canary(&self) {
        self.canaries_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub fn has_failed_canary(&self) -> bool {
        self.canaries_failed.load(Ordering::Relaxed) > 0
    }

    /// Those of `selected` that are not accounted for.
    pub fn missing(&self, selected: &[usize]) -> Vec<usize> {
        let accounted = self
            .accounted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let all = selected.iter().copied();
        all.filter(|index| !accounted.contains(index)).collect()
    }

    /// The account, when the run is over.
    pub fn finish(self) -> (Tally, Vec<TargetWarning>, Option<Ended>, Duration) {
        let mut warnings = self
            .warnings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for warning in &mut warnings {
            warning.targets.sort_unstable();
        }
        warnings.arrange_by_key(|it| it.targets.first().copied());
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
