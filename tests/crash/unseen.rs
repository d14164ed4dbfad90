//! An index whose build nobody saw the end of, made by hand: the row as a killed run leaves it.

use crate::common::{Backend, Env};

const UNSEEN: &str = "UPDATE migrator_version SET statements_done = 1,
    statement_checksums = (regexp_match(statement_checksums, '^v1:[0-9a-f]+'))[1],
    error = 'running outside of a transaction'";

/// Stops behind a CREATE INDEX CONCURRENTLY, and takes its progress out of the row.
fn killed_after(create: &str) -> Env {
    let env = Env::new(Backend::Postgres);
    let script = |last: &str| {
        format!(
            "-- migrator: transaction = off\nCREATE TABLE a (id integer);\n{create};\n{last};\n"
        )
    };
    env.revision("20260101000001_a", &script("SELECT 1 / 0"), "DROP TABLE a;");
    let output = env.command().args(["upgrade"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    env.sql(UNSEEN);
    env.revision("20260101000001_a", &script("SELECT 1"), "DROP TABLE a;");
    env
}

#[test]
fn an_index_that_was_built_unseen_is_taken_as_done() {
    let env = killed_after("CREATE INDEX CONCURRENTLY a_id ON a (id)");
    let output = env.command().args(["upgrade"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(env.sql("SELECT state FROM migrator_version"), "applied\n");
}

#[test]
fn a_nameless_one_is_in_doubt() {
    let env = killed_after("CREATE INDEX CONCURRENTLY ON a (id)");
    let run = |arguments: &[&str]| env.command().args(arguments).output().unwrap();
    let said = String::from_utf8(run(&["upgrade"]).stderr).unwrap();
    assert!(
        said.contains("M509") && said.contains("statement 2 "),
        "{said}"
    );
    let repaired = run(&["repair", "--statement", "2", "--done", "--yes"]);
    assert!(repaired.status.success(), "{repaired:?}");
    assert!(run(&["upgrade"]).status.success());
    let count = env.sql("SELECT count(*)::text FROM pg_indexes WHERE tablename = 'a'");
    assert_eq!(count, "1\n");
}
