//! Files that TLS reads without being told so. They are opened by a library that would wait for a
//! named pipe for ever, so their type is looked at before.

use std::{env, path::Path};

use crate::{database::LocationError, files};

/// Names a file for the library that knows the system's certificates.
const VARIABLE: &str = "SSL_CERT_FILE";

/// Looks at the file of the system's certificates, where the environment names one.
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
