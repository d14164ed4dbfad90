//! Loads copies into a scratch database, and replaces a database with it.

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};

use super::{
    super::{
        CopyError, Database, DatabaseError, Location, Lock, LockAttempt, Settings,
        backup::{
            Archive, Contents, Kept, Note, Observer, OwnersCode, Phase, Purpose, ReplaceOptions,
            TargetState,
        },
        stream::{self, Broken},
    },
    Postgres,
    admin::quoted,
    backup::{failed, mark, session, unless_stopped},
    connect,
    contents::contents,
    message::{rows, unpinned_rows},
    options::ServerOptions,
    owners,
    programs::{self, Input, Output, Program},
    scratch::{self, Scratch},
    swap::{rename_one, swap},
    throwaway, url,
};
use crate::files::Compression;

/// See [`crate::database::engine::target`].
pub struct Target {
    options: ServerOptions,
    settings: Settings,
    purpose: Purpose,
    program: Program,
    /// The session that holds the lock; `None` if nothing is to be replaced or the database does
    /// not exist.
    database: Option<Postgres>,
    scratch: Option<Scratch>,
    owners_code: Option<OwnersCode>,
    /// Whether all owners of objects in the backup exist and may be given their objects.
    owners_are_kept: bool,
}

impl Target {
    /// Connects, and finds a pg_restore that can read the output of pg_dump `client`.
    ///
    /// # Errors
    /// Fails when either is not possible.
    pub async fn open(
        options: &ServerOptions,
        settings: &Settings,
        purpose: Purpose,
        client: Option<u32>,
    ) -> Result<Self, CopyError> {
        let program = programs::find("pg_restore", client.unwrap_or_default())?;
        let database = match purpose {
            Purpose::Verify => None,
            Purpose::Restore { .. } => match Postgres::connect(options, settings.clone()).await {
                Ok(database) => Some(database),
                Err(DatabaseError::Missing { .. }) => None,
                Err(error) => return Err(error.into()),
            },
        };
        Ok(Self {
            options: connect::prepared(options, settings),
            settings: settings.clone(),
            purpose,
            program,
            database,
            scratch: None,
            owners_code: None,
            owners_are_kept: false,
        })
    }

    fn place(&self) -> String {
        url::place(&self.options)
    }

    fn arguments(&self, name: &str) -> Vec<String> {
        let mut arguments = vec![
            "--no-password".to_owned(),
            "--exit-on-error".to_owned(),
            programs::database_argument(name),
        ];
        let owned = match self.purpose {
            // A restored subscription would be active.
            Purpose::Verify => &[
                "--no-privileges",
                "--no-publications",
                "--no-subscriptions",
                "--no-security-labels",
            ][..],
            Purpose::Restore { no_owner: true } => &["--no-owner", "--no-privileges"],
            Purpose::Restore { no_owner: false } => &[],
        };
        // Indexes are built with the privileges of a table's owner, who should not be a superuser.
        if self.purpose == Purpose::Verify && !self.owners_are_kept {
            arguments.push("--no-owner".to_owned());
        }
        arguments.extend(owned.iter().map(|option| (*option).to_owned()));
        arguments
    }

