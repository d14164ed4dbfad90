use std::{io, path::PathBuf};

use crate::{
    database::LocationError,
    fleet::{NameFault, OrderProblem, SelectProblem, Window},
    model::ProgramError,
    project::{FleetFileError, Origin},
    sql::Dialect,
};

/// The reason why a command over a fleet did not begin.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The environment has no fleet.
    #[error("{}", no_fleet(.environment.as_deref()))]
    NoFleet {
        /// The selected environment.
        environment: Option<String>,
    },
    /// The files cannot be found.
    #[error(transparent)]
    Files(#[from] FleetFileError),
    /// The program that prints the targets failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The source has no target.
    #[error("the fleet has no targets: {reason}")]
    NoTargets {
        /// What was found instead.
        reason: String,
        /// The place of the source.
        origin: Origin,
    },
    /// Targets cannot be used.
    #[error("{} targets cannot be used", .0.len())]
    Targets(Vec<TargetProblem>),
    /// The selection names no target.
    #[error("{} patterns match no target", .0.len())]
    Select(Vec<SelectProblem>),
    /// Canaries or groups do not fit the targets.
    #[error("the order of the fleet does not fit its targets")]
    Order(Vec<OrderProblem>),
    /// The version table has a schema of its own, so that all targets would share it.
    #[error("`version-table` names a schema, and so does each target of the fleet")]
    QualifiedTable,
    /// Backups are of whole databases.
    #[error("the targets are schemas, and a backup of each would be one of its whole database")]
    BackupOfSchemas,
    /// A schema's name has characters of patterns.
    #[error("the schema `{0}` cannot be compared, since its name has a character of patterns")]
    NotComparable(String),
    /// Nothing may be started at this time.
    #[error("targets are started at {window} only")]
    Closed {
        /// The window.
        window: Window,
    },
    /// There is no journal of failed targets.
    #[error("there is no journal at {}", .0.display())]
    NoJournal(PathBuf),
    /// The journal cannot be used.
    #[error("cannot use the journal {}: {error}", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        error: io::Error,
    },
}

fn no_fleet(environment: Option<&str>) -> String {
    match environment {
        Some(name) => format!("the environment `{name}` has no fleet"),
        None => "a fleet belongs to an environment, and none is chosen".to_owned(),
    }
}

/// A target that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct TargetProblem {
    /// The place in the source: `row 3 of the query`.
    pub place: String,
    /// The kind of problem.
    pub kind: TargetProblemKind,
}

/// Why a target cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetProblemKind {
    /// The line is no JSON object.
    #[error("it is not a JSON object: {0}")]
    NotJson(String),
    /// A value is not a string.
    #[error("`{0}` is not a string")]
    NotText(String),
    /// The source gives something that targets do not have.
    #[error("targets have no `{field}`")]
    UnknownField {
        /// The name as given.
        field: String,
        /// The nearest name.
        nearest: Option<&'static str>,
    },
    /// There is no name.
    #[error("it has no `name`")]
    NoName,
    /// The name is refused.
    #[error("the name `{name}` is refused: {fault}")]
    Name {
        /// The name.
        name: String,
        /// The reason.
        fault: NameFault,
    },
    /// Another target has the name.
    #[error("the name `{name}` is that of {first}, too")]
    Duplicate {
        /// The name.
        name: String,
        /// The place of the first one.
        first: String,
    },
    /// The target has no URL.
    #[error("target {0} has no URL")]
    NoUrl(String),
    /// The target does not differ from others.
    #[error("target {0} has neither a URL nor a schema of its own")]
    NotItsOwn(String),
    /// The URL is invalid.
    #[error("the URL of target {name}: {error}")]
    Url {
        /// The target.
        name: String,
        /// The error, which does not have the URL.
        error: LocationError,
    },
    /// The file would be lost at once.
    #[error("target {0} is in memory")]
    InMemory(String),
    /// The target has a schema in a database without schemas.
    #[error("target {0} has a schema, and its database has none")]
    NoSchemas(String),
    /// The schema's name is refused.
    #[error("the schema `{schema}` of target {name} is refused: {reason}")]
    Schema {
        /// The target.
        name: String,
        /// The schema.
        schema: String,
        /// The reason.
        reason: String,
    },
    /// The URL sets the search path, which is that of the schema.
    #[error("the URL of target {0} sets search_path, and so does its schema")]
    SearchPath(String),
    /// The target is in a database of another kind.
    #[error("target {name} is a {found} database, and others are {expected}")]
    OtherDialect {
        /// The target.
        name: String,
        /// Its dialect.
        found: Dialect,
        /// That of the first target.
        expected: Dialect,
    },
}
