//! What alters objects in place.

use super::{
    fate::Fate,
    sides::table_of,
    step::{Step, divided},
    write::Writer,
};
use crate::{
    generate::{
        LossKind,
        postgres::{
            Statements,
            expression::{in_parentheses, stable},
            quote::{ident, join, literal, parameters, qualified, role},
            reference, relation, routine,
        },
    },
    schema::{
        Facts, Name, Object,
        postgres::{
            Check, Composite, Deferrable, Domain, Enabled, Enum, ForeignKey, MaterializedView,
            Operator, Options, Policy, View, default_name,
        },
    },
};

impl Writer<'_, '_> {
    /// Alters an object that both schemas have.
    pub(super) fn alter(&mut self, old: usize, new: usize) {
        let (from, to) = self.pair(old, new);
        let layout = &self.plan.dump.layout;
        let whole = layout.objects.whole(new).map(|it| self.plan.new_object(it));
        self.new_name(old, new);
        self.owner(from, to);
        match (&from.facts, &to.facts) {
            (Facts::Table(a), Facts::Table(b)) => self.alter_table(old, to, a, b),
            (Facts::Column(a), Facts::Column(b)) => self.alter_column(old, new, a, b),
            (Facts::Sequence(a), Facts::Sequence(b)) => self.alter_sequence(new, to, a, b),
            (Facts::Enum(a), Facts::Enum(b)) => self.add_labels(to, a, b),
            (Facts::Domain(a), Facts::Domain(b)) => self.alter_domain(old, to, a, b),
            (Facts::Composite(a), Facts::Composite(b)) => self.alter_composite(to, a, b),
            (Facts::Routine(_), Facts::Routine(b)) if self.is_redefined(old) => {
                let mut statements = Statements::default();
                routine::routine(&to.id, b, &mut statements);
                self.create_or_replace(to, statements);
            }
            (Facts::View(a), Facts::View(b)) => self.alter_view(old, to, a, b),
            (Facts::MaterializedView(a), Facts::MaterializedView(b)) => {
                self.alter_materialized_view(to, a, b);
            }
            (Facts::Policy(a), Facts::Policy(b)) => self.alter_policy(to, a, b),
            (Facts::Statistics(_), Facts::Statistics(b)) if self.differs(old, "target") => {
                let target = b.target.unwrap_or(-1);
                let name = qualified(&to.id.qualified());
                let sql = format!("ALTER STATISTICS {name} SET STATISTICS {target}");
                self.push(Step::new(to, sql));
            }
            (Facts::Trigger(_), Facts::Trigger(b)) if self.differs(old, "enabled") => {
                self.enable(to, "TRIGGER", b.enabled);
            }
            (Facts::Rule(_), Facts::Rule(b)) if self.differs(old, "enabled") => {
                self.enable(to, "RULE", b.enabled);
            }
            (Facts::EventTrigger(_), Facts::EventTrigger(b)) if self.differs(old, "enabled") => {
                let name = ident(&to.id.name);
                let sql = format!("ALTER EVENT TRIGGER {name} {}", enabled(b.enabled));
                self.push(Step::new(to, sql));
            }
            (Facts::Operator(_), Facts::Operator(b)) if self.is_redefined(old) => {
                self.alter_operator(to, b);
            }
            (Facts::DefaultPrivileges(a), Facts::DefaultPrivileges(b)) => {
                self.default_privileges(to, &to.id, Some(a), Some(b));
            }
            (Facts::ForeignKey(a), Facts::ForeignKey(b)) => self.alter_foreign_key(old, to, a, b),
            (Facts::Check(_), Facts::Check(b)) => self.alter_check(old, to, b),
            (Facts::Key(_), Facts::Key(_)) | (Facts::Exclusion(_), Facts::Exclusion(_)) => {
                self.index_settings(from, to);
            }
            (Facts::Index(a), Facts::Index(b)) => self.alter_index(old, new, a, b),
            _ => self.alter_server_object(old, from, to),
        }
        self.comment(from, to, whole);
        self.grants(from, to, whole);
    }

