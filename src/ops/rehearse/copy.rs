use crate::{
    backup::{self, Backup, Store, Subject},
    database::{Access, Location, backup::Target, private_directory::PrivateDirectory},
    ops::{Error, RehearseArgs, Session},
};

/// The prefix of the directory of a backup that is made for a rehearsal.
const DIRECTORY: &str = "migrator_rehearse_";

/// A copy of a database.
pub(super) struct Copied {
    target: Box<dyn Target>,
    location: Location,
}

impl Copied {
    /// Makes a backup, unless one is given, and loads it into a scratch database.
    pub async fn create(session: &Session, args: &RehearseArgs) -> Result<Self, Error> {
        crate::database::private_directory::sweep(DIRECTORY);
        // The backup is needed no longer once it is loaded.
        let directory = PrivateDirectory::create(DIRECTORY).map_err(|error| Error::System {
            doing: "a temporary directory cannot be created",
            error,
        })?;
        let source = Subject {
            location: session.location(),
            settings: session.settings(),
        };
        let made: Backup;
        let backup = match &args.from {
            Some(backup) => backup,
            None => {
                let store = Store::new(directory.path());
                let making = args.backup.making;
                let ready = backup::ready(source, &store, making, &args.observer).await?;
                made = backup::make(ready, &args.observer).await?.backup;
                &made
            }
        };
        let on = Subject {
            location: args.scratch_url.as_ref().unwrap_or(session.location()),
            ..source
        };
        let target = backup::copy(on, backup, &args.observer).await?;
        let Some(location) = target.loaded() else {
            target.leave().await.map_err(backup::BackupError::from)?;
            return Err(Error::System {
                doing: "the copy cannot be used",
                error: std::io::Error::other("it was not loaded"),
            });
        };
        Ok(Self { target, location })
    }

    /// A session with the copy, with the settings of that with the database.
    pub fn session(&self, like: &Session) -> Result<Session, Error> {
        let mut settings = like.settings().clone().without_notices();
        settings.statement_times = true;
        Ok(Session::new(self.location.clone(), settings)
            .named("the copy")
            .access(Access::Existing))
    }

    /// Drops the copy.
    pub async fn leave(self) -> Result<(), Error> {
        Ok(self
            .target
            .leave()
            .await
            .map_err(backup::BackupError::from)?)
    }
}
