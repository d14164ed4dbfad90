//! Texts that match patterns.

mod like;
mod regex;

pub(super) use like::{glob, like, only_of_glob};
pub(super) use regex::{only_of_regex, regex, similar};

/// The lengths that a text may have, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    pub min: usize,
    pub max: usize,
}

impl Default for Lengths {
    fn default() -> Self {
        let (min, max) = (0, usize::MAX);
        Self { min, max }
    }
}

impl Lengths {
    /// Whether `text` has such a length.
    pub fn hold(self, text: &str) -> bool {
        (self.min..=self.max).contains(&text.chars().count())
    }
}

/// The letters and digits, in the order in which examples use them.
const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The character with this number.
fn plain(number: u64) -> char {
    let length = PLAIN.len() as u64;
    let at = usize::try_from(number % length).unwrap_or(0);
    char::from(PLAIN.as_bytes()[at])
}
