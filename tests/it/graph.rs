//! Random histories and random commands on real SQLite files, against a model that knows nothing
//! but sets: what is applied, and what each applied revision needed when it was applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    thread,
    time::Duration,
};

use crate::common::SqliteDatabase;
use migrator::internals::{
    database::{self, Access, Database, Detail, Location, Settings},
    execute::{self, Outcome, RunOptions, Sink, Stop},
    plan::{self, PlanContext, PlanError},
    revision::{
        Ahead, Direction, History, Observed, OutOfOrder, RevisionId, Script, ScriptPair, Target,
    },
    sql::{Dialect, Vars},
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Edges of a revision of a random history; they lead to earlier ones only.
#[derive(Clone, Debug)]
struct Node {
    parents: Vec<Index>,
    depends_on: Vec<Index>,
    root: bool,
}

/// A random command.
#[derive(Clone, Debug)]
enum Command {
    Upgrade(Place),
    Downgrade(Place),
    Stamp(Place),
}

/// A random target.
#[derive(Clone, Debug)]
enum Place {
    Head,
    Heads,
    Base,
    Revision(Index),
    Steps(usize),
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let node = (
        vec(any::<Index>(), 1..3),
        prop_oneof![3 => Just(0_usize), 1 => Just(1)]
            .prop_flat_map(|count| vec(any::<Index>(), count)),
        prop::bool::weighted(0.15),
    );
    let node = node.prop_map(|(parents, depends_on, root)| Node {
        parents,
        depends_on,
        root,
    });
    vec(node, 1..9)
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        1 => Just(Place::Head),
        2 => Just(Place::Heads),
        1 => Just(Place::Base),
        5 => any::<Index>().prop_map(Place::Revision),
        3 => (1_usize..4).prop_map(Place::Steps),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        5 => place().prop_map(Command::Upgrade),
        4 => place().prop_map(Command::Downgrade),
        1 => place().prop_map(Command::Stamp),
    ]
}

type Edges = BTreeMap<u32, BTreeSet<u32>>;

/// Revision `n` has the ID `1000 + n`, and makes and drops the table `t<n>`.
struct Made {
    history: History,
    parents: Edges,
    depends_on: Edges,
}

fn made(nodes: &[Node]) -> Made {
    let (mut parents, mut depends_on) = (Edges::new(), Edges::new());
    let mut pairs = Vec::new();
    for (number, node) in (0_u32..).zip(nodes) {
        let chosen = |indices: &[Index]| -> BTreeSet<u32> {
            let earlier = number as usize;
            let chosen = indices.iter().filter(|_| earlier > 0);
            chosen.map(|index| index.index(earlier) as u32).collect()
        };
        let above = if node.root {
            BTreeSet::new()
        } else {
            chosen(&node.parents)
        };
        let needs: BTreeSet<u32> = &chosen(&node.depends_on) - &above;
        let list = |numbers: &BTreeSet<u32>| {
            let ids: Vec<_> = numbers.iter().map(|n| (1000 + n).to_string()).collect();
            ids.join(", ")
        };
        let revises = if above.is_empty() {
            "base".to_owned()
        } else {
            list(&above)
        };
        let mut up = format!("-- migrator: revises = {revises}\n");
        if !needs.is_empty() {
            up.push_str(&format!("-- migrator: depends-on = {}\n", list(&needs)));
        }
        up.push_str(&format!("CREATE TABLE t{number} (x integer);\n"));
        let script = |direction, text: String| {
            let file = format!("{number}.{direction}.sql");
            Script::parse(Dialect::Sqlite, direction, file, text).unwrap()
        };
        pairs.push(ScriptPair {
            id: id(number),
            slug: "x".to_owned(),
            up: script(Direction::Up, up),
            down: Some(script(Direction::Down, format!("DROP TABLE t{number};\n"))),
        });
        parents.insert(number, above);
        depends_on.insert(number, needs);
    }
    Made {
        history: History::new(pairs).unwrap(),
        parents,
        depends_on,
    }
}

fn id(number: u32) -> RevisionId {
    (1000 + number).to_string().parse().unwrap()
}

fn number(id: &RevisionId) -> u32 {
    id.as_str().parse::<u32>().unwrap() - 1000
}

impl Made {
    fn len(&self) -> u32 {
        self.parents.len() as u32
    }

    fn heads(&self) -> BTreeSet<u32> {
        let revised: BTreeSet<u32> = self.parents.values().flatten().copied().collect();
        (0..self.len()).filter(|n| !revised.contains(n)).collect()
    }

