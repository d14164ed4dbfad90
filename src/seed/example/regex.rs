//! Texts that match regular expressions: what the dialects have in common with POSIX and Perl.

use super::{Lengths, PLAIN};

/// A text that matches the pattern and has one of the lengths, if one is found. Texts with different
/// numbers differ where they can.
pub fn regex(pattern: &str, number: u64, lengths: Lengths) -> Option<String> {
    let parsed = parse(pattern)?;
    // Repetitions without an end are as long as needed.
    let longest = lengths.min.clamp(8, 512);
    let extras = (1..=longest).chain([0]);
    let mut texts = extras.map(|extra| {
        let mut writer = Writer {
            text: String::new(),
            number,
            extra,
        };
        writer.write(&parsed);
        writer.text
    });
    texts.find(|text| lengths.hold(text))
}

/// A text that matches a pattern of SIMILAR TO.
pub fn similar(pattern: &str, number: u64, lengths: Lengths) -> Option<String> {
    let mut converted = String::from("^(");
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                converted.push('\\');
                converted.extend(chars.next());
            }
            '%' if !in_class => converted.push_str(".*"),
            '_' if !in_class => converted.push('.'),
            '.' | '^' | '$' if !in_class => converted.extend(['\\', c]),
            other => {
                in_class = (in_class || other == '[') && other != ']';
                converted.push(other);
            }
        }
    }
    converted.push_str(")$");
    regex(&converted, number, lengths)
}

/// The pattern of texts in which a pattern such as `[^a-z]` is not found: no character is outside the
/// class.
pub fn only_of_regex(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix("[^")?.strip_suffix(']')?;
    (!inner.contains(']')).then(|| format!("^[{inner}]+$"))
}

/// The most repetitions of one part.
const MOST: usize = 1000;

enum Node {
    /// Nothing, as an anchor.
    Empty,
    Char(char),
    Class(Class),
    All(Vec<Node>),
    Any(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: usize,
        max: Option<usize>,
    },
}

#[derive(Default)]
struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    fn of(ranges: &[(char, char)]) -> Self {
        let ranges = ranges.to_vec();
        Self {
            negated: false,
            ranges,
        }
    }

    fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&c)) != self.negated
    }

    /// A character of the class: a letter or a digit, if there is one.
    fn choose(&self, number: u64) -> char {
        let members: Vec<char> = PLAIN.chars().filter(|c| self.holds(*c)).collect();
        let at = usize::try_from(number).unwrap_or(0) % members.len().max(1);
        let found = members.get(at).copied();
        let printable = || (' '..='~').find(|c| self.holds(*c));
        let first = || self.ranges.first().map(|(first, _)| *first);
        found.or_else(printable).or_else(first).unwrap_or('a')
    }
}

struct Writer {
    text: String,
    number: u64,
    extra: usize,
}

impl Writer {
    fn write(&mut self, node: &Node) {
        match node {
            Node::Empty => {}
            Node::Char(c) => self.text.push(*c),
            Node::Class(class) => {
                // Later characters vary with the higher digits of the number.
                let at = self.text.len() as u64;
                let digit = match at {
                    0 => self.number,
                    _ => self.number / 7 + at * 3 + self.number * at,
                };
                self.text.push(class.choose(digit));
            }
            Node::All(nodes) => nodes.iter().for_each(|node| self.write(node)),
            Node::Any(nodes) => {
                let at = usize::try_from(self.number).unwrap_or(0) % nodes.len().max(1);
                if let Some(node) = nodes.get(at) {
                    self.write(node);
                }
            }
            Node::Repeat { node, min, max } => {
                let most = max.unwrap_or(MOST).min(MOST);
                let times = (*min + self.extra).min(most).max((*min).min(MOST));
                (0..times).for_each(|_| self.write(node));
            }
        }
    }
}

