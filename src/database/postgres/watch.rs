//! Observes the activity of a session over a second connection.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use sqlx::{PgConnection, Row, postgres::PgRow};
use tokio::sync::Mutex;

use super::{
    super::{Activity, Advance, Waiting, Watch},
    backend::AS_LOGIN,
    cancel::Running,
    connect, lock, mark,
    message::rows,
    options::ServerOptions,
};

/// The timeout of one observation.
const PATIENCE: Duration = Duration::from_secs(2);

/// The maximum number of characters of a blocking session's query.
const QUERY: usize = 80;

/// Observes over a connection that is opened by the first observation.
pub(super) struct Watcher {
    options: ServerOptions,
    running: Arc<Running>,
    link: Mutex<Link>,
}

enum Link {
    Closed,
    Open(Box<PgConnection>),
    /// The server has rejected or terminated the second session.
    Refused,
}

impl Watcher {
    pub fn new(options: ServerOptions, running: Arc<Running>) -> Self {
        Self {
            options,
            running,
            link: Mutex::new(Link::Closed),
        }
    }

    async fn open(&self) -> Link {
        let timeout = PATIENCE.as_millis().to_string();
        let defaults = [("statement_timeout", timeout)];
        match connect::open(&self.options, &defaults, PATIENCE, "").await {
            Ok((connection, _)) => Link::Open(Box::new(connection)),
            Err(_) => Link::Refused,
        }
    }
}

#[async_trait]
impl Watch for Watcher {
    async fn look(&self) -> Option<Activity> {
        let mut link = self.link.lock().await;
        if matches!(*link, Link::Closed) {
            *link = self.open().await;
        }
        let Link::Open(connection) = &mut *link else {
            return None;
        };
        let looking = look(connection, self.running.pid());
        let seen = tokio::time::timeout(PATIENCE, looking).await;
        match seen {
            Ok(Ok(activity)) => activity,
            // A result still in transit would be taken for that of another query.
            _ => {
                *link = Link::Refused;
                None
            }
        }
    }

    fn is_told_at_once(&self) -> bool {
        false
    }
}

async fn look(connection: &mut PgConnection, pid: i32) -> Result<Option<Activity>, sqlx::Error> {
    let sql = format!(
        "{AS_LOGIN};\nSELECT a.application_name::text, a.wait_event_type::text \
         FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = {pid}"
    );
    let found = rows(connection, &sql).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let waits = optional(row, 1)?.as_deref() == Some("Lock");
    Ok(Some(Activity {
        statements: mark::read(&optional(row, 0)?.unwrap_or_default()),
        waiting: if waits {
            waiting(connection, pid).await?
        } else {
            None
        },
        advance: advance(connection, pid).await?,
    }))
}

/// The lock that session `pid` waits for, and the blocking sessions.
async fn waiting(connection: &mut PgConnection, pid: i32) -> Result<Option<Waiting>, sqlx::Error> {
    let sql = format!(
        "{AS_LOGIN};\nSELECT l.mode::text, l.locktype::text, \
         pg_catalog.concat_ws('.', n.nspname, c.relname)::text \
         FROM pg_catalog.pg_locks AS l \
         LEFT JOIN pg_catalog.pg_class AS c ON c.oid = l.relation \
         LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE l.pid = {pid} AND NOT l.granted"
    );
    let found = rows(connection, &sql).await?;
    let Some(row) = found.first() else {
        return Ok(None);
    };
    let text = |column| Ok::<_, sqlx::Error>(optional(row, column)?.unwrap_or_default());
    let lock = named(&text(0)?, &text(1)?, &text(2)?);
    let sql = format!(
        "{AS_LOGIN};\nSELECT {}, pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g')::text \
         FROM pg_catalog.pg_stat_activity AS a \
         WHERE a.pid = ANY (pg_catalog.pg_blocking_pids({pid})) ORDER BY a.pid",
        lock::SESSION
    );
    let holders = rows(connection, &sql).await?;
    let holders = holders.iter().map(holder).collect::<Result<_, _>>()?;
    Ok(Some(Waiting { lock, holders }))
}

/// A lock such as `AccessExclusiveLock on public.orders`. A row lock appears as the transaction of
/// its writer.
fn named(mode: &str, kind: &str, relation: &str) -> String {
    match kind {
        "transactionid" => "the end of a transaction that changed a row".to_owned(),
        "virtualxid" => "the end of an older transaction".to_owned(),
        "tuple" => format!("a row of {relation}"),
        _ if relation.is_empty() => format!("{mode} ({kind})"),
        _ => format!("{mode} on {relation}"),
    }
}

fn holder(row: &PgRow) -> Result<String, sqlx::Error> {
    let session = lock::describe(row)?;
    let query = optional(row, lock::SESSION_COLUMNS)?.unwrap_or_default();
    let query = query.trim();
    if query.is_empty() {
        return Ok(session);
    }
    let mut short: String = query.chars().take(QUERY).collect();
    if short.len() < query.len() {
        short.push('…');
    }
    Ok(format!("{session}: {short}"))
}

