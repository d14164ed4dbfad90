//! Statements that lead from one SQLite schema to another, proven on real files with rows.

mod mutations;
mod pairs;
mod random;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use migrator::{
    Migrator,
    internals::{
        generate::{Fill, Migration, MigrationOptions, Refusal, migrate},
        schema::{Schema, compare},
        sql::{Dialect, lex},
    },
};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use tokio::task::JoinSet;

use crate::schema_sqlite::{connect, file_of, inspect, lines, run};

/// What the proof of a pair found.
struct Proven {
    up: Migration,
    /// The rows at the end of the up.
    rows: Rows,
}

/// Why a pair is not proven.
#[derive(Debug)]
enum Failure {
    Refused(String),
    /// The rows do not satisfy the new schema.
    Rows(String),
    Wrong(String),
}

fn options(fills: &[&str]) -> MigrationOptions {
    let fills = fills.iter().map(|fill| fill.parse::<Fill>().unwrap());
    MigrationOptions {
        fills: fills.collect(),
        apart: false,
    }
}

/// Proves the statements from `from`, with rows, to `to` and back.
async fn prove(from: &str, rows: &str, to: &str, fills: &[&str]) -> Result<Proven, Failure> {
    let (file, target) = (file_of(from).await, file_of(to).await);
    let path = &file.path;
    if let Err(error) = run(path, rows).await {
        return Err(Failure::Rows(format!("rows: {error}")));
    }
    let (start, end) = (inspect(path).await, inspect(&target.path).await);
    let refused = |refusals: Vec<Refusal>| Failure::Refused(format!("{refusals:?}"));
    let plan = |from: &Schema, to: &Schema| {
        let migration = migrate(from, to, &options(fills)).map_err(refused)?;
        let again = migrate(from, to, &options(fills)).map_err(refused)?;
        assert_eq!(migration, again, "not deterministic");
        Ok(migration)
    };
    let (up, down) = (plan(&start, &end)?, plan(&end, &start)?);
    let texts = (up.to_string(), down.to_string());
    // Failures that the rows are the reason of.
    let is_of_rows = |error: &str| {
        let words = [
            "constraint failed",
            "cannot store",
            "datatype mismatch",
            "ForeignKeys(",
        ];
        words.iter().any(|word| error.contains(word))
    };
    let wrong = |what: String| {
        let (up, down) = &texts;
        Failure::Wrong(format!("{what}\n--- up\n{up}\n--- down\n{down}"))
    };
    let scripts = [("1_it.up.sql", &texts.0), ("1_it.down.sql", &texts.1)];
    let migrator = Migrator::embedded(scripts).allow_nonempty(true);
    let mut session = migrator.connect(&file.url).await.unwrap();
    let first = (catalog(path).await, Rows::read(path).await);
    let check = |what: &str, schema: &Schema, wanted: &Schema| {
        let difference = lines(&compare(schema, wanted));
        match difference.is_empty() {
            true => Ok(()),
            false => Err(wrong(format!("{what}: {difference:#?}"))),
        }
    };
    if let Err(error) = session.upgrade("head").await {
        let error = format!("up: {error:?}");
        return Err(match is_of_rows(&error) {
            true => Failure::Rows(error),
            false => wrong(error),
        });
    }
    let reached = inspect(path).await;
    check("up", &reached, &end)?;
    let phantom = plan(&reached, &end)?;
    if !phantom.statements.is_empty() {
        return Err(wrong(format!("found again: {phantom}")));
    }
    let second = (catalog(path).await, Rows::read(path).await);
    same("up", &second.0, &catalog(&target.path).await).map_err(wrong)?;
    second.1.kept("up", &first.1, None).map_err(wrong)?;
    if let Err(error) = session.downgrade("base").await {
        let error = format!("down: {error:?}");
        return Err(match is_of_rows(&error) {
            true => Failure::Rows(error),
            false => wrong(error),
        });
    }
    check("down", &inspect(path).await, &start)?;
    let third = (catalog(path).await, Rows::read(path).await);
    same("down", &third.0, &first.0).map_err(wrong)?;
    third
        .1
        .kept("down", &first.1, Some(&second.1))
        .map_err(wrong)?;
    if let Err(error) = session.upgrade("head").await {
        return Err(match format!("{error:?}") {
            error if is_of_rows(&error) => Failure::Rows(error),
            error => wrong(format!("up again: {error}")),
        });
    }
    check("up again", &inspect(path).await, &end)?;
    session.close().await.unwrap();
    Ok(Proven { up, rows: second.1 })
}

