//! Parts of the revisions, which are verified side by side.
//!
//! Each has a scratch database of its own, in which the revisions before it are applied without looking at
//! them. Where rows are made, the parts depend on the revisions alone, so that the rows, and with them the
//! findings, are the same whatever the number of processors.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

use tokio::sync::OnceCell;

use super::{
    VerifiedRevision, VerifyArgs, lab::Lab, mend::wipe, run::Verification, seeding::Seeding,
};
use crate::{
    database::DatabaseError,
    execute::PartialFailure,
    ops::{
        Coverage, Error, Project, schema::Sandboxes, session::until_stopped,
        threads::run_on_threads,
    },
    revision::{Revision, RevisionId},
    schema::{Schema, Scope},
};

/// The fewest revisions of a part, unless there are fewer in all. A part costs a database and a run of
/// all revisions before it.
const FEWEST: usize = 8;

/// The number of revisions from which on there are more than two parts.
const MANY: usize = 128;

/// The most parts.
pub(super) const MOST: usize = 4;

/// Revisions one after another.
pub(super) struct Part<'a> {
    /// The revisions before.
    pub before: &'a [&'a Revision],
    /// Those from the first one that is verified on.
    pub revisions: &'a [&'a Revision],
    pub is_last: bool,
    /// Whether no revision is after these.
    pub is_end_of_history: bool,
}

/// Divides the revisions of `order` up to the last one of `wanted` into at most `most` parts.
pub(super) fn divide<'a>(
    order: &'a [&'a Revision],
    wanted: &HashSet<RevisionId>,
    most: usize,
) -> Vec<Part<'a>> {
    let places = order.iter().enumerate();
    let places = places.filter(|(_, revision)| wanted.contains(&revision.id));
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    let end = places.last().map_or(0, |last| last + 1);
    let count = match places.len() {
        count if count >= MANY => MOST,
        count if count >= 2 * FEWEST => 2,
        _ => 1,
    };
    let count = count.min(most);
    let start = |part: usize| {
        let place = places.get(part * places.len() / count);
        place.copied().unwrap_or(end)
    };
    let parts = (0..count).map(|part| {
        let (start, end) = (start(part), start(part + 1));
        Part {
            before: &order[..start],
            revisions: &order[start..end],
            is_last: part + 1 == count,
            is_end_of_history: end == order.len(),
        }
    });
    parts.collect()
}

/// What was found in a part.
#[derive(Default)]
pub(super) struct Found {
    pub revisions: Vec<VerifiedRevision>,
    pub repeatable: Option<Box<PartialFailure>>,
    pub coverage: Coverage,
    pub unused_seeds: Vec<(String, String)>,
    pub interrupted: bool,
}

/// What all parts have in common.
pub(super) struct Bench<'a> {
    pub project: &'a Project,
    pub args: &'a VerifyArgs,
    pub wanted: &'a HashSet<RevisionId>,
    pub sandboxes: Sandboxes,
    /// How many revisions have been verified.
    done: AtomicI64,
    /// The schema of an empty database, where such databases are worth wiping.
    empty: OnceLock<Arc<Schema>>,
    /// The schema at the last revision, and whether it is being read.
    later: OnceCell<Option<Arc<Schema>>>,
    is_reading: AtomicBool,
}

impl<'a> Bench<'a> {
    pub fn new(
        project: &'a Project,
        args: &'a VerifyArgs,
        wanted: &'a HashSet<RevisionId>,
        sandboxes: Sandboxes,
    ) -> Self {
        Self {
            project,
            args,
            wanted,
            sandboxes,
            done: AtomicI64::new(0),
            empty: OnceLock::new(),
            later: OnceCell::new(),
            is_reading: AtomicBool::new(false),
        }
    }

    fn scope(&self) -> &Scope {
        &self.args.schema.scope
    }

    /// Creates an empty scratch database.
    pub async fn lab(&self, with_rows: bool) -> Result<Lab, Error> {
        let mut lab = Lab::create(&self.sandboxes, self.project, self.scope(), with_rows).await?;
        if lab.is_worth_wiping() && self.empty.get().is_none() {
            match lab.schema().await {
                // Another thread may have read the same.
                Ok(schema) => drop(self.empty.set(schema)),
                Err(error) => {
                    lab.leave().await?;
                    return Err(error);
                }
            }
        }
        Ok(lab)
    }

    /// Makes a database empty. Returns whether this succeeded; the database is of no use otherwise.
    pub async fn wipe(&self, lab: &mut Lab) -> Result<bool, Error> {
        match self.empty.get() {
            Some(empty) if lab.is_worth_wiping() => wipe(lab, empty).await,
            _ => Ok(false),
        }
    }

    /// Tells how many revisions have been verified.
    pub fn tell(&self) {
        if let Some(progress) = &self.args.schema.progress {
            let done = self.done.load(Ordering::Relaxed);
            let done = u64::try_from(done).unwrap_or(0);
            progress("verifying", done, self.wanted.len() as u64);
        }
    }

