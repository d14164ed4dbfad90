use super::{Error, diagnostic};
use crate::{
    cli::codes,
    plan::RebaseProblem,
    project::ExchangeError,
    report::{Diagnostic, Snippet},
};

impl From<RebaseProblem> for Error {
    fn from(problem: RebaseProblem) -> Self {
        use RebaseProblem as P;
        let (code, hint) = match &problem {
            P::Applied(_) => (
                codes::M412,
                "revert it first (`migrator downgrade`), or join the heads (`migrator merge`)",
            ),
            P::SeveralHeads(_) => (codes::M413, "say which one: --onto REVISION"),
            P::OntoMoves { .. } => (codes::M413, "name a head of another branch"),
            P::OntoNoHead { .. } => (codes::M413, "`migrator heads` lists the heads"),
            P::Merge { .. } => (
                codes::M413,
                "move one of the branches below it, or make the merge anew",
            ),
            P::Joined { .. } => (
                codes::M413,
                "remove that merge first: after the rebase there is nothing to join",
            ),
            P::Needed { .. } => (codes::M413, "move the other one instead"),
            P::Reparented { .. } => (
                codes::M413,
                "write its parent into it first: `-- migrator: revises = ID`",
            ),
        };
        let place = match &problem {
            P::Merge { file, .. } | P::Joined { file, .. } | P::Reparented { file, .. } => {
                Some(Snippet::file(file))
            }
            _ => None,
        };
        Diagnostic {
            place,
            hint: Some(hint.to_owned()),
            ..diagnostic(code, problem)
        }
        .into()
    }
}

impl From<ExchangeError> for Error {
    fn from(error: ExchangeError) -> Self {
        let (code, hint) = match &error {
            ExchangeError::Busy(_) => (codes::M414, "wait for it"),
            ExchangeError::Changed(_) => (
                codes::M414,
                "put it back as it was, or remove it where its new file is there; then run `migrator rebase` again",
            ),
            ExchangeError::Exists(_) => (
                codes::M111,
                "move it out of the way, then run `migrator rebase` again",
            ),
            ExchangeError::Journal { .. } => (
                codes::M414,
                "restore the directory from your version control, and remove that file",
            ),
            ExchangeError::Io { .. } => (
                codes::M002,
                "what was decided is completed by the next `migrator rebase`; else nothing was changed",
            ),
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}
