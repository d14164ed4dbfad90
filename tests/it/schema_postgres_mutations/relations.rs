use super::{Mutation, mutations};

pub const RELATIONS: &[Mutation] = mutations! {
    "a sequence is added", "CREATE SEQUENCE more" => "add sequence shop.more";
    "a sequence is dropped", "DROP SEQUENCE loose" => "drop sequence shop.loose";
    "a sequence's type", "ALTER SEQUENCE loose AS integer" => "sequence shop.loose: data_type", "sequence shop.loose: range";
    "a sequence's type alone", start "CREATE SEQUENCE small AS integer MAXVALUE 1000", "ALTER SEQUENCE small AS bigint MAXVALUE 1000"
        => "sequence shop.small: data_type";
    "a sequence's start", "ALTER SEQUENCE loose START 5" => "sequence shop.loose: range";
    "a sequence's increment", "ALTER SEQUENCE loose INCREMENT 5" => "sequence shop.loose: range";
    "a sequence's lowest value", "ALTER SEQUENCE loose MINVALUE 0" => "sequence shop.loose: range";
    "a sequence's highest value", "ALTER SEQUENCE loose MAXVALUE 1000" => "sequence shop.loose: range";
    "a sequence's cache", "ALTER SEQUENCE loose CACHE 5" => "sequence shop.loose: range";
    "a sequence that cycles", "ALTER SEQUENCE loose CYCLE" => "sequence shop.loose: range";
    "a sequence's column", "ALTER SEQUENCE loose OWNED BY orders.amount" => "sequence shop.loose: owned_by";
    "no column of a sequence", "ALTER SEQUENCE orders_id_seq OWNED BY NONE" => "sequence shop.orders_id_seq: owned_by";
    "an unlogged sequence", from 15, "ALTER SEQUENCE loose SET UNLOGGED" => "sequence shop.loose: unlogged";
    "a sequence's owner", "ALTER SEQUENCE loose OWNER TO migrator_test_a" => "sequence shop.loose: owner";
    "a sequence's privileges", "GRANT USAGE ON SEQUENCE loose TO migrator_test_a" => "sequence shop.loose: grants";
    "a sequence's comment", "COMMENT ON SEQUENCE loose IS 'Loose'" => "sequence shop.loose: comment";

    "a view is added", "CREATE VIEW more AS SELECT 1 AS a" => "add view shop.more";
    "a view is dropped", "DROP VIEW open_orders" => "drop view shop.open_orders";
    "a view's query", "CREATE OR REPLACE VIEW open_orders AS SELECT id, customer, price FROM orders WHERE state <> 'sent'"
        => "view shop.open_orders: query";
    "a view's column", "CREATE OR REPLACE VIEW open_orders AS SELECT id, customer, price, amount FROM orders WHERE state = 'new'"
        => "view shop.open_orders: query";
    "a view's column's name", "ALTER TABLE open_orders RENAME COLUMN price TO amount" => "view shop.open_orders: query";
    "a view's options", "ALTER VIEW open_orders SET (security_barrier = true)" => "view shop.open_orders: options";
    "a view with its caller's rights", from 15, "ALTER VIEW open_orders SET (security_invoker = true)" => "view shop.open_orders: options";
    "a view's check option", "ALTER VIEW open_orders SET (check_option = local)" => "view shop.open_orders: check_option";
    "another check option", start "ALTER VIEW open_orders SET (check_option = local)",
        "ALTER VIEW open_orders SET (check_option = cascaded)" => "view shop.open_orders: check_option";
    "a view's owner", "ALTER VIEW names OWNER TO migrator_test_a" => "view shop.names: owner";
    "a view's privileges", "GRANT SELECT ON names TO migrator_test_a" => "view shop.names: grants";
    "a view's comment", "COMMENT ON VIEW names IS 'Names'" => "view shop.names: comment";
    "a view becomes a table", "DROP VIEW open_orders; CREATE TABLE open_orders (id integer)"
        => "drop view shop.open_orders", "add table shop.open_orders";

    "a materialized view is added", "CREATE MATERIALIZED VIEW more AS SELECT 1 AS a" => "add materialized view shop.more";
    "a materialized view's query", start "CREATE MATERIALIZED VIEW more AS SELECT 1 AS a",
        "DROP MATERIALIZED VIEW more; CREATE MATERIALIZED VIEW more AS SELECT 2 AS a" => "materialized view shop.more: query";
    "a materialized view's access method", from 15, start "CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler",
        "ALTER MATERIALIZED VIEW totals SET ACCESS METHOD heap_too" => "materialized view shop.totals: access_method";
    "a materialized view's tablespace", "ALTER MATERIALIZED VIEW totals SET TABLESPACE migrator_test_space"
        => "materialized view shop.totals: tablespace";
    "a materialized view's options", "ALTER MATERIALIZED VIEW totals SET (fillfactor = 50)" => "materialized view shop.totals: options";
    "a materialized view's TOAST options", start "CREATE MATERIALIZED VIEW words_of AS SELECT code FROM orders",
        "ALTER MATERIALIZED VIEW words_of SET (toast.autovacuum_enabled = off)" => "materialized view shop.words_of: options";
    "a materialized view's owner", "ALTER MATERIALIZED VIEW totals OWNER TO migrator_test_a" => "materialized view shop.totals: owner";
    "a materialized view's privileges", "GRANT SELECT ON totals TO migrator_test_a" => "materialized view shop.totals: grants";
    "a materialized view's comment", "COMMENT ON MATERIALIZED VIEW totals IS 'Totals'" => "materialized view shop.totals: comment";

    "a trigger is added", "CREATE TRIGGER more AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION log_change()"
        => "add trigger shop.orders.more";
    "a trigger is dropped", "DROP TRIGGER orders_log ON orders" => "drop trigger shop.orders.orders_log";
    "a trigger is renamed", "ALTER TRIGGER orders_log ON orders RENAME TO log_it"
        => "drop trigger shop.orders.orders_log", "add trigger shop.orders.log_it";
    "a trigger's timing", "DROP TRIGGER orders_log ON orders; \
        CREATE TRIGGER orders_log BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_log: timing";
    "a trigger of a view", "CREATE TRIGGER instead INSTEAD OF INSERT ON open_orders FOR EACH ROW EXECUTE FUNCTION log_change()"
        => "add trigger shop.open_orders.instead";
    "a trigger's events", "DROP TRIGGER orders_log ON orders; \
        CREATE TRIGGER orders_log AFTER INSERT OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_log: events";
    "a trigger for TRUNCATE", start "CREATE TRIGGER each AFTER DELETE ON orders EXECUTE FUNCTION log_change()",
        "DROP TRIGGER each ON orders; CREATE TRIGGER each AFTER TRUNCATE ON orders EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.each: events";
    "a trigger's columns", "DROP TRIGGER orders_log ON orders; \
        CREATE TRIGGER orders_log AFTER INSERT OR UPDATE OF code ON orders FOR EACH ROW EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_log: columns";
    "a trigger for each statement", "DROP TRIGGER orders_log ON orders; \
        CREATE TRIGGER orders_log AFTER INSERT OR UPDATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_log: for_each_row";
    "a trigger's condition", "DROP TRIGGER orders_log ON orders; \
        CREATE TRIGGER orders_log AFTER INSERT OR UPDATE ON orders FOR EACH ROW WHEN (NEW.amount > 1) EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_log: condition";
    "another condition of a trigger", "DROP TRIGGER orders_when ON orders; CREATE TRIGGER orders_when BEFORE UPDATE OF price ON orders FOR EACH ROW \
        WHEN (OLD.price < NEW.price) EXECUTE FUNCTION log_change('a', 'b')" => "trigger shop.orders.orders_when: condition";
    "a trigger's function", "DROP TRIGGER orders_log ON orders; \
        CREATE TRIGGER orders_log AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION log_other()"
        => "trigger shop.orders.orders_log: function";
    "a trigger's arguments", "DROP TRIGGER orders_log ON orders; \
        CREATE TRIGGER orders_log AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION log_change('it''s', '')"
        => "trigger shop.orders.orders_log: arguments";
    "a transition table of old rows", "DROP TRIGGER orders_tables ON orders; CREATE TRIGGER orders_tables AFTER UPDATE ON orders \
        REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_tables: old_table";
    "a transition table of new rows", "DROP TRIGGER orders_tables ON orders; CREATE TRIGGER orders_tables AFTER UPDATE ON orders \
        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_tables: new_table";
    "a constraint trigger", "DROP TRIGGER orders_check ON orders; CREATE TRIGGER orders_check AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_change()"
        => "trigger shop.orders.orders_check: constraint", "trigger shop.orders.orders_check: deferrable";
    "a constraint trigger's other table", "DROP TRIGGER orders_check ON orders; CREATE CONSTRAINT TRIGGER orders_check AFTER INSERT ON orders \
        FROM customers DEFERRABLE FOR EACH ROW EXECUTE FUNCTION log_change()" => "trigger shop.orders.orders_check: from_table";
    "a deferred constraint trigger", "DROP TRIGGER orders_check ON orders; CREATE CONSTRAINT TRIGGER orders_check AFTER INSERT ON orders \
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION log_change()" => "trigger shop.orders.orders_check: deferrable";
    "a disabled trigger", "ALTER TABLE orders DISABLE TRIGGER orders_log" => "trigger shop.orders.orders_log: enabled";
    "a trigger for replicas", "ALTER TABLE orders ENABLE REPLICA TRIGGER orders_log" => "trigger shop.orders.orders_log: enabled";
    "a trigger that always fires", "ALTER TABLE orders ENABLE ALWAYS TRIGGER orders_log" => "trigger shop.orders.orders_log: enabled";
    "a trigger of a partitioned table", "CREATE TRIGGER events_log AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION log_change()"
        => "add trigger shop.events.events_log";
    "a trigger that a partition disables", from 13, start "CREATE TRIGGER events_log AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION log_change()",
        "ALTER TABLE events_2026 DISABLE TRIGGER events_log" => "add trigger shop.events_2026.events_log";
    "a trigger's comment", "COMMENT ON TRIGGER orders_log ON orders IS 'Log'" => "trigger shop.orders.orders_log: comment";

    "a rule is added", "CREATE RULE more AS ON UPDATE TO base_too DO ALSO NOTIFY changed" => "add rule shop.base_too.more";
    "a rule is dropped", "DROP RULE orders_quiet ON orders" => "drop rule shop.orders.orders_quiet";
    "a rule's event", "DROP RULE names_insert ON names; \
        CREATE RULE names_insert AS ON UPDATE TO names DO INSTEAD INSERT INTO shop.customers (name) VALUES (new.name)"
        => "rule shop.names.names_insert: event";
    "DO ALSO", "CREATE OR REPLACE RULE names_insert AS ON INSERT TO names DO ALSO INSERT INTO shop.customers (name) VALUES (new.name)"
        => "rule shop.names.names_insert: instead";
    "a rule's action", "CREATE OR REPLACE RULE names_insert AS ON INSERT TO names DO INSTEAD INSERT INTO shop.customers (note) VALUES (new.name)"
        => "rule shop.names.names_insert: definition";
    "a rule's condition", "CREATE OR REPLACE RULE orders_quiet AS ON DELETE TO orders WHERE old.amount > 6 DO INSTEAD NOTHING"
        => "rule shop.orders.orders_quiet: definition";
    "a rule with several actions", "CREATE OR REPLACE RULE orders_quiet AS ON DELETE TO orders WHERE old.amount > 5 \
        DO INSTEAD (DELETE FROM shop.base; DELETE FROM shop.base_too)" => "rule shop.orders.orders_quiet: definition";
    "a disabled rule", "ALTER TABLE orders DISABLE RULE orders_quiet" => "rule shop.orders.orders_quiet: enabled";
    "a rule's comment", "COMMENT ON RULE orders_quiet ON orders IS 'Quiet'" => "rule shop.orders.orders_quiet: comment";

    "a policy is added", "CREATE POLICY more ON orders USING (true)" => "add policy shop.orders.more";
    "a policy is dropped", "DROP POLICY own_rows ON customers" => "drop policy shop.customers.own_rows";
    "a policy's command", "DROP POLICY own_rows ON customers; CREATE POLICY own_rows ON customers FOR DELETE USING (name = CURRENT_USER)"
        => "policy shop.customers.own_rows: command";
    "a restrictive policy", "DROP POLICY own_rows ON customers; \
        CREATE POLICY own_rows ON customers AS RESTRICTIVE FOR SELECT USING (name = CURRENT_USER)"
        => "policy shop.customers.own_rows: restrictive";
    "a policy's roles", "ALTER POLICY own_rows ON customers TO migrator_test_a" => "policy shop.customers.own_rows: roles";
    "a policy's further role", "ALTER POLICY all_rows ON customers TO migrator_test_a, migrator_test_b" => "policy shop.customers.all_rows: roles";
    "a policy for its owner", "ALTER POLICY own_rows ON customers TO CURRENT_USER" => "policy shop.customers.own_rows: roles";
    "a policy's USING", "ALTER POLICY own_rows ON customers USING (name = SESSION_USER)" => "policy shop.customers.own_rows: using";
    "a policy's WITH CHECK", "ALTER POLICY all_rows ON customers WITH CHECK (id > 1)" => "policy shop.customers.all_rows: check";
    "a policy's comment", "COMMENT ON POLICY own_rows ON customers IS 'Own'" => "policy shop.customers.own_rows: comment";
};
