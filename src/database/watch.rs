use std::fmt;

use async_trait::async_trait;

/// Tells what a statement that takes long is doing, from another task.
#[async_trait]
pub trait Watch: Send + Sync {
    /// What the connection's session does now. Opens what it needs when first asked, and never
    /// waits for a lock; `None` when there is nothing to be seen. An answer is for information
    /// only, so that no failure of it matters.
    async fn look(&self) -> Option<Activity>;

    /// Whether the end of each statement is told as it comes, so that it is known which one runs.
    fn is_told_at_once(&self) -> bool;
}

/// What a session does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Which statements of the step it is at, as first and last index; `None` when that cannot
    /// be told. Between those it is not known which one.
    pub statements: Option<(usize, usize)>,
    /// What it waits for.
    pub waiting: Option<Waiting>,
    /// How far it is.
    pub advance: Option<Advance>,
}

/// A wait for a lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// `AccessExclusiveLock on public.orders`
    pub lock: String,
    /// Who is in the way: `psql (pid 4711, app@10.0.0.7, since 12:31:05 UTC): UPDATE orders …`.
    /// The server hides what other roles run.
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

/// How far a long command is, as the server counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// `CREATE INDEX CONCURRENTLY`
    pub command: String,
    /// What it works on: `public.orders`.
    pub relation: Option<String>,
    /// `building index: scanning table`
    pub phase: String,
    /// Of the phase, where the server knows how much there is.
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

/// There is nothing to be seen.
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
