//! Databases as a whole: made, dropped, waited for. The version table plays no part in it.

use std::time::Duration;

use super::{DatabaseError, Location, Settings, postgres, sqlite};

/// Makes the database of `location`; a file without its directory. Returns whether it was missing.
///
/// `maintenance` is the database of a PostgreSQL server to connect to meanwhile.
///
/// # Errors
/// When it can't be made.
pub async fn create(
    location: &Location,
    settings: &Settings,
    maintenance: Option<&str>,
) -> Result<bool, DatabaseError> {
    match location {
        Location::Postgres(options) => {
            postgres::admin::create(options, settings, maintenance).await
        }
        Location::Sqlite(file) => sqlite::admin::create(file, settings).await,
    }
}

/// Drops the database of `location`. Returns whether it was there.
///
/// With `force` a PostgreSQL server ends the sessions of others first.
///
/// # Errors
/// When others use it, or it can't be dropped.
pub async fn drop(
    location: &Location,
    settings: &Settings,
    maintenance: Option<&str>,
    force: bool,
) -> Result<bool, DatabaseError> {
    match location {
        Location::Postgres(options) => {
            postgres::admin::drop(options, settings, maintenance, force).await
        }
        Location::Sqlite(file) => sqlite::admin::drop(file, settings).await,
    }
}

/// Looks whether the database can be used: the server answers and has it, the file can be opened,
/// or its directory is there to make it in. Comes back within `patience`.
///
/// # Errors
/// Why not.
pub async fn probe(
    location: &Location,
    settings: &Settings,
    patience: Duration,
) -> Result<(), DatabaseError> {
    match location {
        Location::Postgres(options) => postgres::admin::probe(options, settings, patience).await,
        Location::Sqlite(file) => sqlite::admin::probe(file, patience).await,
    }
}
