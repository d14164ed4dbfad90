use proptest::prelude::{prop_assert_eq, proptest};

use super::*;
use crate::{
    seed::hint::hints,
    sql::Dialect::{self, Postgres, Sqlite},
};

/// The first values that a condition on the column `x` asks for.
fn of(dialect: Dialect, condition: &str, family: Family) -> Vec<String> {
    let hints = hints(dialect, condition, "x");
    let samples = wanted(&hints, family).into_iter().take(3);
    let shown = samples.map(|sample| match sample {
        Sample::Text(text) | Sample::Number(text) => text,
        Sample::Bytes(bytes) => format!("{} bytes", bytes.len()),
    });
    shown.collect()
}

#[test]
fn conditions_ask_for_values() {
    let check = |condition: &str, family, expected: &[&str]| {
        assert_eq!(of(Postgres, condition, family), expected, "{condition}");
    };
    let any = Family::Text(usize::MAX);
    check("(x > 5)", Family::Integer, &["6", "7", "8"]);
    check("((x >= 0) AND (x <= 1))", Family::Integer, &["0", "1"]);
    check("((0 < x) AND (x < 1))", Family::Decimal, &["0.5"]);
    check(
        "((x < 0) OR (x > 10))",
        Family::Integer,
        &["11", "12", "13"],
    );
    let list =
        "((x)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))";
    check(list, any, &["a", "b"]);
    check("(x <> 'a'::text)", any, &[]);
    check(
        "(char_length((x)::text) = 3)",
        Family::Text(5),
        &["0xx", "1xx", "2xx"],
    );
    check(
        "(octet_length(x) = 32)",
        Family::Bytes,
        &["32 bytes", "32 bytes", "32 bytes"],
    );
    check("(x ~ '^[a-z]{2}$'::text)", any, &["ad", "be", "cf"]);
    check("(x ~~ 'a%'::text)", any, &["as0", "as1", "as2"]);
    check(
        "(jsonb_typeof(x) = 'array'::text)",
        Family::Json,
        &["[{\"seed\": 1}]"],
    );
    check(
        "(jsonb_typeof((x -> 'a'::text)) = 'number'::text)",
        Family::Json,
        &["{\"a\": 1}"],
    );
    check(
        "((x ->> 'a'::text) = 'b'::text)",
        Family::Json,
        &["{\"a\": \"b\"}"],
    );
    check(
        "(x > '2000-01-30'::date)",
        Family::Moment,
        &["2000-01-31", "2000-02-01", "2000-02-02"],
    );
    check("(family(x) = 4)", Family::Other, &[]);
    check("(y > 5)", Family::Integer, &[]);
}

#[test]
fn conditions_of_sqlite_ask_for_values() {
    let check = |condition: &str, family, expected: &[&str]| {
        assert_eq!(of(Sqlite, condition, family), expected, "{condition}");
    };
    let any = Family::Text(usize::MAX);
    check("x BETWEEN 3 AND 4", Family::Integer, &["3", "4"]);
    check("\"x\" IN ('a', 'it''s')", any, &["a", "it's"]);
    check("[x] NOT IN ('a')", any, &[]);
    check("json_valid(x)", any, &["{\"seed\": 1}"]);
    check(
        "x NOT GLOB '*[^0-9]*' AND length(x) = 4",
        any,
        &["0369", "1482", "2505"],
    );
    check("typeof(x) = 'blob'", Family::Any, &["4 bytes"]);
}

#[test]
fn defaults_tell_the_shape_of_json() {
    let check = |default: &str, expected: Option<&str>| {
        let found = shape(default).map(|(_, empty)| empty);
        assert_eq!(found, expected.map(text), "{default}");
    };
    check("'[]'::jsonb", Some("[]"));
    check("'{\"a\": 1}'", Some("{}"));
    check("'x'", None);
    check("now()", None);
}

proptest! {
    #[test]
    fn sized_texts_have_their_size(number in 0..10_000_u64, length in 0..70_usize) {
        prop_assert_eq!(sized(number, length).chars().count(), length);
    }

    #[test]
    fn any_condition_is_read(condition in "(x|[ ()<>=~'\"a-c0-9:.,\\[\\]-]|AND|IN|::text|OPERATOR\\(){0,20}") {
        for dialect in [Postgres, Sqlite] {
            let hints = hints(dialect, &condition, "x");
            for family in [Family::Integer, Family::Text(5), Family::Json, Family::Any, Family::Moment] {
                wanted(&hints, family);
                mentioned(&hints, family);
            }
        }
    }
}
