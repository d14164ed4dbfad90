//! Which statement drops each object.

use super::{fate::Fates, sides::Side};
use crate::{
    arrange::Arrange as _,
    generate::postgres::{graph, order},
    schema::{Facts, Kind, Object, ObjectId},
};

/// Returns the object whose statement drops each object, and the places of the statements in the
/// order in which the objects could have been created.
///
/// Parts go with their wholes, apart from those that stand in the way: of two tables that refer to
/// each other, one first loses its foreign key.
pub(super) fn fold(old: &mut Side<'_>, fates: &mut Fates) -> (Vec<usize>, Vec<usize>) {
    let is_gone: Vec<bool> = fates.of.iter().map(|fate| fate.is_gone()).collect();
    let mut down_of: Vec<usize> = (0..old.len()).map(|at| folded(old, &is_gone, at)).collect();
    for at in 0..old.len() {
        down_of[at] = root(&down_of, at);
    }
    let component = graph::components(&edges(old, &down_of));
    for at in 0..old.len() {
        let whole = down_of[at];
        if whole == at || !is_gone[at] {
            continue;
        }
        let is_in_the_way = old.links[at].iter().any(|used| {
            let used = down_of[*used];
            used != whole && component[used] == component[whole]
        });
        match old.get(at).id.kind {
            _ if !is_in_the_way => {}
            Kind::Column => fates.detached[at] = has_default(old.get(at)),
            _ => down_of[at] = at,
        }
    }
    old.layout.within.clone_from(&down_of);
    let mut wanted: Vec<usize> = (0..old.len()).collect();
    wanted.sort_by_cached_key(|at| order::key(&old.layout, *at));
    let mut places = vec![0; old.len()];
    let number = |order: &[usize], places: &mut Vec<usize>| {
        for (place, at) in order.iter().enumerate() {
            places[*at] = place;
        }
    };
    number(&wanted, &mut places);
    let mut edges = edges(old, &down_of);
    for list in &mut edges {
        list.arrange_by_key(|at| places[*at]);
    }
    // Where there is no such order, that of the names will do: it decides nothing but looks.
    if let Ok(ordered) = graph::order(&wanted, &edges) {
        number(&ordered, &mut places);
    }
    (down_of, places)
}

fn has_default(object: &Object) -> bool {
    match &object.facts {
        Facts::Column(column) => column.default.is_some(),
        _ => false,
    }
}

fn edges(old: &Side<'_>, down_of: &[usize]) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); old.len()];
    for (at, links) in old.links.iter().enumerate() {
        let from = down_of[at];
        edges[from].extend(links.iter().map(|to| down_of[*to]).filter(|to| *to != from));
    }
    for list in &mut edges {
        list.sort_unstable();
        list.dedup();
    }
    edges
}

/// The object with which another one is dropped.
fn folded(old: &Side<'_>, is_gone: &[bool], at: usize) -> usize {
    if !is_gone[at] {
        return at;
    }
    let object = old.get(at);
    let whole = old.objects().whole(at);
    if let Some(whole) = whole.filter(|whole| is_gone[*whole])
        && object.id.kind != Kind::UserMapping
    {
        return whole;
    }
    if let Facts::Sequence(sequence) = &object.facts
        && let Some((table, column)) = &sequence.owned_by
        && let Some(table) = old.objects().relation(table)
    {
        let id = ObjectId::part(Kind::Column, &old.get(table).id.qualified(), column);
        let column = old.objects().find(&id).filter(|column| is_gone[*column]);
        return column.unwrap_or(at);
    }
    let parent = old.inherited_from(at).filter(|_| old.is_inherited(at));
    parent.filter(|parent| is_gone[*parent]).unwrap_or(at)
}

fn root(down_of: &[usize], at: usize) -> usize {
    let mut at = at;
    for _ in 0..64 {
        if down_of[at] == at {
            break;
        }
        at = down_of[at];
    }
    at
}
