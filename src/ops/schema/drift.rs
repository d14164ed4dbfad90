use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::{Reader, SchemaArgs};
use crate::{
    database::Detail,
    ops::{Error, Project, Session, line},
    plan::{self, RepeatableState},
    revision::{RepeatableId, RevisionId},
    schema::{Difference, Schema, compare},
};

/// What somebody changed in the database by hand: its schema compared with what the applied scripts
/// make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDrift {
    /// The differences from what the scripts make to what the database has.
    pub difference: Difference,
    /// The repeatable scripts that are to be applied again, so that their objects may differ.
    pub pending: Vec<RepeatableId>,
}

/// Schemas that applied scripts make, for databases with the same ones.
#[derive(Debug, Default)]
pub(in crate::ops) struct MadeSchemas(Mutex<HashMap<MadeBy, Schema>>);

/// The applied heads, and the repeatable scripts that have not run.
type MadeBy = (Vec<RevisionId>, Vec<RepeatableId>);

impl MadeSchemas {
    fn get(&self, key: &MadeBy) -> Option<Schema> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).cloned()
    }

    fn keep(&self, key: MadeBy, schema: &Schema) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key, schema.clone());
    }
}

/// Compares the schema of the database with what the applied scripts make of a scratch database.
///
/// # Errors
/// Fails when the database cannot be read, when a revision is partially applied or missing here, or
/// when the scripts cannot be run in a scratch database.
pub async fn schema_drift(
    project: &Project,
    session: &mut Session,
    args: &SchemaArgs,
) -> Result<SchemaDrift, Error> {
    schema_drift_from(project, session, args, None).await
}

/// [`schema_drift`] with what was made for other databases.
pub(in crate::ops) async fn schema_drift_from(
    project: &Project,
    session: &mut Session,
    args: &SchemaArgs,
    known: Option<&MadeSchemas>,
) -> Result<SchemaDrift, Error> {
    let dialect = session.dialect();
    let history = project.history(dialect)?;
    let observed = session.observe(Detail::Brief).await?;
    let observed = plan::seen(&history, observed, dialect);
    let drift = plan::compare(&history, &observed, dialect);
    if let Some((revision, _)) = drift.partial.first() {
        return Err(Error::PartlyApplied(revision.clone()));
    }
    if let Some(unknown) = drift.unknown.first() {
        return Err(Error::NoFiles(unknown.clone()));
    }
    let heads = line::applied_heads(&observed);
    let repeatables = plan::repeatables(&history, &observed, dialect).into_iter();
    let (mut pending, mut new) = (Vec::new(), Vec::new());
    for it in repeatables {
        if it.state == RepeatableState::New {
            new.push(it.id.clone());
        }
        if it.state != RepeatableState::Applied {
            pending.push(it.id);
        }
    }
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let live = reader.read(&super::SchemaSource::Live).await?;
    let key = (heads, new);
    let made = match known.and_then(|known| known.get(&key)) {
        Some(made) => made,
        None => {
            let made = reader.made_by(&key.0, &key.1).await?;
            if let Some(known) = known {
                known.keep(key, &made);
            }
            made
        }
    };
    Ok(SchemaDrift {
        difference: compare(&made, &live),
        pending,
    })
}
