//! Templates of new scripts: built in, or overridden by the project.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::text::decode;
use crate::{
    files,
    nearest::misspelt,
    revision::{Direction, Headers, Phase, Problem, RevisionId, Script},
    sql::Dialect,
};

/// The name of the default templates.
const DEFAULT: &str = "default";

macro_rules! built_in {
    ($($file:literal: $about:literal),* $(,)?) => {
        &[$(($file, $about, include_str!(concat!("../../templates/", $file)))),*]
    };
}

/// File name, purpose and text of each template, by name.
const BUILT_IN: &[(&str, &str, &str)] = built_in![
    "autogenerate.down.sql.jinja": "",
    "autogenerate.up.sql.jinja": "the beginning of generated scripts",
    "down.sql.jinja": "",
    "index-concurrently.down.sql.jinja": "",
    "index-concurrently.up.sql.jinja": "PostgreSQL: create an index without blocking writers",
    "merge.down.sql.jinja": "",
    "merge.up.sql.jinja": "join branches, without statements",
    "sqlite-rebuild.down.sql.jinja": "",
    "sqlite-rebuild.up.sql.jinja": "SQLite: rebuild a table, for changes beyond ALTER TABLE",
    "up.sql.jinja": "an empty script",
];

/// The values for the scripts of a new revision.
#[derive(Clone, Copy, Debug)]
pub struct TemplateRequest<'a> {
    /// The ID.
    pub id: &'a RevisionId,
    /// The message; line breaks become spaces.
    pub message: &'a str,
    /// The slug of the file names.
    pub slug: &'a str,
    /// The parents; empty for a root.
    pub revises: &'a [RevisionId],
    /// The dependencies.
    pub depends_on: &'a [RevisionId],
    /// The label of the branch.
    pub label: Option<&'a str>,
    /// The reason why there is no down script.
    pub irreversible: Option<&'a str>,
    /// Whether the scripts run in a transaction.
    pub transaction: bool,
    /// The phase, unless the revision is applied in any.
    pub phase: Option<Phase>,
    /// The time of creation.
    pub date: DateTime<Utc>,
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// The author.
    pub author: &'a str,
}

/// The scripts of a new revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The up script. Its headers are verified against the request.
    pub up: String,
    /// The down script; `None` if the revision is irreversible.
    pub down: Option<String>,
}

/// The location of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// The template is built in.
    BuiltIn,
    /// The template is a file of the project.
    Project(PathBuf),
}

/// A pair of templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateInfo {
    /// The name; `default` is used if none is given.
    pub name: String,
    /// The purpose of the template: for the project's own, its leading comment; empty without one.
    pub about: String,
    /// The location of its up script.
    pub source: TemplateSource,
}

/// An error that prevented scripts from being created from a template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// No template has this name.
    #[error("unknown template `{name}`")]
    Unknown {
        /// The name as written.
        name: String,
        /// The nearest template.
        nearest: Option<String>,
        /// All templates.
        known: Vec<String>,
    },
    /// A directory or file cannot be read.
    #[error("{}: cannot read it: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The template does not parse, or uses an undefined name.
    #[error("{file}:{line}: {message}")]
    Template {
        /// The file, or `NAME (built in)`.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The template engine's message.
        message: String,
    },
    /// The message would be parsed as a header.
    #[error("the message `{message}` would be parsed as a header")]
    Message {
        /// The message.
        message: String,
    },
    /// The generated script has invalid headers.
    #[error("{file}: the script generated from this template has invalid headers")]
    Script {
        /// The template's file.
        file: String,
        /// The problems of the headers, in the script.
        problems: Vec<Problem>,
    },
    /// The generated script lacks a header.
    #[error(
        "{file}: the script generated from this template lacks `{key}`; the template needs a line {{{{ headers }}}}"
    )]
    LostHeader {
        /// The template's file.
        file: String,
        /// The header.
        key: &'static str,
    },
}

