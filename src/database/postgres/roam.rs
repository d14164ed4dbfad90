//! One connection for several schemas of a database, one after the other.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{
    super::{DatabaseError, Roaming, Settings, StateDigest},
    Hold, LAYOUT, Postgres, Presence, ServerOptions, VersionTable,
    backend::SearchPath,
    error,
    glance::{ATTRIBUTES, DIGEST, digest},
    lock::{self, RELEASE},
    lookup::split_name,
    message::{PINNED, literal, rows, unpinned_rows},
    product::Product,
    trust::{self, FIRST_OF_USERS},
};
use crate::sql::mentions;

/// The setting for names without a schema.
const SEARCH_PATH: &str = "search_path";

/// Words of statements that may return to the search path of the login, or go to another schema.
const LEAVING: [&str; 5] = ["discard", "reset", "schema", SEARCH_PATH, "set_config"];

/// Whether a script leaves the search path alone.
pub(in crate::database) fn may_roam(script: &str) -> bool {
    LEAVING.iter().all(|word| !mentions(script, word))
}

impl Postgres {
    /// Connects without a search path, so that a name without a schema means nothing until a schema is
    /// entered, nor after a RESET in code that nobody sees. `None` through a pooler, on servers that are no
    /// PostgreSQL, and where several schemas share code of which a session keeps something.
    pub(in crate::database) async fn roam(
        options: &ServerOptions,
        mut settings: Settings,
    ) -> Result<Option<Self>, DatabaseError> {
        settings.session.retain(|(name, _)| name != SEARCH_PATH);
        let path = (SEARCH_PATH.to_owned(), String::new());
        settings.session.push(path);
        let mut opened = Self::open(options, settings).await?;
        let is_direct = !opened.backend.pooled && !opened.backend.takes_one;
        if is_direct
            && opened.backend.product == Product::default()
            && !opened.has_shared_code().await?
        {
            return Ok(Some(opened));
        }
        // Another connection will say what is wrong.
        let _ = super::Database::close(Box::new(opened)).await;
        Ok(None)
    }

    /// Whether there are routines in procedural languages, other than those of extensions, in a schema without
    /// a version table. A session keeps what such a routine has found under names without a schema when it was
    /// called first, such as the row type of a table.
    async fn has_shared_code(&mut self) -> Result<bool, DatabaseError> {
        let (_, name) = split_name(&self.settings.version_table).map_err(DatabaseError::Other)?;
        let sql = format!(
            "SELECT EXISTS (SELECT FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang \
             WHERE l.lanname NOT IN ('internal', 'c', 'sql') AND p.oid >= '{FIRST_OF_USERS}' \
             AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = p.pronamespace AND c.relname = {}) \
             AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass \
              AND d.objid = p.oid AND d.deptype = 'e'))::text",
            literal(&name)
        );
        let (connection, _) = self.parts().await?;
        let found = rows(connection, &sql).await;
        let found = self.answer(found.map_err(Into::into)).await?;
        let first = found.first().map(|row| row.try_get::<&str, _>(0));
        Ok(!matches!(first, Some(Ok("false"))))
    }
}

#[async_trait]
impl Roaming for Postgres {
    async fn enter(&mut self, settings: &Settings) -> Result<Option<StateDigest>, DatabaseError> {
        let (schema, name) = split_name(&settings.version_table).map_err(DatabaseError::Other)?;
        let path = settings
            .session
            .iter()
            .rfind(|(name, _)| name == SEARCH_PATH);
        let is_clean = self.run.is_none() && !self.session.entered && !self.session.authorized;
        let (Some(schema), Some((_, path)), true) = (schema, path, is_clean) else {
            return Ok(None);
        };
        let Some(connection) = &mut self.connection else {
            return Ok(None);
        };
        let path = SearchPath::new(path);
        let table = VersionTable::new(&schema, &name, Presence::There);
        let found = match unpinned_rows(connection, &question(&path, &table)).await {
            Ok(found) => found,
            Err(error) if error::from_server(&error).is_some() => return Ok(None),
            Err(error) => return Err(DatabaseError::ConnectionLost(error::reason(&error))),
        };
        let [_, _, _, lock, state] = &found[..] else {
            return Ok(None);
        };
        let text = |row: &PgRow, column: usize| {
            let text = row.try_get::<String, _>(column);
            text.map_err(|error| DatabaseError::ConnectionLost(error::reason(&error)))
        };
        let is_locked = text(lock, 0)? == "true";
        let state = digest(&text(state, 0)?, &text(state, 1)?);
        if !is_locked {
            return Ok(None);
        }
        self.settings
            .version_table
            .clone_from(&settings.version_table);
        self.table = table;
        self.resolved_in = self.backend.clone();
        self.backend.path = Some(path);
        // The state was read after the lock was taken.
        self.hold = Hold::State;
        self.layout = Some(LAYOUT);
        Ok(state)
    }
}

/// Sets the search path, fails unless both tables still are what a look at them has found, takes the lock, and
/// reads the state after that. Each but the first commands returns a row.
///
/// Nobody else can attach anything to a table of the current role, but the owner of the schema may put another
/// table in its place.
fn question(path: &SearchPath, table: &VersionTable) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED;\n{RELEASE};\n{};\n{};\n\
         SELECT CASE count(*) WHEN '2' THEN 0 ELSE concat(count(*), ' tables can be used')::integer END \
         FROM pg_class AS c WHERE c.oid = ANY (ARRAY[{}::regclass, {}::regclass]::oid[]) \
         AND c.relnatts IN ('{}', '{}') AND {};\n\
         SELECT {}::text;\n\
         SELECT {DIGEST} FROM {} AS t;\n\
         COMMIT",
        path.session,
        PINNED.join(";\n"),
        literal(&table.quoted),
        literal(&table.log),
        ATTRIBUTES.0,
        ATTRIBUTES.1,
        trust::IS_PLAIN,
        lock::for_session(table.key),
        table.quoted,
    )
}