/// What sqlite_schema and the pragmas say, one line a fact.
async fn catalog(file: &Path) -> BTreeSet<String> {
    let mut connection = connect(file).await;
    let mut facts = BTreeSet::new();
    let of_tables = "SELECT 'table', lower(name), type, wr, strict FROM pragma_table_list
        WHERE schema = 'main' AND type NOT IN ('shadow', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND name NOT LIKE 'migrator\\_%' ESCAPE '\\'";
    let of_texts = "SELECT type, name, tbl_name, sql FROM sqlite_schema
        WHERE (type <> 'table' OR sql LIKE 'create virtual%') AND sql IS NOT NULL
            AND tbl_name NOT LIKE 'migrator\\_%' ESCAPE '\\'";
    let tables = query(&mut connection, of_tables).await;
    for mut text in query(&mut connection, of_texts).await {
        text[2] = text[2].to_lowercase();
        text[3] = plain(&text[3]);
        facts.insert(text.join("|"));
    }
    for table in tables {
        let name = table[1].replace('\'', "''");
        for part in [
            format!(
                "SELECT 'column', lower(name), lower(type), \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo('{name}')"
            ),
            format!(
                "SELECT 'key', lower(\"table\"), on_update, on_delete, \"match\", group_concat(lower(\"from\") || ' ' || coalesce(lower(\"to\"), '')) FROM pragma_foreign_key_list('{name}') GROUP BY id"
            ),
            format!(
                "SELECT 'index', \"unique\", origin, partial, (SELECT group_concat(coalesce(lower(x.name), '') || x.desc || upper(x.coll) || x.key) FROM pragma_index_xinfo(l.name) AS x WHERE key) FROM pragma_index_list('{name}') AS l"
            ),
            format!(
                "SELECT 'autoincrement' FROM sqlite_schema WHERE lower(name) = '{name}' AND type = 'table' AND sql LIKE '%autoincrement%'"
            ),
        ] {
            for row in query(&mut connection, &part).await {
                let mut row = row.join("|");
                if row.starts_with("column") {
                    row = plain(&row);
                }
                let mut fact = format!("{}|{row}", table[1]);
                while !facts.insert(fact.clone()) {
                    fact += "'";
                }
            }
        }
        facts.insert(table.join("|"));
    }
    let check = query(&mut connection, "PRAGMA integrity_check").await;
    assert_eq!(check, [["ok"]], "integrity_check");
    connection.close().await.unwrap();
    facts
}

/// A text without white space and quotes of names, in lower case.
fn plain(text: &str) -> String {
    let tokens = lex(Dialect::Sqlite, text.as_bytes()).filter(|token| !token.is_blank());
    let text: String = tokens.map(|token| &text[token.start..token.end]).collect();
    let is_kept = |c: &char| !c.is_whitespace() && !['"', '`', '[', ']', '(', ')'].contains(c);
    text.to_lowercase().chars().filter(is_kept).collect()
}

fn same(what: &str, found: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    let (more, less): (Vec<_>, Vec<_>) = (
        found.difference(wanted).collect(),
        wanted.difference(found).collect(),
    );
    Err(format!(
        "{what}: catalog has {more:#?} instead of {less:#?}"
    ))
}

async fn query(connection: &mut SqliteConnection, sql: &str) -> Vec<Vec<String>> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    let rows = query.fetch_all(connection).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let text = |row: &sqlx::sqlite::SqliteRow, at: usize| {
        let text = row.try_get_unchecked::<Option<String>, _>(at);
        text.ok().flatten().unwrap_or_default()
    };
    rows.iter()
        .map(|row| (0..row.len()).map(|at| text(row, at)).collect())
        .collect()
}

/// The rows of all tables.
#[derive(Debug)]
struct Rows {
    tables: BTreeMap<String, TableRows>,
    /// sqlite_sequence.
    counters: BTreeMap<String, String>,
}

#[derive(Debug)]
struct TableRows {
    is_virtual: bool,
    /// The declared types by name; of [`ROWID`], the column that is the rowid.
    columns: BTreeMap<String, String>,
    rows: Vec<BTreeMap<String, String>>,
}

/// What stands for the rowid among columns.
const ROWID: &str = "(rowid)";

