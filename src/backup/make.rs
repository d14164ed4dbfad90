use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

use super::{Backup, BackupError, Manifest, Observer, Origin, Pruned, Store, Wait};
use crate::{
    database::{Location, Settings, backup::Source, engine::source},
    files::Compression,
};

/// The database that a backup is of.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The location.
    pub location: &'a Location,
    /// As it is connected to.
    pub settings: &'a Settings,
}

impl Subject<'_> {
    /// What it is called in manifests; never with a password.
    pub fn place(&self) -> String {
        self.location.resolved()
    }

    /// What it is called in messages: a file by its path.
    pub fn shown(&self) -> String {
        match self.location.file() {
            Some(file) => file.display().to_string(),
            None => self.place(),
        }
    }

    /// What tells it from other databases, without asking it.
    pub fn origin(&self) -> Origin {
        Origin::of(self.location, None)
    }

    /// The first part of a file's name.
    fn name(&self) -> String {
        self.location.stem()
    }
}

/// How a backup is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    /// Compressed by us, or not.
    pub compression: Compression,
    /// How many backups of the database are left afterwards; 0 is all of them.
    pub keep: usize,
    /// How long the lock of the directory is waited for.
    pub lock_wait: Duration,
}

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The backup.
    pub backup: Backup,
    /// The outcome for older ones.
    pub pruned: Pruned,
}

/// A database that can be backed up, and a directory that can take it.
pub struct Ready<'a> {
    subject: Subject<'a>,
    store: &'a Store,
    source: Box<dyn Source>,
    making: Making,
}

/// Looks whether a backup can be made, before anything is begun.
///
/// # Errors
/// Why not.
pub async fn ready<'a>(
    subject: Subject<'a>,
    store: &'a Store,
    making: Making,
    watch: &Observer,
) -> Result<Ready<'a>, BackupError> {
    let source = source(subject.location, subject.settings).await?;
    store.prepare(making.wait(watch))?;
    Ok(Ready {
        subject,
        store,
        source,
        making,
    })
}

/// Makes a backup. It is listed when it is whole; older ones are removed after that.
///
/// # Errors
/// What went wrong; nothing is left then.
pub async fn make(ready: Ready<'_>, watch: &Observer) -> Result<Made, BackupError> {
    let Ready {
        subject,
        store,
        mut source,
        making,
    } = ready;
    let made_at: DateTime<Utc> = Utc::now().trunc_subsecs(0);
    let draft = store.draft()?;
    let dumped = source.dump(draft.path(), making.compression, watch).await?;
    let about = (subject.place(), subject.location);
    let manifest = Manifest::new(made_at, about, source.server(), making.compression, dumped);
    // What is in the file was seen while it was read, and is on the disk before it is listed.
    let named = (subject.name(), source.extension());
    let wait = making.wait(watch);
    let backup = store.publish(draft, manifest, (&named.0, named.1), wait)?;
    let pruned = store.prune(&backup, making.keep, wait);
    Ok(Made { backup, pruned })
}

impl Making {
    fn wait(self, watch: &Observer) -> Wait<'_> {
        Wait {
            limit: self.lock_wait,
            watch,
        }
    }
}
