use crate::arrange::Arrange as _;
use std::{sync::Arc, time::Duration};

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Revisions were applied or reverted.
    Done,
    /// There was nothing to do.
    Current,
    /// The target does not exist.
    Skipped,
    /// The target failed, or stopped partway.
    Failed,
    /// The run ended before it.
    NotStarted,
}

impl Outcome {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Current => "current",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::NotStarted => "not_started",
        }
    }
}

/// Why a target failed or was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The code of the error.
    pub code: &'static str,
    /// The place in a script, as `file:line:column`.
    pub place: Option<String>,
    /// The message.
    pub message: String,
}

/// The account of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetLine {
    /// The index of the target.
    pub target: usize,
    /// What became of it.
    pub outcome: Outcome,
    /// The position before, if it is known.
    pub from: Option<Arc<str>>,
    /// The position after, if it is known.
    pub to: Option<Arc<str>>,
    /// The steps that were committed.
    pub steps: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// Why it failed or was skipped.
    pub reason: Option<Reason>,
}

impl TargetLine {
    /// The line of a target that was not started.
    pub fn not_started(target: usize) -> Self {
        Self {
            target,
            outcome: Outcome::NotStarted,
            from: None,
            to: None,
            steps: 0,
            elapsed: Duration::ZERO,
            reason: None,
        }
    }
}

/// Targets that failed, or were skipped, for one reason: the same code at the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// [`Outcome::Failed`] or [`Outcome::Skipped`].
    pub outcome: Outcome,
    /// The reason, with the message of the first target.
    pub reason: Reason,
    /// The indices of the targets, in order.
    pub targets: Vec<usize>,
}

/// The account of a run over a fleet. It does not grow with targets that have succeeded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Targets that are accounted for.
    pub total: usize,
    /// Targets in which revisions were applied or reverted.
    pub done: usize,
    /// Targets in which there was nothing to do.
    pub current: usize,
    /// Targets that do not exist.
    pub skipped: usize,
    /// Targets that failed.
    pub failed: usize,
    /// Targets that were not started.
    pub not_started: usize,
    /// The steps that were committed, in failed targets as well.
    pub steps: usize,
    causes: Vec<Cause>,
}

impl Tally {
    /// Adds the account of a target.
    pub fn add(&mut self, line: &TargetLine) {
        self.total += 1;
        self.steps += line.steps;
        *match line.outcome {
            Outcome::Done => &mut self.done,
            Outcome::Current => &mut self.current,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
            Outcome::NotStarted => &mut self.not_started,
        } += 1;
        if let Some(reason) = &line.reason {
            self.add_cause(line, reason);
        }
    }

    fn add_cause(&mut self, line: &TargetLine, reason: &Reason) {
        let is_it = |cause: &&mut Cause| {
            cause.outcome == line.outcome
                && cause.reason.code == reason.code
                && cause.reason.place == reason.place
        };
        let Some(cause) = self.causes.iter_mut().find(is_it) else {
            self.causes.push(Cause {
                outcome: line.outcome,
                reason: reason.clone(),
                targets: vec![line.target],
            });
            return;
        };
        // Targets run side by side; the message does not depend on which one was faster.
        let at = cause.targets.partition_point(|it| *it < line.target);
        if at == 0 {
            cause.reason.message.clone_from(&reason.message);
        }
        cause.targets.insert(at, line.target);
    }

    /// The reasons why targets failed or were skipped: those that failed first, by code and place.
    pub fn causes(&self) -> Vec<&Cause> {
        let mut causes: Vec<_> = self.causes.iter().collect();
        causes.arrange_by_key(|cause| {
            let is_skipped = cause.outcome == Outcome::Skipped;
            (is_skipped, cause.reason.code, cause.reason.place.as_deref())
        });
        causes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(target: usize, outcome: Outcome, reason: Option<(&'static str, &str)>) -> TargetLine {
        TargetLine {
            outcome,
            steps: usize::from(outcome == Outcome::Done),
            reason: reason.map(|(code, place)| Reason {
                code,
                place: (!place.is_empty()).then(|| place.to_owned()),
                message: format!("{code} in {target}"),
            }),
            ..TargetLine::not_started(target)
        }
    }

    #[test]
    fn errors_are_grouped_by_code_and_place() {
        let lines = [
            line(4, Outcome::Failed, Some(("M701", "a.sql:3:1"))),
            line(0, Outcome::Skipped, Some(("M602", ""))),
            line(2, Outcome::Failed, Some(("M701", "a.sql:3:1"))),
            line(3, Outcome::Failed, Some(("M701", "b.sql:1:1"))),
            line(1, Outcome::Failed, Some(("M602", ""))),
            line(5, Outcome::Done, None),
        ];
        let check = |lines: &mut dyn Iterator<Item = &TargetLine>| {
            let mut tally = Tally::default();
            lines.for_each(|line| tally.add(line));
            let shown = tally.causes().into_iter().map(|cause| {
                let reason = &cause.reason;
                format!(
                    "{} {}: {:?}",
                    reason.message,
                    reason.place.as_deref().unwrap_or("-"),
                    cause.targets
                )
            });
            let shown: Vec<_> = shown.collect();
            assert_eq!(
                shown,
                [
                    "M602 in 1 -: [1]",
                    "M701 in 2 a.sql:3:1: [2, 4]",
                    "M701 in 3 b.sql:1:1: [3]",
                    "M602 in 0 -: [0]",
                ]
            );
            assert_eq!(
                (tally.failed, tally.skipped, tally.done, tally.steps),
                (4, 1, 1, 1)
            );
        };
        check(&mut lines.iter());
        check(&mut lines.iter().rev());
    }

    proptest! {
        #[test]
        fn every_target_is_counted_once_in_any_order(
            outcomes in proptest::collection::vec(0_usize..5, 0..40),
            turn in 0_usize..40,
        ) {
            let all = [Outcome::Done, Outcome::Current, Outcome::Skipped, Outcome::Failed, Outcome::NotStarted];
            let lines: Vec<TargetLine> = outcomes.iter().enumerate().map(|(target, outcome)| {
                let outcome = all[*outcome];
                let has_reason = matches!(outcome, Outcome::Failed | Outcome::Skipped);
                let code = ["M1", "M2"][target % 2];
                line(target, outcome, has_reason.then_some((code, "")))
            }).collect();
            let (mut tally, mut turned) = (Tally::default(), Tally::default());
            lines.iter().for_each(|line| tally.add(line));
            let middle = turn % lines.len().max(1);
            lines[middle..].iter().chain(&lines[..middle]).for_each(|line| turned.add(line));
            prop_assert_eq!(tally.total, lines.len());
            let counted = tally.done + tally.current + tally.skipped + tally.failed + tally.not_started;
            prop_assert_eq!(counted, lines.len());
            prop_assert_eq!(tally.causes(), turned.causes());
            let named: usize = tally.causes().iter().map(|cause| cause.targets.len()).sum();
            prop_assert_eq!(named, tally.failed + tally.skipped);
        }
    }
}