/// Renders the scripts of a new revision from the templates named `name`; those in the directory
/// `templates` take precedence over built-in ones. If there is no down template with that name, the
/// default one is used.
///
/// # Errors
/// Returns an error if the template does not exist, or if the result does not match the request.
pub fn render(
    templates: &Path,
    name: Option<&str>,
    request: &TemplateRequest<'_>,
) -> Result<Rendered, TemplateError> {
    let message = one_line(request.message);
    let lower = message.to_lowercase();
    if lower.starts_with("migrator:") || lower.starts_with("no-transaction") {
        return Err(TemplateError::Message { message });
    }
    let name = name.unwrap_or(DEFAULT);
    let Some(up) = find(templates, name, Direction::Up)? else {
        let known: Vec<String> = list(templates)?.into_iter().map(|info| info.name).collect();
        return Err(TemplateError::Unknown {
            name: name.to_owned(),
            nearest: misspelt(name, known.iter().map(String::as_str)).map(str::to_owned),
            known,
        });
    };
    let script = fill(&up, request, &message)?;
    check(&up, Direction::Up, &script, request)?;
    let down = if request.irreversible.is_some() {
        None
    } else {
        let down = match find(templates, name, Direction::Down)? {
            Some(down) => Some(down),
            None => find(templates, DEFAULT, Direction::Down)?,
        };
        down.map(|down| {
            let script = fill(&down, request, &message)?;
            check(&down, Direction::Down, &script, request)?;
            Ok(script)
        })
        .transpose()?
    };
    Ok(Rendered { up: script, down })
}

/// Returns all templates, by name.
///
/// # Errors
/// Returns an error if the directory cannot be read. A missing directory is treated as empty.
pub fn list(templates: &Path) -> Result<Vec<TemplateInfo>, TemplateError> {
    let mut found: BTreeMap<String, TemplateInfo> = BTreeMap::new();
    for (file, about, _) in BUILT_IN {
        if let Some(name) = up_name(file) {
            let source = TemplateSource::BuiltIn;
            let name = name.to_owned();
            let about = (*about).to_owned();
            found.insert(
                name.clone(),
                TemplateInfo {
                    name,
                    about,
                    source,
                },
            );
        }
    }
    let entries = match fs::read_dir(templates) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(found.into_values().collect());
        }
        Err(error) => return Err(unreadable(templates, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(templates, &error))?;
        let file = entry.file_name();
        if let Some(name) = file.to_str().and_then(up_name) {
            let replaced = || found.get(name).map(|info| info.about.clone());
            let about = about(&entry.path()).or_else(replaced).unwrap_or_default();
            let source = TemplateSource::Project(entry.path());
            let name = name.to_owned();
            found.insert(
                name.clone(),
                TemplateInfo {
                    name,
                    about,
                    source,
                },
            );
        }
    }
    Ok(found.into_values().collect())
}

/// Returns the leading comment `{# … #}` of a template, on one line.
fn about(path: &Path) -> Option<String> {
    let text = decode(files::read(path).ok()?).ok()?;
    let comment = text.trim_start().strip_prefix("{#")?.split("#}").next()?;
    let comment = one_line(comment.trim_matches(['-', '+', ' ']));
    (!comment.is_empty()).then_some(comment)
}

struct Template {
    /// The file name to display.
    file: String,
    text: String,
}

