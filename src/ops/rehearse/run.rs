use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Hold, RehearseReport, RehearsedRevision, RehearsedStatement, Reverted};
use crate::{
    database::Trace,
    execute::{EventKind, PartialFailure, StatementEnd},
    lint::{LockMode, Size, WorkKind},
    ops::{
        Error, MigrateArgs, Project, RunReport, Session, Unlike, VerifyFinding, downgrade, upgrade,
        verify::state::{State, Watched, not_restored},
    },
    plan::{Plan, Step},
    revision::{RevisionId, Target},
    schema::{Name, Scope, compare},
    sql::in_quotes,
};

type Sizes = BTreeMap<Name, Size>;

/// A run on a copy.
pub(super) struct Rehearsal<'a> {
    project: &'a Project,
    session: Session,
    ends: Arc<Mutex<Vec<StatementEnd>>>,
    sizes: Sizes,
    /// The exact numbers of rows.
    rows: BTreeMap<Name, u64>,
    /// The state before the first revision, if it is compared with that after the down scripts.
    before: Option<State>,
}

impl<'a> Rehearsal<'a> {
    /// Begins in the session with a copy.
    pub async fn begin(project: &'a Project, session: Session, downs: bool) -> Result<Self, Error> {
        let ends: Arc<Mutex<Vec<StatementEnd>>> = Arc::default();
        let told = Arc::clone(&ends);
        let mut session = session.on_events(move |event| {
            if let EventKind::StatementDone(end) | EventKind::StatementFailed(end) = &event.kind {
                told.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(end.clone());
            }
        });
        let sizes = sizes(&mut session).await?;
        let mut rows = BTreeMap::new();
        for table in sizes.keys() {
            rows.insert(table.clone(), count(&mut session, table).await?);
        }
        let before = match downs {
            true => Some(state(&mut session).await?),
            false => None,
        };
        Ok(Self {
            project,
            session,
            ends,
            sizes,
            rows,
            before,
        })
    }

    /// Closes the session.
    pub async fn close(self) -> Result<(), Error> {
        Ok(self.session.close().await?)
    }

    /// Applies the revisions of the plan one by one, and reverts them.
    pub async fn run(&mut self, plan: &Plan) -> Result<RehearseReport, Error> {
        let mut report = RehearseReport::default();
        let mut steps = plan.steps.iter();
        for step in steps.by_ref() {
            let Some(id) = step.subject.revision() else {
                continue;
            };
            let revision = self.apply(id, step).await?;
            let failed = revision.failure.is_some();
            report.revisions.push(revision);
            if failed {
                break;
            }
        }
        let rest = steps.filter_map(|step| step.subject.revision().cloned());
        report.not_run = rest.collect();
        let applied = report.revisions.iter().filter(|it| it.failure.is_none());
        let applied: Vec<RevisionId> = applied.map(|it| it.revision.clone()).collect();
        if let Some(before) = self.before.take()
            && !applied.is_empty()
        {
            report.reverted = self.revert(&applied, &before).await?;
        }
        Ok(report)
    }

    async fn apply(&mut self, id: &RevisionId, step: &Step) -> Result<RehearsedRevision, Error> {
        self.session.begin_tracing().await?;
        self.ends().clear();
        let target = Target::Name {
            text: id.to_string(),
        };
        let begin = Instant::now();
        let run = upgrade(self.project, &mut self.session, &MigrateArgs::to(target)).await?;
        let elapsed = begin.elapsed();
        let traces = self.session.take_traces();
        let failure = ended(run)?;
        let sizes = sizes(&mut self.session).await?;
        let before = std::mem::replace(&mut self.sizes, sizes);
        let ends = std::mem::take(&mut *self.ends());
        let (statements, holds) = observed(&ends, traces.as_deref().unwrap_or_default(), &before);
        // Without traces, every table may have been written.
        let written = traces.is_some().then_some(&*statements);
        let rows = self.counted(written).await?;
        Ok(RehearsedRevision {
            revision: id.clone(),
            message: step.message.clone(),
            file: step.script.file.clone(),
            statements,
            holds,
            elapsed,
            growth: bytes(&self.sizes) - bytes(&before),
            rows,
            failure,
        })
    }

