use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::{
    Page, Paint, Style,
    batches::{self, Doubling},
    duration,
    live::Live,
    out::Screen,
    shown, slow,
};
use crate::{
    execute::{BatchState, Event, EventKind, RetryCause, StatementEnd, StatementRef},
    revision::{Direction, Subject},
};

/// The amount of output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-q`: errors and requested results.
    Quiet,
    /// The default: steps, warnings, a summary.
    #[default]
    Normal,
    /// `-v`: every statement with its time.
    Verbose,
}

/// Shows the events of a run as they happen: finished steps as lines on stdout, activity and notes
/// on stderr.
pub struct Progress {
    screen: Box<dyn Screen>,
    paint_out: Paint,
    paint_err: Paint,
    verbosity: Verbosity,
    state: Mutex<State>,
}

struct State {
    live: Live,
    /// Whether the run has steps of both directions, so that each line shows its direction.
    both_ways: bool,
    running: Option<Running>,
    width: usize,
    waiting_since: Option<Instant>,
    /// The statement last reported as running, and the duration at which it is reported again.
    reminder: Option<(StatementRef, Duration)>,
    /// The schedule and the state of the repeated statement; `None` if there is none.
    batch: Option<(Doubling, Option<BatchState>)>,
}

struct Running {
    subject: Subject,
    message: String,
    statements: usize,
}

/// The width of a line for a finished step; a terminal may be narrower.
const COLUMNS: usize = 80;

/// The interval at which a wait is reported again, if the line cannot be redrawn.
const REMIND: Duration = Duration::from_secs(10);

impl Progress {
    /// A display for one run.
    pub fn new(
        screen: Box<dyn Screen>,
        paint_out: Paint,
        paint_err: Paint,
        verbosity: Verbosity,
    ) -> Self {
        let is_live = screen.is_live() && verbosity > Verbosity::Quiet;
        let state = State {
            live: Live::new(paint_err, is_live),
            both_ways: false,
            running: None,
            width: 0,
            waiting_since: None,
            reminder: None,
            batch: None,
        };
        Self {
            screen,
            paint_out,
            paint_err,
            verbosity,
            state: Mutex::new(state),
        }
    }

