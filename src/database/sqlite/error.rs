use std::time::Duration;

use rusqlite::ffi;

use super::{
    super::{DatabaseError, FailureKind, PlaceKind, SqlFailure},
    handle::Failure,
};

/// Translates a failure. `place` is the location of the database, and `waited` the time spent
/// waiting for a lock.
pub(super) fn translate(failure: Failure, place: &str, waited: Duration) -> DatabaseError {
    let place = place.to_owned();
    let reason = failure.message.clone();
    match failure.primary() {
        // SCHEMA: others changed the schema twice while a statement was being prepared.
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_SCHEMA => {
            DatabaseError::Busy { waited, reason }
        }
        ffi::SQLITE_READONLY => DatabaseError::ReadOnly {
            kind: PlaceKind::File,
            place,
            reason,
        },
        ffi::SQLITE_INTERRUPT => DatabaseError::Interrupted,
        ffi::SQLITE_NOTADB => DatabaseError::NotADatabase { place, reason },
        ffi::SQLITE_CANTOPEN => DatabaseError::Unreachable {
            kind: PlaceKind::File,
            place,
            reason,
        },
        _ => DatabaseError::Sql(sql_failure(failure)),
    }
}

/// Translates a failure of a script's own statement. Only causes outside the statement are
/// distinguished; a file that cannot be opened, for example, is one that the script attached.
pub(super) fn translate_statement(
    failure: Failure,
    place: &str,
    waited: Duration,
) -> DatabaseError {
    match failure.primary() {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_READONLY | ffi::SQLITE_INTERRUPT => {
            translate(failure, place, waited)
        }
        _ => DatabaseError::Sql(sql_failure(failure)),
    }
}

fn sql_failure(failure: Failure) -> SqlFailure {
    let hint = match failure.primary() {
        ffi::SQLITE_FULL => {
            Some("make room on the disk, or raise max_page_count, and run it again")
        }
        ffi::SQLITE_IOERR => Some("the disk failed or is full; check it, then run it again"),
        ffi::SQLITE_CORRUPT => Some("the file is damaged; look at it with PRAGMA integrity_check"),
        _ => None,
    };
    SqlFailure {
        kind: kind(&failure),
        code: Some(code_name(failure.code)),
        message: failure.message,
        hint: hint.map(str::to_owned),
        offset: failure.offset,
        ..SqlFailure::default()
    }
}

/// The kind of a failure that has no code of its own.
fn kind(failure: &Failure) -> Option<FailureKind> {
    if failure.message == "Cannot add a NOT NULL column with default value NULL" {
        return Some(FailureKind::AddedNull);
    }
    // SQLite knows the place of what it finds while it prepares a statement, before it sees a row.
    let is_found_early = failure.code == ffi::SQLITE_ERROR && failure.offset.is_some();
    is_found_early.then_some(FailureKind::Definition)
}

/// SQLite's name of a result code, such as `SQLITE_CONSTRAINT_UNIQUE`.
fn code_name(code: i32) -> String {
    name(code)
        .or_else(|| name(code & 0xff))
        .map_or_else(|| format!("SQLITE_{code}"), str::to_owned)
}

macro_rules! names {
    ($($code:ident)*) => {
        fn name(code: i32) -> Option<&'static str> {
            match code {
                $(ffi::$code => Some(stringify!($code)),)*
                _ => None,
            }
        }
    };
}

