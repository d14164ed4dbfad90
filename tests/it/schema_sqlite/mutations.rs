//! One change to one attribute of one object is found, and no other.

use std::collections::BTreeSet;

use migrator::internals::schema::{
    Change, Compare, Facts, Note, ObjectId, Schema, compare,
    sqlite::{IndexKey, KeyColumn},
};
use serde_json::Value;

use super::{file_of, inspect, lines, rows, schema_of};

/// The schema that each mutation changes.
pub(crate) const START: &str = "
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    email TEXT COLLATE NOCASE CONSTRAINT email_given NOT NULL ON CONFLICT FAIL,
    name VARCHAR(80) DEFAULT 'nobody',
    loud_name TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL,
    joined TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT one_email UNIQUE (email COLLATE BINARY) ON CONFLICT REPLACE,
    CONSTRAINT named CHECK (length(name) > 0),
    CHECK (joined <> '')
);
CREATE TABLE orders (
    id INTEGER CONSTRAINT orders_key PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customers (id) ON DELETE CASCADE ON UPDATE RESTRICT,
    successor INTEGER CONSTRAINT to_successor REFERENCES orders DEFERRABLE INITIALLY DEFERRED,
    status TEXT NOT NULL DEFAULT 'open',
    total NUMERIC(10, 2),
    UNIQUE (customer, status)
);
CREATE TABLE lines (
    order_id INTEGER NOT NULL,
    product TEXT NOT NULL,
    amount INT AS (1) STORED,
    note TEXT,
    PRIMARY KEY (order_id, product DESC) ON CONFLICT IGNORE,
    FOREIGN KEY (order_id, product) REFERENCES products (order_id, code) MATCH FULL
) WITHOUT ROWID;
CREATE TABLE products (order_id INTEGER, code TEXT, UNIQUE (order_id, code));
CREATE TABLE settings (key TEXT PRIMARY KEY, value ANY) STRICT;
CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER);
CREATE INDEX open_orders ON orders (customer, total DESC) WHERE status = 'open';
CREATE UNIQUE INDEX quiet_names ON customers (lower(name), email COLLATE RTRIM);
CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;
CREATE VIEW names (id, shown) AS SELECT id, name FROM customers;
CREATE TRIGGER closed AFTER UPDATE OF status, total ON orders WHEN new.status = 'closed'
BEGIN
    UPDATE counters SET n = n + 1;
END;
CREATE TRIGGER renamed INSTEAD OF UPDATE ON names
BEGIN
    UPDATE customers SET name = new.shown WHERE id = old.id;
END;
CREATE VIRTUAL TABLE notes USING fts5(title, body, tokenize = 'porter ascii');
CREATE VIRTUAL TABLE places USING rtree(id, min_x, max_x);
";

/// A name, what is replaced in [`START`] by what, and the changes.
pub(crate) type Mutation = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

