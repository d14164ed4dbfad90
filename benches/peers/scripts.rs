//! The same revisions in every tool's layout: a table, an index and a row each.

use std::{fmt::Write, fs, path::Path};

/// The statements up.
pub fn up(n: usize) -> String {
    format!(
        "CREATE TABLE t{n} (id integer PRIMARY KEY, name text NOT NULL);\n\
         CREATE INDEX t{n}_name ON t{n} (name);\n\
         INSERT INTO t{n} VALUES (1, 'one');\n"
    )
}

/// The statement down.
pub fn down(n: usize) -> String {
    format!("DROP TABLE t{n};\n")
}

/// A timestamp that counts.
fn id(n: usize) -> u64 {
    20_260_101_000_000 + n as u64
}

/// `ID_tN.up.sql` and `.down.sql`: ours, sqlx's, golang-migrate's.
pub fn pairs(dir: &Path, size: usize) {
    each(dir, size, |n| {
        vec![
            (format!("{}_t{n}.up.sql", id(n)), up(n)),
            (format!("{}_t{n}.down.sql", id(n)), down(n)),
        ]
    });
}

/// A directory a revision: diesel's.
pub fn directories(dir: &Path, size: usize) {
    for n in 1..=size {
        fs::create_dir_all(dir.join(format!("{}_t{n}", id(n)))).unwrap();
    }
    each(dir, size, |n| {
        vec![
            (format!("{}_t{n}/up.sql", id(n)), up(n)),
            (format!("{}_t{n}/down.sql", id(n)), down(n)),
        ]
    });
}

/// `VN__tN.sql`: refinery's.
pub fn versions(dir: &Path, size: usize) {
    each(dir, size, |n| vec![(format!("V{n}__t{n}.sql"), up(n))]);
}

/// Both directions in one file, below the tool's own comments.
pub fn sections(up_mark: &'static str, down_mark: &'static str) -> impl Fn(&Path, usize) {
    move |dir, size| {
        each(dir, size, |n| {
            let text = format!("{up_mark}\n{}\n{down_mark}\n{}", up(n), down(n));
            vec![(format!("{}_t{n}.sql", id(n)), text)]
        });
    }
}

/// Python that executes the statements: Alembic's.
pub fn python(dir: &Path, size: usize) {
    each(dir, size, |n| {
        let parent = if n == 1 {
            "None".to_owned()
        } else {
            format!("'r{}'", n - 1)
        };
        let mut text =
            format!("from alembic import op\n\nrevision = 'r{n}'\ndown_revision = {parent}\n");
        let calls = |sql: &str| {
            sql.lines().fold(String::new(), |mut calls, line| {
                writeln!(calls, "    op.execute(\"{line}\")").unwrap();
                calls
            })
        };
        write!(
            text,
            "\n\ndef upgrade():\n{}\n\ndef downgrade():\n{}",
            calls(&up(n)),
            calls(&down(n))
        )
        .unwrap();
        vec![(format!("r{n}.py"), text)]
    });
}

fn each(dir: &Path, size: usize, files: impl Fn(usize) -> Vec<(String, String)>) {
    fs::create_dir_all(dir).unwrap();
    for n in 1..=size {
        for (name, text) in files(n) {
            fs::write(dir.join(name), text).unwrap();
        }
    }
}
