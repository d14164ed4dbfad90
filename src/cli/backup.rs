//! What the commands about backups share: where they are, and long work that can be stopped.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use async_trait::async_trait;

use super::{context::Context, error::Error};
use crate::{
    backup::{self, Made, Making, Observer, Packing, Store, Subject},
    database::{Cancel, Location, Settings},
    execute::{self, Stop},
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

/// Long work: a live line, and an ear for signals.
pub struct Work {
    /// Signals that came.
    pub stop: Stop,
    /// For those who do the work.
    pub watch: Observer,
    bar: Arc<Bar>,
}

impl Work {
    /// Begins to listen.
    pub fn begin(context: &Context) -> Result<Self, Error> {
        let stop = Stop::default();
        let silent = Arc::new(|_| {});
        execute::watch(stop.clone(), Arc::new(Nothing), silent).context("can't start")?;
        Ok(Self::within(context, &stop))
    }

    /// As a part of what listens already.
    pub fn within(context: &Context, stop: &Stop) -> Self {
        let bar = Arc::new(context.output.bar());
        let (shown, asked) = (Arc::clone(&bar), stop.clone());
        Self {
            stop: stop.clone(),
            watch: Observer {
                progress: Arc::new(move |phase, done, total| shown.show(phase, done, total)),
                stopped: Arc::new(move || asked.is_requested()),
            },
            bar,
        }
    }

    /// Takes the live line away.
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

/// How the configuration has backups made.
pub fn making(context: &Context) -> Making {
    Making {
        packing: packing(context.config.backup.compress),
        keep: context.config.backup.keep as usize,
    }
}

/// How a backup is compressed.
pub fn packing(compress: Compress) -> Packing {
    match compress {
        Compress::Zstd => Packing::Zstd,
        Compress::None => Packing::Plain,
    }
}

/// Makes a backup.
pub async fn make(
    context: &Context,
    (location, settings): (&Location, &Settings),
    store: &Store,
    making: Making,
    work: &Work,
) -> Result<Made, Error> {
    let subject = Subject { location, settings };
    let ready = backup::ready(subject, store).await?;
    let made = backup::make(ready, making, &work.watch).await;
    work.finish();
    let mut made = made?;
    if let Some(error) = made.not_removed.take() {
        context.warn(error.into());
    }
    Ok(made)
}
