use std::{
    fs, io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::super::{
    DatabaseError, Location, Scratch, ScratchEntry, ScratchError, ScratchKind, ScratchWay,
    private_directory::{self, PrivateDirectory},
};
use crate::files::create_private;

/// The prefix of the names of directories with scratch databases.
const PREFIX: &str = "migrator-sqlite-";

/// The name of the database in such a directory.
const FILE: &str = "scratch.db";

/// A database in memory, which ends with its connection.
pub(in crate::database) struct InMemory(Location);

impl InMemory {
    pub(in crate::database) fn new() -> Self {
        Self(Location::Sqlite(PathBuf::from(":memory:")))
    }
}

#[async_trait]
impl Scratch for InMemory {
    fn location(&self) -> &Location {
        &self.0
    }

    fn shares_server(&self) -> bool {
        false
    }

    async fn keep(self: Box<Self>) -> Result<Box<dyn Scratch>, DatabaseError> {
        Ok(self)
    }

    async fn drop(self: Box<Self>) -> Result<(), DatabaseError> {
        Ok(())
    }
}

/// A file in a temporary directory of its own, which holds its journals as well.
pub(in crate::database) struct InDirectory {
    directory: PrivateDirectory,
    location: Location,
}

impl InDirectory {
    /// Removes what killed processes have left, and creates a directory for a database.
    ///
    /// # Errors
    /// Fails when the directory cannot be created.
    pub(in crate::database) fn create() -> Result<Self, ScratchError> {
        private_directory::sweep(PREFIX);
        let failed = |error: io::Error| {
            let reason = format!("{}: {error}", std::env::temp_dir().display());
            ScratchError(vec![(ScratchWay::File, DatabaseError::Other(reason))])
        };
        let directory = PrivateDirectory::create(PREFIX).map_err(failed)?;
        let file = directory.path().join(FILE);
        // An empty file is an empty database, which other programs can open.
        create_private(&file).map_err(failed)?;
        let location = Location::Sqlite(file);
        Ok(Self {
            directory,
            location,
        })
    }
}

#[async_trait]
impl Scratch for InDirectory {
    fn location(&self) -> &Location {
        &self.location
    }

    fn shares_server(&self) -> bool {
        false
    }

    async fn keep(self: Box<Self>) -> Result<Box<dyn Scratch>, DatabaseError> {
        Ok(self)
    }

    async fn drop(self: Box<Self>) -> Result<(), DatabaseError> {
        let path = self.directory.path().to_owned();
        let removed = self.directory.remove();
        removed.map_err(|error| DatabaseError::Other(format!("{}: {error}", path.display())))
    }
}

/// The files of scratch databases.
pub(in crate::database) fn list() -> Vec<ScratchEntry> {
    let found = private_directory::all(PREFIX).into_iter();
    found.map(|(path, lives)| entry(&path, lives)).collect()
}

/// Removes the files of scratch databases whose process has ended. Returns what was removed.
pub(in crate::database) fn drop_left() -> Vec<ScratchEntry> {
    let found = private_directory::all(PREFIX).into_iter();
    found
        .map(|(path, lives)| (entry(&path, lives), path))
        .filter(|(_, path)| private_directory::remove_if_left(path).unwrap_or(false))
        .map(|(entry, _)| entry)
        .collect()
}

fn entry(directory: &Path, lives: bool) -> ScratchEntry {
    let made_at = directory.metadata().and_then(|found| found.modified());
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = files.filter_map(|file| Some(file.metadata().ok()?.len()));
    ScratchEntry {
        name: directory.join(FILE).display().to_string(),
        kind: ScratchKind::Scratch,
        label: None,
        made_at: made_at.ok().map(DateTime::<Utc>::from),
        size: Some(sizes.sum()),
        in_use: lives,
    }
}
