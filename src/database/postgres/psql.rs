//! TimeZone and DateStyle, which scripts find as in psql although the client library sets them.

use sqlx::{PgConnection, Row};

use super::{
    super::DatabaseError,
    asked::Setting,
    backend::{AS_LOGIN, Backend},
    error,
    message::{PINNED, literal, unpinned_rows},
    options::ServerOptions,
};

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
    let names = HIDDEN.iter().filter(|(name, _)| !is_asked(name));
    let names: Vec<_> = names.map(|(name, _)| *name).collect();
    if !names.is_empty() {
        let found = unpinned_rows(connection, &usual_message(backend, &names)).await?;
        let mut settings: Vec<Setting> = Vec::new();
        for row in found {
            let (name, value): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            settings.retain(|known| known.name != name);
            settings.push(Setting { name, value });
        }
        // RESET ALL restores the values of the login.
        settings.retain(|it| !HIDDEN.contains(&(it.name.as_str(), it.value.as_str())));
        backend.settings.extend(settings.iter().map(command));
    }
    backend.is_as_psql = true;
    Ok(())
}

/// A message that gives the settings `names` their usual values, and returns these. The last row of
/// a setting counts: values of a database override the server's, and those of a role override both.
fn usual_message(backend: &Backend, names: &[&str]) -> String {
    let mut commands = Vec::new();
    if backend.pooled {
        // The value is unknown, and what the files say of another one as well.
        commands.extend(names.iter().map(|name| format!("RESET {name}")));
    }
    commands.extend(PINNED.iter().chain([&AS_LOGIN]).map(|it| (*it).to_owned()));
    let names = names.iter().map(|name| literal(name)).collect::<Vec<_>>();
    let names = names.join(", ");
    if backend.reads_files && !backend.pooled {
        commands.push(format!(
            "SELECT f.name, set_config(f.name, f.setting, false) FROM \
             (SELECT lower(f.name) AS name, f.setting FROM pg_show_all_file_settings() AS f \
             WHERE f.applied AND lower(f.name) IN ({names}) ORDER BY f.seqno) AS f"
        ));
    }
    commands.push(format!(
        "SELECT s.name, set_config(s.name, s.value, false) FROM \
         (SELECT lower(split_part(c, '=', 1)) AS name, substr(c, strpos(c, '=') + 1) AS value \
         FROM pg_stat_get_activity(pg_backend_pid()) AS a, pg_db_role_setting AS s, \
         unnest(s.setconfig) AS c \
         WHERE s.setdatabase IN ('0', a.datid) AND s.setrole IN ('0', a.usesysid) \
         AND lower(split_part(c, '=', 1)) IN ({names}) \
         ORDER BY s.setrole <> '0', s.setdatabase <> '0') AS s"
    ));
    commands.join(";\n")
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
