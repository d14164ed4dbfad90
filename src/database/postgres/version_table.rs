//! Reads the version table and its log.

mod layout;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::{DatabaseError, Detail},
    error, lock, lookup,
    message::{for_each, literal, rows},
    trust::{self, Relation, Use},
};
use crate::{
    revision::{
        AppliedRepeatable, AppliedRevision, Direction, Interruption, LAYOUT, LogRow, Observed,
        Partial, Row as TableRow, State, StoredScripts, Subject,
    },
    sql::in_quotes,
};

/// The version table's names, resolved and quoted.
#[derive(Clone, Debug)]
pub(super) struct VersionTable {
    schema: String,
    name: String,
    /// The table: `"schema"."table"`.
    pub quoted: String,
    /// The log: `"schema"."table_log"`.
    pub log: String,
    /// The key of the advisory lock.
    pub key: i64,
    /// Whether reading may skip the check for existence.
    pub presence: Presence,
    /// The privileges for writing that the role of the URL lacks.
    missing: Option<DatabaseError>,
    /// The reason why the choice of the table is ambiguous.
    ambiguity: Option<DatabaseError>,
}

/// Whether the table exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// The table existed when it was last read.
    There,
    /// The table must be looked up.
    Unknown,
}

/// The rows in answer to a state query, converted as they come.
struct StateRows {
    /// How many rows come before those of the version table.
    ahead: usize,
    /// These rows; the last is that of the layout.
    first: Vec<PgRow>,
    observed: Result<Observed, String>,
}

impl StateRows {
    fn new(ahead: usize) -> Self {
        Self {
            ahead,
            first: Vec::with_capacity(ahead),
            observed: Ok(Observed::of([], LAYOUT)),
        }
    }

    fn add(&mut self, row: PgRow) {
        if self.first.len() < self.ahead {
            self.first.push(row);
            return;
        }
        match (&mut self.observed, read_row(&row)) {
            (Ok(observed), Ok(row)) => observed.add(row),
            (Ok(_), Err(reason)) => self.observed = Err(reason),
            (Err(_), _) => {}
        }
    }
}

impl VersionTable {
    pub fn new(schema: &str, name: &str, presence: Presence) -> Self {
        let quote = in_quotes;
        Self {
            quoted: format!("{}.{}", quote(schema), quote(name)),
            log: format!("{}.{}", quote(schema), quote(&format!("{name}_log"))),
            key: lock::key(schema, name),
            schema: schema.to_owned(),
            name: name.to_owned(),
            presence,
            missing: None,
            ambiguity: None,
        }
    }

    /// Stores the other possible version tables.
    pub fn note_others(&mut self, exists: bool, others: Vec<String>) {
        self.ambiguity = (!others.is_empty()).then(|| DatabaseError::AmbiguousTable {
            table: self.shown(),
            exists,
            others,
        });
    }

    /// The reason why the choice of the table is ambiguous.
    pub fn ambiguity(&self) -> Option<&DatabaseError> {
        self.ambiguity.as_ref()
    }

    /// The schema, the name, and the name of the log, as in the catalog.
    pub fn names(&self) -> (&str, &str, String) {
        (&self.schema, &self.name, format!("{}_log", self.name))
    }

    /// The name for display: `schema.table`.
    pub fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Reads all rows. This takes one query if the table exists.
    pub async fn observe(
        &mut self,
        connection: &mut PgConnection,
        detail: Detail,
    ) -> Result<Observed, Trouble> {
        if !self.is_there(connection).await? {
            return Ok(Observed::default());
        }
        let layout = self.layout_query();
        let sql = self.state_query(detail);
        // The first row is that of the layout.
        let mut found = StateRows::new(1);
        match for_each(connection, &sql, |row| found.add(row)).await {
            Ok(()) => {}
            Err(error) if is_odd(&error) => {
                self.presence = Presence::Unknown;
                if !self.is_there(connection).await? {
                    return Ok(Observed::default());
                }
                // The columns differ: the layout shows whether it belongs to a newer version.
                if let Ok(found) = rows(connection, &layout).await {
                    self.logged_layout(found.first())?;
                }
                return Err(self.odd(&error));
            }
            Err(error) => return Err(error.into()),
        }
        self.state(found)
    }

