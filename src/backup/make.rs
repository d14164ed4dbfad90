use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

use super::{Backup, BackupError, Manifest, Observer, Origin, Pruned, Store, Wait};
use crate::{
    database::{
        Location, Settings,
        backup::{CopySize, Source},
        engine::source,
    },
    files::Compression,
};

/// The database to back up.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The location.
    pub location: &'a Location,
    /// The settings of its connections.
    pub settings: &'a Settings,
}

impl Subject<'_> {
    /// The database's name in manifests; never with a password.
    pub fn place(&self) -> String {
        self.location.resolved()
    }

    /// The database's name in messages; a file is shown by its path.
    pub fn shown(&self) -> String {
        match self.location.file() {
            Some(file) => file.display().to_string(),
            None => self.place(),
        }
    }

    /// The identity of the database, as far as it is known without connecting.
    pub fn origin(&self) -> Origin {
        Origin::of(self.location, None)
    }

    /// The first part of the name of a backup file.
    fn name(&self) -> String {
        self.location.stem()
    }
}

/// Options for creating backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making {
    /// The compression of the file.
    pub compression: Compression,
    /// The number of backups of the database to keep; 0 keeps all.
    pub keep: usize,
    /// How long to wait for the lock of the directory.
    pub lock_wait: Duration,
}

/// A new backup.
#[derive(Clone, Debug)]
pub struct Made {
    /// The backup.
    pub backup: Backup,
    /// The result of removing older backups.
    pub pruned: Pruned,
}

/// A database and a directory that are ready for a backup.
pub struct Ready<'a> {
    subject: Subject<'a>,
    store: &'a Store,
    source: Box<dyn Source>,
    making: Making,
}

/// Checks whether a backup can be created, before starting one.
///
/// # Errors
/// The reason why no backup can be created.
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

/// Creates a backup. It is listed only when it is complete; older ones are removed after that.
///
/// # Errors
/// Fails when the backup cannot be created; no partial backup is left then.
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
    // The contents were counted while the file was read. The file is synced to disk before it is
    // listed.
    let named = (subject.name(), source.extension());
    let wait = making.wait(watch);
    let backup = store.publish(draft, manifest, (&named.0, named.1), wait)?;
    let pruned = store.prune(&backup, making.keep, wait);
    Ok(Made { backup, pruned })
}

impl Ready<'_> {
    /// Prefers time to size: the backup is removed soon.
    pub fn hurry(&mut self) {
        self.source.hurry();
    }

    /// About how much room the backup takes, and the database that it is loaded into.
    ///
    /// # Errors
    /// Fails when the database does not answer.
    pub async fn size(&mut self) -> Result<CopySize, BackupError> {
        Ok(self.source.size().await?)
    }
}

impl Making {
    fn wait(self, watch: &Observer) -> Wait<'_> {
        Wait {
            limit: self.lock_wait,
            watch,
        }
    }
}
