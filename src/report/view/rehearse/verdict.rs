use std::{collections::BTreeMap, time::Duration};

use crate::{
    ops::{Hold, RehearseReport, Reverted},
    schema::Name,
};

/// What a deployment costs.
pub(super) struct Verdict<'a> {
    /// The time of all statements.
    pub time: Duration,
    /// The longest wait of writes, and its table.
    pub writes: Option<&'a Hold>,
    /// The longest wait of reads, and its table.
    pub reads: Option<&'a Hold>,
    /// The tables that have fewer rows than before, with how many.
    pub lost: BTreeMap<&'a Name, u64>,
    /// By how many bytes the database grew.
    pub growth: i64,
    /// The bytes of write-ahead log, if there is one.
    pub wal: Option<u64>,
}

impl<'a> Verdict<'a> {
    /// Sums up a report.
    pub fn of(report: &'a RehearseReport) -> Self {
        let revisions = || report.revisions.iter();
        let holds = || revisions().flat_map(|it| &it.holds);
        let mut lost: BTreeMap<&Name, u64> = BTreeMap::new();
        for rows in revisions().flat_map(|it| &it.rows) {
            if rows.lost() > 0 {
                *lost.entry(&rows.table).or_default() += rows.lost();
            }
        }
        let wal = revisions().filter_map(|it| it.wal);
        Self {
            time: report.statement_time(),
            writes: holds().max_by_key(|it| it.writes),
            reads: holds()
                .filter(|it| !it.reads.is_zero())
                .max_by_key(|it| it.reads),
            lost,
            growth: revisions().map(|it| it.growth).sum(),
            wal: revisions().any(|it| it.wal.is_some()).then(|| wal.sum()),
        }
    }
}

/// What reverting did, in words.
pub(super) fn reverted(report: &RehearseReport) -> String {
    match &report.reverted {
        Reverted::Not => "not reverted".to_owned(),
        Reverted::NoDown(id) => format!("reverted down to {id}, which has no down script"),
        Reverted::Failed(id, _) => format!("the down script of {id} failed"),
        Reverted::Done(found) if found.is_empty() && report.has_rows() => {
            "reverted, everything as before".to_owned()
        }
        Reverted::Done(found) if found.is_empty() => "reverted, the schema as before".to_owned(),
        Reverted::Done(_) => "reverted, not as before".to_owned(),
    }
}
