//! Creates, drops and probes whole database files.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    super::{Access, DatabaseError, PlaceKind, Settings},
    blocking,
    cancel::Control,
    connect::{Connection, Source},
    lock::{Attempt, LockFile, real_path},
    value::{Row, Value},
};
use crate::files;

/// Files that SQLite keeps beside a database. The first two may contain data.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

/// A file that stays locked for longer is in use.
const PATIENCE: Duration = Duration::from_secs(1);

/// See [`crate::database::engine::create`].
pub async fn create(file: &Path, settings: &Settings) -> Result<bool, DatabaseError> {
    let source = on_disk(file)?;
    let exists = source.exists(Access::Create)?;
    // SQLite checks whether an existing file is a database. It also discards a journal left by an
    // earlier database of that name, instead of applying it to the new one.
    let control = Control::new(settings.connect_timeout);
    let connection = Connection::open(&source, !exists, &control).await?;
    connection.close().await?;
    Ok(!exists)
}

/// See [`crate::database::engine::probe`].
pub async fn probe(file: &Path, patience: Duration) -> Result<(), DatabaseError> {
    let source = on_disk(file)?;
    if source.exists(Access::Create)? {
        let control = Control::new(patience.min(PATIENCE));
        Connection::open(&source, false, &control)
            .await?
            .close()
            .await?;
    }
    Ok(())
}

/// Removes the file and its companions. See [`crate::database::engine::drop`].
///
/// The order leaves no damaged database behind, wherever it is interrupted. A journal or a WAL
/// without its database would be applied to whatever is created in its place later, perhaps a
/// backup; a database without its journal or WAL has lost data or is damaged. So no file with data
/// is removed before SQLite has written all of it back into the one file, which is removed last, in
/// one step. Until then the database is complete, and afterwards nothing is left.
pub async fn drop(file: &Path, settings: &Settings) -> Result<bool, DatabaseError> {
    let source = on_disk(file)?;
    let place = source.place();
    // Without its directory there is no place for a lock, and nothing to drop.
    if matches!(file.parent(), Some(directory) if !directory.as_os_str().is_empty() && !directory.is_dir())
    {
        return Ok(false);
    }
    let Attempt::Acquired(lock) = locked(file, settings, &place)? else {
        return Err(in_use(&place, "another migrator".to_owned()));
    };
    let real = real_path(file);
    match source.exists(Access::Existing) {
        Ok(_) => {}
        Err(DatabaseError::Missing { .. }) => {
            // Files left by an earlier database of that name belong to no other one.
            remove_companions(&real)?;
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    let control = Control::new(settings.connect_timeout.min(PATIENCE));
    let mut connection = Connection::open(&source, false, &control)
        .await
        .map_err(|error| busy_is_use(error, &place))?;
    let removed = blocking(|| {
        alone(&mut connection, &place)?;
        remove_companions(&real)?;
        sync_directory(&real);
        // On other systems an open file cannot be removed.
        if cfg!(unix) { remove(&real) } else { Ok(()) }
    });
    let closed = connection.close().await;
    removed?;
    closed?;
    if !cfg!(unix) {
        remove(&real)?;
    }
    sync_directory(&real);
    // Dropping the lock removes its file.
    std::mem::drop(lock);
    Ok(true)
}

fn on_disk(file: &Path) -> Result<Source, DatabaseError> {
    match Source::new(file)? {
        Source::Memory => Err(DatabaseError::InMemory),
        source => Ok(source),
    }
}

fn locked(file: &Path, settings: &Settings, place: &str) -> Result<Attempt, DatabaseError> {
    match LockFile::attempt(file, settings)? {
        Attempt::Held(Some(holder)) => Err(in_use(place, holder)),
        attempt => Ok(attempt),
    }
}

/// Writes everything back into the one file and keeps others out of it.
fn alone(connection: &mut Connection, place: &str) -> Result<(), DatabaseError> {
    // Leaving WAL mode requires exclusive access; the WAL is written back and removed. A hot
    // journal was rolled back when the file was opened.
    let mode = connection
        .query("PRAGMA main.journal_mode = DELETE", &[])
        .map_err(|error| busy_is_use(error, place))?;
    let is_home = |row: &Row| matches!(row.first(), Some(Value::Text(mode)) if mode == "delete");
    if !mode.first().is_some_and(is_home) {
        return Err(in_use(place, "another program".to_owned()));
    }
    connection
        .begin("exclusive")
        .map_err(|error| busy_is_use(error, place))
}

fn busy_is_use(error: DatabaseError, place: &str) -> DatabaseError {
    match error {
        DatabaseError::Busy { .. } => in_use(place, "another program".to_owned()),
        error => error,
    }
}

fn in_use(place: &str, by: String) -> DatabaseError {
    DatabaseError::InUse {
        kind: PlaceKind::File,
        place: place.to_owned(),
        by: vec![by],
    }
}

fn remove_companions(file: &Path) -> Result<(), DatabaseError> {
    for suffix in COMPANIONS {
        let mut name = OsString::from(file);
        name.push(suffix);
        let path = PathBuf::from(name);
        if path.symlink_metadata().is_ok() {
            remove(&path)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), DatabaseError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DatabaseError::ReadOnly {
            kind: PlaceKind::File,
            place: path.display().to_string(),
            reason: format!("it cannot be removed: {error}"),
        }),
        _ => Ok(()),
    }
}

/// Syncs the directory, so that names disappear in the order of their removal. Not every system
/// supports this.
fn sync_directory(file: &Path) {
    let directory = file.parent().unwrap_or(Path::new("/"));
    if let Ok(directory) = files::open_directory(directory) {
        let _ = directory.sync_all();
    }
}
