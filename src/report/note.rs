//! Warnings and notes about running work.

use std::path::Path;

use super::{Diagnostic, Output, bytes, duration};
use crate::{
    backup::{Note, OwnersCode},
    execute::EventKind,
    project,
};

impl Output {
    /// Prints the warnings and notes of an event, without its progress. Files are shown relative to
    /// `cwd`.
    pub fn told(&self, event: &EventKind, cwd: &Path) {
        match event {
            EventKind::Planned { warnings, .. } => {
                for warning in warnings {
                    self.warn(&warning.into());
                }
            }
            EventKind::BackedUp {
                file,
                size,
                elapsed,
                removed,
                not_removed,
            } => {
                self.waiting(&format!(
                    "backed up to {}: {} in {}",
                    project::show(cwd, file),
                    bytes(*size),
                    duration(*elapsed),
                ));
                for file in removed {
                    let file = project::show(cwd, file);
                    self.waiting(&format!("removed the older backup {file}"));
                }
                if let Some(message) = not_removed {
                    self.warn(&Diagnostic {
                        message: message.clone(),
                        ..Diagnostic::default()
                    });
                }
            }
            _ => {}
        }
    }

    /// Prints a note about running work. Files are shown relative to `cwd`.
    pub fn note(&self, note: &Note, cwd: &Path) {
        match note {
            Note::Waiting { file, limit } => self.waiting(&format!(
                "waiting up to {} for {}, which another process has locked",
                duration(*limit),
                project::show(cwd, file)
            )),
            Note::OwnersCode(code) => self.warn(&owners_code(code)),
            Note::NotDropped { name, reason } => self.warn(&Diagnostic {
                message: format!(
                    "the database was replaced, but the old database {name} could not be dropped: {reason}"
                ),
                ..Diagnostic::default()
            }),
        }
    }
}

/// The warning that code of other roles is about to run with the privileges of a role.
fn owners_code(code: &OwnersCode) -> Diagnostic {
    let OwnersCode {
        role,
        superuser,
        owners,
    } = code;
    let role = match superuser {
        true => format!("the superuser {role}"),
        false => format!("the role {role}"),
    };
    let owners = match owners {
        Some(owners) => owners.join(", "),
        None => "possibly other roles; the manifest does not say".to_owned(),
    };
    let hint = "if you do not trust them, load it as a role with no more rights than theirs";
    Diagnostic {
        message: format!("code in the backup runs with the rights of {role} while it is loaded"),
        notes: vec![
            format!("owners of the objects in it: {owners}"),
            "their CHECK constraints, generated columns and the functions used by them are executed"
                .to_owned(),
        ],
        hint: Some(hint.to_owned()),
        ..Diagnostic::default()
    }
}
