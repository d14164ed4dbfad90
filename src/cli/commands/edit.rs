use std::{path::Path, time::Duration};

use crate::{
    cli::{
        codes,
        context::{Context, Role},
        editor::Editor,
        error::{Error, Exit},
    },
    database::Detail,
    report::{Diagnostic, EditView},
    revision::{Observed, Resolved, Revision, RevisionId, Script, Target},
};

/// Open a revision's up script in your editor
///
/// The editor is what VISUAL or EDITOR names. You are warned when the revision
/// is applied in the database, as far as it can be seen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The revision
    revision: String,

    /// The down script instead
    #[arg(long, conflicts_with = "both")]
    down: bool,

    /// Both scripts
    #[arg(long)]
    both: bool,
}

/// The warning is not worth a longer wait for a database.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let target: Target = args.revision.parse()?;
    let editor = Editor::find()?;
    let history = context.history(context.dialect())?;
    let observed = seen(context).await.unwrap_or_default();
    let id = match history.resolve(&target, &observed.applied)? {
        Resolved::Revisions(ids) if ids.len() == 1 => ids[0].clone(),
        _ => return Err(context.not_one_revision(&args.revision)),
    };
    let Some(revision) = history.get(&id) else {
        return Err(Error::new(
            codes::M401,
            format!("revision {id} is applied, but its files are not in this directory"),
        )
        .hint("get them (another branch?)"));
    };
    let scripts = scripts(&args, revision)?;
    if !args.down {
        warn_if_applied(context, &observed, &id)?;
    }
    let mut files: Vec<_> = scripts.iter().map(|script| script.file.clone()).collect();
    // Another tool may have both in one file.
    files.dedup();
    let shown = context.shown_migrations();
    let path = |file: &String| {
        let name = Path::new(file)
            .strip_prefix(&shown)
            .unwrap_or(Path::new(file));
        context.config.migrations.join(name)
    };
    editor.open(&files.iter().map(path).collect::<Vec<_>>())?;
    context.output.result(&EditView { id, files });
    Ok(Exit::Done)
}

fn scripts<'a>(args: &Args, revision: &'a Revision) -> Result<Vec<&'a Script>, Error> {
    let mut scripts = Vec::new();
    if !args.down {
        scripts.push(&revision.up);
    }
    if args.down || args.both {
        scripts.push(revision.down.as_ref().ok_or_else(|| {
            let error = Error::new(
                codes::M406,
                format!("revision {} has no down script", revision.id),
            );
            match revision.up.file.strip_suffix(".up.sql") {
                Some(stem) => error.hint(format!("it would be {stem}.down.sql")),
                None => error,
            }
        })?);
    }
    Ok(scripts)
}

/// The database's state, when it answers soon.
async fn seen(context: &Context) -> Option<Observed> {
    let location = context.location().ok()?;
    let observing = async {
        let connected = context.connect(&location, Role::Reader("edit")).await;
        let mut database = connected.ok()?;
        let observed = database.observe(Detail::Brief).await.ok()?;
        database.close().await.ok()?;
        Some(observed)
    };
    tokio::time::timeout(PATIENCE, observing).await.ok()?
}

fn warn_if_applied(context: &Context, observed: &Observed, id: &RevisionId) -> Result<(), Error> {
    if observed.applied.iter().any(|row| row.revision == *id) {
        let place = context.place(&context.location()?);
        context.output.warn(&Diagnostic {
            message: format!("revision {id} is applied in {place}"),
            hint: Some(
                "a changed up script is refused there: write a new revision, or accept the change \
                 with `migrator repair`"
                    .to_owned(),
            ),
            ..Diagnostic::default()
        });
    }
    Ok(())
}
