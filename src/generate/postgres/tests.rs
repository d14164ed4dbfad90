use crate::{
    generate::{dump, script},
    schema::{
        Cycle, Facts, Kind, Name, Object, ObjectId, Schema,
        postgres::{
            Check, Column, Domain, ForeignKey, Index, IndexKey, Key, NotNull, Partition, Range,
            Routine, Sequence, SequenceRange, Table, UserMapping, View,
        },
    },
    sql::Dialect,
};

fn object(kind: Kind, name: &str, facts: impl Into<Facts>) -> Object {
    Object::new(ObjectId::new(kind, "s", name), facts)
}

fn part(kind: Kind, table: &str, name: &str, facts: impl Into<Facts>) -> Object {
    Object::new(ObjectId::part(kind, &Name::new("s", table), name), facts)
}

fn table(name: &str) -> Object {
    object(Kind::Table, name, Table::default())
}

fn column(table: &str, position: i16, name: &str) -> Object {
    let facts = Column {
        data_type: "integer".into(),
        position,
        ..Column::default()
    };
    part(Kind::Column, table, name, facts)
}

fn primary_key(table: &str, name: &str, column: &str) -> Object {
    let facts = Key {
        columns: vec![column.into()],
        ..Key::default()
    };
    part(Kind::PrimaryKey, table, name, facts)
}

fn foreign_key(table: &str, name: &str, column: &str, references: &str) -> Object {
    let facts = ForeignKey {
        columns: vec![column.into()],
        references: Name::new("s", references),
        referenced_columns: vec!["id".into()],
        ..ForeignKey::default()
    };
    part(Kind::ForeignKey, table, name, facts)
}

fn function(name: &str, signature: &str, language: &str) -> Object {
    let facts = Routine {
        returns: Some("integer".into()),
        language: language.into(),
        body: "SELECT 1".into(),
        ..Routine::default()
    };
    let id = ObjectId::new(Kind::Function, "s", name).with_signature(signature);
    Object::new(id, facts)
}

fn view(name: &str, needs: &[&Object]) -> Object {
    let facts = View {
        query: "SELECT 1".into(),
        ..View::default()
    };
    needing(object(Kind::View, name, facts), needs)
}

fn needing(mut object: Object, needs: &[&Object]) -> Object {
    object
        .depends_on
        .extend(needs.iter().map(|it| it.id.clone()));
    object
}

fn sql(objects: Vec<Object>) -> Result<String, Cycle> {
    let schema = Schema::new(Dialect::Postgres, objects);
    dump(&schema).map(|blocks| script(&blocks))
}

#[track_caller]
fn check(objects: Vec<Object>, expected: &str) {
    assert_eq!(sql(objects).unwrap(), expected.trim_start());
}

/// The first line of each block.
#[track_caller]
fn check_order(objects: Vec<Object>, expected: &[&str]) {
    let sql = sql(objects).unwrap();
    let blocks = sql.split("\n\n").filter_map(|block| block.lines().next());
    let blocks: Vec<&str> = blocks
        .map(|line| line.trim_end_matches([' ', '(', ')', ';']))
        .collect();
    assert_eq!(blocks, expected);
}

#[test]
fn a_table_is_one_block() {
    let mut named = column("a", 1, "id");
    named.comment = Some("it's".into());
    let text = Column {
        data_type: "text".into(),
        default: Some("'x'::text".into()),
        not_null: Some(NotNull::default()),
        position: 3,
        ..Column::default()
    };
    let objects = vec![
        table("a"),
        part(Kind::Column, "a", "order", text),
        named,
        primary_key("a", "a_pkey", "id"),
        part(
            Kind::Check,
            "a",
            "a_check",
            Check {
                expression: "id > 0".into(),
                ..Check::default()
            },
        ),
    ];
    let expected = r#"
CREATE TABLE s.a (
    id integer,
    "order" text DEFAULT 'x'::text NOT NULL,
    CONSTRAINT a_pkey PRIMARY KEY (id),
    CONSTRAINT a_check CHECK (id > 0)
);
COMMENT ON COLUMN s.a.id IS 'it''s';
"#;
    check(objects, expected);
}

