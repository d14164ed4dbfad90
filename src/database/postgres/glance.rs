//! A cheap look at many schemas of one database: a query of the catalog and one of the version tables
//! for about two hundred of them, in one snapshot.

use std::collections::HashMap;

use sqlx::{Connection, PgConnection, Row};

use super::{
    super::{DatabaseError, Detail, Glance, Known, Settings, StateDigest, state_digest},
    connect, error,
    lookup::{IGNORED, ranges, split_name, within},
    message::{PINNED, literal, unpinned_rows},
    options::ServerOptions,
    trust, url, usual_timeouts,
    version_table::{Presence, VersionTable},
};
use crate::revision::Observed;

/// The schemas of one query. The server plans a query of more tables for longer than it runs.
const AT_ONCE: usize = 200;

/// The columns of the version table and its log in the layout of this version, dropped ones included.
pub(super) const ATTRIBUTES: (i64, i64) = (23, 11);

/// Looks at the version tables in `schemas`. Everything that is unusual is [`Glance::Doubtful`].
///
/// # Errors
/// Fails when the server cannot be reached or the connection is lost.
pub(in crate::database) async fn glance(
    options: &ServerOptions,
    settings: &Settings,
    schemas: &[&str],
    known: Known<'_>,
) -> Result<Vec<Glance>, DatabaseError> {
    let place = url::place(options);
    let (_, name) = split_name(&settings.version_table).map_err(DatabaseError::Other)?;
    let options = connect::prepared(options, settings);
    let defaults = usual_timeouts(settings).options();
    let timeout = settings.connect_timeout;
    let (mut connection, _) = connect::open(&options, &defaults, timeout, &place).await?;
    let mut glances = Vec::with_capacity(schemas.len());
    for schemas in schemas.chunks(AT_ONCE) {
        let looked = look(&mut connection, &name, schemas, known).await;
        match looked {
            Ok(found) => glances.extend(found),
            // A session finds out what is wrong with one of them.
            Err(error) if error::from_server(&error).is_some() => {
                glances.extend(schemas.iter().map(|_| Glance::Doubtful));
            }
            Err(error) => return Err(DatabaseError::ConnectionLost(error::reason(&error))),
        }
        let ended = unpinned_rows(&mut connection, "ROLLBACK").await;
        ended.map_err(|error| DatabaseError::ConnectionLost(error::reason(&error)))?;
    }
    // Nothing is left to be done.
    let _ = connection.close().await;
    Ok(glances)
}

/// What the catalog tells of a schema.
#[derive(Debug, Default)]
struct Home {
    /// Whether the role may use it.
    is_open: bool,
    /// Relations with the name of the table or its log, in any case.
    relations: Vec<Relation>,
}

#[derive(Debug)]
struct Relation {
    name: String,
    /// Whether it is trusted and has the columns of this layout.
    is_plain: bool,
}

async fn look(
    connection: &mut PgConnection,
    name: &str,
    schemas: &[&str],
    known: Known<'_>,
) -> Result<Vec<Glance>, sqlx::Error> {
    let Some(ranges) = ranges(name) else {
        return Ok(schemas.iter().map(|_| Glance::Doubtful).collect());
    };
    let homes = homes(connection, name, schemas, &within(&ranges, "c")).await?;
    let judged: Vec<Verdict> = schemas
        .iter()
        .map(|schema| judge(homes.get(*schema), name))
        .collect();
    let tables: Vec<(usize, VersionTable)> = schemas
        .iter()
        .enumerate()
        .filter(|(index, _)| judged[*index] == Verdict::Readable)
        .map(|(index, schema)| (index, VersionTable::new(schema, name, Presence::There)))
        .collect();
    let mut digests = digests(connection, &tables).await?;
    let mut read: HashMap<StateDigest, Option<Observed>> = HashMap::new();
    for (index, mut table) in tables {
        let Some(digest) = digests.get(&index).copied().flatten() else {
            continue;
        };
        if known(&digest) || read.contains_key(&digest) {
            continue;
        }
        let observed = table.observe(connection, Detail::Brief).await.ok();
        if observed.is_none() {
            digests.insert(index, None);
        }
        read.insert(digest, observed);
    }
    let nothing = Observed::default();
    let absent = state_digest(&nothing);
    let one = |(index, verdict): (usize, &Verdict)| match verdict {
        Verdict::Missing => Glance::Missing,
        Verdict::Doubtful => Glance::Doubtful,
        Verdict::Absent => absent.map_or(Glance::Doubtful, |digest| Glance::State {
            digest,
            observed: (!known(&digest)).then(|| nothing.clone()),
        }),
        Verdict::Readable => match digests.get(&index).copied().flatten() {
            Some(digest) => state(digest, &read),
            None => Glance::Doubtful,
        },
    };
    Ok(judged.iter().enumerate().map(one).collect())
}

