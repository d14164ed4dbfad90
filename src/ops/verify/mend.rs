//! The way back to a state from which scripts have led away.
//!
//! A replay of all revisions leads there as well, and takes longer. It needs an empty database: a new one, or one
//! out of which everything has been taken.

use super::{
    lab::Lab,
    state::{State, Watched},
};
use crate::{
    generate::{self, MigrationOptions, Place},
    ops::Error,
    revision::{Revision, RevisionId},
    schema::{Kind, Name, Schema, compare},
};

/// Leads back from `now` to `first`, the state after the up script of `revision`, which was applied in the
/// state `before`. Returns nothing if this is not possible, or if rows that scripts have made could be
/// missing; the database is of no use then.
pub(super) async fn mend(
    lab: &mut Lab,
    revision: &Revision,
    (before, first, now): (&State, &State, &State),
) -> Result<Option<State>, Error> {
    let keeps_rows = *lab.watched() == Watched::All
        || keep_rows(lab, revision) && holds_all(&before.schema, &first.schema, &now.schema);
    if !keeps_rows || !change(lab, &now.schema, &first.schema).await? {
        return Ok(None);
    }
    let state = lab.state().await?;
    let is_same = is_same_schema(&first.schema, &state.schema) && state.has_rows_of(first);
    lab.start_session().await;
    Ok(is_same.then_some(state))
}

/// Whether neither script of a revision changes rows by itself.
fn keep_rows(lab: &Lab, revision: &Revision) -> bool {
    let scripts = [Some(&revision.up), revision.down.as_ref()];
    scripts
        .into_iter()
        .flatten()
        .all(|script| lab.keeps_rows(script))
}

/// Whether `now` has all tables and columns that two other schemas have in common.
fn holds_all(before: &Schema, first: &Schema, now: &Schema) -> bool {
    let mut stored = before.objects.iter().filter(|object| {
        matches!(object.id.kind, Kind::Table | Kind::Column) && first.get(&object.id).is_some()
    });
    stored.all(|object| now.get(&object.id).is_some())
}

/// Gives a database in the state `now` the schema and the rows of another one, in which the same revisions
/// were applied once and no rows were made. `up` is a revision that is applied there and not here, and whose
/// up script succeeds without rows. Returns nothing if this is not possible; the database is of no use then.
pub(super) async fn align(
    lab: &mut Lab,
    now: &State,
    other: &State,
    up: Option<&RevisionId>,
) -> Result<Option<State>, Error> {
    if *lab.watched() != Watched::All {
        return Ok(None);
    }
    let is_empty = |table: &Name| other.rows.get(table).is_none_or(|it| it.rows.is_empty());
    let filled = now.rows.iter().filter(|(_, rows)| !rows.rows.is_empty());
    let made = filled.map(|(table, _)| table.clone()).filter(is_empty);
    let made: Vec<Name> = made.collect();
    if !now.unread.is_empty() || !lab.session().clear(&made).await? {
        return Ok(None);
    }
    match up {
        Some(up) => {
            if lab.up(up).await?.is_some() {
                return Ok(None);
            }
        }
        None => {
            if !change(lab, &now.schema, &other.schema).await? {
                return Ok(None);
            }
        }
    }
    let state = lab.state().await?;
    let mut rows = state.rows.iter();
    let is_same = is_same_schema(&other.schema, &state.schema)
        && rows.all(|(table, rows)| {
            let others = other.rows.get(table);
            others.is_some_and(|others| others.rows.len() == rows.rows.len())
        });
    lab.start_session().await;
    Ok(is_same.then_some(state))
}

/// The most objects, apart from parts, whose removal takes less time than another database.
const MOST_WIPED: usize = 300;

/// Takes everything out of a database, so that it is like a new one, whose schema is `empty`. Returns whether
/// this succeeded; the database is of no use otherwise.
pub(super) async fn wipe(lab: &mut Lab, empty: &Schema) -> Result<bool, Error> {
    let now = lab.schema().await?;
    let wholes = now.objects.iter().filter(|object| !object.id.is_part());
    if wholes.count() > MOST_WIPED {
        return Ok(false);
    }
    if !change(lab, &now, empty).await? || !is_same_schema(empty, &*lab.schema().await?) {
        return Ok(false);
    }
    // Not all that scripts can make is described by facts.
    if !lab.is_bare().await? {
        return Ok(false);
    }
    lab.forget_past().await?;
    lab.start_session().await;
    Ok(true)
}

fn is_same_schema(wanted: &Schema, found: &Schema) -> bool {
    let difference = compare(wanted, found);
    difference.is_empty() && difference.notes.is_empty()
}

/// Makes the schema `to` of `from` by statements of our own. Returns whether all of them succeeded.
async fn change(lab: &mut Lab, from: &Schema, to: &Schema) -> Result<bool, Error> {
    // What event triggers do is not known.
    let mut objects = from.objects.iter();
    if objects.any(|object| object.id.kind == Kind::EventTrigger) {
        return Ok(false);
    }
    let Ok(migration) = generate::migrate(from, to, &MigrationOptions::default()) else {
        return Ok(false);
    };
    let statements = &migration.statements;
    if statements.iter().any(|it| it.place != Place::Anywhere) {
        return Ok(false);
    }
    let statements: Vec<String> = statements.iter().map(|it| it.sql.clone()).collect();
    let tried = lab.session().try_each(&statements).await?;
    Ok(tried.iter().all(Result::is_ok))
}
