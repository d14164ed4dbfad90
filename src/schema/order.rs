use std::collections::{BTreeSet, HashMap};

use super::{ObjectId, Schema};

/// Objects that depend on each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these objects depend on each other: {}", shown(.0))]
pub struct Cycle(
    /// The objects, each depending on the next, and the last on the first.
    pub Vec<ObjectId>,
);

fn shown(objects: &[ObjectId]) -> String {
    let shown: Vec<String> = objects.iter().map(ToString::to_string).collect();
    shown.join(" → ")
}

/// Returns the indexes of the objects of `schema` in an order in which they can be created: each
/// after what it depends on, and otherwise by `rank` and then by identity. Dependencies on objects
/// outside `schema` are ignored.
///
/// # Errors
/// Fails with one of the cycles if there is one.
pub fn creation_order<R: Ord + Copy>(
    schema: &Schema,
    rank: impl Fn(usize) -> R,
    needs: impl Fn(usize) -> Vec<ObjectId>,
) -> Result<Vec<usize>, Cycle> {
    let objects = &schema.objects;
    let index: HashMap<&ObjectId, usize> = objects
        .iter()
        .enumerate()
        .map(|(at, object)| (&object.id, at))
        .collect();
    let mut waiting = vec![0_usize; objects.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); objects.len()];
    let mut required: Vec<Vec<usize>> = vec![Vec::new(); objects.len()];
    for at in 0..objects.len() {
        let needed: BTreeSet<usize> = needs(at)
            .iter()
            .filter_map(|id| index.get(id).copied())
            .filter(|other| *other != at)
            .collect();
        waiting[at] = needed.len();
        for other in &needed {
            dependents[*other].push(at);
        }
        required[at] = needed.into_iter().collect();
    }
    let ready = (0..objects.len()).filter(|at| waiting[*at] == 0);
    let mut ready: BTreeSet<(R, usize)> = ready.map(|at| (rank(at), at)).collect();
    let mut order = Vec::with_capacity(objects.len());
    while let Some((_, at)) = ready.pop_first() {
        order.push(at);
        for dependent in &dependents[at] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                ready.insert((rank(*dependent), *dependent));
            }
        }
    }
    if order.len() == objects.len() {
        return Ok(order);
    }
    let cycle = cycle(&required, &waiting);
    let ids = cycle.into_iter().map(|at| objects[at].id.clone());
    Err(Cycle(ids.collect()))
}

/// A cycle among the objects that are still waiting.
fn cycle(required: &[Vec<usize>], waiting: &[usize]) -> Vec<usize> {
    let Some(start) = waiting.iter().position(|count| *count > 0) else {
        return Vec::new();
    };
    let mut path = vec![start];
    loop {
        let last = path[path.len() - 1];
        // An object that waits requires another one that waits.
        let Some(next) = required[last].iter().find(|other| waiting[**other] > 0) else {
            return path;
        };
        if let Some(from) = path.iter().position(|seen| seen == next) {
            return path.split_off(from);
        }
        path.push(*next);
    }
}
