use super::{BLOCKS_POSTGRES, Rule, waiting};
use crate::lint::Example;

const NAME: &str = "add-exclusion-constraint";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L104",
    summary: "the index of an exclusion constraint is built while reads and writes wait",
    docs: "An exclusion constraint builds its index under an ACCESS EXCLUSIVE lock, in all \
        versions. There is no NOT VALID and no USING INDEX for it.",
    safe: "Create a new table with the constraint, copy the rows in batches with a trigger that \
        keeps them the same, and swap the tables; or do it in a maintenance window.",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: "CREATE TABLE bookings (room int4range);",
        sql: "ALTER TABLE bookings ADD CONSTRAINT bookings_room EXCLUDE USING gist (room WITH &&);",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE bookings (room int4range);\n\
            ALTER TABLE bookings ADD CONSTRAINT bookings_room EXCLUDE USING gist (room WITH &&);",
    },
    check: |context| waiting(context, NAME, || None),
    ..BLOCKS_POSTGRES
};
