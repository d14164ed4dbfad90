//! Range types.

use super::{sides::Sides, step::Step, write::Writer};
use crate::{
    generate::postgres::quote::{ident, in_schema, qualified},
    schema::{
        Facts, Object,
        postgres::{Range, default_multirange},
    },
};

/// Whether a range type has a canonical function, before or after. Such a function has the type as its
/// argument, and the type needs the function.
pub(super) fn has_canonical(sides: &Sides<'_>, old: usize) -> bool {
    let new = sides.new_of[old].map(|new| sides.new.get(new));
    is_canonical(sides.old.get(old)) || new.is_some_and(is_canonical)
}

/// Whether an object is a range type with a canonical function.
pub(super) fn is_canonical(object: &Object) -> bool {
    match &object.facts {
        Facts::Range(range) => range.canonical.is_some(),
        _ => false,
    }
}

impl Writer<'_, '_> {
    /// Gives what the server made for a range type other names: its multirange type, and the
    /// functions that make values of both.
    pub(super) fn range_aside(&mut self, object: &Object, range: &Range, aside: &str) {
        let (name, subtype) = (object.id.qualified(), &range.subtype);
        let of_range = qualified(&name);
        for arguments in [
            format!("{subtype}, {subtype}"),
            format!("{subtype}, {subtype}, text"),
        ] {
            let sql = format!(
                "ALTER FUNCTION {of_range}({arguments}) RENAME TO {}",
                ident(aside)
            );
            self.push(Step::new(object, sql));
        }
        if !range.has_multirange {
            return;
        }
        let multirange = range.multirange.clone();
        let multirange = multirange.unwrap_or_else(|| default_multirange(&name));
        let of_multirange = qualified(&multirange);
        let new_name = self.free_name(&multirange);
        let new_name = ident(&new_name);
        let sql = format!("ALTER TYPE {of_multirange} RENAME TO {new_name}");
        self.push(Step::new(object, sql));
        let renamed = in_schema(&name.schema, aside);
        for arguments in [String::new(), renamed.clone(), format!("{renamed}[]")] {
            let sql = format!("ALTER FUNCTION {of_multirange}({arguments}) RENAME TO {new_name}");
            self.push(Step::new(object, sql));
        }
    }
}
