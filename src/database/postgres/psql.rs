//! TimeZone and DateStyle, which scripts find as in psql although the client library sets them.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    super::DatabaseError,
    asked::Setting,
    backend::{AS_LOGIN, Backend},
    error,
    message::{literal, rows, unpinned_rows},
    options::ServerOptions,
};
use crate::arrange::Arrange as _;

/// Settings to which the client library assigns a value at login, hiding those of role, database
/// and server: the name and that value.
const HIDDEN: [(&str, &str); 2] = [("timezone", "UTC"), ("datestyle", "ISO, MDY")];

/// Whether the client library hides the setting `name`, which is in lower case.
pub(super) fn is_hidden(name: &str) -> bool {
    HIDDEN.iter().any(|(hidden, _)| *hidden == name)
}

/// Makes the requested settings that the client library has hidden at login.
pub(super) async fn set_requested(
    connection: &mut PgConnection,
    backend: &mut Backend,
    options: &ServerOptions,
    place: &str,
) -> Result<(), DatabaseError> {
    let requested = HIDDEN.iter().filter_map(|(name, _)| {
        let mut found = options.settings.iter().rev();
        found.find(|it| it.name == *name)
    });
    let commands: Vec<_> = requested.map(command).collect();
    if commands.is_empty() {
        return Ok(());
    }
    let sent = unpinned_rows(connection, &commands.join(";\n")).await;
    sent.map_err(|error| match error::from_server(&error) {
        Some(server) => DatabaseError::Sql(error::failure(server, None)),
        None => error::connecting(&error, place),
    })?;
    backend.settings.extend(commands);
    Ok(())
}

/// Sets TimeZone and DateStyle as in psql, as far as they can be determined and unless they were
/// requested. Only scripts need this, and the server takes longer for it than for all else that a
/// command without a script asks.
pub(super) async fn follow(
    connection: &mut PgConnection,
    backend: &mut Backend,
    options: &ServerOptions,
) -> Result<(), sqlx::Error> {
    if backend.is_as_psql {
        return Ok(());
    }
    let is_asked = |name: &str| options.settings.iter().any(|asked| asked.name == name);
    let hidden = HIDDEN.iter().filter(|(name, _)| !is_asked(name));
    let hidden: Vec<_> = hidden.collect();
    if !hidden.is_empty() {
        let found = usual(connection, backend).await?;
        let mut commands = Vec::new();
        for (name, value) in hidden {
            match found.iter().rev().find(|it| it.name == *name) {
                Some(it) if !is_same(&it.value, value) => commands.push(command(it)),
                // Behind a pooler the value is unknown.
                None if backend.pooled => commands.push(format!("RESET {name}")),
                _ => {}
            }
        }
        if !commands.is_empty() {
            unpinned_rows(connection, &commands.join(";\n")).await?;
        }
        // RESET ALL covers the others.
        commands.retain(|command| command.starts_with("SET"));
        backend.settings.extend(commands);
    }
    backend.is_as_psql = true;
    Ok(())
}

/// Whether both values of TimeZone or of DateStyle are the same: case and spaces do not count.
fn is_same(a: &str, b: &str) -> bool {
    let letters = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    letters(a) == letters(b)
}

/// The values that the server, the database and the role give to settings; the last one of a name
/// counts.
async fn usual(
    connection: &mut PgConnection,
    backend: &Backend,
) -> Result<Vec<Setting>, sqlx::Error> {
    let of_server = match backend {
        // RESET restores the server's values there.
        Backend { pooled: true, .. } => None,
        Backend {
            superuser: true, ..
        } => Some(FILES),
        _ => Some(MAY_READ_FILES),
    };
    let of_role = format!(
        "SELECT s.setrole <> '0', s.setdatabase <> '0', unnest(s.setconfig) \
         FROM pg_db_role_setting AS s \
         WHERE s.setdatabase IN ('0', '{}') AND s.setrole IN ('0', '{}')",
        backend.database.0, backend.role.0
    );
    let queries = [AS_LOGIN].into_iter().chain(of_server).chain([&*of_role]);
    let queries: Vec<_> = queries.collect();
    let (mut settings, mut overriding) = (Vec::new(), Vec::new());
    for row in rows(connection, &queries.join(";\n")).await? {
        match row.len() {
            1 if row.try_get(0)? => {
                let files = rows(connection, &format!("{AS_LOGIN};\n{FILES}")).await?;
                settings.extend(files.iter().map(of_file).collect::<Result<Vec<_>, _>>()?);
            }
            1 => {}
            2 => settings.push(of_file(&row)?),
            _ => {
                let rank: (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
                overriding.push((rank, row.try_get::<String, _>(2)?));
            }
        }
    }
    // Values of a database override the server's, and those of a role override both.
    overriding.arrange_by_key(|(rank, _)| *rank);
    settings.extend(overriding.into_iter().filter_map(|(_, text)| {
        let (name, value) = text.split_once('=')?;
        Some(Setting {
            name: name.to_ascii_lowercase(),
            value: value.to_owned(),
        })
    }));
    Ok(settings)
}

/// The values in the configuration files of the settings that the login hides.
const FILES: &str = "SELECT lower(f.name), f.setting FROM pg_show_all_file_settings() AS f \
     WHERE f.applied AND lower(f.name) IN ('timezone', 'datestyle') ORDER BY f.seqno";

/// Whether the role may run [`FILES`].
const MAY_READ_FILES: &str =
    "SELECT has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE')";

fn of_file(row: &PgRow) -> Result<Setting, sqlx::Error> {
    Ok(Setting {
        name: row.try_get(0)?,
        value: row.try_get(1)?,
    })
}

fn command(setting: &Setting) -> String {
    format!("SET {} TO {}", setting.name, written(setting))
}

/// The value of a SET. DateStyle is a list, of which a literal would be a single item.
fn written(setting: &Setting) -> String {
    if setting.name == "datestyle" {
        let items = setting.value.split(',').map(|item| literal(item.trim()));
        return items.collect::<Vec<_>>().join(", ");
    }
    literal(&setting.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_item_by_item() {
        let check = |name: &str, value: &str, expected: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            assert_eq!(written(&Setting { name, value }), expected);
        };
        check("datestyle", "SQL, DMY", "E'SQL', E'DMY'");
        check("timezone", "Asia/Tokyo", "E'Asia/Tokyo'");
    }
}
