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
    trace: Option<Trace>,
}

/// The trace that a run belongs to: `TRACEPARENT`, as in the Trace Context of the W3C.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    trace_id: String,
    span_id: String,
    flags: String,
}

impl Trace {
    /// Parses `VERSION-TRACE-SPAN-FLAGS`; `None` for any other text, which nobody refuses.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let mut part = |length| {
            let part = parts.next()?;
            let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            (part.len() == length && part.bytes().all(is_hex)).then(|| part.to_owned())
        };
        let version = part(2)?;
        let [trace_id, span_id, flags] = [part(32)?, part(16)?, part(2)?];
        let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
        // Later versions may have more parts.
        let is_complete = version != "00" || parts.next().is_none();
        let is_valid = version != "ff" && !is_zero(&trace_id) && !is_zero(&span_id);
        (is_complete && is_valid).then_some(Self {
            trace_id,
            span_id,
            flags,
        })
    }
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
        let trace = std::env::var("TRACEPARENT").ok();
        let trace = trace.and_then(|text| Trace::parse(&text));
        let start = json!({
            "event": "run_start",
            "command": command,
            "database": database,
            "actor": crate::database::actor(),
            "tool_version": env!("CARGO_PKG_VERSION"),
            "pid": std::process::id(),
        });
        file.write_all(timed(start, "INFO", trace.as_ref()).as_bytes())?;
        Ok(Self {
            trace,
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
            && let Some(fields) = text.strip_prefix('{')
        {
            let added = added(severity(&event.kind), self.trace.as_ref());
            self.write(&mut state, &line(&format!("{{{added},{fields}")));
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
        let severity = match outcome {
            "ok" => "INFO",
            "interrupted" => "WARN",
            _ => "ERROR",
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&mut state, &timed(end, severity, self.trace.as_ref()));
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

/// The severity of an event, as OpenTelemetry names it.
fn severity(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::StatementFailed(_) => "ERROR",
        EventKind::WaitingForLock { .. }
        | EventKind::StatementSlow(_)
        | EventKind::Retrying { .. }
        | EventKind::StopRequested
        | EventKind::CancelRequested => "WARN",
        _ => "INFO",
    }
}

/// Fields that every line has beside those of its event.
fn added(severity: &str, trace: Option<&Trace>) -> String {
    let mut fields = format!(r#""severity":"{severity}""#);
    if let Some(trace) = trace {
        let Trace {
            trace_id,
            span_id,
            flags,
        } = trace;
        fields.push_str(&format!(
            r#","trace_id":"{trace_id}","span_id":"{span_id}","trace_flags":"{flags}""#
        ));
    }
    fields
}

/// A line with the time of now.
fn timed(object: Value, severity: &str, trace: Option<&Trace>) -> String {
    let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let object = object.to_string();
    let fields = object.strip_prefix('{').unwrap_or("}");
    let added = added(severity, trace);
    line(&format!(r#"{{"time":"{time}",{added},{fields}"#))
}

fn line(json: &str) -> String {
    format!("{}\n", escape(json))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_trace_is_that_of_the_w3c() {
        let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let span_id = "00f067aa0ba902b7";
        let good = Trace {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
            flags: "01".to_owned(),
        };
        let parsed = Trace::parse(&format!("00-{trace_id}-{span_id}-01"));
        assert_eq!(parsed.as_ref(), Some(&good));
        let later = Trace::parse(&format!("cc-{trace_id}-{span_id}-01-what"));
        assert_eq!(later, parsed);
        for wrong in [
            String::new(),
            format!("00-{trace_id}-{span_id}"),
            format!("00-{trace_id}-{span_id}-01-more"),
            format!("ff-{trace_id}-{span_id}-01"),
            format!("00-{}-{span_id}-01", "0".repeat(32)),
            format!("00-{trace_id}-{}-01", "0".repeat(16)),
            format!("00-{}-{span_id}-01", trace_id.to_uppercase()),
            format!("00-{trace_id}-{span_id}\",\"x\":\"-01"),
        ] {
            assert_eq!(Trace::parse(&wrong), None, "{wrong}");
        }
    }

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
