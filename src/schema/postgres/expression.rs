//! PostgreSQL's words for an expression are not always stable: `status IN ('a', 'b')` over a
//! `varchar` is shown as `(ARRAY['a'::character varying, …])::text[]`, and what that text makes is
//! shown as `ARRAY[('a'::character varying)::text, …]`. Likewise `a BETWEEN 1 AND 2 AND b` is shown as
//! `((a >= 1) AND (a <= 2)) AND b`, and that text makes `(a >= 1) AND (a <= 2) AND b`.

use crate::sql::{Dialect, TokenKind, lex};

/// Whether two expressions in the words of the database mean the same.
pub(in crate::schema) fn is_same_expression(a: &str, b: &str) -> bool {
    a == b || canonical_expression(a) == canonical_expression(b)
}

/// Returns `expression` as the server shows it the second time: casts of whole array constructors
/// are applied to their elements, and there are no parentheses around a first operand of AND or OR
/// that has the same operator.
fn canonical_expression(expression: &str) -> String {
    let mut text = without_nested_operands(expression);
    let mut from = 0;
    while let Some(found) = text[from..].find("(ARRAY[") {
        let start = from + found;
        match cast_array(&text[start..]) {
            Some((length, replacement)) => {
                text.replace_range(start..start + length, &replacement);
                // The elements may hold array constructors of their own.
                from = start + "ARRAY[".len();
            }
            None => from = start + "(ARRAY[".len(),
        }
    }
    text
}

fn without_nested_operands(expression: &str) -> String {
    let mut places: Vec<usize> = nested_operands(expression)
        .into_iter()
        .flat_map(|(open, close)| [open, close])
        .collect();
    places.sort_unstable();
    let mut text = String::with_capacity(expression.len());
    let mut from = 0;
    for place in places {
        text.push_str(&expression[from..place]);
        from = place + 1;
    }
    text.push_str(&expression[from..]);
    text
}

/// The operators that the server joins with those of their first operands when it reads them.
const JOINED: [&str; 2] = ["AND", "OR"];

/// A pair of parentheses, or all of an expression.
#[derive(Default)]
struct Group {
    /// Where the contents start.
    start: usize,
    /// The first operand, if it is in parentheses: where they are, and its own operator.
    first: Option<(usize, usize, Option<&'static str>)>,
    /// The operator between the operands.
    operator: Option<&'static str>,
}

/// Returns the places of the parentheses around first operands of AND or OR that have the same
/// operator themselves: `((a AND b) AND c)`.
pub fn nested_operands(expression: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut groups = vec![Group::default()];
    for token in lex(Dialect::Postgres, expression.as_bytes()) {
        match token.kind {
            TokenKind::Open => groups.push(Group {
                start: token.end,
                ..Group::default()
            }),
            TokenKind::Close => {
                let Some(closed) = groups.pop() else { break };
                let Some(outer) = groups.last_mut() else {
                    break;
                };
                if outer.start + 1 == closed.start {
                    outer.first = Some((closed.start - 1, token.start, closed.operator));
                }
            }
            TokenKind::Word => {
                let word = &expression[token.start..token.end];
                let operator = JOINED.into_iter().find(|it| *it == word);
                let (Some(operator), Some(group)) = (operator, groups.last_mut()) else {
                    continue;
                };
                group.operator = Some(operator);
                if let Some((open, close, Some(of_first))) = group.first
                    && &expression[close..token.start] == ") "
                    && of_first == operator
                {
                    found.push((open, close));
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns the length of `(ARRAY[a, b])::type[]` at the start of `text` and what to put in its
/// place.
fn cast_array(text: &str) -> Option<(usize, String)> {
    let inside = "(ARRAY[".len();
    let (elements, end) = elements(&text[inside..])?;
    let rest = text[inside + end..].strip_prefix("])::")?;
    let name = rest.find("[]")?;
    let data_type = &rest[..name];
    if data_type.contains(['(', ')', ',', '\'']) {
        return None;
    }
    let cast: Vec<String> = elements
        .iter()
        .map(|element| format!("({element})::{data_type}"))
        .collect();
    let length = inside + end + "])::".len() + name + "[]".len();
    Some((length, format!("ARRAY[{}]", cast.join(", "))))
}

/// Splits the elements of an array constructor at commas outside quotes and parentheses. Returns them
/// and the offset of the closing bracket.
fn elements(text: &str) -> Option<(Vec<&str>, usize)> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    for token in lex(Dialect::Postgres, text.as_bytes()) {
        match (token.kind, text.as_bytes()[token.start]) {
            (TokenKind::Open, _) | (TokenKind::Other, b'[') => depth += 1,
            (TokenKind::Other, b']') if depth == 0 => {
                found.push(text[start..token.start].trim());
                return Some((found, token.start));
            }
            (TokenKind::Close, _) | (TokenKind::Other, b']') => depth = depth.checked_sub(1)?,
            (TokenKind::Other, b',') if depth == 0 => {
                found.push(text[start..token.start].trim());
                start = token.end;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_of_an_array_goes_to_its_elements() {
        let check = |text: &str, expected: &str| assert_eq!(canonical_expression(text), expected);
        check(
            "((s)::text = ANY ((ARRAY['a'::character varying, 'b, ]'::character varying])::text[]))",
            "((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b, ]'::character varying)::text]))",
        );
        check("(a = ANY (ARRAY[1, 2]))", "(a = ANY (ARRAY[1, 2]))");
        check("'(ARRAY[' || x", "'(ARRAY[' || x");
    }

    #[test]
    fn first_operands_of_the_same_operator_are_joined() {
        let check = |text: &str, expected: &str| assert_eq!(canonical_expression(text), expected);
        check("((a AND b) AND c)", "(a AND b AND c)");
        check("((a > 1) AND (a < 5)) AND b", "(a > 1) AND (a < 5) AND b");
        check("(((a OR b) OR c) OR d)", "(a OR b OR c OR d)");
        check("(c AND (a AND b))", "(c AND (a AND b))");
        check("((a OR b) AND c)", "((a OR b) AND c)");
        check("((f AND ') AND (') AND c)", "(f AND ') AND (' AND c)");
        check("((a) AND b)", "((a) AND b)");
        check("((E'\\\\' = a AND b) AND c)", "(E'\\\\' = a AND b AND c)");
        check(
            "x OVER (ROWS BETWEEN 1 AND 2)",
            "x OVER (ROWS BETWEEN 1 AND 2)",
        );
    }

    #[test]
    fn the_canonical_form_is_stable() {
        let once = canonical_expression("(ARRAY[(ARRAY['x'::a])::text[]])::text[]");
        assert_eq!(canonical_expression(&once), once);
    }
}
