//! Indexes.

use super::{
    Dump, Statements,
    constraint::index_name,
    expression::{self, bare},
    layout::table_name,
    quote::{ident, idents, join, parameters, qualified, with},
};
use crate::schema::postgres::{Index, IndexKey};

impl Dump<'_> {
    /// CREATE INDEX.
    pub(super) fn index(&self, at: usize, index: &Index, to: &mut Statements) {
        let object = self.object(at);
        if !self.layout.made[at] {
            let sql = self.create_index(at, index);
            let is_partitioned = self.layout.only[at];
            if index.is_invalid && !is_partitioned {
                let name = index_name(object);
                to.note(format!(
                    "The index {name} is invalid, so it is not created:\n{sql}"
                ));
                return;
            }
            to.push(sql);
        }
        self.attach(at, to);
        for (number, key) in index.keys.iter().enumerate() {
            if let Some(target) = key.statistics {
                to.push(format!(
                    "ALTER INDEX {} ALTER COLUMN {} SET STATISTICS {target}",
                    index_name(object),
                    number + 1
                ));
            }
        }
        self.mark(at, to);
    }

    fn create_index(&self, at: usize, index: &Index) -> String {
        let object = self.object(at);
        let mut sql = format!(
            "CREATE {}INDEX {} ON {}{}",
            if index.unique { "UNIQUE " } else { "" },
            ident(&object.id.name),
            if self.layout.only[at] { "ONLY " } else { "" },
            qualified(&table_name(object))
        );
        if index.method != "btree" {
            sql.push_str(&format!(" USING {}", ident(&index.method)));
        }
        sql.push_str(&format!(" ({})", join(&index.keys, key)));
        if !index.include.is_empty() {
            sql.push_str(&format!(" INCLUDE ({})", idents(&index.include)));
        }
        if index.nulls_not_distinct {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        sql.push_str(&with(&index.options));
        if let Some(tablespace) = &index.tablespace {
            sql.push_str(&format!(" TABLESPACE {}", ident(tablespace)));
        }
        if let Some(condition) = &index.condition {
            sql.push_str(&format!(" WHERE {}", bare(condition)));
        }
        sql
    }
}

/// A key of an index or an exclusion constraint.
pub(super) fn key(key: &IndexKey) -> String {
    let mut sql = match (&key.column, &key.expression) {
        (Some(column), _) => ident(column).into_owned(),
        (None, Some(expression)) => expression::key(expression),
        (None, None) => String::new(),
    };
    if let Some(collation) = &key.collation {
        sql.push_str(&format!(" COLLATE {}", qualified(collation)));
    }
    if let Some(class) = &key.operator_class {
        sql.push_str(&format!(" {}", qualified(class)));
        if !key.options.is_empty() {
            sql.push_str(&parameters(&key.options));
        }
    }
    if key.descending {
        sql.push_str(" DESC");
    }
    match (key.descending, key.nulls_first) {
        (false, true) => sql.push_str(" NULLS FIRST"),
        (true, false) => sql.push_str(" NULLS LAST"),
        _ => {}
    }
    sql
}
