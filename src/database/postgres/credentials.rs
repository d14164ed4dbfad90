//! Files that a connection to PostgreSQL reads beside its URL. They are opened by the client
//! library, which would wait for a named pipe for ever, so their type is looked at before.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{database::LocationError, files};

/// Parameters of a URL that name a file.
const PARAMETERS: [&str; 7] = [
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
];

/// Variables that name a file; the last one is of the library that knows the system's
/// certificates.
const VARIABLES: [&str; 4] = ["PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "SSL_CERT_FILE"];

/// Names no password, as people say to libpq.
const NOTHING: &str = "/dev/null";

/// Looks at all files that a connection reads: those that `parameters` and the environment name,
/// and the password file unless a password `is_given`.
///
/// # Errors
/// [`LocationError::File`] of the first that is not a regular file.
pub(super) fn check(parameters: &[(String, String)], is_given: bool) -> Result<(), LocationError> {
    let named = parameters.iter();
    let named = named.filter(|(name, _)| PARAMETERS.contains(&name.as_str()));
    let named = named.map(|(_, value)| PathBuf::from(value));
    let set = VARIABLES.into_iter().filter_map(env::var_os);
    let mut paths: Vec<_> = named.chain(set.map(PathBuf::from)).collect();
    let has_password = is_given || env::var_os("PGPASSWORD").is_some();
    if !has_password {
        paths.extend(password_files());
    }
    for path in paths {
        files::check(&path).map_err(|found| LocationError::File {
            path: path.display().to_string(),
            reason: found.to_string(),
        })?;
    }
    Ok(())
}

fn password_files() -> impl Iterator<Item = PathBuf> {
    let named = env::var_os("PGPASSFILE").map(PathBuf::from);
    let usual = env::home_dir().map(|home| home.join(".pgpass"));
    let all = named.into_iter().chain(usual);
    all.filter(|path| path != Path::new(NOTHING))
}
