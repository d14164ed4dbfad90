use super::{Context, Draft, FAILS, POSTGRES, Rule};
use crate::{
    lint::{Act, Example},
    schema::Kind,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "enum-value-used-too-soon",
    code: "L301",
    dialects: POSTGRES,
    summary: "a new value of an enum is used in its own transaction",
    docs: "Since PostgreSQL 12, ALTER TYPE … ADD VALUE can run in a transaction, but the value can be \
        used only after that transaction has committed: the statement fails with \"unsafe use of new \
        value\".",
    safe: "Use the value in a later revision, or with the header `transaction = off`.",
    silent: "The type was created in the same transaction, or the value is not used.",
    bad: Example {
        before: "CREATE TYPE state AS ENUM ('new');\nCREATE TABLE orders (state state);",
        sql: "ALTER TYPE state ADD VALUE 'done';\nUPDATE orders SET state = 'done' WHERE state = 'new';",
    },
    good: Example {
        before: "CREATE TYPE state AS ENUM ('new');\nCREATE TABLE orders (state state);",
        sql: "ALTER TYPE state ADD VALUE 'done';",
    },
    check,
    ..FAILS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let statement = context.statement();
    if !statement.in_transaction {
        return Vec::new();
    }
    // A body is not run, and a comment uses nothing.
    let uses = !context.acts().iter().all(|act| {
        matches!(
            act,
            Act::Create { .. } | Act::Harmless | Act::AddValue { .. } | Act::Drop(_)
        )
    });
    if !uses {
        return Vec::new();
    }
    // A transaction begins with the last statement before this one that is in none.
    let earlier = context.earlier();
    let start = earlier
        .iter()
        .rposition(|it| !it.in_transaction)
        .unwrap_or(0);
    let added = earlier[start..].iter().flat_map(|it| &it.acts);
    let found = added.filter_map(|act| match act {
        Act::AddValue { name, value } if !context.is_young(Kind::Enum, name) => {
            let literal = format!("'{}'", value.replace('\'', "''"));
            statement.sql.contains(&literal).then_some((name, literal))
        }
        _ => None,
    });
    let drafts = found.map(|(name, literal)| {
        let message =
            format!("the statement fails, since {literal} of {name} is new in this transaction");
        Draft::new(message).safe(format!("-- in a later revision\n{};", statement.sql))
    });
    drafts.take(1).collect()
}
