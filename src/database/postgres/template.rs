//! Templates of scratch databases.
//!
//! A template is made under the name of a scratch database, and gets its own name when it is
//! complete, in the transaction that also closes it to connections. Its name has a digest of what it
//! was made from. Whoever makes it holds the lock of that name, and whoever uses it shares the lock
//! until its process ends, so that nobody drops a template in use.

use std::{collections::BTreeMap, time::Duration};

use chrono::{SecondsFormat, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    super::{Action, DatabaseError, ScratchKind, TemplateRequest},
    admin::{Server, UNDEFINED_DATABASE, quoted},
    lock,
    message::{literal, unpinned_rows},
    properties::{optional, text},
    scratch::{self, TEMPLATE},
    scratch_list::{drop_template, known},
};
use crate::arrange::Arrange as _;

/// The number of templates of a project that are kept.
const KEPT: usize = 3;

/// The version of what a template contains beside the results of the scripts.
const VERSION: &str = "1";

/// The interval at which a process that waits for a template looks for it.
const LOOK: Duration = Duration::from_millis(50);

/// How long sessions that were just closed may take to end.
const LEAVING: Duration = Duration::from_secs(1);
/// The interval at which these sessions are checked.
const SOON: Duration = Duration::from_millis(5);

/// A template that a scratch database is to be a copy of.
#[derive(Clone)]
pub(super) struct Template {
    pub name: String,
    request: TemplateRequest,
}

/// What is to be done for a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The template exists, and its lock is shared.
    Copy,
    /// The template does not exist, and its lock is held.
    Make,
    /// Another database has its name.
    Impossible,
}

/// What a database needs beside the scripts to be equal to another one.
pub(super) struct Surroundings<'a> {
    pub properties: &'a BTreeMap<String, String>,
    pub settings: &'a [String],
    pub schema: Option<&'a str>,
    pub user: &'a str,
}

impl Template {
    /// The template for `request` beside the database that `server` administers.
    pub fn of(server: &Server, request: &TemplateRequest, around: &Surroundings<'_>) -> Self {
        let version = server.connection.server_version_num().unwrap_or_default();
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        add(VERSION);
        add(&version.to_string());
        add(&request.content);
        add(around.user);
        add(around.schema.unwrap_or_default());
        for (name, value) in around.properties {
            // The owner of the other database does not own this one.
            if name != "owner_name" {
                add(name);
                add(value);
            }
        }
        for setting in around.settings {
            add(setting);
        }
        let mut mark = format!("{:x}", hash.finalize());
        mark.truncate(16);
        Self {
            name: scratch::beside(&server.name, TEMPLATE, &mark),
            request: request.clone(),
        }
    }

    fn key(&self) -> i64 {
        scratch::key(&self.name)
    }

