//! What happens to each object of the old schema.

use super::{
    partition, range, renamed,
    sides::Sides,
    types::{can_be_compared, type_object},
    way::{Way, way},
};
use crate::{
    generate::Refusal,
    schema::{Facts, Kind, ObjectId},
};

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    /// It is altered in place.
    Altered,
    /// It is dropped and created again.
    Rebuilt,
    /// A type, or a collation, that columns with rows have: the new one is created beside it.
    Replaced,
    Dropped,
}

impl Fate {
    /// Whether the object ceases to exist, perhaps for another one of the same name.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Rebuilt | Self::Replaced | Self::Dropped)
    }
}

pub(super) const SECRETS: &str = "the values of its secret options are not known";

/// Whether an object has options whose values are not known.
fn has_secrets(facts: &Facts) -> bool {
    match facts {
        Facts::ForeignDataWrapper(wrapper) => !wrapper.secrets.is_empty(),
        Facts::Server(server) => !server.secrets.is_empty(),
        Facts::UserMapping(mapping) => !mapping.secrets.is_empty(),
        Facts::Table(table) => {
            let foreign = table.foreign.as_ref();
            foreign.is_some_and(|it| !it.secrets.is_empty())
        }
        _ => false,
    }
}

/// The fates of all objects of the old schema.
pub(super) struct Fates {
    pub of: Vec<Fate>,
    /// Columns and domains whose default is dropped first and set again later.
    pub detached: Vec<bool>,
    /// Columns that get a new type of the same name.
    pub retyped: Vec<bool>,
    pub refusals: Vec<Refusal>,
}

/// Decides what happens to each object.
pub(super) fn decide(sides: &Sides<'_>) -> Fates {
    let count = sides.old.len();
    let mut fates = Fates {
        of: vec![Fate::Kept; count],
        detached: vec![false; count],
        retyped: vec![false; count],
        refusals: Vec::new(),
    };
    for at in 0..count {
        let Some(new) = sides.new_of[at] else {
            fates.of[at] = Fate::Dropped;
            if let Some(view) = stored_view(sides, at) {
                fates.of[view] = stronger(fates.of[view], Fate::Rebuilt);
            }
            continue;
        };
        let (old, new) = (sides.old.get(at), sides.new.get(new));
        for attribute in sides.changed[at].keys() {
            let fate = match way(sides, at, old, new, attribute) {
                Way::Alter => Fate::Altered,
                Way::Rebuild => Fate::Rebuilt,
                Way::Replace => Fate::Replaced,
                Way::Refuse(reason) => {
                    fates.refuse(&old.id, reason);
                    Fate::Altered
                }
            };
            fates.of[at] = stronger(fates.of[at], fate);
        }
        if let Some(table) = partition::rebuilt_for(sides, at) {
            fates.of[table] = stronger(fates.of[table], Fate::Rebuilt);
        }
    }
    fates.spread(sides);
    for new in 0..sides.new.len() {
        let is_created = match sides.old_of[new] {
            None => true,
            Some(old) => fates.of[old].is_gone(),
        };
        let object = sides.new.get(new);
        if is_created && has_secrets(&object.facts) {
            fates.refuse(&object.id, SECRETS);
        }
    }
    fates
}

/// The materialized view of a column whose storage cannot be taken back, since its type is not
/// known.
fn stored_view(sides: &Sides<'_>, at: usize) -> Option<usize> {
    let Facts::Column(column) = &sides.old.get(at).facts else {
        return None;
    };
    let whole = sides.old.objects().whole(at)?;
    let is_view = matches!(sides.old.get(whole).facts, Facts::MaterializedView(_));
    (is_view && column.storage.is_some() && sides.new_of[whole].is_some()).then_some(whole)
}

fn stronger(a: Fate, b: Fate) -> Fate {
    let rank = |fate| match fate {
        Fate::Kept => 0,
        Fate::Altered => 1,
        Fate::Rebuilt => 2,
        Fate::Replaced => 3,
        Fate::Dropped => 4,
    };
    if rank(a) >= rank(b) { a } else { b }
}

