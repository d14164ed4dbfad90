//! libpq's service files: named groups of connection parameters.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{database::location::LocationError, files};

/// The directories in which PostgreSQL packages look for the system's file.
const SYSTEM: [&str; 3] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/etc"];

/// Reads the parameters of the service `name` from `file` or the user's own, then from the
/// system's.
///
/// # Errors
/// [`LocationError`] when a file cannot be read, or no file has the service.
pub(super) fn read(
    name: &str,
    file: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, LocationError> {
    let own = match file {
        Some(file) => Some(PathBuf::from(file)),
        None => env::home_dir().map(|home| home.join(".pg_service.conf")),
    };
    let system: Vec<PathBuf> = match variable("PGSYSCONFDIR") {
        Some(directory) => vec![directory.into()],
        None => SYSTEM.iter().map(PathBuf::from).collect(),
    };
    let system = system.into_iter().map(|it| it.join("pg_service.conf"));
    for path in own.into_iter().chain(system) {
        let is_named = file.is_some_and(|file| path == Path::new(file));
        if !is_named && !path.exists() {
            continue;
        }
        let unusable = |reason: String| LocationError::File {
            path: path.display().to_string(),
            reason,
        };
        let bytes = files::read(&path).map_err(|error| unusable(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| unusable("it is not UTF-8".to_owned()))?;
        if let Some(found) = section(&text, name).map_err(unusable)? {
            return Ok(found);
        }
    }
    Err(LocationError::Service {
        name: name.to_owned(),
    })
}

/// The parameters of `[name]`; `None` if there is no such section.
fn section(text: &str, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let mut found: Option<Vec<(String, String)>> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if heading.strip_suffix(']') == Some(name) {
                found = Some(Vec::new());
            }
            continue;
        }
        let Some(parameters) = &mut found else {
            continue;
        };
        match line.split_once('=') {
            _ if line.starts_with("ldap") => {
                return Err(format!("line {number}: LDAP is not supported"));
            }
            Some(("service", _)) => {
                return Err(format!("line {number}: a service cannot name another"));
            }
            Some((name, value)) => parameters.push((name.to_owned(), value.to_owned())),
            None => return Err(format!("line {number}: a `=` is missing")),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_one_section() {
        let text =
            "# services\n[other]\nhost=no\n\n[shop]\nhost=db\n# x\nport=6000\n[last]\nhost=no\n";
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let expected = vec![pair("host", "db"), pair("port", "6000")];
        assert_eq!(section(text, "shop"), Ok(Some(expected)));
        assert_eq!(section(text, "sho"), Ok(None));
        assert!(section("[a]\nhost\n", "a").unwrap_err().contains("line 2"));
        assert!(section("[a]\nservice=b\n", "a").is_err());
        assert!(section("[a]\nldap://x\n", "a").is_err());
    }

    #[test]
    fn a_service_that_no_file_has_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("services");
        std::fs::write(&file, "[shop]\nhost=db\n").unwrap();
        let directory = dir.path().display().to_string();
        let only = |name: &str| (name == "PGSYSCONFDIR").then(|| directory.clone());
        let file = file.to_str();
        let read = |name| read(name, file, only);
        assert_eq!(read("shop").unwrap().len(), 1);
        let error = read("store").unwrap_err().to_string();
        assert!(error.contains("store"), "{error}");
    }
}