#[test]
fn referenced_tables_come_first() {
    let objects = vec![
        table("a"),
        column("a", 1, "b"),
        foreign_key("a", "a_b_fkey", "b", "c"),
        table("b"),
        table("c"),
        column("c", 1, "id"),
        primary_key("c", "c_pkey", "id"),
    ];
    check_order(
        objects,
        &["CREATE TABLE s.c", "CREATE TABLE s.a", "CREATE TABLE s.b"],
    );
}

#[test]
fn foreign_keys_in_a_cycle_are_added_later() {
    let mut objects = Vec::new();
    for (name, other) in [("a", "b"), ("b", "a")] {
        objects.push(table(name));
        objects.push(column(name, 1, "id"));
        objects.push(primary_key(name, &format!("{name}_pkey"), "id"));
        objects.push(foreign_key(name, &format!("{name}_fkey"), "id", other));
        objects.push(foreign_key(name, &format!("{name}_self"), "id", name));
    }
    let expected = "
CREATE TABLE s.a (
    id integer,
    CONSTRAINT a_pkey PRIMARY KEY (id),
    CONSTRAINT a_self FOREIGN KEY (id) REFERENCES s.a (id)
);

CREATE TABLE s.b (
    id integer,
    CONSTRAINT b_pkey PRIMARY KEY (id),
    CONSTRAINT b_fkey FOREIGN KEY (id) REFERENCES s.a (id),
    CONSTRAINT b_self FOREIGN KEY (id) REFERENCES s.b (id)
);

ALTER TABLE s.a
    ADD CONSTRAINT a_fkey FOREIGN KEY (id) REFERENCES s.b (id);
";
    check(objects, expected);
}

#[test]
fn constraints_that_are_not_valid_are_added_later() {
    let mut key = foreign_key("a", "a_fkey", "id", "b");
    if let Facts::ForeignKey(key) = &mut key.facts {
        key.not_valid = true;
    }
    let objects = vec![table("a"), column("a", 1, "id"), key];
    let expected = "
CREATE TABLE s.a (
    id integer
);

ALTER TABLE s.a
    ADD CONSTRAINT a_fkey FOREIGN KEY (id) REFERENCES s.b (id) NOT VALID;
";
    check(objects, expected);
}

#[test]
fn functions_are_late_unless_something_needs_them() {
    let needed = function("z", "()", "c");
    let objects = vec![
        function("a", "()", "c"),
        table("t"),
        view("v", &[&needed]),
        needed,
    ];
    let expected = [
        "SET search_path = ''",
        "CREATE TABLE s.t",
        "CREATE FUNCTION s.z",
        "CREATE VIEW s.v AS",
        "CREATE FUNCTION s.a",
    ];
    check_order(objects, &expected);
}

#[test]
fn defaults_and_checks_that_need_their_own_table_are_added_later() {
    let table = table("t");
    let function = needing(function("f", "(s.t)", "c"), &[&table]);
    let mut with_default = needing(column("t", 1, "id"), &[&function]);
    if let Facts::Column(column) = &mut with_default.facts {
        column.default = Some("s.f(NULL::s.t)".into());
    }
    let check = Check {
        expression: "s.f(t.*) > 0".into(),
        ..Check::default()
    };
    let check = needing(part(Kind::Check, "t", "c", check), &[&function]);
    let sql = sql(vec![table, function, with_default, check]).unwrap();
    let late = sql.split_once("AS 'SELECT 1'").map_or(&*sql, |it| it.1);
    assert!(
        sql.contains("CREATE TABLE s.t (\n    id integer\n);\n"),
        "{sql}"
    );
    let expected = "
ALTER TABLE s.t ALTER COLUMN id SET DEFAULT s.f(NULL::s.t);

ALTER TABLE s.t
    ADD CONSTRAINT c CHECK (s.f(t.*) > 0);
";
    assert!(late.ends_with(expected), "{late}");
}

