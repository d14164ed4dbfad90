//! Statements that make one schema of another.
//!
//! [`fate`] decides what happens to each object, [`plan`] in which order, and the other modules write
//! the statements: [`drop`](mod@drop) and [`create`], and the modules named after what they alter.

mod body;
mod column;
mod create;
mod creations;
mod drop;
mod drops;
mod edges;
mod fate;
mod fill;
mod identity;
mod index;
mod object;
mod partition;
mod plan;
mod privileges;
mod range;
mod renamed;
mod retype;
mod routine;
mod sequence;
mod server;
mod settings;
mod sides;
mod step;
mod table;
mod types;
mod view;
mod way;
mod write;

use self::{plan::Plan, sides::Sides, write::Writer};
use crate::{
    generate::{Migration, MigrationOptions, Refusal},
    schema::{Cycle, Schema},
};

/// See [`crate::generate::migrate`].
pub(in crate::generate) fn migrate(
    from: &Schema,
    to: &Schema,
    options: &MigrationOptions,
) -> Result<Migration, Vec<Refusal>> {
    let sides = Sides::of(from, to);
    let mut fates = fate::decide(&sides);
    let refusals = std::mem::take(&mut fates.refusals);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let plan = Plan::of(sides, fates).map_err(refuse_cycle)?;
    let nodes = plan.nodes()?;
    let mut writer = Writer::new(&plan, options);
    for node in nodes {
        writer.write(node);
    }
    let steps = writer.finish()?;
    let mut statements = match options.apart {
        true => step::apart(steps),
        false => step::joined(steps),
    };
    settings::add(&plan, &mut statements);
    Ok(Migration { statements })
}

fn refuse_cycle(cycle: Cycle) -> Vec<Refusal> {
    let reason = cycle.to_string();
    let object = cycle.0.into_iter().next();
    let refusal = object.map(|object| Refusal { object, reason });
    refusal.into_iter().collect()
}
