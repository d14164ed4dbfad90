//! Owners, privileges and comments.

use super::{step::Step, write::Writer};
use crate::{
    arrange::Arrange as _,
    generate::postgres::{
        Statements,
        privileges::{self as dumped, DefaultPlace, NONE, Usual},
        quote::{ident, literal, role},
        reference,
    },
    schema::{Facts, Grant, Kind, Object, ObjectId, postgres::DefaultPrivileges},
};

/// What privileges are on, for whom, and since when.
struct Granted<'a> {
    /// `ON shop.orders`.
    on: String,
    usual: Usual,
    owner: Option<&'a str>,
    column: Option<&'a str>,
}

impl Writer<'_, '_> {
    /// ALTER … OWNER TO.
    pub(super) fn owner(&mut self, from: &Object, to: &Object) {
        if from.owner == to.owner {
            return;
        }
        let owner = to.owner.as_deref().unwrap_or(usual_owner(&to.id));
        if to.id.kind == Kind::Extension {
            self.refuse(to, "PostgreSQL cannot change the owner of an extension");
        } else if let Some(name) = reference::altered(to) {
            let sql = format!("ALTER {name} OWNER TO {}", role(owner));
            self.push(Step::new(to, sql));
        }
    }

    /// COMMENT ON.
    pub(super) fn comment(&mut self, from: &Object, to: &Object, whole: Option<&Object>) {
        if from.comment == to.comment {
            return;
        }
        if let Some(name) = reference::commented(to, whole) {
            let is_public = to.id.kind == Kind::Schema && to.id.name == "public";
            let text = match &to.comment {
                Some(comment) => literal(comment),
                None if is_public => literal(PUBLIC_COMMENT),
                None if to.id.kind == Kind::Extension => {
                    self.push(Step::new(to, usual_comment(&to.id.name)).last());
                    return;
                }
                None => "NULL".to_owned(),
            };
            self.push(Step::new(to, format!("COMMENT ON {name} IS {text}")).last());
        }
    }

    /// GRANT and REVOKE.
    pub(super) fn grants(&mut self, from: &Object, to: &Object, whole: Option<&Object>) {
        if from.grants == to.grants {
            return;
        }
        let Some(name) = reference::granted(to) else {
            return;
        };
        let owned = whole.filter(|_| to.id.is_part()).unwrap_or(to);
        let owner = owned.owner.as_deref().unwrap_or(usual_owner(&to.id));
        let granted = Granted {
            on: format!("ON {name}"),
            usual: usual(&to.id),
            owner: Some(owner),
            column: (to.id.kind == Kind::Column).then_some(to.id.name.as_str()),
        };
        let statements = granted.change(from.grants.as_deref(), to.grants.as_deref());
        let is_taken = statements.iter().any(|sql| sql.starts_with("REVOKE"));
        for sql in statements {
            self.push(Step::new(to, sql).last());
        }
        if is_taken && to.id.kind.has_parts() {
            self.grant_on_columns(to);
        }
    }

    /// Grants what roles may do with columns, which a REVOKE on the table takes.
    fn grant_on_columns(&mut self, table: &Object) {
        let objects = &self.plan.dump.layout.objects;
        let Some(at) = objects.find(&table.id) else {
            return;
        };
        for (_, part) in objects.parts(at) {
            if part.id.kind == Kind::Column && part.grants.is_some() {
                let mut bare = part.clone();
                bare.grants = None;
                self.grants(&bare, part, Some(table));
            }
        }
    }

    /// Privileges on the sequence of an identity column.
    pub(super) fn grants_on_sequence(
        &mut self,
        to: &Object,
        (name, owner): (&str, Option<&str>),
        from: Option<&[Grant]>,
        grants: Option<&[Grant]>,
    ) {
        if from == grants {
            return;
        }
        let granted = Granted {
            on: format!("ON SEQUENCE {name}"),
            usual: Usual::None,
            owner,
            column: None,
        };
        for sql in granted.change(from, grants) {
            self.push(Step::new(to, sql).last());
        }
    }

    /// ALTER DEFAULT PRIVILEGES.
    pub(super) fn default_privileges(
        &mut self,
        object: &Object,
        id: &ObjectId,
        from: Option<&DefaultPrivileges>,
        to: Option<&DefaultPrivileges>,
    ) {
        let Some(facts) = to.or(from) else { return };
        let place = DefaultPlace::of(id, facts);
        let granted = Granted {
            on: place.on,
            usual: place.usual,
            owner: place.owner,
            column: None,
        };
        let privileges = |facts: Option<&DefaultPrivileges>| facts.map(|it| it.privileges.clone());
        let (old, new) = (privileges(from), privileges(to));
        for sql in granted.change(old.as_deref(), new.as_deref()) {
            self.push(Step::new(object, format!("{} {sql}", place.start)));
        }
    }
}

