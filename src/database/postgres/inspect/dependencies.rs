//! What must exist before an object.

use super::{
    Query, Version,
    catalog::{Address, Catalog, FIRST_USER_OID, class},
    fields::{Fault, Fields},
};
use crate::schema::{Facts, Kind, ObjectId};

pub(super) fn queries(version: Version) -> Vec<Query> {
    // Types lead to what they belong to: those of rows to their relation, those of arrays to their
    // elements. So do functions that make the values of a range type. The server looks them up, since
    // a database has two types for every table, and few rows lead to one.
    let of_type = |column: &str, oid: &str| {
        format!(
            "CASE WHEN d.refclassid = 'pg_type'::regclass \
             THEN (SELECT {column} FROM pg_type AS t WHERE t.oid = {oid}) END"
        )
    };
    let element = format!(
        "coalesce({}, CASE WHEN d.refclassid = 'pg_proc'::regclass THEN (SELECT i.refobjid \
         FROM pg_depend AS i WHERE i.classid = d.refclassid AND i.objid = d.refobjid \
         AND i.refclassid = 'pg_type'::regclass AND i.deptype = 'i') END)",
        of_type("nullif(t.typelem, 0)", "d.refobjid")
    );
    // Before 15, it is the column of a generated one that depends, automatically.
    let of_generated = version.since(
        15,
        "",
        "OR d.deptype = 'a' AND d.classid = 'pg_class'::regclass AND d.objsubid > 0 \
         AND d.refclassid <> 'pg_class'::regclass",
    );
    // Members of one extension depend on each other, often in hundreds of rows, and are no objects.
    let extension = |class: &str, oid: &str| {
        format!(
            "(SELECT m.refobjid FROM pg_depend AS m WHERE m.classid = {class} AND m.objid = {oid} \
             AND m.deptype = 'e' AND m.refclassid = 'pg_extension'::regclass)"
        )
    };
    let rows = |from: &str| {
        format!(
            "SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid, d.refobjsubid, \
             {}, {element}, {}, {OF_RELATION} FROM {from} AS d \
             WHERE (d.deptype = 'n' {of_generated}) AND d.objid >= {FIRST_USER_OID} \
             AND d.refobjid >= {FIRST_USER_OID} \
             AND CASE WHEN (d.classid, d.objid) IN (SELECT m.classid, m.objid FROM pg_depend AS m \
             WHERE m.deptype = 'e' AND m.refclassid = 'pg_extension'::regclass) \
             THEN {} IS DISTINCT FROM {} ELSE true END \
             AND (d.refclassid <> 'pg_namespace'::regclass OR d.classid = 'pg_extension'::regclass)",
            of_type("t.typrelid", "d.refobjid"),
            of_type(
                "t.typrelid",
                "(SELECT a.typelem FROM pg_type AS a WHERE a.oid = d.refobjid)"
            ),
            extension("d.classid", "d.objid"),
            extension("d.refclassid", "d.refobjid"),
        )
    };
    vec![
        Query::new(rows("pg_depend"), read_dependency)
            .then(add_attachments)
            .on_relations_by(rows(OF_SOME), 9),
    ]
}

/// The relation of the object that depends, whose rows are written when it comes to depend on something
/// else; 0 for objects that are no parts of relations.
const OF_RELATION: &str = "coalesce(CASE d.classid \
     WHEN 'pg_class'::regclass THEN \
     coalesce((SELECT i.indrelid FROM pg_index AS i WHERE i.indexrelid = d.objid), d.objid) \
     WHEN 'pg_constraint'::regclass THEN (SELECT c.conrelid FROM pg_constraint AS c WHERE c.oid = d.objid) \
     WHEN 'pg_attrdef'::regclass THEN (SELECT a.adrelid FROM pg_attrdef AS a WHERE a.oid = d.objid) \
     WHEN 'pg_trigger'::regclass THEN (SELECT t.tgrelid FROM pg_trigger AS t WHERE t.oid = d.objid) \
     WHEN 'pg_rewrite'::regclass THEN (SELECT r.ev_class FROM pg_rewrite AS r WHERE r.oid = d.objid) \
     WHEN 'pg_policy'::regclass THEN (SELECT p.polrelid FROM pg_policy AS p WHERE p.oid = d.objid) \
     END, 0)";

/// The rows of pg_depend for the relations in `$1`, their parts, and what is no part of a relation.
const OF_SOME: &str = "(SELECT d.* FROM pg_depend AS d \
     WHERE d.classid <> ALL ('{pg_class, pg_constraint, pg_attrdef, pg_trigger, pg_rewrite, pg_policy}'::regclass[]::oid[]) \
     OR (d.classid, d.objid) IN (SELECT 'pg_class'::regclass::oid, unnest($1) \
     UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid IN (SELECT unnest($1)) \
     UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid IN (SELECT unnest($1)) \
     UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef WHERE adrelid IN (SELECT unnest($1)) \
     UNION ALL SELECT 'pg_trigger'::regclass, oid FROM pg_trigger WHERE tgrelid IN (SELECT unnest($1)) \
     UNION ALL SELECT 'pg_rewrite'::regclass, oid FROM pg_rewrite WHERE ev_class IN (SELECT unnest($1)) \
     UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid IN (SELECT unnest($1))))";

