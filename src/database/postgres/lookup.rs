//! Finds the version table and what is in doubt about it.
//!
//! Every command begins with this, so tables that migrator has made and nobody has changed take one
//! query, which uses indexes alone. Whatever that leaves open is asked in full.

use sqlx::{PgConnection, Row, postgres::PgRow, postgres::types::Oid};

use super::{
    super::{DatabaseError, SqlFailure},
    error,
    message::{PINNED, literal, unpinned_rows},
    trust::{self, Relation},
    version_table::{self, Presence, Trouble, VersionTable},
};

/// Finds the version table: in the schema of its qualified name, or in the first schema of the
/// search path. Creates nothing.
pub(super) async fn resolve(
    connection: &mut PgConnection,
    configured: &str,
) -> Result<VersionTable, DatabaseError> {
    let (schema, name) = split_name(configured).map_err(DatabaseError::Other)?;
    let found = find(connection, schema.as_deref(), &name)
        .await
        .map_err(|error| asking(&error))?;
    let Some(home) = found.home else {
        let Some(schema) = schema else {
            let closed = closed(connection).await.map_err(|error| asking(&error))?;
            return Err(closed.unwrap_or_else(|| nowhere(&name)));
        };
        return Err(DatabaseError::MissingSchema {
            schema,
            table: name,
        });
    };
    let is_there = found.names.contains(&name);
    let presence = match is_there {
        true => Presence::There,
        false => Presence::Unknown,
    };
    let mut table = VersionTable::new(&home, &name, presence);
    table.note_others(is_there, found.others);
    let judged = table.judge(connection, &found.in_doubt).await;
    judged.map_err(|trouble| match trouble {
        Trouble::Ours(error) => error,
        Trouble::Theirs(error) => asking(&error),
    })?;
    Ok(table)
}

fn nowhere(name: &str) -> DatabaseError {
    DatabaseError::Sql(SqlFailure {
        message: format!(
            "no schema of the search path exists and may be used by this role, so there is no place \
             for {name}"
        ),
        hint: Some(
            "create the schema, GRANT USAGE on it, or name another one: \
             version-table = \"schema.table\""
                .into(),
        ),
        ..SqlFailure::default()
    })
}

/// What there is of a version table.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The schema that the name resolves to; `None` if there is none.
    pub home: Option<String>,
    /// The existing ones of the table's name and that of its log, in that schema.
    pub names: Vec<String>,
    /// The relations with these names, unless all are trusted and may be read and written.
    pub in_doubt: Vec<Relation>,
    /// Other possible version tables, with their schemas.
    pub others: Vec<String>,
}

/// Looks for the table `name` and its log in `schema`, or in the first schema of the search path.
pub(super) async fn find(
    connection: &mut PgConnection,
    schema: Option<&str>,
    name: &str,
) -> Result<Found, sqlx::Error> {
    if let Some(ranges) = ranges(name)
        && let Some(found) = find_plain(connection, schema, name, &ranges).await?
    {
        return Ok(found);
    }
    find_any(connection, schema, name).await
}

/// The kinds of relations that may be tables, as in pg_class.
const TABLES: [char; 5] = ['r', 'p', 'v', 'm', 'f'];

/// The kinds of relations that are no obstacle: indexes, TOAST tables and row types.
pub(super) const IGNORED: [char; 4] = ['i', 'I', 't', 'c'];

/// The maximum number of relations that the client looks through. A name that begins like those of
/// all other tables is left to the server.
const MOST: usize = 100;

/// A relation that may be meant.
#[derive(Debug)]
struct Candidate {
    schema: Oid,
    name: String,
    kind: char,
    /// See [`trust::is_plain`].
    is_plain: bool,
}

impl Candidate {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let kind: i8 = row.try_get(2)?;
        Ok(Self {
            schema: row.try_get(0)?,
            name: row.try_get(1)?,
            kind: char::from(kind.cast_unsigned()),
            is_plain: row.try_get(3)?,
        })
    }
}

