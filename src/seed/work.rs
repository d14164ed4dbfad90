//! Rows for tables, by trying.

use std::collections::HashMap;

use super::{
    blame::{Blame, Failure},
    order::order,
    random::Random,
    row::{Chooser, Link, Row, STYLES, Style},
    statement::insert,
    table::{Reference, Source, Table, Way},
};
use crate::schema::Name;

/// How many rows of a table are counted.
const ENOUGH: u64 = STYLES.len() as u64;

/// How often rows of a table are tried: while there are none, while none is full, and then.
const TRIES: [u32; 3] = [200, 60, 12];

/// How often in a row nothing may be known of the reasons before the table is given up.
const UNKNOWN: u32 = 40;

/// Which tables have rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The tables that have rows.
    pub filled: Vec<Name>,
    /// The tables that have none, each with the reason in one line.
    pub empty: Vec<(Name, String)>,
}

/// The work of making rows, without a database: it hands out statements and learns from what comes
/// of them.
#[derive(Debug)]
pub struct Work {
    tables: Vec<Table>,
    groups: Vec<Vec<usize>>,
    sources: HashMap<Name, Source>,
    /// The number of rows of each source, up to [`ENOUGH`].
    counts: HashMap<Name, u64>,
    states: Vec<State>,
    /// Rows that are still to be made. Those in one bundle are made together.
    pending: Vec<Bundle>,
    sent: Vec<Bundle>,
    seed: u64,
    is_begun: bool,
}

type Bundle = Vec<(usize, Row)>;

#[derive(Debug, Default)]
struct State {
    made: u64,
    has_full: bool,
    tries: u32,
    unknown: u32,
    is_completed: bool,
    reason: String,
}

impl Work {
    /// Work for `tables`. `sources` are those and all tables that they refer to.
    pub(super) fn new(tables: Vec<Table>, sources: HashMap<Name, Source>, seed: u64) -> Self {
        Self {
            groups: order(&tables),
            states: tables.iter().map(|_| State::default()).collect(),
            tables,
            sources,
            counts: HashMap::new(),
            pending: Vec::new(),
            sent: Vec::new(),
            seed,
            is_begun: false,
        }
    }

    /// The query for the number of rows of each table: its place among [`Self::sources`] and the
    /// number.
    pub fn count_query(&self) -> Option<String> {
        let language = self.tables.first()?.language;
        let sources = self.sorted_sources();
        let sources: Vec<(usize, &str)> = sources
            .iter()
            .enumerate()
            .filter(|(_, source)| !matches!(source.way, Way::Never(_)))
            .map(|(at, source)| (at, source.sql.as_str()))
            .collect();
        let limit = usize::try_from(ENOUGH).unwrap_or(8);
        (!sources.is_empty()).then(|| (language.count)(&sources, limit))
    }

    fn sorted_sources(&self) -> Vec<&Source> {
        let mut sources: Vec<&Source> = self.sources.values().collect();
        sources.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        sources
    }

    /// Takes the rows of [`Self::count_query`].
    pub fn count(&mut self, rows: &[Vec<Option<String>>]) {
        let names: Vec<Name> = self
            .sorted_sources()
            .iter()
            .map(|it| it.name.clone())
            .collect();
        for row in rows {
            let [Some(at), Some(count)] = row.as_slice() else {
                continue;
            };
            let name = at.parse().ok().and_then(|at: usize| names.get(at));
            if let (Some(name), Ok(count)) = (name, count.parse()) {
                self.counts.insert(name.clone(), count);
            }
        }
    }

    /// The next statements to try; none when the work is done.
    pub fn statements(&mut self) -> Vec<String> {
        if !self.is_begun {
            self.is_begun = true;
            self.begin();
        }
        self.sent = std::mem::take(&mut self.pending);
        self.sent
            .iter()
            .map(|bundle| self.statement(bundle))
            .collect()
    }

    /// Takes what came of [`Self::statements`]: numbers of rows, or errors.
    pub fn learn(&mut self, outcomes: Vec<Result<u64, Failure>>) {
        let sent = std::mem::take(&mut self.sent);
        let mut refused = Vec::new();
        for (bundle, outcome) in sent.into_iter().zip(outcomes) {
            match outcome {
                Ok(rows) if rows > 0 => self.note_made(&bundle),
                Ok(_) => refused.push((bundle, None)),
                Err(failure) => refused.push((bundle, Some(failure))),
            }
        }
        for (bundle, failure) in refused {
            self.retry(bundle, failure.as_ref());
        }
        self.complete();
    }

    /// Adds a full row to tables whose first rows were made before those that they refer to.
    fn complete(&mut self) {
        for at in 0..self.tables.len() {
            let state = &self.states[at];
            if state.made == 0 || state.has_full || state.is_completed {
                continue;
            }
            self.states[at].is_completed = true;
            let row = self.first(at, STYLES.len(), Style::Full);
            if row.is_full(&self.tables[at]) {
                self.pending.push(vec![(at, row)]);
            }
        }
    }