    /// Loads the rows of the file into the scratch database `name`.
    async fn fill(
        &self,
        name: &str,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<(), CopyError> {
        let filling = Filling {
            program: self.program.clone(),
            options: self.options.clone().database(name),
            arguments: self.arguments(name),
            file: archive.file.to_owned(),
            compression: archive.compression,
            stored: archive.stored.clone(),
            watch: watch.clone(),
        };
        let filled = tokio::task::spawn_blocking(move || filling.run()).await;
        filled.unwrap_or_else(|error| {
            let reason = format!("the restore's thread: {error}");
            Err(DatabaseError::Other(reason).into())
        })
    }

    /// The contents of a database that was just loaded.
    async fn contents(&self, name: &str, watch: &Observer) -> Result<Contents, DatabaseError> {
        watch.at(Phase::Checking, 0, 0)?;
        let options = self.options.clone().database(name);
        let mut connection = session(&options, &self.settings, &self.place()).await?;
        let sql = "BEGIN READ ONLY; SET LOCAL search_path TO ''; SET LOCAL row_security TO off";
        let begun = rows(&mut connection, sql).await;
        begun.map_err(|error| failed(&error))?;
        let found = unless_stopped(contents(&mut connection), watch).await;
        // The database must be free of sessions for what follows.
        let _ = connection.close().await;
        found
    }

    /// Drops the old database if it is not wanted. The new one is in place, so a failure here is
    /// not an error: the old one is kept then.
    async fn dispose(
        &self,
        scratch: &mut Scratch,
        kept: Kept,
        options: ReplaceOptions,
        watch: &Observer,
    ) -> Kept {
        let Kept::Database(name) = &kept else {
            return kept;
        };
        if options.keep_old && !self.is_empty(name).await.unwrap_or(false) {
            return kept;
        }
        match scratch.drop_database(name).await {
            Ok(()) => Kept::Nothing,
            Err(error) => {
                (watch.tell)(Note::NotDropped {
                    name: name.clone(),
                    reason: error.to_string(),
                });
                kept
            }
        }
    }

    /// Whether a database without sessions is empty.
    async fn is_empty(&self, name: &str) -> Result<bool, DatabaseError> {
        let options = self.options.clone().database(name);
        let mut connection = session(&options, &self.settings, &self.place()).await?;
        let empty = is_empty(&mut connection).await;
        let _ = connection.close().await;
        empty
    }
}

#[async_trait(?Send)]
impl super::super::backup::Target for Target {
    async fn load(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<Contents, CopyError> {
        let (purpose, owner) = match self.purpose {
            Purpose::Verify => (scratch::VERIFY, false),
            Purpose::Restore { no_owner } => (scratch::RESTORE, !no_owner),
        };
        let (options, settings) = (&self.options, &self.settings);
        let properties = archive.properties;
        let mut scratch = Scratch::create(options, settings, purpose, properties, owner).await?;
        let name = scratch.name.clone();
        let owners = owners::look(&mut scratch.server.connection, properties).await;
        self.scratch = Some(scratch);
        let owners = owners?;
        if let Some(code) = &owners.code {
            (watch.tell)(Note::OwnersCode(code.clone()));
        }
        self.owners_code = owners.code;
        self.owners_are_kept = owners.can_be_kept;
        self.fill(&name, archive, watch).await?;
        Ok(self.contents(&name, watch).await?)
    }

    async fn settle(&mut self, like: &Location, watch: &Observer) -> Result<(), CopyError> {
        let (Some(scratch), Location::Postgres(like)) = (&mut self.scratch, like) else {
            return Ok(());
        };
        let name = scratch.name.clone();
        for setting in throwaway::settings_of(like, &self.settings).await? {
            // Those that only superusers may set are left out.
            let sql = format!("ALTER DATABASE {} SET {setting}", quoted(&name));
            let _ = unpinned_rows(&mut scratch.server.connection, &sql).await;
        }
        let options = self.options.clone().database(&name);
        let mut connection = session(&options, &self.settings, &self.place()).await?;
        let analyzed = async {
            let analyzed = unpinned_rows(&mut connection, "ANALYZE").await;
            analyzed.map_err(|error| failed(&error))
        };
        unless_stopped(analyzed, watch).await?;
        let _ = connection.close().await;
        Ok(())
    }

    fn loaded(&self) -> Option<Location> {
        let scratch = self.scratch.as_ref()?;
        let options = self.options.clone().database(&scratch.name);
        Some(Location::Postgres(Box::new(options)))
    }

    fn lockable(&mut self) -> Option<&mut dyn Database> {
        self.database.as_mut().map(|it| it as &mut dyn Database)
    }

    async fn state(
        &mut self,
        archive: &Archive<'_>,
        watch: &Observer,
    ) -> Result<TargetState, CopyError> {
        if self.database.is_none() {
            return Ok(TargetState::Missing);
        }
        let mut connection = session(&self.options, &self.settings, &self.place()).await?;
        let begun = "BEGIN READ ONLY; SET LOCAL search_path TO ''";
        let begun = rows(&mut connection, begun).await;
        begun.map_err(|error| failed(&error))?;
        let now = mark(&mut connection).await?;
        let state = if now.is_some() && now.as_deref() == archive.mark {
            TargetState::Unchanged
        } else if is_empty(&mut connection).await? {
            TargetState::Empty
        } else {
            TargetState::Changed
        };
        watch.at(Phase::Keeping, 0, 0)?;
        let _ = connection.close().await;
        Ok(state)
    }

    async fn replace(
        &mut self,
        options: ReplaceOptions,
        watch: &Observer,
    ) -> Result<Kept, CopyError> {
        let Some(mut scratch) = self.scratch.take() else {
            return Err(DatabaseError::Other("nothing was loaded".to_owned()).into());
        };
        watch.at(Phase::Replacing, 0, 0)?;
        let swapped = match self.database.take() {
            None => rename_one(&mut scratch).await.map(|()| Kept::Nothing),
            Some(mut lock) => match still_locked(&mut lock).await {
                Ok(()) => swap(&mut scratch, lock).await.map(Kept::Database),
                Err(error) => Err(error.into()),
            },
        };
        let kept = match swapped {
            Ok(kept) => kept,
            // Each of the two may be the only copy.
            Err(error @ CopyError::ReplaceUnknown { .. }) => return Err(error),
            Err(error) => {
                let _ = scratch.drop().await;
                return Err(error);
            }
        };
        let kept = self.dispose(&mut scratch, kept, options, watch).await;
        scratch.server.close().await;
        Ok(kept)
    }

    fn owners_code(&self) -> Option<OwnersCode> {
        self.owners_code.clone()
    }

    async fn leave(mut self: Box<Self>) -> Result<(), CopyError> {
        let dropped = match self.scratch.take() {
            Some(scratch) => scratch.drop().await,
            None => Ok(()),
        };
        if let Some(mut database) = self.database.take() {
            let unlocked = database.unlock().await;
            let closed = Box::new(database).close().await;
            return Ok(dropped.and(unlocked).and(closed)?);
        }
        Ok(dropped?)
    }
}

struct Filling {
    program: Program,
    options: ServerOptions,
    arguments: Vec<String>,
    file: std::path::PathBuf,
    compression: Compression,
    stored: stream::Digest,
    watch: Observer,
}

impl Filling {
    fn run(mut self) -> Result<(), CopyError> {
        match self.compression {
            Compression::None => {
                // The file is read a second time, since pg_restore reads it in any order.
                let found = stream::digest(&self.file, &self.watch, Phase::Checking)?;
                stream::compare(&found, &self.stored)?;
                let jobs = std::thread::available_parallelism().map_or(1, |it| it.get().min(8));
                self.arguments.push(format!("--jobs={jobs}"));
                self.arguments.push(self.file.display().to_string());
                let look = || self.watch.at(Phase::Loading, 0, 0);
                self.restore(Input::Nothing, look)
            }
            Compression::Zstd => {
                let mut found = None;
                let seen = |done| self.watch.at(Phase::Loading, done, self.stored.size);
                let feed = |stdin| {
                    let from = stream::open(&self.file)?;
                    let to = programs::forgiving(stdin);
                    let read = stream::unpack(from, to, Compression::Zstd, seen);
                    found = Some(read.map_err(|broken| self.broken(broken))?);
                    Ok(())
                };
                let look = || match (self.watch.stopped)() {
                    true => Err(DatabaseError::Interrupted),
                    false => Ok(()),
                };
                let restored = self.restore(Input::From(Box::new(feed)), look);
                // A damaged file is the cause of any error of pg_restore.
                match found {
                    Some(found) => stream::compare(&found, &self.stored).and(restored),
                    None => restored,
                }
            }
        }
    }

