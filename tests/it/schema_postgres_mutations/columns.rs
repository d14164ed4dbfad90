use super::{Mutation, mutations};

pub const COLUMNS: &[Mutation] = mutations! {
    "a column is added", "ALTER TABLE orders ADD extra text" => "add column shop.orders.extra";
    "a column is dropped", "ALTER TABLE customers DROP note" => "drop column shop.customers.note";
    "a column is renamed", "ALTER TABLE customers RENAME note TO remark"
        => "drop column shop.customers.note", "add column shop.customers.remark";
    "a column's type", "ALTER TABLE base_too ALTER label TYPE integer USING 1" => "column shop.base_too.label: data_type";
    "a type's length", "ALTER TABLE customers ALTER kind TYPE character varying(30)" => "column shop.customers.kind: data_type";
    "a type without length", "ALTER TABLE customers ALTER kind TYPE character varying" => "column shop.customers.kind: data_type";
    "text for varchar", "ALTER TABLE customers ALTER kind TYPE text" => "column shop.customers.kind: data_type";
    "a column with a precision", "ALTER TABLE base_too ADD n numeric(10,2)"
        => "add column shop.base_too.n";
    "a type's scale", start "ALTER TABLE base_too ADD n numeric(10,2)", "ALTER TABLE base_too ALTER n TYPE numeric(10,3)"
        => "column shop.base_too.n: data_type";
    "an array type", "ALTER TABLE base_too ALTER label TYPE text[] USING NULL" => "column shop.base_too.label: data_type";
    "a domain as type", "ALTER TABLE base_too ALTER id TYPE plain" => "column shop.base_too.id: data_type";
    "a time zone", "ALTER TABLE orders ALTER created TYPE timestamp without time zone" => "column shop.orders.created: data_type";
    "an interval's fields", start "ALTER TABLE base_too ADD i interval", "ALTER TABLE base_too ALTER i TYPE interval day to second(3)"
        => "column shop.base_too.i: data_type";
    "a type of another schema", start "CREATE TYPE other.status AS ENUM ('new')",
        "ALTER TABLE base_too ADD s other.status" => "add column shop.base_too.s";
    "a type of the same name in another schema", start "CREATE TYPE other.status AS ENUM ('new'); ALTER TABLE base_too ADD s status",
        "ALTER TABLE base_too ALTER s TYPE other.status USING NULL" => "column shop.base_too.s: data_type";
    "a column's collation", "ALTER TABLE customers ALTER note TYPE text COLLATE \"C\"" => "column shop.customers.note: collation";
    "a collation of its own", start "CREATE COLLATION own_c (provider = libc, locale = 'C')",
        "ALTER TABLE customers ALTER note TYPE text COLLATE own_c" => "column shop.customers.note: collation";
    "no collation", start "ALTER TABLE customers ALTER note TYPE text COLLATE \"C\"",
        "ALTER TABLE customers ALTER note TYPE text" => "column shop.customers.note: collation";
    "a default", "ALTER TABLE orders ALTER amount SET DEFAULT 1" => "column shop.orders.amount: default";
    "another default", "ALTER TABLE orders ALTER price SET DEFAULT 1" => "column shop.orders.price: default";
    "no default", "ALTER TABLE orders ALTER price DROP DEFAULT" => "column shop.orders.price: default";
    "a default of a function", "ALTER TABLE orders ALTER created SET DEFAULT clock_timestamp()" => "column shop.orders.created: default";
    "a default's case", start "ALTER TABLE customers ALTER note SET DEFAULT 'a'", "ALTER TABLE customers ALTER note SET DEFAULT 'A'"
        => "column shop.customers.note: default";
    "no generated column", from 13, "ALTER TABLE orders ALTER cost DROP EXPRESSION" => "column shop.orders.cost: generated";
    "a generated column's expression", from 17, "ALTER TABLE orders ALTER cost SET EXPRESSION AS (price * 3)"
        => "column shop.orders.cost: generated";
    "a generated column", start "CREATE TABLE made (a integer, b integer)",
        "DROP TABLE made; CREATE TABLE made (a integer, b integer GENERATED ALWAYS AS (a + 1) STORED)"
        => "column shop.made.b: generated";
    "another expression", start "CREATE TABLE made (a integer, b integer GENERATED ALWAYS AS (a + 1) STORED)",
        "DROP TABLE made; CREATE TABLE made (a integer, b integer GENERATED ALWAYS AS (a + 2) STORED)"
        => "column shop.made.b: generated";
    "a virtual generated column", from 18, start "CREATE TABLE made (a integer, b integer GENERATED ALWAYS AS (a + 1) STORED)",
        "DROP TABLE made; CREATE TABLE made (a integer, b integer GENERATED ALWAYS AS (a + 1) VIRTUAL)"
        => "column shop.made.b: generated";
    "an identity column", start "ALTER TABLE base_too ALTER id SET NOT NULL",
        "ALTER TABLE base_too ALTER id ADD GENERATED ALWAYS AS IDENTITY" => "column shop.base_too.id: identity";
    "no identity column", "ALTER TABLE customers ALTER id DROP IDENTITY" => "column shop.customers.id: identity";
    "GENERATED ALWAYS", "ALTER TABLE customers ALTER id SET GENERATED ALWAYS" => "column shop.customers.id: identity";
    "an identity's start", "ALTER TABLE customers ALTER id SET START 5" => "column shop.customers.id: identity";
    "an identity's increment", "ALTER TABLE customers ALTER id SET INCREMENT 5" => "column shop.customers.id: identity";
    "an identity's lowest value", "ALTER TABLE customers ALTER id SET MINVALUE 0" => "column shop.customers.id: identity";
    "an identity's highest value", "ALTER TABLE customers ALTER id SET MAXVALUE 1000" => "column shop.customers.id: identity";
    "an identity's cache", "ALTER TABLE customers ALTER id SET CACHE 20" => "column shop.customers.id: identity";
    "an identity that cycles", "ALTER TABLE customers ALTER id SET CYCLE" => "column shop.customers.id: identity";
    "an identity's sequence", "ALTER SEQUENCE customers_id_seq RENAME TO customers_numbers" => "column shop.customers.id: identity";
    "an identity's sequence without log", from 15, "ALTER SEQUENCE customers_id_seq SET UNLOGGED" => "column shop.customers.id: identity";
    "privileges on an identity's sequence", "GRANT USAGE ON SEQUENCE customers_id_seq TO migrator_test_a"
        => "column shop.customers.id: identity";
    "a comment on an identity's sequence", "COMMENT ON SEQUENCE customers_id_seq IS 'Numbers'" => "column shop.customers.id: identity";
    "NOT NULL", "ALTER TABLE orders ALTER amount SET NOT NULL" => "column shop.orders.amount: not_null";
    "no NOT NULL", "ALTER TABLE customers ALTER name DROP NOT NULL" => "column shop.customers.name: not_null";
    "the name of NOT NULL", from 18, "ALTER TABLE customers RENAME CONSTRAINT customers_name_not_null TO must_have_name"
        => "column shop.customers.name: not_null";
    "NOT NULL that children do not inherit", from 18, start "ALTER TABLE base ADD CONSTRAINT base_id_not_null NOT NULL id NO INHERIT",
        "ALTER TABLE base DROP CONSTRAINT base_id_not_null" => "column shop.base.id: not_null";
    "NOT NULL gets NO INHERIT", from 18, start "ALTER TABLE base_too ALTER id SET NOT NULL",
        "ALTER TABLE base_too ALTER CONSTRAINT base_too_id_not_null NO INHERIT" => "column shop.base_too.id: not_null";
    "NOT NULL that is not validated", from 18, start "ALTER TABLE base_too ADD CONSTRAINT base_too_id_not_null NOT NULL id NOT VALID",
        "ALTER TABLE base_too VALIDATE CONSTRAINT base_too_id_not_null" => "column shop.base_too.id: not_null";
    "NOT NULL of a child itself", from 18, start "ALTER TABLE base ALTER id SET NOT NULL",
        "ALTER TABLE child ALTER id SET NOT NULL" => "column shop.child.id: not_null";
    "a comment on NOT NULL", from 18, "COMMENT ON CONSTRAINT customers_name_not_null ON customers IS 'Needed'"
        => "column shop.customers.name: not_null";
    "a column's storage", "ALTER TABLE customers ALTER note SET STORAGE EXTERNAL" => "column shop.customers.note: storage";
    "the storage MAIN", "ALTER TABLE customers ALTER note SET STORAGE MAIN" => "column shop.customers.note: storage";
    "the storage PLAIN", "ALTER TABLE customers ALTER note SET STORAGE PLAIN" => "column shop.customers.note: storage";
    "a column's compression", from 14, "ALTER TABLE customers ALTER note SET COMPRESSION pglz" => "column shop.customers.note: compression";
    "the default compression", from 14, start "ALTER TABLE customers ALTER note SET COMPRESSION pglz",
        "ALTER TABLE customers ALTER note SET COMPRESSION default" => "column shop.customers.note: compression";
    "a column's statistics target", "ALTER TABLE customers ALTER note SET STATISTICS 500" => "column shop.customers.note: statistics";
    "no statistics", "ALTER TABLE customers ALTER note SET STATISTICS 0" => "column shop.customers.note: statistics";
    "a column's options", "ALTER TABLE customers ALTER note SET (n_distinct = 10)" => "column shop.customers.note: options";
    "the options of a foreign table's column", "ALTER FOREIGN TABLE far_rows ALTER id OPTIONS (SET name 'y')"
        => "column shop.far_rows.id: foreign_options";
    "more options of a foreign table's column", "ALTER FOREIGN TABLE far_rows ALTER label OPTIONS (ADD name 'y')"
        => "column shop.far_rows.label: foreign_options";
    "a column that only comes from the parent", start "CREATE TABLE heir () INHERITS (base_too)",
        "DROP TABLE heir; CREATE TABLE heir (label text) INHERITS (base_too)" => "column shop.heir.label: is_inherited";
    "a column's comment", "COMMENT ON COLUMN orders.price IS 'Gross'" => "column shop.orders.price: comment";
    "a first comment on a column", "COMMENT ON COLUMN orders.code IS 'Code'" => "column shop.orders.code: comment";
    "a column's privileges", "GRANT SELECT (code) ON orders TO migrator_test_a" => "column shop.orders.code: grants";
    "a column's privileges are revoked", "REVOKE UPDATE (price) ON orders FROM migrator_test_a" => "column shop.orders.price: grants";
    "a default of a view's column", "ALTER VIEW names ALTER name SET DEFAULT 'x'" => "add column shop.names.name";
    "another default of a view's column", start "ALTER VIEW names ALTER name SET DEFAULT 'x'",
        "ALTER VIEW names ALTER name SET DEFAULT 'y'" => "column shop.names.name: default";
    "a comment on a view's column", "COMMENT ON COLUMN names.name IS 'Name'" => "add column shop.names.name";
    "privileges on a view's column", "GRANT SELECT (name) ON names TO migrator_test_a" => "add column shop.names.name";
    "a statistics target of a materialized view's column", "ALTER MATERIALIZED VIEW totals ALTER total SET STATISTICS 5"
        => "add column shop.totals.total";
    "a storage of a materialized view's column", "ALTER MATERIALIZED VIEW totals ALTER total SET STORAGE PLAIN"
        => "add column shop.totals.total";
    "the default of a partition's column", "ALTER TABLE events_2026 ALTER body SET DEFAULT 'x'"
        => "column shop.events_2026.body: default";
};
