//! Statements between two schemas of PostgreSQL, proven on real databases with rows, both ways: up
//! leads to the target and down to the start, in the facts and in pg_dump, and the rows are kept.

mod pairs;
mod random;
mod rows;

use std::{
    env, panic,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use migrator::internals::{
    generate::{self, Migration, MigrationOptions, Place},
    schema::{Schema, compare},
};

use crate::{
    common::PostgresDatabase,
    schema_postgres_mutations::{Mutation, all, dump, inspect, prepare_server, sorted_options},
};

/// One of the two databases of a proof, and what is known of it.
struct State {
    schema: Schema,
    dump: Option<Vec<String>>,
}

impl State {
    /// Reads the facts, and the dump of a server of the version `dumped`.
    fn of(database: &PostgresDatabase, dumped: Option<u32>) -> Self {
        let dump = dumped.and_then(|version| dump(database, version));
        Self {
            schema: inspect(database),
            dump: dump.map(|text| lines(&text)),
        }
    }
}

/// The lines of a dump in any order: columns may have another place than in a new table.
fn lines(dump: &str) -> Vec<String> {
    let text = sorted_options(dump);
    let lines = text.lines().map(|line| line.trim().trim_end_matches(','));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("--"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// The statements of a migration as transactions.
fn transactions(migration: &Migration) -> Vec<String> {
    let mut found = vec![String::new()];
    for statement in &migration.statements {
        if statement.place == Place::AfterCommit {
            found.push(String::new());
        }
        if let Some(last) = found.last_mut() {
            last.push_str(&statement.sql);
            last.push_str(";\n");
        }
    }
    found
}

/// How the way from one schema to another ends.
#[derive(Debug, PartialEq)]
enum Outcome {
    Proven,
    /// The reason of a refusal.
    Refused(String),
}

/// Makes the second schema of the first one and the reverse. The dumps are compared as well if the
/// server's version is given.
fn prove(first: &PostgresDatabase, second: &PostgresDatabase, dumped: Option<u32>) -> Outcome {
    let database = first.copy();
    let (from, to) = (State::of(first, dumped), State::of(second, dumped));
    let ways = [(&from, &to), (&to, &from)].map(|(from, to)| {
        generate::migrate(&from.schema, &to.schema, &MigrationOptions::default())
    });
    let mut before = rows::of(&database);
    for (way, target) in ways.iter().zip([&to, &from]) {
        let migration = match way {
            Ok(migration) => migration,
            Err(refusals) => return Outcome::Refused(refusals[0].reason.clone()),
        };
        for sql in transactions(migration) {
            database.query(&format!("BEGIN; {sql} COMMIT;"));
        }
        let reached = State::of(&database, dumped);
        let changes = compare(&reached.schema, &target.schema).changes;
        assert!(changes.is_empty(), "{migration}\n{changes:#?}");
        assert_eq!(reached.dump, target.dump, "{migration}");
        let again = generate::migrate(
            &reached.schema,
            &target.schema,
            &MigrationOptions::default(),
        );
        assert_eq!(again, Ok(Migration::default()));
        let after = rows::of(&database);
        let lost = rows::lost(&before, &after);
        assert!(lost.is_empty(), "{migration}\n{lost:?}");
        before = after;
    }
    Outcome::Proven
}

/// Runs each of `cases` and returns what is wrong.
fn faults<T: Sync>(cases: &[T], fault: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    faults.lock().unwrap().extend(fault(case));
                }
            });
        }
    });
    faults.into_inner().unwrap()
}

/// The outcome of a proof, or its panic as text.
fn caught(proof: impl FnOnce() -> Outcome) -> Result<Outcome, String> {
    panic::catch_unwind(panic::AssertUnwindSafe(proof)).map_err(|error| {
        let text = error.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| "it failed".to_owned())
    })
}

/// Whether the server refused a statement.
fn may_be_due_to_rows(found: &Result<Outcome, String>) -> bool {
    let error = found.as_ref().err();
    error.is_some_and(|error| error.contains("error returned from database"))
}

/// The mutations that are refused, in one direction or both, by their names.
const REFUSED: &[(&str, &str)] = &[
    ("a column that only comes from the parent", "only inherited"),
    ("an index is attached", "invalid"),
    ("an index that is not valid", "invalid"),
    ("a range's canonical function", "CASCADE"),
    ("a check constraint of a child itself", "only inherited"),
    (
        "a partitioned table becomes an ordinary one",
        "partitioned table",
    ),
];