/// The progress of session `pid`, if the server tracks it.
async fn advance(connection: &mut PgConnection, pid: i32) -> Result<Option<Advance>, sqlx::Error> {
    let version = connection_version(connection);
    let known = VIEWS.iter().filter(|view| view.since <= version);
    let parts: Vec<_> = known.map(|view| view.query(pid)).collect();
    let sql = format!("{AS_LOGIN};\n{}", parts.join(" UNION ALL "));
    let found = rows(connection, &sql).await?;
    found.first().map(read_advance).transpose()
}

fn connection_version(connection: &PgConnection) -> u32 {
    // The version may be unknown with a transaction pooler or an unusual server; the oldest views
    // exist everywhere.
    connection.server_version_num().unwrap_or(0)
}

/// A progress view of the server, with the done and total amounts of each phase.
struct View {
    name: &'static str,
    /// The first supported version, as `server_version_num`.
    since: u32,
    command: &'static str,
    phase: &'static str,
    done: &'static str,
    total: &'static str,
}

const VIEWS: &[View] = &[
    View {
        name: "create_index",
        since: 120_000,
        command: "p.command",
        phase: "p.phase",
        done: "CASE WHEN p.phase LIKE 'waiting%' THEN p.lockers_done \
               WHEN p.blocks_total > 0 THEN p.blocks_done ELSE p.tuples_done END",
        total: "CASE WHEN p.phase LIKE 'waiting%' THEN p.lockers_total \
                WHEN p.blocks_total > 0 THEN p.blocks_total ELSE p.tuples_total END",
    },
    View {
        name: "cluster",
        since: 120_000,
        command: "p.command",
        phase: "p.phase",
        done: "p.heap_blks_scanned",
        total: "p.heap_blks_total",
    },
    View {
        name: "vacuum",
        since: 0,
        command: "'VACUUM'",
        phase: "p.phase",
        done: "CASE p.phase WHEN 'vacuuming heap' THEN p.heap_blks_vacuumed \
               ELSE p.heap_blks_scanned END",
        total: "p.heap_blks_total",
    },
    View {
        name: "analyze",
        since: 130_000,
        command: "'ANALYZE'",
        phase: "p.phase",
        done: "p.sample_blks_scanned",
        total: "p.sample_blks_total",
    },
    View {
        name: "copy",
        since: 140_000,
        command: "p.command",
        phase: "p.tuples_processed || ' rows'",
        done: "p.bytes_processed",
        total: "p.bytes_total",
    },
];

impl View {
    fn query(&self, pid: i32) -> String {
        let Self {
            name,
            command,
            phase,
            done,
            total,
            ..
        } = self;
        format!(
            "SELECT ({command})::text, pg_catalog.concat_ws('.', n.nspname, c.relname)::text, \
             ({phase})::text, ({done})::text, ({total})::text \
             FROM pg_catalog.pg_stat_progress_{name} AS p \
             LEFT JOIN pg_catalog.pg_class AS c ON c.oid = p.relid \
             LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE p.pid = {pid}"
        )
    }
}

fn read_advance(row: &PgRow) -> Result<Advance, sqlx::Error> {
    let number = |column| {
        let text = optional(row, column)?;
        Ok::<_, sqlx::Error>(text.and_then(|text| text.parse::<u64>().ok()))
    };
    Ok(Advance {
        command: optional(row, 0)?.unwrap_or_default(),
        relation: optional(row, 1)?.filter(|name| !name.is_empty()),
        phase: optional(row, 2)?.unwrap_or_default(),
        percent: percent(number(3)?, number(4)?),
    })
}

/// The percentage; `None` if the server does not know the total.
fn percent(done: Option<u64>, total: Option<u64>) -> Option<u8> {
    let (done, total) = (done?, total.filter(|total| *total > 0)?);
    let percent = u128::from(done.min(total)) * 100 / u128::from(total);
    u8::try_from(percent).ok()
}

fn optional(row: &PgRow, column: usize) -> Result<Option<String>, sqlx::Error> {
    row.try_get(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_are_of_what_is_known() {
        assert_eq!(percent(Some(1), Some(3)), Some(33));
        assert_eq!(percent(Some(9), Some(3)), Some(100));
        assert_eq!(percent(Some(u64::MAX), Some(u64::MAX)), Some(100));
        assert_eq!(percent(Some(1), Some(0)), None);
        assert_eq!(percent(None, Some(1)), None);
    }

    #[test]
    fn locks_are_named_after_what_they_are_on() {
        let check = |mode, kind, relation, expected: &str| {
            assert_eq!(named(mode, kind, relation), expected);
        };
        let exclusive = "AccessExclusiveLock";
        check(
            exclusive,
            "relation",
            "public.t",
            "AccessExclusiveLock on public.t",
        );
        check("ShareLock", "advisory", "", "ShareLock (advisory)");
        check(exclusive, "tuple", "public.t", "a row of public.t");
        let writer = "the end of a transaction that changed a row";
        check("ShareLock", "transactionid", "", writer);
    }
}