impl Fates {
    fn refuse(&mut self, object: &ObjectId, reason: impl Into<String>) {
        self.refusals.push(Refusal {
            object: object.clone(),
            reason: reason.into(),
        });
    }

    /// Rebuilds what depends on what is rebuilt.
    fn spread(&mut self, sides: &Sides<'_>) {
        let mut waiting: Vec<usize> = (0..self.of.len())
            .filter(|at| self.of[*at].is_gone() || self.gets_other_type(sides, *at))
            .collect();
        while let Some(at) = waiting.pop() {
            if self.of[at] == Fate::Replaced && !self.has_values(sides, at) {
                self.of[at] = Fate::Rebuilt;
            }
            let id = &sides.old.get(at).id;
            if self.of[at] == Fate::Replaced && range::has_canonical(sides, at) {
                self.refuse(
                    id,
                    "columns have its values, and PostgreSQL cannot create another range type \
                     with a canonical function beside it",
                );
            } else if self.of[at].is_gone() && range::is_canonical(sides.old.get(at)) {
                self.refuse(
                    id,
                    "PostgreSQL drops a range type with a canonical function only with CASCADE",
                );
            }
            for user in &sides.old.users[at] {
                let user = *user;
                if sides.new_of[user].is_none() || self.is_settled(sides, user, at) {
                    continue;
                }
                if self.reach(sides, user, at) {
                    waiting.push(user);
                }
            }
        }
    }

    fn is_settled(&self, sides: &Sides<'_>, user: usize, at: usize) -> bool {
        if matches!(self.of[user], Fate::Rebuilt | Fate::Replaced) {
            return true;
        }
        // What is gone for good is no longer used, unless another object has its name.
        self.of[at] == Fate::Dropped && sides.changed[user].keys().any(|it| defines(it))
    }

    fn gets_other_type(&self, sides: &Sides<'_>, at: usize) -> bool {
        let changed = &sides.changed[at];
        sides.old.get(at).id.kind == Kind::Column
            && (self.retyped[at]
                || changed.contains_key("data_type")
                || changed.contains_key("collation"))
    }

    /// Whether rows have values of a type, or of a type that is made of it.
    fn has_values(&self, sides: &Sides<'_>, at: usize) -> bool {
        sides.old.users[at].iter().any(|user| {
            let object = sides.old.get(*user);
            match &object.facts {
                Facts::Column(column) => {
                    sides.new_of[*user].is_some() && names_type(sides, &column.data_type, at)
                        || column.collation.as_ref() == Some(&sides.old.get(at).id.qualified())
                }
                Facts::Domain(_) | Facts::Composite(_) | Facts::Range(_) => {
                    self.has_values(sides, *user)
                }
                _ => false,
            }
        })
    }

    /// Decides what happens to `user`, which uses `at`. Returns whether others are concerned.
    fn reach(&mut self, sides: &Sides<'_>, user: usize, at: usize) -> bool {
        let (object, used) = (sides.old.get(user), sides.old.get(at));
        let is_gone = self.of[at].is_gone();
        if is_gone && self.is_kept_without(sides, user, at) {
            return false;
        }
        let fate = match &object.facts {
            Facts::Column(column) => return self.reach_column(sides, user, at, column),
            Facts::Table(table) => {
                if used.id.kind == Kind::Server {
                    Fate::Rebuilt
                } else if table.of_type.as_ref() == Some(&used.id.qualified()) && is_gone {
                    self.refuse(&object.id, format!("it is a table of the {}", used.id));
                    return false;
                } else {
                    return false;
                }
            }
            Facts::Domain(domain) if is_gone => {
                if names_type(sides, &domain.data_type, at) || used.id.kind == Kind::Collation {
                    Fate::Replaced
                } else {
                    self.detached[user] = domain.default.is_some();
                    Fate::Altered
                }
            }
            Facts::Composite(_) | Facts::Range(_) if is_gone => Fate::Replaced,
            Facts::Sequence(_) | Facts::Publication(_) | Facts::Extension(_) => return false,
            Facts::Key(_) | Facts::Index(_) | Facts::Exclusion(_) | Facts::Check(_) if !is_gone => {
                return false;
            }
            Facts::Statistics(_) if !is_gone => return false,
            Facts::ForeignKey(_) if !is_gone => {
                if !self.needs_new_key(sides, at) {
                    return false;
                }
                Fate::Rebuilt
            }
            _ if !is_gone && used.id.kind != Kind::Column => return false,
            _ => Fate::Rebuilt,
        };
        let before = self.of[user];
        self.of[user] = stronger(before, fate);
        before != self.of[user] && self.of[user].is_gone()
    }

