//! Loads the configuration and determines the source of each setting.

use std::path::{Path, PathBuf};

use super::{
    config::{Config, Misspelt, ProtectedUrl, ScratchUrl, Sources, Url},
    document::{self, Document},
    dotenv,
    fleet::{self, FleetConfig, FleetKeys, FleetSource},
    keys::{CHOOSING, KEYS, Key, PROTECTED, Section, URL},
    layer::{Entry, Layer, Value},
    problem::{ConfigProblem, ConfigProblemKind as Kind, Origin},
    show,
    text::decode,
    trust::{Refused, Trust},
    variables::Variables,
};
use crate::{
    arrange::Arrange as _,
    files,
    fleet::{TARGET, Template},
    nearest::misspelt,
    sql::Vars,
};

/// The file name to search for, from the working directory upwards.
const FILE_NAME: &str = "migrator.toml";

/// The variable with the URL of the scratch database, for programs that `migrator scratch` runs.
pub const SCRATCH_DATABASE: &str = "MIGRATOR_SCRATCH_DATABASE";

/// Reads the configuration.
///
/// A setting is taken from the first source that has it: flags, the selected environment section,
/// variables of the process, `.env` beside the file, the rest of the file, defaults. The URL is an
/// exception for safety: if an environment is selected, it comes from a flag or from that section
/// alone.
///
/// # Errors
/// Returns every problem of every source, except those of the URL (see [`Config::url`]).
pub fn load(sources: &Sources) -> Result<Config, Vec<ConfigProblem>> {
    let trust = Trust::new(&sources.cwd, &sources.process_env);
    let found = find_file(sources)?;
    let is_named = matches!(found, Some(Found::Named(_)));
    let file = found.map(|found| match found {
        Found::Named(file) | Found::Upwards(file) => file,
    });
    let root = match &file {
        Some(file) => file.parent().unwrap_or(&sources.cwd).to_owned(),
        None => sources.cwd.clone(),
    };
    let mut problems = Vec::new();
    let document = match &file {
        Some(file) => {
            let bytes = if is_named {
                files::read(file).map_err(Refused::Io)
            } else {
                trust.read(file)
            };
            read_document(bytes, file, &root, &sources.cwd, &mut problems)
        }
        None => Document {
            complete: true,
            ..Document::default()
        },
    };
    let env_file = root.join(".env");
    // `.env` is never named explicitly. The owner of the configuration is trusted for it.
    let trust = match &file {
        Some(file) => trust.and_owner_of(file),
        None => trust,
    };
    let shown = show(&sources.cwd, &env_file);
    let dotenv = dotenv::read(&env_file, &shown, &trust, &mut problems);
    let variables = Variables {
        process: &sources.process_env,
        dotenv: &dotenv,
    };
    let mut config = Config::new(&sources.cwd, &root);
    let mut loader = Loader {
        sources,
        root: &root,
        document: &document,
        variables,
        problems,
    };
    let chosen = loader.choose_environment();
    loader.fill(&mut config, chosen.as_deref());
    if !loader.problems.is_empty() {
        loader.problems.arrange_by(|a, b| a.origin.cmp(&b.origin));
        return Err(loader.problems);
    }
    config.url = loader.url(chosen.as_deref(), file.as_deref());
    config.passed_over = loader.passed_over(&config);
    config.protected_urls = loader.protected_urls();
    config.vars = loader.vars(chosen.as_deref())?;
    config.session = loader.settings(chosen.as_deref())?;
    config.fleet = loader.fleet(&config, chosen.as_deref())?;
    config.misspelt = loader.misspelt();
    config.environments = document.environments.keys().cloned().collect();
    config.file = file;
    config.environment = chosen;
    Ok(config)
}

/// Returns the source of a fleet's targets, with the place of its key.
fn fleet_source(
    given: &FleetKeys,
    url: Option<&ScratchUrl>,
    first: &Origin,
    place: &dyn Fn(&str) -> Origin,
) -> Result<(Origin, FleetSource), Vec<ConfigProblem>> {
    let found = given.sources();
    let [key] = found.as_slice() else {
        let origin = found.last().map_or(first.clone(), |key| place(key));
        let kind = Kind::FleetSources { found };
        return Err(vec![ConfigProblem { origin, kind }]);
    };
    let misfits = given.misfits(url.is_some()).into_iter();
    let problems: Vec<_> = misfits
        .map(|it| ConfigProblem {
            origin: place(it.key),
            kind: Kind::FleetMisfit {
                key: it.key,
                reason: it.reason,
            },
        })
        .collect();
    match given.source(url).filter(|_| problems.is_empty()) {
        Some(source) => Ok((place(key), source)),
        None => Err(problems),
    }
}

/// A configuration file and how it was found.
enum Found {
    Named(PathBuf),
    Upwards(PathBuf),
}

