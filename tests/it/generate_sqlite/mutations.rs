//! Each attribute of each kind of object altered, in a schema with rows, both ways.

use super::{Failure, prove, prove_all};
use crate::schema_sqlite::mutations::{MUTATIONS, START, mutated};

/// Rows that satisfy all mutations.
const ROWS: &str = "
INSERT INTO customers (id, email, name, joined) VALUES
    (3, 'c@example.org', 'cecil', '2024-01-03'), (5, 'e@example.org', 'eve', '2024-01-05');
INSERT INTO orders (id, customer, successor, status, total) VALUES
    (7, 3, NULL, 'open', 12.5), (8, 3, 7, 'closed', 1), (9, 5, NULL, 'open', 99);
DELETE FROM orders WHERE id = 9;
INSERT INTO products (rowid, order_id, code) VALUES (11, 7, 'x'), (13, 8, 'y');
INSERT INTO lines (order_id, product, note) VALUES (7, 'x', 'it''s'), (8, 'y', 'größe');
INSERT INTO settings (rowid, key, value) VALUES (21, 'a', 1), (23, 'b', 'two');
INSERT INTO counters (id, n) VALUES (31, 1), (33, 2);
INSERT INTO notes (rowid, title, body) VALUES (41, 'one', 'first'), (43, 'two', 'second');
INSERT INTO places (id, min_x, max_x) VALUES (51, 1, 2), (53, 3.5, 4.25);
";

/// The rows of [`ROWS`] have no parents by these keys.
const WITHOUT_ROWS: [&str; 5] = [
    "foreign key added",
    "foreign key to another table",
    "named foreign key to another table",
    "foreign key to another column",
    "named foreign key of another column",
];

/// A foreign key refers to what is no key in the target.
const MISMATCH: &str = "unique dropped";

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_up_and_down() {
    let mutations = MUTATIONS.iter().filter(|(name, ..)| *name != MISMATCH);
    let pairs = mutations.map(|(name, find, replace, _)| {
        let rows = if WITHOUT_ROWS.contains(name) {
            ""
        } else {
            ROWS
        };
        (*name, START.to_owned(), rows, mutated(find, replace))
    });
    prove_all(pairs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_parents_and_keys_that_are_none_are_found() {
    for name in WITHOUT_ROWS.into_iter().chain([MISMATCH]) {
        let (_, find, replace, _) = MUTATIONS.iter().find(|it| it.0 == name).unwrap();
        match prove(START, ROWS, &mutated(find, replace), &[]).await {
            Err(Failure::Rows(what)) => assert!(what.contains("ForeignKeys"), "{name}: {what}"),
            Err(Failure::Wrong(what)) => assert!(what.contains("KeysInDoubt"), "{name}: {what}"),
            _ => panic!("{name}"),
        }
    }
}
