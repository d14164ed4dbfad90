//! What has been read so far.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Query, Version, fields::Fault, privileges::AclDefault};
use crate::{
    schema::{
        Facts, Kind, Name, Object, ObjectId, Schema, Scope, Unmodelled, Unreadable,
        postgres::Options,
    },
    sql::Dialect,
};

/// OIDs below this one belong to objects that initdb makes.
pub(super) const FIRST_USER_OID: u32 = super::super::trust::FIRST_OF_USERS;

/// The home role in the facts.
pub(super) const HOME_ROLE: &str = "CURRENT_USER";

/// The OIDs of catalogs, which are the same in all versions.
pub(super) mod class {
    pub const FOREIGN_SERVER: u32 = 1417;
    pub const USER_MAPPING: u32 = 1418;
    pub const TYPE: u32 = 1247;
    pub const PROC: u32 = 1255;
    pub const CLASS: u32 = 1259;
    pub const FOREIGN_DATA_WRAPPER: u32 = 2328;
    pub const ATTRDEF: u32 = 2604;
    pub const CAST: u32 = 2605;
    pub const CONSTRAINT: u32 = 2606;
    pub const NAMESPACE: u32 = 2615;
    pub const OPERATOR: u32 = 2617;
    pub const REWRITE: u32 = 2618;
    pub const TRIGGER: u32 = 2620;
    pub const EXTENSION: u32 = 3079;
    pub const POLICY: u32 = 3256;
    pub const STATISTIC_EXT: u32 = 3381;
    pub const COLLATION: u32 = 3456;
    pub const EVENT_TRIGGER: u32 = 3466;
    pub const TS_DICT: u32 = 3600;
    pub const TS_CONFIG: u32 = 3602;
    pub const PUBLICATION: u32 = 6104;
}

/// The address of an object: the OIDs of its catalog and of itself, and the number of a column or 0.
pub(super) type Address = (u32, u32, i16);

/// A relation that is in scope, or one that others may refer to.
pub(super) struct Relation {
    pub name: Name,
    /// `relkind`.
    pub kind: u8,
    pub owner: u32,
    /// Whether an extension owns it, so that it is no object.
    pub is_member: bool,
}

impl Relation {
    /// Whether this is a table: ordinary, partitioned or foreign.
    pub fn is_table(&self) -> bool {
        matches!(self.kind, b'r' | b'p' | b'f')
    }
}

/// A column of any relation.
pub(super) struct ColumnInfo {
    pub number: i16,
    pub name: String,
    pub data_type: u32,
    pub collation: u32,
}

/// A type with a modifier.
pub(super) struct TypeInfo {
    pub name: String,
    pub storage: String,
    pub collation: u32,
}

/// An operator class.
#[derive(Clone)]
pub(super) struct OperatorClass {
    pub name: Name,
    pub method: u32,
    pub input: u32,
    pub is_default: bool,
    pub has_key_type: bool,
}

/// The columns of `pg_index` and of the index's row in `pg_class`.
pub(super) struct IndexRow {
    pub table: u32,
    pub name: String,
    pub method: u32,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub is_clustered: bool,
    pub is_valid: bool,
    pub is_replica_identity: bool,
    pub key_count: usize,
    pub columns: Vec<i16>,
    pub collations: Vec<u32>,
    pub classes: Vec<u32>,
    pub flags: Vec<u16>,
    pub condition: Option<String>,
    /// The expressions of the keys that are no columns, in order.
    pub expressions: Vec<String>,
    pub options: Options,
    pub tablespace: u32,
}

/// What a column of an index has beside its definition.
#[derive(Default)]
pub(super) struct IndexColumn {
    pub statistics: Option<i32>,
    pub options: Options,
}

/// What is read of objects that initdb makes. There are many of them, and they hardly ever change.
#[derive(Clone, Default)]
pub(super) struct System {
    pub acl_defaults: HashMap<u8, AclDefault>,
    pub collations: HashMap<u32, Name>,
    pub operator_classes: HashMap<u32, OperatorClass>,
    /// The methods and types with a default operator class.
    pub default_classes: HashSet<(u32, u32)>,
}

