//! Tests of writing operations with a database that fails at every single call.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::*;
use crate::{
    database::{
        DatabaseError, Location, Settings,
        fake::{Fake, Fault, Outlet, Stored},
    },
    layout::{ExternalChoice, ExternalEntry, ExternalRecords, ExternalTool},
};

const SCRIPTS: [(&str, &str); 4] = [
    ("1_a.up.sql", "CREATE TABLE a (x)"),
    ("1_a.down.sql", "DROP TABLE a"),
    ("2_b.up.sql", "CREATE TABLE b (x)"),
    ("2_b.down.sql", "DROP TABLE b"),
];

fn project() -> Project {
    let files = SCRIPTS.map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec()));
    Project::new(Scripts::Embedded(Arc::from(files)))
}

/// Both revisions, as recorded by another tool.
fn records() -> ExternalRecords {
    let entries = ["1", "2"].map(|id| ExternalEntry {
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

fn session(fake: Fake) -> Session {
    let settings = Settings {
        version_table: "migrator_version".to_owned(),
        actor: "tester@fake".to_owned(),
        application_name: "test".to_owned(),
        lock_timeout: Duration::ZERO,
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::ZERO,
        statement_times: false,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    };
    let location = Location::parse("sqlite::memory:", Path::new("")).unwrap();
    Session::over(location, settings, Box::new(fake)).lock_wait(Duration::ZERO)
}

/// An operation that only writes records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Stamp,
    Repair,
    Adopt,
    EnsureVersion,
}

const ALL: [Operation; 4] = [
    Operation::Stamp,
    Operation::Repair,
    Operation::Adopt,
    Operation::EnsureVersion,
];

impl Operation {
    /// The call that commits.
    fn commit(self) -> &'static str {
        match self {
            Self::EnsureVersion => "prepare",
            _ => "record",
        }
    }

    /// A database in which the operation has something to do.
    async fn start(self) -> Stored {
        if self != Self::Repair {
            return Stored::default();
        }
        let (stamped, mut stored, _) = Self::Stamp.run_on(Stored::default(), None).await;
        stamped.unwrap();
        // This looks as if the script had been edited.
        stored.rows[0].up_checksum = stored.rows[1].up_checksum.clone();
        stored
    }

    /// Runs the operation with a fault; returns the remaining state and the calls.
    async fn run_on(
        self,
        start: Stored,
        fault: Option<Fault>,
    ) -> (Result<(), Error>, Stored, Vec<&'static str>) {
        let mut fake = Fake::reopen(start);
        fake.faults.extend(fault);
        fake.external = VecDeque::from([records(), records()]);
        let left_at = Outlet::clone(&fake.left_at);
        let result = self.run(&mut session(fake)).await;
        let (stored, calls) = left_at.lock().unwrap().clone();
        (result, stored, calls)
    }

    async fn run(self, session: &mut Session) -> Result<(), Error> {
        let project = project();
        match self {
            Self::Stamp => {
                let args = StampArgs {
                    targets: vec!["head".parse().unwrap()],
                    purge: false,
                };
                stamp(&project, session, &args).await.map(drop)
            }
            Self::Repair => {
                let args = RepairArgs::Accept(Vec::new());
                let report = repair(&project, session, &args, |_| true).await?;
                assert!(report.done && report.repairs.len() == 1);
                Ok(())
            }
            Self::Adopt => {
                let args = AdoptArgs {
                    from: ExternalChoice::default(),
                    accept_doubts: true,
                };
                adopt(&project, session, &args).await.map(drop)
            }
            Self::EnsureVersion => ensure_version(session).await.map(drop),
        }
    }
}

#[tokio::test]
async fn what_fails_after_the_commit_claims_no_failure() {
    for operation in ALL {
        let start = operation.start().await;
        let (done, whole, calls) = operation.run_on(start.clone(), None).await;
        done.unwrap();
        let commit = calls.iter().position(|call| *call == operation.commit());
        let commit = commit.unwrap_or_else(|| panic!("{operation:?}: {calls:?}"));
        let after = commit + 1..calls.len();
        assert!(!after.is_empty(), "{operation:?}: {calls:?}");
        for call in after {
            let lost = || DatabaseError::ConnectionLost("cut".to_owned());
            for fault in [Fault::Fail(call, lost()), Fault::LoseAnswer(call)] {
                let context = format!("{operation:?}: {fault:?} in {}", calls[call]);
                let (result, stored, _) = operation.run_on(start.clone(), Some(fault)).await;
                assert_eq!(stored, whole, "{context}");
                let is_done = matches!(&result, Ok(()) | Err(Error::AdoptOutdated(_)));
                assert!(is_done, "{context}: {result:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_fails_before_the_commit_changes_no_record() {
    for operation in ALL {
        let start = operation.start().await;
        let (_, _, calls) = operation.run_on(start.clone(), None).await;
        let commit = calls.iter().position(|call| *call == operation.commit());
        let until_commit = calls.iter().enumerate().take(commit.unwrap() + 1);
        for (call, name) in until_commit {
            let lost = DatabaseError::ConnectionLost("cut".to_owned());
            let fault = Fault::Fail(call, lost);
            let context = format!("{operation:?}: {fault:?} in {name}");
            let (result, stored, _) = operation.run_on(start.clone(), Some(fault)).await;
            assert!(result.is_err(), "{context}");
            // The tables may have been created by then; their contents are unchanged.
            assert_eq!(stored.rows, start.rows, "{context}");
            assert_eq!(stored.log, start.log, "{context}");
        }
    }
}
