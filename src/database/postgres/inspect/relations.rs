//! Tables, views and sequences.

use super::{
    OF_RELATIONS, Query,
    catalog::{Catalog, FIRST_USER_OID, Relation, class},
    fields::{Fault, Fields},
    privileges::acl,
    servers::split_secrets,
};
use crate::schema::{
    Facts, Kind, Name, ObjectId,
    postgres::{
        Foreign, MaterializedView, Options, Partition, ReplicaIdentity, Sequence, SequenceRange,
        Table, View,
    },
};

pub(super) fn queries() -> Vec<Query> {
    vec![
        Query::new(
            format!(
                "SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.relowner, \
                 CASE c.relkind WHEN 'c' THEN (SELECT t.typacl FROM pg_type AS t WHERE t.oid = c.reltype) ELSE c.relacl END, \
                 c.reltype, c.relpersistence, c.reltablespace, c.relam, c.reloptions, \
                 c.relreplident, c.relrowsecurity, c.relforcerowsecurity, c.relispopulated, \
                 CASE WHEN c.reloftype <> 0 THEN (SELECT t.typnamespace FROM pg_type AS t WHERE t.oid = c.reloftype) END, \
                 CASE WHEN c.reloftype <> 0 THEN (SELECT t.typname FROM pg_type AS t WHERE t.oid = c.reloftype) END, \
                 c.relispartition, \
                 CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) \
                 WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, \
                 CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END \
                 FROM pg_class AS c WHERE c.oid >= {FIRST_USER_OID} \
                 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND c.relpersistence <> 't' AND {OF_RELATIONS}"
            ),
            read_relation,
        )
        .on_relations("c.oid", 0),
        Query::new(
            // What changes these options writes the row of the table, too.
            format!(
                "SELECT c.oid, t.reloptions FROM pg_class AS t \
                 JOIN pg_class AS c ON c.reltoastrelid = t.oid \
                 WHERE t.relkind = 't' AND t.reloptions IS NOT NULL AND {OF_RELATIONS}"
            ),
            read_toast_options,
        )
        .on_relations("c.oid", 0),
        Query::new(
            "SELECT f.ftrelid, s.srvname, f.ftoptions FROM pg_foreign_table AS f \
             JOIN pg_foreign_server AS s ON s.oid = f.ftserver",
            read_foreign_table,
        )
        .on_catalogs(&["pg_foreign_table", "pg_foreign_server"]),
        Query::new(
            "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno",
            read_parent,
        )
        .on_catalogs(&["pg_inherits"]),
        Query::new(
            format!(
                "SELECT s.seqrelid, s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, \
                 s.seqcache, s.seqcycle FROM pg_sequence AS s WHERE s.seqrelid >= {FIRST_USER_OID} AND {OF_RELATIONS}"
            ),
            read_sequence,
        )
        .on_relations("s.seqrelid", 0),
    ]
}

fn read_relation(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, schema) = (fields.oid()?, fields.text()?, fields.oid()?);
    let kind = fields.text()?.as_bytes().first().copied().unwrap_or(0);
    let (owner, acl, row_type) = (fields.oid()?, fields.optional()?, fields.oid()?);
    if catalog.user_schema(schema).is_none() {
        return Ok(());
    }
    let is_member = catalog.is_member(class::CLASS, oid)
        || kind == b'c' && catalog.is_member(class::TYPE, row_type);
    let name = catalog.name(schema, name);
    let relation = Relation {
        name: name.clone(),
        kind,
        owner,
        is_member,
    };
    catalog.relations.insert(oid, relation);
    if is_member {
        return Ok(());
    }
    let id = |kind| ObjectId::new(kind, name.schema.clone(), name.name.clone());
    let (id, facts): (_, Facts) = match kind {
        b'c' => {
            let grants = catalog.grants(acl::TYPE, acl, owner)?;
            let owner = catalog.owner(owner);
            let object = catalog.add_composite(oid, row_type, id(Kind::Composite));
            object.owner = owner;
            object.grants = grants;
            return Ok(());
        }
        b'v' => (id(Kind::View), view(fields)?.into()),
        b'm' => (
            id(Kind::MaterializedView),
            materialized_view(catalog, fields)?.into(),
        ),
        b'f' => {
            let facts = Table {
                // Foreign tables have none.
                replica_identity: ReplicaIdentity::Default,
                ..table(catalog, fields)?
            };
            (id(Kind::Table), facts.into())
        }
        b'S' => {
            let unlogged = fields.text()? == "u";
            let facts = Sequence {
                unlogged,
                ..Sequence::default()
            };
            (id(Kind::Sequence), facts.into())
        }
        _ => (id(Kind::Table), table(catalog, fields)?.into()),
    };
    let acl_kind = if kind == b'S' {
        acl::SEQUENCE
    } else {
        acl::TABLE
    };
    let grants = catalog.grants(acl_kind, acl, owner)?;
    let owner = catalog.owner(owner);
    let object = catalog.add((class::CLASS, oid, 0), id, facts);
    object.owner = owner;
    object.grants = grants;
    Ok(())
}

