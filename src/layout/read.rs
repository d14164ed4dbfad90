use std::sync::Arc;

use super::{
    Holds, Layout, LayoutProblem, ScriptFile,
    cut::{Cut, Mode, Section},
};
use crate::{
    revision::{Direction, Problem, ProblemKind, Repeatable, RepeatableId, Script},
    sql::Dialect,
};

/// A problem of a file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Byte offset in the text; `None` for the whole file.
    pub offset: Option<usize>,
    /// Whether the problem is in the settings file.
    pub in_settings: bool,
    /// The kind of problem.
    pub kind: FaultKind,
}

/// The kind of problem of another tool's file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The file violates the rules of its tool.
    Layout(LayoutProblem),
    /// The file violates the rules of scripts.
    Script(ProblemKind),
}

impl Fault {
    /// Creates a problem at a place in the text.
    pub(super) fn at(offset: usize, problem: LayoutProblem) -> Self {
        Self {
            offset: Some(offset),
            in_settings: false,
            kind: FaultKind::Layout(problem),
        }
    }

    /// Creates a problem of the whole file.
    pub(super) fn of_file(problem: LayoutProblem) -> Self {
        Self {
            offset: None,
            in_settings: false,
            kind: FaultKind::Layout(problem),
        }
    }
}

/// Reads the scripts in the text of a file, displayed as `shown`. `settings` is the text of its
/// settings file.
///
/// # Errors
/// Returns every problem of the texts.
pub fn read(
    layout: Layout,
    dialect: Dialect,
    file: &ScriptFile,
    shown: &str,
    text: &Arc<str>,
    settings: Option<&str>,
) -> Result<Vec<Script>, Vec<Fault>> {
    let Cut { up, down } = cut(layout, file, text, settings)?;
    let mut scripts = Vec::new();
    let mut faults = Vec::new();
    for (direction, section) in [(Direction::Up, up), (Direction::Down, down)] {
        let Some(mut section) = section else { continue };
        section.end_blocks(dialect, text);
        match script(dialect, direction, shown, text, &section) {
            Ok(script) => scripts.push(match (&file.parents, direction) {
                (Some(parents), Direction::Up) => script.after(parents),
                _ => script,
            }),
            Err(wrong) => faults.extend(wrong),
        }
    }
    if faults.is_empty() {
        Ok(scripts)
    } else {
        Err(faults)
    }
}

fn cut(
    layout: Layout,
    file: &ScriptFile,
    text: &str,
    settings: Option<&str>,
) -> Result<Cut, Vec<Fault>> {
    let Some(tool) = layout.tool() else {
        return Ok(Cut::default());
    };
    let Holds::One(direction) = file.holds else {
        return (tool.cut)(text);
    };
    let mut section = (tool.whole)(text, settings)?;
    if file.autocommit {
        section.mode = Mode::Off;
    }
    let section = Some(section);
    Ok(match direction {
        Direction::Up => Cut {
            up: section,
            down: None,
        },
        Direction::Down => Cut {
            up: None,
            down: section,
        },
    })
}

fn script(
    dialect: Dialect,
    direction: Direction,
    shown: &str,
    text: &Arc<str>,
    section: &Section,
) -> Result<Script, Vec<Fault>> {
    let off = section.is_off(dialect, text);
    let script = if section.is_whole(text) && !off && !section.dollar {
        Script::parse(dialect, direction, shown, Arc::clone(text))
    } else {
        let alone = section.alone(text, off);
        Script::part(dialect, direction, shown, section.aligned(text), alone)
    };
    let mut script = script.map_err(faults)?;
    // Other tools do not treat the first comment as the message; they display the file name.
    Arc::make_mut(&mut script.headers).message = None;
    Ok(script)
}

/// Reads the repeatable script in the text of a file, displayed as `shown`.
///
/// # Errors
/// Returns every problem of the text.
pub fn read_repeatable(
    layout: Layout,
    dialect: Dialect,
    id: &RepeatableId,
    shown: &str,
    text: &Arc<str>,
) -> Result<Repeatable, Vec<Fault>> {
    let section = match layout.tool() {
        Some(tool) => (tool.whole)(text, None)?,
        None => Section::whole(text, Mode::On),
    };
    let text = Arc::clone(text);
    if section.dollar {
        let alone = section.alone(&text, false);
        Repeatable::part(dialect, id.clone(), shown, text, alone)
    } else {
        Repeatable::parse(dialect, id.clone(), shown, text)
    }
    .map_err(faults)
}

fn faults(problems: Vec<Problem>) -> Vec<Fault> {
    let fault = |problem: Problem| Fault {
        offset: problem.place.offset,
        in_settings: false,
        kind: FaultKind::Script(problem.kind),
    };
    problems.into_iter().map(fault).collect()
}
