use crate::sql::{Dialect, SessionChange, words::Words};

/// Returns the named effect of `statement` on its session. Names are in lower case.
pub(super) fn session_change(statement: &str) -> Option<SessionChange> {
    let mut words = Words::new(Dialect::Sqlite, statement);
    if words.eat("ATTACH") {
        while !words.eat("AS") {
            words.next()?;
        }
        return words.name().map(SessionChange::Attach);
    }
    if words.eat("DETACH") {
        words.eat("DATABASE");
        return words.name().map(SessionChange::Detach);
    }
    if !words.eat("CREATE") {
        return None;
    }
    let mut temporary = words.eat_any(&["TEMP", "TEMPORARY"]).is_some();
    words.eat("VIRTUAL");
    let kind = words.eat_any(&["TABLE", "VIEW", "TRIGGER"])?;
    words.eat_all(&["IF", "NOT", "EXISTS"]);
    let mut name = words.name()?;
    if words.eat_symbol(".") {
        temporary |= name == "temp";
        name = words.name()?;
    }
    temporary.then_some(SessionChange::Temporary(kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_has_a_name() {
        let check = |text: &str, expected: Option<SessionChange>| {
            assert_eq!(session_change(text), expected, "{text}");
        };
        let temporary = |kind, name: &str| Some(SessionChange::Temporary(kind, name.to_owned()));
        check(
            "CREATE TEMP TABLE IF NOT EXISTS T (x)",
            temporary("TABLE", "t"),
        );
        check(
            "create temporary view v as select 1",
            temporary("VIEW", "v"),
        );
        check(
            "CREATE TRIGGER temp.\"X y\" AFTER INSERT",
            temporary("TRIGGER", "x y"),
        );
        check("CREATE TABLE t (x)", None);
        check("CREATE TABLE main.t (x)", None);
        check("CREATE TEMP", None);
        check(
            "ATTACH 'a' || 'b' AS Other",
            Some(SessionChange::Attach("other".into())),
        );
        check(
            "ATTACH DATABASE ':memory:' AS x",
            Some(SessionChange::Attach("x".into())),
        );
        check("ATTACH 'x'", None);
        check("DETACH DATABASE x", Some(SessionChange::Detach("x".into())));
        check("SELECT 1", None);
    }
}
