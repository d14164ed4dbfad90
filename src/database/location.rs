//! The parts of database URLs that all kinds of databases share.

use super::postgres;

/// An invalid database URL. The error never contains the URL, which may carry a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// The scheme is neither `sqlite:` nor `postgres:`.
    #[error("`{scheme}:` is not a supported kind of database")]
    Scheme {
        /// The scheme as written.
        scheme: String,
        /// The most similar known name.
        nearest: Option<&'static str>,
    },
    /// The URL has no scheme.
    #[error("the URL has no scheme")]
    NoScheme,
    /// The rest of the URL is invalid.
    #[error("invalid URL: {0}")]
    Syntax(String),
    /// The URL has an unknown parameter.
    #[error("the URL has an unknown parameter `{name}`")]
    Parameter {
        /// The name as written.
        name: String,
        /// The most similar known parameter.
        nearest: Option<&'static str>,
    },
    /// A connection parameter has an invalid value.
    #[error("`{name}` is `{value}`: {reason}")]
    Value {
        /// The parameter, or the variable that sets it.
        name: String,
        /// The value as written.
        value: String,
        /// The expected value, or the unsupported feature.
        reason: String,
    },
    /// No service file defines the service.
    #[error("no service file has the service `{name}`")]
    Service {
        /// The name as written.
        name: String,
    },
    /// The URL of a server names no database.
    #[error("the URL names no database")]
    NoDatabase,
    /// A password file, certificate or key cannot be used.
    #[error("cannot use {path}: {reason}")]
    File {
        /// The path as written.
        path: String,
        /// The reason.
        reason: String,
    },
}

/// A valid URL without its password.
pub fn without_password(url: &str) -> String {
    if split_scheme(url.trim()).is_none() {
        return postgres::url::keywords_without_password(url);
    }
    let (before, parameters) = match url.split_once('?') {
        Some((before, parameters)) => (before, Some(parameters)),
        None => (url, None),
    };
    let start = before.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = before.split_at(start);
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split_once(':').map_or(login, |(user, _)| user);
            format!("{user}@{host}")
        }
        None => authority.to_owned(),
    };
    let mut shown = format!("{scheme}{authority}{path}");
    let kept: Vec<_> = parameters
        .into_iter()
        .flat_map(|parameters| parameters.split('&'))
        .filter(|pair| !is_password(pair))
        .collect();
    if !kept.is_empty() {
        shown.push('?');
        shown.push_str(&kept.join("&"));
    }
    shown
}

fn is_password(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    decode(name).is_ok_and(|name| name == "password")
}

pub(super) fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let named = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    // `app.db:x` has a dot, which no supported scheme has, so it is a file name.
    (named && !scheme.contains('.')).then_some((scheme, rest))
}

pub(super) fn parameters_of(text: &str) -> Result<Vec<(String, String)>, LocationError> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

pub(super) fn decode(text: &str) -> Result<String, LocationError> {
    let hex = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = match bytes[at..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            decoded.push(high << 4 | low);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded)
        .map_err(|_| LocationError::Syntax("its %-escapes are not UTF-8".into()))
}