/// Finds the file to read: `--config`, MIGRATOR_CONFIG, or the nearest one upwards.
fn find_file(sources: &Sources) -> Result<Option<Found>, Vec<ConfigProblem>> {
    let no_dotenv = Variables {
        process: &sources.process_env,
        dotenv: &[],
    };
    let named = match &sources.flags.config {
        Some(path) => Some(path.clone()),
        None => no_dotenv
            .of_process("MIGRATOR_CONFIG")
            .map_err(|kind| variable_problem("MIGRATOR_CONFIG", kind))?
            .filter(|(path, _)| !path.is_empty())
            .map(|(path, _)| path.into()),
    };
    if let Some(path) = named {
        let path: PathBuf = sources.cwd.join(path).components().collect();
        return match path.metadata() {
            Ok(_) => Ok(Some(Found::Named(path))),
            Err(_) => Err(file_problem(&path, sources, Kind::MissingFile)),
        };
    }
    for directory in sources.cwd.ancestors() {
        let path = directory.join(FILE_NAME);
        // A dangling link is intended as a file, so reading it must fail.
        match path.symlink_metadata() {
            Ok(found) if !found.is_dir() => return Ok(Some(Found::Upwards(path))),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let reason = error.to_string();
                return Err(file_problem(&path, sources, Kind::Unreadable { reason }));
            }
        }
    }
    Ok(None)
}

fn read_document(
    bytes: Result<Vec<u8>, Refused>,
    file: &Path,
    root: &Path,
    cwd: &Path,
    problems: &mut Vec<ConfigProblem>,
) -> Document {
    let shown = show(cwd, file);
    let mut problem = |position, kind| {
        let origin = Origin::File {
            file: shown.clone(),
            position,
        };
        problems.push(ConfigProblem { origin, kind });
    };
    match bytes {
        Err(Refused::Io(error)) => {
            let reason = error.to_string();
            problem(None, Kind::Unreadable { reason });
        }
        Err(Refused::Distrust(distrust)) => problem(None, Kind::Distrusted(distrust)),
        Ok(bytes) => match decode(bytes) {
            Err(fault) => problem(Some(fault.position), Kind::Text(fault.problem)),
            Ok(text) => return document::parse(&text, &shown, root, problems),
        },
    }
    Document::default()
}

struct Loader<'a> {
    sources: &'a Sources,
    root: &'a Path,
    document: &'a Document,
    variables: Variables<'a>,
    problems: Vec<ConfigProblem>,
}

