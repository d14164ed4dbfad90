//! Watches for slow statements from a separate thread, since SQLite works on the thread that runs
//! the plan.

use std::{
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use super::{EventKind, Sink, SlowStatement, StatementRef};
use crate::{
    arrange::Arrange as _,
    database::{Activity, DatabaseError, StatementDone, StepError, StepStage, Waiting, Watch},
    plan::Step,
    revision::Subject,
};

/// The shortest interval between two polls.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);

/// The maximum number of locks remembered per statement.
const WAITS: usize = 4;

/// Tracks the running statement and its start. Does nothing when the limit is zero.
pub(super) struct SlowWatch {
    limit: Duration,
    shared: Arc<Shared>,
    thread: Option<Thread>,
}

struct Shared {
    limit: Duration,
    watch: Arc<dyn Watch>,
    sink: Sink,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The number of the current request, which identifies answers that arrive too late.
    number: u64,
    ended: bool,
    script: Option<Arc<Script>>,
    running: Option<Running>,
    found: Vec<SlowStatement>,
}

/// The data that events need of a step's statements.
struct Script {
    subject: Subject,
    file: String,
    /// The line and column of each statement.
    places: Vec<(u32, u32)>,
}

/// A running request to the database. Indexes are relative to the request.
struct Running {
    since: Instant,
    /// The index of the request's first statement within the script.
    first: usize,
    count: usize,
    /// The range of statements that contains the running one.
    at: Range<usize>,
    /// The start of the running statement, or its earliest possible start.
    at_since: Instant,
    is_at_most: bool,
    /// Whether the database was seen running it.
    is_seen: bool,
    waits: Vec<Waiting>,
    next_look: Instant,
    /// Statements whose duration the database reported.
    timed: Vec<(usize, Duration)>,
}

impl SlowWatch {
    pub fn new(limit: Duration, watch: Arc<dyn Watch>, sink: &Sink) -> Self {
        let shared = Shared {
            limit,
            watch,
            sink: Sink::clone(sink),
            state: Mutex::default(),
        };
        Self {
            limit,
            shared: Arc::new(shared),
            thread: None,
        }
    }

    /// Starts tracking a step.
    pub fn step(&mut self, step: &Step) {
        if self.limit.is_zero() {
            return;
        }
        let statements = step.statements.iter();
        let script = Script {
            subject: step.subject.clone(),
            file: step.script.file.clone(),
            places: statements.map(|one| (one.line, one.column)).collect(),
        };
        self.shared.state().script = Some(Arc::new(script));
        if self.thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let named = thread::Builder::new().name("slow statements".to_owned());
            // Without the thread, slow statements are reported only after they finish.
            if let Ok(started) = named.spawn(move || shared.watch()) {
                self.thread = Some(started.thread().clone());
            }
        }
    }

    /// Starts tracking `count` statements; `first` is the index of the first one in the script.
    pub fn begin(&self, first: usize, count: usize) {
        if self.limit.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut state = self.shared.state();
        state.number += 1;
        let known = count == 1 || self.shared.watch.is_told_at_once();
        state.running = (count > 0).then(|| Running {
            since: now,
            first,
            count,
            at: 0..if known { 1 } else { count },
            at_since: now,
            is_at_most: !known,
            is_seen: known,
            waits: Vec::new(),
            next_look: now + self.limit,
            timed: Vec::new(),
        });
    }

    /// Records that one of the statements finished.
    pub fn done(&self, done: &StatementDone) {
        if self.limit.is_zero() {
            return;
        }
        let at_once = self.shared.watch.is_told_at_once();
        let mut state = self.shared.state();
        let State {
            running: Some(running),
            script: Some(script),
            found,
            ..
        } = &mut *state
        else {
            return;
        };
        if !at_once {
            if done.is_timed {
                running.timed.push((done.index, done.elapsed));
            }
            return;
        }
        let slow = (done.elapsed >= self.limit).then(|| {
            let slow = running.slow(script, done.elapsed);
            found.push(slow.clone());
            slow
        });
        let next = done.index + 1;
        running.go_on(next..next + 1, Instant::now());
        drop(state);
        self.tell(slow);
    }

    /// Records that the statements ended.
    pub fn end(&self, result: &Result<(), StepError>) {
        if self.limit.is_zero() {
            return;
        }
        let mut state = self.shared.state();
        state.number += 1;
        let (Some(mut running), Some(script)) = (state.running.take(), state.script.clone()) else {
            return;
        };
        let now = Instant::now();
        let slow = match result {
            Ok(()) if self.shared.watch.is_told_at_once() => Vec::new(),
            Ok(()) if !running.timed.is_empty() => {
                running.timed_ones(self.limit, &script, &mut state.found)
            }
            Ok(()) => running
                .ended(now, self.limit, &script)
                .into_iter()
                .collect(),
            // The cause is reported when the connection is next used.
            Err(StepError {
                error: DatabaseError::LockTimeout { .. },
                ..
            }) => Vec::new(),
            Err(StepError {
                stage: StepStage::Statement(index),
                ..
            }) => {
                if !running.at.contains(index) {
                    // The start of the statement was not observed.
                    running.at_since = running.since;
                    running.is_at_most = true;
                }
                running.at = *index..*index + 1;
                let slow = running.ended(now, self.limit, &script);
                let failed = slow.map(|slow| SlowStatement {
                    has_failed: true,
                    ..slow
                });
                failed.into_iter().collect()
            }
            Err(_) => Vec::new(),
        };
        state.found.extend(slow.iter().cloned());
        drop(state);
        self.tell(slow);
    }

    /// Whether the end of each statement is reported as it happens.
    pub fn is_told_at_once(&self) -> bool {
        self.shared.watch.is_told_at_once()
    }

    /// The slow statements since the last call, slowest first.
    pub fn take(&self) -> Vec<SlowStatement> {
        let mut found = std::mem::take(&mut self.shared.state().found);
        found.arrange_by_key(|slow| std::cmp::Reverse(slow.elapsed));
        found
    }

    fn tell(&self, slow: impl IntoIterator<Item = SlowStatement>) {
        for slow in slow {
            self.shared.sink.tell(EventKind::StatementSlow(slow));
        }
    }
}

