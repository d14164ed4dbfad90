use super::{BREAKS, Context, Draft, Name, POSTGRES, Rule, sql};
use crate::{
    lint::{Act, Example, TableChange},
    schema::{Facts, Kind},
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "row-security-closes",
    code: "L212",
    dialects: POSTGRES,
    summary: "row security hides all rows from programs",
    docs: "With row security and without a policy, roles other than the owner see no row and can write \
        none. A restrictive policy alone allows nothing either: it needs a permissive one beside it.",
    safe: "CREATE POLICY orders_all ON orders USING (true);\nALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    silent: "In contract revisions; there is a permissive policy after the script; the table was created in the same run.",
    bad: Example {
        before: "CREATE TABLE orders (id bigint);",
        sql: "ALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    },
    good: Example {
        before: "CREATE TABLE orders (id bigint);",
        sql: "CREATE POLICY orders_all ON orders USING (true);\nALTER TABLE orders ENABLE ROW LEVEL SECURITY;",
    },
    check,
    ..BREAKS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let closed = context.acts().iter().filter_map(|act| match act {
        Act::AlterTable {
            table,
            change: TableChange::EnableRowSecurity,
        } => Some(table),
        Act::CreatePart {
            kind: Kind::Policy,
            table,
            restrictive: true,
            ..
        } if is_enabled(context, table) => Some(table),
        _ => None,
    });
    let drafts = closed
        .filter(|table| !context.is_young_relation(table) && !has_policy(context, table))
        .map(|table| {
            let path = sql::path(table);
            let policy = sql::word(&format!("{}_all", table.name)).into_owned();
            let message = format!("roles other than the owner see no row of {table}");
            let safe = format!(
                "CREATE POLICY {policy} ON {path} USING (…);\n{};",
                context.statement().sql
            );
            Draft::new(message).about(table).safe(safe)
        });
    drafts.collect()
}

/// Whether row security was on before the script; not, as far as nothing is known.
fn is_enabled(context: &Context<'_>, table: &Name) -> bool {
    let mut objects = context.before().into_iter().flat_map(|it| &it.objects);
    objects.any(|object| match &object.facts {
        Facts::Table(facts) => facts.row_security && context.is_same(&object.id.qualified(), table),
        _ => false,
    })
}

/// Whether a permissive policy is known after the script.
fn has_policy(context: &Context<'_>, table: &Name) -> bool {
    if let Some(after) = context.after() {
        return after.objects.iter().any(|object| match &object.facts {
            Facts::Policy(policy) => {
                let is_of = |parent: Name| context.is_same(&parent, table);
                !policy.restrictive && object.id.parent_name().is_some_and(is_of)
            }
            _ => false,
        });
    }
    let mut acts = context.script.statements.iter().flat_map(|it| &it.acts);
    acts.any(|act| match act {
        Act::CreatePart {
            kind: Kind::Policy,
            table: of,
            restrictive: false,
            ..
        } => context.is_same(of, table),
        _ => false,
    })
}
