//! Which key signs: the arguments that the signing verbs share.

use std::path::PathBuf;

use clap::Args;

use crate::signer::passphrase::Passphrase;
use crate::signer::{Error, Signer, open_file, open_uri};

/// A key in a file, or on a token.
#[derive(Debug, Args)]
pub(super) struct SignerArgs {
    /// The private key: PKCS#8 PEM, encrypted or not.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The private key on a PKCS #11 token: pkcs11:token=...;object=...?module-path=...&pin-source=file:...
    #[arg(long, value_name = "URI", conflicts_with = "key")]
    signer: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Where a passphrase or PIN comes from. Never from the command line itself.
#[derive(Debug, Args)]
pub(super) struct PassphraseArgs {
    /// The passphrase of an encrypted key, or the token's PIN: the first line of this file. Without it there is a prompt.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_env")]
    passphrase_file: Option<PathBuf>,
    /// The passphrase or PIN is in the environment variable of this name.
    #[arg(long, value_name = "NAME")]
    passphrase_env: Option<String>,
}

impl PassphraseArgs {
    /// What was asked for; `None` where nothing was.
    pub(super) fn given(&self) -> Option<Passphrase> {
        match (&self.passphrase_file, &self.passphrase_env) {
            (Some(path), _) => Some(Passphrase::File(path.clone())),
            (None, Some(name)) => Some(Passphrase::Environment(name.clone())),
            (None, None) => None,
        }
    }
}

impl SignerArgs {
    /// The key, ready to sign; `None` where none is named.
    pub(super) fn open(&self) -> Result<Option<Box<dyn Signer>>, Error> {
        let passphrase = self.passphrase.given().unwrap_or_default();
        match (&self.key, &self.signer) {
            (Some(path), _) => open_file(path, &passphrase).map(Some),
            (None, Some(uri)) => open_uri(uri, &passphrase).map(Some),
            (None, None) => Ok(None),
        }
    }
}
