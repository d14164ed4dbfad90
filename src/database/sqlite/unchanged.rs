//! Locks a database for a copy over it, unless others have written to it since it was read.
//!
//! SQLite itself must lock the destination of a copy, and forbids any other use of that connection
//! until the copy is complete, so it cannot be asked then what others have written. It is therefore
//! either asked before, under a lock that the copy inherits, or another connection is asked.

use std::{path::Path, thread, time::Instant};

use rusqlite::backup::{Backup, StepResult};

use super::{
    super::{
        DatabaseError, PlaceKind,
        backup::{Observer, Phase},
    },
    cancel::Control,
    connect::{Connection, PAUSE},
    handle::Failure,
    value::Value,
};

/// A number that changes when other connections commit. This reads the database.
pub(super) fn data_version(connection: &mut Connection) -> Result<i64, DatabaseError> {
    let version = connection.integer("PRAGMA main.data_version")?;
    version.ok_or_else(|| DatabaseError::Other("SQLite gives no data_version".to_owned()))
}

/// The journal mode in lower case. `change` may set another one.
pub(super) fn journal_mode(
    connection: &mut Connection,
    change: &str,
) -> Result<String, DatabaseError> {
    let rows = connection.query(&format!("PRAGMA main.journal_mode{change}"), &[])?;
    Ok(match rows.first().and_then(|row| row.first()) {
        Some(Value::Text(mode)) => mode.clone(),
        _ => String::new(),
    })
}

/// Locks a database without WAL, so that nobody else can use it until `connection` has written to
/// it or is closed. Returns false if others have written since [`data_version`] was `version`.
///
/// In the mode EXCLUSIVE, a lock outlives its transaction. Returning to NORMAL does not unlock by
/// itself: the lock ends with the next transaction, which is the copy.
pub(super) fn lock_unchanged(
    connection: &mut Connection,
    version: i64,
) -> Result<bool, DatabaseError> {
    connection.query("PRAGMA main.locking_mode = EXCLUSIVE", &[])?;
    let locked = connection.begin("exclusive").and_then(|()| {
        let found = data_version(connection);
        connection.commit()?;
        found
    });
    connection.query("PRAGMA main.locking_mode = NORMAL", &[])?;
    Ok(locked? == version)
}

/// Locks the destination of a copy for writing, without copying anything yet.
pub(super) fn lock_destination(
    copy: &Backup<'_, '_>,
    control: &Control,
    watch: &Observer,
    explain: impl Fn(Failure) -> DatabaseError,
) -> Result<(), DatabaseError> {
    let begin = Instant::now();
    loop {
        watch.at(Phase::Replacing, 0, 0)?;
        let stepped = copy.step(0).map_err(|error| explain(error.into()))?;
        if matches!(stepped, StepResult::More | StepResult::Done) {
            return Ok(());
        }
        let waited = begin.elapsed();
        if waited >= control.patience() {
            let reason = "the database is locked".to_owned();
            return Err(DatabaseError::Busy { waited, reason });
        }
        thread::sleep(PAUSE);
    }
}

