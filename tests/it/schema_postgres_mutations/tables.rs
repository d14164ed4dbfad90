use super::{Mutation, mutations};

pub const TABLES: &[Mutation] = mutations! {
    "a table is added", "CREATE TABLE more (id integer PRIMARY KEY)" => "add table shop.more";
    "a table is dropped", "DROP TABLE base_too" => "drop table shop.base_too";
    "a table is renamed", "ALTER TABLE base_too RENAME TO base_three"
        => "drop table shop.base_too", "add table shop.base_three";
    "a table moves to another schema", "ALTER TABLE base_too SET SCHEMA other"
        => "drop table shop.base_too", "add table other.base_too";
    "a table becomes unlogged", "ALTER TABLE base_too SET UNLOGGED" => "table shop.base_too: unlogged";
    "a table becomes logged", "ALTER TABLE scratch SET LOGGED" => "table shop.scratch: unlogged";
    "a table's access method", from 15, start "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler",
        "ALTER TABLE base_too SET ACCESS METHOD heap_too" => "table shop.base_too: access_method";
    "a partitioned table's access method", from 17, start "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler",
        "ALTER TABLE events SET ACCESS METHOD heap_too" => "table shop.events: access_method";
    "a table's tablespace", "ALTER TABLE base_too SET TABLESPACE migrator_test_space"
        => "table shop.base_too: tablespace";
    "a storage parameter", "ALTER TABLE base_too SET (fillfactor = 70)" => "table shop.base_too: options";
    "a storage parameter of the TOAST table", "ALTER TABLE base_too SET (toast.autovacuum_enabled = off)"
        => "table shop.base_too: options";
    "a storage parameter is reset", start "ALTER TABLE base_too SET (fillfactor = 70, autovacuum_enabled = off)",
        "ALTER TABLE base_too RESET (fillfactor)" => "table shop.base_too: options";
    "replica identity FULL", "ALTER TABLE orders REPLICA IDENTITY FULL" => "table shop.orders: replica_identity";
    "replica identity NOTHING", "ALTER TABLE orders REPLICA IDENTITY NOTHING" => "table shop.orders: replica_identity";
    "replica identity by an index", "ALTER TABLE customers REPLICA IDENTITY USING INDEX customers_name_key"
        => "table shop.customers: replica_identity";
    "replica identity by another index", start "ALTER TABLE customers ALTER kind SET NOT NULL; \
        CREATE UNIQUE INDEX customers_kind_idx ON customers (kind); \
        ALTER TABLE customers REPLICA IDENTITY USING INDEX customers_name_key",
        "ALTER TABLE customers REPLICA IDENTITY USING INDEX customers_kind_idx"
        => "table shop.customers: replica_identity";
    "row security on", "ALTER TABLE orders ENABLE ROW LEVEL SECURITY" => "table shop.orders: row_security";
    "row security off", "ALTER TABLE customers DISABLE ROW LEVEL SECURITY" => "table shop.customers: row_security";
    "row security for the owner", "ALTER TABLE customers FORCE ROW LEVEL SECURITY"
        => "table shop.customers: force_row_security";
    "another parent", "ALTER TABLE child NO INHERIT base; ALTER TABLE child INHERIT base_too"
        => "table shop.child: inherits";
    "a second parent", "ALTER TABLE child INHERIT base_too" => "table shop.child: inherits";
    "no parent", "ALTER TABLE child NO INHERIT base" => "table shop.child: inherits";
    "the order of parents", start "ALTER TABLE child INHERIT base_too",
        "ALTER TABLE child NO INHERIT base; ALTER TABLE child INHERIT base" => "table shop.child: inherits";
    "no longer a typed table", "ALTER TABLE typed NOT OF" => "table shop.typed: of_type";
    "a typed table", start "CREATE TABLE alike (street text, city character varying(40), zip text COLLATE \"C\")",
        "ALTER TABLE alike OF address" => "table shop.alike: of_type";
    "a partition key", start "CREATE TABLE parted (a integer, b integer) PARTITION BY RANGE (a)",
        "DROP TABLE parted; CREATE TABLE parted (a integer, b integer) PARTITION BY RANGE (b)"
        => "table shop.parted: partition_by";
    "a partition strategy", start "CREATE TABLE parted (a integer, b integer) PARTITION BY RANGE (a)",
        "DROP TABLE parted; CREATE TABLE parted (a integer, b integer) PARTITION BY HASH (a)"
        => "table shop.parted: partition_by";
    "a partition key's operator class", start "CREATE TABLE parted (a text) PARTITION BY RANGE (a)",
        "DROP TABLE parted; CREATE TABLE parted (a text) PARTITION BY RANGE (a text_pattern_ops)"
        => "table shop.parted: partition_by";
    "an expression as partition key", start "CREATE TABLE parted (a integer) PARTITION BY LIST (a)",
        "DROP TABLE parted; CREATE TABLE parted (a integer) PARTITION BY LIST ((a % 3))"
        => "table shop.parted: partition_by";
    "a partitioned table becomes an ordinary one", start "CREATE TABLE parted (a integer) PARTITION BY LIST (a)",
        "DROP TABLE parted; CREATE TABLE parted (a integer)" => "table shop.parted: partition_by";
    "a partition's bound", "ALTER TABLE events DETACH PARTITION events_2026; DROP INDEX events_2026_at_idx; \
        ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2028-01-01')"
        => "table shop.events_2026: partition_of";
    "a default partition", "ALTER TABLE events DETACH PARTITION events_2026; DROP INDEX events_2026_at_idx; \
        ALTER TABLE events ATTACH PARTITION events_2026 DEFAULT"
        => "table shop.events_2026: partition_of";
    "a partition of another table", start "CREATE TABLE one (a integer) PARTITION BY LIST (a); \
        CREATE TABLE two (a integer) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF one FOR VALUES IN (1)",
        "ALTER TABLE one DETACH PARTITION part; ALTER TABLE two ATTACH PARTITION part FOR VALUES IN (1)"
        => "table shop.part: partition_of";
    "a partition is detached", start "CREATE TABLE one (a integer) PARTITION BY LIST (a); \
        CREATE TABLE part PARTITION OF one FOR VALUES IN (1)",
        "ALTER TABLE one DETACH PARTITION part"
        => "table shop.part: partition_of", "column shop.part.a: is_inherited";
    "a partition is added", "CREATE TABLE events_2028 PARTITION OF events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')"
        => "add table shop.events_2028";
    "a foreign table's server", start "CREATE SERVER near FOREIGN DATA WRAPPER remote",
        "DROP FOREIGN TABLE far_rows; CREATE FOREIGN TABLE far_rows (id integer OPTIONS (name 'x'), label text) \
        SERVER near OPTIONS (table_name 't')" => "table shop.far_rows: foreign";
    "a foreign table's options", "ALTER FOREIGN TABLE far_rows OPTIONS (SET table_name 'u')"
        => "table shop.far_rows: foreign";
    "a secret option of a foreign table", "ALTER FOREIGN TABLE far_rows OPTIONS (ADD password 'u')"
        => "table shop.far_rows: foreign";
    "a foreign table becomes an ordinary one", "DROP FOREIGN TABLE far_rows; CREATE TABLE far_rows (id integer, label text)"
        => "table shop.far_rows: foreign", "column shop.far_rows.id: foreign_options";
    "a table's owner", "ALTER TABLE base OWNER TO migrator_test_a" => "table shop.base: owner";
    "a table's owner with grants", "ALTER TABLE orders OWNER TO migrator_test_b"
        => "table shop.orders: owner", "sequence shop.orders_id_seq: owner";
    "a privilege on a table", "GRANT INSERT ON orders TO migrator_test_a" => "table shop.orders: grants";
    "a privilege with grant option", "GRANT SELECT ON orders TO migrator_test_a WITH GRANT OPTION"
        => "table shop.orders: grants";
    "a privilege for PUBLIC", "GRANT SELECT ON orders TO PUBLIC" => "table shop.orders: grants";
    "a privilege is revoked", "REVOKE SELECT ON orders FROM migrator_test_a" => "table shop.orders: grants";
    "a privilege that another role granted", start "GRANT USAGE ON SCHEMA shop TO migrator_test_a; GRANT SELECT ON base TO migrator_test_a WITH GRANT OPTION",
        "SET ROLE migrator_test_a; GRANT SELECT ON shop.base TO migrator_test_b" => "table shop.base: grants";
    "the owner's own privilege", "REVOKE DELETE ON base FROM CURRENT_USER" => "table shop.base: grants";
    "all privileges of the owner", "REVOKE ALL ON base FROM CURRENT_USER" => "table shop.base: grants";
    "all privileges of an owner beside another", "REVOKE ALL ON orders FROM CURRENT_USER" => "table shop.orders: grants";
    "the privilege to maintain a table", from 17, "GRANT MAINTAIN ON orders TO migrator_test_a"
        => "table shop.orders: grants";
    "a table's comment", "COMMENT ON TABLE orders IS 'Orders'" => "table shop.orders: comment";
    "no comment", "COMMENT ON TABLE orders IS NULL" => "table shop.orders: comment";
    "a foreign table's comment", "COMMENT ON FOREIGN TABLE far_rows IS 'Far'" => "table shop.far_rows: comment";
    "a schema is added", "CREATE SCHEMA third" => "add schema third";
    "a schema is dropped", start "CREATE SCHEMA third", "DROP SCHEMA third" => "drop schema third";
    "a schema's owner", "ALTER SCHEMA other OWNER TO migrator_test_a" => "schema other: owner";
    "a schema's privileges", "GRANT USAGE ON SCHEMA other TO migrator_test_a" => "schema other: grants";
    "a schema's comment", "COMMENT ON SCHEMA other IS 'Other'" => "schema other: comment";
    "the owner of the schema public", "ALTER SCHEMA public OWNER TO migrator_test_a" => "schema public: owner";
    "the privileges on the schema public", "GRANT CREATE ON SCHEMA public TO migrator_test_a" => "schema public: grants";
    "no privileges for PUBLIC on the schema public", "REVOKE ALL ON SCHEMA public FROM PUBLIC" => "schema public: grants";
    "the comment on the schema public", "COMMENT ON SCHEMA public IS 'Mine'" => "schema public: comment";
    "no schema public", unseen, "DROP SCHEMA public" => "drop schema public";
    "default privileges in a schema", "ALTER DEFAULT PRIVILEGES IN SCHEMA other GRANT INSERT ON TABLES TO migrator_test_a"
        => "default privileges other.\"CURRENT_USER\" ON TABLES: privileges";
    "default privileges in a schema are added", "ALTER DEFAULT PRIVILEGES IN SCHEMA other GRANT USAGE ON SEQUENCES TO migrator_test_a"
        => "add default privileges other.\"CURRENT_USER\" ON SEQUENCES";
    "default privileges in a schema are dropped", "ALTER DEFAULT PRIVILEGES IN SCHEMA other REVOKE ALL ON TABLES FROM migrator_test_a"
        => "drop default privileges other.\"CURRENT_USER\" ON TABLES";
    "default privileges in all schemas", "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
        => "add default privileges \"CURRENT_USER\" ON FUNCTIONS";
    "default privileges of another role", "ALTER DEFAULT PRIVILEGES FOR ROLE migrator_test_a GRANT USAGE ON TYPES TO migrator_test_b"
        => "add default privileges migrator_test_a ON TYPES";
    "default privileges on schemas", "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO migrator_test_b"
        => "add default privileges \"CURRENT_USER\" ON SCHEMAS";
    "default privileges with grant option", start "ALTER DEFAULT PRIVILEGES FOR ROLE migrator_test_b GRANT SELECT ON TABLES TO migrator_test_a",
        "ALTER DEFAULT PRIVILEGES FOR ROLE migrator_test_b GRANT SELECT ON TABLES TO migrator_test_a WITH GRANT OPTION"
        => "default privileges migrator_test_b ON TABLES: privileges";
};
