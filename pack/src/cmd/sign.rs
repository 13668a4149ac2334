//! `sealift sign`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::signer::SignerArgs;
use super::{Answer, read};
use crate::exit::Usage;
use crate::hex;
use crate::keys::PublicKey;
use crate::signer::Signer;
use crate::{output, package};

/// Signs a package as an OEM.
///
/// With --key or --signer the signature goes into PACKAGE, or into a copy with -o. With --detached and --public-key nothing is signed here: the exact
/// bytes to be signed (the COSE Sig_structure) go to PACKAGE.tbs and what they are to PACKAGE.tbs.json. Sign PACKAGE.tbs wherever the key
/// is (Ed25519, without hashing it first), and bring the 64 bytes back with `sealift attach PACKAGE SIGNATURE --public-key KEY`.
#[derive(Debug, Args)]
pub struct Sign {
    /// The package.
    package: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// Write the bytes to be signed elsewhere.
    #[arg(long, requires = "public_key", conflicts_with_all = ["key", "signer"])]
    detached: bool,
    /// The public half of the key that will sign elsewhere.
    #[arg(long, value_name = "FILE", requires = "detached")]
    public_key: Option<PathBuf>,
    /// Where the signed package goes; by default it replaces PACKAGE.
    #[arg(short, long, value_name = "FILE", conflicts_with = "detached")]
    output: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Sign) -> anyhow::Result<()> {
    let bytes = read(&args.package, "package")?;
    if let Some(key) = &args.public_key {
        return detach(args, &bytes, key);
    }
    match args.signer.open()? {
        Some(key) => sign(args, &bytes, key.as_ref()),
        None => Err(Usage {
            what: "no key is named: expected --key FILE, --signer URI, or --detached with --public-key FILE".into(),
            hint: "`sealift keygen` makes a key".into(),
        }
        .into()),
    }
}

fn sign(args: &Sign, bytes: &[u8], key: &dyn Signer) -> anyhow::Result<()> {
    let signed = package::sign(bytes, key).with_context(|| format!("cannot sign {}", args.package.display()))?;
    let output = args.output.as_ref().unwrap_or(&args.package);
    output::write(output, &signed)?;
    let id = hex::encode(&key.public().id());
    Answer::new(args.json)
        .json(json!({ "package": output, "size": signed.len(), "key_id": id }))
        .text(format_args!("{} signed by key {id}", output.display()))
        .print()
}

fn detach(args: &Sign, bytes: &[u8], key: &Path) -> anyhow::Result<()> {
    let key = PublicKey::read(key)?;
    let prepared = package::to_be_signed(bytes, &key).with_context(|| format!("cannot sign {}", args.package.display()))?;
    let what = "COSE Sig_structure (RFC 9052 section 4.4) of an OEM signature over a Sealift package";
    let written = Elsewhere { what, package: &args.package, key: &key, prepared: &prepared }.write(&args.package, bytes)?;
    written.answer(args.json, &args.package).print()
}

/// Bytes that a key elsewhere is to sign.
pub(super) struct Elsewhere<'a> {
    pub(super) what: &'a str,
    pub(super) package: &'a Path,
    pub(super) key: &'a PublicKey,
    pub(super) prepared: &'a package::ToBeSigned,
}

/// The files for it.
pub(super) struct Written {
    tbs: PathBuf,
    about: PathBuf,
    id: String,
}

impl Elsewhere<'_> {
    /// Writes `name`.tbs and `name`.tbs.json.
    pub(super) fn write(&self, name: &Path, bytes: &[u8]) -> anyhow::Result<Written> {
        let opened = package::OpenedSet::parse(bytes)?;
        let [tbs, about] = [".tbs", ".tbs.json"].map(|ending| {
            let mut name = name.to_owned().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        });
        let id = hex::encode(&self.key.id());
        let facts = json!({
            "what": self.what,
            "algorithm": "Ed25519 over the bytes as they are",
            "package": self.package.file_name().map(|name| name.to_string_lossy()),
            "manifest_digest": hex::encode(opened.envelope.digest),
            "sequence": opened.manifest.first().sequence,
            "key_id": id,
            "protected": hex::encode(&self.prepared.protected),
            "to_be_signed": hex::encode(&self.prepared.bytes),
        });
        output::write(&tbs, &self.prepared.bytes)?;
        output::write(&about, format!("{facts:#}\n").as_bytes())?;
        Ok(Written { tbs, about, id })
    }
}

impl Written {
    /// What to do with them.
    pub(super) fn answer(&self, json: bool, package: &Path) -> Answer {
        let (tbs, about, id) = (&self.tbs, &self.about, &self.id);
        Answer::new(json)
            .json(json!({ "to_be_signed": tbs, "about": about, "key_id": id }))
            .text(format_args!("{} to be signed by key {id}\n{}", tbs.display(), about.display()))
            .text(format_args!("next: sign the first, then sealift attach {} SIGNATURE --public-key KEY --about {}", package.display(), about.display()))
    }
}