impl Loader<'_> {
    /// Returns the environment selected by `-n` or MIGRATOR_ENV, if it exists.
    fn choose_environment(&mut self) -> Option<String> {
        let (name, origin) = match &self.sources.flags.environment {
            Some(name) => (name.clone(), Origin::Flag { name: "--env" }),
            None => match self.first_variable(&["MIGRATOR_ENV"]) {
                Ok(Some(Entry {
                    origin,
                    value: Value::Plain(name),
                    ..
                })) => (name, origin),
                Ok(_) => return None,
                Err(problems) => {
                    self.problems.extend(problems);
                    return None;
                }
            },
        };
        if self.document.environments.contains_key(&name) {
            return Some(name);
        }
        if !self.document.complete {
            return None;
        }
        let known: Vec<String> = self.document.environments.keys().cloned().collect();
        let kind = Kind::UnknownEnvironment {
            nearest: misspelt(&name, known.iter().map(String::as_str)).map(str::to_owned),
            name,
            known,
        };
        self.problems.push(ConfigProblem { origin, kind });
        None
    }

    /// Sets every key but the URL, each from the first source that has it.
    fn fill(&mut self, config: &mut Config, chosen: Option<&str>) {
        for key in KEYS.iter().filter(|key| !key.is(URL)) {
            let entry = match self.section(chosen).and_then(|layer| layer.get(key)) {
                Some(entry) => Ok(Some(entry.clone())),
                None => self
                    .key_variable(key)
                    .map(|entry| entry.or_else(|| self.document.base.get(key).cloned())),
            };
            let applied = entry.and_then(|entry| {
                let Some(entry) = entry else { return Ok(()) };
                let text = entry.text(|name| match key.takes_target() && name == TARGET {
                    true => Ok(Template::MARK.to_owned()),
                    false => self.variables.value(name),
                })?;
                entry.apply(key, text.as_deref(), config)
            });
            self.problems.extend(applied.err().into_iter().flatten());
        }
    }

    fn url(&self, chosen: Option<&str>, file: Option<&Path>) -> Result<Url, Vec<ConfigProblem>> {
        if let Some(url) = &self.sources.flags.url {
            return self.resolve(&Entry {
                origin: Origin::Flag { name: "--url" },
                value: Value::Plain(url.clone()),
                base: self.sources.cwd.clone(),
            });
        }
        if let Some(entry) = self.scratch_database()? {
            return self.resolve(&entry);
        }
        if let Some(name) = chosen {
            let environment = &self.document.environments[name];
            return match environment.layer.get(URL) {
                Some(entry) => self.resolve(entry),
                None => Err(vec![ConfigProblem {
                    origin: environment.origin.clone(),
                    kind: Kind::EnvironmentWithoutUrl {
                        name: name.to_owned(),
                    },
                }]),
            };
        }
        let variable = self.key_variable(URL)?;
        match variable.as_ref().or_else(|| self.document.base.get(URL)) {
            Some(entry) => self.resolve(entry),
            None => Err(match file {
                Some(file) => file_problem(file, self.sources, Kind::NoUrl),
                None => vec![ConfigProblem {
                    origin: Origin::Flag { name: "--url" },
                    kind: Kind::NoUrl,
                }],
            }),
        }
    }

    /// Returns the URL of the scratch database that this process was started for. It takes precedence
    /// over an environment, which leads to a real one.
    fn scratch_database(&self) -> Result<Option<Entry>, Vec<ConfigProblem>> {
        let found = self.variables.of_process(SCRATCH_DATABASE);
        let found = found.map_err(|kind| variable_problem(SCRATCH_DATABASE, kind))?;
        let found = found.filter(|(value, _)| !value.is_empty());
        Ok(found.map(|(value, origin)| Entry {
            origin,
            value: Value::Plain(value),
            base: self.sources.cwd.clone(),
        }))
    }

    /// Returns the URL of the file, if another source that is not a flag overrides it.
    fn passed_over(&self, config: &Config) -> Option<Origin> {
        let entry = self.document.base.get(URL)?;
        match &config.url.as_ref().ok()?.origin {
            Origin::Variable { .. } => Some(entry.origin.clone()),
            Origin::File { .. } | Origin::Flag { .. } => None,
        }
    }

    /// Returns the values of placeholders. A variable that is not set is only an error if the value
    /// is used.
    fn vars(&self, chosen: Option<&str>) -> Result<Vars, Vec<ConfigProblem>> {
        let environment = chosen.and_then(|name| self.document.environments.get(name));
        let sections = environment.map(|environment| &environment.vars);
        let mut vars = Vars::default();
        for (name, entry) in std::iter::once(&self.document.vars)
            .chain(sections)
            .flatten()
        {
            let mut unset = None;
            let text = entry.words(|variable| match self.variables.value(variable) {
                Err(Kind::UndefinedVariable { name, .. }) => {
                    unset = Some(name);
                    Ok(String::new())
                }
                value => value,
            })?;
            match (unset, text) {
                (Some(variable), _) => vars.set_missing(name, variable),
                (None, text) => vars.set(name, text.unwrap_or_default()),
            }
        }
        for (name, value) in &self.sources.flags.vars {
            vars.set(name, value);
        }
        Ok(vars)
    }

    /// Returns the settings of the server: those of the environment take precedence over the
    /// file's.
    fn settings(&self, chosen: Option<&str>) -> Result<Vec<(String, String)>, Vec<ConfigProblem>> {
        let environment = chosen.and_then(|name| self.document.environments.get(name));
        let mut entries = self.document.settings.clone();
        let own = environment.map(|environment| environment.settings.clone());
        entries.extend(own.unwrap_or_default());
        let mut settings = Vec::new();
        for (name, entry) in entries {
            let value = entry.words(|variable| self.variables.value(variable))?;
            settings.push((name, value.unwrap_or_default()));
        }
        Ok(settings)
    }

    /// Returns the fleet of the selected environment, if it has a key of one.
    fn fleet(
        &self,
        config: &Config,
        chosen: Option<&str>,
    ) -> Result<Option<FleetConfig>, Vec<ConfigProblem>> {
        let (Some(name), Some(layer)) = (chosen, self.section(chosen)) else {
            return Ok(None);
        };
        let keys = KEYS.iter().filter(|key| key.section == Section::Fleet);
        let Some(first) = keys.filter_map(|key| layer.get(key)).next() else {
            return Ok(None);
        };
        let place = |key: &str| {
            let entry = Key::find(Section::Fleet, key).and_then(|key| layer.get(key));
            entry.unwrap_or(first).origin.clone()
        };
        let own = layer
            .get(URL)
            .map(|entry| self.resolve(entry))
            .transpose()?;
        let url = own.map(|url| ScratchUrl {
            text: url.text,
            base: url.base,
        });
        let given = &config.fleet_keys;
        let (origin, source) = fleet_source(given, url.as_ref(), &first.origin, &place)?;
        let inherited = || Template::of(&url.as_ref()?.text);
        let journal = given.journal.clone();
        Ok(Some(FleetConfig {
            environment: name.to_owned(),
            source,
            origin,
            url: given.url.clone().or_else(inherited),
            base: self.root.to_owned(),
            schema: given.schema.clone(),
            jobs: given.jobs as usize,
            jobs_per_server: given.jobs_per_server as usize,
            order: given.order(),
            max_failures: given.max_failures,
            deadline: given.deadline,
            exists: given.exists,
            server_wait: given.server_wait,
            journal: journal.unwrap_or_else(|| fleet::default_journal(self.root, name)),
        }))
    }

    fn resolve(&self, entry: &Entry) -> Result<Url, Vec<ConfigProblem>> {
        let text = entry.text(|name| self.variables.value(name))?;
        let mut scratch = Config::new(self.root, self.root);
        entry.apply(URL, text.as_deref(), &mut scratch)?;
        Ok(Url {
            text: text.unwrap_or_default().trim().to_owned(),
            base: entry.base.clone(),
            origin: entry.origin.clone(),
        })
    }

    fn protected_urls(&self) -> Vec<ProtectedUrl> {
        let base = (None, &self.document.base);
        let environments = &self.document.environments;
        let environments = environments
            .iter()
            .map(|(name, environment)| (Some(name.clone()), &environment.layer));
        std::iter::once(base)
            .chain(environments)
            .filter(|(_, layer)| self.is_protected(layer))
            .filter_map(|(environment, layer)| {
                let url = self.resolve(layer.get(URL)?).ok()?;
                Some(ProtectedUrl { environment, url })
            })
            .collect()
    }

    /// Returns `protected` of a section, or else of `[migrator]`.
    fn is_protected(&self, layer: &Layer) -> bool {
        let base = &self.document.base;
        let entry = layer.get(PROTECTED).or_else(|| base.get(PROTECTED));
        matches!(
            entry,
            Some(Entry {
                value: Value::Flag(true),
                ..
            })
        )
    }

    fn section(&self, chosen: Option<&str>) -> Option<&Layer> {
        let environment = self.document.environments.get(chosen?)?;
        Some(&environment.layer)
    }

    /// Returns the variable for a key: from the process, else from `.env`.
    fn key_variable(&self, key: &Key) -> Result<Option<Entry>, Vec<ConfigProblem>> {
        let Some(name) = key.variable else {
            return Ok(None);
        };
        let name = format!("MIGRATOR_{name}");
        let names: &[&str] = if key.is(URL) {
            &[&name, "DATABASE_URL"]
        } else {
            &[&name]
        };
        self.first_variable(names)
    }

    /// Returns the first of `names` that is set in the process, else in `.env`. An empty variable
    /// counts as unset, because shells and CI systems use it that way.
    fn first_variable(&self, names: &[&str]) -> Result<Option<Entry>, Vec<ConfigProblem>> {
        for name in names {
            let found = self.variables.of_process(name);
            let found = found.map_err(|kind| variable_problem(name, kind))?;
            if let Some((value, origin)) = found.filter(|(value, _)| !value.is_empty()) {
                let base = self.sources.cwd.clone();
                let value = Value::Plain(value);
                return Ok(Some(Entry {
                    origin,
                    value,
                    base,
                }));
            }
        }
        let dotenv = names.iter().find_map(|name| {
            let variable = self.variables.of_dotenv(name)?;
            (!variable.value.is_empty()).then_some(variable)
        });
        Ok(dotenv.map(|variable| Entry {
            origin: variable.origin.clone(),
            value: Value::Plain(variable.value.clone()),
            base: self.root.to_owned(),
        }))
    }

    fn misspelt(&self) -> Vec<Misspelt> {
        let known: Vec<String> = KEYS
            .iter()
            .filter_map(|key| key.variable)
            .chain(CHOOSING.iter().copied())
            .map(str::to_lowercase)
            .collect();
        let mut found: Vec<Misspelt> = self
            .variables
            .names()
            .filter_map(|name| {
                let own = name.strip_prefix("MIGRATOR_")?.to_lowercase();
                if known.contains(&own) {
                    return None;
                }
                let nearest = misspelt(&own, known.iter().map(String::as_str))?;
                Some(Misspelt {
                    name: name.to_owned(),
                    nearest: format!("MIGRATOR_{}", nearest.to_uppercase()),
                })
            })
            .collect();
        found.dedup();
        found
    }
}

fn variable_problem(name: &str, kind: Kind) -> Vec<ConfigProblem> {
    let name = name.to_owned();
    let origin = Origin::Variable { name };
    vec![ConfigProblem { origin, kind }]
}

fn file_problem(path: &Path, sources: &Sources, kind: Kind) -> Vec<ConfigProblem> {
    let file = show(&sources.cwd, path);
    let origin = Origin::File {
        file,
        position: None,
    };
    vec![ConfigProblem { origin, kind }]
}
