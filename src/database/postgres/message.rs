//! A simple-query message: many commands in one round trip.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, Row, postgres::PgRow, raw_sql};

use super::{super::StepStage, error};

/// Commands that are sent together, each with its purpose.
#[derive(Debug, Default)]
pub(super) struct Message {
    sql: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    stage: StepStage,
    start: usize,
    end: usize,
    role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A command whose result is used.
    Command,
    /// A query of the server's time, when the preceding command is done.
    Clock,
    /// A mark that shows other sessions what comes next.
    Mark,
}

/// The measured duration of a finished command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Took {
    /// The duration by the server's clock.
    Exactly(Duration),
    /// The time between the preceding result and its own.
    Answered(Duration),
}

/// A query of the server's clock in microseconds. The server sends its results after the whole
/// message, so only its own clock can measure each command.
const CLOCK: &str = "SELECT (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) \
     OPERATOR(pg_catalog.*) 1000000::double precision)::bigint::pg_catalog.text";

/// A failed message, with the location and the error.
#[derive(Debug)]
pub(super) struct Failed {
    pub stage: StepStage,
    /// The byte offset within the command.
    pub offset: Option<usize>,
    pub error: sqlx::Error,
}

impl Message {
    /// Adds a command, without its `;`.
    pub fn push(&mut self, stage: StepStage, command: &str) {
        self.add(stage, command, Role::Command);
    }

    /// Adds a command that tells other sessions that the commands for `stage` come next.
    pub fn push_mark(&mut self, stage: StepStage, command: &str) {
        self.add(stage, command, Role::Mark);
    }

    /// Adds a command whose duration the server measures.
    pub fn push_timed(&mut self, stage: StepStage, command: &str) {
        let mut parts = self.parts.iter().rev().map(|part| part.role);
        if parts.find(|role| *role != Role::Mark) != Some(Role::Clock) {
            self.add(stage, CLOCK, Role::Clock);
        }
        self.add(stage, command, Role::Command);
        self.add(stage, CLOCK, Role::Clock);
    }

    fn add(&mut self, stage: StepStage, command: &str, role: Role) {
        let start = self.sql.len();
        self.sql.push_str(command);
        self.parts.push(Part {
            stage,
            start,
            end: self.sql.len(),
            role,
        });
        // The semicolon is on its own line, in case the command ends with a comment.
        self.sql.push_str("\n;\n");
    }

