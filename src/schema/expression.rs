//! PostgreSQL's words for an expression are not always stable: `status IN ('a', 'b')` over a
//! `varchar` is shown as `(ARRAY['a'::character varying, …])::text[]`, and what that text makes is
//! shown as `ARRAY[('a'::character varying)::text, …]`.

/// Whether two expressions in the words of the database mean the same.
pub(super) fn is_same_expression(a: &str, b: &str) -> bool {
    a == b || canonical_expression(a) == canonical_expression(b)
}

/// Returns `expression` with casts of whole array constructors applied to their elements, as the
/// server shows them the second time.
pub fn canonical_expression(expression: &str) -> String {
    let mut text = expression.to_owned();
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

/// Splits the elements of an array constructor at `, ` outside quotes and parentheses. Returns them
/// and the offset of the closing bracket.
fn elements(text: &str) -> Option<(Vec<&str>, usize)> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    let mut quote: Option<u8> = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) => {
                if byte == open {
                    quote = None;
                }
            }
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b']') if depth == 0 => {
                found.push(text[start..at].trim());
                return Some((found, at));
            }
            (None, b')' | b']') => depth = depth.checked_sub(1)?,
            (None, b',') if depth == 0 => {
                found.push(text[start..at].trim());
                start = at + 1;
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
    fn the_canonical_form_is_stable() {
        let once = canonical_expression("(ARRAY[(ARRAY['x'::a])::text[]])::text[]");
        assert_eq!(canonical_expression(&once), once);
    }
}
