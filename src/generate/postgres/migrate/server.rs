//! Extensions, foreign servers, text search and publications.

use super::{routine::split, step::Step, write::Writer};
use crate::{
    generate::postgres::{
        quote::{ident, join, literal, qualified, role},
        server as dumped,
    },
    schema::{
        Facts, Object,
        postgres::{Options, Publication, TextSearchConfiguration, TextSearchDictionary},
    },
};

impl Writer<'_, '_> {
    pub(super) fn alter_server_object(&mut self, old: usize, from: &Object, to: &Object) {
        let name = ident(&to.id.name);
        match (&from.facts, &to.facts) {
            (Facts::Extension(_), Facts::Extension(b)) if self.differs(old, "schema") => {
                let schema = ident(&b.schema);
                self.push(Step::new(
                    to,
                    format!("ALTER EXTENSION {name} SET SCHEMA {schema}"),
                ));
            }
            (Facts::ForeignDataWrapper(a), Facts::ForeignDataWrapper(b)) => {
                let mut sql = format!("ALTER FOREIGN DATA WRAPPER {name}");
                let start = sql.len();
                let mut function =
                    |word: &str,
                     a: &Option<crate::schema::Name>,
                     b: &Option<crate::schema::Name>| {
                        if a != b {
                            sql.push_str(&match b {
                                Some(function) => format!(" {word} {}", qualified(function)),
                                None => format!(" NO {word}"),
                            });
                        }
                    };
                function("HANDLER", &a.handler, &b.handler);
                function("VALIDATOR", &a.validator, &b.validator);
                sql.push_str(&changed_options(&a.options, &b.options));
                if sql.len() > start {
                    self.push(Step::new(to, sql));
                }
            }
            (Facts::Server(a), Facts::Server(b)) => {
                let mut sql = format!("ALTER SERVER {name}");
                let start = sql.len();
                if a.version != b.version {
                    let version = b
                        .version
                        .as_ref()
                        .map_or("NULL".to_owned(), |it| literal(it));
                    sql.push_str(&format!(" VERSION {version}"));
                }
                sql.push_str(&changed_options(&a.options, &b.options));
                if sql.len() > start {
                    self.push(Step::new(to, sql));
                }
            }
            (Facts::UserMapping(a), Facts::UserMapping(b)) => {
                let user = match to.id.name.as_str() {
                    "PUBLIC" => "PUBLIC".into(),
                    name => role(name),
                };
                let server = ident(&to.id.parent);
                let options = changed_options(&a.options, &b.options);
                let sql = format!("ALTER USER MAPPING FOR {user} SERVER {server}{options}");
                self.push(Step::new(to, sql));
            }
            (Facts::TextSearchDictionary(a), Facts::TextSearchDictionary(b)) => {
                self.alter_dictionary(to, a, b);
            }
            (Facts::TextSearchConfiguration(a), Facts::TextSearchConfiguration(b)) => {
                self.alter_configuration(to, a, b);
            }
            (Facts::Publication(a), Facts::Publication(b)) => self.alter_publication(to, a, b),
            _ => {}
        }
    }

    fn alter_dictionary(
        &mut self,
        to: &Object,
        a: &TextSearchDictionary,
        b: &TextSearchDictionary,
    ) {
        if a.options == b.options {
            return;
        }
        let list = |options: &Option<String>| -> Vec<(String, String)> {
            let options = options.as_deref().unwrap_or_default();
            let pair = |item: &str| match item.split_once('=') {
                Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
                None => (item.to_owned(), String::new()),
            };
            split(options).into_iter().map(pair).collect()
        };
        let (old, new) = (list(&a.options), list(&b.options));
        let gone = old
            .iter()
            .filter(|(name, _)| !new.iter().any(|(it, _)| it == name));
        let gone = gone.map(|(name, _)| name.clone());
        let set = new.iter().filter(|pair| !old.contains(pair));
        let set = set.map(|(name, value)| format!("{name} = {value}"));
        let changes: Vec<String> = gone.chain(set).collect();
        let name = qualified(&to.id.qualified());
        let sql = format!(
            "ALTER TEXT SEARCH DICTIONARY {name} ({})",
            changes.join(", ")
        );
        self.push(Step::new(to, sql));
    }

