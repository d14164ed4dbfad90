//! The contents of a database: the rows of its tables and a fingerprint of its schema.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};

use super::{
    super::{DatabaseError, backup::Contents},
    backup::{failed, text},
    message::rows,
};

/// The relations in a copy: those of users, except those of extensions.
const COPIED: &str = "n.nspname NOT IN ('pg_catalog', 'information_schema') \
     AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%' \
     AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.deptype = 'e' \
     AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid)";

/// The row counts of all tables and the fingerprint of the schema, as seen by the transaction.
pub(super) async fn contents(connection: &mut PgConnection) -> Result<Contents, DatabaseError> {
    let sql = format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), \
         pg_catalog.concat(n.nspname, '.', c.relname) \
         FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND {COPIED} ORDER BY 2"
    );
    let found = rows(connection, &sql).await.map_err(|e| failed(&e))?;
    let mut tables = BTreeMap::new();
    for row in &found {
        let counting = format!(
            "SELECT pg_catalog.count(*) FROM ONLY {}",
            text(Some(row), 0)?
        );
        let counted = rows(connection, &counting).await;
        let counted = counted.map_err(|e| failed(&e))?;
        let number = counted
            .first()
            .map_or(Ok(0), |row| row.try_get::<i64, _>(0));
        let number = number.map_err(|e| failed(&e))?.unsigned_abs();
        tables.insert(text(Some(row), 1)?, number);
    }
    Ok(Contents {
        unchecked: None,
        tables,
        schema: fingerprint(connection).await?,
    })
}

/// The parts of a schema, one line each. The texts of expressions are omitted, since the server
/// formats some of them differently after a restore.
const PARTS: &[&str] = &[
    "SELECT pg_catalog.concat_ws(' ', 'relation', n.nspname, c.relname, c.relkind::text, c.relispartition, c.relrowsecurity) \
     FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' AND {COPIED}",
    "SELECT pg_catalog.concat_ws(' ', 'column', n.nspname, c.relname, \
     pg_catalog.row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname, \
     pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef, a.attidentity::text, a.attgenerated::text) \
     FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') \
     AND c.relpersistence <> 't' AND {COPIED}",
    "SELECT pg_catalog.concat_ws(' ', 'index', n.nspname, t.relname, c.relname, i.indisunique, i.indisprimary, i.indnatts, \
     i.indpred IS NOT NULL, (SELECT pg_catalog.string_agg(a.attname, ',' ORDER BY a.attnum) \
     FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid)) \
     FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid \
     JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     WHERE i.indisvalid AND t.relpersistence <> 't' AND {COPIED}",
    "SELECT pg_catalog.concat_ws(' ', 'constraint', n.nspname, c.relname, k.conname, k.contype::text, k.condeferrable, \
     k.condeferred, k.convalidated, k.confrelid::pg_catalog.regclass, k.confupdtype::text, k.confdeltype::text, \
     (SELECT pg_catalog.string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a \
     WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey))) \
     FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
     WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND {COPIED}",
    "SELECT pg_catalog.concat_ws(' ', 'trigger', n.nspname, c.relname, t.tgname, t.tgtype, t.tgenabled::text, t.tgfoid::pg_catalog.regproc) \
     FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND {COPIED}",
    "SELECT pg_catalog.concat_ws(' ', 'policy', n.nspname, c.relname, p.polname, p.polcmd::text, p.polpermissive) \
     FROM pg_catalog.pg_policy AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE {COPIED}",
    "SELECT pg_catalog.concat_ws(' ', 'sequence', n.nspname, c.relname, s.seqtypid::pg_catalog.regtype, \
     s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle) \
     FROM pg_catalog.pg_sequence AS s JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid \
     JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relpersistence <> 't' AND {COPIED}",
    "SELECT pg_catalog.concat_ws(' ', 'function', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid), \
     p.prokind::text, pg_catalog.format_type(p.prorettype, NULL), pg_catalog.md5(p.prosrc)) \
     FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_temp%' \
     AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.deptype = 'e' \
     AND e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid)",
    "SELECT pg_catalog.concat_ws(' ', 'type', n.nspname, t.typname, t.typtype::text, \
     (SELECT pg_catalog.string_agg(l.enumlabel, ',' ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum AS l WHERE l.enumtypid = t.oid)) \
     FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
     WHERE t.typtype IN ('e', 'd', 'r') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
     AND n.nspname NOT LIKE 'pg\\_temp%' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS e WHERE e.deptype = 'e' \
     AND e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND e.objid = t.oid)",
    "SELECT pg_catalog.concat_ws(' ', 'extension', x.extname) FROM pg_catalog.pg_extension AS x",
    "SELECT pg_catalog.concat_ws(' ', 'schema', n.nspname) FROM pg_catalog.pg_namespace AS n \
     WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'",
];

async fn fingerprint(connection: &mut PgConnection) -> Result<String, DatabaseError> {
    let parts = PARTS.join(" UNION ALL ").replace("{COPIED}", COPIED);
    let sql = format!(
        "SELECT p.line FROM ({parts}) AS p (line) ORDER BY p.line COLLATE pg_catalog.\"C\""
    );
    let mut hash = Sha256::new();
    for row in rows(connection, &sql).await.map_err(|e| failed(&e))? {
        hash.update(text(Some(&row), 0)?);
        hash.update(b"\n");
    }
    Ok(format!("{:x}", hash.finalize()))
}
