//! Where a target is: its database, and the settings of its sessions.

use super::{super::Error, FleetError, TargetProblem, TargetProblemKind as Kind, discover::Found};
use crate::{
    database::{Location, Settings},
    fleet::{SCHEMA_BYTES, Target, file_name_fault, name_fault},
    project::FleetConfig,
    sql::in_quotes,
};

/// The setting for names without a schema.
const SEARCH_PATH: &str = "search_path";

/// Where a target is.
#[derive(Clone)]
pub(super) struct Place {
    pub location: Location,
    pub settings: Settings,
    pub schema: Option<String>,
}

/// Finds the places of targets.
pub(super) struct Places<'a> {
    config: &'a FleetConfig,
    settings: &'a Settings,
    /// The database of all targets that have no URL of their own, if it is one.
    shared: Option<Location>,
}

impl<'a> Places<'a> {
    /// Prepares for the targets of a fleet.
    ///
    /// # Errors
    /// Fails when the URL of all targets is invalid.
    pub fn new(config: &'a FleetConfig, settings: &'a Settings) -> Result<Self, Error> {
        let url = config.url.as_ref().filter(|url| !url.has_target());
        let shared = url
            .map(|url| Location::parse(&url.url(""), &config.base))
            .transpose()?;
        Ok(Self {
            config,
            settings,
            shared,
        })
    }

    /// The place of a target.
    ///
    /// # Errors
    /// Fails when the target does not lead to one database or schema of its own.
    pub fn of(&self, target: &Target) -> Result<Place, Kind> {
        let location = self.location(target)?;
        let Some(schema) = self.schema(target)? else {
            return Ok(Place {
                location,
                settings: self.settings.clone(),
                schema: None,
            });
        };
        if location.file().is_some() {
            return Err(Kind::NoSchemas(target.name.to_string()));
        }
        let settings = in_schema(self.settings, &schema);
        let wanted = settings
            .session
            .iter()
            .find(|(name, _)| name == SEARCH_PATH);
        // What a URL asks for comes before what the configuration asks for.
        let adjusted = location.adjust(settings.clone());
        let found = adjusted
            .session
            .iter()
            .find(|(name, _)| name == SEARCH_PATH);
        if wanted != found {
            return Err(Kind::SearchPath(target.name.to_string()));
        }
        Ok(Place {
            location,
            settings,
            schema: Some(schema),
        })
    }

    fn location(&self, target: &Target) -> Result<Location, Kind> {
        let name = || target.name.to_string();
        let invalid = |error| Kind::Url {
            name: name(),
            error,
        };
        let location = match (&target.url, &self.config.url, &self.shared) {
            (Some(url), _, _) => Location::parse(url, &self.config.base).map_err(invalid)?,
            (None, _, Some(shared)) => {
                if target.schema.is_none() && !self.has_own_schema() {
                    return Err(Kind::NotItsOwn(name()));
                }
                shared.clone()
            }
            (None, Some(url), None) => {
                let location = Location::parse(&url.url(&target.name), &self.config.base);
                let location = location.map_err(invalid)?;
                let fault = location.file().and_then(|_| file_name_fault(&target.name));
                if let Some(fault) = fault {
                    return Err(Kind::Name {
                        name: name(),
                        fault,
                    });
                }
                location
            }
            (None, None, None) => return Err(Kind::NoUrl(name())),
        };
        let is_in_memory = location
            .file()
            .is_some_and(|file| file.as_os_str() == ":memory:");
        match is_in_memory {
            true => Err(Kind::InMemory(name())),
            false => Ok(location),
        }
    }

    fn has_own_schema(&self) -> bool {
        self.config
            .schema
            .as_ref()
            .is_some_and(|it| it.has_target())
    }

    fn schema(&self, target: &Target) -> Result<Option<String>, Kind> {
        let schema = match (&target.schema, &self.config.schema) {
            (Some(own), _) => own.to_string(),
            (None, Some(schema)) => schema.filled(&target.name),
            (None, None) => return Ok(None),
        };
        let reason = match name_fault(&schema) {
            Some(fault) => Some(fault.to_string()),
            None if schema.len() > SCHEMA_BYTES => {
                Some(format!("it is longer than {SCHEMA_BYTES} bytes"))
            }
            None => None,
        };
        match reason {
            None => Ok(Some(schema)),
            Some(reason) => Err(Kind::Schema {
                name: target.name.to_string(),
                schema,
                reason,
            }),
        }
    }
}

/// The settings of sessions in a schema: it comes first in the search path, and has the version table.
fn in_schema(settings: &Settings, schema: &str) -> Settings {
    let mut settings = settings.clone();
    let schema = in_quotes(schema);
    settings.version_table = format!("{schema}.{}", settings.version_table);
    let before = settings
        .session
        .iter()
        .position(|(name, _)| name == SEARCH_PATH);
    let rest = before.map(|at| settings.session.remove(at).1);
    let path = match rest.filter(|rest| !rest.trim().is_empty()) {
        Some(rest) => format!("{schema}, {rest}"),
        None => schema,
    };
    settings.session.push((SEARCH_PATH.to_owned(), path));
    settings
}

/// Checks that each target has a place, in databases of one dialect. Returns the first place.
///
/// # Errors
/// [`FleetError::Targets`] with every problem, up to a hundred.
pub(super) fn check(places: &Places<'_>, found: &[Found]) -> Result<Option<Place>, FleetError> {
    let mut first: Option<Place> = None;
    let mut problems = Vec::new();
    for one in found {
        let place = places.of(&one.target).and_then(|place| {
            let expected = first.as_ref().map(|it| it.location.dialect());
            let found = place.location.dialect();
            match expected.filter(|expected| *expected != found) {
                Some(expected) => Err(Kind::OtherDialect {
                    name: one.target.name.to_string(),
                    found,
                    expected,
                }),
                None => Ok(place),
            }
        });
        match place {
            Ok(place) => drop(first.get_or_insert(place)),
            Err(kind) => problems.push(TargetProblem {
                place: one.place.clone(),
                kind,
            }),
        }
        if problems.len() >= 100 {
            break;
        }
    }
    let is_qualified = places.settings.version_table.contains('.');
    match problems.is_empty() {
        false => Err(FleetError::Targets(problems)),
        true if is_qualified && first.as_ref().is_some_and(|it| it.schema.is_some()) => {
            Err(FleetError::QualifiedTable)
        }
        true => Ok(first),
    }
}
