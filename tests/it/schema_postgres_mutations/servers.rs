use super::{Mutation, mutations};

pub const SERVERS: &[Mutation] = mutations! {
    "an extension is added", needs "citext", "CREATE EXTENSION citext SCHEMA other" => "add extension citext";
    "an extension is dropped", needs "citext", start "CREATE EXTENSION citext SCHEMA other", "DROP EXTENSION citext" => "drop extension citext";
    "an extension's schema", needs "citext", start "CREATE EXTENSION citext SCHEMA other", "ALTER EXTENSION citext SET SCHEMA shop"
        => "extension citext: schema";
    "an extension's comment", needs "citext", start "CREATE EXTENSION citext SCHEMA other", "COMMENT ON EXTENSION citext IS 'Mine'"
        => "extension citext: comment";
    "a column of an extension's type", needs "citext", start "CREATE EXTENSION citext SCHEMA other",
        "ALTER TABLE base_too ALTER label TYPE other.citext" => "column shop.base_too.label: data_type";
    "an operator class over the type's own", needs "citext", start "CREATE EXTENSION citext SCHEMA other; \
        ALTER TABLE base_too ALTER label TYPE other.citext; CREATE INDEX by_label ON base_too (label)",
        "DROP INDEX by_label; CREATE INDEX by_label ON base_too (label text_ops)" => "index shop.base_too.by_label: keys";

    "a foreign-data wrapper is added", "CREATE FOREIGN DATA WRAPPER more" => "add foreign-data wrapper more";
    "a foreign-data wrapper is dropped", start "CREATE FOREIGN DATA WRAPPER more", "DROP FOREIGN DATA WRAPPER more"
        => "drop foreign-data wrapper more";
    "a wrapper's handler", start "CREATE FUNCTION handler() RETURNS fdw_handler LANGUAGE internal AS 'now'",
        "ALTER FOREIGN DATA WRAPPER remote HANDLER handler" => "foreign-data wrapper remote: handler";
    "a wrapper's validator", start "CREATE FUNCTION validator(text[], oid) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "ALTER FOREIGN DATA WRAPPER remote VALIDATOR validator" => "foreign-data wrapper remote: validator";
    "a wrapper's options", "ALTER FOREIGN DATA WRAPPER remote OPTIONS (SET debug 'false')" => "foreign-data wrapper remote: options";
    "a wrapper's secret", "ALTER FOREIGN DATA WRAPPER remote OPTIONS (ADD token 'x')" => "foreign-data wrapper remote: secrets";
    "a wrapper's owner", "ALTER FOREIGN DATA WRAPPER remote OWNER TO migrator_test_c"
        => "foreign-data wrapper remote: owner";
    "a wrapper's privileges", "GRANT USAGE ON FOREIGN DATA WRAPPER remote TO migrator_test_a" => "foreign-data wrapper remote: grants";
    "a wrapper's comment", "COMMENT ON FOREIGN DATA WRAPPER remote IS 'Remote'" => "foreign-data wrapper remote: comment";

    "a server is added", "CREATE SERVER more FOREIGN DATA WRAPPER remote" => "add server more";
    "a server is dropped", start "CREATE SERVER more FOREIGN DATA WRAPPER remote", "DROP SERVER more" => "drop server more";
    "a server's wrapper", start "CREATE FOREIGN DATA WRAPPER remote_too; CREATE SERVER more FOREIGN DATA WRAPPER remote",
        "DROP SERVER more; CREATE SERVER more FOREIGN DATA WRAPPER remote_too" => "server more: wrapper";
    "a server's type", start "CREATE SERVER more TYPE 'a' FOREIGN DATA WRAPPER remote",
        "DROP SERVER more; CREATE SERVER more TYPE 'b' FOREIGN DATA WRAPPER remote" => "server more: server_type";
    "a server's version", "ALTER SERVER far VERSION '2'" => "server far: version";
    "a server's options", "ALTER SERVER far OPTIONS (SET host 'b')" => "server far: options";
    "no option of a server", "ALTER SERVER far OPTIONS (DROP port)" => "server far: options";
    "a server's secret", "ALTER SERVER far OPTIONS (ADD password 'x')" => "server far: secrets";
    "a server's owner", "ALTER SERVER far OWNER TO migrator_test_c"
        => "server far: owner";
    "a server's privileges", "GRANT USAGE ON FOREIGN SERVER far TO migrator_test_a" => "server far: grants";
    "a server's comment", "COMMENT ON SERVER far IS 'Far'" => "server far: comment";

    "a user mapping is added", "CREATE USER MAPPING FOR PUBLIC SERVER far" => "add user mapping far.\"PUBLIC\"";
    "a user mapping is dropped", "DROP USER MAPPING FOR migrator_test_a SERVER far" => "drop user mapping far.migrator_test_a";
    "a user mapping's options", "ALTER USER MAPPING FOR migrator_test_a SERVER far OPTIONS (SET user 'v')"
        => "user mapping far.migrator_test_a: options";
    "a user mapping's secret", "ALTER USER MAPPING FOR migrator_test_a SERVER far OPTIONS (DROP password)"
        => "user mapping far.migrator_test_a: secrets";

    "a publication is added", "CREATE PUBLICATION more FOR ALL TABLES" => "add publication more";
    "a publication is dropped", "DROP PUBLICATION changes" => "drop publication changes";
    "a publication of all tables", start "CREATE PUBLICATION more", "DROP PUBLICATION more; CREATE PUBLICATION more FOR ALL TABLES"
        => "publication more: all_tables";
    "a published table", "ALTER PUBLICATION changes ADD TABLE customers" => "publication changes: tables";
    "another published table", "ALTER PUBLICATION changes SET TABLE customers" => "publication changes: tables";
    "published columns", from 15, "ALTER PUBLICATION changes SET TABLE orders (id, price)" => "publication changes: tables";
    "published rows", from 15, "ALTER PUBLICATION changes SET TABLE orders WHERE (id > 10)" => "publication changes: tables";
    "a published schema", from 15, "ALTER PUBLICATION changes ADD TABLES IN SCHEMA other" => "publication changes: schemas";
    "published operations", "ALTER PUBLICATION changes SET (publish = 'insert, update')" => "publication changes: operations";
    "a publication via the root", from 13, "ALTER PUBLICATION changes SET (publish_via_partition_root = true)" => "publication changes: via_root";
    "published generated columns", from 18, "ALTER PUBLICATION changes SET (publish_generated_columns = stored)"
        => "publication changes: generated_columns";
    "a publication's owner", "ALTER PUBLICATION changes OWNER TO migrator_test_c"
        => "publication changes: owner";
    "a publication's comment", "COMMENT ON PUBLICATION changes IS 'Changes'" => "publication changes: comment";
};