impl Drop for SlowWatch {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread's loop. It sleeps until a statement may be slow, so fast steps never wake it.
    fn watch(&self) {
        let mut runtime = None;
        loop {
            let now = Instant::now();
            let state = self.state();
            if state.ended {
                return;
            }
            let (number, wait) = match &state.running {
                Some(running) => (
                    state.number,
                    running.next_look.saturating_duration_since(now),
                ),
                None => (0, self.limit),
            };
            drop(state);
            if !wait.is_zero() {
                thread::park_timeout(wait);
                continue;
            }
            if runtime.is_none() {
                let built = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let Ok(built) = built else { return };
                runtime = Some(built);
            }
            let look = runtime.as_ref().map(|it| it.block_on(self.watch.look()));
            self.looked(number, look.flatten());
        }
    }

    /// Reports an observation unless its request has ended. The state stays locked meanwhile, so
    /// that a statement is never reported after its end.
    fn looked(&self, number: u64, activity: Option<Activity>) {
        let mut state = self.state();
        let now = Instant::now();
        let State {
            number: current,
            running: Some(running),
            script: Some(script),
            found,
            ..
        } = &mut *state
        else {
            return;
        };
        if *current != number {
            return;
        }
        let Activity {
            statements,
            waiting,
            advance,
        } = activity.unwrap_or_default();
        if let Some((first, last)) = statements
            && last < running.count
            && (running.at != (first..last + 1) || !running.is_seen)
        {
            if running.is_seen
                && let Some(slow) = running.ended(now, self.limit, script)
            {
                found.push(slow.clone());
                self.sink.tell(EventKind::StatementSlow(slow));
            }
            running.seen_at(first..last + 1, now);
        }
        running.remember(waiting.as_ref());
        let elapsed = now - running.at_since;
        running.next_look = now + (elapsed / 10).clamp(SHORTEST.min(self.limit), LONGEST);
        if elapsed >= self.limit {
            self.sink.tell(EventKind::StatementRuns {
                statement: running.source_span(script),
                elapsed,
                waiting,
                advance,
            });
        }
    }
}

impl Running {
    fn source_span(&self, script: &Script) -> StatementRef {
        let first = self.first + self.at.start;
        let place = script.places.get(first).copied();
        let (line, column) = place.unwrap_or((1, 1));
        StatementRef {
            subject: script.subject.clone(),
            file: script.file.clone(),
            line,
            column,
            first,
            last: self.first + self.at.end.max(self.at.start + 1) - 1,
            total: script.places.len(),
        }
    }

    fn slow(&self, script: &Script, elapsed: Duration) -> SlowStatement {
        SlowStatement {
            statement: self.source_span(script),
            elapsed,
            is_at_most: self.is_at_most,
            has_failed: false,
            waited_for: self.waits.clone(),
        }
    }

    /// The slow statement that ends now, if any.
    fn ended(&self, now: Instant, limit: Duration, script: &Script) -> Option<SlowStatement> {
        let elapsed = now - self.at_since;
        (elapsed >= limit).then(|| self.slow(script, elapsed))
    }

    /// Records that the database runs other statements than before.
    fn seen_at(&mut self, at: Range<usize>, now: Instant) {
        if self.is_seen {
            self.go_on(at, now);
        } else {
            // The statement may have started before the first poll.
            self.is_at_most = at.start > 0;
            self.is_seen = true;
            self.at = at;
        }
    }

    fn go_on(&mut self, at: Range<usize>, now: Instant) {
        self.at = at;
        self.at_since = now;
        self.is_at_most = false;
        self.waits.clear();
    }

    fn remember(&mut self, waiting: Option<&Waiting>) {
        let Some(waiting) = waiting else { return };
        let mut waits = self.waits.iter_mut();
        if let Some(wait) = waits.find(|wait| wait.lock == waiting.lock) {
            // The state of the lock's holder may have changed.
            wait.clone_from(waiting);
        } else if self.waits.len() < WAITS {
            self.waits.push(waiting.clone());
        }
    }

    /// The slow statements by the database's own timing, which is more exact than polling. Returns
    /// those that were not reported.
    fn timed_ones(
        &mut self,
        limit: Duration,
        script: &Script,
        found: &mut [SlowStatement],
    ) -> Vec<SlowStatement> {
        let mut new = Vec::new();
        for (index, elapsed) in std::mem::take(&mut self.timed) {
            let in_script = self.first + index;
            let told = found.iter_mut().find(|slow| {
                let source_span = &slow.statement;
                source_span.subject == script.subject
                    && (source_span.first, source_span.last) == (in_script, in_script)
            });
            match told {
                Some(slow) => {
                    slow.elapsed = elapsed;
                    slow.is_at_most = false;
                }
                None if elapsed >= limit => {
                    let waits = if self.at.contains(&index) {
                        std::mem::take(&mut self.waits)
                    } else {
                        Vec::new()
                    };
                    self.at = index..index + 1;
                    self.is_at_most = false;
                    let slow = self.slow(script, elapsed);
                    new.push(SlowStatement {
                        waited_for: waits,
                        ..slow
                    });
                }
                None => {}
            }
        }
        new
    }
}
