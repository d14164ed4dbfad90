//! What becomes of rows that are refused.

use super::{
    blame::{Blame, Failure},
    row::Row,
    work::{Bundle, Work},
};
use crate::schema::Name;

/// How often rows of a table are tried: while there are none, while none is full, and then.
const TRIES: [u32; 3] = [200, 60, 12];

/// How often in a row nothing may be known of the reasons before the table is given up.
const UNKNOWN: u32 = 40;

/// How many duplicates are refused before the table is taken for one that triggers fill.
const DUPLICATES: u32 = 20;

impl Work {
    /// Puts another bundle in the place of a refused one, unless there were enough.
    pub(super) fn retry(&mut self, bundle: Bundle, failure: Option<&Failure>) {
        let blames: Vec<Blame> = bundle
            .iter()
            .map(|(at, _)| self.blame(*at, failure))
            .collect();
        for ((at, _), blame) in bundle.iter().zip(&blames) {
            let state = &mut self.states[*at];
            state.tries += 1;
            if let Some(failure) = failure {
                state.reason.clone_from(&failure.message);
            }
            if matches!(blame, Blame::Duplicate(_)) {
                state.duplicates += 1;
            }
            if matches!(blame, Blame::Unknown | Blame::Nothing) {
                state.unknown += 1;
            }
        }
        if !bundle.iter().all(|(at, row)| self.goes_on(*at, row)) {
            return;
        }
        let certain = |blame: &Blame| !matches!(blame, Blame::Unknown);
        let any_certain = blames.iter().any(certain);
        let mut next: Bundle = Vec::with_capacity(bundle.len());
        for ((at, row), blame) in bundle.into_iter().zip(&blames) {
            let step = u64::from(row.tries) * 16 + row.ordinal as u64 + 100;
            let row = match any_certain && !certain(blame) {
                true => row,
                false => self.choose(at, step, |chooser| chooser.again(&row, blame)),
            };
            next.push((at, row));
        }
        if next.len() > 1 {
            self.link_mates(&mut next);
        }
        self.pending.push(next);
    }

    fn blame(&self, at: usize, failure: Option<&Failure>) -> Blame {
        let table = &self.tables[at];
        match failure.map(|failure| (table.language.blame)(table, failure)) {
            None => Blame::Nothing,
            Some(Blame::Check(columns) | Blame::Columns(columns)) if columns.is_empty() => {
                Blame::Unknown
            }
            Some(blame) => blame,
        }
    }

    /// Whether a refused row is worth another try.
    fn goes_on(&self, at: usize, row: &Row) -> bool {
        let (table, state) = (&self.tables[at], &self.states[at]);
        let lacks = table.references.iter().any(|reference| {
            reference.own.is_none()
                && table.is_needed(reference)
                && self.available(&reference.table) == 0
                && !self.is_pending(&reference.table)
        });
        let most = match (state.made, state.has_full) {
            (0, _) => TRIES[0],
            (_, false) => TRIES[1],
            (_, true) => TRIES[2],
        };
        // Further rows are less important than the first and the full one.
        let is_spare = state.has_full && row.tries >= 4;
        // Where all rows are duplicates, a trigger on another table has made rows already.
        let is_filled = state.made == 0 && state.duplicates >= DUPLICATES;
        !lacks && !is_filled && state.tries < most && state.unknown < UNKNOWN && !is_spare
    }

    pub(super) fn is_pending(&self, name: &Name) -> bool {
        let mut rows = self.pending.iter().flatten();
        rows.any(|(at, _)| self.tables[*at].name == *name)
    }
}
