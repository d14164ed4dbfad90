//! Scripts that are not files on disk: compiled into a program, or from another commit.

use std::{collections::BTreeMap, path::Path};

use super::{
    directory_problem::{DirectoryProblem, Kind, problem},
    external::{self, Files},
    reading::Reading,
    scripts::{Scan, look},
};
use crate::{
    arrange::Arrange as _,
    files::Irregular,
    layout::{Depth, Layout},
    revision::History,
};

/// Reads scripts that are not files on disk, such as those compiled into a program, and builds
/// their history. The script name is the last component of a path, or the whole path if the layout
/// keeps scripts in directories; messages show the whole path. The default is migrator's own
/// layout.
///
/// # Errors
/// Returns every problem found, by file, like [`super::read_history`].
pub fn embedded_history<N, T>(
    files: impl IntoIterator<Item = (N, T)>,
    reading: &Reading,
) -> Result<History, Vec<DirectoryProblem>>
where
    N: AsRef<Path>,
    T: AsRef<[u8]>,
{
    let layout = reading.layout.unwrap_or_default();
    if layout != Layout::Native {
        let name = |path: &Path| match layout.depth() {
            Depth::Flat => path
                .file_name()
                .map(Path::new)
                .unwrap_or(path)
                .display()
                .to_string(),
            Depth::One | Depth::All => path.display().to_string(),
        };
        let files = files.into_iter();
        let files =
            files.map(|(path, content)| (name(path.as_ref()), Some(content.as_ref().to_vec())));
        let memory = Memory {
            files: files.collect(),
            folder: String::new(),
        };
        return memory.history(reading);
    }
    let mut files: Vec<_> = files.into_iter().collect();
    files.arrange_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
    let looks = files.iter().map(|(path, content)| {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_default();
        let content = || Ok(content.as_ref().to_vec());
        look(name, path.display().to_string(), reading, content)
    });
    Scan::of(looks).history()
}

/// The files of a directory that is not on disk: names relative to it, with the bytes of possible
/// scripts.
pub(super) struct Memory {
    pub files: BTreeMap<String, Option<Vec<u8>>>,
    /// The prefix of file names for display.
    pub folder: String,
}

impl Memory {
    /// Builds the history of the files.
    pub fn history(&self, reading: &Reading) -> Result<History, Vec<DirectoryProblem>> {
        let left_out = |name: &str| reading.left_out_by(name).next().is_some();
        let names = |layout| {
            let mut names = self.names(reading.depth(layout));
            names.retain(|name| !left_out(name));
            names
        };
        let layout = match reading.layout {
            Some(layout) => layout,
            None => {
                let mut top: Vec<String> = self.files.keys().map(|name| top(name)).collect();
                top.dedup();
                top.retain(|name| !left_out(name));
                let top: Vec<&str> = top.iter().map(String::as_str).collect();
                let mut found = external::detect(self, &top);
                if reading.recursive && found.as_ref().is_ok_and(|it| *it == Layout::Native) {
                    let all = self.files.keys().map(String::as_str);
                    let all: Vec<&str> = all.filter(|name| !left_out(name)).collect();
                    found = external::detect_below(self, &all);
                }
                found.map_err(|kind| vec![problem(self.folder.clone(), kind)])?
            }
        };
        let names = names(layout);
        if layout == Layout::Native {
            return Scan::of(external::look_natively(reading, self, &names)).history();
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Scan::of(external::look(layout, reading, self, &names)).history()
    }

    /// Returns the names of files to read.
    fn names(&self, depth: Depth) -> Vec<String> {
        let is_there = |name: &&String| match depth {
            Depth::Flat => !name.contains('/'),
            Depth::One => name.matches('/').count() < 2,
            Depth::All => true,
        };
        self.files.keys().filter(is_there).cloned().collect()
    }
}

fn top(name: &str) -> String {
    name.split('/').next().unwrap_or(name).to_owned()
}

impl Files for Memory {
    fn shown(&self, name: &str) -> String {
        format!("{}{name}", self.folder)
    }

    fn content(&self, name: &str) -> Result<Vec<u8>, Kind> {
        match self.files.get(name) {
            Some(Some(bytes)) => Ok(bytes.clone()),
            _ => Err(Kind::NotAFile(Irregular::Other)),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }
}
