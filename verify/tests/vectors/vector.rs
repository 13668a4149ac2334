//! One vector: an input, the device that it meets, and what becomes of it.

use std::fmt::Write as _;

use sealift_formats::ErrorKind;
use sealift_formats::capability::CapabilityFile;
use sealift_formats::cose::Block;
use sealift_formats::trust::{TrustFile, TrustRecord};
use sealift_verify::applier::Expectation;
use sealift_verify::replacement::accept_replacement;
use sealift_verify::{Dalek, DeviceState, Error, Verification, Verifier, capability};

use crate::apply_support::{self, Buffers};

/// What the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A whole package. Where the device has an old image, it is installed as well.
    Package,
    /// A whole package for a device of several components, which is installed as well.
    PackageSet,
    /// A trust file that is to replace the trust record in force.
    TrustFile,
    /// A detached approval, for its form alone.
    Approval,
    /// A capability file; a block by the first OEM key must hold.
    Capabilities,
}

const FORMATS: [(Format, &str); 5] = [
    (Format::Package, "package"),
    (Format::PackageSet, "package-set"),
    (Format::TrustFile, "trust-file"),
    (Format::Approval, "approval"),
    (Format::Capabilities, "capabilities"),
];

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is verified, and there was nothing to install.
    Accepted,
    /// The user is to be asked.
    Ask,
    /// It is verified, and makes the new image.
    Installed,
    /// It is refused, for the reason with this code.
    Refused(u16),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// What it shows.
    pub description: String,
    /// The attack that it is part of, by its row in the table of attacks.
    pub attack: Option<u8>,
    pub format: Format,
    pub bytes: Vec<u8>,
    /// The trust record in force.
    pub trust: Vec<u8>,
    pub state: DeviceState,
    /// The old image, when there is one to install over.
    pub old: Option<Vec<u8>>,
    /// The components of a device that has several, with their old images.
    pub components: Vec<(String, Vec<u8>)>,
    pub expected: Outcome,
    /// The text of the reason, with the offset.
    pub reason: String,
}

impl Vector {
    /// What the device says, and the text of its reason.
    pub fn judge(&self) -> (Outcome, String) {
        match self.try_judge() {
            Ok(outcome) => (outcome, String::new()),
            Err(error) => {
                assert!(error.is_rejection(), "{error}");
                (Outcome::Refused(error.code()), error.to_string())
            }
        }
    }

    fn try_judge(&self) -> Result<Outcome, Error> {
        let trust = TrustRecord::parse(&self.trust).unwrap();
        match self.format {
            Format::Package => self.install(&trust).0,
            Format::PackageSet => self.install_set(&trust),
            Format::TrustFile => {
                let file = TrustFile::parse(&self.bytes)?;
                accept_replacement(&trust, &file, Dalek).map(|_| Outcome::Accepted)
            }
            Format::Approval => Ok(Block::parse(&self.bytes).map(|_| Outcome::Accepted)?),
            Format::Capabilities => {
                let (file, signer) = (CapabilityFile::parse(&self.bytes)?, crate::fixture::oem());
                capability::is_signed_by(&file, &signer.id, &signer.public, Dalek).map(|_| Outcome::Accepted)
            }
        }
    }

    /// Verifies the package, and applies its patch where the device has an old image: the outcome, and the bytes written.
    pub fn install(&self, trust: &TrustRecord<'_>) -> (Result<Outcome, Error>, usize) {
        let verifier = Verifier { trust, state: &self.state, signatures: Dalek };
        // Who reads packages of several components judges those of one alike.
        let alone = verifier.verify(&self.bytes).map(|verdict| (*verdict.manifest(), *verdict.report()));
        let as_set = verifier.verify_set(&self.bytes).map(|verdict| (*verdict.manifest().first(), *verdict.report()));
        if !matches!(alone, Err(Error::Format(error)) if error.kind == ErrorKind::SeveralComponents) {
            assert_eq!(as_set, alone, "{}", self.description);
        }
        let verified = match verifier.verify(&self.bytes) {
            Err(error) => return (Err(error), 0),
            Ok(Verification::NeedsConsent(_)) => return (Ok(Outcome::Ask), 0),
            Ok(Verification::Accepted(verified)) => verified,
        };
        let (Some(old), Some(payload)) = (&self.old, verified.report().payload) else { return (Ok(Outcome::Accepted), 0) };
        // A full image needs no old one.
        let old: &[u8] = if verified.old.is_some() { old } else { &[] };
        let patch = [&self.bytes[payload.offset..]];
        let (result, new) = apply_support::apply_pieces(old, patch, Expectation::Manifest(&verified), Buffers::roomy());
        (result.map(|_| Outcome::Installed).map_err(|error| error.reason()), new.bytes.len())
    }

