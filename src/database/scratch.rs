//! Scratch databases: databases for one command, dropped on every outcome.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{DatabaseError, Location, Settings};

/// A scratch database. If the process is killed, the next one that creates a scratch database beside
/// the same database removes it.
#[async_trait]
pub trait Scratch: Send + Sync {
    /// The location to connect to.
    fn location(&self) -> &Location;

    /// Whether the server has other databases, whose roles and settings scripts could change.
    fn shares_server(&self) -> bool;

    /// Whether the database is a copy of a template, so that it has the content of
    /// [`ScratchRequest::template`] already.
    fn is_copy(&self) -> bool {
        false
    }

    /// Keeps the content as the requested template, and returns a copy of it. All connections must
    /// be closed. Where no template can be kept, the database itself is returned.
    ///
    /// # Errors
    /// Fails when the connection is lost.
    async fn keep(self: Box<Self>) -> Result<Box<dyn Scratch>, DatabaseError>;

    /// Makes sure that the database is still known to have an owner, for a long use.
    ///
    /// # Errors
    /// Fails when the server does not answer.
    async fn renew(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    /// Drops the database. All its connections must be closed.
    ///
    /// # Errors
    /// Fails when the database cannot be dropped; the next scratch database retries.
    async fn drop(self: Box<Self>) -> Result<(), DatabaseError>;
}

/// Who uses a scratch database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScratchUse {
    /// One connection of this process.
    Own,
    /// Other processes as well.
    Shared,
}

/// The content of a scratch database, which is kept as a template so that the next one is a copy.
#[derive(Clone, Debug)]
pub struct TemplateRequest {
    /// A digest of everything that decides the content, apart from the server and the database.
    pub content: String,
    /// A digest that tells the project from others. Only its newest templates are kept.
    pub project: String,
    /// The content for display, such as `head`.
    pub label: String,
}

/// Where and how a scratch database is created.
#[derive(Clone)]
pub struct ScratchRequest {
    /// The database it is to resemble, in encoding, collation and settings.
    pub like: Location,
    /// A server for scratch databases alone, if one is configured.
    pub url: Option<Location>,
    /// The settings of connections.
    pub settings: Settings,
    /// The schema that exists before the first script; on PostgreSQL that of the version table.
    pub schema: Option<String>,
    /// Who uses it.
    pub purpose: ScratchUse,
    /// The template to use and to keep, if any.
    pub template: Option<TemplateRequest>,
    /// Whether to stop waiting for another process that makes the template.
    pub stopped: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Which scratch databases are listed or dropped.
#[derive(Clone)]
pub struct ScratchScope {
    /// The database that they resemble.
    pub like: Location,
    /// The server for scratch databases alone, if one is configured.
    pub url: Option<Location>,
    /// The settings of connections.
    pub settings: Settings,
    /// Whether those of other databases of the server count as well.
    pub all: bool,
}

/// The kind of a database that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScratchKind {
    /// A scratch database.
    Scratch,
    /// A template of scratch databases.
    Template,
}

/// A scratch database or a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScratchEntry {
    /// The name of the database, or the path of the file.
    pub name: String,
    /// The kind.
    pub kind: ScratchKind,
    /// The content, such as `head`, if it is known.
    pub label: Option<String>,
    /// The time of its creation, if it is known.
    pub made_at: Option<DateTime<Utc>>,
    /// The size in bytes, if it may be read.
    pub size: Option<u64>,
    /// Whether the process that uses it lives.
    pub in_use: bool,
}

/// A way to get a scratch database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScratchWay {
    /// On the server of `scratch-url`.
    Url,
    /// On the server of the database.
    Beside,
    /// On a server started for this command.
    OwnServer,
    /// In a file.
    File,
}

impl fmt::Display for ScratchWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "on the server of scratch-url",
            Self::Beside => "on the server of the database",
            Self::OwnServer => "on a server of its own",
            Self::File => "in a temporary directory",
        })
    }
}

/// No scratch database can be created: every way that was tried, with the reason why it failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no scratch database can be created: {}", shown(.0))]
pub struct ScratchError(pub Vec<(ScratchWay, DatabaseError)>);

fn shown(failures: &[(ScratchWay, DatabaseError)]) -> String {
    let shown = failures
        .iter()
        .map(|(way, error)| format!("{way}: {error}"));
    shown.collect::<Vec<_>>().join("; ")
}
