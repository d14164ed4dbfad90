use std::collections::{BTreeSet, HashSet};

use super::{Reader, SchemaArgs, SchemaSource};
use crate::{
    database::Detail,
    ops::{Error, Project, Session},
    plan,
    revision::{History, RevisionId, Target},
    schema::{Diagram, Name, Schema, compare},
};

/// The picture of a schema.
#[derive(Debug)]
pub struct SchemaDrawReport {
    /// The source.
    pub source: String,
    /// The tables and their foreign keys.
    pub diagram: Diagram,
    /// The number of revisions whose tables are marked, if any are.
    pub last: Option<usize>,
}

/// Reads the tables of a source and their foreign keys. With `last`, the tables that the last so
/// many revisions changed are marked: the last applied ones for the live database, else those that
/// lead to the source's revision.
///
/// # Errors
/// Fails when the source cannot be read, or when `last` is given for a source without revisions.
pub async fn schema_draw(
    project: &Project,
    session: &mut Session,
    source: &SchemaSource,
    last: Option<usize>,
    args: &SchemaArgs,
) -> Result<SchemaDrawReport, Error> {
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let schema = reader.read(source).await?;
    let changed = match last {
        None => BTreeSet::new(),
        Some(last) => {
            let (before, after) = revisions(&mut reader, source, last).await?;
            let old = reader.made_by(&before, &[]).await?;
            let new = reader.made_by(&after, &[]).await?;
            changed_tables(&old, &new)
        }
    };
    Ok(SchemaDrawReport {
        source: source.to_string(),
        diagram: Diagram::new(&schema, &changed),
        last,
    })
}

/// The revisions before the last `last` ones, and all of them.
async fn revisions(
    reader: &mut Reader<'_>,
    source: &SchemaSource,
    last: usize,
) -> Result<(Vec<RevisionId>, Vec<RevisionId>), Error> {
    let dialect = reader.session.dialect();
    let history = reader.project.history(dialect)?;
    let order: Vec<RevisionId> = match source {
        SchemaSource::Live => {
            let observed = reader.session.observe(Detail::Brief).await?;
            let observed = plan::seen(&history, observed, dialect);
            observed
                .applied
                .iter()
                .map(|row| row.revision.clone())
                .collect()
        }
        SchemaSource::Revision(target) => {
            let target = match target {
                Target::Head => Target::Heads,
                other => other.clone(),
            };
            let wanted = match history.resolve(&target, &[])? {
                crate::revision::Resolved::Revisions(ids) => ids,
                _ => return Err(Error::NotOneRevision(target.to_string())),
            };
            let needed = history.closure(&wanted).into_iter();
            needed.map(|revision| revision.id.clone()).collect()
        }
        SchemaSource::Files { .. } | SchemaSource::Database(_) => {
            return Err(Error::NoRevisionsOf(source.to_string()));
        }
    };
    let before = &order[..order.len().saturating_sub(last)];
    Ok((heads(&history, before), heads(&history, &order)))
}

/// The revisions of `ids` that no other one of them revises.
fn heads(history: &History, ids: &[RevisionId]) -> Vec<RevisionId> {
    let among: HashSet<&RevisionId> = ids.iter().collect();
    let is_head = |id: &&RevisionId| {
        let mut children = history.children(id).into_iter();
        !children.any(|child| among.contains(&child.id))
    };
    ids.iter().filter(is_head).cloned().collect()
}

/// The tables that differ, or of which a part differs.
fn changed_tables(old: &Schema, new: &Schema) -> BTreeSet<Name> {
    let difference = compare(old, new);
    let ids = difference.changes.iter().map(|change| change.object());
    ids.map(|id| id.parent_name().unwrap_or_else(|| id.qualified()))
        .collect()
}
