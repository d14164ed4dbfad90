use super::{BLOCKS_POSTGRES, Context, Draft, Fix, ORDERS, Rule, Safe, sql, waiting};
use crate::{
    lint::{Act, CreateIndex, Example},
    schema::Name,
};

const NAME: &str = "create-index-non-concurrent";

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: NAME,
    code: "L101",
    summary: "an index is built while writes wait",
    docs: "CREATE INDEX holds a SHARE lock on the table until the index is built, in all versions: \
        INSERT, UPDATE and DELETE wait, and so does everything that queues behind them. \
        CONCURRENTLY builds it in two passes over the table while writes go on. A partitioned table \
        refuses CONCURRENTLY: create the index ON ONLY the parent, build one on each partition \
        CONCURRENTLY, and attach them with ALTER INDEX … ATTACH PARTITION.",
    safe: "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY orders_customer ON orders (customer);",
    silent: "The table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "CREATE INDEX orders_customer ON orders (customer);",
    },
    good: Example {
        before: "",
        sql: "CREATE TABLE orders (id bigint, customer bigint);\nCREATE INDEX orders_customer ON orders (customer);",
    },
    check,
    ..BLOCKS_POSTGRES
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    waiting(context, NAME, || {
        let [Act::CreateIndex(index)] = context.acts() else {
            return None;
        };
        let relations = context.effects().works.iter().map(|it| &it.relation);
        // Work on other tables is that on partitions.
        let is_partitioned = relations
            .filter(|it| !context.is_same(it, &index.table))
            .count()
            > 0;
        match is_partitioned {
            true => Some(Safe::text(on_partitions(index))),
            false => concurrently(context, index),
        }
    })
}

fn concurrently(context: &Context<'_>, index: &CreateIndex) -> Option<Safe> {
    let statement = &context.statement().sql;
    let (before, after) = statement.split_at_checked(index.insert_at)?;
    let name = index.name.as_ref().map(|name| Name {
        schema: index.table.schema.clone(),
        name: name.clone(),
    });
    let drop = name.map(|name| format!("DROP INDEX CONCURRENTLY {}", sql::path(&name)));
    Some(Safe::fix(Fix {
        replace: vec![format!("{before} CONCURRENTLY{after}")],
        transaction_off: true,
        down: drop.into_iter().collect(),
        ..Fix::default()
    }))
}

fn on_partitions(index: &CreateIndex) -> String {
    let table = sql::path(&index.table);
    let name = index.name.as_deref().unwrap_or("index_name");
    let name = sql::word(name);
    format!(
        "-- migrator: transaction = off\nCREATE INDEX {name} ON ONLY {table} (…);\n\
         -- for each partition\nCREATE INDEX CONCURRENTLY {name}_1 ON partition_1 (…);\n\
         ALTER INDEX {name} ATTACH PARTITION {name}_1;"
    )
}
