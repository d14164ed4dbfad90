//! URLs for other programs.

use sqlx::{ConnectOptions, postgres::PgSslMode};

use super::{options::ServerOptions, url};
use crate::database::location::decode;

/// The URL of the database with user and password, as libpq and most drivers read it. Settings that
/// were requested are in its `options`.
pub(in crate::database) fn client_url(options: &ServerOptions) -> String {
    let login = options.login();
    let mut user = encoded(login.get_username());
    // sqlx exposes password and certificates only in a URL. Its other parts might not be valid in
    // one.
    let lossy = login.clone().host("h").username("u").database("d");
    let lossy = lossy.to_url_lossy();
    if let Some(password) = lossy.password().and_then(|it| decode(it).ok()) {
        user += &format!(":{}", encoded(&password));
    }
    let database = encoded(url::database(options));
    let mut parameters = Vec::new();
    let server = match login.get_socket().map(|path| path.display().to_string()) {
        Some(directory) => {
            parameters.push(("host", directory));
            if login.get_port() != 5432 {
                parameters.push(("port", login.get_port().to_string()));
            }
            String::new()
        }
        None => {
            let host = login.get_host();
            if host.starts_with('/') {
                parameters.push(("host", host.to_owned()));
                parameters.push(("port", login.get_port().to_string()));
                String::new()
            } else if host.contains(':') {
                format!("[{host}]:{}", login.get_port())
            } else {
                format!("{}:{}", encoded(host), login.get_port())
            }
        }
    };
    // It is the default of most clients, and not all of them know its name.
    let is_usual = matches!(login.get_ssl_mode(), PgSslMode::Prefer);
    let is_socket = server.is_empty();
    for (name, value) in lossy.query_pairs().filter(|_| !is_socket) {
        let value = value.strip_prefix("file: ").unwrap_or(&value).to_owned();
        match &*name {
            "sslmode" if !is_usual => parameters.push(("sslmode", value)),
            "sslrootcert" => parameters.push(("sslrootcert", value)),
            "sslcert" => parameters.push(("sslcert", value)),
            "sslkey" => parameters.push(("sslkey", value)),
            _ => {}
        }
    }
    if let Some(requested) = requested(options) {
        parameters.push(("options", requested));
    }
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value).replace("%2F", "/")))
        .collect();
    let mark = if parameters.is_empty() { "" } else { "?" };
    let parameters = parameters.join("&");
    format!("postgres://{user}@{server}/{database}{mark}{parameters}")
}

/// The requested settings as command-line options of the server.
fn requested(options: &ServerOptions) -> Option<String> {
    let settings = options.settings.iter().map(|setting| {
        let value = setting.value.replace('\\', "\\\\").replace(' ', "\\ ");
        format!("-c {}={value}", setting.name)
    });
    let settings: Vec<String> = settings.collect();
    (!settings.is_empty()).then(|| settings.join(" "))
}

/// `text` with everything percent-encoded that could have a meaning in a URL.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_the_same_place() {
        let check = |rest: &str, expected: &str| {
            let options = url::parse(rest).unwrap();
            let made = client_url(&options);
            assert_eq!(made, expected);
            let again = url::parse(made.strip_prefix("postgres:").unwrap()).unwrap();
            assert_eq!(client_url(&again), made);
            assert_eq!(again.settings, options.settings);
        };
        check("//u@h:6000/db", "postgres://u@h:6000/db");
        check(
            "//jo%2Fhn:s%40cr%2Fet%25@h/a%20b?sslmode=require",
            "postgres://jo%2Fhn:s%40cr%2Fet%25@h:5432/a%20b?sslmode=require",
        );
        check("//u@[::1]:7/db", "postgres://u@[::1]:7/db");
        check(
            "//u:p@/db?host=/run/p%20g&port=5433",
            "postgres://u:p@/db?host=/run/p%20g&port=5433",
        );
        check(
            "//u@h/db?options[search_path]=app,%20public",
            "postgres://u@h:5432/db?options=-c%20search_path%3Dapp%2C%5C%20public",
        );
    }
}
