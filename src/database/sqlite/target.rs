//! Loads copies into a file beside a database, and replaces the database with them.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use chrono::Utc;
use rusqlite::backup::Backup;

use super::{
    super::{
        Access, CopyError, Database, DatabaseError, Draft, Location, Settings, Use,
        backup::{Archive, Contents, Kept, Observer, Phase, Purpose, ReplaceOptions, TargetState},
        draft,
        stream::{self, Broken},
    },
    Sqlite,
    backup::{check, contents, copy_whole, digest_of, run_steps},
    blocking,
    cancel::Control,
    connect::{Connection, Source as Place},
    handle::Failure,
    lock::real_path,
    permissions::Permissions,
    unchanged::{data_version, journal_mode, leaves_wal, lock_destination, lock_unchanged},
};
use crate::files::Compression;

/// The maximum number of times that the database is read again because others wrote to it just
/// before it is replaced.
const ATTEMPTS: usize = 5;

/// See [`crate::database::engine::target`].
pub struct Target {
    place: Place,
    file: PathBuf,
    /// The directory of temporary files.
    directory: PathBuf,
    settings: Settings,
    /// The connection that holds the lock; `None` if nothing is to be replaced.
    database: Option<Sqlite>,
    /// The loaded copy.
    loaded: Option<Draft>,
    /// The permissions of the copied database, for a file that is missing.
    permissions: Option<Permissions>,
    look: Option<Look>,
}

/// A snapshot of the database.
struct Look {
    state: TargetState,
    /// A connection that stays open to detect later writes; `None` if there was no file.
    live: Option<Connection>,
    /// The [`data_version`] seen by `live`.
    version: i64,
    /// A copy of the database at that time.
    old: Option<Draft>,
    /// The hash of that copy.
    mark: Option<String>,
    /// A connection that has prevented writes since then.
    still: Option<Connection>,
}

/// Whether others may write after the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writers {
    GoOn,
    Wait,
}

impl Target {
    /// Prepares to load copies.
    ///
    /// # Errors
    /// Fails when there is no place for files, or the database cannot be opened.
    pub async fn open(
        file: &Path,
        settings: &Settings,
        directory: &Path,
        purpose: Purpose,
    ) -> Result<Self, CopyError> {
        let place = Place::new(file)?;
        let Place::File(file) = &place else {
            return Err(DatabaseError::InMemory.into());
        };
        let file = file.clone();
        let (directory, database) = match purpose {
            Purpose::Verify => (writable(directory), None),
            Purpose::Restore { .. } => {
                let database = Sqlite::connect(&file, Access::Create, settings.clone()).await?;
                let directory = file.parent().unwrap_or(Path::new("/")).to_owned();
                (directory, Some(database))
            }
        };
        draft::sweep(&directory);
        Ok(Self {
            place,
            file,
            directory,
            settings: settings.clone(),
            database,
            loaded: None,
            permissions: None,
            look: None,
        })
    }

    fn draft(&self) -> Result<Draft, CopyError> {
        let made = Draft::create(&self.directory, Use::Scratch);
        made.map_err(|error| stream::file_error(&self.directory, &error))
    }

    fn control(&self, watch: &Observer) -> Arc<Control> {
        Control::watching(self.settings.connect_timeout, Arc::clone(&watch.stopped))
    }

    /// Takes a snapshot of the database.
    async fn look(&self, writers: Writers, watch: &Observer) -> Result<Look, CopyError> {
        let control = self.control(watch);
        if !self.place.exists(Access::Create)? {
            return Ok(Look {
                state: TargetState::Missing,
                live: None,
                version: 0,
                old: None,
                mark: None,
                still: None,
            });
        }
        let mut live = Connection::open(&self.place, false, &control).await?;
        if is_empty(&mut live)? {
            let version = data_version(&mut live)?;
            return Ok(Look {
                state: TargetState::Empty,
                live: Some(live),
                version,
                old: None,
                mark: None,
                still: None,
            });
        }
        let old = self.draft()?;
        // Nobody writes during the copy, so the version is that of the copy.
        let mut still = Connection::open(&self.place, false, &control).await?;
        still.begin("")?;
        let copied = copy_whole(&mut live, old.path(), &control, watch, Phase::Keeping).await;
        let version = data_version(&mut live);
        let still = if writers == Writers::GoOn || copied.is_err() {
            still.close().await?;
            None
        } else {
            Some(still)
        };
        copied?;
        let mark = blocking(|| digest_of(old.path(), watch))?;
        Ok(Look {
            state: TargetState::Changed,
            version: version?,
            live: Some(live),
            old: Some(old),
            mark: Some(mark),
            still,
        })
    }

