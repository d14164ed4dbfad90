//! `--sql` of `upgrade` and `downgrade`: a plan as a script for the database's own shell.

use super::{Error, MigrateArgs, Project, Session, line::position, migrate::Migration};
use crate::{
    database::{self, Detail, ScriptHead, ScriptStep, Settings},
    execute::{self, ScriptError},
    plan::{self, Execution, Plan, PlanError, PlanProblem, SourceSpan, Step, UnitKind},
    revision::{Direction, Observed, Range, Subject, Target},
    sql::Statement,
};

/// The starting state of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The current state of the database.
    Database,
    /// This target; no database is read.
    Assumed(Target),
}

/// A run as a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptReport {
    /// The starting position.
    pub from: String,
    /// The final position.
    pub to: String,
    /// The direction.
    pub direction: Direction,
    /// The steps that the script applies or reverts, in order.
    pub steps: Vec<Subject>,
    /// The script.
    pub sql: String,
}

/// The reason why a plan cannot be written as a script.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A script cannot query the outcome of the statement.
    #[error(
        "revision {subject} is partially applied, and a script cannot look up the outcome of its last statement"
    )]
    Partial {
        /// The revision.
        subject: Subject,
        /// The direction.
        direction: Direction,
    },
    /// A shell cannot repeat a statement.
    #[error("a batch is repeated until it changes no row, which a script cannot do")]
    Batch {
        /// The start of the statement.
        span: SourceSpan,
        /// The length of its first line in bytes.
        length: usize,
    },
    /// A range was given without `--sql`.
    #[error("`{range}` is a range, and only --sql accepts one")]
    RangeWithoutSql {
        /// The range.
        range: String,
    },
    /// A range starts at `current` or at a relative number of steps.
    #[error("`{start}` depends on the database, which is not read for a range")]
    RelativeStart {
        /// The start of the range.
        start: Target,
    },
    /// The range of a downgrade has no end.
    #[error("the range `{range}` of a downgrade has no end")]
    OpenEnd {
        /// The range.
        range: String,
    },
    /// The range has the opposite direction.
    #[error("there is nothing to {verb} from `{from}` to `{target}`")]
    WrongWay {
        /// The command, `upgrade` or `downgrade`.
        verb: &'static str,
        /// The start of the range.
        from: Target,
        /// The end of the range.
        target: Target,
    },
}

/// Parses the start and the target in `text`: a target, or with `sql` a range that needs no
/// database.
///
/// # Errors
/// [`Error::TargetSyntax`], and [`Error::Offline`] for a range that is not allowed or incomplete.
pub fn start_and_target(
    direction: Direction,
    text: &str,
    sql: bool,
) -> Result<(Start, Target), Error> {
    if !Range::is_range(text) {
        return Ok((Start::Database, text.parse()?));
    }
    let range = text.to_owned();
    if !sql {
        return Err(OfflineError::RangeWithoutSql { range }.into());
    }
    let ends: Range = text.parse()?;
    let start = match (direction, ends.start) {
        (_, Some(start @ (Target::Current(_) | Target::Relative(_)))) => {
            return Err(OfflineError::RelativeStart { start }.into());
        }
        (_, Some(start)) => start,
        (Direction::Up, None) => Target::Base,
        (Direction::Down, None) => Target::Head,
    };
    let target = match (direction, ends.end) {
        (_, Some(end)) => end,
        (Direction::Up, None) => Target::Head,
        (Direction::Down, None) => return Err(OfflineError::OpenEnd { range }.into()),
    };
    Ok((Start::Assumed(start), target))
}