    /// Whether more differs than owner, privileges and comment.
    pub(super) fn is_redefined(&self, old: usize) -> bool {
        let mut attributes = self.plan.changed[old].keys();
        attributes.any(|it| !matches!(it.as_str(), "owner" | "grants" | "comment"))
    }

    /// ALTER TABLE, or ALTER DOMAIN, with an action on a part.
    pub(super) fn alter_part(&mut self, part: &Object, action: String) {
        let objects = &self.plan.dump.layout.objects;
        let whole = objects.find(&part.id).and_then(|at| objects.whole(at));
        let altered = whole.and_then(|it| reference::altered(objects.get(it)));
        self.push(Step::action(part, &altered.unwrap_or_default(), action));
    }

    fn alter_materialized_view(&mut self, to: &Object, a: &MaterializedView, b: &MaterializedView) {
        let altered = reference::altered(to).unwrap_or_default();
        self.set_options(to, &altered, &a.options, &b.options);
        self.set_tablespace(to, &altered, &a.tablespace, &b.tablespace);
        if a.access_method != b.access_method {
            let method = b.access_method.as_deref().unwrap_or("heap");
            let action = format!("SET ACCESS METHOD {}", ident(method));
            self.push(Step::new(to, format!("ALTER {altered} {action}")));
        }
    }

    /// Says when a trigger or a rule fires.
    fn enable(&mut self, to: &Object, kind: &str, when: Enabled) {
        let altered = format!("TABLE {}", qualified(&table_of(to)));
        let action = format!("{} {kind} {}", enabled(when), ident(&to.id.name));
        self.push(Step::action(to, &altered, action));
    }

    fn alter_operator(&mut self, to: &Object, operator: &Operator) {
        let word = reference::altered(to).unwrap_or_default();
        let name = |it: &Option<Name>| it.as_ref().map_or("NONE".to_owned(), qualified);
        let (restrict, join) = (name(&operator.restrict), name(&operator.join));
        let sql = format!("ALTER {word} SET (RESTRICT = {restrict}, JOIN = {join})");
        self.push(Step::new(to, sql));
    }

    fn alter_foreign_key(&mut self, old: usize, to: &Object, a: &ForeignKey, b: &ForeignKey) {
        if a.deferrable != b.deferrable {
            let name = ident(&to.id.name);
            let action = format!("ALTER CONSTRAINT {name} {}", deferrable(b.deferrable));
            self.alter_part(to, action);
        }
        self.validate(old, to);
    }

    fn alter_check(&mut self, old: usize, to: &Object, check: &Check) {
        let is_kept = self.is_parent_kept(old);
        if self.differs(old, "is_inherited") && !check.is_inherited && is_kept {
            let definition = self.plan.dump.constraint(to).unwrap_or_default();
            let name = ident(&to.id.name);
            self.alter_part(to, format!("ADD CONSTRAINT {name} {definition}"));
        }
        self.validate(old, to);
    }

    /// Whether the parent's constraint, from which one is inherited, is kept.
    fn is_parent_kept(&self, old: usize) -> bool {
        let parent = self.plan.old.inherited_from(old);
        let whole = self.plan.old.objects().whole(old);
        parent.is_some_and(|parent| !self.fate(parent).is_gone())
            && whole.is_some_and(|whole| !self.plan.leaves_parent(whole))
    }

    fn validate(&mut self, old: usize, to: &Object) {
        if self.differs(old, "not_valid") {
            self.alter_part(to, format!("VALIDATE CONSTRAINT {}", ident(&to.id.name)));
        }
    }

