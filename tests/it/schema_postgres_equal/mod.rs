//! The same schema written differently: the comparison of the facts finds no difference, and the
//! dumps are equal.

mod pairs;

use migrator::internals::{
    generate,
    schema::{Change, Note, Schema, compare},
};

use self::pairs::{
    COLUMN_ORDER, CONSTRAINTS, EXPRESSIONS, OTHERS, Pair, RELATIONS, SINCE, TABLES, WORDS,
};
use crate::{
    common::PostgresDatabase,
    schema_postgres_dump::{create_roles, inspect},
};

const ROLES: [&str; 2] = ["migrator_test_equal_a", "migrator_test_equal_b"];

/// Runs one side of each pair, each in a schema of its own.
fn create(pairs: &[Pair], side: fn(&Pair) -> &'static str) -> PostgresDatabase {
    let database = PostgresDatabase::create();
    create_roles(&database, &ROLES);
    let mut sql = String::new();
    for (number, pair) in pairs.iter().enumerate() {
        let schema = schema_name(number);
        let script = side(pair)
            .replace("{s}", &schema)
            .replace("{a}", ROLES[0])
            .replace("{b}", ROLES[1]);
        sql.push_str(&format!(
            "RESET ALL; CREATE SCHEMA {schema}; SET search_path TO {schema};\n{script}\n"
        ));
    }
    database.query(&sql);
    database
}

fn schema_name(number: usize) -> String {
    format!("pair_{number:02}")
}

/// The names of the pairs whose schemas the text mentions.
fn named(pairs: &[Pair], text: &str) -> Vec<&'static str> {
    let numbered = pairs.iter().enumerate();
    let found = numbered.filter(|(number, _)| text.contains(&schema_name(*number)));
    found.map(|(_, pair)| pair.0).collect()
}

fn dump(schema: &Schema) -> Vec<String> {
    let blocks = generate::dump(schema).unwrap();
    blocks.iter().map(ToString::to_string).collect()
}

/// The pairs that the server knows.
fn supported(pairs: &[Pair]) -> Vec<Pair> {
    let database = PostgresDatabase::create();
    let is_known = |pair: &&Pair| {
        let since = SINCE.iter().find(|(name, _)| *name == pair.0);
        since.is_none_or(|(name, major)| database.is_since(*major, name))
    };
    pairs.iter().filter(is_known).copied().collect()
}

/// Compares the schemas of both sides, and returns them. The pairs are those of [`supported`].
async fn compare_sides(pairs: &[Pair]) -> (Schema, Schema) {
    let first = create(pairs, |pair| pair.1);
    let second = create(pairs, |pair| pair.2);
    let (from, to) = (inspect(&first.url).await, inspect(&second.url).await);
    let difference = compare(&from, &to);
    let different: Vec<(Vec<&str>, &Change)> = difference
        .changes
        .iter()
        .map(|change| (named(pairs, &format!("{:?}", change.object())), change))
        .collect();
    assert!(different.is_empty(), "{different:#?}");
    (from, to)
}

async fn check(pairs: &[Pair]) {
    let pairs = &supported(pairs);
    let (from, to) = compare_sides(pairs).await;
    for (one, other) in dump(&from).into_iter().zip(dump(&to)) {
        assert_eq!(one, other, "{:?}", named(pairs, &one));
    }
}

#[tokio::test]
async fn tables() {
    check(TABLES).await;
}

#[tokio::test]
async fn constraints_and_indexes() {
    check(CONSTRAINTS).await;
}

#[tokio::test]
async fn expressions() {
    check(EXPRESSIONS).await;
}

#[tokio::test]
async fn expressions_in_other_words() {
    compare_sides(WORDS).await;
}

#[tokio::test]
async fn relations() {
    check(RELATIONS).await;
}

#[tokio::test]
async fn other_objects() {
    check(OTHERS).await;
}

#[tokio::test]
async fn the_order_of_columns_is_only_a_note() {
    let pairs = [COLUMN_ORDER];
    let first = create(&pairs, |pair| pair.1);
    let second = create(&pairs, |pair| pair.2);
    let difference = compare(&inspect(&first.url).await, &inspect(&second.url).await);
    assert_eq!(difference.changes, []);
    assert!(
        matches!(&difference.notes[..], [Note::ColumnOrder { .. }]),
        "{:?}",
        difference.notes
    );
}

#[test]
fn there_are_enough_pairs() {
    let all = [TABLES, CONSTRAINTS, EXPRESSIONS, RELATIONS, OTHERS, WORDS].concat();
    assert!(all.len() >= 60, "{}", all.len());
    let mut names: Vec<&str> = all.iter().map(|pair| pair.0).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
}
