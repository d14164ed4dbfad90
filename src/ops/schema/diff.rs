use super::{Reader, SchemaArgs, SchemaSource};
use crate::{
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
}

/// Compares the schemas of two sources.
///
/// # Errors
/// Fails when a source cannot be read.
pub async fn schema_diff(
    project: &Project,
    session: &mut Session,
    (from, to): (&SchemaSource, &SchemaSource),
    args: &SchemaArgs,
) -> Result<SchemaDiffReport, Error> {
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let old = reader.read(from).await?;
    let new = reader.read(to).await?;
    Ok(SchemaDiffReport {
        from: from.to_string(),
        to: to.to_string(),
        difference: compare(&old, &new),
    })
}