/// What is no change of the schema.
pub const NOTHING: &[Mutation] = mutations! {
    "rows", "INSERT INTO base_too VALUES (1, 'a')" =>;
    "a sequence's value", "SELECT nextval('loose'), setval('numbers', 50)" =>;
    "statistics of rows", "ANALYZE orders" =>;
    "an empty materialized view", "REFRESH MATERIALIZED VIEW totals WITH NO DATA" =>;
    "privileges that the owner has", "GRANT ALL ON base TO CURRENT_USER" =>;
    "privileges that come and go", "GRANT INSERT ON base TO migrator_test_a; REVOKE INSERT ON base FROM migrator_test_a" =>;
    "a comment that is the same", "COMMENT ON TABLE orders IS 'All orders'" =>;
    "a constraint that comes back", "ALTER TABLE orders DROP CONSTRAINT orders_price_check; \
        ALTER TABLE orders ADD CONSTRAINT orders_price_check CHECK (0 <= 1 AND price >= 0); \
        ALTER TABLE orders DROP CONSTRAINT orders_price_check; \
        ALTER TABLE orders ADD CONSTRAINT orders_price_check CHECK (price >= 0)" =>;
    "a label's place by another way", start "CREATE TYPE more AS ENUM ('a', 'c')",
        "DROP TYPE more; CREATE TYPE more AS ENUM ('c'); ALTER TYPE more ADD VALUE 'a' BEFORE 'c'" =>;
    "a statistics target of -1", start "ALTER TABLE customers ALTER note SET STATISTICS -1", "ALTER TABLE customers ALTER note SET STATISTICS -1" =>;
    "a temporary table", "CREATE TEMPORARY TABLE gone (a integer)" =>;
};
