use clap::ValueEnum;

use super::{ScopeArgs, source};
use crate::{
    cli::context::Context,
    ops,
    report::{DrawingFormat, SchemaDrawView, error::Error, exit::Exit},
};

/// Draw the tables and their foreign keys
///
/// Prints a Mermaid or DOT diagram, or a page that needs no network: `migrator schema draw --as
/// html > schema.html`.
#[derive(Debug, clap::Args)]
pub struct SchemaDrawArgs {
    /// What to draw: live, a revision, a file or directory of SQL, or a URL
    #[arg(default_value = "live")]
    what: String,

    /// Form of the picture
    #[arg(long = "as", value_name = "FORM", default_value = "mermaid")]
    form: DrawingFormat,

    /// Mark the tables that the last N revisions changed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    changed: Option<u32>,

    #[command(flatten)]
    scope: ScopeArgs,
}

impl ValueEnum for DrawingFormat {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()))
    }
}

pub async fn cmd_schema_draw(args: SchemaDrawArgs, context: &Context) -> Result<Exit, Error> {
    let (source, request) = (source(&args.what, context)?, args.scope.request(context)?);
    let last = args.changed.and_then(|last| last.try_into().ok());
    let work = async |session: &mut ops::Session, request: &_| {
        ops::schema_draw(&context.project, session, &source, last, request).await
    };
    let report = context.read_schemas("schema draw", request, work).await?;
    context
        .output
        .result(&SchemaDrawView::new(report, args.form));
    Ok(Exit::Done)
}