    /// Takes the lock and reads all rows after that, in one message. `None` if another session holds the
    /// lock, if the table has to be looked for first, or if the server refuses something: the lock may
    /// have been taken then.
    pub async fn lock_and_observe(
        &self,
        connection: &mut PgConnection,
        detail: Detail,
    ) -> Result<Option<Observed>, Trouble> {
        if self.presence != Presence::There {
            return Ok(None);
        }
        // Each command sees what was committed before it.
        let sql = format!(
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\nSELECT {}::text;\n{}",
            lock::for_session(self.key),
            self.state_query(detail)
        );
        let mut found = StateRows::new(2);
        match for_each(connection, &sql, |row| found.add(row)).await {
            Err(error) if error::from_server(&error).is_some() => return Ok(None),
            read => read?,
        }
        let answer = found.first.first().map(|row| row.try_get::<&str, _>(0));
        match answer.transpose()? {
            Some("true") => self.state(found).map(Some),
            _ => Ok(None),
        }
    }

    /// Queries of the layout and of all rows.
    fn state_query(&self, detail: Detail) -> String {
        let script = match detail {
            Detail::Brief => "NULL",
            Detail::WithScripts => "t.down_script",
        };
        format!(
            "{};\nSELECT {COLUMNS}, {script} FROM {} AS t ORDER BY t.sequence",
            self.layout_query(),
            self.quoted
        )
    }

    /// The state in the answers to [`Self::state_query`].
    fn state(&self, found: StateRows) -> Result<Observed, Trouble> {
        let layout = self.check_layout(found.first.last())?;
        let mut observed = found
            .observed
            .map_err(|reason| self.not_a_version_table(reason))?;
        observed.layout = Some(layout);
        Ok(observed)
    }

    /// Reads the stored scripts of the rows of `subjects`.
    pub async fn scripts(
        &mut self,
        connection: &mut PgConnection,
        subjects: &[Subject],
    ) -> Result<Vec<StoredScripts>, Trouble> {
        if !self.is_there(connection).await? {
            return Ok(Vec::new());
        }
        let found = rows(connection, &self.layout_query()).await?;
        let up = match self.check_layout(found.first())? {
            1 => "NULL",
            _ => "t.up_script",
        };
        let names: Vec<_> = subjects.iter().map(|it| literal(it.as_str())).collect();
        let sql = format!(
            "SELECT t.revision::text, {up}::text, t.down_script::text FROM {} AS t \
             WHERE t.revision = ANY (ARRAY[{}]::text[])",
            self.quoted,
            names.join(", ")
        );
        let found = rows(connection, &sql).await?;
        found
            .iter()
            .map(|row| read_scripts(row).map_err(|reason| self.not_a_version_table(reason).into()))
            .collect()
    }

    /// Reads the log, oldest first; a missing log is empty.
    pub async fn log(&mut self, connection: &mut PgConnection) -> Result<Vec<LogRow>, Trouble> {
        if !self.is_there(connection).await? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT t.sequence::text, {}, t.event::text, t.revision::text, t.message::text, \
             t.outcome::text, t.duration_ms::text, t.actor::text, t.tool_version::text, \
             t.error::text, t.detail::text FROM {} AS t ORDER BY t.sequence",
            micros("t.at"),
            self.log
        );
        let found = match rows(connection, &sql).await {
            Err(error) if is_odd(&error) => return Err(self.odd(&error)),
            found => found?,
        };
        found
            .iter()
            .map(|row| read_log_row(row).map_err(|reason| self.not_a_version_table(reason).into()))
            .collect()
    }

    /// The layout of the tables, which must be supported; `None` if they are missing.
    pub async fn layout(&mut self, connection: &mut PgConnection) -> Result<Option<u32>, Trouble> {
        let observed = self.observe(connection, Detail::Brief).await?;
        Ok(observed.layout)
    }

    async fn is_there(&mut self, connection: &mut PgConnection) -> Result<bool, Trouble> {
        if self.presence == Presence::There {
            return Ok(true);
        }
        let exists = format!("SELECT {}", self.is_there_condition());
        let exists = rows(connection, &exists).await?;
        if !exists.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)? {
            return Ok(false);
        }
        let found = lookup::find(connection, Some(&self.schema), &self.name).await?;
        self.judge(connection, &found.in_doubt).await?;
        if !found.names.is_empty() && !found.names.contains(&self.name) {
            return Err(self
                .not_a_version_table("its log exists, but the table itself does not".into())
                .into());
        }
        if !found.names.is_empty() {
            self.presence = Presence::There;
        }
        Ok(!found.names.is_empty())
    }

    /// Refuses relations that could run others' code as the current role, or that it may not read.
    pub async fn judge(
        &mut self,
        connection: &mut PgConnection,
        found: &[Relation],
    ) -> Result<(), Trouble> {
        for relation in found.iter().filter(|one| one.schema == self.schema) {
            relation.judge(connection, Use::ReadAndWrite).await?;
            if let Some(missing) = relation.lacks(&["SELECT"]) {
                return Err(missing.into());
            }
            let wanted: &[_] = if relation.name == self.name {
                &["INSERT", "UPDATE", "DELETE"]
            } else {
                &["INSERT"]
            };
            self.missing = self.missing.take().or_else(|| relation.lacks(wanted));
        }
        Ok(())
    }

    /// Checks the privileges for writing.
    ///
    /// # Errors
    /// [`DatabaseError::MissingRights`] when the role of the URL may read both tables, but not
    /// write.
    pub fn check_writable(&self) -> Result<(), DatabaseError> {
        self.missing.clone().map_or(Ok(()), Err)
    }

    /// A condition that is true if either table exists.
    pub fn is_there_condition(&self) -> String {
        format!(
            "EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE n.nspname = {} AND c.relname IN ({}, {}) AND c.relkind NOT IN ('i', 'I', 't', 'c'))",
            literal(&self.schema),
            literal(&self.name),
            literal(&format!("{}_log", self.name)),
        )
    }

    fn not_a_version_table(&self, reason: String) -> DatabaseError {
        DatabaseError::NotAVersionTable {
            table: self.shown(),
            reason,
        }
    }

    fn odd(&mut self, error: &sqlx::Error) -> Trouble {
        self.presence = Presence::Unknown;
        self.not_a_version_table(error::reason(error)).into()
    }
}

