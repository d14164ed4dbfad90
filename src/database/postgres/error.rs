//! Converts errors of the server and of sqlx.

use sqlx::postgres::{PgDatabaseError, PgErrorPosition, PgSeverity};

use super::{
    super::{DatabaseError, FailureKind, FailureNames, PlaceKind, SqlFailure, StepStage},
    tls,
};

/// Raised by the guard: another session holds the lock.
pub(super) const LOCK_LOST: &str = "MG001";
/// Raised by the guard and by records: the version table is not in the planned state.
pub(super) const STATE_CHANGED: &str = "MG002";
/// Raised by the guard: the session is not the one that was locked.
pub(super) const POOLED: &str = "MG003";

/// The class of SQLSTATEs for failed logins.
const INVALID_AUTHORIZATION: &str = "28";
const UNDEFINED_OBJECT: &str = "42704";
const INVALID_VALUE: &str = "22023";
const CANNOT_CHANGE_NOW: &str = "55P02";
const CANNOT_CONNECT: &str = "57P03";
const INVALID_DATABASE: &str = "3D000";
const LOCK_NOT_AVAILABLE: &str = "55P03";
const UNTRANSLATABLE: &str = "22P05";
const QUERY_CANCELED: &str = "57014";
const DEADLOCK: &str = "40P01";
const SERIALIZATION_FAILURE: &str = "40001";
const ACTIVE_TRANSACTION: &str = "25001";
const TRANSACTION_TERMINATION: &str = "2D000";
const READ_ONLY: &str = "25006";
const NOT_NULL_VIOLATION: &str = "23502";
const DEPENDENT_OBJECTS: &str = "2BP01";
/// The class of SQLSTATEs for statements that do not fit the schema.
const SYNTAX_OR_ACCESS: &str = "42";
const NO_TRANSACTION: &str = "25P01";
const UNIQUE_VIOLATION: &str = "23505";
const PROTOCOL_VIOLATION: &str = "08P01";
const NOT_SUPPORTED: &str = "0A000";
const INSUFFICIENT_PRIVILEGE: &str = "42501";
const OBJECT_IN_USE: &str = "55006";

/// The server's part of `error`, if the error is from the server and the connection is still
/// usable.
pub(super) fn from_server(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    let server: &PgDatabaseError = error.as_database_error()?.try_downcast_ref()?;
    let fatal = matches!(server.severity(), PgSeverity::Fatal | PgSeverity::Panic);
    (!fatal).then_some(server)
}

/// The SQLSTATE, if there is one.
pub(super) fn code(error: &sqlx::Error) -> Option<&str> {
    Some(from_database(error)?.code())
}

fn from_database(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// The reason why a connection broke, for display.
///
/// sqlx appends a line of the server's C source to a server's message, which is omitted.
pub(super) fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) => format!("TLS: {error}"),
        other => other.to_string(),
    }
}

/// Whether a pooler rejects the connection's options.
pub(super) fn refuses_options(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(PROTOCOL_VIOLATION | NOT_SUPPORTED))
}

/// Whether the server rejects connections without TLS.
pub(super) fn refuses_plain(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| code.starts_with(INVALID_AUTHORIZATION))
}

/// Whether a setting can only be set at login.
pub(super) fn is_too_late(error: &sqlx::Error) -> bool {
    code(error) == Some(CANNOT_CHANGE_NOW)
}

/// Whether the server does not know a setting or its value.
pub(super) fn refuses_setting(error: &sqlx::Error) -> bool {
    matches!(code(error), Some(UNDEFINED_OBJECT | INVALID_VALUE))
}

/// Whether a database was renamed or dropped during a login, which the server reports with a
/// detail. Another database may have its name now.
pub(super) fn was_just_renamed(error: &sqlx::Error) -> bool {
    let server: Option<&PgDatabaseError> = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref());
    server.is_some_and(|server| server.code() == INVALID_DATABASE && server.detail().is_some())
}

/// Whether a pooler refuses to begin a transaction.
pub(super) fn refuses_transactions(error: &sqlx::Error) -> bool {
    code(error) == Some(PROTOCOL_VIOLATION)
}

/// The error for a failed connection.
pub(super) fn connecting(error: &sqlx::Error, place: &str) -> DatabaseError {
    let place = place.to_owned();
    if let Some(reason) = other_protocol(error) {
        return DatabaseError::OtherProtocol { place, reason };
    }
    if let Some(problem) = tls::problem(error) {
        return DatabaseError::Tls { place, problem };
    }
    let reason = reason(error);
    match code(error) {
        Some(INVALID_DATABASE) => DatabaseError::Missing {
            kind: PlaceKind::Server,
            place,
        },
        // Only the detail names the missing privilege.
        Some(INSUFFICIENT_PRIVILEGE) => {
            let detail = from_database(error).and_then(PgDatabaseError::detail);
            let reason = detail.map_or(reason.clone(), |detail| format!("{reason}: {detail}"));
            DatabaseError::Denied { place, reason }
        }
        Some(code) if code.starts_with(INVALID_AUTHORIZATION) => {
            DatabaseError::Denied { place, reason }
        }
        Some(CANNOT_CONNECT) | None | Some(_) => DatabaseError::Unreachable {
            kind: PlaceKind::Server,
            place,
            reason,
        },
    }
}

/// The reason why the peer is not a PostgreSQL server, if it is none.
fn other_protocol(error: &sqlx::Error) -> Option<String> {
    match error {
        sqlx::Error::Protocol(text) => Some(text.clone()),
        sqlx::Error::Io(error) => {
            let text = error.to_string();
            tls::is_other_protocol(&text).then_some(text)
        }
        _ => None,
    }
}

