use super::revision::{self, New};
use crate::{
    cli::{
        codes,
        context::Context,
        error::{Error, Exit},
    },
    revision::{History, RevisionId},
};

/// Join heads with a new revision that revises them all
///
/// Makes the scripts of a revision with nothing to run in it. Where branches
/// changed the same thing, write what makes them fit into them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The heads to join [default: all of them]
    #[arg(value_name = "REVISION")]
    revisions: Vec<String>,

    /// What the revision does, in a few words; the files are named after it
    #[arg(short, long)]
    message: String,

    /// A name for the branch that begins here
    #[arg(long, value_name = "NAME")]
    label: Option<String>,

    /// The id, when it is not to be the time
    #[arg(long, value_name = "ID")]
    rev_id: Option<String>,

    /// The template to use
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
}

pub fn run(args: Args, context: &Context) -> Result<Exit, Error> {
    let history = context.history_to_write(context.dialect())?;
    let parents = joined(&history, &args.revisions, context)?;
    let new = New {
        message: &args.message,
        parents,
        depends_on: Vec::new(),
        label: args.label.as_deref(),
        no_down: None,
        rev_id: args.rev_id.as_deref(),
        template: args.template.as_deref(),
        editor: None,
    };
    revision::make(&history, &new, context)
}

/// Two heads or more.
fn joined(
    history: &History,
    texts: &[String],
    context: &Context,
) -> Result<Vec<RevisionId>, Error> {
    let heads = history.heads();
    if texts.is_empty() {
        return match heads.as_slice() {
            [] => Err(nothing("there are no revisions yet".to_owned())),
            [only] => Err(nothing(format!("there is one head only: {}", only.id))),
            heads => Ok(heads.iter().map(|head| head.id.clone()).collect()),
        };
    }
    let ids = revision::several(history, texts, "the command names", context)?;
    if let Some(id) = ids.iter().find(|id| !history.children(id).is_empty()) {
        let children = history.children(id);
        let children: Vec<_> = children.iter().map(|child| child.id.as_str()).collect();
        let by = children.join(", ");
        return Err(nothing(format!(
            "revision {id} is no head: it is revised by {by}"
        )));
    }
    if let [only] = ids.as_slice() {
        return Err(nothing(format!("{only} alone can't be joined")).hint("name two heads or more"));
    }
    Ok(ids)
}

fn nothing(message: String) -> Error {
    Error::new(codes::M411, message).hint("`migrator heads` lists the heads")
}
