use super::{
    Error, Project, RevisionLine, Session,
    line::{self, lines},
};
use crate::{
    database::Detail,
    plan::{self, Drift, Halfway, Obstacle, RepeatableStatus},
    revision::State,
};

/// The state of the database compared with the scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// The database.
    pub database: String,
    /// The schema of the version table, if the database has schemas.
    pub schema: Option<String>,
    /// The directory.
    pub directory: String,
    /// The number of revisions in the directory.
    pub revisions: usize,
    /// The number of applied revisions, without partially applied ones.
    pub applied: usize,
    /// The applied revisions that no applied revision revises.
    pub current: Vec<RevisionLine>,
    /// The heads of the directory.
    pub heads: Vec<RevisionLine>,
    /// The revisions that an upgrade to all heads would apply.
    pub pending: Vec<RevisionLine>,
    /// The repeatable scripts.
    pub repeatables: Vec<RepeatableStatus>,
    /// Baselines of which a part is applied under the old IDs.
    pub halfway: Vec<Halfway>,
    /// All disagreements between scripts and database.
    pub drift: Drift,
    /// The version table; on PostgreSQL always with its schema.
    pub version_table: String,
    /// Whether the version table exists.
    pub version_table_exists: bool,
    /// Obstacles to a first upgrade.
    pub obstacles: Vec<Obstacle>,
}

/// Compares the database with the scripts without locking or changing anything.
///
/// # Errors
/// Fails when the scripts are invalid or the database cannot be read.
pub async fn status(project: &Project, session: &mut Session) -> Result<StatusReport, Error> {
    let dialect = session.dialect();
    let history = project.history(dialect)?;
    session.allow_missing(history.is_empty());
    let observed = session.observe(Detail::Brief).await?;
    let version_table_exists = observed.layout.is_some();
    let obstacles = match session.survey(&observed).await? {
        Some(beside) if plan::needs_survey(&history, &observed) => {
            plan::obstacles(&history, &observed, &beside, project.accepted)
        }
        _ => Vec::new(),
    };
    let halfway = plan::halfway(&history, &observed, dialect);
    let observed = plan::seen(&history, observed, dialect);
    let rows = observed.applied.iter();
    Ok(StatusReport {
        database: session.place().to_owned(),
        schema: session.home_schema(),
        directory: project.directory().1.to_owned(),
        revisions: history.len(),
        applied: rows.filter(|row| row.state == State::Applied).count(),
        current: line::current(Some(&history), &observed),
        heads: lines(&history, history.heads()),
        pending: lines(&history, plan::pending(&history, &observed)),
        repeatables: plan::repeatables(&history, &observed, dialect),
        halfway,
        drift: plan::compare(&history, &observed, dialect),
        version_table: session.shown_table(),
        version_table_exists,
        obstacles,
    })
}
