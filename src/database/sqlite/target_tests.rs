use std::{path::Path, sync::Arc, time::Duration};

use super::*;
use crate::{
    database::backup::{Source as _, Target as _},
    files::Compression,
};

fn settings() -> Settings {
    Settings {
        version_table: "migrator".into(),
        actor: "me@here".into(),
        application_name: "migrator restore".into(),
        lock_timeout: Duration::from_secs(5),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(5),
        statement_times: false,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    }
}

fn watch() -> Observer {
    Observer {
        progress: Arc::new(|_, _, _| ()),
        tell: Arc::new(drop),
        stopped: Arc::new(|| false),
    }
}

async fn open(file: &Path, create: bool) -> Connection {
    let place = Place::new(file).unwrap();
    let control = Control::new(Duration::from_secs(5));
    Connection::open(&place, create, &control).await.unwrap()
}

async fn write(file: &Path, sql: &str) {
    let mut connection = open(file, false).await;
    connection.write(sql, &[]).unwrap();
    connection.close().await.unwrap();
}

async fn value(file: &Path) -> Option<i64> {
    let mut connection = open(file, false).await;
    let value = connection.integer("SELECT x FROM t").unwrap();
    connection.close().await.unwrap();
    value
}

/// Restores a backup of a database with the value 1 after that has become 2, and 3 if `late` just
/// before it is replaced. `stays_open` is whether another connection stays open throughout. Returns
/// the outcome, the value of the database, and that of the saved one.
async fn restore(
    mode: &str,
    late: bool,
    stays_open: bool,
    only_unchanged: bool,
) -> (Result<(), CopyError>, Option<i64>, Option<i64>) {
    let directory = tempfile::tempdir().unwrap();
    let (live, backup) = (directory.path().join("db"), directory.path().join("backup"));
    let mut made = open(&live, true).await;
    assert_eq!(
        journal_mode(&mut made, &format!(" = {mode}")).unwrap(),
        mode
    );
    made.write("CREATE TABLE t AS SELECT 1 AS x", &[]).unwrap();
    made.close().await.unwrap();
    let settings = settings();
    std::fs::write(&backup, "").unwrap();
    let mut source = super::super::backup::Source::open(&live, &settings)
        .await
        .unwrap();
    let dumped = source
        .dump(&backup, Compression::None, &watch())
        .await
        .unwrap();
    write(&live, "UPDATE t SET x = 2").await;
    let other = if stays_open {
        let mut other = open(&live, false).await;
        assert_eq!(other.integer("SELECT x FROM t"), Ok(Some(2)));
        Some(other)
    } else {
        None
    };

    let purpose = Purpose::Restore { no_owner: false };
    let target = Target::open(&live, &settings, directory.path(), purpose).await;
    let mut target = target.unwrap();
    let archive = Archive {
        file: &backup,
        compression: Compression::None,
        stored: &dumped.stored,
        mark: dumped.mark.as_deref(),
        properties: &dumped.properties,
        same_machine: true,
    };
    target.load(&archive, &watch()).await.unwrap();
    let state = target.state(&archive, &watch()).await.unwrap();
    assert_eq!(state, TargetState::Changed);
    if late {
        write(&live, "UPDATE t SET x = 3").await;
    }
    let options = ReplaceOptions {
        only_unchanged,
        keep_old: true,
    };
    let replaced = target.replace(options, &watch()).await;
    Box::new(target).leave().await.unwrap();
    if let Some(other) = other {
        other.close().await.unwrap();
    }
    let kept = match &replaced {
        Ok(Kept::File(file)) => value(file).await,
        _ => None,
    };
    (replaced.map(drop), value(&live).await, kept)
}

#[tokio::test]
async fn what_others_write_last_is_kept_or_stops_the_restore() {
    for mode in ["delete", "wal"] {
        for stays_open in [false, true] {
            let unchanged = restore(mode, false, stays_open, true).await;
            assert_eq!(unchanged, (Ok(()), Some(1), Some(2)), "{mode}");
            let changed = restore(mode, true, stays_open, false).await;
            assert_eq!(changed, (Ok(()), Some(1), Some(3)), "{mode}");
            let (refused, value, kept) = restore(mode, true, stays_open, true).await;
            assert!(
                matches!(
                    refused,
                    Err(CopyError::Database(DatabaseError::StateChanged { .. }))
                ),
                "{mode}: {refused:?}"
            );
            assert_eq!((value, kept), (Some(3), None), "{mode}");
        }
    }
}
