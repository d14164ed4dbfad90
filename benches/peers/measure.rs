//! Runs commands and keeps what they took.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::database::Database;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// All revisions are applied.
    Nothing,
    /// None is.
    Empty,
    /// None is, and one transaction takes all.
    AtOnce,
    /// All are reverted.
    Base,
}

/// How often in a round what takes next to no time is measured.
pub const QUICK: usize = 3;

/// What one process took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Wall clock.
    pub time: Duration,
    /// The most memory it had, in KiB.
    pub peak: u64,
}

/// What can be told apart: database, scenario, revisions.
pub type Key = (&'static str, Scenario, usize);

/// Everything measured.
#[derive(Default)]
pub struct Measured(BTreeMap<Key, BTreeMap<&'static str, Vec<Taken>>>);

impl Measured {
    /// Keeps one measurement.
    pub fn add(
        &mut self,
        database: &Database,
        scenario: Scenario,
        size: usize,
        who: &'static str,
        taken: Taken,
    ) {
        let of_key = self.0.entry((database.name(), scenario, size)).or_default();
        of_key.entry(who).or_default().push(taken);
    }

    /// What was measured, in order.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.0.keys().copied()
    }

    /// Who was measured so.
    pub fn who(&self, key: Key) -> impl Iterator<Item = &'static str> + '_ {
        self.0
            .get(&key)
            .into_iter()
            .flat_map(|of_key| of_key.keys().copied())
    }

    /// The median time.
    pub fn time(&self, key: Key, who: &str) -> Option<Duration> {
        Some(median(
            self.0.get(&key)?.get(who)?.iter().map(|taken| taken.time),
        ))
    }
}

/// The one in the middle.
pub fn median(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.into_iter().collect();
    times.sort();
    times[times.len() / 2]
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Taken {
    command.stdin(Stdio::null());
    run_as_it_is(command)
}

/// [`run`] with the standard input it has.
pub fn run_as_it_is(command: &mut Command) -> Taken {
    let errors = tempfile::tempfile().unwrap();
    command
        .stdout(Stdio::null())
        .stderr(errors.try_clone().unwrap());
    let begin = Instant::now();
    let child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (status, peak) = wait(child);
    let time = begin.elapsed();
    if status != 0 {
        use std::io::{Read, Seek};
        let (mut errors, mut text) = (errors, String::new());
        errors.rewind().unwrap();
        errors.read_to_string(&mut text).unwrap();
        panic!("{command:?} ended with {status}:\n{text}");
    }
    Taken { time, peak }
}

/// The status of a child that ended, and the most memory it had in KiB.
fn wait(child: Child) -> (i32, u64) {
    let pid = libc::pid_t::try_from(child.id()).unwrap();
    let mut status = 0;
    // SAFETY: all zeros is a valid rusage; both pointers are valid for the call, and the child is
    // waited for nowhere else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::wait4(pid, &mut status, 0, &mut usage), pid);
        usage
    };
    let peak = u64::try_from(usage.ru_maxrss).unwrap();
    (
        status,
        if cfg!(target_os = "macos") {
            peak / 1024
        } else {
            peak
        },
    )
}
