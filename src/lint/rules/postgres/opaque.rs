use super::{Context, Draft, NOTE, POSTGRES, Rule};
use crate::lint::{Act, Example, Level};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "opaque-sql",
    code: "L506",
    dialects: POSTGRES,
    summary: "the text does not say what the statement does",
    docs: "What a DO block, a procedure or an EXECUTE does is not known from the text: nothing else is \
        reported of it. Measured in a scratch database, it is like any other statement.",
    safe: "Lint with a scratch database, where the statement is executed and measured.",
    silent: "The statement was measured.",
    bad: Example {
        before: "",
        sql: "DO $$ BEGIN EXECUTE 'ALTER TABLE orders ADD COLUMN note text'; END $$;",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint);",
        sql: "ALTER TABLE orders ADD COLUMN note text;",
    },
    check,
    ..NOTE
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    if context.effects().level == Level::Measured {
        return Vec::new();
    }
    let opaque = context.acts().iter().find_map(|act| match act {
        Act::Opaque { what } => Some(*what),
        _ => None,
    });
    let message = |what| format!("what {what} does is not known from the text");
    super::one(opaque.map(|what| Draft::new(message(what))))
}
