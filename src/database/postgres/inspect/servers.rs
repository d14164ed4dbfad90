//! Extensions, foreign servers, text search and publications.

use super::{
    Query, Reach, Version,
    catalog::{Catalog, FIRST_USER_OID, class},
    fields::{Fault, Fields},
    privileges::acl,
    text,
};
use crate::schema::{
    Facts, Kind, Name, Object, ObjectId, Unreadable,
    postgres::{
        Extension, ForeignDataWrapper, Options, Publication, PublishedTable, Server,
        TextSearchConfiguration, TextSearchDictionary, UserMapping,
    },
};

/// The queries of what others may refer to.
pub(super) fn first_queries() -> Vec<Query> {
    vec![
        Query::new(
            format!(
                "SELECT oid, extname, extnamespace, extversion FROM pg_extension \
             WHERE oid >= {FIRST_USER_OID}"
            ),
            |catalog, fields| {
                let (oid, name) = (fields.oid()?, fields.text()?);
                let schema = catalog.namespaces.get(&fields.oid()?).cloned();
                let facts = Extension {
                    schema: schema.unwrap_or_default(),
                    version: fields.string()?,
                };
                let id = ObjectId::new(Kind::Extension, "", name);
                catalog.add((class::EXTENSION, oid, 0), id, facts);
                Ok(())
            },
        )
        .on_catalogs(&["pg_extension"]),
        // CREATE EXTENSION sets the comment of the control file. Without an extension, no file is read.
        Query::new(
            format!(
                "SELECT e.oid, a.comment FROM pg_extension AS e \
                 JOIN pg_available_extensions() AS a ON a.name = e.extname \
                 WHERE e.oid >= {FIRST_USER_OID} AND a.comment IS NOT NULL \
                 AND (SELECT count(*) FROM pg_extension AS x WHERE x.oid >= {FIRST_USER_OID}) > 0"
            ),
            |catalog, fields| {
                let (oid, comment) = (fields.oid()?, fields.string()?);
                catalog.extension_comments.insert(oid, comment);
                Ok(())
            },
        )
        .on_catalogs(&["pg_extension"]),
    ]
}

pub(super) fn queries(version: Version) -> Vec<Query> {
    let mut queries = vec![
        Query::new(
            format!(
                "SELECT w.oid, w.fdwname, w.fdwowner, w.fdwacl, h.pronamespace, h.proname, \
                 v.pronamespace, v.proname, w.fdwoptions FROM pg_foreign_data_wrapper AS w \
                 LEFT JOIN pg_proc AS h ON h.oid = w.fdwhandler \
                 LEFT JOIN pg_proc AS v ON v.oid = w.fdwvalidator WHERE w.oid >= {FIRST_USER_OID}"
            ),
            read_wrapper,
        )
        .on_catalogs(&["pg_foreign_data_wrapper"]),
        Query::new(
            "SELECT s.oid, s.srvname, s.srvowner, s.srvacl, w.fdwname, s.srvtype, s.srvversion, \
             s.srvoptions FROM pg_foreign_server AS s \
             JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw",
            read_server,
        )
        .on_catalogs(&["pg_foreign_server"]),
        Query::new(
            // The view shows NULL to those who may not see the options.
            "SELECT m.umid, m.srvid, m.umuser, m.umoptions, \
             (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) \
             OR m.umuser = 0 AND pg_has_role(s.srvowner, 'USAGE') \
             OR m.umuser <> 0 AND m.usename = current_user \
             AND (pg_has_role(s.srvowner, 'USAGE') OR has_server_privilege(m.srvid, 'USAGE')) \
             FROM pg_user_mappings AS m JOIN pg_foreign_server AS s ON s.oid = m.srvid",
            read_user_mapping,
        )
        .on(Reach::Server),
        Query::new(
            format!(
                "SELECT d.oid, d.dictname, d.dictnamespace, d.dictowner, t.tmplnamespace, t.tmplname, \
                 d.dictinitoption FROM pg_ts_dict AS d JOIN pg_ts_template AS t ON t.oid = d.dicttemplate \
                 WHERE d.oid >= {FIRST_USER_OID}"
            ),
            read_dictionary,
        )
        .on_catalogs(&["pg_ts_dict"]),
        Query::new(
            format!(
                "SELECT c.oid, c.cfgname, c.cfgnamespace, c.cfgowner, p.prsnamespace, p.prsname \
                 FROM pg_ts_config AS c JOIN pg_ts_parser AS p ON p.oid = c.cfgparser \
                 WHERE c.oid >= {FIRST_USER_OID}"
            ),
            read_configuration,
        )
        .on_catalogs(&["pg_ts_config"]),
        Query::new(
            format!(
                "SELECT m.mapcfg, (SELECT t.alias FROM ts_token_type(c.cfgparser) AS t \
                 WHERE t.tokid = m.maptokentype), d.dictnamespace, d.dictname \
                 FROM pg_ts_config_map AS m JOIN pg_ts_config AS c ON c.oid = m.mapcfg \
                 JOIN pg_ts_dict AS d ON d.oid = m.mapdict WHERE m.mapcfg >= {FIRST_USER_OID} \
                 ORDER BY m.mapcfg, m.maptokentype, m.mapseqno"
            ),
            read_mapping,
        )
        .on_catalogs(&["pg_ts_config", "pg_ts_config_map"]),
        Query::new(
            format!(
                "SELECT p.oid, p.pubname, p.pubowner, p.puballtables, p.pubinsert, p.pubupdate, \
                 p.pubdelete, p.pubtruncate, {}, {} FROM pg_publication AS p",
                version.since(13, "p.pubviaroot", "false"),
                version.since(18, "p.pubgencols", "'n'"),
            ),
            read_publication,
        )
        .on_catalogs(&["pg_publication"]),
        Query::new(
            format!(
                "SELECT r.prpubid, r.prrelid, {} FROM pg_publication_rel AS r",
                version.since(
                    15,
                    "r.prattrs, r.prqual IS NOT NULL, pg_get_expr(r.prqual, r.prrelid)",
                    "NULL, false, NULL"
                ),
            ),
            read_published_table,
        )
        .only_with("pg_publication_rel"),
    ];
    if version.has(15) {
        queries.push(
            Query::new(
                "SELECT pnpubid, pnnspid FROM pg_publication_namespace",
                |catalog, fields| {
                    let publication = (class::PUBLICATION, fields.oid()?, 0);
                    let schema = fields.oid()?;
                    let Some(name) = catalog.namespaces.get(&schema).cloned() else {
                        return Ok(());
                    };
                    let id = catalog.id((class::NAMESPACE, schema, 0)).cloned();
                    if let Some(object) = catalog.object(publication)
                        && let Facts::Publication(facts) = &mut object.facts
                    {
                        facts.schemas.push(name);
                        facts.schemas.sort_unstable();
                        object.depends_on.extend(id);
                    }
                    Ok(())
                },
            )
            .only_with("pg_publication_namespace"),
        );
    }
    queries
}

