//! Reads scripts by name and content, whatever their origin: checks and the pairing of up and down
//! scripts are the same for directories and for compiled-in scripts.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsStr,
    sync::Arc,
};

use super::{
    directory_problem::{DirectoryProblem, Kind, Problems, problem, script_problem, sorted},
    reading::Reading,
    script_name::{FileName, ScriptName, classify},
    text::{check_line_ends, decode},
};
use crate::{
    arrange::Arrange as _,
    layout::{self, LayoutProblem},
    revision::{
        Direction, History, Place, Problem, ProblemKind, Repeatable, RepeatableId, RevisionId,
        Script, ScriptPair,
    },
    sql::Dialect,
};

/// What a file contains, even if it has problems, so that an existing script is not reported as
/// missing.
pub(super) type Look = (Option<Found>, Vec<DirectoryProblem>);

/// Computes the checksum of a script, if requested.
pub(super) fn take_checksum(found: Option<&Found>, reading: &Reading) {
    if let Some(Found::Script(found)) = found
        && let Some(script) = &found.script
        && reading.checksums
    {
        script.checksum(reading.dialect);
    }
}

/// Reads the file with that name, displayed as `file`, if it is a script.
pub(super) fn look(
    os_name: &OsStr,
    file: String,
    reading: &Reading,
    content: impl FnOnce() -> Result<Vec<u8>, Kind>,
) -> Look {
    let dialect = reading.dialect;
    let wrong = |kind| (None, vec![problem(file.clone(), kind)]);
    let name = match classify(&os_name.to_string_lossy()) {
        FileName::Other => {
            return match layout::program(&os_name.to_string_lossy()) {
                Some(language) => wrong(Kind::Layout(LayoutProblem::NotSql { language })),
                None => (None, Vec::new()),
            };
        }
        _ if os_name.to_str().is_none() => return wrong(Kind::NameNotUnicode),
        FileName::Repeatable(_) if !reading.ups => return (None, Vec::new()),
        FileName::Repeatable(id) => {
            return match read_repeatable(content, &file, id, dialect) {
                Ok(repeatable) => (Some(Found::Repeatable(repeatable)), Vec::new()),
                Err(problems) => (None, problems),
            };
        }
        FileName::Misnamed(nearest) => {
            let layout = layout::layout_of(&os_name.to_string_lossy(), dialect);
            return wrong(Kind::Misnamed { nearest, layout });
        }
        FileName::Script(name) => name,
    };
    if !reading.reads(name.direction) {
        let script = None;
        return (Some(Found::script(name, file, script)), Vec::new());
    }
    let (script, problems) = match read_script(content, &file, name.direction, dialect) {
        Ok(script) => (Some(script), Vec::new()),
        Err(problems) => (None, problems),
    };
    (Some(Found::script(name, file, script)), problems)
}

fn read_repeatable(
    content: impl FnOnce() -> Result<Vec<u8>, Kind>,
    file: &str,
    id: RepeatableId,
    dialect: Dialect,
) -> Result<Repeatable, Vec<DirectoryProblem>> {
    let text = read_text(content, file)?;
    Repeatable::parse(dialect, id, file, text.clone()).map_err(|found| placed(found, &text))
}

fn read_script(
    content: impl FnOnce() -> Result<Vec<u8>, Kind>,
    file: &str,
    direction: Direction,
    dialect: Dialect,
) -> Result<Script, Problems> {
    let text = read_text(content, file)?;
    Script::parse(dialect, direction, file, text.clone()).map_err(|found| placed(found, &text))
}

/// Reads the text of a file.
pub(super) fn read_text(
    content: impl FnOnce() -> Result<Vec<u8>, Kind>,
    file: &str,
) -> Result<Arc<str>, Problems> {
    let bytes = content().map_err(|kind| vec![problem(file.to_owned(), kind)])?;
    let text = decode(bytes)
        .and_then(|text| check_line_ends(&text).map(|()| text))
        .map_err(|fault| {
            vec![DirectoryProblem {
                place: Place {
                    file: file.to_owned(),
                    offset: Some(fault.offset),
                },
                position: Some(fault.position),
                text: None,
                kind: Kind::Text(fault.problem),
            }]
        })?;
    Ok(text.into())
}

