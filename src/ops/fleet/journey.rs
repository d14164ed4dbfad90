//! Targets in schemas of one database, run over one connection, one after the other.
//!
//! Opening a session and reading what it has to know of the database takes longer than a small revision.
//! Whatever is unusual about a target is left to a session of its own.

use std::sync::{Arc, PoisonError};

use super::{
    super::{RunReport, Session, migrate::upgrade_planned},
    attempt::{Attempt, Next},
    place::Place,
    run::Run,
    verdict::Verdict,
};
use crate::{
    database::{Database, Settings, engine},
    plan::Plan,
};

/// A connection on its way from schema to schema.
pub(super) struct Journey {
    /// The URL of the database.
    url: String,
    database: Box<dyn Database>,
}

impl Journey {
    /// Closes the connection.
    pub async fn end(self) {
        // All that was done is committed.
        let _ = self.database.close().await;
    }
}

impl Run<'_> {
    /// Whether a target is in the database of the journey.
    pub fn is_on_the_way(&self, journey: Option<&Journey>, index: usize) -> bool {
        let place = self.places.of(&self.fleet.targets[index]);
        match (journey, place) {
            (Some(journey), Ok(place)) => journey.url == place.location.url(),
            _ => false,
        }
    }

    /// Runs a target over the connection of the journey, which begins if there is none. Returns `None` if
    /// the target needs a session of its own. After anything but success the journey has ended.
    pub async fn visit(
        &self,
        attempt: &Attempt<'_>,
        place: &Place,
        journey: &mut Option<Journey>,
    ) -> Option<Next> {
        let url = place.location.url();
        let settings = place.location.adjust(place.settings.clone());
        let mut database = match journey.take() {
            Some(journey) if journey.url == url => journey.database,
            other => {
                if let Some(journey) = other {
                    journey.end().await;
                }
                self.begun(place, &url, &settings).await?
            }
        };
        let Some((verdict, plan)) = self.entered(database.as_mut(), &settings).await else {
            // Its own session says what is wrong.
            let _ = database.close().await;
            return None;
        };
        let session = Session::over(place.location.clone(), place.settings.clone(), database);
        let mut session = self.prepared(attempt, session);
        let tells_state = verdict.after.get().is_none();
        let (project, args) = (self.project, attempt.args);
        let ran = upgrade_planned(project, &mut session, args, plan, tells_state).await;
        self.warn_of(attempt, session.take_warnings());
        let ran = ran.map(|report| RunReport {
            from: verdict.position.to_string(),
            ..report
        });
        let mut report = match ran {
            Ok(report) if report.failure.is_none() && !report.interrupted => report,
            ended => {
                self.warn_of(attempt, session.close().await.err());
                return Some(match ended {
                    Ok(report) => Next::Finished(self.report(attempt, report)),
                    Err(error) => self.error(attempt, error),
                });
            }
        };
        if Some(report.done.len()) == verdict.steps {
            match report.current {
                Some(_) => drop(verdict.after.set(report.to.as_str().into())),
                None => report.to = verdict.after.get().map_or(report.to, ToString::to_string),
            }
        }
        let database = session.into_database();
        *journey = database.map(|database| Journey { url, database });
        Some(Next::Finished(self.report(attempt, report)))
    }

    /// A connection for a journey through a database. Those that have refused one are not asked again.
    async fn begun(
        &self,
        place: &Place,
        url: &str,
        settings: &Settings,
    ) -> Option<Box<dyn Database>> {
        let lock = || self.unshared.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().contains(url) {
            return None;
        }
        // Its own session says why a database cannot be reached.
        let begun = engine::roam(&place.location, settings).await.ok()?;
        if begun.is_none() {
            lock().insert(url.to_owned());
        }
        begun
    }

    /// Enters the schema of a target, with its lock. Returns the verdict on its state with the plan, if that
    /// may be run on a journey.
    async fn entered(
        &self,
        database: &mut dyn Database,
        settings: &Settings,
    ) -> Option<(Arc<Verdict>, Plan)> {
        let digest = database.roaming()?.enter(settings).await.ok()??;
        let verdict = self.states.of_digest(digest, None)?;
        let plan = verdict.plan.clone()?;
        Some((verdict, plan))
    }
}
