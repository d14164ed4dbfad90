//! Comments about the license of a script, which many files begin with.

/// What a line of comment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A sentence that the text of a license begins with; more of it follows.
    Text,
    /// A line of its own: who has the copyright, the name of the license.
    Notice,
}

/// How the texts of common licenses begin.
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

/// How notices begin.
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

/// Tells whether a line is about a license.
pub(super) fn line(text: &str) -> Option<Line> {
    let text = text.trim().to_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
    if begins(&NOTICES) {
        Some(Line::Notice)
    } else {
        begins(&TEXTS).then_some(Line::Text)
    }
}
