//! What the server of the tests has. Nothing is left out in silence: stderr names it.

use std::{
    io::{self, Write},
    thread,
};

use super::{PostgresDatabase, run};

/// The major version of the server at `url`.
pub(super) fn major(url: &str) -> u32 {
    let version = run(url, "SHOW server_version_num");
    version[0][0].as_ref().unwrap().parse::<u32>().unwrap() / 10_000
}

impl PostgresDatabase {
    /// The major version of the server.
    pub fn major(&self) -> u32 {
        major(&self.url)
    }

    /// Whether the server is of the major version or a newer one, so that it has the feature.
    pub fn is_since(&self, major: u32, feature: &str) -> bool {
        let found = self.major();
        if found < major {
            leave_out(&format!("PostgreSQL {found} does not have: {feature}"));
        }
        found >= major
    }

    /// A script without the lines that the server does not know: those that end in `-- since 14` need
    /// that version.
    pub fn supported(&self, sql: &str) -> String {
        if !sql.contains(" -- since ") {
            return sql.to_owned();
        }
        let found = self.major();
        let is_known = |line: &&str| {
            let since = line.rsplit_once(" -- since ");
            let since = since.map(|(rest, major)| (rest, major.parse::<u32>().unwrap()));
            let unknown = since.filter(|(_, major)| *major > found);
            if let Some((rest, _)) = unknown {
                leave_out(&format!(
                    "PostgreSQL {found} does not have: {}",
                    rest.trim()
                ));
            }
            unknown.is_none()
        };
        sql.split_inclusive('\n')
            .filter(|line| is_known(&line.trim_end()))
            .collect()
    }

    /// Whether the server's package includes the extension.
    pub fn has_extension(&self, name: &str) -> bool {
        let sql = format!("SELECT FROM pg_available_extensions WHERE name = '{name}'");
        let is_there = !self.query(&sql).is_empty();
        if !is_there {
            leave_out(&format!("the server does not have the extension {name}"));
        }
        is_there
    }
}

/// Says on stderr, which is not captured, that the running test is not whole.
pub fn leave_out(reason: &str) {
    let thread = thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(io::stderr(), "left out of {test}: {reason}");
}
