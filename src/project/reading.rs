//! How a directory of scripts is read.

use crate::{
    layout::{Depth, Layout},
    revision::Direction,
    sql::Dialect,
};

/// What must be known before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The dialect of the scripts.
    pub dialect: Dialect,
    /// Whose names the files have; `None` is to be found by looking.
    pub layout: Option<Layout>,
    /// Names of files that are not read, relative to the directory. With a `*` in front, all that
    /// end so; with a `/` at the end, all in that directory. One that is not a file's name is a problem.
    pub leave_out: Vec<String>,
    /// Whether scripts are looked for in directories below as well, where the layout has them in one.
    pub recursive: bool,
    /// Whether the checksums of scripts are taken as well, by all who read.
    pub checksums: bool,
    /// Whether files of up and repeatable scripts, and those that hold both directions, are read.
    pub ups: bool,
    /// Whether files of down scripts are read. Otherwise what is wrong within them is not found; one
    /// that misses its up is.
    pub downs: bool,
}

impl Reading {
    /// The layout found by looking, and nothing left out.
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

    /// Whether the file of a script of that direction is read.
    pub(super) fn reads(&self, direction: Direction) -> bool {
        match direction {
            Direction::Up => self.ups,
            Direction::Down => self.downs,
        }
    }

    /// Those of the patterns that `name` fits.
    pub(super) fn left_out_by(&self, name: &str) -> impl Iterator<Item = &String> {
        self.leave_out
            .iter()
            .filter(move |pattern| match pattern.strip_prefix('*') {
                Some(end) => name.ends_with(end),
                None if pattern.ends_with('/') => name.starts_with(pattern.as_str()),
                None => **pattern == name,
            })
    }

    /// How far below the directory files are.
    pub(super) fn depth(&self, layout: Layout) -> Depth {
        match layout.depth() {
            Depth::Flat if self.recursive => Depth::All,
            depth => depth,
        }
    }
}
