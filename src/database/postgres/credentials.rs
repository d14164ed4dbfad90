//! Checks the files that the TLS library reads by itself. It would wait for a named pipe forever,
//! so the type of each file is checked before.

use std::{env, path::Path};

use crate::{database::LocationError, files};

/// The variable that names the file of the system's certificates.
const VARIABLE: &str = "SSL_CERT_FILE";

/// Checks the file of the system's certificates, if the environment names one.
///
/// # Errors
/// [`LocationError::File`] when it is not a regular file.
pub(super) fn check() -> Result<(), LocationError> {
    let Some(path) = env::var_os(VARIABLE) else {
        return Ok(());
    };
    let path = Path::new(&path);
    files::check(path).map_err(|found| LocationError::File {
        path: path.display().to_string(),
        reason: found.to_string(),
    })
}
