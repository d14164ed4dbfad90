use super::{Error, diagnostic, project::directory};
use crate::{
    cli::codes::{self, Code},
    plan::Finding,
    project::GitError,
    report::{Diagnostic, Snippet},
    revision::{Direction, History},
};

/// What a check of `history` found, for people.
pub fn finding(finding: &Finding, history: &History) -> Diagnostic {
    if let Finding::Script(problem) = finding {
        return super::plan::describe(problem);
    }
    let (code, hint) = advice(finding);
    Diagnostic {
        place: header(finding, history).or_else(|| place(finding).map(Snippet::file)),
        hint: Some(hint),
        ..diagnostic(code, finding)
    }
}

fn advice(finding: &Finding) -> (Code, String) {
    use Finding as F;
    let text = str::to_owned;
    match finding {
        F::Occupied(_) => (
            codes::M808,
            text("`migrator adopt` comes first; records-of = \"ignore\" silences this"),
        ),
        F::Script(_) => (codes::M301, text("fix the script")),
        F::Empty {
            direction: None, ..
        } => (
            codes::M810,
            text("remove the file, or write into it what it is to do"),
        ),
        F::Empty {
            direction: Some(Direction::Up),
            ..
        } => (
            codes::M810,
            text("write into it what it is to do; `SELECT 1;` if that is nothing on purpose"),
        ),
        F::Empty { .. } => (
            codes::M810,
            text(
                "write what undoes the revision, or remove the file and declare it: `-- migrator: irreversible = REASON`",
            ),
        ),
        F::FilesBelow { .. } => (
            codes::M809,
            text(
                "`recursive = true` reads directories below; `leave-out` takes `old/` for all of one",
            ),
        ),
        F::SeveralHeads { .. } => (
            codes::M801,
            text(
                "join them (`migrator merge -m \"join\"`), or move one onto the other (`migrator rebase REVISION`)",
            ),
        ),
        F::NoDown { .. } => (
            codes::M802,
            text("write one, or declare it: `-- migrator: irreversible = REASON`"),
        ),
        F::Edited { .. } => (
            codes::M803,
            text("undo the change and write a new revision, or accept it with `migrator repair`"),
        ),
        F::Unknown { ahead: true, .. } => (
            codes::M804,
            text("a newer release was deployed; check that one"),
        ),
        F::Unknown { ahead: false, .. } => (
            codes::M804,
            text(
                "get the missing files (another branch?), or check that this is the right database",
            ),
        ),
        F::Pending { .. } | F::RepeatablesDue { .. } => (
            codes::M805,
            text("`migrator upgrade`; --pending-ok allows it"),
        ),
        F::Partial { .. } => (
            codes::M806,
            text("go on with the command that began it, or settle it with `migrator repair`"),
        ),
        F::OutOfOrder { .. } => (
            codes::M807,
            text("name its parent with `-- migrator: revises = ID`, then `migrator rebase` it"),
        ),
        F::BaseEdited { .. } | F::BaseMoved { .. } => (
            codes::M811,
            text("put it back as it is in the base, and write a new revision"),
        ),
        F::BaseGone { now: Some(now), .. } => (
            codes::M812,
            format!("is it {now} now? give it its old name back"),
        ),
        F::BaseGone { now: None, .. } => (
            codes::M812,
            text("get it back, or bring this branch up to date with the base"),
        ),
        F::Below { revision, .. } => (
            codes::M813,
            format!("bring the branch up to date, then: migrator rebase {revision}"),
        ),
        F::Early { revision, .. } => (codes::M814, format!("migrator rebase {revision}")),
    }
}

/// The parent that is at fault, where it is written down.
fn header(finding: &Finding, history: &History) -> Option<Snippet> {
    let Finding::Below {
        revision, parent, ..
    } = finding
    else {
        return None;
    };
    let script = &history.get(revision)?.up;
    Some(Snippet {
        file: script.file.clone(),
        text: Some(script.text.clone()),
        offset: Some(script.names_parent_at(parent)?),
        length: parent.as_str().len(),
        at: None,
    })
}

fn place(finding: &Finding) -> Option<&str> {
    use Finding as F;
    match finding {
        F::SeveralHeads { file, .. }
        | F::NoDown { file, .. }
        | F::Empty { file, .. }
        | F::Edited { file, .. }
        | F::Pending { file, .. }
        | F::RepeatablesDue { file, .. }
        | F::OutOfOrder { file, .. }
        | F::BaseEdited { file, .. }
        | F::BaseMoved { file, .. }
        | F::Below { file, .. }
        | F::Early { file, .. } => Some(file),
        F::Partial { file, .. } => file.as_deref(),
        _ => None,
    }
}

impl From<GitError> for Error {
    fn from(error: GitError) -> Self {
        let (code, hint) = match &error {
            GitError::Directory(problems) => return directory(problems),
            GitError::NoGit(_) => (
                codes::M421,
                "install git, or check without --base".to_owned(),
            ),
            GitError::UnknownReference { shallow: true, .. } => (
                codes::M422,
                "the clone is shallow: fetch the base, in GitHub's workflows with `fetch-depth: 0`"
                    .to_owned(),
            ),
            GitError::UnknownReference {
                nearest: Some(name),
                ..
            } => (codes::M422, format!("did you mean {name}?")),
            GitError::UnknownReference { .. } => (
                codes::M422,
                "name a branch, tag or commit that `git log` knows here, such as origin/main"
                    .to_owned(),
            ),
            _ => (
                codes::M421,
                "--base compares with a commit of the repository that the directory is in"
                    .to_owned(),
            ),
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}
