//! Indexes, and those of constraints.

use super::{step::Step, write::Writer};
use crate::{
    generate::postgres::{
        constraint::index_name,
        quote::{ident, literal, qualified},
    },
    schema::{
        Facts, Object,
        postgres::{Index, Options},
    },
};

impl Writer<'_, '_> {
    pub(super) fn index_settings(
        &mut self,
        _old: usize,
        to: &Object,
        (a, b): (&Options, &Options),
        (from_space, to_space): (&Option<String>, &Option<String>),
    ) {
        let altered = format!("INDEX {}", index_name(to));
        self.set_options(to, &altered, a, b);
        self.set_tablespace(to, &altered, from_space, to_space);
    }

    pub(super) fn clustered(&mut self, to: &Object, from: bool, is_clustered: bool) {
        match (from, is_clustered) {
            (false, true) => self.alter_part(to, format!("CLUSTER ON {}", ident(&to.id.name))),
            (true, false) => {
                // Another index of the table may be the one now.
                let objects = &self.plan.dump.layout.objects;
                let whole = objects.find(&to.id).and_then(|at| objects.whole(at));
                let has_other = whole.is_some_and(|whole| {
                    objects.parts(whole).any(|(_, part)| match &part.facts {
                        Facts::Key(key) => key.is_clustered,
                        Facts::Exclusion(it) => it.is_clustered,
                        Facts::Index(index) => index.is_clustered,
                        _ => false,
                    })
                });
                if !has_other {
                    self.alter_part(to, "SET WITHOUT CLUSTER".to_owned());
                }
            }
            _ => {}
        }
    }

    pub(super) fn index_comment(
        &mut self,
        to: &Object,
        from: &Option<String>,
        comment: &Option<String>,
    ) {
        if from != comment {
            let text = comment.as_ref().map_or("NULL".to_owned(), |it| literal(it));
            let sql = format!("COMMENT ON INDEX {} IS {text}", index_name(to));
            self.push(Step::new(to, sql).last());
        }
    }

    pub(super) fn alter_index(&mut self, old: usize, new: usize, a: &Index, b: &Index) {
        let (_, to) = self.pair(old, new);
        self.index_settings(
            old,
            to,
            (&a.options, &b.options),
            (&a.tablespace, &b.tablespace),
        );
        self.clustered(to, a.is_clustered, b.is_clustered);
        for (at, (from, key)) in a.keys.iter().zip(&b.keys).enumerate() {
            if from.statistics != key.statistics {
                let sql = format!(
                    "ALTER INDEX {} ALTER COLUMN {} SET STATISTICS {}",
                    index_name(to),
                    at + 1,
                    key.statistics.unwrap_or(-1)
                );
                self.push(Step::new(to, sql));
            }
        }
        let Some(parent) = b.parent.as_ref().filter(|_| a.parent != b.parent) else {
            return;
        };
        let objects = &self.plan.dump.layout.objects;
        let before = a.parent.as_ref();
        let before = before.and_then(|name| self.plan.old.objects().index(name));
        if before.is_some_and(|before| self.plan.new_of[before] == objects.index(parent)) {
            // The parent has got another name.
            return;
        }
        let is_new = objects
            .index(parent)
            .is_none_or(|it| self.plan.is_created(it));
        let gets_parent = self
            .plan
            .old
            .objects()
            .whole(old)
            .is_some_and(|it| self.plan.leaves_parent(it));
        if !is_new && !gets_parent {
            let sql = format!(
                "ALTER INDEX {} ATTACH PARTITION {}",
                qualified(parent),
                index_name(to)
            );
            self.push(Step::new(to, sql));
        }
    }
}
