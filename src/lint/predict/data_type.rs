//! What a change of a column's type does on PostgreSQL.

/// What a change of a type does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypeChange {
    /// The values stay as they are, and so do indexes.
    Nothing,
    /// The values stay as they are, and indexes on the column are built anew.
    Reindex,
    /// The table is written anew.
    Rewrite,
}

/// A type with its modifier.
#[derive(Debug, PartialEq, Eq)]
struct Parsed<'a> {
    base: &'a str,
    modifier: Vec<u32>,
    is_array: bool,
}

/// The names of types with several names.
const ALIASES: &[(&str, &str)] = &[
    ("int", "integer"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("int2", "smallint"),
    ("bool", "boolean"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("float", "double precision"),
    ("character varying", "varchar"),
    ("char varying", "varchar"),
    ("character", "char"),
    ("bpchar", "char"),
    ("decimal", "numeric"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamp without time zone", "timestamp"),
    ("timetz", "time with time zone"),
    ("time without time zone", "time"),
    ("varbit", "bit varying"),
    ("serial", "integer"),
    ("serial4", "integer"),
    ("bigserial", "bigint"),
    ("serial8", "bigint"),
    ("smallserial", "smallint"),
    ("serial2", "smallint"),
];

/// Reads `timestamp(3) with time zone`, `numeric(10, 2)`, `text[]`.
fn parse<'a>(text: &'a str, kept: &'a mut String) -> Parsed<'a> {
    let text = text.strip_prefix("pg_catalog.").unwrap_or(text);
    let is_array = text.contains('[');
    let text = text.split('[').next().unwrap_or_default();
    let mut modifier = Vec::new();
    kept.clear();
    match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => {
            let numbers = text[open + 1..close].split(',');
            modifier.extend(numbers.filter_map(|it| it.trim().parse::<u32>().ok()));
            kept.push_str(text[..open].trim());
            let rest = text[close + 1..].trim();
            if !rest.is_empty() {
                kept.push(' ');
                kept.push_str(rest);
            }
        }
        _ => kept.push_str(text.trim()),
    }
    let base: &str = kept;
    let base = ALIASES
        .iter()
        .find(|it| it.0 == base)
        .map_or(base, |it| it.1);
    Parsed {
        base,
        modifier,
        is_array,
    }
}

/// What a change from one type to another does. Both are in lower case with single spaces. `old` is
/// `None` if it is not known: then the answer is what is most frequent in real scripts.
pub(super) fn change(old: Option<&str>, new: &str, is_utc: bool) -> TypeChange {
    let (mut old_text, mut new_text) = (String::new(), String::new());
    let new = parse(new, &mut new_text);
    let Some(old) = old.filter(|it| !it.is_empty()) else {
        return unknown(&new);
    };
    let old = parse(old, &mut old_text);
    if old.is_array != new.is_array {
        return TypeChange::Rewrite;
    }
    if old.base == new.base {
        return match is_wider(&old, &new) {
            true => TypeChange::Nothing,
            false => TypeChange::Rewrite,
        };
    }
    // The elements of an array are converted one by one, unless their types are the same inside.
    if new.is_array && (old.base, new.base) != ("varchar", "text") {
        return TypeChange::Rewrite;
    }
    match (old.base, new.base) {
        ("varchar", "text") => TypeChange::Nothing,
        ("text", "varchar") if new.modifier.is_empty() => TypeChange::Nothing,
        ("cidr", "inet") | ("xml", "text" | "varchar") => TypeChange::Nothing,
        ("citext", "text") | ("text" | "varchar", "citext") if new.modifier.is_empty() => {
            TypeChange::Reindex
        }
        ("integer", "oid") | ("oid", "integer") => TypeChange::Reindex,
        ("timestamp", "timestamp with time zone") | ("timestamp with time zone", "timestamp")
            if is_utc && is_wider(&old, &new) =>
        {
            TypeChange::Reindex
        }
        _ => TypeChange::Rewrite,
    }
}

/// The change to a type from one that is not known.
fn unknown(new: &Parsed<'_>) -> TypeChange {
    match new.base {
        "text"
        | "varchar"
        | "numeric"
        | "bit varying"
        | "timestamp with time zone"
        | "timestamp"
        | "inet"
        | "citext"
            if !new.is_array =>
        {
            TypeChange::Nothing
        }
        _ => TypeChange::Rewrite,
    }
}

/// Whether every value of `old` is one of `new`, of the same base.
fn is_wider(old: &Parsed<'_>, new: &Parsed<'_>) -> bool {
    if old.modifier == new.modifier {
        return true;
    }
    let at = |of: &Parsed<'_>, at: usize| of.modifier.get(at).copied();
    match new.base {
        "varchar" | "bit varying" => match (at(old, 0), at(new, 0)) {
            (_, None) => true,
            (Some(old), Some(new)) => old <= new,
            (None, Some(_)) => false,
        },
        "numeric" => match (at(old, 0), at(new, 0)) {
            (_, None) => true,
            (Some(old_digits), Some(new_digits)) => {
                let scale = |of| at(of, 1).unwrap_or(0);
                old_digits <= new_digits && scale(old) == scale(new)
            }
            (None, Some(_)) => false,
        },
        // Without a precision they have the highest one, 6.
        base if base.starts_with("time") || base.starts_with("interval") => {
            at(old, 0).unwrap_or(6) <= at(new, 0).unwrap_or(6)
        }
        _ => false,
    }
}

/// Whether the expression of USING is the column, or a cast of it to the new type, so that it says
/// no more than the type.
pub(super) fn is_plain_using(using: &str, column: &str, new: &str) -> bool {
    let is_column = |text: &str| text.trim().trim_matches(['(', ')', '"', ' ']) == column;
    if is_column(using) {
        return true;
    }
    if let Some((operand, to)) = using.rsplit_once("::") {
        return is_column(operand) && is_same_type(to, new);
    }
    let cast = using
        .strip_prefix("cast(")
        .and_then(|it| it.strip_suffix(')'));
    let cast = cast.and_then(|it| it.split_once(" as "));
    cast.is_some_and(|(operand, to)| is_column(operand) && is_same_type(to, new))
}

fn is_same_type(a: &str, b: &str) -> bool {
    let (mut a_text, mut b_text) = (String::new(), String::new());
    let trimmed = a.trim().trim_end_matches(')');
    let a = if a.contains('(') { a.trim() } else { trimmed };
    parse(a, &mut a_text) == parse(b, &mut b_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_types_that_rewrite() {
        let check = |old: &str, new: &str, expected| {
            assert_eq!(change(Some(old), new, true), expected, "{old} to {new}");
        };
        check("varchar(20)", "varchar(40)", TypeChange::Nothing);
        check("character varying(20)", "text", TypeChange::Nothing);
        check("varchar(40)", "varchar(20)", TypeChange::Rewrite);
        check("text", "varchar(20)", TypeChange::Rewrite);
        check("text", "varchar", TypeChange::Nothing);
        check("int", "bigint", TypeChange::Rewrite);
        check("integer", "int4", TypeChange::Nothing);
        check("serial", "int", TypeChange::Nothing);
        check("numeric(10,2)", "numeric(12, 2)", TypeChange::Nothing);
        check("numeric(10,2)", "numeric(12,4)", TypeChange::Rewrite);
        check("numeric(10,2)", "numeric", TypeChange::Nothing);
        check("timestamp(3)", "timestamp", TypeChange::Nothing);
        check("timestamp", "timestamp(3)", TypeChange::Rewrite);
        check("timestamp", "timestamptz", TypeChange::Reindex);
        check("text", "text[]", TypeChange::Rewrite);
        check("json", "jsonb", TypeChange::Rewrite);
        check("timestamp[]", "timestamptz[]", TypeChange::Rewrite);
        check("varchar(2)[]", "text[]", TypeChange::Nothing);
        let zoned = change(Some("timestamp"), "timestamptz", false);
        assert_eq!(zoned, TypeChange::Rewrite);
    }

    #[test]
    fn a_type_that_is_not_known_is_the_usual_one() {
        let check = |new: &str, expected| assert_eq!(change(None, new, true), expected, "{new}");
        check("text", TypeChange::Nothing);
        check("varchar(255)", TypeChange::Nothing);
        check("bigint", TypeChange::Rewrite);
        check("uuid", TypeChange::Rewrite);
    }

    #[test]
    fn expressions_of_using_that_only_cast() {
        let check = |using: &str, expected| {
            assert_eq!(
                is_plain_using(using, "a", "varchar(20)"),
                expected,
                "{using}"
            );
        };
        check("a", true);
        check("a::varchar(20)", true);
        check("(a)::character varying(20)", true);
        check("cast(a as varchar(20))", true);
        check("a::text", false);
        check("lower(a)", false);
        check("a || 'x'", false);
    }
}