names! {
    SQLITE_ERROR SQLITE_INTERNAL SQLITE_PERM SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM
    SQLITE_READONLY SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT SQLITE_NOTFOUND SQLITE_FULL
    SQLITE_CANTOPEN SQLITE_PROTOCOL SQLITE_SCHEMA SQLITE_TOOBIG SQLITE_CONSTRAINT SQLITE_MISMATCH
    SQLITE_MISUSE SQLITE_NOLFS SQLITE_AUTH SQLITE_RANGE SQLITE_NOTADB
    SQLITE_ABORT_ROLLBACK
    SQLITE_BUSY_RECOVERY SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_TIMEOUT
    SQLITE_CANTOPEN_NOTEMPDIR SQLITE_CANTOPEN_ISDIR SQLITE_CANTOPEN_FULLPATH
    SQLITE_CANTOPEN_CONVPATH SQLITE_CANTOPEN_SYMLINK
    SQLITE_CONSTRAINT_CHECK SQLITE_CONSTRAINT_COMMITHOOK SQLITE_CONSTRAINT_DATATYPE
    SQLITE_CONSTRAINT_FOREIGNKEY SQLITE_CONSTRAINT_FUNCTION SQLITE_CONSTRAINT_NOTNULL
    SQLITE_CONSTRAINT_PINNED SQLITE_CONSTRAINT_PRIMARYKEY SQLITE_CONSTRAINT_ROWID
    SQLITE_CONSTRAINT_TRIGGER SQLITE_CONSTRAINT_UNIQUE SQLITE_CONSTRAINT_VTAB
    SQLITE_CORRUPT_INDEX SQLITE_CORRUPT_SEQUENCE SQLITE_CORRUPT_VTAB
    SQLITE_ERROR_MISSING_COLLSEQ SQLITE_ERROR_RETRY SQLITE_ERROR_SNAPSHOT
    SQLITE_IOERR_ACCESS SQLITE_IOERR_BEGIN_ATOMIC SQLITE_IOERR_CHECKRESERVEDLOCK
    SQLITE_IOERR_CLOSE SQLITE_IOERR_COMMIT_ATOMIC SQLITE_IOERR_CORRUPTFS SQLITE_IOERR_DATA
    SQLITE_IOERR_DELETE SQLITE_IOERR_DELETE_NOENT SQLITE_IOERR_DIR_FSYNC SQLITE_IOERR_FSTAT
    SQLITE_IOERR_FSYNC SQLITE_IOERR_GETTEMPPATH SQLITE_IOERR_LOCK SQLITE_IOERR_MMAP
    SQLITE_IOERR_NOMEM SQLITE_IOERR_RDLOCK SQLITE_IOERR_READ SQLITE_IOERR_ROLLBACK_ATOMIC
    SQLITE_IOERR_SEEK SQLITE_IOERR_SHMLOCK SQLITE_IOERR_SHMMAP SQLITE_IOERR_SHMOPEN
    SQLITE_IOERR_SHMSIZE SQLITE_IOERR_SHORT_READ SQLITE_IOERR_TRUNCATE SQLITE_IOERR_UNLOCK
    SQLITE_IOERR_VNODE SQLITE_IOERR_WRITE
    SQLITE_LOCKED_SHAREDCACHE SQLITE_LOCKED_VTAB
    SQLITE_READONLY_CANTINIT SQLITE_READONLY_CANTLOCK SQLITE_READONLY_DBMOVED
    SQLITE_READONLY_DIRECTORY SQLITE_READONLY_RECOVERY SQLITE_READONLY_ROLLBACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_names() {
        let check = |code, name: &str| assert_eq!(code_name(code), name);
        check(1, "SQLITE_ERROR");
        check(2067, "SQLITE_CONSTRAINT_UNIQUE");
        check(19 | 99 << 8, "SQLITE_CONSTRAINT");
        check(99, "SQLITE_99");
    }

    #[test]
    fn codes_have_meanings() {
        let waited = Duration::from_secs(3);
        let failure = |code| Failure {
            code,
            message: "m".into(),
            offset: Some(4),
        };
        let check = |code, expected: DatabaseError| {
            assert_eq!(translate(failure(code), "p", waited), expected);
        };
        let (place, reason) = ("p".to_owned(), "m".to_owned());
        check(
            ffi::SQLITE_BUSY_SNAPSHOT,
            DatabaseError::Busy {
                waited,
                reason: reason.clone(),
            },
        );
        check(
            ffi::SQLITE_READONLY_DIRECTORY,
            DatabaseError::ReadOnly {
                kind: PlaceKind::File,
                place: place.clone(),
                reason: reason.clone(),
            },
        );
        check(ffi::SQLITE_INTERRUPT, DatabaseError::Interrupted);
        check(
            ffi::SQLITE_NOTADB,
            DatabaseError::NotADatabase {
                place: place.clone(),
                reason: reason.clone(),
            },
        );
        check(
            ffi::SQLITE_CANTOPEN,
            DatabaseError::Unreachable {
                kind: PlaceKind::File,
                place,
                reason,
            },
        );
        let DatabaseError::Sql(sql) = translate(failure(ffi::SQLITE_FULL), "p", waited) else {
            panic!("a full disk is an error of the statement");
        };
        assert_eq!(sql.code.as_deref(), Some("SQLITE_FULL"));
        assert_eq!(sql.offset, Some(4));
        assert!(sql.hint.is_some());
        let attached = translate_statement(failure(ffi::SQLITE_CANTOPEN), "p", waited);
        assert!(matches!(attached, DatabaseError::Sql(_)), "{attached:?}");
    }
}
