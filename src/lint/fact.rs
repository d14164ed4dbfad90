//! What a statement does to relations that are older than the run.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::schema::{Name, ObjectId};

/// How a fact is known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The text of the statement was read.
    #[default]
    Text,
    /// The statement was executed in a scratch database.
    Measured,
}

impl Level {
    /// The name in JSON and display.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Measured => "measured",
        }
    }
}

/// The modes of table locks, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Taken by SELECT.
    AccessShare,
    /// Taken by SELECT FOR UPDATE.
    RowShare,
    /// Taken by INSERT, UPDATE and DELETE.
    RowExclusive,
    /// Taken by VACUUM, VALIDATE CONSTRAINT and CREATE INDEX CONCURRENTLY.
    ShareUpdateExclusive,
    /// Taken by CREATE INDEX.
    Share,
    /// Taken by CREATE TRIGGER and ADD FOREIGN KEY.
    ShareRowExclusive,
    /// Taken by REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Taken by DROP TABLE and most forms of ALTER TABLE.
    AccessExclusive,
}

impl LockMode {
    /// All modes, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// The name in SQL: `ACCESS EXCLUSIVE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The mode with this name in SQL, or as `pg_locks` shows it: `AccessExclusiveLock`.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(char::is_ascii_alphabetic);
            letters.map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = plain(name);
        let wanted = wanted.strip_suffix("lock").unwrap_or(&wanted);
        let mut all = Self::ALL.into_iter();
        all.find(|mode| plain(mode.name()) == wanted)
    }

    /// Whether INSERT, UPDATE and DELETE wait for the lock.
    pub fn blocks_writes(self) -> bool {
        self >= Self::Share
    }

    /// Whether SELECT waits for the lock.
    pub fn blocks_reads(self) -> bool {
        self == Self::AccessExclusive
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A lock on a relation that is older than the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The relation.
    pub relation: Name,
    /// The mode.
    pub mode: LockMode,
    /// Whether an earlier statement of the same transaction took it.
    pub is_held: bool,
}

/// Work on a relation that is older than the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The relation.
    pub relation: Name,
    /// What is done.
    pub kind: WorkKind,
}

/// A kind of work whose duration grows with the relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkKind {
    /// The relation is written anew.
    Rewrite,
    /// An index is built.
    Build {
        /// The name of the index; empty if the text does not say it.
        index: Name,
    },
    /// All rows are read.
    Scan,
    /// Rows are changed.
    Change {
        /// The number of rows; `None` if it is not known.
        rows: Option<u64>,
    },
}

/// What a statement does to relations that are older than the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// How this is known.
    pub level: Level,
    /// The locks of SHARE UPDATE EXCLUSIVE and above at the end of the statement, one a relation
    /// and mode. Those of earlier statements of the transaction are among them.
    pub locks: Vec<Lock>,
    /// The work of the statement.
    pub works: Vec<Work>,
    /// The objects that exist after the statement and not before, whatever their age.
    pub created: Vec<ObjectId>,
    /// The objects that exist before the statement and not after, whatever their age.
    pub dropped: Vec<ObjectId>,
}

impl Effects {
    /// The strongest lock on a relation at the end of the statement.
    pub fn lock(&self, relation: &Name) -> Option<LockMode> {
        let locks = self.locks.iter().filter(|lock| lock.relation == *relation);
        locks.map(|lock| lock.mode).max()
    }

    /// The work that is done while writes of its relation wait.
    pub fn blocking(&self) -> impl Iterator<Item = (&Work, LockMode)> {
        self.works.iter().filter_map(|work| {
            let mode = self.lock(&work.relation)?;
            mode.blocks_writes().then_some((work, mode))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_parse_as_they_are_shown() {
        for mode in LockMode::ALL {
            assert_eq!(LockMode::parse(mode.name()), Some(mode));
        }
        let check = |name, mode| assert_eq!(LockMode::parse(name), mode);
        check("ShareRowExclusiveLock", Some(LockMode::ShareRowExclusive));
        check("AccessShareLock", Some(LockMode::AccessShare));
        check("lock", None);
        assert!(LockMode::ALL.is_sorted());
    }

    #[test]
    fn work_blocks_under_share_or_stronger() {
        let table = Name::new("", "t");
        let lock = |mode, is_held| Lock {
            relation: table.clone(),
            mode,
            is_held,
        };
        let effects = |locks| Effects {
            locks,
            works: vec![Work {
                relation: table.clone(),
                kind: WorkKind::Scan,
            }],
            ..Effects::default()
        };
        let validate = effects(vec![lock(LockMode::ShareUpdateExclusive, false)]);
        assert_eq!(validate.blocking().count(), 0);
        let held = effects(vec![
            lock(LockMode::ShareUpdateExclusive, false),
            lock(LockMode::AccessExclusive, true),
        ]);
        assert_eq!(held.blocking().count(), 1);
    }
}
