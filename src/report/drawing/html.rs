//! The picture in a page that needs no network.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::{
    legend,
    scene::Scene,
    svg::{self, Caption, Use},
    text::xml,
};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(super) fn draw(scene: &Scene<'_>, caption: Caption<'_>) -> String {
    let picture = svg::picture(scene, caption, Use::Page);
    let orientation = match picture.size.width >= picture.size.height {
        true => "landscape",
        false => "portrait",
    };
    let style = format!(
        "\n{}{STYLE}@page {{ size: {orientation}; margin: 8mm }}\n",
        svg::STYLE
    );
    let script = format!("\n{SCRIPT}");
    // Nothing may be requested, and only this style and this script are used.
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        hash(&style),
        hash(&script)
    );
    filled(
        PAGE,
        &[
            ("policy", &policy),
            ("title", &xml(&legend::caption(caption))),
            ("counts", &xml(&legend::counts(scene, caption))),
            ("style", &style),
            ("script", &script),
            ("picture", &picture.text),
        ],
    )
}

/// `template` with each `{{name}}` replaced. What is inserted is not searched for names.
fn filled(template: &str, values: &[(&str, &str)]) -> String {
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
    use crate::report::drawing::scene::testing::shop;

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

    #[test]
    fn a_page_requests_nothing() {
        let diagram = shop();
        let caption = Caption {
            source: "live",
            last: Some(2),
        };
        let page = draw(&Scene::new(&diagram), caption);
        assert!(page.contains("default-src 'none'"));
        assert!(page.contains("2 tables, 1 foreign key, 1 changed by the last 2 revisions"));
        for (at, _) in page.match_indices("://") {
            assert!(page[at - 4..].starts_with("http://www.w3.org/2000/svg\""));
        }
        for name in ["src=", "url(", "@import", "fetch(", "{{"] {
            assert!(!page.contains(name), "{name}");
        }
    }
}
