//! Every attribute of every kind has a mutation, or a reason why it has none.

use std::collections::BTreeSet;

use migrator::internals::schema::{Facts, Kind};

use super::all;

/// Kinds of facts with owners, privileges and comments.
const OWNED: &[&str] = &[
    "schema",
    "foreign-data wrapper",
    "server",
    "collation",
    "enum",
    "domain",
    "composite type",
    "range type",
    "routine",
    "aggregate",
    "operator",
    "text search dictionary",
    "text search configuration",
    "sequence",
    "table",
    "statistics",
    "view",
    "materialized view",
    "event trigger",
    "publication",
];
const GRANTED: &[&str] = &[
    "schema",
    "foreign-data wrapper",
    "server",
    "enum",
    "domain",
    "composite type",
    "range type",
    "routine",
    "aggregate",
    "sequence",
    "table",
    "column",
    "view",
    "materialized view",
];
const NOT_COMMENTED: &[&str] = &["user mapping", "default privileges"];

/// Attributes without a mutation, each with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("cast", "source", "is a part of the identity"),
    ("cast", "target", "is a part of the identity"),
    ("default privileges", "role", "is a part of the identity"),
    ("default privileges", "on", "is a part of the identity"),
    (
        "exclusion constraint",
        "parent",
        "the server attaches no exclusion constraint that is there already",
    ),
    (
        "exclusion constraint",
        "is_inherited",
        "the server attaches no exclusion constraint that is there already",
    ),
    (
        "foreign key",
        "is_inherited",
        "a foreign key that comes to be inherited is no object any more, or has another name",
    ),
    (
        "trigger",
        "is_inherited",
        "a trigger that comes to be inherited is another trigger of the server",
    ),
];

/// The name of the facts of a kind.
fn facts(kind: Kind) -> &'static str {
    match kind {
        Kind::Function | Kind::Procedure => "routine",
        Kind::PrimaryKey | Kind::Unique => "key",
        other => other.name(),
    }
}

/// The facts and the attribute of a change such as `table shop.a: options`.
fn cell(change: &str) -> Option<(&'static str, &str)> {
    let (object, attribute) = change.split_once(": ")?;
    let kinds = Kind::ALL.iter().filter(|kind| {
        let rest = object.strip_prefix(kind.name());
        rest.is_some_and(|rest| rest.starts_with(' '))
    });
    let kind = kinds.max_by_key(|kind| kind.name().len())?;
    Some((facts(*kind), attribute))
}

#[test]
fn every_attribute_has_a_mutation_or_a_reason_for_none() {
    let changes = all().flat_map(|mutation| mutation.expected);
    let reached: BTreeSet<_> = changes.filter_map(|change| cell(change)).collect();
    let of_postgres = Facts::ATTRIBUTES
        .iter()
        .filter(|(name, _)| !name.starts_with("SQLite"));
    let mut wanted = BTreeSet::new();
    for (name, attributes) in of_postgres {
        wanted.extend(attributes.iter().map(|attribute| (*name, *attribute)));
        wanted.extend(OWNED.contains(name).then_some((*name, "owner")));
        wanted.extend(GRANTED.contains(name).then_some((*name, "grants")));
        wanted.extend((!NOT_COMMENTED.contains(name)).then_some((*name, "comment")));
    }
    let excepted: BTreeSet<_> = EXCEPTIONS
        .iter()
        .map(|(name, attribute, _)| (*name, *attribute))
        .collect();
    let missing: Vec<_> = wanted
        .difference(&reached)
        .filter(|cell| !excepted.contains(cell))
        .collect();
    assert!(missing.is_empty(), "without a mutation: {missing:?}");
    let needless: Vec<_> = excepted.intersection(&reached).collect();
    assert!(needless.is_empty(), "no exceptions: {needless:?}");
    let unknown: Vec<_> = reached.difference(&wanted).collect();
    assert!(
        unknown.is_empty(),
        "not expected to be attributes: {unknown:?}"
    );
}

#[test]
fn there_are_many_mutations_with_names_of_their_own() {
    let names: Vec<&str> = all().map(|mutation| mutation.name).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len());
    assert!(names.len() >= 250, "{}", names.len());
}

#[test]
fn the_page_names_what_has_no_mutation() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema.md");
    let page = std::fs::read_to_string(page).unwrap();
    let named = page.split("except for these").nth(1).unwrap();
    let named = named.split("\n\n").next().unwrap();
    for (kind, attribute, _) in EXCEPTIONS {
        assert!(named.contains(kind), "{kind}");
        assert!(
            named.contains(&format!("`{attribute}`")),
            "{kind}: {attribute}"
        );
    }
}
