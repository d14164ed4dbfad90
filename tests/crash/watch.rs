//! Looks at a run from outside, so that a fault can be put at a chosen moment of it.

use std::fs;

use crate::{
    bench::{Trial, beside},
    common::Backend,
    session::Session,
};

/// What a SQLite database takes on the disk while it is worked on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs {
    /// Bytes more than before.
    pub disk: u64,
    /// The largest file.
    pub file: u64,
}

/// Counts the changes that it sees.
pub struct Watch {
    begin: Option<u64>,
    needs: Needs,
    session: Session,
    trial: Trial,
    backend: Backend,
    last: String,
    changes: usize,
}

impl Watch {
    pub fn new(trial: &Trial, backend: Backend) -> Result<Self, String> {
        Ok(Self {
            begin: None,
            needs: Needs::default(),
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

    pub fn close(self) -> Needs {
        self.session.close();
        self.needs
    }

    fn now(&mut self) -> Option<String> {
        match self.backend {
            Backend::Postgres => {
                let activity = self.session.value(ACTIVITY).ok()?;
                let rows = self.session.value(ROWS).unwrap_or_default();
                Some(format!("{activity} {rows}"))
            }
            // The files tell enough, and asking SQLite would prevents it.
            Backend::Sqlite => {
                let length = |path| fs::metadata(path).map_or(0, |file| file.len());
                let journal = length(beside(self.trial.file(), "-journal"))
                    + length(beside(self.trial.file(), "-wal"));
                let file = length(self.trial.file().to_owned());
                let begin = *self.begin.get_or_insert(file);
                let more = (file + journal).saturating_sub(begin);
                self.needs.disk = self.needs.disk.max(more);
                self.needs.file = self.needs.file.max(file).max(journal);
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

/// What is committed, and the mark of a statement that runs outside a transaction.
const ROWS: &str = "SELECT string_agg(concat_ws(' ', revision, state, statements_done,
    error IS NOT NULL), ', ' ORDER BY sequence) FROM migrator_version";
