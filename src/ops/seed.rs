use std::path::Path;

use super::{Error, Session, SourceError};
use crate::{
    database::{Database, DatabaseError},
    files,
    schema::{Name, Schema},
    seed::{self, Failure},
    sql::{self, Dialect},
};

pub use crate::seed::Coverage;

/// Makes rows for `tables`, tables they refer to first. Tables that have rows are left alone. The
/// rows are committed. `number` determines the values.
///
/// # Errors
/// Fails when the connection is lost or the work is interrupted. A table that refuses all rows is
/// no error.
pub async fn seed(
    session: &mut Session,
    schema: &Schema,
    tables: &[Name],
    number: u64,
) -> Result<Coverage, Error> {
    seed_toward(session, schema, &[], tables, number).await
}

/// [`seed()`], with rows that also satisfy the constraints of `later` schemas where they can, so that
/// scripts that lead there do not fail for them.
///
/// # Errors
/// As for [`seed()`].
pub async fn seed_toward(
    session: &mut Session,
    schema: &Schema,
    later: &[&Schema],
    tables: &[Name],
    number: u64,
) -> Result<Coverage, Error> {
    let mut work = seed::work(schema, later, tables, number);
    let queries = work.count_queries();
    if queries.is_empty() {
        return Ok(work.coverage());
    }
    session.connect().await?;
    let Some(database) = session.database() else {
        return Ok(work.coverage());
    };
    work.count(&texts(database, &queries).await?);
    loop {
        let statements = work.statements();
        if statements.is_empty() {
            break;
        }
        let outcomes = database.rows().try_each(&statements).await?;
        let outcomes = outcomes.into_iter();
        work.learn(outcomes.map(|it| it.map_err(failure)).collect());
    }
    if !work.coverage().empty.is_empty() {
        // Triggers may have made rows.
        work.count(&texts(database, &queries).await?);
    }
    Ok(work.coverage())
}

/// The rows of all queries.
async fn texts(
    database: &mut dyn Database,
    queries: &[String],
) -> Result<Vec<Vec<Option<String>>>, DatabaseError> {
    let mut found = Vec::new();
    for query in queries {
        found.extend(database.rows().texts(query).await?);
    }
    Ok(found)
}

/// A statement of a seed file.
pub(super) struct SeedStatement {
    /// The statement.
    pub sql: String,
    /// Its place for display: `seed.sql:3:1`.
    pub place: String,
}

/// Reads the statements of a seed file, whose name for display is `shown`.
///
/// # Errors
/// Fails when the file cannot be read or split into statements.
pub(super) fn seed_file(
    path: &Path,
    shown: &str,
    dialect: Dialect,
) -> Result<Vec<SeedStatement>, SourceError> {
    let bytes = files::read(path).map_err(|error| SourceError::Read {
        path: shown.to_owned(),
        error,
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let statements = sql::split(dialect, &text).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(|it| it.kind.to_string()).collect();
        SourceError::Seed {
            path: shown.to_owned(),
            reason: problems.join("; "),
        }
    })?;
    let statements = statements.iter().map(|statement| {
        let at = sql::position(&text, statement.span.start);
        SeedStatement {
            sql: statement.text(&text).to_owned(),
            place: format!("{shown}:{}:{}", at.line, at.column),
        }
    });
    Ok(statements.collect())
}

fn failure(error: DatabaseError) -> Failure {
    match error {
        DatabaseError::Sql(failure) => {
            let names = failure.names.unwrap_or_default();
            Failure {
                message: failure.message,
                constraint: names.constraint,
                column: names.column,
            }
        }
        other => Failure {
            message: other.to_string(),
            ..Failure::default()
        },
    }
}
