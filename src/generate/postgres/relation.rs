//! Sequences, views, statistics, triggers, rules and policies.

use super::{
    Dump, Statements,
    constraint::deferrable,
    expression::{in_parentheses, key, stable},
    quote::{ident, idents, in_schema, literal, qualified, range, role, with},
    routine::enabled,
};
use crate::schema::{
    Name, Object, ObjectId,
    postgres::{MaterializedView, Policy, Rule, Sequence, Statistics, Trigger, View},
};

/// CREATE SEQUENCE. What owns it comes later.
pub(super) fn sequence(id: &ObjectId, sequence: &Sequence, to: &mut Statements) {
    let unlogged = if sequence.unlogged { "UNLOGGED " } else { "" };
    let name = in_schema(&id.schema, &id.name);
    let mut sql = format!("CREATE {unlogged}SEQUENCE {name}");
    if sequence.data_type != "bigint" {
        sql.push_str(&format!(" AS {}", sequence.data_type));
    }
    sql.push_str(&range(&sequence.range, &sequence.data_type));
    to.push(sql);
}

/// ALTER SEQUENCE … OWNED BY.
pub(super) fn owned_by(sequence: &Object, table: &Name, column: &str, to: &mut Statements) {
    let name = qualified(&sequence.id.qualified());
    let (table, column) = (qualified(table), ident(column));
    to.push(format!("ALTER SEQUENCE {name} OWNED BY {table}.{column}"));
}

/// CREATE VIEW.
pub(super) fn view(id: &ObjectId, view: &View, to: &mut Statements) {
    let name = in_schema(&id.schema, &id.name);
    let options = with(&view.options);
    let mut sql = format!("CREATE VIEW {name}{options} AS\n{}", query(&view.query));
    if let Some(check) = &view.check_option {
        sql.push_str(&format!("\nWITH {check} CHECK OPTION"));
    }
    to.push(sql);
}

/// CREATE MATERIALIZED VIEW without rows, since its functions may need what comes later.
pub(super) fn materialized_view(id: &ObjectId, view: &MaterializedView, to: &mut Statements) {
    let name = in_schema(&id.schema, &id.name);
    let mut sql = format!("CREATE MATERIALIZED VIEW {name}");
    if let Some(method) = &view.access_method {
        sql.push_str(&format!(" USING {}", ident(method)));
    }
    sql.push_str(&with(&view.options));
    if let Some(tablespace) = &view.tablespace {
        sql.push_str(&format!(" TABLESPACE {}", ident(tablespace)));
    }
    sql.push_str(&format!(" AS\n{}\nWITH NO DATA", query(&view.query)));
    to.push(sql);
}

/// A query with its first line indented as the server indents the others.
fn query(text: &str) -> String {
    format!(" {}", stable(text).trim())
}

/// CREATE STATISTICS.
pub(super) fn statistics(
    dump: &Dump<'_>,
    id: &ObjectId,
    statistics: &Statistics,
    to: &mut Statements,
) {
    const KINDS: [&str; 3] = ["ndistinct", "dependencies", "mcv"];
    let name = in_schema(&id.schema, &id.name);
    let mut sql = format!("CREATE STATISTICS {name}");
    if !KINDS
        .iter()
        .all(|kind| statistics.kinds.iter().any(|it| it == kind))
        && !statistics.kinds.is_empty()
    {
        sql.push_str(&format!(" ({})", statistics.kinds.join(", ")));
    }
    let objects = &dump.layout.objects;
    let table = objects.relation(&statistics.table);
    let is_column = |name: &str| table.is_some_and(|table| objects.column(table, name).is_some());
    let columns: Vec<String> = statistics
        .columns
        .iter()
        .map(|column| {
            if is_column(column) {
                ident(column).into_owned()
            } else {
                key(column)
            }
        })
        .collect();
    sql.push_str(&format!(
        "\n    ON {} FROM {}",
        columns.join(", "),
        qualified(&statistics.table)
    ));
    to.push(sql);
    if let Some(target) = statistics.target {
        to.push(format!("ALTER STATISTICS {name} SET STATISTICS {target}"));
    }
}

