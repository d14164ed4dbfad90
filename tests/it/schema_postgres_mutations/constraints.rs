use super::{Mutation, mutations};

pub const CONSTRAINTS: &[Mutation] = mutations! {
    "a primary key is added", start "ALTER TABLE base_too ALTER id SET NOT NULL", "ALTER TABLE base_too ADD PRIMARY KEY (id)"
        => "add primary key shop.base_too.base_too_pkey";
    "a primary key is dropped", "ALTER TABLE orders DROP CONSTRAINT orders_pkey" => "drop primary key shop.orders.orders_pkey";
    "a unique constraint is added", "ALTER TABLE orders ADD CONSTRAINT orders_code_key UNIQUE (code)"
        => "add unique constraint shop.orders.orders_code_key";
    "a unique constraint is renamed", "ALTER TABLE customers RENAME CONSTRAINT customers_name_key TO one_name"
        => "drop unique constraint shop.customers.customers_name_key", "add unique constraint shop.customers.one_name";
    "a key's columns", "ALTER TABLE customers DROP CONSTRAINT customers_name_key; \
        ALTER TABLE customers ADD CONSTRAINT customers_name_key UNIQUE (name, kind)"
        => "unique constraint shop.customers.customers_name_key: columns";
    "the order of a key's columns", start "ALTER TABLE customers ADD CONSTRAINT two UNIQUE (name, kind)",
        "ALTER TABLE customers DROP CONSTRAINT two; ALTER TABLE customers ADD CONSTRAINT two UNIQUE (kind, name)"
        => "unique constraint shop.customers.two: columns";
    "a key's further columns", "ALTER TABLE customers DROP CONSTRAINT customers_name_key; \
        ALTER TABLE customers ADD CONSTRAINT customers_name_key UNIQUE (name) INCLUDE (kind)"
        => "unique constraint shop.customers.customers_name_key: include";
    "NULLS NOT DISTINCT", from 15, "ALTER TABLE customers DROP CONSTRAINT customers_name_key; \
        ALTER TABLE customers ADD CONSTRAINT customers_name_key UNIQUE NULLS NOT DISTINCT (name)"
        => "unique constraint shop.customers.customers_name_key: nulls_not_distinct";
    "WITHOUT OVERLAPS", from 18, start "CREATE TABLE stays (room int4range, during daterange, CONSTRAINT one UNIQUE (room, during))",
        "ALTER TABLE stays DROP CONSTRAINT one; ALTER TABLE stays ADD CONSTRAINT one UNIQUE (room, during WITHOUT OVERLAPS)"
        => "unique constraint shop.stays.one: without_overlaps";
    "a deferrable key", "ALTER TABLE customers DROP CONSTRAINT customers_name_key; \
        ALTER TABLE customers ADD CONSTRAINT customers_name_key UNIQUE (name) DEFERRABLE"
        => "unique constraint shop.customers.customers_name_key: deferrable";
    "a deferred key", start "ALTER TABLE base_too ADD CONSTRAINT one UNIQUE (id) DEFERRABLE",
        "ALTER TABLE base_too DROP CONSTRAINT one; ALTER TABLE base_too ADD CONSTRAINT one UNIQUE (id) DEFERRABLE INITIALLY DEFERRED"
        => "unique constraint shop.base_too.one: deferrable";
    "a storage parameter of a key", "ALTER INDEX customers_name_key SET (fillfactor = 60)"
        => "unique constraint shop.customers.customers_name_key: options";
    "a key's tablespace", "ALTER INDEX customers_name_key SET TABLESPACE migrator_test_space"
        => "unique constraint shop.customers.customers_name_key: tablespace";
    "CLUSTER on a key", "ALTER TABLE customers CLUSTER ON customers_name_key"
        => "unique constraint shop.customers.customers_name_key: is_clustered";
    "a key is attached", start "ALTER TABLE events ALTER id SET NOT NULL; \
        ALTER TABLE ONLY events ADD CONSTRAINT events_key UNIQUE (id, at); \
        CREATE TABLE events_2028 PARTITION OF events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01'); \
        ALTER TABLE events_2026 ADD CONSTRAINT events_2026_key UNIQUE (id, at)",
        "ALTER INDEX events_key ATTACH PARTITION events_2026_key"
        => "unique constraint shop.events_2026.events_2026_key: parent",
        "unique constraint shop.events_2026.events_2026_key: is_inherited",
        "unique constraint shop.events.events_key: is_invalid";
    "a key's comment", "COMMENT ON CONSTRAINT customers_name_key ON customers IS 'One'"
        => "unique constraint shop.customers.customers_name_key: comment";
    "a comment on a key's index", "COMMENT ON INDEX customers_name_key IS 'One'"
        => "unique constraint shop.customers.customers_name_key: index_comment";
    "a primary key becomes a unique constraint", "ALTER TABLE orders DROP CONSTRAINT orders_pkey; \
        ALTER TABLE orders ADD CONSTRAINT orders_pkey UNIQUE (id)"
        => "drop primary key shop.orders.orders_pkey", "add unique constraint shop.orders.orders_pkey";

    "a foreign key is added", "ALTER TABLE base_too ADD CONSTRAINT base_fkey FOREIGN KEY (id) REFERENCES customers"
        => "add foreign key shop.base_too.base_fkey";
    "a foreign key is dropped", "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey"
        => "drop foreign key shop.orders.orders_customer_fkey";
    "a foreign key's columns", "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; \
        ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (amount) REFERENCES customers (id)"
        => "foreign key shop.orders.orders_customer_fkey: columns";
    "a foreign key's table", start "CREATE TABLE people (id integer PRIMARY KEY)",
        "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; \
        ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES people (id)"
        => "foreign key shop.orders.orders_customer_fkey: references";
    "a foreign key's referenced columns", start "CREATE TABLE people (id integer PRIMARY KEY, number integer UNIQUE); \
        ALTER TABLE base ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES people (id)",
        "ALTER TABLE base DROP CONSTRAINT fkey; ALTER TABLE base ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES people (number)"
        => "foreign key shop.base.fkey: referenced_columns";
    "MATCH FULL", "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; \
        ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) MATCH FULL"
        => "foreign key shop.orders.orders_customer_fkey: match_full";
    "ON DELETE CASCADE", "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; \
        ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE"
        => "foreign key shop.orders.orders_customer_fkey: on_delete";
    "ON DELETE RESTRICT", "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; \
        ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE RESTRICT"
        => "foreign key shop.orders.orders_customer_fkey: on_delete";
    "ON DELETE SET DEFAULT", start "ALTER TABLE base_too ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES customers ON DELETE SET NULL",
        "ALTER TABLE base_too DROP CONSTRAINT fkey; \
        ALTER TABLE base_too ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES customers ON DELETE SET DEFAULT"
        => "foreign key shop.base_too.fkey: on_delete";
    "ON DELETE SET NULL of some columns", from 15, start "CREATE TABLE pairs (a integer, b integer, PRIMARY KEY (a, b)); \
        CREATE TABLE users_of (a integer, b integer, CONSTRAINT fkey FOREIGN KEY (a, b) REFERENCES pairs ON DELETE SET NULL)",
        "ALTER TABLE users_of DROP CONSTRAINT fkey; \
        ALTER TABLE users_of ADD CONSTRAINT fkey FOREIGN KEY (a, b) REFERENCES pairs ON DELETE SET NULL (b)"
        => "foreign key shop.users_of.fkey: on_delete_columns";
    "ON UPDATE CASCADE", "ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; \
        ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers (id) ON UPDATE CASCADE"
        => "foreign key shop.orders.orders_customer_fkey: on_update";
    "ON UPDATE SET NULL", start "ALTER TABLE base_too ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES customers ON UPDATE CASCADE",
        "ALTER TABLE base_too DROP CONSTRAINT fkey; \
        ALTER TABLE base_too ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES customers ON UPDATE SET NULL"
        => "foreign key shop.base_too.fkey: on_update";
    "a deferrable foreign key", "ALTER TABLE orders ALTER CONSTRAINT orders_customer_fkey DEFERRABLE"
        => "foreign key shop.orders.orders_customer_fkey: deferrable";
    "a deferred foreign key", start "ALTER TABLE orders ALTER CONSTRAINT orders_customer_fkey DEFERRABLE",
        "ALTER TABLE orders ALTER CONSTRAINT orders_customer_fkey DEFERRABLE INITIALLY DEFERRED"
        => "foreign key shop.orders.orders_customer_fkey: deferrable";
    "a foreign key that is not validated", start "ALTER TABLE base_too ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES customers NOT VALID",
        "ALTER TABLE base_too VALIDATE CONSTRAINT fkey" => "foreign key shop.base_too.fkey: not_valid";
    "a foreign key that is not enforced", from 18, "ALTER TABLE orders ALTER CONSTRAINT orders_customer_fkey NOT ENFORCED"
        => "foreign key shop.orders.orders_customer_fkey: not_enforced";
    "a foreign key with a period", from 18, start "CREATE TABLE rooms (id int4range, valid daterange, CONSTRAINT valid_key UNIQUE (id, valid)); \
        CREATE TABLE stays (room int4range, during daterange, CONSTRAINT fkey FOREIGN KEY (room, during) REFERENCES rooms (id, valid))",
        "ALTER TABLE stays DROP CONSTRAINT fkey; ALTER TABLE rooms DROP CONSTRAINT valid_key; \
        ALTER TABLE rooms ADD CONSTRAINT valid_key UNIQUE (id, valid WITHOUT OVERLAPS); \
        ALTER TABLE stays ADD CONSTRAINT fkey FOREIGN KEY (room, PERIOD during) REFERENCES rooms (id, PERIOD valid)"
        => "foreign key shop.stays.fkey: period", "unique constraint shop.rooms.valid_key: without_overlaps";
    "a foreign key's comment", "COMMENT ON CONSTRAINT orders_customer_fkey ON orders IS 'Whose'"
        => "foreign key shop.orders.orders_customer_fkey: comment";
    "a comment on a partition's share of a foreign key", unseen, start "ALTER TABLE events ADD who integer; \
        ALTER TABLE events ADD CONSTRAINT who_fkey FOREIGN KEY (who) REFERENCES customers",
        "COMMENT ON CONSTRAINT who_fkey ON events_2026 IS 'Whose'" => "add foreign key shop.events_2026.who_fkey";
    "the name of a partition's share of a foreign key", unseen, start "ALTER TABLE events ADD who integer; \
        ALTER TABLE events ADD CONSTRAINT who_fkey FOREIGN KEY (who) REFERENCES customers",
        "ALTER TABLE events_2026 RENAME CONSTRAINT who_fkey TO whose" => "add foreign key shop.events_2026.whose";
    "a foreign key of a partitioned table", start "ALTER TABLE events ADD who integer",
        "ALTER TABLE events ADD CONSTRAINT who_fkey FOREIGN KEY (who) REFERENCES customers" => "add foreign key shop.events.who_fkey";
    "a foreign key that references a partitioned table", start "CREATE TABLE parted (a integer PRIMARY KEY) PARTITION BY LIST (a); \
        CREATE TABLE part PARTITION OF parted FOR VALUES IN (1)",
        "ALTER TABLE base_too ADD CONSTRAINT fkey FOREIGN KEY (id) REFERENCES parted" => "add foreign key shop.base_too.fkey";

    "a check constraint is added", "ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)"
        => "add check constraint shop.orders.positive";
    "a check constraint is dropped", "ALTER TABLE orders DROP CONSTRAINT orders_price_check"
        => "drop check constraint shop.orders.orders_price_check";
    "a check constraint's expression", "ALTER TABLE orders DROP CONSTRAINT orders_price_check; \
        ALTER TABLE orders ADD CONSTRAINT orders_price_check CHECK (price > 0)"
        => "check constraint shop.orders.orders_price_check: expression";
    "NO INHERIT", "ALTER TABLE orders DROP CONSTRAINT orders_price_check; \
        ALTER TABLE orders ADD CONSTRAINT orders_price_check CHECK (price >= 0) NO INHERIT"
        => "check constraint shop.orders.orders_price_check: no_inherit";
    "a check constraint that is not validated", "ALTER TABLE orders DROP CONSTRAINT orders_price_check; \
        ALTER TABLE orders ADD CONSTRAINT orders_price_check CHECK (price >= 0) NOT VALID"
        => "check constraint shop.orders.orders_price_check: not_valid";
    "a check constraint that is not enforced", from 18, "ALTER TABLE orders DROP CONSTRAINT orders_price_check; \
        ALTER TABLE orders ADD CONSTRAINT orders_price_check CHECK (price >= 0) NOT ENFORCED"
        => "check constraint shop.orders.orders_price_check: not_enforced";
    "a check constraint of a child itself", start "ALTER TABLE base ADD CONSTRAINT positive CHECK (id > 0)",
        "ALTER TABLE child ADD CONSTRAINT positive CHECK (id > 0)" => "check constraint shop.child.positive: is_inherited";
    "a check constraint's comment", "COMMENT ON CONSTRAINT orders_price_check ON orders IS 'No gifts'"
        => "check constraint shop.orders.orders_price_check: comment";
    "a domain's check constraint", "ALTER DOMAIN email DROP CONSTRAINT email_has_at; \
        ALTER DOMAIN email ADD CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%.%')"
        => "check constraint shop.email.email_has_at: expression";
    "a domain's check constraint is added", "ALTER DOMAIN plain ADD CONSTRAINT positive CHECK (VALUE > 0)"
        => "add check constraint shop.plain.positive";
    "a domain's check constraint that is not validated", "ALTER DOMAIN email DROP CONSTRAINT email_has_at; \
        ALTER DOMAIN email ADD CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%') NOT VALID"
        => "check constraint shop.email.email_has_at: not_valid";
    "a domain's check constraint is validated", start "ALTER DOMAIN plain ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID",
        "ALTER DOMAIN plain VALIDATE CONSTRAINT positive" => "check constraint shop.plain.positive: not_valid";
    "a comment on a domain's check constraint", "COMMENT ON CONSTRAINT email_has_at ON DOMAIN email IS 'Roughly'"
        => "check constraint shop.email.email_has_at: comment";

    "an exclusion constraint is dropped", "ALTER TABLE orders DROP CONSTRAINT orders_span_excl"
        => "drop exclusion constraint shop.orders.orders_span_excl";
    "an exclusion constraint's method", start "ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING btree (id WITH =)",
        "ALTER TABLE base_too DROP CONSTRAINT one; ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING hash (id WITH =)"
        => "exclusion constraint shop.base_too.one: method";
    "an exclusion constraint's keys", start "ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING btree (id WITH =)",
        "ALTER TABLE base_too DROP CONSTRAINT one; ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING btree (label WITH =)"
        => "exclusion constraint shop.base_too.one: keys";
    "an exclusion constraint's expression", start "ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING btree (lower(label) WITH =)",
        "ALTER TABLE base_too DROP CONSTRAINT one; ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING btree (upper(label) WITH =)"
        => "exclusion constraint shop.base_too.one: keys";
    "an exclusion constraint's operators", "ALTER TABLE orders DROP CONSTRAINT orders_span_excl; \
        ALTER TABLE orders ADD CONSTRAINT orders_span_excl EXCLUDE USING gist (span WITH =)"
        => "exclusion constraint shop.orders.orders_span_excl: operators";
    "an exclusion constraint's further columns", start "ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING btree (id WITH =)",
        "ALTER TABLE base_too DROP CONSTRAINT one; ALTER TABLE base_too ADD CONSTRAINT one EXCLUDE USING btree (id WITH =) INCLUDE (label)"
        => "exclusion constraint shop.base_too.one: include";
    "an exclusion constraint's condition", "ALTER TABLE orders DROP CONSTRAINT orders_span_excl; \
        ALTER TABLE orders ADD CONSTRAINT orders_span_excl EXCLUDE USING gist (span WITH &&) WHERE (amount > 0)"
        => "exclusion constraint shop.orders.orders_span_excl: condition";
    "a deferrable exclusion constraint", "ALTER TABLE orders DROP CONSTRAINT orders_span_excl; \
        ALTER TABLE orders ADD CONSTRAINT orders_span_excl EXCLUDE USING gist (span WITH &&) DEFERRABLE"
        => "exclusion constraint shop.orders.orders_span_excl: deferrable";
    "a storage parameter of an exclusion constraint", "ALTER INDEX orders_span_excl SET (fillfactor = 60)"
        => "exclusion constraint shop.orders.orders_span_excl: options";
    "an exclusion constraint's tablespace", "ALTER INDEX orders_span_excl SET TABLESPACE migrator_test_space"
        => "exclusion constraint shop.orders.orders_span_excl: tablespace";
    "CLUSTER on an exclusion constraint", "ALTER TABLE orders CLUSTER ON orders_span_excl"
        => "exclusion constraint shop.orders.orders_span_excl: is_clustered";
    "an exclusion constraint of a partitioned table", from 17, start "CREATE TABLE parted (a integer, b integer) PARTITION BY LIST (a); \
        CREATE TABLE part PARTITION OF parted FOR VALUES IN (1)",
        "ALTER TABLE parted ADD CONSTRAINT one EXCLUDE USING btree (a WITH =)"
        => "add exclusion constraint shop.parted.one", "add exclusion constraint shop.part.part_a_excl";
    "an exclusion constraint's comment", "COMMENT ON CONSTRAINT orders_span_excl ON orders IS 'No overlap'"
        => "exclusion constraint shop.orders.orders_span_excl: comment";
    "a comment on an exclusion constraint's index", "COMMENT ON INDEX orders_span_excl IS 'No overlap'"
        => "exclusion constraint shop.orders.orders_span_excl: index_comment";
};