/// Words in the names of options whose values are secret.
const SECRET: [&str; 7] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
];

/// Whether the value of an option with this name is secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
        || name
            .split(['_', '-', '.'])
            .any(|word| matches!(word, "key" | "pwd" | "pass" | "apikey"))
            && !name.starts_with("primary")
}

/// The options that may be shown, and the names of the others.
pub(super) fn split_secrets(options: Options) -> (Options, Vec<String>) {
    let (secret, open): (Options, Options) =
        options.into_iter().partition(|(name, _)| is_secret(name));
    let mut names: Vec<String> = secret.keys().cloned().collect();
    names.sort_unstable();
    (open, names)
}

fn read_wrapper(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, owner) = (fields.oid()?, fields.text()?, fields.oid()?);
    let grants = catalog.grants(acl::WRAPPER, fields.optional()?, owner)?;
    let (handler, validator) = (catalog.function(fields)?, catalog.function(fields)?);
    let (options, secrets) = split_secrets(fields.options()?);
    if catalog.is_member(class::FOREIGN_DATA_WRAPPER, oid) {
        return Ok(());
    }
    let facts = ForeignDataWrapper {
        handler,
        validator,
        options,
        secrets,
    };
    let id = ObjectId::new(Kind::ForeignDataWrapper, "", name);
    let owner = catalog.owner(owner);
    let object = catalog.add((class::FOREIGN_DATA_WRAPPER, oid, 0), id, facts);
    object.owner = owner;
    object.grants = grants;
    Ok(())
}

fn read_server(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, owner) = (fields.oid()?, fields.text()?, fields.oid()?);
    let grants = catalog.grants(acl::SERVER, fields.optional()?, owner)?;
    let wrapper = fields.string()?;
    let (server_type, version) = (fields.optional_string()?, fields.optional_string()?);
    let (options, secrets) = split_secrets(fields.options()?);
    if catalog.is_member(class::FOREIGN_SERVER, oid) {
        return Ok(());
    }
    let facts = Server {
        wrapper,
        server_type,
        version,
        options,
        secrets,
    };
    let id = ObjectId::new(Kind::Server, "", name);
    let owner = catalog.owner(owner);
    let object = catalog.add((class::FOREIGN_SERVER, oid, 0), id, facts);
    object.owner = owner;
    object.grants = grants;
    Ok(())
}

