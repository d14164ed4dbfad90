//! What is dropped, altered and created, in which order.

use std::collections::{HashMap, HashSet};

use super::{
    drops,
    fate::{Fate, Fates},
    sides::{Side, Sides},
};
use crate::{
    generate::{
        Refusal,
        postgres::{Dump, graph, order},
    },
    schema::{Cycle, Facts, Kind, Object, ObjectId},
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
        let up_of = fold_creations(&mut new, &old_of, &is_created);
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

    fn down(&self, old: usize) -> Option<Node> {
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

    fn up(&self, new: usize) -> Option<Node> {
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
        let downs = (0..olds).filter_map(|at| self.down(at));
        let mut downs: Vec<Node> = downs.filter(|node| seen.insert(*node)).collect();
        let old_place = |node: &Node| match node {
            Node::Down(at) | Node::Aside(at) => usize::MAX - self.old_place(*at),
            _ => 0,
        };
        downs.sort_by_key(old_place);
        let asides = (0..olds).filter(|at| self.fate(*at) == Fate::Replaced);
        let asides: Vec<Node> = asides.map(Node::Aside).collect();
        let ups = (0..news).filter_map(|at| self.up(at));
        let mut ups: Vec<Node> = ups.filter(|node| seen.insert(*node)).collect();
        let new_place = |node: &Node| match node {
            Node::Up(at) => self.new_place(*at),
            _ => 0,
        };
        ups.sort_by_key(new_place);
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
            list.sort_by_key(|at| place[*at]);
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

    /// What the bodies of functions mention comes before them, also where kept objects are in
    /// between, unless that leads in a circle: other statements may call them.
    fn add_calls(&self, edges: &mut [Vec<usize>], number: &dyn Fn(Node) -> usize) {
        let calls = super::body::calls(self);
        if calls.is_empty() {
            return;
        }
        let is_kept = |at: usize| self.up(at).is_none();
        let node = |at: usize| number(self.up(at).unwrap_or(Node::Up(at)));
        let links = self.new_links.iter().enumerate();
        let links = links.flat_map(|(user, links)| links.iter().map(move |used| (user, *used)));
        let links = links.filter(|(user, used)| {
            (is_kept(*user) || is_kept(*used)) && !self.is_made_with(*user, *used)
        });
        let mut soft: Vec<(usize, usize)> = calls
            .into_iter()
            .chain(links)
            .map(|(user, used)| (node(user), node(used)))
            .filter(|(user, used)| user != used && !edges[*user].contains(used))
            .collect();
        soft.sort_unstable();
        soft.dedup();
        let mut all = edges.to_vec();
        for (user, used) in &soft {
            all[*user].push(*used);
        }
        let component = graph::components(&all);
        soft.retain(|(user, used)| component[*user] != component[*used]);
        for (user, used) in soft {
            edges[user].push(used);
        }
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

    /// What must come after what.
    fn edges(&self) -> Vec<(Node, Node)> {
        let mut edges = Vec::new();
        for user in 0..self.old.len() {
            self.edges_of_pair(user, &mut edges);
            for used in &self.old.links[user] {
                self.edges_of_old(user, *used, &mut edges);
            }
        }
        let layout = &self.dump.layout;
        let needs = order::needs(layout);
        let of_layout = needs.iter().map(|need| (need.from, need.to));
        let of_links = self.new_links.iter().enumerate().flat_map(|(user, links)| {
            let links = links
                .iter()
                .filter(move |used| !self.is_made_with(user, **used));
            links.map(move |used| (user, *used))
        });
        for (user, used) in of_layout.chain(of_links) {
            // A default that comes later has a statement of its own.
            let is_late = layout.late_default[user];
            let user = if is_late {
                Some(Node::Up(user))
            } else {
                self.up(user)
            };
            if let (Some(user), Some(used)) = (user, self.up(used)) {
                edges.push((user, used));
            }
        }
        self.edges_of_names(&mut edges);
        self.edges_of_owners(&mut edges);
        self.edges_of_attachments(&mut edges);
        edges
    }

    /// Whether the server makes both with one statement.
    fn is_made_with(&self, user: usize, used: usize) -> bool {
        let layout = &self.dump.layout;
        let (of_user, of_used) = (&self.new_object(user).facts, &self.new_object(used).facts);
        match (of_user, of_used) {
            (Facts::Column(_), Facts::Sequence(_)) => {
                layout.serial[user].is_some() && layout.made[used]
            }
            (Facts::Key(_) | Facts::Exclusion(_) | Facts::Index(_), _) => {
                crate::generate::postgres::objects::parent_index(self.new_object(user))
                    == Some(&self.new_object(used).id.qualified())
            }
            // Those have been considered with the order of the new schema.
            (Facts::ForeignKey(_) | Facts::Check(_) | Facts::Column(_), _) => {
                layout.within[user] != user || layout.late_default[user]
            }
            _ => false,
        }
    }

    fn edges_of_pair(&self, old: usize, edges: &mut Vec<(Node, Node)>) {
        let Some(new) = self.new_of[old] else { return };
        let (Some(down), Some(up)) = (self.down(old), self.up(new)) else {
            return;
        };
        if self.fate(old) == Fate::Replaced {
            edges.push((up, Node::Aside(old)));
            edges.push((down, up));
        } else {
            edges.push((up, down));
        }
    }

    fn edges_of_old(&self, user: usize, used: usize, edges: &mut Vec<(Node, Node)>) {
        let (fate, of_used) = (self.fate(user), self.fate(used));
        let (down, up) = (
            self.down(user),
            self.new_of[user].and_then(|new| self.up(new)),
        );
        if of_used.is_gone() {
            let Some(used_down) = self.down(used) else {
                return;
            };
            let by_type = self.fates.retyped[user] && of_used == Fate::Replaced;
            match (down, up) {
                (_, Some(up)) if by_type => {
                    edges.push((used_down, up));
                    if let Some(down) = down {
                        edges.push((up, down));
                    }
                }
                (Some(down), _) => {
                    edges.push((used_down, down));
                    if of_used == Fate::Replaced && fate != Fate::Replaced {
                        edges.push((Node::Aside(used), down));
                    }
                }
                (None, Some(up)) => edges.push((used_down, up)),
                (None, None) => {}
            }
        } else if let (Some(down), Some(used_up)) =
            (down, self.new_of[used].and_then(|new| self.up(new)))
            && !(fate == Fate::Replaced)
        {
            edges.push((used_up, down));
        }
    }

    /// New objects come after old ones of the same name.
    fn edges_of_names(&self, edges: &mut Vec<(Node, Node)>) {
        let mut taken: HashMap<(u8, String, String), Vec<usize>> = HashMap::new();
        for old in 0..self.old.len() {
            if self.fate(old).is_gone() {
                for key in names(self.old.get(old)) {
                    taken.entry(key).or_default().push(old);
                }
            }
        }
        for new in 0..self.new_links.len() {
            if !self.is_created(new) {
                continue;
            }
            let Some(up) = self.up(new) else { continue };
            for key in names(self.new_object(new)) {
                for old in taken.get(&key).into_iter().flatten() {
                    let is_same = self.old_of[new] == Some(*old);
                    let edge = match self.fate(*old) {
                        Fate::Replaced => Some(Node::Aside(*old)),
                        _ => self.down(*old),
                    };
                    if let Some(down) = edge.filter(|_| !is_same) {
                        edges.push((up, down));
                    }
                }
            }
        }
    }

    /// A sequence is taken from its column before that is dropped.
    fn edges_of_owners(&self, edges: &mut Vec<(Node, Node)>) {
        for old in 0..self.old.len() {
            let Facts::Sequence(sequence) = &self.old.get(old).facts else {
                continue;
            };
            let Some((table, column)) = &sequence.owned_by else {
                continue;
            };
            let objects = self.old.objects();
            let up = self.new_of[old].and_then(|new| self.up(new));
            let table = objects.relation(table).map(|at| &objects.get(at).id);
            let column = table.and_then(|table| {
                objects.find(&ObjectId::part(Kind::Column, &table.qualified(), column))
            });
            let down = column
                .filter(|at| self.fate(*at).is_gone())
                .and_then(|at| self.down(at));
            if let (Some(up), Some(down)) = (up, down) {
                edges.push((down, up));
            }
        }
    }

    /// Tables leave their parents before and are attached after their parts have changed.
    fn edges_of_attachments(&self, edges: &mut Vec<(Node, Node)>) {
        let objects = &self.dump.layout.objects;
        for old in 0..self.old.len() {
            let Some(new) = self.new_of[old].filter(|_| self.leaves_parent(old)) else {
                continue;
            };
            let leave = Node::Down(old);
            for (part, _) in self.old.objects().parts(old) {
                edges.extend(self.down(part).map(|down| (down, leave)));
            }
            let attach = Node::Attach(new);
            edges.extend(self.up(new).map(|up| (attach, up)));
            for (part, object) in objects.parts(new) {
                edges.extend(self.up(part).map(|up| (up, leave)));
                let is_before = matches!(object.id.kind, Kind::Column | Kind::Check);
                if let Some(up) = self.up(part) {
                    if is_before || !self.dump.layout.made[part] {
                        edges.push((attach, up));
                    } else {
                        edges.push((up, attach));
                    }
                }
            }
            for parent in objects.parents(new) {
                edges.extend(self.up(parent).map(|up| (attach, up)));
                for (part, object) in objects.parts(parent) {
                    if matches!(object.id.kind, Kind::Column | Kind::Check) {
                        edges.extend(self.up(part).map(|up| (attach, up)));
                    }
                }
            }
        }
    }
}

/// The names that an object takes: those of relations, types, routines and constraints are apart.
fn names(object: &Object) -> Vec<(u8, String, String)> {
    let id = &object.id;
    let in_schema = |space: u8| (space, id.schema.clone(), id.name.clone());
    match id.kind {
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::Composite => {
            vec![in_schema(0), in_schema(1)]
        }
        Kind::Sequence | Kind::Index => vec![in_schema(0)],
        Kind::PrimaryKey | Kind::Unique | Kind::Exclusion => {
            vec![
                in_schema(0),
                (3, format!("{}.{}", id.schema, id.parent), id.name.clone()),
            ]
        }
        Kind::ForeignKey | Kind::Check => {
            vec![(3, format!("{}.{}", id.schema, id.parent), id.name.clone())]
        }
        Kind::Enum | Kind::Domain | Kind::Range => vec![in_schema(1)],
        Kind::Function | Kind::Procedure | Kind::Aggregate => {
            vec![(2, id.schema.clone(), format!("{}{}", id.name, id.signature))]
        }
        Kind::Column => match &object.facts {
            Facts::Column(column) => column
                .identity
                .iter()
                .filter(|it| !it.sequence.name.is_empty())
                .map(|it| (0, it.sequence.schema.clone(), it.sequence.name.clone()))
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Finds out which statement creates each object.
fn fold_creations(
    new: &mut Side<'_>,
    old_of: &[Option<usize>],
    is_created: &dyn Fn(usize) -> bool,
) -> Vec<usize> {
    let count = new.len();
    let mut up_of: Vec<usize> = (0..count).collect();
    for at in 0..count {
        let whole = new.objects().whole(at);
        let is_whole_created = whole.is_none_or(is_created);
        if whole.is_some() && !is_whole_created {
            new.layout.within[at] = at;
        }
        let object = new.get(at);
        match &object.facts {
            Facts::Column(_) if new.layout.serial[at].is_some() => {
                let sequence = new
                    .objects()
                    .sequence(&super::sides::table_of(object), &object.id.name);
                let is_new = is_created(at) && sequence.is_some_and(is_created);
                if !is_new {
                    new.layout.serial[at] = None;
                    if let Some(sequence) = sequence {
                        new.layout.made[sequence] = false;
                    }
                }
            }
            Facts::Index(_) | Facts::Key(_) | Facts::Exclusion(_) => {
                let parent = new.inherited_from(at);
                if parent.is_some_and(|parent| !is_created(parent)) && is_created(at) {
                    let gets_parent = whole.is_some_and(|whole| match old_of[whole] {
                        None => true,
                        Some(_) => false,
                    });
                    new.layout.made[at] = gets_parent;
                    if gets_parent {
                        new.layout.within[at] = at;
                    }
                }
            }
            _ => {}
        }
        if !is_whole_created && is_created(at) && new.is_inherited(at) {
            let parent = new.inherited_from(at).filter(|parent| is_created(*parent));
            let is_index = matches!(
                new.get(at).facts,
                Facts::Index(_) | Facts::Key(_) | Facts::Exclusion(_)
            );
            if let Some(parent) = parent
                && (!is_index || new.layout.made[at])
                && !is_index
            {
                up_of[at] = parent;
            }
        }
    }
    up_of
}
