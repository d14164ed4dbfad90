use std::{
    collections::BTreeSet,
    iter::Peekable,
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Blocks, RehearsedStatement,
    locks::{Locks, Taken},
    rows::Sizes,
};
use crate::{
    database::Trace,
    execute::EventKind,
    lint::{Act, Known, LockMode, Statement, Work, WorkKind},
    ops::lint::read::Text,
    plan::Step,
    revision::Subject,
    schema::Name,
};

/// The end of a statement.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// The script.
    pub subject: Subject,
    /// The index of the statement in its script.
    index: usize,
    elapsed: Duration,
    times: u64,
    has_failed: bool,
}

/// Receives the ends of statements.
#[derive(Clone)]
pub(super) struct Ends(Arc<Mutex<Heard>>);

struct Heard {
    ends: Vec<End>,
    /// The time of the last event.
    at: Instant,
}

impl Default for Ends {
    fn default() -> Self {
        let at = Instant::now();
        Self(Arc::new(Mutex::new(Heard {
            ends: Vec::new(),
            at,
        })))
    }
}

impl Ends {
    /// Notes an event.
    pub fn hear(&self, event: &EventKind) {
        let mut heard = self.heard();
        let since = std::mem::replace(&mut heard.at, Instant::now());
        let end = match event {
            EventKind::StatementDone(end) | EventKind::StatementFailed(end) => End {
                subject: end.step.subject.clone(),
                index: end.index,
                // The time of a statement that fails is not measured.
                elapsed: end.elapsed.unwrap_or_else(|| since.elapsed()),
                times: 1,
                has_failed: end.error.is_some(),
            },
            EventKind::BatchesDone { step, batch } => End {
                subject: step.subject.clone(),
                index: batch.index,
                elapsed: batch.elapsed,
                times: batch.batches,
                has_failed: false,
            },
            _ => return,
        };
        heard.ends.push(end);
    }

