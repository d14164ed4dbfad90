use super::{
    BLOCKS_POSTGRES, Context, Draft, Fix, ORDERS, Rule, Safe, drop_constraint, name_of, sql,
    waiting,
};
use crate::{
    lint::{Act, Constraint, ConstraintKind, Example, TableChange},
    schema::Name,
};

const NAME: &str = "add-unique-or-primary-key";

pub(in crate::lint::rules) static UNIQUE: Rule = Rule {
    name: NAME,
    code: "L102",
    summary: "a unique index is built while reads and writes wait",
    docs: "ADD UNIQUE and ADD PRIMARY KEY, also as a part of ADD COLUMN, build an index under an \
        ACCESS EXCLUSIVE lock, in all versions: reads and writes wait until it is built. A unique \
        index that was built CONCURRENTLY becomes the constraint's in a moment with USING INDEX. \
        Partitioned tables refuse USING INDEX.",
    safe: "-- migrator: transaction = off\nCREATE UNIQUE INDEX CONCURRENTLY orders_note_key ON orders (note);\n\
        ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE USING INDEX orders_note_key;",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE (note);",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint, note text);\nCREATE UNIQUE INDEX orders_note_key ON orders (note);",
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_note_key UNIQUE USING INDEX orders_note_key;",
    },
    check: check_unique,
    ..BLOCKS_POSTGRES
};

fn check_unique(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, NAME, || match context.acts() {
        [Act::AlterTable { table, change }] => match change {
            TableChange::AddConstraint(constraint) => add_constraint(table, constraint),
            TableChange::AddColumn { column, .. } => {
                let constraint = column.constraints.first()?;
                let [of_index, constraint] = with_index(table, constraint)?;
                Some(Safe::text(format!(
                    "-- migrator: transaction = off\nALTER TABLE {} ADD COLUMN {} {};\n{of_index};\n{constraint};",
                    sql::path(table),
                    sql::word(&column.name),
                    column.data_type,
                )))
            }
            _ => None,
        },
        _ => None,
    })
}

fn add_constraint(table: &Name, constraint: &Constraint) -> Option<Safe> {
    Some(Safe::fix(Fix {
        replace: with_index(table, constraint)?.to_vec(),
        transaction_off: true,
        down: vec![drop_constraint(table, &name_of(table, constraint))],
        ..Fix::default()
    }))
}

/// The statement that builds the index, and the one that makes it the constraint's.
fn with_index(table: &Name, constraint: &Constraint) -> Option<[String; 2]> {
    let (kind, columns) = match &constraint.kind {
        ConstraintKind::PrimaryKey(columns) => ("PRIMARY KEY", columns),
        ConstraintKind::Unique(columns) => ("UNIQUE", columns),
        _ => return None,
    };
    if columns.is_empty() || constraint.has_options {
        return None;
    }
    let name = name_of(table, constraint);
    let (name, path) = (sql::word(&name), sql::path(table));
    Some([
        format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {path} ({})",
            sql::words(columns)
        ),
        format!("ALTER TABLE {path} ADD CONSTRAINT {name} {kind} USING INDEX {name}"),
    ])
}

const NULLABLE_NAME: &str = "primary-key-on-nullable";

pub(in crate::lint::rules) static NULLABLE: Rule = Rule {
    name: NULLABLE_NAME,
    code: "L103",
    summary: "a primary key over a nullable column reads all rows while reads and writes wait",
    docs: "ADD PRIMARY KEY USING INDEX makes its columns NOT NULL, in all versions. Where one is \
        still nullable, all rows are read for it under an ACCESS EXCLUSIVE lock.",
    safe: "ALTER TABLE orders ADD CONSTRAINT orders_id_not_null_check CHECK (id IS NOT NULL) NOT VALID;\n\
        -- in a later revision\nALTER TABLE orders VALIDATE CONSTRAINT orders_id_not_null_check;\n\
        ALTER TABLE orders ALTER COLUMN id SET NOT NULL;\n\
        ALTER TABLE orders DROP CONSTRAINT orders_id_not_null_check;\n\
        ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey;",
    silent: "The columns are known to be NOT NULL, or the table was created in the same run.",
    bad: Example {
        before: "CREATE TABLE orders (id bigint);\nCREATE UNIQUE INDEX orders_pkey ON orders (id);",
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey;",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint NOT NULL);\nCREATE UNIQUE INDEX orders_pkey ON orders (id);",
        sql: "ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey;",
    },
    check: |context| waiting(context, NULLABLE_NAME, || None),
    ..BLOCKS_POSTGRES
};
