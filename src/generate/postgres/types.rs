//! Types and collations.

use super::{
    Dump, Statements,
    expression::stable,
    quote::{ident, in_schema, literal, qualified},
};
use crate::schema::{
    Facts, Object, ObjectId,
    postgres::{Collation, Composite, Domain, Enum, Range, Routine},
};

/// CREATE COLLATION.
pub(super) fn collation(id: &ObjectId, collation: &Collation, to: &mut Statements) {
    let mut options = vec![format!("PROVIDER = {}", collation.provider)];
    let mut option = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            options.push(format!("{name} = {}", literal(value)));
        }
    };
    if collation.lc_collate.is_some() && collation.lc_collate == collation.lc_ctype {
        option("LOCALE", &collation.lc_collate);
    } else {
        option("LC_COLLATE", &collation.lc_collate);
        option("LC_CTYPE", &collation.lc_ctype);
    }
    option("LOCALE", &collation.locale);
    option("RULES", &collation.rules);
    if !collation.deterministic {
        options.push("DETERMINISTIC = false".to_owned());
    }
    let name = in_schema(&id.schema, &id.name);
    to.push(format!("CREATE COLLATION {name} ({})", options.join(", ")));
}

/// Items in parentheses, one a line.
pub(super) fn lines(items: &[String]) -> String {
    if items.is_empty() {
        return "()".to_owned();
    }
    format!("(\n    {}\n)", items.join(",\n    "))
}

/// CREATE TYPE … AS ENUM.
pub(super) fn enumeration(id: &ObjectId, facts: &Enum, to: &mut Statements) {
    let labels: Vec<String> = facts.labels.iter().map(|label| literal(label)).collect();
    let name = in_schema(&id.schema, &id.name);
    to.push(format!("CREATE TYPE {name} AS ENUM {}", lines(&labels)));
}

/// CREATE TYPE … AS (…).
pub(super) fn composite(id: &ObjectId, composite: &Composite, to: &mut Statements) {
    let attributes: Vec<String> = composite
        .attributes
        .iter()
        .map(|attribute| {
            let mut line = format!("{} {}", ident(&attribute.name), attribute.data_type);
            if let Some(collation) = &attribute.collation {
                line.push_str(&format!(" COLLATE {}", qualified(collation)));
            }
            line
        })
        .collect();
    let name = in_schema(&id.schema, &id.name);
    to.push(format!("CREATE TYPE {name} AS {}", lines(&attributes)));
}

/// CREATE TYPE … AS RANGE.
pub(super) fn range(id: &ObjectId, range: &Range, to: &mut Statements) {
    let mut options = vec![format!("SUBTYPE = {}", range.subtype)];
    let named = [
        ("SUBTYPE_OPCLASS", &range.operator_class),
        ("COLLATION", &range.collation),
        ("CANONICAL", &range.canonical),
        ("SUBTYPE_DIFF", &range.difference),
        ("MULTIRANGE_TYPE_NAME", &range.multirange),
    ];
    for (option, name) in named {
        if let Some(name) = name {
            options.push(format!("{option} = {}", qualified(name)));
        }
    }
    let name = in_schema(&id.schema, &id.name);
    to.push(format!("CREATE TYPE {name} AS RANGE {}", lines(&options)));
}

impl Dump<'_> {
    /// CREATE DOMAIN with its constraints.
    pub(super) fn domain(&self, at: usize, domain: &Domain, to: &mut Statements) {
        let id = &self.object(at).id;
        let name = in_schema(&id.schema, &id.name);
        let mut sql = format!("CREATE DOMAIN {name} AS {}", domain.data_type);
        if let Some(collation) = &domain.collation {
            sql.push_str(&format!(" COLLATE {}", qualified(collation)));
        }
        if let Some(default) = &domain.default {
            sql.push_str(&format!(" DEFAULT {}", stable(default)));
        }
        if let Some(name) = &domain.not_null_name {
            sql.push_str(&format!(" CONSTRAINT {}", ident(name)));
        }
        if domain.not_null {
            sql.push_str(" NOT NULL");
        }
        for (part, object) in self.layout.objects.parts(at) {
            if self.layout.within[part] == at
                && let Some(definition) = self.constraint(object)
            {
                let name = ident(&object.id.name);
                sql.push_str(&format!("\n    CONSTRAINT {name} {definition}"));
            }
        }
        to.push(sql);
    }

    /// The shells of range types that a function makes canonical, which must exist before the
    /// function.
    pub(super) fn shell_types(
        &self,
        function: &Object,
        _routine: &Routine,
    ) -> Option<super::Block> {
        let name = function.id.qualified();
        let mut ranges = function.depends_on.iter().filter_map(|id| {
            let object = self.object(self.layout.objects.find(id)?);
            match &object.facts {
                Facts::Range(range) if range.canonical.as_ref() == Some(&name) => Some(object),
                _ => None,
            }
        });
        let range = ranges.next()?;
        let mut statements = Statements::default();
        let name = in_schema(&range.id.schema, &range.id.name);
        statements.push(format!("CREATE TYPE {name}"));
        super::block(range, statements)
    }
}
