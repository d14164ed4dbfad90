//! The definitions of the version table and its log, their layout, and its upgrade.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::{
        super::DatabaseError,
        message::{block, literal, rows},
    },
    Trouble, VersionTable,
};
use crate::revision::LAYOUT;

/// The tables have no CHECK constraints, which the server parses and plans again for every row and
/// which took as long as the row itself. Invalid values are refused when they are read.
const TABLE: &str = "
    sequence bigint PRIMARY KEY,
    revision text NOT NULL UNIQUE,
    kind text NOT NULL,
    message text NOT NULL,
    parents text NOT NULL,
    depends_on text NOT NULL,
    up_checksum text NOT NULL,
    down_checksum text,
    down_script text,
    state text NOT NULL,
    direction text,
    script text,
    statements_done bigint,
    statements_total bigint,
    statement_checksums text,
    error text,
    batch text,
    started_at timestamptz NOT NULL,
    applied_at timestamptz,
    duration_ms bigint NOT NULL,
    applied_by text NOT NULL,
    tool_version text NOT NULL,
    up_script text
";

/// The column that layout 1 lacks.
const UP_SCRIPT: &str = "up_script";

const LOG: &str = "
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    event text NOT NULL,
    revision text,
    message text,
    outcome text NOT NULL,
    duration_ms bigint NOT NULL,
    actor text NOT NULL,
    tool_version text NOT NULL,
    error text,
    detail text
";

impl VersionTable {
    /// Commands that create both tables, in order, without a transaction around them.
    pub fn make(&self, actor: &str) -> Vec<String> {
        vec![
            format!("CREATE TABLE {} ({TABLE})", self.quoted),
            format!("CREATE TABLE {} ({LOG})", self.log),
            self.layout_entry(actor),
        ]
    }

    /// A command that upgrades tables of layout 1, and does nothing to others.
    pub fn upgrade(&self, actor: &str) -> String {
        block(&format!(
            "BEGIN
    IF NOT {} THEN
        ALTER TABLE {} ADD COLUMN {UP_SCRIPT} text;
        {};
    END IF;
END",
            self.has_ups(),
            self.quoted,
            self.layout_entry(actor),
        ))
    }

    /// Whether the version table has the column that layout 1 lacks, as SQL.
    fn has_ups(&self) -> String {
        format!(
            "EXISTS (SELECT FROM pg_catalog.pg_attribute AS a \
             WHERE a.attrelid OPERATOR(pg_catalog.=) {}::pg_catalog.regclass \
             AND a.attname OPERATOR(pg_catalog.=) '{UP_SCRIPT}'::pg_catalog.name \
             AND NOT a.attisdropped)",
            literal(&self.quoted)
        )
    }

    fn layout_entry(&self, actor: &str) -> String {
        format!(
            "INSERT INTO {} (event, outcome, duration_ms, actor, tool_version, detail) \
             VALUES ('layout', 'ok', 0, {}, {}, '{LAYOUT}')",
            self.log,
            literal(actor),
            literal(env!("CARGO_PKG_VERSION")),
        )
    }

    /// Checks that the role of the URL may upgrade the table.
    ///
    /// # Errors
    /// [`DatabaseError::NotOwner`] when the role is not a member of the owner.
    pub async fn check_owned(&self, connection: &mut PgConnection) -> Result<(), Trouble> {
        let sql = format!(
            "SELECT pg_has_role(current_user, c.relowner, 'USAGE')::text, \
             pg_get_userbyid(c.relowner)::text, current_user::text \
             FROM pg_class AS c WHERE c.oid = {}::regclass",
            literal(&self.quoted)
        );
        let found = rows(connection, &sql).await?;
        let Some(row) = found.first() else {
            return Ok(());
        };
        if row.try_get::<String, _>(0)? == "true" {
            return Ok(());
        }
        Err(DatabaseError::NotOwner {
            table: self.shown(),
            owner: row.try_get(1)?,
            role: row.try_get(2)?,
        }
        .into())
    }

    /// A query of one row: the layout in the log, of which the latest one counts, and whether the
    /// table has the columns of layout 2.
    pub(super) fn layout_query(&self) -> String {
        format!(
            "SELECT (SELECT t.detail::text FROM {} AS t WHERE t.event = 'layout' \
             ORDER BY t.sequence DESC LIMIT 1), ({})::text",
            self.log,
            self.has_ups()
        )
    }

    /// The layout in a row of [`Self::layout_query`]. Old rows of the log may be deleted, so the
    /// columns tell the layout.
    pub(super) fn check_layout(&self, row: Option<&PgRow>) -> Result<u32, Trouble> {
        let has_ups = match row {
            Some(row) => row.try_get::<&str, _>(1)? == "true",
            None => false,
        };
        match self.logged_layout(row)? {
            Some(LAYOUT) if !has_ups => {
                let reason = format!("it has no column {UP_SCRIPT}");
                Err(self.not_a_version_table(reason).into())
            }
            _ => Ok(if has_ups { 2 } else { 1 }),
        }
    }

    /// The layout in the log, which must be supported; `None` if the log does not have it.
    pub(super) fn logged_layout(&self, row: Option<&PgRow>) -> Result<Option<u32>, Trouble> {
        let detail: Option<String> = match row {
            Some(row) => row.try_get(0)?,
            None => None,
        };
        let Some(detail) = detail else {
            return Ok(None);
        };
        match detail.parse() {
            Ok(found) if found > LAYOUT => Err(DatabaseError::NewerLayout {
                table: self.shown(),
                found,
                known: LAYOUT,
            }
            .into()),
            Ok(found) if found > 0 => Ok(Some(found)),
            _ => {
                let reason = format!("its log says that its layout is `{detail}`");
                Err(self.not_a_version_table(reason).into())
            }
        }
    }
}