fn placed(problems: Vec<Problem>, text: &Arc<str>) -> Vec<DirectoryProblem> {
    let place = |problem| script_problem(problem, Some(text.clone()));
    problems.into_iter().map(place).collect()
}

/// All scripts of one source.
pub(super) struct Scan {
    /// The scripts that could be read.
    pub pairs: Vec<ScriptPair>,
    pub repeatables: Vec<Repeatable>,
    pub problems: Vec<DirectoryProblem>,
    /// The IDs of all file names.
    ids: HashSet<RevisionId>,
}

/// The content of a file.
pub(super) enum Found {
    Script(FoundScript),
    Repeatable(Repeatable),
}

impl Found {
    pub fn script(name: ScriptName, file: String, script: Option<Script>) -> Self {
        Self::Script(FoundScript { name, file, script })
    }
}

/// A script file; without a script if it could not be read or was not requested.
pub(super) struct FoundScript {
    pub name: ScriptName,
    pub file: String,
    pub script: Option<Script>,
}

impl Scan {
    /// Collects the scripts of these files.
    pub fn of(looks: impl IntoIterator<Item = Look>) -> Self {
        let (mut found, mut repeatables, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for (file, wrong) in looks {
            match file {
                Some(Found::Script(script)) => found.push(script),
                Some(Found::Repeatable(repeatable)) => repeatables.push(repeatable),
                None => {}
            }
            problems.extend(wrong);
        }
        let ids = found.iter().map(|found| found.name.id.clone()).collect();
        let pairs = pair_up(found, &mut problems);
        Self {
            pairs,
            repeatables,
            problems,
            ids,
        }
    }

    /// Builds the history. If some files cannot be read, the history of the others is still
    /// checked, and its certain problems are reported too.
    pub fn history(self) -> Result<History, Vec<DirectoryProblem>> {
        let Self {
            pairs,
            repeatables,
            mut problems,
            ids,
        } = self;
        let complete = problems.is_empty();
        // Problems of a history are problems of up scripts.
        let texts = texts(pairs.iter().map(|pair| &pair.up));
        let history = History::new(pairs);
        match history.and_then(|history| history.with_repeatables(repeatables)) {
            Ok(history) if complete => return Ok(history),
            Ok(_) => {}
            Err(found) => {
                let certain = found
                    .into_iter()
                    .filter(|problem| complete || is_certain(&problem.kind, &ids));
                let texts: HashMap<_, _> = texts.into_iter().collect();
                let placed = certain.map(|problem| {
                    let text = texts.get(&problem.place.file).cloned();
                    script_problem(problem, text)
                });
                problems.extend(placed);
            }
        }
        Err(sorted(problems))
    }
}

/// Adds the down scripts of these files to a history that was read without them.
pub(super) fn add_downs(
    history: History,
    looks: Vec<Look>,
) -> Result<History, Vec<DirectoryProblem>> {
    let (mut downs, mut problems) = (Vec::new(), Vec::new());
    for (found, wrong) in looks {
        problems.extend(wrong);
        if let Some(Found::Script(found)) = found
            && found.name.direction == Direction::Down
        {
            let FoundScript { name, script, .. } = found;
            downs.extend(script.map(|script| (name.id, script)));
        }
    }
    if !problems.is_empty() {
        return Err(sorted(problems));
    }
    let one_way = |up: &&Script| up.headers.irreversible.is_some();
    let ups = history.by_id().map(|revision| &revision.up).filter(one_way);
    let texts = texts(ups);
    history.with_downs(downs).map_err(|found| {
        let texts: HashMap<_, _> = texts.into_iter().collect();
        let place = |problem: Problem| {
            let text = texts.get(&problem.place.file).cloned();
            script_problem(problem, text)
        };
        sorted(found.into_iter().map(place).collect())
    })
}

/// Returns the files of scripts with their texts. A map would cost as much as the history itself,
/// and only a problem needs one.
fn texts<'a>(scripts: impl Iterator<Item = &'a Script>) -> Vec<(String, Arc<str>)> {
    scripts
        .map(|script| (script.file.clone(), script.text.clone()))
        .collect()
}

