use std::fmt;

/// The name that stands for that of a target, as in `${target}`.
pub const TARGET: &str = "target";

/// A text with places for the name of a target. Its `Debug` output omits the text, which may have a
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    /// The parts between the places.
    parts: Vec<Box<str>>,
}

impl Template {
    /// What marks a place in the text of [`Self::of`]. No text of a configuration can contain it.
    pub const MARK: &str = "\0target\0";

    /// Makes a template from a text in which [`Self::MARK`] stands for the name. Returns `None` if the text
    /// has other NUL characters.
    pub fn of(text: &str) -> Option<Self> {
        let parts: Vec<Box<str>> = text.split(Self::MARK).map(Into::into).collect();
        let is_clean = parts.iter().all(|part| !part.contains('\0'));
        is_clean.then_some(Self { parts })
    }

    /// Whether the name is a part of the text.
    pub fn has_target(&self) -> bool {
        self.parts.len() > 1
    }

    /// The text with `name` as it is.
    pub fn filled(&self, name: &str) -> String {
        self.parts.join(name)
    }

    /// A connection URL with `name` as a part of one component, whatever it contains. In the other form,
    /// `host=db dbname=NAME`, it is a part of one value.
    pub fn url(&self, name: &str) -> String {
        match self.is_url() {
            true => self.filled(&percent_encoded(name)),
            false => self.filled(&with_backslashes(name)),
        }
    }

    /// Whether the text begins with a scheme.
    fn is_url(&self) -> bool {
        let first = self.parts.first().map_or("", |part| part);
        let scheme = first.trim_start().split(':').next().unwrap_or_default();
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        first.contains(':') && scheme.chars().all(is_scheme)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("places", &self.parts.len().saturating_sub(1))
            .finish_non_exhaustive()
    }
}

fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn with_backslashes(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_whitespace() || matches!(c, '\'' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> Template {
        Template::of(&text.replace("${target}", Template::MARK)).unwrap()
    }

    #[test]
    fn names_fill_their_places() {
        let check = |text: &str, name: &str, expected: &str| {
            assert_eq!(template(text).url(name), expected, "{text}");
        };
        check("postgres://h/${target}", "acme", "postgres://h/acme");
        check(
            "postgres://h/${target}",
            "a/b?host=x",
            "postgres://h/a%2Fb%3Fhost%3Dx",
        );
        check("sqlite:t/${target}.db", "../x", "sqlite:t/..%2Fx.db");
        check(
            "postgres://h/x?user=${target}&schema=${target}",
            "ż",
            "postgres://h/x?user=%C5%BC&schema=%C5%BC",
        );
        check(
            "host=h dbname=${target}",
            "a b'c\\",
            "host=h dbname=a\\ b\\'c\\\\",
        );
        check("postgres://h/x", "acme", "postgres://h/x");
        assert!(!template("x").has_target() && template("${target}").has_target());
        assert_eq!(template("t_${target}").filled("a\"b"), "t_a\"b");
        assert_eq!(Template::of("a\0b"), None);
    }

    proptest! {
        #[test]
        fn a_name_stays_one_component(name in any::<String>()) {
            let url = template("postgres://h/${target}").url(&name);
            let rest = url.strip_prefix("postgres://h/").unwrap();
            let is_component = |c: char| c.is_ascii_alphanumeric() || "-_.~%".contains(c);
            prop_assert!(rest.chars().all(is_component), "{}", rest);
        }
    }
}
