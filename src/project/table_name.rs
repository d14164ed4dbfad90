//! Names of version tables.

/// PostgreSQL silently truncates names to 63 bytes.
const MAX_NAME: usize = 63;

/// Checks the name of a version table, `name` or `schema.name`. The name must leave room for the
/// suffix `_log` of the log table, which would otherwise be truncated to the version table's name.
///
/// # Errors
/// Returns a description of valid names.
pub fn check_table_name(name: &str) -> Result<(), &'static str> {
    let (schema, table) = match name.split_once('.') {
        Some((schema, table)) => (Some(schema), table),
        None => (None, name),
    };
    if table.contains('.') {
        return Err("expected `table` or `schema.table`; a dot inside of a name is not supported");
    }
    if schema == Some("") || table.is_empty() {
        return Err("expected `table` or `schema.table`");
    }
    if name.contains(['"', '\'', '`', '[', ']']) {
        return Err("names are written without quotes; they are quoted where they are used");
    }
    if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("names hold no white space and no control characters");
    }
    if schema.is_some_and(|schema| schema.len() > MAX_NAME) || table.len() > MAX_NAME - "_log".len()
    {
        return Err("a schema's name has up to 63 bytes, the table's up to 59");
    }
    if table.to_ascii_lowercase().starts_with("sqlite_") {
        return Err("SQLite keeps names that begin with `sqlite_` to itself");
    }
    Ok(())
}
