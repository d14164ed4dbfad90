//! Names that the server gives, and lists of names in the values of settings.

use crate::{arrange::Arrange as _, schema::Name};

/// The longest identifier.
pub const MAX_NAME: usize = 63;

/// The name that the server gives what belongs to `first`, a table or a domain, and to `second`, such
/// as a column: `table_column_label`. Of names that are too long together, the longer one is cut.
pub fn default_name(first: &str, second: Option<&str>, label: &str) -> String {
    let room = MAX_NAME - label.len() - 1;
    let Some(second) = second else {
        return format!("{}_{label}", truncated(first, room));
    };
    let (mut left, mut right) = (first.len(), second.len());
    while left + right > room - 1 {
        if left > right {
            left -= 1;
        } else {
            right -= 1;
        }
    }
    let (first, second) = (truncated(first, left), truncated(second, right));
    format!("{first}_{second}_{label}")
}

/// The longest start of `text` of at most `length` bytes.
pub fn truncated(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The name that CREATE TYPE gives the multirange type of the range type `range`.
pub fn default_multirange(range: &Name) -> Name {
    const LABEL: &str = "_multirange";
    let name = match range.name.find("range") {
        Some(at) => format!("{}multi{}", &range.name[..at], &range.name[at..]),
        None => {
            let start = truncated(&range.name, MAX_NAME - LABEL.len());
            format!("{start}{LABEL}")
        }
    };
    Name::new(range.schema.clone(), truncated(&name, MAX_NAME))
}

/// The names in their order; nothing if they are sorted.
pub fn own_order(names: &[String]) -> Vec<String> {
    match names.is_sorted() {
        true => Vec::new(),
        false => names.to_vec(),
    }
}

/// Puts items that were sorted by name into the order that [`own_order`] kept.
pub fn in_own_order<T>(mut items: Vec<T>, order: &[String], name: impl Fn(&T) -> &str) -> Vec<T> {
    items.arrange_by_key(|item| order.iter().position(|it| it == name(item)));
    items
}

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
    fn names_are_cut_as_by_the_server() {
        let check = |table: &str, column: &str, expected: &str| {
            assert_eq!(default_name(table, Some(column), "not_null"), expected);
        };
        check("orders", "total", "orders_total_not_null");
        check(
            &"t".repeat(60),
            "total",
            &format!("{}_total_not_null", "t".repeat(48)),
        );
        check(
            &"t".repeat(63),
            &"c".repeat(63),
            &format!("{}_{}_not_null", "t".repeat(27), "c".repeat(26)),
        );
        let (long, cut) = ("ä".repeat(31), "ä".repeat(29));
        assert_eq!(default_name(&long, None, "pkey"), format!("{cut}_pkey"));
    }

    #[test]
    fn lists_of_names_are_divided() {
        let check = |list: &str, expected: &[&str]| assert_eq!(split_names(list), expected);
        check("shop, pg_temp", &["shop", "pg_temp"]);
        check("\"$user\", \"a, \"\"b\"", &["$user", "a, \"b"]);
        check("\"\"", &[""]);
        check("", &[]);
    }
}
