//! Session state: the settings of a session, and how changes by scripts are reverted.

use std::time::Duration;

use sqlx::{PgConnection, Row};

use super::{
    backend::Backend,
    connect,
    message::{literal, rows},
};
use crate::sql::mentions;

/// Reverts everything that a script can leave behind; may run in a transaction.
///
/// This cannot be DISCARD ALL, which releases the lock and cannot be rolled back. Migrator's
/// settings are part of the connection, so RESET restores them.
const RESET: [&str; 8] = [
    // CLOSE comes before DISCARD TEMP, which refuses tables that a cursor reads.
    "CLOSE ALL",
    "RESET SESSION AUTHORIZATION",
    "RESET ROLE",
    "RESET ALL",
    "DEALLOCATE ALL",
    "UNLISTEN *",
    "DISCARD TEMP",
    "DISCARD SEQUENCES",
];

/// A setting made at login, except through a pooler, which sets it once for all clients. There,
/// RESET restores the server's default.
pub(super) const ENCODING: &str = "SET client_encoding TO 'UTF8'";

/// Makes the server check whether this client still exists.
pub(super) const BE_WATCHFUL: &str = "SET client_connection_check_interval TO 500";

/// [`RESET`], followed by the settings that RESET does not restore.
pub(super) fn reset(backend: &Backend) -> impl Iterator<Item = &str> {
    RESET
        .into_iter()
        .chain(backend.pooled.then_some(ENCODING))
        .chain(backend.settings.iter().map(String::as_str))
        .chain(backend.path.as_ref().map(|path| path.session.as_str()))
        .chain(backend.is_watchful.then_some(BE_WATCHFUL))
}

/// Undoes `SET CONSTRAINTS ALL` within a transaction: each constraint is deferred as declared.
pub(super) const DECLARED_CONSTRAINTS: [&str; 2] = [
    "SET CONSTRAINTS ALL DEFERRED",
    "DO $migrator$DECLARE name pg_catalog.text; BEGIN \
     FOR name IN SELECT pg_catalog.format('%I.%I', n.nspname, c.conname) \
     FROM pg_catalog.pg_constraint AS c JOIN pg_catalog.pg_namespace AS n \
     ON n.oid OPERATOR(pg_catalog.=) c.connamespace \
     WHERE c.condeferrable AND NOT c.condeferred \
     LOOP EXECUTE pg_catalog.concat('SET CONSTRAINTS ', name, ' IMMEDIATE'); END LOOP; \
     END$migrator$",
];

/// Whether `statement` may create a deferrable constraint, other than through code stored
/// elsewhere.
pub(super) fn may_defer(statement: &str) -> bool {
    mentions(statement, "defer")
}

/// Whether there is a constraint that [`DECLARED_CONSTRAINTS`] concerns. In a large schema,
/// searching for one takes longer than a small step.
pub(super) async fn has_deferrable_constraints(
    connection: &mut PgConnection,
) -> Result<bool, sqlx::Error> {
    let sql =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c WHERE c.condeferrable)::text";
    Ok(answer(connection, sql).await? == "true")
}

/// The number of the open transaction.
pub(super) async fn transaction(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    answer(connection, "SELECT pg_catalog.txid_current()::text").await
}

/// The single text in the result of a query.
async fn answer(connection: &mut PgConnection, sql: &str) -> Result<String, sqlx::Error> {
    let found = rows(connection, sql).await?;
    found.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)
}

/// A command that fails outside that transaction. A savepoint would make the server scan everything
/// that the transaction has created.
pub(super) fn within(transaction: &str) -> String {
    format!(
        "SELECT CASE WHEN pg_catalog.txid_current() OPERATOR(pg_catalog.=) {transaction}::bigint \
         THEN 0 ELSE pg_catalog.concat('the script has ended the transaction of the run, and this is \
         another one: ', pg_catalog.txid_current())::integer END"
    )
}

/// The timeouts of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeouts {
    pub lock: Duration,
    pub statement: Duration,
}

