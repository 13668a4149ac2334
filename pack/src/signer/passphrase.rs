//! Passphrases and PINs: from a prompt, a file or the environment. Never from the command line, where every process can read them.

use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use zeroize::Zeroizing;

/// Where a passphrase comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Passphrase {
    /// Whoever sits at the terminal types it.
    #[default]
    Prompt,
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable with this name.
    Environment(String),
}

/// There is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the {what} from {}", path.display())]
    File {
        /// What it is for.
        what: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The variable is not set, or no text.
    #[error("the {what} is to come from the environment variable {name}, which is not set to a text")]
    Environment {
        /// What it is for.
        what: String,
        /// The variable.
        name: String,
    },
    /// Nobody to ask.
    #[error("the {what} is needed, and there is no terminal to ask at")]
    NoTerminal {
        /// What it is for.
        what: String,
    },
    /// The terminal failed.
    #[error("cannot ask for the {what}")]
    Prompt {
        /// What it is for.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is empty.
    #[error("the {what} is empty")]
    Empty {
        /// What it is for.
        what: String,
    },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        "give --passphrase-file FILE (its first line) or --passphrase-env NAME, or run it at a terminal".into()
    }
}

impl Passphrase {
    /// The passphrase itself; `what` says what it is for.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, what: &str) -> Result<Zeroizing<String>, Error> {
        let what = || what.to_owned();
        let text = match self {
            Self::File(path) => {
                let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|source| Error::File { what: what(), path: path.clone(), source })?;
                Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
            }
            Self::Environment(name) => Zeroizing::new(env::var(name).map_err(|_| Error::Environment { what: what(), name: name.clone() })?),
            Self::Prompt if !io::stdin().is_terminal() => return Err(Error::NoTerminal { what: what() }),
            Self::Prompt => {
                let prompt = format!("{}: ", what());
                Zeroizing::new(rpassword::prompt_password(prompt).map_err(|source| Error::Prompt { what: what(), source })?)
            }
        };
        if text.is_empty() { Err(Error::Empty { what: what() }) } else { Ok(text) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Error, Passphrase};

    #[test]
    fn a_file_gives_its_first_line_and_nothing_is_said_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        fs::write(&path, "s3cret phrase\nsecond line\n").unwrap();
        let source = Passphrase::File(path.clone());
        assert_eq!(*source.get("PIN").unwrap(), "s3cret phrase");
        assert!(!format!("{source:?}").contains("s3cret"));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(source.get("PIN"), Err(Error::Empty { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(source.get("PIN"), Err(Error::File { .. })));
        let unset = Passphrase::Environment("SEALIFT_TEST_NOT_SET".into());
        assert_eq!(
            unset.get("PIN of t").unwrap_err().to_string(),
            "the PIN of t is to come from the environment variable SEALIFT_TEST_NOT_SET, which is not set to a text"
        );
        // Set for every process.
        assert!(!Passphrase::Environment("PATH".into()).get("PIN").unwrap().is_empty());
    }
}
