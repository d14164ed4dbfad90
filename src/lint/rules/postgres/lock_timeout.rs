use super::{Context, Draft, NOTE, POSTGRES, Rule};
use crate::lint::{Act, Example, Severity};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "lock-timeout-off",
    code: "L503",
    dialects: POSTGRES,
    severity: Severity::Warning,
    summary: "the limit of waiting for locks is taken away",
    docs: "A statement that waits for an ACCESS EXCLUSIVE lock has every later query of the table queue \
        behind it. The lock timeout ends that queue after a moment, and the revision is tried again. \
        `lock-timeout = 0` and SET lock_timeout = 0 let it grow without end.",
    safe: "Leave the setting as it is, or set a short one: -- migrator: lock-timeout = 5s",
    silent: "The lock timeout is not zero.",
    bad: Example {
        before: "CREATE TABLE orders (id bigint);",
        sql: "SET lock_timeout = 0;\nALTER TABLE orders ADD COLUMN note text;",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint);",
        sql: "SET lock_timeout = '5s';\nALTER TABLE orders ADD COLUMN note text;",
    },
    check,
    ..NOTE
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let is_off = context.acts().iter().any(|act| match act {
        Act::Set { name, value } => name == "lock_timeout" && is_zero(value),
        _ => false,
    });
    // pg_dump writes the setting at the top of what it dumps, where no lock is waited for.
    let later = context.later().iter().chain([context.statement()]);
    let locks =
        |it: &crate::lint::Statement| it.effects.locks.iter().any(|it| it.mode.blocks_writes());
    let mut later = later;
    if is_off && later.any(locks) {
        return vec![Draft::new(
            "locks are waited for without limit from here on",
        )];
    }
    let header = context.script.headers.lock_timeout;
    let is_first = context.earlier().iter().all(|it| !locks(it));
    if header.is_some_and(|it| it.is_zero()) && is_first && locks(context.statement()) {
        let message = "locks are waited for without limit, as the header `lock-timeout = 0` says";
        return vec![Draft::new(message)];
    }
    Vec::new()
}

fn is_zero(value: &str) -> bool {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    digits.trim().parse::<f64>().is_ok_and(|it| it == 0.0)
}
