//! Whether a database is empty.

use super::{super::message::literal, catalog::FIRST_USER_OID};

/// Catalogs whose rows are made by users from [`FIRST_USER_OID`] on, and conditions of such rows that come
/// with others. Tables are looked for apart.
const MADE: &[(&str, &str)] = &[
    ("pg_namespace", "true"),
    ("pg_proc", "true"),
    // Not the types of rows, nor arrays.
    ("pg_type", "o.typrelid = '0' AND o.typelem = '0'"),
    ("pg_extension", "true"),
    ("pg_operator", "true"),
    ("pg_opclass", "true"),
    ("pg_opfamily", "true"),
    ("pg_cast", "true"),
    ("pg_collation", "true"),
    ("pg_conversion", "true"),
    ("pg_language", "true"),
    ("pg_ts_config", "true"),
    ("pg_ts_dict", "true"),
    ("pg_ts_parser", "true"),
    ("pg_ts_template", "true"),
    ("pg_am", "true"),
    ("pg_transform", "true"),
    ("pg_event_trigger", "true"),
    ("pg_publication", "true"),
    ("pg_foreign_data_wrapper", "true"),
    ("pg_foreign_server", "true"),
    ("pg_default_acl", "true"),
];

/// A query whether anything that users make is in the database, other than the version table, its log, and what
/// belongs to them.
pub(super) fn query(table: &str, log: &str) -> String {
    let own = format!(
        "(to_regclass({}), to_regclass({}))",
        literal(table),
        literal(log)
    );
    let made = MADE.iter().map(|(catalog, condition)| {
        format!(
            "EXISTS (SELECT FROM {catalog} AS o WHERE o.oid >= '{FIRST_USER_OID}' AND {condition})"
        )
    });
    let made: Vec<_> = made.collect();
    format!(
        "SELECT (EXISTS (SELECT FROM pg_class AS o WHERE o.oid >= '{FIRST_USER_OID}' \
         AND o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND o.oid NOT IN {own} \
         AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = o.oid \
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid IN {own} AND d.deptype IN ('a', 'i'))) \
         OR EXISTS (SELECT FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase \
          WHERE d.datname = current_database()) \
         OR EXISTS (SELECT FROM pg_largeobject_metadata) OR {})::text",
        made.join(" OR ")
    )
}