    fn alter_configuration(
        &mut self,
        to: &Object,
        a: &TextSearchConfiguration,
        b: &TextSearchConfiguration,
    ) {
        let name = qualified(&to.id.qualified());
        let mut alter = |change: String| {
            let sql = format!("ALTER TEXT SEARCH CONFIGURATION {name} {change}");
            self.steps.push(Step::new(to, sql));
        };
        for token in a.mappings.keys().filter(|it| !b.mappings.contains_key(*it)) {
            alter(format!("DROP MAPPING FOR {}", ident(token)));
        }
        for (token, dictionaries) in &b.mappings {
            let word = match a.mappings.get(token) {
                Some(before) if before == dictionaries => continue,
                Some(_) => "ALTER",
                None => "ADD",
            };
            let (token, list) = (ident(token), join(dictionaries, qualified));
            alter(format!("{word} MAPPING FOR {token} WITH {list}"));
        }
    }

    fn alter_publication(&mut self, to: &Object, a: &Publication, b: &Publication) {
        let name = ident(&to.id.name);
        let is_list_changed = a.tables != b.tables || a.schemas != b.schemas;
        if is_list_changed && b.tables.is_empty() && b.schemas.is_empty() {
            let tables: Vec<_> = a.tables.iter().map(|it| it.table.clone()).collect();
            let mut objects = Vec::new();
            if !tables.is_empty() {
                objects.push(format!("TABLE {}", join(&tables, qualified)));
            }
            if !a.schemas.is_empty() {
                let schemas = join(&a.schemas, |it| ident(it).into_owned());
                objects.push(format!("TABLES IN SCHEMA {schemas}"));
            }
            let sql = format!("ALTER PUBLICATION {name} DROP {}", objects.join(", "));
            self.push(Step::new(to, sql));
        } else if is_list_changed {
            let mut objects = Vec::new();
            if !b.tables.is_empty() {
                objects.push(format!("TABLE {}", join(&b.tables, dumped::published)));
            }
            if !b.schemas.is_empty() {
                let schemas = join(&b.schemas, |it| ident(it).into_owned());
                objects.push(format!("TABLES IN SCHEMA {schemas}"));
            }
            let sql = format!("ALTER PUBLICATION {name} SET {}", objects.join(", "));
            self.push(Step::new(to, sql));
        }
        let mut options = Vec::new();
        if a.operations != b.operations {
            options.push(format!("publish = {}", literal(&b.operations.join(", "))));
        }
        if a.via_root != b.via_root {
            options.push(format!("publish_via_partition_root = {}", b.via_root));
        }
        if a.generated_columns != b.generated_columns {
            let columns = b.generated_columns.as_deref().unwrap_or("none");
            options.push(format!("publish_generated_columns = {columns}"));
        }
        if !options.is_empty() {
            let sql = format!("ALTER PUBLICATION {name} SET ({})", options.join(", "));
            self.push(Step::new(to, sql));
        }
    }
}

/// ` OPTIONS (ADD …, SET …, DROP …)`, or nothing.
pub(super) fn changed_options(a: &Options, b: &Options) -> String {
    let mut changes = Vec::new();
    for name in a.keys().filter(|name| !b.contains_key(name)) {
        changes.push(format!("DROP {}", ident(name)));
    }
    for (name, value) in b.iter() {
        let (option, text) = (ident(name), literal(value));
        match a.get(name) {
            Some(before) if before == value => {}
            Some(_) => changes.push(format!("SET {option} {text}")),
            None => changes.push(format!("ADD {option} {text}")),
        }
    }
    if changes.is_empty() {
        String::new()
    } else {
        format!(" OPTIONS ({})", changes.join(", "))
    }
}
