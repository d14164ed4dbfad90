//! Reads files of other tools and converts their scripts.

use std::{collections::HashMap, sync::Arc};

use super::{
    directory_problem::{Kind, Problems, located, problem},
    parallel,
    reading::Reading,
    script_name::{FileName, ScriptName, classify},
    scripts::{Found, Look, read_text, take_checksum},
};
use crate::{
    layout::{self, Fault, FaultKind, FileKind, Holds, Layout, ScriptFile},
    revision::{Direction, RepeatableId, RevisionId, Script},
};

/// The files of a directory, on disk or in memory.
pub(super) trait Files: Sync {
    /// Returns a file's name for display.
    fn shown(&self, name: &str) -> String;

    /// Returns a file's bytes.
    fn content(&self, name: &str) -> Result<Vec<u8>, Kind>;

    /// Returns whether a file with that name exists.
    fn has(&self, name: &str) -> bool;
}

/// Returns whether migrator's own layout reads a file with that name as a script.
pub(super) fn is_native(name: &str) -> bool {
    matches!(classify(name), FileName::Script(_))
}

/// Detects the layout by the names directly in a directory.
pub(super) fn detect(files: &impl Files, names: &[&str]) -> Result<Layout, Kind> {
    let text = |name: &str| String::from_utf8(files.content(name).ok()?).ok();
    let has_scripts = |name: &str| files.has(&format!("{name}/up.sql"));
    layout::detect(names, is_native, text, has_scripts).map_err(|found| Kind::AmbiguousLayout {
        name: found.name,
        layouts: found.layouts,
    })
}

/// Like [`detect`], but for the paths of all files below; only the last component counts.
pub(super) fn detect_below(files: &impl Files, paths: &[&str]) -> Result<Layout, Kind> {
    let base = |path: &'_ str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let names: Vec<String> = paths.iter().map(|path| base(path)).collect();
    let shown: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = |name: &str| {
        let at = names.iter().position(|found| found == name)?;
        String::from_utf8(files.content(paths[at]).ok()?).ok()
    };
    layout::detect(&shown, is_native, text, |_| false).map_err(|found| Kind::AmbiguousLayout {
        name: found.name,
        layouts: found.layouts,
    })
}

/// Reads every file in migrator's own layout; the last component of a path is the name.
pub(super) fn look_natively(reading: &Reading, files: &impl Files, paths: &[String]) -> Vec<Look> {
    parallel::map(paths, |path| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let content = || files.content(path);
        let look = super::scripts::look(name.as_ref(), files.shown(path), reading, content);
        take_checksum(look.0.as_ref(), reading);
        look
    })
}

/// Reads every file of the directory, as classified by `names`.
pub(super) fn look(
    layout: Layout,
    reading: &Reading,
    files: &impl Files,
    names: &[&str],
) -> Vec<Look> {
    let dialect = reading.dialect;
    let kinds = layout::sort_out(layout, dialect, names);
    let sorted: Vec<_> = names.iter().copied().zip(kinds).collect();
    let reader = Reader {
        layout,
        reading,
        files,
    };
    let looks = parallel::map(&sorted, |(name, kind)| {
        let looks = reader.file(name, kind);
        for (found, _) in &looks {
            take_checksum(found.as_ref(), reading);
        }
        looks
    });
    let mut looks: Vec<Look> = looks.into_iter().flatten().collect();
    name_downs_like_ups(&mut looks);
    looks
}

/// Gives down scripts the slug of their up script: other tools match them by ID alone.
fn name_downs_like_ups(looks: &mut [Look]) {
    let of = |look: &'_ Look, direction| {
        let Some(Found::Script(found)) = &look.0 else {
            return None;
        };
        (found.name.direction == direction).then(|| found.name.clone())
    };
    let ups: HashMap<RevisionId, String> = looks
        .iter()
        .filter_map(|look| of(look, Direction::Up))
        .map(|name| (name.id, name.slug))
        .collect();
    for look in looks {
        if let Some(Found::Script(found)) = &mut look.0
            && found.name.direction == Direction::Down
            && let Some(slug) = ups.get(&found.name.id)
        {
            found.name.slug.clone_from(slug);
        }
    }
}