    /// Shares the lock of the template if it exists, or takes the lock to make it. While another
    /// process makes it, waits until `stopped`.
    ///
    /// # Errors
    /// [`DatabaseError::Interrupted`] when stopped, or when the server does not answer.
    pub async fn claim(
        &self,
        server: &mut Server,
        stopped: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Claim, DatabaseError> {
        loop {
            let state = format!("COALESCE((SELECT {}), 'missing')", self.state());
            let sql = format!(
                "SELECT s.state::text, (CASE s.state WHEN 'missing' THEN {} WHEN 'usable' THEN {} \
                 ELSE false END)::text FROM (SELECT {state} AS state) AS s",
                lock::for_session(self.key()),
                shared(self.key()),
            );
            let found = server.ask(&sql).await?;
            let (state, locked) = (text(found.first(), 0)?, text(found.first(), 1)? == "true");
            match (state.as_str(), locked) {
                ("usable", true) => return Ok(Claim::Copy),
                // It may have been made before the lock was free.
                ("missing", true) if self.exists(server).await? => self.share(server).await?,
                ("missing", true) => return Ok(Claim::Make),
                ("missing" | "usable", false) => {}
                _ => return Ok(Claim::Impossible),
            }
            if stopped() {
                return Err(DatabaseError::Interrupted);
            }
            if !locked {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// The state of the database with that name, as a query without SELECT.
    fn state(&self) -> String {
        format!(
            "CASE WHEN d.datallowconn OR pg_catalog.pg_get_userbyid(d.datdba) <> current_user \
             THEN 'other' ELSE 'usable' END FROM pg_catalog.pg_database AS d \
             WHERE d.datname = {}::pg_catalog.name",
            literal(&self.name)
        )
    }

    async fn exists(&self, server: &mut Server) -> Result<bool, DatabaseError> {
        let found = server.ask(&format!("SELECT {}", self.state())).await?;
        Ok(!found.is_empty())
    }

    /// Exchanges the lock of the template, which is held, for a shared one.
    async fn share(&self, server: &mut Server) -> Result<(), DatabaseError> {
        let key = self.key();
        let sql = format!(
            "SELECT {}::text; SELECT pg_catalog.pg_advisory_unlock({key})::text",
            shared(key)
        );
        server.ask(&sql).await.map(drop)
    }

    /// Gives up the lock of the template, which is held.
    ///
    /// # Errors
    /// Fails when the server does not answer.
    pub async fn give_up(&self, server: &mut Server) -> Result<(), DatabaseError> {
        let sql = format!("SELECT pg_catalog.pg_advisory_unlock({})::text", self.key());
        server.ask(&sql).await.map(drop)
    }

    /// Makes the scratch database `from`, whose content is complete, this template. Its sessions
    /// must be closed. Returns whether the template can be copied; otherwise `from` is unchanged.
    ///
    /// # Errors
    /// Fails when the connection is lost.
    pub async fn publish(&self, server: &mut Server, from: &str) -> Result<bool, DatabaseError> {
        wait_for_leaving(server, from).await?;
        let (old, new) = (quoted(from), quoted(&self.name));
        let sql = format!(
            "COMMENT ON DATABASE {old} IS {};\n\
             ALTER DATABASE {old} WITH ALLOW_CONNECTIONS false;\n\
             ALTER DATABASE {old} RENAME TO {new}",
            literal(&comment(Some(&self.request)))
        );
        match unpinned_rows(&mut server.connection, &sql).await {
            Ok(_) => {
                self.share(server).await?;
                Ok(true)
            }
            Err(error) => {
                let refused = server.refused(&error, Action::Create);
                if let DatabaseError::ConnectionLost(_) = refused {
                    return Err(refused);
                }
                self.give_up(server).await?;
                Ok(false)
            }
        }
    }

    /// Drops all but the newest templates of the project. Those in use are kept.
    ///
    /// # Errors
    /// Fails when the server does not answer.
    pub async fn prune(&self, server: &mut Server) -> Result<(), DatabaseError> {
        let mut others = known(server, false).await?;
        others.retain(|it| {
            it.entry.kind == ScratchKind::Template
                && it.entry.name != self.name
                && it.project.as_deref() == Some(self.request.project.as_str())
        });
        others.arrange_by_key(|it| std::cmp::Reverse(it.entry.made_at));
        for old in others.iter().skip(KEPT - 1) {
            // What cannot be dropped is kept.
            let _ = drop_template(server, &old.entry).await;
        }
        Ok(())
    }

    /// The command that creates a copy.
    pub fn creation(&self, name: &str) -> String {
        let (name, template) = (quoted(name), quoted(&self.name));
        format!("CREATE DATABASE {name} TEMPLATE {template}")
    }

    /// Notes what the copy `name` is, and gives it the settings of the template, which CREATE
    /// DATABASE does not copy.
    ///
    /// # Errors
    /// Fails when the server refuses.
    pub async fn finish(&self, server: &mut Server, name: &str) -> Result<(), DatabaseError> {
        let sql = format!(
            "SELECT r.rolname::text, s.setting FROM (SELECT a.setrole, \
             pg_catalog.unnest(a.setconfig) AS setting FROM pg_catalog.pg_db_role_setting AS a, \
             pg_catalog.pg_database AS d WHERE d.oid = a.setdatabase \
             AND d.datname = {}::pg_catalog.name) AS s \
             LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole ORDER BY s.setrole",
            literal(&self.name)
        );
        let found = server.ask(&sql).await?;
        let mut commands = vec![noting(name, Some(&self.request))];
        let database = quoted(name);
        for row in &found {
            let setting = text(Some(row), 1)?;
            let Some((setting, value)) = setting.split_once('=') else {
                continue;
            };
            let set = format!("SET {}", super::throwaway::assignment(setting, value));
            commands.push(match optional(Some(row), 0)? {
                Some(role) => format!("ALTER ROLE {} IN DATABASE {database} {set}", quoted(&role)),
                None => format!("ALTER DATABASE {database} {set}"),
            });
        }
        let done = unpinned_rows(&mut server.connection, &commands.join(";\n")).await;
        done.map(drop)
            .map_err(|error| server.refused(&error, Action::Create))
    }
}

/// Whether a template was dropped before it could be copied.
pub(super) fn is_gone(error: &DatabaseError) -> bool {
    matches!(error, DatabaseError::Refused { failure, .. }
        if failure.code.as_deref() == Some(UNDEFINED_DATABASE))
}

/// The command that notes the time and the content of a scratch database.
pub(super) fn noting(name: &str, request: Option<&TemplateRequest>) -> String {
    let comment = literal(&comment(request));
    format!("COMMENT ON DATABASE {} IS {comment}", quoted(name))
}

fn comment(request: Option<&TemplateRequest>) -> String {
    let comment = json!({
        MARK: VERSION,
        "made_at": Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
        "project": request.map(|it| &it.project),
        "label": request.map(|it| &it.label),
    });
    comment.to_string()
}

/// The field of a comment that shows who made the database.
pub(super) const MARK: &str = "migrator_scratch";

/// An expression that shares a lock for the session.
fn shared(key: i64) -> String {
    format!("pg_catalog.pg_try_advisory_lock_shared({key})")
}

/// Waits until the sessions of a database, whose clients have closed them, have ended. The server
/// itself would look for them only every 100 ms.
async fn wait_for_leaving(server: &mut Server, name: &str) -> Result<(), DatabaseError> {
    let sql = format!(
        "SELECT 1 FROM pg_catalog.pg_stat_activity AS a WHERE a.datname = {}::pg_catalog.name \
         AND a.usesysid IS NOT NULL",
        literal(name)
    );
    let begin = std::time::Instant::now();
    while begin.elapsed() < LEAVING && !server.ask(&sql).await?.is_empty() {
        tokio::time::sleep(SOON).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_comment_tells_what_a_database_is() {
        let request = TemplateRequest {
            content: "c".to_owned(),
            project: "p".to_owned(),
            label: "it's head".to_owned(),
        };
        let found: Value = serde_json::from_str(&comment(Some(&request))).unwrap();
        assert_eq!(found[MARK], VERSION);
        assert_eq!(
            (&found["project"], &found["label"]),
            (&json!("p"), &json!("it's head"))
        );
        assert!(DateTime::parse_from_rfc3339(found["made_at"].as_str().unwrap()).is_ok());
        let command = noting("a\"b", None);
        assert!(
            command.starts_with("COMMENT ON DATABASE \"a\"\"b\" IS E'{"),
            "{command}"
        );
    }
}
