use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use super::{Error, Project, Session};
use crate::{
    backup::{self, Backup, BackupError, Made, Making, Observer, OwnersCode, Store, Subject},
    database::{Location, Settings},
    execute::{EventKind, Sink},
};

/// Options for creating a backup.
#[derive(Clone, Debug)]
pub struct BackupArgs {
    /// The backup directory.
    pub store: Store,
    /// Compression and retention.
    pub making: Making,
    /// Receives progress, and may stop the work.
    pub observer: Observer,
}

/// A new backup.
#[derive(Debug)]
pub struct BackupReport {
    /// The database.
    pub database: String,
    /// The file, as named in messages.
    pub file: String,
    /// The backup.
    pub backup: Backup,
    /// Older backups that were removed.
    pub removed: Vec<String>,
    /// Backups that may be of another database at the same address. They are neither counted nor
    /// removed.
    pub not_counted: Vec<String>,
    /// The reason why older backups could not be removed.
    pub not_removed: Option<BackupError>,
    /// The duration.
    pub elapsed: Duration,
}

/// The backups of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupsReport {
    /// The directory, as named in messages.
    pub directory: String,
    /// The backups, oldest first, each with its file as named in messages.
    pub backups: Vec<(String, Backup)>,
}

/// A verified backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyBackupReport {
    /// The file, as named in messages.
    pub file: String,
    /// The backup.
    pub backup: Backup,
    /// Code that ran as another role during the verification.
    pub owners_code: Option<OwnersCode>,
    /// The reason why indexes could not be checked: they use something that only the application
    /// provides.
    pub unchecked: Option<String>,
    /// The duration.
    pub elapsed: Duration,
}

/// Creates a backup. Older ones are removed after it is complete.
///
/// # Errors
/// [`Error::Backup`]; no partial backup is left then.
pub async fn back_up(
    project: &Project,
    session: &Session,
    args: &BackupArgs,
) -> Result<BackupReport, Error> {
    let begin = Instant::now();
    let made = make(
        &Subject {
            location: session.location(),
            settings: session.settings(),
        },
        args,
    )
    .await?;
    let shown = |paths: &[PathBuf]| paths.iter().map(|path| project.show(path)).collect();
    Ok(BackupReport {
        database: session.place().to_owned(),
        file: project.show(&made.backup.file),
        removed: shown(&made.pruned.removed),
        not_counted: shown(&made.pruned.not_counted),
        backup: made.backup,
        not_removed: made.pruned.error,
        elapsed: begin.elapsed(),
    })
}

/// Lists the backups of a directory.
///
/// # Errors
/// Fails when the directory cannot be read.
pub fn list_backups(project: &Project, store: &Store) -> Result<BackupsReport, Error> {
    let backups = store.list()?.into_iter();
    Ok(BackupsReport {
        directory: project.show(store.directory()),
        backups: backups
            .map(|backup| (project.show(&backup.file), backup))
            .collect(),
    })
}

/// Restores a backup into a scratch database, compares that with the manifest and drops it. Without
/// a file, verifies the newest backup of the session's database.
///
/// # Errors
/// [`Error::Backup`] with every difference.
pub async fn verify_backup(
    project: &Project,
    session: &Session,
    store: &Store,
    file: Option<&Path>,
    observer: &Observer,
) -> Result<VerifyBackupReport, Error> {
    let begin = Instant::now();
    let subject = Subject {
        location: session.location(),
        settings: session.settings(),
    };
    let backup = match file {
        Some(file) => store.find(file)?,
        None => {
            let of = (&*subject.place(), &subject.origin());
            let newest = store.newest(of, session.dialect())?;
            newest.ok_or_else(|| BackupError::NoneYet {
                database: subject.shown(),
                directory: store.directory().to_owned(),
            })?
        }
    };
    let verified = backup::verify(subject, &backup, observer).await?;
    Ok(VerifyBackupReport {
        file: project.show(&backup.file),
        backup,
        owners_code: verified.owners_code,
        unchecked: verified.unchecked,
        elapsed: begin.elapsed(),
    })
}

