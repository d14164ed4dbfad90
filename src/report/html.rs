//! Pages that need no network.

use std::{borrow::Cow, fmt::Write};

use sha2::{Digest, Sha256};

/// `text` for an element or a quoted attribute of XML and HTML.
pub(super) fn xml(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe.into()
}

/// The content security policy of a page with this style and script: nothing may be requested, and
/// nothing else is used.
pub(super) fn policy(style: &str, script: &str) -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

/// `template` with each `{{name}}` replaced. What is inserted is not searched for names.
pub(super) fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 64 * 1024);
    let mut rest = template;
    while let Some((before, name, after)) = next_name(rest) {
        text.push_str(before);
        if let Some((_, value)) = values.iter().find(|(it, _)| *it == name) {
            text.push_str(value);
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

/// The hash of an inline style or script as a content security policy names it.
fn hash(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = "sha256-".to_owned();
    for bytes in Sha256::digest(text).chunks(3) {
        let padded = [0, 1, 2].map(|at| u32::from(bytes.get(at).copied().unwrap_or(0)));
        let bits = padded[0] << 16 | padded[1] << 8 | padded[2];
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            let is_used = at <= bytes.len();
            let _ = write!(encoded, "{}", if is_used { char::from(digit) } else { '=' });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_base64() {
        assert_eq!(
            hash(""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn inserted_text_is_not_searched() {
        let values = [("a", "{{b}}"), ("b", "x")];
        assert_eq!(filled("{{a}}-{{b}}-{{c}}!", &values), "{{b}}-x-!");
    }
}