impl Writer<'_, '_> {
    /// Gives a new schema `public` what that of a new database has.
    pub(super) fn finish_public(&mut self, object: &Object) {
        if object.owner.is_none() {
            let sql = format!("ALTER SCHEMA public OWNER TO {PUBLIC_OWNER}");
            self.push(Step::new(object, sql));
        }
        if object.comment.is_none() {
            let sql = format!("COMMENT ON SCHEMA public IS {}", literal(PUBLIC_COMMENT));
            self.push(Step::new(object, sql));
        }
        if object.grants.is_none() {
            self.push(Step::new(object, "GRANT USAGE ON SCHEMA public TO PUBLIC"));
        }
    }

    /// Takes from a new object what the default privileges of the database gave it, and gives what
    /// they took.
    pub(super) fn without_default_privileges(&mut self, object: &Object) {
        let Some(name) = reference::granted(object) else {
            return;
        };
        let granted = Granted {
            on: format!("ON {name}"),
            usual: dumped::usual(&object.id),
            owner: object.owner.as_deref(),
            column: None,
        };
        let Some(start) = self.given_by_default(&object.id) else {
            return;
        };
        let usual = granted.all(None);
        let wanted = granted.all(object.grants.as_deref());
        let gone: Vec<&Grant> = start
            .iter()
            .filter(|grant| !wanted.iter().any(|it| is_like(it, grant)))
            .filter(|grant| grant.grantee.is_some())
            .collect();
        let mut statements = Statements::default();
        granted.revoke(&gone, &mut statements);
        let missing: Vec<&Grant> = usual
            .iter()
            .filter(|grant| wanted.contains(grant) && !start.iter().any(|it| is_like(it, grant)))
            .collect();
        dumped::grant(&missing, &granted.on, None, &mut statements);
        for sql in statements.statements {
            self.push(Step::new(object, sql));
        }
    }

    /// What default privileges give to a new object, with the usual ones; `None` if there are none.
    fn given_by_default(&self, id: &ObjectId) -> Option<Vec<Grant>> {
        let on = match id.kind {
            Kind::Table | Kind::View | Kind::MaterializedView => "TABLES",
            Kind::Sequence => "SEQUENCES",
            Kind::Function | Kind::Procedure | Kind::Aggregate => "FUNCTIONS",
            Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range => "TYPES",
            Kind::Schema => "SCHEMAS",
            _ => return None,
        };
        let objects = self.plan.old.objects();
        let mut found: Option<Vec<Grant>> = None;
        let mut added = Vec::new();
        for at in self.defaults.iter().copied() {
            let Facts::DefaultPrivileges(facts) = &objects.get(at).facts else {
                continue;
            };
            let of_schema = &objects.get(at).id.schema;
            if !facts.role.is_empty() || facts.on != on {
                continue;
            }
            if of_schema.is_empty() {
                found = Some(facts.privileges.clone());
            } else if *of_schema == id.schema {
                added.extend(facts.privileges.iter().cloned());
            }
        }
        if found.is_none() && added.is_empty() {
            return None;
        }
        let usual = match dumped::usual(id) {
            Usual::Privilege(privilege) => vec![Grant {
                privilege: privilege.to_owned(),
                ..Grant::default()
            }],
            _ => Vec::new(),
        };
        let mut all = found.unwrap_or(usual);
        all.extend(added);
        Some(all)
    }
}

