//! The order in which tables get rows.

use std::collections::HashMap;

use super::table::{Table, Way};
use crate::schema::Name;

/// The places of tables in groups: the rows of a group refer to each other and to those of groups
/// before it.
pub(super) fn order(tables: &[Table]) -> Vec<Vec<usize>> {
    let places: HashMap<&Name, usize> = tables
        .iter()
        .enumerate()
        .map(|(at, table)| (&table.name, at))
        .collect();
    let mut sorter = Sorter {
        edges: tables.iter().map(|table| edges(table, &places)).collect(),
        is_placed: vec![false; tables.len()],
    };
    let mut groups = Vec::new();
    let mut left = tables.len();
    while left > 0 {
        let group = sorter.next();
        left -= group.len();
        for at in &group {
            sorter.is_placed[*at] = true;
        }
        groups.push(group);
    }
    groups
}

/// The tables that one refers to.
struct Edges {
    /// Tables without whose rows there are none.
    needed: Vec<usize>,
    all: Vec<usize>,
}

fn edges(table: &Table, places: &HashMap<&Name, usize>) -> Edges {
    let (mut needed, mut all) = (Vec::new(), Vec::new());
    for reference in table.references.iter().filter(|it| it.own.is_none()) {
        if let Some(at) = places.get(&reference.table) {
            all.push(*at);
            if table.is_needed(reference) {
                needed.push(*at);
            }
        }
    }
    if let Way::Through(parts) = &table.way {
        let parts = parts.iter().filter_map(|part| places.get(part));
        for at in parts {
            all.push(*at);
            needed.push(*at);
        }
    }
    Edges { needed, all }
}

struct Sorter {
    edges: Vec<Edges>,
    is_placed: Vec<bool>,
}

impl Sorter {
    fn next(&self) -> Vec<usize> {
        let left = || (0..self.edges.len()).filter(|at| !self.is_placed[*at]);
        let is_met = |others: &[usize]| others.iter().all(|other| self.is_placed[*other]);
        let free = left().find(|at| is_met(&self.edges[*at].all));
        let free = free.or_else(|| left().find(|at| is_met(&self.edges[*at].needed)));
        if let Some(at) = free {
            return vec![at];
        }
        left()
            .next()
            .map_or_else(Vec::new, |start| self.cycle(start))
    }

    /// A cycle of needed tables that is reached from `start`.
    fn cycle(&self, start: usize) -> Vec<usize> {
        let mut path = vec![start];
        loop {
            let last = path[path.len() - 1];
            let mut needed = self.edges[last].needed.iter();
            let Some(next) = needed.find(|at| !self.is_placed[**at]) else {
                return vec![last];
            };
            if let Some(from) = path.iter().position(|at| at == next) {
                return path.split_off(from);
            }
            path.push(*next);
        }
    }
}
