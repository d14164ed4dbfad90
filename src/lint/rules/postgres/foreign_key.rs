use super::{BLOCKS_POSTGRES, Context, Draft, Rule, not_valid, sql, waiting};
use crate::{lint::Example, schema::Facts};

const NAME: &str = "add-foreign-key";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L105",
    summary: "a foreign key is checked for all rows while writes of both tables wait",
    docs: "ADD FOREIGN KEY takes a SHARE ROW EXCLUSIVE lock on both tables and checks every row \
        of its own one, in all versions. NOT VALID checks new rows alone; VALIDATE CONSTRAINT in \
        another transaction checks the others while reads and writes go on. Partitioned tables have \
        NOT VALID foreign keys since PostgreSQL 18. A column that is added with REFERENCES and \
        without DEFAULT is NULL everywhere, and nothing is checked.",
    safe: "ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) NOT VALID;\n\
        -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fkey;",
    silent: "The table of the foreign key was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (customer bigint);",
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id);",
    },
    good: Example {
        before: "CREATE TABLE customers (id bigint PRIMARY KEY);\nCREATE TABLE orders (customer bigint);",
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) NOT VALID;",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, NAME, || {
        let is_known = context.is_since(18) || !is_partitioned(context);
        is_known.then(|| not_valid(context)).flatten()
    })
}

/// Whether the statement alters a partitioned table, as far as the schema is known.
fn is_partitioned(context: &Context<'_>) -> bool {
    let (Some(schema), Some((table, _))) = (context.before(), sql::only_change(context)) else {
        return false;
    };
    schema.objects.iter().any(|object| match &object.facts {
        Facts::Table(facts) => {
            facts.partition_by.is_some() && context.is_same(&object.id.qualified(), table)
        }
        _ => false,
    })
}
