//! `sealift trust`

mod carry;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use sealift_formats::trust::Unapproved;
use serde_json::json;

use super::signer::SignerArgs;
use super::values::{self, ClassOrAny};
use super::{Answer, read, rejected_as_json};
use crate::exit::Usage;
use crate::keys::PublicKey;
use crate::output::{self, Access};
use crate::trust::{self as record, NewKey, Policy, replacement};
use crate::{hex, inspect};

/// Makes and changes trust records: which keys a device knows, in which roles, and what it demands of them.
///
/// Each change makes a record of the next number. A device takes its first record at manufacture; a later one must be signed under the keys
/// of the old and of the new one.
#[derive(Debug, Args)]
pub struct Trust {
    #[command(subcommand)]
    verb: TrustVerb,
}

#[derive(Debug, Subcommand)]
enum TrustVerb {
    /// Makes the first record: one OEM key, whose signature every class of devices asks for.
    New(New),
    /// Adds a key.
    Add(Add),
    /// Removes a key.
    Remove(Remove),
    /// Sets or removes what a class of devices demands.
    Policy(PolicyArgs),
    /// Raises a floor: of sequence numbers, or of the epochs of a key's approvals.
    Floor(Floor),
    /// Signs a record, so that devices take it in place of the one they have.
    Sign(Sign),
    /// Says whether a device with one record would take another in its place, and puts it there.
    Accept(Accept),
    /// Writes a record as a device management tree (TNDS), or as the content of a smart card's elementary file.
    Export(carry::Export),
    /// Reads a record from a device management tree, or from the content of a smart card's elementary file.
    Import(carry::Import),
    /// Shows a record.
    Show(Show),
}

/// A record is taken only when enough OEM keys of the record in force, and enough of the new one, have signed it: run it once a key.
#[derive(Debug, Args)]
struct Sign {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    signer: SignerArgs,
}

/// Runs the device's own code. A record that a device would refuse makes the exit code 3.
#[derive(Debug, Args)]
struct Accept {
    /// The record in force.
    current: PathBuf,
    /// The record that is to replace it.
    new: PathBuf,
    /// Where the accepted record goes; by default it replaces CURRENT.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct New {
    #[command(flatten)]
    key: KeyArgs,
    /// Where the record goes. An existing file is not replaced.
    #[arg(short, long, value_name = "TRUST")]
    output: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct KeyArgs {
    /// The public key: SubjectPublicKeyInfo PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What it may do: oem, operator, regulator, or a name of your own.
    #[arg(long)]
    role: String,
    /// Whose it is, for people.
    #[arg(long)]
    owner: Option<String>,
    /// The lowest epoch that counts in this key's approvals.
    #[arg(long, value_name = "N")]
    epoch_floor: Option<u64>,
}

#[derive(Debug, Args)]
struct File {
    /// The trust record.
    trust: PathBuf,
    /// Where the changed record goes; by default it replaces TRUST.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Add {
    #[command(flatten)]
    file: File,
    #[command(flatten)]
    key: KeyArgs,
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false, args = ["key", "key_id"])]
struct Remove {
    #[command(flatten)]
    file: File,
    /// The public key.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The key's id, as `trust show` has it.
    #[arg(long, value_name = "HEX", value_parser = key_id)]
    key_id: Option<KeyId>,
}

