//! What a database looks like, and what it must look like.

use std::collections::BTreeMap;

use crate::{
    common::Backend,
    session::{Rows, Session},
    workload::{Kind, Revision},
};

/// How far a run has come: whole revisions, and units of the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub revisions: usize,
    pub units: usize,
}

/// A partially applied revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    pub revision: String,
    pub direction: String,
    pub done: usize,
    /// Whether the row says that the next unit's end is unknown.
    pub unknown: bool,
}

/// What is in a database.
#[derive(Clone, Debug)]
pub struct Look {
    pub applied: Vec<String>,
    pub partial: Vec<Partial>,
    /// Upgrades and downgrades that the log calls good, in order.
    pub log: Vec<String>,
    /// The errors of those that it calls failed.
    pub failures: Vec<String>,
    /// The rows of the version table without times.
    pub records: Rows,
    /// Schema and rows.
    pub content: Vec<String>,
    /// Invalid indexes.
    pub invalid: Vec<String>,
}

impl Look {
    pub fn at(session: &mut Session, backend: Backend) -> Result<Self, String> {
        let mut look = Self {
            applied: Vec::new(),
            partial: Vec::new(),
            log: Vec::new(),
            failures: Vec::new(),
            records: Vec::new(),
            content: content(session, backend)?,
            invalid: Vec::new(),
        };
        let (invalid, content) = std::mem::take(&mut look.content)
            .into_iter()
            .partition(|line| line.starts_with("invalid "));
        (look.invalid, look.content) = (invalid, content);
        if session.value(has_version_table(backend))? == "0" {
            return Ok(look);
        }
        for row in session.rows(rows(backend))? {
            let [revision, state, direction, done, error] = row.try_into().unwrap();
            if state == "applied" {
                look.applied.push(revision);
            } else {
                look.partial.push(Partial {
                    revision,
                    direction,
                    done: done.parse().unwrap(),
                    unknown: error.starts_with("running outside of a transaction"),
                });
            }
        }
        for row in session.rows(LOG)? {
            if row[1] == "ok" {
                look.log.push(format!("{} {}", row[0], row[2]));
            } else {
                look.failures.push(row[3].clone());
            }
        }
        look.records = session.rows(RECORDS)?;
        Ok(look)
    }
}

fn has_version_table(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = 'migrator_version'",
        Backend::Postgres => {
            "SELECT count(*)::text FROM pg_class WHERE relname = 'migrator_version'"
        }
    }
}

/// On SQLite a table of its own says how far a script is.
fn rows(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => {
            "SELECT t.revision, t.state, coalesce(t.direction, ''),
                coalesce(p.statements_done, 0), coalesce(p.error, '')
             FROM migrator_version AS t LEFT JOIN migrator_version_progress AS p USING (revision)
             ORDER BY t.sequence"
        }
        Backend::Postgres => {
            "SELECT revision, state, coalesce(direction, ''),
                coalesce(statements_done, 0), coalesce(error, '')
             FROM migrator_version ORDER BY sequence"
        }
    }
}

const LOG: &str = "SELECT event, outcome, revision, coalesce(error, '') FROM migrator_version_log
    WHERE event IN ('upgrade', 'downgrade') ORDER BY sequence";

const RECORDS: &str = "SELECT sequence, revision, kind, message, parents, depends_on, up_checksum,
    down_checksum, down_script, state, direction, script, statements_done, statements_total,
    statement_checksums, error, applied_by, tool_version FROM migrator_version ORDER BY sequence";

fn content(session: &mut Session, backend: Backend) -> Result<Vec<String>, String> {
    let (schema, tables) = match backend {
        Backend::Sqlite => (SQLITE_SCHEMA, SQLITE_TABLES),
        Backend::Postgres => (POSTGRES_SCHEMA, POSTGRES_TABLES),
    };
    let mut lines: Vec<String> = session.rows(schema)?.into_iter().flatten().collect();
    let counts: Vec<String> = session
        .rows(tables)?
        .into_iter()
        .flatten()
        .map(|table| format!("SELECT 'rows of {table}: ' || count(*) FROM {table}"))
        .collect();
    lines.extend(
        session
            .rows(&counts.join(" UNION ALL "))?
            .into_iter()
            .flatten(),
    );
    let journal = session.rows("SELECT 'journal: ' || entry FROM journal")?;
    lines.extend(journal.into_iter().flatten());
    lines.sort();
    Ok(lines)
}

const SQLITE_SCHEMA: &str = "SELECT type || ' ' || name || ': ' || coalesce(sql, '')
    FROM sqlite_schema WHERE tbl_name NOT LIKE 'migrator\\_version%' ESCAPE '\\'";

const SQLITE_TABLES: &str = "SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'migrator\\_version%' ESCAPE '\\'";

const POSTGRES_SCHEMA: &str = "SELECT c.relname || '.' || a.attname || ' ' ||
        format_type(a.atttypid, a.atttypmod) || a.attnotnull
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
        AND NOT a.attisdropped AND c.relname NOT LIKE 'migrator\\_version%'
    UNION ALL SELECT CASE WHEN i.indisvalid THEN '' ELSE 'invalid ' END ||
        pg_get_indexdef(i.indexrelid)
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'migrator\\_version%'
    UNION ALL SELECT 'relation ' || c.relname FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind <> 'i'
        AND c.relname NOT LIKE 'migrator\\_version%'
    UNION ALL SELECT 'routine ' || p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = 'public'::regnamespace";