    /// Whether the part goes on with the whole, or does without `at` by itself.
    fn is_kept_without(&self, sides: &Sides<'_>, user: usize, at: usize) -> bool {
        let (object, used) = (sides.old.get(user), sides.old.get(at));
        // What is inherited is dropped and made with the parent's.
        let is_child = sides.old.is_inherited(user)
            && sides.old.inherited_from(user) == Some(at)
            && used.id.kind == object.id.kind;
        is_child && self.of[user] == Fate::Kept && used.id.kind == Kind::Column
    }

    fn needs_new_key(&self, sides: &Sides<'_>, column: usize) -> bool {
        let Some(new) = sides.new_of[column] else {
            return true;
        };
        match (&sides.old.get(column).facts, &sides.new.get(new).facts) {
            (Facts::Column(from), Facts::Column(to)) => {
                self.retyped[column]
                    || from.collation != to.collation
                    || !can_be_compared(&from.data_type, &to.data_type)
            }
            _ => true,
        }
    }

    fn reach_column(
        &mut self,
        sides: &Sides<'_>,
        user: usize,
        at: usize,
        column: &crate::schema::postgres::Column,
    ) -> bool {
        let used = sides.old.get(at);
        let is_view = column.data_type.is_empty();
        if used.id.kind.has_parts() && sides.old.objects().whole(user) == Some(at) {
            // The columns of a table are never rebuilt alone with it.
            self.of[user] = Fate::Rebuilt;
            return true;
        }
        let is_typed = names_type(sides, &column.data_type, at)
            || column.collation.as_ref() == Some(&used.id.qualified())
                && used.id.kind == Kind::Collation;
        let before = (self.of[user], self.retyped[user]);
        if self.of[at].is_gone() && is_typed && !is_view {
            self.retyped[user] = true;
            self.of[user] = stronger(self.of[user], Fate::Altered);
        } else if column.generated.is_some() {
            let has_generated =
                sides.new_of[user].is_some_and(|new| match &sides.new.get(new).facts {
                    Facts::Column(column) => column.generated.is_some(),
                    _ => false,
                });
            // One that becomes an ordinary column does so before.
            if has_generated && sides.old.inherited_from(user) != Some(at) {
                self.of[user] = Fate::Rebuilt;
            }
        } else if self.of[at].is_gone() && used.id.kind != Kind::Column {
            self.detached[user] = column.default.is_some();
            self.of[user] = stronger(self.of[user], Fate::Altered);
        }
        before != (self.of[user], self.retyped[user])
            && (self.of[user].is_gone() || self.retyped[user])
    }
}

/// Whether the type is that of the object `at`, or an array of it.
fn names_type(sides: &Sides<'_>, data_type: &str, at: usize) -> bool {
    type_object(sides.old.objects(), data_type) == Some(at)
}

/// Whether an attribute belongs to the definition of an object, so that a change of it can do
/// without what was used before.
fn defines(attribute: &str) -> bool {
    !matches!(
        attribute,
        "owner"
            | "grants"
            | "comment"
            | "enabled"
            | "options"
            | "tablespace"
            | "is_clustered"
            | renamed::NAME
    )
}
