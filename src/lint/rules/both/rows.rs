use super::{BLOCKS, BOTH, Context, Draft, Name, ORDERS, Rule};
use crate::{
    lint::{Act, ChangeRows, Example, Fix, Level, Severity, WorkKind},
    sql::RowVerb,
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "unbatched-update-or-delete",
    code: "L114",
    dialects: BOTH,
    severity: Severity::Warning,
    summary: "all rows are changed in one transaction",
    docs: "An UPDATE or DELETE of many rows keeps each of them locked until its transaction ends, \
        leaves as many dead rows behind, and makes replicas lag. On SQLite it is the only writer for \
        all that time.",
    safe: "-- migrator: transaction = off\n-- migrator: batch\n\
        UPDATE orders SET total = 0 WHERE id IN (SELECT id FROM orders WHERE total IS NULL LIMIT 1000);",
    silent: "The statement is repeated in batches, or names one row by its key; the table was created in the same run, or its size is known to be below the limits.",
    bad: Example {
        before: ORDERS,
        sql: "UPDATE orders SET total = 0 WHERE total IS NULL;",
    },
    good: Example {
        before: ORDERS,
        sql: "UPDATE orders SET total = 0 WHERE id = 17;",
    },
    check,
    ..BLOCKS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let statement = context.statement();
    if statement.is_batched {
        return Vec::new();
    }
    let acts = context.acts().iter().filter_map(|act| match act {
        Act::ChangeRows(change) if change.verb != RowVerb::Insert => Some(&**change),
        _ => None,
    });
    let changes: Vec<&ChangeRows> = acts
        .filter(|it| !context.is_young_relation(&it.table))
        .filter(|it| !is_one_row(it.condition.as_deref()))
        .collect();
    let mut drafts: Vec<Draft> = changes.iter().map(|it| known(context, it)).collect();
    let is_opaque = context
        .acts()
        .iter()
        .any(|act| matches!(act, Act::Opaque { .. } | Act::Query { calls: true, .. }));
    if is_opaque && statement.effects.level == Level::Measured {
        for work in &statement.effects.works {
            if matches!(work.kind, WorkKind::Change { .. }) {
                drafts.push(draft(&work.relation, "rows of {} are changed"));
            }
        }
    }
    drafts
}

fn draft(table: &Name, what: &str) -> Draft {
    let message = format!("{what} in one transaction").replace("{}", &table.to_string());
    Draft::new(message).about(table)
}

fn known(context: &Context<'_>, change: &ChangeRows) -> Draft {
    let what = match (change.verb, &change.condition) {
        (RowVerb::Update, None) => "all rows of {} are updated",
        (RowVerb::Delete, None) => "all rows of {} are deleted",
        (RowVerb::Update, Some(_)) => "rows of {} are updated",
        (RowVerb::Delete, Some(_)) => "rows of {} are deleted",
        _ => "rows of {} are merged",
    };
    let mut draft = draft(&change.table, what);
    let works = context.effects().works.iter();
    // A scratch database has no rows, which says nothing.
    let rows = works.filter(|it| context.is_same(&it.relation, &change.table));
    draft.rows = rows
        .filter_map(|it| match it.kind {
            WorkKind::Change { rows } => rows.filter(|rows| *rows > 0),
            _ => None,
        })
        .max();
    let statement = &context.statement().sql;
    // Repeated as it is, the statement has to change fewer rows each time.
    if let Some(key) = key(context, change)
        && let Some(condition) = &change.condition
        && change.sources.is_empty()
        && statement.ends_with(condition.as_str())
    {
        let table = super::sql::path(&change.table);
        let head = &statement[..statement.len() - condition.len()];
        let batched =
            format!("{head}{key} IN (SELECT {key} FROM {table} WHERE {condition} LIMIT 1000)");
        let directive = "-- migrator: batch".to_owned();
        draft = draft.safe(format!(
            "-- migrator: transaction = off\n{directive}\n{batched};"
        ));
        let is_narrowing =
            change.verb == RowVerb::Delete || condition.to_lowercase().ends_with("is null");
        if is_narrowing {
            draft = draft.fix(Fix {
                replace: vec![batched],
                transaction_off: true,
                directive: Some(directive),
                ..Fix::default()
            });
        }
    }
    draft
}

/// The only column of the primary key, or what stands for it.
fn key(context: &Context<'_>, change: &ChangeRows) -> Option<String> {
    let Some(before) = context.before() else {
        return Some("id".to_owned());
    };
    match super::primary_key(context, before, &change.table).as_slice() {
        [only] => Some(super::sql::word(only).into_owned()),
        _ => None,
    }
}

/// Whether a condition names rows by `id`: `id = 1`, `id IN ('a', 'b')`.
fn is_one_row(condition: Option<&str>) -> bool {
    let Some(condition) = condition else {
        return false;
    };
    let text = condition.to_lowercase();
    if text.contains(" or ") || text.contains("select") {
        return false;
    }
    text.split(" and ").any(|part| {
        let part = part.trim().trim_start_matches('(').replace('"', "");
        let part =
            part.rsplit_once('.')
                .map_or(part.as_str(), |it| match it.0.contains(['=', '\'']) {
                    true => part.as_str(),
                    false => it.1,
                });
        let value = part
            .strip_prefix("id")
            .map(str::trim_start)
            .and_then(|it| it.strip_prefix('=').or_else(|| it.strip_prefix("in (")));
        value.is_some_and(|it| {
            it.trim_start()
                .starts_with(|c: char| c == '\'' || c.is_ascii_digit())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_that_name_rows() {
        let check =
            |condition, expected| assert_eq!(is_one_row(Some(condition)), expected, "{condition}");
        check("id = 1", true);
        check("t.id = 'x' AND a", true);
        check("\"id\" IN (1, 2)", true);
        check("id = other", false);
        check("id = 1 OR true", false);
        check("a = 1", false);
        assert!(!is_one_row(None));
    }
}
