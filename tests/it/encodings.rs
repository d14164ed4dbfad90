//! Characters that a database does not have, that nobody sees, or that a server reads in two ways.

use crate::common::{Backend, Env};

fn upgrade(env: &mut Env, line: &str) -> (Option<i32>, String) {
    let output = env.run(line);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), text)
}

#[test]
fn a_character_that_the_encoding_does_not_have_has_a_place() {
    let mut env = Env::new(Backend::Postgres);
    let name = format!("{}_latin1", env.sql("SELECT current_database()").trim());
    env.sql(&format!(
        "CREATE DATABASE {name} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let url = env.url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let line = format!("upgrade --url {server}/{name}");
    for (up, down, place) in [
        (
            "CREATE TABLE t (a text);\n",
            "-- to → base\nDROP TABLE t;\n",
            "1_a.down.sql:1:7",
        ),
        (
            "CREATE TABLE t (\n\n-- → é\na text);\n",
            "DROP TABLE t;\n",
            "1_a.up.sql:3:4",
        ),
        (
            "-- migrator: transaction = off\nSELECT 1;\nSELECT '→';\n",
            "DROP TABLE t;\n",
            "1_a.up.sql:3:9",
        ),
    ] {
        env.revision("1_a", up, down);
        let (status, text) = upgrade(&mut env, &line);
        assert_eq!(status, Some(1), "{text}");
        assert!(
            text.contains("error[M708]") && text.contains("`→` (U+2192)"),
            "{text}"
        );
        assert!(text.contains(place), "{text}");
    }
    env.revision("1_a", "CREATE TABLE t (a text);\n-- é\n", "DROP TABLE t;\n");
    let (status, text) = upgrade(&mut env, &line);
    assert_eq!(status, Some(0), "{text}");
    env.drop_database(&name);
}

#[test]
fn invisible_characters_are_named() {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        for (text, place, name) in [
            (
                "CREATE TABLE t (i int);\n\u{feff}CREATE TABLE u (i int);\n",
                "2:1",
                "byte order mark (U+FEFF)",
            ),
            (
                "CREATE TABLE t (i int);\nCREATE\u{a0}TABLE u (i int);\n",
                "2:7",
                "no-break space (U+00A0)",
            ),
        ] {
            if backend == Backend::Sqlite && name.starts_with("byte") {
                // It is a blank there.
                continue;
            }
            env.write("migrations/1_a.up.sql", text);
            let (status, text) = upgrade(&mut env, "upgrade");
            assert_eq!(status, Some(1), "{text}");
            let note = format!("an invisible character at {place}: {name}");
            assert!(
                text.contains("error[M701]") && text.contains(&note),
                "{text}"
            );
        }
    }
}

#[test]
fn backslashes_are_no_escapes() {
    let mut env = Env::new(Backend::Postgres);
    let off = "SET standard_conforming_strings = off;\nCREATE TABLE t (a text);\n";
    env.write(
        "migrations/1_a.up.sql",
        format!("{off}INSERT INTO t VALUES ('it\\'s; here');\n"),
    );
    let (status, text) = upgrade(&mut env, "upgrade");
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("error[M312]") && text.contains("1_a.up.sql:3:23"),
        "{text}"
    );
    env.write(
        "migrations/1_a.up.sql",
        format!("{off}INSERT INTO t VALUES (E'it\\'s; here');\n"),
    );
    assert_eq!(upgrade(&mut env, "upgrade").0, Some(0));
    assert_eq!(env.sql("SELECT a FROM t"), "it's; here\n");
}
