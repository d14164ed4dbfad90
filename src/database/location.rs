//! URLs of databases, as far as they are the same for all of them.

use super::postgres;

/// A URL that names no database. Never holds the URL itself, which may carry a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// Neither `sqlite:` nor `postgres:`.
    #[error("`{scheme}:` is not a supported kind of database")]
    Scheme {
        /// The scheme as written.
        scheme: String,
        /// The nearest known name.
        nearest: Option<&'static str>,
    },
    /// No scheme at all.
    #[error("the URL has no scheme")]
    NoScheme,
    /// The rest of it cannot be read.
    #[error("invalid URL: {0}")]
    Syntax(String),
    /// A parameter after `?` that does not exist.
    #[error("the URL has an unknown parameter `{name}`")]
    Parameter {
        /// The name as written.
        name: String,
        /// The known one nearest to it.
        nearest: Option<&'static str>,
    },
    /// A connection parameter with a value that can't be used.
    #[error("`{name}` is `{value}`: {reason}")]
    Value {
        /// The parameter, or the variable that sets it.
        name: String,
        /// As written.
        value: String,
        /// What is expected, or not supported.
        reason: String,
    },
    /// A service that no service file has.
    #[error("no service file has the service `{name}`")]
    Service {
        /// As written.
        name: String,
    },
    /// A server without a database.
    #[error("the url names no database")]
    NoDatabase,
    /// A password file, certificate or key that can't be used.
    #[error("cannot use {path}: {reason}")]
    File {
        /// As it is named.
        path: String,
        /// What it is.
        reason: String,
    },
}

/// A URL that was read, without the password that may be in it.
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
    // `app.db:x` has a dot where no scheme in use has one: a file name.
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
