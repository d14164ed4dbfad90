//! Expressions in the words of the server.
//!
//! The server shows the cast of an array as `(ARRAY['a'::character varying])::text[]`, but reads that
//! as an array of casts, `ARRAY[('a'::character varying)::text]`. Only with the type of the array in
//! between, the text makes the same expression again. And it joins `((a AND b) AND c)` to
//! `(a AND b AND c)`, unless the first operand is cast.

use std::ops::Range;

use crate::{arrange::Arrange as _, schema::postgres::nested_operands};

/// The expression so that the server makes the same of it again.
pub(super) fn stable(text: &str) -> String {
    let mut insertions: Vec<(usize, String)> = nested_operands(text)
        .into_iter()
        .map(|(_, close)| (close + 1, "boolean".to_owned()))
        .collect();
    let mut scan = Scan::of(text);
    while let Some(at) = scan.next_outside_quotes() {
        if text[at..].starts_with("(ARRAY[")
            && let Some(insertion) = array_type(text, at + "(ARRAY[".len())
        {
            insertions.push(insertion);
        }
    }
    insertions.arrange();
    let mut stable = String::with_capacity(text.len());
    let mut from = 0;
    for (at, data_type) in insertions {
        stable.push_str(&text[from..at]);
        stable.push_str("::");
        stable.push_str(&data_type);
        from = at;
    }
    stable.push_str(&text[from..]);
    stable
}

/// The expression in one pair of parentheses.
pub(super) fn in_parentheses(text: &str) -> String {
    let text = stable(text);
    if is_wrapped(&text) {
        text
    } else {
        format!("({text})")
    }
}

/// The expression without parentheses around all of it.
pub(super) fn bare(text: &str) -> String {
    let text = stable(text);
    let mut inner = text.as_str();
    while is_wrapped(inner) {
        inner = inner[1..inner.len() - 1].trim();
    }
    inner.to_owned()
}

/// An expression as a key of an index or a partition: parentheses are needed unless it is the call of
/// a function.
pub(super) fn key(text: &str) -> String {
    let inner = bare(text);
    if is_call(&inner) {
        inner
    } else {
        format!("({inner})")
    }
}

/// The condition and the action of a rule: `WHERE (…) DO …`.
pub(super) fn rule(definition: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut scan = Scan::of(definition);
    while let Some(at) = scan.next_outside_quotes() {
        match definition.as_bytes()[at] {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b'D' if depth == 0 && definition[at..].starts_with("DO ") => {
                return (definition[..at].trim(), definition[at + 3..].trim());
            }
            _ => {}
        }
    }
    ("", definition)
}

/// Where `]` closes an array constructor whose elements start at `start`, and the type of the array,
/// if a cast follows.
fn array_type(text: &str, start: usize) -> Option<(usize, String)> {
    let elements = elements(text, start)?;
    let end = elements.last()?.end;
    if !text[end..].starts_with("])::") {
        return None;
    }
    let mut elements = elements.into_iter();
    let data_type = elements.find_map(|element| element_type(text[element].trim()))?;
    Some((end + 1, format!("{data_type}[]")))
}

