//! Determines TLS problems from the errors of the client library.

use crate::database::TlsProblem;

/// The TLS problem in `error`, if any.
pub(super) fn problem(error: &sqlx::Error) -> Option<TlsProblem> {
    let text = match error {
        sqlx::Error::Tls(error) => error.to_string(),
        // A failed handshake is reported as a read error.
        sqlx::Error::Io(error) => error.to_string(),
        _ => return None,
    };
    match error {
        sqlx::Error::Tls(_) => Some(of(&text)),
        _ if text.starts_with(PEER) => Some(of(&text)),
        _ => None,
    }
}

/// Whether the peer answered a handshake with something other than TLS.
pub(super) fn is_other_protocol(text: &str) -> bool {
    text.contains("InvalidContentType") || text.contains("corrupt message")
}

const PEER: &str = "invalid peer certificate";

fn of(text: &str) -> TlsProblem {
    let says = |word: &str| text.contains(word);
    if says("does not support TLS") {
        TlsProblem::NotOffered
    } else if says("CaUsedAsEndEntity") {
        TlsProblem::Authority
    } else if says("UnsupportedCertVersion") {
        TlsProblem::Version1
    } else if says("UnknownIssuer") {
        TlsProblem::UnknownIssuer
    } else if says("NotValidForName") || says("not valid for name") {
        TlsProblem::OtherName
    } else if says("NotValidYet") || says("not valid yet") {
        TlsProblem::NotYetValid
    } else if says("Expired") || says("expired") {
        TlsProblem::Expired
    } else {
        let text = text.strip_prefix(PEER).unwrap_or(text);
        TlsProblem::Other(text.trim_start_matches([':', ' ']).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_certificate_is_told_from_the_connection() {
        let check = |text: &str, expected: Option<TlsProblem>| {
            let error = sqlx::Error::Io(io::Error::other(text.to_owned()));
            assert_eq!(problem(&error), expected, "{text}");
        };
        let peer = |what: &str| format!("invalid peer certificate: {what}");
        check(
            &peer("Other(OtherError(CaUsedAsEndEntity))"),
            Some(TlsProblem::Authority),
        );
        check(
            &peer("Other(OtherError(UnsupportedCertVersion))"),
            Some(TlsProblem::Version1),
        );
        check(&peer("UnknownIssuer"), Some(TlsProblem::UnknownIssuer));
        check(
            &peer("certificate not valid for name \"x\""),
            Some(TlsProblem::OtherName),
        );
        check(&peer("certificate expired: x"), Some(TlsProblem::Expired));
        check(
            &peer("BadEncoding"),
            Some(TlsProblem::Other("BadEncoding".into())),
        );
        check("Connection refused", None);
        let error = sqlx::Error::Tls("server does not support TLS".into());
        assert_eq!(problem(&error), Some(TlsProblem::NotOffered));
    }
}
