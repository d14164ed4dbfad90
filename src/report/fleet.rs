//! Reasons of a fleet's targets, and the line of its progress.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{Diagnostic, Snippet, codes, duration, error::Error};
use crate::{
    fleet::{Cause, Outcome, Reason, Tally},
    ops::{self, FleetProgress},
};

/// The names of targets that a message lists; the rest is counted.
const NAMED: usize = 20;

/// The errors of targets, the first one of each code and place.
#[derive(Debug, Default)]
pub struct FleetReasons {
    known: Mutex<HashMap<(&'static str, Option<String>), Diagnostic>>,
}

impl FleetReasons {
    /// The reason in an error, whose details are kept for [`Self::diagnostics`].
    pub fn explain(&self, error: ops::Error) -> Reason {
        let error = Error::from(error);
        let more = error.diagnostics.len().saturating_sub(1);
        let mut first = error.diagnostics.into_iter().next().unwrap_or_default();
        if more > 0 {
            first
                .notes
                .push(format!("and {more} more problems like this"));
        }
        let reason = Reason {
            code: first.code,
            place: first.place.as_ref().map(place),
            message: first.message.clone(),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (reason.code, reason.place.clone());
        known.entry(key).or_insert(first);
        reason
    }

    /// The errors of targets that have failed, by code and place, with the names of the targets.
    pub fn diagnostics(&self, tally: &Tally, name: &dyn Fn(usize) -> String) -> Vec<Diagnostic> {
        let causes = tally.causes().into_iter();
        let failed = causes.filter(|cause| cause.outcome == Outcome::Failed);
        failed.map(|cause| self.diagnostic(cause, name)).collect()
    }

    fn diagnostic(&self, cause: &Cause, name: &dyn Fn(usize) -> String) -> Diagnostic {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (cause.reason.code, cause.reason.place.clone());
        let mut found = known.get(&key).cloned().unwrap_or_default();
        found.code = cause.reason.code;
        found.message.clone_from(&cause.reason.message);
        // A missing target of a fleet is not created.
        if [codes::M602.id, codes::M519.id].contains(&found.code) {
            found.hint = None;
        }
        found.notes.push(in_targets(&cause.targets, name));
        found
    }
}

/// `in 3 targets: a, b, c`
pub(super) fn in_targets(targets: &[usize], name: &dyn Fn(usize) -> String) -> String {
    let count = super::count(targets.len(), "target");
    format!("in {count}: {}", names(targets, name))
}

/// The names of targets, of which the first ones are listed.
pub(super) fn names(targets: &[usize], name: &dyn Fn(usize) -> String) -> String {
    let mut names: Vec<_> = targets
        .iter()
        .take(NAMED)
        .map(|index| name(*index))
        .collect();
    if targets.len() > NAMED {
        names.push(format!("… and {} more", targets.len() - NAMED));
    }
    names.join(", ")
}

fn place(place: &Snippet) -> String {
    match place.position() {
        Some(at) => format!("{}:{}:{}", place.file, at.line, at.column),
        None => place.file.clone(),
    }
}

/// How far a run over a fleet is: `312 of 1000 targets, 45/s, about 15 s left, 2 failed`.
pub fn progress(progress: &FleetProgress) -> String {
    let FleetProgress {
        done,
        all,
        failed,
        elapsed,
    } = *progress;
    let mut text = format!("{done} of {}", super::count(all, "target"));
    let seconds = elapsed.as_secs_f64();
    if done > 0 && seconds > 0.5 {
        let rate = done as f64 / seconds;
        let left = Duration::from_secs_f64(all.saturating_sub(done) as f64 / rate);
        let digits = usize::from(rate < 10.0);
        text.push_str(&format!(", {rate:.digits$}/s"));
        if done < all {
            text.push_str(&format!(", about {} left", duration(left)));
        }
    }
    if failed > 0 {
        text.push_str(&format!(", {failed} failed"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_rate_estimate_and_failures() {
        let check = |done, failed, millis, expected: &str| {
            let at = FleetProgress {
                done,
                all: 1000,
                failed,
                elapsed: Duration::from_millis(millis),
            };
            assert_eq!(progress(&at), expected);
        };
        check(0, 0, 0, "0 of 1000 targets");
        check(10, 0, 100, "10 of 1000 targets");
        check(
            200,
            2,
            4_000,
            "200 of 1000 targets, 50/s, about 16.00 s left, 2 failed",
        );
        check(
            10,
            1,
            4_000,
            "10 of 1000 targets, 2.5/s, about 6 min 36 s left, 1 failed",
        );
        check(1000, 0, 4_000, "1000 of 1000 targets, 250/s");
    }

    #[test]
    fn many_names_are_counted() {
        let name = |index: usize| format!("t{index}");
        assert_eq!(in_targets(&[3], &name), "in 1 target: t3");
        let many: Vec<usize> = (0..30).collect();
        let text = in_targets(&many, &name);
        assert!(
            text.starts_with("in 30 targets: t0, t1, ") && text.ends_with("t19, … and 10 more"),
            "{text}"
        );
    }
}