#[test]
fn cycles_that_cannot_be_broken_are_errors() {
    let (a, b) = (view("a", &[]), view("b", &[]));
    let objects = vec![needing(a.clone(), &[&b]), needing(b.clone(), &[&a])];
    assert_eq!(sql(objects), Err(Cycle(vec![a.id, b.id])));
}

#[test]
fn a_function_that_makes_a_range_canonical_gets_a_shell() {
    let range = Range {
        subtype: "integer".into(),
        canonical: Some(Name::new("s", "f")),
        ..Range::default()
    };
    let range = object(Kind::Range, "r", range);
    let function = needing(function("f", "(s.r)", "internal"), &[&range]);
    let range = needing(range, &[&function]);
    check_order(
        vec![range, function],
        &[
            "SET search_path = ''",
            "CREATE TYPE s.r",
            "CREATE FUNCTION s.f",
            "CREATE TYPE s.r AS RANGE",
        ],
    );
}

fn sequence(start: i64) -> Object {
    let facts = Sequence {
        data_type: "integer".into(),
        range: SequenceRange {
            start,
            increment: 1,
            min: 1,
            max: i32::MAX.into(),
            cache: 1,
            cycle: false,
        },
        owned_by: Some((Name::new("s", "t"), "id".into())),
        unlogged: false,
    };
    object(Kind::Sequence, "t_id_seq", facts)
}

fn with_sequence(sequence: Object) -> Vec<Object> {
    let mut id = needing(column("t", 1, "id"), &[&sequence]);
    if let Facts::Column(column) = &mut id.facts {
        column.default = Some("nextval('s.t_id_seq'::regclass)".into());
        column.not_null = Some(NotNull::default());
    }
    let table = table("t");
    let sequence = needing(sequence, &[&table]);
    vec![table, id, sequence]
}

#[test]
fn a_sequence_is_a_serial_column_if_it_is_what_serial_makes() {
    let mut usual = sequence(1);
    usual.comment = Some("numbers".into());
    let expected = "
CREATE TABLE s.t (
    id serial
);

COMMENT ON SEQUENCE s.t_id_seq IS 'numbers';
";
    check(with_sequence(usual), expected);
    let expected = "
CREATE SEQUENCE s.t_id_seq AS integer START WITH 7;

CREATE TABLE s.t (
    id integer DEFAULT nextval('s.t_id_seq'::regclass) NOT NULL
);

ALTER SEQUENCE s.t_id_seq OWNED BY s.t.id;
";
    check(with_sequence(sequence(7)), expected);
}

/// A partitioned table, its partition `p`, and an index on each.
fn partitioned(name_of_index: &str) -> Vec<Object> {
    let parent = Table {
        partition_by: Some("LIST (id)".into()),
        ..Table::default()
    };
    let partition = Table {
        partition_of: Some(Partition {
            parent: Name::new("s", "t"),
            bound: "FOR VALUES IN (1)".into(),
        }),
        ..Table::default()
    };
    let index = Index {
        method: "btree".into(),
        keys: vec![IndexKey {
            column: Some("id".into()),
            ..IndexKey::default()
        }],
        ..Index::default()
    };
    let attached = Index {
        parent: Some(Name::new("s", "i")),
        ..index.clone()
    };
    let mut inherited = column("p", 1, "id");
    if let Facts::Column(column) = &mut inherited.facts {
        column.is_inherited = true;
    }
    vec![
        object(Kind::Table, "t", parent),
        column("t", 1, "id"),
        part(Kind::Index, "t", "i", index),
        object(Kind::Table, "p", partition),
        inherited,
        part(Kind::Index, "p", name_of_index, attached),
    ]
}

