//! What has a limit of its own: start, size, memory, round trips, growth.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
    process::Command,
    time::Duration,
};

use super::{
    database::Database,
    measure::{self, Taken, median},
    options::Options,
    scripts,
};

mod proxy;

/// A figure and what it must stay below.
pub struct Limit {
    /// What was measured.
    pub what: String,
    /// The figure with its unit.
    pub found: String,
    /// Likewise.
    pub limit: String,
    /// Whether it is below.
    pub holds: bool,
}

const MIB: u64 = 1024 * 1024;

/// A round trip to a database far away.
const FAR: Duration = Duration::from_millis(20);

/// Measures all of them.
pub fn measure(databases: &[Database], options: &Options) -> Vec<Limit> {
    let mut limits = vec![start(), size()];
    for database in databases {
        limits.push(many_revisions(database));
        limits.push(large_script(database));
        if let Database::Postgres(server) = database {
            limits.push(far_away(database, server));
        }
        let sizes = if options.is_whole() {
            [1_000, 10_000]
        } else {
            [100, 1_000]
        };
        limits.extend(growth(database, sizes));
    }
    limits
}

fn start() -> Limit {
    let (mut ours, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..41 {
        floor.push(measure::run(&mut Command::new("/bin/true")).time);
        ours.push(measure::run(Command::new(migrator()).arg("--version")).time);
    }
    let more = median(ours).saturating_sub(median(floor));
    Limit {
        what: "`migrator --version` beyond `/bin/true`".to_owned(),
        found: format!("{:.1} ms", more.as_secs_f64() * 1e3),
        limit: "5 ms".to_owned(),
        holds: more < Duration::from_millis(5),
    }
}

fn size() -> Limit {
    let size = fs::metadata(migrator()).unwrap().len();
    memory("the stripped binary".to_owned(), size, 12 * MIB)
}

fn memory(what: String, bytes: u64, limit: u64) -> Limit {
    let shown = |bytes: u64| format!("{:.1} MiB", bytes as f64 / MIB as f64);
    Limit {
        what,
        found: shown(bytes),
        limit: shown(limit),
        holds: bytes < limit,
    }
}

fn many_revisions(database: &Database) -> Limit {
    let project = tempfile::tempdir().unwrap();
    scripts::pairs(&project.path().join("migrations"), 5_000);
    let url = database.fresh(project.path());
    let ways: [&[&str]; 3] = [&["upgrade"], &["upgrade"], &["downgrade", "base"]];
    let peak = ways.map(|arguments| run(project.path(), &url, arguments).peak);
    let what = format!("memory with 5,000 revisions, {}", database.name());
    memory(what, peak.into_iter().max().unwrap() * 1024, 30 * MIB)
}

fn large_script(database: &Database) -> Limit {
    let project = tempfile::tempdir().unwrap();
    let migrations = project.path().join("migrations");
    fs::create_dir(&migrations).unwrap();
    let length = write_large(&migrations.join("20260101000000_t.up.sql")).unwrap();
    let url = database.fresh(project.path());
    let taken = run(project.path(), &url, &["upgrade"]);
    let what = format!(
        "memory with one script of 200 MiB of INSERTs, {} ({:.1} s)",
        database.name(),
        taken.time.as_secs_f64()
    );
    memory(what, taken.peak * 1024, 3 * length)
}

/// Written bit by bit: what this process has counts as its children's, before they begin.
fn write_large(file: &Path) -> io::Result<u64> {
    let mut file = BufWriter::new(File::create(file)?);
    let name = "x".repeat(160);
    let mut length = 0;
    let mut line = "CREATE TABLE t (id integer PRIMARY KEY, name text NOT NULL);\n".to_owned();
    for n in 0.. {
        length += line.len() as u64;
        file.write_all(line.as_bytes())?;
        if length >= 200 * MIB {
            break;
        }
        line = format!("INSERT INTO t VALUES ({n}, '{name}');\n");
    }
    file.flush()?;
    Ok(length)
}

fn far_away(database: &Database, server: &str) -> Limit {
    let project = tempfile::tempdir().unwrap();
    let revisions = 100;
    scripts::pairs(&project.path().join("migrations"), revisions);
    let proxy = proxy::start(server, FAR);
    let url = proxy.through(&database.fresh(project.path()));
    let whole = run(project.path(), &url, &["upgrade"]).time;
    let nothing = run(project.path(), &url, &["upgrade"]).time;
    let trips = (whole - nothing).as_secs_f64() / FAR.as_secs_f64() / revisions as f64;
    Limit {
        what: format!(
            "round trips a revision, 100 revisions, {} ms away ({:.1} s; {:.0} ms with nothing to do)",
            FAR.as_millis(),
            whole.as_secs_f64(),
            nothing.as_secs_f64() * 1e3
        ),
        found: format!("{trips:.2}"),
        limit: "2".to_owned(),
        holds: trips <= 2.0,
    }
}

/// Every command with ten times the revisions.
fn growth(database: &Database, sizes: [usize; 2]) -> Vec<Limit> {
    let commands: [&[&str]; 13] = [
        &["upgrade"],
        &["upgrade", "--dry-run"],
        &["current"],
        &["status"],
        &["check"],
        &["heads"],
        &["branches"],
        &["history"],
        &["history", "-i"],
        &["history", "--log"],
        &["show", "head"],
        &["upgrade", "--sql", "base:head"],
        &["stamp", "head"],
    ];
    let [few, many] = sizes.map(|size| {
        let project = tempfile::tempdir().unwrap();
        scripts::pairs(&project.path().join("migrations"), size);
        let url = database.fresh(project.path());
        let up = run(project.path(), &url, &["upgrade"]).time;
        let mut times: Vec<Duration> = commands
            .iter()
            .map(|command| median((0..5).map(|_| run(project.path(), &url, command).time)))
            .collect();
        times.push(up);
        times.push(run(project.path(), &url, &["downgrade", "base"]).time);
        times
    });
    let names = commands.iter().map(|command| command.join(" "));
    let names = names.chain([
        "upgrade, from empty".to_owned(),
        "downgrade base".to_owned(),
    ]);
    let limit = sizes[1] as f64 / sizes[0] as f64 * 1.5;
    names
        .zip(few.into_iter().zip(many))
        .map(|(name, (few, many))| {
            let times = many.as_secs_f64() / few.as_secs_f64();
            Limit {
                what: format!(
                    "`{name}`, {} revisions against {}, {} ({:.0} against {:.0} ms)",
                    sizes[1],
                    sizes[0],
                    database.name(),
                    many.as_secs_f64() * 1e3,
                    few.as_secs_f64() * 1e3
                ),
                found: format!("{times:.1} ×"),
                limit: format!("{limit:.0} ×"),
                holds: times <= limit,
            }
        })
        .collect()
}

fn migrator() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_migrator"))
}

fn run(project: &Path, url: &str, arguments: &[&str]) -> Taken {
    let mut command = Command::new(migrator());
    command
        .current_dir(project)
        .args(["-q", "--url", url])
        .args(arguments);
    measure::run(&mut command)
}
