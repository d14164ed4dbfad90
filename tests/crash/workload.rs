//! What is disturbed: small revisions with a bit of work each.
//!
//! Every unit that can be told from the one before leaves a row in `journal`, which has no key:
//! whatever ran twice is there twice.

use std::{fs, path::Path};

use crate::common::Backend;

/// A kind of scripts, with the command that runs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Upgrade,
    Downgrade,
    OneTransaction,
    OffUpgrade,
    OffDowngrade,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Upgrade,
        Self::Downgrade,
        Self::OneTransaction,
        Self::OffUpgrade,
        Self::OffDowngrade,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::OneTransaction => "upgrade --transaction all",
            Self::OffUpgrade => "transaction = off, upgrade",
            Self::OffDowngrade => "transaction = off, downgrade",
        }
    }

    pub fn is_down(self) -> bool {
        matches!(self, Self::Downgrade | Self::OffDowngrade)
    }

    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Upgrade | Self::OffUpgrade => &["upgrade", "head"],
            Self::Downgrade | Self::OffDowngrade => &["downgrade", "base"],
            Self::OneTransaction => &["upgrade", "head", "--transaction", "all"],
        }
    }

    pub fn revisions(self, backend: Backend) -> Vec<Revision> {
        match (self, backend) {
            (Self::OffUpgrade | Self::OffDowngrade, Backend::Postgres) => off_postgres(),
            (Self::OffUpgrade | Self::OffDowngrade, Backend::Sqlite) => off_sqlite(),
            (_, backend) => (1..=5).map(|n| ordinary(n, backend)).collect(),
        }
    }
}

pub struct Revision {
    pub id: String,
    pub up: Script,
    pub down: Script,
}

/// Its units: each is one statement, or BEGIN … COMMIT. A transactional script is one unit.
pub struct Script {
    pub off: bool,
    pub units: Vec<String>,
}

impl Revision {
    fn new(number: usize, up: Script, down: Script) -> Self {
        let id = format!("2026010100000{number}");
        Self { id, up, down }
    }

    /// Writes both scripts.
    pub fn write(&self, directory: &Path) {
        for (way, script) in [("up", &self.up), ("down", &self.down)] {
            let header = if script.off {
                "-- migrator: transaction = off\n"
            } else {
                ""
            };
            let text = format!("{header}{}\n", script.units.join("\n"));
            fs::write(directory.join(format!("{}_lab.{way}.sql", self.id)), text).unwrap();
        }
    }
}

fn transactional(statements: &[String]) -> Script {
    Script {
        off: false,
        units: vec![statements.join("\n")],
    }
}

fn off(units: &[&str]) -> Script {
    Script {
        off: true,
        units: units.iter().map(|&unit| unit.to_owned()).collect(),
    }
}

/// What is there before the first revision.
pub fn ground(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "CREATE TABLE journal (entry TEXT NOT NULL);",
        Backend::Postgres => {
            "CREATE TABLE journal (entry text NOT NULL);
             CREATE PROCEDURE work(entry text) LANGUAGE plpgsql AS $$ BEGIN
                 PERFORM pg_sleep(0.01);
                 INSERT INTO journal VALUES (entry);
                 PERFORM pg_sleep(0.01);
             END $$;"
        }
    }
}

/// A table with rows and an index; the down drops it.
fn ordinary(number: usize, backend: Backend) -> Revision {
    let pause = match backend {
        Backend::Sqlite => format!("UPDATE t{number} SET body = upper(body);"),
        Backend::Postgres => "SELECT pg_sleep(0.01);".to_owned(),
    };
    let rows = match backend {
        Backend::Sqlite => {
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
             SELECT i, 'row ' || i FROM n"
        }
        Backend::Postgres => "SELECT i, 'row ' || i FROM generate_series(1, 2000) AS i",
    };
    let up = [
        format!("INSERT INTO journal VALUES ('up {number}');"),
        format!("CREATE TABLE t{number} (id integer, body text);"),
        format!("INSERT INTO t{number} {rows};"),
        pause.clone(),
        format!("CREATE INDEX t{number}_body ON t{number} (body);"),
        format!("INSERT INTO journal VALUES ('up {number}, end');"),
    ];
    let down = [
        format!("INSERT INTO journal VALUES ('down {number}');"),
        pause,
        format!("DROP TABLE t{number};"),
        format!("INSERT INTO journal VALUES ('down {number}, end');"),
    ];
    Revision::new(number, transactional(&up), transactional(&down))
}

