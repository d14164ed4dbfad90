//! Code shared by the backup commands: the backup directory, and long work that can be stopped.

use std::sync::Arc;

use super::{context::Context, options::Place};
use crate::{
    backup::{Making, Observer, Store},
    execute,
    report::{Bar, error::Error},
};
use anyhow::Context as _;

/// Long work with a live line that signals can stop.
pub struct Work {
    /// The observer for the operation.
    pub observer: Observer,
    bar: Arc<Bar>,
}

impl Work {
    /// Starts listening for signals.
    pub fn begin(context: &Context) -> Result<Self, Error> {
        context.listen()?;
        Ok(Self::within(context))
    }

    /// Creates the work as part of an operation that already listens for signals.
    pub fn within(context: &Context) -> Self {
        let bar = Arc::new(context.output.bar());
        let (shown, noted, stop) = (Arc::clone(&bar), Arc::clone(&bar), context.stop.clone());
        let (output, cwd) = (context.output.clone(), context.config.cwd().to_owned());
        Self {
            observer: Observer {
                progress: Arc::new(move |phase, done, total| {
                    shown.show(&phase.to_string(), done, total)
                }),
                tell: Arc::new(move |note| noted.suspend(|| output.note(&note, &cwd))),
                stopped: Arc::new(move || stop.is_requested()),
            },
            bar,
        }
    }

    /// Clears the live line.
    pub fn finish(&self) {
        self.bar.finish();
    }
}

impl Context {
    /// Turns SIGINT and SIGTERM into requests to stop.
    pub fn listen(&self) -> Result<(), Error> {
        Ok(execute::listen(self.stop.clone()).context("cannot listen for signals")?)
    }

    /// The backup directory of the option, or else of the configuration.
    pub fn store(&self, place: &Place) -> Result<Store, Error> {
        let Some(directory) = &place.directory else {
            return Ok(Store::new(&self.config.backup.directory));
        };
        let directory = std::path::absolute(directory).context("cannot resolve --directory")?;
        Ok(Store::new(&directory))
    }

    /// The configured options for creating backups.
    pub fn making(&self) -> Making {
        Making {
            compression: self.config.backup.compress,
            keep: self.config.backup.keep as usize,
            lock_wait: self.config.lock_wait,
        }
    }
}
