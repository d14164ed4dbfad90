use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Compare, Kind, Name,
    facts::{facts, value},
    name::{folded_order, quoted},
    postgres, sqlite,
};
use crate::sql::Dialect;

/// The identity of an object.
///
/// Identities are ordered by schema; in a schema, parts come last, sorted by what they are parts of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// The schema; empty for objects outside schemas.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub schema: String,
    /// The name of the object that this one is a part of: a table, view or domain; for user
    /// mappings the server.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub parent: String,
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// What else identifies the object: the argument types of a routine or an operator, with
    /// parentheses: `(integer, text)`; of several constraints with the same name, which one: `#2`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signature: String,
}

impl ObjectId {
    /// The identity of an object in a schema.
    pub fn new(kind: Kind, schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            parent: String::new(),
            kind,
            name: name.into(),
            signature: String::new(),
        }
    }

    /// The identity of a part of the object `parent`.
    pub fn part(kind: Kind, parent: &Name, name: impl Into<String>) -> Self {
        Self {
            parent: parent.name.clone(),
            ..Self::new(kind, parent.schema.clone(), name)
        }
    }

    /// The identity with a signature.
    pub fn with_signature(mut self, signature: impl Into<String>) -> Self {
        self.signature = signature.into();
        self
    }

    /// The name with its schema.
    pub fn qualified(&self) -> Name {
        Name::new(self.schema.clone(), self.name.clone())
    }

    /// Whether the object is a part of another one. The name of that one may be empty.
    pub fn is_part(&self) -> bool {
        !self.parent.is_empty() || self.kind.is_part()
    }

    /// The name of the parent with its schema; `None` for objects that are no parts.
    pub fn parent_name(&self) -> Option<Name> {
        self.is_part()
            .then(|| Name::new(self.schema.clone(), self.parent.clone()))
    }

    /// The order of two identities of a dialect. They are equal if they stand for the same object,
    /// which in some dialects does not depend on the case of names.
    pub fn order(&self, other: &Self, dialect: Dialect) -> Ordering {
        if dialect.folds_names() {
            self.order_by(other, folded_order)
        } else {
            self.cmp(other)
        }
    }

    fn order_by(&self, other: &Self, names: fn(&str, &str) -> Ordering) -> Ordering {
        self.place()
            .order_by(&other.place(), names)
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| names(&self.name, &other.name))
            .then_with(|| self.signature.cmp(&other.signature))
    }

    fn place(&self) -> Place<'_> {
        Place {
            schema: &self.schema,
            parent: self.is_part().then_some(&self.parent),
        }
    }
}

impl PartialOrd for ObjectId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ObjectId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order_by(other, |a, b| a.cmp(b))
    }
}

/// The schema of an object and, if it is a part, what it is a part of.
struct Place<'a> {
    schema: &'a str,
    parent: Option<&'a str>,
}

impl Place<'_> {
    fn order_by(&self, other: &Self, names: fn(&str, &str) -> Ordering) -> Ordering {
        names(self.schema, other.schema).then_with(|| match (self.parent, other.parent) {
            (Some(a), Some(b)) => names(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
    }
}

/// Formats the kind and the name: `column shop.orders.total`, `function shop.f(integer)`. Constraints
/// without names are shown by their definitions: `primary key orders`, `check constraint orders (total > 0)`.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind)?;
        if !self.schema.is_empty() {
            write!(f, "{}.", quoted(&self.schema))?;
        }
        if self.is_part() {
            f.write_str(&quoted(&self.parent))?;
            if self.kind == Kind::PrimaryKey && self.name.is_empty() {
                return Ok(());
            }
            if self.name.starts_with('(') {
                return write!(f, " {}{}", self.name, self.signature);
            }
            f.write_str(".")?;
        }
        let name = if self.kind == Kind::Operator || self.name.is_empty() {
            self.name.as_str().into()
        } else {
            quoted(&self.name)
        };
        write!(f, "{name}{}", self.signature)
    }
}

/// An object of a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// The identity.
    #[serde(flatten)]
    pub id: ObjectId,
    /// The owner; `None` if it is the role that owns the database's migrations, or the dialect
    /// has no owners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// All privileges on the object, sorted, apart from those that every owner has; `None` if they
    /// are the default ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Grant>>,
    /// The facts of its kind.
    pub facts: Facts,
    /// The objects that must exist before this one, sorted, apart from its schema and its parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<ObjectId>,
}

