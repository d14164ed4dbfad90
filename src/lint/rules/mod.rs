//! The table of rules.

use super::Rule;

/// All rules, in the order of their codes.
pub static ALL: &[&Rule] = &[];

/// The rule with this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}
