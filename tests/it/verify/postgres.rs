use super::{Case, cases};

pub const CASES: &[Case] = cases! {
    "index": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer);",
        up "CREATE INDEX {t}_a ON {t} (a);",
        right "DROP INDEX {t}_a;",
        wrong "SELECT 1;"
        => "M882" "index public.index_wrong.index_wrong_a is left behind", "M883" "already exists";
    "column_default": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer DEFAULT 1);",
        up "ALTER TABLE {t} ALTER a SET DEFAULT 2;",
        right "ALTER TABLE {t} ALTER a SET DEFAULT 1;",
        wrong "ALTER TABLE {t} ALTER a DROP DEFAULT;"
        => "M882" "default 1 → none";
    "not_null": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer NOT NULL);",
        up "ALTER TABLE {t} ALTER a DROP NOT NULL;",
        right "ALTER TABLE {t} ALTER a SET NOT NULL;",
        wrong "SELECT 1;"
        => "M882" "not null";
    "comment": start "CREATE TABLE {t} (id integer PRIMARY KEY);",
        up "COMMENT ON TABLE {t} IS 'new';",
        right "COMMENT ON TABLE {t} IS NULL;",
        wrong "COMMENT ON TABLE {t} IS 'old';"
        => "M882" "comment none → old";
    "column_comment": start "CREATE TABLE {t} (id integer PRIMARY KEY); COMMENT ON COLUMN {t}.id IS 'key';",
        up "COMMENT ON COLUMN {t}.id IS 'the key';",
        right "COMMENT ON COLUMN {t}.id IS 'key';",
        wrong "COMMENT ON COLUMN {t}.id IS NULL;"
        => "M882" "comment key → none";
    "table_grant": start "CREATE TABLE {t} (id integer PRIMARY KEY);",
        up "GRANT SELECT ON {t} TO PUBLIC;",
        right "REVOKE SELECT ON {t} FROM PUBLIC;",
        wrong "REVOKE INSERT ON {t} FROM PUBLIC;"
        => "M882" "grants";
    "column_grant": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer);",
        up "GRANT UPDATE (a) ON {t} TO PUBLIC;",
        right "REVOKE UPDATE (a) ON {t} FROM PUBLIC;",
        wrong "SELECT 1;"
        => "M882" "grants";
    "enum_value": start "CREATE TYPE {t} AS ENUM ('a', 'b');",
        up "ALTER TYPE {t} ADD VALUE IF NOT EXISTS 'c';",
        right "DROP TYPE {t}; CREATE TYPE {t} AS ENUM ('a', 'b');",
        wrong "SELECT 1;"
        => "M882" "labels a, b → a, b, c";
    "type_wider": start "CREATE TABLE {t} (id integer PRIMARY KEY, a varchar(20));",
        up "ALTER TABLE {t} ALTER a TYPE varchar(40);",
        right "ALTER TABLE {t} ALTER a TYPE varchar(20);",
        wrong "ALTER TABLE {t} ALTER a TYPE varchar(30);"
        => "M882" "character varying(20) → character varying(30)";
    "column_back_without_check": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer CONSTRAINT {t}_c CHECK (a > 0));",
        up "ALTER TABLE {t} DROP a;",
        right "ALTER TABLE {t} ADD a integer CONSTRAINT {t}_c CHECK (a > 0);",
        wrong "ALTER TABLE {t} ADD a integer;"
        => "M882" "is missing";
    "column_order_is_a_note": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer, b integer);",
        up "ALTER TABLE {t} DROP a;",
        right "ALTER TABLE {t} ADD a integer;",
        wrong "ALTER TABLE {t} ADD a bigint;"
        => "M882" "data type integer → bigint";
    "check_constraint": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer);",
        up "ALTER TABLE {t} ADD CONSTRAINT {t}_c CHECK (a <> 5) NOT VALID;",
        right "ALTER TABLE {t} DROP CONSTRAINT {t}_c;",
        wrong "ALTER TABLE {t} VALIDATE CONSTRAINT {t}_c;"
        => "M882" "check constraint", "M883" "already exists";
    "unique_constraint": start "CREATE TABLE {t} (id integer PRIMARY KEY, a uuid, CONSTRAINT {t}_u UNIQUE (a));",
        up "ALTER TABLE {t} DROP CONSTRAINT {t}_u;",
        right "ALTER TABLE {t} ADD CONSTRAINT {t}_u UNIQUE (a);",
        wrong "CREATE UNIQUE INDEX {t}_u ON {t} (a);"
        => "M882" "2 objects", "M883" "does not exist";
    "foreign_key_action": start "CREATE TABLE {t}_p (id integer PRIMARY KEY); CREATE TABLE {t} (p integer CONSTRAINT {t}_f REFERENCES {t}_p ON DELETE CASCADE);",
        up "ALTER TABLE {t} DROP CONSTRAINT {t}_f;",
        right "ALTER TABLE {t} ADD CONSTRAINT {t}_f FOREIGN KEY (p) REFERENCES {t}_p ON DELETE CASCADE;",
        wrong "ALTER TABLE {t} ADD CONSTRAINT {t}_f FOREIGN KEY (p) REFERENCES {t}_p;"
        => "M882" "on delete CASCADE → none";
    "view_dropped": start "CREATE VIEW {t} AS SELECT 1 AS a;",
        up "DROP VIEW {t};",
        right "CREATE VIEW {t} AS SELECT 1 AS a;",
        wrong "SELECT 1;"
        => "M882" "is missing", "M883" "does not exist";
    "view_query": start "CREATE VIEW {t} AS SELECT 1 AS a;",
        up "CREATE OR REPLACE VIEW {t} AS SELECT 2 AS a;",
        right "CREATE OR REPLACE VIEW {t} AS SELECT 1 AS a;",
        wrong "CREATE OR REPLACE VIEW {t} AS SELECT 3 AS a;"
        => "M882" "query";
    "function_body": start "CREATE FUNCTION {t}() RETURNS integer LANGUAGE sql AS 'SELECT 1';",
        up "CREATE OR REPLACE FUNCTION {t}() RETURNS integer LANGUAGE sql AS 'SELECT 2';",
        right "CREATE OR REPLACE FUNCTION {t}() RETURNS integer LANGUAGE sql AS 'SELECT 1';",
        wrong "CREATE OR REPLACE FUNCTION {t}() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
        => "M882" "volatility";
    "trigger_dropped": start "CREATE TABLE {t} (id integer PRIMARY KEY); CREATE FUNCTION {t}_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER {t}_g BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {t}_f();",
        up "DROP TRIGGER {t}_g ON {t};",
        right "CREATE TRIGGER {t}_g BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {t}_f();",
        wrong "CREATE TRIGGER {t}_g AFTER INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION {t}_f();"
        => "M882" "timing BEFORE → AFTER";
    "trigger_disabled": start "CREATE TABLE {t} (id integer PRIMARY KEY); CREATE FUNCTION {t}_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER {t}_g BEFORE UPDATE ON {t} FOR EACH ROW EXECUTE FUNCTION {t}_f();",
        up "ALTER TABLE {t} DISABLE TRIGGER {t}_g;",
        right "ALTER TABLE {t} ENABLE TRIGGER {t}_g;",
        wrong "ALTER TABLE {t} ENABLE ALWAYS TRIGGER {t}_g;"
        => "M882" "enabled";
    "sequence_owner": start "CREATE TABLE {t} (id integer PRIMARY KEY); CREATE SEQUENCE {t}_s OWNED BY {t}.id;",
        up "ALTER SEQUENCE {t}_s OWNED BY NONE;",
        right "ALTER SEQUENCE {t}_s OWNED BY {t}.id;",
        wrong "SELECT 1;"
        => "M882" "owned by";
    "sequence_range": start "CREATE SEQUENCE {t} MAXVALUE 1000;",
        up "ALTER SEQUENCE {t} MAXVALUE 2000;",
        right "ALTER SEQUENCE {t} MAXVALUE 1000;",
        wrong "ALTER SEQUENCE {t} NO MAXVALUE;"
        => "M882" "sequence public.sequence_range_wrong differs";
    "policy": start "CREATE TABLE {t} (id integer PRIMARY KEY); CREATE POLICY {t}_p ON {t} USING (id > 0);",
        up "ALTER POLICY {t}_p ON {t} USING (id > 1);",
        right "ALTER POLICY {t}_p ON {t} USING (id > 0);",
        wrong "SELECT 1;"
        => "M882" "using";
    "row_security": start "CREATE TABLE {t} (id integer PRIMARY KEY);",
        up "ALTER TABLE {t} ENABLE ROW LEVEL SECURITY;",
        right "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY;",
        wrong "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        => "M882" "force row security no → yes", "M884" "force row security no → yes";
    "storage_parameter": start "CREATE TABLE {t} (id integer PRIMARY KEY);",
        up "ALTER TABLE {t} SET (fillfactor = 70);",
        right "ALTER TABLE {t} RESET (fillfactor);",
        wrong "ALTER TABLE {t} SET (fillfactor = 90);"
        => "M882" "options";
    "statistics": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer, b integer);",
        up "CREATE STATISTICS {t}_s ON a, b FROM {t};",
        right "DROP STATISTICS {t}_s;",
        wrong "ALTER STATISTICS {t}_s RENAME TO {t}_z;"
        => "M882" "statistics public.statistics_wrong_z is left behind", "M884" "is new";
    "domain_check": start "CREATE DOMAIN {t} AS integer CONSTRAINT {t}_c CHECK (VALUE > 0);",
        up "ALTER DOMAIN {t} DROP CONSTRAINT {t}_c;",
        right "ALTER DOMAIN {t} ADD CONSTRAINT {t}_c CHECK (VALUE > 0);",
        wrong "ALTER DOMAIN {t} ADD CONSTRAINT {t}_c CHECK (VALUE >= 0);"
        => "M882" "expression";
    "composite": start "CREATE TYPE {t} AS (a integer, b text);",
        up "ALTER TYPE {t} DROP ATTRIBUTE b;",
        right "ALTER TYPE {t} ADD ATTRIBUTE b text;",
        wrong "ALTER TYPE {t} ADD ATTRIBUTE b varchar;"
        => "M882" "attributes";
    "materialized_view": start "CREATE MATERIALIZED VIEW {t} AS SELECT 1 AS a; CREATE INDEX {t}_a ON {t} (a);",
        up "DROP MATERIALIZED VIEW {t};",
        right "CREATE MATERIALIZED VIEW {t} AS SELECT 1 AS a; CREATE INDEX {t}_a ON {t} (a);",
        wrong "CREATE MATERIALIZED VIEW {t} AS SELECT 1 AS a;"
        => "M882" "index public.materialized_view_wrong.materialized_view_wrong_a is missing";
    "identity": start "CREATE TABLE {t} (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
        up "ALTER TABLE {t} ALTER id SET GENERATED BY DEFAULT;",
        right "ALTER TABLE {t} ALTER id SET GENERATED ALWAYS;",
        wrong "ALTER TABLE {t} ALTER id SET INCREMENT BY 2;"
        => "M882" "identity", "M884" "identity";
    "replica_identity": start "CREATE TABLE {t} (id integer PRIMARY KEY);",
        up "ALTER TABLE {t} REPLICA IDENTITY FULL;",
        right "ALTER TABLE {t} REPLICA IDENTITY DEFAULT;",
        wrong "ALTER TABLE {t} REPLICA IDENTITY NOTHING;"
        => "M882" "replica identity";
    "rule": start "CREATE TABLE {t} (id integer PRIMARY KEY);",
        up "CREATE RULE {t}_r AS ON DELETE TO {t} DO INSTEAD NOTHING;",
        right "DROP RULE {t}_r ON {t};",
        wrong "ALTER RULE {t}_r ON {t} RENAME TO {t}_z;"
        => "M882" "is left behind", "M884" "is new";
    "partition": start "CREATE TABLE {t} (id integer) PARTITION BY LIST (id);",
        up "CREATE TABLE {t}_1 PARTITION OF {t} FOR VALUES IN (1);",
        right "DROP TABLE {t}_1;",
        wrong "ALTER TABLE {t} DETACH PARTITION {t}_1;"
        => "M882" "table public.partition_wrong_1 is left behind", "M883" "already exists";
    "schema_left": start "",
        up "CREATE SCHEMA {t}; CREATE TABLE {t}.a (id integer PRIMARY KEY);",
        right "DROP SCHEMA {t} CASCADE;",
        wrong "DROP TABLE {t}.a;"
        => "M882" "schema schema_left_wrong is left behind", "M883" "already exists";
    "type_left": start "",
        up "CREATE TYPE {t}_e AS ENUM ('a'); CREATE TABLE {t} (id integer PRIMARY KEY, e {t}_e);",
        right "DROP TABLE {t}; DROP TYPE {t}_e;",
        wrong "DROP TABLE {t};"
        => "M882" "enum public.type_left_wrong_e is left behind", "M883" "already exists";
    "default_privileges": start "CREATE SCHEMA {t};",
        up "ALTER DEFAULT PRIVILEGES IN SCHEMA {t} GRANT SELECT ON TABLES TO PUBLIC;",
        right "ALTER DEFAULT PRIVILEGES IN SCHEMA {t} REVOKE SELECT ON TABLES FROM PUBLIC;",
        wrong "SELECT 1;"
        => "M882" "default privileges";
    "index_concurrently": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer);",
        up "-- migrator: transaction = off\nCREATE INDEX CONCURRENTLY {t}_a ON {t} (a);",
        right "-- migrator: transaction = off\nDROP INDEX CONCURRENTLY {t}_a;",
        wrong "-- migrator: transaction = off\nDROP INDEX CONCURRENTLY {t}_a;\nDROP INDEX CONCURRENTLY {t}_a;"
        => "M881" "does not exist";
    "inserted_row": start "CREATE TABLE {t} (id integer PRIMARY KEY, a text);",
        up "INSERT INTO {t} VALUES (1000, 'x');",
        right "DELETE FROM {t} WHERE id = 1000;",
        wrong "SELECT 1;"
        => "M883" "duplicate key", "M886" "1 row is new";
    "updated_values": start "CREATE TABLE {t} (id integer PRIMARY KEY, a boolean);",
        up "UPDATE {t} SET a = NOT a;",
        right "UPDATE {t} SET a = NOT a;",
        wrong "SELECT 1;"
        => "M886" "of a differ";
    "rows_of_a_kept_table": start "CREATE TABLE {t} (id integer PRIMARY KEY, a text);",
        up "CREATE TABLE {t}_copy AS TABLE {t};",
        right "DROP TABLE {t}_copy;",
        wrong "TRUNCATE {t}; DROP TABLE {t}_copy;"
        => "M886" "rows of public.rows_of_a_kept_table_wrong: ";
    "column_without_default": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer NOT NULL);",
        up "ALTER TABLE {t} DROP a;",
        right "ALTER TABLE {t} ADD a integer NOT NULL DEFAULT 0; ALTER TABLE {t} ALTER a DROP DEFAULT;",
        wrong "ALTER TABLE {t} ADD a integer NOT NULL;"
        => "M888" "contains null values";
    "values_through_another_type": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer);",
        up "ALTER TABLE {t} ALTER a TYPE text;",
        right "ALTER TABLE {t} ALTER a TYPE integer USING a::integer;",
        wrong "ALTER TABLE {t} ALTER a TYPE integer USING length(a);"
        => "M886" "of a differ";
    "rows_of_two_tables": start "CREATE TABLE {t} (id integer PRIMARY KEY, a text); CREATE TABLE {t}_child (id integer PRIMARY KEY, p integer REFERENCES {t} ON DELETE CASCADE);",
        up "COMMENT ON TABLE {t} IS 'x';",
        right "COMMENT ON TABLE {t} IS NULL;",
        wrong "COMMENT ON TABLE {t} IS NULL; DELETE FROM {t};"
        => "M886" "rows of public.rows_of_two_tables_wrong: ", "M886" "rows of public.rows_of_two_tables_wrong_child: ";
    "down_cannot_run": start "CREATE TABLE {t} (id integer PRIMARY KEY, a integer);",
        up "CREATE INDEX {t}_a ON {t} (a);",
        right "DROP INDEX {t}_a;",
        wrong "DROP INDEX CONCURRENTLY {t}_a;"
        => "M881" "cannot run in a transaction";
    "down_fails": start "CREATE TABLE {t} (id integer PRIMARY KEY);",
        up "ALTER TABLE {t} ADD a integer;",
        right "ALTER TABLE {t} DROP a;",
        wrong "ALTER TABLE {t} DROP b;"
        => "M881" "does not exist";
};
