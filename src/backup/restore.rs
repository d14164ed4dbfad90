use super::{
    Backup, BackupError, Kept, Observer, OwnersCode, Subject, TargetState,
    verify::{archive, load, open},
};
use crate::database::{
    CopyError, Database, DatabaseError,
    backup::{Purpose, ReplaceOptions, Target},
};

/// A restore under way. Whatever comes of it, [`Restore::leave`] is to be called.
pub struct Restore<'a> {
    backup: &'a Backup,
    target: Box<dyn Target>,
}

/// The outcome of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// How the database stood to the backup before.
    pub before: TargetState,
    /// The outcome.
    pub kept: Kept,
    /// Whose code ran as another role while the backup was loaded.
    pub owners_code: Option<OwnersCode>,
}

impl<'a> Restore<'a> {
    /// Looks whether the backup can be restored there; nothing is read or changed yet.
    ///
    /// # Errors
    /// Why not.
    pub async fn open(
        subject: Subject<'_>,
        backup: &'a Backup,
        no_owner: bool,
    ) -> Result<Self, BackupError> {
        let target = open(subject, backup, Purpose::Restore { no_owner }).await?;
        Ok(Self { backup, target })
    }

    /// What holds the lock that is to be taken now; `None` where there is no database yet.
    pub fn lockable(&mut self) -> Option<&mut dyn Database> {
        self.target.lockable()
    }

    /// Restores to the side, compares with the manifest, and puts it in the place of the
    /// database. One that may hold more than the backup is replaced only if `overwrite` says so.
    ///
    /// # Errors
    /// What went wrong; the database is the old one then.
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

    /// Removes what is beside, and gives the lock back.
    ///
    /// # Errors
    /// When that cannot be done.
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
