//! The picture in a page that needs no network.

use super::{
    legend,
    scene::Scene,
    svg::{self, Caption, Use},
};
use crate::report::html::{filled, policy, xml};

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
    let policy = policy(&style, &script);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drawing::scene::testing::shop;

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
        let count = |text: &str| page.matches(text).count();
        assert_eq!((count("<script"), count("</script")), (1, 1));
        assert_eq!((count("<style"), count("</style")), (1, 1));
        for name in ["src=", "url(", "@import", "fetch(", "{{"] {
            assert!(!page.contains(name), "{name}");
        }
    }
}