/// Returns `default` for `up.sql.jinja`, `x` for `x.up.sql.jinja`.
fn up_name(file: &str) -> Option<&str> {
    match file.strip_suffix("up.sql.jinja")? {
        "" => Some(DEFAULT),
        name => name.strip_suffix('.').filter(|name| is_name(name)),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn find(
    templates: &Path,
    name: &str,
    direction: Direction,
) -> Result<Option<Template>, TemplateError> {
    if !is_name(name) {
        return Ok(None);
    }
    let file = match name {
        DEFAULT => format!("{direction}.sql.jinja"),
        name => format!("{name}.{direction}.sql.jinja"),
    };
    let path = templates.join(&file);
    match files::read(&path) {
        Ok(bytes) => {
            let text = decode(bytes).map_err(|fault| TemplateError::Unreadable {
                path: path.clone(),
                reason: fault.problem.to_string(),
            })?;
            let file = path.display().to_string();
            Ok(Some(Template { file, text }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BUILT_IN
            .iter()
            .find(|(known, ..)| *known == file)
            .map(|(.., text)| Template {
                file: format!("{file} (built in)"),
                text: (*text).to_owned(),
            })),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

fn fill(
    template: &Template,
    request: &TemplateRequest<'_>,
    message: &str,
) -> Result<String, TemplateError> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_keep_trailing_newline(true);
    engine.set_trim_blocks(true);
    engine.set_lstrip_blocks(true);
    let texts = |ids: &[RevisionId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let variables = context! {
        headers => headers(request),
        id => request.id.as_str(),
        message => message,
        slug => request.slug,
        revises => texts(request.revises),
        depends_on => texts(request.depends_on),
        label => request.label,
        irreversible => request.irreversible.map(one_line),
        transaction => request.transaction,
        date => request.date.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        dialect => request.dialect.name(),
        author => one_line(request.author),
    };
    engine
        .render_named_str(&template.file, &template.text, variables)
        .map_err(|error| TemplateError::Template {
            file: template.file.clone(),
            line: error.line().unwrap_or(1),
            message: match error.detail() {
                Some(detail) => format!("{}: {detail}", error.kind()),
                None => error.kind().to_string(),
            },
        })
}

/// Returns the header lines, without a final newline.
fn headers(request: &TemplateRequest<'_>) -> String {
    let ids = |ids: &[RevisionId]| {
        let texts: Vec<&str> = ids.iter().map(RevisionId::as_str).collect();
        texts.join(", ")
    };
    let parents = match request.revises {
        [] => "base".to_owned(),
        parents => ids(parents),
    };
    let mut lines = vec![format!("-- migrator: revises = {parents}")];
    if !request.depends_on.is_empty() {
        lines.push(format!(
            "-- migrator: depends-on = {}",
            ids(request.depends_on)
        ));
    }
    if let Some(label) = request.label {
        lines.push(format!("-- migrator: label = {}", one_line(label)));
    }
    if let Some(reason) = request.irreversible {
        lines.push(format!("-- migrator: irreversible = {}", one_line(reason)));
    }
    if !request.transaction {
        lines.push("-- migrator: transaction = off".to_owned());
    }
    if let Some(phase) = request.phase {
        lines.push(format!("-- migrator: phase = {}", phase.name()));
    }
    lines.join("\n")
}

/// Parses the script: a template that lost a header would change the revision's place in the
/// history.
fn check(
    template: &Template,
    direction: Direction,
    script: &str,
    request: &TemplateRequest<'_>,
) -> Result<(), TemplateError> {
    let file = format!("{}_{}.{direction}.sql", request.id, request.slug);
    let parsed = Script::parse(request.dialect, direction, file, script).map_err(|problems| {
        TemplateError::Script {
            file: template.file.clone(),
            problems,
        }
    })?;
    let lost = match direction {
        Direction::Up => lost_header(&parsed.headers, request),
        Direction::Down => None,
    };
    match lost {
        None => Ok(()),
        Some(key) => Err(TemplateError::LostHeader {
            file: template.file.clone(),
            key,
        }),
    }
}

fn lost_header(headers: &Headers, request: &TemplateRequest<'_>) -> Option<&'static str> {
    let same = |text: &Option<String>, asked: Option<&str>| *text == asked.map(one_line);
    if headers.revises.as_deref() != Some(request.revises) {
        Some("revises")
    } else if headers.depends_on != request.depends_on {
        Some("depends-on")
    } else if !same(&headers.label, request.label) {
        Some("label")
    } else if !same(&headers.irreversible, request.irreversible) {
        Some("irreversible")
    } else if headers.phase != request.phase {
        Some("phase")
    } else {
        None
    }
}

/// Replaces every run of white space and control characters with one space: a second line would be
/// parsed as SQL.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn unreadable(path: &Path, error: &io::Error) -> TemplateError {
    TemplateError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