#[test]
fn indexes_of_partitions_are_made_by_the_server_if_they_have_its_names() {
    let expected = "
CREATE TABLE s.t (
    id integer
) PARTITION BY LIST (id);

CREATE TABLE s.p PARTITION OF s.t
    FOR VALUES IN (1);

CREATE INDEX i ON s.t (id);
";
    check(partitioned("p_id_idx"), expected);
}

#[test]
fn indexes_of_partitions_with_other_names_are_attached() {
    let expected = "
CREATE TABLE s.t (
    id integer
) PARTITION BY LIST (id);

CREATE TABLE s.p PARTITION OF s.t
    FOR VALUES IN (1);

CREATE INDEX other ON s.p (id);

CREATE INDEX i ON ONLY s.t (id);
ALTER INDEX s.i ATTACH PARTITION s.other;
";
    check(partitioned("other"), expected);
}

#[test]
fn partitions_with_columns_in_another_order_are_attached() {
    let mut objects = partitioned("p_id_idx");
    objects.push(column("t", 2, "b"));
    let mut first = column("p", 0, "b");
    if let Facts::Column(column) = &mut first.facts {
        column.default = Some("5".into());
    }
    objects.push(first);
    let sql = sql(objects).unwrap();
    let expected = "
CREATE TABLE s.p (
    b integer DEFAULT 5,
    id integer
);
ALTER TABLE s.t ATTACH PARTITION s.p
    FOR VALUES IN (1);
";
    assert!(sql.contains(expected), "{sql}");
}

#[test]
fn inherited_columns_say_only_what_differs() {
    let child = Table {
        inherits: vec![Name::new("s", "t")],
        ..Table::default()
    };
    let mut inherited = column("child", 1, "id");
    if let Facts::Column(column) = &mut inherited.facts {
        column.is_inherited = true;
        column.default = Some("1".into());
        column.statistics = Some(5);
    }
    let objects = vec![
        table("t"),
        column("t", 1, "id"),
        object(Kind::Table, "child", child),
        inherited,
        column("child", 2, "b"),
    ];
    let expected = "
CREATE TABLE s.t (
    id integer
);

CREATE TABLE s.child (
    b integer
) INHERITS (s.t);
ALTER TABLE ONLY s.child ALTER COLUMN id SET DEFAULT 1;
ALTER TABLE s.child ALTER COLUMN id SET STATISTICS 5;
";
    check(objects, expected);
}

#[test]
fn domains_hold_their_checks() {
    let domain = Domain {
        data_type: "text".into(),
        not_null: true,
        ..Domain::default()
    };
    let check_of = |not_valid| Check {
        expression: "VALUE <> ''::text".into(),
        not_valid,
        ..Check::default()
    };
    let mut valid = part(Kind::Check, "d", "a", check_of(false));
    valid.comment = Some("x".into());
    let objects = vec![
        object(Kind::Domain, "d", domain),
        valid,
        part(Kind::Check, "d", "b", check_of(true)),
    ];
    let expected = "
CREATE DOMAIN s.d AS text NOT NULL
    CONSTRAINT a CHECK (VALUE <> ''::text);
COMMENT ON CONSTRAINT a ON DOMAIN s.d IS 'x';

ALTER DOMAIN s.d
    ADD CONSTRAINT b CHECK (VALUE <> ''::text) NOT VALID;
";
    check(objects, expected);
}

#[test]
fn secrets_are_named() {
    let facts = UserMapping {
        secrets: vec!["password".into()],
        ..UserMapping::default()
    };
    let id = ObjectId::part(Kind::UserMapping, &Name::new("", "files"), "PUBLIC");
    let expected = "
-- The user mapping of PUBLIC on files has secret options that are not shown: password
CREATE USER MAPPING FOR PUBLIC SERVER files;
";
    check(vec![Object::new(id, facts)], expected);
}

#[test]
fn the_order_of_the_objects_does_not_matter() {
    let mut objects = partitioned("p_id_idx");
    objects.extend([table("b"), column("b", 1, "id"), table("a"), view("v", &[])]);
    let first = sql(objects.clone());
    objects.reverse();
    assert_eq!(sql(objects), first);
}
