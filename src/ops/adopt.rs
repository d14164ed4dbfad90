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

/// The result of `adopt` or of its plan.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptReport {
    /// The database.
    pub database: String,
    /// The records to adopt.
    pub adoption: Adoption,
    /// Whether the records were written, or only planned.
    pub done: bool,
}

/// Records the revisions that another tool has applied. Runs no script and leaves that tool's table
/// unchanged.
///
/// # Errors
/// [`Error::AdoptDoubts`], or an error of scripts or the database; nothing is changed then.
/// [`Error::AdoptOutdated`] after the records were written.
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

/// Plans [`adopt`] without locking or changing anything.
///
/// # Errors
/// Fails when the scripts or the database prevent it.
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
