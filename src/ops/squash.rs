use super::{Error, Project, files, revision::one};
use crate::{
    plan::{self, Squash},
    project,
    sql::Dialect,
};

/// Arguments of `squash`.
#[derive(Clone, Debug)]
pub struct SquashArgs {
    /// The last revision to replace.
    pub to: String,
    /// The message of the baseline, which is also used in the file names.
    pub message: String,
    /// Whether to leave the files unchanged.
    pub dry_run: bool,
}

/// A baseline that replaces revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SquashReport {
    /// The squashed revisions and their baseline.
    pub squash: Squash,
    /// Whether the files were left unchanged.
    pub dry_run: bool,
}

/// Replaces a revision and everything it depends on with one baseline.
///
/// # Errors
/// Fails when the directory is invalid or a revision cannot be squashed. No file is changed then.
pub fn squash(
    project: &Project,
    dialect: Dialect,
    args: &SquashArgs,
) -> Result<SquashReport, Error> {
    project.ensure_native(dialect)?;
    let history = project.history(dialect)?;
    let id = one(&history, &args.to)?;
    let to = history.get(&id).ok_or_else(|| Error::NoFiles(id.clone()))?;
    let slug = project::slugify(&args.message)?;
    let message = args.message.lines().next().unwrap_or_default().trim();
    let squash = plan::squash(&history, dialect, to, message, &slug)?;
    if !args.dry_run {
        files::exchange(project, &squash.files)?;
    }
    Ok(SquashReport {
        squash,
        dry_run: args.dry_run,
    })
}
