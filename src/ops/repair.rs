use super::{Error, Project, Session, edited};
use crate::{
    database::{Database, Detail},
    execute,
    plan::{self, Repair, RepairRequest},
    revision::{AppliedRevision, History, Observed, Partial, Resolved, RevisionId, State, Target},
    sql::Dialect,
};

/// Arguments of `repair`.
#[derive(Clone, Debug)]
pub enum RepairArgs {
    /// Accept the edited scripts of these revisions, or of all revisions if empty.
    Accept(Vec<Target>),
    /// Settle the statement in doubt of a partially applied revision.
    Statement {
        /// The number of the statement, from 1.
        number: usize,
        /// Whether the statement took effect.
        done: bool,
    },
    /// Record the partially applied revision as applied or as not applied.
    Mark {
        /// Whether to record it as applied.
        applied: bool,
    },
}

/// The result of `repair` or of its plan.
#[derive(Clone, Debug, PartialEq)]
pub struct RepairReport {
    /// The database.
    pub database: String,
    /// The changes of the records.
    pub repairs: Vec<Repair>,
    /// Partially applied revisions that remain so.
    pub partial: Vec<(RevisionId, Partial)>,
    /// Whether the changes were written, or only planned.
    pub done: bool,
}

/// Repairs the records. `confirm` receives the plan, with the lock held, and may decline. It is not
/// called if there is nothing to repair.
///
/// # Errors
/// [`Error::Declined`], or an error of scripts, targets or the database. Nothing is changed then.
pub async fn repair(
    project: &Project,
    session: &mut Session,
    args: &RepairArgs,
    confirm: impl FnOnce(&RepairReport) -> bool,
) -> Result<RepairReport, Error> {
    let work = Work::new(project, session, args)?;
    let mut database = session.lock().await?;
    let repaired = work.repair(database.as_mut(), confirm).await;
    session.release(database).await;
    repaired
}

/// Plans [`repair`] without locking or changing anything.
///
/// # Errors
/// The errors of [`repair`].
pub async fn plan_repair(
    project: &Project,
    session: &mut Session,
    args: &RepairArgs,
) -> Result<RepairReport, Error> {
    let work = Work::new(project, session, args)?;
    let observed = session.observe(Detail::WithScripts).await?;
    let mut report = work.report(&observed)?;
    if let Some(database) = session.database() {
        edited::explain_repairs(&mut report.repairs, database, &work.history).await?;
    }
    Ok(report)
}

struct Work<'a> {
    project: &'a Project,
    history: std::sync::Arc<History>,
    dialect: Dialect,
    place: String,
    args: &'a RepairArgs,
}

impl<'a> Work<'a> {
    fn new(project: &'a Project, session: &Session, args: &'a RepairArgs) -> Result<Self, Error> {
        let dialect = session.dialect();
        Ok(Self {
            project,
            history: project.history(dialect)?,
            dialect,
            place: session.place().to_owned(),
            args,
        })
    }

    async fn repair(
        &self,
        database: &mut dyn Database,
        confirm: impl FnOnce(&RepairReport) -> bool,
    ) -> Result<RepairReport, Error> {
        let observed = database.observe(Detail::WithScripts).await?;
        let mut report = self.report(&observed)?;
        if report.repairs.is_empty() {
            return Ok(report);
        }
        edited::explain_repairs(&mut report.repairs, database, &self.history).await?;
        if !confirm(&report) {
            return Err(Error::Declined);
        }
        let exchanges = plan::exchanges(&self.history, &observed, self.dialect);
        execute::write_repairs(database, &exchanges, &report.repairs).await?;
        Ok(RepairReport {
            partial: Vec::new(),
            done: true,
            ..report
        })
    }

    fn report(&self, observed: &Observed) -> Result<RepairReport, Error> {
        let context = (self.project).plan_context(&self.history, observed, self.dialect);
        Ok(RepairReport {
            database: self.place.clone(),
            repairs: plan::repair(&context, &self.request(observed)?)?,
            partial: self.left(observed),
            done: false,
        })
    }

    /// Partially applied revisions that remain unless a statement is settled or the revision is
    /// marked.
    fn left(&self, observed: &Observed) -> Vec<(RevisionId, Partial)> {
        if !matches!(self.args, RepairArgs::Accept(_)) {
            return Vec::new();
        }
        let partial = |row: &AppliedRevision| match &row.state {
            State::Partial(partial) => Some((row.revision.clone(), (**partial).clone())),
            State::Applied => None,
        };
        observed.applied.iter().filter_map(partial).collect()
    }

    fn request(&self, observed: &Observed) -> Result<RepairRequest, Error> {
        match self.args {
            RepairArgs::Statement { number, done } => Ok(RepairRequest::Statement {
                number: *number,
                done: *done,
            }),
            RepairArgs::Mark { applied } => Ok(RepairRequest::Mark { applied: *applied }),
            RepairArgs::Accept(targets) => {
                let ids = targets.iter().map(|target| self.one(target, observed));
                Ok(RepairRequest::Accept(ids.collect::<Result<_, _>>()?))
            }
        }
    }

    fn one(&self, target: &Target, observed: &Observed) -> Result<RevisionId, Error> {
        match self.history.resolve(target, &observed.applied)? {
            Resolved::Revisions(ids) if ids.len() == 1 => Ok(ids[0].clone()),
            _ => Err(Error::NotOneRevision(target.to_string())),
        }
    }
}
