use super::{Advice, Error, advised, diagnostic, hinted, location, plain};
use crate::{
    fleet::SelectProblem,
    ops::{FleetError, TargetProblemKind},
    report::{Diagnostic, codes},
};

impl From<FleetError> for Error {
    fn from(error: FleetError) -> Self {
        use FleetError as E;
        match error {
            E::Targets(problems) => Self::many(
                problems
                    .iter()
                    .map(|problem| {
                        let hint = target_hint(&problem.kind);
                        Diagnostic {
                            hint,
                            ..diagnostic(codes::M921, problem)
                        }
                    })
                    .collect(),
            ),
            E::Select(problems) => Self::many(problems.iter().map(select).collect()),
            E::Order(problems) => Self::many(
                problems
                    .iter()
                    .map(|problem| diagnostic(codes::M924, problem))
                    .collect(),
            ),
            E::Program(error) => {
                let notes = error.tail.lines().map(str::to_owned).collect();
                Self::from(Diagnostic {
                    notes,
                    ..diagnostic(codes::M922, &error)
                })
            }
            E::NoTargets { ref origin, .. } => Self::from(Diagnostic {
                place: super::project::place(origin),
                ..advised(
                    hinted(
                        codes::M922,
                        "a fleet without targets is refused, since a run would look like a success",
                    ),
                    &error,
                )
            }),
            error => advised(advice(&error), error).into(),
        }
    }
}

fn advice(error: &FleetError) -> Advice {
    use FleetError as E;
    match error {
        E::NoFleet { .. } => hinted(
            codes::M920,
            "add [environments.NAME.fleet] to migrator.toml and choose it: `migrator -n NAME fleet list`",
        ),
        E::QualifiedTable => hinted(
            codes::M928,
            "set `version-table` to a name without a schema",
        ),
        E::BackupOfSchemas => hinted(
            codes::M928,
            "back up each database once, `migrator --url URL backup`, and give --no-backup",
        ),
        E::NotComparable(_) => plain(codes::M928),
        E::Closed { .. } => hinted(codes::M925, "run it then, or give --any-time"),
        E::NoJournal(_) => hinted(
            codes::M923,
            "--failed is for targets that have failed in a run before",
        ),
        E::Journal { .. } => hinted(
            codes::M927,
            "set `journal` in [environments.NAME.fleet] to another file",
        ),
        _ => plain(codes::M922),
    }
}

fn select(problem: &SelectProblem) -> Diagnostic {
    let SelectProblem::NoMatch { nearest: near, .. } = problem;
    advised(super::nearest(codes::M923, near.as_ref()), problem)
}

fn target_hint(kind: &TargetProblemKind) -> Option<String> {
    use TargetProblemKind as K;
    let hint = match kind {
        K::UnknownField { nearest: near, .. } => {
            return near.map(|near| format!("did you mean `{near}`?"));
        }
        K::Url { error, .. } => {
            let found = location(error, "the URL of a target");
            return found.diagnostics.into_iter().next()?.hint;
        }
        K::Duplicate { .. } => "the names of targets have to differ",
        K::NoUrl(_) | K::NotItsOwn(_) => {
            "set `url` or `schema` of the fleet with ${target}, or let the source tell them"
        }
        K::SearchPath(_) => "remove it from the URL: the schema of the target comes first in it",
        K::OtherDialect { .. } => "the scripts of a fleet are for one kind of database",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The error of targets that have failed, if a fleet has some that cannot be blamed on one code.
pub fn fleet_failed(message: String) -> Diagnostic {
    advised(plain(codes::M926), message)
}
