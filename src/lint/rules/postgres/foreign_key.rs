use super::{BLOCKS_POSTGRES, Rule, not_valid, waiting};
use crate::lint::Example;

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
    check: |context| waiting(context, NAME, || not_valid(context)),
    ..BLOCKS_POSTGRES
};
