use super::{ScopeArgs, source};
use crate::{
    cli::context::Context,
    generate::{Fill, MigrationOptions},
    ops,
    report::{SchemaDiffView, error::Error, exit::Exit},
};

/// Compare two schemas, object by object
///
/// Exits with status 3 if they differ. A difference in the order of columns alone is a note. With
/// --sql, prints the statements that lead from the first to the second, and exits with status 0.
#[derive(Debug, clap::Args)]
pub struct SchemaDiffArgs {
    /// The first schema: live, a revision, a file or directory of SQL, or a URL
    from: String,

    /// The second schema
    to: String,

    /// Print the statements that lead from the first to the second
    #[arg(long)]
    sql: bool,

    /// With --sql: the value of rows in a column that refuses NULL; may be repeated
    #[arg(long, value_name = "TABLE.COLUMN=EXPRESSION", requires = "sql")]
    fill: Vec<Fill>,

    #[command(flatten)]
    scope: ScopeArgs,
}

pub async fn cmd_schema_diff(args: SchemaDiffArgs, context: &Context) -> Result<Exit, Error> {
    let (from, to) = (source(&args.from, context)?, source(&args.to, context)?);
    let request = args.scope.request(context)?;
    let options = args.sql.then_some(MigrationOptions {
        fills: args.fill,
        apart: false,
    });
    let work = async |session: &mut ops::Session, request: &_| {
        ops::schema_diff(
            &context.project,
            session,
            (&from, &to),
            request,
            options.as_ref(),
        )
        .await
    };
    let report = context.read_schemas("schema diff", request, work).await?;
    let is_done = report.difference.is_empty() || report.migration.is_some();
    context.page(&SchemaDiffView::from(report));
    Ok(match is_done {
        true => Exit::Done,
        false => Exit::CheckFailed,
    })
}
