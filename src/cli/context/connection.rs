//! Connections, and what is read and locked through them.

use anyhow::Context as _;

use super::{Context, actor};
use crate::{
    cli::error::Error,
    database::{self, Access, Database, DatabaseError, Detail, Location, Settings},
    execute::{self, Sink, Stop},
    revision::{History, Observed},
    sql::Dialect,
};

/// What a command does with the database; with its name, which administrators see.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// What is not there is an error.
    Reader(&'static str),
    /// A missing SQLite file is an empty state, and made when something is written.
    Creator(&'static str),
}

impl Role {
    /// Of a command that makes nothing. As long as there are no revisions, nothing is missing
    /// either: a project begins without its database.
    pub fn reader(name: &'static str, history: &History) -> Self {
        if history.is_empty() {
            Self::Creator(name)
        } else {
            Self::Reader(name)
        }
    }
}

impl Context {
    /// A connection.
    pub async fn connect(
        &self,
        location: &Location,
        role: Role,
    ) -> Result<Box<dyn Database>, Error> {
        Ok(self.open(location, role).await?)
    }

    async fn open(
        &self,
        location: &Location,
        role: Role,
    ) -> Result<Box<dyn Database>, DatabaseError> {
        let (name, access) = match role {
            Role::Reader(name) => (name, Access::Existing),
            Role::Creator(name) => (name, Access::Create),
        };
        database::connect(location, access, self.settings(name)).await
    }

    /// What a connection of the command `name` is opened with.
    pub fn settings(&self, name: &str) -> Settings {
        Settings {
            version_table: self.config.version_table.clone(),
            actor: actor(),
            application_name: format!("migrator {name}"),
            lock_timeout: self.config.lock_timeout,
            statement_timeout: self.config.statement_timeout,
            connect_timeout: self.config.connect_timeout,
            statement_times: self.output.is_verbose() || self.log.get().is_some(),
            statement_marks: !self.config.slow_statement.is_zero(),
        }
    }

    /// The database's state; a SQLite file that is not there yet is an empty state.
    pub async fn observe_or_empty(&self, command: &'static str) -> Result<Observed, Error> {
        Ok(self.observe_table(command).await?.0)
    }

    /// The same with the version table's name, which on PostgreSQL has its schema then.
    pub async fn observe_table(&self, command: &'static str) -> Result<(Observed, String), Error> {
        let location = self.location()?;
        match self.open(&location, Role::Reader(command)).await {
            Err(DatabaseError::Missing { .. }) if location.dialect() == Dialect::Sqlite => {
                Ok((Observed::default(), self.config.version_table.clone()))
            }
            Err(error) => Err(error.into()),
            Ok(mut database) => {
                let observed = database.observe(Detail::WithScripts).await?;
                let table = database.version_table();
                database.close().await?;
                Ok((observed, table))
            }
        }
    }

    /// Takes the lock that all runs share, and says so while it waits.
    pub async fn lock(&self, database: &mut dyn Database) -> Result<(), Error> {
        let (progress, sink) = self.output.progress();
        let stop = Stop::default();
        execute::watch(stop.clone(), database.canceller(), Sink::clone(&sink))
            .context("can't start")?;
        let locked = execute::lock(database, self.config.lock_wait, &stop, &sink).await;
        if let Some(progress) = progress {
            progress.finish(locked.is_err());
        }
        Ok(locked?)
    }

    /// A connection, and the state where nobody else has the lock, which is held then.
    pub(super) async fn look(
        &self,
        location: &Location,
        role: Role,
    ) -> Result<(Box<dyn Database>, Option<Observed>), DatabaseError> {
        let mut database = self.open(location, role).await?;
        match execute::look_early(database.as_mut()).await {
            Ok(observed) => Ok((database, observed)),
            Err(error) => {
                // The error says it all.
                let _ = execute::release(database).await;
                Err(error)
            }
        }
    }
}
