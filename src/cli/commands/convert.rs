use std::path::PathBuf;

use crate::{
    cli::{
        context::Context,
        error::{self, Error, Exit},
    },
    project,
    report::ConvertView,
};

/// Write the scripts out as migrator's own, to leave another tool
///
/// Every script comes out the same, statement for statement, with headers for what the other tool
/// knew from elsewhere. The directory that is read stays as it is, and databases stay as they are:
/// ids and checksums do not change.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The directory to write, which must be empty or not there
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

pub fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let dialect = context.dialect();
    let from = &context.config.migrations;
    let shown = context.shown_migrations();
    let layout = project::layout_of(from, &shown, &context.reading(dialect))
        .map_err(|problem| error::directory(&[problem]))?;
    let history = context.history(dialect)?;
    let files = project::converted(&history, dialect)?;
    let to = std::path::absolute(&args.to).unwrap_or_else(|_| args.to.clone());
    project::write_directory(from, &to, &files, dialect)?;
    let directory = context.config.show(&to);
    context.output.result(&ConvertView {
        layout,
        revisions: history.in_order().count(),
        files: files
            .iter()
            .map(|file| format!("{directory}/{}", file.name))
            .collect(),
        directory,
    });
    Ok(Exit::Done)
}
