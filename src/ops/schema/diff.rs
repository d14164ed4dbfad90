use super::{Reader, SchemaArgs, SchemaSource};
use crate::{
    generate::{Migration, MigrationOptions, migrate},
    ops::{Error, Project, Session},
    schema::{Difference, compare},
};

/// What differs between two schemas.
#[derive(Debug)]
pub struct SchemaDiffReport {
    /// The first source.
    pub from: String,
    /// The second source.
    pub to: String,
    /// The differences from the first to the second.
    pub difference: Difference,
    /// The statements that lead from the first to the second, if they were requested.
    pub migration: Option<Migration>,
}

/// Compares the schemas of two sources.
///
/// `sql` requests the statements that lead from the first to the second.
///
/// # Errors
/// Fails when a source cannot be read, or when no statements are known for a requested change.
pub async fn schema_diff(
    project: &Project,
    session: &mut Session,
    (from, to): (&SchemaSource, &SchemaSource),
    args: &SchemaArgs,
    sql: Option<&MigrationOptions>,
) -> Result<SchemaDiffReport, Error> {
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let old = reader.read(from).await?;
    let new = reader.read(to).await?;
    let migration = match sql {
        Some(options) => Some(migrate(&old, &new, options).map_err(Error::NotGenerated)?),
        None => None,
    };
    Ok(SchemaDiffReport {
        from: from.to_string(),
        to: to.to_string(),
        difference: compare(&old, &new),
        migration,
    })
}
