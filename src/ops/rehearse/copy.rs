use std::collections::BTreeMap;

use super::{
    CopySource, RehearseArgs,
    rows::{Sizes, sizes},
    schema,
    space::{self, Need},
};
use crate::{
    backup::{self, Backup, BackupError, Store, Subject},
    database::{
        Access, Location,
        backup::Target,
        engine::{storage, usable_copy},
        private_directory::{self, PrivateDirectory},
    },
    ops::{Error, Project, Session, schema::Sandbox},
};

/// The prefix of the directory of a backup that is made for a rehearsal.
const DIRECTORY: &str = "migrator_rehearse_";

/// A copy of a database.
pub(super) struct Copy {
    location: Location,
    held: Held,
    /// The numbers of rows, as backups name the tables.
    counts: Option<BTreeMap<String, u64>>,
    /// The sizes of the database itself, if the copy has no rows.
    sizes: Option<Sizes>,
    /// What the copy lacks beside rows.
    lacks: Vec<String>,
}

/// What is removed with a copy.
enum Held {
    /// A database into which a backup in the directory was loaded.
    Loaded(Box<dyn Target>),
    /// A file in the directory.
    File(PrivateDirectory),
    /// A database without rows.
    Schema(Box<Sandbox>),
}

impl Copy {
    /// Copies the database: with its rows, from a backup, or its schema alone.
    pub async fn create(
        project: &Project,
        session: &mut Session,
        args: &RehearseArgs,
    ) -> Result<Self, Error> {
        if args.schema_only {
            return Self::of_schema(project, session, args).await;
        }
        private_directory::sweep(DIRECTORY);
        match &args.from {
            Some(backup) => Self::load(session, args, backup, None).await,
            None => Self::of_rows(session, args).await,
        }
    }

    /// Makes a backup, and loads it unless it can be used as it is.
    async fn of_rows(session: &Session, args: &RehearseArgs) -> Result<Self, Error> {
        let directory = PrivateDirectory::create(DIRECTORY).map_err(|error| Error::System {
            doing: "a temporary directory cannot be created",
            error,
        })?;
        let source = Subject {
            location: session.location(),
            settings: session.settings(),
        };
        let store = Store::new(directory.path());
        let mut ready = backup::ready(source, &store, args.backup.making, &args.observer).await?;
        ready.hurry();
        let size = ready.size().await?;
        let mut needs = vec![Need {
            place: directory.path().to_owned(),
            bytes: size.file,
        }];
        let on = args.schema.scratch_url.as_ref().unwrap_or(source.location);
        if let Some(place) = storage(on, source.settings).await {
            let bytes = size.database;
            needs.push(Need { place, bytes });
        }
        space::check(&needs)?;
        let made = backup::make(ready, &args.observer).await?.backup;
        match usable_copy(session.location(), &made.file) {
            Some(location) => Ok(Self {
                location,
                held: Held::File(directory),
                counts: Some(made.manifest.tables),
                sizes: None,
                lacks: Vec::new(),
            }),
            None => Self::load(session, args, &made, Some(directory)).await,
        }
    }

    /// Loads a backup into a scratch database. The directory of the backup is removed then.
    async fn load(
        session: &Session,
        args: &RehearseArgs,
        backup: &Backup,
        directory: Option<PrivateDirectory>,
    ) -> Result<Self, Error> {
        let like = session.location();
        let on = Subject {
            location: args.schema.scratch_url.as_ref().unwrap_or(like),
            settings: session.settings(),
        };
        let (target, found) = backup::copy(on, backup, like, &args.observer).await?;
        drop(directory);
        let Some(location) = target.loaded() else {
            target.leave().await.map_err(BackupError::from)?;
            return Err(Error::System {
                doing: "the copy cannot be used",
                error: std::io::Error::other("it was not loaded"),
            });
        };
        Ok(Self {
            location,
            held: Held::Loaded(target),
            counts: Some(found.tables),
            sizes: None,
            lacks: Vec::new(),
        })
    }

    /// Creates a database with the same schema and the same records.
    async fn of_schema(
        project: &Project,
        session: &mut Session,
        args: &RehearseArgs,
    ) -> Result<Self, Error> {
        let live = sizes(session).await?;
        let made = schema::create(project, session, args).await?;
        Ok(Self {
            location: made.sandbox.session.location().clone(),
            held: Held::Schema(Box::new(made.sandbox)),
            counts: None,
            sizes: Some(live),
            lacks: made.lacks,
        })
    }

    /// A session with the copy, with the settings of that with the database.
    pub fn session(&self, like: &Session) -> Session {
        let mut settings = like.settings().clone().without_notices();
        settings.statement_times = true;
        Session::new(self.location.clone(), settings)
            .named("the copy")
            .access(Access::Existing)
    }

    /// What was copied.
    pub fn source(&self, args: &RehearseArgs, project: &Project) -> CopySource {
        match (&self.held, &args.from) {
            (Held::Schema(_), _) => CopySource::Schema {
                lacks: self.lacks.clone(),
            },
            (_, Some(backup)) => CopySource::Backup(project.show(&backup.file)),
            (_, None) => CopySource::Database,
        }
    }

    /// The numbers of rows, if they are known.
    pub fn take_counts(&mut self) -> Option<BTreeMap<String, u64>> {
        self.counts.take()
    }

    /// The sizes of the tables of the database itself, if the copy has no rows.
    pub fn take_sizes(&mut self) -> Option<Sizes> {
        self.sizes.take()
    }

    /// Drops the copy.
    pub async fn leave(self) -> Result<(), Error> {
        match self.held {
            Held::Loaded(target) => Ok(target.leave().await.map_err(BackupError::from)?),
            Held::File(directory) => directory.remove().map_err(|error| Error::System {
                doing: "the copy cannot be removed",
                error,
            }),
            Held::Schema(sandbox) => sandbox.leave().await,
        }
    }
}
