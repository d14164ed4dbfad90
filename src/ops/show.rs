use super::{Error, Project, Session, edited};
use crate::{
    database::{DatabaseError, Detail},
    plan,
    revision::{
        AppliedRevision, Direction, History, Resolved, Revision, RevisionId, ScriptChange, State,
        Target,
    },
    sql::Dialect,
};

/// Arguments of `show`.
#[derive(Clone, Debug)]
pub struct ShowArgs {
    /// The revision.
    pub target: Target,
    /// Whether to show all differences between the scripts and what was applied. Otherwise the
    /// start is shown, of scripts that were changed.
    pub diff: bool,
}

/// Everything known about one revision.
#[derive(Debug)]
pub struct ShowReport {
    /// The revision in the directory.
    pub revision: Option<Revision>,
    /// Whether the revision is a head of the directory.
    pub head: bool,
    /// The revisions that revise it.
    pub children: Vec<RevisionId>,
    /// The revision in the database.
    pub applied: Option<AppliedRevision>,
    /// The scripts that were changed since they were applied, if both sides are known.
    pub changed: Option<ChangedSince>,
    /// The differences to show.
    pub differences: Differences,
    /// The reason why the database was not read.
    pub unasked: Option<Unasked>,
}

/// The differences between the scripts of a revision and what was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The difference of the up script; `None` if there is none or the applied text is not known.
    pub up: Option<ScriptChange>,
    /// The difference of the down script; `None` if there is none.
    pub down: Option<ScriptChange>,
    /// Whether the text of the up script that was applied is needed and not stored.
    pub is_up_unknown: bool,
    /// Whether all of the differences were requested.
    pub all: bool,
}

/// Whether scripts were changed since they were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    /// Whether the up script was changed.
    pub up: bool,
    /// Whether the down script was changed.
    pub down: bool,
}

/// The reason why a database was not read.
#[derive(Debug)]
pub enum Unasked {
    /// No database is configured.
    NotConfigured,
    /// The database cannot be read.
    Unreadable(DatabaseError),
}

/// Shows one revision. If there is no database or it cannot be read, only that part is missing.
///
/// # Errors
/// Fails when the scripts are invalid or the target is not one revision.
pub async fn show(
    project: &Project,
    mut session: Option<&mut Session>,
    dialect: Dialect,
    args: &ShowArgs,
) -> Result<ShowReport, Error> {
    let target = &args.target;
    let history = project.history(dialect)?;
    let (observed, unasked) = match &mut session {
        None => (None, Some(Unasked::NotConfigured)),
        Some(session) => match session.observe(Detail::Brief).await {
            Ok(observed) => (Some(plan::seen(&history, observed, dialect)), None),
            Err(error) => (None, Some(Unasked::Unreadable(error))),
        },
    };
    let rows = observed.as_ref().map_or(&[][..], |found| &found.applied);
    let ids = match history.resolve(target, rows)? {
        Resolved::Revisions(ids) => ids,
        _ => return Err(Error::NotOneRevision(target.to_string())),
    };
    let [id] = ids.as_slice() else {
        return Err(Error::NotOneRevision(target.to_string()));
    };
    let children = history.children(id).into_iter();
    let children: Vec<_> = children.map(|child| child.id.clone()).collect();
    let applied = rows.iter().find(|row| row.revision == *id).cloned();
    let drift = observed
        .as_ref()
        .map(|observed| plan::compare(&history, observed, dialect))
        .unwrap_or_default();
    // A partially applied script is compared when it is resumed.
    let is_whole = applied
        .as_ref()
        .is_some_and(|row| row.state == State::Applied);
    let both = is_whole && history.get(id).is_some();
    let changed = both.then(|| ChangedSince {
        up: drift.edited_up.contains(id),
        down: drift.edited_down.contains(id),
    });
    let differences = match (session, changed) {
        (Some(session), Some(changed)) => differences(session, &history, id, changed, args).await?,
        _ => Differences::default(),
    };
    Ok(ShowReport {
        revision: history.get(id).cloned(),
        head: children.is_empty() && history.get(id).is_some(),
        children,
        applied,
        changed,
        differences: Differences {
            all: args.diff,
            ..differences
        },
        unasked,
    })
}

/// The differences that were requested, or those of changed scripts.
async fn differences(
    session: &mut Session,
    history: &History,
    id: &RevisionId,
    changed: ChangedSince,
    args: &ShowArgs,
) -> Result<Differences, Error> {
    // A baseline may be applied by the scripts that it replaces.
    let is_baseline = |revision: &Revision| !revision.replaces.is_empty();
    let unchanged = args.diff && !history.get(id).is_some_and(is_baseline);
    let (up, down) = (changed.up || unchanged, changed.down || unchanged);
    if !up && !down {
        return Ok(Differences::default());
    }
    let stored = session.scripts(&[id.clone().into()]).await?;
    let change = |direction| {
        let found = edited::changed(history, stored.first()?, direction);
        found.filter(|change| !change.lines().is_empty())
    };
    Ok(Differences {
        up: up.then(|| change(Direction::Up)).flatten(),
        down: down.then(|| change(Direction::Down)).flatten(),
        is_up_unknown: up && stored.first().is_none_or(|row| row.up.is_none()),
        all: args.diff,
    })
}
