use serde_json::{Value, json};

use super::{Json, Page, Paint, Verbosity, View, object};
use crate::{
    lint::{Example, Phase, Rule},
    ops::{EditReport, EnsureVersionReport, TemplateLine, TemplatesReport},
    report::{Style, format::wrapped},
};

impl View for EditReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let mut page = Page::default();
        if verbosity > Verbosity::Quiet {
            for file in &self.files {
                page.row(format!("edited {}", paint.paint(Style::Strong, file)));
            }
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        object(json!({ "revision": self.id.as_str(), "files": self.files }))
    }
}

/// Files that a command wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenView {
    /// The files, in order.
    pub files: Vec<String>,
}

impl View for WrittenView {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        let mut page = Page::default();
        for file in &self.files {
            page.row(format!("wrote {}", paint.paint(Style::Strong, file)));
        }
        page
    }

    fn has_changed(&self) -> bool {
        true
    }

    fn json(&self) -> Json {
        object(json!({ "files": self.files }))
    }
}

impl View for TemplatesReport {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        let names = self.templates.iter().map(|line| line.name.len());
        let width = names.max().unwrap_or(0);
        let mut page = Page::default();
        for line in &self.templates {
            let name = paint.paint(Style::Strong, format!("{:<width$}", line.name));
            let source = line.file.as_deref().unwrap_or("built in");
            let source = paint.paint(Style::Dim, format!("({source})"));
            page.row(match line.about.as_str() {
                "" => format!("{name}  {source}"),
                about => format!("{name}  {about}  {source}"),
            });
        }
        page
    }

    fn json(&self) -> Json {
        let line = |line: &TemplateLine| {
            json!({
                "name": line.name,
                "about": line.about,
                "built_in": line.file.is_none(),
                "file": line.file,
            })
        };
        object(json!({ "templates": self.templates.iter().map(line).collect::<Vec<_>>() }))
    }
}

impl View for EnsureVersionReport {
    fn human(&self, paint: Paint, verbosity: Verbosity) -> Page {
        let Self {
            database, table, ..
        } = self;
        match (verbosity, self.made) {
            (Verbosity::Quiet, _) => Page::default(),
            (_, true) => Page::of(format!(
                "{} {table} and its log in {database}.",
                paint.paint(Style::Good, "Made")
            )),
            (_, false) => Page::of(format!(
                "Nothing to do: {table} already exists in {database}."
            )),
        }
    }

    fn has_changed(&self) -> bool {
        self.made
    }

    fn json(&self) -> Json {
        object(json!({
            "database": self.database,
            "version_table": self.table,
            "made": self.made,
        }))
    }
}

/// An error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainedCode {
    /// The code, such as `M203`.
    pub id: &'static str,
    /// The title in a few words.
    pub title: &'static str,
    /// The explanation in a few sentences.
    pub explanation: &'static str,
    /// The exit status of the process if nothing was changed.
    pub exit_status: u8,
}

impl ExplainedCode {
    fn json(&self) -> Value {
        json!({
            "code": self.id,
            "title": self.title,
            "explanation": self.explanation,
            "exit_status": self.exit_status,
        })
    }
}

/// The result of `explain CODE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainView {
    /// The code.
    pub code: ExplainedCode,
}

/// The width of an explanation in columns.
const WIDTH: usize = 80;

impl View for ExplainView {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        let code = &self.code;
        let id = paint.paint(Style::Strong, code.id);
        let mut page = Page::of(format!("{id}: {}", code.title));
        page.blank();
        for line in wrapped(code.explanation, WIDTH).lines() {
            page.sentence(line);
        }
        page.blank();
        page.sentence(format!("Exit status {}.", code.exit_status));
        page
    }

    fn json(&self) -> Json {
        object(self.code.json())
    }
}

/// The result of `explain RULE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// The rule.
    pub rule: &'static Rule,
}

impl RuleView {
    /// The parts of the text, each under its title.
    fn parts(&self) -> [(&'static str, String); 4] {
        let script = |example: &Example| match example.before {
            "" => example.sql.to_owned(),
            before => format!("{before}\n\n-- In a later revision:\n{}", example.sql),
        };
        [
            ("Safe form", self.rule.safe.to_owned()),
            ("Silent", self.rule.silent.to_owned()),
            ("Found", script(&self.rule.bad)),
            ("Not found", script(&self.rule.good)),
        ]
    }
}

impl View for RuleView {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        let rule = self.rule;
        let id = paint.paint(Style::Strong, rule.code);
        let mut page = Page::of(format!("{id} {}: {}", rule.name, rule.summary));
        page.blank();
        for line in wrapped(rule.docs, WIDTH).lines() {
            page.sentence(line);
        }
        for (title, text) in self.parts() {
            page.blank();
            page.row(format!("{}:", paint.paint(Style::Strong, title)));
            for line in wrapped(&text, WIDTH).lines() {
                page.row(format!("    {line}"));
            }
        }
        page.blank();
        page.sentence(rule_sentence(rule));
        page
    }

    fn json(&self) -> Json {
        object(rule_json(self.rule))
    }
}

/// The class, the severity and the dialects of a rule.
fn rule_sentence(rule: &Rule) -> String {
    let dialects = rule.dialects.iter().map(ToString::to_string);
    let dialects: Vec<String> = dialects.collect();
    let dialects = dialects.join(" and ");
    let severity = match rule.is_on {
        true => rule.severity.name(),
        false => "off unless configured",
    };
    let allowed = match rule.allowed_in {
        Some(phase) => format!("; silent in a revision of phase {}", phase.name()),
        None => String::new(),
    };
    let class = rule.class.name();
    format!("Class {class}, {severity}; {dialects}{allowed}.")
}

fn rule_json(rule: &Rule) -> Value {
    let example = |it: &Example| json!({ "before": it.before, "sql": it.sql });
    json!({
        "code": rule.code,
        "rule": rule.name,
        "class": rule.class.name(),
        "severity": rule.is_on.then(|| rule.severity.name()),
        "dialects": rule.dialects.iter().map(|it| it.to_string()).collect::<Vec<_>>(),
        "silent_in_phase": rule.allowed_in.map(Phase::name),
        "summary": rule.summary,
        "explanation": rule.docs,
        "safe": rule.safe,
        "silent": rule.silent,
        "example_dialect": rule.example_dialect.map(|it| it.to_string()),
        "found": example(&rule.bad),
        "not_found": example(&rule.good),
    })
}

/// The result of `explain` without a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodesView {
    /// The codes, in order.
    pub codes: Vec<ExplainedCode>,
    /// The rules of `lint`, in the order of their codes.
    pub rules: &'static [&'static Rule],
}

impl View for CodesView {
    fn human(&self, paint: Paint, _: Verbosity) -> Page {
        let mut page = Page::default();
        for code in &self.codes {
            let id = paint.paint(Style::Strong, code.id);
            page.row(format!("{id}  {}", code.title));
        }
        for rule in self.rules {
            let id = paint.paint(Style::Strong, rule.code);
            page.row(format!("{id}  {}: {}", rule.name, rule.summary));
        }
        page
    }

    fn json(&self) -> Json {
        let codes: Vec<_> = self.codes.iter().map(ExplainedCode::json).collect();
        let rules: Vec<_> = self.rules.iter().map(|rule| rule_json(rule)).collect();
        object(json!({ "codes": codes, "rules": rules }))
    }
}
