//! Choices of values for a row.

use super::{
    blame::Blame,
    random::Random,
    table::{Column, Reference, Table},
    wanted::FORMS,
};

/// The value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Value(String),
    Null,
    /// The default.
    Omitted,
}

/// What a foreign key refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The row at this offset.
    Row(u64),
    /// A row with these values, which is made by the same statement.
    Values(Vec<String>),
    /// The row that has the foreign key.
    Itself,
    Null,
}

/// What a row is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without NULLs.
    Full,
    /// NULLs and defaults where possible.
    Sparse,
    /// Values at the limits.
    Edges,
    /// Any of this.
    Mixed,
}

/// The rows that are made for each table.
pub(super) const STYLES: [Style; 5] = [
    Style::Full,
    Style::Sparse,
    Style::Edges,
    Style::Edges,
    Style::Mixed,
];

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The place among the rows of the table.
    pub ordinal: usize,
    /// The number that the values are made of.
    pub number: u64,
    pub style: Style,
    /// The value of each column that no reference determines.
    pub cells: Vec<Cell>,
    /// What each reference refers to.
    pub links: Vec<Link>,
    /// How often the row was refused.
    pub tries: u32,
}

impl Row {
    /// Whether no column is NULL.
    pub fn is_full(&self, table: &Table) -> bool {
        let is_null = |(at, cell): (usize, &Cell)| {
            let linked = table.references.iter().zip(&self.links);
            let linked = linked.filter(|(reference, _)| reference.columns.contains(&at));
            let mut links = linked.map(|(_, link)| link).peekable();
            match links.peek() {
                Some(_) => links.all(|link| *link == Link::Null) && table.columns[at].nullable,
                None => *cell == Cell::Null,
            }
        };
        !self.cells.iter().enumerate().any(is_null)
    }
}

/// Chooses values.
pub(super) struct Chooser<'a> {
    pub table: &'a Table,
    pub random: Random,
    /// How many rows a reference can refer to.
    pub available: &'a dyn Fn(&Reference) -> u64,
    /// What is added to the numbers of keys, so that rows can be moved between tables.
    pub key_offset: u64,
}

