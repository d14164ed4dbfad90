use serde_json::json;

use super::*;
use crate::{
    schema::{Kind, postgres},
    sql::Dialect,
};

fn table(name: &str) -> Object {
    let id = ObjectId::new(Kind::Table, "shop", name);
    Object::new(id, postgres::Table::default())
}

fn column(table: &str, name: &str, position: i16) -> Object {
    let id = ObjectId::part(Kind::Column, &Name::new("shop", table), name);
    let facts = postgres::Column {
        data_type: "integer".into(),
        position,
        ..Default::default()
    };
    Object::new(id, facts)
}

fn schema(objects: Vec<Object>) -> Schema {
    Schema::new(Dialect::Postgres, objects)
}

#[test]
fn equal_schemas_do_not_differ() {
    let make = || schema(vec![column("a", "x", 1), table("a")]);
    assert_eq!(compare(&make(), &make()), Difference::default());
}

#[test]
fn an_attribute_that_differs_is_one_change() {
    let from = schema(vec![table("a"), column("a", "x", 1)]);
    let mut changed = column("a", "x", 1);
    changed.comment = Some("hi".into());
    let to = schema(vec![table("a"), changed]);
    let expected = Change::Alter {
        object: column("a", "x", 1).id,
        attribute: "comment".into(),
        from: json!(null),
        to: json!("hi"),
    };
    assert_eq!(compare(&from, &to).changes, [expected]);
}

#[test]
fn parts_of_an_added_or_dropped_table_are_no_changes_of_their_own() {
    let small = schema(vec![table("a"), column("a", "x", 1)]);
    let big = schema(vec![
        table("a"),
        column("a", "x", 1),
        table("b"),
        column("b", "y", 1),
    ]);
    let object = table("b").id;
    let added = compare(&small, &big).changes;
    assert_eq!(
        added,
        [Change::Add {
            object: object.clone()
        }]
    );
    assert_eq!(compare(&big, &small).changes, [Change::Drop { object }]);
}

#[test]
fn an_added_part_is_a_change() {
    let small = schema(vec![table("a"), column("a", "x", 1)]);
    let big = schema(vec![table("a"), column("a", "x", 1), column("a", "y", 2)]);
    let object = column("a", "y", 2).id;
    assert_eq!(compare(&small, &big).changes, [Change::Add { object }]);
}

#[test]
fn another_order_of_columns_is_a_note() {
    let from = schema(vec![table("a"), column("a", "x", 1), column("a", "y", 2)]);
    let to = schema(vec![table("a"), column("a", "x", 4), column("a", "y", 2)]);
    let found = compare(&from, &to);
    assert!(found.is_empty());
    let expected = Note::ColumnOrder {
        table: Name::new("shop", "a"),
        from: vec!["x".into(), "y".into()],
        to: vec!["y".into(), "x".into()],
    };
    assert_eq!(found.notes, [expected]);
}

#[test]
fn a_table_with_the_same_columns_may_be_renamed() {
    let from = schema(vec![table("a"), column("a", "x", 1)]);
    let to = schema(vec![table("b"), column("b", "x", 1)]);
    let found = compare(&from, &to);
    assert_eq!(found.changes.len(), 2);
    let expected = Note::PossibleRename {
        from: table("a").id,
        to: table("b").id,
    };
    assert_eq!(found.notes, [expected]);
}

#[test]
fn an_ambiguous_rename_is_not_noted() {
    let from = schema(vec![table("a"), column("a", "x", 1), column("a", "y", 2)]);
    let to = schema(vec![table("a"), column("a", "z", 1)]);
    assert_eq!(compare(&from, &to).notes, []);
}
