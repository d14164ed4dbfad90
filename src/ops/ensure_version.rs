use super::{Error, Session};
use crate::{
    database::{Database, Detail},
    execute,
};

/// The result of `ensure-version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnsureVersionReport {
    /// The database.
    pub database: String,
    /// The version table, as configured.
    pub table: String,
    /// Whether the table was created or its layout upgraded.
    pub made: bool,
}

/// Creates the version table and its log, or upgrades their layout.
///
/// # Errors
/// An error of the database; nothing is changed then.
pub async fn ensure_version(session: &mut Session) -> Result<EnsureVersionReport, Error> {
    let mut database = session.lock().await?;
    let made = ensured(database.as_mut()).await;
    session.release(database).await;
    Ok(EnsureVersionReport {
        database: session.place().to_owned(),
        table: session.settings().version_table.clone(),
        made: made?,
    })
}

async fn ensured(database: &mut dyn Database) -> Result<bool, Error> {
    let before = database.observe(Detail::Brief).await?;
    database.prepare().await?;
    // The state is read again only for the report.
    let after = execute::final_state(database).await;
    Ok(match after {
        Some(after) => before.layout != after.layout,
        None => before.layout.is_none(),
    })
}
