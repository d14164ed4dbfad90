//! The connection parameters of libpq: their names, variables and values.

use std::{collections::BTreeMap, env};

use super::service;
use crate::{database::location::LocationError, nearest::misspelt};

/// The rule for a parameter.
pub(super) enum Rule {
    /// The parameter is used.
    Used,
    /// One of these values is required.
    OneOf(&'static [&'static str]),
    /// These values have no effect; any other value is refused for this reason.
    Only(&'static [&'static str], &'static str),
    /// The parameter has no effect, whatever its value.
    NoEffect,
    /// The parameter is refused for this reason, unless it is empty.
    Refused(&'static str),
}

/// A connection parameter.
pub(super) struct Parameter {
    pub name: &'static str,
    /// Other spellings, used by sqlx and other drivers.
    aliases: &'static [&'static str],
    /// The environment variable for the parameter.
    pub variable: Option<&'static str>,
    rule: Rule,
}

use Rule::{NoEffect, OneOf, Only, Refused, Used};

pub(super) const SSL_MODES: &[&str] = &[
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

const NO_GSS: &str = "GSSAPI is not supported";
const NO_REVOCATION: &str = "certificate revocation lists are not supported";

/// All parameters of libpq, and parameters of other drivers that are common in URLs.
#[rustfmt::skip]
pub(super) const PARAMETERS: &[Parameter] = &[
    parameter("host", &[], Some("PGHOST"), Used),
    parameter("hostaddr", &[], Some("PGHOSTADDR"), Used),
    parameter("port", &[], Some("PGPORT"), Used),
    parameter("dbname", &["database"], Some("PGDATABASE"), Used),
    parameter("user", &[], Some("PGUSER"), Used),
    parameter("password", &[], Some("PGPASSWORD"), Used),
    parameter("passfile", &[], Some("PGPASSFILE"), Used),
    parameter("service", &[], Some("PGSERVICE"), Used),
    parameter("servicefile", &[], Some("PGSERVICEFILE"), Used),
    parameter("options", &[], Some("PGOPTIONS"), Used),
    parameter("schema", &[], None, Used),
    parameter("connect_timeout", &[], Some("PGCONNECT_TIMEOUT"), Used),
    parameter("keepalives", &[], None, OneOf(&["0", "1"])),
    parameter("keepalives_idle", &[], None, Used),
    parameter("keepalives_interval", &[], None, Used),
    parameter("keepalives_count", &[], None, Used),
    parameter("tcp_user_timeout", &[], None, Used),
    parameter("target_session_attrs", &[], Some("PGTARGETSESSIONATTRS"),
        OneOf(&["any", "read-write", "read-only", "primary", "standby", "prefer-standby"])),
    parameter("sslmode", &["ssl-mode"], Some("PGSSLMODE"), OneOf(SSL_MODES)),
    parameter("requiressl", &[], Some("PGREQUIRESSL"), OneOf(&["0", "1"])),
    parameter("ssl", &[], None, OneOf(&["true", "false"])),
    parameter("sslrootcert", &["ssl-root-cert", "ssl-ca"], Some("PGSSLROOTCERT"), Used),
    parameter("sslcert", &["ssl-cert"], Some("PGSSLCERT"), Used),
    parameter("sslkey", &["ssl-key"], Some("PGSSLKEY"), Used),
    parameter("client_encoding", &[], Some("PGCLIENTENCODING"),
        Only(&["utf8", "utf-8", "unicode", "auto"], "scripts are sent as UTF-8")),
    parameter("channel_binding", &[], Some("PGCHANNELBINDING"),
        Only(&["disable", "prefer"], "channel binding is not supported; use channel_binding=prefer with \
            sslmode=verify-full, where the certificate tells the server from an impostor")),
    parameter("gssencmode", &[], Some("PGGSSENCMODE"), Only(&["disable", "prefer"], NO_GSS)),
    parameter("gssdelegation", &[], Some("PGGSSDELEGATION"), Only(&["0"], NO_GSS)),
    parameter("krbsrvname", &[], Some("PGKRBSRVNAME"), NoEffect),
    parameter("gsslib", &[], Some("PGGSSLIB"), NoEffect),
    parameter("sslnegotiation", &[], Some("PGSSLNEGOTIATION"),
        Only(&["postgres"], "TLS without PostgreSQL's own request for it is not supported")),
    parameter("sslcompression", &[], Some("PGSSLCOMPRESSION"), Only(&["0"], "TLS is never compressed")),
    parameter("sslsni", &[], Some("PGSSLSNI"), Only(&["1"], "the server's name is always sent")),
    parameter("sslcertmode", &[], Some("PGSSLCERTMODE"),
        Only(&["allow"], "a certificate is sent when there is one and the server asks")),
    parameter("sslpassword", &[], None, Refused("encrypted keys are not supported")),
    parameter("sslcrl", &[], Some("PGSSLCRL"), Refused(NO_REVOCATION)),
    parameter("sslcrldir", &[], Some("PGSSLCRLDIR"), Refused(NO_REVOCATION)),
    parameter("ssl_min_protocol_version", &[], Some("PGSSLMINPROTOCOLVERSION"),
        Only(&["tlsv1", "tlsv1.1", "tlsv1.2"], "TLS 1.2 and 1.3 are supported, and both are offered")),
    parameter("ssl_max_protocol_version", &[], Some("PGSSLMAXPROTOCOLVERSION"),
        Only(&["tlsv1.3"], "TLS 1.2 and 1.3 are supported, and both are offered")),
    parameter("requirepeer", &[], Some("PGREQUIREPEER"), Refused("the user that runs the server is not checked")),
    parameter("require_auth", &[], Some("PGREQUIREAUTH"), Refused("the method of authentication is the server's choice")),
    parameter("replication", &[], None, Only(&["false", "off", "no", "0"], "migrations need an ordinary session")),
    parameter("load_balance_hosts", &[], Some("PGLOADBALANCEHOSTS"), Only(&["disable"], "there is one host")),
    parameter("min_protocol_version", &[], Some("PGMINPROTOCOLVERSION"), Only(&["3.0"], "version 3.0 of the protocol is used")),
    parameter("max_protocol_version", &[], Some("PGMAXPROTOCOLVERSION"), NoEffect),
    parameter("application_name", &[], Some("PGAPPNAME"), NoEffect),
    parameter("fallback_application_name", &[], None, NoEffect),
    parameter("statement-cache-capacity", &["statement_cache_size"], None, NoEffect),
    parameter("pgbouncer", &[], None, OneOf(&["true", "false"])),
    parameter("connection_limit", &[], None, NoEffect),
    parameter("pool_timeout", &[], None, NoEffect),
];

const fn parameter(
    name: &'static str,
    aliases: &'static [&'static str],
    variable: Option<&'static str>,
    rule: Rule,
) -> Parameter {
    Parameter {
        name,
        aliases,
        variable,
        rule,
    }
}

