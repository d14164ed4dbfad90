//! Looks at a run from outside, so that a fault can be put at a chosen moment of it.

use std::fs;

use crate::{
    bench::{Trial, beside},
    common::Backend,
    session::Session,
};

/// Counts the changes that it sees.
pub struct Watch {
    session: Session,
    trial: Trial,
    backend: Backend,
    last: String,
    changes: usize,
}

impl Watch {
    pub fn new(trial: &Trial, backend: Backend) -> Result<Self, String> {
        Ok(Self {
            session: Session::glancing(&trial.place)?,
            trial: trial.clone(),
            backend,
            last: String::new(),
            changes: 0,
        })
    }

    /// Looks once; true when something has changed.
    pub fn glance(&mut self) -> bool {
        let Some(now) = self.now() else {
            return false;
        };
        let changed = now != self.last;
        self.changes += usize::from(changed && !self.last.is_empty());
        self.last = now;
        changed
    }

    pub fn changes(&self) -> usize {
        self.changes
    }

    pub fn close(self) {
        self.session.close();
    }

    fn now(&mut self) -> Option<String> {
        match self.backend {
            Backend::Postgres => {
                let activity = self.session.value(ACTIVITY).ok()?;
                let rows = self.session.value(ROWS).unwrap_or_default();
                Some(format!("{activity} {rows}"))
            }
            // The files tell enough, and asking SQLite would stand in the way.
            Backend::Sqlite => {
                let length = |path| fs::metadata(path).map_or(0, |file| file.len());
                let journal = length(beside(self.trial.file(), "-journal"));
                let file = length(self.trial.file().to_owned());
                Some(format!("{file} {journal}"))
            }
        }
    }
}

/// A statement that sleeps, and the phase of an index build.
const ACTIVITY: &str = "SELECT concat_ws(' ',
    (SELECT bool_or(a.wait_event = 'PgSleep') FROM pg_stat_activity AS a
        WHERE a.datname = current_database()),
    (SELECT min(p.phase) FROM pg_stat_progress_create_index AS p
        WHERE p.datname = current_database()))";

/// What is committed, and the mark of a statement that runs outside of a transaction.
const ROWS: &str = "SELECT string_agg(concat_ws(' ', revision, state, statements_done,
    error IS NOT NULL), ', ' ORDER BY sequence) FROM migrator_version";