    fn restore(
        &self,
        input: Input<'_>,
        look: impl FnMut() -> Result<(), DatabaseError>,
    ) -> Result<(), CopyError> {
        programs::run(
            &self.program,
            &self.options,
            &self.arguments,
            input,
            Output::Nothing,
            look,
        )
    }

    fn broken(&self, broken: Broken) -> CopyError {
        match broken {
            Broken::Reading(error) => CopyError::Damaged {
                reason: format!("zstd: {error}"),
            },
            broken => stream::explain(broken, &self.file, std::path::Path::new("pg_restore")),
        }
    }
}

/// Checks whether the lock is still held since the load began.
async fn still_locked(lock: &mut Postgres) -> Result<(), DatabaseError> {
    match lock.try_lock().await? {
        LockAttempt::Acquired => Ok(()),
        LockAttempt::Held { .. } => Err(DatabaseError::LockLost),
    }
}

async fn is_empty(connection: &mut PgConnection) -> Result<bool, DatabaseError> {
    let sql = "SELECT 1 FROM pg_catalog.pg_class AS c \
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
               WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' \
               UNION ALL SELECT 1 FROM pg_catalog.pg_proc AS p \
               JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
               WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' LIMIT 1";
    let found = rows(connection, sql).await;
    Ok(found.map_err(|error| failed(&error))?.is_empty())
}
