use std::{collections::HashSet, fmt, hash::Hasher};

use siphasher::sip::SipHasher13;

use super::{Share, Target};
use crate::schema::glob;

/// In which order targets are run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The targets that come first.
    pub canaries: Vec<Canary>,
    /// The groups, in order. Without any, all targets are of one.
    pub groups: Vec<String>,
}

/// Targets that come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canary {
    /// Those whose name matches a pattern.
    Name(String),
    /// A part of all, from the others. It takes the same ones each time.
    Share(Share),
}

impl Canary {
    /// Parses a pattern of names, or a percentage. Returns `None` for one that is none. A number is a name.
    pub fn of(text: &str) -> Option<Self> {
        match text.trim().ends_with('%') {
            true => text.parse().ok().map(Self::Share),
            false if text.is_empty() => None,
            false => Some(Self::Name(text.to_owned())),
        }
    }
}

/// Targets that are finished before the next ones start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What they have in common.
    pub kind: StageKind,
    /// Their indices.
    pub members: Vec<usize>,
}

/// What the targets of a stage have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageKind {
    /// They are canaries: nothing starts after one that has failed.
    Canaries,
    /// They are of this group.
    Group(String),
    /// They are all others.
    Others,
}

impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canaries => f.write_str("canaries"),
            Self::Group(name) => write!(f, "group {name}"),
            Self::Others => f.write_str("targets"),
        }
    }
}

/// An order that does not fit the targets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderProblem {
    /// A canary is no target, so that nothing would be tried first.
    #[error("the canary `{0}` is no target")]
    NoCanary(String),
    /// A target is of a group that the order does not have.
    #[error("target {target} is of the group `{group}`, which `groups` does not list")]
    UnknownGroup {
        /// The target.
        target: String,
        /// Its group.
        group: String,
    },
    /// A target has no group.
    #[error("target {0} has no group, and `groups` orders by it")]
    NoGroup(String),
}

/// Divides `selected` into stages: canaries first, then each group. Stages without members are left
/// out. `all` are the targets of the fleet.
///
/// # Errors
/// Every [`OrderProblem`], up to a hundred.
pub fn stages(
    all: &[Target],
    selected: &[usize],
    order: &Order,
) -> Result<Vec<Stage>, Vec<OrderProblem>> {
    let problems = problems(all, order);
    if !problems.is_empty() {
        return Err(problems);
    }
    let canaries = canaries(all, selected, &order.canaries);
    let is_canary: HashSet<usize> = canaries.iter().copied().collect();
    let rest = || {
        selected
            .iter()
            .copied()
            .filter(|it| !is_canary.contains(it))
    };
    let mut stages = vec![Stage {
        kind: StageKind::Canaries,
        members: canaries,
    }];
    for group in &order.groups {
        let is_of_it = |index: &usize| all[*index].group.as_deref() == Some(group);
        stages.push(Stage {
            kind: StageKind::Group(group.clone()),
            members: rest().filter(is_of_it).collect(),
        });
    }
    if order.groups.is_empty() {
        stages.push(Stage {
            kind: StageKind::Others,
            members: rest().collect(),
        });
    }
    stages.retain(|stage| !stage.members.is_empty());
    Ok(stages)
}

fn problems(all: &[Target], order: &Order) -> Vec<OrderProblem> {
    /// As many as anybody reads.
    const MOST: usize = 100;
    let named = order.canaries.iter().filter_map(|canary| match canary {
        Canary::Name(pattern) => Some(pattern),
        Canary::Share(_) => None,
    });
    let is_missing = |pattern: &&String| !all.iter().any(|target| glob(pattern, &target.name));
    let canaries = named
        .filter(is_missing)
        .cloned()
        .map(OrderProblem::NoCanary);
    let groups = all.iter().filter_map(|target| match &target.group {
        _ if order.groups.is_empty() => None,
        None => Some(OrderProblem::NoGroup(target.name.to_string())),
        Some(group) if order.groups.iter().any(|known| **known == **group) => None,
        Some(group) => Some(OrderProblem::UnknownGroup {
            target: target.name.to_string(),
            group: group.to_string(),
        }),
    });
    canaries.chain(groups).take(MOST).collect()
}

