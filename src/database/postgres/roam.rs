//! One connection for several schemas of a database, one after the other.

use async_trait::async_trait;
use sqlx::{Row, postgres::PgRow};

use super::{
    super::{DatabaseError, Roaming, Settings, StateDigest},
    Hold, LAYOUT, Postgres, Presence, ServerOptions, VersionTable,
    backend::SearchPath,
    error,
    glance::{DIGEST, digest},
    lock::{self, RELEASE},
    lookup::split_name,
    message::{PINNED, literal, unpinned_rows},
    product::Product,
    trust,
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
    /// entered, nor after a RESET in code that nobody sees. `None` through a pooler, and on servers that are
    /// no PostgreSQL.
    pub(in crate::database) async fn roam(
        options: &ServerOptions,
        mut settings: Settings,
    ) -> Result<Option<Self>, DatabaseError> {
        settings.session.retain(|(name, _)| name != SEARCH_PATH);
        let path = (SEARCH_PATH.to_owned(), String::new());
        settings.session.push(path);
        let opened = Self::open(options, settings).await?;
        let is_direct = !opened.backend.pooled && !opened.backend.takes_one;
        if is_direct && opened.backend.product == Product::default() {
            return Ok(Some(opened));
        }
        // Another connection will say what is wrong.
        let _ = super::Database::close(Box::new(opened)).await;
        Ok(None)
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
         FROM pg_class AS c WHERE c.oid = ANY (ARRAY[{}::regclass, {}::regclass]::oid[]) AND {};\n\
         SELECT {}::text;\n\
         SELECT {DIGEST} FROM {} AS t;\n\
         COMMIT",
        path.session,
        PINNED.join(";\n"),
        literal(&table.quoted),
        literal(&table.log),
        trust::IS_PLAIN,
        lock::for_session(table.key),
        table.quoted,
    )
}