/// CREATE POLICY.
pub(super) fn policy(object: &Object, policy: &Policy, to: &mut Statements) {
    let table = qualified(&super::layout::table_name(object));
    let mut sql = format!("CREATE POLICY {} ON {table}", ident(&object.id.name));
    if policy.restrictive {
        sql.push_str(" AS RESTRICTIVE");
    }
    if let Some(command) = &policy.command {
        sql.push_str(&format!(" FOR {command}"));
    }
    if !policy.roles.is_empty() {
        let roles: Vec<String> = policy
            .roles
            .iter()
            .map(|it| role(it).into_owned())
            .collect();
        sql.push_str(&format!(" TO {}", roles.join(", ")));
    }
    if let Some(using) = &policy.using {
        sql.push_str(&format!("\n    USING {}", in_parentheses(using)));
    }
    if let Some(check) = &policy.check {
        sql.push_str(&format!("\n    WITH CHECK {}", in_parentheses(check)));
    }
    to.push(sql);
}

impl Dump<'_> {
    /// CREATE TRIGGER.
    pub(super) fn trigger(&self, at: usize, trigger: &Trigger, to: &mut Statements) {
        let object = self.object(at);
        let (name, table) = (
            ident(&object.id.name),
            qualified(&super::layout::table_name(object)),
        );
        if self.layout.made[at] {
            let words = enabled(trigger.enabled).unwrap_or("ENABLE");
            to.push(format!("ALTER TABLE {table} {words} TRIGGER {name}"));
            return;
        }
        let events: Vec<String> = trigger
            .events
            .iter()
            .map(|event| {
                if event == "UPDATE" && !trigger.columns.is_empty() {
                    format!("UPDATE OF {}", idents(&trigger.columns))
                } else {
                    event.clone()
                }
            })
            .collect();
        let constraint = if trigger.constraint {
            "CONSTRAINT "
        } else {
            ""
        };
        let mut sql = format!(
            "CREATE {constraint}TRIGGER {name}\n    {} {} ON {table}",
            trigger.timing,
            events.join(" OR ")
        );
        if let Some(from) = &trigger.from_table {
            sql.push_str(&format!("\n    FROM {}", qualified(from)));
        }
        sql.push_str(deferrable(trigger.deferrable));
        let transition = [("OLD", &trigger.old_table), ("NEW", &trigger.new_table)];
        let transition: Vec<String> = transition
            .iter()
            .filter_map(|(rows, name)| {
                let name = ident(name.as_ref()?);
                Some(format!("{rows} TABLE AS {name}"))
            })
            .collect();
        if !transition.is_empty() {
            sql.push_str(&format!("\n    REFERENCING {}", transition.join(" ")));
        }
        if trigger.for_each_row {
            sql.push_str("\n    FOR EACH ROW");
        }
        if let Some(condition) = &trigger.condition {
            sql.push_str(&format!("\n    WHEN {}", in_parentheses(condition)));
        }
        let arguments: Vec<String> = trigger.arguments.iter().map(|it| literal(it)).collect();
        sql.push_str(&format!(
            "\n    EXECUTE FUNCTION {}({})",
            qualified(&trigger.function),
            arguments.join(", ")
        ));
        to.push(sql);
        if let Some(words) = enabled(trigger.enabled) {
            to.push(format!("ALTER TABLE {table} {words} TRIGGER {name}"));
        }
    }

    /// CREATE RULE.
    pub(super) fn rule(&self, at: usize, rule: &Rule, to: &mut Statements) {
        let object = self.object(at);
        let (name, table) = (
            ident(&object.id.name),
            qualified(&super::layout::table_name(object)),
        );
        let definition = stable(&rule.definition);
        let (condition, action) = super::expression::rule(&definition);
        let mut sql = format!("CREATE RULE {name} AS ON {} TO {table}", rule.event);
        if !condition.is_empty() {
            sql.push_str(&format!("\n    {condition}"));
        }
        let instead = if rule.instead { "INSTEAD " } else { "" };
        sql.push_str(&format!("\n    DO {instead}{action}"));
        to.push(sql);
        if let Some(words) = enabled(rule.enabled) {
            to.push(format!("ALTER TABLE {table} {words} RULE {name}"));
        }
    }
}
