use super::{BLOCKS_POSTGRES, Context, Draft, Fix, Rule, Safe, sql, waiting};
use crate::lint::{Act, DomainChange, Example};

const NAME: &str = "domain-constraint";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L120",
    summary: "all rows of the tables with a domain are read while writes wait",
    docs: "ALTER DOMAIN … ADD CONSTRAINT and SET NOT NULL read all rows of every table with a column \
        of the domain, under a SHARE lock on each, in all versions. NOT VALID checks new values \
        alone; VALIDATE CONSTRAINT checks the others later.",
    safe: "ALTER DOMAIN amount ADD CONSTRAINT amount_check CHECK (VALUE >= 0) NOT VALID;\n\
        -- in a later revision\nALTER DOMAIN amount VALIDATE CONSTRAINT amount_check;",
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
        let [Act::AlterDomain { name, change }] = context.acts() else {
            return None;
        };
        let DomainChange::AddConstraint(constraint) = change else {
            return None;
        };
        let constraint = constraint.name.as_ref()?;
        let (domain, constraint) = (sql::path(name), sql::word(constraint));
        let statement = format!("{} NOT VALID", context.statement().sql);
        let drop = format!("ALTER DOMAIN {domain} DROP CONSTRAINT {constraint}");
        Some(Safe::fix(Fix {
            replace: vec![statement.clone()],
            down: vec![drop.clone()],
            following_down: vec![drop, statement],
            following: vec![format!(
                "ALTER DOMAIN {domain} VALIDATE CONSTRAINT {constraint}"
            )],
            ..Fix::default()
        }))
    })
}
