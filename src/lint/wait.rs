//! What others wait for: which rule explains it, and how it is said.

use super::{
    Act, Column, ColumnChange, ConstraintKind, Context, DomainChange, Draft, LockMode, TableChange,
    Work, WorkKind,
};
use crate::{
    arrange::Arrange as _,
    schema::{Kind, Name, ObjectId},
};

/// The drafts of the rule with this name: one, for all work that it explains.
pub(super) fn drafts(context: &Context<'_>, rule: &str) -> Vec<Draft> {
    let works: Vec<(Work, LockMode)> = context
        .effects()
        .blocking()
        .filter(|(work, _)| explain(context, work).contains(&rule))
        .map(|(work, mode)| (work.clone(), mode))
        .collect();
    if works.is_empty() {
        return Vec::new();
    }
    let mut tables: Vec<Name> = works
        .iter()
        .map(|(work, _)| work.relation.clone())
        .collect();
    tables.arrange();
    tables.dedup();
    vec![Draft {
        message: describe(&works),
        tables,
        works,
        ..Draft::default()
    }]
}

/// What a rule is about, as far as work goes.
struct Explanation {
    rule: &'static str,
    table: Option<Name>,
    rewrites: bool,
    builds: bool,
    scans: bool,
}

impl Explanation {
    fn new(rule: &'static str, table: &Name) -> Self {
        Self {
            rule,
            table: Some(table.clone()),
            rewrites: false,
            builds: false,
            scans: false,
        }
    }

    fn rewrites(self) -> Self {
        Self {
            rewrites: true,
            ..self
        }
    }

    fn builds(self) -> Self {
        Self {
            builds: true,
            ..self
        }
    }

    fn scans(self) -> Self {
        Self {
            scans: true,
            ..self
        }
    }

    /// The number of kinds of work.
    fn breadth(&self) -> u8 {
        u8::from(self.rewrites) + u8::from(self.builds) + u8::from(self.scans)
    }

    fn is_of(&self, kind: &WorkKind) -> bool {
        match kind {
            WorkKind::Rewrite => self.rewrites,
            WorkKind::Build { .. } => self.builds,
            WorkKind::Scan => self.scans,
            WorkKind::Change { .. } => false,
        }
    }
}

/// The name of work that the statement does under a lock of an earlier one.
pub(super) const WORK_WHILE_LOCKED: &str = "work-while-locked";

/// The names of the rules that explain work of the statement. There is at least one.
fn explain(context: &Context<'_>, work: &Work) -> Vec<&'static str> {
    if matches!(work.kind, WorkKind::Change { .. }) {
        return vec![WORK_WHILE_LOCKED];
    }
    let acts = context.acts();
    let all: Vec<Explanation> = acts.iter().flat_map(explanations).collect();
    let is_here = |it: &&Explanation| {
        let table = it.table.as_ref();
        table.is_some_and(|table| context.is_same(table, &work.relation))
    };
    let here: Vec<&Explanation> = all.iter().filter(is_here).collect();
    let rules = best(&here, &work.kind);
    if !rules.is_empty() {
        return rules;
    }
    // Partitions have the work of their table.
    let everywhere: Vec<&Explanation> = all.iter().collect();
    let rules = best(&everywhere, &work.kind);
    if !rules.is_empty() {
        return rules;
    }
    if let Some(first) = here.first() {
        return vec![first.rule];
    }
    let is_opaque = acts.iter().any(|act| {
        matches!(
            act,
            Act::Opaque { .. } | Act::Unknown | Act::Query { calls: true, .. }
        )
    });
    match is_opaque {
        true => vec![by_created(context, work)],
        false => vec![WORK_WHILE_LOCKED],
    }
}

/// The rules of those that do such work and as little else as possible, each once.
fn best(all: &[&Explanation], kind: &WorkKind) -> Vec<&'static str> {
    let fitting = all.iter().filter(|it| it.is_of(kind));
    let least = fitting.clone().map(|it| it.breadth()).min();
    let mut rules: Vec<&'static str> = Vec::new();
    for explanation in fitting.filter(|it| Some(it.breadth()) == least) {
        if !rules.contains(&explanation.rule) {
            rules.push(explanation.rule);
        }
    }
    rules
}

