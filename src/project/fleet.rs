//! `[environments.NAME.fleet]`: many databases of one project.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    config::ScratchUrl,
    keys::Given,
    model::{self, ModelSource},
    problem::Origin,
    value::{Refused, text},
};
use crate::fleet::{Canary, Order, Share, Template, Window};

/// A fleet.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    /// The environment, which names the fleet.
    pub environment: String,
    /// Where the targets come from.
    pub source: FleetSource,
    /// The place of the key that names the source.
    pub origin: Origin,
    /// The URL of each target that has none of its own.
    pub url: Option<Template>,
    /// The directory that relative paths in URLs are resolved against.
    pub base: PathBuf,
    /// The schema of each target that has none of its own.
    pub schema: Option<Template>,
    /// The most targets at once.
    pub jobs: usize,
    /// The most connections to one server at once.
    pub jobs_per_server: usize,
    /// Canaries and groups.
    pub order: Order,
    /// The number of failures after which no further target is started.
    pub max_failures: Option<Share>,
    /// When targets may be started.
    pub deadline: Option<Window>,
    /// Whether a target that does not exist has failed.
    pub exists: Exists,
    /// How long to wait for a server that refuses connections.
    pub server_wait: Duration,
    /// The journal of the last run.
    pub journal: PathBuf,
}

/// Where the targets of a fleet come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FleetSource {
    /// `files`: patterns of paths of SQLite files.
    Files(Vec<String>),
    /// `query`: a query with a row a target.
    Query {
        /// The query.
        sql: String,
        /// `at`: the database to ask.
        at: ScratchUrl,
    },
    /// `command`: a program that prints a line of JSON a target.
    Command {
        /// The program with its arguments.
        words: Vec<String>,
        /// `timeout`: how long the program may take.
        timeout: Duration,
    },
    /// `list`: the names.
    List(Vec<String>),
}

/// What a target is that does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exists {
    /// It is skipped.
    #[default]
    Skip,
    /// It is a failure.
    Require,
}

/// The keys as given.
#[derive(Clone, Debug)]
pub struct FleetKeys {
    pub(super) files: Option<Vec<String>>,
    pub(super) query: Option<String>,
    pub(super) at: Option<ScratchUrl>,
    pub(super) command: Option<Vec<String>>,
    pub(super) list: Option<Vec<String>>,
    pub(super) timeout: Option<Duration>,
    pub(super) url: Option<Template>,
    pub(super) schema: Option<Template>,
    pub(super) jobs: u32,
    pub(super) jobs_per_server: u32,
    pub(super) canaries: Vec<Canary>,
    pub(super) groups: Vec<String>,
    pub(super) max_failures: Option<Share>,
    pub(super) deadline: Option<Window>,
    pub(super) exists: Exists,
    pub(super) server_wait: Duration,
    pub(super) journal: Option<PathBuf>,
}

impl Default for FleetKeys {
    fn default() -> Self {
        Self {
            files: None,
            query: None,
            at: None,
            command: None,
            list: None,
            timeout: None,
            url: None,
            schema: None,
            jobs: 8,
            jobs_per_server: 4,
            canaries: Vec::new(),
            groups: Vec::new(),
            max_failures: None,
            deadline: None,
            exists: Exists::default(),
            server_wait: Duration::from_secs(60),
            journal: None,
        }
    }
}

/// The keys that name a source of targets.
pub(super) const SOURCES: [&str; 4] = ["files", "query", "command", "list"];

/// A key that does not go with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub key: &'static str,
    pub reason: &'static str,
}

impl FleetKeys {
    /// The sources that are named.
    pub(super) fn sources(&self) -> Vec<&'static str> {
        let named = [
            self.files.is_some(),
            self.query.is_some(),
            self.command.is_some(),
            self.list.is_some(),
        ];
        let all = SOURCES.into_iter().zip(named);
        all.filter_map(|(name, is_named)| is_named.then_some(name))
            .collect()
    }

    /// The keys that do not go with the source, of which there is exactly one. `has_url` is whether the
    /// environment has a URL.
    pub(super) fn misfits(&self, has_url: bool) -> Vec<Misfit> {
        let (of_files, of_query) = (self.files.is_some(), self.query.is_some());
        let tells_groups = of_query || self.command.is_some();
        let mut found = Vec::new();
        let mut check = |is_wrong: bool, key, reason| {
            if is_wrong {
                found.push(Misfit { key, reason });
            }
        };
        check(
            of_files && self.url.is_some(),
            "url",
            "`files` names the databases already",
        );
        check(
            of_files && self.schema.is_some(),
            "schema",
            "SQLite files have no schemas",
        );
        check(
            !of_query && self.at.is_some(),
            "at",
            "it is the database that `query` asks",
        );
        check(
            of_query && self.at.is_none() && !has_url,
            "query",
            "name the database to ask with `at`, or set `url` of the environment",
        );
        check(
            self.timeout.is_some() && self.command.is_none(),
            "timeout",
            "it is the limit of `command`",
        );
        check(
            !self.groups.is_empty() && !tells_groups,
            "groups",
            "only `query` and `command` tell the group of a target",
        );
        let is_target = |it: &Option<Template>| it.as_ref().is_some_and(Template::has_target);
        check(
            self.list.is_some() && !is_target(&self.url) && !is_target(&self.schema),
            "list",
            "all targets would be one database: use ${target} in `url` or `schema`",
        );
        found
    }

    /// The source, if exactly one is named.
    pub(super) fn source(&self, url: Option<&ScratchUrl>) -> Option<FleetSource> {
        let patterns = self.files.clone().map(FleetSource::Files);
        let command = || {
            Some(FleetSource::Command {
                words: self.command.clone()?,
                timeout: self.timeout.unwrap_or(Duration::from_secs(60)),
            })
        };
        let query = || {
            Some(FleetSource::Query {
                sql: self.query.clone()?,
                at: self.at.as_ref().or(url)?.clone(),
            })
        };
        let list = || self.list.clone().map(FleetSource::List);
        patterns.or_else(command).or_else(query).or_else(list)
    }

    /// The order of targets.
    pub(super) fn order(&self) -> Order {
        Order {
            canaries: self.canaries.clone(),
            groups: self.groups.clone(),
        }
    }
}

