//! `--sql` of `upgrade` and `downgrade`: the plan as a script for the database's own shell.

use std::sync::Arc;

use super::migrate::Migration;
use crate::{
    cli::{
        codes, describe,
        error::{self, Error, Exit},
    },
    database::{self, ScriptHead},
    execute::{self, Outcome, Sink, Stop},
    plan::{self, Execution, Plan, Step, UnitKind},
    report::{Diagnostic, ScriptView, Snippet},
    revision::{Direction, Observed, Range, Target},
    sql::Statement,
};

/// Where a script starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Where the database is.
    Database,
    /// Here, and no database is asked.
    Assumed(Target),
}

/// Start and target of `text`, which is a target or, with `--sql`, a range.
pub fn ends(direction: Direction, text: &str, sql: bool) -> Result<(Start, Target), Error> {
    if !Range::is_range(text) {
        return Ok((Start::Database, text.parse()?));
    }
    if !sql {
        return Err(Error::new(
            codes::M430,
            format!("`{text}` is a range, and the database says itself where it is"),
        )
        .hint("name the target alone, or give --sql for a script from one state to another"));
    }
    let range: Range = text.parse()?;
    let start = match (direction, range.start) {
        (_, Some(start @ (Target::Current(_) | Target::Relative(_)))) => {
            return Err(Error::new(
                codes::M431,
                format!("`{start}` depends on the database, which a range does not ask"),
            )
            .hint("name the revision, or leave the start and its colon out to start from the database"));
        }
        (_, Some(start)) => start,
        (Direction::Up, None) => Target::Base,
        (Direction::Down, None) => Target::Head,
    };
    let target = match (direction, range.end) {
        (_, Some(end)) => end,
        (Direction::Up, None) => Target::Head,
        (Direction::Down, None) => {
            return Err(Error::new(
                codes::M431,
                format!("`{text}` does not say how far down to go"),
            )
            .hint(format!("to revert everything: {text}base")));
        }
    };
    Ok((Start::Assumed(start), target))
}

/// A statement of `step` that is repeated.
fn repeated(step: &Step) -> Option<(&Step, &Statement)> {
    let Execution::Units(units) = &step.execution else {
        return None;
    };
    let mut units = units.iter();
    let unit = units.find(|unit| matches!(unit.kind, UnitKind::Batch(_)))?;
    Some((step, step.statements.get(unit.statements.start)?))
}

impl Migration<'_> {
    /// Prints the script of the plan.
    pub(super) async fn sql(&self) -> Result<Exit, Error> {
        let (observed, table) = self.start().await?;
        let plan = self
            .plan(&observed)
            .map_err(|error| match &self.request.start {
                Start::Assumed(start) if error.is(codes::M405) => self.wrong_way(start),
                _ => error,
            })?;
        self.refuse(&plan)?;
        let to = describe::standing(&self.history(), &plan::after(&observed, &plan));
        let head = ScriptHead {
            verb: self.verb(),
            from: describe::standing(&self.history(), &observed),
            to: to.clone(),
            observed,
        };
        let view = ScriptView {
            from: head.from.clone(),
            to,
            direction: plan.direction,
            steps: plan.steps.iter().map(|step| step.subject.clone()).collect(),
            sql: self.written(plan, head, table).await?,
        };
        self.context.output.result(&view);
        Ok(Exit::Done)
    }

    /// The state, and the version table's name.
    async fn start(&self) -> Result<(Observed, String), Error> {
        let Start::Assumed(start) = &self.request.start else {
            return self.context.observe_table("plan").await;
        };
        let nothing = Observed::default();
        let history = self.history();
        let situation = self.context.situation(&history, &nothing)?;
        let observed = plan::assumed(&situation, start)?;
        Ok((observed, self.context.config.version_table.clone()))
    }

    /// What can run, and still can't be written down.
    fn refuse(&self, plan: &Plan) -> Result<(), Error> {
        if let Some(step) = plan.steps.iter().find(|step| step.resume.is_some()) {
            let verb = self.verb();
            return Err(Error::new(
                codes::M432,
                format!(
                    "revision {} is in its middle, and a script can't look what became of it",
                    step.subject
                ),
            )
            .hint(format!("`migrator {verb}` goes on with it")));
        }
        if let Some((step, statement)) = plan.steps.iter().find_map(repeated) {
            return Err(Diagnostic {
                place: Some(Snippet {
                    file: step.script.file.clone(),
                    text: Some(Arc::clone(&step.script.text)),
                    offset: Some(step.span(statement).start),
                    length: step.written(statement).lines().next().map_or(1, str::len),
                    at: None,
                }),
                hint: Some("run it with migrator itself".to_owned()),
                ..error::diagnostic(
                    codes::M319,
                    "a batch is repeated until it changes no row, which a script can't do",
                )
            }
            .into());
        }
        match &self.request.start {
            Start::Assumed(start) if plan.steps.is_empty() && *start != self.request.target => {
                Err(self.wrong_way(start))
            }
            _ => Ok(()),
        }
    }

    /// A range that this command does not go.
    fn wrong_way(&self, start: &Target) -> Error {
        let (verb, target) = (self.verb(), &self.request.target);
        Error::new(
            codes::M404,
            format!("there is nothing to {verb} from `{start}` to `{target}`"),
        )
        .hint("a range of `upgrade` goes up, and one of `downgrade` goes down")
    }

    fn verb(&self) -> &'static str {
        match self.request.direction {
            Direction::Up => "upgrade",
            Direction::Down => "downgrade",
        }
    }

    /// Runs the plan on a database that writes down what it is told.
    async fn written(&self, plan: Plan, head: ScriptHead, table: String) -> Result<String, Error> {
        let settings = database::Settings {
            version_table: table,
            ..self.context.settings(self.verb())
        };
        let dialect = self.context.location()?.dialect();
        let mut writer = database::script(dialect, settings, head)?;
        let options = execute::Options::default();
        let (stop, sink): (_, Sink) = (Stop::default(), Arc::new(|_| {}));
        execute::exchange(writer.as_mut(), &plan.exchanges).await?;
        let outcome = execute::run(writer.as_mut(), plan, options, &stop, &sink).await;
        match outcome {
            Ok(Outcome::Complete(_)) => Ok(writer.finish()),
            Ok(Outcome::Stopped { .. }) => Err(Error::new(codes::M706, "interrupted")),
            Ok(Outcome::PlanOutdated { reason, .. }) => Err(reason.into()),
            Err(failure) => Err(Error {
                // Nothing has run.
                exit: Exit::Failed,
                ..Error::from(failure)
            }),
        }
    }
}
