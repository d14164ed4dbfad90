use super::*;
use crate::{
    generate::{MigrationOptions, migrate},
    schema::{
        Facts, Kind, Name, Object,
        postgres::{
            Check, Column, Deferrable, Enabled, ForeignKey, Generated, Index, IndexKey, Key,
            NotNull, Table, Trigger, View,
        },
    },
    sql::Dialect,
};

fn orders() -> Name {
    Name::new("shop", "orders")
}

fn part(kind: Kind, name: &str, facts: impl Into<Facts>) -> Object {
    Object::new(ObjectId::part(kind, &orders(), name), facts)
}

fn column(name: &str, data_type: &str) -> Object {
    let facts = Column {
        data_type: data_type.to_owned(),
        position: name.len() as i16,
        ..Column::default()
    };
    part(Kind::Column, name, facts)
}

fn key(kind: Kind, name: &str, column: &str) -> Object {
    let facts = Key {
        columns: vec![column.to_owned()],
        deferrable: Deferrable::Never,
        ..Key::default()
    };
    part(kind, name, facts)
}

fn index(name: &str, column: &str) -> Object {
    let facts = Index {
        method: "btree".to_owned(),
        keys: vec![IndexKey {
            column: Some(column.to_owned()),
            ..IndexKey::default()
        }],
        ..Index::default()
    };
    part(Kind::Index, name, facts)
}

fn foreign_key(name: &str, column: &str, references: Name) -> Object {
    let facts = ForeignKey {
        columns: vec![column.to_owned()],
        references,
        referenced_columns: vec!["id".to_owned()],
        ..ForeignKey::default()
    };
    part(Kind::ForeignKey, name, facts)
}

/// The table `shop.orders (id bigint PRIMARY KEY, total integer, note text)`, beside other objects.
fn schema(others: Vec<Object>) -> Schema {
    let table = ObjectId::new(Kind::Table, "shop", "orders");
    let mut objects = vec![
        Object::new(table, Table::default()),
        column("id", "bigint"),
        column("note", "text"),
        column("total", "integer"),
        key(Kind::PrimaryKey, "orders_pkey", "id"),
    ];
    objects.retain(|it| !others.iter().any(|other| other.id == it.id));
    objects.extend(others);
    Schema::new(Dialect::Postgres, objects)
}

fn division(from: &Schema, to: &Schema) -> Division {
    let options = MigrationOptions {
        apart: true,
        ..MigrationOptions::default()
    };
    let migration = migrate(from, to, &options).unwrap();
    divide(migration.statements, Order::Compact, from, to)
}

/// The phases and the jobs, with the statements.
fn shown(division: &Division) -> Vec<(&'static str, Job, Vec<&str>)> {
    let parts = division.parts.iter();
    parts
        .map(|part| {
            let statements = part.statements.iter().map(|it| it.sql.as_str());
            (part.phase.name(), part.job, statements.collect())
        })
        .collect()
}

#[test]
fn indexes_are_built_while_others_write() {
    let found = division(&schema(vec![]), &schema(vec![index("by_note", "note")]));
    assert_eq!(
        shown(&found),
        [(
            "expand",
            Job::Build,
            vec!["CREATE INDEX CONCURRENTLY by_note ON shop.orders (note)"]
        )]
    );
}

#[test]
fn constraints_are_for_the_time_after_old_programs() {
    let check = Check {
        expression: "total > 0".to_owned(),
        ..Check::default()
    };
    let check = part(Kind::Check, "positive", check);
    let found = division(&schema(vec![]), &schema(vec![check]));
    assert_eq!(
        shown(&found),
        [
            (
                "contract",
                Job::Change,
                vec!["ALTER TABLE shop.orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID"]
            ),
            (
                "contract",
                Job::Validate,
                vec!["ALTER TABLE shop.orders VALIDATE CONSTRAINT positive"]
            ),
        ]
    );
}

#[test]
fn rows_are_read_before_strong_locks_are_taken() {
    let mut total = column("total", "integer");
    let mut note = column("note", "text");
    for object in [&mut total, &mut note] {
        if let Facts::Column(column) = &mut object.facts {
            column.not_null = Some(NotNull::default());
        }
    }
    let found = division(&schema(vec![]), &schema(vec![total, note]));
    let validating = found.parts.last().unwrap();
    assert_eq!(validating.job, Job::Validate);
    let validates = |it: &Statement| it.sql.contains("VALIDATE");
    let order: Vec<bool> = validating.statements.iter().map(validates).collect();
    assert_eq!(order, [true, true, false, false, false, false]);
}

#[test]
fn what_old_programs_use_goes_last() {
    let from = schema(vec![column("old", "text")]);
    let to = schema(vec![column("new", "text")]);
    let found = division(&from, &to);
    assert_eq!(
        shown(&found),
        [
            (
                "expand",
                Job::Change,
                vec!["ALTER TABLE shop.orders ADD COLUMN new text"]
            ),
            (
                "contract",
                Job::Change,
                vec!["ALTER TABLE shop.orders DROP COLUMN old"]
            ),
        ]
    );
}

