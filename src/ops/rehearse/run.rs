use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{
    RehearseReport, RehearsedRevision, RehearsedStatement, Reverted,
    copy::Copy,
    locks::Locks,
    observe::{End, Ends, Observed, Observing, written_by},
    restored::Before,
    rows::{Rows, Sizes},
};
use crate::{
    database::{Trace, Usage},
    execute::PartialFailure,
    lint::Known,
    ops::{Error, MigrateArgs, Project, RunReport, Session, downgrade, upgrade},
    plan::{Plan, Step},
    revision::{History, RevisionId, Target},
    schema::{Name, Schema, Scope},
};

/// A run on a copy.
pub(super) struct Rehearsal<'a> {
    /// The project.
    whole: &'a Project,
    /// The project without its repeatable scripts, which run by themselves after the revisions.
    project: Project,
    session: Session,
    ends: Ends,
    observing: Observing,
    rows: Rows,
    /// The sizes of the tables of the database itself, if the copy has no rows.
    live: Option<Sizes>,
    /// The state before the first revision, if it is compared with that after the down scripts.
    before: Option<Before>,
    /// The tables that scripts wrote to, by their first names; `None` if the database does not tell.
    written: Option<BTreeSet<Name>>,
    /// The schemas before and after the repeatable scripts.
    around: Option<(Schema, Schema)>,
}

/// What a run of scripts did.
struct Ran {
    ends: Vec<End>,
    traces: Option<Vec<Trace>>,
    elapsed: Duration,
    used: (Usage, Usage),
    failure: Option<Box<PartialFailure>>,
}

impl<'a> Rehearsal<'a> {
    /// Begins in the session with a copy.
    pub async fn begin(
        whole: &'a Project,
        copy: &mut Copy,
        session: Session,
        downs: bool,
    ) -> Result<Self, Error> {
        let dialect = session.dialect();
        let history = whole.history(dialect)?;
        let repeatables: Vec<_> = history
            .repeatables()
            .iter()
            .map(|it| it.id.clone())
            .collect();
        let revisions = History::clone(&history).without_repeatables(&repeatables);
        let ends = Ends::default();
        let told = ends.clone();
        let mut session = session.on_events(move |event| told.hear(&event.kind));
        let schema = session.inspect(&Scope::default()).await?;
        let mut known = Known::new(dialect);
        known.schema(&schema);
        known.begin_run();
        let rows = Rows::read(&mut session, copy.take_counts()).await?;
        let before = match downs {
            true => Some(Before::read(&mut session, schema.into(), &rows).await?),
            false => None,
        };
        let has_traces = session.begin_tracing().await?;
        let live = copy.take_sizes();
        Ok(Self {
            whole,
            project: whole.with_history(dialect, revisions),
            session,
            ends,
            observing: Observing {
                known,
                locks: Locks::default(),
                is_one_transaction: false,
                is_empty: live.is_some(),
            },
            rows,
            live,
            before,
            written: has_traces.then(BTreeSet::new),
            around: None,
        })
    }