/// The parameter with that name, in any spelling.
pub(super) fn find(name: &str) -> Option<&'static Parameter> {
    let mut all = PARAMETERS.iter();
    all.find(|it| it.name == name || it.aliases.contains(&name))
}

/// The error for an unknown parameter.
pub(super) fn unknown(name: &str) -> LocationError {
    LocationError::Parameter {
        name: name.to_owned(),
        nearest: misspelt(name, PARAMETERS.iter().map(|it| it.name)),
    }
}

/// A value and its source: `sslmode`, `PGSSLMODE`, `sslmode of service shop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    pub text: String,
    pub origin: String,
}

/// The parameters of one connection by name.
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<&'static str, Value>);

impl Parameters {
    /// Merges the parameters that are `given`, those of the service, and those of the environment.
    /// The first source of a parameter counts; within the given ones, the last value.
    ///
    /// # Errors
    /// [`LocationError`] of a parameter that is unknown, invalid or not supported.
    pub fn resolve(
        given: Vec<(String, String)>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, LocationError> {
        let mut all = Self::default();
        for (name, text) in given {
            let known = find(&name).ok_or_else(|| unknown(&name))?;
            let origin = name;
            all.0.insert(known.name, Value { text, origin });
        }
        all.0.retain(|_, value| !value.text.is_empty());
        let named = |known: &Parameter| known.variable.and_then(&variable);
        for known in PARAMETERS
            .iter()
            .filter(|it| it.name.starts_with("service"))
        {
            all.fill(known, named(known), known.variable.unwrap_or_default());
        }
        if let Some(service) = all.text("service").map(str::to_owned) {
            let file = all.text("servicefile");
            for (name, text) in service::read(&service, file, &variable)? {
                let known = find(&name).ok_or_else(|| unknown(&name))?;
                all.fill(known, Some(text), &format!("{name} of service {service}"));
            }
        }
        for known in PARAMETERS {
            all.fill(known, named(known), known.variable.unwrap_or_default());
        }
        for (name, value) in &all.0 {
            check(name, value)?;
        }
        Ok(all)
    }

    /// Appends a setting to the options.
    pub fn add_setting(&mut self, name: &str, value: &str) {
        let escaped = value.replace('\\', "\\\\").replace(' ', "\\ ");
        let option = format!("-c {name}={escaped}");
        let options = self.0.entry("options").or_insert_with(|| Value {
            text: String::new(),
            origin: format!("options[{name}]"),
        });
        options.text = format!("{} {option}", options.text);
    }

    fn fill(&mut self, known: &Parameter, text: Option<String>, origin: &str) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            let origin = origin.to_owned();
            self.0.entry(known.name).or_insert(Value { text, origin });
        }
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|value| value.text.as_str())
    }

    /// The value of a parameter as an integer.
    ///
    /// # Errors
    /// [`LocationError::Value`] when the value is not an integer.
    pub fn number(&self, name: &str) -> Result<Option<i32>, LocationError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.text.trim().parse();
        number
            .map(Some)
            .map_err(|_| value.refused("expected a whole number"))
    }
}

