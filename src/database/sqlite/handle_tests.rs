use std::{path::Path, time::Duration};

use super::{
    super::{
        connect::{Connection, Source},
        value::Value,
    },
    *,
};

async fn open() -> Connection {
    let source = Source::new(Path::new(":memory:")).unwrap();
    let control = Control::new(Duration::ZERO);
    Connection::open(&source, true, &control).await.unwrap()
}

#[tokio::test]
async fn one_statement_runs_at_a_time() {
    let mut connection = open().await;
    let handle = &mut connection.handle;
    let mut refused = |sql: &str, offset| {
        let failure = handle.write(sql, &[]).unwrap_err();
        assert_eq!(failure.offset, offset, "{sql}: {failure:?}");
        failure.message
    };
    for (sql, offset) in [
        ("CREATE TABLE a (x); CREATE TABLE b (x)", Some(20)),
        ("; CREATE TABLE a (x) ; ; nonsense", Some(25)),
        ("SELECT ?1; SELECT 2", None),
    ] {
        assert_eq!(refused(sql, offset), "this is more than one statement");
    }
    let nul = refused("CREATE TABLE a (x)\0; DROP TABLE b", Some(18));
    assert_eq!(nul, "the statement holds a NUL character");
    refused("CREATE TABLE a (x,, y)", Some(18));
    // No statement has been partially run.
    handle.write("CREATE TABLE a (x); ; -- done", &[]).unwrap();
    assert_eq!(handle.write("-- nothing", &[]), Ok(0));
    connection.close().await.unwrap();
}

#[tokio::test]
async fn values_arrive_as_they_were_bound() {
    let mut connection = open().await;
    let handle = &mut connection.handle;
    let sql = "SELECT ?1, ?2, ?3, ?4, 1.5, x'00', CAST(x'ff' AS TEXT)";
    let binds = [Bind::Null, i64::MIN.into(), "a\0ż".into(), "".into()];
    let rows = handle.query(sql, &binds).unwrap();
    let text = |text: &str| Value::Text(text.to_owned());
    let expected = vec![
        Value::Null,
        Value::Integer(i64::MIN),
        text("a\0ż"),
        text(""),
        Value::Other("a real number"),
        Value::Other("a blob"),
        Value::Other("text that is not UTF-8"),
    ];
    assert_eq!(rows, [expected]);
    let failure = handle.query("SELECT 1", &[1.into()]).unwrap_err();
    assert_eq!(failure.code, ffi::SQLITE_RANGE);
    connection.close().await.unwrap();
}

#[tokio::test]
async fn repeated_statements_count_their_own_rows() {
    let mut connection = open().await;
    let handle = &mut connection.handle;
    handle.write("CREATE TABLE a (x UNIQUE)", &[]).unwrap();
    let insert = "INSERT INTO a VALUES (?1)";
    let mut repeated = handle.repeated();
    assert_eq!(repeated.write(insert, &[1.into()]), Ok(1));
    assert_eq!(repeated.write(insert, &[2.into()]), Ok(1));
    let failure = repeated.write(insert, &[2.into()]).unwrap_err();
    assert_eq!(failure.code, ffi::SQLITE_CONSTRAINT_UNIQUE);
    assert_eq!(repeated.write(insert, &[3.into()]), Ok(1));
    assert_eq!(repeated.write("UPDATE a SET x = x + 10", &[]), Ok(3));
    // The writer borrows the connection.
    drop(repeated);
    connection.close().await.unwrap();
}
