//! Decides which tables are trusted. Reading or writing a relation can run code of its owner, and
//! of the owners of attached objects, as the current role.
//!
//! The owner must be the current role, a role that it is a member of, a superuser, or the owner of
//! the database, who can block every script anyway. A superuser is a member of every role by
//! definition, so for superusers membership proves nothing.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::{DatabaseError, Distrust},
    message::{literal, rows},
    version_table::Trouble,
};

/// The first OID of an object that was not created with the database system.
pub(super) const FIRST_OF_USERS: u32 = 16_384;

/// A relation with the requested name.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub schema: String,
    pub name: String,
    oid: String,
    kind: String,
    owner: String,
    /// The current role.
    role: String,
    superuser: bool,
    is_owner_trusted: bool,
    hides_rows: bool,
    /// Whether objects are attached that `examine` must check.
    has_parts: bool,
    /// Whether the current role may use the schema.
    is_schema_open: bool,
    /// The privileges on the relation that the current role lacks.
    missing: Vec<String>,
}

/// The intended use of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    ReadAndWrite,
}

/// The columns of `c`, a pg_class, that [`Relation::of`] reads in a pinned query.
pub(super) fn columns() -> String {
    format!(
        "n.nspname::text, c.relname::text, c.oid::text, c.relkind::text, \
         pg_get_userbyid(c.relowner)::text, current_user::text, {IS_SUPERUSER}::text, \
         ({})::text, row_security_active(c.oid)::text, \
         (c.relhasrules OR c.relhastriggers OR c.relhassubclass OR c.relchecks > 0 OR c.relkind = 'p' \
          OR EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 \
           AND NOT a.attisdropped AND a.atttypid >= {FIRST_OF_USERS}) \
          OR EXISTS (SELECT FROM pg_attrdef AS d WHERE d.adrelid = c.oid AND {NOT_OUR_DEFAULT}) \
          OR EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND {HAS_EXPRESSIONS}) \
          OR EXISTS (SELECT FROM pg_statistic_ext AS s WHERE s.stxrelid = c.oid AND 'e' = ANY (s.stxkind)) \
         )::text, has_schema_privilege(n.oid, 'USAGE')::text, concat_ws(' ', \
         CASE WHEN NOT has_any_column_privilege(c.oid, 'SELECT') THEN 'SELECT' END, \
         CASE WHEN NOT has_any_column_privilege(c.oid, 'INSERT') THEN 'INSERT' END, \
         CASE WHEN NOT has_any_column_privilege(c.oid, 'UPDATE') THEN 'UPDATE' END, \
         CASE WHEN NOT has_table_privilege(c.oid, 'DELETE') THEN 'DELETE' END)",
        is_trusted()
    )
}

/// A condition that proves a relation trusted that `c`, a pg_class, describes, if it has one of
/// `names`: a table of the current role, which may read and write it, with nothing attached that
/// `examine` would check. It asks for less than [`columns`]: cheap facts, and types that need no
/// search for an operator.
pub(super) fn is_plain(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| literal(name)).collect();
    format!(
        "c.relname = ANY (ARRAY[{}]::name[]) AND {IS_PLAIN} \
         AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid \
          AND a.atttypid >= '{FIRST_OF_USERS}') \
         AND NOT EXISTS (SELECT FROM pg_attrdef AS d WHERE d.adrelid = c.oid AND {NOT_OUR_DEFAULT}) \
         AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND {HAS_EXPRESSIONS}) \
         AND NOT EXISTS (SELECT FROM pg_statistic_ext AS s WHERE s.stxrelid = c.oid)",
        names.join(", ")
    )
}

/// The part of [`is_plain`] that `c` alone tells.
pub(super) const IS_PLAIN: &str = "c.relkind = 'r' AND pg_get_userbyid(c.relowner) = CURRENT_USER \
     AND (c.relacl IS NULL OR has_table_privilege(c.oid, 'SELECT') \
      AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE') \
      AND has_table_privilege(c.oid, 'DELETE')) \
     AND NOT c.relrowsecurity AND NOT c.relhasrules AND NOT c.relhastriggers \
     AND NOT c.relhassubclass AND c.relchecks = '0'";

/// Whether code that runs as the current role may become a superuser: RESET ROLE returns to the
/// session's role.
const IS_SUPERUSER: &str = "EXISTS (SELECT FROM pg_roles AS u WHERE u.rolsuper \
     AND u.rolname IN (current_user, session_user))";

const OWNS_DATABASE: &str = "EXISTS (SELECT FROM pg_database AS o \
     WHERE o.datname = current_database() AND o.datdba = c.relowner) \
     OR pg_get_userbyid(c.relowner) = 'pg_database_owner'";

/// Whether the owner of `c`, a pg_class, is trusted.
fn is_trusted() -> String {
    format!("{} OR {OWNS_DATABASE}", is_ours("c.relowner"))
}

