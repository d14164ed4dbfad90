use std::{sync::Arc, time::Duration};

use super::{
    AutogenerateArgs, AutogenerateError, Proof,
    draft::Drafts,
    plan::{Plan, Segment},
};
use crate::{
    execute::PartialFailure,
    generate::{MigrationOptions, Statement, migrate},
    ops::{
        Error, Outside, Project, SchemaArgs, Unlike, Verdict, VerifiedRevision, VerifyArgs,
        schema::Reader,
        verify::{
            attempt::{Ended, down_and_up, may_be_due_to_rows, up},
            lab::{Lab, Recorded},
            seeding::Seeding,
            state::State,
        },
    },
    revision::{Revision, RevisionId},
    schema::{Schema, compare},
    sql::Dialect,
};

/// A scratch database at the head.
pub(super) struct Prover {
    lab: Lab,
    past: Vec<(RevisionId, Recorded)>,
    /// Whether the repeatable scripts belong to the head.
    with_repeatables: bool,
    dialect: Dialect,
    /// The schema, until a script runs.
    start: Option<Arc<Schema>>,
}

impl Prover {
    /// Creates the database, which is empty.
    pub async fn open(reader: &mut Reader<'_>, drafts: &Drafts<'_>) -> Result<Self, Error> {
        let (history, parents) = (drafts.project_history(), drafts.parents());
        let past = history.closure(parents).into_iter();
        let past: Vec<_> = past.map(|it| (it.id.clone(), Recorded::Applied)).collect();
        Ok(Self {
            lab: Lab::open(reader, true).await?,
            with_repeatables: past.len() == history.len(),
            past,
            dialect: reader.session.dialect(),
            start: None,
        })
    }

    /// Applies the revisions and reads the schema.
    pub async fn start(
        &mut self,
        project: &Project,
        args: &SchemaArgs,
    ) -> Result<Arc<Schema>, Error> {
        args.tell("applying the revisions");
        self.apply(project).await?;
        let schema = self.schema().await?;
        self.start = Some(Arc::clone(&schema));
        Ok(schema)
    }

    async fn apply(&mut self, project: &Project) -> Result<(), Error> {
        let history = project.history(self.dialect)?;
        let revisions = self.past.iter().filter_map(|(id, _)| history.get(id));
        let outside: Vec<_> = revisions.filter_map(|it| self.lab.refuses(it)).collect();
        if !outside.is_empty() {
            return Err(Error::Outside(Outside {
                scripts: outside,
                on_server: true,
            }));
        }
        self.lab.follow(&self.past).await?;
        if self.with_repeatables
            && let Some(failure) = self.lab.repeatables().await?
        {
            return Err(Error::InScratch(Box::new(Error::Failed(failure))));
        }
        Ok(())
    }

    /// Continues with another database at the head.
    pub async fn renew(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let lab = Lab::open(reader, true).await?;
        std::mem::replace(&mut self.lab, lab).leave().await?;
        self.apply(reader.project).await
    }

    /// Reads the schema.
    pub async fn schema(&mut self) -> Result<Arc<Schema>, Error> {
        self.lab.schema().await
    }

    /// Runs statements.
    pub async fn run(&mut self, statements: &[Statement]) -> Result<(), Error> {
        let statements: Vec<String> = statements.iter().map(|it| it.sql.clone()).collect();
        for result in self.lab.session().try_each(&statements).await? {
            result.map_err(|error| Error::InScratch(Box::new(error.into())))?;
        }
        Ok(())
    }

    /// Drops the database.
    pub async fn leave(self) -> Result<(), Error> {
        self.lab.leave().await
    }
}

/// Writes the drafts of a plan and proves them: up, down and up again, with rows. If a script fails
/// only because of the rows, the drafts are proven without them.
pub(super) async fn prove(
    prover: &mut Prover,
    reader: &mut Reader<'_>,
    plan: &Plan,
    drafts: &mut Drafts<'_>,
    args: &AutogenerateArgs,
) -> Result<Proof, Error> {
    let verify = VerifyArgs {
        rows: true,
        seed: args.seed,
        ..VerifyArgs::default()
    };
    let mut seeding = Seeding::new(&verify, prover.dialect)?;
    seeding.later = Some(Arc::new(plan.target.clone()));
    reader.args.tell("proving the scripts");
    let concerned = plan.concerned();
    prover.lab.watch(concerned.clone());
    let failure = match cycle(prover, plan, drafts, Some(&mut seeding), args).await? {
        Ok(()) => return Ok(Proof::WithRows),
        Err(failure) => failure,
    };
    prover.renew(reader).await?;
    prover.lab.watch(concerned);
    match cycle(prover, plan, drafts, None, args).await? {
        Ok(()) => Ok(Proof::WithoutRows(failure.failure.error.to_string())),
        Err(failure) => Err(AutogenerateError::Failed(failure).into()),
    }
}

