//! Scripts that get other names or texts, all or none.

use crate::{
    cli::{context::Context, error::Error},
    plan::FileChange,
    project::{self, Exchange},
    report::RecoveredView,
};

/// Completes an exchange that a killed process has left, and says so. Returns whether there was one.
pub fn recover(context: &Context) -> Result<bool, Error> {
    let files = project::recover(&context.config.migrations)?;
    let found = files.is_some();
    if let Some(files) = files {
        context.output.result(&RecoveredView { files });
    }
    Ok(found)
}

/// Makes the changes.
pub fn exchange(changes: &[FileChange], context: &Context) -> Result<(), Error> {
    let files: Vec<_> = changes
        .iter()
        .map(|file| Exchange {
            from: &file.from,
            to: &file.to,
            before: &file.before,
            after: file.after.as_deref(),
        })
        .collect();
    Ok(project::exchange(&context.config.migrations, &files)?)
}
