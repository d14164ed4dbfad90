use std::{path::PathBuf, sync::Arc};

use super::{
    AutogenerateError, Error, Project, SchemaArgs, SchemaSource, Session,
    schema::{Reader, Sandbox, SqlText, sql_files},
    session::until_stopped,
};
use crate::{
    database::Location,
    generate::{self, Rename},
    model::{self, Kept, ModelRequest, Output, ProgramError},
    project::{self, ModelConfig, ModelSource, ScratchUrl},
    schema::{self, Difference, Kind, Name, Schema, compare},
    sql::{self, Dialect},
};

/// The declared schema of a project.
#[derive(Clone, Debug)]
pub struct ModelArgs {
    /// Where it comes from.
    pub config: ModelConfig,
    /// The directory of the project, in which programs run.
    pub root: PathBuf,
    /// The working directory, which paths are shown relative to.
    pub cwd: PathBuf,
}

/// What differs between the head and the declared schema.
#[derive(Debug)]
pub struct ModelDrift {
    /// The source, as in the configuration.
    pub source: &'static str,
    /// The differences from the head to the declared schema.
    pub difference: Difference,
}

/// Compares the schema that the scripts make with the declared one, in scratch databases.
///
/// # Errors
/// Fails when either cannot be read.
pub(super) async fn model_drift(
    project: &Project,
    session: &mut Session,
    args: &SchemaArgs,
    model: &ModelArgs,
) -> Result<ModelDrift, Error> {
    let mut reader = Reader {
        project,
        session,
        args,
    };
    let source = source(model)?.key();
    let head = SchemaSource::Revision(crate::revision::Target::Heads);
    let head = reader.read(&head).await?;
    let head = std::future::ready(Ok(Arc::new(head)));
    let (head, declared) = declared(&mut reader, model, head).await?;
    Ok(ModelDrift {
        source,
        difference: compare(&head, &declared.schema),
    })
}

/// A declared schema.
pub(super) struct Declared {
    pub schema: Schema,
    /// The renames that it tells of. Those that were made before are among them.
    pub renames: Vec<Rename>,
}

impl From<Schema> for Declared {
    fn from(schema: Schema) -> Self {
        Self {
            schema,
            renames: Vec::new(),
        }
    }
}

/// Reads the declared schema, with what its source cannot declare as it is at the head. `head` reads
/// that one, if possible at the same time; its schema is returned as well.
///
/// # Errors
/// Fails when `head` fails, when there is no declared schema, when its source fails, or when it does
/// more than declare a schema.
pub(super) async fn declared(
    reader: &mut Reader<'_>,
    args: &ModelArgs,
    head: impl Future<Output = Result<Arc<Schema>, Error>>,
) -> Result<(Arc<Schema>, Declared), Error> {
    let source = source(args)?;
    reader.args.tell("reading the model");
    let (head, declared) = match source {
        ModelSource::Url(url) => tokio::join!(head, of_database(reader, url)),
        ModelSource::Sql(paths) => tokio::join!(head, of_files(reader, args, paths)),
        ModelSource::Command(words) => tokio::join!(head, of_command(reader, args, words)),
        ModelSource::SqlAlchemy(_)
        | ModelSource::Django(_)
        | ModelSource::Drizzle(_)
        | ModelSource::Prisma(_) => {
            let head = head.await?;
            let declared = of_orm(reader, args, source, &head).await;
            (Ok(head), declared.map(Declared::from))
        }
    };
    Ok((head?, declared?))
}

/// Reads another database.
async fn of_database(reader: &mut Reader<'_>, url: &ScratchUrl) -> Result<Declared, Error> {
    let location = Location::parse(&url.text, &url.base)?;
    let source = SchemaSource::Database(Box::new(location));
    reader.read(&source).await.map(Declared::from)
}

/// Reads what files of SQL create.
async fn of_files(
    reader: &mut Reader<'_>,
    args: &ModelArgs,
    paths: &[PathBuf],
) -> Result<Declared, Error> {
    let mut texts = Vec::new();
    for path in paths {
        texts.extend(sql_files(path, &project::show(&args.cwd, path))?);
    }
    of_texts(reader, texts).await
}

/// Reads what the output of a program creates.
async fn of_command(
    reader: &mut Reader<'_>,
    args: &ModelArgs,
    words: &[String],
) -> Result<Declared, Error> {
    let request = request(args);
    let output = output(reader, model::command(words, &request)).await?;
    let text = text(output);
    of_texts(reader, vec![text]).await
}

async fn of_texts(reader: &mut Reader<'_>, mut texts: Vec<SqlText>) -> Result<Declared, Error> {
    let renames = renames(&mut texts, reader.session.dialect())?;
    let schema = run(reader, &texts).await?;
    Ok(Declared { schema, renames })
}