impl Object {
    /// An object with facts alone.
    pub fn new(id: ObjectId, facts: impl Into<Facts>) -> Self {
        Self {
            id,
            owner: None,
            comment: None,
            grants: None,
            facts: facts.into(),
            depends_on: Vec::new(),
        }
    }

    /// Calls `differs` with the name and both values of every attribute that differs.
    pub fn compare(&self, other: &Self, differs: &mut dyn FnMut(&'static str, Value, Value)) {
        if self.owner != other.owner {
            differs("owner", value(&self.owner), value(&other.owner));
        }
        self.facts.compare(&other.facts, differs);
        if self.grants != other.grants {
            differs("grants", value(&self.grants), value(&other.grants));
        }
        if self.comment != other.comment {
            differs("comment", value(&self.comment), value(&other.comment));
        }
    }
}

facts! {
    /// One privilege on an object.
    Grant {
        /// The role that has the privilege; `None` for PUBLIC, `CURRENT_USER` for the role that owns
        /// the database's migrations.
        grantee: Option<String>,
        /// The privilege, such as `SELECT`. An owner without any privilege has `NONE`.
        privilege: String,
        /// Whether the role may grant it to others.
        grantable: bool,
        /// The role that granted it, if it is not the object's owner.
        grantor: Option<String>,
    }
}

macro_rules! all_facts {
    ($( $variant:ident($($path:ident)::+) = $name:literal, )*) => {
        /// The facts of an object, by dialect and kind.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "type")]
        #[allow(missing_docs, reason = "each variant is documented by its type")]
        pub enum Facts {
            $( #[serde(rename = $name)] $variant(Box<$($path)::+>), )*
        }

        $(
            impl From<$($path)::+> for Facts {
                fn from(facts: $($path)::+) -> Self {
                    Self::$variant(Box::new(facts))
                }
            }
        )*

        impl Facts {
            /// The name of each type of facts with the names of its attributes.
            #[cfg(any(test, feature = "internals"))]
            pub const ATTRIBUTES: &'static [(&'static str, &'static [&'static str])] =
                &[ $( ($name, <$($path)::+ as Compare>::ATTRIBUTES), )* ];

            /// The name of the type of facts.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$variant(_) => $name, )*
                }
            }

            /// Whether no attribute differs. Equality also sees what is not compared.
            pub fn is_same(&self, other: &Self) -> bool {
                match (self, other) {
                    $( (Self::$variant(a), Self::$variant(b)) => a.is_same(b), )*
                    _ => false,
                }
            }

            /// Calls `differs` with the name and both values of every attribute that differs.
            pub fn compare(
                &self,
                other: &Self,
                differs: &mut dyn FnMut(&'static str, Value, Value),
            ) {
                match (self, other) {
                    $( (Self::$variant(from), Self::$variant(to)) => from.compare(to, differs), )*
                    _ => differs("type", value(&self.name()), value(&other.name())),
                }
            }
        }
    };
}

