//! The pure rooms: `cargo bench --bench rooms`.

use divan::{Bencher, counter::BytesCount};
use migrator::internals::{
    revision::{Direction, History, Script, ScriptPair},
    sql::{self, Dialect},
};

fn main() {
    divan::main();
}

const DIALECTS: [Dialect; 2] = [Dialect::Sqlite, Dialect::Postgres];

const ONE: &str = "-- Add a table\n-- migrator: revises = base\nCREATE TABLE t (id integer PRIMARY KEY, \
    name text NOT NULL DEFAULT 'it''s');\n/* and */ CREATE INDEX t_name ON t (name);\n";

fn long() -> String {
    ONE.to_owned()
        + &"INSERT INTO t VALUES (1, 'a row like many others'); -- one more\n".repeat(20_000)
}

#[divan::bench(args = DIALECTS)]
fn split(bencher: Bencher, dialect: Dialect) {
    let text = long();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| sql::split(dialect, &text).unwrap().len());
}

#[divan::bench(args = DIALECTS)]
fn checksum(bencher: Bencher, dialect: Dialect) {
    let text = long();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| script(dialect, &text).checksum(dialect));
}

fn script(dialect: Dialect, text: &str) -> Script {
    Script::parse(dialect, Direction::Up, "1_t.up.sql", text).unwrap()
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn history(bencher: Bencher, revisions: usize) {
    let pair = |n: usize| ScriptPair {
        id: n.to_string().parse().unwrap(),
        slug: format!("t{n}"),
        up: script(
            Dialect::Sqlite,
            &ONE.replace("base", if n == 1 { "base" } else { "PARENT" })
                .replace("PARENT", &(n - 1).to_string()),
        ),
        down: None,
    };
    let pairs: Vec<_> = (1..=revisions).map(pair).collect();
    bencher
        .with_inputs(|| pairs.clone())
        .bench_values(|pairs| History::new(pairs).unwrap());
}
