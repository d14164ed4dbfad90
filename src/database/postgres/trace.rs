//! Observes what statements do: their locks, the files of relations that they replace, the indexes that
//! they build and the tables that they scan.
//!
//! Inside a transaction, a relation that is rewritten, built, scanned or changed is locked until its end, so
//! the locks of the session name all relations that have to be looked at.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::{DatabaseError, Progress, StepRequest, StepStage, Trace, Tracing},
    Postgres,
    mark::Marks,
    message::{Failed, Message, unpinned_rows},
    record::Began,
    step::{Stepper, Stop, Transaction, copy},
    version_table::Trouble,
};
use crate::{
    lint::{Effects, Level, Lock, LockMode, Work, WorkKind},
    schema::{Kind, Name, ObjectId},
    sql::StatementKind,
};

/// The relations of users. Counters of scans and changed rows are those that the session has not told the
/// statistics yet.
const RELATIONS: &str = "SELECT c.oid::pg_catalog.int8, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, \
    c.relkind::pg_catalog.text, pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8, \
    i.indrelid::pg_catalog.int8, pg_catalog.pg_stat_get_xact_numscans(c.oid), \
    pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) OPERATOR(pg_catalog.+) \
    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) OPERATOR(pg_catalog.+) \
    pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)";

/// Joined to a relation `c`.
const PLACES: &str = "JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace \
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid OPERATOR(pg_catalog.=) c.oid \
    WHERE n.nspname OPERATOR(pg_catalog.!~) '^pg_' \
    AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema' \
    AND c.relkind OPERATOR(pg_catalog.<>) 't'";

/// The bytes of write-ahead log that the server has written.
const WAL: &str = "pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), \
    '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8";

/// A relation at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Relation {
    name: Name,
    kind: u8,
    file: Option<i64>,
    /// The table of an index.
    table: Option<i64>,
    scans: i64,
    changes: i64,
}

/// The locks of the session on a relation, and the relation if it exists.
type Locked = (Vec<LockMode>, Option<Relation>);

/// Remembers relations between statements.
#[derive(Default)]
pub(super) struct Tracer(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// The names of the relations that are told of, by OID. No index is among them.
    old: HashMap<i64, Name>,
    /// All relations after the last statement.
    now: HashMap<i64, Relation>,
    /// All files that relations had so far.
    files: HashSet<i64>,
    /// Whether no statement of the transaction was observed yet.
    is_new: bool,
    /// The strongest lock on each relation after the last statement of the transaction.
    locks: HashMap<i64, LockMode>,
    /// The write-ahead log after the last statement.
    wal: i64,
    traces: Vec<Trace>,
}

impl Tracer {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of the relations that exist now.
    fn start(&self) {
        let mut seen = self.seen();
        let now = seen.now.iter();
        // Whoever uses an index waits for the lock of its table.
        let tables = now.filter(|(_, it)| it.table.is_none());
        seen.old = tables.map(|(oid, it)| (*oid, it.name.clone())).collect();
    }

    /// Notes the relations before a statement that runs outside a transaction.
    pub(super) async fn before(&self, connection: &mut PgConnection) -> Result<(), Stop> {
        let looked = self.look(connection).await;
        looked.map_err(at(StepStage::Begin))
    }

    /// Reads all relations. No statement of the transaction has run yet.
    async fn look(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let sql = format!("{RELATIONS} FROM pg_catalog.pg_class c {PLACES}");
        let found = unpinned_rows(connection, &sql).await?;
        let mut now = HashMap::with_capacity(found.len());
        for row in &found {
            now.insert(row.try_get(0)?, relation(row, 1)?);
        }
        let wal = unpinned_rows(connection, &format!("SELECT {WAL}")).await?;
        let wal = wal.first().map_or(Ok(0), |row| row.try_get(0))?;
        let mut seen = self.seen();
        seen.wal = wal;
        seen.files.extend(now.values().filter_map(|it| it.file));
        seen.now = now;
        seen.locks.clear();
        seen.is_new = true;
        Ok(())
    }

