//! Values inside the bounds of partitions.

use super::{literal, types::Type, values};
use crate::{
    schema::{Facts, Kind, Name, ObjectId, Schema, postgres::Partition},
    seed::{
        condition::{Item, items},
        hint::Hint,
    },
    sql::Dialect,
};

/// The bound of a partition, or of one above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// The columns of the partition key; an expression is empty.
    pub columns: Vec<String>,
    /// `IN` values, or the lower bounds.
    from: Vec<Item>,
    /// The upper bounds.
    to: Vec<Item>,
    is_list: bool,
}

/// The place of a partition.
pub(super) fn of<'a>(schema: &'a Schema, name: &Name) -> Option<&'a Partition> {
    table(schema, name)?.partition_of.as_ref()
}

/// The bounds of a table and of all partitions that it is in.
pub(super) fn bounds(schema: &Schema, name: &Name) -> Vec<Bound> {
    let mut found = Vec::new();
    let mut place = of(schema, name);
    while let Some(partition) = place
        && found.len() < 10
    {
        let parent = table(schema, &partition.parent);
        let key = parent.and_then(|parent| parent.partition_by.as_deref());
        found.push(bound(key.unwrap_or_default(), &partition.bound));
        place = of(schema, &partition.parent);
    }
    found
}

fn table<'a>(schema: &'a Schema, name: &Name) -> Option<&'a crate::schema::postgres::Table> {
    let id = ObjectId::new(Kind::Table, &*name.schema, &*name.name);
    match &schema.get(&id)?.facts {
        Facts::Table(table) => Some(table),
        _ => None,
    }
}

fn bound(key: &str, bound: &str) -> Bound {
    let columns = items(Dialect::Postgres, key).into_iter().skip(1);
    let columns = columns.filter_map(|item| match item {
        Item::Word(name) | Item::Name(name) => Some(name),
        _ => None,
    });
    let mut found = Bound {
        columns: columns.collect(),
        from: Vec::new(),
        to: Vec::new(),
        is_list: bound.contains(" IN ("),
    };
    if bound.contains(" WITH (") {
        // A hash, of which nothing can be told.
        return found;
    }
    let mut is_upper = false;
    for item in items(Dialect::Postgres, bound) {
        match &item {
            Item::Word(word) | Item::Call(word) if word.eq_ignore_ascii_case("to") => {
                is_upper = true
            }
            Item::Text(_) | Item::Number(_) => {}
            Item::Word(word) if word == "MINVALUE" || word == "MAXVALUE" => {}
            _ => continue,
        }
        if item.is_word("to") || matches!(&item, Item::Call(_)) {
            continue;
        }
        match is_upper {
            true => found.to.push(item),
            false => found.from.push(item),
        }
    }
    found
}

impl Bound {
    /// What the bound says about a column.
    pub fn hints(&self, column: &str) -> Vec<Hint> {
        let Some(at) = self.columns.iter().position(|known| known == column) else {
            return Vec::new();
        };
        if self.is_list {
            let values = self.from.iter().filter_map(Item::literal);
            return values.map(|it| Hint::Is(it.to_owned())).collect();
        }
        let bound = |operator: &str, items: &[Item]| {
            let literal = items.get(at)?.literal()?;
            Some(Hint::Bound(operator.to_owned(), literal.to_owned()))
        };
        let found = [bound(">=", &self.from), bound("<", &self.to)];
        found.into_iter().flatten().collect()
    }

    /// Values of dates and times between the bounds, as expressions.
    pub fn expressions(&self, column: &str, of: &Type) -> Vec<String> {
        let name = match of {
            Type::Date => "pg_catalog.date",
            Type::Timestamp { zone: true } => "pg_catalog.timestamptz",
            Type::Timestamp { zone: false } => "pg_catalog.timestamp",
            Type::Text(_) | Type::Uuid if !self.is_list => return self.lower(column, of),
            _ => return Vec::new(),
        };
        let Some(at) = self.columns.iter().position(|known| known == column) else {
            return Vec::new();
        };
        let literal_at = |items: &[Item]| items.get(at).and_then(Item::literal).map(literal);
        let (start, sign) = match (literal_at(&self.from), literal_at(&self.to)) {
            (Some(from), _) => (from, "+"),
            (None, Some(to)) => (to, "-"),
            _ => return Vec::new(),
        };
        let steps = 0..6;
        let steps = steps.map(|step| {
            let step = match sign {
                "+" => step,
                _ => step + 1,
            };
            let unit = match of {
                Type::Date => format!("{step}"),
                _ => format!("'{step} minutes'::pg_catalog.interval"),
            };
            format!("({start}::{name} OPERATOR(pg_catalog.{sign}) {unit})")
        });
        steps.collect()
    }

    /// The lower bound itself.
    fn lower(&self, column: &str, of: &Type) -> Vec<String> {
        let at = self.columns.iter().position(|known| known == column);
        let item = at.and_then(|at| self.from.get(at)).and_then(Item::literal);
        let found = item.map(|item| match of {
            Type::Text(_) => (0..6)
                .map(|step| literal(&format!("{item}{step}")))
                .collect(),
            _ => vec![literal(item), literal(&values::plain(of, 0))],
        });
        found.unwrap_or_default()
    }
}
