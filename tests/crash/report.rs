//! The table.

use std::fmt::Write as _;

use crate::{
    cell::{Cell, Tally},
    common::Backend,
    fault::Fault,
    workload::Kind,
};

const INTRODUCTION: &str = "\
# Crash laboratory

The built `migrator` is disturbed while it works, again and again, and what it leaves behind is compared with what an
undisturbed run leaves. To do it again, with as many runs for each cell as you like:

```sh
MIGRATOR_CRASH_RUNS=500 MIGRATOR_CRASH_REPORT=docs/crash-laboratory.md tests/run --test crash
```

`MIGRATOR_CRASH_SEED` repeats the random choices of another time, and `MIGRATOR_CRASH_ONLY=TEXT` runs only the cells
that have the text in their name, such as `sqlite` or `SIGKILL`. Without any of them the laboratory is part of
`tests/run`, with a few runs for each cell. The full disk needs root, for a mount of its own; the rest runs as anyone.

## What is done

Each run has a fresh copy of a database, for SQLite with a rollback journal or with a WAL. Random moments are even over
the time that an undisturbed run takes. Chosen moments are those at which something can be seen from outside: a commit,
progress in a row, the mark of a statement outside of a transaction, a statement that sleeps, a phase of an index build
(PostgreSQL), a growing file or journal (SQLite). Disks are full, and files at their limit, after a random part of what an undisturbed run needs. A third of the
times the run that resumes is hit as well, and so on.

The scripts create, fill, change and drop tables and indexes. Those with `transaction = off` also hold BEGIN … COMMIT
blocks, CREATE and DROP INDEX CONCURRENTLY, VACUUM, SET, ATTACH and CALL.

## What must hold

After the fault:

- tables, columns, indexes and rows are exactly those of the revisions and statements in the version table. Where its row
  says that the end of a statement is unknown, they may be those with it;
- every applied revision has one row, and the log has one entry for each revision that was run, in order;
- no lock is held, no index is invalid but that of a revision in its middle, and SQLite's integrity check passes;
- the exit status tells the truth: 0 all, 1 nothing, 4 some; signals leave nothing in doubt.

Then the same command runs again, waiting for no lock; on PostgreSQL a third of the times it comes while the first
one's backend may still work, and waits for that. It must finish, or name the statement in doubt (M509) and finish once
`migrator repair --statement` has settled that. In the end rows, schema, version table (but for times) and log are those
of an undisturbed run: what wrote a row wrote it exactly once.
";

pub fn text(results: &[(Cell, Tally)]) -> String {
    let mut text = INTRODUCTION.to_owned();
    let runs: usize = results.iter().map(|(_, tally)| tally.runs).sum();
    let hits: usize = results.iter().map(|(_, tally)| tally.hits).sum();
    let doubts: usize = results.iter().map(|(_, tally)| tally.doubts).sum();
    let violations = violations(results.iter());
    let _ = write!(
        text,
        "\n## Result\n\n{runs} runs, {hits} of them stopped before their end; {doubts} statements in doubt were named and \
         settled.\n**Violations: {violations}.**\n\nA cell has the runs that were survived, and in brackets how many of \
         them the fault had stopped before their end.\n"
    );
    for backend in Backend::ALL {
        let name = match backend {
            Backend::Sqlite => "SQLite",
            Backend::Postgres => "PostgreSQL",
        };
        table(&mut text, name, |cell| cell.backend == backend, results);
    }
    text
}

fn table(text: &mut String, name: &str, is_of: impl Fn(&Cell) -> bool, results: &[(Cell, Tally)]) {
    let kinds = Kind::ALL.map(Kind::name).join(" | ");
    let _ = write!(
        text,
        "\n### {name}\n\n| fault | {kinds} | violations |\n|---|{}---:|\n",
        "---:|".repeat(Kind::ALL.len())
    );
    for fault in Fault::ALL {
        let row: Vec<_> = results
            .iter()
            .filter(|(cell, _)| is_of(cell) && cell.fault == fault)
            .collect();
        if row.is_empty() {
            continue;
        }
        let shown = |kind| {
            let found = row.iter().find(|(cell, _)| cell.kind == kind);
            found.map_or("–".to_owned(), |(_, tally)| survived(tally))
        };
        let cells = Kind::ALL.map(shown).join(" | ");
        let violations = violations(row.into_iter());
        let _ = writeln!(text, "| {} | {cells} | {violations} |", fault.name());
    }
}

fn survived(tally: &Tally) -> String {
    if let Some(reason) = tally.skipped {
        return reason.to_owned();
    }
    let survived = tally.runs.saturating_sub(tally.violations.len());
    format!("{survived} ({})", tally.hits)
}

fn violations<'a>(results: impl Iterator<Item = &'a (Cell, Tally)>) -> usize {
    results.map(|(_, tally)| tally.violations.len()).sum()
}
