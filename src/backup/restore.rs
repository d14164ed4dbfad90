use super::{
    Backup, BackupError, Kept, Observer, OwnersCode, Subject, TargetState,
    verify::{archive, load, open},
};
use crate::database::{
    CopyError, Database, DatabaseError,
    backup::{Purpose, ReplaceOptions, Target},
};

/// A restore in progress. [`Restore::leave`] must be called on every outcome.
pub struct Restore<'a> {
    backup: &'a Backup,
    target: Box<dyn Target>,
}

/// The result of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The state of the database before, compared with the backup.
    pub before: TargetState,
    /// What happened to the old database.
    pub kept: Kept,
    /// Code that ran as another role while the backup was loaded.
    pub owners_code: Option<OwnersCode>,
}

impl<'a> Restore<'a> {
    /// Checks whether the backup can be restored to the database, without reading or changing
    /// anything.
    ///
    /// # Errors
    /// The reason why the backup cannot be restored.
    pub async fn open(
        subject: Subject<'_>,
        backup: &'a Backup,
        no_owner: bool,
    ) -> Result<Self, BackupError> {
        let target = open(subject, backup, Purpose::Restore { no_owner }).await?;
        Ok(Self { backup, target })
    }

    /// The connection on which to take the lock; `None` if the database does not exist yet.
    pub fn lockable(&mut self) -> Option<&mut dyn Database> {
        self.target.lockable()
    }

    /// Restores into a scratch database, compares that with the manifest, and replaces the
    /// database. If the database may have changed since the backup, it is replaced only if
    /// `overwrite` is set.
    ///
    /// # Errors
    /// Fails when the restore is not possible; the old database is then still in place.
    pub async fn run(
        &mut self,
        overwrite: bool,
        discard_old: bool,
        watch: &Observer,
    ) -> Result<Restored, BackupError> {
        let stored = self.backup.manifest.stored();
        let archive = archive(self.backup, &stored);
        let before = self.target.state(&archive, watch).await?;
        if before == TargetState::Changed && !overwrite {
            return Err(self.changed(false));
        }
        load(self.target.as_mut(), self.backup, watch).await?;
        let options = ReplaceOptions {
            only_unchanged: !overwrite,
            keep_old: !discard_old,
        };
        let kept = self.target.replace(options, watch).await;
        let kept = kept.map_err(|error| match error {
            CopyError::Database(DatabaseError::StateChanged { .. }) if !overwrite => {
                self.changed(true)
            }
            error => error.into(),
        })?;
        Ok(Restored {
            before,
            kept,
            owners_code: self.target.owners_code(),
        })
    }

    /// Removes the scratch database and releases the lock.
    ///
    /// # Errors
    /// Fails when that is not possible.
    pub async fn leave(self) -> Result<(), BackupError> {
        Ok(self.target.leave().await?)
    }

    fn changed(&self, meanwhile: bool) -> BackupError {
        let made_at = self.backup.manifest.made_at;
        BackupError::Changed {
            made: made_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            meanwhile,
        }
    }
}
