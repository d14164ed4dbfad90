//! The password file (`~/.pgpass`), read as by libpq.

use std::{
    env,
    fs::Metadata,
    path::{Path, PathBuf},
};

use crate::{database::location::LocationError, files};

/// The file name that disables the password file in libpq.
const NOTHING: &str = "/dev/null";

/// Socket directories for which lines may say `localhost`.
const USUAL_SOCKETS: [&str; 3] = ["/var/run/postgresql", "/run/postgresql", "/tmp"];

/// The key of a password.
pub(super) struct Wanted<'a> {
    /// The host, the address, or the directory of the socket.
    pub host: &'a str,
    pub port: u16,
    pub database: &'a str,
    pub user: &'a str,
}

/// Finds the password of the first matching line, in the file that is `named` or the user's own.
///
/// # Errors
/// [`LocationError::File`] when the file is not a regular one, or other users can read it.
pub(super) fn find(
    named: Option<&str>,
    wanted: &Wanted<'_>,
) -> Result<Option<String>, LocationError> {
    let Some(path) = named.map(PathBuf::from).or_else(usual) else {
        return Ok(None);
    };
    if path == Path::new(NOTHING) {
        return Ok(None);
    }
    let unusable = |reason: String| LocationError::File {
        path: path.display().to_string(),
        reason,
    };
    files::check(&path).map_err(|found| unusable(found.to_string()))?;
    let Ok(metadata) = path.metadata() else {
        return Ok(None);
    };
    let bytes = files::read(&path).map_err(|error| unusable(error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let found = text.lines().find_map(|line| password(line, wanted));
    if found.is_some() && is_open(&metadata) {
        return Err(unusable(
            "its password for this server can be read by others; chmod 600".to_owned(),
        ));
    }
    Ok(found)
}

#[cfg(not(windows))]
fn usual() -> Option<PathBuf> {
    Some(env::home_dir()?.join(".pgpass"))
}

#[cfg(windows)]
fn usual() -> Option<PathBuf> {
    Some(PathBuf::from(env::var_os("APPDATA")?).join("postgresql/pgpass.conf"))
}

#[cfg(unix)]
fn is_open(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o77 != 0
}

#[cfg(not(unix))]
fn is_open(_: &Metadata) -> bool {
    false
}

/// The password of a line `host:port:database:user:password`, if the line matches.
fn password(line: &str, wanted: &Wanted<'_>) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let [host, port, database, user, password] = fields.as_slice() else {
        return None;
    };
    let fits = |field: &str, value: &str| field == "*" || field == value;
    let is_host = fits(host, wanted.host)
        || host == "localhost" && USUAL_SOCKETS.contains(&wanted.host.trim_end_matches('/'));
    let is_wanted = is_host
        && fits(port, &wanted.port.to_string())
        && fits(database, wanted.database)
        && fits(user, wanted.user);
    is_wanted.then(|| password.clone())
}

/// The five fields of a line. A backslash escapes the next character, and the last field contains
/// the rest.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let count = fields.len();
        let field = &mut fields[count - 1];
        match character {
            '\\' => field.extend(characters.next()),
            ':' if count < 5 => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Wanted<'_> = Wanted {
        host: "/srv/pg",
        port: 6000,
        database: "shop",
        user: "app",
    };

    #[test]
    fn lines_are_read_as_libpq_reads_them() {
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(password(line, &WANTED).as_deref(), expected, "{line}");
        };
        check("/srv/pg:6000:shop:app:secret", Some("secret"));
        check("*:*:*:*:secret ", Some("secret "));
        check(r"/srv/pg:6000:*:app:a\:b\\c:d", Some(r"a:b\c:d"));
        check(r"/srv\/pg:6000:shop:app:x", Some("x"));
        check("localhost:6000:shop:app:secret", None);
        check("/srv/pg:6000:shop:app", None);
        check("#*:*:*:*:secret", None);
        check("", None);
        let usual = Wanted {
            host: "/var/run/postgresql",
            ..WANTED
        };
        assert_eq!(password("localhost:*:*:*:x", &usual).as_deref(), Some("x"));
    }

    #[cfg(unix)]
    #[test]
    fn a_password_that_others_can_read_is_refused_where_it_would_be_used() {
        use std::{fs, os::unix::fs::PermissionsExt};

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwords");
        fs::write(&file, "/srv/pg:6000:shop:app:secret\n").unwrap();
        let named = file.to_str();
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o600);
        assert_eq!(find(named, &WANTED).unwrap().as_deref(), Some("secret"));
        mode(0o640);
        let error = find(named, &WANTED).unwrap_err().to_string();
        assert!(
            error.contains("chmod 600") && !error.contains("secret"),
            "{error}"
        );
        let other = Wanted {
            user: "other",
            ..WANTED
        };
        assert_eq!(find(named, &other), Ok(None));
    }
}
