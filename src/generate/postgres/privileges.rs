//! Owners, privileges and comments.

use super::{
    Statements,
    quote::{ident, literal, role},
    reference,
};
use crate::{
    arrange::Arrange as _,
    schema::{Facts, Grant, Kind, Object, ObjectId, postgres::DefaultPrivileges},
};

/// The privilege of an owner who has none.
pub(super) const NONE: &str = "NONE";

/// Gives an object its privileges and its comment. `whole` is what it is a part of.
pub(super) fn finish(object: &Object, whole: Option<&Object>, to: &mut Statements) {
    grants(object, to);
    comment(object, whole, to);
}

/// Gives an object its owner.
pub(super) fn owner(object: &Object, to: &mut Statements) {
    let Some(owner) = &object.owner else { return };
    if object.id.kind == Kind::Extension {
        to.note(format!(
            "The extension {} belongs to {}, who must create it.",
            ident(&object.id.name),
            role(owner)
        ));
    } else if let Some(name) = reference::altered(object) {
        to.push(format!("ALTER {name} OWNER TO {}", role(owner)));
    }
}

fn comment(object: &Object, whole: Option<&Object>, to: &mut Statements) {
    if let Some(comment) = &object.comment
        && let Some(name) = reference::commented(object, whole)
    {
        to.push(format!("COMMENT ON {name} IS {}", literal(comment)));
    }
    if let Facts::Composite(composite) = &object.facts {
        let name = super::quote::qualified(&object.id.qualified());
        for attribute in &composite.attributes {
            if let Some(comment) = &attribute.comment {
                let attribute = ident(&attribute.name);
                let comment = literal(comment);
                to.push(format!("COMMENT ON COLUMN {name}.{attribute} IS {comment}"));
            }
        }
    }
}

fn grants(object: &Object, to: &mut Statements) {
    let (Some(grants), Some(name)) = (&object.grants, reference::granted(object)) else {
        return;
    };
    let column = (object.id.kind == Kind::Column).then_some(object.id.name.as_str());
    let usual = usual(&object.id);
    let owner = object.owner.as_deref();
    write(grants, &format!("ON {name}"), usual, owner, column, to);
}

/// What PUBLIC may do with a new object with this identity.
pub(super) fn usual(id: &ObjectId) -> Usual {
    match id.kind {
        Kind::Function | Kind::Procedure | Kind::Aggregate => Usual::Privilege("EXECUTE"),
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range => Usual::Privilege("USAGE"),
        // The schema of a new database has other privileges in other versions.
        Kind::Schema if id.name == "public" => Usual::Unknown,
        _ => Usual::None,
    }
}

/// Gives a sequence of an identity column its privileges.
pub(super) fn grants_on_sequence(
    grants: &[Grant],
    sequence: &str,
    owner: Option<&str>,
    to: &mut Statements,
) {
    let on = format!("ON SEQUENCE {sequence}");
    write(grants, &on, Usual::None, owner, None, to);
}

/// What PUBLIC may do with a new object.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Usual {
    None,
    Privilege(&'static str),
    Unknown,
}

/// Writes what leads from the default privileges to exactly these.
pub(super) fn write(
    grants: &[Grant],
    on: &str,
    usual: Usual,
    owner: Option<&str>,
    column: Option<&str>,
    to: &mut Statements,
) {
    let mut left: Vec<&Grant> = grants.iter().collect();
    let is_usual = |grant: &&Grant| {
        grant.grantee.is_none()
            && !grant.grantable
            && grant.grantor.is_none()
            && matches!(usual, Usual::Privilege(it) if it == grant.privilege)
    };
    let public = left.iter().filter(|grant| grant.grantee.is_none()).count();
    if usual != Usual::None {
        if public == 1 && left.iter().any(is_usual) {
            left.retain(|grant| !is_usual(grant));
        } else {
            to.push(format!("REVOKE ALL {on} FROM PUBLIC"));
        }
    }
    let owner = owner.unwrap_or("CURRENT_USER");
    let of_owner = |grant: &&&Grant| grant.grantee.as_deref() == Some(owner);
    if column.is_none() && left.iter().any(|grant| of_owner(&grant)) {
        to.push(format!("REVOKE ALL {on} FROM {}", role(owner)));
    }
    left.retain(|grant| grant.privilege != NONE);
    // A role can pass on a privilege after it got it.
    let mut holders = vec![None];
    while !left.is_empty() {
        let (now, later): (Vec<&Grant>, Vec<&Grant>) = left
            .into_iter()
            .partition(|grant| holders.contains(&grant.grantor.as_deref()));
        if now.is_empty() {
            grant(&later, on, column, to);
            return;
        }
        grant(&now, on, column, to);
        let passing = now.iter().filter(|grant| grant.grantable);
        holders = passing.map(|grant| grant.grantee.as_deref()).collect();
        left = later;
    }
}

