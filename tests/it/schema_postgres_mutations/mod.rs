//! One change to one attribute of one object: the comparison of facts reports that change and no
//! other, and pg_dump sees a difference exactly when it does.

mod again;
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
    env, panic,
    path::Path,
    process::Command,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use migrator::internals::{
    database::{self, Access, Location, Settings},
    generate,
    schema::{Change, Kind, Schema, Scope, compare},
};

use sqlx::Executor;

use crate::common::{self, PostgresDatabase};

/// A change to the schema of `start.sql`.
pub struct Mutation {
    pub name: &'static str,
    /// The first version of the server that has the feature.
    pub from: u32,
    /// An extension that must be installed.
    pub needs: Option<&'static str>,
    /// Whether pg_dump leaves the change out.
    is_unseen: bool,
    /// What is there beside `start.sql`.
    pub start: &'static str,
    pub change: &'static str,
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

/// All mutations.
pub fn all() -> impl Iterator<Item = &'static Mutation> {
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

impl Mutation {
    /// Whether it needs an object of a kind that is not modelled, so that no dump creates it.
    pub fn needs_unmodelled(&self) -> bool {
        let kinds = [
            "CREATE ACCESS METHOD",
            "CREATE TEXT SEARCH PARSER",
            "CREATE TEXT SEARCH TEMPLATE",
            "CREATE TRANSFORM",
        ];
        let has = |kind: &&str| self.start.contains(kind) || self.change.contains(kind);
        kinds.iter().any(has)
    }
}

/// Whether a dump says in a note that it cannot do this: values that are secret, and indexes that are
/// not valid. A new database always has the schema `public`.
fn cannot_be_recreated(change: &Change) -> bool {
    let id = change.object();
    match change {
        Change::Alter {
            attribute, from, ..
        } => attribute == "secrets" || attribute == "foreign" && from["secrets"].is_array(),
        Change::Add { .. } => id.kind == Kind::Schema && id.name == "public",
        Change::Drop { .. } => id.kind == Kind::Index && id.name == "orders_state_idx",
    }
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
        ..common::settings()
    }
}

/// The facts of a database.
pub fn inspect(database: &PostgresDatabase) -> Schema {
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
pub fn prepare_server(database: &PostgresDatabase) {
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
            let allowed = session.execute("SET allow_in_place_tablespaces = on").await;
            allowed.unwrap();
            // It must be alone in its message, and fails where another test is faster.
            let sql = "CREATE TABLESPACE migrator_test_space LOCATION ''";
            let _ = session.execute(sql).await;
        });
        assert!(!database.query(space).is_empty());
    }
}

fn run_alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

/// The schema as pg_dump has it; `None` if pg_dump is older than the server.
pub fn dump(database: &PostgresDatabase, version: u32) -> Option<String> {
    static OF_PROGRAM: OnceLock<u32> = OnceLock::new();
    let of_program = *OF_PROGRAM.get_or_init(|| {
        let output = Command::new("pg_dump").arg("--version").output();
        let output = output.expect("pg_dump is needed; tests/run puts it on the PATH");
        let text = String::from_utf8(output.stdout).unwrap();
        let digits = text.split(' ').nth(2).unwrap().split('.').next();
        digits.unwrap().parse().unwrap()
    });
    (version <= of_program).then(|| database.whole_schema())
}

