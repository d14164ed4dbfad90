use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Error, Project, Session};
use crate::{
    database::Detail,
    revision::{Observed, Resolved, Revision, RevisionId, Script, Target},
    sql::Dialect,
};

/// Arguments of `edit`.
#[derive(Clone, Debug)]
pub struct EditArgs {
    /// The revision.
    pub target: Target,
    /// Whether the up script is opened.
    pub up: bool,
    /// Whether the down script is opened.
    pub down: bool,
}

/// The scripts of a revision to edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditReport {
    /// The revision.
    pub id: RevisionId,
    /// The files, as named in messages.
    pub files: Vec<String>,
    /// The paths of the files.
    pub paths: Vec<PathBuf>,
    /// The database in which the revision is applied, if it answers quickly.
    pub applied_in: Option<String>,
}

/// The timeout for the database, which is asked only for a warning.
const PATIENCE: Duration = Duration::from_secs(2);

/// Finds the scripts of a revision.
///
/// # Errors
/// Fails when the scripts are invalid, or the revision or one of its scripts is missing.
pub async fn edit(
    project: &Project,
    session: Option<&mut Session>,
    dialect: Dialect,
    args: &EditArgs,
) -> Result<EditReport, Error> {
    let history = project.history(dialect)?;
    let (place, observed) = match session {
        Some(session) => (
            Some(session.place().to_owned()),
            observed_soon(session).await.unwrap_or_default(),
        ),
        None => (None, Observed::default()),
    };
    let id = match history.resolve(&args.target, &observed.applied)? {
        Resolved::Revisions(ids) if ids.len() == 1 => ids[0].clone(),
        _ => return Err(Error::NotOneRevision(args.target.to_string())),
    };
    let revision = history.get(&id).ok_or_else(|| Error::NoFiles(id.clone()))?;
    let scripts = scripts(args, revision)?;
    let mut files: Vec<_> = scripts.iter().map(|script| script.file.clone()).collect();
    // In other tools' layouts, both scripts may be in one file.
    files.dedup();
    let (directory, shown) = project.directory();
    let path = |file: &String| {
        let name = Path::new(file).strip_prefix(shown);
        directory.join(name.unwrap_or(Path::new(file)))
    };
    let is_applied = observed.applied.iter().any(|row| row.revision == id);
    Ok(EditReport {
        paths: files.iter().map(path).collect(),
        files,
        applied_in: place.filter(|_| is_applied && args.up),
        id,
    })
}

fn scripts<'a>(args: &EditArgs, revision: &'a Revision) -> Result<Vec<&'a Script>, Error> {
    let mut scripts = Vec::new();
    if args.up {
        scripts.push(&revision.up);
    }
    if args.down {
        let down = revision.down.as_ref();
        scripts.push(down.ok_or_else(|| Error::NoDown {
            revision: revision.id.clone(),
            up: revision.up.file.clone(),
        })?);
    }
    Ok(scripts)
}

/// The state of the database, if it answers quickly.
async fn observed_soon(session: &mut Session) -> Option<Observed> {
    let observing = session.observe(Detail::Brief);
    tokio::time::timeout(PATIENCE, observing).await.ok()?.ok()
}
