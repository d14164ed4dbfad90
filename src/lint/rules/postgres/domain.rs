use super::{BLOCKS_POSTGRES, Context, Draft, Rule, Safe, waiting};
use crate::lint::{Act, DomainChange, Example};

const NAME: &str = "domain-constraint";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L120",
    summary: "all rows of the tables with a domain are read while writes wait",
    docs: "ALTER DOMAIN … ADD CONSTRAINT and SET NOT NULL read all rows of every table with a column \
        of the domain, under a SHARE lock on each, in all versions. NOT VALID checks new values \
        alone. VALIDATE CONSTRAINT of a domain reads the rows under the same lock (measured on \
        PostgreSQL 12 to 18), so that the constraint of the domain stays as it is, and one of each table \
        is validated in its place.",
    safe: "ALTER DOMAIN amount ADD CONSTRAINT amount_check CHECK (VALUE >= 0) NOT VALID;\n\
        ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n\
        -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
    silent: "No table that is older than the run has a column of the domain.",
    bad: Example {
        before: "CREATE DOMAIN amount AS integer;\nCREATE TABLE orders (total amount);",
        sql: "ALTER DOMAIN amount ADD CONSTRAINT amount_check CHECK (VALUE >= 0);",
    },
    good: Example {
        before: "CREATE DOMAIN amount AS integer;\nCREATE TABLE orders (total amount);",
        sql: "ALTER DOMAIN amount ADD CONSTRAINT amount_check CHECK (VALUE >= 0) NOT VALID;",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, NAME, || {
        let [
            Act::AlterDomain {
                change: DomainChange::AddConstraint(_),
                ..
            },
        ] = context.acts()
        else {
            return None;
        };
        let statement = &context.statement().sql;
        Some(Safe::text(format!(
            "{statement} NOT VALID;\n-- and a constraint of each table, validated in a later revision"
        )))
    })
}
