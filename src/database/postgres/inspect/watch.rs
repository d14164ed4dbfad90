//! What has changed in the catalogs since they were read.
//!
//! Every row of a catalog bears the number of the transaction that wrote it. Catalogs that have as many
//! rows as before, none of them by a transaction that was not over before, have the same rows. Rows of
//! relations and their parts are only counted where they can vanish by themselves; which ones have vanished is
//! asked when the counts tell that some have.

use std::collections::{BTreeMap, HashMap, HashSet};

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
const CATALOGS: [Watched; 33] = [
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
    Watched("pg_statistic_ext", All, None),
    Watched("pg_inherits", All, None),
    // Other rows come and go with those of the objects that depend on something.
    Watched("pg_depend", Where("deptype IN ('e', 'x')"), None),
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

/// A catalog of relations or their parts.
struct Parts {
    name: &'static str,
    /// The column with the relation that a row belongs to.
    relation: &'static str,
    /// The condition on the rows that matter.
    rows: &'static str,
    /// Whether rows vanish without a new row of the relation in another catalog of these, and without
    /// the relation. They have OIDs then.
    vanish: bool,
}

const fn parts(
    name: &'static str,
    relation: &'static str,
    rows: &'static str,
    vanish: bool,
) -> Parts {
    Parts {
        name,
        relation,
        rows,
        vanish,
    }
}

/// The catalogs of relations and their parts.
const PARTS: [Parts; 10] = [
    parts("pg_class", "oid", "oid >= 16384", true),
    parts(
        "pg_attribute",
        "attrelid",
        "attrelid >= 16384 AND attnum > 0",
        false,
    ),
    // The row of the column tells whether it has a default.
    parts("pg_attrdef", "adrelid", "true", false),
    // An index is a relation.
    parts("pg_index", "indrelid", "indexrelid >= 16384", false),
    // Those of domains belong to no relation.
    parts("pg_constraint", "conrelid", "oid >= 16384", true),
    parts("pg_sequence", "seqrelid", "true", false),
    // The privileges of a composite type are those of its type.
    parts("pg_type", "typrelid", "typrelid >= 16384", false),
    parts("pg_trigger", "tgrelid", "oid >= 16384", true),
    parts("pg_rewrite", "ev_class", "oid >= 16384", true),
    parts("pg_policy", "polrelid", "true", true),
];

/// The number of queries in [`queries`].
pub(super) const QUERIES: usize = 3;

/// Added to the number of a catalog in [`PARTS`].
const OF_PARTS: i32 = 1000;

/// The catalogs of a server.
fn catalogs(version: Version) -> impl Iterator<Item = &'static Watched> {
    let newer = NEWER.iter().filter(move |_| version.has(15));
    CATALOGS.iter().chain(newer)
}

/// The queries that tell what has changed, with the types of their parameters. The parameters are the
/// transaction since which rows are recent, and the last OID that was known then.
///
/// All rows that are counted are grouped together: an aggregate for each catalog would take longer to start
/// than to run.
pub(super) fn queries(version: Version) -> [(&'static str, String); QUERIES] {
    let numbered = (0..).zip(catalogs(version));
    let catalogs = numbered.map(|(number, Watched(name, rows, oid)): (i32, _)| {
        let condition = match rows {
            All => "true".to_owned(),
            Of(column) => format!("{column} >= {FIRST_USER_OID}"),
            Where(condition) => (*condition).to_owned(),
        };
        let oid = oid.unwrap_or("NULL::oid");
        format!("SELECT {number}, {oid}, xmin FROM {name} WHERE {condition}")
    });
    let vanishing = numbered_parts().filter(|(_, parts)| parts.vanish);
    let vanishing = vanishing.map(|(number, Parts { name, rows, .. })| {
        format!("SELECT {number}, oid, xmin FROM {name} WHERE {rows}")
    });
    let counted: Vec<String> = catalogs.chain(vanishing).collect();
    let recent = numbered_parts().map(|(number, parts)| {
        let Parts {
            name,
            relation,
            rows,
            vanish,
        } = parts;
        let (distinct, oid) = match vanish {
            true => ("", "oid"),
            false => ("DISTINCT", "NULL::oid"),
        };
        format!(
            "SELECT {distinct} {number}, {relation}, {oid} FROM {name} \
             WHERE {rows} AND age(xmin) <= age($1)"
        )
    });
    let recent: Vec<String> = recent.collect();
    [
        (
            "",
            // The oldest transaction that is not over.
            "SELECT txid_snapshot_xmin(txid_current_snapshot()) % 4294967296".to_owned(),
        ),
        (
            "(xid, oid)",
            format!(
                "SELECT catalog, count(*), count(*) FILTER (WHERE age(xmin) <= age($1)), \
                 array_agg(oid) FILTER (WHERE age(xmin) <= age($1) AND oid <= $2), max(oid) \
                 FROM ({}) AS rows (catalog, oid, xmin) GROUP BY catalog",
                counted.join(" UNION ALL ")
            ),
        ),
        ("(xid, oid)", recent.join(" UNION ALL ")),
    ]
}

fn numbered_parts() -> impl Iterator<Item = (i32, &'static Parts)> {
    (OF_PARTS..).zip(&PARTS)
}

/// The query of the rows that are left in a catalog from which some have vanished, with its number.
pub(super) fn left(number: i32) -> String {
    let parts = part_of(number);
    let (name, rows) = parts.map_or(("pg_class", "false"), |it| (it.name, it.rows));
    format!("SELECT oid FROM {name} WHERE {rows}")
}

fn part_of(number: i32) -> Option<&'static Parts> {
    let at = usize::try_from(number.checked_sub(OF_PARTS)?).ok()?;
    PARTS.get(at)
}

