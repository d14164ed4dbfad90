//! Rows for tables, by trying.

use std::collections::HashMap;

use super::{
    blame::Failure,
    order::order,
    random::Random,
    row::{Chooser, Link, Row, STYLES, Style},
    statement::insert,
    table::{Reference, Source, Table, Way},
};
use crate::schema::Name;

/// How many rows of a table are counted.
const ENOUGH: u64 = STYLES.len() as u64;

/// How many tables one query counts. The cost of planning a query grows faster than their number.
const COUNTED: usize = 100;

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
    pub(super) tables: Vec<Table>,
    fallbacks: HashMap<usize, Table>,
    groups: Vec<Vec<usize>>,
    sources: HashMap<Name, Source>,
    /// The number of rows of each source, up to [`ENOUGH`].
    counts: HashMap<Name, u64>,
    pub(super) states: Vec<State>,
    /// Rows that are still to be made. Those in one bundle are made together.
    pub(super) pending: Vec<Bundle>,
    sent: Vec<Bundle>,
    seed: u64,
    is_begun: bool,
}

/// The rows of one statement, each with the place of its table.
pub(super) type Bundle = Vec<(usize, Row)>;

/// What is known of the rows of a table.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The number of rows that were made.
    pub made: u64,
    pub has_full: bool,
    /// The number of refused rows.
    pub tries: u32,
    /// The number of refusals since the last row of which nothing is known.
    pub unknown: u32,
    /// The number of refused duplicates.
    pub duplicates: u32,
    /// Whether another full row was tried after those of other tables.
    pub is_completed: bool,
    /// The last error.
    pub reason: String,
}

impl Work {
    /// Work for `tables`. `sources` are those and all tables that they refer to, `fallbacks` are
    /// less demanding forms of some of the tables.
    pub(super) fn new(
        tables: Vec<Table>,
        fallbacks: HashMap<usize, Table>,
        sources: HashMap<Name, Source>,
        seed: u64,
    ) -> Self {
        Self {
            fallbacks,
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

    /// The queries for the number of rows of each table: its place among [`Self::sources`] and the
    /// number.
    pub fn count_queries(&self) -> Vec<String> {
        let Some(language) = self.tables.first().map(|table| table.language) else {
            return Vec::new();
        };
        let sources = self.sorted_sources();
        let sources: Vec<(usize, &str)> = sources
            .iter()
            .enumerate()
            .filter(|(_, source)| !matches!(source.way, Way::Never(_)))
            .map(|(at, source)| (at, source.sql.as_str()))
            .collect();
        let limit = usize::try_from(ENOUGH).unwrap_or(8);
        let groups = sources.chunks(COUNTED);
        groups.map(|group| (language.count)(group, limit)).collect()
    }

    fn sorted_sources(&self) -> Vec<&Source> {
        let mut sources: Vec<&Source> = self.sources.values().collect();
        sources.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        sources
    }

    /// Takes the rows of all of [`Self::count_queries`].
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

    /// Adds a full row to tables whose first rows were made before those that they refer to, and
    /// begins again with tables that demanded too much.
    fn complete(&mut self) {
        for at in 0..self.tables.len() {
            if self.states[at].made == 0
                && self.states[at].tries > 0
                && !self.is_pending(&self.tables[at].name)
                && let Some(fallback) = self.fallbacks.remove(&at)
            {
                self.tables[at] = fallback;
                self.states[at] = State::default();
                let bundles = self.alone(at);
                self.pending.extend(bundles);
                continue;
            }
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
    pub(super) fn available(&self, name: &Name) -> u64 {
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
    pub(super) fn link_mates(&self, bundle: &mut Bundle) {
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

    pub(super) fn choose<T>(
        &self,
        at: usize,
        step: u64,
        choose: impl FnOnce(&mut Chooser<'_>) -> T,
    ) -> T {
        let table = &self.tables[at];
        let available = |reference: &Reference| self.available(&reference.table);
        let key_offset = Random::new(self.seed, &table.name.to_string()).next() % 900_000 * 10;
        choose(&mut Chooser {
            table,
            key_offset,
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
}