    /// Looks at what the statement at `offset` has locked.
    async fn trace(&self, connection: &mut PgConnection, offset: usize) -> Result<(), sqlx::Error> {
        // A relation that was dropped is still locked.
        let sql = format!(
            "SELECT l.relation::pg_catalog.int8, l.mode, r.*, {WAL} FROM pg_catalog.pg_locks l LEFT JOIN \
             ({RELATIONS} FROM pg_catalog.pg_class c {PLACES}) r (oid, a, b, c, d, e, f, g) \
             ON r.oid OPERATOR(pg_catalog.=) l.relation::pg_catalog.int8 \
             WHERE l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() \
             AND l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted"
        );
        let found = unpinned_rows(connection, &sql).await?;
        let mut locked: BTreeMap<i64, Locked> = BTreeMap::new();
        let wal = found.first().map(|row| row.try_get(10)).transpose()?;
        for row in &found {
            let relation = match row.try_get::<Option<i64>, _>(2)? {
                Some(_) => Some(relation(row, 3)?),
                None => None,
            };
            let mode = row.try_get::<&str, _>(1)?;
            let entry = locked.entry(row.try_get(0)?).or_default();
            entry.0.extend(LockMode::parse(mode));
            entry.1 = relation;
        }
        let mut seen = self.seen();
        let wal = wal.unwrap_or(seen.wal);
        seen.note(offset, true, &locked, wal);
        Ok(())
    }

    /// Compares all relations with those before a statement outside a transaction, whose locks are gone.
    pub(super) async fn compare(
        &self,
        connection: &mut PgConnection,
        offset: usize,
    ) -> Result<(), Stop> {
        let (before, files, wal) = {
            let mut seen = self.seen();
            (std::mem::take(&mut seen.now), seen.files.clone(), seen.wal)
        };
        let looked = self.look(connection).await;
        looked.map_err(at(StepStage::Statement(0)))?;
        let mut seen = self.seen();
        seen.files = files;
        let mut locked: BTreeMap<i64, Locked> = BTreeMap::new();
        for (oid, relation) in &seen.now {
            locked.insert(*oid, (Vec::new(), Some(relation.clone())));
        }
        for oid in before.keys() {
            locked.entry(*oid).or_default();
        }
        seen.now = before;
        let now = std::mem::replace(&mut seen.wal, wal);
        seen.note(offset, false, &locked, now);
        Ok(())
    }
}

impl Seen {
    /// Records what a statement did, as seen from the relations that it could have touched.
    fn note(
        &mut self,
        offset: usize,
        in_transaction: bool,
        locked: &BTreeMap<i64, Locked>,
        wal: i64,
    ) {
        let mut effects = Effects {
            level: Level::Measured,
            ..Effects::default()
        };
        for (oid, (modes, relation)) in locked {
            self.lock(*oid, modes, &mut effects);
            match relation {
                Some(relation) => self.work(*oid, relation, &mut effects),
                None => {
                    if let Some(gone) = self.now.remove(oid) {
                        effects.dropped.extend(self.id(&gone));
                    }
                }
            }
        }
        drop_what_is_implied(&mut effects);
        let before = std::mem::replace(&mut self.wal, wal);
        self.traces.push(Trace {
            wal: u64::try_from(wal - before).unwrap_or(0),
            offset,
            begins: std::mem::take(&mut self.is_new),
            in_transaction,
            effects,
        });
    }

    fn lock(&mut self, oid: i64, modes: &[LockMode], effects: &mut Effects) {
        let Some(mode) = modes.iter().max().copied() else {
            return;
        };
        let before = self.locks.insert(oid, mode);
        if let Some(name) = self.old.get(&oid)
            && mode >= LockMode::ShareUpdateExclusive
        {
            effects.locks.push(Lock {
                relation: name.clone(),
                mode,
                is_held: before.is_some_and(|before| before >= mode),
            });
        }
    }

    fn work(&mut self, oid: i64, relation: &Relation, effects: &mut Effects) {
        let before = self.now.insert(oid, relation.clone());
        if before.is_none() {
            effects.created.extend(self.id(relation));
        }
        let owner = relation.table.unwrap_or(oid);
        let Some(name) = self.old.get(&owner).cloned() else {
            return;
        };
        let mut work = |kind| {
            let relation = name.clone();
            effects.works.push(Work { relation, kind });
        };
        // A change of a type may give an index another OID and keep its file.
        let is_new_file = relation.file.is_some_and(|file| self.files.insert(file));
        match relation.kind {
            b'i' if is_new_file => work(WorkKind::Build {
                index: relation.name.clone(),
            }),
            b'r' | b'm' if is_new_file => work(WorkKind::Rewrite),
            _ => {}
        }
        if relation.table.is_none() {
            // TRUNCATE starts the counters again.
            let since = |now: i64, then: Option<i64>| now.saturating_sub(then.unwrap_or(0));
            if since(relation.scans, before.as_ref().map(|it| it.scans)) > 0 {
                work(WorkKind::Scan);
            }
            let changed = since(relation.changes, before.as_ref().map(|it| it.changes));
            if changed > 0 {
                // Their number says nothing about that in a database in use.
                work(WorkKind::Change { rows: None });
            }
        }
    }

