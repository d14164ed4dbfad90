//! What has changed in the catalogs since they were read.
//!
//! Every row of a catalog bears the number of the transaction that wrote it. Catalogs that have as many
//! rows as before, none of them by a transaction that was not over before, have the same rows.

use std::collections::{HashMap, HashSet};

use sqlx::postgres::PgRow;

use super::{
    Version,
    catalog::FIRST_USER_OID,
    fields::{Fault, Fields},
};

/// A catalog, the condition on the rows that matter, and the column that identifies them; the rows of
/// catalogs without one are never updated, or bear no name.
struct Watched(&'static str, Rows, Option<&'static str>);

/// The rows of a catalog that matter.
enum Rows {
    All,
    /// Those with an OID from [`FIRST_USER_OID`] on in this column.
    Of(&'static str),
    Where(&'static str),
}

use Rows::{All, Of, Where};

/// The catalogs, apart from those of relations and their parts. Where one has OIDs, its rows may be named
/// in the definitions of relations.
const CATALOGS: [Watched; 36] = [
    Watched("pg_namespace", All, Some("oid")),
    Watched("pg_tablespace", All, Some("oid")),
    Watched("pg_am", All, Some("oid")),
    Watched("pg_extension", All, Some("oid")),
    Watched("pg_language", All, Some("oid")),
    Watched("pg_proc", Of("oid"), Some("oid")),
    Watched("pg_operator", Of("oid"), Some("oid")),
    Watched("pg_collation", Of("oid"), Some("oid")),
    Watched("pg_opclass", Of("oid"), Some("oid")),
    Watched("pg_opfamily", Of("oid"), Some("oid")),
    // Not those of relations, which are watched with them, and not those of arrays, which follow others.
    Watched(
        "pg_type",
        Where("oid >= 16384 AND typrelid = 0 AND (typarray <> 0 OR typelem = 0)"),
        Some("oid"),
    ),
    Watched("pg_enum", Of("oid"), Some("oid")),
    Watched("pg_range", Of("rngtypid"), None),
    Watched("pg_cast", Of("oid"), Some("oid")),
    Watched("pg_conversion", Of("oid"), Some("oid")),
    Watched("pg_aggregate", Of("aggfnoid"), None),
    Watched("pg_transform", Of("oid"), Some("oid")),
    Watched("pg_foreign_data_wrapper", All, Some("oid")),
    Watched("pg_foreign_server", All, Some("oid")),
    Watched("pg_foreign_table", All, None),
    Watched("pg_ts_parser", Of("oid"), Some("oid")),
    Watched("pg_ts_template", Of("oid"), Some("oid")),
    Watched("pg_ts_dict", Of("oid"), Some("oid")),
    Watched("pg_ts_config", Of("oid"), Some("oid")),
    Watched("pg_ts_config_map", Of("mapcfg"), None),
    Watched("pg_event_trigger", All, None),
    Watched("pg_trigger", Of("oid"), None),
    Watched("pg_rewrite", Of("oid"), None),
    Watched("pg_policy", All, None),
    Watched("pg_statistic_ext", All, None),
    Watched("pg_inherits", All, None),
    Watched("pg_depend", Of("objid"), None),
    // The comment on the schema `public` is one of initdb's.
    Watched(
        "pg_description",
        Where("objoid >= 16384 OR objoid = 2200"),
        None,
    ),
    Watched("pg_default_acl", All, None),
    Watched("pg_publication", All, None),
    Watched("pg_publication_rel", All, None),
];

/// Those that servers have from version 15 on.
const NEWER: [Watched; 1] = [Watched("pg_publication_namespace", All, None)];

/// The relations whose rows are counted: the relation that each row belongs to, and the rows.
const RELATIONS: [(&str, &str); 7] = [
    ("oid", "pg_class WHERE oid >= 16384"),
    (
        "attrelid",
        "pg_attribute WHERE attrelid >= 16384 AND attnum > 0",
    ),
    ("adrelid", "pg_attrdef"),
    ("indrelid", "pg_index WHERE indexrelid >= 16384"),
    // Those of domains belong to no relation.
    ("conrelid", "pg_constraint WHERE oid >= 16384"),
    ("seqrelid", "pg_sequence"),
    // The privileges of a composite type are those of its type.
    ("typrelid", "pg_type WHERE typrelid >= 16384"),
];

/// The number of queries in [`queries`].
pub(super) const QUERIES: usize = 2;

/// In the place of the number of a catalog: rows of [`RELATIONS`].
const OF_RELATION: i32 = -1;

/// The catalogs of a server.
fn catalogs(version: Version) -> impl Iterator<Item = &'static Watched> {
    let newer = NEWER.iter().filter(move |_| version.has(15));
    CATALOGS.iter().chain(newer)
}

/// The queries that tell what has changed, with the types of their parameters. The parameters are the
/// transaction since which rows are recent, and the last OID that was known then.
///
/// All rows are grouped together: an aggregate for each catalog would take longer to start than to run.
pub(super) fn queries(version: Version) -> [(&'static str, String); QUERIES] {
    let numbered = (0..).zip(catalogs(version));
    let catalogs = numbered.map(|(number, Watched(name, rows, oid)): (i32, _)| {
        let condition = match rows {
            All => "true".to_owned(),
            Of(column) => format!("{column} >= {FIRST_USER_OID}"),
            Where(condition) => (*condition).to_owned(),
        };
        let oid = oid.unwrap_or("NULL::oid");
        format!("SELECT {number}, 0::oid, {oid}, xmin FROM {name} WHERE {condition}")
    });
    let relations = RELATIONS.iter().map(|(relation, rows)| {
        format!("SELECT {OF_RELATION}, {relation}, NULL::oid, xmin FROM {rows}")
    });
    let rows: Vec<String> = catalogs.chain(relations).collect();
    [
        (
            "",
            // The oldest transaction that is not over.
            "SELECT txid_snapshot_xmin(txid_current_snapshot()) % 4294967296".to_owned(),
        ),
        (
            "(xid, oid)",
            format!(
                "SELECT catalog, relation, count(*), \
                 count(*) FILTER (WHERE age(xmin) <= age($1)), \
                 count(*) FILTER (WHERE age(xmin) <= age($1) AND oid <= $2), max(oid) \
                 FROM ({}) AS rows (catalog, relation, oid, xmin) GROUP BY catalog, relation",
                rows.join(" UNION ALL ")
            ),
        ),
    ]
}

/// What is known of the rows of the catalogs at one moment.
#[derive(Default)]
pub(super) struct Marks {
    /// The oldest transaction that was not over.
    since: u32,
    /// The last OID of a row in [`CATALOGS`].
    last: u32,
    /// The number of rows by catalog that has any.
    catalogs: HashMap<&'static str, u64>,
    /// The number of rows by relation.
    relations: HashMap<u32, u64>,
}

/// What has changed since earlier marks.
#[derive(Default)]
pub(super) struct Changes {
    /// Whether objects that exist may have other names.
    pub names: bool,
    pub catalogs: HashSet<&'static str>,
    /// The relations with other rows, new ones and dropped ones among them.
    pub relations: HashSet<u32>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.catalogs.is_empty() && self.relations.is_empty()
    }
}

/// Reads marks and what has changed since the earlier ones.
pub(super) struct Watching<'a> {
    before: Option<&'a Marks>,
    pub marks: Marks,
    pub changes: Changes,
}

