use super::{ScopeArgs, source};
use crate::{
    cli::context::Context,
    ops,
    report::{error::Error, exit::Exit},
};

/// Compare two schemas, object by object
///
/// Exits with status 3 if they differ. A difference in the order of columns alone is a note.
#[derive(Debug, clap::Args)]
pub struct SchemaDiffArgs {
    /// The first schema: live, a revision, a file or directory of SQL, or a URL
    from: String,

    /// The second schema
    to: String,

    #[command(flatten)]
    scope: ScopeArgs,
}

pub async fn cmd_schema_diff(args: SchemaDiffArgs, context: &Context) -> Result<Exit, Error> {
    let (from, to) = (source(&args.from, context)?, source(&args.to, context)?);
    let request = args.scope.request(context)?;
    let work = async |session: &mut ops::Session, request: &_| {
        ops::schema_diff(&context.project, session, (&from, &to), request).await
    };
    let report = context.read_schemas("schema diff", request, work).await?;
    let is_equal = report.difference.is_empty();
    context.page(&report);
    Ok(match is_equal {
        true => Exit::Done,
        false => Exit::CheckFailed,
    })
}
