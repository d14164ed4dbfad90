use super::{Context, Draft, NOTE, POSTGRES, Rule};
use crate::{
    lint::{Act, Example, Fix, TableChange, rules::sql},
    schema::Kind,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "brief-lock",
    code: "L501",
    dialects: POSTGRES,
    is_on: false,
    summary: "a statement locks a table for a moment",
    docs: "DROP INDEX, CREATE TRIGGER, CREATE RULE and ENABLE ROW LEVEL SECURITY change the catalog \
        alone, and hold a lock on the table that blocks writes, or reads as well, until the \
        transaction ends. The header `lock-timeout` bounds how long others queue behind the wait for \
        that lock.",
    safe: "-- migrator: transaction = off\nDROP INDEX CONCURRENTLY orders_customer;",
    silent: "By default; turn it on with `[lint]`.",
    bad: Example {
        before: "CREATE TABLE orders (customer bigint);\nCREATE INDEX orders_customer ON orders (customer);",
        sql: "DROP INDEX orders_customer;",
    },
    good: Example {
        before: "CREATE TABLE orders (customer bigint);\nCREATE INDEX orders_customer ON orders (customer);",
        sql: "DROP INDEX CONCURRENTLY orders_customer;",
    },
    check,
    ..NOTE
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let locks = context.effects().locks.iter();
    let taken: Vec<_> = locks
        .filter(|it| !it.is_held && it.mode.blocks_writes())
        .collect();
    if taken.is_empty() {
        return Vec::new();
    }
    let found = context.acts().iter().filter_map(|act| match act {
        Act::Drop(object) if object.kind == Kind::Index && !object.concurrently => {
            let name = sql::path(&object.name);
            let statement = format!("DROP INDEX CONCURRENTLY {name}");
            let draft = Draft::new(format!(
                "{} is locked while {name} is dropped",
                taken[0].relation
            ))
            .safe(format!("-- migrator: transaction = off\n{statement};"));
            Some(match context.acts().len() {
                1 => draft.fix(Fix {
                    replace: vec![statement],
                    transaction_off: true,
                    ..Fix::default()
                }),
                _ => draft,
            })
        }
        Act::CreatePart {
            kind, table, name, ..
        } => Some(Draft::new(format!(
            "{table} is locked while the {kind} {name} is created"
        ))),
        Act::AlterTable {
            table,
            change: TableChange::EnableRowSecurity,
        } => Some(Draft::new(format!(
            "{table} is locked while row security is enabled"
        ))),
        _ => None,
    });
    found.collect()
}