    /// Counts revisions that have been verified.
    pub fn count(&self, revisions: i64) {
        self.done.fetch_add(revisions, Ordering::Relaxed);
    }

    /// The schema at the last revision, if the scripts lead there. The database in which they ran is left in
    /// `spare` if it could be made empty.
    async fn later(&self, spare: &mut Option<Lab>) -> Option<Arc<Schema>> {
        self.is_reading.store(true, Ordering::Relaxed);
        let read = async {
            let mut lab = self.lab(true).await.ok()?;
            let work = async {
                let schema = lab.schema_at_heads().await?;
                Ok((schema, self.wipe(&mut lab).await.unwrap_or(false)))
            };
            let read = until_stopped(&self.sandboxes.stop, work).await;
            match &read {
                Ok((_, true)) => *spare = Some(lab),
                _ => lab.leave().await.ok()?,
            }
            read.ok().map(|(schema, _)| schema)
        };
        self.later.get_or_init(|| read).await.clone()
    }

    /// Verifies the revisions of a part. If a script has changed the version table, all of it is repeated
    /// to find out which.
    async fn verify(&self, part: &Part<'_>) -> Result<Found, Error> {
        match Box::pin(self.attempt(part, false)).await {
            Err(Error::Database(DatabaseError::StateChanged { .. })) => {
                Box::pin(self.attempt(part, true)).await
            }
            found => found,
        }
    }

    async fn attempt(&self, part: &Part<'_>, is_watchful: bool) -> Result<Found, Error> {
        let stop = &self.sandboxes.stop;
        if stop.is_requested() {
            return Ok(Found {
                interrupted: true,
                ..Found::default()
            });
        }
        let seeding = Seeding::new(self.args, self.sandboxes.like.dialect())?;
        let with_rows = self.args.rows && !part.revisions.is_empty();
        // One thread reads it while the others lead their databases to their parts.
        let mut spare = None;
        if with_rows && !self.is_reading.swap(true, Ordering::Relaxed) {
            self.later(&mut spare).await;
        }
        let lab = match spare {
            Some(lab) => lab,
            None => self.lab(self.args.rows).await?,
        };
        let mut verification = Verification::new(lab, seeding, is_watchful);
        let work = async {
            verification.lead(self, part.before).await?;
            if with_rows {
                let mut spare = None;
                verification.seeding.later = self.later(&mut spare).await;
                if let Some(spare) = spare {
                    spare.leave().await?;
                }
            }
            verification.run(self, part).await
        };
        let ended = until_stopped(stop, work).await;
        let mut left = Ok(());
        for lab in verification.labs() {
            left = left.and(lab.leave().await);
        }
        let interrupted = matches!(ended, Err(Error::Interrupted));
        let repeatable = match ended {
            Ok(failed) => {
                left?;
                failed
            }
            Err(Error::Interrupted) => None,
            Err(error) => {
                self.count(-(verification.done.len() as i64));
                return Err(error);
            }
        };
        let (coverage, unused_seeds) = verification.seeding.end(verification.state.as_ref());
        Ok(Found {
            revisions: verification.done,
            repeatable,
            coverage,
            unused_seeds,
            interrupted,
        })
    }

    /// Verifies the revisions of all parts, of as many as `jobs` at once. Those that could not be verified
    /// beside others, perhaps since the server has no room for so many, are verified again alone.
    ///
    /// # Errors
    /// Fails when a part cannot be verified alone.
    pub async fn verify_all(&self, parts: &[Part<'_>], jobs: usize) -> Result<Vec<Found>, Error> {
        let jobs = jobs.min(parts.len());
        let mut found: Vec<Option<Found>> = match jobs > 1 {
            true => self.beside_each_other(parts, jobs)?,
            false => parts.iter().map(|_| None).collect(),
        };
        for (part, found) in parts.iter().zip(&mut found) {
            if found.is_none() {
                *found = Some(self.verify(part).await?);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn beside_each_other(
        &self,
        parts: &[Part<'_>],
        jobs: usize,
    ) -> Result<Vec<Option<Found>>, Error> {
        let found: Vec<Mutex<Option<Found>>> = parts.iter().map(|_| Mutex::default()).collect();
        let left = AtomicUsize::new(parts.len());
        let next = || {
            let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
            before.map(|left| left - 1)
        };
        run_on_threads("verify", jobs, |runtime| {
            // The last ones have the largest schemas, and take the longest time.
            while let Ok(at) = next() {
                let done = runtime.block_on(Box::pin(self.verify(&parts[at])));
                let mut found = found[at].lock().unwrap_or_else(PoisonError::into_inner);
                *found = done.ok();
            }
        })?;
        let found = found.into_iter();
        Ok(found
            .map(|it| it.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect())
    }
}
