//! Facts in an order of their own, for SQL that is the same for the same schema.

use crate::schema::{Facts, Schema, postgres::Options};

/// The schema with its options and command tags by name.
pub(super) fn sorted(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    for object in &mut schema.objects {
        for options in options_of(&mut object.facts) {
            options.sort();
        }
        if let Facts::EventTrigger(trigger) = &mut object.facts {
            trigger.tags_order.clear();
        }
    }
    schema
}

fn options_of(facts: &mut Facts) -> Vec<&mut Options> {
    match facts {
        Facts::Routine(it) => vec![&mut it.settings],
        Facts::Aggregate(it) => vec![&mut it.options],
        Facts::ForeignDataWrapper(it) => vec![&mut it.options],
        Facts::Server(it) => vec![&mut it.options],
        Facts::UserMapping(it) => vec![&mut it.options],
        Facts::View(it) => vec![&mut it.options],
        Facts::MaterializedView(it) => vec![&mut it.options],
        Facts::Table(it) => {
            let foreign = it.foreign.iter_mut().map(|it| &mut it.options);
            foreign.chain([&mut it.options]).collect()
        }
        Facts::Column(it) => vec![&mut it.options, &mut it.foreign_options],
        Facts::Key(it) => vec![&mut it.options],
        Facts::Exclusion(it) => {
            let keys = it.keys.iter_mut().map(|key| &mut key.options);
            keys.chain([&mut it.options]).collect()
        }
        Facts::Index(it) => {
            let keys = it.keys.iter_mut().map(|key| &mut key.options);
            keys.chain([&mut it.options]).collect()
        }
        _ => Vec::new(),
    }
}
