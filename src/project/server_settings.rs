//! `[postgres.settings]`: checks which settings of the server are allowed.

/// The prefix of migrator's own settings.
const OWN: &str = "migrator.";

/// Returns the reason why the setting `name`, in lower case, is not allowed; `None` if it is.
pub(super) fn refused(name: &str) -> Option<&'static str> {
    let is_start = |c: char| c.is_alphabetic() || c == '_';
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.');
    match name {
        "lock_timeout" => Some("set lock-timeout under [postgres]"),
        "statement_timeout" => Some("set statement-timeout under [postgres]"),
        "client_encoding" => Some("scripts are sent as UTF-8"),
        "application_name" | "client_connection_check_interval" => Some("migrator sets it itself"),
        own if own.starts_with(OWN) => Some("migrator sets it itself"),
        name if !name.starts_with(is_start) || !name.chars().all(is_part) => {
            Some("a name is made of letters, digits, _ and .")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_key_or_is_migrators_own_is_refused() {
        for name in ["timezone", "search_path", "app.user_id", "_x", "work_mem"] {
            assert_eq!(refused(name), None, "{name}");
        }
        for name in [
            "lock_timeout",
            "client_encoding",
            "migrator.x",
            "a b",
            "",
            "1a",
            "a;b",
        ] {
            assert!(refused(name).is_some(), "{name}");
        }
    }
}
