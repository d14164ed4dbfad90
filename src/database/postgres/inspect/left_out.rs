//! What belongs to migration tools, this one and others.

use std::collections::{BTreeMap, HashSet};

use super::catalog::Catalog;
use crate::{
    layout::{self, FoundTable},
    schema::{Kind, Name},
};

impl Catalog {
    /// Removes the version table, its log, and the tables of other migration tools. A schema that a
    /// tool made for its tables goes with them when it is empty.
    pub(super) fn leave_out(&mut self) {
        let names = layout::table_names();
        let mut removed = HashSet::new();
        let mut found: BTreeMap<&str, Vec<FoundTable>> = BTreeMap::new();
        for (oid, relation) in self
            .relations
            .iter()
            .filter(|(_, it)| it.is_table() && !it.is_member)
        {
            let Name { schema, name } = &relation.name;
            if *schema == self.home_schema && self.own_tables.contains(name) {
                removed.insert(relation.name.clone());
            } else if names.contains(&name.as_str()) {
                let columns = self.columns.get(oid).into_iter().flatten();
                let table = FoundTable {
                    name: name.clone(),
                    shown: relation.name.to_string(),
                    quoted: String::new(),
                    columns: columns.map(|column| column.name.clone()).collect(),
                };
                found.entry(schema).or_default().push(table);
            }
        }
        let mut own_schemas = Vec::new();
        for (schema, tables) in &found {
            for (shape, table) in layout::recognise(tables) {
                let beside = shape.beside.into_iter();
                let all = beside.chain([table.name.as_str()]);
                removed.extend(all.map(|name| Name::new(*schema, name)));
                if layout::own_schemas().any(|own| own == (*schema, table.name.as_str())) {
                    own_schemas.push((*schema).to_owned());
                }
            }
        }
        if removed.is_empty() {
            return;
        }
        self.remove(&removed);
        own_schemas.retain(|schema| !self.objects.iter().any(|it| it.id.schema == *schema));
        self.objects
            .retain(|it| it.id.kind != Kind::Schema || !own_schemas.contains(&it.id.name));
    }
}
