//! docs/benchmarks.md.

use std::fmt::Write;

use super::{
    floor,
    limits::Limit,
    measure::{Key, Measured, Scenario},
    options::Options,
    tools::{MIGRATOR, Tool},
};

/// The whole page.
pub fn write(
    measured: &Measured,
    limits: &[Limit],
    tools: &[Tool],
    missing: &[&str],
    options: &Options,
) -> String {
    let mut page = String::from(HEAD);
    if !missing.is_empty() {
        writeln!(
            page,
            "\nNot installed when this was measured: {}.",
            missing.join(", ")
        )
        .unwrap();
    }
    let rounds = options
        .sizes
        .iter()
        .map(|size| format!("{} with {size}", options.rounds(*size)));
    let rounds = rounds.collect::<Vec<_>>().join(", ");
    writeln!(
        page,
        "\nRounds: {rounds} revisions. A revision is a table, an index and a row."
    )
    .unwrap();
    if options.is_whole() {
        page.push_str("\n![times by number of revisions](benchmarks.svg)\n");
    }
    for (scenario, title, text) in SCENARIOS {
        write!(page, "\n## {title}\n\n{text}\n").unwrap();
        for database in ["SQLite", "PostgreSQL"] {
            let keys = measured
                .keys()
                .filter(|key| (key.0, key.1) == (database, *scenario));
            table(&mut page, measured, database, &keys.collect::<Vec<_>>());
        }
    }
    page.push_str("\n## What each of them leaves out\n\n| tool | |\n|---|---|\n");
    for tool in tools.iter().filter(|tool| tool.name != MIGRATOR) {
        writeln!(page, "| {} | {} |", tool.name, tool.remark).unwrap();
    }
    page.push_str("\n## Limits\n\n| what | found | limit | |\n|---|---|---|---|\n");
    for Limit {
        what,
        found,
        limit,
        holds,
    } in limits
    {
        let holds = if *holds { "holds" } else { "**missed**" };
        writeln!(page, "| {what} | {found} | {limit} | {holds} |").unwrap();
    }
    page
}

const HEAD: &str = "# Benchmarks

Made by `tests/run -- cargo bench --bench peers`; run it on a machine of yours. All of them are whole processes on one
machine, in turns; every figure is a median, and a ratio is the median of one over that of `migrator` in the same run.

`bare loop` and `shell` are floors, no tools: the C library of SQLite, or the driver, in a loop, and `sqlite3` and
`psql`. They run the same statements with the same rows of version table and log in the same transactions, ready from
one file, into tables that are there; they read no directory, check nothing, hold no lock. SQLite waits for the disk as
it does by default; the PostgreSQL server is one for tests, which does not.
";

const SCENARIOS: &[(Scenario, &str, &str)] = &[
    (
        Scenario::Nothing,
        "Nothing to do",
        "What every deployment pays. The floor connects, reads the version table, lists the directory and reads its files.",
    ),
    (
        Scenario::Empty,
        "From empty to head",
        "What a test suite pays. One transaction a revision.",
    ),
    (
        Scenario::AtOnce,
        "From empty to head in one transaction",
        "`upgrade head --transaction all`.",
    ),
    (
        Scenario::Base,
        "From head to empty",
        "`downgrade base`. Tools that go back one at a time are left out.",
    ),
];

fn table(page: &mut String, measured: &Measured, database: &str, keys: &[Key]) {
    let mut all: Vec<&str> = keys.iter().flat_map(|key| measured.who(*key)).collect();
    all.sort_unstable();
    all.dedup();
    let rank = |who: &&str| match *who {
        MIGRATOR => 0,
        floor::LOOP => 1,
        floor::SHELL => 2,
        _ => 3,
    };
    all.sort_by_key(rank);
    write!(page, "\n| {database} |").unwrap();
    for (_, _, size) in keys {
        write!(page, " {size} |").unwrap();
    }
    writeln!(page, "\n|---|{}", "---:|".repeat(keys.len())).unwrap();
    for who in all {
        write!(page, "| {who} |").unwrap();
        for key in keys {
            match (measured.time(*key, who), measured.time(*key, MIGRATOR)) {
                (Some(time), Some(ours)) => {
                    let ratio = time.as_secs_f64() / ours.as_secs_f64();
                    write!(page, " {} ms ({ratio:.2}) |", milliseconds(time)).unwrap();
                }
                _ => page.push_str(" |"),
            }
        }
        page.push('\n');
    }
}

fn milliseconds(time: std::time::Duration) -> String {
    let time = time.as_secs_f64() * 1e3;
    if time < 100.0 {
        format!("{time:.1}")
    } else {
        format!("{time:.0}")
    }
}
