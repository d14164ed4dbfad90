use crate::sql::{
    Dialect, TokenKind,
    words::{Item, Words},
};

/// Commands on objects that belong to the whole server, with their names. `USER MAPPING` does not.
const SHARED: &[(&str, &[&str], &str)] = &[
    ("CREATE", ROLES, "creates a role"),
    ("ALTER", ROLES, "alters a role"),
    ("DROP", ROLES, "drops a role"),
    ("CREATE", &["DATABASE"], "creates a database"),
    ("ALTER", &["DATABASE"], "alters a database by its name"),
    ("DROP", &["DATABASE"], "drops a database"),
    ("CREATE", &["TABLESPACE"], "creates a tablespace"),
    ("ALTER", &["TABLESPACE"], "alters a tablespace"),
    ("DROP", &["TABLESPACE"], "drops a tablespace"),
    ("CREATE", &["SUBSCRIPTION"], "creates a subscription"),
    ("ALTER", &["SUBSCRIPTION"], "alters a subscription"),
    ("DROP", &["SUBSCRIPTION"], "drops a subscription"),
    (
        "ALTER",
        &["SYSTEM"],
        "alters the configuration of the server",
    ),
    ("REASSIGN", &["OWNED"], "reassigns what a role owns"),
];
const ROLES: &[&str] = &["ROLE", "USER", "GROUP"];

/// Returns what a statement does to more than its own database: to roles, other databases, or files
/// and programs of the server. The body of a DO counts as well, but not what it builds as text.
pub(super) fn reaches_outside(statement: &str) -> Option<&'static str> {
    let mut words = Words::new(Dialect::Postgres, statement);
    let first = words.next()?;
    match first.text.to_ascii_uppercase().as_str() {
        "GRANT" | "REVOKE" if !words.any(|word| word.is("ON")) => {
            Some("changes the members of a role")
        }
        "COPY" => copies(words),
        "DO" => words.find_map(|word| match word.kind {
            TokenKind::DollarString | TokenKind::String => body(word.text),
            _ => None,
        }),
        _ => shared(first, words),
    }
}

fn shared(first: Item<'_>, mut words: Words<'_>) -> Option<&'static str> {
    let object = words.next()?;
    if object.is("USER") && words.eat("MAPPING") {
        return None;
    }
    let of = |(verb, objects, _): &&(&str, &[&str], &str)| {
        first.is(verb) && objects.iter().any(|name| object.is(name))
    };
    SHARED.iter().find(of).map(|(_, _, does)| *does)
}

fn copies(mut words: Words<'_>) -> Option<&'static str> {
    if words.eat_symbol("(") {
        words.parenthesized();
    }
    let to = loop {
        let word = words.next()?;
        if word.is("TO") || word.is("FROM") {
            break word.is("TO");
        }
    };
    if words.eat("PROGRAM") {
        return Some("runs a program on the server");
    }
    let is_file = words.eat_if(|word| word.kind == TokenKind::String);
    (to && is_file).then_some("writes a file of the server")
}

/// Searches the body of a DO.
fn body(quoted: &str) -> Option<&'static str> {
    let inner = match quoted.strip_prefix('$') {
        Some(rest) => rest.split_once('$')?.1,
        None => quoted.strip_prefix('\'')?,
    };
    let mut words = Words::new(Dialect::Postgres, inner);
    while let Some(word) = words.next() {
        if let Some(does) = shared(word, words.clone()) {
            return Some(does);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_for_the_whole_server_are_recognized() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(reaches_outside(text), expected, "{text}");
        };
        check("CREATE ROLE app", Some("creates a role"));
        check("create user app", Some("creates a role"));
        check("CREATE USER MAPPING FOR app SERVER s", None);
        check(
            "ALTER DATABASE shop SET x = 1",
            Some("alters a database by its name"),
        );
        check("GRANT admin TO app", Some("changes the members of a role"));
        check("GRANT SELECT ON t TO app", None);
        check("COPY t TO '/tmp/x'", Some("writes a file of the server"));
        check(
            "COPY (SELECT 1) TO PROGRAM 'x'",
            Some("runs a program on the server"),
        );
        check("COPY t FROM STDIN", None);
        check("COPY t FROM '/tmp/x'", None);
        check(
            "DO $$ BEGIN CREATE ROLE app; END $$",
            Some("creates a role"),
        );
        check("DO $x$ BEGIN PERFORM 1; END $x$", None);
        check("DO 'BEGIN DROP ROLE app; END'", Some("drops a role"));
        check("CREATE TABLE role (user int)", None);
    }
}
