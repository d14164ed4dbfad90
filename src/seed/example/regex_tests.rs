use proptest::prelude::*;

use super::*;

/// Asserts that the examples of a pattern match it.
fn check(pattern: &str, lengths: Lengths) {
    let matcher = ::regex::Regex::new(pattern).unwrap();
    for number in 0..12 {
        let text = regex(pattern, number, lengths);
        let text = text.unwrap_or_else(|| panic!("{pattern}: no example"));
        assert!(matcher.is_match(&text), "{pattern}: {text}");
        assert!(lengths.hold(&text), "{pattern}: {text}");
    }
}

#[test]
fn examples_match() {
    for pattern in [
        "^[a-z0-9-]+$",
        "^[^@\\s]+@[^@\\s]+\\.[a-zA-Z]{2,}$",
        "^(red|green|blue)$",
        "^#[0-9a-fA-F]{6}$",
        "^\\d{3}-\\d{4}$",
        "^[[:alpha:]_][[:alnum:]_]*$",
        "^(?:https?)://.+$",
        "^(?P<name>a+)b?$",
        "^v?(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)(-[\\w.]+)?$",
        "^\\w+\\W\\w+$",
        "^[]x]+$",
        "^[a-]$",
        "(?i)^abc$",
        "^a{2}b{1,}c{2,3}$",
        "x",
        "",
    ] {
        check(pattern, Lengths::default());
    }
}

#[test]
fn examples_have_the_lengths() {
    check("^[0-9a-f]+$", Lengths { min: 64, max: 64 });
    check("^a.*b$", Lengths { min: 10, max: 12 });
    let none = regex("^ab$", 0, Lengths { min: 3, max: 3 });
    assert_eq!(none, None);
}

#[test]
fn what_is_not_understood_has_no_examples() {
    for pattern in ["(a)\\1", "[a", "(a", "*", "a)"] {
        assert_eq!(regex(pattern, 0, Lengths::default()), None, "{pattern}");
    }
}

#[test]
fn examples_differ() {
    let texts: std::collections::BTreeSet<_> = (0..10)
        .map(|number| regex("^[a-z0-9-]+$", number, Lengths::default()))
        .collect();
    assert_eq!(texts.len(), 10);
}

#[test]
fn similar_patterns_are_converted() {
    let check = |pattern: &str, expected: &str| {
        let text = similar(pattern, 0, Lengths::default());
        assert_eq!(text.as_deref(), Some(expected));
    };
    check("(a|b)x.y", "ax.y");
    check("[ab]{2}_", "abg");
}

#[test]
fn what_must_not_be_found_tells_the_class() {
    assert_eq!(only_of_regex("[^a-z]").as_deref(), Some("^[a-z]+$"));
    assert_eq!(only_of_regex("[^a]b"), None);
}

proptest! {
    #[test]
    fn examples_of_any_pattern_match(
        pattern in "(\\^)?([a-c]|\\.|\\[[a-c0-9]{1,3}\\]|\\\\d|\\((a|b)\\|c\\)){1,6}[+*?]?(\\{[1-3]\\})?(\\$)?",
        number in 0..20_u64,
    ) {
        let matcher = ::regex::Regex::new(&pattern).unwrap();
        let text = regex(&pattern, number, Lengths::default()).unwrap();
        prop_assert!(matcher.is_match(&text), "{}: {}", pattern, text);
    }
}
