//! Texts that match LIKE and GLOB.

use super::plain;

/// A text that matches a LIKE pattern; texts with different numbers differ where they can.
pub fn like(pattern: &str, number: u64) -> String {
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => text.push_str(&format!("s{number}")),
            '_' => text.push(plain(number)),
            '\\' => text.extend(chars.next()),
            other => text.push(other),
        }
    }
    text
}

/// A text that matches a GLOB pattern of SQLite.
pub fn glob(pattern: &str, number: u64) -> String {
    let mut text = String::new();
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        at += 1;
        match c {
            '*' => text.push_str(&format!("s{number}")),
            '?' => text.push(plain(number)),
            '[' => {
                let (set, end) = set(&chars, at);
                at = end;
                text.extend(set.choose(number));
            }
            other => text.push(*other),
        }
    }
    text
}

/// The regular expression of texts that do not match a pattern such as `*[^0-9]*`, of which no
/// character is outside the set.
pub fn only_of_glob(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix("*[^")?.strip_suffix("]*")?;
    Some(format!("^[{}]+$", inner.replace('\\', "\\\\")))
}

/// A set of characters.
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn choose(&self, number: u64) -> Option<char> {
        let holds = |c: char| self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&c));
        if !self.negated {
            let at = usize::try_from(number).unwrap_or(0) % self.ranges.len().max(1);
            let (first, last) = *self.ranges.get(at)?;
            let width = u32::from(last).saturating_sub(u32::from(first)) + 1;
            let offset = u32::try_from(number % u64::from(width)).unwrap_or(0);
            return char::from_u32(u32::from(first) + offset).or(Some(first));
        }
        (0..64)
            .map(|step| plain(number + step))
            .find(|c| !holds(*c))
    }
}

/// The set whose characters begin at `at`, and where its `]` ends.
fn set(chars: &[char], mut at: usize) -> (Set, usize) {
    let negated = chars.get(at) == Some(&'^');
    at += usize::from(negated);
    let start = at;
    let mut ranges = Vec::new();
    while let Some(c) = chars.get(at) {
        if *c == ']' && at > start {
            return (Set { negated, ranges }, at + 1);
        }
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(last)) if *last != ']' => {
                ranges.push((*c, *last));
                at += 3;
            }
            _ => {
                ranges.push((*c, *c));
                at += 1;
            }
        }
    }
    (Set { negated, ranges }, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_match() {
        let check = |pattern: &str, expected: &str| assert_eq!(like(pattern, 3), expected);
        check("%@%.com", "s3@s3.com");
        check("a_c\\%", "adc%");
        let check = |pattern: &str, expected: &str| assert_eq!(glob(pattern, 1), expected);
        check("*.txt", "s1.txt");
        check("[a-c][^a-z]?", "b0b");
        check("[0-9][0-9]", "11");
    }

    #[test]
    fn what_must_not_match_tells_the_set() {
        assert_eq!(only_of_glob("*[^0-9a-f]*").as_deref(), Some("^[0-9a-f]+$"));
        assert_eq!(only_of_glob("*x*"), None);
    }
}