/// Parses a list of strings; a single string is a list of one.
pub(super) fn strings(given: &Given<'_>) -> Result<Vec<String>, Refused> {
    let strings = match (given.list, given.text) {
        (Some(list), _) => list.to_vec(),
        (None, Some(text)) => vec![text.to_owned()],
        (None, None) => return Err(Refused::Type("a string or an array of strings")),
    };
    match strings.is_empty() || strings.iter().any(String::is_empty) {
        true => Err(Refused::Value("expected strings that are not empty")),
        false => Ok(strings),
    }
}

/// Parses the names of `list` and `groups`.
pub(super) fn array(given: &Given<'_>) -> Result<Vec<String>, Refused> {
    match given.list {
        Some(_) => strings(given),
        None => Err(Refused::Type("an array of strings")),
    }
}

/// Parses the names of groups, each once.
pub(super) fn groups(given: &Given<'_>) -> Result<Vec<String>, Refused> {
    let groups = array(given)?;
    let is_repeated = |(index, name): (usize, &String)| groups[..index].contains(name);
    match groups.iter().enumerate().any(is_repeated) {
        true => Err(Refused::Value("expected each group once")),
        false => Ok(groups),
    }
}

/// Parses a query.
pub(super) fn query(given: &Given<'_>) -> Result<String, Refused> {
    match text(given)?.trim() {
        "" => Err(Refused::Value("expected a query")),
        sql => Ok(sql.trim_end_matches(';').to_owned()),
    }
}

/// Parses a program with its arguments.
pub(super) fn command(given: &Given<'_>) -> Result<Vec<String>, Refused> {
    match model::command(given)? {
        ModelSource::Command(words) => Ok(words),
        _ => Err(Refused::Value("expected a program and its arguments")),
    }
}

/// Parses a URL that may have the name of a target. An error must not show it.
pub(super) fn url(given: &Given<'_>) -> Result<Template, Refused> {
    match text(given)?.trim() {
        "" => Err(Refused::EmptyUrl),
        url => Template::of(url).ok_or(Refused::Type("a URL without NUL characters")),
    }
}

/// Parses the name of a schema that may have that of a target.
pub(super) fn schema(given: &Given<'_>) -> Result<Template, Refused> {
    let schema = Template::of(text(given)?).filter(|_| given.text != Some(""));
    schema.ok_or(Refused::Value(
        "expected the name of a schema, such as `${target}`",
    ))
}

/// Parses canaries: patterns of names, and percentages.
pub(super) fn canaries(given: &Given<'_>) -> Result<Vec<Canary>, Refused> {
    let parsed: Option<Vec<Canary>> = strings(given)?.iter().map(|it| Canary::of(it)).collect();
    parsed.ok_or(Refused::Value(
        "expected names, patterns such as `test_*`, and percentages above 0 and up to 100, such as `1%`",
    ))
}

/// Parses a count or a percentage.
pub(super) fn share(given: &Given<'_>) -> Result<Share, Refused> {
    let expected = "expected a number from 1 on, or a percentage such as `1%`";
    let text = match (given.number, given.text) {
        (Some(number), _) => number.to_string(),
        (None, Some(text)) => text.to_owned(),
        (None, None) => return Err(Refused::Type("a number or a percentage")),
    };
    text.parse().map_err(|()| Refused::Value(expected))
}

/// Parses a part of the day.
pub(super) fn window(given: &Given<'_>) -> Result<Window, Refused> {
    let parsed = text(given)?.parse();
    parsed.map_err(|()| Refused::Value("expected two times of the day, such as `02:00-04:00`"))
}

/// Parses `skip` or `require`.
pub(super) fn exists(given: &Given<'_>) -> Result<Exists, Refused> {
    match text(given)? {
        "skip" => Ok(Exists::Skip),
        "require" => Ok(Exists::Require),
        _ => Err(Refused::Value("expected `skip` or `require`")),
    }
}

/// Parses a number of connections.
pub(super) fn jobs(given: &Given<'_>) -> Result<u32, Refused> {
    match super::value::number(given) {
        Ok(number @ 1..=1000) => Ok(number),
        Ok(_) | Err(Refused::Value(_)) => Err(Refused::Value("expected a number from 1 to 1000")),
        refused => refused,
    }
}

/// The journal of an environment if none is named: in a directory beside the configuration that git
/// ignores.
pub(super) fn default_journal(root: &Path, environment: &str) -> PathBuf {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut name = String::new();
    for c in environment.chars() {
        match plain(c) {
            true => name.push(c),
            false => name.push_str(&format!("%{:x}", u32::from(c))),
        }
    }
    root.join(JOURNALS).join(format!("fleet-{name}.ndjson"))
}

/// The directory of journals.
pub const JOURNALS: &str = ".migrator";