    fn add_labels(&mut self, to: &Object, from: &Enum, facts: &Enum) {
        let name = qualified(&to.id.qualified());
        let labels = &facts.labels;
        for (at, label) in labels.iter().enumerate() {
            if from.labels.contains(label) {
                continue;
            }
            let next = labels[at + 1..].iter().find(|it| from.labels.contains(it));
            let place = match (next, at.checked_sub(1).map(|before| &labels[before])) {
                (None, _) => String::new(),
                (Some(_), Some(before)) => format!(" AFTER {}", literal(before)),
                (Some(next), None) => format!(" BEFORE {}", literal(next)),
            };
            let label = literal(label);
            self.push(Step::new(
                to,
                format!("ALTER TYPE {name} ADD VALUE {label}{place}"),
            ));
        }
    }

    fn alter_domain(&mut self, old: usize, to: &Object, a: &Domain, b: &Domain) {
        let name = qualified(&to.id.qualified());
        let mut alter = |action: String| {
            self.steps
                .push(Step::new(to, format!("ALTER DOMAIN {name} {action}")));
        };
        let is_detached = self.plan.fates.detached[old];
        match &b.default {
            Some(default) if a.default != b.default || is_detached => {
                alter(format!("SET DEFAULT {}", stable(default)));
            }
            None if a.default.is_some() && !is_detached => alter("DROP DEFAULT".to_owned()),
            _ => {}
        }
        match (a.not_null, b.not_null) {
            (false, true) => match &b.not_null_name {
                Some(constraint) => alter(format!("ADD CONSTRAINT {} NOT NULL", ident(constraint))),
                None => alter("SET NOT NULL".to_owned()),
            },
            (true, false) => alter("DROP NOT NULL".to_owned()),
            (true, true) if a.not_null_name != b.not_null_name => {
                let usual = default_name(&to.id.name, None, "not_null");
                let name = |it: &Option<String>| it.clone().unwrap_or_else(|| usual.clone());
                let (from, to) = (name(&a.not_null_name), name(&b.not_null_name));
                alter(format!(
                    "RENAME CONSTRAINT {} TO {}",
                    ident(&from),
                    ident(&to)
                ));
            }
            _ => {}
        }
    }

    fn alter_composite(&mut self, to: &Object, a: &Composite, b: &Composite) {
        let name = qualified(&to.id.qualified());
        let mut actions = Vec::new();
        for attribute in &a.attributes {
            if !b.attributes.iter().any(|it| it.name == attribute.name) {
                let attribute = ident(&attribute.name);
                actions.push(format!("DROP ATTRIBUTE {attribute} CASCADE"));
            }
        }
        for attribute in &b.attributes {
            let before = a.attributes.iter().find(|it| it.name == attribute.name);
            if before.is_none() {
                let collation = attribute.collation.as_ref();
                let collation = collation.map(|it| format!(" COLLATE {}", qualified(it)));
                actions.push(format!(
                    "ADD ATTRIBUTE {} {}{} CASCADE",
                    ident(&attribute.name),
                    attribute.data_type,
                    collation.unwrap_or_default()
                ));
            }
        }
        if !actions.is_empty() {
            let is_lossy = actions.iter().any(|it| it.starts_with("DROP "));
            let sql = format!("ALTER TYPE {name}\n    {}", actions.join(",\n    "));
            let step = Step::new(to, sql);
            self.push(match is_lossy {
                true => step.losing(LossKind::Values),
                false => step,
            });
        }
        for attribute in &b.attributes {
            let before = a.attributes.iter().find(|it| it.name == attribute.name);
            let before = before.and_then(|it| it.comment.as_ref());
            if before != attribute.comment.as_ref() {
                let text = attribute
                    .comment
                    .as_ref()
                    .map_or("NULL".to_owned(), |it| literal(it));
                let attribute = ident(&attribute.name);
                let sql = format!("COMMENT ON COLUMN {name}.{attribute} IS {text}");
                self.push(Step::new(to, sql).last());
            }
        }
    }

