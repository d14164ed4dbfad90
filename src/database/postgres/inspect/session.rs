//! The messages that read the catalogs.

use std::collections::BTreeSet;

use sqlx::{PgConnection, postgres::PgRow};

use super::{
    super::message::for_each_answer,
    Version,
    catalog::Catalog,
    fields::{Fault, Fields},
    kept::{Fresh, Kept, Part},
    query::{Query, Reach},
    watch::{self, Watching},
};

/// Commands before the queries. The settings end with the transaction.
///
/// The search path makes every name in the queries one of pg_catalog, and gives every other name in
/// expressions its schema. The other settings are those on which the text of constants depends.
const BEGIN: [&str; 12] = [
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL search_path TO pg_catalog, pg_temp",
    "SET LOCAL TimeZone TO 'UTC'",
    "SET LOCAL DateStyle TO 'ISO, YMD'",
    "SET LOCAL IntervalStyle TO 'postgres'",
    "SET LOCAL extra_float_digits TO 1",
    "SET LOCAL bytea_output TO 'hex'",
    "SET LOCAL xmlbinary TO 'base64'",
    "SET LOCAL lc_monetary TO 'C'",
    "SET LOCAL quote_all_identifiers TO off",
    "SET LOCAL standard_conforming_strings TO on",
    // The planner overestimates the work on catalogs.
    "SET LOCAL jit TO off",
];

/// Plans do not depend on parameters.
const GENERIC: &str = "SET LOCAL plan_cache_mode TO force_generic_plan";

/// How often the session has read the catalogs. Planning the queries takes more time than running them
/// on a small schema, so they are prepared when they are sent for the second time, and the rows are kept. A
/// session that reads once, and may be behind a pooler, prepares nothing.
#[derive(Default)]
pub(in crate::database::postgres) struct Reads(Stage);

#[derive(Default)]
enum Stage {
    #[default]
    None,
    Once,
    Prepared(Box<Kept>),
}

impl Reads {
    /// Whether there was no reading yet.
    pub fn is_none(&self) -> bool {
        matches!(self.0, Stage::None)
    }

    /// The stage at which the next reading prepares for others.
    pub fn expected() -> Self {
        Self(Stage::Once)
    }
}

/// Where the catalogs are read, and how.
pub(super) struct Reader<'a> {
    pub connection: &'a mut PgConnection,
    pub version: Version,
    pub queries: Vec<Query>,
}

/// The name of a prepared query.
fn prepared(index: usize) -> String {
    format!("migrator_inspect_{index}")
}

/// The name of the prepared query for the rows of some relations.
fn prepared_part(index: usize) -> String {
    format!("migrator_inspect_{index}_part")
}

/// The name of a prepared query for changes.
fn prepared_watch(index: usize) -> String {
    format!("migrator_watch_{index}")
}

