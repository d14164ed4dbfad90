//! The owners of code in a copy, and the privileges with which it runs while the copy is loaded.
//!
//! pg_restore loads rows with COPY, which runs CHECK constraints, generated columns and the
//! functions they call as the connected role. SET ROLE and SET SESSION AUTHORIZATION give no
//! protection, since that code can reset both. Only where the server itself switches to the owner
//! and forbids switching back, as for building an index or refreshing a materialized view, is code
//! limited to the privileges of the table's owner. So objects keep their owners where possible, and
//! the rest is reported before it runs.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{
    super::{DatabaseError, backup::OwnersCode},
    backup::{failed, text},
    message::{literal, rows},
};

/// The property of a manifest that stores the owners as a JSON array.
pub(super) const PROPERTY: &str = "owners";

/// All roles that own an object in the database, in the format of [`PROPERTY`].
pub(super) async fn all(connection: &mut PgConnection) -> Result<String, DatabaseError> {
    // The dependencies do not include objects of the bootstrap superuser.
    let sql = "SELECT COALESCE(pg_catalog.json_agg(r.rolname ORDER BY r.rolname), '[]')::text \
               FROM pg_catalog.pg_roles AS r WHERE r.oid IN ( \
               SELECT s.refobjid FROM pg_catalog.pg_shdepend AS s JOIN pg_catalog.pg_database AS d \
               ON d.oid = s.dbid WHERE d.datname = pg_catalog.current_database() AND s.deptype = 'o' \
               AND s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass \
               UNION SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid >= 16384 \
               UNION SELECT p.proowner FROM pg_catalog.pg_proc AS p WHERE p.oid >= 16384 \
               UNION SELECT t.typowner FROM pg_catalog.pg_type AS t WHERE t.oid >= 16384 \
               UNION SELECT n.nspowner FROM pg_catalog.pg_namespace AS n WHERE n.oid >= 16384)";
    let found = rows(connection, sql).await.map_err(|e| failed(&e))?;
    text(found.first(), 0)
}

/// The owners of objects in a copy that is to be loaded.
pub(super) struct Owners {
    /// The code to report, if any.
    pub code: Option<OwnersCode>,
    /// Whether all objects can be given to their owners: the role is a superuser, and all owners
    /// exist.
    pub can_be_kept: bool,
}

/// Looks up the owners in `properties` on the server.
pub(super) async fn look(
    connection: &mut PgConnection,
    properties: &BTreeMap<String, String>,
) -> Result<Owners, DatabaseError> {
    let owners = properties.get(PROPERTY);
    let owners: Option<Vec<String>> = owners.and_then(|owners| serde_json::from_str(owners).ok());
    let names = owners.iter().flatten().map(|owner| literal(owner));
    let sql = format!(
        "SET LOCAL search_path TO '';\n\
         SELECT r.rolname::text, r.rolsuper::text, (r.rolname = SESSION_USER)::text \
         FROM pg_catalog.pg_roles AS r WHERE r.rolname = SESSION_USER \
         OR r.rolname = ANY (ARRAY[{}]::pg_catalog.name[])",
        names.collect::<Vec<_>>().join(", ")
    );
    let found = rows(connection, &sql).await.map_err(|e| failed(&e))?;
    let mut roles = Vec::new();
    for row in &found {
        let is = |column| text(Some(row), column).map(|text| text == "true");
        roles.push(Role {
            name: text(Some(row), 0)?,
            superuser: is(1)?,
            ours: is(2)?,
        });
    }
    Ok(judge(owners, &roles))
}

struct Role {
    name: String,
    superuser: bool,
    /// Whether the owner is the connected role.
    ours: bool,
}

fn judge(owners: Option<Vec<String>>, roles: &[Role]) -> Owners {
    let ours = roles.iter().find(|role| role.ours);
    let (role, superuser) = ours.map_or((String::new(), false), |role| {
        (role.name.clone(), role.superuser)
    });
    let find = |name: &String| roles.iter().find(|role| role.name == *name);
    let all_exist = owners
        .as_ref()
        .is_some_and(|owners| owners.iter().all(|owner| find(owner).is_some()));
    // Code of a superuser could not gain anything.
    let others = owners.map(|mut owners| {
        owners.retain(|owner| !find(owner).is_some_and(|role| role.ours || role.superuser));
        owners
    });
    let is_told = others.as_ref().is_none_or(|others| !others.is_empty());
    Owners {
        code: is_told.then_some(OwnersCode {
            role,
            superuser,
            owners: others,
        }),
        can_be_kept: superuser && all_exist,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_code_runs_as_another_role_is_told() {
        let role = |name: &str, superuser, ours| Role {
            name: name.to_owned(),
            superuser,
            ours,
        };
        let roles = [
            role("root", true, true),
            role("dba", true, false),
            role("app", false, false),
        ];
        let owned = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let check = |owners: Option<Vec<String>>, told: Option<Option<Vec<String>>>, kept: bool| {
            let found = judge(owners, &roles);
            assert_eq!(found.code.map(|code| code.owners), told);
            assert_eq!(found.can_be_kept, kept);
        };
        check(owned(&[]), None, true);
        check(owned(&["root", "dba"]), None, true);
        check(owned(&["app", "root"]), Some(owned(&["app"])), true);
        // A role that no longer exists.
        check(owned(&["gone"]), Some(owned(&["gone"])), false);
        // A manifest without owners, from an older version.
        check(None, Some(None), false);

        let plain = [role("app", false, true), role("other", false, false)];
        assert!(judge(owned(&["app"]), &plain).code.is_none());
        let found = judge(owned(&["app", "other"]), &plain);
        assert!(!found.can_be_kept);
        let code = found.code.unwrap();
        assert_eq!((code.role.as_str(), code.superuser), ("app", false));
    }
}
