//! `--log-file`: events as JSON lines, appended to a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Diagnostic, escape::json as escape};
use crate::{
    execute::{Event, EventKind},
    files,
};

/// A log file. Each line is a single write, so several runs may share a file.
pub struct LogFile {
    /// Called once when lines can no longer be written.
    failed: Box<dyn Fn(&io::Error) + Send + Sync>,
    state: Mutex<State>,
}

struct State {
    /// The open file; `None` after a write has failed.
    file: Option<File>,
    /// Whether the last event was a wait for the lock.
    waits: bool,
}

impl LogFile {
    /// Opens `path` and writes the first line of a run. `failed` is called when a later line cannot
    /// be written, which does not stop the run.
    ///
    /// # Errors
    /// Fails when the file cannot be opened or written to.
    pub fn open(
        path: &Path,
        command: &str,
        database: &str,
        failed: impl Fn(&io::Error) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let mut file = files::open_with(OpenOptions::new().create(true).append(true), path)?;
        let start = json!({
            "event": "run_start",
            "command": command,
            "database": database,
            "actor": crate::database::actor(),
            "tool_version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
        });
        file.write_all(timed(start).as_bytes())?;
        Ok(Self {
            failed: Box::new(failed),
            state: Mutex::new(State {
                file: Some(file),
                waits: false,
            }),
        })
    }

    /// Writes an event, if its kind is logged.
    pub fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // The event repeats during a wait.
        let waits = matches!(event.kind, EventKind::WaitingForLock { .. });
        let repeats = waits && state.waits;
        state.waits = waits;
        if !repeats
            && is_kept(&event.kind)
            && let Ok(text) = serde_json::to_string(event)
        {
            self.write(&mut state, &line(&text));
        }
    }

    /// Writes the last line of a run that took `elapsed`. `outcome` is `ok`, `interrupted` or
    /// `failed`.
    pub fn end(&self, outcome: &str, errors: &[Diagnostic], elapsed: Duration) {
        let errors = errors.iter();
        let errors = errors.map(|it| json!({"code": it.code, "message": it.message}));
        let end = json!({
            "event": "run_end",
            "outcome": outcome,
            "errors": errors.collect::<Vec<_>>(),
            "duration_ms": (elapsed.as_secs_f64() * 1e6).round() / 1e3,
        });
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut state, &timed(end));
    }

    fn write(&self, state: &mut State, line: &str) {
        if let Some(file) = &mut state.file
            && let Err(error) = file.write_all(line.as_bytes())
        {
            state.file = None;
            (self.failed)(&error);
        }
    }
}

/// Whether events of this kind are logged. The others are for display only.
fn is_kept(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Planned { .. }
            | EventKind::RunStarted { .. }
            | EventKind::StatementRuns { .. }
            | EventKind::CountingRows { .. }
            | EventKind::WaitingForReplicas { .. }
            | EventKind::ReplicasHidden { .. }
    )
}

/// An object with the time as its first field.
fn timed(object: Value) -> String {
    let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let mut timed = json!({ "time": time });
    if let (Value::Object(timed), Value::Object(object)) = (&mut timed, object) {
        timed.extend(object);
    }
    line(&timed.to_string())
}

fn line(json: &str) -> String {
    format!("{}\n", escape(json))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_file_that_fails_later_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.jsonl");
        let heard = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&heard);
        let log = LogFile::open(&path, "upgrade", "x", move |_| {
            *counted.lock().unwrap() += 1
        })
        .unwrap();
        // A file opened for reading refuses every write, like a full disk.
        log.state.lock().unwrap().file = Some(File::open(&path).unwrap());
        let event = Event {
            time: Utc::now(),
            database: "x".into(),
            kind: EventKind::StopRequested,
        };
        log.event(&event);
        assert!(log.state.lock().unwrap().file.is_none());
        log.end("ok", &[], Duration::ZERO);
        assert_eq!(*heard.lock().unwrap(), 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn waiting_is_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.jsonl");
        let log = LogFile::open(&path, "upgrade", "x", |_| {}).unwrap();
        let wait = || EventKind::WaitingForLock {
            holder: Some("psql\u{9b}2J".to_owned()),
            waited: std::time::Duration::ZERO,
            limit: std::time::Duration::from_secs(1),
        };
        for kind in [wait(), wait(), EventKind::StopRequested, wait()] {
            log.event(&Event {
                time: Utc::now(),
                database: "x".into(),
                kind,
            });
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let events = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["event"].as_str().unwrap().to_owned()
        });
        let expected = [
            "run_start",
            "waiting_for_lock",
            "stop_requested",
            "waiting_for_lock",
        ];
        assert_eq!(events.collect::<Vec<_>>(), expected);
        assert!(!text.contains('\u{9b}'), "{text}");
    }
}