impl Reader<'_> {
    /// Fills an empty catalog, and returns what is to be known for the next reading.
    pub async fn read(
        &mut self,
        reads: Reads,
        empty: impl Fn() -> Catalog,
    ) -> Result<(Catalog, Reads), Fault> {
        let mut catalog = empty();
        let kept = match reads.0 {
            Stage::None => {
                self.read_plainly(&mut catalog).await?;
                return Ok((catalog, Reads(Stage::Once)));
            }
            Stage::Once => self.read_all(true, &mut catalog).await?,
            Stage::Prepared(kept) => match self.read_changes(*kept, &mut catalog).await? {
                Some(kept) => kept,
                None => {
                    catalog = empty();
                    self.read_all(false, &mut catalog).await?
                }
            },
        };
        Ok((catalog, Reads(Stage::Prepared(Box::new(kept)))))
    }

    /// Sends all queries and passes each row to its query.
    async fn read_plainly(&mut self, catalog: &mut Catalog) -> Result<(), Fault> {
        let mut commands: Vec<String> = BEGIN.into_iter().map(str::to_owned).collect();
        let before = commands.len();
        commands.extend(self.queries.iter().map(Query::sql));
        commands.push("COMMIT".to_owned());
        let queries = &self.queries;
        let mut fault = None;
        // After a fault of a row, the rest is read all the same: it ends the transaction.
        let take = |command: usize, row: Option<PgRow>| {
            let query = command.checked_sub(before).and_then(|at| queries.get(at));
            if fault.is_some() {
                return;
            }
            fault = match (query, row) {
                (Some(query), Some(row)) => (query.read)(catalog, &mut Fields::of(&row)).err(),
                (Some(query), None) => (query.end)(catalog).err(),
                (None, Some(_)) => Some(Fault::Malformed("an unexpected row".into())),
                (None, None) => None,
            };
        };
        for_each_answer(self.connection, &commands.join(";\n"), take).await?;
        fault.map_or(Ok(()), Err)
    }

    /// Reads everything by prepared queries, which are prepared here if they are `new`.
    async fn read_all(&mut self, new: bool, catalog: &mut Catalog) -> Result<Kept, Fault> {
        let mut message = Commands::new();
        if new {
            self.prepare(&mut message);
        }
        let mut watching = Watching::new(None);
        message.watch(&watching);
        for index in 0..self.queries.len() {
            message.push(
                Some(Answer::Query(index)),
                format!("EXECUTE {}", prepared(index)),
            );
        }
        message.push(None, "COMMIT".to_owned());
        let mut rows = self.no_rows();
        let queries = &self.queries;
        let mut fault = None;
        // Facts are made while the server goes on.
        let each = |index: usize, row: Option<PgRow>| {
            let query: &Query = &queries[index];
            if fault.is_none() {
                let done = match &row {
                    Some(row) => (query.read)(catalog, &mut Fields::of(row)),
                    None => (query.end)(catalog),
                };
                fault = done.err();
            }
            rows[index].extend(row);
        };
        message.send(self.connection, &mut watching, each).await?;
        fault.map_or(Ok(()), Err)?;
        let (marks, _) = watching.end();
        Kept::new(&self.queries, marks, rows, catalog)
    }

    fn prepare(&self, message: &mut Commands) {
        for (index, query) in self.queries.iter().enumerate() {
            message.push(
                None,
                format!("PREPARE {} AS {}", prepared(index), query.sql()),
            );
            if let Some(part) = query.sql_of_relations() {
                let name = prepared_part(index);
                message.push(None, format!("PREPARE {name} (oid[]) AS {part}"));
            }
        }
        for (index, (types, sql)) in watch::queries(self.version).iter().enumerate() {
            message.push(
                None,
                format!("PREPARE {} {types} AS {sql}", prepared_watch(index)),
            );
        }
    }

    /// Reads what has changed since the last reading; `None` if everything has to be read.
    async fn read_changes(
        &mut self,
        kept: Kept,
        catalog: &mut Catalog,
    ) -> Result<Option<Kept>, Fault> {
        let mut rows = self.no_rows();
        let mut keep = |index: usize, row: Option<PgRow>| rows[index].extend(row);
        let mut watching = Watching::new(Some(&kept.marks));
        let mut message = Commands::new();
        message.watch(&watching);
        let is_outside = |query: &Query| query.reach == Reach::Server;
        for (index, query) in self.queries.iter().enumerate() {
            if is_outside(query) {
                message.push(
                    Some(Answer::Query(index)),
                    format!("EXECUTE {}", prepared(index)),
                );
            }
        }
        message
            .send(self.connection, &mut watching, &mut keep)
            .await?;
        let (marks, changes) = watching.end();
        let mut parts = kept.parts(&self.queries, &changes);
        let relations = kept.relations(&changes);
        let mut message = Commands::default();
        if changes.names {
            message.push(None, "COMMIT".to_owned());
            message
                .send(self.connection, &mut Watching::new(None), &mut keep)
                .await?;
            return Ok(None);
        }
        let list = array(&relations);
        for (index, part) in parts.iter().enumerate() {
            let sql = match part {
                Part::Nothing => continue,
                Part::Everything => format!("EXECUTE {}", prepared(index)),
                Part::OfRelations => format!("EXECUTE {} ('{list}')", prepared_part(index)),
            };
            message.push(Some(Answer::Query(index)), sql);
        }
        message.push(None, "COMMIT".to_owned());
        message
            .send(self.connection, &mut Watching::new(None), &mut keep)
            .await?;
        for (part, query) in parts.iter_mut().zip(&self.queries) {
            if is_outside(query) {
                *part = Part::Everything;
            }
        }
        let fresh = Fresh {
            marks,
            parts,
            relations,
            rows,
        };
        kept.update(&self.queries, fresh, catalog)
    }

    fn no_rows(&self) -> Vec<Vec<PgRow>> {
        self.queries.iter().map(|_| Vec::new()).collect()
    }
}

/// What the answer to a command is for.
#[derive(Clone, Copy)]
enum Answer {
    /// The query for changes with this number.
    Watch(usize),
    /// The query of the catalogs with this number.
    Query(usize),
}

/// The commands of a message.
#[derive(Default)]
struct Commands {
    sql: Vec<String>,
    answers: Vec<Option<Answer>>,
}

impl Commands {
    /// Commands that begin a transaction.
    fn new() -> Self {
        let mut commands = Self::default();
        for command in BEGIN.into_iter().chain([GENERIC]) {
            commands.push(None, command.to_owned());
        }
        commands
    }

    fn push(&mut self, answer: Option<Answer>, sql: String) {
        self.answers.push(answer);
        self.sql.push(sql);
    }

    /// Adds the queries for changes.
    fn watch(&mut self, watching: &Watching<'_>) {
        for index in 0..watch::QUERIES {
            let name = prepared_watch(index);
            let sql = match index {
                0 => format!("EXECUTE {name}"),
                _ => format!("EXECUTE {name} {}", watching.parameters()),
            };
            self.push(Some(Answer::Watch(index)), sql);
        }
    }

    /// Sends the message. Passes each row of a query to `each`, and nothing at the end of its rows.
    async fn send(
        &self,
        connection: &mut PgConnection,
        watching: &mut Watching<'_>,
        mut each: impl FnMut(usize, Option<PgRow>),
    ) -> Result<(), Fault> {
        let mut fault = Ok(());
        // After a fault of a row, the rest is read all the same.
        let take = |command: usize, row: Option<PgRow>| match (
            self.answers.get(command).copied().flatten(),
            row,
        ) {
            (Some(Answer::Query(index)), row) => each(index, row),
            (Some(Answer::Watch(index)), Some(row)) if fault.is_ok() => {
                fault = watching.read(index, &row);
            }
            (Some(Answer::Watch(_)), _) | (None, None) => {}
            (None, Some(_)) => fault = Err(Fault::Malformed("an unexpected row".into())),
        };
        for_each_answer(connection, &self.sql.join(";\n"), take).await?;
        fault
    }
}

/// OIDs as the text of an array.
fn array(oids: &BTreeSet<u32>) -> String {
    let oids: Vec<String> = oids.iter().map(u32::to_string).collect();
    format!("{{{}}}", oids.join(","))
}