    /// Locks the database and writes the copy over it. Returns `None` if others have written since
    /// the snapshot, or if it must be taken again.
    async fn try_replace(
        &self,
        loaded: &Path,
        look: &mut Look,
        keep_old: bool,
        watch: &Observer,
    ) -> Result<Option<Kept>, CopyError> {
        let control = self.control(watch);
        if look.live.is_none() {
            self.create()?;
            let mut made = Connection::open(&self.place, false, &control).await?;
            if !is_empty(&mut made)? {
                return Ok(None);
            }
            look.version = data_version(&mut made)?;
            look.live = Some(made);
        }
        let Some(live) = &mut look.live else {
            return Ok(None);
        };
        let mut side = Connection::open_copy(loaded, &control).await?;
        if leaves_wal(live, &mut side, &self.file)? {
            // This was a change by migrator, so the database must be read again.
            side.close().await?;
            return Ok(None);
        }
        // With a WAL, `live` can read while another connection has locked the database.
        let mut other = if journal_mode(live, "")? == "wal" {
            Some(Connection::open(&self.place, false, &control).await?)
        } else {
            None
        };
        let version = look.version;
        let still = look.still.take();
        let old = if keep_old { look.old.take() } else { None };
        let replaced = blocking(|| {
            let explain = |failure| self.explain(failure, &control);
            // The version detects others who write at this moment.
            drop(still.map(let_go));
            let Some(other) = &mut other else {
                if !lock_unchanged(live, version)? {
                    return Ok(None);
                }
                let copy = side.handle.copy_over(&mut live.handle).map_err(explain)?;
                lock_destination(&copy, &control, watch, explain)?;
                return self.write(&copy, old, &control, watch).map(Some);
            };
            let copy = side.handle.copy_over(&mut other.handle).map_err(explain)?;
            lock_destination(&copy, &control, watch, explain)?;
            if data_version(live)? != version {
                return Ok(None);
            }
            self.write(&copy, old, &control, watch).map(Some)
        });
        // These connections only read, or have committed.
        for connection in [Some(side), other].into_iter().flatten() {
            let _ = connection.close().await;
        }
        if matches!(replaced, Ok(Some(_))) {
            // A WAL that contains the whole database should not be kept. Readers may still hold it.
            let _ = live.query("PRAGMA main.wal_checkpoint(TRUNCATE)", &[]);
        }
        replaced
    }

    fn explain(&self, failure: Failure, control: &Control) -> DatabaseError {
        let place = self.file.display().to_string();
        super::error::translate(failure, &place, control.patience())
    }

    /// Writes the copy over the database, which is locked for it.
    fn write(
        &self,
        copy: &Backup<'_, '_>,
        old: Option<Draft>,
        control: &Control,
        watch: &Observer,
    ) -> Result<Kept, CopyError> {
        let explain = |failure| self.explain(failure, control);
        let kept = old.map(|old| self.keep(old)).transpose()?;
        match (
            run_steps(copy, control, watch, Phase::Replacing, explain),
            kept,
        ) {
            (Ok(()), Some(kept)) => Ok(Kept::File(kept)),
            (Ok(()), None) => Ok(Kept::Nothing),
            (Err(error), kept) => {
                // The old database still exists.
                kept.map(fs::remove_file);
                Err(error.into())
            }
        }
    }

    /// Creates a missing file. While it is empty, only the current user can read it; then it gets
    /// the permissions of the copied file, as far as they are known.
    fn create(&self) -> Result<(), CopyError> {
        let path = real_path(&self.file);
        let failed = |error| stream::file_error(&path, &error);
        let file = match crate::files::create_private(&path) {
            // Another process created it first.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            file => file.map_err(failed)?,
        };
        let given = self.permissions.map(|it| it.give(&file)).transpose();
        given.map(drop).map_err(failed)
    }

    /// Renames the copy of the old database before the database is replaced.
    fn keep(&self, mut old: Draft) -> Result<PathBuf, CopyError> {
        let mut name = OsString::from(&self.file);
        name.push(format!(".before-{}", Utc::now().format("%Y%m%dT%H%M%SZ")));
        let mut path = PathBuf::from(&name);
        for number in 2.. {
            if path.symlink_metadata().is_err() {
                break;
            }
            let mut other = name.clone();
            other.push(format!("-{number}"));
            path = other.into();
        }
        if let Ok(found) = Permissions::of(&self.file) {
            // The copy should be as readable as the original. If that fails, only the current user
            // can read it.
            let _ = found.give(old.file());
        }
        let kept = old.publish(&path);
        kept.map_err(|error| stream::file_error(&path, &error))?;
        Ok(path)
    }
}