    /// Which tables have rows now.
    pub fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for (table, state) in self.tables.iter().zip(&self.states) {
            if self.available(&table.name) > 0 {
                coverage.filled.push(table.name.clone());
            } else {
                let reason = self.reason(table, state);
                coverage.empty.push((table.name.clone(), reason));
            }
        }
        coverage
    }

    fn reason(&self, table: &Table, state: &State) -> String {
        match &table.way {
            Way::Never(reason) => return (*reason).to_owned(),
            Way::Through(_) => return "the tables whose rows it shows have none".to_owned(),
            Way::Insert => {}
        }
        let lacks = table.references.iter().find(|reference| {
            reference.own.is_none()
                && table.is_needed(reference)
                && self.available(&reference.table) == 0
        });
        if let Some(reference) = lacks {
            return format!("it refers to {}, which has no rows", reference.table);
        }
        let line = state.reason.lines().next().unwrap_or_default();
        match line.is_empty() {
            true => "a trigger or a rule discards its rows".to_owned(),
            false => line.to_owned(),
        }
    }

    /// The number of rows of a table, up to [`ENOUGH`].
    fn available(&self, name: &Name) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    fn begin(&mut self) {
        // What is planned counts as made, so that later tables can refer to it.
        let counted = self.counts.clone();
        for group in self.groups.clone() {
            let is_open = |at: &usize| {
                let table = &self.tables[*at];
                table.way == Way::Insert && self.available(&table.name) == 0
            };
            let open: Vec<usize> = group.into_iter().filter(is_open).collect();
            let bundles = match open.len() {
                0 => continue,
                1 => self.alone(open[0]),
                _ => self.together(&open),
            };
            for at in &open {
                self.count_up(*at, ENOUGH);
            }
            self.pending.extend(bundles);
        }
        self.counts = counted;
    }

    fn alone(&self, at: usize) -> Vec<Bundle> {
        let ordinals = STYLES.iter().enumerate();
        let rows = ordinals.map(|(ordinal, style)| vec![(at, self.first(at, ordinal, *style))]);
        rows.collect()
    }

    /// Rows of tables that refer to each other.
    fn together(&self, group: &[usize]) -> Vec<Bundle> {
        let ordinals = 0..STYLES.len();
        let rows = ordinals.map(|ordinal| {
            let rows = group
                .iter()
                .map(|at| (*at, self.first(*at, ordinal, Style::Full)));
            let mut bundle: Bundle = rows.collect();
            self.link_mates(&mut bundle);
            bundle
        });
        let bundles: Vec<Bundle> = rows.collect();
        match self
            .tables
            .first()
            .and_then(|table| table.language.together)
        {
            Some(_) => bundles,
            None => bundles.into_iter().flatten().map(|row| vec![row]).collect(),
        }
    }

    /// Makes the rows of a bundle refer to each other.
    fn link_mates(&self, bundle: &mut Bundle) {
        let mates = bundle.clone();
        for (at, row) in bundle {
            let at = *at;
            for (link, reference) in row.links.iter_mut().zip(&self.tables[at].references) {
                let mut others = mates.iter();
                let mate = others.find(|(other, _)| self.tables[*other].name == reference.table);
                let Some((other, mate)) = mate.filter(|(other, _)| *other != at) else {
                    continue;
                };
                let values = reference.targets.iter().map(|target| {
                    let columns = &self.tables[*other].columns;
                    let place = columns.iter().position(|column| column.sql == *target)?;
                    match &mate.cells[place] {
                        super::row::Cell::Value(value) => Some(value.clone()),
                        _ => None,
                    }
                });
                if let Some(values) = values.collect::<Option<Vec<String>>>() {
                    *link = Link::Values(values);
                }
            }
        }
    }

    fn first(&self, at: usize, ordinal: usize, style: Style) -> Row {
        let table = &self.tables[at];
        let mut base = Random::new(self.seed, &table.name.name);
        let base = base.next() % 20;
        self.choose(at, ordinal as u64, |chooser| {
            chooser.first(ordinal, style, base)
        })
    }

    fn choose<T>(&self, at: usize, step: u64, choose: impl FnOnce(&mut Chooser<'_>) -> T) -> T {
        let table = &self.tables[at];
        let available = |reference: &Reference| self.available(&reference.table);
        choose(&mut Chooser {
            table,
            random: Random::new(self.seed ^ (step << 32), &table.name.to_string()),
            available: &available,
        })
    }

    fn statement(&self, bundle: &Bundle) -> String {
        let source = |reference: &Reference| {
            let source = self.sources.get(&reference.table);
            source.map(|source| source.sql.clone()).unwrap_or_default()
        };
        let inserts: Vec<String> = bundle
            .iter()
            .map(|(at, row)| insert(&self.tables[*at], row, &source))
            .collect();
        let language = bundle.first().map(|(at, _)| self.tables[*at].language);
        match language.and_then(|language| language.together) {
            Some(together) if inserts.len() > 1 => together(&inserts),
            _ => inserts.into_iter().next().unwrap_or_default(),
        }
    }

    fn note_made(&mut self, bundle: &Bundle) {
        for (at, row) in bundle {
            let state = &mut self.states[*at];
            state.made += 1;
            state.unknown = 0;
            state.has_full |= row.is_full(&self.tables[*at]);
            self.count_up(*at, 1);
        }
    }

    /// Counts rows of a table, and of the tables that show them.
    fn count_up(&mut self, at: usize, rows: u64) {
        let mut names = vec![self.tables[at].name.clone()];
        while let Some(name) = names.pop() {
            let above = self.sources.values().filter(|source| match &source.way {
                Way::Through(parts) => parts.contains(&name),
                _ => false,
            });
            names.extend(above.map(|source| source.name.clone()));
            let count = self.counts.entry(name).or_default();
            *count = (*count + rows).min(ENOUGH);
        }
    }

    fn retry(&mut self, bundle: Bundle, failure: Option<&Failure>) {
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
        !lacks && state.tries < most && state.unknown < UNKNOWN && !is_spare
    }

    fn is_pending(&self, name: &Name) -> bool {
        let mut rows = self.pending.iter().flatten();
        rows.any(|(at, _)| self.tables[*at].name == *name)
    }
}
