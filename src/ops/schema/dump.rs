use super::{Reader, SchemaArgs, SchemaSource};
use crate::{
    generate::{self, Block},
    ops::{Error, Project, Session},
    schema::Schema,
};

/// The schema of a source, and the SQL that recreates it.
#[derive(Debug)]
pub struct SchemaDumpReport {
    /// The source.
    pub source: String,
    /// The facts.
    pub schema: Schema,
    /// The SQL.
    pub blocks: Vec<Block>,
}

/// Reads the schema of a source.
///
/// # Errors
/// Fails when the source cannot be read.
pub async fn schema_dump(
    project: &Project,
    session: &mut Session,
    source: &SchemaSource,
    args: &SchemaArgs,
) -> Result<SchemaDumpReport, Error> {
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let schema = reader.read(source).await?;
    let blocks = generate::dump(&schema)?;
    Ok(SchemaDumpReport {
        source: source.to_string(),
        schema,
        blocks,
    })
}
