//! Constraints and indexes of tables that differ in nothing but their names.

use std::collections::{HashMap, HashSet};

use super::{
    sides::{Changes, Side},
    step::Step,
    write::Writer,
};
use crate::{
    generate::postgres::quote::{ident, qualified},
    schema::{Difference, Kind, Name, Note, Object, postgres::ReplicaIdentity},
};

/// The attribute under which a new name is kept with what changes.
pub(super) const NAME: &str = "name";

/// Makes one object of a dropped and an added one that are equal but for their names, if no other
/// pair could be meant. Returns the indexes of partitions whose parent gets another name.
pub(super) fn pair(
    (old, new): (&Side<'_>, &Side<'_>),
    difference: &Difference,
    (new_of, old_of): (&mut [Option<usize>], &mut [Option<usize>]),
    changed: &mut [Changes],
) -> HashSet<usize> {
    let names = difference.notes.iter().filter_map(|note| match note {
        Note::PossibleRename { from, to } => {
            Some((old.objects().find(from)?, new.objects().find(to)?))
        }
        _ => None,
    });
    let found: Vec<(usize, usize)> = names
        .filter(|(from, to)| new_of[*from].is_none() && old_of[*to].is_none())
        .filter(|(from, to)| can_be_renamed(old, *from) && can_be_renamed(new, *to))
        .filter(|(from, to)| is_identity(old, *from) == is_identity(new, *to))
        .filter(|(from, to)| {
            let attached = old.objects().attached(*from).iter();
            let attached: Option<Vec<usize>> = attached.map(|at| new_of[*at]).collect();
            attached.is_some_and(|mut attached| {
                attached.sort_unstable();
                attached == new.objects().attached(*to)
            })
        })
        .collect();
    let before: HashMap<Name, usize> = found
        .iter()
        .map(|(from, _)| (old.get(*from).id.qualified(), *from))
        .collect();
    let mut heirs = HashSet::new();
    for (from, to) in found {
        // Two tables that exchange the names of indexes would need a third name.
        let holder = before.get(&new.get(to).id.qualified());
        if holder.is_some_and(|holder| *holder != from) {
            continue;
        }
        let name = |object: &Object| object.id.name.clone().into();
        let names = (name(old.get(from)), name(new.get(to)));
        changed[from].insert(NAME.to_owned(), names);
        (new_of[from], old_of[to]) = (Some(to), Some(from));
        heirs.extend(old.objects().attached(from));
    }
    heirs
}

/// Whether an index identifies the rows of its table for replication.
fn is_identity(side: &Side<'_>, at: usize) -> bool {
    let objects = side.objects();
    let table = objects.whole(at).and_then(|whole| objects.table(whole));
    table.is_some_and(|table| match &table.replica_identity {
        ReplicaIdentity::Index(name) => *name == side.get(at).id.name,
        _ => false,
    })
}

/// Whether an object is a constraint or an index that has a name of its own. That of a check is the same
/// in all tables that inherit it.
fn can_be_renamed(side: &Side<'_>, at: usize) -> bool {
    let is_own = !side.is_inherited(at) && side.inherited_from(at).is_none();
    match side.get(at).id.kind {
        Kind::PrimaryKey | Kind::Unique | Kind::Exclusion | Kind::Index => is_own,
        Kind::ForeignKey | Kind::Check => is_own && !side.has_heirs(at),
        _ => false,
    }
}

impl Writer<'_, '_> {
    /// Gives an object its new name, before all other changes of it.
    pub(super) fn new_name(&mut self, old: usize, new: usize) {
        if !self.differs(old, NAME) {
            return;
        }
        let (from, to) = self.pair(old, new);
        let name = ident(&to.id.name);
        if to.id.kind == Kind::Index {
            let index = qualified(&from.id.qualified());
            self.push(Step::new(
                to,
                format!("ALTER INDEX {index} RENAME TO {name}"),
            ));
        } else {
            let old_name = ident(&from.id.name);
            self.alter_part(to, format!("RENAME CONSTRAINT {old_name} TO {name}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        generate::{MigrationOptions, migrate},
        schema::{
            Facts, Object, ObjectId, Schema,
            postgres::{Check, Table},
        },
        sql::Dialect,
    };

    use super::*;

    #[test]
    fn what_differs_in_its_name_alone_is_renamed() {
        let check = |from: &[(&str, &str)], to: &[(&str, &str)], expected: &[&str]| {
            let schema = |checks: &[(&str, &str)]| {
                let table = Name::new("s", "t");
                let mut objects = vec![Object::new(
                    ObjectId::new(Kind::Table, "s", "t"),
                    Facts::from(Table::default()),
                )];
                objects.extend(checks.iter().map(|(name, expression)| {
                    let facts = Check {
                        expression: (*expression).to_owned(),
                        ..Check::default()
                    };
                    Object::new(ObjectId::part(Kind::Check, &table, *name), facts)
                }));
                Schema::new(Dialect::Postgres, objects)
            };
            let migration = migrate(&schema(from), &schema(to), &MigrationOptions::default());
            let found = migration.unwrap().statements;
            let found: Vec<&str> = found.iter().map(|it| it.sql.as_str()).collect();
            assert_eq!(found, expected);
        };
        let renamed = "ALTER TABLE s.t RENAME CONSTRAINT a TO b";
        check(&[("a", "x > 0")], &[("b", "x > 0")], &[renamed]);
        let anew = "ALTER TABLE s.t\n    DROP CONSTRAINT a,\n    ADD CONSTRAINT b CHECK (x > 1)";
        check(&[("a", "x > 0")], &[("b", "x > 1")], &[anew]);
        // It is not known which of both is meant.
        let anew = "ALTER TABLE s.t\n    DROP CONSTRAINT a,\n    ADD CONSTRAINT b CHECK (x > 0),\n    ADD CONSTRAINT c CHECK (x > 0)";
        check(
            &[("a", "x > 0")],
            &[("b", "x > 0"), ("c", "x > 0")],
            &[anew],
        );
    }
}
