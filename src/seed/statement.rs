//! INSERT statements.

use super::{
    row::{Cell, Link, Row},
    table::{Reference, Table},
};
use crate::arrange::Arrange as _;

/// The INSERT of a row. `source` is the name of a referenced table in FROM.
pub(super) fn insert(table: &Table, row: &Row, source: &dyn Fn(&Reference) -> String) -> String {
    let mut insert = Insert {
        table,
        row,
        values: vec![None; table.columns.len()],
        from: Vec::new(),
        conditions: Vec::new(),
    };
    insert.refer(source);
    insert.fill();
    insert.shown()
}

struct Insert<'a> {
    table: &'a Table,
    row: &'a Row,
    /// The value of each column; `None` for columns that are left out.
    values: Vec<Option<String>>,
    from: Vec<String>,
    conditions: Vec<String>,
}

impl Insert<'_> {
    /// Takes the values of foreign keys from rows of the referenced tables.
    fn refer(&mut self, source: &dyn Fn(&Reference) -> String) {
        let mut order: Vec<usize> = (0..self.table.references.len()).collect();
        // Of those that share columns, that with the most columns tells the row.
        order.arrange_by_key(|at| usize::MAX - self.table.references[*at].columns.len());
        for at in order {
            let reference = &self.table.references[at];
            match self.row.links.get(at) {
                Some(Link::Row(offset)) => self.join(reference, *offset, &source(reference)),
                Some(Link::Values(values)) => {
                    for (column, value) in reference.columns.iter().zip(values) {
                        self.values[*column].get_or_insert_with(|| value.clone());
                    }
                }
                Some(Link::Null) => {
                    for column in &reference.columns {
                        if self.table.columns[*column].nullable && !self.is_shared(at, *column) {
                            self.values[*column].get_or_insert_with(|| "NULL".to_owned());
                        }
                    }
                }
                Some(Link::Itself) | None => {}
            }
        }
        self.refer_to_itself();
    }

    /// Whether another reference takes the value of the column from a row.
    fn is_shared(&self, at: usize, column: usize) -> bool {
        let mut others = self.table.references.iter().enumerate();
        others.any(|(other, reference)| {
            other != at
                && reference.columns.contains(&column)
                && matches!(
                    self.row.links.get(other),
                    Some(Link::Row(_) | Link::Values(_))
                )
        })
    }

    fn join(&mut self, reference: &Reference, offset: u64, source: &str) {
        let name = format!("r{}", self.from.len());
        let targets = reference.targets.iter().enumerate();
        let shown: Vec<String> = targets
            .map(|(at, target)| format!("p.{target} AS c{at}"))
            .collect();
        let targets = reference.targets.iter();
        let present: Vec<String> = targets
            .map(|target| format!("p.{target} IS NOT NULL"))
            .collect();
        let places: Vec<String> = (1..=reference.targets.len())
            .map(|it| it.to_string())
            .collect();
        let shares = self.from.is_empty() || !self.shares(reference);
        let limit = match shares {
            true => format!(" LIMIT 1 OFFSET {offset}"),
            false => String::new(),
        };
        self.from.push(format!(
            "(SELECT {} FROM {source} AS p WHERE {} ORDER BY {}{limit}) AS {name}",
            shown.join(", "),
            present.join(" AND "),
            places.join(", "),
        ));
        for (at, column) in reference.columns.iter().enumerate() {
            let value = format!("{name}.c{at}");
            match &self.values[*column] {
                Some(known) => {
                    let condition = (self.table.language.equal)(&value, known);
                    self.conditions.push(condition);
                }
                None => self.values[*column] = Some(value),
            }
        }
    }

    fn shares(&self, reference: &Reference) -> bool {
        let mut columns = reference.columns.iter();
        columns.any(|column| self.values[*column].is_some())
    }

    /// Gives a reference to the row itself the values of the columns that it refers to.
    fn refer_to_itself(&mut self) {
        for (reference, link) in self.table.references.iter().zip(&self.row.links) {
            let (Link::Itself, Some(own)) = (link, &reference.own) else {
                continue;
            };
            for (column, target) in reference.columns.iter().zip(own) {
                let known = target.and_then(|target| {
                    self.values[target].clone().or_else(|| self.of_cell(target))
                });
                if self.values[*column].is_none() {
                    self.values[*column] = known;
                }
            }
        }
    }

    /// The value of a column that is not taken from another row.
    fn of_cell(&self, column: usize) -> Option<String> {
        match &self.row.cells[column] {
            Cell::Value(value) => Some(value.clone()),
            Cell::Null => Some("NULL".to_owned()),
            Cell::Omitted => None,
        }
    }

    fn fill(&mut self) {
        for column in 0..self.values.len() {
            if self.values[column].is_none() {
                self.values[column] = self.of_cell(column);
            }
        }
    }

    fn shown(&self) -> String {
        let given = self.table.columns.iter().zip(&self.values);
        let given =
            given.filter_map(|(column, value)| Some((column.sql.as_str(), value.as_deref()?)));
        let (columns, values): (Vec<&str>, Vec<&str>) = given.unzip();
        let target = &self.table.target;
        if columns.is_empty() {
            return format!("INSERT INTO {target} DEFAULT VALUES");
        }
        let (columns, values) = (columns.join(", "), values.join(", "));
        if self.from.is_empty() {
            return format!("INSERT INTO {target} ({columns}) VALUES ({values})");
        }
        let from = self.from.join(", ");
        let conditions = match self.conditions.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", self.conditions.join(" AND ")),
        };
        format!("INSERT INTO {target} ({columns}) SELECT {values} FROM {from}{conditions} LIMIT 1")
    }
}
