//! The changes of scripts since they were applied. The texts are read only for scripts that were
//! edited.

use std::{collections::HashMap, sync::Arc};

use super::Error;
#[cfg(feature = "cli")]
use crate::plan::Finding;
use crate::{
    database::{Database, DatabaseError},
    plan::{PlanProblem, Repair, RepairKind},
    revision::{Direction, History, RevisionId, ScriptChange, StoredScripts, Subject},
};

/// The largest number of problems that are explained, which is as many as are shown.
const EXPLAINED: usize = 50;

/// Adds what was changed to problems of edited up scripts. If that cannot be read, the problems stay
/// as they are.
pub(super) async fn explain(error: &mut Error, database: &mut dyn Database, history: &History) {
    let Error::Plan(error) = error else {
        return;
    };
    let edited = error.0.iter_mut().filter_map(|problem| match problem {
        PlanProblem::Edited {
            revision, change, ..
        } => Some((&*revision, Direction::Up, change)),
        _ => None,
    });
    // The problems matter more than this.
    let _ = fill(edited.take(EXPLAINED).collect(), database, history).await;
}

/// Adds what was changed to repairs of up scripts.
pub(super) async fn explain_repairs(
    repairs: &mut [Repair],
    database: &mut dyn Database,
    history: &History,
) -> Result<(), DatabaseError> {
    let edited = repairs
        .iter_mut()
        .filter_map(|repair| match &mut repair.kind {
            RepairKind::Up { change, .. } => {
                Some((repair.subject.revision()?, Direction::Up, change))
            }
            _ => None,
        });
    fill(edited.collect(), database, history).await
}

/// Adds what was changed to findings of edited scripts.
#[cfg(feature = "cli")]
pub(super) async fn explain_findings(
    findings: &mut [Finding],
    database: &mut dyn Database,
    history: &History,
) -> Result<(), DatabaseError> {
    let edited = findings.iter_mut().filter_map(|finding| match finding {
        Finding::Edited {
            revision,
            direction,
            change,
            ..
        } => Some((&*revision, *direction, change)),
        _ => None,
    });
    fill(edited.take(EXPLAINED).collect(), database, history).await
}

/// An edited script, and the place for what was changed.
type Edited<'a> = (&'a RevisionId, Direction, &'a mut Option<ScriptChange>);

async fn fill(
    edited: Vec<Edited<'_>>,
    database: &mut dyn Database,
    history: &History,
) -> Result<(), DatabaseError> {
    if edited.is_empty() {
        return Ok(());
    }
    let subjects = edited.iter().map(|(id, ..)| Subject::from((*id).clone()));
    let subjects: Vec<_> = subjects.collect();
    let stored = database.scripts(&subjects).await?;
    let stored: HashMap<_, _> = stored.iter().map(|row| (&row.subject, row)).collect();
    for ((_, direction, change), subject) in edited.into_iter().zip(&subjects) {
        let row = stored.get(subject);
        *change = row.and_then(|row| changed(history, row, direction));
    }
    Ok(())
}

/// The change of a script since it was applied; `None` if one of the texts is not known.
pub(super) fn changed(
    history: &History,
    row: &StoredScripts,
    direction: Direction,
) -> Option<ScriptChange> {
    let revision = history.get(row.subject.revision()?)?;
    let (script, applied) = match direction {
        Direction::Up => (&revision.up, row.up.clone()?),
        // Down scripts are stored whatever their size.
        Direction::Down => (
            revision.down.as_ref()?,
            row.down.clone().unwrap_or_else(|| "".into()),
        ),
    };
    Some(ScriptChange {
        file: script.file.clone(),
        applied,
        now: Arc::clone(script.alone()),
    })
}
