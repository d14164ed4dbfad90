//! What a project has decided about runs.

/// What to do about an unapplied revision without `revises` that sorts before an applied one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OutOfOrder {
    /// Refuse to upgrade.
    #[default]
    Error,
    /// Apply it, with a warning.
    Warn,
    /// Apply it.
    Allow,
}

/// What to do when the database is ahead of the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ahead {
    /// Do nothing, with a warning.
    #[default]
    Warn,
    /// Fail.
    Error,
}

/// How much one transaction holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransactionScope {
    /// One revision.
    #[default]
    Revision,
    /// The whole run.
    All,
}

/// Whether revisions need down scripts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Downs {
    /// A revision has a down script, or is declared irreversible.
    #[default]
    Required,
    /// A revision may have none: the project only goes forward.
    Optional,
}
