use super::{BLOCKS_POSTGRES, Context, Draft, ORDERS, Rule, Safe, sql, waiting};
use crate::{
    lint::{Column, Example, TableChange},
    schema::Name,
};

const NAME: &str = "volatile-default";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L110",
    summary: "a column with a value for each row rewrites the table while reads and writes wait",
    docs: "Since PostgreSQL 11, ADD COLUMN with a constant default, or one such as now() that is the \
        same for the whole statement, touches the catalog alone. A volatile default, such as \
        gen_random_uuid() or clock_timestamp(), is computed for each row: the table and its indexes \
        are written anew under an ACCESS EXCLUSIVE lock. So does a column whose type is a domain \
        with constraints.",
    safe: "ALTER TABLE orders ADD COLUMN token uuid;\n\
        ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();\n\
        -- in a revision with transaction = off\n-- migrator: batch\n\
        UPDATE orders SET token = gen_random_uuid() WHERE id IN (SELECT id FROM orders WHERE token IS NULL LIMIT 1000);",
    silent: "The default is the same for all rows, or the table was created in the same run.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN added_at timestamptz NOT NULL DEFAULT now();",
    },
    check: |context| {
        waiting(context, NAME, || {
            let (table, column) = added(context)?;
            let default = column.default.as_ref()?;
            let (path, name) = (sql::path(table), sql::word(&column.name));
            Some(Safe::text(format!(
                "ALTER TABLE {path} ADD COLUMN {name} {};\n\
                 ALTER TABLE {path} ALTER COLUMN {name} SET DEFAULT {default};\n\
                 -- in a revision with transaction = off\n-- migrator: batch\n\
                 UPDATE {path} SET {name} = {default} WHERE id IN (SELECT id FROM {path} WHERE {name} IS NULL LIMIT 1000);",
                column.data_type,
            )))
        })
    },
    ..BLOCKS_POSTGRES
};

fn added<'a>(context: &Context<'a>) -> Option<(&'a Name, &'a Column)> {
    match sql::only_change(context)? {
        (table, TableChange::AddColumn { column, .. }) => Some((table, column)),
        _ => None,
    }
}

const GENERATED_NAME: &str = "add-serial-identity-or-stored-column";

pub(in crate::lint::rules) static GENERATED: Rule = Rule {
    name: GENERATED_NAME,
    code: "L111",
    summary: "a serial, identity or stored column rewrites the table while reads and writes wait",
    docs: "A new column that is serial, an identity column or GENERATED … STORED has a value for each \
        row: the table and its indexes are written anew under an ACCESS EXCLUSIVE lock, in all \
        versions. VIRTUAL columns (PostgreSQL 18) are computed when they are read, and rewrite \
        nothing.",
    safe: "ALTER TABLE orders ADD COLUMN number bigint;\n\
        CREATE SEQUENCE orders_number_seq OWNED BY orders.number;\n\
        ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_number_seq');\n\
        -- in a revision with transaction = off\n-- migrator: batch\n\
        UPDATE orders SET number = nextval('orders_number_seq') WHERE id IN (SELECT id FROM orders WHERE number IS NULL LIMIT 1000);",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN number bigserial;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders ADD COLUMN number bigint;",
    },
    check: check_generated,
    ..BLOCKS_POSTGRES
};

fn check_generated(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, GENERATED_NAME, || {
        let (table, column) = added(context)?;
        if column.generated.is_some() {
            return None;
        }
        let data_type = match column.data_type.as_str() {
            "serial" | "serial4" => "integer",
            "bigserial" | "serial8" => "bigint",
            "smallserial" | "serial2" => "smallint",
            other => other,
        };
        let sequence = format!("{}_{}_seq", table.name, column.name);
        let sequence = sql::path(&Name::new(table.schema.clone(), sequence));
        let (path, name) = (sql::path(table), sql::word(&column.name));
        Some(Safe::text(format!(
            "ALTER TABLE {path} ADD COLUMN {name} {data_type};\n\
             CREATE SEQUENCE {sequence} OWNED BY {path}.{name};\n\
             ALTER TABLE {path} ALTER COLUMN {name} SET DEFAULT nextval('{sequence}');\n\
             -- in a revision with transaction = off\n-- migrator: batch\n\
             UPDATE {path} SET {name} = nextval('{sequence}') WHERE ctid IN (SELECT ctid FROM {path} WHERE {name} IS NULL LIMIT 1000);"
        )))
    })
}
