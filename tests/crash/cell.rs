//! One cell of the table: a fault, a database and a kind of scripts, many times.

use std::{
    fmt,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use tempfile::TempDir;

use crate::{
    bench::{Bench, Trial, said, succeeded},
    common::Backend,
    fault::{self, Fault},
    random::Random,
    server::{Cluster, Server},
    state::Position,
    workload::Kind,
};

#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub backend: Backend,
    pub fault: Fault,
    pub kind: Kind,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (backend, fault, kind) = (self.backend.name(), self.fault.name(), self.kind.name());
        write!(f, "{backend}, {fault}, {kind}")
    }
}

/// The outcome of a cell.
#[derive(Debug, Default)]
pub struct Tally {
    pub runs: usize,
    /// Runs that were at it when the fault came, and did not end well.
    pub hits: usize,
    /// Statements in doubt that were settled.
    pub doubts: usize,
    pub violations: Vec<String>,
    /// Why there were no runs.
    pub skipped: Option<&'static str>,
}

/// Cells that share a bench.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub backend: Backend,
    pub kind: Kind,
    /// With a server that may be crashed, or with all other faults.
    pub restart: bool,
}

impl Job {
    pub fn all() -> impl Iterator<Item = Self> {
        let jobs = [
            (Backend::Postgres, true),
            (Backend::Postgres, false),
            (Backend::Sqlite, false),
        ];
        jobs.into_iter().flat_map(|(backend, restart)| {
            Kind::ALL.map(|kind| Self {
                backend,
                kind,
                restart,
            })
        })
    }

    pub fn cells(self) -> impl Iterator<Item = Cell> {
        let Self { backend, kind, .. } = self;
        let faults = Fault::ALL.into_iter().filter(move |fault| {
            fault.is_for(backend) && (*fault == Fault::Restart) == self.restart
        });
        faults.map(move |fault| Cell {
            backend,
            fault,
            kind,
        })
    }

    /// Runs `cells`; each run has a seed of its own.
    pub fn run(self, cells: &[Cell], url: &str, runs: usize, seed: u64) -> Vec<(Cell, Tally)> {
        let cluster = self.restart.then(|| {
            let cluster = Cluster::start();
            let latency = cluster.latency();
            (cluster, latency)
        });
        let url = cluster.as_ref().map_or(url, |(cluster, _)| &cluster.url);
        let server = (self.backend == Backend::Postgres).then(|| {
            let server = Server::new(url);
            if self.restart {
                server.may_crash()
            } else {
                server
            }
        });
        let mut bench = match Bench::new(self.backend, self.kind, server) {
            Ok(bench) => bench,
            Err(error) => panic!("{self:?} cannot be undisturbed: {error}"),
        };
        let runs = 0..runs as u64;
        let run = |cell: &Cell| {
            let seeds = runs.clone().map(|run| seed.wrapping_add(run));
            let tally = cell.run(&mut bench, cluster.as_ref(), seeds);
            println!("{cell}: {} runs, {} hit", tally.runs, tally.hits);
            (*cell, tally)
        };
        cells.iter().map(run).collect()
    }
}

impl Cell {
    fn run(
        self,
        bench: &mut Bench,
        cluster: Option<&(Cluster, Duration)>,
        seeds: impl Iterator<Item = u64>,
    ) -> Tally {
        let mut tally = Tally::default();
        let disk = (self.fault == Fault::FullDisk).then(Disk::mount);
        if let Some(None) = disk {
            tally.skipped = Some("needs root");
            return tally;
        }
        let disk = disk.flatten();
        bench.disk = disk.as_ref().map(|disk| disk.0.path().to_owned());
        for seed in seeds {
            let mut random = Random::new(seed);
            let modes = ["", "PRAGMA journal_mode = WAL"];
            let trial = bench.fresh_with(modes[random.below(2) as usize]);
            let result = self.trial(bench, &trial, cluster, &mut random);
            bench.remove(&trial);
            tally.runs += 1;
            match result {
                Ok((hit, doubts)) => {
                    tally.hits += usize::from(hit);
                    tally.doubts += doubts;
                }
                Err(violation) => tally.violations.push(format!("seed {seed}: {violation}")),
            }
        }
        bench.disk = None;
        tally
    }

    /// One disturbed run, and what it takes to finish it.
    fn trial(
        self,
        bench: &Bench,
        trial: &Trial,
        cluster: Option<&(Cluster, Duration)>,
        random: &mut Random,
    ) -> Result<(bool, usize), String> {
        // The next run comes while the backend of the first still works: it waits for the lock.
        let at_once = bench.server.is_some() && random.below(3) == 0;
        let mut before = (Position::default(), 0);
        let mut hit = false;
        loop {
            let blow = fault::strike(bench, trial, self.fault, cluster, random)?;
            hit |= blow.hit && !blow.output.status.success();
            if at_once {
                break;
            }
            wait_until_left(bench, trial);
            before = self
                .check(bench, trial, before, &blow.output)
                .map_err(|violation| format!("{violation}\n  after {}", said(&blow.output)))?;
            // What continues with it may be hit as well.
            if random.below(3) > 0 {
                break;
            }
        }
        let doubts = finish(bench, trial, if at_once { "60s" } else { "0s" })?;
        if doubts > 0 && self.fault.is_signal() {
            return Err("a signal left a statement in doubt".to_owned());
        }
        wait_until_left(bench, trial);
        check_end(bench, trial)?;
        Ok((hit, doubts))
    }

