use super::{BLOCKS_POSTGRES, Context, Draft, Fix, ORDERS, Rule, Safe, sql, waiting};
use crate::{
    lint::{Act, Example, LockMode},
    schema::Kind,
};

const NAME: &str = "rewrite-table";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L115",
    summary: "a table is rewritten while reads and writes wait",
    docs: "CLUSTER, VACUUM FULL, SET LOGGED, SET UNLOGGED, SET TABLESPACE and SET ACCESS METHOD write \
        a table and its indexes anew under an ACCESS EXCLUSIVE lock, in all versions.",
    safe: "pg_repack does the work of CLUSTER and VACUUM FULL while reads and writes go on.",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders SET UNLOGGED;",
    },
    good: Example {
        before: ORDERS,
        sql: "ALTER TABLE orders SET (fillfactor = 70);",
    },
    check: check_rewrite,
    ..BLOCKS_POSTGRES
};

fn check_rewrite(context: &Context<'_>) -> Vec<Draft> {
    let mut drafts = waiting(context, NAME, || None);
    // Without a name, the statement is about tables that only the database knows.
    let is_of_all = context.acts().iter().any(|act| match act {
        Act::Cluster { table } => table.is_none(),
        Act::Vacuum { full, tables } => *full && tables.is_empty(),
        _ => false,
    });
    if is_of_all && drafts.is_empty() {
        drafts.push(Draft::new(
            "reads and writes of each table of the database wait while it is rewritten",
        ));
    }
    drafts
}

const REINDEX_NAME: &str = "reindex";

pub(in crate::lint::rules) static REINDEX: Rule = Rule {
    name: REINDEX_NAME,
    code: "L116",
    summary: "indexes are built anew while writes wait",
    docs: "REINDEX holds a SHARE lock on the table and an ACCESS EXCLUSIVE lock on the index while it \
        builds: writes wait, and so do reads that would use the index. Since PostgreSQL 12 there is \
        CONCURRENTLY.",
    safe: "-- migrator: transaction = off\nREINDEX TABLE CONCURRENTLY orders;",
    silent: "CONCURRENTLY is given, or the table was created in the same run.",
    bad: Example {
        before: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        sql: "REINDEX TABLE orders;",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint PRIMARY KEY);",
        sql: "REINDEX TABLE CONCURRENTLY orders;",
    },
    check: check_reindex,
    ..BLOCKS_POSTGRES
};

fn check_reindex(context: &Context<'_>) -> Vec<Draft> {
    let safe = || {
        let [Act::Reindex { kind, name, .. }] = context.acts() else {
            return None;
        };
        let what = match kind {
            Kind::Table => "TABLE",
            Kind::Index => "INDEX",
            _ => return None,
        };
        Some(Safe::fix(Fix {
            replace: vec![format!("REINDEX {what} CONCURRENTLY {}", sql::path(name))],
            transaction_off: true,
            ..Fix::default()
        }))
    };
    let mut drafts = waiting(context, REINDEX_NAME, safe);
    let is_of_all = context.acts().iter().any(|act| {
        let Act::Reindex {
            kind, concurrently, ..
        } = act
        else {
            return false;
        };
        *kind == Kind::Schema && !concurrently
    });
    if is_of_all && drafts.is_empty() {
        let mode = LockMode::Share;
        drafts.push(Draft::new(format!(
            "writes of each table wait under a {mode} lock while its indexes are built"
        )));
    }
    drafts
}