/// Returns whether a problem of an incomplete history is also one of the complete history.
fn is_certain(kind: &ProblemKind, ids: &HashSet<RevisionId>) -> bool {
    match kind {
        ProblemKind::MissingParent { id, .. } => !ids.contains(id),
        ProblemKind::Cycle { .. } => false,
        _ => true,
    }
}

/// Pairs up and down scripts by ID and slug, so that the history can report two revisions with the
/// same ID.
fn pair_up(mut found: Vec<FoundScript>, problems: &mut Vec<DirectoryProblem>) -> Vec<ScriptPair> {
    // The files are nearly in this order already. The sort is stable, so the first of several equal
    // names stays first.
    found.arrange_by(|a, b| key(a).cmp(&key(b)));
    let mut groups: Vec<Group> = Vec::with_capacity(found.len() / 2 + 1);
    for found in found {
        if groups
            .last()
            .is_none_or(|group| group.key() != Some(key(&found)))
        {
            groups.push(Group::default());
        }
        let Some(group) = groups.last_mut() else {
            continue;
        };
        let side = match found.name.direction {
            Direction::Up => &mut group.up,
            Direction::Down => &mut group.down,
        };
        match side {
            None => *side = Some(found),
            Some(first) => problems.push(problem(
                found.file,
                Kind::Script(ProblemKind::DuplicateScript {
                    id: found.name.id,
                    direction: found.name.direction,
                    other: first.file.clone(),
                }),
            )),
        }
    }
    let orphans = groups.iter().filter(|group| group.up.is_none());
    let orphans = orphans.filter_map(|group| group.down.as_ref());
    problems.extend(orphans.map(|down| orphan(down, &groups)));
    let pair = |group: Group| {
        // The pair is incomplete without its down script, but the history needs its up script.
        let down = group.down.and_then(|down| down.script);
        let up = group.up?;
        Some(ScriptPair {
            id: up.name.id,
            slug: up.name.slug,
            up: up.script?,
            down,
        })
    };
    groups.into_iter().filter_map(pair).collect()
}

/// Returns the key that both directions of a revision share.
fn key(found: &FoundScript) -> (&RevisionId, &str) {
    (&found.name.id, &found.name.slug)
}

#[derive(Default)]
struct Group {
    up: Option<FoundScript>,
    down: Option<FoundScript>,
}

impl Group {
    /// Returns the key of its scripts; there is at least one.
    fn key(&self) -> Option<(&RevisionId, &str)> {
        self.up.as_ref().or(self.down.as_ref()).map(key)
    }
}

/// Reports a down script without a matching up script.
fn orphan(down: &FoundScript, groups: &[Group]) -> DirectoryProblem {
    let ScriptName { id, slug, .. } = down.name.clone();
    let before = |group: &Group| group.key().is_some_and(|(other, _)| *other < id);
    let same = |group: &&Group| group.key().is_some_and(|(other, _)| *other == id);
    let of_its_id = groups[groups.partition_point(before)..].iter();
    let mut ups = of_its_id
        .take_while(same)
        .filter_map(|group| group.up.as_ref());
    let kind = match ups.next() {
        Some(up) => ProblemKind::SlugMismatch {
            id,
            slug,
            other: up.name.slug.clone(),
        },
        None => ProblemKind::MissingUp { id },
    };
    problem(down.file.clone(), Kind::Script(kind))
}