/// [`find`] with one query that uses indexes alone; `None` if it leaves something open.
async fn find_plain(
    connection: &mut PgConnection,
    schema: Option<&str>,
    name: &str,
    ranges: &[(String, String)],
) -> Result<Option<Found>, sqlx::Error> {
    let rows = unpinned_rows(connection, &plain_query(schema, name, ranges)).await?;
    // The schema and its relations are distinguished by their columns.
    let (home, relations): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.len() == 3);
    let Some(home) = home.first() else {
        return Ok(Some(Found::default()));
    };
    let (home, id, is_open): (String, Oid, bool) =
        (home.try_get(0)?, home.try_get(1)?, home.try_get(2)?);
    let candidates = relations.into_iter().map(Candidate::of);
    let candidates = candidates.collect::<Result<Vec<_>, _>>()?;
    let log = format!("{name}_log");
    let is_ours = |one: &&Candidate| {
        one.schema == id && (one.name == name || one.name == log) && !IGNORED.contains(&one.kind)
    };
    let ours: Vec<_> = candidates.iter().filter(is_ours).collect();
    let is_settled = candidates.len() < MOST
        && ours.iter().all(|one| is_open && one.is_plain)
        && !has_others(&candidates, name, id, schema.is_none());
    Ok(is_settled.then(|| Found {
        home: Some(home),
        names: ours.iter().map(|one| one.name.clone()).collect(),
        ..Found::default()
    }))
}

/// Whether there may be other version tables, as [`version_table::others`] finds them.
fn has_others(candidates: &[Candidate], name: &str, home: Oid, is_unqualified: bool) -> bool {
    let table = name.to_lowercase();
    let log = format!("{name}_log").to_lowercase();
    let named = |wanted: &str| {
        let mut found = candidates.iter().filter(|one| TABLES.contains(&one.kind));
        let wanted = wanted.to_owned();
        std::iter::from_fn(move || found.find(|one| one.name.to_lowercase() == wanted))
    };
    named(&table).any(|one| {
        let is_meant = one.schema == home && one.name == name;
        !is_meant
            && (is_unqualified || one.schema == home)
            && named(&log).any(|log| log.schema == one.schema)
    })
}

fn plain_query(schema: Option<&str>, name: &str, ranges: &[(String, String)]) -> String {
    // Where the schema is known, only its own tables matter. There may be a version table in each of
    // hundreds of others.
    let at_home = schema.map_or_else(String::new, |schema| {
        let schema = literal(schema);
        format!(
            " AND c.relnamespace = (SELECT h.oid FROM pg_namespace AS h WHERE h.nspname = {schema}::name)"
        )
    });
    let (home, is_open) = match schema {
        // It is one that the role may use.
        None => ("pg_catalog.current_schema()".to_owned(), "true"),
        Some(schema) => (
            literal(schema),
            "pg_catalog.has_schema_privilege(n.oid, 'USAGE')",
        ),
    };
    format!(
        "SELECT n.nspname, n.oid, {is_open} FROM pg_catalog.pg_namespace AS n \
         WHERE n.nspname OPERATOR(pg_catalog.=) {home};\n{};\n\
         SELECT c.relnamespace, c.relname, c.relkind, ({}) IS TRUE FROM pg_class AS c WHERE {}{at_home} LIMIT {MOST}",
        PINNED.join(";\n"),
        trust::is_plain(&[name, &format!("{name}_log")]),
        within(ranges, "c"),
    )
}

