//! Lists of names in the values of settings.

/// Whether the value of a setting is a list of names.
pub fn is_name_list(setting: &str) -> bool {
    [
        "createrole_self_grant",
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    ]
    .contains(&setting)
}

/// The names in a list that is separated by commas, such as the value of `search_path`.
pub fn split_names(list: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    // The empty name has to be quoted.
    let (mut is_inside, mut was_quoted) = (false, false);
    let mut chars = list.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_inside && chars.next_if_eq(&'"').is_some() => name.push('"'),
            '"' => (is_inside, was_quoted) = (!is_inside, true),
            ',' if !is_inside => {
                names.push(std::mem::take(&mut name));
                was_quoted = false;
            }
            c if c.is_whitespace() && !is_inside => {}
            c => name.push(c),
        }
    }
    if was_quoted || !name.is_empty() {
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_divided() {
        let check = |list: &str, expected: &[&str]| assert_eq!(split_names(list), expected);
        check("shop, pg_temp", &["shop", "pg_temp"]);
        check("\"$user\", \"a, \"\"b\"", &["$user", "a, \"b"]);
        check("\"\"", &[""]);
        check("", &[]);
    }
}
