use std::fmt;

/// The longest name of a schema in bytes. PostgreSQL cuts longer ones off without an error, so that two
/// targets could be one schema.
pub const SCHEMA_BYTES: usize = 63;

/// The longest name of a target in bytes.
const NAME_BYTES: usize = 255;

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// The name is empty.
    Empty,
    /// The name is longer than names of files may be.
    TooLong,
    /// The name has a control character, or one that changes the direction of text.
    Hidden,
    /// The name would lead out of its directory.
    Path,
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong => write!(f, "it is longer than {NAME_BYTES} bytes"),
            Self::Hidden => {
                f.write_str("it has a control character or another one that is not visible")
            }
            Self::Path => f.write_str("it would lead to another directory"),
        }
    }
}

/// Why `name` cannot be the name of a target; `None` if it can.
pub fn name_fault(name: &str) -> Option<NameFault> {
    if name.is_empty() {
        return Some(NameFault::Empty);
    }
    if name.len() > NAME_BYTES {
        return Some(NameFault::TooLong);
    }
    name.chars().any(is_hidden).then_some(NameFault::Hidden)
}

/// Why `name` cannot be a part of a file's path; `None` if it can.
pub fn file_name_fault(name: &str) -> Option<NameFault> {
    let leads_elsewhere = name.contains(['/', '\\']) || matches!(name, "." | "..");
    leads_elsewhere.then_some(NameFault::Path)
}

/// Whether a character would not be seen, or would move what stands beside it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_nobody_could_read_are_refused() {
        let check = |name: &str, expected| assert_eq!(name_fault(name), expected, "{name:?}");
        check("acme", None);
        check("Żółw & \"co\"; DROP", None);
        check("eu/acme", None);
        check("..", None);
        check("", Some(NameFault::Empty));
        check(&"x".repeat(255), None);
        check(&"x".repeat(256), Some(NameFault::TooLong));
        for hidden in [
            "a\nb",
            "a\0",
            "\u{1b}[2J",
            "\u{9b}",
            "a\u{202e}b",
            "\u{feff}a",
            "a\tb",
        ] {
            check(hidden, Some(NameFault::Hidden));
        }
    }

    #[test]
    fn names_that_leave_their_directory_are_no_part_of_a_path() {
        let check = |name: &str, is_fine: bool| {
            assert_eq!(file_name_fault(name).is_none(), is_fine, "{name:?}");
        };
        check("acme", true);
        check("a..b", true);
        check("...", true);
        for name in ["..", ".", "../x", "a/b", "/etc/passwd", "a\\b"] {
            check(name, false);
        }
    }
}
