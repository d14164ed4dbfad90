//! What later schemas demand of the same rows.
//!
//! Scripts that add constraints fail for rows that violate them. Rows that satisfy the constraints
//! from the start are like those that the scripts were written for.

use super::table::{Column, Named, Reference, Table};

/// Makes the rows of `table` satisfy what `later` demands, as far as the columns exist now.
/// `can_refer` tells whether the columns of a foreign key can refer to its table now.
pub(super) fn foresee(
    table: &mut Table,
    later: &Table,
    can_refer: &dyn Fn(&Table, &Reference, &[usize]) -> bool,
) {
    for column in &mut table.columns {
        if let Some(at) = later.place(&column.name) {
            demand(column, &later.columns[at]);
        }
    }
    let known = table.columns.iter().map(|column| later.place(&column.name));
    let known: Vec<Option<usize>> = known.collect();
    // The places of later columns in the table of today.
    let today = |columns: &[usize]| -> Option<Vec<usize>> {
        let places = columns
            .iter()
            .map(|at| known.iter().position(|it| it == &Some(*at)));
        places.collect()
    };
    let add = |to: &mut Vec<Named>, from: &[Named]| {
        for named in from {
            let Some(columns) = today(&named.columns).filter(|it| !it.is_empty()) else {
                continue;
            };
            if !to.iter().any(|known| known.name == named.name) {
                let name = named.name.clone();
                to.push(Named { name, columns });
            }
        }
    };
    add(&mut table.keys, &later.keys);
    add(&mut table.checks, &later.checks);
    for reference in &later.references {
        let Some(columns) = today(&reference.columns) else {
            continue;
        };
        let is_known = table
            .references
            .iter()
            .any(|known| known.columns == columns && known.table == reference.table);
        if is_known || !can_refer(table, reference, &columns) {
            continue;
        }
        let own = reference.own.as_ref().map(|own| {
            let own = own.iter();
            own.map(|target| target.and_then(|it| today(&[it])?.first().copied()))
                .collect()
        });
        let reference = reference.clone();
        table.references.push(Reference {
            columns,
            own,
            ..reference
        });
    }
}

fn demand(column: &mut Column, later: &Column) {
    column.nullable &= later.nullable;
    if column.data_type != later.data_type {
        if !is_text(&column.data_type) {
            return;
        }
        // Texts that are values of the later type are likely to be those that the script can convert.
        let edges = std::mem::take(&mut column.values.edges);
        column.values = later.values.clone();
        column.values.edges.retain(|edge| edges.contains(edge));
        return;
    }
    let (now, then) = (&mut column.values.wanted, &later.values.wanted);
    if now.is_empty() {
        now.clone_from(then);
    } else if now.iter().any(|value| then.contains(value)) {
        now.retain(|value| then.contains(value));
    }
}

/// Whether values of any type can be stored as texts.
fn is_text(data_type: &str) -> bool {
    let name = data_type.to_ascii_lowercase();
    ["char", "text", "clob"]
        .iter()
        .any(|part| name.contains(part))
}
