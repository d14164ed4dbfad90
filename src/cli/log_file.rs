//! `--log-file`: what a run does as JSON lines, in a file that they are added to.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{codes, error::Error, error::Exit, output::Output};
use crate::{
    execute::{BatchState, Event, Sink},
    files,
    report::{Diagnostic, escape},
    revision::Direction,
};

/// Characters of a statement that a line holds.
const SQL: usize = 200;

/// What `upgrade`, `downgrade` and `redo` take.
#[derive(Clone, Debug, clap::Args)]
pub struct LogArgs {
    /// Add every statement with its time to FILE, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

/// A file that takes lines. A line is one write to its end, so that several runs may share one.
pub struct LogFile {
    shown: String,
    output: Output,
    begin: Instant,
    state: Mutex<State>,
}

struct State {
    /// `None` once a write has failed.
    file: Option<File>,
    step: Step,
    /// Whether it was written down that the lock is waited for.
    waits: bool,
}

/// What lines of statements say of their step.
#[derive(Default)]
struct Step {
    revision: String,
    direction: Option<Direction>,
    file: String,
    text: Arc<str>,
}

impl LogFile {
    /// Opens `path` and writes that a run begins.
    ///
    /// # Errors
    /// When it can't be opened, or not be written to.
    pub fn open(path: &Path, shown: String, start: Value, output: Output) -> Result<Self, Error> {
        let opened = files::open_with(OpenOptions::new().create(true).append(true), path);
        let started = opened.and_then(|mut file| {
            file.write_all(line(start).as_bytes())?;
            Ok(file)
        });
        let file = started.map_err(|error| {
            let message = format!("{shown}: the log file can't be written: {error}");
            Error::new(codes::M850, message)
                .hint("name another with --log-file, or make its directory")
        })?;
        Ok(Self {
            shown,
            output,
            begin: Instant::now(),
            state: Mutex::new(State {
                file: Some(file),
                step: Step::default(),
                waits: false,
            }),
        })
    }

    /// A sink that writes events down and passes them on.
    pub fn keep(self: &Arc<Self>, sink: Sink) -> Sink {
        let kept = Arc::clone(self);
        Arc::new(move |event| {
            kept.event(&event);
            sink(event);
        })
    }

    /// Writes how the run ended.
    pub fn end(&self, result: &Result<Exit, Error>) {
        let (outcome, errors) = match result {
            Ok(Exit::Interrupted) => ("interrupted", Vec::new()),
            Ok(_) => ("ok", Vec::new()),
            Err(error) => {
                let errors = error.diagnostics.iter();
                let errors = errors.map(|it| json!({"code": it.code, "message": it.message}));
                ("failed", errors.collect())
            }
        };
        let end = json!({
            "event": "run_end",
            "outcome": outcome,
            "errors": errors,
            "duration_ms": millis(self.begin.elapsed()),
        });
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut state, end);
    }

    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::StepStarted {
            subject,
            direction,
            file,
            text,
            ..
        } = event
        {
            state.step = Step {
                revision: subject.to_string(),
                direction: Some(*direction),
                file: file.clone(),
                text: Arc::clone(text),
            };
        }
        // It is sent again and again.
        let waits = matches!(event, Event::WaitingForLock { .. });
        if waits && state.waits {
            return;
        }
        state.waits = waits;
        if let Some(entry) = entry(&state.step, event) {
            self.write(&mut state, entry);
        }
    }

    /// A file that can't be written to any more is no reason to stop a migration.
    fn write(&self, state: &mut State, entry: Value) {
        let Some(file) = &mut state.file else {
            return;
        };
        if let Err(error) = file.write_all(line(entry).as_bytes()) {
            state.file = None;
            self.output.warn(&Diagnostic {
                message: format!(
                    "{}: the log file can't be written any more: {error}; the run goes on without",
                    self.shown
                ),
                ..Diagnostic::default()
            });
        }
    }
}

/// With the time, and the end of the line.
fn line(entry: Value) -> String {
    let time = json!({"time": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)});
    format!("{}\n", escape::json(&joined(time, entry).to_string()))
}

/// The fields of both.
fn joined(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}

