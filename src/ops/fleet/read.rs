//! The read pass: what state each target is in.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::runtime::Runtime;

use super::{
    super::{Error, Session},
    Fleet,
    place::{Place, Places},
    queue::Queue,
    states::States,
};
use crate::{
    database::{DatabaseError, Detail, Glance, PlaceKind, engine},
    execute::Stop,
};

/// What the read pass has found of a target.
pub(super) enum Seen<T> {
    /// The target does not exist.
    Missing(DatabaseError),
    /// The judgement of its state.
    State(Arc<T>),
    /// A session has to tell.
    Doubtful,
    /// The target cannot be read.
    Failed(Error),
}

/// Receives what is found, target by target, from several threads.
pub(super) type Each<'a, T> = &'a (dyn Fn(usize, Seen<T>) + Sync);

/// The read pass over some targets.
pub(super) struct Pass<'a, T> {
    pub fleet: &'a Fleet,
    pub places: &'a Places<'a>,
    pub states: &'a States<'a, T>,
    pub stop: &'a Stop,
}

/// Targets whose schemas are in one database.
struct Chunk {
    place: Place,
    targets: Vec<usize>,
    schemas: Vec<String>,
}

/// How many schemas one connection looks at. The first are few, since it has to be opened; the last are some
/// queries of about two hundred.
const SCHEMAS: RangeInclusive<usize> = 50..=400;