/// A dump with the storage parameters sorted; their order means nothing.
pub fn sorted_options(dump: &str) -> String {
    let lines = dump.lines().map(|line| {
        let Some((start, rest)) = line.split_once("WITH (") else {
            return line.to_owned();
        };
        let Some((options, end)) = rest.split_once(')') else {
            return line.to_owned();
        };
        let mut options: Vec<&str> = options.split(", ").collect();
        options.sort_unstable();
        format!("{start}WITH ({}){end}", options.join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
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
        let version = database.major();
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

    /// What is wrong with the result of mutations that are applied to one database.
    fn fault(&self, mutations: &[&Mutation], with_dump: bool) -> Option<String> {
        let database = self.database.copy();
        let run = |sql: &str| database.query(&format!("SET search_path TO shop; {sql}"));
        let dump = || match with_dump {
            true => dump(&database, self.version),
            false => None,
        };
        let (mut before, mut dump_before) = (self.schema.clone(), self.dump.clone());
        let starts = mutations.iter().map(|one| one.start);
        let starts: Vec<&str> = starts.filter(|start| !start.is_empty()).collect();
        if !starts.is_empty() {
            for start in starts {
                run(start);
            }
            (before, dump_before) = (inspect(&database), dump());
        }
        for mutation in mutations {
            run(mutation.change);
        }
        let after = inspect(&database);
        let changes = compare(&before, &after).changes;
        let mut found: Vec<String> = changes.iter().map(shown).collect();
        let expected = mutations.iter().flat_map(|one| one.expected);
        let mut expected: Vec<String> = expected.map(|it| (*it).to_owned()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        if found != expected {
            return Some(format!("found {found:#?} instead of {expected:#?}"));
        }
        if !mutations.iter().any(|one| one.needs_unmodelled())
            && let Some(fault) = self.not_recreated(&after, &database, with_dump)
        {
            return Some(fault);
        }
        let dump_after = dump()?;
        let differs = dump_before != Some(dump_after);
        let is_seen = mutations
            .iter()
            .any(|one| !one.expected.is_empty() && !one.is_unseen);
        (differs != is_seen).then(|| format!("pg_dump differs: {differs}"))
    }

    /// What is wrong with the schema that the dump of a database makes.
    fn not_recreated(
        &self,
        schema: &Schema,
        database: &PostgresDatabase,
        with_dump: bool,
    ) -> Option<String> {
        let script = |schema| generate::script(&generate::dump(schema).unwrap());
        let sql = script(schema);
        let copy = PostgresDatabase::create();
        copy.query(&format!("BEGIN; {sql}\nCOMMIT;"));
        let loaded = inspect(&copy);
        let mut changes = compare(schema, &loaded).changes;
        changes.retain(|change| !cannot_be_recreated(change));
        if !changes.is_empty() {
            return Some(format!("the dump makes another schema: {changes:#?}"));
        }
        let without_notes = |sql: &str| -> Vec<String> {
            let is_note = |line: &&str| line.starts_with("-- ") || line.is_empty();
            let lines = sql.lines().filter(|line| !is_note(line));
            lines.map(str::to_owned).collect()
        };
        if without_notes(&script(&loaded)) != without_notes(&sql) {
            return Some("the dump of the dump is another one".to_owned());
        }
        let dumps = with_dump.then(|| {
            let dump = |database| dump(database, self.version).map(|it| sorted_options(&it));
            (dump(database), dump(&copy))
        });
        let differs = dumps.is_some_and(|(original, copy)| original != copy);
        differs.then(|| "pg_dump sees another schema".to_owned())
    }

    /// The faults of mutations, each with the name of its mutation. Where those of a batch are not
    /// what was expected, each of them is looked at alone.
    fn faults(&self, batch: &[&Mutation], with_dump: bool) -> Vec<String> {
        // SQL that fails must not end the others.
        let fault = |batch: &[&Mutation]| {
            panic::catch_unwind(|| self.fault(batch, with_dump))
                .unwrap_or_else(|_| Some("it failed".to_owned()))
        };
        match (batch, fault(batch)) {
            (_, None) => Vec::new(),
            ([one], Some(found)) => vec![format!("{}: {found}", one.name)],
            (_, Some(found)) => {
                let names: Vec<&str> = batch.iter().map(|one| one.name).collect();
                println!("one by one: {names:?}: {found}");
                let alone = batch.iter().filter_map(|one| Some((one, fault(&[*one])?)));
                alone
                    .map(|(one, found)| format!("{}: {found}", one.name))
                    .collect()
            }
        }
    }
}

/// Groups mutations that do not disturb each other, so that one database serves many.
fn batches<'a>(mutations: &[&'a Mutation]) -> Vec<Vec<&'a Mutation>> {
    const SIZE: usize = 16;
    let mut batches: Vec<(Footprint, Vec<&Mutation>)> = Vec::new();
    for mutation in mutations {
        let footprint = Footprint::of(mutation);
        let has_room = |(used, batch): &&mut (Footprint, Vec<&Mutation>)| {
            batch.len() < SIZE && !footprint.disturbs(used) && !used.disturbs(&footprint)
        };
        match batches.iter_mut().find(has_room) {
            Some((used, batch)) => {
                used.add(footprint);
                batch.push(mutation);
            }
            None => batches.push((footprint, vec![mutation])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

/// What a mutation concerns.
struct Footprint {
    /// The names of objects that change or are new.
    objects: HashSet<String>,
    /// The names of objects that others must not use.
    dropped: HashSet<String>,
    /// All words of the SQL.
    words: HashSet<String>,
}

impl Footprint {
    fn of(mutation: &Mutation) -> Self {
        let words = |sql: &str| -> HashSet<String> {
            let words = sql.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.map(str::to_lowercase).collect()
        };
        // The first words of a change are `add`, `drop` and the kind.
        let names = |prefix: &'static str| {
            let changes = mutation.expected.iter();
            let changes = changes.filter(move |change| change.starts_with(prefix));
            changes.map(|change| {
                let object = change.split(": ").next().unwrap_or(change);
                object.rsplit(' ').next().unwrap_or(object).to_owned()
            })
        };
        let last = |name: String| name.rsplit('.').next().map_or(String::new(), str::to_owned);
        let mut objects: HashSet<String> = names("").collect();
        let known = words(include_str!("start.sql"));
        objects.extend(names("").map(last));
        objects.extend(words(mutation.start).difference(&known).cloned());
        Self {
            objects,
            dropped: names("drop ").map(last).collect(),
            words: words(&format!("{} {}", mutation.start, mutation.change)),
        }
    }

    fn disturbs(&self, other: &Self) -> bool {
        let is_part = |part: &str, whole: &str| {
            let rest = part.strip_prefix(whole);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut objects = self.objects.iter();
        objects.any(|name| other.objects.iter().any(|other| is_part(name, other)))
            || !self.dropped.is_disjoint(&other.words)
    }

    fn add(&mut self, other: Self) {
        self.objects.extend(other.objects);
        self.dropped.extend(other.dropped);
        self.words.extend(other.words);
    }
}

#[test]
fn every_mutation_is_the_only_difference() {
    let start = Start::make();
    let (possible, skipped): (Vec<_>, Vec<_>) = all().partition(|one| start.has(one));
    for mutation in skipped {
        common::leave_out(&format!(
            "PostgreSQL {} does not have: {}",
            start.version, mutation.name
        ));
    }
    // With one database for each, which takes minutes, pg_dump is asked as well.
    let alone = env::var_os("MIGRATOR_TEST_EACH_MUTATION").is_some();
    let batches = match alone {
        true => possible.into_iter().map(|one| vec![one]).collect(),
        false => {
            let (alone, others): (Vec<_>, Vec<_>) =
                possible.iter().partition(|one| one.needs_unmodelled());
            [batches(&others), batches(&alone)].concat()
        }
    };
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = start.faults(batch, alone);
                    faults.lock().unwrap().extend(found);
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