    /// Counts the rows of new tables and of those that these statements changed, or of all. Returns the
    /// tables whose numbers are others, with those before and after.
    async fn counted(
        &mut self,
        statements: Option<&[RehearsedStatement]>,
    ) -> Result<Vec<(Name, Option<u64>, Option<u64>)>, Error> {
        let works = statements.into_iter().flatten().flat_map(|it| &it.works);
        let written = works.filter(|it| matches!(it.kind, WorkKind::Change { .. }));
        let written: BTreeSet<&Name> = written.map(|it| &it.relation).collect();
        let mut found = Vec::new();
        for table in self.sizes.keys() {
            let before = self.rows.get(table).copied();
            if statements.is_some() && before.is_some() && !written.contains(table) {
                continue;
            }
            let after = count(&mut self.session, table).await?;
            self.rows.insert(table.clone(), after);
            if before != Some(after) {
                found.push((table.clone(), before, Some(after)));
            }
        }
        let gone: Vec<Name> = self
            .rows
            .keys()
            .filter(|it| !self.sizes.contains_key(it))
            .cloned()
            .collect();
        for table in gone {
            let before = self.rows.remove(&table);
            found.push((table, before, None));
        }
        Ok(found)
    }

    /// Reverts the revisions, the last one first, and compares.
    async fn revert(&mut self, applied: &[RevisionId], before: &State) -> Result<Reverted, Error> {
        let history = self.project.history(self.session.dialect())?;
        let between = state(&mut self.session).await?;
        for id in applied.iter().rev() {
            if history.get(id).is_none_or(|it| it.down.is_none()) {
                return Ok(Reverted::NoDown(id.clone()));
            }
            let back = MigrateArgs::to(Target::Relative(-1));
            let run = downgrade(self.project, &mut self.session, &back).await?;
            if let Some(failure) = ended(run)? {
                return Ok(Reverted::Failed(id.clone(), failure));
            }
        }
        let after = state(&mut self.session).await?;
        let mut findings = Vec::new();
        let difference = compare(&before.schema, &after.schema);
        if !difference.is_empty() {
            let unlike = Unlike::new(difference, &before.schema, &after.schema);
            findings.push(VerifyFinding::NotRestored(Box::new(unlike)));
        }
        let rows = not_restored(before, &between, &after).into_iter();
        findings
            .extend(rows.map(|(table, changes)| VerifyFinding::RowsNotRestored { table, changes }));
        Ok(Reverted::Done(findings))
    }