#[async_trait(?Send)]
impl super::super::backup::Target for Target {
    async fn load(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<Contents, CopyError> {
        let draft = self.draft()?;
        blocking(|| unpack(archive, &draft, watch))?;
        let mut copy = Connection::open_copy(draft.path(), &self.control(watch))
            .await
            .map_err(damaged)?;
        let found = blocking(|| {
            watch.at(Phase::Checking, 0, 0)?;
            let unchecked = check(&mut copy)?;
            let found = contents(&mut copy).map_err(damaged)?;
            Ok::<_, CopyError>(Contents { unchecked, ..found })
        });
        // The connection only read.
        let _ = copy.close().await;
        let found = found?;
        self.permissions = Permissions::from_properties(archive.properties, archive.same_machine);
        self.loaded = Some(draft);
        Ok(found)
    }

    fn loaded(&self) -> Option<Location> {
        let loaded = self.loaded.as_ref()?;
        Some(Location::Sqlite(loaded.path().to_owned()))
    }

    fn lockable(&mut self) -> Option<&mut dyn Database> {
        self.database.as_mut().map(|it| it as &mut dyn Database)
    }

    async fn state(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<TargetState, CopyError> {
        let mut look = self.look(Writers::GoOn, watch).await?;
        if look.mark.is_some() && look.mark.as_deref() == archive.mark {
            look.state = TargetState::Unchanged;
        }
        let state = look.state;
        self.look = Some(look);
        Ok(state)
    }

    async fn replace(
        &mut self,
        options: ReplaceOptions,
        watch: &Observer,
    ) -> Result<Kept, CopyError> {
        if let Some(database) = &mut self.database
            && let Some(connection) = database.connection.take()
        {
            connection.close().await?;
        }
        let (Some(loaded), Some(mut look)) = (&self.loaded, self.look.take()) else {
            return Err(DatabaseError::Other("nothing was loaded".to_owned()).into());
        };
        let first = look.mark.clone();
        for _ in 0..ATTEMPTS {
            if options.only_unchanged && look.mark != first {
                break;
            }
            let kept = self
                .try_replace(loaded.path(), &mut look, options.keep_old, watch)
                .await?;
            let closed = match look.live.take() {
                Some(live) => live.close().await,
                None => Ok(()),
            };
            // After the replacement, no later failure restores the old database.
            if let Some(kept) = kept {
                return Ok(kept);
            }
            closed?;
            look = self.look(Writers::Wait, watch).await?;
        }
        Err(DatabaseError::StateChanged {
            reason: format!("others write to {}", self.file.display()),
        }
        .into())
    }

    async fn leave(mut self: Box<Self>) -> Result<(), CopyError> {
        if let Some(Look { live, still, .. }) = self.look.take() {
            for connection in live.into_iter().chain(still) {
                connection.close().await?;
            }
        }
        match self.database.take() {
            Some(database) => Ok(Box::new(database).close().await?),
            None => Ok(()),
        }
    }
}

/// The backup's directory, or the system's temporary directory if that is not writable.
fn writable(directory: &Path) -> PathBuf {
    match Draft::create(directory, Use::Scratch) {
        Ok(_) => directory.to_owned(),
        Err(_) => std::env::temp_dir(),
    }
}

fn unpack(archive: &Archive<'_>, draft: &Draft, watch: &Observer) -> Result<(), CopyError> {
    let from = stream::open(archive.file)?;
    let seen = |done| watch.at(Phase::Loading, done, archive.stored.size);
    let found = stream::unpack(from, draft.file(), archive.compression, seen);
    let found = found.map_err(|broken| match broken {
        Broken::Reading(error) if archive.compression == Compression::Zstd => CopyError::Damaged {
            reason: format!("zstd: {error}"),
        },
        broken => stream::explain(broken, archive.file, draft.path()),
    })?;
    stream::compare(&found, archive.stored)
}

fn damaged(error: DatabaseError) -> CopyError {
    match error {
        DatabaseError::Sql(failure) => CopyError::Damaged {
            reason: failure.message,
        },
        DatabaseError::NotADatabase { reason, .. } => CopyError::Damaged { reason },
        other => other.into(),
    }
}

fn is_empty(connection: &mut Connection) -> Result<bool, DatabaseError> {
    let tables = connection.integer("SELECT count(*) FROM main.sqlite_schema")?;
    Ok(tables == Some(0))
}

/// Allows others to write again.
fn let_go(mut still: Connection) -> Connection {
    still.rollback();
    still
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod target_tests;
