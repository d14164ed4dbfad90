use super::{Error, Project, Session};
use crate::{
    database::{Database, Detail},
    execute::{self, Adopted},
    layout::{ExternalChoice, ExternalRecords, Layout},
    plan::{self, Adoption},
    revision::{History, Observed},
    sql::Dialect,
};

/// What `adopt` is asked for.
#[derive(Clone, Debug)]
pub struct AdoptArgs {
    /// Whose records are adopted.
    pub from: ExternalChoice,
    /// Whether what is in doubt is accepted.
    pub accept_doubts: bool,
}

/// What `adopt` records or has recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptReport {
    /// The database.
    pub database: String,
    /// Every record.
    pub adoption: Adoption,
    /// Whether it is done, or only planned.
    pub done: bool,
}

/// Records what another tool has applied. No script runs, and that tool's table stays as it is.
///
/// # Errors
/// [`Error::AdoptDoubts`], and when scripts or the database are in the way: nothing is changed then.
/// [`Error::AdoptOutdated`] after it was done.
pub async fn adopt(
    project: &Project,
    session: &mut Session,
    args: &AdoptArgs,
) -> Result<AdoptReport, Error> {
    let work = Work::new(project, session, args)?;
    let mut database = session.lock().await?;
    let adopted = work.adopt(database.as_mut()).await;
    session.release(database).await;
    adopted
}

/// The plan of [`adopt`]. Nothing is locked or changed.
///
/// # Errors
/// When scripts or the database are in the way.
pub async fn plan_adopt(
    project: &Project,
    session: &mut Session,
    args: &AdoptArgs,
) -> Result<AdoptReport, Error> {
    let work = Work::new(project, session, args)?;
    let observed = session.observe(Detail::Brief).await?;
    let records = session.external_records(&args.from).await?;
    Ok(work.report(work.plan(&observed, &records)?, false))
}

struct Work<'a> {
    project: &'a Project,
    history: std::sync::Arc<History>,
    layout: Layout,
    dialect: Dialect,
    place: String,
    args: &'a AdoptArgs,
}

impl<'a> Work<'a> {
    fn new(project: &'a Project, session: &Session, args: &'a AdoptArgs) -> Result<Self, Error> {
        let dialect = session.dialect();
        Ok(Self {
            project,
            history: project.history(dialect)?,
            layout: project.detected_layout(dialect)?,
            dialect,
            place: session.place().to_owned(),
            args,
        })
    }

    async fn adopt(&self, database: &mut dyn Database) -> Result<AdoptReport, Error> {
        let observed = database.observe(Detail::Brief).await?;
        let records = database.external_records(&self.args.from).await?;
        let adoption = self.plan(&observed, &records)?;
        if !adoption.doubts.is_empty() && !self.args.accept_doubts {
            return Err(Error::AdoptDoubts(Box::new(self.report(adoption, false))));
        }
        let adopted =
            execute::write_adoption(database, &adoption, (&self.args.from, &records)).await?;
        let report = self.report(adoption, true);
        match adopted {
            Adopted::Unchanged => Ok(report),
            Adopted::Outdated => Err(Error::AdoptOutdated(Box::new(report))),
        }
    }

    fn plan(&self, observed: &Observed, records: &ExternalRecords) -> Result<Adoption, Error> {
        let context = (self.project).plan_context(&self.history, observed, self.dialect);
        Ok(plan::adopt(&context, records, self.layout)?)
    }

    fn report(&self, adoption: Adoption, done: bool) -> AdoptReport {
        AdoptReport {
            database: self.place.clone(),
            adoption,
            done,
        }
    }
}
