//! An attempt at one target.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    super::{Error, MigrateArgs, RunReport, Session, downgrade, upgrade},
    Fleet,
    journey::Journey,
    read::{is_missing, is_refusal, missing},
    run::{Run, Wait},
};
use crate::{
    database::{Access, DatabaseError, Detail},
    execute::LockError,
    fleet::{Outcome, TargetLine},
    plan::Warning,
    project::Exists,
    revision::Direction,
};

/// A target that is being run.
pub(super) struct Attempt<'a> {
    pub index: usize,
    pub begin: Instant,
    /// When it was found locked.
    pub busy_since: Option<Instant>,
    pub how: Wait,
    pub args: &'a MigrateArgs,
}

/// What follows from an attempt.
pub(super) enum Next {
    Finished(TargetLine),
    /// The server has refused the connection.
    Refused(TargetLine),
    /// Another session holds the lock.
    Busy,
}

impl Run<'_> {
    /// Runs a target over the connection of the journey, or in a session of its own; the journey has ended
    /// then.
    pub async fn attempt(&self, attempt: &Attempt<'_>, journey: &mut Option<Journey>) -> Next {
        let target = &self.fleet.targets[attempt.index];
        let place = match self.places.of(target) {
            Ok(place) => place,
            Err(kind) => {
                return Next::Finished(self.failed(attempt, Fleet::lost_place(target, kind)));
            }
        };
        if attempt.how == Wait::Journey
            && let Some(next) = self.visit(attempt, &place, journey).await
        {
            return next;
        }
        let mut session = self.prepared(attempt, Session::new(place.location, place.settings));
        let next = self.within(&mut session, attempt).await;
        self.warn_of(attempt, session.take_warnings());
        self.warn_of(attempt, session.close().await.err());
        next
    }

    /// A session for an attempt.
    pub fn prepared(&self, attempt: &Attempt<'_>, session: Session) -> Session {
        let target = &self.fleet.targets[attempt.index];
        let session = session
            .named(&*target.name)
            .access(Access::Existing)
            // A target that is locked makes room for others meanwhile.
            .lock_wait(Duration::ZERO)
            .options(self.voice.options)
            .stop(self.stop.inner.clone())
            .cancelled_by(self.stop.running.clone());
        match self.voice.events.clone() {
            Some(events) => session.on_events(move |event| events(event)),
            None => session,
        }
    }

    /// Adds errors that have not affected the result.
    pub fn warn_of(&self, attempt: &Attempt<'_>, errors: impl IntoIterator<Item = DatabaseError>) {
        for error in errors {
            let reason = (self.voice.explain)(error.into());
            self.account.warn(attempt.index, reason.message);
        }
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

    pub fn report(&self, attempt: &Attempt<'_>, report: RunReport) -> TargetLine {
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

    pub fn error(&self, attempt: &Attempt<'_>, error: Error) -> Next {
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
