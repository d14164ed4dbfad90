use super::{BLOCKS_POSTGRES, Context, Draft, Rule, Safe, sql, waiting};
use crate::lint::{Act, Example};

const NAME: &str = "refresh-matview";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L117",
    summary: "a materialized view is filled while reads of it wait",
    docs: "REFRESH MATERIALIZED VIEW runs the query of the view under an ACCESS EXCLUSIVE lock on the \
        view, in all versions. CONCURRENTLY lets reads go on; the view needs a unique index over \
        columns without a condition, and must have been filled before.",
    safe: "-- migrator: transaction = off\nCREATE UNIQUE INDEX CONCURRENTLY totals_sum ON totals (sum);\n\
        -- in a later revision\nREFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
    silent: "CONCURRENTLY is given, or the view was created in the same run.",
    bad: Example {
        before: "CREATE TABLE orders (total int);\nCREATE MATERIALIZED VIEW totals AS SELECT sum(total) FROM orders;",
        sql: "REFRESH MATERIALIZED VIEW totals;",
    },
    good: Example {
        before: "CREATE TABLE orders (total int);",
        sql: "CREATE MATERIALIZED VIEW totals AS SELECT sum(total) FROM orders WITH NO DATA;\n\
            REFRESH MATERIALIZED VIEW totals;",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let is_concurrent = context.acts().iter().any(|act| {
        matches!(
            act,
            Act::Refresh {
                concurrently: true,
                ..
            }
        )
    });
    // Nobody writes a materialized view, so that EXCLUSIVE is in nobody's way.
    if is_concurrent {
        return Vec::new();
    }
    waiting(context, NAME, || {
        let [Act::Refresh { name, .. }] = context.acts() else {
            return None;
        };
        let view = sql::path(name);
        // Whether there is the unique index that it needs is not known.
        Some(Safe::text(format!(
            "-- with a unique index over columns of {view}, without a condition\n\
             REFRESH MATERIALIZED VIEW CONCURRENTLY {view};"
        )))
    })
}