    /// Adds commands with the same purpose.
    pub fn extend<'a>(&mut self, stage: StepStage, commands: impl IntoIterator<Item = &'a str>) {
        for command in commands {
            self.push(stage, command);
        }
    }

    /// Appends the commands of `other`.
    pub fn append(&mut self, other: &Self) {
        for part in &other.parts {
            self.add(part.stage, &other.sql[part.start..part.end], part.role);
        }
    }

    /// The commands with their purposes.
    pub fn commands(&self) -> impl Iterator<Item = (StepStage, &str)> {
        let parts = self.parts.iter();
        parts.map(|part| (part.stage, &self.sql[part.start..part.end]))
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        self.sql.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The purpose of the last command.
    pub fn last_stage(&self) -> StepStage {
        self.parts
            .last()
            .map_or(StepStage::Begin, |part| part.stage)
    }

    /// Sends the message. `done` is called for each finished command with its purpose, rows and
    /// duration.
    pub async fn send(
        &self,
        connection: &mut PgConnection,
        mut done: impl FnMut(StepStage, u64, Took),
    ) -> Result<(), Failed> {
        let mut finished = 0;
        let mut since = Instant::now();
        let mut clock: Option<i64> = None;
        let mut answers = connection.fetch_many(raw_sql(AssertSqlSafe(self.sql.as_str())));
        // A command followed by a clock query is done when that is.
        let mut waiting: Option<(StepStage, u64)> = None;
        loop {
            match answers.try_next().await {
                Ok(None) => return Ok(()),
                Ok(Some(Either::Right(row))) if self.is_clock(finished) => {
                    let now = row.try_get::<String, _>(0).ok();
                    let now = now.and_then(|micros| micros.parse().ok());
                    if let Some((stage, rows)) = waiting.take() {
                        done(stage, rows, Took::Exactly(between(clock, now)));
                    }
                    clock = now;
                }
                Ok(Some(Either::Right(_))) => {}
                Ok(Some(Either::Left(result))) => {
                    let part = self.parts.get(finished);
                    let part = part.filter(|part| part.role == Role::Command);
                    let rows = result.rows_affected();
                    if let Some(part) = part {
                        if self.is_clock(finished + 1) {
                            waiting = Some((part.stage, rows));
                        } else {
                            done(part.stage, rows, Took::Answered(since.elapsed()));
                        }
                    }
                    finished += 1;
                    since = Instant::now();
                }
                Err(error) => return Err(self.failed(finished, error)),
            }
        }
    }

    /// Sends each command as a message of its own, for servers that refuse some commands in a message
    /// with others. The durations are measured here.
    pub async fn send_one_by_one(
        &self,
        connection: &mut PgConnection,
        mut done: impl FnMut(StepStage, u64, Took),
    ) -> Result<(), Failed> {
        for part in self.parts.iter().filter(|part| part.role != Role::Clock) {
            let mut one = Self::default();
            one.add(part.stage, &self.sql[part.start..part.end], part.role);
            one.send(connection, &mut done).await?;
        }
        Ok(())
    }

    fn is_clock(&self, part: usize) -> bool {
        self.parts
            .get(part)
            .is_some_and(|part| part.role == Role::Clock)
    }

    fn failed(&self, finished: usize, error: sqlx::Error) -> Failed {
        let character = error::from_server(&error).and_then(error::character);
        let (part, offset) = self.locate(finished, character);
        Failed {
            stage: self
                .parts
                .get(part)
                .map_or(StepStage::Commit, |part| part.stage),
            offset,
            error,
        }
    }

    /// The command that failed after `finished` ones, and the byte within it that corresponds to
    /// the server's `character` (from 1, in the whole message).
    ///
    /// A message is parsed as a whole first. A syntax error occurs before anything has run, so the
    /// position alone identifies its command.
    fn locate(&self, finished: usize, character: Option<usize>) -> (usize, Option<usize>) {
        let byte = character.and_then(|character| byte_of(&self.sql, character));
        let holder = byte.and_then(|byte| {
            let after = self.parts.partition_point(|part| part.start <= byte);
            after.checked_sub(1)
        });
        match (byte, holder) {
            (Some(byte), Some(holder)) if holder == finished || finished == 0 => {
                let part = &self.parts[holder];
                (holder, Some(byte.min(part.end) - part.start))
            }
            _ => (finished, None),
        }
    }
}

/// The server's clock may have been set back meanwhile.
fn between(since: Option<i64>, now: Option<i64>) -> Duration {
    let micros = since.zip(now).map_or(0, |(since, now)| now - since);
    Duration::from_micros(micros.try_into().unwrap_or(0))
}

/// The byte offset of the `character`th character of `text`, from 1. One past the last is the end.
pub(super) fn byte_of(text: &str, character: usize) -> Option<usize> {
    text.char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()])
        .nth(character.checked_sub(1)?)
}

/// Settings for migrator's own statements, until the end of their transaction.
///
/// The first one makes every name of an operator, function or type resolve to pg_catalog.
/// Otherwise, anyone who may create objects in a schema of the search path could plant a better
/// match for a call and have it run as this role. The second one turns rows that row level security
/// would hide into an error.
pub(super) const PINNED: [&str; 2] = [
    "SET LOCAL search_path TO pg_catalog, pg_temp",
    "SET LOCAL row_security TO off",
];

/// Suppresses warnings until the end of the transaction, such as that of a session that has ended
/// before it could be ended.
pub(super) const WITHOUT_WARNINGS: &str = "SET LOCAL client_min_messages TO error";

/// Sends `sql` as one message with the settings of [`PINNED`], and returns all rows.
pub(super) async fn rows(
    connection: &mut PgConnection,
    sql: &str,
) -> Result<Vec<PgRow>, sqlx::Error> {
    unpinned_rows(connection, &pinned(sql)).await
}