/// Writes one GRANT for each role that gives and each that gets.
pub(super) fn grant(grants: &[&Grant], on: &str, column: Option<&str>, to: &mut Statements) {
    let key = |grant: &Grant| {
        (
            grant.grantor.clone(),
            grant.grantee.clone(),
            grant.grantable,
        )
    };
    let mut grants = grants.to_vec();
    grants.arrange_by_key(|grant| key(grant));
    for group in grants.chunk_by(|a, b| key(a) == key(b)) {
        let (grantor, grantee, grantable) = key(group[0]);
        let privileges: Vec<String> = group
            .iter()
            .map(|grant| match column {
                Some(column) => format!("{} ({})", grant.privilege, ident(column)),
                None => grant.privilege.clone(),
            })
            .collect();
        let grantee = match grantee.as_deref() {
            None => "PUBLIC".into(),
            // Who is the current user changes.
            Some("CURRENT_USER") if grantor.is_some() => "SESSION_USER".into(),
            Some(grantee) => role(grantee),
        };
        let option = if grantable { " WITH GRANT OPTION" } else { "" };
        if let Some(grantor) = &grantor {
            to.push(format!("SET ROLE {}", role(grantor)));
        }
        to.push(format!(
            "GRANT {} {on} TO {grantee}{option}",
            privileges.join(", ")
        ));
        if grantor.is_some() {
            to.push("RESET ROLE");
        }
    }
}

/// What default privileges are for.
pub(super) struct DefaultPlace<'a> {
    /// ALTER DEFAULT PRIVILEGES with the role and the schema.
    pub start: String,
    /// `ON TABLES`.
    pub on: String,
    pub usual: Usual,
    pub owner: Option<&'a str>,
}

impl<'a> DefaultPlace<'a> {
    pub fn of(id: &ObjectId, facts: &'a DefaultPrivileges) -> Self {
        let mut start = "ALTER DEFAULT PRIVILEGES".to_owned();
        if !facts.role.is_empty() {
            start.push_str(&format!(" FOR ROLE {}", role(&facts.role)));
        }
        let on = format!("ON {}", facts.on);
        if !id.schema.is_empty() {
            start.push_str(&format!(" IN SCHEMA {}", ident(&id.schema)));
            return Self {
                start,
                on,
                usual: Usual::None,
                // In one schema the role itself has nothing by default.
                owner: Some(""),
            };
        }
        let usual = match facts.on.as_str() {
            "FUNCTIONS" => Usual::Privilege("EXECUTE"),
            "TYPES" => Usual::Privilege("USAGE"),
            _ => Usual::None,
        };
        Self {
            start,
            on,
            usual,
            owner: (!facts.role.is_empty()).then_some(facts.role.as_str()),
        }
    }
}

/// ALTER DEFAULT PRIVILEGES.
pub(super) fn default(id: &ObjectId, facts: &DefaultPrivileges, to: &mut Statements) {
    let DefaultPlace {
        start,
        on,
        usual,
        owner,
    } = DefaultPlace::of(id, facts);
    let mut statements = Statements::default();
    write(&facts.privileges, &on, usual, owner, None, &mut statements);
    for statement in statements.statements {
        to.push(format!("{start} {statement}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::postgres::{Enum, Table};

    fn privilege(grantee: &str, privilege: &str) -> Grant {
        Grant {
            grantee: (!grantee.is_empty()).then(|| grantee.to_owned()),
            privilege: privilege.to_owned(),
            ..Grant::default()
        }
    }

    fn check(facts: impl Into<Facts>, kind: Kind, grants: Vec<Grant>, expected: &[&str]) {
        let mut object = Object::new(ObjectId::new(kind, "shop", "a"), facts);
        object.grants = Some(grants);
        let mut statements = Statements::default();
        finish(&object, None, &mut statements);
        assert_eq!(statements.statements, expected);
    }

    #[test]
    fn privileges_of_a_role_are_granted_together() {
        let grants = vec![
            privilege("", "SELECT"),
            privilege("app", "INSERT"),
            privilege("app", "SELECT"),
        ];
        let expected = [
            "GRANT SELECT ON shop.a TO PUBLIC",
            "GRANT INSERT, SELECT ON shop.a TO app",
        ];
        check(Table::default(), Kind::Table, grants, &expected);
    }

    #[test]
    fn an_owner_without_all_privileges_loses_them_first() {
        let owned = |privileges: &str| vec![privilege("CURRENT_USER", privileges)];
        let expected = [
            "REVOKE ALL ON shop.a FROM CURRENT_USER",
            "GRANT SELECT ON shop.a TO CURRENT_USER",
        ];
        check(Table::default(), Kind::Table, owned("SELECT"), &expected);
        check(Table::default(), Kind::Table, owned(NONE), &expected[..1]);
    }

    #[test]
    fn public_keeps_or_loses_what_it_has_by_default() {
        let expected = ["GRANT USAGE ON TYPE shop.a TO app"];
        let grants = vec![privilege("", "USAGE"), privilege("app", "USAGE")];
        check(Enum::default(), Kind::Enum, grants, &expected);
        let expected = ["REVOKE ALL ON TYPE shop.a FROM PUBLIC"];
        check(Enum::default(), Kind::Enum, Vec::new(), &expected);
    }

    #[test]
    fn privileges_are_passed_on_by_those_who_have_them() {
        let mut first = privilege("boss", "SELECT");
        first.grantable = true;
        let mut second = privilege("app", "SELECT");
        second.grantor = Some("boss".into());
        let expected = [
            "GRANT SELECT ON shop.a TO boss WITH GRANT OPTION",
            "SET ROLE boss",
            "GRANT SELECT ON shop.a TO app",
            "RESET ROLE",
        ];
        check(
            Table::default(),
            Kind::Table,
            vec![second, first],
            &expected,
        );
    }
}