    fn alter_view(&mut self, old: usize, to: &Object, a: &View, b: &View) {
        if self.differs(old, "query") {
            let mut statements = Statements::default();
            relation::view(&to.id, b, &mut statements);
            return self.create_or_replace(to, statements);
        }
        let altered = reference::altered(to).unwrap_or_default();
        self.set_options(to, &altered, &a.options, &b.options);
        if a.check_option != b.check_option {
            let action = match &b.check_option {
                Some(option) => format!("SET (check_option = {})", option.to_lowercase()),
                None => "RESET (check_option)".to_owned(),
            };
            self.push(Step::new(to, format!("ALTER {altered} {action}")));
        }
    }

    fn alter_policy(&mut self, to: &Object, a: &Policy, b: &Policy) {
        let table = qualified(&table_of(to));
        let mut sql = format!("ALTER POLICY {} ON {table}", ident(&to.id.name));
        let start = sql.len();
        if a.roles != b.roles {
            let roles: Vec<_> = b.roles.iter().map(|it| role(it)).collect();
            let roles = if roles.is_empty() {
                "PUBLIC".to_owned()
            } else {
                roles.join(", ")
            };
            sql.push_str(&format!(" TO {roles}"));
        }
        if let Some(using) = b.using.as_ref().filter(|it| Some(*it) != a.using.as_ref()) {
            sql.push_str(&format!("\n    USING {}", in_parentheses(using)));
        }
        if let Some(check) = b.check.as_ref().filter(|it| Some(*it) != a.check.as_ref()) {
            sql.push_str(&format!("\n    WITH CHECK {}", in_parentheses(check)));
        }
        if sql.len() > start {
            self.push(Step::new(to, sql));
        }
    }

    /// SET (…) and RESET (…).
    pub(super) fn set_options(&mut self, to: &Object, altered: &str, a: &Options, b: &Options) {
        let gone: Vec<&String> = a.keys().filter(|name| !b.contains_key(name)).collect();
        let set: Options = b
            .iter()
            .filter(|(name, value)| a.get(name) != Some(*value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !gone.is_empty() {
            let name = |option: &&String| {
                let parts: Vec<_> = option.split('.').map(ident).collect();
                parts.join(".")
            };
            let action = format!("RESET ({})", join(&gone, name));
            self.push(Step::action(to, altered, action));
        }
        if !set.is_empty() {
            let action = format!("SET {}", parameters(&set));
            self.push(Step::action(to, altered, action));
        }
    }

    pub(super) fn set_tablespace(
        &mut self,
        to: &Object,
        altered: &str,
        a: &Option<String>,
        b: &Option<String>,
    ) {
        if a != b {
            let space = b.as_deref().unwrap_or("pg_default");
            let sql = format!("ALTER {altered} SET TABLESPACE {}", ident(space));
            self.push(Step::new(to, sql));
        }
    }

    /// CREATE OR REPLACE in the place of CREATE.
    fn create_or_replace(&mut self, to: &Object, statements: Statements) {
        for sql in statements.statements {
            let sql = sql.replacen("CREATE ", "CREATE OR REPLACE ", 1);
            self.push(Step::new(to, sql));
        }
    }

    /// A statement in the words of the dump.
    pub(super) fn dumped(&mut self, to: &Object, altered: &str, statements: Statements) {
        for sql in statements.statements {
            self.push(divided(to, altered, &sql));
        }
    }

    /// Whether a table, or what else has parts, is altered and not made anew.
    pub(super) fn is_table_kept(&self, old: usize) -> bool {
        !matches!(
            self.fate(old),
            Fate::Rebuilt | Fate::Replaced | Fate::Dropped
        )
    }
}

pub(super) fn enabled(enabled: Enabled) -> &'static str {
    routine::enabled(enabled).unwrap_or("ENABLE")
}

fn deferrable(deferrable: Deferrable) -> &'static str {
    match deferrable {
        Deferrable::Never => "NOT DEFERRABLE",
        Deferrable::InitiallyImmediate => "DEFERRABLE INITIALLY IMMEDIATE",
        Deferrable::InitiallyDeferred => "DEFERRABLE INITIALLY DEFERRED",
    }
}
