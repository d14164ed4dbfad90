use super::{BLOCKS_POSTGRES, Context, Draft, Rule};
use crate::{
    arrange::Arrange as _,
    lint::{Example, LockMode, Severity, Statement, wait},
    schema::Name,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "many-tables-locked",
    code: "L113",
    severity: Severity::Warning,
    summary: "a transaction locks several tables against reads",
    docs: "A transaction that has ACCESS EXCLUSIVE locks on several tables can deadlock with one that \
        uses them in another order, and holds the first lock while it waits for the next one, in all \
        versions.",
    safe: "ALTER TABLE a ADD COLUMN y int;\n-- in a later revision\nALTER TABLE b ADD COLUMN y int;",
    silent: "The tables but one were created in the same run. It is said once a transaction.",
    bad: Example {
        before: "CREATE TABLE a (x int);\nCREATE TABLE b (x int);",
        sql: "ALTER TABLE a ADD COLUMN y int;\nALTER TABLE b ADD COLUMN y int;",
    },
    good: Example {
        before: "CREATE TABLE a (x int);",
        sql: "ALTER TABLE a ADD COLUMN y int;\nALTER TABLE a ADD COLUMN z int;",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn exclusive(statement: &Statement, held: bool) -> Vec<&Name> {
    let locks = statement.effects.locks.iter();
    let mut names: Vec<&Name> = locks
        .filter(|it| it.mode == LockMode::AccessExclusive && (it.is_held || !held))
        .map(|it| &it.relation)
        .collect();
    names.arrange();
    names.dedup();
    names
}

fn check(context: &Context<'_>) -> Vec<Draft> {
    let statement = context.statement();
    let (before, after) = (exclusive(statement, true), exclusive(statement, false));
    if before.len() > 1 || after.len() < 2 {
        return Vec::new();
    }
    let message = format!(
        "the transaction keeps reads and writes of {} waiting at once, and can deadlock",
        wait::list(&after)
    );
    let tables = after.into_iter().cloned().collect();
    vec![Draft {
        tables,
        ..Draft::new(message)
    }]
}