    /// The text file beside the input.
    pub fn write(&self, name: &str) -> String {
        let mut text = format!("# {name}: {}\n", self.description);
        let mut line = |key: &str, value: String| writeln!(text, "{key} = {value}").unwrap();
        line("format", format!("\"{}\"", FORMATS.iter().find(|(format, _)| *format == self.format).unwrap().1));
        if let Some(row) = self.attack {
            line("attack", row.to_string());
        }
        match self.expected {
            Outcome::Accepted => line("outcome", "\"accepted\"".into()),
            Outcome::Ask => line("outcome", "\"ask\"".into()),
            Outcome::Installed => line("outcome", "\"installed\"".into()),
            Outcome::Refused(code) => {
                line("outcome", "\"refused\"".into());
                line("code", code.to_string());
                line("reason", format!("{:?}", self.reason));
            }
        }
        let hex = |bytes: &[u8]| format!("\"{}\"", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let state = &self.state;
        text.push_str("\n[device]\n");
        let mut line = |key: &str, value: String| writeln!(text, "{key} = {value}").unwrap();
        line("vendor", hex(&state.vendor));
        line("class", hex(&state.class));
        // As text: TOML's integers end at 2^63 - 1.
        line("sequence_floor", format!("\"{}\"", state.sequence_floor));
        if let Some(digest) = &state.installed_manifest {
            line("installed_manifest", hex(digest));
        }
        line("security_counter", format!("\"{}\"", state.security_counter));
        if let Some(time) = state.time {
            line("time", format!("\"{time}\""));
        }
        line("trust_record", hex(&self.trust));
        if let Some(old) = &self.old {
            line("old_image", hex(old));
        }
        for (name, old) in &self.components {
            writeln!(text, "\n[[component]]\nname = {name:?}\nold_image = {}", hex(old)).unwrap();
        }
        text
    }

    /// The vector in two files.
    pub fn read(text: &str, bytes: Vec<u8>) -> Self {
        let table: toml::Table = text.parse().unwrap();
        let of = |table: &toml::Table, key: &str| table.get(key).map(|value| value.as_str().unwrap().to_owned());
        let device = table["device"].as_table().unwrap();
        let bytes_of = |key: &str| of(device, key).map(|text| unhex(&text));
        let component = |value: &toml::Value| {
            let table = value.as_table().unwrap();
            (of(table, "name").unwrap(), unhex(&of(table, "old_image").unwrap()))
        };
        let number = |key: &str| of(device, key).map(|text| text.parse::<u64>().unwrap());
        let integer = |key: &str| table.get(key).map(|value| value.as_integer().unwrap());
        let expected = match of(&table, "outcome").unwrap().as_str() {
            "accepted" => Outcome::Accepted,
            "ask" => Outcome::Ask,
            "installed" => Outcome::Installed,
            "refused" => Outcome::Refused(integer("code").unwrap().try_into().unwrap()),
            other => panic!("outcome {other}"),
        };
        let format = of(&table, "format").unwrap();
        let description = text.lines().next().and_then(|line| line.split_once(": ")).unwrap().1.to_owned();
        Vector {
            description,
            attack: integer("attack").map(|row| row.try_into().unwrap()),
            format: FORMATS.iter().find(|(_, name)| *name == format).unwrap().0,
            bytes,
            trust: bytes_of("trust_record").unwrap(),
            state: DeviceState {
                vendor: bytes_of("vendor").unwrap().try_into().unwrap(),
                class: bytes_of("class").unwrap().try_into().unwrap(),
                sequence_floor: number("sequence_floor").unwrap(),
                installed_manifest: bytes_of("installed_manifest").map(|digest| digest.try_into().unwrap()),
                security_counter: number("security_counter").unwrap(),
                time: number("time"),
            },
            old: bytes_of("old_image"),
            components: table.get("component").map(|list| list.as_array().unwrap().iter().map(component).collect()).unwrap_or_default(),
            expected,
            reason: of(&table, "reason").unwrap_or_default(),
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