    /// Shows one event.
    pub fn show(&self, event: &Event) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match &event.kind {
            EventKind::WaitingForLock { holder, limit, .. } => {
                self.waiting(&mut state, holder.as_deref(), *limit);
            }
            EventKind::LockTaken { waited } => {
                state.waiting_since = None;
                self.say(&format!("got the lock after {}", duration(*waited)));
            }
            EventKind::StepStarted { .. } if self.verbosity > Verbosity::Quiet => {
                self.started(&mut state, &event.kind);
            }
            EventKind::StatementDone(ended) => self.statement(&mut state, ended),
            EventKind::StatementFailed(_) => state.live.end_slow(),
            EventKind::StatementRuns {
                statement, elapsed, ..
            } => self.runs(&mut state, &event.kind, statement, *elapsed),
            EventKind::StatementSlow(statement) => {
                state.live.end_slow();
                self.say(&format!("    {}", slow::took(statement)));
            }
            EventKind::StepDone { step, elapsed, .. } => {
                state.live.end_slow();
                let running = state.running.take();
                let message = running.map(|running| running.message).unwrap_or_default();
                state.batch = None;
                self.step_line(
                    &state,
                    "✓",
                    Style::Good,
                    &step.subject,
                    &message,
                    Some(*elapsed),
                );
            }
            EventKind::Retrying {
                step,
                attempt,
                attempts,
                pause,
                cause,
                blockers,
            } => {
                let cause = match cause {
                    RetryCause::LockTimeout => "timed out waiting for a lock",
                    RetryCause::Conflict => "conflict with another transaction",
                };
                self.say(&format!(
                    "{}: {cause} (attempt {attempt} of {attempts}); retrying in {}",
                    step.subject,
                    duration(*pause)
                ));
                for blocker in blockers {
                    self.say(&format!("  held by {blocker}"));
                }
            }
            EventKind::CountingRows { table } => {
                state.batch = Some((Doubling::new(Instant::now()), None));
                state
                    .live
                    .activity(&format!("counting the rows of {table}"));
            }
            EventKind::BatchDone { batch, .. } => self.batch(&mut state, batch),
            EventKind::BatchesDone { batch, .. } => {
                state.batch = None;
                state.live.activity("");
                self.say(&format!("    {}", batches::total(batch)));
            }
            EventKind::WaitingForReplicas { lag, limit } => {
                self.behind(&mut state, *lag, *limit);
            }
            EventKind::ReplicasHidden { replicas } => {
                let replicas = usize::try_from(*replicas).unwrap_or(usize::MAX);
                self.say(&format!(
                    "max-lag: the server does not show this role how far {} behind; GRANT pg_monitor to it",
                    match replicas {
                        1 => "1 replica is".to_owned(),
                        many => format!("{many} replicas are"),
                    }
                ));
            }
            EventKind::StopRequested => {
                let what = if state.batch.is_some() {
                    "batch"
                } else {
                    "revision"
                };
                self.screen.over_signal();
                self.say(&format!(
                    "stopping after the running {what}; press Ctrl-C again to cancel it"
                ));
            }
            EventKind::CancelRequested => {
                self.screen.over_signal();
                self.say("cancelling the running statement");
            }
            EventKind::RunStarted { both_ways, .. } => state.both_ways = *both_ways,
            EventKind::StepStarted { .. }
            | EventKind::Planned { .. }
            | EventKind::BackedUp { .. } => {}
        }
    }

    fn started(&self, state: &mut State, event: &EventKind) {
        let EventKind::StepStarted {
            step,
            index,
            total,
            message,
            statements,
        } = event
        else {
            return;
        };
        let way = match (state.both_ways, step.direction) {
            (false, _) => "",
            (true, Direction::Down) => "revert: ",
            (true, Direction::Up) => "apply: ",
        };
        let running = Running {
            subject: step.subject.clone(),
            message: format!("{way}{message}"),
            statements: *statements,
        };
        let id = step.subject.as_str();
        state.live.begin(id, &running.message, index + 1, *total);
        state.width = state.width.max(id.len());
        state.running = Some(running);
    }

    /// Removes the live line. If `failed`, the current step is shown as failed.
    pub fn finish(&self, failed: bool) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        state.live.end_slow();
        if let Some((_, Some(batch))) = state.batch.take() {
            self.say(&format!("    {}; they stay", batches::total(&batch)));
        }
        if let Some(Running {
            subject, message, ..
        }) = state.running.take()
            && failed
        {
            self.step_line(&state, "✗", Style::Bad, &subject, &message, None);
        }
        state.live.finish();
    }

    fn step_line(
        &self,
        state: &State,
        sign: &str,
        meaning: Style,
        subject: &Subject,
        message: &str,
        elapsed: Option<Duration>,
    ) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let paint = self.paint_out;
        let sign = paint.paint(meaning, sign);
        let width = state.width;
        let id = paint.paint(Style::Id, format!("{:<width$}", subject.as_str()));
        let columns = self
            .screen
            .columns()
            .map_or(COLUMNS, |columns| COLUMNS.min(columns.into()));
        let room = columns.saturating_sub(width + 18);
        let message = shown(message);
        let message = console::truncate_str(&message, room, "…");
        let message = console::pad_str(&message, room, console::Alignment::Left, None);
        let time = elapsed.map(duration).unwrap_or_default();
        let time = paint.paint(Style::Dim, format!("{time:>10}"));
        let line = format!("  {sign} {id}  {message}  {time}");
        let mut page = Page::default();
        page.exact(line.trim_end());
        // A failed write does not stop a migration; it is reported at the end.
        self.screen.print(&page);
    }

    fn statement(&self, state: &mut State, ended: &StatementEnd) {
        state.live.end_slow();
        let Some(running) = &state.running else {
            return;
        };
        if running.statements > 1 {
            state.live.statement(ended.index + 1, ended.total);
        }
        if self.verbosity == Verbosity::Verbose {
            self.say(&slow::ended(ended, self.screen.err_columns()));
        }
    }

    fn runs(&self, state: &mut State, event: &EventKind, at: &StatementRef, elapsed: Duration) {
        if !state.live.is_hidden() {
            let columns = state.live.columns();
            state.live.slow(slow::live(event, columns));
            return;
        }
        let due = match &state.reminder {
            Some((source_span, due)) if source_span == at => elapsed >= *due,
            _ => true,
        };
        if due {
            state.reminder = Some((at.clone(), elapsed * 2));
            self.say(&format!("    {}", slow::runs(event)));
        }
    }

    fn batch(&self, state: &mut State, batch: &BatchState) {
        let text = batches::going_on(batch);
        state.live.activity(&text);
        let now = Instant::now();
        let begun = state.batch.take();
        let (mut doubling, _) = begun.unwrap_or_else(|| (Doubling::new(now), None));
        let is_due = doubling.is_due(now);
        state.batch = Some((doubling, Some(*batch)));
        if is_due && state.live.is_hidden() {
            self.say(&format!("    {text}"));
        }
    }

    fn behind(&self, state: &mut State, lag: Duration, limit: Duration) {
        let waiting = format!("waiting: replicas are {} behind", duration(lag));
        state.live.activity(&waiting);
        let waited = state.waiting_since.map(|since| since.elapsed());
        if waited.is_none_or(|waited| waited >= REMIND) {
            state.waiting_since = Some(Instant::now());
            self.say(&format!(
                "    waiting: replicas are {} behind, and max-lag is {}",
                duration(lag),
                duration(limit)
            ));
        }
    }

    fn waiting(&self, state: &mut State, holder: Option<&str>, limit: Duration) {
        if state
            .waiting_since
            .is_some_and(|since| since.elapsed() < REMIND)
        {
            return;
        }
        state.waiting_since = Some(Instant::now());
        let holder = holder.unwrap_or("another migrator");
        self.say(&format!(
            "waiting up to {} for the lock of {holder}",
            duration(limit)
        ));
    }

    fn say(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            let mut page = Page::default();
            page.row(self.paint_err.paint(Style::Dim, text));
            self.screen.eprint(&page);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::Utc;

    use super::*;
    use crate::execute::StepRef;

    /// Records printed text: lines of stdout unchanged, those of stderr after `! `.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<String>>);

    impl Screen for Kept {
        fn print(&self, page: &Page) {
            *self.0.lock().unwrap() += &page.to_string();
        }

        fn eprint(&self, page: &Page) {
            *self.0.lock().unwrap() += &format!("! {page}");
        }

        fn columns(&self) -> Option<u16> {
            Some(60)
        }

        fn err_columns(&self) -> Option<u16> {
            Some(60)
        }

        fn over_signal(&self) {
            *self.0.lock().unwrap() += "^C|";
        }

        fn is_live(&self) -> bool {
            false
        }
    }

    fn step(id: &str, direction: Direction) -> Arc<StepRef> {
        Arc::new(StepRef {
            subject: Subject::Revision(id.parse().unwrap()),
            direction,
            file: format!("m/{id}.sql"),
        })
    }

    fn started(id: &str, direction: Direction, statements: usize) -> EventKind {
        EventKind::StepStarted {
            step: step(id, direction),
            index: 0,
            total: 1,
            message: "add a column with a rather long message that has to be cut".to_owned(),
            statements,
        }
    }

    fn done(id: &str, direction: Direction) -> EventKind {
        EventKind::StepDone {
            step: step(id, direction),
            index: 0,
            elapsed: Duration::from_millis(12),
        }
    }

    fn running(direction: Direction, both_ways: bool) -> EventKind {
        EventKind::RunStarted {
            direction,
            steps: 1,
            both_ways,
        }
    }

    /// The text printed for `events` and the end of the run.
    fn shown(verbosity: Verbosity, failed: bool, events: Vec<EventKind>) -> String {
        let kept = Kept::default();
        let plain = Paint(false);
        let progress = Progress::new(Box::new(kept.clone()), plain, plain, verbosity);
        for kind in events {
            progress.show(&Event {
                time: Utc::now(),
                database: "d".into(),
                kind,
            });
        }
        progress.finish(failed);
        let text = kept.0.lock().unwrap();
        text.clone()
    }

    #[test]
    fn a_step_is_a_line_within_the_screen() {
        let events = vec![
            running(Direction::Up, false),
            started("20260101000001", Direction::Up, 1),
            done("20260101000001", Direction::Up),
        ];
        let text = shown(Verbosity::Normal, false, events.clone());
        assert_eq!(
            text,
            "  ✓ 20260101000001  add a column with a rather …       12 ms\n"
        );
        assert!(console::measure_text_width(text.trim_end()) <= 60);
        assert_eq!(shown(Verbosity::Quiet, false, events), "");
    }

    #[test]
    fn a_step_says_its_direction_where_both_occur() {
        let text = shown(
            Verbosity::Normal,
            false,
            vec![
                running(Direction::Up, true),
                started("1", Direction::Down, 1),
                done("1", Direction::Down),
                started("1", Direction::Up, 1),
                done("1", Direction::Up),
            ],
        );
        let begins: Vec<_> = text.lines().map(|line| &line[..22]).collect();
        assert_eq!(begins, ["  ✓ 1  revert: add a", "  ✓ 1  apply: add a "]);
    }

    #[test]
    fn a_step_that_was_running_is_marked_as_failed() {
        let events = || {
            vec![
                running(Direction::Up, false),
                started("7", Direction::Up, 1),
            ]
        };
        let text = shown(Verbosity::Normal, true, events());
        assert!(text.starts_with("  ✗ 7  add a column"), "{text}");
        assert_eq!(shown(Verbosity::Normal, false, events()), "");
    }

    #[test]
    fn a_wait_for_the_lock_is_said_once() {
        let waiting = EventKind::WaitingForLock {
            holder: Some("deploy (pid 7)".to_owned()),
            waited: Duration::ZERO,
            limit: Duration::from_secs(60),
        };
        let taken = EventKind::LockTaken {
            waited: Duration::from_secs(2),
        };
        let text = shown(
            Verbosity::Normal,
            false,
            vec![waiting.clone(), waiting, taken],
        );
        assert_eq!(text.matches("deploy (pid 7)").count(), 1, "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn a_request_to_stop_overwrites_what_the_terminal_has_shown_of_it() {
        let events = vec![EventKind::StopRequested, EventKind::CancelRequested];
        let text = shown(Verbosity::Normal, false, events);
        assert_eq!(text.matches("^C|! ").count(), 2, "{text}");
    }

    #[test]
    fn a_retry_names_who_holds_the_lock() {
        let retry = EventKind::Retrying {
            step: step("3", Direction::Up),
            attempt: 1,
            attempts: 10,
            pause: Duration::from_millis(250),
            cause: RetryCause::LockTimeout,
            blockers: vec!["psql (pid 9)".to_owned()],
        };
        let text = shown(Verbosity::Normal, false, vec![retry]);
        assert!(text.contains("attempt 1 of 10"), "{text}");
        assert!(text.contains("psql (pid 9)"), "{text}");
    }
}