fn off_postgres() -> Vec<Revision> {
    let first_up = [
        "CREATE TABLE a (id integer, body text);",
        "INSERT INTO a SELECT i, 'row ' || i FROM generate_series(1, 2000) AS i;",
        "SET lab.entry = 'up 1, as the session says';",
        "INSERT INTO journal SELECT current_setting('lab.entry') FROM pg_sleep(0.01);",
        "BEGIN;\nINSERT INTO journal VALUES ('up 1, block');\nSELECT pg_sleep(0.01);\n\
         ALTER TABLE a ADD COLUMN more integer;\nCOMMIT;",
    ];
    let first_down = [
        "INSERT INTO journal VALUES ('down 1');",
        "BEGIN;\nINSERT INTO journal VALUES ('down 1, block');\nSELECT pg_sleep(0.01);\n\
         ALTER TABLE a DROP COLUMN more;\nCOMMIT;",
        "VACUUM a;",
        "SET lab.entry = 'down 1, as the session says';",
        "INSERT INTO journal SELECT current_setting('lab.entry') FROM pg_sleep(0.01);",
        "DROP TABLE a;",
    ];
    let second_up = [
        "INSERT INTO journal VALUES ('up 2');",
        "CREATE INDEX CONCURRENTLY a_body ON a (body);",
        "CALL work('up 2, alone');",
        "VACUUM a;",
        "CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);",
        "INSERT INTO journal VALUES ('up 2, end');",
    ];
    let second_down = [
        "INSERT INTO journal VALUES ('down 2');",
        "DROP INDEX CONCURRENTLY a_id;",
        "CALL work('down 2, alone');",
        "DROP INDEX CONCURRENTLY a_body;",
        "INSERT INTO journal VALUES ('down 2, end');",
    ];
    vec![
        Revision::new(1, off(&first_up), off(&first_down)),
        Revision::new(2, off(&second_up), off(&second_down)),
        ordinary(3, Backend::Postgres),
    ]
}

fn off_sqlite() -> Vec<Revision> {
    let first_up = [
        "CREATE TABLE a (id integer, body text);",
        "INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < 2000) SELECT i, 'row ' || i FROM n;",
        "ATTACH ':memory:' AS side;",
        "INSERT INTO journal SELECT 'up 1, ' || name FROM pragma_database_list WHERE name = 'side';",
        "BEGIN;\nINSERT INTO journal VALUES ('up 1, block');\nUPDATE a SET body = upper(body);\n\
         ALTER TABLE a ADD COLUMN more integer;\nCOMMIT;",
    ];
    let first_down = [
        "INSERT INTO journal VALUES ('down 1');",
        "BEGIN;\nINSERT INTO journal VALUES ('down 1, block');\nUPDATE a SET body = lower(body);\n\
         ALTER TABLE a DROP COLUMN more;\nCOMMIT;",
        "VACUUM;",
        "ATTACH ':memory:' AS side;",
        "INSERT INTO journal SELECT 'down 1, ' || name FROM pragma_database_list WHERE name = 'side';",
        "DROP TABLE a;",
    ];
    let second_up = [
        "INSERT INTO journal VALUES ('up 2');",
        "CREATE INDEX a_body ON a (body);",
        "VACUUM;",
        "INSERT INTO journal SELECT 'up 2, slow' WHERE (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL \
         SELECT i + 1 FROM n WHERE i < 20000) SELECT count(*) FROM n) > 0;",
        "PRAGMA cache_size = 100;",
        "CREATE UNIQUE INDEX a_id ON a (id);",
        "INSERT INTO journal VALUES ('up 2, end');",
    ];
    let second_down = [
        "INSERT INTO journal VALUES ('down 2');",
        "DROP INDEX a_id;",
        "VACUUM;",
        "INSERT INTO journal SELECT 'down 2, slow' WHERE (WITH RECURSIVE n(i) AS (SELECT 1 UNION \
         ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT count(*) FROM n) > 0;",
        "DROP INDEX a_body;",
        "INSERT INTO journal VALUES ('down 2, end');",
    ];
    vec![
        Revision::new(1, off(&first_up), off(&first_down)),
        Revision::new(2, off(&second_up), off(&second_down)),
        ordinary(3, Backend::Sqlite),
    ]
}
