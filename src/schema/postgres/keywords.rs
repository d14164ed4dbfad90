//! Identifiers in SQL, and the keywords that cannot be used as they are.

use std::{borrow::Cow, sync::LazyLock};

use crate::sql::in_quotes;

/// The keywords of PostgreSQL 12 to 18 that are not unreserved, sorted.
const KEYWORDS: &str = "\
    all analyse analyze and any array as asc asymmetric authorization between bigint binary \
    bit boolean both case cast char character check coalesce collate collation column \
    concurrently constraint create cross current_catalog current_date current_role \
    current_schema current_time current_timestamp current_user dec decimal default deferrable \
    desc distinct do else end except exists extract false fetch float for foreign freeze from \
    full grant greatest group grouping having ilike in initially inner inout int integer \
    intersect interval into is isnull join json json_array json_arrayagg json_exists \
    json_object json_objectagg json_query json_scalar json_serialize json_table json_value \
    lateral leading least left like limit localtime localtimestamp merge_action national \
    natural nchar none normalize not notnull null nullif numeric offset on only or order out \
    outer overlaps overlay placing position precision primary real references returning right \
    row select session_user setof similar smallint some substring symmetric system_user table \
    tablesample then time timestamp to trailing treat trim true union unique user using values \
    varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement \
    xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable";

/// Whether `word` has to be quoted because it is a keyword.
pub fn is_keyword(word: &str) -> bool {
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| KEYWORDS.split(' ').collect());
    WORDS.binary_search(&word).is_ok()
}

/// An identifier, quoted where the server would not read it as it is.
pub fn ident(name: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    let mut chars = name.chars();
    let is_plain = chars.next().is_some_and(plain)
        && chars.all(|c| plain(c) || c.is_ascii_digit())
        && !is_keyword(name);
    if is_plain {
        name.into()
    } else {
        in_quotes(name).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.split(' ').is_sorted());
    }

    #[test]
    fn unreserved_words_are_no_keywords() {
        let check = |word: &str, expected: bool| assert_eq!(is_keyword(word), expected, "{word}");
        check("order", true);
        check("values", true);
        check("left", true);
        check("json_table", true);
        check("name", false);
        check("orders", false);
    }

    #[test]
    fn identifiers_are_quoted_only_where_needed() {
        let check = |name: &str, expected: &str| assert_eq!(ident(name), expected);
        check("orders", "orders");
        check("_a1", "_a1");
        check("Orders", "\"Orders\"");
        check("1st", "\"1st\"");
        check("a$b", "\"a$b\"");
        check("a\"b", "\"a\"\"b\"");
        check("order", "\"order\"");
        check("name", "name");
        check("größe", "\"größe\"");
    }
}