/// A query for the relations with the name `name` or that of its log, in the schema that is given
/// as an expression.
pub(super) fn relations(name: &str, schema: &str) -> String {
    format!(
        "SELECT {} FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relname IN ({}, {}) AND c.relkind NOT IN ('i', 'I', 't', 'c') \
         AND n.nspname = {schema} ORDER BY 2",
        trust::columns(),
        literal(name),
        literal(&format!("{name}_log")),
    )
}

/// A query for other possible version tables: those whose name differs only in case from that in
/// `home` and, if the name `is_unqualified`, those in all other schemas that the role may use.
/// `within` is a condition that all of them and their logs meet, which an index serves.
pub(super) fn others(
    name: &str,
    home: &str,
    is_unqualified: bool,
    within: impl Fn(&str) -> String,
) -> String {
    let lower = literal(&name.to_lowercase());
    let log = literal(&format!("{name}_log").to_lowercase());
    let scope = match is_unqualified {
        true => "has_schema_privilege(n.oid, 'USAGE') AND n.nspname <> 'information_schema' \
             AND n.nspname !~ '^pg_'"
            .to_owned(),
        false => format!("n.nspname = {home}"),
    };
    format!(
        "SELECT n.nspname::text, c.relname::text FROM pg_class AS c \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE {} AND lower(c.relname) = {lower} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {scope} \
         AND NOT (n.nspname = {home} AND c.relname = {}) \
         AND EXISTS (SELECT FROM pg_class AS l WHERE l.relnamespace = c.relnamespace AND {} \
          AND lower(l.relname) = {log} AND l.relkind IN ('r', 'p', 'v', 'm', 'f')) ORDER BY 1, 2",
        within("c"),
        literal(name),
        within("l"),
    )
}

/// An error of a query: one of migrator or one of the connection.
#[derive(Debug)]
pub(super) enum Trouble {
    Ours(DatabaseError),
    Theirs(sqlx::Error),
}