/// What an act does on which table, by the rule that is about it.
fn explanations(act: &Act) -> Vec<Explanation> {
    match act {
        Act::CreateIndex(index) if !index.concurrently => {
            vec![
                Explanation::new("create-index-non-concurrent", &index.table)
                    .builds()
                    .scans(),
            ]
        }
        Act::AlterTable { table, change } => of_change(table, change),
        Act::AlterDomain {
            name,
            change:
                DomainChange::AddConstraint(_) | DomainChange::SetNotNull | DomainChange::Validate(_),
        } => {
            let explanation = Explanation::new("domain-constraint", name).scans();
            vec![explanation.rewrites()]
        }
        Act::CreateTable(table) if table.partition_of.is_some() => {
            vec![Explanation::new("attach-partition-scan", &table.name).scans()]
        }
        Act::Refresh { name, .. } => {
            let explanation = Explanation::new("refresh-matview", name);
            vec![explanation.rewrites().builds().scans()]
        }
        Act::Cluster { .. } | Act::Vacuum { full: true, .. } => {
            let none = Name::default();
            vec![
                Explanation::new("rewrite-table", &none)
                    .rewrites()
                    .builds()
                    .scans(),
            ]
        }
        Act::Reindex { name, .. } => {
            vec![
                Explanation::new("reindex", name)
                    .builds()
                    .rewrites()
                    .scans(),
            ]
        }
        _ => Vec::new(),
    }
}

fn of_change(table: &Name, change: &TableChange) -> Vec<Explanation> {
    let rule = |rule| Explanation::new(rule, table);
    match change {
        TableChange::AddColumn { column, .. } => of_column(table, column),
        TableChange::AlterColumn { change, .. } => match change {
            ColumnChange::Type { .. } | ColumnChange::SetExpression => {
                vec![rule("column-type-rewrite").rewrites().builds().scans()]
            }
            ColumnChange::SetNotNull => vec![rule("set-not-null").scans()],
            _ => Vec::new(),
        },
        TableChange::AddConstraint(constraint) => match &constraint.kind {
            ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) => {
                match constraint.using_index {
                    Some(_) => vec![rule("primary-key-on-nullable").scans()],
                    None => vec![rule("add-unique-or-primary-key").builds().scans()],
                }
            }
            ConstraintKind::Exclusion => vec![rule("add-exclusion-constraint").builds().scans()],
            ConstraintKind::ForeignKey(_) => vec![rule("add-foreign-key").scans()],
            ConstraintKind::Check(_) => vec![rule("add-check").scans()],
            ConstraintKind::NotNull(_) => vec![rule("set-not-null").scans()],
        },
        TableChange::ValidateConstraint(_) => vec![rule("validate-in-same-transaction").scans()],
        TableChange::EnforceConstraint => vec![rule("add-foreign-key").scans()],
        TableChange::Attach { partition, .. } => {
            let explanation = Explanation::new("attach-partition-scan", partition);
            vec![explanation.scans().builds()]
        }
        TableChange::SetLogged | TableChange::SetTablespace | TableChange::SetAccessMethod => {
            vec![rule("rewrite-table").rewrites().builds().scans()]
        }
        _ => Vec::new(),
    }
}

fn of_column(table: &Name, column: &Column) -> Vec<Explanation> {
    let mut found = Vec::new();
    let is_serial = column.data_type.contains("serial");
    if is_serial || column.identity || column.generated.is_some() {
        let rule = Explanation::new("add-serial-identity-or-stored-column", table);
        found.push(rule.rewrites());
    } else if column.default.is_some() {
        found.push(Explanation::new("volatile-default", table).rewrites());
    }
    for constraint in &column.constraints {
        let (rule, builds) = match constraint.kind {
            ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) => {
                ("add-unique-or-primary-key", true)
            }
            ConstraintKind::Exclusion => ("add-exclusion-constraint", true),
            ConstraintKind::ForeignKey(_) => ("add-foreign-key", false),
            ConstraintKind::Check(_) => ("add-check", false),
            ConstraintKind::NotNull(_) => continue,
        };
        let explanation = Explanation::new(rule, table);
        found.push(match builds {
            true => explanation.builds(),
            false => explanation.scans(),
        });
    }
    if column.not_null && column.default.is_none() {
        found.push(Explanation::new("set-not-null", table).scans());
    }
    // A column whose type is a domain with checks is computed row by row, too. It does more kinds of
    // work than the others, so that it explains what they do not.
    found.push(
        Explanation::new("volatile-default", table)
            .rewrites()
            .builds()
            .scans(),
    );
    found
}