/// Writes a script that does and records what a run would. Nothing is locked or changed; the
/// database is read only if it is the start of the script.
///
/// # Errors
/// [`Error::Offline`], and the errors of planning a run.
pub async fn offline(
    project: &Project,
    session: &mut Session,
    direction: Direction,
    start: &Start,
    args: &MigrateArgs,
) -> Result<ScriptReport, Error> {
    let history = project.history(session.dialect())?;
    let (observed, table) = match start {
        Start::Database => {
            let observed = session.observe_or_empty(Detail::WithScripts).await?;
            session.ensure_unambiguous()?;
            if direction == Direction::Up {
                let beside = session.survey(&observed).await?;
                let accepted = args.accepted(project);
                project.admit(&observed, beside.as_ref(), accepted, session.dialect())?;
            }
            (observed, session.version_table())
        }
        Start::Assumed(start) => {
            let nothing = Observed::default();
            let context = project.plan_context(&history, &nothing, session.dialect());
            let observed = plan::assumed(&context, start)?;
            (observed, session.settings().version_table.clone())
        }
    };
    let migration = Migration::new(project, session, direction, args);
    let wrong_way = |start: &Target| OfflineError::WrongWay {
        verb: verb(direction),
        from: start.clone(),
        target: args.target.clone(),
    };
    let plan = match (migration.plan(&observed, None, session.events()), start) {
        (Err(Error::Plan(error)), Start::Assumed(start)) if is_wrong_way(&error) => {
            return Err(wrong_way(start).into());
        }
        (Err(error), Start::Database) => return Err(session.explained(error, &history).await),
        (plan, _) => plan?,
    };
    refuse(&plan, direction)?;
    if let Start::Assumed(start) = start
        && plan.steps.is_empty()
        && !args.expand_only
        && *start != args.target
    {
        return Err(wrong_way(start).into());
    }
    let to = position(&history, &plan::after(&observed, &plan));
    let head = ScriptHead {
        verb: verb(direction),
        from: position(&history, &observed),
        to: to.clone(),
        steps: plan.steps.iter().map(titled).collect(),
        observed,
    };
    let settings = Settings {
        version_table: table,
        ..session.settings().clone()
    };
    Ok(ScriptReport {
        from: head.from.clone(),
        to,
        direction: plan.direction,
        steps: plan.steps.iter().map(|step| step.subject.clone()).collect(),
        sql: written(session, plan, head, settings).await?,
    })
}

/// Whether the target of a downgrade is not applied in the starting state of the range.
fn is_wrong_way(error: &PlanError) -> bool {
    matches!(error.0.as_slice(), [PlanProblem::NotApplied { .. }])
}

/// The step for the header of the script.
fn titled(step: &Step) -> ScriptStep {
    ScriptStep {
        subject: step.subject.clone(),
        file: step.script.file.clone(),
        message: step.message.clone(),
    }
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "upgrade",
        Direction::Down => "downgrade",
    }
}

/// A repeated statement of `step`.
fn repeated(step: &Step) -> Option<(&Step, &Statement)> {
    let Execution::Units(units) = &step.execution else {
        return None;
    };
    let mut units = units.iter();
    let unit = units.find(|unit| matches!(unit.kind, UnitKind::Batch(_)))?;
    Some((step, step.statements.get(unit.statements.start)?))
}

fn refuse(plan: &Plan, direction: Direction) -> Result<(), OfflineError> {
    if let Some(step) = plan.steps.iter().find(|step| step.resume.is_some()) {
        return Err(OfflineError::Partial {
            subject: step.subject.clone(),
            direction,
        });
    }
    match plan.steps.iter().find_map(repeated) {
        None => Ok(()),
        Some((step, statement)) => Err(OfflineError::Batch {
            span: SourceSpan::at(&step.script, step.span(statement).start),
            length: step.written(statement).lines().next().map_or(1, str::len),
        }),
    }
}

/// Writes the plan as a script.
async fn written(
    session: &Session,
    plan: Plan,
    head: ScriptHead,
    settings: Settings,
) -> Result<String, Error> {
    let mut writer = database::script(session.dialect(), settings, head)?;
    match execute::write_script(writer.as_mut(), plan).await {
        Ok(()) => Ok(writer.finish()),
        Err(ScriptError::Records(error)) => Err(error.into()),
        Err(ScriptError::Step(failure)) => Err(Error::Failed(Box::new(failure))),
    }
}
