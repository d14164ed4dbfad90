use super::{Error, advised, hinted};
use crate::{
    plan::RebaseProblem,
    project::ExchangeError,
    report::codes,
    report::{Diagnostic, Snippet},
};

impl From<RebaseProblem> for Error {
    fn from(problem: RebaseProblem) -> Self {
        use RebaseProblem as P;
        let advice = match &problem {
            P::Applied(_) => hinted(
                codes::M412,
                "revert it first (`migrator downgrade`), or join the heads (`migrator merge`)",
            ),
            P::SeveralHeads(_) => hinted(codes::M413, "choose one with --onto REVISION"),
            P::OntoMoves { .. } => hinted(codes::M413, "name a head of another branch"),
            P::OntoNoHead { .. } => hinted(codes::M413, "`migrator heads` lists the heads"),
            P::Merge { .. } => hinted(
                codes::M413,
                "move one of the branches below it, or create the merge again",
            ),
            P::Joined { .. } => hinted(
                codes::M413,
                "remove that merge first; after the rebase there is nothing to join",
            ),
            P::Needed { .. } => hinted(codes::M413, "move the other revision instead"),
            P::Reparented { .. } => hinted(
                codes::M413,
                "name its parent in it first: `-- migrator: revises = ID`",
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
            ..advised(advice, problem)
        }
        .into()
    }
}

impl From<ExchangeError> for Error {
    fn from(error: ExchangeError) -> Self {
        let advice = match &error {
            ExchangeError::Busy(_) => hinted(codes::M414, "wait until it has finished"),
            ExchangeError::Changed(_) => hinted(
                codes::M414,
                "restore it, or remove it if its replacement exists; then run the command again",
            ),
            ExchangeError::Exists(_) => {
                hinted(codes::M111, "move it elsewhere, then run the command again")
            }
            ExchangeError::Journal { .. } => hinted(
                codes::M414,
                "restore the directory from version control, and remove that file",
            ),
            ExchangeError::Io { .. } => hinted(
                codes::M002,
                "if files were already being exchanged, the next run of the command completes the exchange; otherwise nothing was changed",
            ),
        };
        advised(advice, error).into()
    }
}