/// What is written of an event, if anything is.
fn entry(step: &Step, event: &Event) -> Option<Value> {
    let mut entry = match event {
        Event::WaitingForLock { holder, .. } => json!({
            "event": "waiting_for_lock",
            "holder": holder,
        }),
        Event::LockTaken { waited } => json!({
            "event": "lock_taken",
            "duration_ms": millis(*waited),
        }),
        Event::StepStarted {
            index,
            total,
            message,
            statements,
            ..
        } => json!({
            "event": "step_start",
            "step": index + 1,
            "steps": total,
            "message": message,
            "statements": statements,
        }),
        Event::StatementDone {
            index,
            total,
            span,
            line,
            column,
            rows,
            elapsed,
            is_timed,
        } => {
            let ended = json!({
                "rows": rows,
                "duration_ms": is_timed.then(|| millis(*elapsed)),
                "outcome": "ok",
            });
            statement(step, (*index, *total), (*line, *column), span, ended)
        }
        Event::StatementFailed {
            index,
            total,
            span,
            line,
            column,
            elapsed,
            error,
        } => {
            let ended = json!({
                "rows": 0,
                "duration_ms": elapsed.map(millis),
                "outcome": "failed",
                "error": error,
            });
            statement(step, (*index, *total), (*line, *column), span, ended)
        }
        Event::BatchDone(state) => batch("batch", state),
        Event::BatchesDone(state) => batch("batches_done", state),
        Event::StatementSlow(slow) => {
            let mut entry: Value = slow.json().parse().unwrap_or_default();
            entry["event"] = json!("slow");
            entry
        }
        Event::Retrying {
            attempt,
            attempts,
            pause,
            blockers,
            ..
        } => json!({
            "event": "retry",
            "attempt": attempt,
            "attempts": attempts,
            "pause_ms": millis(*pause),
            "held_by": blockers,
        }),
        Event::StepDone { elapsed, .. } => json!({
            "event": "step_done",
            "duration_ms": millis(*elapsed),
        }),
        Event::StopRequested => json!({"event": "stop_requested"}),
        Event::CancelRequested => json!({"event": "cancel_requested"}),
        _ => return None,
    };
    if let Some(direction) = step.direction {
        entry["revision"] = json!(step.revision);
        entry["direction"] = json!(direction.as_str());
        entry["file"] = json!(step.file);
    }
    Some(entry)
}

/// A statement that has come to an end, in either way.
fn statement(
    step: &Step,
    (index, total): (usize, usize),
    (line, column): (u32, u32),
    span: &Range<usize>,
    ended: Value,
) -> Value {
    let which = json!({
        "event": "statement",
        "line": line,
        "column": column,
        "statement": index + 1,
        "statements": total,
        "sql": sql(step, span.start, span.end),
    });
    joined(which, ended)
}

/// How far a statement is that is repeated: all numbers are those since its first batch.
fn batch(event: &str, state: &BatchState) -> Value {
    json!({
        "event": event,
        "statement": state.index + 1,
        "batches": state.batches,
        "rows": state.rows,
        "rows_per_second": state.rows_per_second,
        "duration_ms": millis(state.elapsed),
    })
}

/// The statement as the script has it, cut where it is long.
fn sql(step: &Step, start: usize, end: usize) -> String {
    let text = step.text.get(start..end).unwrap_or_default();
    match text.char_indices().nth(SQL) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn statements_are_cut_between_characters() {
        let check = |text: &str, expected: &str| {
            let step = Step {
                text: text.into(),
                ..Step::default()
            };
            assert_eq!(sql(&step, 0, text.len()), expected);
        };
        check("SELECT 1", "SELECT 1");
        let whole = "ż".repeat(SQL);
        check(&whole, &whole);
        check(&format!("{whole}ó"), &format!("{whole}…"));
    }

    #[test]
    fn a_file_that_fails_later_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.jsonl");
        let global = crate::cli::args::Args::parse_from(["migrator", "-q", "upgrade"]).global;
        let output = Output::new(&global, "upgrade");
        let log = LogFile::open(&path, "run.jsonl".to_owned(), json!({}), output).unwrap();
        // One that is open for reading refuses every write, as a full disk does.
        log.state.lock().unwrap().file = Some(File::open(&path).unwrap());
        log.event(&Event::StopRequested);
        assert!(log.state.lock().unwrap().file.is_none());
        log.end(&Ok(Exit::Done));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_line_is_one_object() {
        let step = Step {
            revision: "7".to_owned(),
            direction: Some(Direction::Up),
            file: "m/7_a.up.sql".to_owned(),
            text: "SELECT\n1".into(),
        };
        let done = Event::StatementDone {
            index: 0,
            total: 1,
            span: 0..8,
            line: 1,
            column: 1,
            rows: 1,
            elapsed: Duration::from_micros(1500),
            is_timed: true,
        };
        let text = line(entry(&step, &done).unwrap());
        assert_eq!(text.matches('\n').count(), 1);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&read["sql"], &read["duration_ms"]),
            (&json!("SELECT\n1"), &json!(1.5))
        );
        assert_eq!(
            (&read["revision"], &read["direction"]),
            (&json!("7"), &json!("up"))
        );
    }
}