const POSTGRES_TABLES: &str = "SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND relname NOT LIKE 'migrator\\_version%'";

/// What an undisturbed run does, step by step: made by running the scripts' units without migrator.
pub struct Oracle {
    kind: Kind,
    /// In the history's order.
    ids: Vec<String>,
    /// The log before the run.
    log: Vec<String>,
    content: BTreeMap<Position, Vec<String>>,
    /// At the end of an undisturbed run.
    pub records: Rows,
}

impl Oracle {
    /// One that knows nothing yet.
    pub fn empty(kind: Kind) -> Self {
        Self {
            kind,
            ids: Vec::new(),
            log: Vec::new(),
            content: BTreeMap::new(),
            records: Vec::new(),
        }
    }

    /// Runs all of it in `session`.
    pub fn new(
        session: &mut Session,
        backend: Backend,
        kind: Kind,
        revisions: &[Revision],
    ) -> Result<Self, String> {
        let before = Look::at(session, backend)?;
        let mut content = BTreeMap::from([(Position::default(), before.content)]);
        let mut ordered: Vec<&Revision> = revisions.iter().collect();
        if kind.is_down() {
            ordered.reverse();
        }
        for (index, revision) in ordered.into_iter().enumerate() {
            let script = if kind.is_down() {
                &revision.down
            } else {
                &revision.up
            };
            for (done, unit) in script.units.iter().enumerate() {
                session.rows(unit)?;
                if script.off {
                    let position = Position {
                        revisions: index,
                        units: done + 1,
                    };
                    content.insert(position, self::content(session, backend)?);
                }
            }
            let position = Position {
                revisions: index + 1,
                units: 0,
            };
            content.insert(position, self::content(session, backend)?);
        }
        Ok(Self {
            kind,
            ids: revisions.iter().map(|one| one.id.clone()).collect(),
            log: before.log,
            content,
            records: Vec::new(),
        })
    }

    /// Where a run ends.
    pub fn end(&self) -> Position {
        Position {
            revisions: self.ids.len(),
            units: 0,
        }
    }

    /// Where the records say that it is.
    pub fn position(&self, look: &Look) -> Position {
        let applied = look.applied.len();
        Position {
            revisions: if self.kind.is_down() {
                self.ids.len().saturating_sub(applied + look.partial.len())
            } else {
                applied
            },
            units: look.partial.first().map_or(0, |partial| partial.done),
        }
    }

    /// Whether the unit in doubt has taken effect.
    pub fn is_done(&self, look: &Look) -> bool {
        let content = self.content.get(&after(self.position(look)));
        look.invalid.is_empty() && content == Some(&look.content)
    }

    /// Everything that records and content do not agree on.
    pub fn violations(&self, look: &Look) -> Vec<String> {
        let mut found = Vec::new();
        let position = self.position(look);
        let total = self.ids.len();
        let done = position.revisions.min(total);
        let (word, applied, running, ordered) = if self.kind.is_down() {
            let left = total.saturating_sub(done + look.partial.len());
            let ordered: Vec<&String> = self.ids.iter().rev().collect();
            (
                "downgrade",
                &self.ids[..left],
                ordered.get(done).copied(),
                ordered,
            )
        } else {
            let ordered: Vec<&String> = self.ids.iter().collect();
            ("upgrade", &self.ids[..done], self.ids.get(done), ordered)
        };
        if look.applied != applied {
            found.push(format!("applied are {:?}, not {applied:?}", look.applied));
        }
        match &look.partial[..] {
            [] if look.invalid.is_empty() => {}
            [] => found.push(format!("invalid indexes: {:?}", look.invalid)),
            [one] if Some(&one.revision) == running && word.contains(one.direction.as_str()) => {}
            other => found.push(format!("partial are {other:?}, not {running:?}")),
        }
        let mut log = self.log.clone();
        log.extend(ordered[..done].iter().map(|id| format!("{word} {id}")));
        if look.log != log {
            found.push(format!("the log has {:?}, not {log:?}", look.log));
        }
        found.extend(self.wrong_content(look, position));
        found
    }

    fn wrong_content(&self, look: &Look, position: Position) -> Option<String> {
        let Some(expected) = self.content.get(&position) else {
            return Some(format!("there is no {position:?}"));
        };
        let unknown = look.partial.iter().any(|partial| partial.unknown);
        let alternative = self.content.get(&after(position)).filter(|_| unknown);
        if look.content == *expected || Some(&look.content) == alternative {
            return None;
        }
        let lines = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|line| !b.contains(line)).cloned().collect()
        };
        Some(format!(
            "at {position:?} (unknown: {unknown}) there is too much: {:?}, too little: {:?}; of {} lines {}",
            lines(&look.content, expected),
            lines(expected, &look.content),
            expected.len(),
            look.content.len(),
        ))
    }
}

fn after(position: Position) -> Position {
    Position {
        units: position.units + 1,
        ..position
    }
}
