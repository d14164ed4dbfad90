//! Writes revisions that lead from the head to the declared schema and back.

mod concerned;
mod draft;
mod error;
mod plan;
mod prove;

pub use draft::Draft;
pub use error::AutogenerateError;

use self::{draft::Drafts, plan::Plan, prove::Prover};
use super::{
    Error, ModelArgs, NewRevisionReport, Project, RevisionArgs, SchemaArgs, Session, model,
    revision::parents, schema::Reader, session::until_stopped,
};
use crate::{
    generate::{Fill, Loss, Rename},
    online::Waiting,
    project::{self, Exchange},
    schema::{Difference, Note, ObjectId, Unmodelled},
};

/// Arguments of `revision --autogenerate`.
#[derive(Clone)]
pub struct AutogenerateArgs {
    /// The revision.
    pub revision: RevisionArgs,
    /// The declared schema.
    pub model: ModelArgs,
    /// The objects that are compared, and where scratch databases are created.
    pub schema: SchemaArgs,
    /// Objects that have another name in the declared schema.
    pub renames: Vec<Rename>,
    /// Names of objects that are dropped although an added one looks alike.
    pub no_renames: Vec<String>,
    /// Values for columns that refuse NULL.
    pub fills: Vec<Fill>,
    /// Whether the up script may lose data.
    pub allow_loss: bool,
    /// What the values of the rows are made from with which the scripts are proven.
    pub seed: u64,
    /// Whether the revisions are those that programs in use do not notice.
    pub online: bool,
    /// Whether to write nothing.
    pub dry_run: bool,
}

/// The result of `revision --autogenerate`.
#[derive(Debug)]
pub struct AutogenerateReport {
    /// The revisions, in order; none if the head is the declared schema.
    pub revisions: Vec<Draft>,
    /// The revisions as they were written; none in a dry run.
    pub written: Vec<NewRevisionReport>,
    /// The objects that have another name in the declared schema, by their old and new names.
    pub renames: Vec<(ObjectId, ObjectId)>,
    /// What else differs between the head and the declared schema.
    pub difference: Difference,
    /// What the up scripts lose.
    pub losses: Vec<Loss>,
    /// The statements that make others wait although they should not.
    pub waiting: Vec<Waiting>,
    /// What is only in the declared schema, and what the model of schemas does not have.
    pub left_out: Vec<Unmodelled>,
    /// How the scripts were proven.
    pub proof: Proof,
}

/// How scripts were proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Up, down and up again, with rows in the tables.
    WithRows,
    /// Up, down and up again in empty tables, since a script fails if there are rows, for this reason.
    WithoutRows(String),
}

/// Writes the revisions that lead from the head to the declared schema, with their way back, once
/// they are proven in a scratch database. Only reads the configured database.
///
/// # Errors
/// Fails when a schema cannot be read, when no safe statements are known, or when the proof fails.
/// Nothing is written then.
pub async fn autogenerate(
    project: &Project,
    session: &mut Session,
    args: &AutogenerateArgs,
) -> Result<AutogenerateReport, Error> {
    let dialect = session.dialect();
    project.ensure_native(dialect)?;
    let history = project.history(dialect)?;
    let parents = parents(&history, &args.revision.heads)?;
    let stop = session.stop_signal().clone();
    let mut reader = Reader {
        project,
        session,
        args: &args.schema,
    };
    let mut drafts = Drafts::new(project, &args.revision, (&history, parents), dialect);
    let mut prover = Prover::open(&mut reader, &drafts).await?;
    let work = async {
        // What reads the model ends at a request to stop by itself, and drops its own scratch database.
        let head = until_stopped(&stop, prover.start(project, &args.schema));
        let (start, declared) = model::declared(&mut reader, &args.model, head).await?;
        let rest = async {
            let mut plan = Plan::new(&mut prover, &start, declared, args).await?;
            if plan.is_empty() {
                return Ok((plan, Proof::WithRows));
            }
            let proven = prove::prove(&mut prover, &mut reader, &plan, &mut drafts, args).await;
            let proof = match proven {
                // What is known of dependencies may be too little for the compact order.
                Err(Error::Autogenerate(error)) if error.is_unproven() && plan.keep_order() => {
                    drafts.clear();
                    prover.renew(&mut reader).await?;
                    prove::prove(&mut prover, &mut reader, &plan, &mut drafts, args).await?
                }
                other => other?,
            };
            Ok((plan, proof))
        };
        until_stopped(&stop, rest).await
    };
    let done = work.await;
    let left = prover.leave().await;
    let (plan, proof) = done?;
    left?;
    let revisions = drafts.finish(&proof);
    let written = match args.dry_run {
        true => Vec::new(),
        false => write(project, &revisions)?,
    };
    Ok(AutogenerateReport {
        losses: plan.losses(),
        waiting: plan.waiting().to_vec(),
        renames: plan.renames,
        left_out: left_out(&plan.difference),
        difference: plan.difference,
        revisions,
        written,
        proof,
    })
}

fn left_out(difference: &Difference) -> Vec<Unmodelled> {
    let notes = difference.notes.iter();
    let left_out = notes.filter_map(|note| match note {
        Note::OnlyInSecond(unmodelled) => Some(unmodelled.clone()),
        _ => None,
    });
    left_out.collect()
}

/// Writes all files or none.
pub(super) fn write(
    project: &Project,
    revisions: &[Draft],
) -> Result<Vec<NewRevisionReport>, Error> {
    let dir = project.directory().0;
    let mut files = Vec::new();
    let mut written = Vec::new();
    for draft in revisions {
        let down = draft.down.as_ref().map(|down| (&draft.down_file, down));
        let names = [Some((&draft.up_file, &draft.up)), down];
        let mut paths = Vec::new();
        for (name, text) in names.into_iter().flatten() {
            files.push(Exchange {
                from: None,
                to: name,
                after: Some(text),
            });
            paths.push(dir.join(name));
        }
        written.push(NewRevisionReport {
            id: draft.id.clone().into(),
            parents: draft.parents.clone(),
            files: paths.iter().map(|path| project.show(path)).collect(),
            paths,
        });
    }
    if !files.is_empty() {
        project::exchange(dir, &files)?;
    }
    Ok(written)
}
