use crate::{
    cli::{
        context::{Context, Role},
        describe,
        error::{Error, Exit},
    },
    database::Detail,
    report::CurrentView,
};

/// Show what is applied
///
/// Prints the newest applied revision, or several where branches are applied.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Exit with 3 unless exactly the directory's heads are applied
    #[arg(long)]
    check_heads: bool,
}

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let location = context.location()?;
    let mut database = context.connect(&location, Role::Reader("current")).await?;
    let observed = database.observe(Detail::Brief).await?;
    database.close().await?;
    // What is applied can be told even when the directory is in disorder.
    let history = match context.history(location.dialect()) {
        Ok(history) => Some(history),
        Err(error) if args.check_heads => return Err(error),
        Err(error) => {
            context.warn(error);
            None
        }
    };
    let mut current = describe::applied_heads(&observed);
    let mut heads: Vec<_> = history
        .iter()
        .flat_map(|h| h.heads())
        .map(|head| head.id.clone())
        .collect();
    current.sort();
    heads.sort();
    let at_heads = current == heads;
    let lines = describe::current(history.as_ref(), &observed);
    context.output.result(&CurrentView {
        database: context.place(&location),
        lines,
        at_heads,
    });
    Ok(if args.check_heads && !at_heads {
        Exit::CheckFailed
    } else {
        Exit::Done
    })
}
