//! Decodes the bytes of a file as text: UTF-8 with or without BOM.

use crate::sql::{Position, position};

/// A reason why the bytes of a file are not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextProblem {
    /// The file has a byte order mark of another encoding.
    #[error("the file is {encoding}; it must be UTF-8")]
    Encoding {
        /// The encoding, such as `UTF-16 LE`.
        encoding: &'static str,
    },
    /// A byte is not valid UTF-8.
    #[error("the file is not UTF-8: byte {byte:#04x} at offset {offset}")]
    InvalidUtf8 {
        /// The first wrong byte.
        byte: u8,
        /// The byte offset.
        offset: usize,
    },
    /// The file contains a NUL byte, which databases do not accept.
    #[error("the file contains a NUL byte at offset {offset}")]
    NulByte {
        /// The byte offset.
        offset: usize,
    },
    /// A CR is not followed by LF. This applies to literals too, because git and editors would
    /// silently convert it.
    #[error(
        "the file contains a carriage return without a line feed at offset {offset}; lines must end with LF or CRLF"
    )]
    LoneCarriageReturn {
        /// The byte offset.
        offset: usize,
    },
}

/// A problem with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextFault {
    /// Byte offset in the file.
    pub offset: usize,
    /// Line and column.
    pub position: Position,
    /// The problem.
    pub problem: TextProblem,
}

/// Encodings by byte order mark; four bytes before two, because UTF-32 LE begins like UTF-16 LE.
const MARKS: &[(&[u8], &str)] = &[
    (&[0xFF, 0xFE, 0, 0], "UTF-32 LE"),
    (&[0, 0, 0xFE, 0xFF], "UTF-32 BE"),
    (&[0xFF, 0xFE], "UTF-16 LE"),
    (&[0xFE, 0xFF], "UTF-16 BE"),
];

/// Decodes the bytes, keeping a BOM.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, TextFault> {
    if let Some((_, encoding)) = MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Err(TextFault {
            offset: 0,
            position: Position { line: 1, column: 1 },
            problem: TextProblem::Encoding { encoding },
        });
    }
    let (text, bad) = match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            let byte = bytes[at];
            bytes.truncate(at);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (text, Some(TextProblem::InvalidUtf8 { byte, offset: at }))
        }
    };
    let nul = text.bytes().position(|byte| byte == 0);
    let fault = nul
        .map(|offset| (offset, TextProblem::NulByte { offset }))
        .or(bad.map(|problem| (text.len(), problem)));
    match fault {
        None => Ok(text),
        Some((offset, problem)) => Err(TextFault {
            offset,
            position: position(&text, offset),
            problem,
        }),
    }
}

/// Checks that lines end in LF or CRLF.
pub(super) fn check_line_ends(text: &str) -> Result<(), TextFault> {
    let bytes = text.as_bytes();
    let lone = bytes
        .iter()
        .enumerate()
        .find(|(at, byte)| **byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
    match lone {
        None => Ok(()),
        Some((offset, _)) => Err(TextFault {
            offset,
            position: position(text, offset),
            problem: TextProblem::LoneCarriageReturn { offset },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf8_is_text() {
        let check = |bytes: &[u8], expected: Result<&str, (u32, u32, TextProblem)>| {
            let found = decode(bytes.to_vec()).and_then(|text| {
                check_line_ends(&text)?;
                Ok(text)
            });
            match expected {
                Ok(text) => assert_eq!(found.as_deref(), Ok(text)),
                Err((line, column, problem)) => {
                    let fault = found.unwrap_err();
                    assert_eq!(fault.problem, problem, "{bytes:?}");
                    assert_eq!(fault.position, Position { line, column }, "{bytes:?}");
                }
            }
        };
        check(b"", Ok(""));
        check("a\r\nżółć\n".as_bytes(), Ok("a\r\nżółć\n"));
        check("\u{feff}a".as_bytes(), Ok("\u{feff}a"));
        let encoding = |encoding| Err((1, 1, TextProblem::Encoding { encoding }));
        check(b"\xFF\xFEa\0", encoding("UTF-16 LE"));
        check(b"\xFE\xFF\0a", encoding("UTF-16 BE"));
        check(b"\xFF\xFE\0\0a\0\0\0", encoding("UTF-32 LE"));
        check(b"\0\0\xFE\xFF\0\0\0a", encoding("UTF-32 BE"));
        let invalid = TextProblem::InvalidUtf8 {
            byte: 0xE4,
            offset: 4,
        };
        check(b"a\nb \xE4\0", Err((2, 3, invalid)));
        check(
            b"ab\n\0\xE4",
            Err((2, 1, TextProblem::NulByte { offset: 3 })),
        );
        let lone = |offset| TextProblem::LoneCarriageReturn { offset };
        check(b"ab\r\nc\rd", Err((2, 2, lone(5))));
        check(b"a\r\r\n", Err((1, 2, lone(1))));
        check(b"a\r", Err((1, 2, lone(1))));
    }
}
