//! How attributes are changed: in place, or with a new object.

use super::{
    fate::SECRETS,
    partition, renamed,
    routine::can_be_replaced,
    sides::{Sides, keeps_parent},
    types::{Conversion, conversion},
    view::has_same_columns,
};
use crate::schema::{
    Facts, Object,
    postgres::{Attribute, IndexKey},
};

/// How a change of one attribute is made.
pub(super) enum Way {
    Alter,
    Rebuild,
    Replace,
    Refuse(&'static str),
}

/// How an attribute of an object is changed.
pub(super) fn way(
    sides: &Sides<'_>,
    at: usize,
    old: &Object,
    new: &Object,
    attribute: &str,
) -> Way {
    if matches!(attribute, "owner" | "grants" | "comment" | renamed::NAME) {
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
            let types =
                |attribute: &Attribute| (attribute.data_type.clone(), attribute.collation.clone());
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
        (Facts::Table(_), Facts::Table(_)) => table(sides, at, old, new, attribute),
        (Facts::Column(_), Facts::Column(_)) => column(sides, at, old, new, attribute),
        _ => part(sides, at, old, new, attribute),
    }
}

/// Whether an enum has new values in nothing but additional places.
pub(super) fn is_extended(old: &[String], new: &[String]) -> bool {
    let mut left = new.iter();
    old.iter().all(|label| left.any(|it| it == label))
}

fn table(sides: &Sides<'_>, at: usize, old: &Object, new: &Object, attribute: &str) -> Way {
    let (Facts::Table(from), Facts::Table(to)) = (&old.facts, &new.facts) else {
        return Way::Rebuild;
    };
    match attribute {
        "partition_by" if partition::can_be_rebuilt(sides, at) => Way::Rebuild,
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
        "is_inherited" if !to.is_inherited && is_still_inherited(sides, at) => Way::Refuse(
            "PostgreSQL cannot make a column that is only inherited one of the table's own",
        ),
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

/// Whether a column that is inherited still is.
fn is_still_inherited(sides: &Sides<'_>, at: usize) -> bool {
    let objects = (sides.old.objects(), sides.new.objects());
    let parent = sides.old.inherited_from(at);
    parent.is_some_and(|parent| {
        sides.new_of[parent].is_some() && keeps_parent(objects, &sides.new_of, (at, parent))
    })
}

/// Whether the table of a part becomes a partition, or a partition of another table.
fn gets_parent(sides: &Sides<'_>, at: usize) -> bool {
    let whole = sides.old.objects().whole(at);
    whole.is_some_and(|whole| sides.changed[whole].contains_key("partition_of"))
}

/// Whether an index of a partition is dropped with the one to which it is attached.
fn goes_with_parent(sides: &Sides<'_>, at: usize) -> bool {
    let parent = sides.old.inherited_from(at);
    parent.is_some_and(|parent| sides.new_of[parent].is_none()) && !gets_parent(sides, at)
}

/// What there is no statement for.
fn refused(
    sides: &Sides<'_>,
    at: usize,
    old: &Object,
    new: &Object,
    attribute: &str,
) -> Option<&'static str> {
    let is_partition_kept = !gets_parent(sides, at);
    match (&old.facts, &new.facts) {
        (Facts::Check(_), Facts::Check(to))
            if attribute == "is_inherited" && to.is_inherited && is_partition_kept =>
        {
            Some("PostgreSQL cannot make a constraint of a table one that is only inherited")
        }
        (Facts::Index(_), Facts::Index(to))
            if attribute == "parent" && to.parent.is_none() && is_partition_kept =>
        {
            Some("PostgreSQL cannot detach an index from that of the partitioned table")
        }
        (Facts::Index(_), Facts::Index(to)) if attribute == "is_invalid" && to.is_invalid => {
            Some("PostgreSQL cannot make an index invalid")
        }
        _ => None,
    }
}

/// The ways of constraints, indexes, views and what belongs to tables.
fn part(sides: &Sides<'_>, at: usize, old: &Object, new: &Object, attribute: &str) -> Way {
    if attribute == "parent" && goes_with_parent(sides, at) {
        return Way::Rebuild;
    }
    if let Some(reason) = refused(sides, at, old, new, attribute) {
        return Way::Refuse(reason);
    }
    let is_in_place = match (&old.facts, &new.facts) {
        (Facts::Key(_) | Facts::Exclusion(_), _) => matches!(
            attribute,
            "options" | "tablespace" | "is_clustered" | "index_comment" | "parent" | "is_inherited"
        ),
        (Facts::Index(from), Facts::Index(to)) => match attribute {
            "keys" => {
                let plain = |keys: &[IndexKey]| {
                    let mut keys = keys.to_vec();
                    keys.iter_mut().for_each(|key| key.statistics = None);
                    keys
                };
                plain(&from.keys) == plain(&to.keys)
            }
            "options" | "tablespace" | "is_clustered" | "parent" => true,
            _ => false,
        },
        (Facts::ForeignKey(_), Facts::ForeignKey(to)) => match attribute {
            "deferrable" | "is_inherited" => true,
            "not_valid" => !to.not_valid,
            _ => false,
        },
        (Facts::Check(_), Facts::Check(to)) => match attribute {
            "not_valid" => !to.not_valid,
            "is_inherited" => true,
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
