use super::{Error, diagnostic, plan::snippet};
use crate::{
    cli::codes,
    plan::SquashProblem,
    report::{Diagnostic, Snippet},
};

impl From<Vec<SquashProblem>> for Error {
    fn from(problems: Vec<SquashProblem>) -> Self {
        Self::many(problems.iter().map(describe).collect())
    }
}

fn describe(problem: &SquashProblem) -> Diagnostic {
    use SquashProblem as P;
    let (code, hint) = match problem {
        P::Nothing(_) => (codes::M470, "name a later one"),
        P::Needed { .. } => (
            codes::M471,
            "squash up to a revision through which all that comes after it goes",
        ),
        P::Sql { .. } => (codes::M301, "close it where it should end"),
        P::Session { .. } => (
            codes::M471,
            "squash up to the revision before it, or write what needs it with qualified names",
        ),
        P::Modes { .. } => (
            codes::M471,
            "squash up to the revision before it, or take the mode off it",
        ),
        P::ForeignKeys { .. } => (codes::M471, "squash up to the revision before it"),
        P::Placeholder { .. } => (
            codes::M471,
            "give the script the header `vars = on` and a value, or squash up to the revision before it",
        ),
        P::Labels(_) => (codes::M471, "take one of them off"),
    };
    let place = match problem {
        P::Sql { source_span, .. }
        | P::Session { source_span }
        | P::Modes { source_span, .. }
        | P::Placeholder { source_span } => Some(snippet(source_span)),
        P::Needed { file, .. } | P::ForeignKeys { file, .. } => Some(Snippet::file(file)),
        _ => None,
    };
    Diagnostic {
        place,
        hint: Some(hint.to_owned()),
        ..diagnostic(code, problem)
    }
}
