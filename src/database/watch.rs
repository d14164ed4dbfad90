use std::fmt;

use async_trait::async_trait;

/// Reports what a slow statement is doing, from another task.
#[async_trait]
pub trait Watch: Send + Sync {
    /// The current activity of the connection's session, or `None` if nothing is known. Opens its
    /// own connection on the first call and never waits for a lock. The answer is informational
    /// only, so its failures are ignored.
    async fn look(&self) -> Option<Activity>;

    /// Whether the end of each statement is reported as it happens, so that the running one is
    /// known.
    fn is_told_at_once(&self) -> bool;
}

/// The activity of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The range of statements that contains the running one, as first and last index; `None` if
    /// unknown.
    pub statements: Option<(usize, usize)>,
    /// The lock that the session waits for.
    pub waiting: Option<Waiting>,
    /// The progress of the command.
    pub advance: Option<Advance>,
}

/// A wait for a lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// The lock, such as `AccessExclusiveLock on public.orders`.
    pub lock: String,
    /// The blocking sessions: `psql (pid 4711, app@10.0.0.7, since 12:31:05 UTC): UPDATE orders …`.
    /// The server hides the statements of other roles.
    pub holders: Vec<String>,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lock)?;
        if !self.holders.is_empty() {
            write!(f, ", held by {}", self.holders.join(" and "))?;
        }
        Ok(())
    }
}

/// The progress of a long command, as counted by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The command, such as `CREATE INDEX CONCURRENTLY`.
    pub command: String,
    /// The relation that the command works on, such as `public.orders`.
    pub relation: Option<String>,
    /// The phase, such as `building index: scanning table`.
    pub phase: String,
    /// The percentage of the phase, if the server knows the total.
    pub percent: Option<u8>,
}

impl fmt::Display for Advance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command)?;
        if let Some(relation) = &self.relation {
            write!(f, " on {relation}")?;
        }
        if !self.phase.is_empty() {
            write!(f, ": {}", self.phase)?;
        }
        if let Some(percent) = self.percent {
            write!(f, " {percent} %")?;
        }
        Ok(())
    }
}

/// A watcher that reports nothing.
pub(super) struct Unseen;

#[async_trait]
impl Watch for Unseen {
    async fn look(&self) -> Option<Activity> {
        None
    }

    fn is_told_at_once(&self) -> bool {
        true
    }
}