impl Chooser<'_> {
    /// The row with this ordinal.
    pub fn first(&mut self, ordinal: usize, style: Style, base: u64) -> Row {
        let number = base + ordinal as u64;
        let cells = (0..self.table.columns.len())
            .map(|at| self.cell(at, ordinal, number, style))
            .collect();
        let links = (0..self.table.references.len())
            .map(|at| self.link(at, ordinal, style))
            .collect();
        Row {
            ordinal,
            number,
            style,
            cells,
            links,
            tries: 0,
        }
    }

    /// The number for a column. Later columns have higher ones: the end comes after the start.
    fn number(&self, number: u64, at: usize) -> u64 {
        let offset = if self.table.is_key(at) {
            self.key_offset
        } else {
            0
        };
        number + offset + at as u64
    }

    fn cell(&mut self, at: usize, ordinal: usize, number: u64, style: Style) -> Cell {
        let table = self.table;
        let column = &table.columns[at];
        let number = self.number(number, at);
        let best = || Cell::Value(column.values.best(ordinal, number));
        let takes_edges =
            !table.is_key(at) && !table.is_checked(at) && !column.values.edges.is_empty();
        let edge = |place: usize| {
            let edges = &column.values.edges;
            Cell::Value(edges[place % edges.len()].clone())
        };
        match style {
            Style::Full => best(),
            Style::Sparse if column.can_omit => Cell::Omitted,
            Style::Sparse if column.nullable => Cell::Null,
            Style::Sparse => best(),
            Style::Edges if takes_edges => edge(ordinal + at),
            Style::Edges => best(),
            Style::Mixed if column.nullable && self.random.once_in(3) => Cell::Null,
            Style::Mixed if column.can_omit && self.random.once_in(3) => Cell::Omitted,
            Style::Mixed if takes_edges && self.random.once_in(2) => {
                edge(self.random.below(column.values.edges.len()))
            }
            Style::Mixed => best(),
        }
    }

    fn link(&mut self, at: usize, ordinal: usize, style: Style) -> Link {
        let reference = &self.table.references[at];
        let available = (self.available)(reference);
        let needed = self.table.is_needed(reference);
        let ordinal = ordinal as u64;
        let is_itself = reference
            .own
            .as_ref()
            .is_some_and(|own| own.iter().all(Option::is_some));
        match style {
            Style::Sparse if !needed => Link::Null,
            _ if reference.own.is_some() && style == Style::Mixed && available > 0 => Link::Row(0),
            _ if is_itself => Link::Itself,
            _ if available > 0 => Link::Row(ordinal % available),
            _ if needed => Link::Row(0),
            _ => Link::Null,
        }
    }

    /// Another row in place of one that was refused.
    pub fn again(&mut self, refused: &Row, blame: &Blame) -> Row {
        let mut row = refused.clone();
        row.tries += 1;
        let tries = row.tries as usize;
        match blame {
            Blame::Null(columns) if columns.iter().all(|at| self.is_given(&row, *at)) => {
                // A trigger puts NULL in its place, because of the value of another column.
                self.guess(&mut row, tries);
            }
            Blame::Null(columns) => {
                for at in columns {
                    self.set_best(&mut row, *at, tries);
                }
            }
            Blame::Duplicate(columns) => {
                for at in columns {
                    self.set_other(&mut row, *at, tries);
                }
            }
            Blame::Check(columns) | Blame::Columns(columns) if !columns.is_empty() => {
                self.vary(&mut row, columns, tries);
            }
            Blame::Reference(at) => self.relink(&mut row, *at),
            Blame::Nothing => {
                for at in 0..self.table.references.len() {
                    self.relink(&mut row, at);
                }
            }
            Blame::Check(_) | Blame::Columns(_) | Blame::Unknown => {
                if tries == 1 {
                    // The limits of the types are most often what is refused.
                    return Row {
                        tries: row.tries,
                        ..self.first(row.ordinal, Style::Full, row.number)
                    };
                }
                self.guess(&mut row, tries - 1);
            }
        }
        row
    }

    /// Whether the row has a value of its own for the column.
    fn is_given(&self, row: &Row, at: usize) -> bool {
        matches!(row.cells[at], Cell::Value(_)) && self.linked(at).is_empty()
    }

    /// Gives the texts one of the usual forms, first those of which no condition asks for anything.
    /// When all forms were tried, the row gets anything.
    fn guess(&mut self, row: &mut Row, tries: usize) {
        let (form, with_wanted) = ((tries - 1) / 2, tries.is_multiple_of(2));
        if form >= FORMS {
            let all: Vec<usize> = (0..self.table.columns.len()).collect();
            return self.vary(row, &all, tries);
        }
        for (at, column) in self.table.columns.iter().enumerate() {
            let is_free = with_wanted || column.values.wanted.is_empty();
            let is_free = is_free && row.cells[at] != Cell::Null;
            if let Some(guess) = column.values.guess.as_ref().filter(|_| is_free) {
                row.cells[at] = Cell::Value(guess(form, row.number));
            }
        }
    }

    /// The references that determine a column.
    fn linked(&self, at: usize) -> Vec<usize> {
        let references = self.table.references.iter().enumerate();
        let references = references.filter(|(_, reference)| reference.columns.contains(&at));
        references.map(|(place, _)| place).collect()
    }

    fn set_best(&mut self, row: &mut Row, at: usize, step: usize) {
        let column = &self.table.columns[at];
        let number = self.number(row.number, at);
        row.cells[at] = Cell::Value(column.values.best(row.ordinal + step, number));
        for place in self.linked(at) {
            if row.links[place] == Link::Null {
                row.links[place] = Link::Row(row.ordinal as u64);
            }
        }
    }

    /// A value that other rows do not have.
    fn set_other(&mut self, row: &mut Row, at: usize, step: usize) {
        let column = &self.table.columns[at];
        let far = self.number(row.number + 10 * step as u64, at);
        row.cells[at] = match column.nullable && step > 6 && row.style != Style::Full {
            true => Cell::Null,
            false => Cell::Value(column.values.best(row.ordinal + step, far)),
        };
        for place in self.linked(at) {
            let reference = &self.table.references[place];
            let available = (self.available)(reference);
            if matches!(row.links[place], Link::Row(_)) && available > 0 {
                let offset = (row.ordinal + step) as u64 + self.random.next() % available;
                row.links[place] = Link::Row(offset % available);
            }
        }
    }

    fn relink(&mut self, row: &mut Row, at: usize) {
        let reference = &self.table.references[at];
        let available = (self.available)(reference);
        let own = reference.own.is_some();
        row.links[at] = match self.table.is_needed(reference) {
            false if self.random.once_in(2) || available == 0 => Link::Null,
            _ if own && self.random.once_in(2) => Link::Itself,
            _ if available > 0 => Link::Row(self.random.next() % available),
            _ => Link::Row(0),
        };
    }

    /// Chooses the values of these columns in one of several ways.
    fn vary(&mut self, row: &mut Row, columns: &[usize], tries: usize) {
        let keeps_full = row.style == Style::Full && tries < 20;
        let way = match keeps_full {
            true => [0, 2, 5][tries % 3],
            false => tries % 6,
        };
        let only = columns.get(self.random.below(columns.len())).copied();
        for at in columns {
            let column = &self.table.columns[*at];
            let cell = match way {
                0 => self.any_wanted(column, row, *at),
                1 if Some(*at) == only => self.any_wanted(column, row, *at),
                1 | 3 if column.nullable => Cell::Null,
                4 if column.nullable && self.random.once_in(2) => Cell::Null,
                2 | 5 => self.anything(column, row, *at, !keeps_full),
                _ => self.any_wanted(column, row, *at),
            };
            let is_null = cell == Cell::Null;
            row.cells[*at] = cell;
            for place in self.linked(*at) {
                if is_null && !self.table.is_needed(&self.table.references[place]) {
                    row.links[place] = Link::Null;
                } else {
                    self.relink(row, place);
                }
            }
        }
    }

    fn any_wanted(&mut self, column: &Column, row: &Row, at: usize) -> Cell {
        let wanted = &column.values.wanted;
        Cell::Value(match wanted.get(self.random.below(wanted.len())) {
            Some(value) => value.clone(),
            None => (column.values.plain)(self.number(row.number, at) + self.random.next() % 50),
        })
    }

    fn anything(&mut self, column: &Column, row: &Row, at: usize, with_null: bool) -> Cell {
        let edges = &column.values.edges;
        match self.random.below(4) {
            0 if with_null && column.nullable => Cell::Null,
            0 if with_null && column.can_omit => Cell::Omitted,
            1 if !edges.is_empty() => Cell::Value(edges[self.random.below(edges.len())].clone()),
            2 => Cell::Value((column.values.plain)(
                self.number(row.number, at) + self.random.next() % 200,
            )),
            _ => self.any_wanted(column, row, at),
        }
    }
}
