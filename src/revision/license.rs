//! Recognizes license comments, which many files begin with.

/// The kind of a license comment line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The first sentence of a license text; more of it follows.
    Text,
    /// A single line, such as a copyright notice or the name of a license.
    Notice,
}

/// The first words of common license texts.
const TEXTS: [&str; 8] = [
    "licensed under",
    "licensed to the",
    "permission is hereby granted",
    "permission to use, copy",
    "redistribution and use",
    "this file is part of",
    "this program is free software",
    "this source code",
];

/// The first words of notices.
const NOTICES: [&str; 8] = [
    "spdx-",
    "copyright",
    "(c) ",
    "\u{a9}",
    "all rights reserved",
    "license:",
    "licence:",
    "@license",
];

/// Returns the kind of a license line, or `None` for any other line.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim().as_bytes();
    let begins = |starts: &[&str]| {
        starts.iter().any(|start| {
            let found = text.get(..start.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
        })
    };
    if begins(&NOTICES) {
        Some(Line::Notice)
    } else {
        begins(&TEXTS).then_some(Line::Text)
    }
}
