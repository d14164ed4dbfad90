use std::{fmt, str::FromStr};

use super::{Kind, ObjectId};

/// A pattern over `kind:schema.name`. `*` stands for any characters but `.`, `?` for one of them.
///
/// Without a kind, the pattern holds for all kinds; without a schema, for all schemas; `schema.*`
/// includes the schema itself. Parts of a table go with it, and `kind:schema.table.name` names one
/// of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    kind: Option<Kind>,
    parts: Vec<String>,
}

/// The error of a text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The part before `:` is no kind of object.
    #[error("`{0}` is not a kind of object")]
    Kind(String),
    /// The pattern has no name or more than three parts.
    #[error("`{0}` is not a pattern over `kind:schema.name`")]
    Name(String),
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (kind, name) = match text.split_once(':') {
            None => (None, text),
            Some(("*", name)) => (None, name),
            Some((kind, name)) => {
                let known = kind.parse();
                let known = known.map_err(|_| PatternError::Kind(kind.to_owned()))?;
                (Some(known), name)
            }
        };
        let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        if parts.len() > 3 || parts.iter().any(String::is_empty) {
            return Err(PatternError::Name(text.to_owned()));
        }
        let text = text.to_owned();
        Ok(Self { text, kind, parts })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// Whether the pattern matches `id` or the object it is a part of.
    pub fn matches(&self, id: &ObjectId) -> bool {
        let whole = [id.schema.as_str(), id.parent.as_str(), id.name.as_str()];
        if self.kind.is_none_or(|kind| kind == id.kind) && self.names(&whole) {
            return true;
        }
        // A pattern that matches a table matches its parts.
        let of_parent = !id.parent.is_empty() && self.kind.is_none_or(Kind::has_parts);
        of_parent && self.names(&[&id.schema, "", &id.parent])
    }

    fn names(&self, [schema, parent, name]: &[&str; 3]) -> bool {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        match parts[..] {
            [only] => parent.is_empty() && glob(only, name),
            [first, "*"] if schema.is_empty() && parent.is_empty() => glob(first, name),
            [first, last] => {
                let is_in_schema = parent.is_empty() && glob(first, schema) && glob(last, name);
                is_in_schema || !parent.is_empty() && glob(first, parent) && glob(last, name)
            }
            [first, middle, last] => {
                glob(first, schema) && glob(middle, parent) && glob(last, name)
            }
            _ => false,
        }
    }
}

/// Whether `pattern` matches all of `text`: `*` stands for any characters, `?` for one.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // The last `*` with the place in the text at which its match ends.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(c) if *c == '?' || *c == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((place, end)) => {
                    star = Some((place, end + 1));
                    at = place + 1;
                    seen = end + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The objects that are read and compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// What is included; everything if this is empty.
    pub include: Vec<Pattern>,
    /// What is excluded, even if it is included.
    pub exclude: Vec<Pattern>,
}

impl Scope {
    /// Whether `id` is in the scope.
    pub fn holds(&self, id: &ObjectId) -> bool {
        let is_in = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(id));
        (self.include.is_empty() || is_in(&self.include)) && !is_in(&self.exclude)
    }

    /// Whether everything is in the scope.
    pub fn is_everything(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Name;

    #[test]
    fn patterns_match_objects_and_their_parts() {
        let check = |pattern: &str, id: &ObjectId, expected: bool| {
            let parsed: Pattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(id), expected, "{pattern}: {id}");
        };
        let table = ObjectId::new(Kind::Table, "shop", "orders");
        let column = ObjectId::part(Kind::Column, &Name::new("shop", "orders"), "total");
        let schema = ObjectId::new(Kind::Schema, "", "shop");
        for pattern in [
            "orders",
            "ord*",
            "shop.orders",
            "s*.o?ders",
            "table:orders",
            "*:*",
        ] {
            check(pattern, &table, true);
            check(pattern, &column, true);
        }
        check("shop.*", &schema, true);
        check("shop.*", &table, true);
        check("shop.orders.total", &column, true);
        check("orders.total", &column, true);
        check("column:shop.orders.t*", &column, true);
        check("total", &column, false);
        check("view:orders", &table, false);
        check("other.orders", &table, false);
        check("shop.orders.total", &table, false);
    }

    #[test]
    fn other_texts_are_no_patterns() {
        let check = |text: &str, expected: PatternError| {
            assert_eq!(text.parse::<Pattern>(), Err(expected));
        };
        check("tabel:x", PatternError::Kind("tabel".into()));
        check("a..b", PatternError::Name("a..b".into()));
        check("", PatternError::Name(String::new()));
        check("a.b.c.d", PatternError::Name("a.b.c.d".into()));
    }

    #[test]
    fn a_scope_includes_and_excludes() {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let scope = Scope {
            include: parse(&["shop.*"]),
            exclude: parse(&["shop.tmp_*"]),
        };
        let holds =
            |schema: &str, name: &str| scope.holds(&ObjectId::new(Kind::Table, schema, name));
        assert!(holds("shop", "orders"));
        assert!(!holds("shop", "tmp_1"));
        assert!(!holds("public", "orders"));
        assert!(Scope::default().holds(&ObjectId::new(Kind::View, "a", "b")));
    }
}
