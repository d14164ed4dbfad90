use super::{ScopeArgs, source};
use crate::{
    cli::context::Context,
    ops,
    report::{SchemaDumpView, error::Error, exit::Exit},
};

/// Print SQL that recreates the schema
///
/// The same schema always gives the same text, and running it in an empty database gives the same
/// schema. --format json prints the facts.
#[derive(Debug, clap::Args)]
pub struct SchemaDumpArgs {
    /// What to print: live, a revision, a file or directory of SQL, or a URL
    #[arg(default_value = "live")]
    what: String,

    #[command(flatten)]
    scope: ScopeArgs,
}

pub async fn cmd_schema_dump(args: SchemaDumpArgs, context: &Context) -> Result<Exit, Error> {
    let (source, request) = (source(&args.what, context)?, args.scope.request(context)?);
    let work = async |session: &mut ops::Session, request: &_| {
        ops::schema_dump(&context.project, session, &source, request).await
    };
    let report = context.read_schemas("schema dump", request, work).await?;
    context.warn_of_unmodelled(&report.schema);
    context.page(&SchemaDumpView::from(report));
    Ok(Exit::Done)
}