impl Rows {
    async fn read(file: &Path) -> Self {
        let mut connection = connect(file).await;
        let listed = "SELECT lower(name), type, wr FROM pragma_table_list
            WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                AND name NOT LIKE 'migrator\\_%' ESCAPE '\\'";
        let mut tables = BTreeMap::new();
        for table in query(&mut connection, listed).await {
            let name = table[0].replace('\'', "''");
            let of_columns = format!(
                "SELECT lower(name), lower(type) FROM pragma_table_xinfo('{name}') WHERE hidden = 0"
            );
            let listed = query(&mut connection, &of_columns).await;
            let mut columns: Vec<(String, String)> = listed
                .into_iter()
                .map(|row| (row[0].clone(), row[1].clone()))
                .collect();
            let columns_of = format!("SELECT lower(name) FROM pragma_table_xinfo('{name}')");
            let all = query(&mut connection, &columns_of).await.concat();
            let mut names = ["rowid", "_rowid_"].into_iter();
            let rowid = names.find(|name| !all.iter().any(|column| column == name));
            if rowid.is_some() && table[2] == "0" {
                let of_alias = format!(
                    "SELECT name FROM pragma_table_info('{name}') AS c WHERE lower(type) = 'integer' AND pk = 1 AND NOT EXISTS
                        (SELECT 1 FROM pragma_index_list('{name}') WHERE origin = 'pk')"
                );
                // What is the rowid may change.
                let alias = query(&mut connection, &of_alias).await.concat().concat();
                columns.push((ROWID.to_owned(), alias));
            }
            let values = columns.iter().map(|(name, _)| match name.as_str() {
                ROWID => format!("quote({})", rowid.unwrap_or_default()),
                name => format!("quote(\"{}\")", name.replace('"', "\"\"")),
            });
            let sql = format!(
                "SELECT {} FROM \"{}\"",
                values.collect::<Vec<_>>().join(", "),
                table[0].replace('"', "\"\"")
            );
            let rows = query(&mut connection, &sql).await.into_iter();
            let named = |row: Vec<String>| columns.iter().map(|it| it.0.clone()).zip(row).collect();
            let rows = TableRows {
                is_virtual: table[1] == "virtual",
                rows: rows.map(named).collect(),
                columns: columns.clone().into_iter().collect(),
            };
            tables.insert(table[0].clone(), rows);
        }
        let has_counters = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'";
        let mut counters = BTreeMap::new();
        if !query(&mut connection, has_counters).await.is_empty() {
            let sql = "SELECT lower(name), seq FROM sqlite_sequence";
            let all = query(&mut connection, sql).await;
            counters.extend(all.into_iter().map(|row| (row[0].clone(), row[1].clone())));
        }
        connection.close().await.unwrap();
        Self { tables, counters }
    }

    /// Whether the rows of `before` are here wherever their columns live on, also those of `between`.
    fn kept(&self, what: &str, before: &Self, between: Option<&Self>) -> Result<(), String> {
        for (name, old) in &before.tables {
            let (Some(new), middle) =
                (self.tables.get(name), between.map(|it| it.tables.get(name)))
            else {
                continue;
            };
            if middle.is_some_and(|middle| middle.is_none()) || new.is_virtual != old.is_virtual {
                continue;
            }
            let is_kept =
                |it: &TableRows, column: &str| it.columns.get(column) == old.columns.get(column);
            let kept: Vec<&String> = old
                .columns
                .keys()
                .filter(|column| is_kept(new, column) && !gets_values(old, new, column))
                .filter(|column| {
                    middle
                        .flatten()
                        .is_none_or(|middle| is_kept(middle, column))
                })
                .collect();
            let values = |table: &TableRows| {
                let row = |row: &BTreeMap<String, String>| {
                    kept.iter()
                        .map(|column| row[*column].clone())
                        .collect::<Vec<_>>()
                        .join("|")
                };
                let mut rows: Vec<String> = table.rows.iter().map(row).collect();
                rows.sort_unstable();
                rows
            };
            if values(old) != values(new) {
                return Err(format!(
                    "{what}: rows of {name} ({kept:?}) were {:?} and are {:?}",
                    values(old),
                    values(new)
                ));
            }
        }
        for (name, old) in &before.counters {
            let new = self.counters.get(name);
            let is_gone = new.is_none() && !self.counters.contains_key(name);
            if !is_gone
                && new != Some(old)
                && between.is_none_or(|it| it.counters.contains_key(name))
            {
                return Err(format!(
                    "{what}: the counter of {name} was {old} and is {new:?}"
                ));
            }
        }
        Ok(())
    }
}

/// A name, the schema before, rows in it, and the schema after.
type Pair = (&'static str, String, &'static str, String);

/// Whether NULL in a column of `old` was replaced, since `new` refuses it.
fn gets_values(old: &TableRows, new: &TableRows, column: &str) -> bool {
    let has_null = |it: &TableRows| it.rows.iter().any(|row| row[column] == "NULL");
    has_null(old) && !has_null(new)
}

/// Proves pairs and lists what is not proven.
async fn prove_all(pairs: impl IntoIterator<Item = Pair>) {
    let mut pairs = pairs.into_iter().peekable();
    let mut failures = Vec::new();
    while pairs.peek().is_some() {
        // Most of the time goes into waiting for the disk.
        let mut tasks = JoinSet::new();
        for (name, from, rows, to) in pairs.by_ref().take(16) {
            tasks.spawn(async move {
                let failure = prove(&from, rows, &to, &[]).await.err()?;
                Some(match failure {
                    Failure::Wrong(what) | Failure::Refused(what) | Failure::Rows(what) => {
                        format!("=== {name}\n{what}")
                    }
                })
            });
        }
        failures.extend(tasks.join_all().await.into_iter().flatten());
    }
    assert!(
        failures.is_empty(),
        "{} failed\n{}",
        failures.len(),
        failures.join("\n")
    );
}