    fn ends(&self) -> std::sync::MutexGuard<'_, Vec<StatementEnd>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sizes of the tables, without those of the records.
async fn sizes(session: &mut Session) -> Result<Sizes, Error> {
    let records = session.version_table();
    let (_, records) = records.rsplit_once('.').unwrap_or(("", &records));
    let log = format!("{records}_log");
    let sizes = session.table_sizes().await?.into_iter();
    let is_record = |name: &Name| name.name == records || name.name == log;
    Ok(sizes.filter(|(name, _)| !is_record(name)).collect())
}

async fn state(session: &mut Session) -> Result<State, Error> {
    State::read(session, &Scope::default(), &Watched::All).await
}

/// The failure of a run.
fn ended(run: RunReport) -> Result<Option<Box<PartialFailure>>, Error> {
    match run.interrupted {
        true => Err(Error::Interrupted),
        false => Ok(run.failure),
    }
}

/// A lock of the present transaction, with when it began to keep others waiting.
struct Taken {
    mode: LockMode,
    writes: Duration,
    reads: Option<Duration>,
    line: u32,
}

/// How long others wait for tables.
#[derive(Default)]
struct Waits {
    /// The locks of the present transaction.
    taken: BTreeMap<Name, Taken>,
    /// The longest wait for each table.
    longest: BTreeMap<Name, Hold>,
}

impl Waits {
    /// Adds what the statement in `line` locked, which ran from `begin` to `now`. Without a trace it
    /// failed, and the locks of before were held meanwhile.
    fn add(
        &mut self,
        trace: Option<&Trace>,
        line: u32,
        (begin, now): (Duration, Duration),
        sizes: &Sizes,
    ) {
        if trace.is_some_and(|trace| trace.begins) {
            self.taken.clear();
        }
        let locks = trace.into_iter().flat_map(|trace| &trace.effects.locks);
        for lock in locks.filter(|it| it.mode.blocks_writes()) {
            let taken = self.taken.entry(lock.relation.clone()).or_insert(Taken {
                mode: lock.mode,
                writes: begin,
                reads: None,
                line,
            });
            taken.mode = taken.mode.max(lock.mode);
            if lock.mode.blocks_reads() {
                taken.reads.get_or_insert(begin);
            }
        }
        for (table, taken) in &self.taken {
            let hold = Hold {
                table: table.clone(),
                mode: taken.mode,
                writes: now - taken.writes,
                reads: taken.reads.map_or(Duration::ZERO, |since| now - since),
                size: sizes.get(table).copied(),
                line: taken.line,
            };
            let longest = self.longest.entry(table.clone());
            let longest = longest.or_insert_with(|| hold.clone());
            if hold.writes > longest.writes {
                *longest = hold;
            }
        }
    }

    /// The waits, the longest first.
    fn finish(self) -> Vec<Hold> {
        let mut holds: Vec<Hold> = self.longest.into_values().collect();
        holds.sort_by_key(|hold| std::cmp::Reverse(hold.writes));
        holds
    }
}

/// The statements with what they did, and how long others would wait.
fn observed(
    ends: &[StatementEnd],
    traces: &[Trace],
    sizes: &Sizes,
) -> (Vec<RehearsedStatement>, Vec<Hold>) {
    let mut statements: Vec<(usize, RehearsedStatement)> = Vec::new();
    let mut waits = Waits::default();
    let mut traces = traces.iter().peekable();
    let mut now = Duration::ZERO;
    for end in ends {
        let elapsed = end.elapsed.unwrap_or_default();
        let begin = now;
        now += elapsed;
        let trace = traces.next_if(|trace| trace.offset == end.span.start);
        match statements.last_mut() {
            Some((index, statement)) if *index == end.index => {
                statement.elapsed += elapsed;
                statement.times += 1;
            }
            _ => statements.push((
                end.index,
                RehearsedStatement {
                    line: end.line,
                    sql: end.sql().to_owned(),
                    elapsed,
                    times: 1,
                    works: trace.map_or_else(Vec::new, |trace| trace.effects.works.clone()),
                },
            )),
        }
        waits.add(trace, end.line, (begin, now), sizes);
    }
    let statements = statements.into_iter().map(|(_, it)| it);
    (statements.collect(), waits.finish())
}

fn bytes(sizes: &Sizes) -> i64 {
    let pages: u64 = sizes.values().map(|size| size.pages).sum();
    i64::try_from(pages.saturating_mul(8192)).unwrap_or(i64::MAX)
}

/// Counts the rows of a table.
async fn count(session: &mut Session, table: &Name) -> Result<u64, Error> {
    let name = match table.schema.is_empty() {
        true => in_quotes(&table.name),
        false => format!("{}.{}", in_quotes(&table.schema), in_quotes(&table.name)),
    };
    let rows = session
        .texts(&format!("SELECT count(*) FROM {name}"))
        .await?;
    let rows = rows.into_iter().flatten().flatten().next();
    Ok(rows.and_then(|rows| rows.parse().ok()).unwrap_or(0))
}
