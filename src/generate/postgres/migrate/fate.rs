//! What happens to each object of the old schema.

use super::{
    routine::can_be_replaced,
    sides::Sides,
    types::{can_be_compared, conversion, type_object},
    view::has_same_columns,
};
use crate::{
    generate::{Refusal, postgres::migrate::types::Conversion},
    schema::{Facts, Kind, Object, ObjectId},
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

const SECRETS: &str = "the values of its secret options are not known";

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

/// How a change of one attribute is made.
enum Way {
    Alter,
    Rebuild,
    Replace,
    Refuse(&'static str),
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

/// How an attribute of an object is changed.
fn way(sides: &Sides<'_>, at: usize, old: &Object, new: &Object, attribute: &str) -> Way {
    if matches!(attribute, "owner" | "grants" | "comment") {
        return Way::Alter;
    }
    if attribute == "secrets" {
        return Way::Refuse(SECRETS);
    }
    match (&old.facts, &new.facts) {
        // Not every extension can get another schema.
        (Facts::Extension(_), _) if sides.old.users[at].is_empty() => Way::Rebuild,
        (Facts::Server(_), _) if matches!(attribute, "wrapper" | "server_type") => Way::Rebuild,
        (Facts::Collation(_) | Facts::Range(_), _) => Way::Replace,
        (Facts::Enum(old), Facts::Enum(new)) => match is_extended(&old.labels, &new.labels) {
            true => Way::Alter,
            false => Way::Replace,
        },
        (Facts::Domain(_), _) if matches!(attribute, "data_type" | "collation") => Way::Replace,
        (Facts::Composite(old), Facts::Composite(new)) => {
            let types = |attribute: &crate::schema::postgres::Attribute| {
                (attribute.data_type.clone(), attribute.collation.clone())
            };
            let kept: Vec<_> = old
                .attributes
                .iter()
                .filter_map(|it| Some((it, new.attributes.iter().find(|to| to.name == it.name)?)))
                .collect();
            let names = new.attributes.iter().map(|it| &it.name);
            let is_same_order = names
                .zip(kept.iter().map(|(_, to)| &to.name))
                .all(|(a, b)| a == b);
            match is_same_order && kept.iter().all(|(from, to)| types(from) == types(to)) {
                true => Way::Alter,
                false => Way::Replace,
            }
        }
        (Facts::Routine(from), Facts::Routine(to)) => match can_be_replaced(from, to) {
            true => Way::Alter,
            false => Way::Rebuild,
        },
        (Facts::Aggregate(_) | Facts::Cast(_), _) => Way::Rebuild,
        (Facts::Operator(_), _) if !matches!(attribute, "restrict" | "join") => Way::Rebuild,
        (Facts::TextSearchDictionary(_), _) if attribute == "template" => Way::Rebuild,
        (Facts::TextSearchConfiguration(_), _) if attribute == "parser" => Way::Rebuild,
        (Facts::Publication(_), _) if attribute == "all_tables" => Way::Rebuild,
        (Facts::Table(_), Facts::Table(_)) => table(old, new, attribute),
        (Facts::Column(_), Facts::Column(_)) => column(sides, at, old, new, attribute),
        _ => part(sides, at, old, new, attribute),
    }
}

/// Whether an enum has new values in nothing but additional places.
pub(super) fn is_extended(old: &[String], new: &[String]) -> bool {
    let mut left = new.iter();
    old.iter().all(|label| left.any(|it| it == label))
}

fn table(old: &Object, new: &Object, attribute: &str) -> Way {
    let (Facts::Table(from), Facts::Table(to)) = (&old.facts, &new.facts) else {
        return Way::Rebuild;
    };
    match attribute {
        "partition_by" if from.partition_by.is_some() && to.partition_by.is_some() => {
            Way::Refuse("PostgreSQL cannot change the key of a partitioned table in place")
        }
        "partition_by" => Way::Refuse(
            "PostgreSQL cannot make a partitioned table of another one, nor the reverse, in place",
        ),
        "foreign" => match (&from.foreign, &to.foreign) {
            (Some(from), Some(to)) if from.server == to.server && from.secrets == to.secrets => {
                Way::Alter
            }
            (Some(from), Some(to)) if from.secrets == to.secrets => Way::Rebuild,
            (Some(_), Some(_)) => Way::Refuse(SECRETS),
            _ => Way::Rebuild,
        },
        _ => Way::Alter,
    }
}

fn column(sides: &Sides<'_>, at: usize, old: &Object, new: &Object, attribute: &str) -> Way {
    let (Facts::Column(from), Facts::Column(to)) = (&old.facts, &new.facts) else {
        return Way::Rebuild;
    };
    match attribute {
        "generated" if to.generated.is_some() => Way::Rebuild,
        "is_inherited" if to.is_inherited && !gets_parent(sides, at) => {
            Way::Refuse("PostgreSQL cannot make a column of a table one that is only inherited")
        }
        "data_type" | "collation" if from.generated.is_some() && to.generated.is_some() => {
            let types = (from.data_type.as_str(), to.data_type.as_str());
            let (old, new) = (sides.old.objects(), sides.new.objects());
            match conversion((old, types.0), (new, types.1)) {
                Conversion::Lossless => Way::Alter,
                _ => Way::Rebuild,
            }
        }
        _ => Way::Alter,
    }
}

/// Whether the table of a part becomes a partition, or a partition of another table.
fn gets_parent(sides: &Sides<'_>, at: usize) -> bool {
    let whole = sides.old.objects().whole(at);
    whole.is_some_and(|whole| sides.changed[whole].contains_key("partition_of"))
}

/// The ways of constraints, indexes, views and what belongs to tables.
fn part(sides: &Sides<'_>, at: usize, old: &Object, new: &Object, attribute: &str) -> Way {
    let is_in_place = match (&old.facts, &new.facts) {
        (Facts::Key(_) | Facts::Exclusion(_), _) => matches!(
            attribute,
            "options" | "tablespace" | "is_clustered" | "index_comment" | "parent" | "is_inherited"
        ),
        (Facts::Index(from), Facts::Index(to)) => match attribute {
            "keys" => {
                let plain = |keys: &[crate::schema::postgres::IndexKey]| {
                    let mut keys = keys.to_vec();
                    keys.iter_mut().for_each(|key| key.statistics = None);
                    keys
                };
                plain(&from.keys) == plain(&to.keys)
            }
            "options" | "tablespace" | "is_clustered" | "parent" => true,
            "is_invalid" => to.is_invalid,
            _ => false,
        },
        (Facts::ForeignKey(_), Facts::ForeignKey(to)) => match attribute {
            "deferrable" | "is_inherited" => true,
            "not_valid" => !to.not_valid,
            _ => false,
        },
        (Facts::Check(_), Facts::Check(to)) => match attribute {
            "not_valid" => !to.not_valid,
            "is_inherited" => gets_parent(sides, at) || !to.is_inherited,
            _ => false,
        },
        (Facts::Statistics(_), _) => attribute == "target",
        (Facts::View(from), Facts::View(to)) => {
            attribute != "query" || has_same_columns(sides, at, from, to)
        }
        (Facts::MaterializedView(_), _) => attribute != "query",
        (Facts::Trigger(_) | Facts::Rule(_) | Facts::EventTrigger(_), _) => attribute == "enabled",
        (Facts::Policy(from), Facts::Policy(to)) => match attribute {
            "roles" => true,
            "using" => from.using.is_none() || to.using.is_some(),
            "check" => from.check.is_none() || to.check.is_some(),
            _ => false,
        },
        _ => true,
    };
    if is_in_place {
        Way::Alter
    } else {
        Way::Rebuild
    }
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
        "owner" | "grants" | "comment" | "enabled" | "options" | "tablespace" | "is_clustered"
    )
}
