//! `sealift keygen`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Answer;
use super::signer::SignerArgs;
use crate::hex;
use crate::keys::{PrivateKey, PublicKey};

/// Makes an Ed25519 key pair: NAME.key.pem (PKCS#8, mode 0600) and NAME.pub.pem.
///
/// Existing files are never replaced. `openssl pkey` reads both. With --signer (or --key) no key is made: NAME.pub.pem is the public half of
/// the key on the token (or in the file).
#[derive(Debug, Args)]
pub struct Keygen {
    /// Whom the key is for. It changes nothing in the files: a device takes a key's role from its trust record.
    #[arg(long, value_enum)]
    role: Role,
    /// The files' name, without endings.
    #[arg(short, long, value_name = "NAME")]
    output: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
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
    if let Some(there) = args.signer.open()? {
        return public_half(args, &there.public(), &public);
    }
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

fn public_half(args: &Keygen, key: &PublicKey, path: &Path) -> anyhow::Result<()> {
    key.write(path)?;
    let (id, role) = (hex::encode(&key.id()), args.role.name());
    Answer::new(args.json)
        .json(json!({ "role": role, "key_id": id, "public_key": path }))
        .text(format_args!("{}\nkey id {id}\nnext: sealift trust add TRUST --key {} --role {role}", path.display(), path.display()))
        .print()
}

fn with_ending(name: &Path, ending: &str) -> PathBuf {
    let mut text: OsString = name.as_os_str().to_owned();
    text.push(ending);
    text.into()
}
