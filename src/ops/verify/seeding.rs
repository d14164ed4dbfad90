use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{State, VerifyArgs, lab::Lab};
use crate::{
    ops::{Coverage, Error, SeedStatement, Session, seed_file, seed_toward},
    schema::{Kind, Name, Object, Schema},
    sql::Dialect,
};

/// Makes rows in tables, and remembers where it could not.
pub(in crate::ops) struct Seeding {
    /// What rows are made from; `None` to make none.
    number: Option<u64>,
    /// The schema at the last revision, if it is known. Rows are made to fit it too.
    pub later: Option<Arc<Schema>>,
    /// The statements of the seed file that have not succeeded yet.
    waiting: Vec<Waiting>,
    /// The tables for which no rows can be made, with their definition and the reason.
    failed: HashMap<Name, (Vec<Object>, String)>,
}

/// A statement that is tried until it succeeds.
#[derive(Clone)]
struct Waiting {
    sql: String,
    place: String,
    error: Option<String>,
    is_done: bool,
}

impl Seeding {
    /// Reads the seed file.
    pub fn new(args: &VerifyArgs, dialect: Dialect) -> Result<Self, Error> {
        let mut waiting = Vec::new();
        if let Some((path, shown)) = &args.seed_file {
            let statements = seed_file(path, shown, dialect)?.into_iter();
            waiting = statements
                .map(|SeedStatement { sql, place }| Waiting {
                    sql,
                    place,
                    error: None,
                    is_done: false,
                })
                .collect();
        }
        Ok(Self {
            number: args.rows.then_some(args.seed),
            later: None,
            waiting,
            failed: HashMap::new(),
        })
    }

    /// Whether rows are made at all.
    pub fn makes_rows(&self) -> bool {
        self.number.is_some()
    }

    /// Starts over, for an empty database.
    pub fn forget(&mut self) {
        self.failed.clear();
        for waiting in &mut self.waiting {
            waiting.is_done = false;
        }
    }

    /// Makes rows in the empty tables of `state`, and reads them.
    pub async fn seed(&mut self, lab: &mut Lab, state: &mut State) -> Result<(), Error> {
        let Some(number) = self.number else {
            return Ok(());
        };
        let tables = lab.watched().of(&state.schema);
        let session = lab.session();
        let try_file = self.try_file(session).await?;
        let empty: Vec<Name> = state.empty_tables().cloned().collect();
        let tried = |name: &Name| {
            let failed = self.failed.get(name);
            failed.is_some_and(|(definition, _)| *definition == of_table(&state.schema, name))
        };
        let wanted: Vec<Name> = empty.into_iter().filter(|name| !tried(name)).collect();
        if wanted.is_empty() && !try_file {
            return Ok(());
        }
        let schema = Arc::clone(&state.schema);
        let later: Vec<&Schema> = self.later.as_deref().into_iter().collect();
        let coverage = seed_toward(session, &schema, &later, &wanted, number).await?;
        for (name, reason) in coverage.empty {
            let definition = of_table(&schema, &name);
            self.failed.insert(name, (definition, reason));
        }
        let changed = match try_file || runs_code(&schema) {
            true => tables,
            false => {
                let wanted: HashSet<Name> = wanted.into_iter().collect();
                tables
                    .into_iter()
                    .filter(|it| wanted.contains(&it.name))
                    .collect()
            }
        };
        state.read_rows(session, changed).await
    }

    /// Tries the waiting statements. Returns whether one succeeded.
    async fn try_file(&mut self, session: &mut Session) -> Result<bool, Error> {
        let statements = self.waiting.iter().filter(|it| !it.is_done);
        let statements: Vec<String> = statements.map(|it| it.sql.clone()).collect();
        if statements.is_empty() {
            return Ok(false);
        }
        let tried = session.try_each(&statements).await?;
        let waiting = self.waiting.iter_mut().filter(|it| !it.is_done);
        let mut any = false;
        for (waiting, result) in waiting.zip(tried) {
            match result {
                Ok(_) => {
                    waiting.is_done = true;
                    any = true;
                }
                Err(error) => waiting.error = Some(error.to_string()),
            }
        }
        Ok(any)
    }

    /// The coverage at the last state, and the statements of the seed file that never succeeded.
    pub fn end(self, state: Option<&State>) -> (Coverage, Vec<(String, String)>) {
        let mut coverage = Coverage::default();
        if let Some(state) = state {
            for (name, rows) in &state.rows {
                if rows.rows.is_empty() {
                    let reason = self.failed.get(name).map(|(_, reason)| reason.clone());
                    let reason = reason.unwrap_or_else(|| "no rows were made".to_owned());
                    coverage.empty.push((name.clone(), reason));
                } else {
                    coverage.filled.push(name.clone());
                }
            }
            for (name, reason) in &state.unread {
                coverage.empty.push((name.clone(), reason.clone()));
            }
        }
        let unused = self.waiting.into_iter().filter(|it| !it.is_done);
        let unused = unused.map(|it| (it.place, it.error.unwrap_or_default()));
        (coverage, unused.collect())
    }
}

/// Whether code runs when rows are made, which may change rows of other tables.
fn runs_code(schema: &Schema) -> bool {
    let mut objects = schema.objects.iter();
    objects.any(|object| matches!(object.id.kind, Kind::Trigger | Kind::Rule))
}

/// The parts of a table.
fn of_table(schema: &Schema, name: &Name) -> Vec<Object> {
    schema.parts(name).to_vec()
}
