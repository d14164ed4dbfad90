use super::{Mutation, mutations};

pub const ROUTINES: &[Mutation] = mutations! {
    "a function is added", "CREATE FUNCTION more() RETURNS integer LANGUAGE sql AS 'SELECT 1'" => "add function shop.more()";
    "a function is dropped", "DROP FUNCTION rows_of" => "drop function shop.rows_of(integer)";
    "an overloaded function", "CREATE FUNCTION total(price integer) RETURNS integer LANGUAGE sql AS 'SELECT price'"
        => "add function shop.total(integer)";
    "a parameter's type", "DROP FUNCTION rows_of; CREATE FUNCTION rows_of(n bigint) RETURNS SETOF integer LANGUAGE sql AS 'SELECT generate_series(1, n::integer)'"
        => "drop function shop.rows_of(integer)", "add function shop.rows_of(bigint)";
    "a parameter's name", "DROP FUNCTION rows_of; SET check_function_bodies = off; CREATE FUNCTION rows_of(m integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT generate_series(1, n)'"
        => "function shop.rows_of(integer): arguments";
    "a parameter's default", "CREATE OR REPLACE FUNCTION total(price numeric, amount integer DEFAULT 2) RETURNS numeric \
        LANGUAGE sql IMMUTABLE AS 'SELECT price * amount'" => "function shop.total(numeric, integer): arguments";
    "a parameter's mode", start "CREATE FUNCTION modes(a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION modes; CREATE FUNCTION modes(INOUT a integer) LANGUAGE sql AS 'SELECT 1'"
        => "function shop.modes(integer): arguments";
    "a function's result", "DROP FUNCTION rows_of; CREATE FUNCTION rows_of(n integer) RETURNS integer LANGUAGE sql AS 'SELECT generate_series(1, n)'"
        => "function shop.rows_of(integer): returns";
    "a function that returns a table", "DROP FUNCTION rows_of; CREATE FUNCTION rows_of(n integer) RETURNS TABLE (m integer) \
        LANGUAGE sql AS 'SELECT generate_series(1, n)'"
        => "function shop.rows_of(integer): returns";
    "a function's language", "SET check_function_bodies = off; CREATE OR REPLACE FUNCTION rows_of(n integer) RETURNS SETOF integer LANGUAGE plpgsql AS 'SELECT generate_series(1, n)'"
        => "function shop.rows_of(integer): language";
    "a function's body", "CREATE OR REPLACE FUNCTION rows_of(n integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT generate_series(2, n)'"
        => "function shop.rows_of(integer): body";
    "a comment in a body", "CREATE OR REPLACE FUNCTION rows_of(n integer) RETURNS SETOF integer LANGUAGE sql AS 'SELECT generate_series(1, n) -- x'"
        => "function shop.rows_of(integer): body";
    "a standard body", from 14, start "CREATE FUNCTION one() RETURNS integer LANGUAGE sql RETURN 1",
        "CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql RETURN 2" => "function shop.one(): sql_body";
    "a block as body", from 14, start "CREATE FUNCTION one() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
        "CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END"
        => "function shop.one(): sql_body";
    "a C function's symbol", start "CREATE FUNCTION in_c() RETURNS trigger LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler'",
        "CREATE OR REPLACE FUNCTION in_c() RETURNS trigger LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator'"
        => "function shop.in_c(): body";
    "a C function's library", start "CREATE FUNCTION in_c() RETURNS trigger LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator'",
        "CREATE OR REPLACE FUNCTION in_c() RETURNS trigger LANGUAGE c AS 'plpgsql', 'plpgsql_validator'"
        => "function shop.in_c(): library";
    "a window function", start "CREATE FUNCTION numbered() RETURNS bigint LANGUAGE internal AS 'window_row_number'",
        "DROP FUNCTION numbered; CREATE FUNCTION numbered() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number'"
        => "function shop.numbered(): window";
    "STABLE", "ALTER FUNCTION rows_of STABLE" => "function shop.rows_of(integer): volatility";
    "VOLATILE", "ALTER FUNCTION total VOLATILE" => "function shop.total(numeric, integer): volatility";
    "STRICT", "ALTER FUNCTION rows_of STRICT" => "function shop.rows_of(integer): strict";
    "SECURITY DEFINER", "ALTER FUNCTION rows_of SECURITY DEFINER" => "function shop.rows_of(integer): security_definer";
    "LEAKPROOF", "ALTER FUNCTION rows_of LEAKPROOF" => "function shop.rows_of(integer): leakproof";
    "PARALLEL SAFE", "ALTER FUNCTION rows_of PARALLEL SAFE" => "function shop.rows_of(integer): parallel";
    "PARALLEL RESTRICTED", "ALTER FUNCTION rows_of PARALLEL RESTRICTED" => "function shop.rows_of(integer): parallel";
    "COST", "ALTER FUNCTION rows_of COST 5" => "function shop.rows_of(integer): cost";
    "ROWS", "ALTER FUNCTION rows_of ROWS 5" => "function shop.rows_of(integer): rows";
    "SUPPORT", "ALTER FUNCTION rows_of SUPPORT generate_series_int4_support" => "function shop.rows_of(integer): support";
    "TRANSFORM", start "CREATE FUNCTION to_internal(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'jsonb_in'; \
        CREATE TRANSFORM FOR status LANGUAGE plpgsql (FROM SQL WITH FUNCTION to_internal(internal)); \
        CREATE FUNCTION with_status(a status) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        "CREATE OR REPLACE FUNCTION with_status(a status) RETURNS integer LANGUAGE plpgsql TRANSFORM FOR TYPE status AS 'BEGIN RETURN 1; END'"
        => "function shop.with_status(shop.status): transforms";
    "SET in a function", "ALTER FUNCTION rows_of SET work_mem TO '1MB'" => "function shop.rows_of(integer): settings";
    "a list in SET", start "ALTER FUNCTION rows_of SET search_path TO shop", "ALTER FUNCTION rows_of SET search_path TO shop, pg_temp"
        => "function shop.rows_of(integer): settings";
    "RESET", start "ALTER FUNCTION rows_of SET search_path TO shop", "ALTER FUNCTION rows_of RESET ALL"
        => "function shop.rows_of(integer): settings";
    "a function's owner", "ALTER FUNCTION rows_of OWNER TO migrator_test_a" => "function shop.rows_of(integer): owner";
    "a function's privileges", "REVOKE EXECUTE ON FUNCTION rows_of FROM PUBLIC" => "function shop.rows_of(integer): grants";
    "a privilege on a function", "GRANT EXECUTE ON FUNCTION rows_of TO migrator_test_a" => "function shop.rows_of(integer): grants";
    "a function's comment", "COMMENT ON FUNCTION rows_of IS 'Rows'" => "function shop.rows_of(integer): comment";
    "a procedure is added", "CREATE PROCEDURE more() LANGUAGE plpgsql AS 'BEGIN END'" => "add procedure shop.more()";
    "a procedure's body", "CREATE OR REPLACE PROCEDURE tidy(days integer) LANGUAGE plpgsql AS 'BEGIN COMMIT; END'"
        => "procedure shop.tidy(integer): body";
    "a procedure's owner", "ALTER PROCEDURE tidy OWNER TO migrator_test_a" => "procedure shop.tidy(integer): owner";
    "a procedure's privileges", "REVOKE EXECUTE ON PROCEDURE tidy FROM PUBLIC" => "procedure shop.tidy(integer): grants";
    "a procedure's comment", "COMMENT ON PROCEDURE tidy IS 'Tidy'" => "procedure shop.tidy(integer): comment";
    "a procedure becomes a function", "DROP PROCEDURE tidy; CREATE FUNCTION tidy(days integer) RETURNS void LANGUAGE plpgsql AS 'BEGIN NULL; END'"
        => "drop procedure shop.tidy(integer)", "add function shop.tidy(integer)";

    "an aggregate is added", "CREATE AGGREGATE more(integer) (sfunc = add_state, stype = bigint)" => "add aggregate shop.more(integer)";
    "an aggregate is dropped", "DROP AGGREGATE add_up(integer)" => "drop aggregate shop.add_up(integer)";
    "an aggregate's parameter's name", "DROP AGGREGATE add_up(integer); \
        CREATE AGGREGATE add_up(value integer) (sfunc = add_state, stype = bigint, initcond = '0')"
        => "aggregate shop.add_up(integer): arguments";
    "an aggregate's function", "DROP AGGREGATE add_up(integer); CREATE AGGREGATE add_up(integer) (sfunc = add_other, stype = bigint, initcond = '0')"
        => "aggregate shop.add_up(integer): options";
    "an aggregate's start", "DROP AGGREGATE add_up(integer); CREATE AGGREGATE add_up(integer) (sfunc = add_state, stype = bigint, initcond = '1')"
        => "aggregate shop.add_up(integer): options";
    "an aggregate's final function", "DROP AGGREGATE add_up(integer); \
        CREATE AGGREGATE add_up(integer) (sfunc = add_state, stype = bigint, initcond = '0', finalfunc = final_state)"
        => "aggregate shop.add_up(integer): options";
    "an aggregate's combine function", "DROP AGGREGATE add_up(integer); \
        CREATE AGGREGATE add_up(integer) (sfunc = add_state, stype = bigint, initcond = '0', combinefunc = join_states)"
        => "aggregate shop.add_up(integer): options";
    "an aggregate that runs in parallel", "DROP AGGREGATE add_up(integer); \
        CREATE AGGREGATE add_up(integer) (sfunc = add_state, stype = bigint, initcond = '0', parallel = safe)"
        => "aggregate shop.add_up(integer): options";
    "an aggregate's moving form", "DROP AGGREGATE add_up(integer); \
        CREATE AGGREGATE add_up(integer) (sfunc = add_state, stype = bigint, initcond = '0', \
        msfunc = add_state, minvfunc = add_other, mstype = bigint, minitcond = '0')"
        => "aggregate shop.add_up(integer): options";
    "an aggregate's sort operator", "DROP AGGREGATE add_up(integer); \
        CREATE AGGREGATE add_up(integer) (sfunc = add_state, stype = bigint, initcond = '0', sortop = operator(pg_catalog.<))"
        => "aggregate shop.add_up(integer): options";
    "an aggregate's space", "DROP AGGREGATE add_up(integer); \
        CREATE AGGREGATE add_up(integer) (sfunc = add_state, stype = bigint, initcond = '0', sspace = 100)"
        => "aggregate shop.add_up(integer): options";
    "a final function that writes", start "CREATE AGGREGATE more(integer) (sfunc = add_state, stype = bigint, finalfunc = final_state)",
        "DROP AGGREGATE more(integer); CREATE AGGREGATE more(integer) (sfunc = add_state, stype = bigint, finalfunc = final_state, \
        finalfunc_modify = read_write)" => "aggregate shop.more(integer): options";
    "an aggregate's form", start "CREATE FUNCTION ordered_final(internal, float8, anyelement) RETURNS anyelement LANGUAGE internal AS 'percentile_disc_final'; \
        CREATE AGGREGATE more(float8 ORDER BY anyelement) (sfunc = ordered_set_transition, stype = internal, finalfunc = ordered_final, finalfunc_extra); \
        CREATE FUNCTION rank_final(internal, VARIADIC \"any\") RETURNS bigint LANGUAGE internal AS 'hypothetical_rank_final'; \
        CREATE AGGREGATE ranked(VARIADIC \"any\" ORDER BY VARIADIC \"any\") (sfunc = ordered_set_transition_multi, stype = internal, \
        finalfunc = rank_final, finalfunc_extra)",
        "DROP AGGREGATE ranked(VARIADIC \"any\" ORDER BY VARIADIC \"any\"); \
        CREATE AGGREGATE ranked(VARIADIC \"any\" ORDER BY VARIADIC \"any\") (sfunc = ordered_set_transition_multi, stype = internal, \
        finalfunc = rank_final, finalfunc_extra, hypothetical)" => "aggregate shop.ranked(\"any\"): form";
    "an aggregate's owner", "ALTER AGGREGATE add_up(integer) OWNER TO migrator_test_a" => "aggregate shop.add_up(integer): owner";
    "an aggregate's privileges", "REVOKE EXECUTE ON FUNCTION add_up(integer) FROM PUBLIC" => "aggregate shop.add_up(integer): grants";
    "an aggregate's comment", "COMMENT ON AGGREGATE add_up(integer) IS 'Sum'" => "aggregate shop.add_up(integer): comment";

    "an operator is added", "CREATE OPERATOR !== (FUNCTION = differ, LEFTARG = status, RIGHTARG = status)"
        => "add operator shop.!==(shop.status, shop.status)";
    "an operator is dropped", "DROP OPERATOR === (status, status)" => "drop operator shop.===(shop.status, shop.status)";
    "a prefix operator", start "CREATE FUNCTION turn(a status) RETURNS status LANGUAGE sql IMMUTABLE AS 'SELECT a'",
        "CREATE OPERATOR !!! (FUNCTION = turn, RIGHTARG = status)" => "add operator shop.!!!(NONE, shop.status)";
    "an operator's function", "DROP OPERATOR === (status, status); CREATE OPERATOR === (FUNCTION = same_too, LEFTARG = status, RIGHTARG = status)"
        => "operator shop.===(shop.status, shop.status): function";
    "an operator's commutator", "DROP OPERATOR === (status, status); \
        CREATE OPERATOR === (FUNCTION = same, LEFTARG = status, RIGHTARG = status, COMMUTATOR = ===)"
        => "operator shop.===(shop.status, shop.status): commutator";
    "an operator's negator", start "CREATE OPERATOR !== (FUNCTION = differ, LEFTARG = status, RIGHTARG = status)",
        "DROP OPERATOR === (status, status); \
        CREATE OPERATOR === (FUNCTION = same, LEFTARG = status, RIGHTARG = status, NEGATOR = !==)"
        => "operator shop.!==(shop.status, shop.status): negator", "operator shop.===(shop.status, shop.status): negator";
    "an operator's restriction estimator", "ALTER OPERATOR === (status, status) SET (RESTRICT = eqsel)"
        => "operator shop.===(shop.status, shop.status): restrict";
    "an operator's join estimator", "ALTER OPERATOR === (status, status) SET (JOIN = eqjoinsel)"
        => "operator shop.===(shop.status, shop.status): join";
    "hash joins", start "DROP OPERATOR === (status, status); \
        CREATE OPERATOR === (FUNCTION = same, LEFTARG = status, RIGHTARG = status, COMMUTATOR = ===)",
        "DROP OPERATOR === (status, status); \
        CREATE OPERATOR === (FUNCTION = same, LEFTARG = status, RIGHTARG = status, COMMUTATOR = ===, HASHES)"
        => "operator shop.===(shop.status, shop.status): hashes";
    "merge joins", start "DROP OPERATOR === (status, status); \
        CREATE OPERATOR === (FUNCTION = same, LEFTARG = status, RIGHTARG = status, COMMUTATOR = ===)",
        "DROP OPERATOR === (status, status); \
        CREATE OPERATOR === (FUNCTION = same, LEFTARG = status, RIGHTARG = status, COMMUTATOR = ===, MERGES)"
        => "operator shop.===(shop.status, shop.status): merges";
    "an operator's owner", "ALTER OPERATOR === (status, status) OWNER TO migrator_test_a"
        => "operator shop.===(shop.status, shop.status): owner";
    "an operator's comment", "COMMENT ON OPERATOR === (status, status) IS 'Same'"
        => "operator shop.===(shop.status, shop.status): comment";

    "a cast is added", "CREATE CAST (status AS integer) WITH INOUT" => "add cast (shop.status AS integer)";
    "a cast is dropped", "DROP CAST (integer AS status)" => "drop cast (integer AS shop.status)";
    "a cast's function", start "CREATE FUNCTION to_status_too(a integer) RETURNS status LANGUAGE sql IMMUTABLE AS 'SELECT ''new''::shop.status'",
        "DROP CAST (integer AS status); CREATE CAST (integer AS status) WITH FUNCTION to_status_too(integer)"
        => "cast (integer AS shop.status): function";
    "a cast by the text form", start "CREATE DOMAIN small AS integer; CREATE CAST (status AS bigint) WITH INOUT",
        "DROP CAST (status AS bigint); CREATE FUNCTION number_of(a status) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint'; \
        CREATE CAST (status AS bigint) WITH FUNCTION number_of(status)"
        => "cast (shop.status AS bigint): function", "cast (shop.status AS bigint): in_out",
        "add function shop.number_of(shop.status)";
    "a cast on assignment", "DROP CAST (integer AS status); CREATE CAST (integer AS status) WITH FUNCTION to_status(integer) AS ASSIGNMENT"
        => "cast (integer AS shop.status): context";
    "an implicit cast", "DROP CAST (integer AS status); CREATE CAST (integer AS status) WITH FUNCTION to_status(integer) AS IMPLICIT"
        => "cast (integer AS shop.status): context";
    "a cast's comment", "COMMENT ON CAST (integer AS status) IS 'To a state'" => "cast (integer AS shop.status): comment";

    "an event trigger is added", "CREATE EVENT TRIGGER more ON sql_drop EXECUTE FUNCTION on_ddl()" => "add event trigger more";
    "an event trigger is dropped", "DROP EVENT TRIGGER watch_ddl" => "drop event trigger watch_ddl";
    "an event trigger's event", "DROP EVENT TRIGGER watch_ddl; \
        CREATE EVENT TRIGGER watch_ddl ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION on_ddl()"
        => "event trigger watch_ddl: event";
    "an event trigger's tags", "DROP EVENT TRIGGER watch_ddl; \
        CREATE EVENT TRIGGER watch_ddl ON ddl_command_end WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION on_ddl()"
        => "event trigger watch_ddl: tags";
    "an event trigger's function", "DROP EVENT TRIGGER watch_ddl; \
        CREATE EVENT TRIGGER watch_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION on_ddl_too()"
        => "event trigger watch_ddl: function";
    "a disabled event trigger", "ALTER EVENT TRIGGER watch_ddl DISABLE" => "event trigger watch_ddl: enabled";
    "an event trigger for replicas", "ALTER EVENT TRIGGER watch_ddl ENABLE REPLICA" => "event trigger watch_ddl: enabled";
    "an event trigger's owner", "ALTER EVENT TRIGGER watch_ddl OWNER TO migrator_test_c"
        => "event trigger watch_ddl: owner";
    "an event trigger's comment", "COMMENT ON EVENT TRIGGER watch_ddl IS 'Watch'" => "event trigger watch_ddl: comment";
};
