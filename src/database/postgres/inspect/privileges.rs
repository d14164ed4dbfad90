//! Roles, schemas, privileges and comments.

use super::{
    Query, Reach, Version,
    catalog::{Catalog, FIRST_USER_OID, HOME_ROLE, class},
    fields::{Fault, Fields, array},
};
use crate::{
    database::postgres::message::literal,
    schema::{
        Grant, Kind, ObjectId,
        postgres::{DefaultPrivileges, Schema},
    },
    sql::cut_quoted,
};

/// The kinds of objects with privileges, as `acldefault` names them.
pub(super) mod acl {
    pub const TABLE: u8 = b'r';
    pub const COLUMN: u8 = b'c';
    pub const SEQUENCE: u8 = b's';
    pub const FUNCTION: u8 = b'f';
    pub const TYPE: u8 = b'T';
    pub const SCHEMA: u8 = b'n';
    pub const WRAPPER: u8 = b'F';
    pub const SERVER: u8 = b'S';
}

/// The letters of the default privileges.
#[derive(Clone)]
pub(super) struct AclDefault {
    owner: String,
    public: String,
}

/// The OID of the schema `public` of a new database.
const PUBLIC: u32 = 2200;

/// Whether a schema is `public`, as a new database has it or made anew like that.
fn is_public(version: Version, oid: u32, name: &str, owner: u32) -> bool {
    let is_remade = version.has(15) && name == "public" && owner == owner_of_public(version);
    oid == PUBLIC || is_remade
}

/// The role that owns the schema `public` of a new database.
fn owner_of_public(version: Version) -> u32 {
    // pg_database_owner, and before it the role of initdb.
    if version.has(15) { 6171 } else { 10 }
}

/// The queries of roles and schemas. The home role owns the version table, or is the present one.
pub(super) fn queries(version: Version, schema: &str, table: &str) -> Vec<Query> {
    let (schema, table) = (literal(schema), literal(table));
    let owner = owner_of_public(version);
    vec![
        Query::new(
            format!(
                "SELECT r.oid, r.rolname, r.oid = coalesce((SELECT c.relowner FROM pg_class AS c \
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                 WHERE n.nspname = {schema} AND c.relname = {table} AND c.relkind IN ('r', 'p')), \
                 (SELECT u.oid FROM pg_roles AS u WHERE u.rolname = current_user)) \
                 FROM pg_roles AS r"
            ),
            |catalog, fields| {
                let (oid, name) = (fields.oid()?, fields.string()?);
                if fields.flag()? {
                    catalog.home = oid;
                }
                catalog.roles.insert(oid, name);
                Ok(())
            },
        )
        .on(Reach::Server)
        .for_all(),
        Query::new(
            "SELECT t.kind, acldefault(t.kind::\"char\", 10) \
             FROM unnest('{r,c,s,f,T,n,F,S}'::text[]) AS t (kind)",
            |catalog, fields| {
                let kind = fields.text()?.as_bytes().first().copied().unwrap_or(0);
                let mut letters = AclDefault {
                    owner: String::new(),
                    public: String::new(),
                };
                for item in fields.list()? {
                    let (grantee, privileges, _) = item_parts(&item)?;
                    match grantee {
                        Some(_) => letters.owner = privileges,
                        None => letters.public = privileges,
                    }
                }
                catalog.system_mut().acl_defaults.insert(kind, letters);
                Ok(())
            },
        )
        .on_catalogs(&[])
        .of_system(),
        Query::new(
            format!(
                "SELECT n.oid, n.nspname, n.nspowner, n.nspacl, coalesce(i.initprivs, \
                 acldefault('n', {owner}) || makeaclitem(0, {owner}, 'USAGE', false))::text \
                 FROM pg_namespace AS n LEFT JOIN pg_init_privs AS i \
                 ON i.objoid = n.oid AND i.classoid = 'pg_namespace'::regclass AND i.privtype = 'i'"
            ),
            read_schema,
        )
        .on_catalogs(&["pg_namespace"]),
    ]
}

