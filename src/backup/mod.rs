//! Backups: creating, listing, verifying and restoring them.
//!
//! This module decides what a backup contains and when it is valid; `database` copies and replaces
//! databases.

mod error;
mod make;
mod manifest;
mod origin;
mod restore;
mod store;
mod verify;

pub use crate::database::backup::{Kept, Note, Observer, OwnersCode, Phase, TargetState};
pub use error::BackupError;
pub use make::{Made, Making, Subject, make, ready};
pub use manifest::{Difference, Manifest};
pub use origin::Origin;
pub use restore::{Restore, Restored};
pub use store::{Backup, Pruned, Store, Wait};
pub use verify::{Verified, copy, verify};
