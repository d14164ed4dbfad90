//! Schemas, extensions, foreign servers, text search and publications.

use super::{
    Statements,
    expression::in_parentheses,
    quote::{foreign_options, ident, idents, in_schema, join, literal, qualified},
};
use crate::schema::{
    Object, ObjectId,
    postgres::{
        Extension, ForeignDataWrapper, Publication, PublishedTable, Server,
        TextSearchConfiguration, TextSearchDictionary, UserMapping,
    },
};

/// CREATE SCHEMA, apart from `public`, which every new database has.
pub(super) fn schema(id: &ObjectId, to: &mut Statements) {
    if id.name != "public" {
        to.push(format!("CREATE SCHEMA {}", ident(&id.name)));
    }
}

/// CREATE EXTENSION.
pub(super) fn extension(object: &Object, extension: &Extension, to: &mut Statements) {
    let name = ident(&object.id.name);
    let mut sql = format!("CREATE EXTENSION IF NOT EXISTS {name}");
    if !extension.schema.is_empty() {
        sql.push_str(&format!(" WITH SCHEMA {}", ident(&extension.schema)));
    }
    to.push(sql);
}

/// CREATE FOREIGN DATA WRAPPER.
pub(super) fn wrapper(id: &ObjectId, wrapper: &ForeignDataWrapper, to: &mut Statements) {
    let mut sql = format!("CREATE FOREIGN DATA WRAPPER {}", ident(&id.name));
    if let Some(handler) = &wrapper.handler {
        sql.push_str(&format!(" HANDLER {}", qualified(handler)));
    }
    if let Some(validator) = &wrapper.validator {
        sql.push_str(&format!(" VALIDATOR {}", qualified(validator)));
    }
    sql.push_str(&foreign_options(&wrapper.options));
    let name = ident(&id.name);
    note_secrets(
        &format!("The foreign-data wrapper {name}"),
        &wrapper.secrets,
        to,
    );
    to.push(sql);
}

/// CREATE SERVER.
pub(super) fn server(id: &ObjectId, server: &Server, to: &mut Statements) {
    let mut sql = format!("CREATE SERVER {}", ident(&id.name));
    if let Some(server_type) = &server.server_type {
        sql.push_str(&format!(" TYPE {}", literal(server_type)));
    }
    if let Some(version) = &server.version {
        sql.push_str(&format!(" VERSION {}", literal(version)));
    }
    sql.push_str(&format!(
        " FOREIGN DATA WRAPPER {}{}",
        ident(&server.wrapper),
        foreign_options(&server.options)
    ));
    note_secrets(
        &format!("The server {}", ident(&id.name)),
        &server.secrets,
        to,
    );
    to.push(sql);
}

/// CREATE USER MAPPING.
pub(super) fn user_mapping(id: &ObjectId, mapping: &UserMapping, to: &mut Statements) {
    let user = if id.name == "PUBLIC" {
        "PUBLIC".into()
    } else {
        super::quote::role(&id.name)
    };
    let server = ident(&id.parent);
    note_secrets(
        &format!("The user mapping of {user} on {server}"),
        &mapping.secrets,
        to,
    );
    to.push(format!(
        "CREATE USER MAPPING FOR {user} SERVER {server}{}",
        foreign_options(&mapping.options)
    ));
}

/// Notes the options whose values are not known.
pub(super) fn note_secrets(what: &str, secrets: &[String], to: &mut Statements) {
    if !secrets.is_empty() {
        let secrets = secrets.join(", ");
        to.note(format!(
            "{what} has secret options that are not shown: {secrets}"
        ));
    }
}

/// CREATE TEXT SEARCH DICTIONARY.
pub(super) fn dictionary(id: &ObjectId, dictionary: &TextSearchDictionary, to: &mut Statements) {
    let mut sql = format!(
        "CREATE TEXT SEARCH DICTIONARY {} (\n    TEMPLATE = {}",
        in_schema(&id.schema, &id.name),
        qualified(&dictionary.template)
    );
    if let Some(options) = &dictionary.options {
        sql.push_str(&format!(",\n    {options}"));
    }
    sql.push_str("\n)");
    to.push(sql);
}

/// CREATE TEXT SEARCH CONFIGURATION with its mappings.
pub(super) fn configuration(
    id: &ObjectId,
    configuration: &TextSearchConfiguration,
    to: &mut Statements,
) {
    let name = in_schema(&id.schema, &id.name);
    let parser = qualified(&configuration.parser);
    to.push(format!(
        "CREATE TEXT SEARCH CONFIGURATION {name} (PARSER = {parser})"
    ));
    for (token, dictionaries) in &configuration.mappings {
        to.push(format!(
            "ALTER TEXT SEARCH CONFIGURATION {name} ADD MAPPING FOR {} WITH {}",
            ident(token),
            join(dictionaries, qualified)
        ));
    }
}

/// CREATE PUBLICATION.
pub(super) fn publication(id: &ObjectId, publication: &Publication, to: &mut Statements) {
    let mut sql = format!("CREATE PUBLICATION {}", ident(&id.name));
    let mut objects = Vec::new();
    if !publication.tables.is_empty() {
        objects.push(format!("TABLE {}", join(&publication.tables, published)));
    }
    if !publication.schemas.is_empty() {
        let schemas = idents(&publication.schemas);
        objects.push(format!("TABLES IN SCHEMA {schemas}"));
    }
    if publication.all_tables {
        sql.push_str(" FOR ALL TABLES");
    } else if !objects.is_empty() {
        sql.push_str(&format!("\n    FOR {}", objects.join(", ")));
    }
    let mut options = Vec::new();
    let operations: Vec<&str> = ["insert", "update", "delete", "truncate"]
        .into_iter()
        .filter(|operation| publication.operations.iter().any(|it| it == operation))
        .collect();
    if operations.len() < 4 {
        options.push(format!("publish = '{}'", operations.join(", ")));
    }
    if let Some(columns) = &publication.generated_columns {
        options.push(format!("publish_generated_columns = {columns}"));
    }
    if publication.via_root {
        options.push("publish_via_partition_root = true".to_owned());
    }
    if !options.is_empty() {
        sql.push_str(&format!("\n    WITH ({})", options.join(", ")));
    }
    to.push(sql);
}

pub(super) fn published(table: &PublishedTable) -> String {
    let mut sql = qualified(&table.table);
    if let Some(columns) = &table.columns {
        sql.push_str(&format!(" ({})", idents(columns)));
    }
    if let Some(condition) = &table.condition {
        sql.push_str(&format!(" WHERE {}", in_parentheses(condition)));
    }
    sql
}