impl<T: Send + Sync> Pass<'_, T> {
    /// Looks at targets without sessions. Those that need one are [`Seen::Doubtful`].
    ///
    /// # Errors
    /// Fails when no thread can be started.
    pub fn glance(&self, selected: &[usize], each: Each<'_, T>) -> Result<(), Error> {
        let size = selected.len().div_ceil(self.fleet.config.jobs_per_server);
        let size = size.clamp(*SCHEMAS.start(), *SCHEMAS.end());
        let (mut files, mut chunks) = (Vec::new(), HashMap::<String, Chunk>::new());
        let mut whole = Vec::new();
        for index in selected.iter().copied() {
            let target = &self.fleet.targets[index];
            let place = match self.places.of(target) {
                Ok(place) => place,
                Err(kind) => {
                    each(index, Seen::Failed(Fleet::lost_place(target, kind)));
                    continue;
                }
            };
            if place.location.file().is_some() {
                files.push(index);
                continue;
            }
            let Some(schema) = place.schema.clone() else {
                each(index, Seen::Doubtful);
                continue;
            };
            let chunk = chunks.entry(place.location.url()).or_insert_with(|| Chunk {
                place,
                targets: Vec::new(),
                schemas: Vec::new(),
            });
            chunk.targets.push(index);
            chunk.schemas.push(schema);
            if chunk.targets.len() >= size {
                let place = chunk.place.clone();
                let full = std::mem::replace(
                    chunk,
                    Chunk {
                        place,
                        targets: Vec::new(),
                        schemas: Vec::new(),
                    },
                );
                whole.push(full);
            }
        }
        self.files(&files, each);
        whole.extend(
            chunks
                .into_values()
                .filter(|chunk| !chunk.targets.is_empty()),
        );
        self.chunks(&whole, each)
    }

    fn files(&self, files: &[usize], each: Each<'_, T>) {
        let next = AtomicUsize::new(0);
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads = self.fleet.config.jobs.min(processors).min(files.len());
        let work = || {
            while let Some(index) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.stop.is_requested() {
                    return;
                }
                each(*index, self.file(*index));
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
    }

    fn file(&self, index: usize) -> Seen<T> {
        let target = &self.fleet.targets[index];
        match self.places.of(target) {
            Ok(place) => {
                let knows = |digest: &_| self.states.knows(digest);
                let glance = engine::glance(&place.location, &place.settings, &knows);
                self.seen(glance, || DatabaseError::Missing {
                    kind: PlaceKind::File,
                    place: target.name.to_string(),
                })
            }
            Err(kind) => Seen::Failed(Fleet::lost_place(target, kind)),
        }
    }

    fn seen(&self, glance: Glance, missing: impl FnOnce() -> DatabaseError) -> Seen<T> {
        match glance {
            Glance::Missing => Seen::Missing(missing()),
            Glance::Doubtful => Seen::Doubtful,
            Glance::State { digest, observed } => {
                let judged = self.states.of_digest(digest, observed.as_ref());
                judged.map_or(Seen::Doubtful, Seen::State)
            }
        }
    }

    /// Looks at schemas, over a few connections to each server.
    fn chunks(&self, chunks: &[Chunk], each: Each<'_, T>) -> Result<(), Error> {
        let config = &self.fleet.config;
        let queue = Queue::new(config.jobs_per_server, config.server_wait);
        for (index, chunk) in chunks.iter().enumerate() {
            queue.add(index, chunk.place.location.server());
        }
        let may_start = || !self.stop.is_requested();
        super::workers(config.jobs.min(chunks.len()), |runtime| {
            while let Some(item) = queue.next(&may_start) {
                let chunk = &chunks[item.index];
                match self.chunk(chunk, runtime) {
                    Ok(seen) => {
                        queue.finish(item);
                        for (index, seen) in chunk.targets.iter().zip(seen) {
                            each(*index, seen);
                        }
                    }
                    Err(error) if is_refusal(&error) && queue.refuse(item) => {}
                    Err(error) => {
                        if !is_refusal(&error) {
                            queue.finish(item);
                        }
                        for index in &chunk.targets {
                            each(*index, Seen::Failed(error.clone().into()));
                        }
                    }
                }
            }
        })
    }

    fn chunk(&self, chunk: &Chunk, runtime: &Runtime) -> Result<Vec<Seen<T>>, DatabaseError> {
        let knows = |digest: &_| self.states.knows(digest);
        let schemas: Vec<&str> = chunk.schemas.iter().map(String::as_str).collect();
        let (location, settings) = (&chunk.place.location, &self.fleet.settings);
        let looked = engine::glance_at_schemas(location, settings, &schemas, &knows);
        let glances = runtime.block_on(looked)?;
        // A digest that several schemas have comes with rows once.
        let mut seen: Vec<Option<Seen<T>>> = Vec::new();
        seen.resize_with(glances.len(), || None);
        for has_rows in [true, false] {
            for (index, glance) in glances.iter().enumerate() {
                let comes_with_rows = matches!(
                    glance,
                    Glance::State {
                        observed: Some(_),
                        ..
                    }
                );
                if comes_with_rows == has_rows {
                    let schema = &chunk.schemas[index];
                    let missing = || DatabaseError::MissingSchema {
                        schema: schema.clone(),
                        table: settings.version_table.clone(),
                    };
                    seen[index] = Some(self.seen(glance.clone(), missing));
                }
            }
        }
        Ok(seen
            .into_iter()
            .map(|it| it.unwrap_or(Seen::Doubtful))
            .collect())
    }

    /// Reads targets over sessions.
    ///
    /// # Errors
    /// Fails when no thread can be started.
    pub fn ask(&self, selected: &[usize], each: Each<'_, T>) -> Result<(), Error> {
        let config = &self.fleet.config;
        let queue = Queue::new(config.jobs_per_server, config.server_wait);
        for index in selected.iter().copied() {
            let place = self.places.of(&self.fleet.targets[index]);
            queue.add(index, place.ok().and_then(|place| place.location.server()));
        }
        let may_start = || !self.stop.is_requested();
        super::workers(config.jobs.min(selected.len()), |runtime| {
            while let Some(item) = queue.next(&may_start) {
                let seen = runtime.block_on(self.session(item.index));
                match seen {
                    Seen::Failed(Error::Database(error)) if is_refusal(&error) => {
                        if !queue.refuse(item) {
                            each(item.index, Seen::Failed(error.into()));
                        }
                    }
                    seen => {
                        queue.finish(item);
                        each(item.index, seen);
                    }
                }
            }
        })
    }

    async fn session(&self, index: usize) -> Seen<T> {
        let target = &self.fleet.targets[index];
        let place = match self.places.of(target) {
            Ok(place) => place,
            Err(kind) => return Seen::Failed(Fleet::lost_place(target, kind)),
        };
        let mut session = Session::new(place.location, place.settings);
        let observed = session.observe(Detail::Brief).await;
        // What was read is complete.
        let _ = session.close().await;
        match observed {
            Ok(observed) => Seen::State(self.states.of(&observed)),
            Err(error) if is_missing(&error) => Seen::Missing(missing(error, &target.name)),
            Err(error) => Seen::Failed(error.into()),
        }
    }
}

/// The error of a target that does not exist, with its name.
pub(super) fn missing(error: DatabaseError, name: &str) -> DatabaseError {
    match error {
        DatabaseError::Missing { kind, .. } => DatabaseError::Missing {
            kind,
            place: name.to_owned(),
        },
        error => error,
    }
}

/// Whether the target does not exist.
pub(super) fn is_missing(error: &DatabaseError) -> bool {
    matches!(
        error,
        DatabaseError::Missing { .. } | DatabaseError::MissingSchema { .. }
    )
}

/// Whether the server has refused the connection, which it may accept later.
pub(super) fn is_refusal(error: &DatabaseError) -> bool {
    let DatabaseError::Unreachable { kind, .. } = error else {
        return false;
    };
    *kind == PlaceKind::Server
}
