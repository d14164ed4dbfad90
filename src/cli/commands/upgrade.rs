use super::migrate::{self, Request, Scope};
use crate::{
    cli::{
        context::Context,
        error::{Error, Exit},
    },
    revision::Direction,
};

/// Apply revisions, up to TARGET
///
/// Applies what the target needs and is not applied yet, each revision in one
/// transaction with its record. Everything is read and checked before the
/// first statement runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to go: head, heads, a revision, +N
    #[arg(default_value = "head", allow_negative_numbers = true)]
    target: String,

    /// Show what would run, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// One transaction a revision, or one for the whole run
    #[arg(long, value_name = "SCOPE")]
    transaction: Option<Scope>,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let Args {
        target,
        dry_run,
        transaction,
    } = args;
    let request = Request {
        direction: Direction::Up,
        target: target.parse()?,
        dry_run,
        transaction,
    };
    migrate::run(context, request).await
}