impl Value {
    /// The error for this value.
    pub fn refused(&self, reason: impl Into<String>) -> LocationError {
        LocationError::Value {
            name: self.origin.clone(),
            value: self.text.clone(),
            reason: reason.into(),
        }
    }
}

fn check(name: &str, value: &Value) -> Result<(), LocationError> {
    let Some(known) = find(name) else {
        return Err(unknown(name));
    };
    let lower = value.text.to_ascii_lowercase();
    match known.rule {
        OneOf(values) if !values.contains(&value.text.as_str()) => {
            Err(value.refused(format!("expected {}", either(values))))
        }
        Only(values, reason) if !values.contains(&lower.as_str()) => Err(value.refused(reason)),
        Refused(reason) => Err(value.refused(reason)),
        Used | OneOf(_) | Only(..) | NoEffect => Ok(()),
    }
}

fn either(values: &[&str]) -> String {
    match values {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => values.concat(),
    }
}

/// An environment variable of the process.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Whether `text` looks like `host=db dbname=shop`, libpq's other connection string.
pub(super) fn is_keywords(text: &str) -> bool {
    let name = text.split('=').next().unwrap_or_default().trim_end();
    text.contains('=') && find(name).is_some()
}

/// Parses the parameters of `host=db dbname='my shop'`.
///
/// # Errors
/// [`LocationError::Syntax`]; never with the text, which may contain a password.
pub(super) fn keywords(text: &str) -> Result<Vec<(String, String)>, LocationError> {
    let broken = |what: &str| LocationError::Syntax(format!("among its keywords {what}"));
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest
            .split_once('=')
            .ok_or_else(|| broken("a `=` is missing"))?;
        let name = name.trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(broken("a `=` is missing"));
        }
        let (value, after) =
            keyword_value(after.trim_start()).ok_or_else(|| broken("a quote is not closed"))?;
        pairs.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// The value at the start of `text`, and the rest.
