//! Tables.

use super::{server::changed_options, step::Step, write::Writer};
use crate::{
    generate::postgres::{
        quote::{ident, qualified},
        reference,
    },
    schema::{
        Object,
        postgres::{ReplicaIdentity, Table},
    },
};

impl Writer<'_, '_> {
    /// What changes at a table itself. Its parents have statements of their own.
    pub(super) fn alter_table(&mut self, old: usize, to: &Object, a: &Table, b: &Table) {
        let altered = reference::altered(to).unwrap_or_default();
        let is_index_kept = match &b.replica_identity {
            ReplicaIdentity::Index(name) => self.is_index_kept(old, name),
            _ => false,
        };
        let mut act = |action: String| self.steps.push(Step::action(to, &altered, action));
        if a.of_type != b.of_type {
            match &b.of_type {
                Some(of_type) => act(format!("OF {}", qualified(of_type))),
                None => act("NOT OF".to_owned()),
            }
        }
        if a.unlogged != b.unlogged {
            let word = if b.unlogged { "UNLOGGED" } else { "LOGGED" };
            act(format!("SET {word}"));
        }
        if a.access_method != b.access_method {
            let method = b.access_method.as_deref().unwrap_or("heap");
            act(format!("SET ACCESS METHOD {}", ident(method)));
        }
        if a.row_security != b.row_security {
            let word = if b.row_security { "ENABLE" } else { "DISABLE" };
            act(format!("{word} ROW LEVEL SECURITY"));
        }
        if a.force_row_security != b.force_row_security {
            let word = if b.force_row_security {
                "FORCE"
            } else {
                "NO FORCE"
            };
            act(format!("{word} ROW LEVEL SECURITY"));
        }
        if a.replica_identity != b.replica_identity {
            match &b.replica_identity {
                ReplicaIdentity::Default => act("REPLICA IDENTITY DEFAULT".to_owned()),
                ReplicaIdentity::Full => act("REPLICA IDENTITY FULL".to_owned()),
                ReplicaIdentity::Nothing => act("REPLICA IDENTITY NOTHING".to_owned()),
                ReplicaIdentity::Index(name) if is_index_kept => {
                    act(format!("REPLICA IDENTITY USING INDEX {}", ident(name)));
                }
                // The index says so when it is created.
                ReplicaIdentity::Index(_) => {}
            }
        }
        self.set_options(to, &altered, &a.options, &b.options);
        self.set_tablespace(to, &altered, &a.tablespace, &b.tablespace);
        if let (Some(a), Some(b)) = (&a.foreign, &b.foreign) {
            let options = changed_options(&a.options, &b.options);
            if !options.is_empty() {
                self.push(Step::action(to, &altered, options.trim_start()));
            }
        }
    }

    /// Whether a table has an index before and after, and does not get it anew.
    fn is_index_kept(&self, table: usize, name: &str) -> bool {
        let old = self.plan.old.objects();
        let mut index = old.get(table).id.qualified();
        index.name = name.to_owned();
        old.index(&index)
            .is_some_and(|at| self.plan.new_of[at].is_some() && self.is_table_kept(at))
    }
}