/// Creates a backup before a run, with the lock held, and reports its file. A SQLite file that does
/// not exist needs no backup.
pub(super) async fn before_run(
    (location, settings): &(Location, Settings),
    wanted: Option<&BackupArgs>,
    events: &Sink,
    made_first: &OnceLock<Made>,
) -> Result<(), Error> {
    let Some(args) = wanted.filter(|_| !location.is_missing()) else {
        return Ok(());
    };
    if made_first.get().is_some() {
        return Ok(());
    }
    let begin = Instant::now();
    let settings = Settings {
        application_name: "migrator backup".to_owned(),
        ..settings.clone()
    };
    let subject = Subject {
        location,
        settings: &settings,
    };
    let made = make(&subject, args).await.map_err(Error::BackupBefore)?;
    events.tell(EventKind::BackedUp {
        file: made.backup.file.clone(),
        size: made.backup.manifest.size,
        elapsed: begin.elapsed(),
        removed: made.pruned.removed.clone(),
        not_removed: made.pruned.error.as_ref().map(ToString::to_string),
    });
    // The backup is created once: nothing has run between two plans.
    let _ = made_first.set(made);
    Ok(())
}

async fn make(subject: &Subject<'_>, args: &BackupArgs) -> Result<Made, BackupError> {
    let ready = backup::ready(*subject, &args.store, args.making, &args.observer).await?;
    backup::make(ready, &args.observer).await
}

/// Arguments of `restore`.
#[derive(Clone)]
pub struct RestoreArgs {
    /// The backup.
    pub backup: Backup,
    /// Whether to replace a database that has changed since the backup.
    pub overwrite: bool,
    /// Whether to drop the old database.
    pub discard_old: bool,
    /// PostgreSQL: whether to ignore ownership and privileges.
    pub no_owner: bool,
    /// Receives progress, and may stop the work.
    pub observer: Observer,
}

/// A restored backup.
#[derive(Debug)]
pub struct RestoreReport {
    /// The database.
    pub database: String,
    /// The backup's file, as named in messages.
    pub file: String,
    /// The backup.
    pub backup: Backup,
    /// The state of the database before, compared with the backup.
    pub before: backup::TargetState,
    /// What happened to the old database.
    pub kept: backup::Kept,
    /// The file of the old database as named in messages, if it was kept in one.
    pub kept_file: Option<String>,
    /// Code that ran as another role while the backup was loaded.
    pub owners_code: Option<OwnersCode>,
    /// An error that occurred after the restore was complete.
    pub not_removed: Option<BackupError>,
    /// The duration.
    pub elapsed: Duration,
}

/// Restores a database from a backup.
///
/// # Errors
/// [`Error::Backup`]; the old database is then still in place, unless the outcome is unknown.
pub async fn restore(
    project: &Project,
    session: &Session,
    args: &RestoreArgs,
) -> Result<RestoreReport, Error> {
    let begin = Instant::now();
    let subject = Subject {
        location: session.location(),
        settings: session.settings(),
    };
    let mut restore = backup::Restore::open(subject, &args.backup, args.no_owner).await?;
    let restored = locked(&mut restore, session, args).await;
    let left = restore.leave().await;
    let backup::Restored {
        before,
        kept,
        owners_code,
    } = restored?;
    Ok(RestoreReport {
        database: session.place().to_owned(),
        file: project.show(&args.backup.file),
        backup: args.backup.clone(),
        before,
        kept_file: match &kept {
            backup::Kept::File(file) => Some(project.show(file)),
            _ => None,
        },
        kept,
        owners_code,
        not_removed: left.err(),
        elapsed: begin.elapsed(),
    })
}

async fn locked(
    restore: &mut backup::Restore<'_>,
    session: &Session,
    args: &RestoreArgs,
) -> Result<backup::Restored, Error> {
    if let Some(database) = restore.lockable() {
        let (wait, _) = session.patience();
        let events = session.events().clone();
        crate::execute::lock(database, wait, session.stop_signal(), &events).await?;
    }
    let (overwrite, discard_old) = (args.overwrite, args.discard_old);
    Ok(restore.run(overwrite, discard_old, &args.observer).await?)
}
