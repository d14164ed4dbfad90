//! The pure rooms: `cargo bench --bench rooms`.

use divan::{Bencher, counter::BytesCount};
use migrator::internals::{
    lint::{self, Headers, Known, Settings},
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

/// The statements of migrations as they are written by hand.
const STEP: &str = "ALTER TABLE orders ADD COLUMN c_N integer DEFAULT 0 NOT NULL;\n\
    CREATE INDEX orders_c_N ON orders (c_N);\n\
    ALTER TABLE orders ADD CONSTRAINT k_N FOREIGN KEY (c_N) REFERENCES customers (id);\n\
    CREATE TABLE t_N (id bigint PRIMARY KEY, name text NOT NULL, c bigint REFERENCES customers);\n\
    UPDATE orders SET c_N = 1 WHERE c_N = 0;\n";

/// 1,000 scripts, read and judged one by one.
#[divan::bench(args = DIALECTS)]
fn lint_texts(bencher: Bencher, dialect: Dialect) {
    let scripts: Vec<String> = (1..=1000)
        .map(|n| STEP.replace('N', &n.to_string()))
        .collect();
    let start = "CREATE TABLE customers (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY);";
    bencher.bench(|| {
        let mut known = Known::new(dialect);
        let mut findings = 0;
        for text in std::iter::once(start).chain(scripts.iter().map(String::as_str)) {
            known.begin_run();
            let split = sql::split(dialect, text).unwrap();
            let script = {
                let acts = lint::text::acts(dialect, text, &split);
                lint::text::statements(text, &split, acts, Headers::default(), &mut known)
            };
            findings += lint::lint(&script, &Settings::default()).len();
        }
        assert!(findings > 1000);
    });
}