struct Reader<'a, F> {
    layout: Layout,
    reading: &'a Reading,
    files: &'a F,
}

impl<F: Files> Reader<'_, F> {
    fn file(&self, name: &str, kind: &FileKind) -> Vec<Look> {
        match kind {
            FileKind::Other => Vec::new(),
            FileKind::Refused(found) => {
                let kind = Kind::Layout(found.clone());
                vec![(None, vec![problem(self.files.shown(name), kind)])]
            }
            FileKind::Script(script) => self.scripts(name, script),
            FileKind::Repeatable(_) if !self.reading.ups => Vec::new(),
            FileKind::Repeatable(id) => vec![self.repeatable(name, id)],
        }
    }

    /// Returns the scripts of a file. If they cannot be read, records that they exist.
    fn scripts(&self, name: &str, file: &ScriptFile) -> Vec<Look> {
        let shown = self.files.shown(name);
        let found = |direction, script| {
            let name = ScriptName {
                id: file.id.clone(),
                slug: file.slug.clone(),
                direction,
            };
            Found::script(name, shown.clone(), script)
        };
        let direction = match file.holds {
            Holds::One(direction) => direction,
            Holds::Both => Direction::Up,
        };
        if !self.reading.reads(direction) {
            return vec![(Some(found(direction, None)), Vec::new())];
        }
        match self.read(name, &shown, file) {
            Ok(scripts) => scripts
                .into_iter()
                .map(|script| (Some(found(script.direction, Some(script))), Vec::new()))
                .collect(),
            Err(problems) => vec![(Some(found(direction, None)), problems)],
        }
    }

    fn repeatable(&self, name: &str, id: &RepeatableId) -> Look {
        let shown = self.files.shown(name);
        let repeatable = self.text(name, &shown).and_then(|text| {
            let (layout, dialect) = (self.layout, self.reading.dialect);
            layout::read_repeatable(layout, dialect, id, &shown, &text)
                .map_err(|faults| placed(faults, (&shown, &text), None))
        });
        match repeatable {
            Ok(repeatable) => (Some(Found::Repeatable(repeatable)), Vec::new()),
            Err(problems) => (None, problems),
        }
    }

    fn read(&self, name: &str, shown: &str, file: &ScriptFile) -> Result<Vec<Script>, Problems> {
        let text = self.text(name, shown)?;
        let settings = match &file.settings {
            Some(name) => {
                let shown = self.files.shown(name);
                let text = self.text(name, &shown)?;
                Some((shown, text))
            }
            None => None,
        };
        let of_settings = settings.as_ref().map(|(_, text)| &**text);
        let (layout, dialect) = (self.layout, self.reading.dialect);
        let scripts = layout::read(layout, dialect, file, shown, &text, of_settings)
            .map_err(|faults| placed(faults, (shown, &text), settings.as_ref()))?;
        // A script of a file with both directions keeps its offsets; the rest is blanked out.
        let up = scripts
            .iter()
            .find(|script| script.direction == Direction::Up);
        if self.reading.layout.is_none()
            && file.is_up_by_default(name)
            && let Some(fault) = up.and_then(|up| layout::unknown_marker(dialect, &up.text))
        {
            return Err(placed(vec![fault], (shown, &text), None));
        }
        Ok(scripts)
    }

    fn text(&self, name: &str, shown: &str) -> Result<Arc<str>, Problems> {
        read_text(|| self.files.content(name), shown)
    }
}

/// Adds places to problems of a file, or of its settings file.
fn placed(
    faults: Vec<Fault>,
    (shown, text): (&str, &Arc<str>),
    settings: Option<&(String, Arc<str>)>,
) -> Problems {
    let problem = |fault: Fault| {
        let kind = match fault.kind {
            FaultKind::Script(kind) => Kind::Script(kind),
            FaultKind::Layout(kind) => Kind::Layout(kind),
        };
        match settings {
            Some((shown, text)) if fault.in_settings => {
                located(shown.clone(), Some(text), fault.offset, kind)
            }
            _ => located(shown.to_owned(), Some(text), fault.offset, kind),
        }
    };
    faults.into_iter().map(problem).collect()
}
