//! Rules about SQLite.

pub(super) mod autoincrement;
pub(super) mod copy;
pub(super) mod quoted;
pub(super) mod rebuild;
pub(super) mod references;
pub(super) mod view;
pub(super) mod work;

use super::{BLOCKS, BREAKS, FAILS, LOSES, ORDERS, one, sql};
use crate::{
    lint::{Act, Context, Draft, Rule},
    schema::{Kind, Name, Schema},
    sql::Dialect,
};

/// The dialect of these rules.
const SQLITE: &[Dialect] = &[Dialect::Sqlite];

/// The tables that the statement drops and that have this name again after the script.
fn rebuilt<'a>(context: &Context<'a>) -> Vec<&'a Name> {
    let dropped = context.acts().iter().filter_map(|act| match act {
        Act::Drop(object) if object.kind == Kind::Table => Some(&object.name),
        _ => None,
    });
    dropped
        .filter(|name| is_made_again(context, name))
        .collect()
}

/// Whether there is a table of this name after the script.
fn is_made_again(context: &Context<'_>, name: &Name) -> bool {
    if let Some(after) = context.after() {
        return has_table(context, after, name);
    }
    let mut acts = context.later().iter().flat_map(|it| &it.acts);
    acts.any(|act| match act {
        Act::CreateTable(table) => context.is_same(&table.name, name),
        Act::Rename { to, .. } => context.is_name(to, &name.name),
        _ => false,
    })
}

fn has_table(context: &Context<'_>, schema: &Schema, name: &Name) -> bool {
    schema.objects.iter().any(|object| {
        let is_table = matches!(object.id.kind, Kind::Table | Kind::VirtualTable);
        is_table && context.is_same(&object.id.qualified(), name)
    })
}

/// Whether an earlier statement of the script makes renames as those of before SQLite 3.25, which leave
/// references alone.
fn is_legacy(context: &Context<'_>) -> bool {
    let mut earlier = context.earlier().iter().flat_map(|it| &it.acts);
    earlier.any(|act| match act {
        Act::Set { name, value } => {
            let value = value.to_ascii_lowercase();
            name == "legacy_alter_table" && !matches!(value.as_str(), "off" | "0" | "false" | "no")
        }
        _ => false,
    })
}