/// The elements of an array constructor or a list up to the bracket that closes it.
fn elements(text: &str, start: usize) -> Option<Vec<Range<usize>>> {
    let (mut depth, mut from, mut found) = (0_usize, start, Vec::new());
    let mut scan = Scan { text, at: start };
    while let Some(at) = scan.next_outside_quotes() {
        match text.as_bytes()[at] {
            b'(' | b'[' => depth += 1,
            b')' | b']' if depth == 0 => {
                found.push(from..at);
                return Some(found);
            }
            b')' | b']' => depth -= 1,
            b',' if depth == 0 => {
                found.push(from..at);
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// The type of an element of an array, if the text tells.
fn element_type(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix("ARRAY[") {
        let inner = elements(inner, 0)?
            .into_iter()
            .next()
            .map(|it| &inner[it])?;
        return element_type(inner.trim());
    }
    if let Some((_, data_type)) = last_cast(text) {
        return Some(without_modifier(data_type));
    }
    let digits = text.trim_start_matches('-');
    if text == "true" || text == "false" {
        return Some("boolean".into());
    }
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let data_type = match text.parse::<i64>() {
        Ok(value) if i32::try_from(value).is_ok() => "integer",
        Ok(_) => "bigint",
        Err(_) => "numeric",
    };
    Some(data_type.into())
}

/// The last cast outside parentheses and quotes, if nothing but its type follows.
fn last_cast(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut found) = (0_usize, None);
    let mut scan = Scan::of(text);
    while let Some(at) = scan.next_outside_quotes() {
        match text.as_bytes()[at] {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b':' if depth == 0 && text[at..].starts_with("::") => found = Some(at),
            _ => {}
        }
    }
    found.map(|at| (&text[..at], &text[at + 2..]))
}

/// A type without its modifier: `character varying(20)` is `character varying`.
fn without_modifier(data_type: &str) -> String {
    let data_type = data_type.trim_end_matches("[]");
    let Some(open) = data_type.find('(').filter(|_| !data_type.contains('"')) else {
        let is_interval = data_type.starts_with("interval ");
        return if is_interval { "interval" } else { data_type }.to_owned();
    };
    let close = data_type[open..]
        .find(')')
        .map_or(data_type.len(), |it| open + it + 1);
    let (start, end) = (&data_type[..open], &data_type[close..]);
    match start {
        // Without a modifier these words mean one character and one bit.
        "character" => "bpchar".to_owned(),
        "bit" => "\"bit\"".to_owned(),
        _ if start.starts_with("interval") => "interval".to_owned(),
        _ => format!("{start}{end}"),
    }
}

/// Whether one pair of parentheses holds all of `text`.
fn is_wrapped(text: &str) -> bool {
    text.starts_with('(')
        && elements(text, 1)
            .and_then(|found| found.last().map(|last| last.end + 1))
            .is_some_and(|end| end == text.len() && text.ends_with(')'))
}

/// Whether `text` is the call of a function and nothing else.
fn is_call(text: &str) -> bool {
    let Some(open) = text.find('(') else {
        return false;
    };
    let (name, arguments) = text.split_at(open);
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    !name.is_empty()
        && name.chars().all(is_name)
        && !["ROW", "EXISTS", "CAST", "ARRAY", "VALUES"].contains(&name)
        && is_wrapped(arguments)
}

/// Goes over a text, apart from quoted names and strings.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The place of the next byte that is not in quotes.
    fn next_outside_quotes(&mut self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        loop {
            let at = self.at;
            let byte = *bytes.get(at)?;
            self.at += 1;
            if byte != b'\'' && byte != b'"' {
                if self.text.is_char_boundary(at) {
                    return Some(at);
                }
                continue;
            }
            // A doubled quote ends one string and starts the next.
            let rest = &bytes[self.at..];
            self.at += rest.iter().position(|it| *it == byte)? + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_of_arrays_name_the_type_in_between() {
        let check = |text: &str, expected: &str| assert_eq!(stable(text), expected);
        check(
            "((s)::text = ANY ((ARRAY['a'::character varying, 'b, ]'::character varying])::text[]))",
            "((s)::text = ANY ((ARRAY['a'::character varying, 'b, ]'::character varying]::character varying[])::text[]))",
        );
        check(
            "(n = ANY ((ARRAY[1, '-2'::integer])::numeric[]))",
            "(n = ANY ((ARRAY[1, '-2'::integer]::integer[])::numeric[]))",
        );
        check(
            "(ARRAY[s, (upper((s)::text))::character varying])::text[]",
            "(ARRAY[s, (upper((s)::text))::character varying]::character varying[])::text[]",
        );
        check(
            "((ARRAY[ARRAY[1, 2], ARRAY[3, 4]])::bigint[] IS NOT NULL)",
            "((ARRAY[ARRAY[1, 2], ARRAY[3, 4]]::integer[])::bigint[] IS NOT NULL)",
        );
        check(
            "(ARRAY['a'::character(3)])::text[]",
            "(ARRAY['a'::character(3)]::bpchar[])::text[]",
        );
        check(
            "(ARRAY['0101'::bit(4)])::bit varying[]",
            "(ARRAY['0101'::bit(4)]::\"bit\"[])::bit varying[]",
        );
    }

    #[test]
    fn other_texts_stay_as_they_are() {
        for text in [
            "(a = ANY (ARRAY[1, 2]))",
            "'(ARRAY[1])::text[]'::text",
            "(ARRAY['a'::text])[1]",
            "(ARRAY[a, b])::text[]",
            "(\"(ARRAY[1])::x\" > 0)",
            "(größe > 'ä'::text)",
        ] {
            assert_eq!(stable(text), text);
        }
    }

    #[test]
    fn first_operands_stay_operands() {
        assert_eq!(
            stable("(((a >= 1) AND (a <= 5)) AND b) OR c"),
            "(((a >= 1) AND (a <= 5))::boolean AND b) OR c"
        );
    }

    #[test]
    fn nested_arrays_are_found() {
        assert_eq!(
            stable("(ARRAY[(ARRAY['x'::a])::text[]])::b[]"),
            "(ARRAY[(ARRAY['x'::a]::a[])::text[]]::text[])::b[]"
        );
    }

    #[test]
    fn parentheses_are_written_once() {
        let check = |text: &str, once: &str, none: &str| {
            assert_eq!(
                (in_parentheses(text).as_str(), bare(text).as_str()),
                (once, none)
            );
        };
        check("(a > 0)", "(a > 0)", "a > 0");
        check("a > 0", "(a > 0)", "a > 0");
        check("((a > 0))", "((a > 0))", "a > 0");
        check(
            "(a > 0) OR (b > 0)",
            "((a > 0) OR (b > 0))",
            "(a > 0) OR (b > 0)",
        );
        check("(a = ')'::text)", "(a = ')'::text)", "a = ')'::text");
    }

    #[test]
    fn rules_are_divided() {
        assert_eq!(rule("DO NOTHING"), ("", "NOTHING"));
        assert_eq!(
            rule("WHERE (old.a = 'DO x'::text) DO DELETE FROM s.t"),
            ("WHERE (old.a = 'DO x'::text)", "DELETE FROM s.t")
        );
    }

    #[test]
    fn calls_are_keys_without_parentheses() {
        let check = |text: &str, expected: &str| assert_eq!(key(text), expected);
        check("lower(a)", "lower(a)");
        check("(lower(a))", "lower(a)");
        check("shop.f((a)::text, b)", "shop.f((a)::text, b)");
        check("(a + b)", "(a + b)");
        check("lower(a) || lower(b)", "(lower(a) || lower(b))");
        check("(a)::text", "((a)::text)");
        check("ROW(a, b)", "(ROW(a, b))");
        check("\"F\"(a)", "(\"F\"(a))");
    }
}