impl From<DatabaseError> for Trouble {
    fn from(error: DatabaseError) -> Self {
        Self::Ours(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Theirs(error)
    }
}

/// The columns that [`read_row`] reads, followed by the down script. A quoted number gets the type of
/// the other operand; an integer would make the server search for an operator and a cast.
const COLUMNS: &str = "t.sequence::text, t.revision::text, t.kind::text, t.message::text, \
     t.parents::text, t.depends_on::text, t.up_checksum::text, t.down_checksum::text, \
     t.state::text, t.direction::text, t.script::text, t.statements_done::text, \
     t.statements_total::text, t.statement_checksums::text, t.error::text, \
     (pg_catalog.date_part('epoch', t.started_at) * '1000000')::bigint::text, \
     (pg_catalog.date_part('epoch', t.applied_at) * '1000000')::bigint::text, \
     t.duration_ms::text, t.applied_by::text, t.tool_version::text, t.batch::text";

fn micros(column: &str) -> String {
    format!("(pg_catalog.date_part('epoch', {column}) * '1000000')::bigint::text")
}

/// Whether a table or column is missing or a type has no cast, so that migrator has not created the
/// table. Missing privileges are in the same class but no inconsistency.
fn is_odd(error: &sqlx::Error) -> bool {
    error::code(error).is_some_and(|code| code.starts_with("42") && code != "42501")
}

fn read_row(row: &PgRow) -> Result<TableRow, String> {
    let sequence: i64 = value(row, 0)?;
    read_columns(row, sequence).map_err(|reason| format!("row {sequence}: {reason}"))
}

fn read_columns(row: &PgRow, sequence: i64) -> Result<TableRow, String> {
    match word(row, 2)? {
        "revision" => read_revision(row, sequence).map(TableRow::Revision),
        "repeatable" => read_repeatable(row, sequence).map(TableRow::Repeatable),
        other => Err(format!("`{other}` is not a kind")),
    }
}

fn read_repeatable(row: &PgRow, sequence: i64) -> Result<AppliedRepeatable, String> {
    Ok(AppliedRepeatable {
        sequence,
        id: value(row, 1)?,
        message: value(row, 3)?,
        upon: list(row, 4)?,
        checksum: value(row, 6)?,
        started_at: time(value(row, 15)?)?,
        applied_at: time(value(row, 16)?)?,
        duration_ms: value(row, 17)?,
        applied_by: value(row, 18)?,
        tool_version: value(row, 19)?,
    })
}

fn read_revision(row: &PgRow, sequence: i64) -> Result<AppliedRevision, String> {
    let state = match word(row, 8)? {
        "applied" => State::Applied,
        "partial" => read_partial(row)?.into(),
        other => return Err(format!("`{other}` is not a state")),
    };
    Ok(AppliedRevision {
        sequence,
        revision: value(row, 1)?,
        message: value(row, 3)?,
        parents: list(row, 4)?,
        depends_on: list(row, 5)?,
        up_checksum: value(row, 6)?,
        down_checksum: optional(row, 7)?,
        state,
        started_at: time(value(row, 15)?)?,
        applied_at: optional(row, 16)?.map(time).transpose()?,
        duration_ms: value(row, 17)?,
        applied_by: value(row, 18)?,
        tool_version: value(row, 19)?,
        down_script: optional(row, 21)?,
    })
}

fn read_scripts(row: &PgRow) -> Result<StoredScripts, String> {
    Ok(StoredScripts {
        subject: value(row, 0)?,
        up: text(row, 1)?.map(Into::into),
        down: text(row, 2)?.map(Into::into),
    })
}

fn read_partial(row: &PgRow) -> Result<Partial, String> {
    let direction = match word(row, 9)? {
        "up" => Direction::Up,
        "down" => Direction::Down,
        other => return Err(format!("`{other}` is not a direction")),
    };
    Ok(Partial {
        direction,
        script: value(row, 10)?,
        statements_done: value(row, 11)?,
        statements_total: value(row, 12)?,
        statements_digest: value(row, 13)?,
        interruption: text(row, 14)?.map(Interruption::from),
        batch: optional(row, 20)?.map(Box::new),
    })
}

fn read_log_row(row: &PgRow) -> Result<LogRow, String> {
    Ok(LogRow {
        sequence: value(row, 0)?,
        at: time(value(row, 1)?)?,
        event: value(row, 2)?,
        subject: optional(row, 3)?,
        message: optional(row, 4)?,
        outcome: value(row, 5)?,
        duration_ms: value(row, 6)?,
        actor: value(row, 7)?,
        tool_version: value(row, 8)?,
        error: optional(row, 9)?,
        detail: optional(row, 10)?,
    })
}

fn text(row: &PgRow, column: usize) -> Result<Option<&str>, String> {
    row.try_get(column).map_err(|error| error.to_string())
}

fn optional<T: FromStr<Err: ToString>>(row: &PgRow, column: usize) -> Result<Option<T>, String> {
    let found = text(row, column)?;
    found
        .map(|text| text.parse())
        .transpose()
        .map_err(|error: T::Err| error.to_string())
}

fn value<T: FromStr<Err: ToString>>(row: &PgRow, column: usize) -> Result<T, String> {
    let parsed = word(row, column)?.parse();
    parsed.map_err(|error: T::Err| error.to_string())
}

fn word(row: &PgRow, column: usize) -> Result<&str, String> {
    text(row, column)?.ok_or_else(|| format!("column {} is null", column + 1))
}

/// A list of comma-separated values, which never contain a comma.
fn list<T: FromStr<Err: ToString>>(row: &PgRow, column: usize) -> Result<Vec<T>, String> {
    word(row, column)?
        .split(',')
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().map_err(|error: T::Err| error.to_string()))
        .collect()
}

fn time(micros: i64) -> Result<DateTime<Utc>, String> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| format!("{micros} is not a time"))
}
