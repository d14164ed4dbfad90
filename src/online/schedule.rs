//! Puts statements into revisions.

use super::{
    Job, Part,
    item::{Item, Made},
};
use crate::{
    arrange::Arrange as _,
    generate::Statement,
    revision::Phase,
    schema::{Kind, Name, ObjectId, mentions},
};

/// The jobs of the first revisions of a phase, in order.
const JOBS: [Job; 3] = [Job::Change, Job::Build, Job::Validate];

/// The place of an item: the phase, and the number of the revision within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    phase: Phase,
    number: usize,
}

/// The revisions of the items, without changing their order. What follows an item of the contract phase is in
/// that phase as well.
pub(super) fn in_order(items: Vec<Item>) -> Vec<Part> {
    let mut phase = Phase::Expand;
    let mut parts: Vec<Part> = Vec::new();
    for item in items {
        phase = phase.max(item.phase);
        let is_next = |part: &&mut Part| part.job == item.job && part.phase == phase;
        let part = match parts.last_mut().filter(is_next) {
            Some(part) => part,
            None => {
                parts.push(Part {
                    job: item.job,
                    phase,
                    statements: Vec::new(),
                    refills: Vec::new(),
                });
                let last = parts.len() - 1;
                &mut parts[last]
            }
        };
        part.statements.push(item.statement);
        part.refills.extend(item.refill);
    }
    parts
}

/// The revisions of the items, as few as possible. What needs an item is in the same revision or in a later
/// one.
pub(super) fn parts(items: Vec<Item>) -> Vec<Part> {
    let (settings, items): (Vec<Item>, Vec<Item>) = items
        .into_iter()
        .partition(|it| it.statement.object.is_none());
    let mut jobs = [JOBS.to_vec(), JOBS.to_vec()];
    let mut fixed = vec![None; items.len()];
    let mut spots = place(&items, &mut jobs, &fixed);
    // Each round moves some statements further back; the limit ends one that others move again.
    for _ in 0..items.len() {
        let Some(together) = parted(&items, &spots).or_else(|| divided(&items, &spots)) else {
            break;
        };
        let last = together.iter().map(|at| spots[*at]).max();
        let waits = together.iter().any(|at| items[*at].job == Job::Wait);
        let spot = last.map(|spot| match waits {
            true => in_transaction(spot, &mut jobs),
            false => spot,
        });
        for number in together {
            fixed[number] = spot;
        }
        spots = place(&items, &mut jobs, &fixed);
    }
    let mut parts: Vec<(Spot, Part)> = Vec::new();
    for phase in [Phase::Expand, Phase::Contract] {
        for (number, job) in jobs[at(phase)].iter().enumerate() {
            let part = Part {
                job: *job,
                phase,
                statements: Vec::new(),
                refills: Vec::new(),
            };
            parts.push((Spot { phase, number }, part));
        }
    }
    // Rows are read before the first strong lock is taken.
    let is_late = |it: &Item| {
        let validates = it.statement.sql.contains(" VALIDATE CONSTRAINT ");
        it.job == Job::Validate && !validates
    };
    let mut placed: Vec<(Item, Spot)> = items.into_iter().zip(spots).collect();
    placed.arrange_by_key(|(item, _)| is_late(item));
    for (item, spot) in placed {
        let found = parts.iter_mut().find(|(of, _)| *of == spot);
        if let Some((_, part)) = found {
            part.statements.push(item.statement);
            part.refills.extend(item.refill);
        }
    }
    let parts = parts.into_iter().map(|(_, part)| part);
    let mut parts: Vec<Part> = parts.filter(|part| !part.statements.is_empty()).collect();
    for part in &mut parts {
        if part.statements.iter().any(is_routine) {
            let settings = settings.iter().map(|it| it.statement.clone());
            part.statements.splice(0..0, settings);
        }
    }
    parts
}

fn at(phase: Phase) -> usize {
    match phase {
        Phase::Expand => 0,
        Phase::Contract => 1,
    }
}

/// Whether a statement makes a function, for which settings of the session are.
fn is_routine(statement: &Statement) -> bool {
    let kind = statement.object.as_ref().map(|id| id.kind);
    matches!(kind, Some(Kind::Function | Kind::Procedure)) && statement.sql.starts_with("CREATE ")
}

/// The place of each item: the earliest one, if it is not `fixed`. Those of a group are at one place.
fn place(items: &[Item], jobs: &mut [Vec<Job>; 2], fixed: &[Option<Spot>]) -> Vec<Spot> {
    let mut spots: Vec<Spot> = Vec::with_capacity(items.len());
    for group in items.chunk_by(|a, b| a.group.is_some() && a.group == b.group) {
        let start = spots.len();
        let fixed = fixed[start..start + group.len()].iter().flatten().max();
        let spot = match fixed {
            Some(spot) => *spot,
            None => earliest(group, &items[..start], &spots, jobs),
        };
        spots.extend(group.iter().map(|_| spot));
    }
    spots
}

