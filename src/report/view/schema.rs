use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, metrics, object, status::NAMES};
use crate::{
    generate::{self, Migration},
    ops::{SchemaDiffReport, SchemaDrift, SchemaDumpReport, StatusReport},
    report::{Style, count, lines::changed_lines},
    schema::{Change, Difference, Note, ObjectId},
};

/// The longest value that is shown beside its name.
const SHORT: usize = 60;

/// The result of `schema dump`, with the SQL as text.
#[derive(Debug)]
pub struct SchemaDumpView {
    report: SchemaDumpReport,
    sql: String,
}

impl From<SchemaDumpReport> for SchemaDumpView {
    fn from(report: SchemaDumpReport) -> Self {
        let sql = generate::script(&report.blocks);
        Self { report, sql }
    }
}

impl View for SchemaDumpView {
    fn human(&self, _: Paint, _: Verbosity) -> Page {
        Page::default()
    }

    /// Only the SQL, so that it can be run unchanged.
    fn exact(&self) -> Option<&str> {
        Some(&self.sql)
    }

    fn json(&self) -> Json {
        object(json!({
            "source": self.report.source,
            "schema": self.report.schema,
        }))
    }
}

/// The result of `schema diff`, with the SQL as text if it was requested.
#[derive(Debug)]
pub struct SchemaDiffView {
    report: SchemaDiffReport,
    sql: Option<String>,
}

impl From<SchemaDiffReport> for SchemaDiffView {
    fn from(report: SchemaDiffReport) -> Self {
        let sql = report.migration.as_ref().map(Migration::to_string);
        Self { report, sql }
    }
}

impl View for SchemaDiffView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = difference(&self.report.difference, paint, verbosity);
        if verbosity == Verbosity::Quiet {
            return page;
        }
        if !page.is_empty() {
            page.blank();
        }
        let pair = format!("{} → {}", self.report.from, self.report.to);
        let summary = summary(&self.report.difference);
        let style = match self.report.difference.is_empty() {
            true => Style::Good,
            false => Style::Warning,
        };
        page.sentence(format!("{pair}: {}.", paint.paint(style, summary)));
        page
    }

    /// Only the SQL, so that it can be run unchanged.
    fn exact(&self) -> Option<&str> {
        self.sql.as_deref()
    }

    fn json(&self) -> Json {
        let mut fields = object(json!({ "from": self.report.from, "to": self.report.to }));
        fields.extend(difference_json(&self.report.difference));
        if let Some(sql) = &self.sql {
            fields.insert("sql".to_owned(), sql.as_str().into());
        }
        fields
    }
}

/// The result of `status`, with the drift of the schema if it was requested.
#[derive(Debug)]
pub struct StatusView {
    /// The status.
    pub status: StatusReport,
    /// The drift of the schema.
    pub schema: Option<SchemaDrift>,
}

impl View for StatusView {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = self.status.human(paint, verbosity);
        let Some(drift) = &self.schema else {
            return page;
        };
        let found = match drift.difference.is_empty() {
            true => paint.paint(Style::Good, "as the applied scripts make it"),
            false => paint.paint(Style::Warning, summary(&drift.difference)),
        };
        let name = paint.paint(Style::Dim, format!("{:<NAMES$}", "Schema"));
        page.fact(name, found, NAMES);
        let differences = difference(&drift.difference, paint, verbosity);
        if !differences.is_empty() {
            page.blank();
            page.append(differences);
        }
        page
    }

    fn json(&self) -> Json {
        let mut fields = self.status.json();
        if let Some(drift) = &self.schema {
            fields.insert("schema".to_owned(), drift_json(drift));
        }
        fields
    }

    fn prometheus(&self) -> Option<String> {
        let schema = self.schema.as_ref();
        let changes = schema.map(|drift| drift.difference.changes.len());
        Some(metrics::of_status(&self.status, changes))
    }
}

/// The fields of a difference.
fn difference_json(difference: &Difference) -> Json {
    object(json!({
        "equal": difference.is_empty(),
        "changes": difference.changes,
        "notes": difference.notes,
    }))
}