fn state(digest: StateDigest, read: &HashMap<StateDigest, Option<Observed>>) -> Glance {
    match read.get(&digest) {
        Some(None) => Glance::Doubtful,
        observed => Glance::State {
            digest,
            observed: observed.cloned().flatten(),
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Missing,
    Absent,
    Readable,
    Doubtful,
}

fn judge(home: Option<&Home>, name: &str) -> Verdict {
    let Some(home) = home else {
        return Verdict::Missing;
    };
    if !home.is_open {
        return Verdict::Doubtful;
    }
    let log = format!("{name}_log");
    let is_usable = |wanted: &str| {
        let mut found = home.relations.iter();
        found.any(|one| one.name == wanted && one.is_plain)
    };
    match home.relations.len() {
        0 => Verdict::Absent,
        2 if is_usable(name) && is_usable(&log) => Verdict::Readable,
        _ => Verdict::Doubtful,
    }
}

/// The schemas that exist, with their relations. A transaction that sees one snapshot is begun.
async fn homes(
    connection: &mut PgConnection,
    name: &str,
    schemas: &[&str],
    within: &str,
) -> Result<HashMap<String, Home>, sqlx::Error> {
    let log = format!("{name}_log");
    let names: Vec<_> = schemas.iter().map(|schema| literal(schema)).collect();
    let sql = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\n{};\n\
         SELECT n.nspname::text, has_schema_privilege(n.oid, 'USAGE')::text, c.relname::text, c.relkind::text, \
         (({}) IS TRUE)::text \
         FROM pg_namespace AS n LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND {within} \
         AND lower(c.relname::text) IN ({}, {}) \
         WHERE n.nspname = ANY (ARRAY[{}]::name[])",
        PINNED.join(";\n"),
        is_usable(name),
        literal(&name.to_lowercase()),
        literal(&log.to_lowercase()),
        names.join(", "),
    );
    let mut homes: HashMap<String, Home> = HashMap::new();
    for row in unpinned_rows(connection, &sql).await? {
        let home = homes.entry(row.try_get(0)?).or_default();
        home.is_open = row.try_get::<&str, _>(1)? == "true";
        let relation: Option<String> = row.try_get(2)?;
        let kind: Option<&str> = row.try_get(3)?;
        let is_ignored = kind
            .and_then(|kind| kind.chars().next())
            .is_none_or(|it| IGNORED.contains(&it));
        if let Some(name) = relation.filter(|_| !is_ignored) {
            let is_plain = row.try_get::<&str, _>(4)? == "true";
            home.relations.push(Relation { name, is_plain });
        }
    }
    Ok(homes)
}

/// A condition that `c`, a pg_class, is the table `name` or its log in the layout of this version, and trusted.
pub(super) fn is_usable(name: &str) -> String {
    let (of_table, of_log) = ATTRIBUTES;
    format!(
        "c.relnatts = CASE c.relname WHEN {}::name THEN {of_table} ELSE {of_log} END AND {}",
        literal(name),
        trust::is_plain(&[name, &format!("{name}_log")]),
    )
}

/// The digests of the version tables by their index; `None` for one with a row in doubt.
async fn digests(
    connection: &mut PgConnection,
    tables: &[(usize, VersionTable)],
) -> Result<HashMap<usize, Option<StateDigest>>, sqlx::Error> {
    let mut digests = HashMap::with_capacity(tables.len());
    if tables.is_empty() {
        return Ok(digests);
    }
    let parts = tables
        .iter()
        .map(|(index, table)| format!("SELECT {index}::text, {DIGEST} FROM {} AS t", table.quoted));
    let sql = parts.collect::<Vec<_>>().join("\nUNION ALL ");
    for row in unpinned_rows(connection, &sql).await? {
        let index: &str = row.try_get(0)?;
        if let Ok(index) = index.parse() {
            digests.insert(index, digest(row.try_get(1)?, row.try_get(2)?));
        }
    }
    Ok(digests)
}

/// The number of rows of `t`, a version table, that are in doubt, and a digest of what plans depend on: of
/// values with a separator between them that a message, the only free text, must not have.
pub(super) const DIGEST: &str = "count(*) FILTER (WHERE t.state <> 'applied' OR strpos(t.message, E'\\x1e') > '0')::text, \
     encode(sha256(convert_to(coalesce(string_agg(concat_ws(E'\\x1e', t.sequence, t.revision, t.kind, t.parents, \
     t.depends_on, t.up_checksum, coalesce(t.down_checksum, ''), t.message), E'\\x1e' ORDER BY t.sequence), ''), \
     'UTF8')), 'hex')";

/// The digest in an answer to [`DIGEST`]; `None` if a row is in doubt.
pub(super) fn digest(doubtful: &str, digest: &str) -> Option<StateDigest> {
    from_hex(digest).filter(|_| doubtful == "0")
}

fn from_hex(text: &str) -> Option<StateDigest> {
    let mut digest = [0; 32];
    let is_whole = text.len() == 2 * digest.len() && text.is_ascii();
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    is_whole.then_some(digest)
}