fn parse(pattern: &str) -> Option<Node> {
    let pattern = pattern
        .strip_prefix("(?i)")
        .or_else(|| pattern.strip_prefix("***:"))
        .unwrap_or(pattern);
    let mut parser = Parser {
        chars: pattern.chars().collect(),
        at: 0,
        depth: 0,
    };
    let node = parser.any()?;
    (parser.at == parser.chars.len()).then_some(node)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = text
            .chars()
            .enumerate()
            .all(|(ahead, c)| self.chars.get(self.at + ahead) == Some(&c));
        self.at += if found { text.chars().count() } else { 0 };
        found
    }

    fn any(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        let mut branches = vec![self.all()?];
        while self.eat("|") {
            branches.push(self.all()?);
        }
        self.depth -= 1;
        match branches.len() {
            1 => branches.pop(),
            _ => Some(Node::Any(branches)),
        }
    }

    fn all(&mut self) -> Option<Node> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            if matches!(c, '|' | ')') {
                break;
            }
            let node = self.atom()?;
            nodes.push(self.repeated(node)?);
        }
        Some(Node::All(nodes))
    }

    fn repeated(&mut self, mut node: Node) -> Option<Node> {
        while let Some(c) = self.peek() {
            let (min, max) = match c {
                '*' => (0, None),
                '+' => (1, None),
                '?' => (0, Some(1)),
                '{' if self
                    .chars
                    .get(self.at + 1)
                    .is_some_and(char::is_ascii_digit) =>
                {
                    self.bounds()?
                }
                _ => break,
            };
            if c != '{' {
                self.at += 1;
            }
            // Lazy and possessive forms match the same texts.
            let _ = self.eat("?") || self.eat("+");
            let inner = Box::new(node);
            node = Node::Repeat {
                node: inner,
                min,
                max,
            };
        }
        Some(node)
    }

    /// Takes `{2}`, `{2,}` or `{2,5}`.
    fn bounds(&mut self) -> Option<(usize, Option<usize>)> {
        self.take()?;
        let min = self.number()?;
        let max = match self.eat(",") {
            false => Some(min),
            true if self.peek() == Some('}') => None,
            true => Some(self.number()?),
        };
        self.eat("}").then_some((min, max))
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.chars[start..self.at].iter().collect();
        digits.parse().ok()
    }

    fn atom(&mut self) -> Option<Node> {
        match self.take()? {
            '^' | '$' => Some(Node::Empty),
            '.' => Some(Node::Class(Class::of(&[('a', 'z'), ('0', '9')]))),
            '[' => self.class().map(Node::Class),
            '(' => self.group(),
            '\\' => self.escape(),
            '*' | '+' | '?' => None,
            c => Some(Node::Char(c)),
        }
    }

    fn group(&mut self) -> Option<Node> {
        let is_ahead = self.eat("?=") || self.eat("?!") || self.eat("?<=") || self.eat("?<!");
        if !is_ahead && self.eat("?") {
            let named = self.eat("P<") || self.eat("<");
            let end = if named { '>' } else { ':' };
            while self.peek().is_some_and(|c| c != end && c != ')') {
                self.at += 1;
            }
            if self.take()? == ')' {
                return Some(Node::Empty);
            }
        }
        let node = self.any()?;
        if !self.eat(")") {
            return None;
        }
        Some(if is_ahead { Node::Empty } else { node })
    }

    fn escape(&mut self) -> Option<Node> {
        Some(match self.take()? {
            'A' | 'Z' | 'z' | 'b' | 'B' | 'm' | 'M' | 'y' | 'Y' => Node::Empty,
            'n' => Node::Char('\n'),
            't' => Node::Char('\t'),
            'r' => Node::Char('\r'),
            c if c.is_ascii_digit() => return None,
            c => match shorthand(c) {
                Some(class) => Node::Class(class),
                None => Node::Char(c),
            },
        })
    }

    /// Takes the rest of `[…]`.
    fn class(&mut self) -> Option<Class> {
        let mut class = Class {
            negated: self.eat("^"),
            ranges: Vec::new(),
        };
        let start = self.at;
        loop {
            if self.eat("[:") {
                let from = self.at;
                while self.peek()? != ':' {
                    self.at += 1;
                }
                let name: String = self.chars[from..self.at].iter().collect();
                class.ranges.extend(named(&name)?);
                if !self.eat(":]") {
                    return None;
                }
                continue;
            }
            let first = match self.take()? {
                ']' if self.at > start + 1 => return Some(class),
                '\\' => match self.take()? {
                    'n' => '\n',
                    't' => '\t',
                    c => match shorthand(c) {
                        Some(inner) if !inner.negated => {
                            class.ranges.extend(inner.ranges);
                            continue;
                        }
                        Some(_) => return None,
                        None => c,
                    },
                },
                c => c,
            };
            let is_range =
                self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            let last = match is_range {
                true => {
                    self.at += 1;
                    match self.take()? {
                        '\\' => self.take()?,
                        c => c,
                    }
                }
                false => first,
            };
            class.ranges.push((first, last));
        }
    }
}

/// `\d`, `\w`, `\s` and their opposites.
fn shorthand(c: char) -> Option<Class> {
    let mut class = Class {
        negated: c.is_ascii_uppercase(),
        ranges: named(match c.to_ascii_lowercase() {
            'd' => "digit",
            'w' => "alnum",
            's' => "blank",
            _ => return None,
        })?
        .to_vec(),
    };
    if c.eq_ignore_ascii_case(&'w') {
        class.ranges.push(('_', '_'));
    }
    Some(class)
}

/// A class of POSIX.
fn named(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alpha" => &[('a', 'z'), ('A', 'Z')],
        "digit" => &[('0', '9')],
        "alnum" => &[('a', 'z'), ('A', 'Z'), ('0', '9')],
        "lower" => &[('a', 'z')],
        "upper" => &[('A', 'Z')],
        "xdigit" => &[('0', '9'), ('a', 'f'), ('A', 'F')],
        "space" | "blank" => &[(' ', ' ')],
        "punct" => &[('!', '/'), (':', '@')],
        "print" | "graph" => &[('!', '~')],
        "word" => &[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
        _ => return None,
    })
}

#[cfg(test)]
#[path = "regex_tests.rs"]
mod regex_tests;