/// What has been read so far, with the names of what rows refer to by OID.
pub(super) struct Catalog {
    pub version: Version,
    /// The schema of the version table.
    pub home_schema: String,
    /// The names of the version table and its log.
    pub own_tables: [String; 2],
    /// The role whose objects have no owner in the facts.
    pub home: u32,
    pub roles: HashMap<u32, String>,
    pub namespaces: HashMap<u32, String>,
    pub tablespaces: HashMap<u32, String>,
    pub methods: HashMap<u32, String>,
    pub system: Arc<System>,
    /// The comments that CREATE EXTENSION sets.
    pub extension_comments: HashMap<u32, String>,
    /// The extension of each member.
    pub members: HashMap<(u32, u32), u32>,
    pub types: HashMap<(u32, i32), TypeInfo>,
    /// The types under domains.
    pub base_types: HashMap<u32, u32>,
    pub relations: HashMap<u32, Relation>,
    pub columns: HashMap<u32, Vec<ColumnInfo>>,
    /// The parents of relations in order.
    pub parents: HashMap<u32, Vec<u32>>,
    /// The indexes that no object has taken.
    pub indexes: HashMap<u32, IndexRow>,
    pub index_names: HashMap<u32, Name>,
    /// The tables of indexes.
    pub index_tables: HashMap<u32, u32>,
    pub index_columns: HashMap<(u32, i16), IndexColumn>,
    /// The types of the columns of indexes with expressions.
    pub index_types: HashMap<(u32, i16), u32>,
    pub objects: Vec<Object>,
    pub addresses: HashMap<Address, usize>,
    /// The indexes of objects whose facts went to other objects.
    folded: HashSet<usize>,
    pub unmodelled: Vec<Unmodelled>,
    pub unreadable: Vec<Unreadable>,
}

