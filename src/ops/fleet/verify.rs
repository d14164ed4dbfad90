//! `fleet verify`.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    super::{
        Error, Project, SchemaArgs, SchemaDrift, Session,
        schema::{MadeSchemas, schema_drift_from},
    },
    Fleet, FleetSelection, FleetStop, Voice,
    place::{Place, Places},
    queue::Queue,
    read::{is_missing, is_refusal, missing},
    status::unread,
};
use crate::{
    arrange::Arrange as _,
    fleet::{Outcome, Tally},
    project::Exists,
    schema::Scope,
};

/// The result of `fleet verify`.
#[derive(Debug)]
pub struct FleetVerifyReport {
    /// The environment.
    pub environment: String,
    /// The number of selected targets.
    pub targets: usize,
    /// The number of targets whose schema is what their applied scripts make.
    pub equal: usize,
    /// What somebody changed by hand, once for all targets that differ alike.
    pub drifts: Vec<FleetDrift>,
    /// Targets that do not exist or cannot be compared.
    pub tally: Tally,
}

/// What differs in some targets.
#[derive(Debug)]
pub struct FleetDrift {
    /// The differences.
    pub drift: SchemaDrift,
    /// The indices of the targets.
    pub targets: Vec<usize>,
}

/// Compares the schema of each target with what its applied scripts make of a scratch database. The
/// targets are not changed.
///
/// # Errors
/// Fails when the scripts are invalid or the selection does not fit the targets. Targets that cannot be
/// compared are in the report.
pub fn fleet_verify(
    fleet: &Fleet,
    project: &Project,
    (wanted, schema): (&FleetSelection, &SchemaArgs),
    stop: &FleetStop,
    voice: &Voice<'_>,
) -> Result<FleetVerifyReport, Error> {
    project.history(fleet.dialect)?;
    let selected = fleet.select(wanted)?;
    let places = fleet.places()?;
    let found = Mutex::new(HashMap::new());
    let work = Work {
        fleet,
        project,
        places: &places,
        schema,
        stop,
        // A schema of its own is a part of what is compared, so that nothing is shared.
        made: (!fleet.has_schemas).then(MadeSchemas::default),
    };
    work.all(&selected, voice, &found)?;
    if stop.outer.is_requested() {
        return Err(Error::Interrupted);
    }
    let found: HashMap<usize, Result<SchemaDrift, Error>> =
        found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut found: Vec<_> = found.into_iter().collect();
    found.arrange_by_key(|(index, _)| *index);
    let mut report = FleetVerifyReport {
        environment: fleet.config.environment.clone(),
        targets: selected.len(),
        equal: 0,
        drifts: Vec::new(),
        tally: Tally::default(),
    };
    for (index, drift) in found {
        match drift {
            Ok(drift) if drift.difference.is_empty() => report.equal += 1,
            Ok(drift) => match report.drifts.iter_mut().find(|known| known.drift == drift) {
                Some(known) => known.targets.push(index),
                None => report.drifts.push(FleetDrift {
                    drift,
                    targets: vec![index],
                }),
            },
            Err(error) => {
                let is_absent = matches!(&error, Error::Database(error) if is_missing(error));
                let outcome = match is_absent && fleet.config.exists == Exists::Skip {
                    true => Outcome::Skipped,
                    false => Outcome::Failed,
                };
                report.tally.add(&unread(voice, index, error, outcome));
            }
        }
    }
    Ok(report)
}

struct Work<'a> {
    fleet: &'a Fleet,
    project: &'a Project,
    places: &'a Places<'a>,
    schema: &'a SchemaArgs,
    stop: &'a FleetStop,
    made: Option<MadeSchemas>,
}

type Found = Mutex<HashMap<usize, Result<SchemaDrift, Error>>>;

impl Work<'_> {
    fn all(&self, selected: &[usize], voice: &Voice<'_>, found: &Found) -> Result<(), Error> {
        let config = &self.fleet.config;
        let queue = Queue::new(config.jobs_per_server, config.server_wait);
        for index in selected.iter().copied() {
            let place = self.places.of(&self.fleet.targets[index]);
            queue.add(index, place.ok().and_then(|place| place.location.server()));
        }
        let (seen, total) = (AtomicUsize::new(0), selected.len());
        let may_start = || !self.stop.outer.is_requested();
        super::workers(config.jobs.min(selected.len()), |runtime| {
            while let Some(item) = queue.next(&may_start) {
                let drift = runtime.block_on(self.one(item.index));
                match &drift {
                    Err(Error::Database(error)) if is_refusal(error) => {
                        if queue.refuse(item) {
                            continue;
                        }
                    }
                    _ => queue.finish(item),
                }
                (voice.reading)(seen.fetch_add(1, Ordering::Relaxed) + 1, total);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert(item.index, drift);
            }
        })
    }

    async fn one(&self, index: usize) -> Result<SchemaDrift, Error> {
        let target = &self.fleet.targets[index];
        let place = self
            .places
            .of(target)
            .map_err(|kind| Fleet::lost_place(target, kind))?;
        let schema = self.within(&place)?;
        let mut session = Session::new(place.location, place.settings)
            .named(&*target.name)
            .stop(self.stop.outer.clone());
        let drift =
            schema_drift_from(self.project, &mut session, &schema, self.made.as_ref()).await;
        // What was read is complete.
        let _ = session.close().await;
        drift.map_err(|error| match error {
            Error::Database(error) => missing(error, &target.name).into(),
            error => error,
        })
    }

    /// What is read: of a target that is a schema, nothing but that.
    fn within(&self, place: &Place) -> Result<SchemaArgs, Error> {
        let mut schema = self.schema.clone();
        if let Some(name) = &place.schema {
            let is_plain = !name.contains(['.', ':', '*', '?']);
            let pattern = is_plain.then(|| format!("{name}.*").parse().ok()).flatten();
            let Some(pattern) = pattern else {
                return Err(super::FleetError::NotComparable(name.clone()).into());
            };
            schema.scope = Scope {
                include: vec![pattern],
                exclude: schema.scope.exclude,
            };
        }
        Ok(schema)
    }
}
