use super::{Mutation, mutations};

pub const INDEXES: &[Mutation] = mutations! {
    "an index is added", "CREATE INDEX more ON orders (customer)" => "add index shop.orders.more";
    "an index is dropped", "DROP INDEX orders_code_idx" => "drop index shop.orders.orders_code_idx";
    "an index is renamed", "ALTER INDEX orders_code_idx RENAME TO by_code"
        => "drop index shop.orders.orders_code_idx", "add index shop.orders.by_code";
    "an index's method", "DROP INDEX orders_state_idx; CREATE INDEX orders_state_idx ON orders USING hash (state)"
        => "index shop.orders.orders_state_idx: method";
    "a unique index", "DROP INDEX orders_state_idx; CREATE UNIQUE INDEX orders_state_idx ON orders (state)"
        => "index shop.orders.orders_state_idx: unique";
    "NULLS NOT DISTINCT of an index", from 15, start "CREATE UNIQUE INDEX one ON orders (code)",
        "DROP INDEX one; CREATE UNIQUE INDEX one ON orders (code) NULLS NOT DISTINCT"
        => "index shop.orders.one: nulls_not_distinct";
    "an index's column", "DROP INDEX orders_state_idx; CREATE INDEX orders_state_idx ON orders (customer)"
        => "index shop.orders.orders_state_idx: keys";
    "a further key of an index", "DROP INDEX orders_state_idx; CREATE INDEX orders_state_idx ON orders (state, customer)"
        => "index shop.orders.orders_state_idx: keys";
    "the order of keys", "DROP INDEX orders_code_idx; CREATE INDEX orders_code_idx ON orders (amount, code)"
        => "index shop.orders.orders_code_idx: keys";
    "an index's expression", "DROP INDEX orders_lower_idx; CREATE INDEX orders_lower_idx ON orders (upper(code))"
        => "index shop.orders.orders_lower_idx: keys";
    "an expression with an operator", "DROP INDEX orders_lower_idx; CREATE INDEX orders_lower_idx ON orders ((code || 'x'))"
        => "index shop.orders.orders_lower_idx: keys";
    "two expressions in another order", start "CREATE INDEX two ON orders (lower(code), amount, upper(code))",
        "DROP INDEX two; CREATE INDEX two ON orders (upper(code), amount, lower(code))"
        => "index shop.orders.two: keys";
    "a key's collation", "DROP INDEX orders_code_idx; CREATE INDEX orders_code_idx ON orders (code COLLATE \"C\", amount)"
        => "index shop.orders.orders_code_idx: keys";
    "an expression's collation", "DROP INDEX orders_lower_idx; CREATE INDEX orders_lower_idx ON orders (lower(code) COLLATE \"C\")"
        => "index shop.orders.orders_lower_idx: keys";
    "a key's operator class", "DROP INDEX orders_code_idx; CREATE INDEX orders_code_idx ON orders (code text_pattern_ops, amount)"
        => "index shop.orders.orders_code_idx: keys";
    "an expression's operator class", "DROP INDEX orders_lower_idx; CREATE INDEX orders_lower_idx ON orders (lower(code) text_pattern_ops)"
        => "index shop.orders.orders_lower_idx: keys";
    "a gin index's operator class", "DROP INDEX orders_data_idx; CREATE INDEX orders_data_idx ON orders USING gin (data jsonb_path_ops)"
        => "index shop.orders.orders_data_idx: keys";
    "another name of an operator class", start "CREATE TABLE networks (a cidr); CREATE INDEX by_a ON networks USING btree (a)",
        "DROP INDEX by_a; CREATE INDEX by_a ON networks USING btree (a cidr_ops)" => "index shop.networks.by_a: keys";
    "an operator class's options", from 13, start "ALTER TABLE base_too ADD v tsvector; CREATE INDEX by_v ON base_too USING gist (v)",
        "DROP INDEX by_v; CREATE INDEX by_v ON base_too USING gist (v tsvector_ops (siglen = 100))"
        => "index shop.base_too.by_v: keys";
    "another option of an operator class", from 13, start "ALTER TABLE base_too ADD v tsvector; \
        CREATE INDEX by_v ON base_too USING gist (v tsvector_ops (siglen = 100))",
        "DROP INDEX by_v; CREATE INDEX by_v ON base_too USING gist (v tsvector_ops (siglen = 200))"
        => "index shop.base_too.by_v: keys";
    "a descending key", "DROP INDEX orders_code_idx; CREATE INDEX orders_code_idx ON orders (code, amount DESC)"
        => "index shop.orders.orders_code_idx: keys";
    "NULLS FIRST", "DROP INDEX orders_code_idx; CREATE INDEX orders_code_idx ON orders (code, amount NULLS FIRST)"
        => "index shop.orders.orders_code_idx: keys";
    "DESC NULLS LAST", start "CREATE INDEX down ON orders (code DESC)",
        "DROP INDEX down; CREATE INDEX down ON orders (code DESC NULLS LAST)" => "index shop.orders.down: keys";
    "an expression's statistics target", "ALTER INDEX orders_lower_idx ALTER COLUMN 1 SET STATISTICS 100"
        => "index shop.orders.orders_lower_idx: keys";
    "an index's further columns", "DROP INDEX orders_state_idx; CREATE INDEX orders_state_idx ON orders (state) INCLUDE (code)"
        => "index shop.orders.orders_state_idx: include";
    "an index's condition", "DROP INDEX orders_state_idx; CREATE INDEX orders_state_idx ON orders (state) WHERE amount > 0"
        => "index shop.orders.orders_state_idx: condition";
    "another condition", start "CREATE INDEX few ON orders (state) WHERE amount > 0",
        "DROP INDEX few; CREATE INDEX few ON orders (state) WHERE amount > 1" => "index shop.orders.few: condition";
    "a storage parameter of an index", "ALTER INDEX orders_state_idx SET (fillfactor = 60)" => "index shop.orders.orders_state_idx: options";
    "a gin index's parameter", "ALTER INDEX orders_data_idx SET (fastupdate = off)" => "index shop.orders.orders_data_idx: options";
    "an index's tablespace", "ALTER INDEX orders_state_idx SET TABLESPACE migrator_test_space" => "index shop.orders.orders_state_idx: tablespace";
    "CLUSTER on an index", "ALTER TABLE orders CLUSTER ON orders_state_idx" => "index shop.orders.orders_state_idx: is_clustered";
    "an index is attached", start "CREATE INDEX events_id_idx ON ONLY events (id); \
        CREATE INDEX events_2026_id_idx ON events_2026 (id)",
        "ALTER INDEX events_id_idx ATTACH PARTITION events_2026_id_idx"
        => "index shop.events_2026.events_2026_id_idx: parent", "index shop.events.events_id_idx: is_invalid";
    "an index of a partitioned table", start "CREATE TABLE parted (a integer) PARTITION BY LIST (a)",
        "CREATE INDEX by_a ON parted (a)" => "add index shop.parted.by_a";
    "an index that is not valid", "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.orders_state_idx'::regclass"
        => "index shop.orders.orders_state_idx: is_invalid";
    "an index's comment", "COMMENT ON INDEX orders_state_idx IS 'By state'" => "index shop.orders.orders_state_idx: comment";
    "an index of a materialized view", "CREATE INDEX totals_total_idx ON totals (total)" => "add index shop.totals.totals_total_idx";
    "a constraint becomes an index", "ALTER TABLE customers DROP CONSTRAINT customers_name_key; \
        CREATE UNIQUE INDEX customers_name_key ON customers (name)"
        => "drop unique constraint shop.customers.customers_name_key", "add index shop.customers.customers_name_key";

    "statistics are added", "CREATE STATISTICS more ON code, amount FROM orders" => "add statistics shop.more";
    "statistics are dropped", "DROP STATISTICS orders_stats" => "drop statistics shop.orders_stats";
    "the table of statistics", start "CREATE TABLE alike (state status, amount integer)",
        "DROP STATISTICS orders_stats; CREATE STATISTICS orders_stats (ndistinct, dependencies) ON state, amount FROM alike"
        => "statistics shop.orders_stats: table";
    "the kinds of statistics", "DROP STATISTICS orders_stats; CREATE STATISTICS orders_stats (ndistinct, mcv) ON state, amount FROM orders"
        => "statistics shop.orders_stats: kinds";
    "the columns of statistics", "DROP STATISTICS orders_stats; CREATE STATISTICS orders_stats (ndistinct, dependencies) ON state, code FROM orders"
        => "statistics shop.orders_stats: columns";
    "an expression in statistics", from 14, "DROP STATISTICS orders_stats; \
        CREATE STATISTICS orders_stats (ndistinct, dependencies) ON state, lower(code) FROM orders"
        => "statistics shop.orders_stats: columns";
    "statistics of an expression alone", from 14, start "CREATE STATISTICS alone ON lower(code) FROM orders",
        "DROP STATISTICS alone; CREATE STATISTICS alone ON upper(code) FROM orders" => "statistics shop.alone: columns";
    "the target of statistics", from 13, "ALTER STATISTICS orders_stats SET STATISTICS 200" => "statistics shop.orders_stats: target";
    "the owner of statistics", "ALTER STATISTICS orders_stats OWNER TO migrator_test_a" => "statistics shop.orders_stats: owner";
    "a comment on statistics", "COMMENT ON STATISTICS orders_stats IS 'Both'" => "statistics shop.orders_stats: comment";
};
