use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::sql::{cut_quoted, in_quotes};

/// The name of an object with its schema. JSON and display show it as SQL: `shop.orders`,
/// `shop."Order"`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The schema; empty for objects outside schemas.
    pub schema: String,
    /// The name itself.
    pub name: String,
}

impl Name {
    /// A name in a schema.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        let (schema, name) = (schema.into(), name.into());
        Self { schema, name }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.schema.is_empty() {
            write!(f, "{}.", quoted(&self.schema))?;
        }
        f.write_str(&quoted(&self.name))
    }
}

/// `name` as an identifier for display: quoted unless it is lower-case letters, digits and
/// underscores. Keywords are not quoted, so this is not for SQL that is to be run.
pub fn quoted(name: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut chars = name.chars();
    let is_plain = chars.next().is_some_and(plain)
        && chars.all(|c| plain(c) || c.is_ascii_digit() || c == '$');
    if is_plain {
        name.into()
    } else {
        in_quotes(name).into()
    }
}

/// Whether `text` has `name` as a word or in double quotes.
pub fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let name = name.replace('"', "\"\"");
    text.match_indices(&name).any(|(start, found)| {
        let (before, after) = (&text[..start], &text[start + found.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

/// The order of two names whose ASCII letters count regardless of case.
pub(super) fn folded_order(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[common..], &b[common..]);
    let folded = |byte: &u8| byte.to_ascii_lowercase();
    a.iter().map(folded).cmp(b.iter().map(folded))
}

/// `name` with its ASCII letters in lower case.
pub(super) fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        name.to_ascii_lowercase().into()
    } else {
        name.into()
    }
}

/// The error of a text that is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: expected `name` or `schema.name`, quoted as in SQL")]
pub struct NameError(String);

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fail = || NameError(text.to_owned());
        let (first, rest) = part(text).ok_or_else(fail)?;
        if rest.is_empty() {
            return Ok(Self::new("", first));
        }
        let rest = rest.strip_prefix('.').ok_or_else(fail)?;
        match part(rest).ok_or_else(fail)? {
            (second, "") => Ok(Self::new(first, second)),
            _ => Err(fail()),
        }
    }
}

/// The identifiers of a text such as `shop.orders.total`, quoted as in SQL; `None` if it is not of
/// this form.
pub fn path(text: &str) -> Option<Vec<String>> {
    let (first, mut rest) = part(text)?;
    let mut parts = vec![first];
    while !rest.is_empty() {
        let (next, more) = part(rest.strip_prefix('.')?)?;
        parts.push(next);
        rest = more;
    }
    Some(parts)
}

/// Cuts one identifier off the start of `text`.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find(['.', '"']).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    cut_quoted(inner)
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_shown_as_sql() {
        let check = |schema: &str, name: &str, shown: &str| {
            assert_eq!(Name::new(schema, name).to_string(), shown);
        };
        check("", "orders", "orders");
        check("shop", "orders", "shop.orders");
        check("Shop", "a.b", "\"Shop\".\"a.b\"");
        check("shop", "a\"b", "shop.\"a\"\"b\"");
        check("shop", "1st", "shop.\"1st\"");
    }

    proptest! {
        #[test]
        fn shown_names_parse(schema in ".{0,6}", name in ".{1,6}") {
            let name = Name::new(schema, name);
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }
    }
}
