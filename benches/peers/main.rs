//! Whole processes: `migrator` against other tools and against floors that do the same work with
//! nothing around it, in turns on the same machine.
//!
//! ```sh
//! tests/run -- cargo bench --bench peers                       # everything, into docs/benchmarks.md
//! tests/run -- cargo bench --bench peers -- --sizes 10,100     # fewer revisions, to the terminal
//! tests/run -- cargo bench --bench peers -- --no-limits        # no memory, growth and the like
//! ```
//!
//! Peers that are not on the PATH are left out, and named. `MIGRATOR_BENCH_PG` names another server
//! than the tests' one, which does not wait for its disk. Where thousands of files were deleted just
//! before, some file systems are slow to make new ones, which is noise for everyone:
//! `MIGRATOR_TEST_CLUSTER_IN=/dev/shm` has the tests' one keep its files in memory.

mod chart;
mod database;
mod floor;
mod limits;
mod measure;
mod options;
mod page;
mod scripts;
mod tools;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use database::Database;
use measure::{Measured, Scenario};
use options::Options;
use tools::Tool;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == floor::FLAG) {
        return floor::run(&arguments[1..]);
    }
    let options = Options::read(&arguments);
    let databases = Database::all();
    let (tools, missing) = tools::installed();
    let mut measured = Measured::default();
    for size in &options.sizes {
        for database in &databases {
            cycles(
                database,
                *size,
                &tools,
                options.rounds(*size),
                &mut measured,
            );
        }
    }
    let limits = if options.limits {
        limits::measure(&databases, &options)
    } else {
        Vec::new()
    };
    let page = page::write(&measured, &limits, &tools, &missing, &options);
    if options.is_whole() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        std::fs::write(docs.join("benchmarks.md"), page).unwrap();
        chart::draw(&measured, &docs.join("benchmarks.svg"));
    } else {
        println!("{page}");
    }
}

/// Every tool from empty to head, with nothing to do, and back; in turns.
fn cycles(
    database: &Database,
    size: usize,
    tools: &[Tool],
    rounds: usize,
    measured: &mut Measured,
) {
    let dir = tempfile::tempdir().unwrap();
    let floors = floor::prepare(dir.path(), database, size);
    let mut turns: Vec<_> = tools
        .iter()
        .map(|tool| Turn::Tool(tool, tool.project(dir.path(), size)))
        .chain(floor::WHO.map(Turn::Floor))
        .collect();
    for _ in 0..rounds {
        for turn in &turns {
            match turn {
                Turn::Tool(tool, project) => cycle(database, size, tool, project, measured),
                Turn::Floor(who) => floors.measure(who, database, size, measured),
            }
        }
        // Nobody always comes first, or after the same one.
        turns.reverse();
        turns.rotate_left(1);
    }
    eprintln!("{} with {size} revisions: done", database.name());
}

/// Who is measured.
enum Turn<'a> {
    /// In its project.
    Tool(&'a Tool, PathBuf),
    Floor(&'static str),
}

fn cycle(database: &Database, size: usize, tool: &Tool, project: &Path, measured: &mut Measured) {
    let url = database.fresh(project);
    let mut add = |scenario, command: Option<Command>| {
        if let Some(mut command) = command {
            let taken = measure::run(&mut command);
            measured.add(database, scenario, size, tool.name, taken);
        }
    };
    add(Scenario::Empty, Some((tool.up)(project, &url)));
    for _ in 0..measure::QUICK {
        add(Scenario::Nothing, Some((tool.up)(project, &url)));
    }
    add(Scenario::Base, tool.down.map(|down| down(project, &url)));
    if let Some(all) = tool.up_at_once {
        let url = database.fresh(project);
        add(Scenario::AtOnce, Some(all(project, &url)));
    }
}
