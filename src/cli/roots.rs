//! Sets the trusted certificates.

use crate::database::Location;

/// Trusts the certificates named by a URL instead of the system's. The client library would trust
/// both, so with `sslmode=verify-ca` any public certificate would be accepted.
///
/// Must be called before any thread is started.
pub fn trust_only(location: &Location) {
    let Some(root) = location.root_certificates() else {
        return;
    };
    // SAFETY: the process has one thread so far: the runtime is one of the thread that calls this,
    // and nothing was handed to others yet.
    unsafe {
        // The library reads this file instead of the system's certificates.
        std::env::set_var("SSL_CERT_FILE", root);
        std::env::remove_var("SSL_CERT_DIR");
    }
}