    fn needs(&self, number: u32) -> BTreeSet<u32> {
        &self.parents[&number] | &self.depends_on[&number]
    }

    /// `start` and everything they need, found by adding until nothing is added.
    fn closure(&self, start: &BTreeSet<u32>) -> BTreeSet<u32> {
        grow(start, |set| {
            set.iter().flat_map(|n| self.needs(*n)).collect()
        })
    }

    /// Everything of `applied` that needs one of `start`, directly or not.
    fn dependents(&self, start: &BTreeSet<u32>, applied: &[u32]) -> BTreeSet<u32> {
        let all = grow(start, |set| {
            let above = applied.iter().filter(|n| !self.needs(**n).is_disjoint(set));
            above.copied().collect()
        });
        &all - start
    }

    fn target(&self, place: &Place, sign: char) -> Target {
        let text = match place {
            Place::Head => "head".to_owned(),
            Place::Heads => "heads".to_owned(),
            Place::Base => "base".to_owned(),
            Place::Revision(index) => id(self.revision(index)).to_string(),
            Place::Steps(count) => format!("{sign}{count}"),
        };
        text.parse().unwrap()
    }

    fn revision(&self, index: &Index) -> u32 {
        index.index(self.parents.len()) as u32
    }

    /// The revisions a place stands for; `None` where it stands for none, or for too many.
    fn named(&self, place: &Place) -> Option<BTreeSet<u32>> {
        match place {
            Place::Heads => Some(self.heads()),
            Place::Head => Some(self.heads()).filter(|heads| heads.len() == 1),
            Place::Revision(index) => Some(BTreeSet::from([self.revision(index)])),
            Place::Base | Place::Steps(_) => None,
        }
    }
}

fn grow(start: &BTreeSet<u32>, more: impl Fn(&BTreeSet<u32>) -> BTreeSet<u32>) -> BTreeSet<u32> {
    let mut set = start.clone();
    loop {
        let larger = &set | &more(&set);
        if larger == set {
            return set;
        }
        set = larger;
    }
}

/// What a command must do to `applied` (in order of application): who comes, who goes. `None`
/// when it must be refused.
fn expected(
    made: &Made,
    command: &Command,
    applied: &[u32],
) -> Option<(usize, BTreeSet<u32>, BTreeSet<u32>)> {
    let now: BTreeSet<u32> = applied.iter().copied().collect();
    let nobody = BTreeSet::new;
    match command {
        Command::Upgrade(Place::Steps(count)) => {
            let pending = &made.closure(&made.named(&Place::Head)?) - &now;
            Some(((*count).min(pending.len()), pending, nobody()))
        }
        Command::Upgrade(place) => {
            let pending = &made.closure(&made.named(place)?) - &now;
            Some((pending.len(), pending, nobody()))
        }
        Command::Downgrade(Place::Base) => Some((0, nobody(), now)),
        Command::Downgrade(Place::Steps(count)) => {
            let from = applied.len().checked_sub(*count)?;
            Some((0, nobody(), applied[from..].iter().copied().collect()))
        }
        Command::Downgrade(place) => {
            let targets = made.named(place)?;
            let fits = targets.is_subset(&now);
            // A target stays, and with it what it needs: one head may need what depends on another.
            let above = made.dependents(&targets, applied);
            fits.then(|| (0, nobody(), &above - &made.closure(&targets)))
        }
        Command::Stamp(Place::Base) => Some((0, nobody(), now)),
        Command::Stamp(place) => {
            let wanted = made.closure(&made.named(place)?);
            let new = &wanted - &now;
            Some((new.len(), new, &now - &wanted))
        }
    }
}

fn settings() -> Settings {
    Settings {
        version_table: "migrator_version".to_owned(),
        actor: "tester@here".to_owned(),
        application_name: "migrator test".to_owned(),
        lock_timeout: Duration::ZERO,
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(10),
        statement_times: false,
        session: Vec::new(),
        statement_marks: false,
        direct: None,
    }
}

async fn open(path: &Path) -> Box<dyn Database> {
    let location = Location::Sqlite(path.to_owned());
    database::connect(&location, Access::Create, settings())
        .await
        .unwrap()
}

fn applied(observed: &Observed) -> Vec<u32> {
    observed
        .applied
        .iter()
        .map(|row| number(&row.revision))
        .collect()
}