fn read_user_mapping(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, server, role) = (fields.oid()?, fields.oid()?, fields.oid()?);
    let (options, secrets) = split_secrets(fields.options()?);
    let is_readable = fields.flag()?;
    let Some(server) = catalog.id((class::FOREIGN_SERVER, server, 0)) else {
        return Ok(());
    };
    let name = if role == 0 {
        "PUBLIC".to_owned()
    } else {
        catalog.role(role)
    };
    let id = ObjectId::part(Kind::UserMapping, &server.qualified(), name);
    if !is_readable {
        catalog.unreadable.push(Unreadable {
            id: id.clone(),
            what: "options".to_owned(),
        });
    }
    let facts = UserMapping { options, secrets };
    catalog.add((class::USER_MAPPING, oid, 0), id, facts);
    Ok(())
}

fn read_dictionary(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, schema, owner) = (fields.oid()?, fields.text()?, fields.oid()?, fields.oid()?);
    let facts = TextSearchDictionary {
        template: catalog.name(fields.oid()?, fields.text()?),
        options: fields.optional()?.map(text::with_needed_quotes),
    };
    let kind = Kind::TextSearchDictionary;
    catalog.add_in_schema(class::TS_DICT, oid, (kind, schema, name), owner, facts);
    Ok(())
}

fn read_configuration(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, schema, owner) = (fields.oid()?, fields.text()?, fields.oid()?, fields.oid()?);
    let facts = TextSearchConfiguration {
        parser: catalog.name(fields.oid()?, fields.text()?),
        ..TextSearchConfiguration::default()
    };
    let kind = Kind::TextSearchConfiguration;
    catalog.add_in_schema(class::TS_CONFIG, oid, (kind, schema, name), owner, facts);
    Ok(())
}

fn read_mapping(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let configuration = (class::TS_CONFIG, fields.oid()?, 0);
    let token = fields.string()?;
    let dictionary = catalog.name(fields.oid()?, fields.text()?);
    let object = catalog.object(configuration);
    if let Some(Facts::TextSearchConfiguration(facts)) = object.map(|object| &mut object.facts) {
        facts.mappings.entry(token).or_default().push(dictionary);
    }
    Ok(())
}

fn read_publication(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, owner) = (fields.oid()?, fields.text()?, fields.oid()?);
    let all_tables = fields.flag()?;
    let mut operations = Vec::new();
    for operation in ["insert", "update", "delete", "truncate"] {
        if fields.flag()? {
            operations.push(operation.to_owned());
        }
    }
    let facts = Publication {
        all_tables,
        operations,
        via_root: fields.flag()?,
        generated_columns: (fields.text()? == "s").then(|| "stored".to_owned()),
        ..Publication::default()
    };
    let owner = catalog.owner(owner);
    let id = ObjectId::new(Kind::Publication, "", name);
    catalog.add((class::PUBLICATION, oid, 0), id, facts).owner = owner;
    Ok(())
}

fn read_published_table(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let publication = (class::PUBLICATION, fields.oid()?, 0);
    let relation = fields.oid()?;
    let Some(table) = catalog.relation_name(relation).cloned() else {
        return Ok(());
    };
    let columns = fields.numbers::<i16>()?;
    let columns = catalog.column_names(relation, &columns)?;
    let (has_condition, condition) = (fields.flag()?, fields.optional()?);
    if has_condition && condition.is_none() {
        return Err(Fault::Dropped);
    }
    let condition = condition.map(|it| text::without_parentheses(it).to_owned());
    let of = catalog.id((class::CLASS, relation, 0)).cloned();
    if let Some(object) = catalog.object(publication)
        && let Facts::Publication(facts) = &mut object.facts
    {
        facts.tables.push(PublishedTable {
            table,
            columns: (!columns.is_empty()).then_some(columns),
            condition,
        });
        let key = |it: &PublishedTable| -> Name { it.table.clone() };
        facts.tables.sort_unstable_by_key(key);
        object.depends_on.extend(of);
    }
    Ok(())
}

impl Catalog {
    /// Adds an object with an owner unless it is in a schema of the system or of an extension.
    fn add_in_schema(
        &mut self,
        class: u32,
        oid: u32,
        (kind, schema, name): (Kind, u32, &str),
        owner: u32,
        facts: impl Into<Facts>,
    ) -> Option<&mut Object> {
        if self.is_member(class, oid) {
            return None;
        }
        let schema = self.user_schema(schema)?.to_owned();
        let owner = self.owner(owner);
        let object = self.add((class, oid, 0), ObjectId::new(kind, schema, name), facts);
        object.owner = owner;
        Some(object)
    }
}
