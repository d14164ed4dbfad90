//! What lint is asked about.

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use super::{Act, Effects, Severity, WorkKind, rule::Phase};
use crate::{
    revision::{self, ForeignKeys, TransactionMode},
    schema::{Name, ObjectId, Schema},
    sql::Dialect,
};

/// A script with what is known of it.
#[derive(Clone, Debug)]
pub struct Script {
    /// The dialect.
    pub dialect: Dialect,
    /// The headers.
    pub headers: Headers,
    /// The statements.
    pub statements: Vec<Statement>,
    /// The objects that earlier scripts of the run made.
    pub young: Vec<ObjectId>,
    /// The objects that later scripts of the run make.
    pub later: Vec<ObjectId>,
    /// The major version of the server, if it is known.
    pub server: Option<u32>,
    /// The schema before the script.
    pub before: Option<Arc<Schema>>,
    /// The schema after the script.
    pub after: Option<Arc<Schema>>,
}

/// The headers that rules ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Whether statements run one by one: `transaction = off`.
    pub transaction_off: bool,
    /// The phase.
    pub phase: Option<Phase>,
    /// `lock-timeout`; zero turns it off.
    pub lock_timeout: Option<Duration>,
    /// `foreign-keys`.
    pub foreign_keys: Option<ForeignKeys>,
}

impl From<&revision::Headers> for Headers {
    fn from(headers: &revision::Headers) -> Self {
        Self {
            transaction_off: headers.transaction == TransactionMode::Off,
            phase: headers.phase,
            lock_timeout: headers.lock_timeout,
            foreign_keys: headers.foreign_keys,
        }
    }
}

/// A statement with what is known of it.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The SQL.
    pub sql: String,
    /// The bytes of the statement in the script.
    pub span: Range<usize>,
    /// Line of the first byte, from 1.
    pub line: u32,
    /// Column of the first byte in characters, from 1.
    pub column: u32,
    /// Whether the statement runs in the transaction of earlier ones.
    pub in_transaction: bool,
    /// Whether the statement is repeated in batches: `-- migrator: batch`.
    pub is_batched: bool,
    /// What the statement says.
    pub acts: Vec<Act>,
    /// What the statement does.
    pub effects: Effects,
    /// The error of the statement in a scratch database.
    pub error: Option<String>,
}

impl Statement {
    /// Replaces the predicted effects by measured ones. The locks of a statement outside a transaction were
    /// released before they could be seen, so the predicted ones stay.
    pub fn measured(&mut self, measured: Effects, in_transaction: bool) {
        let predicted = std::mem::replace(&mut self.effects, measured);
        if !in_transaction {
            self.effects.locks = predicted.locks;
        }
        self.forget_truncation();
        // What is no relation is known from the text alone.
        let is_no_relation = |id: &ObjectId| !id.kind.has_parts();
        let created = predicted.created.into_iter().filter(is_no_relation);
        self.effects.created.extend(created);
        let dropped = predicted.dropped.into_iter().filter(is_no_relation);
        self.effects.dropped.extend(dropped);
    }

    /// Leaves out what TRUNCATE does to files and indexes, which takes no time.
    fn forget_truncation(&mut self) {
        let works = &mut self.effects.works;
        let says = |is_it: fn(&Act) -> bool| self.acts.iter().any(is_it);
        if says(|act| matches!(act, Act::Truncate { .. })) {
            works.retain(|work| matches!(work.kind, WorkKind::Change { .. }));
        } else if says(|act| matches!(act, Act::Opaque { .. }))
            && self.sql.to_ascii_uppercase().contains("TRUNCATE")
        {
            works.retain(|work| work.kind != WorkKind::Rewrite);
        }
    }
}

/// The size of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The number of rows.
    pub rows: u64,
    /// The number of pages of 8 KiB.
    pub pages: u64,
}

/// What is configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Severities other than those of the rules, by name; `None` turns a rule off. A rule that is off by
    /// default applies if it has one.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// Below both limits, work on a table is a note.
    pub limits: Size,
    /// The sizes of tables. A table that is not among them counts as large.
    pub sizes: BTreeMap<Name, Size>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            severities: BTreeMap::new(),
            limits: Size {
                rows: 100_000,
                pages: 2_000,
            },
            sizes: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The size of a table. A name without a schema stands for the only table of this name.
    pub fn size(&self, table: &Name) -> Option<Size> {
        if let Some(size) = self.sizes.get(table) {
            return Some(*size);
        }
        let is_it = |other: &&Name| {
            other.name == table.name && (table.schema.is_empty() || other.schema.is_empty())
        };
        let mut found = self.sizes.keys().filter(is_it);
        match (found.next(), found.next()) {
            (Some(only), None) => self.sizes.get(only).copied(),
            _ => None,
        }
    }

    /// Whether a table is known to be below the limits.
    pub fn is_small(&self, table: &Name) -> bool {
        self.size(table)
            .is_some_and(|size| size.rows < self.limits.rows && size.pages < self.limits.pages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Known, Level, Lock, LockMode, Work, text};

    /// The only statement of a script after `effects` were measured.
    fn measured(sql: &str, effects: &Effects, in_transaction: bool) -> Effects {
        let mut known = Known::new(Dialect::Postgres);
        let script = text::script(Dialect::Postgres, sql, Headers::default(), &mut known);
        let mut statement = script.unwrap().statements.remove(0);
        statement.measured(effects.clone(), in_transaction);
        statement.effects
    }

    #[test]
    fn truncate_rewrites_and_builds_nothing() {
        let table = Name::new("public", "t");
        let work = |kind| Work {
            relation: table.clone(),
            kind,
        };
        let index = Name::new("public", "i");
        let effects = Effects {
            level: Level::Measured,
            works: vec![work(WorkKind::Rewrite), work(WorkKind::Build { index })],
            ..Effects::default()
        };
        let check = |sql, expected| {
            assert_eq!(measured(sql, &effects, true).works.len(), expected, "{sql}");
        };
        check("TRUNCATE t;", 0);
        check("DO $$BEGIN TRUNCATE t; END$$;", 1);
        check("ALTER TABLE t ALTER a TYPE bigint;", 2);
    }

    #[test]
    fn locks_outside_a_transaction_are_those_that_were_predicted() {
        let sql = "CREATE INDEX CONCURRENTLY i ON t (a);";
        let lock = Lock {
            relation: Name::new("", "t"),
            mode: LockMode::ShareUpdateExclusive,
            is_held: false,
        };
        let found = measured(sql, &Effects::default(), false).locks;
        assert_eq!(found, [lock]);
        assert_eq!(measured(sql, &Effects::default(), true).locks, []);
    }
}