#[derive(Debug, Args)]
struct PolicyArgs {
    #[command(flatten)]
    file: File,
    /// The class, or `any` for every class without a policy of its own.
    #[arg(long, value_name = "UUID|any", value_parser = values::class_or_any)]
    class: ClassOrAny,
    /// How many keys of a role must have signed, as in operator=1; once a role. `oem` must be among them.
    #[arg(long, value_name = "ROLE=COUNT", value_parser = values::requirement, required_unless_present = "remove")]
    require: Vec<(String, u8)>,
    /// What happens to a package that the OEM has signed but another role has not.
    #[arg(long, value_enum, default_value = "reject")]
    unapproved: WhenUnapproved,
    /// Remove the policy for this class.
    #[arg(long, conflicts_with_all = ["require"])]
    remove: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhenUnapproved {
    /// It is refused.
    Reject,
    /// The user is asked.
    Ask,
}

#[derive(Debug, Args)]
#[group(id = "floor", required = true, multiple = true, args = ["sequence", "epoch"])]
struct Floor {
    #[command(flatten)]
    file: File,
    /// No package with a lower sequence number is taken.
    #[arg(long, value_name = "N")]
    sequence: Option<u64>,
    /// Approvals with a lower epoch by the key of --key do not count.
    #[arg(long, value_name = "N", requires = "key")]
    epoch: Option<u64>,
    /// The public key whose approvals are meant.
    #[arg(long, value_name = "FILE", requires = "epoch")]
    key: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Show {
    /// The trust record.
    trust: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Trust) -> anyhow::Result<()> {
    match &args.verb {
        TrustVerb::New(args) => new(args),
        TrustVerb::Add(args) => change(&args.file, |trust| Ok(trust.add(args.key.read()?)?)),
        TrustVerb::Remove(args) => change(&args.file, |trust| {
            let id = match (&args.key, &args.key_id) {
                (Some(path), _) => PublicKey::read(path)?.id().to_vec(),
                (None, Some(KeyId(id))) => id.clone(),
                (None, None) => unreachable!("clap asks for one of them"),
            };
            Ok(trust.remove(&id)?)
        }),
        TrustVerb::Policy(args) => change(&args.file, |trust| {
            let class = args.class.0;
            if args.remove {
                return Ok(trust.remove_policy(class)?);
            }
            let unapproved = match args.unapproved {
                WhenUnapproved::Reject => Unapproved::Refuse,
                WhenUnapproved::Ask => Unapproved::Ask,
            };
            Ok(trust.set_policy(Policy { class, require: args.require.clone(), unapproved })?)
        }),
        TrustVerb::Floor(args) => change(&args.file, |trust| {
            if let Some(floor) = args.sequence {
                trust.raise_sequence_floor(floor)?;
            }
            if let (Some(floor), Some(key)) = (args.epoch, &args.key) {
                trust.raise_epoch_floor(&PublicKey::read(key)?.id(), floor)?;
            }
            Ok(())
        }),
        TrustVerb::Sign(args) => sign(args),
        TrustVerb::Accept(args) => accept(args),
        TrustVerb::Export(args) => carry::export(args),
        TrustVerb::Import(args) => carry::import(args),
        TrustVerb::Show(args) => show(args),
    }
}

fn new(args: &New) -> anyhow::Result<()> {
    let trust = record::Trust::new(args.key.read()?)?;
    let bytes = trust.to_bytes().with_context(|| format!("cannot make {}", args.output.display()))?;
    output::write_new(&args.output, &bytes, Access::Shared)?;
    told(args.json, &args.output, &trust, &bytes)
}

fn change(file: &File, act: impl FnOnce(&mut record::Trust) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let context = || format!("cannot change {}", file.trust.display());
    let mut trust = record::Trust::parse(&read(&file.trust, "trust record")?).with_context(context)?;
    act(&mut trust).with_context(context)?;
    let bytes = trust.to_bytes().with_context(context)?;
    let output = file.output.as_ref().unwrap_or(&file.trust);
    output::write(output, &bytes)?;
    told(file.json, output, &trust, &bytes)
}

fn sign(args: &Sign) -> anyhow::Result<()> {
    let context = || format!("cannot sign {}", args.file.trust.display());
    let bytes = read(&args.file.trust, "trust record")?;
    let key = args.signer.open()?.ok_or_else(|| Usage {
        what: "no key is named: expected --key FILE or --signer URI".into(),
        hint: "sign with OEM keys of the record in force and of the new one".into(),
    })?;
    let signed = replacement::sign(&bytes, key.as_ref()).with_context(context)?;
    let output = args.file.output.as_ref().unwrap_or(&args.file.trust);
    output::write(output, &signed)?;
    let id = hex::encode(&key.public().id());
    Answer::new(args.file.json)
        .json(json!({ "trust": output, "key_id": id, "size": signed.len() }))
        .text(format_args!("{} signed by key {id}", output.display()))
        .print()
}

fn accept(args: &Accept) -> anyhow::Result<()> {
    let (current, new) = (read(&args.current, "trust record")?, read(&args.new, "trust record")?);
    let verdict = replacement::accept(&current, &new).with_context(|| format!("cannot hold {} against {}", args.new.display(), args.current.display()))?;
    let (from, to) = rejected_as_json(args.json, verdict.map_err(anyhow::Error::from))?;
    let output = args.output.as_ref().unwrap_or(&args.current);
    output::write(output, &new)?;
    Answer::new(args.json)
        .json(json!({ "accepted": true, "trust": output, "from": from, "to": to }))
        .text(format_args!("accepted: record {to} takes the place of record {from} in {}", output.display()))
        .print()
}

fn told(json: bool, path: &Path, trust: &record::Trust, bytes: &[u8]) -> anyhow::Result<()> {
    let notes = trust.notes();
    let mut answer = Answer::new(json).json(json!({ "trust": path, "number": trust.number(), "size": bytes.len(), "notes": notes })).text(format_args!(
        "{}: record {} ({} bytes)",
        path.display(),
        trust.number(),
        bytes.len()
    ));
    for note in &notes {
        answer = answer.text(format_args!("note: {note}"));
    }
    answer.print()
}

fn show(args: &Show) -> anyhow::Result<()> {
    let bytes = read(&args.trust, "trust record")?;
    let trust = record::Trust::parse(&bytes).with_context(|| format!("cannot show {}", args.trust.display()))?;
    let shown = inspect::trust::read(&bytes)?;
    let mut answer = Answer::new(args.json).json(serde_json::to_value(&shown)?).text(format_args!("{shown}"));
    for note in trust.notes() {
        answer = answer.text(format_args!("note: {note}"));
    }
    answer.print()
}

impl KeyArgs {
    fn read(&self) -> anyhow::Result<NewKey> {
        let public = PublicKey::read(&self.key)?;
        Ok(NewKey { public, role: self.role.clone(), owner: self.owner.clone(), epoch_floor: self.epoch_floor })
    }
}

/// A key id of 1 to 16 bytes. A type of its own, since clap takes a `Vec` for an argument that may be given several times.
#[derive(Clone, Debug)]
struct KeyId(Vec<u8>);

fn key_id(text: &str) -> Result<KeyId, String> {
    let wrong = || format!("`{text}` is no key id: expected 2 to 32 hexadecimal digits");
    if !text.is_ascii() || !(2..=32).contains(&text.len()) || !text.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let bytes = (0..text.len()).step_by(2).map(|at| hex::decode::<1>(&text[at..at + 2]).map(|[byte]| byte));
    bytes.collect::<Option<_>>().map(KeyId).ok_or_else(wrong)
}
