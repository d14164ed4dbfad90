//! SQLite for looking at results, through the library and not through a command that may be missing.

use std::path::Path;

use sqlx::{Column, Connection, Row, ValueRef, sqlite::SqliteConnectOptions};

/// Rows of the last statement as text, columns parted by `|`.
pub fn sqlite(file: &Path, sql: &str) -> String {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.unwrap();
        let mut text = String::new();
        for row in rows {
            let columns = row.columns().iter().map(|column| {
                let value = row.try_get_raw(column.ordinal()).unwrap();
                if value.is_null() {
                    return String::new();
                }
                row.try_get_unchecked::<String, _>(column.ordinal())
                    .or_else(|_| {
                        row.try_get_unchecked::<i64, _>(column.ordinal())
                            .map(|n| n.to_string())
                    })
                    .unwrap()
            });
            text.push_str(&columns.collect::<Vec<_>>().join("|"));
            text.push('\n');
        }
        connection.close().await.unwrap();
        text
    })
}
