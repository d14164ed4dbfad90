use super::{RehearseArgs, RehearseError};
use crate::{
    database::{DatabaseError, Detail, FailureKind},
    execute, generate,
    ops::{
        Error, Project, Session,
        schema::{Reader, Sandbox},
    },
    schema::{Schema, Scope},
};

/// A database with the schema of another one.
pub(super) struct Created {
    pub sandbox: Sandbox,
    /// What it lacks.
    pub lacks: Vec<String>,
}

/// Creates a database with the schema and the records of the one of `session`, of which no rows but the
/// records are read.
pub(super) async fn create(
    project: &Project,
    session: &mut Session,
    args: &RehearseArgs,
) -> Result<Created, Error> {
    if session.location().file().is_some() {
        return Err(RehearseError::NoSchemaOnly.into());
    }
    args.schema.tell("reading the schema");
    let records = session.observe(Detail::WithScripts).await?.copied();
    let schema = session.inspect(&Scope::default()).await?;
    let statements: Vec<String> = generate::dump(&schema)?
        .into_iter()
        .flat_map(|block| block.statements)
        .collect();
    let mut reader = Reader {
        project,
        session,
        args: &args.schema,
    };
    let mut sandbox = reader.sandbox(None).await?;
    let created = async {
        let lacks = fill(&mut sandbox.session, &schema, &statements).await?;
        let mut database = sandbox.session.lock().await?;
        let recorded = execute::write_copied(database.as_mut(), &records).await;
        sandbox.session.release(database).await;
        recorded?;
        Ok::<_, Error>(lacks)
    };
    match created.await {
        Ok(lacks) => Ok(Created { sandbox, lacks }),
        Err(error) => {
            let _ = sandbox.leave().await;
            Err(error)
        }
    }
}

/// Runs the statements that create a schema. Returns what could not be created.
async fn fill(
    session: &mut Session,
    schema: &Schema,
    statements: &[String],
) -> Result<Vec<String>, Error> {
    let outcomes = session.try_each(statements).await?;
    let unmodelled = schema.unmodelled.iter();
    let mut lacks: Vec<String> = unmodelled
        .map(|it| format!("{} {}", it.kind, it.name))
        .collect();
    for (statement, outcome) in statements.iter().zip(outcomes) {
        if let Err(error) = outcome
            && !is_about_roles(statement, &error)
        {
            let first = statement.lines().next().unwrap_or_default();
            lacks.push(format!("{first}: {error}"));
        }
    }
    Ok(lacks)
}

/// Whether a statement gives rights that the role may not give, which makes no difference to locks.
fn is_about_roles(statement: &str, error: &DatabaseError) -> bool {
    let refused = matches!(
        error,
        DatabaseError::Sql(failure) if failure.kind == Some(FailureKind::Privilege)
    ) || matches!(
        error,
        DatabaseError::MissingRights { .. } | DatabaseError::NotOwner { .. }
    );
    refused && !statement.starts_with("CREATE")
}