/// Runs every segment up, down and up. Returns the failure of a script that may be due to rows.
async fn cycle(
    prover: &mut Prover,
    plan: &Plan,
    drafts: &mut Drafts<'_>,
    seeding: Option<&mut Seeding>,
    args: &AutogenerateArgs,
) -> Result<Result<(), Box<PartialFailure>>, Error> {
    let lab = &mut prover.lab;
    let mut before = match prover.start.take() {
        Some(schema) => lab.state_of(schema).await?,
        None => lab.state().await?,
    };
    let with_rows = seeding.is_some();
    if let Some(seeding) = seeding {
        seeding.seed(lab, &mut before).await?;
    }
    let segments = plan.segments();
    for (number, segment) in segments.iter().enumerate() {
        let step = Step {
            plan,
            number,
            segment,
            is_last: number + 1 == segments.len(),
            args,
        };
        match step.run(lab, drafts, &before).await? {
            Ok(state) => before = state,
            Err(failure) if with_rows && may_be_due_to_rows(&failure) => return Ok(Err(failure)),
            Err(failure) => return Err(AutogenerateError::Failed(failure).into()),
        }
    }
    Ok(Ok(()))
}

/// One revision of a plan.
struct Step<'a> {
    plan: &'a Plan,
    number: usize,
    segment: &'a Segment<'a>,
    is_last: bool,
    args: &'a AutogenerateArgs,
}

impl Step<'_> {
    /// Runs the revision up, down and up. Returns the state after that, or the failure of a script.
    async fn run(
        &self,
        lab: &mut Lab,
        drafts: &mut Drafts<'_>,
        before: &State,
    ) -> Result<Result<State, Box<PartialFailure>>, Error> {
        let id = drafts.set_up(self.number, self.segment)?;
        let revision = adopt(lab, drafts, &id)?;
        let mut verified = verified(&id, &self.args.revision.message);
        let first = match up(lab, &revision, before, &mut verified).await? {
            Ok(first) => first,
            Err(failure) => return Ok(Err(failure)),
        };
        if self.is_last {
            let difference = compare(&first.schema, &self.plan.target);
            if !difference.is_empty() {
                let unlike = Unlike::new(difference, &first.schema, &self.plan.target);
                return Err(AutogenerateError::Differs(Box::new(unlike)).into());
            }
        }
        if self.args.revision.no_down.is_some() {
            return findings(verified).map(|()| Ok(first));
        }
        drafts.set_down(self.number, &self.down(&first, before)?);
        let revision = adopt(lab, drafts, &id)?;
        match down_and_up(lab, &revision, (before, first), &mut verified).await? {
            Ended::Done(_, state) => findings(verified).map(|()| Ok(state)),
            Ended::Failed(_, failure) => Ok(Err(failure)),
            Ended::Unlike { .. } => Err(AutogenerateError::Wrong(Box::new(verified)).into()),
        }
    }

    /// The statements back from `after` to the state before.
    fn down(&self, after: &State, before: &State) -> Result<Vec<Statement>, Error> {
        let is_first = self.number == 0;
        let to = match is_first {
            true => &self.plan.renamed,
            false => &before.schema,
        };
        let refills = self.segment.refills;
        let options = MigrationOptions {
            fills: self.args.fills.clone(),
            apart: !refills.is_empty(),
        };
        let back = migrate(&after.schema, to, &options).map_err(AutogenerateError::NoDown)?;
        let mut statements = back.statements;
        for refill in refills {
            refill.add_to(&mut statements);
        }
        if is_first {
            statements.extend(self.plan.names_back.iter().cloned());
        }
        Ok(statements)
    }
}

/// Continues with the drafts as they are now. Returns the one with this identifier.
fn adopt(lab: &mut Lab, drafts: &Drafts<'_>, id: &RevisionId) -> Result<Revision, Error> {
    let history = drafts.history()?;
    let revision = history.get(id).cloned();
    lab.adopt(history);
    revision.ok_or_else(|| Error::NotOneRevision(id.to_string()))
}

fn verified(id: &RevisionId, message: &str) -> VerifiedRevision {
    VerifiedRevision {
        revision: id.clone(),
        message: message.to_owned(),
        up: format!("{id} (up)"),
        down: Some(format!("{id} (down)")),
        verdict: Verdict::Complete,
        findings: Vec::new(),
        notes: Vec::new(),
        elapsed: Duration::ZERO,
    }
}

fn findings(verified: VerifiedRevision) -> Result<(), Error> {
    match verified.findings.is_empty() {
        true => Ok(()),
        false => Err(AutogenerateError::Wrong(Box::new(verified)).into()),
    }
}
