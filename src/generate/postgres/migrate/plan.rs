//! What is dropped, altered and created, in which order.

use std::collections::{HashMap, HashSet};

use super::{
    creations, drops,
    fate::{Fate, Fates},
    sides::{Side, Sides},
};
use crate::{
    arrange::Arrange as _,
    generate::{
        Refusal,
        postgres::{Dump, graph, order},
    },
    schema::{Cycle, Facts, Object},
};

/// A part of the way of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// Drops the old object, or what of it is in the way of others.
    Down(usize),
    /// Alters the old object, or creates the new one.
    Up(usize),
    /// Gives an old type another name.
    Aside(usize),
    /// Attaches a table to its parents.
    Attach(usize),
}

/// The plan.
pub(super) struct Plan<'a> {
    pub old: Side<'a>,
    pub new_links: Vec<Vec<usize>>,
    pub dump: Dump<'a>,
    pub new_of: Vec<Option<usize>>,
    pub old_of: Vec<Option<usize>>,
    pub changed: Vec<super::sides::Changes>,
    pub fates: Fates,
    /// The old object whose statement drops each old one.
    down_of: Vec<usize>,
    /// The new object whose statement creates or alters each new one.
    up_of: Vec<usize>,
    old_places: Vec<usize>,
    new_places: Vec<usize>,
}

impl<'a> Plan<'a> {
    /// # Errors
    /// Fails when the objects of a schema depend on each other.
    pub fn of(sides: Sides<'a>, fates: Fates) -> Result<Self, Cycle> {
        let Sides {
            mut old,
            mut new,
            new_of,
            old_of,
            changed,
        } = sides;
        let mut fates = fates;
        let (down_of, old_places) = drops::fold(&mut old, &mut fates);
        let is_created = |at: usize| match old_of[at] {
            None => true,
            Some(old) => matches!(fates.of[old], Fate::Rebuilt | Fate::Replaced),
        };
        let up_of = creations::fold(&mut new, &old_of, &is_created);
        let new_order = order::order(&mut new.layout)?;
        let mut up_of = up_of;
        for (at, of) in up_of.iter_mut().enumerate() {
            let within = new.layout.within[at];
            if *of == at || new.objects().whole(at) == Some(*of) {
                *of = within;
            }
        }
        let places = |order: &[usize], count: usize| {
            let mut places = vec![usize::MAX; count];
            for (place, at) in order.iter().enumerate() {
                places[*at] = place;
            }
            places
        };
        let new_places = places(&new_order, new.len());
        // A table that is kept has its columns already: sequences are given to it at the end.
        let mut known_places = new_places.clone();
        for (at, place) in known_places.iter_mut().enumerate() {
            if matches!(new.get(at).facts, Facts::Table(_)) && !is_created(at) {
                *place = usize::MAX;
            }
        }
        let Side { layout, links, .. } = new;
        let plan = Self {
            old,
            new_links: links,
            dump: Dump {
                layout,
                places: known_places,
            },
            new_of,
            old_of,
            changed,
            fates,
            down_of,
            up_of,
            old_places,
            new_places,
        };
        Ok(plan)
    }

