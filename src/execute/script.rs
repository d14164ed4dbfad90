//! Writes a plan as a script, with the requests and records of a run.

use std::time::Duration;

use super::{
    PartialFailure,
    ended::{Ended, Failed},
    record::exchanged,
    request::{UnitStep, WholeStep},
};
use crate::{
    database::{DatabaseError, ScriptWriter, StepError, StepStage},
    plan::{Execution, Plan, Step, Unit, UnitKind},
    revision::{Ending, Interruption},
    sql::ConcurrentIndex,
};

/// The reason why a plan cannot be written as a script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// An error of the records before the first step.
    #[error(transparent)]
    Records(#[from] DatabaseError),
    /// An error of a step.
    #[error(transparent)]
    Step(#[from] PartialFailure),
}

/// Writes the steps and records of `plan` to `writer`.
///
/// # Errors
/// Fails when a part of the plan cannot be expressed in a script.
pub async fn write_script(writer: &mut dyn ScriptWriter, plan: Plan) -> Result<(), ScriptError> {
    if !plan.exchanges.is_empty() {
        let (changes, log) = exchanged(&plan.exchanges);
        writer.record(&changes, &log).await?;
    }
    let steps = plan.steps;
    if steps.is_empty() {
        return Ok(());
    }
    let written = if plan.one_transaction {
        as_one(writer, &steps).await
    } else {
        one_by_one(writer, &steps).await
    };
    let ended = match written {
        Ok(()) => return Ok(()),
        Err((at, failed)) => Ended::Failed { at, failed },
    };
    // A script that is not complete has no effect.
    ended.conclude(steps, Vec::new(), true)?;
    Ok(())
}

/// The failed step and its error.
type At = (usize, Failed);

async fn one_by_one(writer: &mut dyn ScriptWriter, steps: &[Step]) -> Result<(), At> {
    for (index, step) in steps.iter().enumerate() {
        let written = match &step.execution {
            Execution::Transaction(_) => whole(writer, step).await,
            Execution::Units(units) => by_units(writer, step, units).await,
        };
        written.map_err(|failed| (index, failed))?;
    }
    Ok(())
}

async fn as_one(writer: &mut dyn ScriptWriter, steps: &[Step]) -> Result<(), At> {
    let at = |index, stage| move |error| (index, Failed::at(stage, error));
    let foreign_keys = steps.first().is_some_and(|step| step.foreign_keys);
    let begun = writer.begin_run(foreign_keys).await;
    begun.map_err(at(0, StepStage::Begin))?;
    for (index, step) in steps.iter().enumerate() {
        let written = whole(writer, step).await;
        written.map_err(|failed| (index, failed))?;
    }
    let committed = writer.commit_run().await;
    committed.map_err(at(steps.len() - 1, StepStage::Commit))
}

async fn whole(writer: &mut dyn ScriptWriter, step: &Step) -> Result<(), Failed> {
    let whole = WholeStep::of(step, Duration::ZERO)?;
    let written = writer.run_step(&whole.request(), &mut |_| {}).await;
    written.map_err(|error| Failed::of_step(error, whole.first()))
}

async fn by_units(
    writer: &mut dyn ScriptWriter,
    step: &Step,
    units: &[Unit],
) -> Result<(), Failed> {
    let script = UnitStep::new(step, units);
    let record = |error| Failed::at(StepStage::Record, error);
    writer
        .record(&[script.first()], &[])
        .await
        .map_err(record)?;
    for (index, unit) in units.iter().enumerate().skip(script.done_before()) {
        let written = unit_of(writer, &script, index, unit).await;
        written.map_err(|error| Failed::of_step(error, unit.statements.start))?;
    }
    let (changes, log) = script.last(Duration::ZERO, false);
    let finish = script.finish(&changes, &log, Duration::ZERO);
    let written = writer.run_step(&finish, &mut |_| {}).await;
    written.map_err(|error| Failed::of_step(error, 0))?;
    let reset = writer.reset_session().await;
    reset.map_err(|error| Failed::at(StepStage::Commit, error))
}

async fn unit_of(
    writer: &mut dyn ScriptWriter,
    script: &UnitStep<'_>,
    index: usize,
    unit: &Unit,
) -> Result<(), StepError> {
    let after = [script.progress(index, index + 1, None, None)];
    match &unit.kind {
        UnitKind::Shared(modes) => {
            let request = script.shared(unit, modes, &after, Duration::ZERO);
            return writer.run_step(&request, &mut |_| {}).await;
        }
        UnitKind::Session | UnitKind::Repeatable => {}
        UnitKind::Alone | UnitKind::Reindex => mark(writer, script, index, None).await?,
        UnitKind::Index(created) => mark(writer, script, index, Some(created)).await?,
        UnitKind::Batch(_) => {
            let error = DatabaseError::Other("a batch cannot be written as a script".to_owned());
            let stage = StepStage::Begin;
            return Err(StepError { stage, error });
        }
    }
    let alone = script.alone(unit.statements.clone());
    writer.run_alone(&alone, &mut |_| {}).await?;
    recorded(writer.record(&after, &[]).await)
}

/// Marks a unit that cannot share a transaction with its progress, as a run does.
async fn mark(
    writer: &mut dyn ScriptWriter,
    script: &UnitStep<'_>,
    index: usize,
    created: Option<&ConcurrentIndex>,
) -> Result<(), StepError> {
    let mark = Interruption {
        ending: Ending::Unknown,
        // The script fills in the names of the indexes.
        indexes_before: created.map(|_| Vec::new()),
    };
    let change = script.progress(index, index, Some(mark), None);
    recorded(writer.mark(change, created).await)
}

fn recorded(result: Result<(), DatabaseError>) -> Result<(), StepError> {
    result.map_err(|error| StepError {
        stage: StepStage::Record,
        error,
    })
}
