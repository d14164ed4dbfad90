use super::{Mutation, mutations};

pub const TYPES: &[Mutation] = mutations! {
    "an enum is added", "CREATE TYPE more AS ENUM ('a')" => "add enum shop.more";
    "an enum is dropped", start "CREATE TYPE more AS ENUM ('a')", "DROP TYPE more" => "drop enum shop.more";
    "a label at the end", "ALTER TYPE status ADD VALUE 'lost'" => "enum shop.status: labels";
    "a label in between", "ALTER TYPE status ADD VALUE 'packed' BEFORE 'sent'" => "enum shop.status: labels";
    "a label is renamed", "ALTER TYPE status RENAME VALUE 'paid' TO 'settled'" => "enum shop.status: labels";
    "the order of labels", start "CREATE TYPE more AS ENUM ('a', 'b')", "DROP TYPE more; CREATE TYPE more AS ENUM ('b', 'a')"
        => "enum shop.more: labels";
    "no labels", start "CREATE TYPE more AS ENUM ('a')", "DROP TYPE more; CREATE TYPE more AS ENUM ()" => "enum shop.more: labels";
    "an enum's owner", "ALTER TYPE status OWNER TO migrator_test_a" => "enum shop.status: owner";
    "an enum's privileges", "REVOKE USAGE ON TYPE status FROM PUBLIC" => "enum shop.status: grants";
    "an enum's comment", "COMMENT ON TYPE status IS 'State'" => "enum shop.status: comment";

    "a domain is added", "CREATE DOMAIN more AS text" => "add domain shop.more";
    "a domain is dropped", "DROP DOMAIN plain" => "drop domain shop.plain";
    "a domain's type", "DROP DOMAIN plain; CREATE DOMAIN plain AS bigint" => "domain shop.plain: data_type";
    "a domain's collation", start "CREATE DOMAIN words_of AS text", "DROP DOMAIN words_of; CREATE DOMAIN words_of AS text COLLATE \"C\""
        => "domain shop.words_of: collation";
    "a domain's default", "ALTER DOMAIN plain SET DEFAULT 1" => "domain shop.plain: default";
    "no default of a domain", "ALTER DOMAIN email DROP DEFAULT" => "domain shop.email: default";
    "a domain's NOT NULL", "ALTER DOMAIN plain SET NOT NULL" => "domain shop.plain: not_null";
    "no NOT NULL of a domain", "ALTER DOMAIN email DROP NOT NULL" => "domain shop.email: not_null";
    "the name of a domain's NOT NULL", from 17, "ALTER DOMAIN email RENAME CONSTRAINT email_not_null TO filled"
        => "domain shop.email: not_null_name";
    "a domain's owner", "ALTER DOMAIN plain OWNER TO migrator_test_a" => "domain shop.plain: owner";
    "a domain's privileges", "GRANT USAGE ON DOMAIN plain TO migrator_test_a" => "domain shop.plain: grants";
    "a domain's comment", "COMMENT ON DOMAIN plain IS 'Plain'" => "domain shop.plain: comment";

    "a composite type is added", "CREATE TYPE more AS (a integer)" => "add composite type shop.more";
    "a composite type without attributes", "CREATE TYPE more AS ()" => "add composite type shop.more";
    "an attribute is added", start "CREATE TYPE more AS (a integer)", "ALTER TYPE more ADD ATTRIBUTE b text"
        => "composite type shop.more: attributes";
    "an attribute is dropped", start "CREATE TYPE more AS (a integer, b text)", "ALTER TYPE more DROP ATTRIBUTE a"
        => "composite type shop.more: attributes";
    "an attribute is renamed", start "CREATE TYPE more AS (a integer)", "ALTER TYPE more RENAME ATTRIBUTE a TO b"
        => "composite type shop.more: attributes";
    "an attribute's type", start "CREATE TYPE more AS (a integer)", "ALTER TYPE more ALTER ATTRIBUTE a TYPE bigint"
        => "composite type shop.more: attributes";
    "an attribute's collation", start "CREATE TYPE more AS (a text)", "ALTER TYPE more ALTER ATTRIBUTE a TYPE text COLLATE \"C\""
        => "composite type shop.more: attributes";
    "an attribute's comment", "COMMENT ON COLUMN address.city IS 'City'" => "composite type shop.address: attributes";
    "the order of attributes", start "CREATE TYPE more AS (a text, b integer)", "DROP TYPE more; CREATE TYPE more AS (b integer, a text)"
        => "composite type shop.more: attributes";
    "a composite type's owner", "ALTER TYPE address OWNER TO migrator_test_a" => "composite type shop.address: owner";
    "a composite type's privileges", "GRANT USAGE ON TYPE address TO migrator_test_a" => "composite type shop.address: grants";
    "a composite type's comment", "COMMENT ON TYPE address IS 'Where'" => "composite type shop.address: comment";

    "a range type is added", "CREATE TYPE more AS RANGE (subtype = text)" => "add range type shop.more";
    "a range type is dropped", start "CREATE TYPE more AS RANGE (subtype = text)", "DROP TYPE more" => "drop range type shop.more";
    "a range's subtype", start "CREATE TYPE more AS RANGE (subtype = bigint)", "DROP TYPE more; CREATE TYPE more AS RANGE (subtype = integer)"
        => "range type shop.more: subtype";
    "a range's operator class", start "CREATE TYPE more AS RANGE (subtype = text)",
        "DROP TYPE more; CREATE TYPE more AS RANGE (subtype = text, subtype_opclass = text_pattern_ops)"
        => "range type shop.more: operator_class";
    "a range's collation", start "CREATE TYPE more AS RANGE (subtype = text)",
        "DROP TYPE more; CREATE TYPE more AS RANGE (subtype = text, collation = \"C\")" => "range type shop.more: collation";
    "a range's canonical function", start "CREATE TYPE more AS RANGE (subtype = integer)",
        "DROP TYPE more; CREATE TYPE more; \
        CREATE FUNCTION canonical(more) RETURNS more LANGUAGE internal IMMUTABLE STRICT AS 'int4range_canonical'; \
        CREATE TYPE more AS RANGE (subtype = integer, canonical = canonical)"
        => "range type shop.more: canonical", "add function shop.canonical(shop.more)";
    "a range's difference", start "CREATE TYPE more AS RANGE (subtype = double precision)",
        "DROP TYPE more; CREATE TYPE more AS RANGE (subtype = double precision, subtype_diff = float8mi)"
        => "range type shop.more: difference";
    "a range's multirange", from 14, start "CREATE TYPE more AS RANGE (subtype = text)",
        "DROP TYPE more; CREATE TYPE more AS RANGE (subtype = text, multirange_type_name = mores)"
        => "range type shop.more: multirange";
    "a renamed multirange", from 14, "ALTER TYPE span_multirange RENAME TO spans" => "range type shop.span: multirange";
    "a range's owner", "ALTER TYPE span OWNER TO migrator_test_a" => "range type shop.span: owner";
    "a range's privileges", "GRANT USAGE ON TYPE span TO migrator_test_a" => "range type shop.span: grants";
    "a range's comment", "COMMENT ON TYPE span IS 'Span'" => "range type shop.span: comment";

    "a collation is added", "CREATE COLLATION more (provider = libc, locale = 'C')" => "add collation shop.more";
    "a collation is dropped", "DROP COLLATION strict_c" => "drop collation shop.strict_c";
    "LC_COLLATE", "DROP COLLATION strict_c; CREATE COLLATION strict_c (provider = libc, lc_collate = 'POSIX', lc_ctype = 'C')"
        => "collation shop.strict_c: lc_collate";
    "LC_CTYPE", "DROP COLLATION strict_c; CREATE COLLATION strict_c (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX')"
        => "collation shop.strict_c: lc_ctype";
    "a collation's provider", "DROP COLLATION strict_c; CREATE COLLATION strict_c (provider = icu, locale = 'C')"
        => "collation shop.strict_c: provider", "collation shop.strict_c: locale", "collation shop.strict_c: lc_collate",
        "collation shop.strict_c: lc_ctype";
    "a collation's locale", start "CREATE COLLATION german (provider = icu, locale = 'de')",
        "DROP COLLATION german; CREATE COLLATION german (provider = icu, locale = 'de-AT')" => "collation shop.german: locale";
    "a collation that is not deterministic", start "CREATE COLLATION german (provider = icu, locale = 'de')",
        "DROP COLLATION german; CREATE COLLATION german (provider = icu, locale = 'de', deterministic = false)"
        => "collation shop.german: deterministic";
    "a collation's rules", from 16, start "CREATE COLLATION german (provider = icu, locale = 'de')",
        "DROP COLLATION german; CREATE COLLATION german (provider = icu, locale = 'de', rules = '&V << w <<< W')"
        => "collation shop.german: rules";
    "a builtin collation", from 17, "DROP COLLATION strict_c; CREATE COLLATION strict_c (provider = builtin, locale = 'C.UTF-8')"
        => "collation shop.strict_c: provider", "collation shop.strict_c: locale", "collation shop.strict_c: lc_collate",
        "collation shop.strict_c: lc_ctype";
    "a collation's owner", "ALTER COLLATION strict_c OWNER TO migrator_test_a" => "collation shop.strict_c: owner";
    "a collation's comment", "COMMENT ON COLLATION strict_c IS 'C'" => "collation shop.strict_c: comment";

    "a text search dictionary is added", "CREATE TEXT SEARCH DICTIONARY more (TEMPLATE = simple)" => "add text search dictionary shop.more";
    "a dictionary's template", start "CREATE TEXT SEARCH DICTIONARY more (TEMPLATE = simple)",
        "DROP TEXT SEARCH DICTIONARY more; CREATE TEXT SEARCH TEMPLATE simple_too (INIT = dsimple_init, LEXIZE = dsimple_lexize); \
        CREATE TEXT SEARCH DICTIONARY more (TEMPLATE = simple_too)" => "text search dictionary shop.more: template";
    "a dictionary's options", "ALTER TEXT SEARCH DICTIONARY words (accept = false)" => "text search dictionary shop.words: options";
    "no options of a dictionary", "ALTER TEXT SEARCH DICTIONARY words (stopwords)" => "text search dictionary shop.words: options";
    "a dictionary's owner", "ALTER TEXT SEARCH DICTIONARY words OWNER TO migrator_test_a" => "text search dictionary shop.words: owner";
    "a dictionary's comment", "COMMENT ON TEXT SEARCH DICTIONARY words IS 'Words'" => "text search dictionary shop.words: comment";
    "a text search configuration is dropped", "DROP TEXT SEARCH CONFIGURATION searching" => "drop text search configuration shop.searching";
    "a configuration's parser", start "CREATE TEXT SEARCH PARSER parser_too (START = prsd_start, GETTOKEN = prsd_nexttoken, \
        END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline); \
        CREATE TEXT SEARCH CONFIGURATION more (PARSER = pg_catalog.default)",
        "DROP TEXT SEARCH CONFIGURATION more; CREATE TEXT SEARCH CONFIGURATION more (PARSER = parser_too)"
        => "text search configuration shop.more: parser";
    "a token's dictionaries", "ALTER TEXT SEARCH CONFIGURATION searching ALTER MAPPING FOR asciiword WITH simple"
        => "text search configuration shop.searching: mappings";
    "the order of a token's dictionaries", "ALTER TEXT SEARCH CONFIGURATION searching ALTER MAPPING FOR asciiword WITH simple, words"
        => "text search configuration shop.searching: mappings";
    "another token", "ALTER TEXT SEARCH CONFIGURATION searching ADD MAPPING FOR word WITH simple"
        => "text search configuration shop.searching: mappings";
    "no token", "ALTER TEXT SEARCH CONFIGURATION searching DROP MAPPING FOR asciiword"
        => "text search configuration shop.searching: mappings";
    "a configuration's owner", "ALTER TEXT SEARCH CONFIGURATION searching OWNER TO migrator_test_a"
        => "text search configuration shop.searching: owner";
    "a configuration's comment", "COMMENT ON TEXT SEARCH CONFIGURATION searching IS 'Search'"
        => "text search configuration shop.searching: comment";
};
