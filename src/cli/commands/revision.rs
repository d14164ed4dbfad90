use std::path::PathBuf;

use crate::{
    cli::{context::Context, editor::Editor},
    generate::{Fill, Loss, Rename, shown_path},
    ops,
    report::{AutogenerateView, Diagnostic, View, error::Error, exit::Exit, shell_word},
    revision::TargetError,
};

/// Create the up and down scripts of a new revision
///
/// The ID is the current time in UTC. The new revision revises the head. If there are several
/// heads, choose one with --head, or join them by giving --head more than once.
///
/// With --autogenerate, the scripts lead from the head to the model that migrator.toml declares, and
/// back. They are written once they are proven in a scratch database. What needs an answer, such as
/// a possible rename, exits with status 3 and names the flag that gives it.
#[derive(Debug, clap::Args)]
pub struct RevisionArgs {
    /// Short description of the revision, used in the file names
    #[arg(short, long)]
    message: String,

    /// Revision to revise, or base for a new root; repeat to join several [default: the head]
    #[arg(long, value_name = "REVISION")]
    head: Vec<String>,

    /// Revision that must be applied first but is not a parent; may be repeated
    #[arg(long, value_name = "REVISION")]
    depends_on: Vec<String>,

    /// Name of the branch that starts here
    #[arg(long, value_name = "NAME")]
    label: Option<String>,

    /// Write no down script and declare the revision irreversible for this reason
    #[arg(long, value_name = "REASON")]
    no_down: Option<String>,

    /// Write a down script even if the configuration says that down scripts are optional
    #[arg(long, conflicts_with = "no_down")]
    down: bool,

    /// Revision ID to use instead of the current time
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,

    /// Create a repeatable script instead, which runs again whenever it changes
    #[arg(long, conflicts_with_all = ["head", "depends_on", "label", "no_down", "down", "rev_id", "template"])]
    repeatable: bool,

    /// Template to use (see `migrator list-templates`)
    #[arg(long, value_name = "NAME")]
    template: Option<String>,

    /// Open the new scripts in the editor named by VISUAL or EDITOR
    #[arg(long)]
    edit: bool,

    #[command(flatten)]
    generate: AutogenerateFlags,
}

#[derive(Debug, clap::Args)]
struct AutogenerateFlags {
    /// Write the statements that lead to the model, and back
    #[arg(long, conflicts_with = "repeatable")]
    autogenerate: bool,

    /// With --autogenerate: an object that has another name in the model; may be repeated
    #[arg(long, value_name = "OLD=NEW", requires = "autogenerate")]
    rename: Vec<Rename>,

    /// With --autogenerate: what is dropped although an added one looks alike
    #[arg(long, value_name = "OLD", requires = "autogenerate")]
    no_rename: Vec<String>,

    /// With --autogenerate: the value of rows in a column that refuses NULL
    #[arg(
        long,
        value_name = "TABLE.COLUMN=EXPRESSION",
        requires = "autogenerate"
    )]
    fill: Vec<Fill>,

    /// With --autogenerate: accept that the up script destroys data
    #[arg(long, requires = "autogenerate")]
    allow_loss: bool,

    /// With --autogenerate: write revisions that programs in use do not notice (PostgreSQL)
    #[arg(long, requires = "autogenerate")]
    online: bool,

    /// With --autogenerate: print the scripts, and write nothing
    #[arg(long, requires = "autogenerate", conflicts_with = "edit")]
    dry_run: bool,
}

pub async fn cmd_revision(args: RevisionArgs, context: &Context) -> Result<Exit, Error> {
    let editor = args.edit.then(Editor::find).transpose()?;
    if args.generate.autogenerate {
        return cmd_autogenerate(args, editor, context).await;
    }
    let (project, dialect) = (&context.project, context.dialect()?);
    let created = if args.repeatable {
        ops::repeatable(project, dialect, &args.message)
    } else {
        ops::revision(project, dialect, &request(&args))
    };
    let report = created.map_err(which_head)?;
    match editor {
        None => context.output.result(&report),
        Some(editor) => edit(context, &editor, &report, &report.paths)?,
    }
    Ok(Exit::Done)
}