/// The earliest place of a group that is not before what it needs.
fn earliest(group: &[Item], earlier: &[Item], spots: &[Spot], jobs: &mut [Vec<Job>; 2]) -> Spot {
    let (job, phase) = (group[0].job, group[0].phase);
    let first = Spot { phase, number: 0 };
    let is_needed = |earlier: &Item| group.iter().any(|it| needs(it, earlier));
    let needed = earlier.iter().zip(spots);
    let needed = needed.filter(|(earlier, spot)| **spot > first && is_needed(earlier));
    let from = needed.map(|(_, spot)| *spot).max().unwrap_or(first);
    let jobs = &mut jobs[at(from.phase)];
    let shares = |number: usize| {
        let spot = Spot { number, ..from };
        let there = earlier.iter().zip(spots).filter(|(_, it)| **it == spot);
        let there: Vec<&Item> = there.map(|(it, _)| it).collect();
        let all = there.iter().copied().chain(group);
        let mut locks: Vec<&Name> = all.flat_map(|it| &it.locks).collect();
        locks.arrange();
        locks.dedup();
        there.is_empty() || locks.len() < 2
    };
    // A statement for which others wait shares its revision with no other one. A transaction that locks
    // several tables can deadlock with programs.
    let is_free = |at: &usize| match job {
        Job::Wait => false,
        Job::Build => jobs[*at] == Job::Build,
        job => jobs[*at] == job && shares(*at),
    };
    let found = (from.number..jobs.len()).find(is_free);
    let number = found.unwrap_or_else(|| {
        jobs.push(job);
        jobs.len() - 1
    });
    Spot {
        phase: from.phase,
        number,
    }
}

/// The place, or a later one that is a transaction.
fn in_transaction(spot: Spot, jobs: &mut [Vec<Job>; 2]) -> Spot {
    let jobs = &mut jobs[at(spot.phase)];
    if jobs[spot.number].in_transaction() {
        return spot;
    }
    jobs.push(Job::Wait);
    Spot {
        number: jobs.len() - 1,
        ..spot
    }
}

/// A drop and the statement that makes the object again, which is missing in between if they are apart,
/// with what that one needs of what makes others wait.
fn parted(items: &[Item], spots: &[Spot]) -> Option<Vec<usize>> {
    let makes = |item: &Item| does(item, "CREATE") || does(item, "ADD");
    let mut made = items.iter().enumerate().filter(|(_, it)| makes(it));
    made.find_map(|(number, item)| {
        let is_dropped = |at: &usize| {
            let earlier = &items[*at];
            drops(earlier) && earlier.statement.object == item.statement.object
        };
        let dropped = (0..number).find(is_dropped)?;
        let waits = |at: &usize| items[*at].job == Job::Wait && needs(item, &items[*at]);
        let waiting = (dropped + 1..number).filter(waits);
        apart(waiting.chain([dropped, number]).collect(), spots)
    })
}

/// What is half done by one of them alone: a type that is replaced with the columns that wait for it, or
/// a statement that makes others wait with the others about its object.
fn divided(items: &[Item], spots: &[Spot]) -> Option<Vec<usize>> {
    let together = |is_one: &dyn Fn(&Item) -> bool| {
        let all = items.iter().enumerate().filter(|(_, it)| is_one(it));
        apart(all.map(|(number, _)| number).collect(), spots)
    };
    let dropped = items
        .iter()
        .filter(|it| it.statement.sql.starts_with("DROP "));
    let dropped = dropped.filter_map(|it| it.statement.object.as_ref());
    let mut replaced = dropped.filter(|id| is_type(id.kind));
    let of_type = replaced.find_map(|id| {
        together(&|it| {
            let waits = it.job == Job::Wait && mentions(&it.statement.sql, &id.name);
            waits || it.statement.object.as_ref() == Some(id)
        })
    });
    let mut waiting = items.iter().filter(|it| it.job == Job::Wait);
    of_type.or_else(|| {
        waiting.find_map(|of| together(&|it| it.statement.object == of.statement.object))
    })
}

fn is_type(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range
    )
}

/// Whether a statement begins with a word, or does this to a part of a table.
fn does(item: &Item, word: &str) -> bool {
    let sql = &item.statement.sql;
    let is_action = |part: &str| sql.contains(&format!(" {word} {part} "));
    sql.starts_with(word) || is_action("COLUMN") || is_action("CONSTRAINT")
}

fn drops(item: &Item) -> bool {
    does(item, "DROP")
}

/// The statements, if they are not at one place.
fn apart(together: Vec<usize>, spots: &[Spot]) -> Option<Vec<usize>> {
    let first = spots[*together.first()?];
    let is_apart = together.iter().any(|at| spots[*at] != first);
    is_apart.then_some(together)
}

/// Whether an item may not run before an earlier one.
fn needs(item: &Item, earlier: &Item) -> bool {
    let Some(id) = &earlier.statement.object else {
        return false;
    };
    let sql = &item.statement.sql;
    // What something was dropped for comes after it.
    if drops(earlier) && (drops(item) || item.job == Job::Wait) {
        return true;
    }
    let is_object = item.statement.object.as_ref() == Some(id);
    let is_of_column = || is_about(item, id) && mentions(sql, &id.name);
    is_object
        || match &earlier.made {
            Made::Name(name) => mentions(sql, name),
            Made::Key(columns) => {
                let is_over = columns.iter().all(|column| mentions(sql, column));
                mentions(sql, &id.name) || mentions(sql, &id.parent) && is_over
            }
            Made::NotNull => is_of_column() && sql.contains(" PRIMARY KEY"),
            // Whatever becomes of other columns, a batch finds its rows by them.
            Made::Object if id.kind == Kind::Column => !item.statement.is_batched && is_of_column(),
            Made::Object => mentions(sql, &id.name),
        }
}

/// Whether a statement is about the table of a column, or names it.
fn is_about(item: &Item, column: &ObjectId) -> bool {
    let of_table = |id: &ObjectId| id.parent == column.parent && id.schema == column.schema;
    item.statement.object.as_ref().is_some_and(of_table)
        || mentions(&item.statement.sql, &column.parent)
}