    /// Closes the session.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.session.close().await?)
    }

    /// Applies the revisions of the plan one by one, then its repeatable scripts, and reverts the
    /// revisions.
    pub async fn run(&mut self, plan: &Plan, report: &mut RehearseReport) -> Result<(), Error> {
        self.observing.is_one_transaction = plan.one_transaction;
        report.sizes = self.sizes().clone();
        let is_revision = |step: &&Step| step.subject.revision().is_some();
        let (revisions, repeatables): (Vec<&Step>, Vec<&Step>) =
            plan.steps.iter().partition(is_revision);
        for step in &revisions {
            let target = Target::Name {
                text: step.subject.as_str().to_owned(),
            };
            self.apply(&[step], target, report).await?;
            if report.has_failure() {
                break;
            }
        }
        if !repeatables.is_empty() && !report.has_failure() {
            let before = self.session.inspect(&Scope::default()).await?;
            self.apply(&repeatables, Target::Heads, report).await?;
            let after = self.session.inspect(&Scope::default()).await?;
            self.around = Some((before, after));
        }
        let steps = revisions.iter().chain(&repeatables);
        let rest = steps.skip(report.revisions.len());
        report.not_run = rest.map(|step| step.subject.clone()).collect();
        self.note_locks(report);
        self.revert(report).await
    }

    fn sizes(&self) -> &Sizes {
        self.live.as_ref().unwrap_or(&self.rows.sizes)
    }

    /// Runs scripts together and adds them to the report: those that ran to their end, and the one that
    /// failed.
    async fn apply(
        &mut self,
        steps: &[&Step],
        target: Target,
        report: &mut RehearseReport,
    ) -> Result<(), Error> {
        let mut ran = self
            .ran(target, steps[0].subject.revision().is_none())
            .await?;
        let traces = ran.traces.take();
        let mut left = traces.as_deref().unwrap_or_default().iter().peekable();
        let mut all = Observed::default();
        let failed = ran
            .failure
            .as_ref()
            .map(|it| it.failure.step.subject.clone());
        let first = report.revisions.len();
        for step in steps {
            let number = report.revisions.len();
            let ends: Vec<&End> = ran
                .ends
                .iter()
                .filter(|it| it.subject == step.subject)
                .collect();
            let has_traces = traces.is_some();
            let sizes = self.live.as_ref().unwrap_or(&self.rows.sizes);
            let seen = (&*ends, &mut left, has_traces);
            let mut observed = self.observing.script(number, step, seen, sizes);
            let statements = std::mem::take(&mut observed.statements);
            all.add(observed);
            report.revisions.push(rehearsed(step, statements));
            if failed.as_ref() == Some(&step.subject) {
                break;
            }
        }
        if let Some(written) = &mut self.written {
            written.extend(all.written.iter().cloned());
        }
        let rows = match self.live {
            Some(_) => Vec::new(),
            None => {
                self.rows
                    .changes(&mut self.session, &all, traces.is_some())
                    .await?
            }
        };
        if let [one] = &mut report.revisions[first..] {
            one.elapsed = ran.elapsed;
        }
        // What is known of all together is told of the last one.
        if let Some(last) = report.revisions.last_mut() {
            let (before, after) = ran.used;
            last.growth = after.bytes.cast_signed() - before.bytes.cast_signed();
            last.wal = after
                .wal
                .zip(before.wal)
                .map(|(after, before)| after.saturating_sub(before));
            last.rows = rows;
            last.failure = ran.failure;
        }
        Ok(())
    }

    /// Runs the pending scripts up to `target`; the repeatable ones if `is_last`.
    async fn ran(&mut self, target: Target, is_last: bool) -> Result<Ran, Error> {
        self.ends.take();
        let project = match is_last {
            true => self.whole,
            false => &self.project,
        };
        let before = self.session.usage().await?;
        let begin = Instant::now();
        let run = upgrade(project, &mut self.session, &MigrateArgs::to(target)).await?;
        let elapsed = begin.elapsed();
        let (ends, traces) = (self.ends.take(), self.session.take_traces());
        Ok(Ran {
            ends,
            traces,
            elapsed,
            failure: ended(run)?,
            used: (before, self.session.usage().await?),
        })
    }

    /// Notes the locks, which are known when the last transaction has ended.
    fn note_locks(&self, report: &mut RehearseReport) {
        let locks = &self.observing.locks;
        report.locks = locks.spans().cloned().collect();
        let sizes = &report.sizes;
        for (number, revision) in report.revisions.iter_mut().enumerate() {
            let lines: Vec<u32> = revision.statements.iter().map(|it| it.line).collect();
            revision.holds = locks.holds(number, &lines, |table| sizes.get(table).copied());
        }
    }

    /// Reverts the revisions, the last one first, and compares.
    async fn revert(&mut self, report: &mut RehearseReport) -> Result<(), Error> {
        let applied = report.revisions.iter().filter(|it| it.failure.is_none());
        let applied: Vec<RevisionId> = applied
            .filter_map(|it| it.subject.revision().cloned())
            .collect();
        let Some(before) = self.before.take().filter(|_| !applied.is_empty()) else {
            return Ok(());
        };
        let history = self.project.history(self.session.dialect())?;
        let between = self.session.inspect(&Scope::default()).await?;
        for id in applied.iter().rev() {
            if history.get(id).is_none_or(|it| it.down.is_none()) {
                report.reverted = Reverted::NoDown(id.clone());
                return Ok(());
            }
            let back = MigrateArgs::to(Target::Relative(-1));
            let run = downgrade(&self.project, &mut self.session, &back).await?;
            if let Some(failure) = ended(run)? {
                report.reverted = Reverted::Failed(id.clone(), failure);
                return Ok(());
            }
        }
        if let (Some(written), Some(traces)) = (&mut self.written, self.session.take_traces()) {
            written.extend(traces.iter().flat_map(written_by).cloned());
        }
        let after = self.session.inspect(&Scope::default()).await?;
        let (schemas, written) = ((&between, &after), self.written.as_ref());
        let around = self.around.as_ref();
        let without = |schema: &Schema| without(schema, around);
        let found = before
            .changes(&mut self.session, schemas, written, without)
            .await?;
        report.reverted = Reverted::Done(found);
        Ok(())
    }
}

/// What is known of a script from its statements alone.
fn rehearsed(step: &Step, statements: Vec<RehearsedStatement>) -> RehearsedRevision {
    RehearsedRevision {
        subject: step.subject.clone(),
        message: step.message.clone(),
        file: step.script.file.clone(),
        elapsed: statements.iter().map(|it| it.elapsed).sum(),
        statements,
        holds: Vec::new(),
        growth: 0,
        wal: None,
        rows: Vec::new(),
        failure: None,
    }
}

/// `schema` without the objects that differ between those before and after the repeatable scripts, which have
/// no down scripts.
fn without(schema: &Schema, around: Option<&(Schema, Schema)>) -> Schema {
    let Some((old, new)) = around else {
        return schema.clone();
    };
    let mut left = schema.clone();
    left.objects
        .retain(|object| old.get(&object.id) == new.get(&object.id));
    left
}

/// The failure of a run.
fn ended(run: RunReport) -> Result<Option<Box<PartialFailure>>, Error> {
    match run.interrupted {
        true => Err(Error::Interrupted),
        false => Ok(run.failure),
    }
}
