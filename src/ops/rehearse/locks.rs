use std::{collections::BTreeMap, time::Duration};

use super::{Blocks, Hold, LockSpan};
use crate::{
    arrange::Arrange as _,
    lint::{LockMode, Size},
    schema::Name,
};

/// A lock that a statement takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The table; `None` for the whole database.
    pub table: Option<Name>,
    /// The mode, if the database has modes.
    pub mode: Option<LockMode>,
    /// What waits for it.
    pub blocks: Blocks,
}

/// Where a statement is: its revision, an index, and its own index there.
pub(super) type Place = (usize, usize);

/// Follows the locks of statements that run one after the other.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// The locks with the numbers of their transactions, in the order in which they were taken.
    spans: Vec<(u64, LockSpan)>,
    /// The strongest lock on each table in the present transaction.
    held: BTreeMap<Option<Name>, usize>,
    transaction: u64,
    now: Duration,
}

impl Locks {
    /// The time since the first statement.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Ends the present transaction, which releases its locks.
    pub fn begin_transaction(&mut self) {
        self.held.clear();
        self.transaction += 1;
    }

    /// Adds a statement that takes these locks when it begins.
    pub fn add(&mut self, place: Place, elapsed: Duration, taken: Vec<Taken>) {
        let begin = self.now;
        self.now += elapsed;
        let mut strongest: BTreeMap<Option<Name>, (Blocks, Option<LockMode>)> = BTreeMap::new();
        for Taken {
            table,
            mode,
            blocks,
        } in taken
        {
            let entry = strongest.entry(table).or_insert((blocks, mode));
            *entry = (*entry).max((blocks, mode));
        }
        for (table, (blocks, mode)) in strongest {
            let held = self.held.get(&table).map(|at| &self.spans[*at].1);
            if held.is_some_and(|it| (it.blocks, it.mode) >= (blocks, mode)) {
                continue;
            }
            self.held.insert(table.clone(), self.spans.len());
            let span = LockSpan {
                table,
                mode,
                blocks,
                revision: place.0,
                statement: place.1,
                from: begin,
                until: begin,
            };
            self.spans.push((self.transaction, span));
        }
        for at in self.held.values() {
            self.spans[*at].1.until = self.now;
        }
    }

    /// All locks, in the order in which they were taken.
    pub fn spans(&self) -> impl Iterator<Item = &LockSpan> {
        self.spans.iter().map(|(_, span)| span)
    }

    /// How long others wait for each table: in the longest of its transactions, each of which belongs to
    /// the revision in which writes begin to wait. The longest wait is the first one.
    pub fn holds(
        &self,
        revision: usize,
        lines: &[u32],
        size: impl Fn(&Name) -> Option<Size>,
    ) -> Vec<Hold> {
        let mut waits: BTreeMap<(&Option<Name>, u64), Wait> = BTreeMap::new();
        for (transaction, span) in &self.spans {
            if span.blocks >= Blocks::Writes {
                let wait = waits.entry((&span.table, *transaction));
                wait.or_insert_with(|| Wait::new(span)).add(span);
            }
        }
        let mut holds: BTreeMap<&Option<Name>, Hold> = BTreeMap::new();
        let own = waits.into_iter().filter(|(_, it)| it.place.0 == revision);
        for ((table, _), wait) in own {
            let hold = Hold {
                table: table.clone(),
                mode: wait.mode,
                writes: wait.until - wait.writes,
                reads: wait.reads.map_or(Duration::ZERO, |it| wait.until - it),
                size: table.as_ref().and_then(&size),
                line: lines.get(wait.place.1).copied().unwrap_or_default(),
            };
            let longest = holds.entry(table).or_insert_with(|| hold.clone());
            if hold.writes > longest.writes {
                *longest = hold;
            }
        }
        let mut holds: Vec<Hold> = holds.into_values().collect();
        holds.arrange_by_key(|hold| std::cmp::Reverse(hold.writes));
        holds
    }
}

/// How long others wait for a table in one transaction.
struct Wait {
    place: Place,
    mode: Option<LockMode>,
    writes: Duration,
    reads: Option<Duration>,
    until: Duration,
}

impl Wait {
    fn new(span: &LockSpan) -> Self {
        Self {
            place: (span.revision, span.statement),
            mode: span.mode,
            writes: span.from,
            reads: None,
            until: span.until,
        }
    }

    /// Adds a lock that was taken later.
    fn add(&mut self, span: &LockSpan) {
        self.mode = self.mode.max(span.mode);
        self.until = self.until.max(span.until);
        if span.blocks == Blocks::Everything {
            self.reads.get_or_insert(span.from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(table: &str, mode: LockMode) -> Taken {
        Taken {
            table: Some(Name::new("", table)),
            mode: Some(mode),
            blocks: Blocks::by(mode),
        }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// The locks of statements with these durations in milliseconds.
    fn followed(statements: &[(u64, &[(&str, LockMode)])]) -> Locks {
        let mut locks = Locks::default();
        for (at, (elapsed, modes)) in statements.iter().enumerate() {
            let modes = modes.iter().map(|(table, mode)| taken(table, *mode));
            locks.add((0, at), ms(*elapsed), modes.collect());
        }
        locks
    }

    fn spans(locks: &Locks) -> Vec<(String, Blocks, u128, u128)> {
        let text = |it: &LockSpan| {
            let table = it.table.as_ref().map_or_else(String::new, Name::to_string);
            (table, it.blocks, it.from.as_millis(), it.until.as_millis())
        };
        locks.spans().map(text).collect()
    }

    #[test]
    fn a_lock_is_held_until_the_end_of_its_transaction() {
        use LockMode::{AccessExclusive, Share};
        let mut locks = followed(&[(10, &[]), (20, &[("t", Share)]), (30, &[])]);
        locks.begin_transaction();
        locks.add((1, 0), ms(5), vec![taken("t", AccessExclusive)]);
        let expected = [
            ("t".to_owned(), Blocks::Writes, 10, 60),
            ("t".to_owned(), Blocks::Everything, 60, 65),
        ];
        assert_eq!(spans(&locks), expected);
        let holds = locks.holds(0, &[1, 4, 7], |_| None);
        let [hold] = &holds[..] else {
            panic!("{holds:?}")
        };
        assert_eq!((hold.writes, hold.reads, hold.line), (ms(50), ms(0), 4));
        let holds = locks.holds(1, &[2], |_| None);
        assert_eq!((holds[0].writes, holds[0].reads), (ms(5), ms(5)));
    }

    #[test]
    fn a_stronger_lock_takes_the_place_of_a_weaker_one() {
        use LockMode::{AccessExclusive, RowExclusive, Share, ShareUpdateExclusive};
        let locks = followed(&[
            (10, &[("t", RowExclusive), ("t", ShareUpdateExclusive)]),
            (20, &[("t", Share)]),
            (30, &[("t", AccessExclusive), ("t", Share)]),
            (40, &[("t", Share), ("u", AccessExclusive)]),
        ]);
        let expected = [
            ("t".to_owned(), Blocks::Rows, 0, 10),
            ("t".to_owned(), Blocks::Writes, 10, 30),
            ("t".to_owned(), Blocks::Everything, 30, 100),
            ("u".to_owned(), Blocks::Everything, 60, 100),
        ];
        assert_eq!(spans(&locks), expected);
        let holds = locks.holds(0, &[1, 2, 3, 4], |_| None);
        assert_eq!((holds[0].writes, holds[0].reads), (ms(90), ms(70)));
        assert_eq!(holds[0].mode, Some(AccessExclusive));
        assert_eq!((holds[1].writes, holds[1].line), (ms(40), 4));
    }
}
