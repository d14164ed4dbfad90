//! The messages that read the catalogs.

use std::collections::{BTreeSet, HashSet};

use sqlx::{PgConnection, postgres::PgRow};

use super::{
    super::message::for_each_answer,
    Version,
    catalog::Catalog,
    fields::{Fault, Fields},
    kept::{Fresh, Kept, Part},
    query::{Query, Reach},
    watch::{self, Changes, Marks, Watching},
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
/// on a small schema, so from the second reading on each is prepared when it is needed first, and the rows are
/// kept. A session that reads once, and may be behind a pooler, prepares nothing.
#[derive(Default)]
pub(in crate::database::postgres) struct Reads(Stage);

#[derive(Default)]
enum Stage {
    #[default]
    None,
    Once,
    Prepared(Box<(Prepared, Kept)>),
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

/// The names of the prepared queries of the session.
#[derive(Default)]
struct Prepared(HashSet<String>);

/// Where the catalogs are read, and how.
pub(super) struct Reader<'a> {
    pub connection: &'a mut PgConnection,
    pub version: Version,
    pub queries: Vec<Query>,
}

impl Reader<'_> {
    /// Fills an empty catalog, and returns what is to be known for the next reading.
    pub async fn read(
        &mut self,
        reads: Reads,
        empty: impl Fn() -> Catalog,
    ) -> Result<(Catalog, Reads), Fault> {
        let mut catalog = empty();
        let (mut prepared, kept) = match reads.0 {
            Stage::None => {
                self.read_plainly(&mut catalog).await?;
                return Ok((catalog, Reads(Stage::Once)));
            }
            Stage::Once => (Prepared::default(), None),
            Stage::Prepared(known) => {
                let (mut prepared, kept) = *known;
                let kept = self.read_changes(&mut prepared, kept, &mut catalog).await?;
                (prepared, kept)
            }
        };
        let kept = match kept {
            Some(kept) => kept,
            None => {
                catalog = empty();
                self.read_all(&mut prepared, &mut catalog).await?
            }
        };
        let known = Box::new((prepared, kept));
        Ok((catalog, Reads(Stage::Prepared(known))))
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

    /// Reads everything by prepared queries. Those that have no rows are not sent.
    async fn read_all(
        &mut self,
        prepared: &mut Prepared,
        catalog: &mut Catalog,
    ) -> Result<Kept, Fault> {
        let mut rows = self.no_rows();
        let (marks, _) = self.begin(prepared, None, &mut rows).await?;
        let parts = Kept::all_parts(&self.queries, &marks);
        self.read_parts(prepared, (&parts, &BTreeSet::new()), &mut rows)
            .await?;
        Kept::new(&self.queries, marks, rows, catalog)
    }

    /// Reads what has changed since the last reading; `None` if everything has to be read.
    async fn read_changes(
        &mut self,
        prepared: &mut Prepared,
        mut kept: Kept,
        catalog: &mut Catalog,
    ) -> Result<Option<Kept>, Fault> {
        let mut rows = self.no_rows();
        let before = std::mem::take(&mut kept.marks);
        let (marks, changes) = self.begin(prepared, Some(before), &mut rows).await?;
        let mut parts = kept.parts(&self.queries, &changes);
        let relations = kept.relations(&changes);
        self.read_parts(prepared, (&parts, &relations), &mut rows)
            .await?;
        for (part, query) in parts.iter_mut().zip(&self.queries) {
            if query.reach == Reach::Server {
                *part = Part::Everything;
            }
        }
        let fresh = Fresh {
            marks,
            parts,
            relations,
            updated: changes.updated,
            rows,
        };
        kept.update(&self.queries, fresh, catalog)
    }

    /// Begins a transaction, and reads what has changed and what cannot be watched.
    async fn begin(
        &mut self,
        prepared: &mut Prepared,
        before: Option<Marks>,
        rows: &mut [Vec<PgRow>],
    ) -> Result<(Marks, Changes), Fault> {
        let mut watching = Watching::new(before);
        let mut message = Commands::new();
        message.watch(prepared, self.version, &watching);
        for (index, query) in self.queries.iter().enumerate() {
            if query.reach == Reach::Server {
                message.whole(prepared, index, query);
            }
        }
        message.send(self.connection, &mut watching, rows).await?;
        for number in watching.lacking() {
            let mut left = HashSet::new();
            let mut fault = Ok(());
            let take = |_: usize, row: Option<PgRow>| match row.map(|row| Fields::of(&row).oid()) {
                Some(Ok(oid)) => {
                    left.insert(oid);
                }
                Some(Err(error)) => fault = Err(error),
                None => {}
            };
            for_each_answer(self.connection, &watch::left(number), take).await?;
            fault?;
            watching.keep(number, &left);
        }
        Ok(watching.end())
    }

    /// Reads parts of the queries, those of some relations among them, and ends the transaction.
    async fn read_parts(
        &mut self,
        prepared: &mut Prepared,
        (parts, relations): (&[Part], &BTreeSet<u32>),
        rows: &mut [Vec<PgRow>],
    ) -> Result<(), Fault> {
        let list = array(relations);
        let mut message = Commands::default();
        for (index, (part, query)) in parts.iter().zip(&self.queries).enumerate() {
            match part {
                Part::Nothing => {}
                Part::Everything => message.whole(prepared, index, query),
                Part::OfRelations => message.of_relations(prepared, (index, query), &list),
            }
        }
        message.push(None, "COMMIT".to_owned());
        let mut watching = Watching::new(None);
        message.send(self.connection, &mut watching, rows).await
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

    /// Adds a prepared query, which is prepared here if it is not yet.
    fn execute(
        &mut self,
        prepared: &mut Prepared,
        answer: Answer,
        (name, types, sql): (String, &str, String),
        parameters: &str,
    ) {
        if !prepared.0.contains(&name) {
            self.push(None, format!("PREPARE {name} {types} AS {sql}"));
        }
        self.push(Some(answer), format!("EXECUTE {name} {parameters}"));
        prepared.0.insert(name);
    }

    /// Adds the queries for changes.
    fn watch(&mut self, prepared: &mut Prepared, version: Version, watching: &Watching) {
        for (index, (types, sql)) in watch::queries(version).into_iter().enumerate() {
            let name = format!("migrator_watch_{index}");
            let parameters = match types {
                "" => String::new(),
                _ => watching.parameters(),
            };
            let query = (name, types, sql);
            self.execute(prepared, Answer::Watch(index), query, &parameters);
        }
    }

    /// Adds a query of all rows.
    fn whole(&mut self, prepared: &mut Prepared, index: usize, query: &Query) {
        let name = format!("migrator_inspect_{index}");
        let query = (name, "", query.sql());
        self.execute(prepared, Answer::Query(index), query, "");
    }

    /// Adds a query of the rows of the relations in `list`.
    fn of_relations(
        &mut self,
        prepared: &mut Prepared,
        (index, query): (usize, &Query),
        list: &str,
    ) {
        let name = format!("migrator_inspect_{index}_part");
        match query.sql_of_relations() {
            Some(sql) => {
                let query = (name, "(oid[])", sql);
                let list = format!("('{list}')");
                self.execute(prepared, Answer::Query(index), query, &list);
            }
            None => self.whole(prepared, index, query),
        }
    }

    /// Sends the message. Adds each row of a query to its rows.
    async fn send(
        &self,
        connection: &mut PgConnection,
        watching: &mut Watching,
        rows: &mut [Vec<PgRow>],
    ) -> Result<(), Fault> {
        let mut fault = Ok(());
        // After a fault of a row, the rest is read all the same.
        let take = |command: usize, row: Option<PgRow>| {
            let answer = self.answers.get(command).copied().flatten();
            let Some(row) = row else { return };
            match answer {
                Some(Answer::Query(index)) => rows[index].push(row),
                Some(Answer::Watch(index)) if fault.is_ok() => fault = watching.read(index, &row),
                Some(Answer::Watch(_)) => {}
                None => fault = Err(Fault::Malformed("an unexpected row".into())),
            }
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
