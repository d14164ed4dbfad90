use std::borrow::Cow;

pub(super) use crate::sql::in_quotes;

/// Words that mean something else than a name, or might, where an expression can have a name. Other
/// keywords of SQLite are names there.
const RESERVED: [&str; 77] = [
    "add",
    "all",
    "alter",
    "and",
    "as",
    "autoincrement",
    "between",
    "case",
    "cast",
    "check",
    "collate",
    "commit",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "default",
    "deferrable",
    "delete",
    "distinct",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "filter",
    "foreign",
    "from",
    "full",
    "group",
    "having",
    "in",
    "index",
    "indexed",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "left",
    "limit",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "primary",
    "raise",
    "references",
    "returning",
    "right",
    "select",
    "set",
    "table",
    "then",
    "to",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "when",
    "where",
    "window",
];

/// Whether `word` without quotes could be read as something else than a name.
pub fn is_reserved(word: &str) -> bool {
    let longest = "current_timestamp".len();
    if word.len() > longest {
        return false;
    }
    let word = word.to_ascii_lowercase();
    RESERVED.binary_search(&word.as_str()).is_ok()
}

/// Whether `name` can be written without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let continues = |c: char| starts(c) || c.is_ascii_digit() || c == '$';
    name.starts_with(starts) && name.chars().all(continues) && !is_reserved(name)
}

/// `name` with quotes if it needs them.
pub fn quoted(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        name.into()
    } else {
        in_quotes(name).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        let check = |name: &str, shown: &str| assert_eq!(quoted(name), shown);
        check("userId", "userId");
        check("größe", "größe");
        check("key", "key");
        check("Order", "\"Order\"");
        check("1st", "\"1st\"");
        check("a\"b", "\"a\"\"b\"");
        check("", "\"\"");
    }
}
