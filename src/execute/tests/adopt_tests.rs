//! Adopting, with the database broken at every call.

use crate::{
    database::{
        DatabaseError,
        fake::{Fake, Fault},
    },
    execute::write_adoption,
    layout::{ForeignEntry, ForeignRecords, ForeignTool, Layout},
    plan::{self, Adoption, Ahead, OutOfOrder, Situation},
    revision::{LogEvent, Observed, testing::history},
    sql::Dialect,
};

/// Two revisions are applied, and one that is not here.
fn adoption() -> Adoption {
    let entries = ["1", "2", "9"].map(|id| ForeignEntry {
        id: Some(id.to_owned()),
        whole: true,
        ..ForeignEntry::default()
    });
    let records = ForeignRecords {
        tool: ForeignTool::Dbmate,
        table: "schema_migrations".to_owned(),
        entries: entries.to_vec(),
    };
    let history = history(&[("1", ""), ("2", ""), ("3", "")]);
    let situation = Situation {
        history: &history,
        observed: &Observed::default(),
        dialect: Dialect::Sqlite,
        out_of_order: OutOfOrder::Error,
        ahead: Ahead::Warn,
        one_transaction: false,
    };
    plan::adopt(&situation, &records, Layout::Dbmate).unwrap()
}

fn fault(at: usize) -> Fault {
    Fault::Fail(at, DatabaseError::Other("broken".to_owned()))
}

#[tokio::test]
async fn all_of_it_is_recorded_or_nothing() {
    let adoption = adoption();
    let mut fake = Fake::default();
    write_adoption(&mut fake, &adoption).await.unwrap();
    assert_eq!(fake.calls, ["prepare", "record"]);
    let rows = fake.stored.rows.iter().map(|row| row.revision.as_str());
    assert_eq!(rows.collect::<Vec<_>>(), ["1", "2"]);
    let log = &fake.stored.log;
    assert_eq!(log.len(), 3, "two revisions, and what was left out");
    assert!(log.iter().all(|(entry, _)| entry.event == LogEvent::Adopt));
    let whole = fake.stored.clone();
    for at in 0..2 {
        let mut fake = Fake::default();
        fake.faults = vec![fault(at)];
        write_adoption(&mut fake, &adoption).await.unwrap_err();
        assert!(fake.stored.rows.is_empty(), "call {at}");
        assert!(fake.stored.log.is_empty(), "call {at}");
        // Nothing is in the way of the next attempt.
        let mut fake = Fake::reopen(fake.stored);
        write_adoption(&mut fake, &adoption).await.unwrap();
        assert_eq!(fake.stored, whole);
    }
}
