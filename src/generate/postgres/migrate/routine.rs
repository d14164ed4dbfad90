//! Functions and procedures that CREATE OR REPLACE can change.

use crate::schema::postgres::Routine;

/// Whether CREATE OR REPLACE can make one function of the other.
pub(super) fn can_be_replaced(from: &Routine, to: &Routine) -> bool {
    if from.returns != to.returns || from.window != to.window {
        return false;
    }
    let (old, new) = (arguments(&from.arguments), arguments(&to.arguments));
    let is_kept = |(old, new): (&(&str, bool), &(&str, bool))| {
        let (name, has_default) = old;
        let (new_name, still_has_default) = new;
        name == new_name && (*still_has_default || !*has_default)
    };
    old.len() == new.len() && old.iter().zip(&new).all(is_kept)
}

/// The arguments without their defaults, and whether they have one.
fn arguments(text: &str) -> Vec<(&str, bool)> {
    split(text)
        .into_iter()
        .map(|argument| match argument.split_once(" DEFAULT ") {
            Some((start, _)) => (start, true),
            None => (argument, false),
        })
        .collect()
}

/// The bytes outside quotes and brackets, with their places.
pub(super) fn outside(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let (mut depth, mut quote) = (0_usize, None);
    text.bytes().enumerate().filter(move |(_, byte)| {
        match (quote, byte) {
            (Some(open), byte) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}

/// Splits at commas outside quotes and brackets.
pub(super) fn split(text: &str) -> Vec<&str> {
    let (mut start, mut found) = (0, Vec::new());
    for (at, _) in outside(text).filter(|(_, byte)| *byte == b',') {
        found.push(text[start..at].trim());
        start = at + 1;
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        found.push(last);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_in_the_same_way_is_replaced() {
        let check = |from: &str, to: &str, expected: bool| {
            let routine = |arguments: &str| Routine {
                arguments: arguments.to_owned(),
                ..Routine::default()
            };
            assert_eq!(
                can_be_replaced(&routine(from), &routine(to)),
                expected,
                "{from} → {to}"
            );
        };
        check("a integer, b text", "a integer, b text", true);
        check(
            "a integer, b text",
            "a integer, b text DEFAULT 'x, y'::text",
            true,
        );
        check("a integer DEFAULT 1", "a integer DEFAULT 2", true);
        check("a integer DEFAULT 1", "a integer", false);
        check("a integer", "b integer", false);
    }
}
