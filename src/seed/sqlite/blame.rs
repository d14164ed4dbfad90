//! The columns that an error of SQLite is about.

use super::constraints::place;
use crate::seed::{
    blame::{Blame, Failure},
    table::Table,
};

/// What the message of an error says.
pub(super) fn blame(table: &Table, failure: &Failure) -> Blame {
    let message = failure.message.as_str();
    let Some((kind, what)) = message.split_once(" constraint failed: ") else {
        return match message.rsplit_once(" column ") {
            // Strict tables: `cannot store TEXT value in INTEGER column t.a`
            Some((_, column)) => Blame::Columns(of_list(table, column)),
            None => Blame::Unknown,
        };
    };
    match kind {
        "CHECK" => {
            let same = |name: &str| {
                let letters = |text: &str| -> String {
                    text.chars().filter(|c| !c.is_whitespace()).collect()
                };
                letters(name).eq_ignore_ascii_case(&letters(what))
            };
            let found = table.checks.iter().find(|check| same(&check.name));
            found.map_or(Blame::Check(Vec::new()), |it| {
                Blame::Check(it.columns.clone())
            })
        }
        "NOT NULL" => Blame::Null(of_list(table, what)),
        "UNIQUE" => match what.strip_prefix("index ") {
            Some(index) => {
                let name = index.trim_matches('\'');
                let key = table.keys.iter().find(|key| key.name == name);
                Blame::Duplicate(key.map_or_else(Vec::new, |key| key.columns.clone()))
            }
            None => Blame::Duplicate(of_list(table, what)),
        },
        _ => Blame::Unknown,
    }
}

/// The columns in `t.a, t.b`.
fn of_list(table: &Table, list: &str) -> Vec<usize> {
    let columns = list.split(", ").filter_map(|column| {
        let name = column.rsplit_once('.').map_or(column, |(_, name)| name);
        place(table, name)
    });
    columns.collect()
}