async fn cmd_autogenerate(
    args: RevisionArgs,
    editor: Option<Editor>,
    context: &Context,
) -> Result<Exit, Error> {
    if !args.generate.dry_run
        && let Some(recovered) = ops::recover(&context.project)?
    {
        context.output.result(&recovered);
        return Ok(Exit::Done);
    }
    let model = context.model();
    let model = model.ok_or(ops::Error::Autogenerate(ops::AutogenerateError::NoModel))?;
    let (revision, mut flags) = (request(&args), args.generate);
    let report = loop {
        let request = flags.request(&revision, &model);
        let work = async |session: &mut ops::Session, schema: &ops::SchemaArgs| {
            let args = ops::AutogenerateArgs {
                schema: schema.clone(),
                ..request
            };
            match ops::autogenerate(&context.project, session, &args).await {
                Err(ops::Error::Autogenerate(refused)) => Ok(Err(refused)),
                other => other.map(Ok),
            }
        };
        let done = context.read_schemas("revision", context.schema_request()?, work);
        match done.await? {
            Ok(report) => break report,
            Err(refused) if flags.ask(&refused, context) => {}
            Err(refused) => return Err(ops::Error::Autogenerate(refused).into()),
        }
    };
    let written = report.written.iter();
    let paths: Vec<_> = written.flat_map(|it| it.paths.clone()).collect();
    let view = AutogenerateView::new(report, flags.dry_run);
    match editor.filter(|_| !paths.is_empty()) {
        None => context.output.result(&view),
        Some(editor) => edit(context, &editor, &view, &paths)?,
    }
    Ok(Exit::Done)
}

impl AutogenerateFlags {
    fn request(
        &self,
        revision: &ops::RevisionArgs,
        model: &ops::ModelArgs,
    ) -> ops::AutogenerateArgs {
        ops::AutogenerateArgs {
            revision: revision.clone(),
            model: model.clone(),
            schema: ops::SchemaArgs::default(),
            renames: self.rename.clone(),
            no_renames: self.no_rename.clone(),
            fills: self.fill.clone(),
            allow_loss: self.allow_loss,
            online: self.online,
            seed: super::verify::SEED,
            dry_run: self.dry_run,
        }
    }

    /// Asks a user at a terminal what was refused, and adds the flags that give the same answer. Returns
    /// whether there was an answer.
    fn ask(&mut self, refused: &ops::AutogenerateError, context: &Context) -> bool {
        let mut said = Vec::new();
        match refused {
            ops::AutogenerateError::PossibleRenames(pairs) => {
                for (from, to) in pairs {
                    let (old, new) = (shown_path(from), shown_path(to));
                    match context.asks(&format!("Is {to} what was {from}? [y/n] ")) {
                        Some(true) => {
                            let Ok(rename) = format!("{}:{old}={new}", from.kind).parse() else {
                                return false;
                            };
                            self.rename.push(rename);
                            said.push(format!("--rename {}", shell_word(&format!("{old}={new}"))));
                        }
                        Some(false) => {
                            said.push(format!("--no-rename {}", shell_word(&old)));
                            self.no_rename.push(old);
                        }
                        None => return false,
                    }
                }
            }
            ops::AutogenerateError::Loses(losses) => {
                let lost: Vec<String> = losses.iter().map(Loss::to_string).collect();
                let question = format!("Destroy {}? [y/N] ", lost.join(", "));
                if context.asks(&question) != Some(true) {
                    return false;
                }
                self.allow_loss = true;
                said.push("--allow-loss".to_owned());
            }
            _ => return false,
        }
        context.output.warn(&Diagnostic {
            message: format!("this answer is {}", said.join(" ")),
            ..Diagnostic::default()
        });
        true
    }
}

fn request(args: &RevisionArgs) -> ops::RevisionArgs {
    ops::RevisionArgs {
        message: args.message.clone(),
        heads: args.head.clone(),
        depends_on: args.depends_on.clone(),
        label: args.label.clone(),
        no_down: args.no_down.clone(),
        down: args.down,
        rev_id: args.rev_id.clone(),
        template: args.template.clone(),
    }
}

fn which_head(error: ops::Error) -> Error {
    match error {
        ops::Error::Target(error @ TargetError::SeveralHeads(_)) => Error::from(error).hint(
            "say which one the new revision revises: --head REVISION; \
             or join them first: migrator merge -m \"join\"",
        ),
        error => error.into(),
    }
}

/// Opens what was created. The result is printed before the editor takes the screen.
fn edit(
    context: &Context,
    editor: &Editor,
    report: &impl View,
    paths: &[PathBuf],
) -> Result<(), Error> {
    let is_human = context.output.is_human();
    if is_human {
        context.output.result(report);
    }
    editor.open(paths).map_err(|error| Error {
        exit: Exit::Partway,
        result: Some(report.json()),
        ..error
    })?;
    if !is_human {
        context.output.result(report);
    }
    Ok(())
}