impl<'a> Watching<'a> {
    pub fn new(before: Option<&'a Marks>) -> Self {
        Self {
            before,
            marks: Marks::default(),
            changes: Changes::default(),
        }
    }

    /// The parameters of the queries.
    pub fn parameters(&self) -> String {
        let (since, last) = self.before.map_or((0, 0), |it| (it.since, it.last));
        format!("('{since}', {last})")
    }

    /// Takes a row of the query with this number.
    pub fn read(&mut self, query: usize, row: &PgRow) -> Result<(), Fault> {
        let fields = &mut Fields::of(row);
        if query == 0 {
            self.marks.since = fields.number()?;
            return Ok(());
        }
        let (catalog, relation): (i32, u32) = (fields.number()?, fields.number()?);
        let (count, recent, updated): (u64, u64, u64) =
            (fields.number()?, fields.number()?, fields.number()?);
        let last: Option<u32> = fields.optional_number()?;
        if catalog == OF_RELATION {
            let known = self.before.and_then(|it| it.relations.get(&relation));
            if recent > 0 || known != Some(&count) {
                self.changes.relations.insert(relation);
            }
            self.marks.relations.insert(relation, count);
            return Ok(());
        }
        let number = usize::try_from(catalog).ok();
        let found = number.and_then(|it| CATALOGS.iter().chain(&NEWER).nth(it));
        let Some(Watched(name, ..)) = found else {
            return Err(Fault::Malformed(format!("catalog {catalog}")));
        };
        self.marks.last = self.marks.last.max(last.unwrap_or(0));
        let known = self.before.and_then(|it| it.catalogs.get(name));
        if recent > 0 || known != Some(&count) {
            self.changes.catalogs.insert(name);
        }
        self.changes.names |= updated > 0;
        self.marks.catalogs.insert(name, count);
        Ok(())
    }

    /// The marks and what has changed.
    pub fn end(mut self) -> (Marks, Changes) {
        if let Some(before) = self.before {
            let known = before.relations.keys();
            let gone = known.filter(|it| !self.marks.relations.contains_key(it));
            self.changes.relations.extend(gone);
            let known = before.catalogs.keys();
            let emptied = known.filter(|it| !self.marks.catalogs.contains_key(*it));
            self.changes.catalogs.extend(emptied);
        }
        (self.marks, self.changes)
    }
}