/// The drift as a JSON object.
fn drift_json(drift: &SchemaDrift) -> Value {
    let mut fields = difference_json(&drift.difference);
    let pending = drift.pending.iter().map(ToString::to_string);
    fields.insert("repeatables_due".to_owned(), pending.collect());
    Value::Object(fields)
}

/// The number of differences: `no difference`, `3 differences: 1 added, 2 altered`.
fn summary(difference: &Difference) -> String {
    let of =
        |wanted: fn(&Change) -> bool| difference.changes.iter().filter(|it| wanted(it)).count();
    let altered = altered_objects(difference);
    let parts = [
        (of(|it| matches!(it, Change::Add { .. })), "added"),
        (of(|it| matches!(it, Change::Drop { .. })), "dropped"),
        (altered, "altered"),
    ];
    let total: usize = parts.iter().map(|(count, _)| count).sum();
    if total == 0 {
        return "no difference".to_owned();
    }
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(n, what)| format!("{n} {what}")).collect();
    format!("{}: {}", count(total, "difference"), parts.join(", "))
}

fn altered_objects(difference: &Difference) -> usize {
    let mut ids: Vec<&ObjectId> = Vec::new();
    for change in &difference.changes {
        if let Change::Alter { object, .. } = change
            && ids.last() != Some(&object)
        {
            ids.push(object);
        }
    }
    ids.len()
}

/// The differences object by object, then the notes.
pub(super) fn difference(difference: &Difference, paint: Paint, verbosity: Verbosity) -> Page {
    let mut page = Page::default();
    let mut altered: Option<&ObjectId> = None;
    for change in &difference.changes {
        match change {
            Change::Add { object } => {
                page.row(format!("{} {object}", paint.paint(Style::Good, "+")));
            }
            Change::Drop { object } => {
                page.row(format!("{} {object}", paint.paint(Style::Bad, "-")));
            }
            Change::Alter {
                object,
                attribute,
                from,
                to,
            } => {
                if altered != Some(object) {
                    page.row(format!("{} {object}", paint.paint(Style::Warning, "~")));
                }
                altered = Some(object);
                alteration(&mut page, attribute, (from, to), paint, verbosity);
            }
        }
    }
    for note in &difference.notes {
        page.row(paint.paint(Style::Dim, format!("note: {}", note_text(note))));
    }
    page
}

fn alteration(
    page: &mut Page,
    attribute: &str,
    (from, to): (&Value, &Value),
    paint: Paint,
    verbosity: Verbosity,
) {
    let name = attribute.replace('_', " ");
    let (old, new) = (value(from), value(to));
    let is_short = |text: &str| !text.contains('\n') && text.chars().count() <= SHORT;
    if is_short(&old) && is_short(&new) {
        page.row(format!("    {name}: {old} → {new}"));
        return;
    }
    page.row(format!("    {name}:"));
    page.append(changed_lines(&old, &new, "      ", paint, verbosity));
}

