use chrono::Utc;

use super::{Error, Project, Session, files, revision::one};
use crate::{
    database::Detail,
    plan::{self, Rebase, RebaseRequest},
    project,
    revision::{History, RevisionId},
    sql::Dialect,
};

/// Arguments of `rebase`.
#[derive(Clone, Debug)]
pub struct RebaseArgs {
    /// The revision to move.
    pub revision: String,
    /// The head to move it onto; `None` selects the only other head.
    pub onto: Option<String>,
    /// Whether to leave the files unchanged.
    pub dry_run: bool,
}

/// The result of `rebase`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebaseReport {
    /// The given revision.
    pub revision: RevisionId,
    /// The moved revisions; `None` if there was nothing to do.
    pub rebase: Option<Rebase>,
    /// Whether the files were left unchanged.
    pub dry_run: bool,
    /// The reason why no database was checked for applied revisions.
    pub unasked: Option<&'static str>,
}

/// Moves an unapplied revision, and all revisions that revise it, onto a head. With a session, the
/// database is checked for applied revisions.
///
/// # Errors
/// Fails when the directory is invalid, one of the revisions is applied, or the database cannot be
/// read. No file is changed then.
pub async fn rebase(
    project: &Project,
    session: Option<&mut Session>,
    dialect: Dialect,
    args: &RebaseArgs,
) -> Result<RebaseReport, Error> {
    project.ensure_native(dialect)?;
    let history = project.history(dialect)?;
    let revision = one(&history, &args.revision)?;
    let onto = args.onto.iter().map(|text| one(&history, text));
    let onto: Vec<_> = onto.collect::<Result<_, _>>()?;
    let observed = match session {
        Some(session) => Some(session.observe_or_empty(Detail::WithScripts).await?),
        None => None,
    };
    let request = RebaseRequest {
        history: &history,
        observed: observed.as_ref(),
        dialect,
        revision: &revision,
        onto: onto.first(),
    };
    let rebase = plan::rebase(&request, |onto, count| fresh(&history, onto, count))?;
    if let Some(rebase) = rebase.as_ref().filter(|_| !args.dry_run) {
        files::exchange(project, &rebase.files)?;
    }
    Ok(RebaseReport {
        revision,
        rebase,
        dry_run: args.dry_run,
        unasked: observed.is_none().then_some("there is no session"),
    })
}

/// New IDs for a chain of `count` revisions after `onto`.
fn fresh(history: &History, onto: &RevisionId, count: usize) -> Vec<RevisionId> {
    let first = project::next_id(Utc::now(), history, std::slice::from_ref(onto));
    let ids = std::iter::successors(Some(first), |id| Some(id.successor()));
    ids.filter(|id| history.get(id).is_none())
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revision::{Direction, Script, ScriptPair};

    fn id(text: &str) -> RevisionId {
        text.parse().unwrap()
    }

    #[test]
    fn new_ids_sort_after_a_head_of_the_future() {
        let check = |head: &str, expected: &[&str]| {
            let file = format!("{head}_x.up.sql");
            let up = Script::parse(crate::sql::Dialect::Sqlite, Direction::Up, file, "");
            let pair = ScriptPair {
                id: id(head),
                slug: "x".to_owned(),
                up: up.unwrap(),
                down: None,
            };
            let history = History::new(vec![pair]).unwrap();
            let ids = fresh(&history, &id(head), 2);
            let ids: Vec<_> = ids.iter().map(RevisionId::as_str).collect();
            assert_eq!(ids, expected);
        };
        check("20991231235958", &["20991231235959", "21000101000000"]);
    }

    #[test]
    fn new_ids_are_of_now_otherwise() {
        let history = History::new(Vec::new()).unwrap();
        for head in ["7", "20201301000000", "20200101000000"] {
            let before = RevisionId::from_time(Utc::now());
            let ids = fresh(&history, &id(head), 2);
            assert!(before <= ids[0] && ids[0] < ids[1], "{ids:?}");
        }
    }
}