pub(crate) const MUTATIONS: &[Mutation] = &[
    // Tables.
    (
        "table added",
        "CREATE TABLE counters",
        "CREATE TABLE extra (a); CREATE TABLE counters",
        &["+ table extra"],
    ),
    (
        "table dropped",
        "CREATE TABLE settings (key TEXT PRIMARY KEY, value ANY) STRICT;",
        "",
        &["- table settings"],
    ),
    (
        "table renamed",
        "TABLE settings (",
        "TABLE options (",
        &["+ table options", "- table settings"],
    ),
    (
        "table spelled otherwise",
        "TABLE settings (",
        "TABLE Settings (",
        &["table settings: spelling \"settings\" -> \"Settings\""],
    ),
    (
        "table STRICT no more",
        "value ANY) STRICT",
        "value ANY)",
        &["table settings: strict true -> false"],
    ),
    (
        "table STRICT",
        "id INTEGER PRIMARY KEY, n INTEGER)",
        "id INTEGER PRIMARY KEY, n INTEGER) STRICT",
        &["table counters: strict false -> true"],
    ),
    (
        "table without rowid",
        "value ANY) STRICT",
        "value ANY) STRICT, WITHOUT ROWID",
        &["table settings: without_rowid false -> true"],
    ),
    (
        "table with rowid",
        ") WITHOUT ROWID",
        ")",
        &["table lines: without_rowid true -> false"],
    ),
    (
        "no autoincrement",
        " AUTOINCREMENT",
        "",
        &["table orders: autoincrement true -> false"],
    ),
    (
        "autoincrement",
        "id INTEGER PRIMARY KEY, n",
        "id INTEGER PRIMARY KEY AUTOINCREMENT, n",
        &["table counters: autoincrement false -> true"],
    ),
    (
        "table becomes a view",
        "CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER)",
        "CREATE VIEW counters AS SELECT 1 AS id, 2 AS n",
        &["- table counters", "+ view counters"],
    ),
    // Columns.
    (
        "column added",
        "total NUMERIC(10, 2),",
        "total NUMERIC(10, 2), remark TEXT,",
        &["+ column orders.remark"],
    ),
    (
        "column dropped",
        "    note TEXT,\n",
        "",
        &["- column lines.note"],
    ),
    (
        "column renamed",
        "note TEXT",
        "remark TEXT",
        &["- column lines.note", "+ column lines.remark"],
    ),
    (
        "column spelled otherwise",
        "note TEXT",
        "Note TEXT",
        &["column lines.note: spelling \"note\" -> \"Note\""],
    ),
    (
        "type changed",
        "total NUMERIC(10, 2)",
        "total NUMERIC(12, 2)",
        &["column orders.total: declared_type \"NUMERIC(10, 2)\" -> \"NUMERIC(12, 2)\""],
    ),
    (
        "type of the same affinity",
        "n INTEGER)",
        "n INT)",
        &["column counters.n: declared_type \"INTEGER\" -> \"INT\""],
    ),
    (
        "type dropped",
        "total NUMERIC(10, 2)",
        "total",
        &["column orders.total: declared_type \"NUMERIC(10, 2)\" -> \"\""],
    ),
    (
        "type added",
        "order_id INTEGER, code",
        "order_id, code",
        &["column products.order_id: declared_type \"INTEGER\" -> \"\""],
    ),
    (
        "collation added",
        "note TEXT",
        "note TEXT COLLATE RTRIM",
        &["column lines.note: collation null -> \"RTRIM\""],
    ),
    (
        "collation changed",
        "email TEXT COLLATE NOCASE",
        "email TEXT COLLATE RTRIM",
        &[
            "column customers.email: collation \"NOCASE\" -> \"RTRIM\"",
            "index customers.quiet_names: keys [{\"expression\":\"lower(name)\"},{\"column\":\"email\",\"collation\":\"RTRIM\"}] -> [{\"expression\":\"lower(name)\"},{\"column\":\"email\"}]",
        ],
    ),
    (
        "default added",
        "total NUMERIC(10, 2)",
        "total NUMERIC(10, 2) DEFAULT 0",
        &["column orders.total: default null -> \"0\""],
    ),
    (
        "default changed",
        "DEFAULT 'open'",
        "DEFAULT 'new'",
        &["column orders.status: default \"'open'\" -> \"'new'\""],
    ),
    (
        "default in another case",
        "DEFAULT 'open'",
        "DEFAULT 'Open'",
        &["column orders.status: default \"'open'\" -> \"'Open'\""],
    ),
    (
        "default dropped",
        " DEFAULT 'nobody'",
        "",
        &["column customers.name: default \"'nobody'\" -> null"],
    ),
    (
        "default is a function now",
        "DEFAULT CURRENT_TIMESTAMP",
        "DEFAULT (date('now'))",
        &["column customers.joined: default \"CURRENT_TIMESTAMP\" -> \"date('now')\""],
    ),
    (
        "default NULL",
        "note TEXT",
        "note TEXT DEFAULT NULL",
        &["column lines.note: default null -> \"NULL\""],
    ),
    (
        "default with a sign",
        "n INTEGER)",
        "n INTEGER DEFAULT -1.5e-3)",
        &["column counters.n: default null -> \"-1.5e-3\""],
    ),
    (
        "generated otherwise",
        "AS (upper(name))",
        "AS (upper(email))",
        &["column customers.loud_name: generated \"upper(name)\" -> \"upper(email)\""],
    ),
    (
        "generated no more",
        "loud_name TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL",
        "loud_name TEXT",
        &["column customers.loud_name: generated \"upper(name)\" -> null"],
    ),
    (
        "generated",
        "note TEXT",
        "note TEXT AS (product)",
        &["column lines.note: generated null -> \"product\""],
    ),
    (
        "generated and stored",
        "VIRTUAL,",
        "STORED,",
        &["column customers.loud_name: stored false -> true"],
    ),
    (
        "generated and not stored",
        "AS (1) STORED",
        "AS (1)",
        &["column lines.amount: stored true -> false"],
    ),
    (
        "NOT NULL",
        "note TEXT",
        "note TEXT NOT NULL",
        &["column lines.note: not_null false -> true"],
    ),
    (
        "NULL",
        "customer INTEGER NOT NULL",
        "customer INTEGER",
        &["column orders.customer: not_null true -> false"],
    ),
    (
        "NOT NULL of a key",
        "key TEXT PRIMARY KEY",
        "key TEXT NOT NULL PRIMARY KEY",
        &["column settings.key: not_null false -> true"],
    ),
    (
        "NOT NULL renamed",
        "email_given",
        "email_there",
        &["column customers.email: not_null_name \"email_given\" -> \"email_there\""],
    ),
    (
        "NOT NULL named",
        "product TEXT NOT NULL",
        "product TEXT CONSTRAINT given NOT NULL",
        &["column lines.product: not_null_name null -> \"given\""],
    ),
    (
        "NOT NULL on conflict",
        "ON CONFLICT FAIL",
        "ON CONFLICT ROLLBACK",
        &["column customers.email: not_null_conflict \"FAIL\" -> \"ROLLBACK\""],
    ),
    (
        "NOT NULL aborts",
        " ON CONFLICT FAIL",
        "",
        &["column customers.email: not_null_conflict \"FAIL\" -> null"],
    ),
    // Primary keys.
    (
        "key added",
        "code TEXT, UNIQUE",
        "code TEXT PRIMARY KEY, UNIQUE",
        &["+ primary key products"],
    ),
    (
        "key dropped",
        "key TEXT PRIMARY KEY",
        "key TEXT",
        &["- primary key settings"],
    ),
    (
        "key in another order",
        "PRIMARY KEY (order_id, product DESC)",
        "PRIMARY KEY (product DESC, order_id)",
        &[
            "primary key lines: columns [{\"column\":\"order_id\"},{\"column\":\"product\",\"descending\":true}] -> [{\"column\":\"product\",\"descending\":true},{\"column\":\"order_id\"}]",
        ],
    ),
    (
        "key of fewer columns",
        "PRIMARY KEY (order_id, product DESC)",
        "PRIMARY KEY (order_id)",
        &[
            "primary key lines: columns [{\"column\":\"order_id\"},{\"column\":\"product\",\"descending\":true}] -> [{\"column\":\"order_id\"}]",
        ],
    ),
    (
        "key ascending",
        "product DESC)",
        "product)",
        &[
            "primary key lines: columns [{\"column\":\"order_id\"},{\"column\":\"product\",\"descending\":true}] -> [{\"column\":\"order_id\"},{\"column\":\"product\"}]",
        ],
    ),
    (
        "key collated",
        "(order_id, product DESC)",
        "(order_id, product COLLATE NOCASE DESC)",
        &[
            "primary key lines: columns [{\"column\":\"order_id\"},{\"column\":\"product\",\"descending\":true}] -> [{\"column\":\"order_id\"},{\"column\":\"product\",\"collation\":\"NOCASE\",\"descending\":true}]",
        ],
    ),
    (
        "key on conflict",
        "DESC) ON CONFLICT IGNORE",
        "DESC) ON CONFLICT REPLACE",
        &["primary key lines: conflict \"IGNORE\" -> \"REPLACE\""],
    ),
    (
        "key renamed",
        "orders_key",
        "order_key",
        &["primary key orders: name \"orders_key\" -> \"order_key\""],
    ),
    (
        "key named",
        "    PRIMARY KEY (order_id",
        "    CONSTRAINT lines_key PRIMARY KEY (order_id",
        &["primary key lines: name null -> \"lines_key\""],
    ),
    (
        "key that is not the rowid",
        "id INTEGER PRIMARY KEY, n",
        "id INTEGER PRIMARY KEY DESC, n",
        &[
            "primary key counters: columns [{\"column\":\"id\"}] -> [{\"column\":\"id\",\"descending\":true}]",
            "primary key counters: not_rowid false -> true",
        ],
    ),
    // Unique constraints.
    (
        "unique added",
        "    note TEXT,",
        "    note TEXT UNIQUE,",
        &["+ unique constraint lines (note)"],
    ),
    (
        "unique dropped",
        "TEXT, UNIQUE (order_id, code)",
        "TEXT",
        &["- unique constraint products (order_id, code)"],
    ),
    (
        "unique over more columns",
        "UNIQUE (customer, status)",
        "UNIQUE (customer, status, total)",
        &[
            "- unique constraint orders (customer, status)",
            "+ unique constraint orders (customer, status, total)",
        ],
    ),
    (
        "unique renamed",
        "one_email",
        "an_email",
        &[
            "+ unique constraint customers.an_email",
            "- unique constraint customers.one_email",
        ],
    ),
    (
        "unique of the column's collation",
        "(email COLLATE BINARY)",
        "(email)",
        &[
            "unique constraint customers.one_email: columns [{\"column\":\"email\",\"collation\":\"BINARY\"}] -> [{\"column\":\"email\"}]",
        ],
    ),
    (
        "unique descending",
        "UNIQUE (order_id, code)",
        "UNIQUE (order_id, code DESC)",
        &[
            "unique constraint products (order_id, code): columns [{\"column\":\"order_id\"},{\"column\":\"code\"}] -> [{\"column\":\"order_id\"},{\"column\":\"code\",\"descending\":true}]",
        ],
    ),
    (
        "unique on conflict",
        "ON CONFLICT REPLACE",
        "ON CONFLICT IGNORE",
        &["unique constraint customers.one_email: conflict \"REPLACE\" -> \"IGNORE\""],
    ),
    (
        "named unique over another column",
        "UNIQUE (email COLLATE BINARY)",
        "UNIQUE (joined)",
        &[
            "unique constraint customers.one_email: columns [{\"column\":\"email\",\"collation\":\"BINARY\"}] -> [{\"column\":\"joined\"}]",
        ],
    ),
    // Foreign keys.
    (
        "foreign key added",
        "n INTEGER)",
        "n INTEGER REFERENCES orders)",
        &["+ foreign key counters (n) REFERENCES orders"],
    ),
    (
        "foreign key dropped",
        " REFERENCES customers (id) ON DELETE CASCADE ON UPDATE RESTRICT",
        "",
        &["- foreign key orders (customer) REFERENCES customers"],
    ),
    (
        "foreign key to another table",
        "REFERENCES customers (id)",
        "REFERENCES counters (id)",
        &[
            "+ foreign key orders (customer) REFERENCES counters",
            "- foreign key orders (customer) REFERENCES customers",
        ],
    ),
    (
        "named foreign key to another table",
        "REFERENCES orders DEFERRABLE",
        "REFERENCES customers DEFERRABLE",
        &["foreign key orders.to_successor: references \"orders\" -> \"customers\""],
    ),
    (
        "foreign key to another column",
        "REFERENCES products (order_id, code)",
        "REFERENCES products (code, order_id)",
        &[
            "foreign key lines (order_id, product) REFERENCES products: referenced_columns [\"order_id\",\"code\"] -> [\"code\",\"order_id\"]",
        ],
    ),
    (
        "foreign key to the key",
        "REFERENCES customers (id)",
        "REFERENCES customers",
        &["foreign key orders (customer) REFERENCES customers: referenced_columns [\"id\"] -> []"],
    ),
    (
        "foreign key on delete",
        "ON DELETE CASCADE",
        "ON DELETE SET NULL",
        &[
            "foreign key orders (customer) REFERENCES customers: on_delete \"CASCADE\" -> \"SET NULL\"",
        ],
    ),
    (
        "foreign key on update",
        " ON UPDATE RESTRICT",
        "",
        &["foreign key orders (customer) REFERENCES customers: on_update \"RESTRICT\" -> null"],
    ),
    (
        "foreign key not deferred",
        " DEFERRABLE INITIALLY DEFERRED",
        "",
        &["foreign key orders.to_successor: deferred true -> false"],
    ),
    (
        "foreign key deferred",
        "ON UPDATE RESTRICT",
        "ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED",
        &["foreign key orders (customer) REFERENCES customers: deferred false -> true"],
    ),
    (
        "foreign key matches",
        " MATCH FULL",
        "",
        &[
            "foreign key lines (order_id, product) REFERENCES products: match_clause \"FULL\" -> null",
        ],
    ),
    (
        "foreign key renamed",
        "to_successor",
        "to_next",
        &[
            "+ foreign key orders.to_next",
            "- foreign key orders.to_successor",
        ],
    ),
    (
        "named foreign key of another column",
        "CONSTRAINT to_successor REFERENCES orders DEFERRABLE INITIALLY DEFERRED,\n    status TEXT NOT NULL DEFAULT 'open'",
        ",\n    status TEXT NOT NULL DEFAULT 'open' CONSTRAINT to_successor REFERENCES orders DEFERRABLE INITIALLY DEFERRED",
        &["foreign key orders.to_successor: columns [\"successor\"] -> [\"status\"]"],
    ),
    // Checks.
    (
        "check added",
        "total NUMERIC(10, 2)",
        "total NUMERIC(10, 2) CHECK (total >= 0)",
        &["+ check constraint orders (total >= 0)"],
    ),
    (
        "check dropped",
        ",\n    CHECK (joined <> '')",
        "",
        &["- check constraint customers (joined <> '')"],
    ),
    (
        "check changed",
        "CHECK (joined <> '')",
        "CHECK (joined <> ' ')",
        &[
            "+ check constraint customers (joined <> ' ')",
            "- check constraint customers (joined <> '')",
        ],
    ),
    (
        "named check changed",
        "CHECK (length(name) > 0)",
        "CHECK (length(name) > 1)",
        &[
            "check constraint customers.named: expression \"length(name) > 0\" -> \"length(name) > 1\"",
        ],
    ),
    (
        "check renamed",
        "CONSTRAINT named",
        "CONSTRAINT has_name",
        &[
            "+ check constraint customers.has_name",
            "- check constraint customers.named",
        ],
    ),
    (
        "check spelled otherwise",
        "CONSTRAINT named",
        "CONSTRAINT Named",
        &["check constraint customers.named: spelling \"named\" -> \"Named\""],
    ),
    // Indexes.
    (
        "index added",
        "CREATE VIEW totals",
        "CREATE INDEX by_note ON lines (note); CREATE VIEW totals",
        &["+ index lines.by_note"],
    ),
    (
        "index dropped",
        "CREATE INDEX open_orders ON orders (customer, total DESC) WHERE status = 'open';",
        "",
        &["- index orders.open_orders"],
    ),
    (
        "index renamed",
        "INDEX open_orders",
        "INDEX opened_orders",
        &["- index orders.open_orders", "+ index orders.opened_orders"],
    ),
    (
        "index spelled otherwise",
        "INDEX open_orders",
        "INDEX Open_Orders",
        &["index orders.open_orders: spelling \"open_orders\" -> \"Open_Orders\""],
    ),
    (
        "index not unique",
        "CREATE UNIQUE INDEX",
        "CREATE INDEX",
        &["index customers.quiet_names: unique true -> false"],
    ),
    (
        "index over more columns",
        "(customer, total DESC)",
        "(customer, total DESC, id)",
        &[
            "index orders.open_orders: keys [{\"column\":\"customer\"},{\"column\":\"total\",\"descending\":true}] -> [{\"column\":\"customer\"},{\"column\":\"total\",\"descending\":true},{\"column\":\"id\"}]",
        ],
    ),
    (
        "index ascending",
        "total DESC)",
        "total)",
        &[
            "index orders.open_orders: keys [{\"column\":\"customer\"},{\"column\":\"total\",\"descending\":true}] -> [{\"column\":\"customer\"},{\"column\":\"total\"}]",
        ],
    ),
    (
        "index of another expression",
        "(lower(name),",
        "(upper(name),",
        &[
            "index customers.quiet_names: keys [{\"expression\":\"lower(name)\"},{\"column\":\"email\",\"collation\":\"RTRIM\"}] -> [{\"expression\":\"upper(name)\"},{\"column\":\"email\",\"collation\":\"RTRIM\"}]",
        ],
    ),
    (
        "index of a column",
        "(lower(name),",
        "(name,",
        &[
            "index customers.quiet_names: keys [{\"expression\":\"lower(name)\"},{\"column\":\"email\",\"collation\":\"RTRIM\"}] -> [{\"column\":\"name\"},{\"column\":\"email\",\"collation\":\"RTRIM\"}]",
        ],
    ),
    (
        "index collated otherwise",
        "email COLLATE RTRIM)",
        "email COLLATE BINARY)",
        &[
            "index customers.quiet_names: keys [{\"expression\":\"lower(name)\"},{\"column\":\"email\",\"collation\":\"RTRIM\"}] -> [{\"expression\":\"lower(name)\"},{\"column\":\"email\",\"collation\":\"BINARY\"}]",
        ],
    ),
    (
        "index of other rows",
        "WHERE status = 'open'",
        "WHERE status = 'Open'",
        &["index orders.open_orders: condition \"status = 'open'\" -> \"status = 'Open'\""],
    ),
    (
        "index of all rows",
        " WHERE status = 'open'",
        "",
        &["index orders.open_orders: condition \"status = 'open'\" -> null"],
    ),
    (
        "index of another table",
        "quiet_names ON customers (lower(name), email COLLATE RTRIM)",
        "quiet_names ON counters (n)",
        &[
            "+ index counters.quiet_names",
            "- index customers.quiet_names",
        ],
    ),
    // Views.
    (
        "view added",
        "CREATE VIEW totals",
        "CREATE VIEW one AS SELECT 1; CREATE VIEW totals",
        &["+ view one"],
    ),
    (
        "view dropped",
        "CREATE VIEW totals AS SELECT customer, sum(total) AS total FROM orders GROUP BY customer;",
        "",
        &["- view totals"],
    ),
    (
        "view renamed",
        "VIEW totals",
        "VIEW sums",
        &["+ view sums", "- view totals"],
    ),
    (
        "view spelled otherwise",
        "VIEW totals",
        "VIEW Totals",
        &["view totals: spelling \"totals\" -> \"Totals\""],
    ),
    (
        "query changed",
        "SELECT id, name FROM customers",
        "SELECT id, email FROM customers",
        &[
            "view names: query \"SELECT id, name FROM customers\" -> \"SELECT id, email FROM customers\"",
        ],
    ),
    (
        "columns of a view renamed",
        "VIEW names (id, shown) AS SELECT id, name FROM customers;",
        "VIEW names (id, shown, more) AS SELECT id, name FROM customers;",
        &["view names: columns [\"id\",\"shown\"] -> [\"id\",\"shown\",\"more\"]"],
    ),
    // Triggers.
    (
        "trigger added",
        "CREATE TRIGGER closed",
        "CREATE TRIGGER opened AFTER INSERT ON orders BEGIN SELECT 1; END; CREATE TRIGGER closed",
        &["+ trigger orders.opened"],
    ),
    (
        "trigger dropped",
        "CREATE TRIGGER renamed INSTEAD OF UPDATE ON names\nBEGIN\n    UPDATE customers SET name = new.shown WHERE id = old.id;\nEND;",
        "",
        &["- trigger names.renamed"],
    ),
    (
        "trigger renamed",
        "TRIGGER closed",
        "TRIGGER shut",
        &["- trigger orders.closed", "+ trigger orders.shut"],
    ),
    (
        "trigger spelled otherwise",
        "TRIGGER closed",
        "TRIGGER CLOSED",
        &["trigger orders.closed: spelling \"closed\" -> \"CLOSED\""],
    ),
    (
        "trigger before",
        "closed AFTER",
        "closed BEFORE",
        &["trigger orders.closed: timing \"AFTER\" -> \"BEFORE\""],
    ),
    (
        "trigger on another event",
        "INSTEAD OF UPDATE ON names\nBEGIN\n    UPDATE customers SET name = new.shown WHERE id = old.id;",
        "INSTEAD OF DELETE ON names\nBEGIN\n    UPDATE customers SET name = new.shown WHERE id = old.id;",
        &["trigger names.renamed: event \"UPDATE\" -> \"DELETE\""],
    ),
    (
        "trigger on other columns",
        "UPDATE OF status, total ON",
        "UPDATE OF status ON",
        &["trigger orders.closed: columns [\"status\",\"total\"] -> [\"status\"]"],
    ),
    (
        "trigger on all columns",
        "UPDATE OF status, total ON",
        "UPDATE ON",
        &["trigger orders.closed: columns [\"status\",\"total\"] -> []"],
    ),
    (
        "trigger under another condition",
        "WHEN new.status = 'closed'",
        "WHEN new.status = 'shut'",
        &["trigger orders.closed: condition \"new.status = 'closed'\" -> \"new.status = 'shut'\""],
    ),
    (
        "trigger under no condition",
        " WHEN new.status = 'closed'",
        "",
        &["trigger orders.closed: condition \"new.status = 'closed'\" -> null"],
    ),
    (
        "trigger does something else",
        "SET n = n + 1",
        "SET n = n + 2",
        &[
            "trigger orders.closed: body \"UPDATE counters SET n = n + 1;\" -> \"UPDATE counters SET n = n + 2;\"",
        ],
    ),
    (
        "trigger of another table",
        "UPDATE OF status, total ON orders",
        "UPDATE OF status, total ON counters",
        &["+ trigger counters.closed", "- trigger orders.closed"],
    ),
    // Virtual tables.
    (
        "virtual table added",
        "CREATE VIRTUAL TABLE places",
        "CREATE VIRTUAL TABLE words USING fts5vocab(notes, row); CREATE VIRTUAL TABLE places",
        &["+ virtual table words"],
    ),
    (
        "virtual table dropped",
        "CREATE VIRTUAL TABLE places USING rtree(id, min_x, max_x);",
        "",
        &["- virtual table places"],
    ),
    (
        "virtual table renamed",
        "TABLE places",
        "TABLE locations",
        &["+ virtual table locations", "- virtual table places"],
    ),
    (
        "virtual table spelled otherwise",
        "TABLE places",
        "TABLE Places",
        &["virtual table places: spelling \"places\" -> \"Places\""],
    ),
    (
        "another module",
        "USING rtree(id",
        "USING rtree_i32(id",
        &["virtual table places: module \"rtree\" -> \"rtree_i32\""],
    ),
    (
        "another column of a module",
        "fts5(title, body,",
        "fts5(title, body, author,",
        &[
            "virtual table notes: arguments [\"title\",\"body\",\"tokenize = 'porter ascii'\"] -> [\"title\",\"body\",\"author\",\"tokenize = 'porter ascii'\"]",
        ],
    ),
    (
        "another option of a module",
        "'porter ascii'",
        "'ascii'",
        &[
            "virtual table notes: arguments [\"title\",\"body\",\"tokenize = 'porter ascii'\"] -> [\"title\",\"body\",\"tokenize = 'ascii'\"]",
        ],
    ),
];