/// The rule about what a statement made whose text does not say it.
fn by_created(context: &Context<'_>, work: &Work) -> &'static str {
    let effects = context.effects();
    let has = |kind: Kind| {
        let is_it = |id: &ObjectId| {
            let is_of = |parent: Name| context.is_same(&parent, &work.relation);
            id.kind == kind && id.parent_name().is_some_and(is_of)
        };
        effects.created.iter().any(is_it)
    };
    match work.kind {
        WorkKind::Build { .. } if has(Kind::PrimaryKey) || has(Kind::Unique) => {
            "add-unique-or-primary-key"
        }
        WorkKind::Build { .. } if has(Kind::Exclusion) => "add-exclusion-constraint",
        WorkKind::Build { .. } if has(Kind::Index) => "create-index-non-concurrent",
        WorkKind::Build { .. } => "reindex",
        WorkKind::Rewrite if has(Kind::Column) => "volatile-default",
        WorkKind::Rewrite => "column-type-rewrite",
        WorkKind::Scan if has(Kind::ForeignKey) => "add-foreign-key",
        WorkKind::Scan if has(Kind::Check) => "add-check",
        WorkKind::Scan | WorkKind::Change { .. } => WORK_WHILE_LOCKED,
    }
}

/// Says who waits for what: `reads and writes of orders wait while an index is built`.
pub(super) fn describe(works: &[(Work, LockMode)]) -> String {
    let mut relations: Vec<&Name> = Vec::new();
    for (work, _) in works {
        if !relations.contains(&&work.relation) {
            relations.push(&work.relation);
        }
    }
    let mut groups: Vec<(String, String, Vec<&Name>)> = Vec::new();
    for relation in relations {
        let of_relation = works.iter().filter(|(work, _)| work.relation == *relation);
        let mode = of_relation.clone().map(|(_, mode)| *mode).max();
        let who = match mode.is_some_and(LockMode::blocks_reads) {
            true => "reads and writes",
            false => "writes",
        };
        let mut kinds: Vec<&WorkKind> = Vec::new();
        for (work, _) in of_relation {
            if !kinds.contains(&&work.kind) {
                kinds.push(&work.kind);
            }
        }
        let (who, what) = (who.to_owned(), done(&kinds));
        match groups.iter_mut().find(|it| it.0 == who && it.1 == what) {
            Some(group) => group.2.push(relation),
            None => groups.push((who, what, vec![relation])),
        }
    }
    let sentences = groups
        .iter()
        .map(|(who, what, relations)| format!("{who} of {} wait while {what}", list(relations)));
    sentences.collect::<Vec<_>>().join("; ")
}

/// What is done with a relation.
fn done(kinds: &[&WorkKind]) -> String {
    let mut parts: Vec<String> = Vec::new();
    let has = |wanted: fn(&WorkKind) -> bool| kinds.iter().any(|kind| wanted(kind));
    let is_rewritten = has(|kind| *kind == WorkKind::Rewrite);
    if is_rewritten {
        parts.push("the table is rewritten".to_owned());
    }
    let builds = kinds
        .iter()
        .filter(|kind| matches!(kind, WorkKind::Build { .. }))
        .count();
    match builds {
        0 => {}
        1 => parts.push("an index is built".to_owned()),
        more => parts.push(format!("{more} indexes are built")),
    }
    // A rewrite and a build read all rows as well.
    if parts.is_empty() && has(|kind| *kind == WorkKind::Scan) {
        parts.push("all rows are read".to_owned());
    }
    if has(|kind| matches!(kind, WorkKind::Change { .. })) {
        parts.push("rows are changed".to_owned());
    }
    parts.join(" and ")
}

/// `a`, `a and b`, `a, b and c`; of many, the first ones and their number.
pub(super) fn list(names: &[&Name]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = names.iter().take(SHOWN).map(ToString::to_string).collect();
    match (names.len(), shown.as_slice()) {
        (more, _) if more > SHOWN => format!("{} and {} more", shown.join(", "), more - SHOWN),
        (_, [most @ .., last]) if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        (_, [only]) => only.clone(),
        _ => String::new(),
    }
}