/// Leaves WAL mode if that prevents the copy: pages of another size cannot be written to a WAL.
/// Returns whether it did.
pub(super) fn leaves_wal(
    live: &mut Connection,
    side: &mut Connection,
    file: &Path,
) -> Result<bool, DatabaseError> {
    let sizes = "PRAGMA main.page_size";
    if journal_mode(live, "")? != "wal" || live.integer(sizes)? == side.integer(sizes)? {
        return Ok(false);
    }
    if journal_mode(live, " = DELETE")? == "delete" {
        return Ok(true);
    }
    Err(DatabaseError::InUse {
        kind: PlaceKind::File,
        place: file.display().to_string(),
        by: vec!["another program, in WAL mode and with pages of another size".to_owned()],
    })
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::{super::connect::Source, *};

    async fn open(file: &Path) -> Connection {
        let source = Source::new(file).unwrap();
        let control = Control::new(Duration::ZERO);
        Connection::open(&source, true, &control).await.unwrap()
    }

    fn observer() -> Observer {
        Observer {
            progress: Arc::new(|_, _, _| ()),
            tell: Arc::new(drop),
            stopped: Arc::new(|| false),
        }
    }

    fn unexpected(failure: Failure) -> DatabaseError {
        panic!("{failure:?}")
    }

    fn is_locked(connection: &mut Connection) -> bool {
        let locked = matches!(connection.begin(""), Err(DatabaseError::Busy { .. }));
        connection.rollback();
        locked
    }

    async fn make(file: &Path, mode: &str, value: i64) {
        let mut connection = open(file).await;
        let set = journal_mode(&mut connection, &format!(" = {mode}")).unwrap();
        assert_eq!(set, mode);
        connection
            .write("CREATE TABLE t AS SELECT ?1 AS x", &[value.into()])
            .unwrap();
        connection.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_lock_lasts_from_the_question_to_the_end_of_the_copy() {
        for mode in ["delete", "truncate", "persist"] {
            let directory = tempfile::tempdir().unwrap();
            let (from, to) = (directory.path().join("from"), directory.path().join("to"));
            make(&from, "delete", 1).await;
            make(&to, "delete", 2).await;
            let (mut side, mut live, mut other) =
                (open(&from).await, open(&to).await, open(&to).await);
            let set = journal_mode(&mut live, &format!(" = {mode}")).unwrap();
            assert_eq!(set, mode);
            let version = data_version(&mut live).unwrap();
            assert!(!is_locked(&mut other));
            assert!(lock_unchanged(&mut live, version).unwrap());
            assert!(is_locked(&mut other));
            let copy = side.handle.copy_over(&mut live.handle).unwrap();
            assert!(is_locked(&mut other));
            lock_destination(
                &copy,
                &Control::new(Duration::ZERO),
                &observer(),
                unexpected,
            )
            .unwrap();
            assert!(is_locked(&mut other));
            assert_eq!(copy.step(-1), Ok(StepResult::Done));
            drop(copy);
            assert!(!is_locked(&mut other));
            assert_eq!(other.integer("SELECT x FROM t"), Ok(Some(1)));
            for connection in [side, live, other] {
                connection.close().await.unwrap();
            }
            let mut left: Vec<_> = std::fs::read_dir(directory.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            left.sort();
            let journal = (mode != "delete").then_some("to-journal");
            let expected: Vec<_> = ["from", "to"].into_iter().chain(journal).collect();
            assert_eq!(left, expected, "{mode}");
        }
    }

    #[tokio::test]
    async fn what_others_have_written_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("db");
        make(&file, "delete", 1).await;
        let (mut live, mut other) = (open(&file).await, open(&file).await);
        let version = data_version(&mut live).unwrap();
        other.write("UPDATE t SET x = 2", &[]).unwrap();
        assert!(!lock_unchanged(&mut live, version).unwrap());
        // The next transaction unlocks.
        let version = data_version(&mut live).unwrap();
        assert!(!is_locked(&mut other));
        assert!(lock_unchanged(&mut live, version).unwrap());
        live.close().await.unwrap();
        assert!(!is_locked(&mut other));
        other.close().await.unwrap();
    }

    #[tokio::test]
    async fn with_a_wal_another_connection_is_asked_while_the_destination_is_locked() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        make(&from, "delete", 1).await;
        make(&to, "wal", 2).await;
        let (mut side, mut live) = (open(&from).await, open(&to).await);
        let (mut target, mut other) = (open(&to).await, open(&to).await);
        let control = Control::new(Duration::ZERO);
        let version = data_version(&mut live).unwrap();
        let copy = side.handle.copy_over(&mut target.handle).unwrap();
        lock_destination(&copy, &control, &observer(), unexpected).unwrap();
        assert!(is_locked(&mut other));
        assert_eq!(data_version(&mut live), Ok(version));
        drop(copy);
        other.write("UPDATE t SET x = 3", &[]).unwrap();
        let copy = side.handle.copy_over(&mut target.handle).unwrap();
        lock_destination(&copy, &control, &observer(), unexpected).unwrap();
        assert_ne!(data_version(&mut live), Ok(version));
        drop(copy);
        assert_eq!(other.integer("SELECT x FROM t"), Ok(Some(3)));
        for connection in [side, target, live, other] {
            connection.close().await.unwrap();
        }
    }
}
