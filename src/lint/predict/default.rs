//! Defaults of PostgreSQL: the same for all rows, or not.

/// Functions whose value differs from row to row.
const VOLATILE: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_uuid",
    "nextval",
    "random",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "gen_random_bytes",
];

/// Functions whose value is the same in all rows of a statement.
const STABLE: &[&str] = &[
    "age",
    "array",
    "abs",
    "coalesce",
    "concat",
    "current_setting",
    "date",
    "date_part",
    "date_trunc",
    "decode",
    "encode",
    "extract",
    "greatest",
    "interval",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "least",
    "length",
    "lower",
    "make_interval",
    "md5",
    "now",
    "nullif",
    "numrange",
    "int4range",
    "int8range",
    "tsrange",
    "tstzrange",
    "daterange",
    "point",
    "replace",
    "round",
    "row",
    "statement_timestamp",
    "substring",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_timestamp",
    "transaction_timestamp",
    "trim",
    "upper",
    "varchar",
    "char",
    "character",
    "numeric",
    "decimal",
    "timestamp",
    "time",
    "bit",
    "cast",
    "array_fill",
    "to_tsvector",
    "in",
    "and",
    "or",
    "not",
];

/// Whether a default differs from row to row. A function that is not known counts as volatile, as
/// functions are unless they say otherwise.
pub(super) fn is_volatile(default: &str) -> bool {
    called(default).any(|name| {
        let name = name.rsplit('.').next().unwrap_or(name);
        VOLATILE.contains(&name) || !STABLE.contains(&name)
    })
}

/// The words before parentheses, outside strings.
fn called(expression: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let is_inside = |at: usize| expression[..at].matches('\'').count() % 2 == 1;
    expression.match_indices('(').filter_map(move |(at, _)| {
        let before = expression[..at].trim_end();
        let start = before.rfind(|c| !is_word(c)).map_or(0, |found| {
            found + before[found..].chars().next().map_or(1, char::len_utf8)
        });
        let name = &before[start..];
        // The parenthesis after a cast is the modifier of a type.
        let is_type = before[..start].ends_with("::");
        (!name.is_empty() && !is_inside(at) && !is_type).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_that_differ_from_row_to_row() {
        let check =
            |default: &str, expected| assert_eq!(is_volatile(default), expected, "{default}");
        check("now()", false);
        check("'now('", false);
        check("0", false);
        check("current_timestamp", false);
        check("'x'::varchar(20)", false);
        check("(now() + interval '1 day')", false);
        check("gen_random_uuid()", true);
        check("nextval('s'::regclass)", true);
        check("public.new_id()", true);
    }
}
