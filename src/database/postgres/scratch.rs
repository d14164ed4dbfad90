//! Scratch databases: created temporarily, and dropped on every outcome.

use std::collections::BTreeMap;

use sqlx::Row;

use super::{
    super::{Action, DatabaseError, Settings, unique},
    admin::{Server, quoted},
    lock,
    message::{WITHOUT_WARNINGS, literal, unpinned_rows},
    options::ServerOptions,
    properties::{failed, text},
};

/// The maximum length of a name on the server in bytes.
const LONGEST: usize = 63;

/// The number of digits at the end of a scratch database's name.
const DIGITS: usize = 16;

/// The purposes of scratch databases, which are part of their names.
pub(super) const VERIFY: &str = "_verify_";
pub(super) const RESTORE: &str = "_restore_";
pub(super) const SCRATCH: &str = "_scratch_";

/// The purpose of templates, which outlive their processes.
pub(super) const TEMPLATE: &str = "_template_";

/// A scratch database and the session that owns it. While the session holds the lock of its name,
/// it is not mistaken for one left by a killed process.
pub(super) struct Scratch {
    pub server: Server,
    pub name: String,
    pub options: ServerOptions,
    pub settings: Settings,
}

impl Scratch {
    /// Drops abandoned scratch databases of the same database, and creates one.
    ///
    /// # Errors
    /// Fails when the server does not create it.
    pub async fn create(
        options: &ServerOptions,
        settings: &Settings,
        purpose: &str,
        properties: &BTreeMap<String, String>,
        owner: bool,
    ) -> Result<Self, DatabaseError> {
        let mut server = Server::connect(options, settings, None).await?;
        sweep(&mut server).await?;
        let creation = |name: &str| creation(name, properties, owner);
        Self::open(server, (options, settings), purpose, creation).await
    }

    /// Creates a scratch database with the command that `creation` returns for its name.
    ///
    /// # Errors
    /// Fails when the server does not create it.
    pub async fn open(
        mut server: Server,
        (options, settings): (&ServerOptions, &Settings),
        purpose: &str,
        creation: impl FnOnce(&str) -> String,
    ) -> Result<Self, DatabaseError> {
        let name = beside(&server.name, purpose, &unique());
        server.ask(&taking(&name)).await?;
        let mut scratch = Self {
            server,
            name,
            options: options.clone(),
            settings: settings.clone(),
        };
        let sql = creation(&scratch.name);
        let made = unpinned_rows(&mut scratch.server.connection, &sql).await;
        match made {
            Ok(_) => Ok(scratch),
            Err(error) => {
                let refused = scratch.server.refused(&error, Action::Create);
                if let DatabaseError::ConnectionLost(_) = refused {
                    // The database may have been created nevertheless.
                    let _ = scratch.drop().await;
                }
                Err(refused)
            }
        }
    }

    /// Asks the server for a sign of life. If the connection was lost, reconnects and takes the lock
    /// again.
    ///
    /// # Errors
    /// Fails when the server does not answer.
    pub async fn renew(&mut self) -> Result<(), DatabaseError> {
        match self.server.ask("SELECT 1").await {
            Err(DatabaseError::ConnectionLost(_)) => {
                self.server = self.connect().await?;
                self.server.ask(&taking(&self.name)).await.map(drop)
            }
            asked => asked.map(drop),
        }
    }

    /// Drops the scratch database and disconnects.
    ///
    /// # Errors
    /// Fails when the server does not drop it; the next scratch database retries.
    pub async fn drop(mut self) -> Result<(), DatabaseError> {
        let name = self.name.clone();
        let dropped = self.drop_database(&name).await;
        self.server.close().await;
        dropped
    }

    /// Drops a database with its remaining sessions; reconnects if the connection was lost.
    ///
    /// # Errors
    /// Fails when the server does not drop it.
    pub async fn drop_database(&mut self, name: &str) -> Result<(), DatabaseError> {
        match drop_database(&mut self.server, name).await {
            Err(DatabaseError::ConnectionLost(_)) => {
                self.server = self.connect().await?;
                drop_database(&mut self.server, name).await
            }
            dropped => dropped,
        }
    }

    /// Opens another connection.
    ///
    /// # Errors
    /// Fails when the server does not answer.
    pub async fn connect(&self) -> Result<Server, DatabaseError> {
        let there = self.server.connected_to.as_str();
        Server::connect(&self.options, &self.settings, Some(there)).await
    }
}

/// `name` followed by `purpose` and `mark`, and truncated to make room for them.
pub(super) fn beside(name: &str, purpose: &str, mark: &str) -> String {
    format!("{}{purpose}{mark}", cut(name, purpose.len() + mark.len()))
}

fn cut(name: &str, room: usize) -> &str {
    &name[..name.floor_char_boundary(LONGEST - room)]
}

/// Whether `found` is a scratch database of `name`.
fn is_of(found: &str, name: &str) -> bool {
    [VERIFY, RESTORE, SCRATCH]
        .iter()
        .any(|purpose| is_beside(found, name, purpose))
}

/// Whether `found` is a name that [`beside`] returns for `name` and `purpose`.
pub(super) fn is_beside(found: &str, name: &str, purpose: &str) -> bool {
    let rest = found.strip_prefix(cut(name, purpose.len() + DIGITS));
    rest.and_then(|rest| rest.strip_prefix(purpose))
        .is_some_and(is_mark)
}

/// Whether `found` is a name that [`beside`] returns for any name and `purpose`.
pub(super) fn is_for(found: &str, purpose: &str) -> bool {
    let parts = found.rsplit_once(purpose);
    parts.is_some_and(|(_, mark)| is_mark(mark))
}