fn keyword_value(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let mut characters = quoted.unwrap_or(text).chars();
    let mut value = String::new();
    loop {
        let rest = characters.as_str();
        match characters.next() {
            Some('\\') => value.extend(characters.next()),
            Some('\'') if quoted.is_some() => return Some((value, characters.as_str())),
            Some(space) if quoted.is_none() && space.is_whitespace() => return Some((value, rest)),
            Some(other) => value.push(other),
            None => return quoted.is_none().then_some((value, "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(given: &[(&str, &str)], set: &[(&str, &str)]) -> Result<Parameters, LocationError> {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let found = |name: &str| {
            let mut set = set.iter();
            set.find(|(it, _)| *it == name)
                .map(|(_, value)| (*value).to_owned())
        };
        Parameters::resolve(given.collect(), found)
    }

    #[test]
    fn what_is_given_comes_before_variables() {
        let all = resolve(
            &[("ssl-mode", "require"), ("port", "")],
            &[("PGSSLMODE", "disable"), ("PGPORT", "6000"), ("PGUSER", "")],
        )
        .unwrap();
        assert_eq!(all.text("sslmode"), Some("require"));
        assert_eq!(all.number("port"), Ok(Some(6000)));
        assert_eq!(all.get("user"), None);
    }

    #[test]
    fn nothing_that_libpq_would_refuse_or_do_is_passed_over() {
        let check = |given: (&str, &str), set: (&str, &str), expected: &str| {
            let given: &[_] = if given.0.is_empty() { &[] } else { &[given] };
            let set: &[_] = if set.0.is_empty() { &[] } else { &[set] };
            let error = resolve(given, set).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let none = ("", "");
        for mistyped in ["verify_full", "required", "VERIFY-FULL"] {
            check(none, ("PGSSLMODE", mistyped), "PGSSLMODE");
            check(("sslmode", mistyped), none, "disable, allow, prefer");
        }
        check(
            none,
            ("PGCHANNELBINDING", "require"),
            "channel_binding=prefer",
        );
        check(("channel_binding", "require"), none, "verify-full");
        check(("gssencmode", "require"), none, "GSSAPI");
        check(("sslnegotiation", "direct"), none, "sslnegotiation");
        check(none, ("PGTARGETSESSIONATTRS", "readwrite"), "read-write");
        check(none, ("PGREQUIREPEER", "postgres"), "PGREQUIREPEER");
        check(("sslcrl", "x.crl"), none, "revocation");
        check(("keepalives", "yes"), none, "0 or 1");
        check(("client_encoding", "LATIN1"), none, "UTF-8");
        check(("sslmod", "require"), none, "sslmod");
    }

    #[test]
    fn what_changes_nothing_is_taken() {
        for given in [
            ("channel_binding", "prefer"),
            ("gssencmode", "disable"),
            ("sslnegotiation", "postgres"),
            ("pgbouncer", "true"),
            ("ssl_min_protocol_version", "TLSv1.2"),
            ("application_name", "x"),
            ("sslcrl", ""),
        ] {
            assert!(resolve(&[given], &[]).is_ok(), "{given:?}");
        }
    }

    #[test]
    fn keywords_are_read_as_libpq_reads_them() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let found = keywords(text).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|(a, b)| (a.as_str(), b.as_str()))
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check(
            "host=db  port = 6000 dbname='my shop'",
            &[("host", "db"), ("port", "6000"), ("dbname", "my shop")],
        );
        check(
            r"password=a\ b\\ user='it\'s'",
            &[("password", r"a b\"), ("user", "it's")],
        );
        check("host='' dbname=x", &[("host", ""), ("dbname", "x")]);
        for text in ["host", "host=db port", "password='secret", "a b=c"] {
            let error = keywords(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(is_keywords("host = db") && is_keywords("dbname=x"));
        assert!(!is_keywords("app.db") && !is_keywords("a=b.db"));
    }
}