#[test]
fn a_type_is_changed_beside_the_old_column() {
    let from = vec![
        index("by_total", "total"),
        foreign_key("to_others", "total", Name::new("shop", "others")),
    ];
    let to = [from.clone(), vec![column("total", "bigint")]].concat();
    let found = division(&schema(from), &schema(to));
    assert_eq!(found.waiting, []);
    let shown = shown(&found);
    let kinds: Vec<_> = shown.iter().map(|(phase, job, _)| (*phase, *job)).collect();
    assert_eq!(
        kinds,
        [
            ("expand", Job::Build),
            ("expand", Job::Validate),
            ("contract", Job::Change)
        ]
    );
    let build = &shown[0].2;
    assert_eq!(
        build[0],
        "ALTER TABLE shop.orders ADD COLUMN total_new bigint"
    );
    let builds = "CREATE INDEX CONCURRENTLY by_total_new ON shop.orders (total_new)";
    assert!(build.contains(&builds), "{build:#?}");
    let fill = found.parts[0].statements.iter().find(|it| it.is_batched);
    assert_eq!(
        fill.unwrap().sql,
        "UPDATE shop.orders SET total_new = total::bigint\n\
         WHERE id IN (SELECT id FROM shop.orders WHERE total_new IS NULL AND total IS NOT NULL LIMIT 1000)"
    );
    assert_eq!(
        shown[2].2,
        [
            "DROP TRIGGER orders_total_sync ON shop.orders",
            "DROP FUNCTION shop.orders_total_sync()",
            "ALTER TABLE shop.orders DROP CONSTRAINT orders_total_same",
            "ALTER TABLE shop.orders DROP COLUMN total",
            "ALTER TABLE shop.orders RENAME COLUMN total_new TO total",
            "ALTER TABLE shop.orders RENAME CONSTRAINT to_others_new TO to_others",
            "ALTER INDEX shop.by_total_new RENAME TO by_total",
        ]
    );
    assert_eq!(found.parts[2].refills.len(), 1);
}

#[test]
fn a_type_that_has_no_other_form_is_changed_alone_with_the_reason() {
    let check = |others: Vec<Object>, data_type: &str, reason: &str| {
        let changed = column("total", data_type);
        let to = [others.clone(), vec![changed]].concat();
        let found = division(&schema(others), &schema(to));
        let waiting = found.waiting.first();
        assert_eq!(waiting.map(|it| it.reason.as_str()), Some(reason));
        let waits = found.parts.iter().filter(|it| it.job == Job::Wait);
        assert_eq!(waits.count(), 1, "{reason}");
    };
    let uses = |expression: &str| Check {
        expression: expression.to_owned(),
        ..Check::default()
    };
    let trigger = Trigger {
        timing: "AFTER".to_owned(),
        events: vec!["UPDATE".to_owned()],
        for_each_row: true,
        enabled: Enabled::Origin,
        ..Trigger::default()
    };
    let refers = Object::new(
        ObjectId::part(Kind::ForeignKey, &Name::new("shop", "lines"), "to_orders"),
        ForeignKey {
            columns: vec!["total".to_owned()],
            references: orders(),
            referenced_columns: vec!["total".to_owned()],
            ..ForeignKey::default()
        },
    );
    let generated = Column {
        data_type: "integer".to_owned(),
        position: 9,
        generated: Some(Generated {
            expression: "total * 2".to_owned(),
            is_virtual: false,
        }),
        ..Column::default()
    };
    let mut over_expression = index("by_half", "note");
    if let Facts::Index(index) = &mut over_expression.facts {
        index.keys[0] = IndexKey {
            expression: Some("(total / 2)".to_owned()),
            ..IndexKey::default()
        };
    }
    check(
        vec![part(Kind::Check, "positive", uses("total > 0"))],
        "bigint",
        "check constraint shop.orders.positive uses it",
    );
    check(
        vec![part(Kind::Trigger, "audit", trigger)],
        "bigint",
        "trigger shop.orders.audit would run for each row",
    );
    check(
        vec![refers],
        "bigint",
        "foreign key shop.lines.to_orders uses it",
    );
    check(
        vec![part(Kind::Column, "twice", generated)],
        "bigint",
        "column shop.orders.twice uses it",
    );
    check(
        vec![over_expression],
        "bigint",
        "index shop.orders.by_half has an expression with it",
    );
    check(
        vec![],
        "timestamp with time zone",
        "the cast depends on settings of the session",
    );
    check(
        vec![],
        "smallint",
        "values that do not fit would be refused from the start",
    );
    check(vec![], "json", "values of json cannot be compared");
}

#[test]
fn what_is_dropped_and_made_again_is_in_one_revision() {
    let view = |query: &str| {
        let mut view = Object::new(
            ObjectId::new(Kind::View, "shop", "totals"),
            View {
                query: query.to_owned(),
                ..View::default()
            },
        );
        let total = ObjectId::part(Kind::Column, &orders(), "total");
        view.depends_on = vec![ObjectId::new(Kind::Table, "shop", "orders"), total];
        view
    };
    let select = " SELECT orders.total\n   FROM shop.orders";
    let from = schema(vec![view(select)]);
    let to = schema(vec![view(select), column("total", "bigint")]);
    let found = division(&from, &to);
    let [part] = found.parts.as_slice() else {
        panic!("{:#?}", shown(&found));
    };
    let words: Vec<&str> = part
        .statements
        .iter()
        .map(|it| it.sql.split(' ').next().unwrap())
        .collect();
    assert_eq!(words, ["DROP", "ALTER", "CREATE"]);
    assert!(part.job.in_transaction());
}
