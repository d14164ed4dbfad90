use super::{Advice, Error, advised, hinted, plan, project::directory};
use crate::{
    plan::Finding,
    project::GitError,
    report::codes,
    report::{Diagnostic, Diff, Snippet},
    revision::{Direction, History},
};

/// A finding of a check of `history`, as a diagnostic.
pub fn finding(finding: &Finding, history: &History) -> Diagnostic {
    if let Finding::Script(problem) = finding {
        return plan::describe(problem);
    }
    let parent = finding.parent_in(history).map(|(span, length)| Snippet {
        length,
        ..Snippet::from(&span)
    });
    let diff = match finding {
        Finding::Edited {
            revision,
            change: Some(change),
            ..
        } => Some(Diff::of(revision, change)),
        _ => None,
    };
    Diagnostic {
        place: parent.or_else(|| finding.file().map(Snippet::file)),
        diff,
        ..advised(advice(finding), finding)
    }
}

fn advice(finding: &Finding) -> Advice {
    use Finding as F;
    match finding {
        F::Occupied(_) => hinted(
            codes::M808,
            "run `migrator adopt` first, or set records-of = \"ignore\"",
        ),
        F::Script(_) => hinted(codes::M301, "fix the script"),
        F::Empty {
            direction: None, ..
        } => hinted(codes::M810, "remove the file, or write its statements"),
        F::Empty {
            direction: Some(Direction::Up),
            ..
        } => hinted(
            codes::M810,
            "write its statements, or `SELECT 1;` if it is empty on purpose",
        ),
        F::Empty { .. } => hinted(
            codes::M810,
            "write its statements, or remove the file and declare the revision irreversible: `-- migrator: irreversible = REASON`",
        ),
        F::FilesBelow { .. } => hinted(
            codes::M809,
            "set `recursive = true` to read them, or list their directory in `leave-out`, such as `old/`",
        ),
        F::SeveralHeads { .. } => hinted(
            codes::M801,
            "join them (`migrator merge -m \"join\"`), or move one onto the other (`migrator rebase REVISION`)",
        ),
        F::NoDown { .. } => hinted(
            codes::M802,
            "write one, or declare the revision irreversible: `-- migrator: irreversible = REASON`",
        ),
        F::Edited { .. } => hinted(
            codes::M803,
            "undo the change and write a new revision, or accept it with `migrator repair`",
        ),
        F::Unknown { ahead: true, .. } => hinted(
            codes::M804,
            "a newer release was deployed; check that release instead",
        ),
        F::Unknown { ahead: false, .. } => hinted(
            codes::M804,
            "get the missing files, perhaps from another branch, or check that this is the right database",
        ),
        F::Pending {
            revisions,
            contract,
            ..
        } if contract.len() == revisions.len() => hinted(
            codes::M805,
            "run `migrator upgrade` once no program of before the deployment runs, or allow it with --pending-ok",
        ),
        F::Pending { .. } | F::RepeatablesDue { .. } => hinted(
            codes::M805,
            "run `migrator upgrade`, or allow it with --pending-ok",
        ),
        F::Partial { .. } => hinted(
            codes::M806,
            "run the command that started it again, or resolve it with `migrator repair`",
        ),
        F::OutOfOrder { .. } => hinted(
            codes::M807,
            "name its parent with `-- migrator: revises = ID`, then run `migrator rebase`",
        ),
        F::BaseEdited { .. } | F::BaseMoved { .. } => hinted(
            codes::M811,
            "restore it as it is in the base, and write a new revision",
        ),
        F::BaseGone { now: Some(now), .. } => hinted(
            codes::M812,
            format!("it may have been renamed to {now}; restore the old name"),
        ),
        F::BaseGone { now: None, .. } => {
            hinted(codes::M812, "restore it, or update this branch to the base")
        }
        F::Below { revision, .. } => hinted(
            codes::M813,
            format!("update the branch to the base, then run `migrator rebase {revision}`"),
        ),
        F::Early { revision, .. } => {
            hinted(codes::M814, format!("run `migrator rebase {revision}`"))
        }
    }
}

impl From<GitError> for Error {
    fn from(error: GitError) -> Self {
        let advice = match &error {
            GitError::Directory(problems) => return directory(problems),
            GitError::NoGit(_) => hinted(codes::M421, "install git, or check without --base"),
            GitError::UnknownReference { shallow: true, .. } => hinted(
                codes::M422,
                "the clone is shallow: fetch the base, in GitHub Actions with `fetch-depth: 0`",
            ),
            GitError::UnknownReference {
                nearest: Some(name),
                ..
            } => hinted(codes::M422, format!("did you mean {name}?")),
            GitError::UnknownReference { .. } => hinted(
                codes::M422,
                "name a branch, tag or commit that exists in this clone, such as origin/main",
            ),
            _ => hinted(
                codes::M421,
                "--base requires the directory to be in a git repository",
            ),
        };
        advised(advice, error).into()
    }
}