impl Timeouts {
    /// The timeouts as options of a connection.
    pub fn options(self) -> [(&'static str, String); 2] {
        [
            ("lock_timeout", milliseconds(self.lock).to_string()),
            (
                "statement_timeout",
                milliseconds(self.statement).to_string(),
            ),
        ]
    }

    /// Commands that set both timeouts, for the transaction or (with an empty `scope`) the session.
    pub fn commands(self, scope: &str) -> [String; 2] {
        [
            format!("SET {scope} lock_timeout TO {}", milliseconds(self.lock)),
            format!(
                "SET {scope} statement_timeout TO {}",
                milliseconds(self.statement)
            ),
        ]
    }
}

/// A command that shows the server's administrators what runs in the session.
pub(super) fn name_command(label: &str) -> String {
    format!("SET application_name TO {}", shown_name(label))
}

/// An expression that sets the name for the transaction.
pub(super) fn name_setting(label: &str) -> String {
    let name = shown_name(label);
    format!("pg_catalog.set_config('application_name', {name}, true)")
}

/// An expression that sets the name for a part of a step: `migrator upgrade 20261122093000 3/7`.
pub(super) fn part_setting(label: &str, part: &str) -> String {
    let name = part_name(label, part);
    format!("pg_catalog.set_config('application_name', {name}, true)")
}

/// A command that sets the name for a part of a step, which takes the server hardly any time.
pub(super) fn part_command(label: &str, part: &str) -> String {
    format!("SET LOCAL application_name TO {}", part_name(label, part))
}

fn shown_name(label: &str) -> String {
    literal(connect::shortened(&format!("{NAME} {label}")))
}

fn part_name(label: &str, part: &str) -> String {
    let whole = format!("{NAME} {label}");
    let room = connect::LONGEST_NAME.saturating_sub(part.len() + 1);
    let whole = &whole[..whole.floor_char_boundary(room)];
    literal(&format!("{whole} {part}"))
}

/// The prefix of all names.
pub(super) const NAME: &str = "migrator";

/// An expression with its FROM that changes the session's lock_timeout from `from` to `to`.
pub(super) fn lock_timeout_swap(from: Duration, to: Duration) -> String {
    format!(
        "pg_catalog.set_config('lock_timeout', '{}', false) \
         FROM pg_catalog.pg_settings AS s \
         WHERE s.name OPERATOR(pg_catalog.=) 'lock_timeout'::pg_catalog.text \
         AND s.setting OPERATOR(pg_catalog.=) '{}'::pg_catalog.text",
        milliseconds(to),
        milliseconds(from)
    )
}

/// Commands that make the login role the current one until the transaction ends. `authorized` is
/// whether the session may have used SET SESSION AUTHORIZATION.
pub(super) fn login_role(authorized: bool) -> impl Iterator<Item = &'static str> {
    let authorization = authorized.then_some("SET LOCAL SESSION AUTHORIZATION DEFAULT");
    authorization
        .into_iter()
        .chain(["SET LOCAL role TO DEFAULT"])
}

/// A duration in the server's milliseconds. Zero means no limit there, so a shorter duration is
/// rounded up to one.
pub(super) fn milliseconds(time: Duration) -> i32 {
    let milliseconds = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    if milliseconds == 0 && !time.is_zero() {
        1
    } else {
        milliseconds
    }
}

/// Whether `statement` may change the client encoding, which must stay UTF-8.
pub(super) fn may_change_encoding(statement: &str) -> bool {
    mentions(statement, "client_encoding") || mentions(statement, "names")
}

/// Whether `statement` may change how later statements are parsed.
pub(super) fn may_change_lexing(statement: &str) -> bool {
    let statement = statement.to_ascii_lowercase();
    statement.contains("standard_conforming_strings")
        || (statement.starts_with("reset") && statement.ends_with("all"))
}

/// Whether `statement` may change the session's user.
pub(super) fn may_change_user(statement: &str) -> bool {
    mentions(statement, "authorization")
}

/// Whether `statement` may install Citus, which refuses some statements in a message with others.
pub(super) fn may_add_citus(statement: &str) -> bool {
    mentions(statement, "extension") && mentions(statement, "citus")
}

/// Whether `statement` sets the transaction's modes, which must come first.
pub(super) fn sets_transaction(statement: &str) -> bool {
    let mut words = statement.split_whitespace();
    let mut is = |word: &str| {
        words
            .next()
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    is("SET") && is("TRANSACTION")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_milliseconds() {
        let check = |time, expected| assert_eq!(milliseconds(time), expected, "{time:?}");
        check(Duration::ZERO, 0);
        check(Duration::from_nanos(1), 1);
        check(Duration::from_secs(2), 2000);
        check(Duration::MAX, i32::MAX);
    }

    #[test]
    fn leading_modes_are_recognised() {
        assert!(sets_transaction(
            "set\n transaction ISOLATION LEVEL SERIALIZABLE"
        ));
        assert!(!sets_transaction(
            "SET transaction_isolation = 'serializable'"
        ));
        assert!(!sets_transaction("SET"));
    }
}
