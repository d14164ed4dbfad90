use super::{Case, cases};

pub const CASES: &[Case] = cases! {
    "index": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER);",
        up "CREATE INDEX {t}_a ON {t} (a);",
        right "DROP INDEX {t}_a;",
        wrong "SELECT 1;"
        => "M882" "index index_wrong.index_wrong_a is left behind", "M883" "already exists";
    "partial_index": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER); CREATE INDEX {t}_a ON {t} (a) WHERE a > 0;",
        up "DROP INDEX {t}_a;",
        right "CREATE INDEX {t}_a ON {t} (a) WHERE a > 0;",
        wrong "CREATE INDEX {t}_a ON {t} (a);"
        => "M882" "condition a > 0 → none";
    "index_order": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER); CREATE INDEX {t}_a ON {t} (a DESC);",
        up "DROP INDEX {t}_a;",
        right "CREATE INDEX {t}_a ON {t} (a DESC);",
        wrong "CREATE INDEX {t}_a ON {t} (a);"
        => "M882" "keys";
    "index_collation": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX {t}_a ON {t} (a COLLATE NOCASE);",
        up "DROP INDEX {t}_a;",
        right "CREATE INDEX {t}_a ON {t} (a COLLATE NOCASE);",
        wrong "CREATE INDEX {t}_a ON {t} (a);"
        => "M882" "keys";
    "view": start "CREATE VIEW {t} AS SELECT 1 AS a;",
        up "DROP VIEW {t}; CREATE VIEW {t} AS SELECT 2 AS a;",
        right "DROP VIEW {t}; CREATE VIEW {t} AS SELECT 1 AS a;",
        wrong "SELECT 1;"
        => "M882" "query";
    "trigger_of_a_rebuilt_table": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT); CREATE TRIGGER {t}_g AFTER DELETE ON {t} BEGIN SELECT 1; END;",
        up "ALTER TABLE {t} ADD b TEXT;",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO {t}_new SELECT id, a FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};"
        => "M882" "trigger trigger_of_a_rebuilt_table_wrong.trigger_of_a_rebuilt_table_wrong_g is missing", "M884" "is missing";
    "index_of_a_rebuilt_table": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX {t}_a ON {t} (a);",
        up "ALTER TABLE {t} ADD b TEXT;",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO {t}_new SELECT id, a FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};"
        => "M882" "is missing", "M884" "is missing";
    "not_null_of_a_rebuilt_table": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT NOT NULL);",
        up "ALTER TABLE {t} ADD b TEXT;",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO {t}_new SELECT id, a FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};"
        => "M882" "not null", "M884" "not null";
    "column_default": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 1);",
        up "ALTER TABLE {t} DROP COLUMN a;",
        right "ALTER TABLE {t} ADD a INTEGER DEFAULT 1;",
        wrong "ALTER TABLE {t} ADD a INTEGER;"
        => "M882" "default 1 → none";
    "column_collation": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE);",
        up "ALTER TABLE {t} DROP COLUMN a;",
        right "ALTER TABLE {t} ADD a TEXT COLLATE NOCASE;",
        wrong "ALTER TABLE {t} ADD a TEXT;"
        => "M882" "collation NOCASE → none";
    "column_type": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER);",
        up "ALTER TABLE {t} DROP COLUMN a;",
        right "ALTER TABLE {t} ADD a INTEGER;",
        wrong "ALTER TABLE {t} ADD a TEXT;"
        => "M882" "declared type INTEGER → TEXT";
    "column_order_is_a_note": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER);",
        up "ALTER TABLE {t} DROP COLUMN a;",
        right "ALTER TABLE {t} ADD a INTEGER;",
        wrong "SELECT 1;"
        => "M882" "column column_order_is_a_note_wrong.a is missing", "M883" "no such column";
    "check": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER CHECK (a <> 5));",
        up "ALTER TABLE {t} DROP COLUMN a;",
        right "ALTER TABLE {t} ADD a INTEGER CHECK (a <> 5);",
        wrong "ALTER TABLE {t} ADD a INTEGER;"
        => "M882" "is missing";
    "foreign_key_action": start "CREATE TABLE {t}_p (id INTEGER PRIMARY KEY); CREATE TABLE {t} (id INTEGER PRIMARY KEY, p INTEGER REFERENCES {t}_p ON DELETE CASCADE);",
        up "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, p INTEGER); INSERT INTO {t}_new SELECT * FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};",
        right "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, p INTEGER REFERENCES {t}_p ON DELETE CASCADE); INSERT INTO {t}_new SELECT * FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};",
        wrong "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, p INTEGER REFERENCES {t}_p); INSERT INTO {t}_new SELECT * FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};"
        => "M882" "on delete CASCADE → none";
    "strict": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT) STRICT;",
        up "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, a TEXT, b TEXT) STRICT; INSERT INTO {t}_new (id, a) SELECT id, a FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "CREATE TABLE {t}_old (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO {t}_old SELECT id, a FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_old RENAME TO {t};"
        => "M882" "strict yes → no";
    "without_rowid": start "CREATE TABLE {t} (id TEXT PRIMARY KEY NOT NULL, a TEXT) WITHOUT ROWID;",
        up "ALTER TABLE {t} ADD b TEXT;",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "CREATE TABLE {t}_old (id TEXT PRIMARY KEY NOT NULL, a TEXT); INSERT INTO {t}_old SELECT id, a FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_old RENAME TO {t};"
        => "M882" "without rowid yes → no", "M884" "without rowid";
    "autoincrement": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT);",
        up "ALTER TABLE {t} ADD b TEXT;",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "CREATE TABLE {t}_old (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO {t}_old SELECT id, a FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_old RENAME TO {t};"
        => "M882" "autoincrement yes → no", "M884" "autoincrement";
    "generated": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT);",
        up "ALTER TABLE {t} ADD b TEXT GENERATED ALWAYS AS (upper(a)) VIRTUAL;",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "SELECT 1;"
        => "M882" "column generated_wrong.b is left behind", "M883" "duplicate column";
    "column_renamed": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT);",
        up "ALTER TABLE {t} RENAME a TO b;",
        right "ALTER TABLE {t} RENAME b TO a;",
        wrong "ALTER TABLE {t} RENAME b TO c;"
        => "M882" "2 objects", "M883" "no such column";
    "table_renamed": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT);",
        up "ALTER TABLE {t} RENAME TO {t}_new;",
        right "ALTER TABLE {t}_new RENAME TO {t};",
        wrong "SELECT 1;"
        => "M882" "2 objects", "M883" "no such table";
    "full_text": start "",
        up "CREATE VIRTUAL TABLE {t} USING fts5(a, b);",
        right "DROP TABLE {t};",
        wrong "SELECT 1;"
        => "M882" "virtual table full_text_wrong is left behind", "M883" "already exists";
    "conflict": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT UNIQUE ON CONFLICT IGNORE);",
        up "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO {t}_new SELECT * FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};",
        right "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, a TEXT UNIQUE ON CONFLICT IGNORE); INSERT INTO {t}_new SELECT * FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};",
        wrong "CREATE TABLE {t}_new (id INTEGER PRIMARY KEY, a TEXT UNIQUE); INSERT INTO {t}_new SELECT * FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_new RENAME TO {t};"
        => "M882" "conflict IGNORE → none";
    "inserted_row": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT);",
        up "INSERT INTO {t} VALUES (1000, 'x');",
        right "DELETE FROM {t} WHERE id = 1000;",
        wrong "SELECT 1;"
        => "M883" "UNIQUE constraint failed", "M886" "1 row is new";
    "updated_values": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a BOOLEAN CHECK (a IN (0, 1)));",
        up "UPDATE {t} SET a = 1 - a;",
        right "UPDATE {t} SET a = 1 - a;",
        wrong "SELECT 1;"
        => "M886" "of a differ";
    "ids_of_a_rebuilt_table": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL);",
        up "ALTER TABLE {t} ADD c TEXT;",
        right "CREATE TABLE {t}_old (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL); INSERT INTO {t}_old SELECT id, a, b FROM {t}; DROP TABLE {t}; ALTER TABLE {t}_old RENAME TO {t};",
        wrong "CREATE TABLE {t}_old (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL); INSERT INTO {t}_old (id, a, b) SELECT id + 1, a, b FROM {t} WHERE id < 1000 AND id > -1000; DROP TABLE {t}; ALTER TABLE {t}_old RENAME TO {t};"
        => "M886" "rows of ids_of_a_rebuilt_table_wrong: ";
    "column_without_default": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a INTEGER NOT NULL DEFAULT 1);",
        up "ALTER TABLE {t} DROP COLUMN a;",
        right "ALTER TABLE {t} ADD a INTEGER NOT NULL DEFAULT 1;",
        wrong "ALTER TABLE {t} ADD a INTEGER NOT NULL;"
        => "M882" "default 1 → none", "M888" "Cannot add a NOT NULL column";
    "down_fails": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT);",
        up "ALTER TABLE {t} ADD b TEXT;",
        right "ALTER TABLE {t} DROP COLUMN b;",
        wrong "ALTER TABLE {t} DROP COLUMN c;"
        => "M881" "no such column";
    "down_fails_halfway": start "CREATE TABLE {t} (id INTEGER PRIMARY KEY, a TEXT);",
        up "ALTER TABLE {t} ADD b TEXT;",
        right "-- migrator: transaction = off\nALTER TABLE {t} DROP COLUMN b;",
        wrong "-- migrator: transaction = off\nALTER TABLE {t} DROP COLUMN b;\nDROP TABLE {t}_none;"
        => "M881" "no such table";
};