/// Sends `sql` as one message with the session's own settings, and returns all rows. This is for
/// statements that must be alone in their message or that concern the search path. Everything they
/// name must be qualified: `OPERATOR(pg_catalog.=)`, `pg_catalog.text`.
pub(super) async fn unpinned_rows(
    connection: &mut PgConnection,
    sql: &str,
) -> Result<Vec<PgRow>, sqlx::Error> {
    raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await
}

/// Sends `sql` as one message with the settings of [`PINNED`], and passes each row to `each`
/// without storing it.
pub(super) async fn for_each(
    connection: &mut PgConnection,
    sql: &str,
    mut each: impl FnMut(PgRow),
) -> Result<(), sqlx::Error> {
    let mut found = raw_sql(AssertSqlSafe(pinned(sql))).fetch(connection);
    while let Some(row) = found.try_next().await? {
        each(row);
    }
    Ok(())
}

/// Sends `sql` as one message with the session's own settings. Passes each row to `each` with the
/// number of its command, from 0, and `None` at the end of each command.
pub(super) async fn for_each_answer(
    connection: &mut PgConnection,
    sql: &str,
    mut each: impl FnMut(usize, Option<PgRow>),
) -> Result<(), sqlx::Error> {
    let mut command = 0;
    let mut answers = connection.fetch_many(raw_sql(AssertSqlSafe(sql)));
    while let Some(answer) = answers.try_next().await? {
        match answer {
            Either::Left(_) => {
                each(command, None);
                command += 1;
            }
            Either::Right(row) => each(command, Some(row)),
        }
    }
    Ok(())
}

/// `sql` preceded by the settings of [`PINNED`]. Several statements in one message are one
/// transaction.
pub(super) fn pinned(sql: &str) -> String {
    format!("{};\n{sql}", PINNED.join(";\n"))
}

/// `text` as a literal that is valid with either value of standard_conforming_strings.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// `body` as a DO block, in quotes that do not occur in it.
pub(super) fn block(body: &str) -> String {
    let tag = (0..)
        .map(|number| format!("$migrator{number}$"))
        .find(|tag| !body.contains(tag.as_str()))
        .expect("a text of finite length does not hold every number");
    format!("DO {tag}{body}{tag}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_position_leads_to_its_command() {
        let mut message = Message::default();
        message.push(StepStage::Begin, "BEGIN");
        message.push(StepStage::Statement(0), "SELECT 'żółć' x");
        message.push(StepStage::Statement(1), "SELECT y -- ż");
        let position = |needle: &str| {
            let byte = message.sql.find(needle).unwrap();
            message.sql[..byte].chars().count() + 1
        };
        let check = |finished, character, expected| {
            assert_eq!(message.locate(finished, character), expected);
        };
        check(1, Some(position("x")), (1, Some("SELECT 'żółć' ".len())));
        check(2, Some(position("y")), (2, Some(7)));
        // Nothing has run: a syntax error in a later command.
        check(0, Some(position("y")), (2, Some(7)));
        // A position in a command that did not run says nothing.
        check(1, Some(position("y")), (1, None));
        check(2, Some(position("x")), (2, None));
        check(2, None, (2, None));
        // Past the end of the input.
        check(2, Some(message.sql.chars().count() + 1), (2, Some(14)));
        check(2, Some(10_000), (2, None));
        check(2, Some(0), (2, None));
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal(r"a'b\c"), r"E'a''b\\c'");
    }

    proptest! {
        #[test]
        fn a_block_ends_where_its_body_ends(body in "(\\$migrator[0-2]\\$|[$a-z ]){0,8}") {
            let sql = block(&body);
            let quoted = sql.strip_prefix("DO ").unwrap();
            let tag = &quoted[..quoted[1..].find('$').unwrap() + 2];
            prop_assert_eq!(quoted, format!("{tag}{body}{tag}"));
            // This also holds if the last `$` of the body would join the first of the tag.
            prop_assert_eq!(quoted[tag.len()..].find(tag), Some(body.len()));
        }
    }
}
