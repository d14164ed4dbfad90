//! What the commands about backups share: where backups are, and long work that can be stopped.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use async_trait::async_trait;

use super::{context::Context, error::Error};
use crate::{
    backup::{Making, Observer, Packing, Store},
    database::Cancel,
    execute,
    project::Compress,
    report::Bar,
};

/// Where backups are.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Directory of the backups, over `[backup] directory`
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl Place {
    /// The directory.
    pub fn store(&self, context: &Context) -> Result<Store, Error> {
        let Some(directory) = &self.directory else {
            return Ok(Store::new(&context.config.backup.directory));
        };
        let directory = std::path::absolute(directory).context("--directory can't be read")?;
        Ok(Store::new(&directory))
    }
}

/// Long work: a live line, and signals that stop it.
pub struct Work {
    /// For those who do the work.
    pub observer: Observer,
    bar: Arc<Bar>,
}

impl Work {
    /// Begins to listen for signals.
    pub fn begin(context: &Context) -> Result<Self, Error> {
        let silent = Arc::new(|_| {});
        execute::watch(context.stop.clone(), Arc::new(Nothing), silent)
            .context("can't listen for signals")?;
        Ok(Self::within(context))
    }

    /// As a part of what listens already.
    pub fn within(context: &Context) -> Self {
        let bar = Arc::new(context.output.bar());
        let (shown, stop) = (Arc::clone(&bar), context.stop.clone());
        Self {
            observer: Observer {
                progress: Arc::new(move |phase, done, total| shown.show(phase, done, total)),
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

/// The first signal ends long work by itself.
struct Nothing;

#[async_trait]
impl Cancel for Nothing {
    async fn cancel(&self) {}
}

impl Context {
    /// How the configuration has backups made.
    pub fn making(&self) -> Making {
        Making {
            packing: match self.config.backup.compress {
                Compress::Zstd => Packing::Zstd,
                Compress::None => Packing::Plain,
            },
            keep: self.config.backup.keep as usize,
        }
    }
}
