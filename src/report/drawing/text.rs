//! External text in pictures.

use std::{borrow::Cow, fmt::Write};

use crate::report::escape;

/// The width of a character in fixed-width fonts, in parts of the font size: the widest common
/// font has 0.618.
const NARROW: f64 = 0.62;

/// The width of East Asian characters, in parts of the font size.
const WIDE: f64 = 1.0;

/// Joins the characters around it, as in pictures of families.
const JOINER: char = '\u{200d}';

/// `text` in one line: line breaks, control characters and bidirectional marks as escapes. An empty
/// text is shown as two quotes.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.is_empty() {
        return "\"\"".into();
    }
    if !text.contains(is_unfit) {
        return text.into();
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' => clean.push_str("\\t"),
            c if is_unfit(c) => escape::push_code(&mut clean, c),
            c => clean.push(c),
        }
    }
    clean.into()
}

/// Whether XML refuses `c` or a picture cannot show it in a line.
fn is_unfit(c: char) -> bool {
    let is_no_character = matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff);
    is_no_character || matches!(c, '\n' | '\t') || escape::is_hidden(c)
}

/// The columns that a line takes in a fixed-width font.
pub(super) fn cells(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The width of a line in a fixed-width font of `size`, at most.
pub(super) fn width(text: &str, size: f64) -> f64 {
    if text.is_ascii() {
        return text.len() as f64 * NARROW * size;
    }
    let mut sum = 0.0;
    let mut is_joined = false;
    for c in text.chars() {
        sum += match cells(c.encode_utf8(&mut [0; 4])) {
            _ if is_joined => 0.0,
            0 => 0.0,
            1 => NARROW,
            _ => WIDE,
        };
        is_joined = c == JOINER;
    }
    sum * size
}

/// Whether the real width can differ from [`width`]: fonts lack the characters, join them or show
/// them at other widths.
pub(super) fn is_uncertain(text: &str) -> bool {
    !text.is_ascii()
}

/// `text` with an ellipsis in the middle if it takes more than `most` columns: names often differ
/// at their ends. The number of characters is limited too, since marks take no column.
pub(super) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let fits = |text: &str, most: usize| cells(text) <= most && text.chars().count() <= 2 * most;
    if fits(text, most) {
        return text.into();
    }
    let room = most.saturating_sub(1);
    let tail_room = room / 3;
    let mut head = String::new();
    let mut used = (0, 0);
    for c in text.chars() {
        let taken = (used.0 + cells(c.encode_utf8(&mut [0; 4])), used.1 + 1);
        if taken.0 > room - tail_room || taken.1 > 2 * (room - tail_room) {
            break;
        }
        head.push(c);
        used = taken;
    }
    let mut start = text.len();
    let mut used = (0, 0);
    for (at, c) in text.char_indices().rev() {
        let width = cells(c.encode_utf8(&mut [0; 4]));
        used = (used.0 + width, used.1 + 1);
        if used.0 > tail_room || used.1 > 2 * tail_room {
            break;
        }
        // A mark belongs to the character before it.
        if width > 0 {
            start = at;
        }
    }
    head.push('…');
    head.push_str(&text[start..]);
    head.into()
}

/// Long names of types and the short ones that the database takes as well.
const SHORT_TYPES: [(&str, &str); 6] = [
    ("timestamp without time zone", "timestamp"),
    ("time without time zone", "time"),
    ("character varying", "varchar"),
    ("double precision", "float8"),
    ("bit varying", "varbit"),
    ("character", "char"),
];

/// Types whose modifier stands in the middle of their name.
const ZONED: [(&str, &str); 2] = [("timestamp", "timestamptz"), ("time", "timetz")];

/// A type by its short name: `timestamptz(3)[]` for `timestamp(3) with time zone[]`.
pub(super) fn short_type(data_type: &str) -> String {
    for (name, short) in ZONED {
        if let Some(rest) = data_type.strip_prefix(name)
            && let Some((modifier, rest)) = rest.split_once(" with time zone")
            && (modifier.is_empty() || modifier.starts_with('(') && modifier.ends_with(')'))
        {
            return format!("{short}{modifier}{rest}");
        }
        if let Some(rest) = data_type.strip_prefix(name)
            && let Some((modifier, rest)) = rest.split_once(" without time zone")
            && modifier.starts_with('(')
            && modifier.ends_with(')')
        {
            return format!("{name}{modifier}{rest}");
        }
    }
    for (name, short) in SHORT_TYPES {
        if let Some(rest) = data_type.strip_prefix(name)
            && (rest.is_empty() || rest.starts_with(['(', '[']))
        {
            return format!("{short}{rest}");
        }
    }
    data_type.to_owned()
}

/// A coordinate with at most one decimal.
pub(super) fn number(text: &mut String, value: f64) {
    let tenths = (value * 10.0).round();
    let _ = match tenths % 10.0 == 0.0 {
        true => write!(text, "{:.0}", tenths / 10.0 + 0.0),
        false => write!(text, "{:.1}", tenths / 10.0),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::html::xml;

    #[test]
    fn control_characters_are_shown_as_escapes() {
        assert_eq!(clean("order"), "order");
        assert_eq!(clean(""), "\"\"");
        assert_eq!(clean("a\nb\tc\u{1b}[0m"), "a\\nb\\tc\\u{1b}[0m");
        assert_eq!(clean("a\u{202e}b\u{ffff}"), "a\\u{202e}b\\u{ffff}");
    }

    #[test]
    fn names_are_cut_in_the_middle() {
        assert_eq!(cut("customer_id", 11), "customer_id");
        assert_eq!(cut("customer_address_id", 12), "customer…_id");
        assert_eq!(cut("顧客の住所の番号", 9), "顧客の…号");
        let marks = format!("a{}z", "\u{301}".repeat(100));
        assert_eq!(cut(&marks, 10).chars().count(), 14);
    }

    #[test]
    fn types_are_shortened() {
        for (long, short) in [
            ("timestamp with time zone", "timestamptz"),
            ("timestamp(3) with time zone[]", "timestamptz(3)[]"),
            ("time without time zone", "time"),
            ("timestamp(0) without time zone", "timestamp(0)"),
            ("character varying(20)", "varchar(20)"),
            ("character varying[]", "varchar[]"),
            ("character(2)", "char(2)"),
            ("characters", "characters"),
            ("double precision", "float8"),
            ("timestamps with time zone", "timestamps with time zone"),
        ] {
            assert_eq!(short_type(long), short);
        }
    }

    #[test]
    fn numbers_have_at_most_one_decimal() {
        let shown = |value| {
            let mut text = String::new();
            number(&mut text, value);
            text
        };
        assert_eq!(shown(12.0), "12");
        assert_eq!(shown(12.04), "12");
        assert_eq!(shown(-0.01), "0");
        assert_eq!(shown(0.55), "0.6");
    }

    proptest! {
        #[test]
        fn cut_names_fit(text in any::<String>(), most in 4_usize..40) {
            let text = clean(&text);
            let cut = cut(&text, most);
            prop_assert!(cells(&cut) <= most, "{cut}");
            prop_assert!(cut.chars().count() <= 2 * most, "{cut}");
        }

        #[test]
        fn markup_is_escaped(text in any::<String>()) {
            let safe = xml(&text);
            prop_assert!(!safe.contains(['<', '>', '"', '\'']));
            let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
                .iter()
                .fold(safe.into_owned(), |text, (from, to)| text.replace(from, to));
            prop_assert_eq!(plain, text);
        }
    }
}
