use crate::{
    lint::rules,
    report::{
        CodesView, ExplainView, ExplainedCode, Output, RuleView,
        codes::{self, CODES, Code},
        error::Error,
        exit::Exit,
    },
};

/// Explain an error code or a rule of lint, or list all
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Error code, such as M203, or a rule by its code or name, such as L101
    code: Option<String>,
}

pub fn cmd_explain(args: &ExplainArgs, output: &Output) -> Result<Exit, Error> {
    let Some(text) = &args.code else {
        output.result(&CodesView {
            codes: CODES.iter().map(explained).collect(),
            rules: rules::ALL,
        });
        return Ok(Exit::Done);
    };
    let id = normal(text);
    let rule = rules::find(&id).or_else(|| rules::find(&text.to_ascii_lowercase()));
    if let Some(rule) = rule {
        output.result(&RuleView { rule });
        return Ok(Exit::Done);
    }
    let Some(code) = CODES.iter().find(|code| code.id == id) else {
        return Err(
            Error::new(codes::M461, format!("there is no error code `{text}`")).hint(
                match nearest(&id) {
                    Some(code) => format!("did you mean {} ({})?", code.id, code.title),
                    None => "`migrator explain` lists all of them".to_owned(),
                },
            ),
        );
    };
    output.result(&ExplainView {
        code: explained(code),
    });
    Ok(Exit::Done)
}

fn explained(code: &Code) -> ExplainedCode {
    ExplainedCode {
        id: code.id,
        title: code.title,
        explanation: code.explanation,
        exit_status: code.exit.status(),
    }
}

/// Normalizes `203`, `m203` and `error[M203]` to `M203`.
fn normal(text: &str) -> String {
    let text = text.trim().trim_start_matches("error");
    let text = text.trim_matches(['[', ']', ':']).to_uppercase();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        format!("M{text}")
    } else {
        text
    }
}

/// The code with the nearest number, if `id` looks like a code.
fn nearest(id: &str) -> Option<&'static Code> {
    let number = |id: &str| id.get(1..).and_then(|digits| digits.parse::<u32>().ok());
    let wanted = number(id)?;
    let alike = crate::nearest::nearest(id, CODES.iter().map(|code| code.id), CODES.len());
    let alike = CODES.iter().filter(|code| alike.contains(&code.id));
    alike.min_by_key(|code| number(code.id).unwrap_or_default().abs_diff(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_understood_however_they_are_written() {
        for text in [
            "M203",
            "m203",
            "203",
            "error[M203]",
            "error[M203]:",
            " [M203] ",
        ] {
            assert_eq!(normal(text), "M203", "{text}");
        }
    }

    #[test]
    fn the_nearest_code_is_meant() {
        let check = |id: &str, expected: Option<&str>| {
            assert_eq!(nearest(id).map(|code| code.id), expected, "{id}");
        };
        check("M230", Some("M220"));
        check("M713", Some("M703"));
        check("M20", Some("M201"));
        check("M", None);
        check("XYZ", None);
        check("M99999", None);
    }
}
