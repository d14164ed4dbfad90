use super::{Context, Draft, NOTE, POSTGRES, Rule};
use crate::{
    lint::{Act, Constraint, Example, TableChange},
    schema::postgres::{MAX_NAME, truncated},
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "identifier-too-long",
    code: "L505",
    dialects: POSTGRES,
    summary: "a name is cut to 63 bytes",
    docs: "PostgreSQL cuts names of more than 63 bytes, with no more than a notice. Two long names can \
        become the same, and a program that looks the name up in the catalog does not find it.",
    safe: "Give a shorter name.",
    silent: "The names have 63 bytes or less.",
    bad: Example {
        before: "CREATE TABLE orders (customer bigint);",
        sql: "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY orders_by_the_customer_who_placed_them_and_not_by_the_one_who_pays ON orders (customer);",
    },
    good: Example {
        before: "CREATE TABLE orders (customer bigint);",
        sql: "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY orders_customer ON orders (customer);",
    },
    check,
    ..NOTE
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let names = context.acts().iter().flat_map(names);
    let long = names.filter(|name| name.len() > MAX_NAME);
    let drafts = long.map(|name| {
        let cut = truncated(name, MAX_NAME);
        Draft::new(format!("{name} becomes {cut}"))
    });
    drafts.collect()
}

fn of_constraint(constraint: &Constraint) -> Option<&str> {
    constraint.name.as_deref()
}

/// The names that an act gives.
fn names(act: &Act) -> Vec<&str> {
    match act {
        Act::CreateTable(table) => {
            let columns = table.columns.iter();
            let of_columns = columns.clone().flat_map(|it| &it.constraints);
            let constraints = of_columns.chain(&table.constraints);
            let mut names: Vec<&str> = constraints.filter_map(of_constraint).collect();
            names.push(&table.name.name);
            names.extend(columns.map(|it| it.name.as_str()));
            names
        }
        Act::CreateIndex(index) => index.name.as_deref().into_iter().collect(),
        Act::CreateView { name, .. } | Act::Create { name, .. } => vec![&name.name],
        Act::CreateDomain { name, .. } => vec![&name.name],
        Act::CreatePart { name, .. } => vec![name],
        Act::Rename { to, .. } => vec![to],
        Act::AlterTable { change, .. } => match change {
            TableChange::AddColumn { column, .. } => {
                let constraints = column.constraints.iter().filter_map(of_constraint);
                constraints.chain([column.name.as_str()]).collect()
            }
            TableChange::AddConstraint(constraint) => {
                of_constraint(constraint).into_iter().collect()
            }
            TableChange::RenameColumn { to, .. } | TableChange::RenameConstraint { to, .. } => {
                vec![to]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
