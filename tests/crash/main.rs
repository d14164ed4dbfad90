//! The crash laboratory: the built binary, disturbed while it works. docs/crash-laboratory.md says
//! what must hold, and how to have more runs.
#![cfg(unix)]

mod bench;
mod cell;
#[path = "../it/common/mod.rs"]
mod common;
mod fault;
mod random;
mod report;
mod server;
mod session;
mod state;
mod watch;
mod workload;

use std::{
    env, fs,
    path::Path,
    sync::Mutex,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use cell::{Cell, Job};

/// Runs for each cell, unless MIGRATOR_CRASH_RUNS says otherwise.
const RUNS: usize = 3;

/// At once; more than there are cores, since much of the time is spent waiting.
const WORKERS: usize = 8;

#[test]
fn nothing_is_lost() {
    let server = env::var("MIGRATOR_TEST_POSTGRES").expect("run this with tests/run");
    let runs = number("MIGRATOR_CRASH_RUNS").unwrap_or(RUNS as u64) as usize;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("MIGRATOR_CRASH_SEED").unwrap_or(now.as_secs() << 20);
    let only = env::var("MIGRATOR_CRASH_ONLY").unwrap_or_default();
    let wanted = |job: Job| -> Vec<Cell> {
        let cells = job.cells();
        cells
            .filter(|cell| cell.to_string().contains(&only))
            .collect()
    };
    let jobs: Vec<(Job, Vec<Cell>)> = Job::all().map(|job| (job, wanted(job))).collect();
    let cells: usize = jobs.iter().map(|(_, cells)| cells.len()).sum();
    let (todo, done) = (Mutex::new(jobs.into_iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((job, cells)) = next(&todo) {
                    if !cells.is_empty() {
                        let results = job.run(&cells, &server, runs, seed);
                        done.lock().unwrap().extend(results);
                    }
                }
            });
        }
    });
    let results = done.into_inner().unwrap();
    if let Some(path) = env::var_os("MIGRATOR_CRASH_REPORT") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        fs::write(path, report::text(&results)).unwrap();
    }
    assert_eq!(results.len(), cells);
    let broken: Vec<String> = results
        .iter()
        .flat_map(|(cell, tally)| {
            tally
                .violations
                .iter()
                .map(move |one| format!("{cell}: {one}"))
        })
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // Faults that miss prove nothing.
    let ran = results.iter().filter(|(_, tally)| tally.skipped.is_none());
    assert!(ran.map(|(_, tally)| tally.hits).sum::<usize>() > 0 || runs == 0);
}

/// The guard must not outlive the call: in the head of a `while let` it would be held for the body.
fn next<T>(todo: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    todo.lock().unwrap().next()
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}: {text} is not a number")),
    )
}
