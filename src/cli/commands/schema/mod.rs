//! `migrator schema`: what databases, revisions and SQL files contain.

mod diff;
mod draw;
mod dump;

use clap::Subcommand;

use crate::{
    cli::context::Context,
    ops::{SchemaArgs as Request, SchemaSource},
    report::{
        error::{self, Error},
        exit::Exit,
    },
};

/// Print, compare and draw schemas
///
/// WHAT is `live` (the configured database), a revision such as `head` (the scripts, applied in a
/// scratch database), a .sql file or a directory of them, or the URL of another database.
#[derive(Debug, clap::Args)]
pub struct SchemaArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Dump(dump::SchemaDumpArgs),
    Diff(diff::SchemaDiffArgs),
    Draw(draw::SchemaDrawArgs),
}

pub async fn cmd_schema(args: SchemaArgs, context: &Context) -> Result<Exit, Error> {
    match args.command {
        Command::Dump(args) => dump::cmd_schema_dump(args, context).await,
        Command::Diff(args) => diff::cmd_schema_diff(args, context).await,
        Command::Draw(args) => draw::cmd_schema_draw(args, context).await,
    }
}

/// Which objects are read.
#[derive(Debug, clap::Args)]
struct ScopeArgs {
    /// Only objects that match, such as shop.* or table:shop.orders; may be repeated
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,

    /// No objects that match; may be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
}

impl ScopeArgs {
    /// The configured scope, with the patterns of the command line in their place.
    fn request(&self, context: &Context) -> Result<Request, Error> {
        let mut request = context.schema_request()?;
        let parse = |texts: &[String]| {
            let parsed: Result<Vec<_>, _> = texts.iter().map(|text| text.parse()).collect();
            parsed.map_err(error::pattern)
        };
        if !self.include.is_empty() {
            request.scope.include = parse(&self.include)?;
        }
        request.scope.exclude.extend(parse(&self.exclude)?);
        Ok(request)
    }
}

/// Parses WHAT.
fn source(text: &str, context: &Context) -> Result<SchemaSource, Error> {
    Ok(SchemaSource::parse(text, context.config.cwd())?)
}
