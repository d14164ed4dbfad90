//! A session that has read the catalogs reads only what has changed since. It finds what another session
//! finds that reads everything.

use std::path::Path;

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
            let expected = std::thread::scope(|scope| scope.spawn(|| inspect(copy)).join());
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
    let (mut all_faults, mut all_done) = (Vec::new(), 0);
    // Neighbours are about the same objects, so that some of them do not fit together.
    let groups = possible.len().div_ceil(TOGETHER);
    for first in 0..groups {
        let group: Vec<&Mutation> = possible
            .iter()
            .copied()
            .skip(first)
            .step_by(groups)
            .collect();
        let (faults, done) = run_alone(faults(&start, &group));
        all_faults.extend(faults);
        all_done += done;
    }
    assert!(all_faults.is_empty(), "{all_faults:#?}");
    assert!(
        all_done * 10 > possible.len() * 9,
        "{all_done} of {}",
        possible.len()
    );
}
