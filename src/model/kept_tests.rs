use super::*;
use crate::{
    schema::{Grant, postgres},
    sql::Dialect,
};

fn table(name: &str) -> Object {
    Object::new(
        ObjectId::new(Kind::Table, "public", name),
        postgres::Table::default(),
    )
}

fn with(name: &str, change: impl FnOnce(&mut postgres::Table)) -> Object {
    let mut facts = postgres::Table::default();
    change(&mut facts);
    Object::new(ObjectId::new(Kind::Table, "public", name), facts)
}

fn function(name: &str) -> Object {
    let id = ObjectId::new(Kind::Function, "public", name).with_signature("()");
    Object::new(id, postgres::Routine::default())
}

fn view(name: &str) -> Object {
    Object::new(
        ObjectId::new(Kind::View, "public", name),
        postgres::View::default(),
    )
}

fn trigger(table: &str) -> Object {
    let id = ObjectId::part(Kind::Trigger, &Name::new("public", table), "t");
    Object::new(id, postgres::Trigger::default())
}

fn sequence(name: &str, owner: Option<&str>) -> Object {
    let owned_by = owner.map(|table| (Name::new("public", table), "id".to_owned()));
    let facts = postgres::Sequence {
        owned_by,
        ..postgres::Sequence::default()
    };
    Object::new(ObjectId::new(Kind::Sequence, "public", name), facts)
}

fn schema(objects: Vec<Object>) -> Schema {
    Schema::new(Dialect::Postgres, objects)
}

fn names(schema: &Schema) -> Vec<String> {
    schema
        .objects
        .iter()
        .map(|object| object.id.to_string())
        .collect()
}

fn django(drop: &[Kind]) -> Kept {
    Kept::of(&ModelSource::Django("shop.settings".to_owned()), drop)
}

/// Merges the declared objects with those of the head and returns what is there then.
#[track_caller]
fn check(kept: &Kept, declared: Vec<Object>, head: Vec<Object>, expected: &[&str]) {
    let merged = kept.merged(schema(declared), &schema(head));
    assert_eq!(names(&merged), expected);
}

#[test]
fn what_the_source_cannot_declare_stays() {
    let head = || {
        vec![
            table("a"),
            table("gone"),
            table("django_migrations"),
            trigger("a"),
            trigger("gone"),
            view("v"),
            function("f"),
            sequence("free", None),
            sequence("a_id_seq", Some("a")),
        ]
    };
    let own = "table public.django_migrations";
    check(
        &django(&[]),
        vec![table("a")],
        head(),
        &[
            "function public.f()",
            "sequence public.free",
            "table public.a",
            own,
            "view public.v",
            "trigger public.a.t",
        ],
    );
    check(
        &django(&[Kind::View, Kind::Trigger, Kind::Sequence]),
        vec![table("a")],
        head(),
        &["function public.f()", "table public.a", own],
    );
    let source = ModelSource::Command(vec!["print".to_owned()]);
    check(
        &Kept::of(&source, &[]),
        vec![table("a")],
        head(),
        &["table public.a"],
    );
}

#[test]
fn partitions_stay_with_their_table() {
    let partition = |name: &str, parent: &str| {
        with(name, |table| {
            table.partition_of = Some(postgres::Partition {
                parent: Name::new("public", parent),
                bound: "DEFAULT".to_owned(),
            });
        })
    };
    let head = || {
        vec![
            with("a", |table| {
                table.partition_by = Some("RANGE (at)".to_owned())
            }),
            partition("a_1", "a"),
            partition("a_1_1", "a_1"),
            partition("b_1", "b"),
        ]
    };
    check(
        &django(&[]),
        vec![table("a")],
        head(),
        &["table public.a", "table public.a_1", "table public.a_1_1"],
    );
    check(
        &django(&[Kind::Table]),
        vec![table("a")],
        head(),
        &["table public.a"],
    );
}

#[test]
fn a_model_of_a_view_is_no_table() {
    let column = ObjectId::part(Kind::Column, &Name::new("public", "v"), "id");
    let column = Object::new(column, postgres::Column::default());
    let declared = || vec![table("v"), column.clone()];
    check(
        &django(&[]),
        declared(),
        vec![view("v")],
        &["view public.v"],
    );
    check(
        &django(&[Kind::View]),
        declared(),
        vec![view("v")],
        &["table public.v", "column public.v.id"],
    );
}

#[test]
fn attributes_that_the_source_cannot_declare_stay() {
    let mut old = with("a", |table| {
        table.row_security = true;
        table
            .options
            .insert("fillfactor".to_owned(), "70".to_owned());
    });
    old.owner = Some("alice".to_owned());
    old.grants = Some(vec![Grant::default()]);
    old.comment = Some("old".to_owned());
    let merge = |source: ModelSource, declared: Object| {
        let kept = Kept::of(&source, &[]);
        let merged = kept.merged(schema(vec![declared]), &schema(vec![old.clone()]));
        merged.objects[0].clone()
    };
    let with_comments = ModelSource::Django("shop.settings".to_owned());
    let expected = Object {
        comment: None,
        ..old.clone()
    };
    assert_eq!(merge(with_comments.clone(), table("a")), expected);
    assert_eq!(
        merge(ModelSource::Drizzle("schema.ts".into()), table("a")),
        old
    );

    // What is declared counts.
    let declared = with("a", |table| {
        table
            .options
            .insert("fillfactor".to_owned(), "80".to_owned());
    });
    let Facts::Table(facts) = merge(with_comments, declared).facts else {
        panic!("no table");
    };
    assert_eq!(facts.options.get("fillfactor").unwrap(), "80");
    assert!(facts.row_security);
}

#[test]
fn what_models_refer_to_exists_before_them() {
    let mut on_table = function("of_rows");
    on_table.depends_on = vec![table("a").id];
    let mut after = function("after");
    after.depends_on = vec![on_table.id.clone()];
    let mut later = function("later");
    later.depends_on = vec![function("f").id];
    let head = schema(vec![
        table("a"),
        view("v"),
        function("f"),
        later,
        on_table,
        after,
        sequence("free", None),
        sequence("a_id_seq", Some("a")),
    ]);
    assert_eq!(
        names(&django(&[]).before(&head)),
        [
            "function public.f()",
            "function public.later()",
            "sequence public.free"
        ]
    );
    assert_eq!(
        names(&django(&[Kind::Function]).before(&head)),
        ["sequence public.free"]
    );
}