/// The ranges of names that begin like `name`, in lower and upper case, in the order of bytes: the
/// first name of each, and the first one beyond it. `None` if not every name that differs from
/// `name` in case alone is in them.
pub(super) fn ranges(name: &str) -> Option<Vec<(String, String)>> {
    /// More characters would need more ranges, and planning takes longer than looking through the
    /// tables.
    const CHARACTERS: usize = 2;
    let mut starts = vec![String::new()];
    let simple = name.chars().take_while(char::is_ascii_graphic);
    for c in simple.take(CHARACTERS) {
        let cases = [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
        let cases = &cases[..if cases[0] == cases[1] { 1 } else { 2 }];
        let longer = starts
            .iter()
            .flat_map(|start| cases.iter().map(move |c| format!("{start}{c}")));
        starts = longer.collect();
    }
    let beyond = |start: &String| {
        let mut chars = start.chars();
        let last = chars.next_back()?;
        let next = char::from_u32(u32::from(last) + 1)?;
        Some((start.clone(), format!("{}{next}", chars.as_str())))
    };
    starts.iter().map(beyond).collect()
}

/// The condition that `alias`, a pg_class, is in one of the ranges.
pub(super) fn within(ranges: &[(String, String)], alias: &str) -> String {
    let ranges = ranges.iter().map(|(first, beyond)| {
        let (first, beyond) = (literal(first), literal(beyond));
        format!("{alias}.relname >= {first} AND {alias}.relname < {beyond}")
    });
    format!("({})", ranges.collect::<Vec<_>>().join(" OR "))
}

/// Expressions that run under the session's search path, so that [`PATH`] and [`HOME`] can be read
/// when that is pinned.
pub(super) const NOTE_PATH: &str = "SELECT pg_catalog.set_config('migrator.path', \
     pg_catalog.current_schemas(false)::pg_catalog.text, true), \
     pg_catalog.set_config('migrator.home', pg_catalog.current_schema()::pg_catalog.text, true)";

/// The first existing schema of the search path, in which new tables are created; see [`PATH`]. No
/// schema has an empty name.
const HOME: &str = "coalesce(current_setting('migrator.home'), '')::name";

/// The existing schemas of the session's search path, after [`NOTE_PATH`] has run in the same
/// message.
pub(super) const PATH: &str = "current_setting('migrator.path')::name[]";

/// [`find`] with all facts that decide whether the relations are trusted, and all other possible
/// version tables.
async fn find_any(
    connection: &mut PgConnection,
    schema: Option<&str>,
    name: &str,
) -> Result<Found, sqlx::Error> {
    let home = schema.map_or_else(
        || HOME.to_owned(),
        |schema| format!("{}::name", literal(schema)),
    );
    let relations = version_table::relations(name, &home);
    let within = |alias: &str| ranges(name).map_or_else(|| "true".into(), |it| within(&it, alias));
    let others = version_table::others(name, &home, schema.is_none(), within);
    let sql = format!(
        "{NOTE_PATH};\n{};\n\
         SELECT n.nspname::text FROM pg_namespace AS n WHERE n.nspname = {home};\n\
         {relations};\n{others}",
        PINNED.join(";\n")
    );
    let rows = unpinned_rows(connection, &sql).await?;
    let mut found = Found::default();
    // The first row is that of the path; the others are distinguished by their columns.
    for row in rows.iter().skip(1) {
        match row.len() {
            1 => found.home = Some(row.try_get(0)?),
            2 => {
                let (schema, table): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                found.others.push(format!("{schema}.{table}"));
            }
            _ => {
                let relation = Relation::of(row)?;
                found.names.push(relation.name.clone());
                found.in_doubt.push(relation);
            }
        }
    }
    Ok(found)
}

/// The schemas of the search path that exist but that the role may not use.
async fn closed(connection: &mut PgConnection) -> Result<Option<DatabaseError>, sqlx::Error> {
    let sql = "SELECT n.nspname::pg_catalog.text, CURRENT_USER::pg_catalog.text \
         FROM pg_catalog.pg_namespace AS n \
         JOIN pg_catalog.unnest(pg_catalog.string_to_array(\
         pg_catalog.current_setting('search_path'), ',')) AS p(item) \
         ON n.nspname OPERATOR(pg_catalog.=) (CASE pg_catalog.btrim(p.item) \
         WHEN '\"$user\"' THEN CURRENT_USER::pg_catalog.text \
         ELSE pg_catalog.btrim(p.item, ' \"') END)::pg_catalog.name \
         ORDER BY n.nspname";
    let mut names = Vec::new();
    let mut role = String::new();
    for row in unpinned_rows(connection, sql).await? {
        names.push(row.try_get::<String, _>(0)?);
        role = row.try_get(1)?;
    }
    Ok((!names.is_empty()).then(|| DatabaseError::MissingRights {
        role,
        rights: "USAGE".to_owned(),
        object: format!("the schema {}", names.join(" or ")),
    }))
}

fn asking(error: &sqlx::Error) -> DatabaseError {
    match error::from_server(error) {
        Some(server) => DatabaseError::Sql(error::failure(server, None)),
        None => DatabaseError::ConnectionLost(error::reason(error)),
    }
}

/// The schema and the table of a configured name; each may be in double quotes.
pub(super) fn split_name(configured: &str) -> Result<(Option<String>, String), String> {
    let mut parts = vec![String::new()];
    let mut characters = configured.trim().chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        let part = parts.last_mut().expect("there is always one");
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => part.push('"'),
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            other => part.push(other),
        }
    }
    if quoted || parts.iter().any(String::is_empty) || parts.len() > 2 {
        return Err(format!("`{configured}` is not a table's name"));
    }
    let name = parts.pop().expect("there is always one");
    // PostgreSQL silently truncates longer names, and the name of the log is `_log` longer.
    if name.len() > 59 {
        return Err(format!("the table's name `{name}` is longer than 59 bytes"));
    }
    Ok((parts.pop(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_may_be_qualified_and_quoted() {
        let check = |text: &str, schema: Option<&str>, name: &str| {
            let expected = (schema.map(str::to_owned), name.to_owned());
            assert_eq!(split_name(text), Ok(expected), "{text}");
        };
        check("t", None, "t");
        check("Mixed", None, "Mixed");
        check("s.t", Some("s"), "t");
        check("\"a.b\".\"c \"\"d\"", Some("a.b"), "c \"d");
        for text in ["", ".t", "s.", "a.b.c", "\"t", &"x".repeat(60)] {
            assert!(split_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_that_differ_in_case_are_in_the_ranges() {
        let check = |name: &str, other: &str, expected: bool| {
            let ranges = ranges(name).unwrap();
            let found = ranges
                .iter()
                .any(|(first, beyond)| first.as_str() <= other && other < beyond.as_str());
            assert_eq!(found, expected, "{name} {other}");
        };
        check("migrator_version", "migrator_version_log", true);
        check("migrator_version", "MIGRATOR_VERSION", true);
        check("Migrator_version", "mIGRATOR_version", true);
        check("migrator_version", "m", false);
        check("migrator_version", "mj", false);
        check("v", "V_log", true);
        check("_7", "_7_log", true);
        check("~~", "~~", true);
        check("aż", "ażur", true);
        assert_eq!(ranges("żółw"), None);
        assert_eq!(ranges("migrator").unwrap().len(), 4);
    }

    #[test]
    fn other_version_tables_have_a_log_beside_them() {
        let candidate = |schema, name: &str| Candidate {
            schema: Oid(schema),
            name: name.to_owned(),
            kind: 'r',
            is_plain: true,
        };
        let check = |found: &[(u32, &str)], unqualified, qualified| {
            let found = found.iter().map(|(schema, name)| candidate(*schema, name));
            let found: Vec<_> = found.collect();
            let others = |is_unqualified| has_others(&found, "v", Oid(1), is_unqualified);
            assert_eq!((others(true), others(false)), (unqualified, qualified));
        };
        let ours = [(1, "v"), (1, "v_log")];
        check(&ours, false, false);
        check(&[ours[0], ours[1], (2, "v")], false, false);
        check(&[ours[0], ours[1], (2, "v"), (2, "v_LOG")], true, false);
        check(&[ours[0], ours[1], (1, "V")], true, true);
        check(&[(1, "V"), (1, "V_log")], true, true);
        check(&[(2, "v"), (3, "v_log")], false, false);
    }
}
