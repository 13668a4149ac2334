//! `sealift approve`

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::rebuild::{ImageArgs, report};
use super::sign::Elsewhere;
use super::signer::SignerArgs;
use super::{Answer, read, values};
use crate::exit::Usage;
use crate::keys::PublicKey;
use crate::package::{self, Approval, OpenedSet};
use crate::{hex, output, time};

/// Approves a package for a network: makes a small file that anyone can attach to it.
///
/// The approval covers this very manifest and nothing else. The package is not changed. It should have been verified and rehearsed before:
/// approving checks only that it is whole; with --rebuild also that its patch comes out of the two images bit for bit, and signs nothing
/// otherwise.
#[derive(Debug, Args)]
pub struct Approve {
    /// The package.
    package: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// Write the bytes to be signed elsewhere, to BLOCK.tbs, and what they are to BLOCK.tbs.json.
    #[arg(long, requires = "public_key", conflicts_with_all = ["key", "signer"])]
    detached: bool,
    /// The public half of the key that will sign elsewhere.
    #[arg(long, value_name = "FILE", requires = "detached")]
    public_key: Option<PathBuf>,
    /// Make the patch again from --old and --new, and approve only if it is the same.
    #[arg(long, requires = "new")]
    rebuild: bool,
    #[command(flatten)]
    images: ImageArgs,
    /// Who approves, as MCC-MNC (310-410) or a URI of at most 32 bytes.
    #[arg(long, value_name = "ID")]
    operator: String,
    /// Only for devices of this class.
    #[arg(long, value_name = "UUID", value_parser = values::class)]
    class: Option<Uuid>,
    /// Valid from this time: RFC 3339, seconds since 1970, or `now`.
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    not_before: Option<u64>,
    /// Valid before this time: RFC 3339 or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    not_after: Option<u64>,
    /// Epoch of the approval: a trust record can ask for a lowest one, which revokes all before.
    #[arg(long, value_name = "N")]
    epoch: Option<u64>,
    /// Where the approval goes; by default PACKAGE.approval.
    #[arg(short, long, value_name = "BLOCK")]
    output: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

impl Approve {
    fn block_path(&self) -> PathBuf {
        self.output.clone().unwrap_or_else(|| {
            let mut name = self.package.clone().into_os_string();
            name.push(".approval");
            name.into()
        })
    }
}

pub(super) fn run(args: &Approve) -> anyhow::Result<()> {
    if let (Some(from), Some(until)) = (args.not_before, args.not_after)
        && from >= until
    {
        let what = format!("the approval would end ({}) before it begins ({})", time::format(until), time::format(from));
        return Err(Usage { what, hint: "give a --not-after that is later than --not-before".into() }.into());
    }
    let bytes = read(&args.package, "package")?;
    let context = || format!("cannot approve {}", args.package.display());
    let opened = OpenedSet::parse(&bytes).with_context(context)?;
    let class = Uuid::from_bytes(opened.manifest.first().class);
    if let Some(asked) = args.class.filter(|asked| *asked != class) {
        let what = format!("the package is for class {class}, the approval would be for {asked}: no device could use it");
        return Err(Usage { what, hint: "leave --class away, or give the package's".into() }.into());
    }
    let rebuilt = if args.rebuild { Some(args.images.rebuild(&bytes)?) } else { None };
    let approval = Approval { operator: &args.operator, class: args.class, not_before: args.not_before, not_after: args.not_after, epoch: args.epoch };
    if let Some(path) = &args.public_key {
        let key = PublicKey::read(path)?;
        let prepared = package::to_be_approved(&bytes, &key, &approval).with_context(context)?;
        let what = "COSE Sig_structure (RFC 9052 section 4.4) of an approval of a Sealift package";
        let written = Elsewhere { what, package: &args.package, key: &key, prepared: &prepared }.write(&args.block_path(), &bytes)?;
        return written.answer(args.json, &args.package).print();
    }
    let key = args.signer.open()?.ok_or_else(|| Usage {
        what: "no key is named: expected --key FILE, --signer URI, or --detached with --public-key FILE".into(),
        hint: "`sealift keygen --role operator` makes a key".into(),
    })?;
    let key = key.as_ref();
    let block = package::approve(&bytes, key, &approval).with_context(context)?;
    let output = args.block_path();
    output::write(&output, &block)?;
    let id = hex::encode(&key.public().id());
    Answer::new(args.json)
        .json(json!({
            "approval": output,
            "size": block.len(),
            "manifest_digest": hex::encode(opened.envelope.digest),
            "operator": args.operator,
            "key_id": id,
            "rebuilt": rebuilt.as_deref().map(report),
        }))
        .text(format_args!("{} ({} bytes): {} approves by key {id}", output.display(), block.len(), args.operator))
        .text(format_args!("next: sealift attach {} {}", args.package.display(), output.display()))
        .print()
}