fn is_mark(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The key of the lock that the owner of a scratch database and the users of a template hold.
pub(super) fn key(name: &str) -> i64 {
    lock::key("scratch", name)
}

/// The query that takes the lock of a scratch database.
fn taking(name: &str) -> String {
    format!("SELECT {}::text", lock::for_session(key(name)))
}

/// The keys of all advisory locks of the server that a session holds. This searches all databases,
/// since the owners may be connected to different ones.
pub(super) async fn held(server: &mut Server) -> Result<Vec<i64>, DatabaseError> {
    let sql = "SELECT ((l.classid::bigint OPERATOR(pg_catalog.<<) 32) \
               OPERATOR(pg_catalog.|) l.objid::bigint) FROM pg_catalog.pg_locks AS l \
               WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1";
    let found = server.ask(sql).await?;
    let keys: Result<Vec<i64>, _> = found.iter().map(|row| row.try_get(0)).collect();
    keys.map_err(|error| failed(&error))
}

/// Drops the scratch databases of killed processes. Those that cannot be dropped are kept.
pub(super) async fn sweep(server: &mut Server) -> Result<(), DatabaseError> {
    let found = server
        .ask("SELECT d.datname::text FROM pg_catalog.pg_database AS d")
        .await?;
    let held = held(server).await?;
    for row in &found {
        let name = text(Some(row), 0)?;
        if is_of(&name, &server.name) && !held.contains(&key(&name)) {
            let _ = drop_database(server, &name).await;
        }
    }
    Ok(())
}

/// Drops a database with its remaining sessions.
pub(super) async fn drop_database(server: &mut Server, name: &str) -> Result<(), DatabaseError> {
    let ending = format!(
        "{WITHOUT_WARNINGS};\n\
         SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a \
         WHERE a.datname = {}",
        literal(name)
    );
    // This may not be allowed; then there are no other sessions, or DROP fails.
    let _ = server.ask(&ending).await;
    let sql = format!("DROP DATABASE IF EXISTS {}", quoted(name));
    let dropped = unpinned_rows(&mut server.connection, &sql).await;
    dropped
        .map(drop)
        .map_err(|error| server.refused(&error, Action::Drop))
}

/// The CREATE DATABASE command for a database with `properties`.
pub(super) fn creation(name: &str, properties: &BTreeMap<String, String>, owner: bool) -> String {
    let mut sql = format!("CREATE DATABASE {} TEMPLATE template0", quoted(name));
    let mut add = |option: &str, property: &str| {
        if let Some(value) = properties.get(property) {
            sql += &format!(" {option} {}", literal(value));
        }
    };
    add("ENCODING", "encoding_name");
    add("LC_COLLATE", "datcollate");
    add("LC_CTYPE", "datctype");
    let locale = if properties.contains_key("datlocale") {
        "datlocale"
    } else {
        "daticulocale"
    };
    match properties.get("datlocprovider").map(String::as_str) {
        Some("i") => {
            add("ICU_LOCALE", locale);
            add("ICU_RULES", "daticurules");
            sql += " LOCALE_PROVIDER icu";
        }
        Some("b") => {
            add("BUILTIN_LOCALE", locale);
            sql += " LOCALE_PROVIDER builtin";
        }
        _ => {}
    }
    if let Some(name) = properties.get("owner_name").filter(|_| owner) {
        sql += &format!(" OWNER {}", quoted(name));
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_databases_are_known_by_their_names() {
        let mark = "0123456789abcdef";
        for name in ["shop", &"ż".repeat(31)] {
            for purpose in [VERIFY, RESTORE, SCRATCH] {
                let made = beside(name, purpose, mark);
                assert!(made.len() <= LONGEST && is_of(&made, name), "{made}");
                assert!(!is_of(&made, "other"), "{made}");
            }
        }
        for other in [
            "shop",
            "shop_verify_",
            "shop_verify_0123456789abcdeg",
            "shop_before_0123456789abcdef",
            "shop_template_0123456789abcdef",
        ] {
            assert!(!is_of(other, "shop"), "{other}");
        }
    }

    #[test]
    fn templates_are_known_by_their_names() {
        let made = beside("shop", TEMPLATE, "0123456789abcdef");
        assert!(is_beside(&made, "shop", TEMPLATE) && is_for(&made, TEMPLATE));
        assert!(!is_beside(&made, "sho", TEMPLATE) && !is_for(&made, SCRATCH));
        assert!(!is_for("shop_template_0123", TEMPLATE));
    }

    #[test]
    fn a_scratch_database_is_like_the_one_that_was_copied() {
        let check = |properties: &[(&str, &str)], expected: &str| {
            let properties = properties
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let sql = creation("a\"b", &properties, true);
            let start = "CREATE DATABASE \"a\"\"b\" TEMPLATE template0";
            assert_eq!(sql.strip_prefix(start), Some(expected));
        };
        check(&[], "");
        check(
            &[
                ("encoding_name", "UTF8"),
                ("datcollate", "C"),
                ("datctype", "C.UTF-8"),
                ("datlocprovider", "c"),
                ("owner_name", "jo"),
            ],
            " ENCODING E'UTF8' LC_COLLATE E'C' LC_CTYPE E'C.UTF-8' OWNER \"jo\"",
        );
        check(
            &[("datlocprovider", "i"), ("daticulocale", "und")],
            " ICU_LOCALE E'und' LOCALE_PROVIDER icu",
        );
        check(
            &[("datlocprovider", "b"), ("datlocale", "C")],
            " BUILTIN_LOCALE E'C' LOCALE_PROVIDER builtin",
        );
    }
}