/// The server's error, with `offset` into the statement.
pub(super) fn failure(error: &PgDatabaseError, offset: Option<usize>) -> SqlFailure {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let names = FailureNames {
        constraint: owned(error.constraint()),
        table: owned(error.table()),
        column: owned(error.column()),
    };
    let names = (names != FailureNames::default()).then_some(names);
    SqlFailure {
        kind: kind(error.code(), error.message()).or_else(|| extension(error)),
        code: Some(error.code().to_owned()),
        message: error.message().to_owned(),
        detail: owned(error.detail()),
        hint: owned(error.hint()),
        names: names.map(Box::new),
        context: owned(error.r#where()),
        offset,
    }
}

/// The kind of failure of a SQLSTATE.
fn kind(code: &str, message: &str) -> Option<FailureKind> {
    match code {
        UNTRANSLATABLE => character_named(message).map(FailureKind::Untranslatable),
        QUERY_CANCELED => Some(FailureKind::Cancelled),
        INSUFFICIENT_PRIVILEGE => Some(FailureKind::Privilege),
        OBJECT_IN_USE => Some(FailureKind::InUse),
        DEADLOCK | SERIALIZATION_FAILURE => Some(FailureKind::Conflict),
        ACTIVE_TRANSACTION | TRANSACTION_TERMINATION => Some(FailureKind::InTransaction),
        READ_ONLY => Some(FailureKind::ReadOnly),
        NOT_NULL_VIOLATION => Some(FailureKind::ContainsNull),
        DEPENDENT_OBJECTS => Some(FailureKind::Definition),
        _ if code.starts_with(SYNTAX_OR_ACCESS) => Some(FailureKind::Definition),
        _ => None,
    }
}

/// The kind of failure of CREATE EXTENSION without the extension's files. Its SQLSTATE differs between
/// versions of the server and is shared with other errors; the message may be in any language.
fn extension(error: &PgDatabaseError) -> Option<FailureKind> {
    let is_it = error.routine() == Some("parse_extension_control_file");
    is_it.then_some(FailureKind::MissingExtension)
}

/// The character whose bytes a message gives as `0xe2 0x86 0x92`, in any language.
fn character_named(message: &str) -> Option<char> {
    let words = message.split_whitespace();
    let bytes = words
        .map(|word| {
            word.strip_prefix("0x")
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        })
        .skip_while(Option::is_none)
        .map_while(|byte| byte);
    String::from_utf8(bytes.collect()).ok()?.chars().next()
}

/// The position in the sent text, in characters from 1.
pub(super) fn character(error: &PgDatabaseError) -> Option<usize> {
    match error.position()? {
        PgErrorPosition::Original(position) => Some(position),
        PgErrorPosition::Internal { .. } => None,
    }
}

/// Whether a cancel request ended the statement; statement_timeout is reported in the same way.
pub(super) fn is_cancel(error: &PgDatabaseError) -> bool {
    error.code() == QUERY_CANCELED
}

/// The error for a failure at `stage` of a step.
pub(super) fn at_stage(
    failure: SqlFailure,
    stage: StepStage,
    place: &str,
    blockers: Vec<String>,
) -> DatabaseError {
    let reason = failure.message.clone();
    let ours = stage == StepStage::Begin || stage == StepStage::Record;
    match failure.code.as_deref() {
        Some(LOCK_LOST) => DatabaseError::LockLost,
        Some(STATE_CHANGED) => DatabaseError::StateChanged { reason },
        Some(POOLED) => DatabaseError::Pooled {
            place: place.to_owned(),
        },
        Some(LOCK_NOT_AVAILABLE) => DatabaseError::LockTimeout { failure, blockers },
        Some(UNIQUE_VIOLATION) if ours => DatabaseError::StateChanged { reason },
        Some(READ_ONLY) if ours => DatabaseError::ReadOnly {
            kind: PlaceKind::Server,
            place: place.to_owned(),
            reason,
        },
        Some(NO_TRANSACTION) if stage == StepStage::Verify => DatabaseError::Other(
            "the script ended the transaction that it ran in; \
             what it did until then is committed and not recorded"
                .into(),
        ),
        _ => DatabaseError::Sql(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_kinds() {
        let check = |code, expected| assert_eq!(kind(code, ""), expected, "{code}");
        check(QUERY_CANCELED, Some(FailureKind::Cancelled));
        check(INSUFFICIENT_PRIVILEGE, Some(FailureKind::Privilege));
        check(OBJECT_IN_USE, Some(FailureKind::InUse));
        check(DEADLOCK, Some(FailureKind::Conflict));
        check(DEPENDENT_OBJECTS, Some(FailureKind::Definition));
        check("42P07", Some(FailureKind::Definition));
        check(NOT_NULL_VIOLATION, Some(FailureKind::ContainsNull));
        check(SERIALIZATION_FAILURE, Some(FailureKind::Conflict));
        check(ACTIVE_TRANSACTION, Some(FailureKind::InTransaction));
        check(TRANSACTION_TERMINATION, Some(FailureKind::InTransaction));
        check(READ_ONLY, Some(FailureKind::ReadOnly));
        check(UNIQUE_VIOLATION, None);
        let message = "character with byte sequence 0xe2 0x86 0x92 in encoding \"UTF8\" has no \
                       equivalent in encoding \"LATIN1\"";
        let expected = Some(FailureKind::Untranslatable('→'));
        assert_eq!(kind(UNTRANSLATABLE, message), expected);
    }
}