fn read_schema(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, owner) = (fields.oid()?, fields.string()?, fields.oid()?);
    let (acl, initial) = (fields.optional()?, fields.optional()?);
    catalog.namespaces.insert(oid, name.clone());
    if catalog.user_schema(oid).is_none() {
        return Ok(());
    }
    let id = ObjectId::new(Kind::Schema, "", name);
    let (owned_by, grants) = if is_public(catalog.version, oid, &id.name, owner) {
        let is_usual = owner == owner_of_public(catalog.version);
        let grants = catalog.grants(acl::SCHEMA, acl, owner)?;
        let initial_owner = owner_of_public(catalog.version);
        let initial = catalog.grants(acl::SCHEMA, initial, initial_owner)?;
        // Privileges that are usual for other schemas are not for this one.
        let grants = (grants != initial).then(|| grants.unwrap_or_default());
        ((!is_usual).then(|| catalog.role(owner)), grants)
    } else {
        let grants = catalog.grants(acl::SCHEMA, acl, owner)?;
        (catalog.owner(owner), grants)
    };
    let object = catalog.add((class::NAMESPACE, oid, 0), id, Schema {});
    object.owner = owned_by;
    object.grants = grants;
    Ok(())
}

/// The queries of default privileges and comments.
pub(super) fn last_queries() -> Vec<Query> {
    vec![
        Query::new(
            "SELECT oid, defaclrole, defaclnamespace, defaclobjtype, defaclacl FROM pg_default_acl",
            read_default_privileges,
        )
        .on_catalogs(&["pg_default_acl"]),
        Query::new(
            format!(
                "SELECT classoid, objoid, objsubid, description FROM pg_description \
                 WHERE CASE WHEN classoid = 'pg_namespace'::regclass AND objoid = (SELECT oid FROM pg_namespace \
                 WHERE nspname = 'public') THEN description <> 'standard public schema' \
                 ELSE objoid >= {FIRST_USER_OID} END"
            ),
            |catalog, fields| {
                let address = (fields.oid()?, fields.oid()?, fields.number()?);
                let comment = fields.text()?;
                catalog.comment(address, comment);
                Ok(())
            },
        )
        .on_catalogs(&["pg_description", "pg_namespace"]),
    ]
}

fn read_default_privileges(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, role, schema) = (fields.oid()?, fields.oid()?, fields.oid()?);
    let (on, kind) = match fields.text()? {
        "r" => ("TABLES", acl::TABLE),
        "S" => ("SEQUENCES", acl::SEQUENCE),
        "f" => ("FUNCTIONS", acl::FUNCTION),
        "T" => ("TYPES", acl::TYPE),
        "n" => ("SCHEMAS", acl::SCHEMA),
        "L" => ("LARGE OBJECTS", b'L'),
        other => return Err(Fault::Malformed(format!("default privileges on `{other}`"))),
    };
    let acl = fields.list()?;
    // The privileges in one schema come on top of those in all.
    let usual = if schema == 0 { Some(kind) } else { None };
    let in_schema = if schema == 0 {
        String::new()
    } else {
        match catalog.user_schema(schema) {
            Some(name) => name.to_owned(),
            None => return Ok(()),
        }
    };
    let id = ObjectId::new(Kind::DefaultPrivileges, in_schema, catalog.role(role))
        .with_signature(format!(" ON {on}"));
    let facts = DefaultPrivileges {
        role: catalog.owner(role).unwrap_or_default(),
        on: on.to_owned(),
        privileges: catalog.privileges(usual, &acl, role)?,
    };
    catalog.add((826, oid, 0), id, facts);
    Ok(())
}

impl Catalog {
    /// The privileges of an object, or `None` if they are the default ones.
    pub(super) fn grants(
        &self,
        kind: u8,
        acl: Option<&str>,
        owner: u32,
    ) -> Result<Option<Vec<Grant>>, Fault> {
        let Some(acl) = acl else { return Ok(None) };
        let items = array(acl)?;
        if self.is_default(kind, &items, owner)? {
            return Ok(None);
        }
        self.privileges(Some(kind), &items, owner).map(Some)
    }

    fn is_default(&self, kind: u8, items: &[String], owner: u32) -> Result<bool, Fault> {
        let usual = self.system.acl_defaults.get(&kind);
        let (of_owner, public) =
            usual.map_or(("", ""), |it| (it.owner.as_str(), it.public.as_str()));
        let owner = self.roles.get(&owner).map(String::as_str);
        let mut left = [of_owner, public]
            .into_iter()
            .filter(|it| !it.is_empty())
            .count();
        for item in items {
            let (grantee, privileges, grantor) = item_parts(item)?;
            let expected = match &grantee {
                None => public,
                Some(role) if Some(role.as_str()) == owner => of_owner,
                Some(_) => return Ok(false),
            };
            if privileges != expected || Some(grantor.as_str()) != owner || left == 0 {
                return Ok(false);
            }
            left -= 1;
        }
        Ok(left == 0)
    }