/// What is known of the rows of the catalogs at one moment.
#[derive(Default)]
pub(super) struct Marks {
    /// The oldest transaction that was not over.
    since: u32,
    /// The last OID of a row that is counted.
    last: u32,
    /// The number of rows by catalog that has any.
    catalogs: HashMap<&'static str, u64>,
    /// The relations of the rows by their OIDs, by the number of the catalog, of those from which rows vanish.
    parts: BTreeMap<i32, HashMap<u32, u32>>,
}

impl Marks {
    /// Whether a catalog has rows that matter.
    pub fn has(&self, catalog: &str) -> bool {
        self.catalogs.contains_key(catalog)
    }

    /// Whether there are relations, or constraints of domains.
    pub fn has_relations(&self) -> bool {
        self.has("pg_class") || self.has("pg_constraint")
    }
}

/// What has changed since earlier marks.
#[derive(Default)]
pub(super) struct Changes {
    /// The OIDs of objects that were known and may have other names, by catalog.
    pub updated: HashMap<&'static str, Vec<u32>>,
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
pub(super) struct Watching {
    before: Option<Marks>,
    marks: Marks,
    changes: Changes,
    /// The numbers of catalogs from which rows have vanished.
    lacking: Vec<i32>,
}

impl Watching {
    pub fn new(mut before: Option<Marks>) -> Self {
        let parts = before.as_mut().map(|it| std::mem::take(&mut it.parts));
        Self {
            before,
            marks: Marks {
                parts: parts.unwrap_or_default(),
                ..Marks::default()
            },
            changes: Changes::default(),
            lacking: Vec::new(),
        }
    }

    /// The parameters of the queries.
    pub fn parameters(&self) -> String {
        let before = self.before.as_ref();
        let (since, last) = before.map_or((0, 0), |it| (it.since, it.last));
        format!("('{since}', {last})")
    }

    /// Takes a row of the query with this number.
    pub fn read(&mut self, query: usize, row: &PgRow) -> Result<(), Fault> {
        let fields = &mut Fields::of(row);
        match query {
            0 => self.marks.since = fields.number()?,
            1 => self.count(fields)?,
            _ => {
                let (number, relation): (i32, u32) = (fields.number()?, fields.number()?);
                let oid: Option<u32> = fields.optional_number()?;
                self.changes.relations.insert(relation);
                if let Some(oid) = oid {
                    let rows = self.marks.parts.entry(number).or_default();
                    rows.insert(oid, relation);
                }
            }
        }
        Ok(())
    }

    /// Takes the counts of a catalog.
    fn count(&mut self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        let number: i32 = fields.number()?;
        let (count, recent): (u64, u64) = (fields.number()?, fields.number()?);
        let updated = fields.numbers::<u32>()?;
        let made = recent.saturating_sub(updated.len() as u64);
        let last: Option<u32> = fields.optional_number()?;
        self.marks.last = self.marks.last.max(last.unwrap_or(0));
        let found = usize::try_from(number).ok();
        let found = found.and_then(|it| CATALOGS.iter().chain(&NEWER).nth(it));
        let name = match (found, part_of(number)) {
            (Some(Watched(name, ..)), _) => {
                if !updated.is_empty() {
                    self.changes.updated.insert(name, updated);
                }
                name
            }
            (None, Some(parts)) => parts.name,
            (None, None) => return Err(Fault::Malformed(format!("catalog {number}"))),
        };
        let before = self.before.as_ref();
        let known = before.and_then(|it| it.catalogs.get(name).copied());
        if recent > 0 || known != Some(count) {
            self.changes.catalogs.insert(name);
        }
        if found.is_none() && self.before.is_some() && count != known.unwrap_or(0) + made {
            self.lacking.push(number);
        }
        self.marks.catalogs.insert(name, count);
        Ok(())
    }

    /// Looks for catalogs that have no rows any more. Returns the numbers of those from which rows have
    /// vanished, apart from these.
    pub fn lacking(&mut self) -> Vec<i32> {
        if let Some(before) = &self.before {
            let known = before.catalogs.keys();
            let emptied = known.filter(|it| !self.marks.catalogs.contains_key(*it));
            let emptied: Vec<&'static str> = emptied.copied().collect();
            for (number, parts) in numbered_parts() {
                if emptied.contains(&parts.name) {
                    self.keep(number, &HashSet::new());
                }
            }
            self.changes.catalogs.extend(emptied);
        }
        std::mem::take(&mut self.lacking)
    }

    /// Takes the OIDs of the rows that are left in a catalog.
    pub fn keep(&mut self, number: i32, left: &HashSet<u32>) {
        let Some(rows) = self.marks.parts.get_mut(&number) else {
            return;
        };
        let gone = &mut self.changes.relations;
        rows.retain(|oid, relation| {
            let stays = left.contains(oid);
            if !stays {
                gone.insert(*relation);
            }
            stays
        });
    }

    /// The marks and what has changed.
    pub fn end(self) -> (Marks, Changes) {
        (self.marks, self.changes)
    }
}
