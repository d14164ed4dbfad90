//! Tests of repeatable scripts with a database that fails at every single call.

use super::*;
use crate::revision::Repeatable;

/// One revision and two repeatable scripts; the second one contains `sql`.
fn history(sql: &str) -> History {
    let script = |direction, text: &str| {
        let file = format!("1_x.{direction}.sql");
        Script::parse(Dialect::Postgres, direction, file, text).unwrap()
    };
    let pair = ScriptPair {
        id: "1".parse().unwrap(),
        slug: "x".to_owned(),
        up: script(Direction::Up, "CREATE TABLE a (x)"),
        down: Some(script(Direction::Down, "DROP TABLE a")),
    };
    let repeatable = |name: &str, text: &str| {
        let (id, file) = (name.parse().unwrap(), format!("{name}.sql"));
        Repeatable::parse(Dialect::Postgres, id, file, text).unwrap()
    };
    let scripts = vec![repeatable("R_a", "VIEW a"), repeatable("R_b", sql)];
    let history = History::new(vec![pair]).unwrap();
    history.with_repeatables(scripts).unwrap()
}

fn plan(stored: &Stored, sql: &str, one_transaction: bool) -> Plan {
    let (history, observed) = (history(sql), stored.observed());
    let context = PlanContext {
        one_transaction,
        ..crate::plan::testing::context(&history, &observed, Dialect::Postgres)
    };
    plan::upgrade(&context, &"head".parse().unwrap()).unwrap()
}

async fn upgraded(stored: Stored, sql: &str) -> Stored {
    let mut fake = Fake::reopen(stored);
    let plan = plan(&fake.stored, sql, false);
    execute(&mut fake, plan).await.unwrap();
    fake.stored
}

/// Checks that the record matches what ran: one row each, for the text that ran last.
fn check(stored: &Stored, context: &str) {
    for name in ["R_a", "R_b"] {
        let rows = stored.repeatables.iter();
        let rows: Vec<_> = rows.filter(|row| row.id.as_str() == name).collect();
        let begin = if name == "R_a" { "VIEW a" } else { "VIEW b" };
        let mut ran = stored.schema.iter();
        let last = ran.rfind(|sql| sql.starts_with(begin));
        let text = last.map(|sql| {
            let script = history(sql);
            let id = name.parse().unwrap();
            script
                .repeatable(&id)
                .unwrap()
                .script
                .checksum(Dialect::Postgres)
        });
        assert_eq!(rows.len(), usize::from(last.is_some()), "{context}: {name}");
        assert_eq!(
            rows.first().map(|row| row.checksum.clone()),
            text,
            "{context}"
        );
    }
    let events = stored.log.iter().filter(|(_, ok)| *ok).count();
    assert_eq!(events, stored.schema.len(), "{context}: the log agrees");
}

async fn break_everywhere(start: Stored, sql: &str, one_transaction: bool) {
    let mut whole = Fake::reopen(start.clone());
    let first = plan(&start, sql, one_transaction);
    execute(&mut whole, first.clone()).await.unwrap();
    for call in 0..whole.calls.len() {
        for fault in [
            Fault::Fail(call, DatabaseError::ConnectionLost("cut".to_owned())),
            Fault::Fail(call, sql_error("no")),
            Fault::LoseAnswer(call),
        ] {
            let context = format!("{sql} {one_transaction} {fault:?} in {}", whole.calls[call]);
            let mut fake = Fake::reopen(start.clone());
            fake.faults = vec![fault];
            assert!(
                execute(&mut fake, first.clone()).await.is_err(),
                "{context}"
            );
            check(&fake.stored, &context);
            let again = upgraded(fake.stored, sql).await;
            check(&again, &context);
            assert_eq!(again.schema, whole.stored.schema, "{context}");
            assert_eq!(again.repeatables, whole.stored.repeatables, "{context}");
        }
    }
}

#[tokio::test]
async fn a_record_is_that_of_what_ran() {
    for one_transaction in [false, true] {
        break_everywhere(Stored::default(), "VIEW b", one_transaction).await;
        let applied = upgraded(Stored::default(), "VIEW b").await;
        break_everywhere(applied, "VIEW b, changed", one_transaction).await;
    }
}

#[tokio::test]
async fn nothing_runs_twice() {
    let applied = upgraded(Stored::default(), "VIEW b").await;
    assert!(plan(&applied, "VIEW b", false).steps.is_empty());
    let changed = upgraded(applied.clone(), "VIEW b, changed").await;
    let back = upgraded(changed, "VIEW b").await;
    let ran: Vec<_> = back.schema.iter().map(String::as_str).collect();
    let expected = [
        "CREATE TABLE a (x)",
        "VIEW a",
        "VIEW b",
        "VIEW b, changed",
        "VIEW b",
    ];
    assert_eq!(ran, expected);
}
