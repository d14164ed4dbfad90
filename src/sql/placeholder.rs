//! Placeholders in scripts, and their values.

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use super::{Dialect, Token, TokenKind, lex};
use crate::nearest::misspelt;

/// The syntax of placeholders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholders {
    /// The text that begins a placeholder; `}` ends it.
    pub open: &'static str,
    /// Whether placeholders also count in literals, quoted names, dollar quotes, comments and COPY
    /// data.
    pub everywhere: bool,
}

impl Placeholders {
    /// `:{name}`, outside anything quoted.
    pub const NATIVE: Self = Self {
        open: ":{",
        everywhere: false,
    };

    /// `${name}` anywhere, as in other tools.
    pub const DOLLAR: Self = Self {
        open: "${",
        everywhere: true,
    };
}

/// Values by name. The `Debug` output omits them, because they may be passwords.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Vars {
    values: BTreeMap<String, String>,
    /// Names whose value is unavailable, with the variable that it needs.
    unset: BTreeMap<String, String>,
}

/// An empty set of values.
static NONE: Vars = Vars {
    values: BTreeMap::new(),
    unset: BTreeMap::new(),
};

impl Vars {
    /// Returns an empty set of values.
    pub fn none() -> &'static Self {
        &NONE
    }

    /// Returns whether `name` is a valid name: a letter or `_`, then letters, digits, `_`, `-` or
    /// `.`.
    pub fn is_name(name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(is_name_byte)
    }

    /// Sets the value of `name`, replacing an earlier one.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.unset.remove(&name);
        self.values.insert(name, value.into());
    }

    /// Marks `name` as unavailable, because the variable `needs` is not set.
    pub fn set_missing(&mut self, name: impl Into<String>, needs: impl Into<String>) {
        let name = name.into();
        self.values.remove(&name);
        self.unset.insert(name, needs.into());
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Returns the fault of an undefined name. With `hint`, it includes the nearest known name;
    /// finding it compares against every name.
    fn undefined(&self, name: &str, hint: bool) -> PlaceholderFault {
        let known = self.values.keys().filter(|_| hint);
        let nearest = misspelt(name, known.map(String::as_str));
        PlaceholderFault::Undefined {
            name: name.to_owned(),
            nearest: nearest.map(str::to_owned),
            needs: self.unset.get(name).cloned(),
        }
    }
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// The maximum number of undefined names of a script that get a hint.
const HINTS: usize = 20;

/// A fault in a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderFault {
    /// The placeholder has no value.
    #[error("the placeholder `{name}` has no value")]
    Undefined {
        /// The name.
        name: String,
        /// A similar name that has a value.
        nearest: Option<String>,
        /// The environment variable that its value needs and that is not set.
        needs: Option<String>,
    },
    /// The placeholder has no name or no end.
    #[error("a placeholder is a name in braces, made of letters, digits, `_`, `-` and `.`")]
    Malformed,
}

/// A script with its placeholders replaced. The `Debug` output omits its text.
#[derive(Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text with values.
    pub text: Arc<str>,
    /// The replaced placeholders, in order.
    pieces: Vec<Piece>,
}

/// A placeholder and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    /// The range in the script.
    from: Range<usize>,
    /// The range in the text with values.
    to: Range<usize>,
}

impl Expanded {
    /// Returns the part of the script that byte `at` of the text comes from: a placeholder, or an
    /// empty range at its place.
    pub fn origin(&self, at: usize) -> Range<usize> {
        let before = self.pieces.partition_point(|piece| piece.to.end <= at);
        match self.pieces.get(before) {
            Some(piece) if piece.to.start <= at => piece.from.clone(),
            _ => {
                let at = self.pieces[..before]
                    .last()
                    .map_or(at, |piece| piece.from.end + (at - piece.to.end));
                at..at
            }
        }
    }

    /// Returns the part of the script that `range` of the text comes from.
    pub fn origin_of(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.origin(range.start).start;
        let end = match range.end.checked_sub(1) {
            // The end of a value maps to the end of its placeholder.
            Some(last) if last >= range.start => match self.origin(last) {
                inside if !inside.is_empty() => inside.end,
                before => before.end + 1,
            },
            _ => start,
        };
        start..end
    }
}

impl fmt::Debug for Expanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expanded")
            .field("pieces", &self.pieces)
            .finish_non_exhaustive()
    }
}