    /// The invariants after the fault.
    fn check(
        self,
        bench: &Bench,
        trial: &Trial,
        (before, failures): (Position, usize),
        output: &Output,
    ) -> Result<(Position, usize), String> {
        let look = bench.look(trial)?;
        let position = bench.oracle.position(&look);
        let mut found = bench.oracle.violations(&look);
        found.extend(bench.left_behind(trial)?);
        let killed = self.fault.is_kill() && output.status.code().is_none();
        // One that continues after a kill may have named an index in doubt before it was hit itself.
        let mut logged = look.failures.iter().skip(failures);
        if killed && let Some(error) = logged.find(|error| !error.starts_with("the index ")) {
            found.push(format!("a killed process has logged a failure: {error}"));
        }
        if self.fault.is_signal() && look.partial.iter().any(|partial| partial.unknown) {
            found.push("a signal left a statement in doubt".to_owned());
        }
        let moved = position != before;
        let told = match output.status.code() {
            Some(0) => position == bench.oracle.end(),
            Some(1) => !moved,
            Some(4) => moved || !look.partial.is_empty() || said(output).contains("unknown"),
            Some(130) => self.fault.is_signal(),
            // Before the handler of signals was there.
            None if self.fault.is_signal() => !moved,
            None => self.fault.is_kill() || self.fault == Fault::FileLimit,
            Some(_) => false,
        };
        if !told {
            found.push(format!("at {position:?} the exit status is wrong"));
        }
        if found.is_empty() {
            return Ok((position, look.failures.len()));
        }
        Err(found.join("\n  "))
    }
}

fn wait_until_left(bench: &Bench, trial: &Trial) {
    if let Some(server) = &bench.server {
        server.borrow_mut().wait_until_left(&trial.name);
    }
}

/// Runs the same command until it is done, and settles what it says is in doubt. Returns how
/// often that was.
fn finish(bench: &Bench, trial: &Trial, lock_wait: &str) -> Result<usize, String> {
    // One more than the statements that can be in doubt.
    for doubts in 0..3 {
        let output = bench.run(trial, bench.kind.arguments(), lock_wait);
        if output.status.success() {
            return Ok(doubts);
        }
        if !said(&output).contains("M509") {
            return Err(format!("the next run fails: {}", said(&output)));
        }
        settle(bench, trial, &said(&output))?;
    }
    Err("still in doubt".to_owned())
}

/// Looks the outcome for the statement that `message` names, and says so.
fn settle(bench: &Bench, trial: &Trial, message: &str) -> Result<(), String> {
    let look = bench.look(trial)?;
    let number = bench.oracle.position(&look).units + 1;
    if !message.contains(&format!("repair --statement {number} --done")) {
        return Err(format!("statement {number} is not named: {message}"));
    }
    let outcome = if bench.oracle.is_done(&look) {
        "--done"
    } else {
        "--undone"
    };
    let number = number.to_string();
    let arguments = ["repair", "--statement", &number, outcome, "--yes"];
    succeeded(&bench.run(trial, &arguments, "0s"))
}

/// Everything is as after an undisturbed run.
fn check_end(bench: &Bench, trial: &Trial) -> Result<(), String> {
    let look = bench.look(trial)?;
    let mut found = bench.oracle.violations(&look);
    if bench.oracle.position(&look) != bench.oracle.end() || !look.partial.is_empty() {
        found.push(format!("the end is {:?}", bench.oracle.position(&look)));
    }
    if look.records != bench.oracle.records {
        found.push(format!(
            "the version table has {:?}, not {:?}",
            look.records, bench.oracle.records
        ));
    }
    found.extend(bench.left_behind(trial)?);
    found.extend(bench.files_beside(trial));
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("at the end: {}", found.join("\n  ")))
}

/// A small disk of its own.
struct Disk(TempDir);

impl Disk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let options = ["-t", "tmpfs", "-o", "size=4m", "migrator-crash"];
        let mut command = Command::new("mount");
        command.args(options).arg(directory.path());
        let mounted = command.output().is_ok_and(|output| output.status.success());
        mounted.then_some(Self(directory))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(self.0.path());
    }
}

fn unmount(path: &Path) {
    let output = Command::new("umount").arg(path).output();
    // A panic here would hide the one that it may come from.
    if !output.is_ok_and(|output| output.status.success()) {
        eprintln!("{} stays mounted", path.display());
    }
}
