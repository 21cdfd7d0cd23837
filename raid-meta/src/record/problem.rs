//! What is wrong, in words and as a stable code.

use serde::{Deserialize, Serialize};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, nothing to do.
    Note,
    /// Something is not as it should be, but what is asked for can be done.
    Warning,
    /// Something can not be trusted or done.
    Error,
}

/// One problem: `{code, severity, message}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Stable name, lower-case with hyphens, for programs.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// One line for people: what, where, found, expected.
    pub message: String,
}

impl Problem {
    /// An error.
    #[must_use]
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), severity: Severity::Error, message: message.into() }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), severity: Severity::Warning, message: message.into() }
    }

    /// A note.
    #[must_use]
    pub fn note(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), severity: Severity::Note, message: message.into() }
    }

    /// Whether this is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