all_facts! {
    Schema(postgres::Schema) = "schema",
    Extension(postgres::Extension) = "extension",
    ForeignDataWrapper(postgres::ForeignDataWrapper) = "foreign-data wrapper",
    Server(postgres::Server) = "server",
    UserMapping(postgres::UserMapping) = "user mapping",
    Collation(postgres::Collation) = "collation",
    Enum(postgres::Enum) = "enum",
    Domain(postgres::Domain) = "domain",
    Composite(postgres::Composite) = "composite type",
    Range(postgres::Range) = "range type",
    Routine(postgres::Routine) = "routine",
    Aggregate(postgres::Aggregate) = "aggregate",
    Operator(postgres::Operator) = "operator",
    Cast(postgres::Cast) = "cast",
    TextSearchDictionary(postgres::TextSearchDictionary) = "text search dictionary",
    TextSearchConfiguration(postgres::TextSearchConfiguration) = "text search configuration",
    Sequence(postgres::Sequence) = "sequence",
    Table(postgres::Table) = "table",
    Column(postgres::Column) = "column",
    Key(postgres::Key) = "key",
    ForeignKey(postgres::ForeignKey) = "foreign key",
    Check(postgres::Check) = "check constraint",
    Exclusion(postgres::Exclusion) = "exclusion constraint",
    Index(postgres::Index) = "index",
    Statistics(postgres::Statistics) = "statistics",
    View(postgres::View) = "view",
    MaterializedView(postgres::MaterializedView) = "materialized view",
    Trigger(postgres::Trigger) = "trigger",
    Rule(postgres::Rule) = "rule",
    Policy(postgres::Policy) = "policy",
    EventTrigger(postgres::EventTrigger) = "event trigger",
    Publication(postgres::Publication) = "publication",
    DefaultPrivileges(postgres::DefaultPrivileges) = "default privileges",
    SqliteTable(sqlite::Table) = "SQLite table",
    SqliteVirtualTable(sqlite::VirtualTable) = "SQLite virtual table",
    SqliteColumn(sqlite::Column) = "SQLite column",
    SqlitePrimaryKey(sqlite::PrimaryKey) = "SQLite primary key",
    SqliteUnique(sqlite::Unique) = "SQLite unique constraint",
    SqliteForeignKey(sqlite::ForeignKey) = "SQLite foreign key",
    SqliteCheck(sqlite::Check) = "SQLite check constraint",
    SqliteIndex(sqlite::Index) = "SQLite index",
    SqliteView(sqlite::View) = "SQLite view",
    SqliteTrigger(sqlite::Trigger) = "SQLite trigger",
}

/// An object of a kind that has no facts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unmodelled {
    /// The kind in the words of the database, such as `operator class`.
    pub kind: String,
    /// The name in the words of the database.
    pub name: String,
}

/// Facts that the role may not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unreadable {
    /// The object.
    #[serde(flatten)]
    pub id: ObjectId,
    /// What cannot be read, such as `options`.
    pub what: String,
}

/// The contents of a database, apart from rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The dialect.
    #[serde(serialize_with = "dialect_name", deserialize_with = "dialect_of")]
    pub dialect: Dialect,
    /// The objects, sorted by identity.
    pub objects: Vec<Object>,
    /// The objects without facts, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmodelled: Vec<Unmodelled>,
    /// The facts that the role may not read, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

fn dialect_name<S: serde::Serializer>(dialect: &Dialect, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(dialect.name())
}

fn dialect_of<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Dialect, D::Error> {
    let name = String::deserialize(deserializer)?;
    let mut all = Dialect::ALL.into_iter();
    all.find(|dialect| dialect.name() == name)
        .ok_or_else(|| serde::de::Error::custom(format!("unknown dialect `{name}`")))
}

impl Schema {
    /// A schema of objects in any order.
    pub fn new(dialect: Dialect, mut objects: Vec<Object>) -> Self {
        objects.sort_unstable_by(|a, b| a.id.order(&b.id, dialect));
        Self {
            dialect,
            objects,
            unmodelled: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// The object with this identity.
    pub fn get(&self, id: &ObjectId) -> Option<&Object> {
        let found = self
            .objects
            .binary_search_by(|object| object.id.order(id, self.dialect));
        found.ok().map(|at| &self.objects[at])
    }

    /// The object that `id` is a part of.
    pub fn parent_of(&self, id: &ObjectId) -> Option<&Object> {
        let name = id.parent_name()?;
        let kinds = Kind::ALL.iter().filter(|kind| kind.has_parts());
        let mut id = ObjectId::new(Kind::Table, name.schema, name.name);
        kinds.copied().find_map(|kind| {
            id.kind = kind;
            self.get(&id)
        })
    }

    /// The parts of the object `parent`, sorted.
    pub fn parts(&self, parent: &Name) -> &[Object] {
        let place = Place {
            schema: &parent.schema,
            parent: Some(&parent.name),
        };
        let names = match self.dialect.folds_names() {
            true => folded_order,
            false => |a: &str, b: &str| a.cmp(b),
        };
        let order = |object: &Object| object.id.place().order_by(&place, names);
        let start = self.objects.partition_point(|object| order(object).is_lt());
        let parts = &self.objects[start..];
        &parts[..parts.partition_point(|object| order(object).is_eq())]
    }
}
