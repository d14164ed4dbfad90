//! What functions call, as far as their bodies tell.

use std::collections::{HashMap, HashSet};

use super::plan::Plan;
use crate::schema::{Facts, Kind, Object};

/// The functions whose bodies are texts, each with the functions and relations whose names its body
/// has.
pub(super) fn calls(plan: &Plan<'_>) -> Vec<(usize, usize)> {
    let objects = &plan.dump.layout.objects;
    let all: Vec<usize> = (0..objects.len()).collect();
    let has_body = |object: &Object| match &object.facts {
        Facts::Routine(routine) => routine.sql_body.is_none() && routine.library.is_none(),
        _ => false,
    };
    let users: Vec<usize> = all
        .iter()
        .copied()
        .filter(|at| has_body(objects.get(*at)))
        .collect();
    if users.is_empty() {
        return Vec::new();
    }
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    for at in all {
        let id = &objects.get(at).id;
        let is_used = matches!(
            id.kind,
            Kind::Function
                | Kind::Procedure
                | Kind::Aggregate
                | Kind::Table
                | Kind::View
                | Kind::MaterializedView
                | Kind::Sequence
        );
        if is_used {
            named.entry(&id.name).or_default().push(at);
        }
    }
    let mut found = Vec::new();
    for user in users {
        let Facts::Routine(routine) = &objects.get(user).facts else {
            continue;
        };
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let words: HashSet<&str> = routine.body.split(|c| !is_word(c)).collect();
        let mut used: Vec<usize> = words
            .into_iter()
            .filter_map(|word| named.get(word))
            .flatten()
            .copied()
            .filter(|used| *used != user)
            .collect();
        used.sort_unstable();
        found.extend(used.into_iter().map(|used| (user, used)));
    }
    found
}
