use super::{
    Error, Project, RevisionLine, Session,
    line::{self, applied_heads},
};
use crate::{arrange::Arrange as _, database::Detail, revision::RevisionId};

/// The current revisions of a database.
#[derive(Debug)]
pub struct CurrentReport {
    /// The database.
    pub database: String,
    /// The applied revisions that no applied revision revises.
    pub lines: Vec<RevisionLine>,
    /// Whether exactly the heads of the directory are applied.
    pub at_heads: bool,
    /// The reason why the directory could not be read; lines contain less information then.
    pub unread: Option<Error>,
}

/// Reads the current revisions. This works even if the directory is invalid.
///
/// # Errors
/// Fails when the database cannot be read.
pub async fn current(project: &Project, session: &mut Session) -> Result<CurrentReport, Error> {
    let observed = session.observe(Detail::Brief).await?;
    let (history, unread) = match project.history(session.dialect()) {
        Ok(history) => (Some(history), None),
        Err(error) => (None, Some(error)),
    };
    let mut current = applied_heads(&observed);
    let heads = history.iter().flat_map(|history| history.heads());
    let mut heads: Vec<RevisionId> = heads.map(|head| head.id.clone()).collect();
    current.arrange();
    heads.arrange();
    Ok(CurrentReport {
        database: session.place().to_owned(),
        lines: line::current(history.as_deref(), &observed),
        at_heads: current == heads,
        unread,
    })
}
