//! The tables whose rows generated statements can change.

use std::collections::HashSet;

use crate::{
    generate::Statement,
    ops::verify::state::Watched,
    schema::{Difference, Facts, Kind, Name, Object, ObjectId, Schema, table_name},
    sql::{self, NoRowChange},
};

/// The tables that statements change from one of `schemas` to another one, those that inherit from
/// them or refer to them, and those that all of these refer to. All tables, if triggers may run.
pub(super) fn concerned<'a>(
    statements: impl Iterator<Item = &'a Statement>,
    difference: &Difference,
    schemas: [&Schema; 3],
) -> Watched {
    let dialect = schemas[0].dialect;
    let mut tables = HashSet::new();
    let mut add = |id: &ObjectId| {
        let name = id.parent_name().unwrap_or_else(|| id.qualified());
        tables.insert(table_name(name, dialect));
    };
    for statement in statements {
        if sql::row_change(dialect, &statement.sql) != Err(NoRowChange::OtherStatement) {
            return Watched::All;
        }
        statement.object.iter().for_each(&mut add);
    }
    difference.changes.iter().for_each(|it| add(it.object()));
    let objects = || schemas.iter().flat_map(|schema| &schema.objects);
    if objects().any(|object| object.id.kind == Kind::EventTrigger) {
        return Watched::All;
    }
    let links = objects().flat_map(links);
    let links = links.map(|(from, to)| (table_name(from, dialect), table_name(to, dialect)));
    let links: Vec<(Name, Name)> = links.collect();
    let users = links.iter().filter(|(_, to)| tables.contains(to));
    let users: Vec<Name> = users.map(|(from, _)| from.clone()).collect();
    tables.extend(users);
    loop {
        let is_new = |(from, to): &&(Name, Name)| tables.contains(from) && !tables.contains(to);
        let needed: Vec<Name> = links.iter().filter(is_new).map(|it| it.1.clone()).collect();
        if needed.is_empty() {
            return Watched::Only(tables);
        }
        tables.extend(needed);
    }
}

/// The tables that an object links: one, and those that it refers to or inherits from.
fn links(object: &Object) -> Vec<(Name, Name)> {
    let id = &object.id;
    match &object.facts {
        Facts::ForeignKey(key) => {
            let table = id.parent_name();
            Vec::from_iter(table.map(|table| (table, key.references.clone())))
        }
        Facts::SqliteForeignKey(key) => {
            let to = Name::new(id.schema.clone(), key.references.to_string());
            Vec::from_iter(id.parent_name().map(|table| (table, to)))
        }
        Facts::Table(facts) => {
            let partitioned = facts.partition_of.iter().map(|it| &it.parent);
            let parents = facts.inherits.iter().chain(partitioned);
            parents
                .map(|parent| (id.qualified(), parent.clone()))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        schema::postgres::{ForeignKey, Table},
        sql::Dialect,
    };

    fn table(name: &str) -> ObjectId {
        ObjectId::new(Kind::Table, "s", name)
    }

    fn schema() -> Schema {
        let key = |from: &str, to: &str| {
            let facts = ForeignKey {
                references: Name::new("s", to),
                ..ForeignKey::default()
            };
            Object::new(
                ObjectId::part(Kind::ForeignKey, &Name::new("s", from), "key"),
                facts,
            )
        };
        let mut partition = Table::default();
        partition.inherits.push(Name::new("s", "base"));
        let mut objects = vec![
            key("orders", "customers"),
            key("customers", "countries"),
            key("lines", "orders"),
            key("other", "elsewhere"),
            Object::new(table("heir"), partition),
        ];
        let names = [
            "orders",
            "customers",
            "countries",
            "lines",
            "other",
            "elsewhere",
            "base",
        ];
        objects.extend(names.map(|name| Object::new(table(name), Table::default())));
        Schema::new(Dialect::Postgres, objects)
    }

    fn check(sql: &str, object: ObjectId, expected: Option<&[&str]>) {
        let schema = schema();
        let statements = [Statement::new(Some(object), sql)];
        let found = concerned(statements.iter(), &Difference::default(), [&schema; 3]);
        let expected = match expected {
            None => Watched::All,
            Some(names) => Watched::Only(names.iter().map(|it| Name::new("s", *it)).collect()),
        };
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn tables_with_those_that_refer_to_them_and_all_that_these_need() {
        let tables = ["lines", "orders", "customers", "countries"];
        check(
            "ALTER TABLE s.orders ADD a int",
            table("orders"),
            Some(&tables),
        );
        let column = ObjectId::part(Kind::Column, &Name::new("s", "base"), "a");
        check(
            "ALTER TABLE s.base ADD a int",
            column,
            Some(&["base", "heir"]),
        );
        check(
            "DROP TABLE s.other",
            table("other"),
            Some(&["other", "elsewhere"]),
        );
        check("UPDATE s.other SET a = 1", table("other"), None);
    }
}
