//! Policies of a project for runs.

/// The policy for an unapplied revision without `revises` that sorts before an applied one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OutOfOrder {
    /// Refuse to upgrade.
    #[default]
    Error,
    /// Apply the revision, with a warning.
    Warn,
    /// Apply the revision.
    Allow,
}

/// The policy for a database that is ahead of the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ahead {
    /// Do nothing, with a warning.
    #[default]
    Warn,
    /// Fail.
    Error,
}

/// The scope of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransactionScope {
    /// Each revision has its own transaction.
    #[default]
    Revision,
    /// The whole run is one transaction.
    All,
}

/// Whether revisions need down scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Downs {
    /// A revision must have a down script or be declared irreversible.
    #[default]
    Required,
    /// A revision may have no down script.
    Optional,
}