    pub fn new_object(&self, at: usize) -> &'a Object {
        self.dump.layout.objects.get(at)
    }

    pub fn fate(&self, old: usize) -> Fate {
        self.fates.of[old]
    }

    /// Whether a statement creates the new object.
    pub fn is_created(&self, new: usize) -> bool {
        match self.old_of[new] {
            None => true,
            Some(old) => matches!(self.fate(old), Fate::Rebuilt | Fate::Replaced),
        }
    }

    /// Whether a table leaves one of its parents.
    pub fn leaves_parent(&self, old: usize) -> bool {
        self.fate(old) == Fate::Altered && {
            let changed = &self.changed[old];
            changed.contains_key("partition_of") || changed.contains_key("inherits")
        }
    }

    /// Whether a column of a dropped table loses its default before.
    pub fn loses_default_first(&self, old: usize) -> bool {
        self.fates.detached[old] && self.fate(old).is_gone() && self.down_of[old] != old
    }

    pub(super) fn down(&self, old: usize) -> Option<Node> {
        if self.fate(old).is_gone() {
            let mut at = old;
            for _ in 0..64 {
                if self.down_of[at] == at {
                    break;
                }
                at = self.down_of[at];
            }
            return Some(Node::Down(at));
        }
        let is_there = self.fates.detached[old] || self.leaves_parent(old);
        is_there.then_some(Node::Down(old))
    }

    pub(super) fn up(&self, new: usize) -> Option<Node> {
        let mut at = new;
        for _ in 0..64 {
            if self.up_of[at] == at {
                break;
            }
            at = self.up_of[at];
        }
        if self.is_created(at) {
            return Some(Node::Up(at));
        }
        let old = self.old_of[new]?;
        let is_altered =
            self.fate(old) != Fate::Kept || self.fates.detached[old] || self.fates.retyped[old];
        is_altered.then_some(Node::Up(new))
    }

    /// All parts of the way, in order.
    ///
    /// # Errors
    /// Fails when changes need each other.
    pub fn nodes(&self) -> Result<Vec<Node>, Vec<Refusal>> {
        let (olds, news) = (self.old.len(), self.new_links.len());
        let number = |node: Node| match node {
            Node::Down(at) => at,
            Node::Up(at) => olds + at,
            Node::Aside(at) => olds + news + at,
            Node::Attach(at) => 2 * olds + news + at,
        };
        let mut edges: Vec<Vec<usize>> = vec![Vec::new(); 2 * (olds + news)];
        for (later, earlier) in self.edges() {
            if later != earlier {
                edges[number(later)].push(number(earlier));
            }
        }
        let mut nodes: Vec<Node> = Vec::new();
        let mut seen = HashSet::new();
        let first = (0..olds).filter(|at| self.loses_default_first(*at));
        let downs = (0..olds).filter_map(|at| self.down(at));
        let downs = first.map(Node::Down).chain(downs);
        let mut downs: Vec<Node> = downs.filter(|node| seen.insert(*node)).collect();
        let old_place = |node: &Node| match node {
            Node::Down(at) | Node::Aside(at) => usize::MAX - self.old_place(*at),
            _ => 0,
        };
        downs.arrange_by_key(old_place);
        let asides = (0..olds).filter(|at| self.fate(*at) == Fate::Replaced);
        let asides: Vec<Node> = asides.map(Node::Aside).collect();
        let is_late = |at: &usize| self.dump.layout.late_default[*at] && self.is_created(*at);
        let late = (0..news).filter(is_late).map(Node::Up);
        let ups = (0..news).filter_map(|at| self.up(at)).chain(late);
        let mut ups: Vec<Node> = ups.filter(|node| seen.insert(*node)).collect();
        let new_place = |node: &Node| match node {
            Node::Up(at) => self.new_place(*at),
            _ => 0,
        };
        ups.arrange_by_key(new_place);
        let attach =
            (0..news).filter(|at| self.old_of[*at].is_some_and(|old| self.leaves_parent(old)));
        let attach: Vec<Node> = attach.map(Node::Attach).collect();
        let waits = self.waiting(&edges, &number, &downs);
        let (late, early): (Vec<Node>, Vec<Node>) =
            downs.into_iter().partition(|node| waits.contains(node));
        nodes.extend(early);
        nodes.extend(asides);
        nodes.extend(ups);
        nodes.extend(attach);
        nodes.extend(late);
        self.add_calls(&mut edges, &number);
        let mut place = vec![0; edges.len()];
        for (at, node) in nodes.iter().enumerate() {
            place[number(*node)] = at;
        }
        for list in &mut edges {
            list.arrange_by_key(|at| place[*at]);
            list.dedup();
        }
        let wanted: Vec<usize> = nodes.iter().map(|node| number(*node)).collect();
        let by_number: HashMap<usize, Node> =
            nodes.iter().map(|node| (number(*node), *node)).collect();
        let ordered = graph::order(&wanted, &edges).map_err(|cycle| {
            let nodes = cycle.iter().filter_map(|at| by_number.get(at));
            let objects = nodes.map(|node| self.object_of(*node));
            self.refuse_cycle(objects.collect())
        })?;
        Ok(ordered
            .into_iter()
            .filter_map(|at| by_number.get(&at).copied())
            .collect())
    }

    fn object_of(&self, node: Node) -> &'a Object {
        match node {
            Node::Down(at) | Node::Aside(at) => self.old.get(at),
            Node::Up(at) | Node::Attach(at) => self.new_object(at),
        }
    }

    fn refuse_cycle(&self, objects: Vec<&Object>) -> Vec<Refusal> {
        let shown: Vec<String> = objects.iter().map(|it| it.id.to_string()).collect();
        let first = objects.first().map(|it| it.id.clone());
        let reason = format!("changes need each other: {}", shown.join(" → "));
        first
            .map(|object| Refusal { object, reason })
            .into_iter()
            .collect()
    }

    fn old_place(&self, at: usize) -> usize {
        let place = self.old_places[at];
        match (place, self.old.objects().whole(at)) {
            (usize::MAX, Some(whole)) => self.old_places[whole].min(usize::MAX - 1),
            (usize::MAX, None) => usize::MAX - 1,
            _ => place,
        }
    }

    fn new_place(&self, at: usize) -> usize {
        let place = self.new_places[at];
        match (place, self.dump.layout.objects.whole(at)) {
            (usize::MAX, Some(whole)) => self.new_places[whole],
            _ => place,
        }
    }

    /// The drops that come after what is altered or created.
    fn waiting(
        &self,
        edges: &[Vec<usize>],
        number: &dyn Fn(Node) -> usize,
        downs: &[Node],
    ) -> HashSet<Node> {
        let olds = self.old.len();
        let mut state: Vec<Option<bool>> = vec![None; edges.len()];
        let mut found = HashSet::new();
        for node in downs {
            let mut stack = vec![(number(*node), 0)];
            while let Some((at, followed)) = stack.last_mut() {
                let at = *at;
                if at >= olds {
                    state[at] = Some(true);
                }
                if state[at] == Some(true) {
                    stack.pop();
                    for (waiting, _) in &stack {
                        state[*waiting] = Some(true);
                    }
                    continue;
                }
                match edges[at].get(*followed) {
                    Some(next) => {
                        *followed += 1;
                        let next = *next;
                        match state[next] {
                            Some(false) => {}
                            _ if stack.iter().any(|(it, _)| *it == next) => {}
                            _ => stack.push((next, 0)),
                        }
                    }
                    None => {
                        state[at] = Some(false);
                        stack.pop();
                    }
                }
            }
            if state[number(*node)] == Some(true) {
                found.insert(*node);
            }
        }
        found
    }
}
