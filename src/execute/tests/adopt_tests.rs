//! Tests of adoption with a database that fails at every call.

use crate::{
    database::{
        DatabaseError,
        fake::{Fake, Fault, Stored},
    },
    execute::{Adopted, write_adoption},
    layout::{ExternalChoice, ExternalEntry, ExternalRecords, ExternalTool, Layout},
    plan::{self, Adoption},
    revision::{LogEvent, Observed, testing::history},
    sql::Dialect,
};

/// Two revisions are applied, and an unknown one.
fn records() -> ExternalRecords {
    let entries = ["1", "2", "9"].map(|id| ExternalEntry {
        id: Some(id.to_owned()),
        whole: true,
        ..ExternalEntry::default()
    });
    ExternalRecords {
        tool: ExternalTool::Dbmate,
        table: "schema_migrations".to_owned(),
        entries: entries.to_vec(),
    }
}

fn adoption() -> Adoption {
    let history = history(&[("1", ""), ("2", ""), ("3", "")]);
    let nothing = Observed::default();
    let context = crate::plan::testing::context(&history, &nothing, Dialect::Sqlite);
    plan::adopt(&context, &records(), Layout::Dbmate).unwrap()
}

fn fault(at: usize) -> Fault {
    Fault::Fail(at, DatabaseError::Other("broken".to_owned()))
}

/// A fake with the other tool's records `then` at the second read.
fn fake(stored: Stored, then: ExternalRecords) -> Fake {
    let mut fake = Fake::reopen(stored);
    fake.external.push_back(then);
    fake
}

#[tokio::test]
async fn all_of_it_is_recorded_or_nothing() {
    let adoption = adoption();
    let mut whole = fake(Stored::default(), records());
    let adopted = write_adoption(
        &mut whole,
        &adoption,
        (&ExternalChoice::default(), &records()),
    )
    .await;
    assert_eq!(adopted, Ok(Adopted::Unchanged));
    assert_eq!(whole.calls, ["prepare", "record", "external_records"]);
    let rows = whole.stored.rows.iter().map(|row| row.revision.as_str());
    assert_eq!(rows.collect::<Vec<_>>(), ["1", "2"]);
    let log = &whole.stored.log;
    assert_eq!(log.len(), 3, "two revisions, and what was left out");
    assert!(log.iter().all(|(entry, _)| entry.event == LogEvent::Adopt));
    for at in 0..2 {
        let mut broken = fake(Stored::default(), records());
        broken.faults = vec![fault(at)];
        let adopted = write_adoption(
            &mut broken,
            &adoption,
            (&ExternalChoice::default(), &records()),
        )
        .await;
        assert!(adopted.is_err(), "call {at}");
        assert!(broken.stored.rows.is_empty(), "call {at}");
        assert!(broken.stored.log.is_empty(), "call {at}");
        // Nothing prevents the next attempt.
        let mut again = fake(broken.stored, records());
        let adopted = write_adoption(
            &mut again,
            &adoption,
            (&ExternalChoice::default(), &records()),
        )
        .await;
        assert_eq!(adopted, Ok(Adopted::Unchanged));
        assert_eq!(again.stored, whole.stored);
    }
}

#[tokio::test]
async fn a_tool_that_goes_on_meanwhile_is_noticed() {
    let adoption = adoption();
    let mut later = records();
    later.entries.pop();
    let mut changed = fake(Stored::default(), later);
    let adopted = write_adoption(
        &mut changed,
        &adoption,
        (&ExternalChoice::default(), &records()),
    )
    .await;
    assert_eq!(adopted, Ok(Adopted::Outdated));
    // The state is unknown: the table is missing, or the database does not answer.
    let mut gone = Fake::default();
    let adopted = write_adoption(
        &mut gone,
        &adoption,
        (&ExternalChoice::default(), &records()),
    )
    .await;
    assert_eq!(adopted, Ok(Adopted::Outdated));
    let mut silent = fake(Stored::default(), records());
    silent.faults = vec![fault(2)];
    let adopted = write_adoption(
        &mut silent,
        &adoption,
        (&ExternalChoice::default(), &records()),
    )
    .await;
    assert_eq!(adopted, Ok(Adopted::Outdated));
}
