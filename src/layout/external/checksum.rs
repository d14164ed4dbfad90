//! Computes checksums of other tools.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha384};
use siphasher::sip::SipHasher13;

use super::ExternalTool;

/// Returns whether `recorded`, as written by the tool, is the checksum of this script. Converted
/// line endings are ignored. Returns `None` if the tool stores no checksum that can be computed.
///
/// `file` is the file's name, without its directory.
pub fn checksum_matches(
    tool: ExternalTool,
    recorded: &str,
    file: &str,
    text: &str,
) -> Option<bool> {
    let lf = text.replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    let mut texts = [text, &lf, &crlf].into_iter();
    match tool {
        ExternalTool::Sqlx => Some(texts.any(|text| sqlx(text).eq_ignore_ascii_case(recorded))),
        ExternalTool::Refinery => {
            let (version, name) = refinery_name(file)?;
            Some(texts.any(|text| refinery(version, name, text).contains(&recorded.to_owned())))
        }
        ExternalTool::Flyway => Some(flyway(text).to_string() == recorded),
        _ => None,
    }
}

/// Returns SHA-384 of the file.
fn sqlx(text: &str) -> String {
    format!("{:x}", Sha384::digest(text))
}

/// Returns `1` and `create_users` for `V1__create_users.sql`.
fn refinery_name(file: &str) -> Option<(i64, &str)> {
    let stem = file.strip_suffix(".sql")?;
    let (version, name) = stem.get(1..)?.split_once("__")?;
    Some((version.parse().ok()?, name))
}

/// Returns SipHash 1-3 of name, version and script, as hashed by Rust: with 64-bit versions and
/// with 32-bit versions, which are the usual ones.
fn refinery(version: i64, name: &str, text: &str) -> Vec<String> {
    let hash = |version: &dyn Fn(&mut SipHasher13)| {
        let mut hasher = SipHasher13::new();
        name.hash(&mut hasher);
        version(&mut hasher);
        text.hash(&mut hasher);
        hasher.finish().to_string()
    };
    let narrow = i32::try_from(version).ok();
    let narrow = narrow.map(|version| hash(&|hasher| version.hash(hasher)));
    let wide = hash(&|hasher| version.hash(hasher));
    narrow.into_iter().chain([wide]).collect()
}

/// Returns CRC-32 of the lines without their ends, as a signed number; a byte order mark is
/// ignored.
fn flyway(text: &str) -> i32 {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut crc = crc32fast::Hasher::new();
    for line in text.split(['\n', '\r']) {
        crc.update(line.as_bytes());
    }
    crc.finalize().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL);\n";

    fn check(tool: ExternalTool, recorded: &str, file: &str, text: &str, expected: Option<bool>) {
        let found = checksum_matches(tool, recorded, file, text);
        assert_eq!(found, expected, "{tool} {file} {text:?}");
    }

    #[test]
    fn sqlx_hashes_the_file() {
        let text = format!("-- Create users\n{USERS}");
        let recorded = "874ef5bd9312e8d06199353eeed9423c0de2455a7cfb3bc3fa9edd64388482fa\
                        b2e41f94e2be496e3e27c7278f18b94d";
        let file = "20260101000001_create_users.up.sql";
        check(ExternalTool::Sqlx, recorded, file, &text, Some(true));
        check(
            ExternalTool::Sqlx,
            &recorded.to_uppercase(),
            file,
            &text,
            Some(true),
        );
        let converted = text.replace('\n', "\r\n");
        check(ExternalTool::Sqlx, recorded, file, &converted, Some(true));
        check(
            ExternalTool::Sqlx,
            recorded,
            file,
            &text.replace("id ", "ID "),
            Some(false),
        );
        check(ExternalTool::Sqlx, "", file, &text, Some(false));
    }

    #[test]
    fn refinery_hashes_name_version_and_script() {
        let recorded = "8430260019869933421";
        check(
            ExternalTool::Refinery,
            recorded,
            "V1__create_users.sql",
            USERS,
            Some(true),
        );
        check(
            ExternalTool::Refinery,
            recorded,
            "V2__create_users.sql",
            USERS,
            Some(false),
        );
        check(
            ExternalTool::Refinery,
            recorded,
            "V1__create_user.sql",
            USERS,
            Some(false),
        );
        check(
            ExternalTool::Refinery,
            recorded,
            "1_create_users.sql",
            USERS,
            None,
        );
    }

    #[test]
    fn flyway_leaves_line_ends_out() {
        let file = "V1__create_users.sql";
        let check = |recorded: &str, text: &str, expected: bool| {
            check(ExternalTool::Flyway, recorded, file, text, Some(expected));
        };
        check("-6199158", USERS, true);
        check("-6199158", &USERS.replace('\n', "\r\n"), true);
        check("-6199158", &format!("\u{feff}{USERS}\n"), true);
        check("-6199158", &USERS.replace("id ", "ID "), false);
        check("0", "", true);
        check("-873187034", "123456789", true);
    }

    #[test]
    fn others_keep_none() {
        for tool in [
            ExternalTool::Dbmate,
            ExternalTool::Goose,
            ExternalTool::Diesel,
        ] {
            check(tool, "1", "1_x.sql", USERS, None);
        }
    }
}