    /// The privileges in an ACL, without those that the owner of an object of kind `usual` has by
    /// default. An owner who has none at all is shown with the privilege `NONE`.
    fn privileges(
        &self,
        usual: Option<u8>,
        items: &[String],
        owner: u32,
    ) -> Result<Vec<Grant>, Fault> {
        let of_owner = usual.and_then(|kind| self.system.acl_defaults.get(&kind));
        let of_owner = of_owner.map_or("", |it| it.owner.as_str());
        let owner = self.role_name(owner);
        let home = self.role_name(self.home);
        let shown = |role: String| {
            if role == home {
                HOME_ROLE.to_owned()
            } else {
                role
            }
        };
        let mut grants = Vec::new();
        let mut has_owner = of_owner.is_empty();
        for item in items {
            let (grantee, privileges, grantor) = item_parts(item)?;
            if grantee.as_ref() == Some(&owner) {
                has_owner = true;
                if privileges == of_owner && grantor == owner {
                    continue;
                }
            }
            let grantor = (grantor != owner).then(|| shown(grantor));
            let grantee = grantee.map(shown);
            let mut letters = privileges.chars().peekable();
            while let Some(letter) = letters.next() {
                grants.push(Grant {
                    grantee: grantee.clone(),
                    privilege: privilege(letter)?.to_owned(),
                    grantable: letters.next_if_eq(&'*').is_some(),
                    grantor: grantor.clone(),
                });
            }
        }
        if !has_owner {
            grants.push(Grant {
                grantee: Some(shown(owner)),
                privilege: "NONE".to_owned(),
                ..Grant::default()
            });
        }
        grants.sort_unstable_by(|a, b| {
            let key = |it: &Grant| (it.grantee.clone(), it.privilege.clone(), it.grantor.clone());
            key(a).cmp(&key(b))
        });
        Ok(grants)
    }
}

/// The parts of `grantee=privileges/grantor`. An empty grantee is PUBLIC.
fn item_parts(item: &str) -> Result<(Option<String>, String, String), Fault> {
    let malformed = || Fault::Malformed(format!("`{item}` is no privilege"));
    let (grantee, rest) = role_name(item).ok_or_else(malformed)?;
    let rest = rest.strip_prefix('=').ok_or_else(malformed)?;
    let (privileges, grantor) = rest.split_once('/').ok_or_else(malformed)?;
    let (grantor, _) = role_name(grantor).ok_or_else(malformed)?;
    let grantee = (!grantee.is_empty()).then_some(grantee);
    Ok((grantee, privileges.to_owned(), grantor))
}

/// Cuts the name of a role, which may be quoted, off the start of `text`.
fn role_name(text: &str) -> Option<(String, &str)> {
    match text.strip_prefix('"') {
        Some(inner) => cut_quoted(inner),
        None => {
            let end = text.find('=').unwrap_or(text.len());
            Some((text[..end].to_owned(), &text[end..]))
        }
    }
}

/// The name of a privilege in an ACL.
fn privilege(letter: char) -> Result<&'static str, Fault> {
    Ok(match letter {
        'r' => "SELECT",
        'a' => "INSERT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'm' => "MAINTAIN",
        'X' => "EXECUTE",
        'U' => "USAGE",
        'C' => "CREATE",
        'c' => "CONNECT",
        'T' => "TEMPORARY",
        's' => "SET",
        'A' => "ALTER SYSTEM",
        other => return Err(Fault::Malformed(format!("`{other}` is no privilege"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_an_acl_are_read() {
        let check = |item: &str, grantee: Option<&str>, privileges: &str, grantor: &str| {
            let (one, two, three) = item_parts(item).unwrap();
            assert_eq!(
                (one.as_deref(), two.as_str(), three.as_str()),
                (grantee, privileges, grantor)
            );
        };
        check("=X/postgres", None, "X", "postgres");
        check("a=r*w/b", Some("a"), "r*w", "b");
        check("\"a=\"\"b/\"=r/\"c d\"", Some("a=\"b/"), "r", "c d");
        assert!(item_parts("nonsense").is_err());
    }
}
