//! What is done to a run.

use std::{
    fs,
    process::{Child, Command, Output},
    thread,
    time::{Duration, Instant},
};

use crate::{
    bench::{Bench, Trial, ended},
    common::Backend,
    random::Random,
    server::Cluster,
    watch::Watch,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Kill,
    KillChosen,
    Signal,
    Signals,
    Cut,
    Restart,
    FileLimit,
    FullDisk,
}

impl Fault {
    pub const ALL: [Self; 8] = [
        Self::Restart,
        Self::Kill,
        Self::KillChosen,
        Self::Signal,
        Self::Signals,
        Self::Cut,
        Self::FileLimit,
        Self::FullDisk,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL at a random moment",
            Self::KillChosen => "SIGKILL at a chosen moment",
            Self::Signal => "SIGINT or SIGTERM once",
            Self::Signals => "SIGINT or SIGTERM twice",
            Self::Cut => "connections cut (`pg_terminate_backend`)",
            Self::Restart => "server restarted (`pg_ctl restart -m immediate`)",
            Self::FileLimit => "limit on the size of files (`ulimit -f`)",
            Self::FullDisk => "full disk (tmpfs)",
        }
    }

    pub fn is_for(self, backend: Backend) -> bool {
        match self {
            Self::Kill | Self::KillChosen | Self::Signal | Self::Signals => true,
            Self::Cut | Self::Restart => backend == Backend::Postgres,
            Self::FileLimit | Self::FullDisk => backend == Backend::Sqlite,
        }
    }

    pub fn is_kill(self) -> bool {
        matches!(self, Self::Kill | Self::KillChosen)
    }

    pub fn is_signal(self) -> bool {
        matches!(self, Self::Signal | Self::Signals)
    }
}

/// The outcome.
pub struct Blow {
    pub output: Output,
    /// Whether the run was still at it.
    pub hit: bool,
}

/// Runs the command of `bench` on `trial` and puts `fault` into it.
pub fn strike(
    bench: &Bench,
    trial: &Trial,
    fault: Fault,
    cluster: Option<&(Cluster, Duration)>,
    random: &mut Random,
) -> Result<Blow, String> {
    let moment = random.up_to(bench.duration);
    match fault {
        Fault::KillChosen => return at_chosen(bench, trial, random),
        Fault::FileLimit => return Ok(limited(bench, trial, random)),
        Fault::FullDisk => {
            let ballast = bench.fill_disk(random.below(bench.needs.disk * 5 / 4));
            let output = ended(bench.spawn(bench.migrator(trial)));
            fs::remove_file(ballast).unwrap();
            return Ok(Blow {
                hit: !output.status.success(),
                output,
            });
        }
        Fault::Restart => {
            let (cluster, latency) = cluster.ok_or("no cluster")?;
            return Ok(restarted(bench, trial, cluster, *latency, moment));
        }
        Fault::Kill | Fault::Signal | Fault::Signals | Fault::Cut => {}
    }
    let mut child = bench.spawn(bench.migrator(trial));
    let mut hit = is_alive_after(&mut child, moment);
    if hit {
        match fault {
            Fault::Kill => child.kill().unwrap(),
            Fault::Cut => {
                let server = bench.server.as_ref().ok_or("no server")?;
                hit = server.borrow_mut().cut(&trial.name);
            }
            Fault::Signal => signal(&child, random),
            _ => {
                signal(&child, random);
                if is_alive_after(&mut child, random.up_to(bench.duration / 8)) {
                    signal(&child, random);
                }
            }
        }
    }
    Ok(Blow {
        output: ended(child),
        hit,
    })
}

/// At one of the changes that can be seen from outside.
fn at_chosen(bench: &Bench, trial: &Trial, random: &mut Random) -> Result<Blow, String> {
    let target = 1 + random.below(bench.changes.max(1) as u64) as usize;
    let mut watch = Watch::new(trial, bench.backend)?;
    watch.glance();
    let mut child = bench.spawn(bench.migrator(trial));
    let mut hit = false;
    while child.try_wait().unwrap().is_none() {
        watch.glance();
        if watch.changes() >= target {
            hit = true;
            child.kill().unwrap();
            break;
        }
    }
    watch.close();
    Ok(Blow {
        output: ended(child),
        hit,
    })
}

/// With a limit that the system enforces by SIGXFSZ, or by an error where that is ignored.
fn limited(bench: &Bench, trial: &Trial, random: &mut Random) -> Blow {
    let kilobytes = random.below(bench.needs.file * 5 / 4 / 1024);
    let trap = if random.below(2) == 0 {
        "trap '' XFSZ; "
    } else {
        ""
    };
    let migrator = bench.migrator(trial);
    let mut command = Command::new("bash");
    bench.dress(&mut command);
    command.arg("-c").arg(format!(
        "ulimit -c 0; {trap}ulimit -f {kilobytes}; exec \"$@\""
    ));
    command
        .arg("bash")
        .arg(migrator.get_program())
        .args(migrator.get_args());
    let output = ended(bench.spawn(command));
    Blow {
        hit: !output.status.success(),
        output,
    }
}

/// The server goes down `latency` after it was told to; so one of both has a head start.
fn restarted(
    bench: &Bench,
    trial: &Trial,
    cluster: &Cluster,
    latency: Duration,
    moment: Duration,
) -> Blow {
    let output = thread::scope(|scope| {
        let crash = |delay: Duration| {
            thread::sleep(delay);
            cluster.crash();
        };
        scope.spawn(move || crash(moment.saturating_sub(latency)));
        thread::sleep(latency.saturating_sub(moment));
        ended(bench.spawn(bench.migrator(trial)))
    });
    bench.server.as_ref().unwrap().borrow_mut().reconnect();
    Blow {
        hit: !output.status.success(),
        output,
    }
}

fn is_alive_after(child: &mut Child, time: Duration) -> bool {
    let until = Instant::now() + time;
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let now = Instant::now();
        if now >= until {
            return true;
        }
        thread::sleep((until - now).min(Duration::from_millis(1)));
    }
}

fn signal(child: &Child, random: &mut Random) {
    let name = ["-INT", "-TERM"][random.below(2) as usize];
    // It may have ended by itself meanwhile.
    let _ = Command::new("kill")
        .arg(name)
        .arg(child.id().to_string())
        .output();
}
