//! What must come after what.

use std::collections::HashMap;

use super::{
    body,
    fate::Fate,
    plan::{Node, Plan},
    renamed,
};
use crate::{
    generate::postgres::{graph, objects::parent_index, order},
    schema::{Facts, Kind, Object, ObjectId},
};

impl Plan<'_> {
    /// What must come after what.
    pub(super) fn edges(&self) -> Vec<(Node, Node)> {
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
        self.edges_of_logging(&mut edges);
        self.edges_of_attachments(&mut edges);
        edges
    }

    /// Whether the server makes both with one statement.
    pub(super) fn is_made_with(&self, user: usize, used: usize) -> bool {
        let layout = &self.dump.layout;
        let (of_user, of_used) = (&self.new_object(user).facts, &self.new_object(used).facts);
        match (of_user, of_used) {
            (Facts::Column(_), Facts::Sequence(_)) => {
                layout.serial[user].is_some() && layout.made[used]
            }
            (Facts::Key(_) | Facts::Exclusion(_) | Facts::Index(_), _) => {
                parent_index(self.new_object(user)) == Some(&self.new_object(used).id.qualified())
            }
            // Those have been considered with the order of the new schema.
            (Facts::ForeignKey(_) | Facts::Check(_) | Facts::Column(_), _) => {
                layout.within[user] != user || layout.late_default[user]
            }
            _ => false,
        }
    }

    pub(super) fn edges_of_pair(&self, old: usize, edges: &mut Vec<(Node, Node)>) {
        let Some(new) = self.new_of[old] else { return };
        let (Some(down), Some(up)) = (self.down(old), self.up(new)) else {
            return;
        };
        if let Node::Down(at) = down
            && at != old
            && self.fate(at) == Fate::Replaced
        {
            // A part of a type that is replaced goes with it.
            return;
        }
        if self.fate(old) == Fate::Replaced {
            edges.push((up, Node::Aside(old)));
            edges.push((down, up));
        } else {
            edges.push((up, down));
        }
    }

    pub(super) fn edges_of_old(&self, user: usize, used: usize, edges: &mut Vec<(Node, Node)>) {
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
            if self.loses_default_first(user) && self.old.get(used).id.kind != Kind::Schema {
                let first = Node::Down(user);
                edges.extend(down.map(|down| (down, first)));
                let is_of_default = !self.old.get(used).id.kind.has_parts();
                edges.extend(is_of_default.then_some((used_down, first)));
                return;
            }
            match (down, up) {
                (_, Some(up)) if by_type => {
                    edges.push((used_down, up));
                    if let Some(down) = down {
                        edges.push((up, down));
                    }
                }
                (Some(down), _) => {
                    edges.push((used_down, down));
                    let is_replaced =
                        matches!(down, Node::Down(at) if self.fate(at) == Fate::Replaced);
                    if of_used == Fate::Replaced && !is_replaced {
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
        } else if let Some(up) = up
            && let Some(used_up) = self.new_of[used].and_then(|new| self.up(new))
            && self.frees(user, used)
        {
            edges.push((used_up, up));
        }
    }

    /// Whether a generated column becomes an ordinary one, so that the column it uses can get another
    /// type.
    fn frees(&self, user: usize, used: usize) -> bool {
        let is_generated = |object: &Object| matches!(&object.facts, Facts::Column(column) if column.generated.is_some());
        let is_retyped = self.fates.retyped[used]
            || ["data_type", "collation"]
                .iter()
                .any(|it| self.changed[used].contains_key(*it));
        let new = self.new_of[user];
        self.old.get(used).id.kind == Kind::Column
            && is_retyped
            && is_generated(self.old.get(user))
            && new.is_some_and(|new| !is_generated(self.new_object(new)))
    }

    fn is_renamed(&self, old: usize) -> bool {
        self.fate(old) == Fate::Altered && self.changed[old].contains_key(renamed::NAME)
    }

    /// New objects come after old ones of the same name.
    pub(super) fn edges_of_names(&self, edges: &mut Vec<(Node, Node)>) {
        let mut taken: HashMap<(u8, String, String), Vec<usize>> = HashMap::new();
        for old in 0..self.old.len() {
            if self.fate(old).is_gone() || self.is_renamed(old) {
                for key in names(self.old.get(old)) {
                    taken.entry(key).or_default().push(old);
                }
            }
        }
        for new in 0..self.new_links.len() {
            let is_renamed = self.old_of[new].is_some_and(|old| self.is_renamed(old));
            if !self.is_created(new) && !is_renamed {
                continue;
            }
            let Some(up) = self.up(new) else { continue };
            for key in names(self.new_object(new)) {
                for old in taken.get(&key).into_iter().flatten() {
                    let is_same = self.old_of[new] == Some(*old);
                    let edge = match self.fate(*old) {
                        Fate::Replaced => Some(Node::Aside(*old)),
                        Fate::Altered => self.new_of[*old].and_then(|new| self.up(new)),
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
    pub(super) fn edges_of_owners(&self, edges: &mut Vec<(Node, Node)>) {
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

    /// A table that is logged refers to none that is not.
    pub(super) fn edges_of_logging(&self, edges: &mut Vec<(Node, Node)>) {
        let objects = &self.dump.layout.objects;
        for at in 0..objects.len() {
            let Facts::ForeignKey(key) = &objects.get(at).facts else {
                continue;
            };
            let (Some(table), Some(used)) = (objects.whole(at), objects.relation(&key.references))
            else {
                continue;
            };
            let becomes = |at: usize| {
                let old = self.old_of[at].filter(|old| self.changed[*old].contains_key("unlogged"));
                old.and_then(|_| objects.table(at)).map(|it| it.unlogged)
            };
            let (Some(up), Some(used_up)) = (self.up(table), self.up(used)) else {
                continue;
            };
            match (becomes(table), becomes(used)) {
                (Some(false), Some(false)) => edges.push((up, used_up)),
                (Some(true), Some(true)) => edges.push((used_up, up)),
                _ => {}
            }
        }
    }

    /// Tables leave their parents before and are attached after their parts have changed.
    pub(super) fn edges_of_attachments(&self, edges: &mut Vec<(Node, Node)>) {
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

    /// What the bodies of functions mention comes before them, also where kept objects are in
    /// between, unless that leads in a circle: other statements may call them.
    pub(super) fn add_calls(&self, edges: &mut [Vec<usize>], number: &dyn Fn(Node) -> usize) {
        let calls = body::calls(self);
        if calls.is_empty() {
            return;
        }
        let is_kept = |at: usize| self.up(at).is_none();
        let node = |at: usize| number(self.up(at).unwrap_or(Node::Up(at)));
        let links = self.new_links.iter().enumerate();
        let links = links.flat_map(|(user, links)| links.iter().map(move |used| (user, *used)));
        let links = links.filter(|(user, used)| {
            let of_domain = self.new_object(*used).id.kind == Kind::Domain
                && self.new_object(*user).id.kind == Kind::Check;
            (is_kept(*user) || is_kept(*used)) && !of_domain && !self.is_made_with(*user, *used)
        });
        // A value of a domain is checked.
        let objects = &self.dump.layout.objects;
        let checks = (0..objects.len()).filter(|at| objects.get(*at).id.kind == Kind::Check);
        let checks = checks.filter_map(|check| Some((objects.whole(check)?, check)));
        let checks = checks.filter(|(whole, _)| objects.get(*whole).id.kind == Kind::Domain);
        let mut soft: Vec<(usize, usize)> = calls
            .into_iter()
            .chain(checks)
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
