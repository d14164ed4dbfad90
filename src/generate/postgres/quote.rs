//! Names and literals.

use std::borrow::Cow;

pub(super) use crate::schema::postgres::ident;
use crate::schema::{
    Name,
    postgres::{Options, SequenceRange, is_keyword},
};

/// Identifiers, separated by commas.
pub(super) fn idents<S: AsRef<str>>(names: &[S]) -> String {
    join(names, |name| ident(name.as_ref()).into_owned())
}

/// Items, separated by commas.
pub(super) fn join<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    let shown: Vec<String> = items.iter().map(show).collect();
    shown.join(", ")
}

/// A name with its schema. pg_catalog is always searched first, so it is not written.
pub fn qualified(name: &Name) -> String {
    in_schema(&name.schema, &name.name)
}

/// A name with its schema.
pub(super) fn in_schema(schema: &str, name: &str) -> String {
    if matches!(schema, "" | "pg_catalog") {
        ident(name).into_owned()
    } else {
        format!("{}.{}", ident(schema), ident(name))
    }
}

/// An operator as in an expression or a list of operators.
pub(super) fn operator(name: &Name) -> String {
    if matches!(name.schema.as_str(), "" | "pg_catalog") {
        name.name.clone()
    } else {
        format!("OPERATOR({}.{})", ident(&name.schema), name.name)
    }
}

/// A role in GRANT, ALTER … OWNER and the like.
pub(super) fn role(name: &str) -> Cow<'_, str> {
    if name == "CURRENT_USER" {
        name.into()
    } else {
        ident(name)
    }
}

/// A string constant that means the same whatever standard_conforming_strings is.
pub(super) fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\"))
    } else {
        format!("'{text}'")
    }
}

/// A string constant between dollar signs, with a tag that the text does not hold.
pub(super) fn dollar(text: &str) -> String {
    let tags = std::iter::once("$$".to_owned())
        .chain(std::iter::once("$body$".to_owned()))
        .chain((1_u32..).map(|number| format!("$body{number}$")));
    // A `$` at the end of the text would go with those of the tag.
    let is_free = |tag: &String| {
        let closed = format!("{text}{tag}");
        closed.find(tag.as_str()) == Some(text.len())
    };
    let tag = tags.into_iter().find(is_free).unwrap_or_default();
    format!("{tag}{text}{tag}")
}

/// Storage parameters and options of views: `(fillfactor=70)`.
pub(super) fn parameters(options: &Options) -> String {
    let shown: Vec<String> = options
        .iter()
        .map(|(name, value)| {
            let name: Vec<Cow<'_, str>> = name.split('.').map(label).collect();
            let name = name.join(".");
            if value.is_empty() || !is_word_or_number(value) {
                format!("{name}={}", literal(value))
            } else {
                format!("{name}={value}")
            }
        })
        .collect();
    format!("({})", shown.join(", "))
}

/// ` WITH (…)`, or nothing.
pub(super) fn with(options: &Options) -> String {
    if options.is_empty() {
        String::new()
    } else {
        format!(" WITH {}", parameters(options))
    }
}

/// ` OPTIONS (…)` of foreign objects, or nothing.
pub(super) fn foreign_options(options: &Options) -> String {
    if options.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = options
        .iter()
        .map(|(name, value)| format!("{} {}", label(name), literal(value)))
        .collect();
    format!(" OPTIONS ({})", shown.join(", "))
}

/// The name of an option: every keyword is allowed.
fn label(name: &str) -> Cow<'_, str> {
    if is_keyword(name) {
        name.into()
    } else {
        ident(name)
    }
}

/// Whether the value of an option needs no quotes.
fn is_word_or_number(value: &str) -> bool {
    let is_number = value.parse::<f64>().is_ok()
        && value
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    is_number || matches!(value, "true" | "false" | "on" | "off" | "auto")
}

/// What CREATE SEQUENCE says about the values of a sequence, each part after a space. Defaults are
/// left out.
pub(super) fn range(range: &SequenceRange, data_type: &str) -> String {
    let (lowest, highest) = match data_type {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let is_ascending = range.increment >= 0;
    let usual_min = if is_ascending { 1 } else { lowest };
    let usual_max = if is_ascending { highest } else { -1 };
    let usual_start = if is_ascending { range.min } else { range.max };
    let mut text = String::new();
    let mut part = |is_usual: bool, words: &str, value: i64| {
        if !is_usual {
            text.push_str(&format!(" {words} {value}"));
        }
    };
    part(range.start == usual_start, "START WITH", range.start);
    part(range.increment == 1, "INCREMENT BY", range.increment);
    part(range.min == usual_min, "MINVALUE", range.min);
    part(range.max == usual_max, "MAXVALUE", range.max);
    part(range.cache == 1, "CACHE", range.cache);
    if range.cycle {
        text.push_str(" CYCLE");
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_have_their_schema() {
        let check =
            |schema: &str, expected: &str| assert_eq!(qualified(&Name::new(schema, "a")), expected);
        check("", "a");
        check("pg_catalog", "a");
        check("My", "\"My\".a");
    }

    #[test]
    fn literals_escape_quotes_and_backslashes() {
        let check = |text: &str, expected: &str| assert_eq!(literal(text), expected);
        check("a", "'a'");
        check("it's", "'it''s'");
        check("a\\'", "E'a\\\\'''");
    }

    #[test]
    fn dollar_tags_are_not_in_the_text() {
        let check = |text: &str, expected: &str| assert_eq!(dollar(text), expected);
        check("x", "$$x$$");
        check("$$x$$", "$body$$$x$$$body$");
        check("x$", "$body$x$$body$");
        check("$$ $body$", "$body1$$$ $body$$body1$");
    }

    #[test]
    fn parameters_are_quoted_only_where_needed() {
        let check = |name: &str, value: &str, expected: &str| {
            let options = Options::from([(name.to_owned(), value.to_owned())]);
            assert_eq!(parameters(&options), expected);
        };
        check("fillfactor", "70", "(fillfactor=70)");
        check(
            "toast.autovacuum_enabled",
            "false",
            "(toast.autovacuum_enabled=false)",
        );
        check("user", "x y", "(user='x y')");
        check("A", "", "(\"A\"='')");
    }

    #[test]
    fn the_usual_values_of_a_sequence_are_left_out() {
        let usual = SequenceRange {
            start: 1,
            increment: 1,
            min: 1,
            max: i64::from(i32::MAX),
            cache: 1,
            cycle: false,
        };
        assert_eq!(range(&usual, "integer"), "");
        assert_eq!(range(&usual, "bigint"), " MAXVALUE 2147483647");
        let down = SequenceRange {
            start: -1,
            increment: -2,
            min: i64::MIN,
            max: -1,
            cache: 5,
            cycle: true,
        };
        assert_eq!(range(&down, "bigint"), " INCREMENT BY -2 CACHE 5 CYCLE");
    }

    proptest! {
        #[test]
        fn dollar_quoted_text_ends_where_it_should(text in "[$bodyx1]{0,12}") {
            let quoted = dollar(&text);
            let tag_length = (quoted.len() - text.len()) / 2;
            let (tag, rest) = quoted.split_at(tag_length);
            prop_assert_eq!(rest.find(tag), Some(text.len()));
        }
    }
}
