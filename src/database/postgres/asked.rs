//! Server settings requested by URL, environment and configuration.

use std::time::Duration;

use super::parameters::{Parameters, Value, variable};
use crate::{database::location::LocationError, sql::in_quotes};

/// A setting with its requested value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub name: String,
    pub value: String,
}

/// The variables of libpq that represent a setting.
const VARIABLES: [(&str, &str); 3] = [
    ("PGDATESTYLE", "datestyle"),
    ("PGTZ", "timezone"),
    ("PGGEQO", "geqo"),
];

/// The prefix of migrator's own settings.
const OWN: &str = "migrator.";

/// The settings requested by parameters and environment. Each name occurs once, with its effective
/// value.
///
/// # Errors
/// [`LocationError`] of options that are not settings.
pub(super) fn of(parameters: &Parameters) -> Result<Vec<Setting>, LocationError> {
    let mut all = Vec::new();
    if let Some(schema) = parameters.text("schema") {
        put(&mut all, "search_path", in_quotes(schema));
    }
    if let Some(options) = parameters.get("options") {
        for (name, value) in switches(options)? {
            check(&name, &value).map_err(|reason| options.refused(reason))?;
            put(&mut all, &name, value);
        }
    }
    for (name, setting) in VARIABLES {
        if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
            put(&mut all, setting, value);
        }
    }
    Ok(all)
}

/// Adds a setting, or replaces the one of the same name.
pub(super) fn put(all: &mut Vec<Setting>, name: &str, value: String) {
    let name = name.to_ascii_lowercase();
    all.retain(|known| known.name != name);
    // Migrator's own name shows administrators what runs.
    if name != "application_name" {
        all.push(Setting { name, value });
    }
}

/// A duration as parsed by the server; a number alone is in milliseconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit.trim() {
        "" | "ms" => number,
        "s" => number.checked_mul(1000)?,
        "min" => number.checked_mul(60_000)?,
        "h" => number.checked_mul(3_600_000)?,
        "d" => number.checked_mul(86_400_000)?,
        _ => return None,
    };
    Some(Duration::from_millis(milliseconds))
}

/// Checks whether a setting can be requested.
fn check(name: &str, value: &str) -> Result<(), &'static str> {
    let name = name.to_ascii_lowercase();
    let value = value.to_ascii_lowercase();
    if name.starts_with(OWN) {
        return Err("settings that begin with `migrator.` are migrator's own");
    }
    if name == "client_connection_check_interval" {
        return Err("migrator sets client_connection_check_interval itself");
    }
    if matches!(name.as_str(), "lock_timeout" | "statement_timeout") && duration(&value).is_none() {
        return Err("expected a time such as `5s`");
    }
    if name == "client_encoding" && !["utf8", "utf-8", "unicode"].contains(&value.as_str()) {
        return Err("scripts are sent as UTF-8");
    }
    Ok(())
}

/// Parses `-c name=value` and `--name=value`, separated by white space. A backslash escapes the
/// next character.
fn switches(options: &Value) -> Result<Vec<(String, String)>, LocationError> {
    let unsupported =
        || options.refused("only settings are supported there: `-c name=value` or `--name=value`");
    let mut settings = Vec::new();
    let mut words = words(&options.text).into_iter();
    while let Some(word) = words.next() {
        let setting = if word == "-c" {
            words.next().ok_or_else(unsupported)?
        } else {
            let given = word.strip_prefix("--").or(word.strip_prefix("-c"));
            given.ok_or_else(unsupported)?.to_owned()
        };
        let (name, value) = setting.split_once('=').ok_or_else(unsupported)?;
        // As on the server, `-` means `_` in names.
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    while characters.peek().is_some() {
        let mut word = None;
        while let Some(character) = characters.next() {
            match character {
                space if space.is_ascii_whitespace() => break,
                '\\' => word
                    .get_or_insert_with(String::new)
                    .extend(characters.next()),
                other => word.get_or_insert_with(String::new).push(other),
            }
        }
        words.extend(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        Value {
            text: text.to_owned(),
            origin: "options".to_owned(),
        }
    }

    #[test]
    fn options_are_read_as_the_server_reads_them() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let found = switches(&value(text)).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|(a, b)| (a.as_str(), b.as_str()))
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check(
            "-ctimezone=Asia/Tokyo  -c datestyle=DMY",
            &[("timezone", "Asia/Tokyo"), ("datestyle", "DMY")],
        );
        check("--search-path=app", &[("search_path", "app")]);
        check(r"-c search_path=a,\ b\\", &[("search_path", r"a, b\")]);
        check(" ", &[]);
        for text in ["-e", "-c", "-c x", "x=y", "-S 8MB"] {
            assert!(switches(&value(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let mut all = Vec::new();
        put(&mut all, "TimeZone", "UTC".into());
        put(&mut all, "work_mem", "8MB".into());
        put(&mut all, "timezone", "Asia/Tokyo".into());
        let names: Vec<_> = all
            .iter()
            .map(|it| (it.name.as_str(), it.value.as_str()))
            .collect();
        assert_eq!(names, [("work_mem", "8MB"), ("timezone", "Asia/Tokyo")]);
    }

    #[test]
    fn what_would_break_the_connection_is_refused() {
        assert!(check("migrator.session", "x").is_err());
        assert!(check("client_encoding", "LATIN1").is_err());
        assert!(check("lock_timeout", "soon").is_err());
        assert_eq!(check("Client_Encoding", "UTF8"), Ok(()));
    }

    #[test]
    fn times_are_read_as_the_server_reads_them() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(
                duration(text),
                expected.map(Duration::from_millis),
                "{text}"
            );
        };
        check("250", Some(250));
        check("5s", Some(5000));
        check("2 min", Some(120_000));
        check("0", Some(0));
        check("1y", None);
        check("", None);
    }
}
