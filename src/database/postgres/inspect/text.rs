//! Parts of the server's texts for which it has no function.

use crate::schema::quoted;

/// `expression` without the parentheses around all of it.
pub(super) fn without_parentheses(expression: &str) -> &str {
    let inner = expression
        .strip_prefix('(')
        .and_then(|it| it.strip_suffix(')'));
    let Some(inner) = inner else {
        return expression;
    };
    let (mut depth, mut quote) = (0_usize, None);
    for byte in inner.bytes() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(') => depth += 1,
            // The first parenthesis ends before the last one.
            (None, b')') if depth == 0 => return expression,
            (None, b')') => depth -= 1,
            _ => {}
        }
    }
    inner
}

/// Calls `matches` at each byte of `text` that is outside quotes and parentheses, until it returns
/// true, and returns the place.
fn outside(text: &str, matches: impl Fn(&str) -> bool) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) => {
                if open == byte {
                    quote = None;
                }
                continue;
            }
            (None, _) if depth == 0 && text.is_char_boundary(at) && matches(&text[at..]) => {
                return Some(at);
            }
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// The condition in what pg_get_triggerdef returns, without the parentheses of WHEN.
pub(super) fn trigger_condition(definition: &str) -> Option<&str> {
    const WHEN: &str = " WHEN (";
    let start = outside(definition, |rest| rest.starts_with(WHEN))? + WHEN.len();
    let rest = &definition[start - 1..];
    let end = outside(rest, |rest| rest.starts_with(" EXECUTE "))?;
    let condition = rest[..end].strip_suffix(')')?.strip_prefix('(')?;
    Some(without_parentheses(condition))
}

/// The condition and the action in what pg_get_ruledef returns: `[WHERE (…)] DO [INSTEAD] …`. The
/// word INSTEAD, which is a fact of its own, is left out.
pub(super) fn rule_definition(definition: &str) -> Option<String> {
    const TO: &str = " TO ";
    let start = outside(definition, |rest| rest.starts_with(TO))? + TO.len();
    let rest = &definition[start..];
    let end = outside(rest, |rest| rest.starts_with(char::is_whitespace))?;
    let rest = rest[end..].trim().trim_end_matches(';');
    let is_do = |rest: &str| {
        let after = rest.strip_prefix("DO");
        after.is_some_and(|after| after.starts_with(char::is_whitespace))
    };
    let (condition, action) = rest.split_at(outside(rest, is_do)?);
    let action = action["DO".len()..].trim_start();
    let action = action.strip_prefix("INSTEAD ").unwrap_or(action);
    let action = action.trim_start();
    Some(format!("{condition}DO {action}"))
}

/// `text` with quotes around names only where they need them. The server writes more of them with
/// quote_all_identifiers.
pub(super) fn with_needed_quotes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"']) {
        let quote = &rest[at..=at];
        shown.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut inner = String::new();
        loop {
            let end = rest.find(quote).unwrap_or(rest.len());
            inner.push_str(&rest[..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
            match rest.strip_prefix(quote) {
                Some(more) => {
                    inner.push_str(quote);
                    rest = more;
                }
                None => break,
            }
        }
        if quote == "'" {
            shown.push_str(&format!("'{}'", inner.replace('\'', "''")));
        } else {
            shown.push_str(&quoted(&inner));
        }
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_quotes_that_they_need() {
        let check = |text: &str, expected: &str| assert_eq!(with_needed_quotes(text), expected);
        check(
            "\"a\" = 'it''s \"a\"', \"B\"\"\" = 'x'",
            "a = 'it''s \"a\"', \"B\"\"\" = 'x'",
        );
        check("a = 1", "a = 1");
    }

    #[test]
    fn the_condition_of_a_trigger_is_found() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(trigger_condition(text), expected);
        };
        check(
            "CREATE TRIGGER \"a WHEN (b)\" AFTER UPDATE ON s.t FOR EACH ROW WHEN \
             ((old.a IS DISTINCT FROM ') EXECUTE FUNCTION'::text)) EXECUTE FUNCTION f()",
            Some("old.a IS DISTINCT FROM ') EXECUTE FUNCTION'::text"),
        );
        check(
            "CREATE TRIGGER t AFTER UPDATE ON s.t FOR EACH ROW WHEN (new.a) EXECUTE FUNCTION f('x')",
            Some("new.a"),
        );
        check(
            "CREATE TRIGGER t AFTER UPDATE ON s.t EXECUTE FUNCTION f()",
            None,
        );
    }

    #[test]
    fn the_definition_of_a_rule_is_found() {
        let check = |text: &str, expected: &str| {
            assert_eq!(rule_definition(text).as_deref(), Some(expected));
        };
        check(
            "CREATE RULE r AS\n    ON UPDATE TO s.\"a TO b\"\n   WHERE (old.a > 0) DO INSTEAD  DELETE FROM s.x;",
            "WHERE (old.a > 0) DO DELETE FROM s.x",
        );
        check(
            "CREATE RULE r AS\n    ON DELETE TO s.t DO\n NOTHING;",
            "DO NOTHING",
        );
    }

    #[test]
    fn only_parentheses_around_everything_are_removed() {
        let check = |text: &str, expected: &str| assert_eq!(without_parentheses(text), expected);
        check("(a > 0)", "a > 0");
        check("((a) > (b))", "(a) > (b)");
        check("(a) > (b)", "(a) > (b)");
        check("(a = ')')", "a = ')'");
        check("f(a)", "f(a)");
    }
}
