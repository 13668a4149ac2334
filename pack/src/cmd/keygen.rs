//! `sealift keygen`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Answer;
use crate::hex;
use crate::keys::PrivateKey;

/// Makes an Ed25519 key pair: NAME.key.pem (PKCS#8, mode 0600) and NAME.pub.pem.
///
/// Existing files are never replaced. `openssl pkey` reads both.
#[derive(Debug, Args)]
pub struct Keygen {
    /// Whom the key is for. It changes nothing in the files: a device takes a key's role from its trust record.
    #[arg(long, value_enum)]
    role: Role,
    /// The files' name, without endings.
    #[arg(short, long, value_name = "NAME")]
    output: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    Oem,
    Operator,
    Regulator,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Oem => "oem",
            Self::Operator => "operator",
            Self::Regulator => "regulator",
        }
    }
}

pub(super) fn run(args: &Keygen) -> anyhow::Result<()> {
    let [private, public] = [".key.pem", ".pub.pem"].map(|ending| with_ending(&args.output, ending));
    let key = PrivateKey::generate()?;
    // The public half first: if the private one cannot be written, no secret is left without its name.
    key.public().write(&public)?;
    if let Err(error) = key.write(&private) {
        // Ours, made a moment ago.
        let _ = std::fs::remove_file(&public);
        return Err(error.into());
    }
    let id = hex::encode(&key.public().id());
    let role = args.role.name();
    Answer::new(args.json)
        .json(json!({ "role": role, "key_id": id, "private_key": private, "public_key": public }))
        .text(format_args!(
            "{} (keep it secret)\n{}\nkey id {id}\nnext: sealift trust add TRUST --key {} --role {role}",
            private.display(),
            public.display(),
            public.display(),
        ))
        .print()
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut text: OsString = name.as_os_str().to_owned();
    text.push(ending);
    text.into()
}