fn canaries(all: &[Target], selected: &[usize], wanted: &[Canary]) -> Vec<usize> {
    let mut chosen: HashSet<usize> = HashSet::new();
    for canary in wanted {
        let Canary::Name(pattern) = canary else {
            continue;
        };
        let matching = selected
            .iter()
            .filter(|index| glob(pattern, &all[**index].name));
        chosen.extend(matching);
    }
    for canary in wanted {
        let Canary::Share(share) = canary else {
            continue;
        };
        let mut others: Vec<usize> = selected.to_vec();
        others.retain(|index| !chosen.contains(index));
        others.sort_by_cached_key(|index| rank(&all[*index].name));
        chosen.extend(others.into_iter().take(share.of(selected.len())));
    }
    selected
        .iter()
        .copied()
        .filter(|it| chosen.contains(it))
        .collect()
}

/// A number that is the same for a name each time, and unlike for names that are alike.
fn rank(name: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(name.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Targets as `name` or `name:group`.
    fn targets(text: &str) -> Vec<Target> {
        let one = |word: &str| {
            let (name, group) = word
                .split_once(':')
                .map_or((word, None), |(a, b)| (a, Some(b)));
            Target {
                group: group.map(Into::into),
                ..Target::named(name)
            }
        };
        text.split_whitespace().map(one).collect()
    }

    fn order(canaries: &[&str], groups: &[&str]) -> Order {
        Order {
            canaries: canaries
                .iter()
                .map(|text| Canary::of(text).unwrap())
                .collect(),
            groups: groups.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn canaries_come_first_and_then_the_groups() {
        let check = |all: &str, order: &Order, expected: &str| {
            let all = targets(all);
            let selected: Vec<usize> = (0..all.len()).collect();
            let stages = stages(&all, &selected, order).unwrap();
            let shown = stages.iter().map(|stage| {
                let names: Vec<_> = stage.members.iter().map(|it| &*all[*it].name).collect();
                format!("{}: {}", stage.kind, names.join(" "))
            });
            assert_eq!(shown.collect::<Vec<_>>().join("; "), expected);
        };
        check("a b c", &order(&[], &[]), "targets: a b c");
        check("a b c", &order(&["b"], &[]), "canaries: b; targets: a c");
        check(
            "a b1 b2",
            &order(&["b*"], &[]),
            "canaries: b1 b2; targets: a",
        );
        check(
            "a:us b:eu c:eu d:in",
            &order(&["a"], &["in", "eu", "us"]),
            "canaries: a; group in: d; group eu: b c",
        );
        check("a b", &order(&["a", "1%"], &[]), "canaries: a b");
        check("7 8", &order(&["7"], &[]), "canaries: 7; targets: 8");
        check("", &order(&["1%"], &[]), "");
    }

    #[test]
    fn orders_that_do_not_fit_are_refused() {
        let all = targets("a:eu b:asia c");
        let found = stages(&all, &[0], &order(&["acme", "1%"], &["eu"])).unwrap_err();
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "the canary `acme` is no target",
                "target b is of the group `asia`, which `groups` does not list",
                "target c has no group, and `groups` orders by it",
            ]
        );
    }

    #[test]
    fn a_canary_that_is_not_selected_is_no_mistake() {
        let all = targets("a b");
        let stages = stages(&all, &[1], &order(&["a"], &[])).unwrap();
        assert_eq!(stages.len(), 1);
        assert_eq!(stages[0].kind, StageKind::Others);
    }

    proptest! {
        #[test]
        fn every_selected_target_is_in_one_stage(
            groups in proptest::collection::vec(0_usize..3, 0..60),
            canaries in proptest::collection::vec(0_usize..4, 0..3),
            skip in 1_usize..4,
        ) {
            let names = ["in", "eu", "us"];
            let all: Vec<Target> = groups.iter().enumerate().map(|(index, group)| Target {
                group: Some(names[*group].into()),
                ..Target::named(format!("t{index}"))
            }).collect();
            let wanted = ["1%", "30%", "t*", "100%"];
            let canaries: Vec<&str> = canaries.iter().map(|it| wanted[*it]).filter(|it| *it != "t*" || !all.is_empty()).collect();
            let selected: Vec<usize> = (0..all.len()).step_by(skip).collect();
            let order = order(&canaries, &names);
            let first = stages(&all, &selected, &order).unwrap();
            let mut members: Vec<usize> = first.iter().flat_map(|stage| stage.members.clone()).collect();
            members.sort_unstable();
            prop_assert_eq!(&members, &selected);
            // It is the same each time, and no stage is empty.
            prop_assert!(first.iter().all(|stage| !stage.members.is_empty()));
            prop_assert_eq!(first, stages(&all, &selected, &order).unwrap());
        }
    }
}
