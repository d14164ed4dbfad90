//! Scratch databases: empty databases for one command, dropped on every outcome.

use std::fmt;

use async_trait::async_trait;

use super::{DatabaseError, Location, Settings};

/// A scratch database. If the process is killed, the next one that creates a scratch database beside
/// the same database removes it.
#[async_trait]
pub trait Scratch: Send {
    /// The location to connect to.
    fn location(&self) -> &Location;

    /// Whether the server has other databases, whose roles and settings scripts could change.
    fn shares_server(&self) -> bool;

    /// Drops the database. All its connections must be closed.
    ///
    /// # Errors
    /// Fails when the database cannot be dropped; the next scratch database retries.
    async fn drop(self: Box<Self>) -> Result<(), DatabaseError>;
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
}

impl fmt::Display for ScratchWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "on the server of scratch-url",
            Self::Beside => "on the server of the database",
            Self::OwnServer => "on a server of its own",
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
