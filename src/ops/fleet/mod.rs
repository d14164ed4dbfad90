//! Operations over a fleet: many databases or schemas of one project.
//!
//! A run looks at all targets first ([`read`]). Those in which there is something to do get a `Session`
//! of their own, and the same operation as a single database. Threads take them from a queue, so that
//! SQLite files, whose statements block, are run side by side as well.

mod account;
mod attempt;
mod check;
mod discover;
mod error;
mod journal;
mod journey;
mod migrate;
mod place;
mod queue;
mod read;
mod run;
mod states;
mod status;
mod stop;
mod verdict;
mod verify;

use std::{collections::HashSet, time::Duration};

use tokio::runtime::Runtime;

pub use account::{Ended as FleetEnded, Progress as FleetProgress, TargetWarning};
pub use attempt::EventReceiver;
pub use check::{FleetCheckReport, FleetFinding, fleet_check};
pub use error::{FleetError, TargetProblem, TargetProblemKind};
pub use journal::millis as fleet_millis;
pub use migrate::{
    FleetArgs, FleetPlan, FleetPlanReport, FleetRunReport, fleet_migrate, plan_fleet_migrate,
};
pub use status::{FleetStatusReport, StateSummary, fleet_status};
pub use stop::FleetStop;
pub(in crate::ops) use stop::{Cancellers, Entered};
pub use verify::{FleetDrift, FleetVerifyReport, fleet_verify};

use self::place::{Place, Places};
use super::{Error, Project, threads::run_on_threads};
use crate::{
    database::Settings,
    execute::RunOptions,
    fleet::{
        OrderProblem, Reason, SelectProblem, Selection, Stage, Target, TargetLine, select, stages,
    },
    plan::Warning,
    project::FleetConfig,
    sql::Dialect,
};

/// A fleet whose targets are known.
pub struct Fleet {
    config: FleetConfig,
    settings: Settings,
    targets: Vec<Target>,
    dialect: Dialect,
    has_schemas: bool,
}

/// Which targets of a fleet a command is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetSelection {
    /// The names.
    pub names: Selection,
    /// Only those that have failed when they were last run.
    pub failed: bool,
}

/// How errors become words, and who is told of targets.
pub struct Voice<'a> {
    /// The reason in an error.
    pub explain: &'a (dyn Fn(Error) -> Reason + Sync),
    /// The text of a warning.
    pub warn: &'a (dyn Fn(&Warning) -> String + Sync),
    /// Receives each target that is accounted for, from several threads.
    pub finished: &'a (dyn Fn(&Target, &TargetLine, &FleetProgress) + Sync),
    /// Receives the number of targets that the read pass has looked at, and of all.
    pub reading: &'a (dyn Fn(usize, usize) + Sync),
    /// Receives the events of targets.
    pub events: Option<EventReceiver>,
    /// How long to wait for the lock of a target.
    pub lock_wait: Duration,
    /// Options of runs.
    pub options: RunOptions,
}

/// A target as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTarget {
    /// The name.
    pub name: String,
    /// The group.
    pub group: Option<String>,
    /// The database, never with a password.
    pub database: String,
    /// The schema.
    pub schema: Option<String>,
    /// What it has in common with the targets of its stage.
    pub stage: String,
}

/// The targets of a fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetListReport {
    /// The environment.
    pub environment: String,
    /// The targets, in the order of a run.
    pub targets: Vec<ListedTarget>,
}

impl Fleet {
    /// Finds the targets of a fleet.
    ///
    /// # Errors
    /// Fails when the source of the targets fails, or some of them cannot be used.
    pub async fn open(config: FleetConfig, settings: Settings) -> Result<Self, Error> {
        let found = discover::discover(&config, &settings).await?;
        let places = Places::new(&config, &settings)?;
        let first = place::check(&places, &found)?;
        drop(places);
        let (dialect, has_schemas) = match &first {
            Some(place) => (place.location.dialect(), place.schema.is_some()),
            None => (Dialect::default(), false),
        };
        Ok(Self {
            config,
            settings,
            targets: found.into_iter().map(|found| found.target).collect(),
            dialect,
            has_schemas,
        })
    }

    /// The SQL dialect of all targets.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The environment.
    pub fn environment(&self) -> &str {
        &self.config.environment
    }

    /// The targets, in the order of their source.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Whether `is_protected` holds for the database of a target.
    ///
    /// # Errors
    /// Fails when a URL is invalid.
    pub fn any_database(
        &self,
        is_protected: impl Fn(&crate::database::Location) -> bool,
    ) -> Result<bool, Error> {
        let places = self.places()?;
        let found = self
            .targets
            .iter()
            .filter_map(|target| places.of(target).ok());
        Ok(found
            .map(|place| place.location)
            .any(|location| is_protected(&location)))
    }

    fn places(&self) -> Result<Places<'_>, Error> {
        Places::new(&self.config, &self.settings)
    }

    /// The stages of the selected targets.
    fn stages(&self, wanted: &FleetSelection) -> Result<Vec<Stage>, Error> {
        let selected = self.select(wanted)?;
        let stages = stages(&self.targets, &selected, &self.config.order);
        stages.map_err(|problems: Vec<OrderProblem>| FleetError::Order(problems).into())
    }

    /// The indices of the selected targets.
    fn select(&self, wanted: &FleetSelection) -> Result<Vec<usize>, Error> {
        let refused = |problems: Vec<SelectProblem>| Error::from(FleetError::Select(problems));
        if !wanted.failed {
            return select(&self.targets, &wanted.names).map_err(refused);
        }
        let failed: HashSet<String> = journal::failed(&self.config.journal)?;
        let unlimited = Selection {
            limit: None,
            ..wanted.names.clone()
        };
        let selected = select(&self.targets, &unlimited).map_err(refused)?;
        let selected = selected.into_iter();
        let selected = selected.filter(|index| failed.contains(&*self.targets[*index].name));
        Ok(selected
            .take(wanted.names.limit.unwrap_or(usize::MAX))
            .collect())
    }

    /// The error of a target whose place was valid when the fleet was opened.
    fn lost_place(target: &Target, kind: TargetProblemKind) -> Error {
        FleetError::Targets(vec![TargetProblem {
            place: format!("target {}", target.name),
            kind,
        }])
        .into()
    }

    fn shown(place: &Place, show: &dyn Fn(&std::path::Path) -> String) -> String {
        place.location.shown(show)
    }
}

/// Lists the targets of a fleet in the order of a run. No target is connected to.
///
/// # Errors
/// Fails when the selection or the order does not fit the targets.
pub fn fleet_list(
    fleet: &Fleet,
    project: &Project,
    wanted: &FleetSelection,
) -> Result<FleetListReport, Error> {
    let places = fleet.places()?;
    let mut targets = Vec::new();
    for stage in fleet.stages(wanted)? {
        for index in stage.members {
            let target = &fleet.targets[index];
            let place = places
                .of(target)
                .map_err(|kind| Fleet::lost_place(target, kind))?;
            targets.push(ListedTarget {
                name: target.name.to_string(),
                group: target.group.as_deref().map(str::to_owned),
                database: Fleet::shown(&place, &|path| project.show(path)),
                schema: place.schema,
                stage: stage.kind.to_string(),
            });
        }
    }
    Ok(FleetListReport {
        environment: fleet.config.environment.clone(),
        targets,
    })
}

/// Runs `work` on some threads, as [`run_on_threads`] does.
fn workers(count: usize, work: impl Fn(&Runtime) + Sync) -> Result<(), Error> {
    run_on_threads("fleet", count, work)
}
