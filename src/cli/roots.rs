//! Which certificates are trusted.

use crate::database::Location;

/// Has the certificates that a url names trusted in place of the system's. The client library would
/// trust those beside them, so that with `sslmode=verify-ca` anybody's public certificate would pass.
///
/// Comes before anything that could start a thread.
pub fn trust_only(location: &Location) {
    let Some(root) = location.root_certificates() else {
        return;
    };
    // SAFETY: the process has one thread so far: the runtime is one of the thread that calls this,
    // and nothing was handed to others yet.
    unsafe {
        // The library reads these in place of the system's.
        std::env::set_var("SSL_CERT_FILE", root);
        std::env::remove_var("SSL_CERT_DIR");
    }
}