/// Plans and runs; what was refused has done nothing.
async fn run(database: &mut dyn Database, made: &Made, command: &Command) -> Result<(), PlanError> {
    let observed = database.observe(Detail::WithScripts).await.unwrap();
    let context = PlanContext {
        history: &made.history,
        observed: &observed,
        dialect: Dialect::Sqlite,
        vars: Vars::none(),
        out_of_order: OutOfOrder::Error,
        ahead: Ahead::Error,
        one_transaction: false,
        expand_only: false,
    };
    let plan = match command {
        Command::Upgrade(place) => plan::upgrade(&context, &made.target(place, '+'))?,
        Command::Downgrade(place) => plan::downgrade(&context, &made.target(place, '-'))?,
        Command::Stamp(place) => {
            let stamp = plan::stamp(&context, &[made.target(place, '+')], false)?;
            execute::write_stamp(database, stamp).await.unwrap();
            return Ok(());
        }
    };
    let sink = Sink::silent();
    let stop = Stop::default();
    if !plan.steps.is_empty() {
        database.prepare().await.unwrap();
    }
    let outcome = execute::run(database, plan, RunOptions::default(), &stop, &sink).await;
    assert!(matches!(outcome, Ok(Outcome::Complete(_))), "{outcome:?}");
    Ok(())
}

/// After a stamp the tables are another matter than the records: they are brought in line.
fn follow(path: &Path, before: &BTreeSet<u32>, after: &BTreeSet<u32>) {
    let made = (after - before)
        .into_iter()
        .map(|n| format!("CREATE TABLE t{n} (x integer);"));
    let gone = (before - after)
        .into_iter()
        .map(|n| format!("DROP TABLE t{n};"));
    sql(path, &made.chain(gone).collect::<String>());
}

/// In a thread of its own: a runtime cannot run inside another.
fn sql(path: &Path, sql: &str) -> String {
    if !path.exists() {
        return String::new();
    }
    thread::scope(|scope| {
        scope
            .spawn(|| crate::common::sqlite(path, sql))
            .join()
            .unwrap()
    })
}

fn tables(path: &Path) -> BTreeSet<u32> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 't[0-9]*'";
    let names = self::sql(path, sql);
    names
        .lines()
        .map(|name| name[1..].parse().unwrap())
        .collect()
}

/// Parents and dependencies of everything in `order` come before it.
fn is_closed(made: &Made, order: &[u32]) -> bool {
    let mut seen = BTreeSet::new();
    order.iter().all(|number| {
        let fits = made.needs(*number).is_subset(&seen);
        seen.insert(*number);
        fits
    })
}

async fn check(nodes: &[Node], commands: &[Command]) -> Result<(), TestCaseError> {
    let made = made(nodes);
    let place = SqliteDatabase::create();
    let mut database = open(&place.path).await;
    let mut before: Vec<u32> = Vec::new();
    for command in commands {
        let expected = expected(&made, command, &before);
        let result = run(database.as_mut(), &made, command).await;
        let observed = database.observe(Detail::Brief).await.unwrap();
        let after = applied(&observed);
        let (old, new): (BTreeSet<u32>, BTreeSet<u32>) = (
            before.iter().copied().collect(),
            after.iter().copied().collect(),
        );
        prop_assert_eq!(after.len(), new.len(), "twice applied: {:?}", after);
        match expected {
            None => {
                prop_assert!(
                    result.is_err(),
                    "{:?} must be refused at {:?}",
                    command,
                    before
                );
                prop_assert_eq!(&after, &before);
            }
            Some((count, come, go)) => {
                prop_assert!(
                    result.is_ok(),
                    "{:?} at {:?}: {:?}",
                    command,
                    before,
                    result
                );
                prop_assert_eq!(&old - &new, go, "{:?} at {:?}", command, before);
                let came = &new - &old;
                prop_assert_eq!(came.len(), count, "{:?} at {:?}", command, before);
                prop_assert!(came.is_subset(&come), "{:?} at {:?}", command, before);
            }
        }
        prop_assert!(is_closed(&made, &after), "{:?} led to {:?}", command, after);
        if matches!(command, Command::Stamp(_)) {
            follow(&place.path, &old, &new);
        }
        prop_assert_eq!(tables(&place.path), new);
        before = after;
    }
    database.close().await.unwrap();
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        // PROPTEST_CASES overrides the default only.
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64),
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_applied_is_what_the_graph_says(nodes in nodes(), commands in vec(command(), 1..10)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&nodes, &commands))?;
    }
}
