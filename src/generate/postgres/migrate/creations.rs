//! Which statement creates each object.

use super::sides::{Side, table_of};
use crate::schema::Facts;

/// Finds out which statement creates each object.
pub(super) fn fold(
    new: &mut Side<'_>,
    old_of: &[Option<usize>],
    is_created: &dyn Fn(usize) -> bool,
) -> Vec<usize> {
    let count = new.len();
    let mut up_of: Vec<usize> = (0..count).collect();
    for (at, up) in up_of.iter_mut().enumerate() {
        let whole = new.objects().whole(at);
        let is_whole_created = whole.is_none_or(is_created);
        if whole.is_some() && !is_whole_created {
            new.layout.within[at] = at;
        }
        let object = new.get(at);
        match &object.facts {
            Facts::Column(_) if new.layout.serial[at].is_some() => {
                let sequence = new.objects().sequence(&table_of(object), &object.id.name);
                let is_new = is_created(at) && sequence.is_some_and(is_created);
                if !is_new {
                    new.layout.serial[at] = None;
                    if let Some(sequence) = sequence {
                        new.layout.made[sequence] = false;
                    }
                }
            }
            Facts::Index(_) | Facts::Key(_) | Facts::Exclusion(_) => {
                if !is_created(at) {
                    new.layout.only[at] = false;
                }
                let parent = new.inherited_from(at);
                if parent.is_some_and(|parent| !is_created(parent)) && is_created(at) {
                    let gets_parent = whole.is_some_and(|whole| old_of[whole].is_none());
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
            if let Some(parent) = parent.filter(|_| !is_index) {
                *up = parent;
            }
        }
    }
    up_of
}
