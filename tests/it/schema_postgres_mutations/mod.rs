//! One change to one attribute of one object: the comparison of facts reports that change and no
//! other, and pg_dump sees a difference exactly when it does.

mod columns;
mod constraints;
mod coverage;
mod indexes;
mod relations;
mod routines;
mod servers;
mod tables;
mod types;

use std::{
    collections::HashSet,
    panic,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use migrator::internals::{
    database::{self, Access, Location, Settings},
    schema::{Change, Schema, Scope, compare},
};

use sqlx::Executor;

use crate::common::PostgresDatabase;

/// A change to the schema of `start.sql`.
pub struct Mutation {
    name: &'static str,
    /// The first version of the server that has the feature.
    from: u32,
    /// An extension that must be installed.
    needs: Option<&'static str>,
    /// Whether pg_dump leaves the change out.
    is_unseen: bool,
    /// What is there beside `start.sql`.
    start: &'static str,
    change: &'static str,
    /// The changes as [`shown`] has them.
    expected: &'static [&'static str],
}

/// Rows of `"name", [from VERSION,] [needs "extension",] [unseen,] [start "SQL",] "SQL" => "change", …;`. All
/// SQL runs with the search path `shop`.
macro_rules! mutations {
    ($( $name:literal, $(from $from:literal,)? $(needs $needs:literal,)?
        $(unseen $unseen:tt)? $(start $start:literal,)?
        $change:literal => $($expected:literal),* ; )*) => {
        &[ $( $crate::schema_postgres_mutations::Mutation {
            name: $name,
            from: 0 $(+ $from)?,
            needs: [$(Some($needs),)? None][0],
            is_unseen: !concat!("" $(, stringify!($unseen))?).is_empty(),
            start: concat!("" $(, $start)?),
            change: $change,
            expected: &[$($expected),*],
        } ),* ]
    };
}
use mutations;

fn all() -> impl Iterator<Item = &'static Mutation> {
    let tables = [
        tables::TABLES,
        columns::COLUMNS,
        constraints::CONSTRAINTS,
        indexes::INDEXES,
        types::TYPES,
        routines::ROUTINES,
        relations::RELATIONS,
        servers::SERVERS,
        servers::NOTHING,
    ];
    tables.into_iter().flatten()
}

/// `add table shop.a`, `drop …`, or `table shop.a: attribute`.
fn shown(change: &Change) -> String {
    match change {
        Change::Add { object } => format!("add {object}"),
        Change::Drop { object } => format!("drop {object}"),
        Change::Alter {
            object, attribute, ..
        } => format!("{object}: {attribute}"),
    }
}

fn settings() -> Settings {
    Settings {
        version_table: "shop.migrator_version".into(),
        actor: "tester@here".into(),
        application_name: "migrator test".into(),
        lock_timeout: Duration::from_secs(5),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(10),
        statement_times: true,
        session: Vec::new(),
        statement_marks: false,
    }
}

/// The facts of a database.
fn inspect(database: &PostgresDatabase) -> Schema {
    run_alone(async {
        let location = Location::parse(&database.url, Path::new("/")).unwrap();
        let connected = database::connect(&location, Access::Existing, settings()).await;
        let mut connection = connected.unwrap();
        let schema = connection.inspect(&Scope::default()).await.unwrap();
        connection.close().await.unwrap();
        schema
    })
}

/// Makes the roles and the tablespace of the mutations, which belong to the server.
fn prepare_server(database: &PostgresDatabase) {
    for (role, options) in [("a", ""), ("b", ""), ("c", "SUPERUSER")] {
        database.query(&format!(
            "DO 'BEGIN CREATE ROLE migrator_test_{role} {options}; \
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END'"
        ));
    }
    let space = "SELECT FROM pg_tablespace WHERE spcname = 'migrator_test_space'";
    if database.query(space).is_empty() {
        run_alone(async {
            let mut session = database.connect().await;
            // CREATE TABLESPACE must be alone in its message.
            for sql in [
                "SET allow_in_place_tablespaces = on",
                "CREATE TABLESPACE migrator_test_space LOCATION ''",
            ] {
                session.execute(sql).await.unwrap();
            }
        });
    }
}

fn run_alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

/// The schema as pg_dump has it; `None` if pg_dump is older than the server.
fn dump(database: &PostgresDatabase, version: u32) -> Option<String> {
    let of_program = Command::new("pg_dump").arg("--version").output();
    let of_program = of_program.expect("pg_dump is needed; tests/run puts it on the PATH");
    let of_program = String::from_utf8(of_program.stdout).unwrap();
    let digits = of_program.split(' ').nth(2).unwrap().split('.').next();
    let major: u32 = digits.unwrap().parse().unwrap();
    (version <= major).then(|| database.whole_schema())
}

/// What is known before the changes.
struct Start {
    database: PostgresDatabase,
    schema: Schema,
    dump: Option<String>,
    version: u32,
    extensions: HashSet<String>,
}

impl Start {
    fn make() -> Self {
        let database = PostgresDatabase::create();
        prepare_server(&database);
        database.query(include_str!("start.sql"));
        let version = database.value("SHOW server_version_num").unwrap();
        let version = version.parse::<u32>().unwrap() / 10_000;
        let extensions = database.query("SELECT name FROM pg_available_extensions");
        Self {
            schema: inspect(&database),
            dump: dump(&database, version),
            database,
            version,
            extensions: extensions.into_iter().flatten().flatten().collect(),
        }
    }

    /// Whether the server has what the mutation needs.
    fn has(&self, mutation: &Mutation) -> bool {
        let is_there = |name: &str| self.extensions.contains(name);
        self.version >= mutation.from && mutation.needs.is_none_or(is_there)
    }

    /// What is wrong with the result of a mutation.
    fn fault(&self, mutation: &Mutation) -> Option<String> {
        let database = self.database.copy();
        let run = |sql: &str| database.query(&format!("SET search_path TO shop; {sql}"));
        let (before, dump_before) = if mutation.start.is_empty() {
            (self.schema.clone(), self.dump.clone())
        } else {
            run(mutation.start);
            (inspect(&database), dump(&database, self.version))
        };
        run(mutation.change);
        let after = inspect(&database);
        let changes = compare(&before, &after).changes;
        let mut found: Vec<String> = changes.iter().map(shown).collect();
        let mut expected: Vec<String> = mutation
            .expected
            .iter()
            .map(|it| (*it).to_owned())
            .collect();
        found.sort_unstable();
        expected.sort_unstable();
        if found != expected {
            return Some(format!("found {found:#?} instead of {expected:#?}"));
        }
        let dump_after = dump(&database, self.version);
        let differs = dump_before != dump_after;
        let is_seen = !found.is_empty() && !mutation.is_unseen;
        let is_expected = dump_after.is_none() || differs == is_seen;
        (!is_expected).then(|| format!("pg_dump differs: {differs}"))
    }
}

#[test]
fn every_mutation_is_the_only_difference() {
    let start = Start::make();
    let (possible, skipped): (Vec<_>, Vec<_>) = all().partition(|one| start.has(one));
    for mutation in skipped {
        println!("not on version {}: {}", start.version, mutation.name);
    }
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(mutation) = possible.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // SQL that fails must not end the others.
                    let fault = panic::catch_unwind(|| start.fault(mutation));
                    let fault = fault.unwrap_or_else(|_| Some("it failed".to_owned()));
                    if let Some(fault) = fault {
                        let fault = format!("{}: {fault}", mutation.name);
                        faults.lock().unwrap().push(fault);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
