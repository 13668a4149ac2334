//! Trust records in the forms that carry them to devices: device management trees, and smart cards.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::super::{Answer, read};
use crate::exit::Advised;
use crate::oma::{ddf, tnds, trust_tree};
use crate::output::{self, Access};
use crate::{trust, trust_card};

/// How a record is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A serialised device management tree: TNDS, as XML.
    Tnds,
    /// The same as WBXML.
    TndsWbxml,
    /// The content of a transparent elementary file: BER-TLV.
    Card,
    /// The description of the management object: DDF. For export only.
    Ddf,
}

/// The node is `urn:sealift:mo:trust:1.0`, with the trust file as Base64 in its leaf `Record`. The elementary file is that of SPEC section 9.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The trust record.
    trust: PathBuf,
    /// How.
    #[arg(long = "as", value_enum)]
    form: Form,
    /// Where it goes. An existing file is not replaced.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Name of the node.
    #[arg(long, value_name = "NAME", default_value = "Sealift")]
    node: String,
    /// Bytes of the elementary file: the rest is filled.
    #[arg(long, value_name = "BYTES")]
    size: Option<usize>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

/// Nothing is accepted by importing: `sealift trust accept` says what a device would do with the record.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The tree or the elementary file's content. Its form is told by its first bytes.
    file: PathBuf,
    /// Where the trust record goes. An existing file is not replaced.
    #[arg(short, long, value_name = "TRUST")]
    output: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn export(args: &Export) -> anyhow::Result<()> {
    let trust = read(&args.trust, "trust record")?;
    let record = trust::record(&trust)?;
    let tree = || trust_tree::to_tree(&args.node, &trust);
    let bytes = match args.form {
        Form::Tnds => tree().write()?,
        Form::TndsWbxml => tree().write_wbxml()?,
        Form::Ddf => trust_tree::description().write()?,
        Form::Card => trust_card::write(&trust, args.size)?,
    };
    output::write_new(&args.output, &bytes, Access::Shared)?;
    Answer::new(args.json)
        .json(json!({ "file": args.output, "size": bytes.len(), "number": record.number }))
        .text(format_args!("{}: record {} in {} bytes", args.output.display(), record.number, bytes.len()))
        .print()
}

pub(super) fn import(args: &Import) -> anyhow::Result<()> {
    let bytes = read(&args.file, "file")?;
    let refused = |error: Box<dyn std::error::Error + Send + Sync>| Advised {
        what: format!("{} holds no trust record", args.file.display()),
        hint: "give what `sealift trust export` writes, or what a device or card gave back".into(),
        source: Some(error),
    };
    let trust = match bytes.first() {
        Some(&(trust_card::TAG_OBJECT | trust_card::FILLER)) => trust_card::read(&bytes).map_err(|error| refused(error.into()))?.to_vec(),
        Some(b'<' | 0xef) => {
            let tree = tnds::Tree::read(&bytes).map_err(|error: ddf::Error| refused(error.into()))?;
            trust_tree::from_tree(&tree).map_err(|error| refused(error.into()))?
        }
        _ => {
            let tree = tnds::Tree::read_wbxml(&bytes).map_err(|error: ddf::Error| refused(error.into()))?;
            trust_tree::from_tree(&tree).map_err(|error| refused(error.into()))?
        }
    };
    let number = trust::record(&trust).map_err(|error| refused(error.into()))?.number;
    output::write_new(&args.output, &trust, Access::Shared)?;
    Answer::new(args.json)
        .json(json!({ "trust": args.output, "number": number }))
        .text(format_args!("{}: record {number}", args.output.display()))
        .text(format_args!("next: sealift trust accept CURRENT {}", args.output.display()))
        .print()
}