    /// The identity of a relation; `None` for those that are parts of others.
    fn id(&self, relation: &Relation) -> Option<ObjectId> {
        let Name { schema, name } = relation.name.clone();
        let kind = match relation.kind {
            b'r' | b'p' | b'f' => Kind::Table,
            b'v' => Kind::View,
            b'm' => Kind::MaterializedView,
            b'S' => Kind::Sequence,
            b'i' | b'I' => {
                let table = relation.table?;
                let table = self.now.get(&table).map(|it| &it.name);
                let table = table.or_else(|| self.old.get(&relation.table?))?;
                return Some(ObjectId::part(Kind::Index, table, name));
            }
            _ => return None,
        };
        Some(ObjectId::new(kind, schema, name))
    }
}

/// Leaves out the scans by which a table is rewritten or its indexes are built, and the builds that belong
/// to a rewrite.
fn drop_what_is_implied(effects: &mut Effects) {
    let works = effects.works.clone();
    let has = |name: &Name, test: fn(&WorkKind) -> bool| {
        works
            .iter()
            .any(|it| it.relation == *name && test(&it.kind))
    };
    effects.works.retain(|work| match work.kind {
        WorkKind::Scan => !has(&work.relation, |it| {
            matches!(it, WorkKind::Rewrite | WorkKind::Build { .. })
        }),
        WorkKind::Build { .. } => !has(&work.relation, |it| matches!(it, WorkKind::Rewrite)),
        _ => true,
    });
}

fn relation(row: &PgRow, at: usize) -> Result<Relation, sqlx::Error> {
    let kind: &str = row.try_get(at + 2)?;
    Ok(Relation {
        name: Name::new(row.try_get::<&str, _>(at)?, row.try_get::<&str, _>(at + 1)?),
        kind: kind.bytes().next().unwrap_or_default(),
        file: row.try_get(at + 3)?,
        table: row.try_get(at + 4)?,
        scans: row.try_get(at + 5)?,
        changes: row.try_get(at + 6)?,
    })
}

impl Stepper<'_> {
    /// Runs the step statement by statement, each with a look at what it did.
    pub(super) async fn run_traced(
        &self,
        connection: &mut PgConnection,
        step: &StepRequest<'_>,
        progress: Progress<'_>,
        tracer: &Tracer,
    ) -> Result<(), Stop> {
        let began = Instant::now();
        let (head, leading) = self.head(step, &Marks::of(step, false));
        self.send(connection, &head, &mut *progress, false).await?;
        tracer.before(connection).await?;
        for (index, statement) in step.statements.iter().enumerate().skip(leading) {
            let stage = StepStage::Statement(index);
            if statement.kind == StatementKind::CopyIn {
                self.go_on(stage)?;
                let copied = copy(connection, step.text, index, statement, self.running).await;
                progress(copied?);
            } else {
                let mut message = Message::default();
                self.push(&mut message, step, index);
                self.send(connection, &message, &mut *progress, false)
                    .await?;
            }
            let traced = tracer.trace(connection, statement.span.start).await;
            traced.map_err(at(stage))?;
        }
        let began = match self.transaction {
            Transaction::Own => Began::Transaction,
            Transaction::Run { .. } => Began::Before(began.elapsed()),
        };
        let last = self.tail(step, began);
        self.send(connection, &last, progress, self.commits()).await
    }
}

fn at(stage: StepStage) -> impl Fn(sqlx::Error) -> Stop {
    move |error| Stop::Failed {
        failed: Failed {
            stage,
            offset: None,
            error,
        },
        committing: false,
    }
}

#[async_trait]
impl Tracing for Postgres {
    async fn begin(&mut self) -> Result<(), DatabaseError> {
        self.ensure().await?;
        let tracer = Tracer::default();
        let Some(connection) = &mut self.connection else {
            return Err(DatabaseError::ConnectionLost("it was lost earlier".into()));
        };
        let looked = tracer.look(connection).await;
        self.answer(looked.map_err(Trouble::from)).await?;
        tracer.start();
        self.tracer = Some(tracer);
        Ok(())
    }

    fn major(&self) -> Option<u32> {
        let version = self.connection.as_ref()?.server_version_num()?;
        Some(version / 10_000)
    }

    fn take(&mut self) -> Vec<Trace> {
        let tracer = self.tracer.as_ref();
        tracer.map_or_else(Vec::new, |tracer| std::mem::take(&mut tracer.seen().traces))
    }
}