    /// Takes what was noted since the last call.
    pub fn take(&self) -> Vec<End> {
        std::mem::take(&mut self.heard().ends)
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the database tells of statements, in their order.
type Traces<'a> = Peekable<slice::Iter<'a, Trace>>;

/// What the statements of scripts did.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub statements: Vec<RehearsedStatement>,
    /// The tables whose rows may have changed.
    pub written: BTreeSet<Name>,
    /// The tables that were renamed, with their names before and after.
    pub renamed: Vec<(Name, Name)>,
}

impl Observed {
    /// Adds what another script did.
    pub fn add(&mut self, mut other: Self) {
        self.statements.append(&mut other.statements);
        self.written.append(&mut other.written);
        self.renamed.append(&mut other.renamed);
    }
}

/// Follows the statements of scripts.
pub(super) struct Observing {
    /// What is known of the database from schema and scripts.
    pub known: Known,
    /// The locks so far.
    pub locks: Locks,
    /// Whether all revisions are one transaction.
    pub is_one_transaction: bool,
    /// Whether tables have no rows, so that changes of rows are known from texts alone.
    pub is_empty: bool,
}

impl Observing {
    /// Adds the statements of the script with index `number`. `has_traces` is whether the database tells
    /// what they did. `sizes` are those of the tables before it.
    pub fn script(
        &mut self,
        number: usize,
        step: &Step,
        (ends, traces, has_traces): (&[&End], &mut Traces<'_>, bool),
        sizes: &Sizes,
    ) -> Observed {
        let read = Text::new(step.clone(), self.known.dialect());
        let read = read.predicted(&mut self.known).script.statements;
        let mut observed = Observed {
            renamed: renamed(&read, sizes),
            ..Observed::default()
        };
        if !self.is_one_transaction {
            self.locks.begin_transaction();
        }
        let mut last = None;
        for end in ends {
            let (Some(statement), Some(planned)) =
                (read.get(end.index), step.statements.get(end.index))
            else {
                continue;
            };
            let trace = traces.next_if(|trace| trace.offset == statement.span.start);
            observed
                .written
                .extend(trace.into_iter().flat_map(written_by).cloned());
            let statement = self.measured(statement, trace, sizes);
            if last != Some(end.index) {
                observed.statements.push(RehearsedStatement {
                    line: planned.line,
                    sql: step.written(planned).to_owned(),
                    begin: self.locks.now(),
                    elapsed: Duration::ZERO,
                    times: 0,
                    wal: trace.map(|_| 0),
                    works: statement.effects.works.clone(),
                    has_failed: end.has_failed,
                });
                last = Some(end.index);
            }
            if let Some(seen) = observed.statements.last_mut() {
                seen.elapsed += end.elapsed;
                seen.times += end.times;
                seen.wal = seen.wal.map(|it| it + trace.map_or(0, |trace| trace.wal));
            }
            let begins = trace.map_or(!statement.in_transaction, |trace| trace.begins);
            if begins && !self.is_one_transaction {
                self.locks.begin_transaction();
            }
            let place = (number, observed.statements.len() - 1);
            let taken = taken(&statement, has_traces);
            self.locks.add(place, end.elapsed, taken);
        }
        observed
    }

    /// A statement with what the database tells of it, as far as it does.
    fn measured(&self, statement: &Statement, trace: Option<&Trace>, sizes: &Sizes) -> Statement {
        let mut statement = statement.clone();
        if let Some(trace) = trace {
            let predicted = statement.effects.works.clone();
            statement.measured(trace.effects.clone(), trace.in_transaction);
            if self.is_empty {
                let is_change = |work: &Work| matches!(work.kind, WorkKind::Change { .. });
                let changes = predicted.into_iter().filter(is_change);
                statement.effects.works.extend(changes);
            }
        }
        qualify(&mut statement, sizes);
        statement
    }
}

/// The tables whose rows a statement may have changed. TRUNCATE rewrites.
pub(super) fn written_by(trace: &Trace) -> impl Iterator<Item = &Name> {
    let works = trace.effects.works.iter();
    let may_write = |kind: &WorkKind| matches!(kind, WorkKind::Change { .. } | WorkKind::Rewrite);
    works
        .filter(move |it| may_write(&it.kind))
        .map(|it| &it.relation)
}

/// The locks that a statement holds. Without locks of tables, a transaction locks the database.
fn taken(statement: &Statement, has_table_locks: bool) -> Vec<Taken> {
    if !has_table_locks {
        return vec![Taken {
            table: None,
            mode: None,
            blocks: Blocks::Writes,
        }];
    }
    let locks = statement.effects.locks.iter().map(|lock| Taken {
        table: Some(lock.relation.clone()),
        mode: Some(lock.mode),
        blocks: Blocks::by(lock.mode),
    });
    let works = statement.effects.works.iter();
    // The transaction of a batch ends with it.
    let changes =
        works.filter(|work| matches!(work.kind, WorkKind::Change { .. }) && !statement.is_batched);
    let rows = changes.map(|work| Taken {
        table: Some(work.relation.clone()),
        mode: Some(LockMode::RowExclusive),
        blocks: Blocks::Rows,
    });
    locks.chain(rows).collect()
}

/// Names tables with their schemas where that is clear.
fn qualify(statement: &mut Statement, sizes: &Sizes) {
    let whole = |name: &mut Name| {
        if sizes.contains_key(name) || !name.schema.is_empty() {
            return;
        }
        let mut same = sizes.keys().filter(|it| it.name == name.name);
        if let (Some(only), None) = (same.next(), same.next()) {
            name.clone_from(only);
        }
    };
    let effects = &mut statement.effects;
    effects
        .locks
        .iter_mut()
        .for_each(|it| whole(&mut it.relation));
    effects
        .works
        .iter_mut()
        .for_each(|it| whole(&mut it.relation));
}

/// The tables that statements rename.
fn renamed(statements: &[Statement], sizes: &Sizes) -> Vec<(Name, Name)> {
    let acts = statements.iter().flat_map(|it| &it.acts);
    let renamed = acts.filter_map(|act| {
        let (name, schema, to) = match act {
            Act::Rename { name, to, .. } => (name, None, to),
            Act::SetSchema { name, schema, .. } => (name, Some(schema), &name.name),
            _ => return None,
        };
        let mut tables = sizes.keys();
        let before = tables.find(|it| {
            it.name == name.name && (name.schema.is_empty() || it.schema == name.schema)
        })?;
        let schema = schema.unwrap_or(&before.schema).clone();
        Some((before.clone(), Name::new(schema, to.clone())))
    });
    renamed.collect()
}