impl Catalog {
    pub fn new(version: Version, home_schema: String, own_tables: [String; 2]) -> Self {
        Self {
            version,
            home_schema,
            own_tables,
            home: 0,
            roles: HashMap::new(),
            namespaces: HashMap::new(),
            tablespaces: HashMap::new(),
            methods: HashMap::new(),
            system: Arc::default(),
            extension_comments: HashMap::new(),
            members: HashMap::new(),
            types: HashMap::new(),
            base_types: HashMap::new(),
            relations: HashMap::new(),
            columns: HashMap::new(),
            parents: HashMap::new(),
            indexes: HashMap::new(),
            index_names: HashMap::new(),
            index_tables: HashMap::new(),
            index_columns: HashMap::new(),
            index_types: HashMap::new(),
            objects: Vec::new(),
            addresses: HashMap::new(),
            folded: HashSet::new(),
            unmodelled: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    pub fn system_mut(&mut self) -> &mut System {
        Arc::make_mut(&mut self.system)
    }

    /// Adds an object.
    pub fn add(&mut self, address: Address, id: ObjectId, facts: impl Into<Facts>) -> &mut Object {
        let at = self.objects.len();
        self.addresses.insert(address, at);
        self.objects.push(Object::new(id, facts));
        &mut self.objects[at]
    }

    pub fn object(&mut self, address: Address) -> Option<&mut Object> {
        let at = *self.addresses.get(&address)?;
        self.objects.get_mut(at)
    }

    /// The identity of an object that was added.
    pub fn id(&self, address: Address) -> Option<&ObjectId> {
        let at = *self.addresses.get(&address)?;
        self.objects.get(at).map(|object| &object.id)
    }

    /// Makes the object at `address` a part of another one.
    pub fn fold(&mut self, address: Address, into: Address) {
        let (from, to) = (self.addresses.get(&address), self.addresses.get(&into));
        if let (Some(from), Some(to)) = (from.copied(), to.copied()) {
            self.folded.insert(from);
            self.addresses.insert(address, to);
        }
    }

    /// Whether an extension owns the object.
    pub fn is_member(&self, class: u32, oid: u32) -> bool {
        self.members.contains_key(&(class, oid))
    }

    /// The name of a schema whose objects are read; `None` for the schemas of the system.
    pub fn user_schema(&self, oid: u32) -> Option<&str> {
        let name = self.namespaces.get(&oid)?;
        (!is_system_schema(name)).then_some(name)
    }

    /// The name of an object in the schema with this OID.
    pub fn name(&self, schema: u32, name: &str) -> Name {
        let schema = self.namespaces.get(&schema).cloned().unwrap_or_default();
        Name::new(schema, name)
    }

    /// The name of a table or view.
    pub fn relation_name(&self, oid: u32) -> Option<&Name> {
        self.relations.get(&oid).map(|relation| &relation.name)
    }

    /// The name of a table or view whose parts are objects.
    pub fn whole(&self, oid: u32) -> Option<&Name> {
        let relation = self.relations.get(&oid)?;
        (!relation.is_member).then_some(&relation.name)
    }

    /// The owner as in the facts.
    pub fn owner(&self, role: u32) -> Option<String> {
        (role != self.home).then(|| self.role(role))
    }

    /// The name of a role as in the facts: `CURRENT_USER` for the home role, whose name may differ
    /// from database to database.
    pub fn role(&self, oid: u32) -> String {
        if oid == self.home {
            HOME_ROLE.to_owned()
        } else {
            self.role_name(oid)
        }
    }

    /// The name of a role in the catalogs.
    pub fn role_name(&self, oid: u32) -> String {
        let name = self.roles.get(&oid).cloned();
        name.unwrap_or_else(|| oid.to_string())
    }

    /// The name of a collation, if it is not `usual`.
    pub fn collation(&self, oid: u32, usual: u32) -> Option<Name> {
        let is_own = oid != 0 && oid != usual;
        is_own
            .then(|| self.system.collations.get(&oid).cloned())
            .flatten()
    }

    /// The name of a tablespace, if it is not the database's.
    pub fn tablespace(&self, oid: u32) -> Option<String> {
        self.tablespaces.get(&oid).cloned()
    }

    pub fn column(&self, relation: u32, number: i16) -> Option<&ColumnInfo> {
        let columns = self.columns.get(&relation)?;
        columns.iter().find(|column| column.number == number)
    }

    /// The names of columns.
    pub fn column_names(&self, relation: u32, numbers: &[i16]) -> Result<Vec<String>, Fault> {
        let names = numbers.iter().map(|number| {
            let column = self.column(relation, *number).ok_or_else(|| {
                Fault::Malformed(format!("relation {relation} has no column {number}"))
            })?;
            Ok(column.name.clone())
        });
        names.collect()
    }

    /// The schema of everything in `scope`.
    pub fn into_schema(mut self, scope: &Scope) -> Schema {
        let folded = std::mem::take(&mut self.folded);
        let mut at = 0..;
        self.objects
            .retain(|_| at.next().is_none_or(|at| !folded.contains(&at)));
        self.leave_out();
        let mut objects = std::mem::take(&mut self.objects);
        for object in &mut objects {
            object.depends_on.sort_unstable();
            object.depends_on.dedup();
        }
        if !scope.is_everything() {
            objects.retain(|object| scope.holds(&object.id));
        }
        let mut schema = Schema::new(Dialect::Postgres, objects);
        schema.unmodelled = self.unmodelled;
        schema.unmodelled.sort_unstable();
        schema.unreadable = self.unreadable;
        schema.unreadable.retain(|one| scope.holds(&one.id));
        schema.unreadable.sort_unstable();
        schema
    }

    /// Removes the objects with these identities, with their parts and the sequences that belong to
    /// them.
    pub fn remove(&mut self, removed: &HashSet<Name>) {
        let is_removed = |id: &ObjectId| {
            let of = match id.parent_name() {
                Some(parent) => removed.contains(&parent),
                None => id.kind != Kind::Schema && removed.contains(&id.qualified()),
            };
            of && !id.schema.is_empty()
        };
        self.objects.retain(|object| {
            let of = match &object.facts {
                Facts::Sequence(sequence) => sequence.owned_by.as_ref().map(|(table, _)| table),
                Facts::Statistics(statistics) => Some(&statistics.table),
                _ => None,
            };
            !is_removed(&object.id) && !of.is_some_and(|table| removed.contains(table))
        });
        for object in &mut self.objects {
            object.depends_on.retain(|id| !is_removed(id));
        }
        self.addresses.clear();
    }
}

/// Whether the schema is one of the system. Names that start with `pg_` are reserved.
pub(super) fn is_system_schema(name: &str) -> bool {
    name.starts_with("pg_") || name == "information_schema"
}

/// The queries of what has only a name.
pub(super) fn queries() -> Vec<Query> {
    vec![
        Query::new(
            "SELECT classid, objid, refobjid FROM pg_depend \
             WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass",
            |catalog, fields| {
                let member = (fields.oid()?, fields.oid()?);
                catalog.members.insert(member, fields.oid()?);
                Ok(())
            },
        )
        .for_all(),
        Query::new(
            "SELECT oid, spcname FROM pg_tablespace",
            |catalog, fields| {
                catalog.tablespaces.insert(fields.oid()?, fields.string()?);
                Ok(())
            },
        )
        .on_catalogs(&["pg_tablespace"]),
        Query::new("SELECT oid, amname FROM pg_am", |catalog, fields| {
            catalog.methods.insert(fields.oid()?, fields.string()?);
            Ok(())
        })
        .on_catalogs(&["pg_am"]),
        Query::new(
            "SELECT oid, collnamespace, collname FROM pg_collation",
            |catalog, fields| {
                let oid = fields.oid()?;
                let name = catalog.name(fields.oid()?, fields.text()?);
                catalog.system_mut().collations.insert(oid, name);
                Ok(())
            },
        )
        .on_catalogs(&["pg_collation"])
        .of_system(),
        Query::new(
            "SELECT oid, opcnamespace, opcname, opcmethod, opcintype, opcdefault, \
             opckeytype <> 0 FROM pg_opclass",
            |catalog, fields| {
                let oid = fields.oid()?;
                let class = OperatorClass {
                    name: catalog.name(fields.oid()?, fields.text()?),
                    method: fields.oid()?,
                    input: fields.oid()?,
                    is_default: fields.flag()?,
                    has_key_type: fields.flag()?,
                };
                if class.is_default {
                    let key = (class.method, class.input);
                    catalog.system_mut().default_classes.insert(key);
                }
                catalog.system_mut().operator_classes.insert(oid, class);
                Ok(())
            },
        )
        .on_catalogs(&["pg_opclass"])
        .of_system(),
    ]
}