/// Whether role `oid` gains nothing by running code as the current role.
fn is_ours(oid: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = {oid} AND (r.rolsuper \
         OR r.rolname IN (current_user, session_user) \
         OR NOT {IS_SUPERUSER} AND pg_has_role(current_user, r.oid, 'MEMBER')))"
    )
}

/// The log's time column has the only default that migrator defines.
const NOT_OUR_DEFAULT: &str = "pg_get_expr(d.adbin, d.adrelid) <> 'clock_timestamp()'";

const HAS_EXPRESSIONS: &str = "(i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)";

impl Relation {
    /// Reads [`columns`].
    pub fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let text = |column: usize| row.try_get::<String, _>(column);
        let is = |column: usize| Ok::<_, sqlx::Error>(text(column)? == "true");
        Ok(Self {
            schema: text(0)?,
            name: text(1)?,
            oid: text(2)?,
            kind: text(3)?,
            owner: text(4)?,
            role: text(5)?,
            superuser: is(6)?,
            is_owner_trusted: is(7)?,
            hides_rows: is(8)?,
            has_parts: is(9)?,
            is_schema_open: is(10)?,
            missing: text(11)?.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// The missing ones of the privileges `wanted`, as an error.
    pub fn lacks(&self, wanted: &[&str]) -> Option<DatabaseError> {
        let error = |rights: String, object: String| DatabaseError::MissingRights {
            role: self.role.clone(),
            rights,
            object,
        };
        if !self.is_schema_open {
            return Some(error("USAGE".into(), format!("the schema {}", self.schema)));
        }
        let missing = self.missing.iter().map(String::as_str);
        let missing: Vec<_> = missing.filter(|right| wanted.contains(right)).collect();
        (!missing.is_empty())
            .then(|| error(missing.join(", "), format!("the table {}", self.shown())))
    }

    /// The name for display: `schema.table`.
    pub fn shown(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Checks the relation for a use.
    ///
    /// # Errors
    /// [`DatabaseError::Untrusted`] when the relation must not be used in this way.
    pub async fn judge(&self, connection: &mut PgConnection, usage: Use) -> Result<(), Trouble> {
        let reason = match self.look() {
            None if self.has_parts => self.examine(connection, usage).await?,
            found => found,
        };
        match reason {
            None => Ok(()),
            Some(reason) => Err(DatabaseError::Untrusted {
                table: self.shown(),
                reason,
            }
            .into()),
        }
    }

    fn look(&self) -> Option<Distrust> {
        if let Some(kind) = unusual(&self.kind) {
            return Some(Distrust::Kind(kind));
        }
        if !self.is_owner_trusted {
            return Some(Distrust::Owner {
                owner: self.owner.clone(),
                role: self.role.clone(),
                superuser: self.superuser,
            });
        }
        self.hides_rows.then(|| Distrust::RowSecurity {
            role: self.role.clone(),
        })
    }

    /// Checks all objects attached to the relation and its children. The planner evaluates
    /// expressions of indexes, constraints and statistics even for a query that does not need them.
    async fn examine(
        &self,
        connection: &mut PgConnection,
        usage: Use,
    ) -> Result<Option<Distrust>, sqlx::Error> {
        let children = format!("{} ORDER BY 1", children(&self.oid));
        for row in rows(connection, &children).await? {
            let (table, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let (owner, trusted): (String, String) = (row.try_get(2)?, row.try_get(3)?);
            let reason = match unusual(&kind) {
                Some(kind) => format!("is {kind}"),
                None if trusted != "true" => format!("belongs to {owner}"),
                None => continue,
            };
            return Ok(Some(Distrust::Child { table, reason }));
        }
        let parts = format!("{} ORDER BY 1, 2", parts(&self.oid, usage));
        let found = rows(connection, &parts).await?;
        let Some(row) = found.first() else {
            return Ok(None);
        };
        Ok(Some(Distrust::Part {
            what: row.try_get(0)?,
            name: row.try_get(1)?,
        }))
    }
}

/// A condition that is true if `table`, quoted and with its schema, exists and must not be read or
/// written.
pub(super) fn is_untrusted(table: &str) -> String {
    let oid = format!("to_regclass({})", literal(table));
    format!(
        "EXISTS (SELECT FROM pg_class AS c WHERE c.oid = {oid} \
         AND NOT (c.relkind IN ('r', 'p') AND ({}) AND NOT row_security_active(c.oid))) \
         OR EXISTS ({} AND NOT (c.relkind IN ('r', 'p') AND (c.ours OR {OWNS_DATABASE}))) \
         OR EXISTS ({})",
        is_trusted(),
        children(&oid),
        parts(&oid, Use::ReadAndWrite),
    )
}

/// The table and the tables that inherit from it, including partitions.
fn family(oid: &str) -> String {
    format!(
        "WITH RECURSIVE family (oid) AS (SELECT {oid}::oid UNION \
         SELECT i.inhrelid FROM pg_inherits AS i JOIN family AS f ON i.inhparent = f.oid), \
         member AS (SELECT c.oid, c.relkind, c.relowner, n.nspname, c.relname, {} AS ours \
         FROM family AS f JOIN pg_class AS c ON c.oid = f.oid \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace)",
        is_ours("c.relowner")
    )
}

fn children(oid: &str) -> String {
    format!(
        "{} SELECT concat(c.nspname, '.', c.relname), c.relkind::text, \
         pg_get_userbyid(c.relowner)::text, (c.ours OR {OWNS_DATABASE})::text \
         FROM member AS c WHERE c.oid <> {oid}::oid",
        family(oid)
    )
}

/// Attached objects that run foreign code. On a table of another owner, any may.
fn parts(oid: &str, usage: Use) -> String {
    let mut parts = vec![
        "SELECT 'constraint', k.conname, 'pg_constraint'::regclass, k.oid, m.ours \
         FROM member AS m JOIN pg_constraint AS k ON k.conrelid = m.oid WHERE k.contype = 'c'"
            .to_owned(),
        format!(
            "SELECT 'index', x.relname, 'pg_class'::regclass, i.indexrelid, m.ours \
             FROM member AS m JOIN pg_index AS i ON i.indrelid = m.oid \
             JOIN pg_class AS x ON x.oid = i.indexrelid WHERE {HAS_EXPRESSIONS}"
        ),
        "SELECT 'statistics object', s.stxname, 'pg_statistic_ext'::regclass, s.oid, m.ours \
         FROM member AS m JOIN pg_statistic_ext AS s ON s.stxrelid = m.oid \
         WHERE 'e' = ANY (s.stxkind)"
            .to_owned(),
        "SELECT 'partition key of', m.relname, 'pg_class'::regclass, m.oid, m.ours \
         FROM member AS m JOIN pg_partitioned_table AS p ON p.partrelid = m.oid \
         WHERE p.partexprs IS NOT NULL"
            .to_owned(),
        format!(
            "SELECT 'user-defined type of the column', a.attname, 'pg_class'::regclass, m.oid, false \
             FROM member AS m JOIN pg_attribute AS a ON a.attrelid = m.oid \
             WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= {FIRST_OF_USERS}"
        ),
    ];
    if usage == Use::ReadAndWrite {
        parts.extend([
            "SELECT 'rule', w.rulename, 'pg_rewrite'::regclass, w.oid, false \
             FROM member AS m JOIN pg_rewrite AS w ON w.ev_class = m.oid"
                .to_owned(),
            // Arguments and conditions belong to the creator of the trigger, who is not recorded.
            format!(
                "SELECT 'trigger', t.tgname, 'pg_trigger'::regclass, t.oid, m.ours AND t.tgnargs = 0 \
                 AND t.tgqual IS NULL AND (SELECT {} FROM pg_proc AS p WHERE p.oid = t.tgfoid) \
                 FROM member AS m JOIN pg_trigger AS t ON t.tgrelid = m.oid WHERE NOT t.tgisinternal",
                is_ours("p.proowner")
            ),
            format!(
                "SELECT 'default of the column', a.attname, 'pg_attrdef'::regclass, d.oid, m.ours \
                 FROM member AS m JOIN pg_attrdef AS d ON d.adrelid = m.oid \
                 JOIN pg_attribute AS a ON a.attrelid = m.oid AND a.attnum = d.adnum \
                 WHERE {NOT_OUR_DEFAULT}"
            ),
            // Before PostgreSQL 15, it is the table whose column depends on the functions.
            "SELECT 'default of the column', a.attname, 'pg_class'::regclass, m.oid, m.ours \
             FROM member AS m JOIN pg_attribute AS a ON a.attrelid = m.oid \
             WHERE a.attgenerated <> '' AND NOT a.attisdropped"
                .to_owned(),
        ]);
    }
    format!(
        "{}, part (what, name, class, object, ours) AS ({}) \
         SELECT p.what::text, p.name::text FROM part AS p WHERE NOT p.ours \
         OR EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = p.class AND d.objid = p.object \
         AND ({}))",
        family(oid),
        parts.join(" UNION ALL "),
        refers_to_foreign(),
    )
}

/// Whether `d`, a pg_depend, leads to an object that others can change.
fn refers_to_foreign() -> String {
    let catalogs = [
        ("pg_proc", "proowner"),
        ("pg_operator", "oprowner"),
        ("pg_type", "typowner"),
    ];
    let conditions = catalogs.map(|(catalog, owner)| {
        format!(
            "d.refclassid = '{catalog}'::regclass AND EXISTS (SELECT FROM {catalog} AS x \
             WHERE x.oid = d.refobjid AND NOT {})",
            is_ours(&format!("x.{owner}"))
        )
    });
    conditions.join(" OR ")
}

/// A description of a relation of `kind`, unless it is a table.
fn unusual(kind: &str) -> Option<&'static str> {
    match kind {
        "r" | "p" => None,
        "v" => Some("a view"),
        "m" => Some("a materialized view"),
        "f" => Some("a foreign table"),
        "S" => Some("a sequence"),
        _ => Some("not a table"),
    }
}
