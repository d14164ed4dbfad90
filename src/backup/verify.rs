use std::path::Path;

use super::{Backup, BackupError, Observer, Origin, OwnersCode, Subject};
use crate::database::{
    CopyError, Location,
    backup::{Archive, Contents, Purpose, Target},
    engine::target,
    stream::Digest,
};

/// The result of a successful verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The number of tables compared.
    pub tables: usize,
    /// The number of rows in these tables.
    pub rows: u64,
    /// Code that ran as another role during the verification.
    pub owners_code: Option<OwnersCode>,
    /// The reason why indexes could not be checked.
    pub unchecked: Option<String>,
}

/// Restores a backup into a scratch database, compares the contents with the manifest, and drops
/// it.
///
/// # Errors
/// [`BackupError::Damaged`] and [`BackupError::Differs`] when the backup is not as expected.
pub async fn verify(
    subject: Subject<'_>,
    backup: &Backup,
    watch: &Observer,
) -> Result<Verified, BackupError> {
    let mut target = open(subject, backup, Purpose::Verify).await?;
    let found = load(target.as_mut(), backup, watch).await;
    let owners_code = target.owners_code();
    let left = target.leave().await;
    let found = found?;
    left?;
    Ok(Verified {
        tables: found.tables.len(),
        rows: found.tables.values().sum(),
        owners_code,
        unchecked: found.unchecked,
    })
}

/// Loads a backup into a scratch database, and leaves it there, with statistics and settings like
/// those of the database `like`. Returns what was found in it.
///
/// # Errors
/// The errors of [`verify`]; no scratch database is left then.
pub async fn copy(
    subject: Subject<'_>,
    backup: &Backup,
    like: &Location,
    watch: &Observer,
) -> Result<(Box<dyn Target>, Contents), BackupError> {
    let mut target = open(subject, backup, Purpose::Verify).await?;
    let loaded = async {
        let found = load(target.as_mut(), backup, watch).await?;
        target.settle(like, watch).await?;
        Ok(found)
    };
    match loaded.await {
        Ok(found) => Ok((target, found)),
        Err(error) => {
            let _ = target.leave().await;
            Err(error)
        }
    }
}

/// Opens a place to load the backup into.
pub(super) async fn open(
    subject: Subject<'_>,
    backup: &Backup,
    purpose: Purpose,
) -> Result<Box<dyn Target>, BackupError> {
    let Subject { location, settings } = subject;
    let wanted = location.dialect();
    if let Some(found) = backup.manifest.dialect()
        && found != wanted
    {
        let file = backup.file.clone();
        return Err(BackupError::OtherDialect {
            file,
            found,
            wanted,
        });
    }
    let client = backup.manifest.properties.get("client");
    let client = client.and_then(|client| client.parse().ok());
    let directory = backup.file.parent().unwrap_or(Path::new("."));
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    Ok(target(location, settings, directory, purpose, client).await?)
}

/// Loads the backup into the scratch database and compares the contents.
pub(super) async fn load(
    target: &mut dyn Target,
    backup: &Backup,
    watch: &Observer,
) -> Result<Contents, BackupError> {
    let manifest = &backup.manifest;
    if !backup.is_whole {
        let size = backup.file.metadata().map_or(0, |found| found.len());
        let reason = format!("it has {size} bytes, and {} were written", manifest.size);
        return Err(damaged(backup, reason));
    }
    let stored = manifest.stored();
    let found = target.load(&archive(backup, &stored), watch).await;
    let found = found.map_err(|error| match error {
        CopyError::Damaged { reason } => damaged(backup, reason),
        error => error.into(),
    })?;
    let differences = manifest.differences(&found);
    if differences.is_empty() {
        return Ok(found);
    }
    Err(BackupError::Differs {
        file: backup.file.clone(),
        differences,
    })
}

pub(super) fn archive<'a>(backup: &'a Backup, stored: &'a Digest) -> Archive<'a> {
    let origin = backup.manifest.origin.as_ref();
    Archive {
        same_machine: origin.is_some_and(Origin::is_of_this_machine),
        file: &backup.file,
        compression: backup.manifest.compression,
        stored,
        mark: backup.manifest.mark.as_deref(),
        properties: &backup.manifest.properties,
    }
}

fn damaged(backup: &Backup, reason: String) -> BackupError {
    BackupError::Damaged {
        file: backup.file.clone(),
        reason,
    }
}