impl Granted<'_> {
    /// What leads from some privileges to others. `None` are the default ones.
    fn change(&self, from: Option<&[Grant]>, to: Option<&[Grant]>) -> Vec<String> {
        let (old, new) = (self.all(from), self.all(to));
        let owner = self.owner.unwrap_or("CURRENT_USER");
        let is_special =
            |grant: &Grant| grant.grantee.as_deref() == Some(owner) || grant.grantor.is_some();
        let mut statements = Statements::default();
        if old.iter().chain(&new).any(is_special) {
            return self.anew(&old, to);
        }
        let gone: Vec<&Grant> = old
            .iter()
            .filter(|grant| !new.iter().any(|it| is_like(it, grant)))
            .collect();
        self.revoke(&gone, &mut statements);
        // A privilege that can no longer be passed on keeps the rest.
        for grant in old.iter().filter(|it| it.grantable && !gone.contains(it)) {
            if new.iter().any(|it| is_like(it, grant) && !it.grantable) {
                let (what, whom) = (self.privilege(grant), grantee(grant));
                statements.push(format!(
                    "REVOKE GRANT OPTION FOR {what} {} FROM {whom}",
                    self.on
                ));
            }
        }
        let added: Vec<&Grant> = new
            .iter()
            .filter(|grant| {
                let mut same = old.iter().filter(|it| is_like(it, grant));
                !same.any(|it| it.grantable || !grant.grantable)
            })
            .collect();
        dumped::grant(&added, &self.on, self.column, &mut statements);
        statements.statements
    }

    /// Takes all privileges, and grants those that there shall be.
    fn anew(&self, old: &[Grant], to: Option<&[Grant]>) -> Vec<String> {
        let mut statements = Statements::default();
        let owner = self.owner.unwrap_or("CURRENT_USER");
        let mut grantees: Vec<Option<&str>> = old.iter().map(|it| it.grantee.as_deref()).collect();
        grantees.sort_unstable();
        grantees.dedup();
        for grantee in grantees {
            let whom = grantee.map_or("PUBLIC".into(), role);
            let what = match self.column {
                Some(column) => format!("ALL ({})", ident(column)),
                None => "ALL".to_owned(),
            };
            let cascade = if grantee == Some(owner) {
                ""
            } else {
                " CASCADE"
            };
            statements.push(format!("REVOKE {what} {} FROM {whom}{cascade}", self.on));
        }
        if self.column.is_none() && !owner.is_empty() {
            statements.push(format!("GRANT ALL {} TO {}", self.on, role(owner)));
        }
        if let Usual::Privilege(privilege) = self.usual {
            statements.push(format!("GRANT {privilege} {} TO PUBLIC", self.on));
        }
        if let Some(to) = to {
            dumped::write(
                to,
                &self.on,
                self.usual,
                self.owner,
                self.column,
                &mut statements,
            );
        }
        statements.statements
    }

    fn revoke(&self, grants: &[&Grant], to: &mut Statements) {
        let mut grants = grants.to_vec();
        grants.arrange_by(|a, b| a.grantee.cmp(&b.grantee));
        for group in grants.chunk_by(|a, b| a.grantee == b.grantee) {
            let what: Vec<String> = group.iter().map(|grant| self.privilege(grant)).collect();
            let cascade = if group.iter().any(|it| it.grantable) {
                " CASCADE"
            } else {
                ""
            };
            to.push(format!(
                "REVOKE {} {} FROM {}{cascade}",
                what.join(", "),
                self.on,
                grantee(group[0])
            ));
        }
    }

    fn privilege(&self, grant: &Grant) -> String {
        match self.column {
            Some(column) => format!("{} ({})", grant.privilege, ident(column)),
            None => grant.privilege.clone(),
        }
    }

    /// All privileges, with those that PUBLIC has by default.
    fn all(&self, grants: Option<&[Grant]>) -> Vec<Grant> {
        match (grants, self.usual) {
            (Some(grants), _) => grants.to_vec(),
            (None, Usual::Privilege(privilege)) => vec![Grant {
                privilege: privilege.to_owned(),
                ..Grant::default()
            }],
            (None, _) => Vec::new(),
        }
    }
}

/// Gives an extension the comment that CREATE EXTENSION gives it.
fn usual_comment(extension: &str) -> String {
    let name = literal(extension);
    format!(
        "DO $comment$BEGIN EXECUTE format('COMMENT ON EXTENSION %I IS %L', {name}, \
         (SELECT comment FROM pg_catalog.pg_available_extensions WHERE name = {name})); END$comment$"
    )
}

/// What the schema `public` of a new database has since PostgreSQL 15.
const PUBLIC_COMMENT: &str = "standard public schema";
const PUBLIC_OWNER: &str = "pg_database_owner";

fn is_public(id: &ObjectId) -> bool {
    id.kind == Kind::Schema && id.name == "public"
}

fn usual_owner(id: &ObjectId) -> &'static str {
    if is_public(id) {
        PUBLIC_OWNER
    } else {
        "CURRENT_USER"
    }
}

fn usual(id: &ObjectId) -> Usual {
    if is_public(id) {
        Usual::Privilege("USAGE")
    } else {
        dumped::usual(id)
    }
}

/// Whether both are the same privilege of the same role.
fn is_like(a: &Grant, b: &Grant) -> bool {
    a.grantee == b.grantee && a.privilege == b.privilege && a.privilege != NONE
}

fn grantee(grant: &Grant) -> String {
    grant
        .grantee
        .as_deref()
        .map_or("PUBLIC".to_owned(), |it| role(it).into_owned())
}