/// Reads what the models of an ORM declare.
async fn of_orm(
    reader: &mut Reader<'_>,
    args: &ModelArgs,
    source: &ModelSource,
    head: &Schema,
) -> Result<Schema, Error> {
    let request = request(args);
    let Some(program) = model::orm(source, reader.session.dialect(), &request) else {
        return Err(AutogenerateError::NoModel.into());
    };
    reader.args.tell(&format!("running {}", program.shown));
    let output = output(reader, program.run(&request)).await?;
    let text = text(output);
    let kept = Kept::of(source, &args.config.drop);
    let before = kept.before(head);
    // The models may use what they cannot declare. Those that create it fail then, and do not need it.
    let declared = match generate::dump(&before) {
        Ok(blocks) if !before.objects.is_empty() => {
            let before = SqlText {
                shown: "what the models cannot declare".to_owned(),
                sql: generate::script(&blocks).into_bytes(),
            };
            match run(reader, &[before, text.clone()]).await {
                Err(error @ Error::InFiles { .. }) => {
                    run(reader, &[text]).await.map_err(|_| error)?
                }
                done => done?,
            }
        }
        _ => run(reader, &[text]).await?,
    };
    Ok(kept.merged(declared, head))
}

/// Runs texts of SQL in a scratch database and reads the schema.
async fn run(reader: &mut Reader<'_>, texts: &[SqlText]) -> Result<Schema, Error> {
    let (project, scope) = (reader.project, reader.args.scope.clone());
    let work = async |sandbox: &mut Sandbox| {
        sandbox.run_texts(texts, project).await?;
        let schema = sandbox.session.inspect(&scope).await?;
        refuse_rows(&mut sandbox.session, &schema).await?;
        Ok(schema)
    };
    reader.within(work).await
}

/// Takes the comments about old names out of the texts. Tables come before columns, which are found
/// in tables of the new name.
fn renames(texts: &mut [SqlText], dialect: Dialect) -> Result<Vec<Rename>, Error> {
    let (mut tables, mut columns) = (Vec::new(), Vec::new());
    for text in texts {
        // What is not UTF-8 is reported by the run.
        let Ok(sql) = std::str::from_utf8(&text.sql) else {
            continue;
        };
        let misplaced = |offset| AutogenerateError::RenamedFrom {
            file: text.shown.clone(),
            text: sql.to_owned(),
            offset,
        };
        let found = sql::renamed_from(dialect, sql).map_err(misplaced)?;
        for it in found {
            text.sql[it.comment].fill(b' ');
            let to = it.table.iter().chain(&it.column).cloned().collect();
            let (kind, from) = match &it.column {
                None => (Kind::Table, schema::path(&it.old)),
                Some(_) => (Kind::Column, {
                    let mut path = it.table.clone();
                    path.push(schema::path(&it.old).unwrap_or_default().concat());
                    Some(path)
                }),
            };
            let rename = Rename {
                kind: Some(kind),
                from: from.unwrap_or_default(),
                to,
                text: it.old,
            };
            match kind {
                Kind::Table => tables.push(rename),
                _ => columns.push(rename),
            }
        }
    }
    tables.append(&mut columns);
    Ok(tables)
}

fn source(args: &ModelArgs) -> Result<&ModelSource, Error> {
    let source = args.config.source.as_ref();
    Ok(source.ok_or(AutogenerateError::NoModel)?)
}

fn request(args: &ModelArgs) -> ModelRequest {
    ModelRequest {
        root: args.root.clone(),
        timeout: args.config.timeout,
    }
}

/// Waits for a program, until a request to stop.
async fn output(
    reader: &Reader<'_>,
    program: impl Future<Output = Result<Output, ProgramError>>,
) -> Result<Output, Error> {
    let output = async { Ok(program.await.map_err(AutogenerateError::from)?) };
    until_stopped(reader.session.stop_signal(), output).await
}

fn text(output: Output) -> SqlText {
    SqlText {
        shown: format!("output of `{}`", output.program),
        sql: output.sql.into_bytes(),
    }
}

/// Fails if there are rows: a revision that leads to the schema would not make them.
async fn refuse_rows(session: &mut Session, schema: &Schema) -> Result<(), Error> {
    let tables = session.perhaps_filled(schema.stored_tables()).await?;
    let found = session.digests(&tables).await?;
    let with_rows = tables.into_iter().zip(found);
    let with_rows = with_rows.filter(|(_, rows)| rows.as_ref().is_ok_and(|rows| !rows.is_empty()));
    let with_rows: Vec<Name> = with_rows.map(|(table, _)| table.name).collect();
    match with_rows.is_empty() {
        true => Ok(()),
        false => Err(AutogenerateError::ModelRows(with_rows).into()),
    }
}
