use super::{Error, advised, hinted};
use crate::{
    plan::SquashProblem,
    report::codes,
    report::{Diagnostic, Snippet},
};

impl From<Vec<SquashProblem>> for Error {
    fn from(problems: Vec<SquashProblem>) -> Self {
        Self::many(problems.iter().map(describe).collect())
    }
}

fn describe(problem: &SquashProblem) -> Diagnostic {
    use SquashProblem as P;
    let advice = match problem {
        P::Nothing(_) => hinted(codes::M470, "name a later revision"),
        P::Needed { .. } => hinted(
            codes::M471,
            "squash up to a revision that all later revisions build on",
        ),
        P::Sql { .. } => hinted(codes::M301, "close it where it should end"),
        P::Session { .. } => hinted(
            codes::M471,
            "squash up to the revision before it, or use qualified names where the setting is needed",
        ),
        P::Modes { .. } => hinted(
            codes::M471,
            "squash up to the revision before it, or remove the mode",
        ),
        P::ForeignKeys { .. } => hinted(codes::M471, "squash up to the revision before it"),
        P::Placeholder { .. } => hinted(
            codes::M471,
            "give the script the header `vars = on` and a value, or squash up to the revision before it",
        ),
        P::Labels(_) => hinted(codes::M471, "remove one of them"),
    };
    let place = match problem {
        P::Sql { source_span, .. }
        | P::Session { source_span }
        | P::Modes { source_span, .. }
        | P::Placeholder { source_span } => Some(Snippet::from(source_span)),
        P::Needed { file, .. } | P::ForeignKeys { file, .. } => Some(Snippet::file(file)),
        _ => None,
    };
    Diagnostic {
        place,
        ..advised(advice, problem)
    }
}
