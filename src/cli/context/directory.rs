//! The directory of scripts, as the configuration has it.

use std::{pin::pin, thread};

use anyhow::Context as _;
use tokio::sync::oneshot::{self, error::RecvError};

use super::{Context, Role};
use crate::{
    cli::{
        codes,
        error::{self, Error},
    },
    database::{Database, Location},
    execute,
    layout::Layout,
    project::{self, DirectoryProblem, Reading},
    revision::{History, Observed},
    sql::Dialect,
};

impl Context {
    /// The directory as a history.
    pub fn history(&self, dialect: Dialect) -> Result<History, Error> {
        let reading = self.reading(dialect);
        project::read_history(&self.config.migrations, &self.shown_migrations(), &reading)
            .map_err(|problems| error::directory(&problems))
    }

    /// The same, with or without down scripts, while a connection is made and its state is read, which
    /// takes about as long. What is wrong with the directory comes first, and then nothing is left of the
    /// connection.
    ///
    /// The state is known, and the lock held, unless someone else has it.
    pub async fn history_and_state(
        &self,
        location: &Location,
        role: Role,
        downs: bool,
    ) -> Result<(History, (Box<dyn Database>, Option<Observed>)), Error> {
        let reading = Reading {
            checksums: true,
            downs,
            ..self.reading(location.dialect())
        };
        let (directory, shown) = (self.config.migrations.clone(), self.shown_migrations());
        let (done, mut read) = oneshot::channel();
        thread::Builder::new()
            .spawn(move || done.send(project::read_history(&directory, &shown, &reading)))
            .context("can't start")?;
        let mut looking = pin!(self.look(location, role));
        let looked = tokio::select! {
            biased;
            history = &mut read => {
                let history = read_by_thread(history)?;
                return Ok((history, looking.await?));
            }
            looked = &mut looking => looked,
        };
        match (read_by_thread(read.await), looked) {
            (Ok(history), looked) => Ok((history, looked?)),
            (Err(error), Err(_)) => Err(error),
            (Err(error), Ok((database, _))) => {
                // Nothing was done with it.
                let _ = execute::release(database).await;
                Err(error)
            }
        }
    }

    /// Such a history with its down scripts.
    pub fn with_downs(&self, history: History, dialect: Dialect) -> Result<History, Error> {
        let reading = Reading {
            checksums: true,
            ..self.reading(dialect)
        };
        let shown = self.shown_migrations();
        project::read_downs(&self.config.migrations, &shown, &reading, history)
            .map_err(|problems| error::directory(&problems))
    }

    /// The same for a command that writes scripts.
    pub fn history_to_write(&self, dialect: Dialect) -> Result<History, Error> {
        self.own_layout()?;
        self.history(dialect)
    }

    /// Scripts are written in our own layout only.
    pub fn own_layout(&self) -> Result<(), Error> {
        let shown = self.shown_migrations();
        match self.layout()? {
            Layout::Native => Ok(()),
            layout => Err(Error::new(
                codes::M228,
                format!("scripts are written in migrator's own layout, and {shown} is in that of {layout}"),
            )
            .hint("`migrator convert --to DIR` writes it out as migrator's own")),
        }
    }

    /// The layout that the directory is read in.
    pub fn layout(&self) -> Result<Layout, Error> {
        let reading = self.reading(self.dialect());
        project::layout_of(&self.config.migrations, &self.shown_migrations(), &reading)
            .map_err(|problem| error::directory(&[problem]))
    }

    /// How the directory is read.
    pub fn reading(&self, dialect: Dialect) -> Reading {
        Reading {
            dialect,
            layout: self.config.layout,
            leave_out: self.config.leave_out.clone(),
            checksums: false,
            ups: true,
            downs: true,
        }
    }

    /// The directory as people see it.
    pub fn shown_migrations(&self) -> String {
        self.config.show(&self.config.migrations)
    }
}

type ReadHistory = Result<History, Vec<DirectoryProblem>>;

/// What the thread has read that was to read a directory.
fn read_by_thread(read: Result<ReadHistory, RecvError>) -> Result<History, Error> {
    let history = read.context("the directory was not read to its end")?;
    history.map_err(|problems| error::directory(&problems))
}