/// The columns of a table or view that come after those of every relation.
struct Rest<'r> {
    unlogged: bool,
    tablespace: u32,
    method: u32,
    options: Options,
    replica_identity: &'r str,
    row_security: bool,
    force_row_security: bool,
    is_populated: bool,
    of_type: (Option<u32>, Option<&'r str>),
    is_partition: bool,
    /// The bound of a partition, or the query of a view.
    text: Option<&'r str>,
    partition_key: Option<&'r str>,
}

impl<'r> Rest<'r> {
    fn read(fields: &mut Fields<'r>) -> Result<Self, Fault> {
        Ok(Self {
            unlogged: fields.text()? == "u",
            tablespace: fields.oid()?,
            method: fields.oid()?,
            options: fields.options()?,
            replica_identity: fields.text()?,
            row_security: fields.flag()?,
            force_row_security: fields.flag()?,
            is_populated: fields.flag()?,
            of_type: (fields.optional_number()?, fields.optional()?),
            is_partition: fields.flag()?,
            text: fields.optional()?,
            partition_key: fields.optional()?,
        })
    }

    fn query(&self) -> Result<String, Fault> {
        let text = self.text.ok_or(Fault::Dropped)?.trim();
        Ok(text.strip_suffix(';').unwrap_or(text).to_owned())
    }

    /// The access method, if it is not `heap`.
    fn access_method(&self, catalog: &Catalog) -> Option<String> {
        let method = catalog.methods.get(&self.method)?;
        (method != "heap").then(|| method.clone())
    }
}

fn view(fields: &mut Fields<'_>) -> Result<View, Fault> {
    let mut rest = Rest::read(fields)?;
    let check_option = rest.options.remove("check_option");
    Ok(View {
        query: rest.query()?,
        check_option: check_option.map(|option| option.to_ascii_uppercase()),
        options: rest.options,
    })
}

fn materialized_view(
    catalog: &Catalog,
    fields: &mut Fields<'_>,
) -> Result<MaterializedView, Fault> {
    let rest = Rest::read(fields)?;
    Ok(MaterializedView {
        query: rest.query()?,
        access_method: rest.access_method(catalog),
        tablespace: catalog.tablespace(rest.tablespace),
        options: rest.options,
        is_populated: rest.is_populated,
    })
}

fn table(catalog: &Catalog, fields: &mut Fields<'_>) -> Result<Table, Fault> {
    let rest = Rest::read(fields)?;
    let partition_of = if rest.is_partition {
        Some(Partition {
            bound: rest.text.ok_or(Fault::Dropped)?.to_owned(),
            // The parent comes with the rows of pg_inherits.
            parent: Name::default(),
        })
    } else {
        None
    };
    let (schema, name) = rest.of_type;
    let of_type = schema.zip(name);
    Ok(Table {
        unlogged: rest.unlogged,
        access_method: rest.access_method(catalog),
        partition_by: rest.partition_key.map(str::to_owned),
        partition_of,
        inherits: Vec::new(),
        of_type: of_type.map(|(schema, name)| catalog.name(schema, name)),
        foreign: None,
        tablespace: catalog.tablespace(rest.tablespace),
        options: rest.options,
        replica_identity: match rest.replica_identity {
            "f" => ReplicaIdentity::Full,
            "n" => ReplicaIdentity::Nothing,
            // The index comes with the rows of pg_index.
            _ => ReplicaIdentity::Default,
        },
        row_security: rest.row_security,
        force_row_security: rest.force_row_security,
    })
}

fn read_toast_options(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let object = catalog.object((class::CLASS, fields.oid()?, 0));
    let options = fields.options()?.into_iter();
    let options = options.map(|(name, value)| (format!("toast.{name}"), value));
    match object.map(|object| &mut object.facts) {
        Some(Facts::Table(table)) => table.options.extend(options),
        Some(Facts::MaterializedView(view)) => view.options.extend(options),
        _ => {}
    }
    Ok(())
}

fn read_foreign_table(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let object = catalog.object((class::CLASS, fields.oid()?, 0));
    let server = fields.string()?;
    let (options, secrets) = split_secrets(fields.options()?);
    if let Some(Facts::Table(table)) = object.map(|object| &mut object.facts) {
        table.foreign = Some(Foreign {
            server,
            options,
            secrets,
        });
    }
    Ok(())
}

fn read_parent(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (child, parent) = (fields.oid()?, fields.oid()?);
    catalog.parents.entry(child).or_default().push(parent);
    let Some(name) = catalog.relation_name(parent).cloned() else {
        return Ok(());
    };
    if let Some(object) = catalog.object((class::CLASS, child, 0))
        && let Facts::Table(table) = &mut object.facts
    {
        match &mut table.partition_of {
            Some(partition) => partition.parent = name,
            None => table.inherits.push(name),
        }
    }
    Ok(())
}

fn read_sequence(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let oid = fields.oid()?;
    let data_type = match fields.oid()? {
        21 => "smallint",
        23 => "integer",
        _ => "bigint",
    };
    let range = SequenceRange {
        start: fields.number()?,
        increment: fields.number()?,
        min: fields.number()?,
        max: fields.number()?,
        cache: fields.number()?,
        cycle: fields.flag()?,
    };
    let object = catalog.object((class::CLASS, oid, 0));
    if let Some(Facts::Sequence(sequence)) = object.map(|object| &mut object.facts) {
        data_type.clone_into(&mut sequence.data_type);
        sequence.range = range;
    }
    Ok(())
}