/// Attributes that no mutation can change alone or at all, and why.
const UNREACHED: &[(&str, &str, &str)] = &[];

pub(crate) fn mutated(find: &str, replace: &str) -> String {
    assert_eq!(
        START.matches(find).count(),
        1,
        "`{find}` must be there once"
    );
    START.replacen(find, replace, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_is_found_alone() {
    assert!(MUTATIONS.len() >= 80);
    let file = file_of(START).await;
    let start = inspect(&file.path).await;
    let start_rows = rows(&file.path).await;
    let mut wrong = Vec::new();
    for (name, find, replace, expected) in MUTATIONS {
        let file = file_of(&mutated(find, replace)).await;
        let changed = inspect(&file.path).await;
        let found = lines(&compare(&start, &changed));
        if found != *expected {
            wrong.push(format!("{name}:\n  {}", found.join("\n  ")));
        }
        let back = compare(&changed, &start).changes;
        assert_eq!(back.len(), found.len(), "{name}: the way back");
        assert_ne!(rows(&file.path).await, start_rows, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attribute_is_reached() {
    let start = schema_of(START).await;
    let mut reached = BTreeSet::new();
    for (_, find, replace, _) in MUTATIONS {
        let changed = schema_of(&mutated(find, replace)).await;
        for change in compare(&start, &changed).changes {
            let Change::Alter {
                object,
                attribute,
                from,
                to,
            } = change
            else {
                continue;
            };
            let facts = &start.get(&object).unwrap().facts;
            reached.insert((facts.name().to_owned(), attribute));
            reached.extend(nested(facts.name(), &from, &to));
        }
    }
    let all = Facts::ATTRIBUTES.iter();
    let all = all.filter(|(name, _)| name.starts_with("SQLite ")).copied();
    let keys = |of: &str| format!("{of}, a key");
    let mut all: Vec<(String, &[&str])> = all.map(|(name, of)| (name.to_owned(), of)).collect();
    all.push((keys("SQLite primary key"), KeyColumn::ATTRIBUTES));
    all.push((keys("SQLite unique constraint"), KeyColumn::ATTRIBUTES));
    all.push((keys("SQLite index"), IndexKey::ATTRIBUTES));
    for (name, attributes) in all {
        for attribute in attributes {
            let is_reached = reached.contains(&(name.clone(), (*attribute).to_owned()));
            let is_excused = UNREACHED
                .iter()
                .any(|it| (it.0, it.1) == (&*name, *attribute));
            assert_ne!(is_reached, is_excused, "{attribute} of {name}");
        }
    }
}

/// The attributes that differ in two lists of keys.
fn nested(name: &str, from: &Value, to: &Value) -> Vec<(String, String)> {
    let (Some(from), Some(to)) = (from.as_array(), to.as_array()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (from, to) in from.iter().zip(to) {
        let (Some(from), Some(to)) = (from.as_object(), to.as_object()) else {
            continue;
        };
        let names = from.keys().chain(to.keys());
        let differing = names.filter(|name| from.get(*name) != to.get(*name));
        found.extend(differing.map(|attribute| (format!("{name}, a key"), attribute.clone())));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_be_renamed_is_noted() {
    let start = schema_of(START).await;
    for (find, replace, from, to) in [
        (
            "TABLE settings (",
            "TABLE options (",
            "table settings",
            "table options",
        ),
        (
            "note TEXT",
            "remark TEXT",
            "column lines.note",
            "column lines.remark",
        ),
        (
            "one_email",
            "an_email",
            "unique constraint customers.one_email",
            "unique constraint customers.an_email",
        ),
        (
            "to_successor",
            "to_next",
            "foreign key orders.to_successor",
            "foreign key orders.to_next",
        ),
        (
            "CONSTRAINT named",
            "CONSTRAINT has_name",
            "check constraint customers.named",
            "check constraint customers.has_name",
        ),
        (
            "INDEX open_orders",
            "INDEX opened_orders",
            "index orders.open_orders",
            "index orders.opened_orders",
        ),
        ("VIEW totals", "VIEW sums", "view totals", "view sums"),
        (
            "TRIGGER closed",
            "TRIGGER shut",
            "trigger orders.closed",
            "trigger orders.shut",
        ),
        (
            "TABLE places",
            "TABLE locations",
            "virtual table places",
            "virtual table locations",
        ),
    ] {
        let changed = schema_of(&mutated(find, replace)).await;
        let notes = compare(&start, &changed).notes;
        let [Note::PossibleRename { from: old, to: new }] = &notes[..] else {
            panic!("{find}: {notes:?}");
        };
        assert_eq!(
            (old.to_string().as_str(), new.to_string().as_str()),
            (from, to)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dependencies_are_named() {
    let schema = schema_of(START).await;
    let all: Vec<&ObjectId> = schema.objects.iter().map(|object| &object.id).collect();
    let of = |name: &str| {
        let id = all.iter().find(|id| id.to_string() == name);
        let object = schema.get(id.unwrap_or_else(|| panic!("{name}"))).unwrap();
        let on = object.depends_on.iter().map(ToString::to_string);
        on.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        of("foreign key orders (customer) REFERENCES customers"),
        "table customers"
    );
    assert_eq!(of("foreign key orders.to_successor"), "");
    assert_eq!(of("view totals"), "table orders");
    assert_eq!(of("trigger orders.closed"), "table counters");
    assert_eq!(of("trigger names.renamed"), "table customers");
    assert_eq!(of("index orders.open_orders"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_in_another_order_are_noted() {
    let changed = mutated(
        "key TEXT PRIMARY KEY, value ANY",
        "value ANY, KEY TEXT PRIMARY KEY",
    );
    let difference = compare(&schema_of(START).await, &schema_of(&changed).await);
    assert_eq!(
        lines(&difference),
        ["column settings.key: spelling \"key\" -> \"KEY\""]
    );
    let [Note::ColumnOrder { table, from, to }] = &difference.notes[..] else {
        panic!("{:?}", difference.notes);
    };
    assert_eq!(table.to_string(), "settings");
    assert_eq!(
        (from.join(" "), to.join(" ")),
        ("key value".into(), "value KEY".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_survive_json() {
    let schema = schema_of(START).await;
    let json = serde_json::to_string(&schema).unwrap();
    assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), schema);
}
