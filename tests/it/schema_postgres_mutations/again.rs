//! A session that has read the catalogs reads only what has changed since. It finds what another session
//! finds that reads everything.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use migrator::internals::{
    database::{self, Access, Location},
    schema::Scope,
};
use sqlx::Executor;

use super::{Mutation, Start, all, inspect, run_alone, settings};

/// How many mutations one database gets.
const TOGETHER: usize = 12;

/// The faults of mutations that are applied one after another, and the number of those that could be.
async fn faults(start: &Start, mutations: &[&Mutation]) -> (Vec<String>, usize) {
    let copy = start.database.copy();
    let location = Location::parse(&copy.url, Path::new("/")).unwrap();
    let connected = database::connect(&location, Access::Existing, settings()).await;
    let mut reader = connected.unwrap();
    let mut writer = copy.connect().await;
    writer.execute("SET search_path TO shop").await.unwrap();
    reader.expect_inspections();
    reader.inspect(&Scope::default()).await.unwrap();
    let (mut faults, mut done) = (Vec::new(), 0);
    for mutation in mutations {
        let changes = [mutation.start, mutation.change];
        let mut changed = true;
        for sql in changes.into_iter().filter(|sql| !sql.is_empty()) {
            // What an earlier mutation has taken away is not there.
            changed &= writer.execute(sql).await.is_ok();
            let found = reader.inspect(&Scope::default()).await.unwrap();
            let copy = &copy;
            let expected = thread::scope(|scope| scope.spawn(|| inspect(copy)).join());
            if found != expected.unwrap() {
                faults.push(mutation.name.to_owned());
            }
        }
        done += usize::from(changed);
    }
    reader.close().await.unwrap();
    (faults, done)
}

#[test]
fn what_has_changed_is_read_again() {
    let start = Start::make();
    let possible: Vec<&Mutation> = all().filter(|one| start.has(one)).collect();
    // Neighbours are about the same objects, so that some of them do not fit together.
    let groups = possible.len().div_ceil(TOGETHER);
    let (next, found) = (AtomicUsize::new(0), Mutex::new((Vec::new(), 0)));
    let work = || {
        loop {
            let first = next.fetch_add(1, Ordering::Relaxed);
            if first >= groups {
                return;
            }
            let group = possible.iter().copied().skip(first).step_by(groups);
            let (faults, done) = run_alone(faults(&start, &group.collect::<Vec<_>>()));
            let mut found = found.lock().unwrap();
            found.0.extend(faults);
            found.1 += done;
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let (all_faults, all_done) = found.into_inner().unwrap();
    assert!(all_faults.is_empty(), "{all_faults:#?}");
    assert!(
        all_done * 10 > possible.len() * 9,
        "{all_done} of {}",
        possible.len()
    );
}