/// Mutations that need another server, that are no difference for a role that may not see it, or whose
/// function the server only creates without checking its body.
const LEFT_OUT: &[&str] = &["no schema public", "a function's language"];

/// The databases before and after a mutation; `None` where the rows of `start` are in its way.
fn databases(
    start: &PostgresDatabase,
    mutation: &Mutation,
) -> Option<(PostgresDatabase, PostgresDatabase)> {
    let run = |database: &PostgresDatabase, sql: &str| {
        database.query(&format!("SET search_path TO shop; {sql}"));
    };
    let make = || {
        let first = start.copy();
        if !mutation.start.is_empty() {
            run(&first, mutation.start);
        }
        let second = first.copy();
        run(&second, mutation.change);
        (first, second)
    };
    panic::catch_unwind(panic::AssertUnwindSafe(make)).ok()
}

fn fault_of_mutation(
    starts: &[PostgresDatabase],
    version: u32,
    mutation: &Mutation,
) -> Option<String> {
    let mut found = Err("it does not run".to_owned());
    // The first one has rows.
    for start in starts {
        if let Some((first, second)) = databases(start, mutation) {
            found = caught(|| prove(&first, &second, Some(version)));
            if !may_be_due_to_rows(&found) {
                break;
            }
        }
    }
    let refused = REFUSED.iter().find(|(name, _)| *name == mutation.name);
    let refused = refused.map(|(_, reason)| *reason);
    match (found, refused) {
        (Ok(Outcome::Proven), None) => None,
        (Ok(Outcome::Refused(reason)), Some(part)) if reason.contains(part) => None,
        (Ok(Outcome::Refused(reason)), None) if reason.contains("secret") => None,
        (found, _) => Some(format!("{}: {found:?}", mutation.name)),
    }
}

/// Every how many of the mutations are proven, which takes seconds each. With `MIGRATOR_TEST_PAIRS`, all
/// are.
const STEP: usize = 24;

#[test]
fn attributes_are_altered_both_ways() {
    let start = PostgresDatabase::create();
    prepare_server(&start);
    start.query(include_str!("../schema_postgres_mutations/start.sql"));
    let filled = start.copy();
    filled.query(rows::OF_START);
    let version = start.major();
    let extensions = start.query("SELECT name FROM pg_available_extensions");
    let extensions: Vec<String> = extensions.into_iter().flatten().flatten().collect();
    let has = |mutation: &&Mutation| {
        let needed = mutation.needs;
        version >= mutation.from
            && needed.is_none_or(|name| extensions.iter().any(|it| it == name))
            && !LEFT_OUT.contains(&mutation.name)
            && !mutation.needs_unmodelled()
    };
    let mutations: Vec<&Mutation> = all().filter(has).collect();
    assert!(mutations.len() > 200, "{}", mutations.len());
    let step = env::var_os("MIGRATOR_TEST_PAIRS").map_or(STEP, |_| 1);
    let mutations: Vec<&Mutation> = mutations.into_iter().step_by(step).collect();
    let starts = [filled, start];
    let found = faults(&mutations, |mutation| {
        fault_of_mutation(&starts, version, mutation)
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Every how many of the pairs are proven. With `MIGRATOR_TEST_PAIRS`, all are.
const PAIRS_STEP: usize = 3;

#[test]
fn objects_are_altered_with_what_depends_on_them() {
    let server = PostgresDatabase::create();
    prepare_server(&server);
    let version = server.major();
    let step = env::var_os("MIGRATOR_TEST_PAIRS").map_or(PAIRS_STEP, |_| 1);
    let pairs: Vec<&pairs::Pair> = pairs::PAIRS.iter().step_by(step).collect();
    let found = faults(&pairs, |pair| {
        let proof = || {
            let first = PostgresDatabase::create();
            let schema = "CREATE SCHEMA shop;";
            first.query(&format!("{schema} {} {}", pair.shared, pair.from));
            let second = PostgresDatabase::create();
            second.query(&format!("{schema} {} {}", pair.shared, pair.to));
            first.query(pair.rows);
            prove(&first, &second, Some(version))
        };
        match (caught(proof), pair.refused) {
            (Ok(Outcome::Proven), None) => None,
            (Ok(Outcome::Refused(reason)), Some(part)) if reason.contains(part) => None,
            (found, _) => Some(format!("{}: {found:?}", pair.name)),
        }
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}
