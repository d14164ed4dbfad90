//! Lists and drops scratch databases and templates.

use chrono::DateTime;
use serde_json::Value;

use super::{
    super::{DatabaseError, ScratchEntry, ScratchKind, ScratchScope},
    admin::Server,
    lock,
    message::literal,
    options::ServerOptions,
    properties::{optional, text},
    scratch::{self, SCRATCH, TEMPLATE},
    template::MARK,
    throwaway,
};

/// A scratch database or template of migrator.
pub(super) struct Known {
    pub entry: ScratchEntry,
    pub project: Option<String>,
}

/// The scratch databases and templates beside the database that `server` administers, or beside
/// `all`. Those of other databases are recognized by their comments as well as their names.
pub(super) async fn known(server: &mut Server, all: bool) -> Result<Vec<Known>, DatabaseError> {
    let sql = "SELECT d.datname::text, pg_catalog.shobj_description(d.oid, 'pg_database'), \
               (NOT d.datallowconn)::text, \
               (pg_catalog.pg_get_userbyid(d.datdba) = current_user)::text \
               FROM pg_catalog.pg_database AS d ORDER BY d.oid";
    let found = server.ask(sql).await?;
    let held = scratch::held(server).await?;
    let mut known = Vec::new();
    for row in &found {
        let (name, comment) = (text(Some(row), 0)?, text(Some(row), 1)?);
        let (is_closed, is_ours) = (text(Some(row), 2)? == "true", text(Some(row), 3)? == "true");
        let is_for = |purpose| match all {
            true => scratch::is_for(&name, purpose),
            false => scratch::is_beside(&name, &server.name, purpose),
        };
        let comment: Option<Value> = serde_json::from_str(&comment).ok();
        let comment = comment.filter(|it| it.get(MARK).is_some());
        let kind = if is_for(TEMPLATE) && is_closed && comment.is_some() {
            ScratchKind::Template
        } else if is_for(SCRATCH) && (!all || comment.is_some()) {
            ScratchKind::Scratch
        } else {
            continue;
        };
        if !is_ours {
            continue;
        }
        let field = |name: &str| Some(comment.as_ref()?.get(name)?.as_str()?.to_owned());
        let made_at = field("made_at").and_then(|it| DateTime::parse_from_rfc3339(&it).ok());
        known.push(Known {
            project: field("project"),
            entry: ScratchEntry {
                kind,
                label: field("label"),
                made_at: made_at.map(|it| it.to_utc()),
                size: None,
                in_use: held.contains(&scratch::key(&name)),
                name,
            },
        });
    }
    Ok(known)
}

/// See [`crate::database::engine::list_scratch`].
pub(in crate::database) async fn list(
    scope: &ScratchScope,
    like: &ServerOptions,
) -> Result<Vec<ScratchEntry>, DatabaseError> {
    let mut server = connect(scope, like).await?;
    let found = known(&mut server, scope.all).await;
    let mut entries = Vec::new();
    for known in found? {
        let mut entry = known.entry;
        let sql = format!(
            "SELECT pg_catalog.pg_database_size(d.oid)::text FROM pg_catalog.pg_database AS d \
             WHERE d.datname = {}::pg_catalog.name",
            literal(&entry.name)
        );
        // A database may be dropped meanwhile, and then has no size.
        if let Ok(found) = server.ask(&sql).await {
            entry.size = optional(found.first(), 0)?.and_then(|size| size.parse().ok());
        }
        entries.push(entry);
    }
    server.close().await;
    Ok(entries)
}

/// See [`crate::database::engine::drop_scratch`].
pub(in crate::database) async fn drop_unused(
    scope: &ScratchScope,
    like: &ServerOptions,
) -> Result<Vec<ScratchEntry>, DatabaseError> {
    let mut server = connect(scope, like).await?;
    let mut dropped = Vec::new();
    for Known { entry, .. } in known(&mut server, scope.all).await? {
        let is_dropped = match entry.kind {
            ScratchKind::Scratch if entry.in_use => false,
            ScratchKind::Scratch => {
                scratch::drop_database(&mut server, &entry.name).await?;
                true
            }
            ScratchKind::Template => drop_template(&mut server, &entry).await?,
        };
        if is_dropped {
            dropped.push(entry);
        }
    }
    server.close().await;
    Ok(dropped)
}

async fn connect(scope: &ScratchScope, like: &ServerOptions) -> Result<Server, DatabaseError> {
    let options = throwaway::server_of(scope.url.as_ref(), like);
    Server::connect_beside(options, &scope.settings).await
}

/// Drops a template unless it is in use. Returns whether it was dropped.
pub(super) async fn drop_template(
    server: &mut Server,
    entry: &ScratchEntry,
) -> Result<bool, DatabaseError> {
    let key = scratch::key(&entry.name);
    let sql = format!("SELECT {}::text", lock::for_session(key));
    let found = server.ask(&sql).await?;
    // A session in another database can hold the lock as well.
    let is_free = text(found.first(), 0)? == "true" && !entry.in_use;
    let dropped = match is_free {
        true => scratch::drop_database(server, &entry.name)
            .await
            .map(|()| true),
        false => Ok(false),
    };
    let unlocking = format!("SELECT pg_catalog.pg_advisory_unlock({key})::text");
    if text(found.first(), 0)? == "true" {
        server.ask(&unlocking).await?;
    }
    dropped
}
