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

/// What can be altered of an index, of its own or of a constraint.
struct Settings<'a> {
    options: &'a Options,
    tablespace: &'a Option<String>,
    is_clustered: bool,
    /// The comment of the index of a constraint.
    comment: Option<&'a String>,
}

impl<'a> Settings<'a> {
    /// The settings; `None` if there is no index.
    fn of(facts: &'a Facts) -> Option<Self> {
        let (options, tablespace, is_clustered, comment) = match facts {
            Facts::Key(it) => (
                &it.options,
                &it.tablespace,
                it.is_clustered,
                &it.index_comment,
            ),
            Facts::Exclusion(it) => (
                &it.options,
                &it.tablespace,
                it.is_clustered,
                &it.index_comment,
            ),
            Facts::Index(it) => (&it.options, &it.tablespace, it.is_clustered, &None),
            _ => return None,
        };
        Some(Self {
            options,
            tablespace,
            is_clustered,
            comment: comment.as_ref(),
        })
    }
}

impl Writer<'_, '_> {
    /// Alters the settings of an index, or of that of a constraint.
    pub(super) fn index_settings(&mut self, from: &Object, to: &Object) {
        let (Some(a), Some(b)) = (Settings::of(&from.facts), Settings::of(&to.facts)) else {
            return;
        };
        let altered = format!("INDEX {}", index_name(to));
        self.set_options(to, &altered, a.options, b.options);
        self.set_tablespace(to, &altered, a.tablespace, b.tablespace);
        match (a.is_clustered, b.is_clustered) {
            (false, true) => self.alter_part(to, format!("CLUSTER ON {}", ident(&to.id.name))),
            // Another index of the table may be the one now.
            (true, false) if !self.has_clustered(to) => {
                self.alter_part(to, "SET WITHOUT CLUSTER".to_owned());
            }
            _ => {}
        }
        if a.comment != b.comment {
            let text = b.comment.map_or("NULL".to_owned(), |it| literal(it));
            let sql = format!("COMMENT ON INDEX {} IS {text}", index_name(to));
            self.push(Step::new(to, sql).last());
        }
    }

    /// Whether the table of an index is clustered on any.
    fn has_clustered(&self, index: &Object) -> bool {
        let objects = &self.plan.dump.layout.objects;
        let whole = objects.find(&index.id).and_then(|at| objects.whole(at));
        whole.is_some_and(|whole| {
            objects
                .parts(whole)
                .filter_map(|(_, part)| Settings::of(&part.facts))
                .any(|it| it.is_clustered)
        })
    }

    pub(super) fn alter_index(&mut self, old: usize, new: usize, a: &Index, b: &Index) {
        let (from, to) = self.pair(old, new);
        self.index_settings(from, to);
        for (at, (before, key)) in a.keys.iter().zip(&b.keys).enumerate() {
            if before.statistics != key.statistics {
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
