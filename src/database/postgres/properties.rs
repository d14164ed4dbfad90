//! The properties of databases, and values of rows.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::DatabaseError,
    error,
    message::{literal, rows},
};

/// The options of CREATE DATABASE for a database like this one.
pub(super) async fn properties(
    connection: &mut PgConnection,
) -> Result<BTreeMap<String, String>, DatabaseError> {
    read(connection, "pg_catalog.current_database()").await
}

/// The options of CREATE DATABASE for a database like `name` on the same server; none if it does not
/// exist.
pub(super) async fn properties_of(
    connection: &mut PgConnection,
    name: &str,
) -> Result<BTreeMap<String, String>, DatabaseError> {
    read(connection, &format!("{}::pg_catalog.name", literal(name))).await
}

async fn read(
    connection: &mut PgConnection,
    name: &str,
) -> Result<BTreeMap<String, String>, DatabaseError> {
    let sql = format!(
        "SELECT pg_catalog.row_to_json(d)::jsonb OPERATOR(pg_catalog.->>) k.name, k.name \
         FROM (SELECT d.*, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding_name, \
         pg_catalog.pg_get_userbyid(d.datdba) AS owner_name \
         FROM pg_catalog.pg_database AS d) AS d, \
         (VALUES ('encoding_name'), ('datcollate'), ('datctype'), ('datlocprovider'), \
         ('daticulocale'), ('datlocale'), ('daticurules'), ('owner_name')) AS k (name) \
         WHERE d.datname = {name}"
    );
    let found = rows(connection, &sql).await.map_err(|e| failed(&e))?;
    let mut properties = BTreeMap::new();
    for row in &found {
        if let Some(value) = optional(Some(row), 0)? {
            properties.insert(text(Some(row), 1)?, value);
        }
    }
    Ok(properties)
}

/// The text of a column; empty for NULL and without a row.
pub(super) fn text(row: Option<&PgRow>, column: usize) -> Result<String, DatabaseError> {
    Ok(optional(row, column)?.unwrap_or_default())
}

/// The text of a column; `None` for NULL and without a row.
pub(super) fn optional(
    row: Option<&PgRow>,
    column: usize,
) -> Result<Option<String>, DatabaseError> {
    let Some(row) = row else { return Ok(None) };
    row.try_get(column).map_err(|error| failed(&error))
}

/// The error of a failed query.
pub(super) fn failed(error: &sqlx::Error) -> DatabaseError {
    match error::from_server(error) {
        Some(server) => DatabaseError::Sql(error::failure(server, None)),
        None => DatabaseError::ConnectionLost(error::reason(error)),
    }
}