/// Replaces the placeholders of `text` with their values.
///
/// # Errors
/// Returns every placeholder that is malformed or has no value, with its byte range.
pub fn expand(
    dialect: Dialect,
    text: &str,
    how: Placeholders,
    vars: &Vars,
) -> Result<Expanded, Vec<(PlaceholderFault, Range<usize>)>> {
    let mut expanded = String::with_capacity(text.len());
    let (mut pieces, mut faults) = (Vec::new(), Vec::new());
    let mut done = 0;
    for at in openings(dialect, text, how) {
        // This opening is inside the previous placeholder.
        if at < done {
            continue;
        }
        let inside = &text[at + how.open.len()..];
        // The name ends before the first byte that a name cannot contain.
        let end = inside.bytes().position(|byte| !is_name_byte(byte));
        let name = end.filter(|end| inside.as_bytes()[*end] == b'}');
        let name = name.map(|end| &inside[..end]);
        let Some(name) = name.filter(|name| Vars::is_name(name)) else {
            faults.push((PlaceholderFault::Malformed, at..at + how.open.len()));
            continue;
        };
        let from = at..at + how.open.len() + name.len() + 1;
        let Some(value) = vars.get(name) else {
            let hint = faults.len() < HINTS;
            faults.push((vars.undefined(name, hint), from));
            continue;
        };
        expanded.push_str(&text[done..at]);
        let start = expanded.len();
        expanded.push_str(value);
        done = from.end;
        pieces.push(Piece {
            from,
            to: start..expanded.len(),
        });
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    expanded.push_str(&text[done..]);
    Ok(Expanded {
        text: expanded.into(),
        pieces,
    })
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Returns the places where placeholders begin.
fn openings(dialect: Dialect, text: &str, how: Placeholders) -> Vec<usize> {
    let found = text.match_indices(how.open).map(|(at, _)| at);
    if how.everywhere {
        return found.collect();
    }
    let mut found = found.peekable();
    if found.peek().is_none() {
        return Vec::new();
    }
    let mut quoted = lex(dialect, text.as_bytes()).filter(is_quoted).peekable();
    let in_code = |at: &usize| {
        while quoted.next_if(|token| token.end <= *at).is_some() {}
        quoted.peek().is_none_or(|token| token.start > *at)
    };
    found.filter(in_code).collect()
}

fn is_quoted(token: &Token) -> bool {
    match token.kind {
        TokenKind::LineComment
        | TokenKind::BlockComment
        | TokenKind::QuotedName
        | TokenKind::String
        | TokenKind::DollarString
        | TokenKind::MetaCommand
        | TokenKind::CopyData => true,
        TokenKind::Space
        | TokenKind::Word
        | TokenKind::Number
        | TokenKind::Semicolon
        | TokenKind::Open
        | TokenKind::Close
        | TokenKind::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vars() -> Vars {
        let mut vars = Vars::default();
        vars.set("schema", "shop");
        vars.set("none", "");
        vars.set("role-1.x", "'a' || :{schema}");
        vars.set_missing("secret", "APP_SECRET");
        vars
    }

    fn native(dialect: Dialect, text: &str) -> Result<String, Vec<String>> {
        expand(dialect, text, Placeholders::NATIVE, &vars())
            .map(|expanded| expanded.text.to_string())
            .map_err(|faults| {
                let shown = faults.into_iter().map(|(fault, at)| match fault {
                    PlaceholderFault::Malformed => format!("malformed at {}", at.start),
                    PlaceholderFault::Undefined {
                        name,
                        nearest,
                        needs,
                    } => format!("{name} at {at:?}, {nearest:?}, {needs:?}"),
                });
                shown.collect()
            })
    }

    #[test]
    fn values_take_the_places_of_names() {
        let check = |text: &str, expected: &str| {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                assert_eq!(native(dialect, text).as_deref(), Ok(expected), "{text}");
            }
        };
        check("", "");
        check("SELECT 1", "SELECT 1");
        check("CREATE TABLE :{schema}.t (x)", "CREATE TABLE shop.t (x)");
        check(":{schema}:{schema}:{none}!", "shopshop!");
        check("SELECT :{role-1.x}", "SELECT 'a' || :{schema}");
        check("SELECT x:::{schema}", "SELECT x::shop");
        check(
            "SELECT ':{schema}', \":{schema}\", :{schema} -- :{a}\n/* :{b} */",
            "SELECT ':{schema}', \":{schema}\", shop -- :{a}\n/* :{b} */",
        );
        check("SELECT 'it''s :{x}'", "SELECT 'it''s :{x}'");
    }

    #[test]
    fn what_only_one_of_them_quotes_is_left_alone_there() {
        let text = "SELECT $a$ :{schema} $a$, [:{schema}]";
        let expected = "SELECT $a$ :{schema} $a$, [shop]";
        assert_eq!(native(Dialect::Postgres, text).as_deref(), Ok(expected));
        let text = "SELECT a[1::{schema}]";
        let expected = "SELECT a[1:shop]";
        assert_eq!(native(Dialect::Postgres, text).as_deref(), Ok(expected));
        let text = "SELECT [:{schema}], `:{schema}`, :{schema}";
        let expected = "SELECT [:{schema}], `:{schema}`, shop";
        assert_eq!(native(Dialect::Sqlite, text).as_deref(), Ok(expected));
        let text = "COPY :{schema}.t FROM stdin;\n:{schema}\n\\.\nSELECT :{schema};";
        let expected = "COPY shop.t FROM stdin;\n:{schema}\n\\.\nSELECT shop;";
        assert_eq!(native(Dialect::Postgres, text).as_deref(), Ok(expected));
    }

    #[test]
    fn all_that_is_wrong_is_found() {
        let check = |text: &str, expected: &[&str]| {
            let expected = expected.iter().map(|one| (*one).to_owned()).collect();
            assert_eq!(native(Dialect::Postgres, text), Err(expected), "{text}");
        };
        check(
            "SELECT :{shema}, :{other}, :{secret}",
            &[
                "shema at 7..15, Some(\"schema\"), None",
                "other at 17..25, None, None",
                "secret at 27..36, None, Some(\"APP_SECRET\")",
            ],
        );
        for text in [":{", ":{}", ":{ schema }", ":{1}", ":{a b}", ":{a'}'"] {
            check(text, &["malformed at 0"]);
        }
    }

    #[test]
    fn other_marks_count_everywhere() {
        let how = Placeholders {
            open: "${",
            everywhere: true,
        };
        let text = "-- ${schema}\nSELECT '${schema}', $$${schema}$$, :{schema}";
        let expanded = expand(Dialect::Postgres, text, how, &vars()).unwrap();
        let expected = "-- shop\nSELECT 'shop', $$shop$$, :{schema}";
        assert_eq!(&*expanded.text, expected);
    }

    #[test]
    fn places_lead_back() {
        let text = "a :{schema} b :{none}c";
        let expanded = expand(Dialect::Sqlite, text, Placeholders::NATIVE, &vars()).unwrap();
        assert_eq!(&*expanded.text, "a shop b c");
        let origins: Vec<_> = (0..=10).map(|at| expanded.origin(at)).collect();
        let placeholder = 2..11;
        assert_eq!(origins[1], 1..1);
        assert_eq!(origins[2..6], vec![placeholder.clone(); 4]);
        assert_eq!(origins[6], 11..11);
        assert_eq!(origins[9], 21..21);
        assert_eq!(origins[10], 22..22);
        assert_eq!(expanded.origin_of(&(0..10)), 0..22);
        assert_eq!(expanded.origin_of(&(2..6)), placeholder);
        assert_eq!(expanded.origin_of(&(7..8)), 12..13);
        assert_eq!(expanded.origin_of(&(8..8)), 13..13);
    }

    #[test]
    fn values_are_not_shown() {
        let vars = vars();
        assert_eq!(format!("{vars:?}"), r#"{"none", "role-1.x", "schema"}"#);
        let expanded = expand(Dialect::Sqlite, ":{schema}", Placeholders::NATIVE, &vars);
        assert!(!format!("{expanded:?}").contains("shop"));
    }

    proptest! {
        /// Text outside placeholders is unchanged and keeps its origin.
        #[test]
        fn every_place_outside_leads_back_to_the_same_byte(
            text in "([a-z ';\"\n]|--|:\\{schema\\}|:\\{none\\}|ż|:|\\{){0,20}",
        ) {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                let Ok(expanded) = expand(dialect, &text, Placeholders::NATIVE, &vars()) else {
                    continue;
                };
                for (at, c) in expanded.text.char_indices() {
                    let origin = expanded.origin(at);
                    prop_assert!(text.is_char_boundary(origin.start));
                    if origin.is_empty() {
                        prop_assert_eq!(text[origin.start..].chars().next(), Some(c));
                    }
                }
                let whole = expanded.origin_of(&(0..expanded.text.len()));
                prop_assert!(whole.end <= text.len());
            }
        }
    }
}
