use std::fmt;

use super::{Error, Migrator};
use crate::{
    database::Access,
    ops::{self, ScratchArgs, ScratchDatabase},
};

/// A throwaway database with the scripts of a [`Migrator`] applied, for tests.
///
/// On PostgreSQL, it is created beside the database of the URL, which is only read and need not exist;
/// the role needs `CREATEDB`. The result of the scripts is kept as a template, so that the next scratch
/// database of the same scripts is a copy, which takes some ten milliseconds. Where no database can be
/// created on the server, one is started from the programs of the machine. On SQLite, it is a file in a
/// temporary directory, whatever file the URL names.
///
/// [`Self::close`] drops it. If the value is merely dropped, as by a test that panics, a file is removed
/// at once, and a database on a server by the next scratch database beside the same database.
///
/// ```
/// use migrator::{Error, Migrator, Scratch};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let scripts = [("1_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY);")];
/// let migrator = Migrator::embedded(scripts);
/// let scratch = Scratch::at_head(&migrator, "sqlite:app.db").await?;
/// let mut session = migrator.connect(&scratch.url()).await?;
/// assert!(session.status().await?.pending.is_empty());
/// session.close().await?;
/// scratch.close().await
/// # }
/// ```
pub struct Scratch(ScratchDatabase);

impl Scratch {
    /// Creates a database with all scripts applied. `url` leads to the database that it resembles.
    ///
    /// # Errors
    /// The errors of [`Migrator::connect`] and [`Session::upgrade`](super::Session::upgrade), and
    /// [`Error::Other`] when no scratch database can be created.
    pub async fn at_head(migrator: &Migrator, url: &str) -> Result<Self, Error> {
        Self::at(migrator, url, "head").await
    }

    /// Creates a database at `target`: `head`, `heads`, `base`, a revision, …
    ///
    /// # Errors
    /// Those of [`Self::at_head`].
    pub async fn at(migrator: &Migrator, url: &str, target: &str) -> Result<Self, Error> {
        let (project, mut session) = migrator.session(url, Access::Existing)?;
        let args = ScratchArgs {
            target: target.parse().map_err(Error::of)?,
            scratch_url: None,
            progress: None,
            #[cfg(feature = "cli")]
            seed: None,
        };
        let made = ops::scratch(&project, &mut session, &args).await;
        // The database of the URL is not needed any more.
        let _ = session.close().await;
        made.map(Self).map_err(Error::of)
    }

    /// The URL of the database, with the password if there is one.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Drops the database, with the sessions that are left in it.
    ///
    /// # Errors
    /// [`Error::Database`]; the next scratch database retries.
    pub async fn close(self) -> Result<(), Error> {
        self.0.drop().await.map_err(Error::of)
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