/// A fact as people read it.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(self::value).collect();
            items.join(", ")
        }
        Value::Object(fields) if fields.is_empty() => "none".to_owned(),
        Value::Object(fields) if fields.contains_key("privilege") => grant(fields),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| match field {
                Value::Bool(true) => name.replace('_', " "),
                field => format!("{} {}", name.replace('_', " "), self::value(field)),
            });
            format!("({})", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A privilege: `SELECT to app`.
fn grant(fields: &Json) -> String {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let privilege = text("privilege").unwrap_or_default();
    let mut shown = format!("{privilege} to {}", text("grantee").unwrap_or("PUBLIC"));
    if fields.get("grantable") == Some(&Value::Bool(true)) {
        shown.push_str(" with grant option");
    }
    if let Some(grantor) = text("grantor") {
        shown.push_str(&format!(" by {grantor}"));
    }
    shown
}

pub(super) fn note_text(note: &Note) -> String {
    match note {
        Note::ColumnOrder { table, from, to } => format!(
            "the columns of {table} are in another order: {} → {}",
            from.join(", "),
            to.join(", ")
        ),
        Note::PossibleRename { from, to } => {
            format!("{from} may have been renamed to {to}: they differ in nothing else")
        }
        Note::OnlyInFirst(object) => format!(
            "only in the first: {} {}, whose definition is not compared",
            object.kind, object.name
        ),
        Note::OnlyInSecond(object) => format!(
            "only in the second: {} {}, whose definition is not compared",
            object.kind, object.name
        ),
    }
}

/// One sentence about each object that differs: `column a.b was changed by hand: data type integer →
/// bigint`.
pub fn drift_sentences(drift: &SchemaDrift) -> Vec<String> {
    let words = ["was added by hand", "is missing", "was changed by hand"];
    difference_sentences(&drift.difference, words)
}

/// One sentence about each object that differs, with what is said of an added, a dropped and an
/// altered one.
pub fn difference_sentences(
    difference: &Difference,
    [added, dropped, altered]: [&str; 3],
) -> Vec<String> {
    let mut sentences: Vec<(ObjectId, String)> = Vec::new();
    for change in &difference.changes {
        match change {
            Change::Add { object } => {
                sentences.push((object.clone(), format!("{object} {added}")));
            }
            Change::Drop { object } => {
                sentences.push((object.clone(), format!("{object} {dropped}")));
            }
            Change::Alter {
                object,
                attribute,
                from,
                to,
            } => {
                let name = attribute.replace('_', " ");
                let (old, new) = (value(from), value(to));
                let change = match [&old, &new].iter().all(|it| it.chars().count() <= SHORT) {
                    true => format!("{name} {old} → {new}"),
                    false => name,
                };
                match sentences.last_mut() {
                    Some((last, text)) if last == object => *text = format!("{text}; {change}"),
                    _ => {
                        let text = format!("{object} {altered}: {change}");
                        sentences.push((object.clone(), text));
                    }
                }
            }
        }
    }
    sentences.into_iter().map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Kind, Name};

    fn report(changes: Vec<Change>) -> SchemaDiffView {
        let report = SchemaDiffReport {
            from: "head".to_owned(),
            to: "live".to_owned(),
            difference: Difference {
                changes,
                notes: Vec::new(),
            },
            migration: None,
        };
        report.into()
    }

    fn alter(attribute: &str, from: Value, to: Value) -> Change {
        Change::Alter {
            object: ObjectId::part(Kind::Column, &Name::new("shop", "orders"), "total"),
            attribute: attribute.to_owned(),
            from,
            to,
        }
    }

    #[test]
    fn differences_are_listed_object_by_object() {
        let report = report(vec![
            alter("data_type", json!("integer"), json!("bigint")),
            alter("default", json!(null), json!("0")),
            Change::Drop {
                object: ObjectId::new(Kind::View, "shop", "Total"),
            },
        ]);
        let text = report.human(Paint(false), Verbosity::Normal).text(None);
        let expected = "~ column shop.orders.total\n    data type: integer → bigint\n    \
                        default: none → 0\n- view shop.\"Total\"\n\n\
                        head → live: 2 differences: 1 dropped, 1 altered.\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn long_values_are_shown_as_changed_lines() {
        let report = report(vec![alter(
            "query",
            json!("SELECT a,\n b\nFROM t"),
            json!("SELECT a,\n c\nFROM t"),
        )]);
        let text = report.human(Paint(false), Verbosity::Normal).text(None);
        assert!(text.contains("      - b\n      + c\n"), "{text}");
    }

    #[test]
    fn values_read_like_text() {
        let check = |it: Value, expected: &str| assert_eq!(value(&it), expected);
        check(json!(null), "none");
        check(json!(["a", "b"]), "a, b");
        check(json!({"always": true, "min": 1}), "(always, min 1)");
        check(json!([]), "none");
        let grants = json!([{"privilege": "SELECT"}, {"privilege": "INSERT", "grantee": "app", "grantable": true}]);
        check(grants, "SELECT to PUBLIC, INSERT to app with grant option");
    }

    #[test]
    fn drift_is_one_sentence_per_object() {
        let drift = SchemaDrift {
            difference: report(vec![
                alter("data_type", json!("integer"), json!("bigint")),
                alter("default", json!(null), json!("0")),
            ])
            .report
            .difference,
            pending: Vec::new(),
        };
        assert_eq!(
            drift_sentences(&drift),
            [
                "column shop.orders.total was changed by hand: data type integer → bigint; default none → 0"
            ]
        );
    }
}