fn read_dependency(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let from: Address = (fields.oid()?, fields.oid()?, fields.number()?);
    let to: Address = (fields.oid()?, fields.oid()?, fields.number()?);
    let row_type: Option<u32> = fields.optional_number()?;
    let element: Option<u32> = fields.optional_number()?;
    let row_of_element: Option<u32> = fields.optional_number()?;
    let Some(from) = catalog.find(from) else {
        return Ok(());
    };
    let candidates = [
        Some(to),
        row_type.map(|oid| (class::CLASS, oid, 0)),
        element.map(|oid| (class::TYPE, oid, 0)),
        row_of_element.map(|oid| (class::CLASS, oid, 0)),
    ];
    let mut candidates = candidates.into_iter().flatten();
    let Some(to) = candidates.find_map(|address| catalog.find(address)) else {
        return Ok(());
    };
    catalog.depend(from, to);
    Ok(())
}

/// Partitions depend on what they are attached to.
fn add_attachments(catalog: &mut Catalog) -> Result<(), Fault> {
    let all = std::mem::take(&mut catalog.parents);
    for (child, parents) in &all {
        let Some(from) = catalog.find((class::CLASS, *child, 0)) else {
            continue;
        };
        for parent in parents {
            if let Some(to) = catalog.find((class::CLASS, *parent, 0)) {
                catalog.depend(from, to);
            }
        }
    }
    catalog.parents = all;
    Ok(())
}

impl Catalog {
    /// The place of the object at an address, of the whole it is a part of, or of the extension
    /// that owns it.
    fn find(&self, (class, oid, part): Address) -> Option<usize> {
        if let Some(extension) = self.members.get(&(class, oid)) {
            return self.find((class::EXTENSION, *extension, 0));
        }
        let found = self.addresses.get(&(class, oid, part));
        found
            .or_else(|| self.addresses.get(&(class, oid, 0)))
            .copied()
    }

    /// Notes that one object depends on another one, unless that is its parent, a column of its
    /// parent, or itself.
    fn depend(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        let (of, id) = (&self.objects[from].id, &self.objects[to].id);
        let is_parent = |id: &ObjectId| {
            !of.parent.is_empty()
                && id.kind.has_parts()
                && id.schema == of.schema
                && id.name == of.parent
        };
        let is_sibling =
            id.kind == Kind::Column && id.schema == of.schema && id.parent == of.parent;
        let is_part_of_it =
            id.kind == Kind::Column && id.schema == of.schema && id.parent == of.name;
        if is_parent(id) || is_sibling || is_part_of_it {
            return;
        }
        let mut needed = Vec::new();
        if id.kind == Kind::Column {
            if let Some(table) = id.parent_name() {
                let table = ObjectId::new(Kind::Table, table.schema, table.name);
                if !is_parent(&table) {
                    needed.push(table);
                }
            }
            // The columns of a foreign key are among its facts.
            if !matches!(self.objects[from].facts, Facts::ForeignKey(_)) {
                needed.push(id.clone());
            }
        } else {
            needed.push(id.clone());
        }
        self.objects[from].depends_on.append(&mut needed);
    }

    /// Gives an object its comment.
    pub(super) fn comment(&mut self, address: Address, comment: &str) {
        let (class, oid, part) = address;
        if class == class::CLASS && part > 0 {
            self.comment_column(address, comment);
            return;
        }
        let usual = self.extension_comments.get(&oid).map(String::as_str);
        if class == class::EXTENSION && usual == Some(comment) {
            return;
        }
        // A column is also found as its default or its NOT NULL constraint.
        let is_class = class == class::CLASS;
        let Some(object) = self.object((class, oid, part)) else {
            return;
        };
        match &mut object.facts {
            Facts::Column(column) if is_class => {
                if let Some(identity) = &mut column.identity {
                    identity.comment = Some(comment.to_owned());
                }
            }
            Facts::Column(column) => {
                if let Some(not_null) = &mut column.not_null {
                    not_null.comment = Some(comment.to_owned());
                }
            }
            Facts::Key(key) if is_class => key.index_comment = Some(comment.to_owned()),
            Facts::Exclusion(exclusion) if is_class => {
                exclusion.index_comment = Some(comment.to_owned());
            }
            _ => object.comment = Some(comment.to_owned()),
        }
    }

    fn comment_column(&mut self, address: Address, comment: &str) {
        let (_, relation, number) = address;
        let name = self
            .column(relation, number)
            .map(|column| column.name.clone());
        let Some(name) = name else { return };
        if let Some(object) = self.object((class::CLASS, relation, 0))
            && let Facts::Composite(composite) = &mut object.facts
        {
            let mut attributes = composite.attributes.iter_mut();
            if let Some(attribute) = attributes.find(|it| it.name == name) {
                attribute.comment = Some(comment.to_owned());
            }
            return;
        }
        if let Some(object) = self.column_object(address) {
            object.comment = Some(comment.to_owned());
        }
    }
}
