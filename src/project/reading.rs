//! Options for reading a directory of scripts.

use crate::{
    layout::{Depth, Layout},
    revision::Direction,
    sql::Dialect,
};

/// Options for reading scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// The naming scheme of the files; `None` to detect it.
    pub layout: Option<Layout>,
    /// Names of files to ignore, relative to the directory. A leading `*` matches all names with
    /// that ending; a trailing `/` matches all files in that directory. A pattern that matches no
    /// file is a problem.
    pub leave_out: Vec<String>,
    /// Whether subdirectories are searched, if the layout keeps scripts in a single directory.
    pub recursive: bool,
    /// Whether checksums of scripts are computed while reading.
    pub checksums: bool,
    /// Whether files of up and repeatable scripts, and those with both directions, are read.
    pub ups: bool,
    /// Whether files of down scripts are read. Otherwise, problems in them are not found, except a
    /// missing up script.
    pub downs: bool,
}

impl Reading {
    /// Creates options that detect the layout and ignore no file.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            layout: None,
            leave_out: Vec::new(),
            recursive: false,
            checksums: false,
            ups: true,
            downs: true,
        }
    }

    /// Returns whether the file of a script with that direction is read.
    pub(super) fn reads(&self, direction: Direction) -> bool {
        match direction {
            Direction::Up => self.ups,
            Direction::Down => self.downs,
        }
    }

    /// Returns the patterns that match `name`.
    pub(super) fn left_out_by(&self, name: &str) -> impl Iterator<Item = &String> {
        self.leave_out
            .iter()
            .filter(move |pattern| match pattern.strip_prefix('*') {
                Some(end) => name.ends_with(end),
                None if pattern.ends_with('/') => name.starts_with(pattern.as_str()),
                None => **pattern == name,
            })
    }

    /// Returns the depth of files below the directory.
    pub(super) fn depth(&self, layout: Layout) -> Depth {
        match layout.depth() {
            Depth::Flat if self.recursive => Depth::All,
            depth => depth,
        }
    }
}
