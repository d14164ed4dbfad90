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

/// How a backup is made.
#[derive(Clone, Debug)]
pub struct BackupArgs {
    /// Where backups are.
    pub store: Store,
    /// How it is compressed, and how many are kept.
    pub making: Making,
    /// Receives the progress, and may stop the work.
    pub observer: Observer,
}

/// A backup that was made.
#[derive(Debug)]
pub struct BackupReport {
    /// The database.
    pub database: String,
    /// The file, as messages name it.
    pub file: String,
    /// The backup.
    pub backup: Backup,
    /// Older ones that were removed.
    pub removed: Vec<String>,
    /// Ones that may be of another database at the same address, and are neither counted nor removed.
    pub not_counted: Vec<String>,
    /// Why older ones were not removed, when they were to be.
    pub not_removed: Option<BackupError>,
    /// The duration.
    pub elapsed: Duration,
}

/// The backups of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupsReport {
    /// The directory, as messages name it.
    pub directory: String,
    /// The backups, the oldest first, each with its file as messages name it.
    pub backups: Vec<(String, Backup)>,
}

/// A backup that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyBackupReport {
    /// The file, as messages name it.
    pub file: String,
    /// The backup.
    pub backup: Backup,
    /// Whose code ran as another role meanwhile.
    pub owners_code: Option<OwnersCode>,
    /// Why its indexes could not be checked: the application has something that is not here.
    pub unchecked: Option<String>,
    /// The duration.
    pub elapsed: Duration,
}

/// Makes a backup. Older ones are removed once it is complete.
///
/// # Errors
/// [`Error::Backup`]; nothing is left then.
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
/// When it cannot be read.
pub fn list_backups(project: &Project, store: &Store) -> Result<BackupsReport, Error> {
    let backups = store.list()?.into_iter();
    Ok(BackupsReport {
        directory: project.show(store.directory()),
        backups: backups
            .map(|backup| (project.show(&backup.file), backup))
            .collect(),
    })
}

/// Restores a backup into a scratch database, compares it with its manifest, and drops that. Without
/// a file it is the newest backup of the session's database.
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

/// Makes a backup before a run, with the lock held, and says where it is. A SQLite file that does not
/// exist needs none.
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
    // It is made once: nothing has run between two plans.
    let _ = made_first.set(made);
    Ok(())
}

async fn make(subject: &Subject<'_>, args: &BackupArgs) -> Result<Made, BackupError> {
    let ready = backup::ready(*subject, &args.store, args.making, &args.observer).await?;
    backup::make(ready, &args.observer).await
}

/// What `restore` is asked for.
#[derive(Clone)]
pub struct RestoreArgs {
    /// The backup.
    pub backup: Backup,
    /// Whether a database that has changed since the backup is replaced.
    pub overwrite: bool,
    /// Whether the old database is dropped.
    pub discard_old: bool,
    /// PostgreSQL: whether ownership and privileges are left out.
    pub no_owner: bool,
    /// Receives the progress, and may stop the work.
    pub observer: Observer,
}

/// A backup that was put in the place of a database.
#[derive(Debug)]
pub struct RestoreReport {
    /// The database.
    pub database: String,
    /// The backup's file, as messages name it.
    pub file: String,
    /// The backup.
    pub backup: Backup,
    /// How the database differed from the backup before.
    pub before: backup::TargetState,
    /// The outcome for the old database.
    pub kept: backup::Kept,
    /// The same, where it is a file, as messages name it.
    pub kept_file: Option<String>,
    /// Whose code ran as another role while the backup was loaded.
    pub owners_code: Option<OwnersCode>,
    /// What went wrong after it was done.
    pub not_removed: Option<BackupError>,
    /// The duration.
    pub elapsed: Duration,
}

/// Puts a backup in the place of the database.
///
/// # Errors
/// [`Error::Backup`]; the database is the old one then, unless the outcome is unknown.
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
