//! Topological order and cycles of a graph of integers.

use crate::arrange::Arrange as _;
use std::{cmp::Reverse, collections::BinaryHeap, slice};

/// Returns the nodes so that each follows those in `before[node]`; ties are ordered by number.
///
/// # Errors
/// Returns the cycles, each as its path from its smallest node, without the repeated end. Breaking
/// all of them makes the graph acyclic.
pub(super) fn topological_order(before: &[Vec<usize>]) -> Result<Vec<usize>, Vec<Vec<usize>>> {
    let after = reversed(before);
    let mut missing: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut ready: BinaryHeap<_> = (0..before.len())
        .filter(|node| missing[*node] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for &next in &after[node] {
            missing[next] -= 1;
            if missing[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    if order.len() == before.len() {
        Ok(order)
    } else {
        Err(cycles(before))
    }
}

/// Returns the graph with every edge reversed; lists are in ascending order.
pub(super) fn reversed(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut reversed = vec![Vec::new(); edges.len()];
    for (from, targets) in edges.iter().enumerate() {
        for &to in targets {
            reversed[to].push(from);
        }
    }
    reversed
}

/// Marks `start` and all nodes reachable from it along the edges that `next` returns.
pub(super) fn reach<'a>(
    nodes: usize,
    start: impl IntoIterator<Item = usize>,
    next: impl Fn(usize) -> [&'a [usize]; 2],
) -> Vec<bool> {
    let mut reached = vec![false; nodes];
    let mut waiting: Vec<usize> = start.into_iter().collect();
    while let Some(node) = waiting.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            waiting.extend(next(node).into_iter().flatten());
        }
    }
    reached
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    /// The node is on the current path.
    Open,
    Done,
}

/// Returns one cycle for every edge that leads back to the current path of a depth-first search.
fn cycles(before: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut visits = vec![Visit::New; before.len()];
    let mut found = Vec::new();
    for start in 0..before.len() {
        if visits[start] == Visit::New {
            search(before, start, &mut visits, &mut found);
        }
    }
    found.arrange();
    found.dedup();
    found
}

fn search(before: &[Vec<usize>], start: usize, visits: &mut [Visit], found: &mut Vec<Vec<usize>>) {
    type Frame<'a> = (usize, slice::Iter<'a, usize>);
    let frame = |node: usize| -> Frame<'_> { (node, before[node].iter()) };
    visits[start] = Visit::Open;
    let mut path = vec![frame(start)];
    while let Some((node, edges)) = path.last_mut() {
        let Some(&next) = edges.next() else {
            visits[*node] = Visit::Done;
            path.pop();
            continue;
        };
        match visits[next] {
            Visit::New => {
                visits[next] = Visit::Open;
                path.push(frame(next));
            }
            Visit::Open => {
                let cycle = path.iter().map(|(node, _)| *node);
                found.push(from_smallest(cycle.skip_while(|n| *n != next).collect()));
            }
            Visit::Done => {}
        }
    }
}

fn from_smallest(mut cycle: Vec<usize>) -> Vec<usize> {
    let smallest = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
    cycle.rotate_left(smallest);
    cycle
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_and_cycles() {
        let check = |before: &[&[usize]], expected: Result<&[usize], &[&[usize]]>| {
            let before: Vec<_> = before.iter().map(|b| b.to_vec()).collect();
            let expected = expected
                .map(<[usize]>::to_vec)
                .map_err(|cycles| cycles.iter().map(|c| c.to_vec()).collect::<Vec<_>>());
            assert_eq!(topological_order(&before), expected, "{before:?}");
        };
        check(&[], Ok(&[]));
        check(&[&[], &[], &[]], Ok(&[0, 1, 2]));
        check(&[&[2], &[], &[]], Ok(&[1, 2, 0]));
        check(&[&[1], &[2], &[]], Ok(&[2, 1, 0]));
        check(&[&[], &[0], &[0], &[1, 2]], Ok(&[0, 1, 2, 3]));
        check(&[&[1], &[0]], Err(&[&[0, 1]]));
        check(&[&[], &[3], &[1], &[2]], Err(&[&[1, 3, 2]]));
        check(&[&[1, 2], &[0], &[0]], Err(&[&[0, 1], &[0, 2]]));
        check(&[&[1], &[0], &[1], &[4], &[3]], Err(&[&[0, 1], &[3, 4]]));
    }

    fn graphs() -> impl Strategy<Value = Vec<Vec<usize>>> {
        (1usize..12).prop_flat_map(|nodes| {
            let edges = prop::collection::btree_set(0..nodes, 0..4.min(nodes));
            let edges = edges.prop_map(|set| set.into_iter().collect::<Vec<_>>());
            prop::collection::vec(edges, nodes)
        })
    }

    proptest! {
        #[test]
        fn any_graph_has_an_order_or_cycles(before in graphs()) {
            match topological_order(&before) {
                Ok(order) => {
                    let mut sorted = order.clone();
                    sorted.sort_unstable();
                    prop_assert!(sorted.into_iter().eq(0..before.len()));
                    for (at, node) in order.iter().enumerate() {
                        for parent in &before[*node] {
                            prop_assert!(order[..at].contains(parent));
                        }
                    }
                }
                Err(cycles) => {
                    prop_assert!(!cycles.is_empty());
                    let mut broken = before.clone();
                    for cycle in &cycles {
                        for (at, node) in cycle.iter().enumerate() {
                            let next = cycle[(at + 1) % cycle.len()];
                            prop_assert!(before[*node].contains(&next));
                            broken[*node].retain(|n| *n != next);
                        }
                    }
                    prop_assert!(topological_order(&broken).is_ok());
                }
            }
        }
    }
}
