//! Every check that a device makes of a package, in its order, with its outcome and the bytes that it rests on.
//!
//! The outcome comes from the device's own code: what it refuses a package for says which check failed; all before that one held, all after
//! it were not made.

use std::fmt;
use std::ops::Range;

use sealift_formats::envelope::Envelope;
use sealift_formats::manifest::{Manifest, ManifestSet};
use sealift_formats::trust::{Role, TrustRecord};
use sealift_verify::DeviceState;
use serde::Serialize;

use crate::exit::Rejection;
use crate::{hex, time};

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not: the package is refused for it.
    Fails,
    /// It does not, and the user is to be asked.
    Asks,
    /// There was nothing to check.
    NothingToCheck,
    /// An earlier one failed.
    NotMade,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its number: that of the list in `sealift_verify::verifier`.
    pub number: u8,
    /// What is checked.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// The bytes of the package that it rests on: first, and one after the last.
    pub bytes: Vec<(usize, usize)>,
    /// What was found, and what it was held against.
    pub facts: Vec<String>,
}

/// All checks, and the reason for a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// Code and reason, when one failed.
    pub refused: Option<(u16, String)>,
}

const NAMES: [&str; 13] = [
    "form of the envelope",
    "digest of the manifest",
    "authentication blocks",
    "OEM signatures",
    "form of the manifest",
    "digest of the text",
    "vendor and class",
    "sequence number",
    "security counter",
    "payload",
    "approvals",
    "policy",
    "images",
];

/// Explains a package. `rejection` is what the device's code said to it, if it refused; `images` whether the patch was applied for a trial.
#[must_use]
pub fn explain(package: &[u8], trust: &TrustRecord<'_>, state: &DeviceState, rejection: Option<&Rejection>, by_consent: bool, images: bool) -> Explanation {
    let envelope = Envelope::parse(package).ok();
    let set = envelope.as_ref().and_then(|envelope| ManifestSet::parse_at(envelope.manifest, envelope.manifest_offset).ok());
    let failed = rejection.map(|rejection| step_of(rejection.code, envelope.as_ref(), set.is_some()));
    let components = set.iter().flat_map(ManifestSet::components).collect();
    let subject = Subject { package, envelope, components, trust, state };
    let checks = (1..).zip(NAMES).map(|(number, name)| {
        let (bytes, facts, any) = subject.look(number);
        let outcome = match failed {
            Some(failed) if number == failed => Outcome::Fails,
            Some(failed) if number > failed => Outcome::NotMade,
            _ if number == 13 && !images => Outcome::NotMade,
            _ if number == 12 && by_consent => Outcome::Asks,
            _ if !any => Outcome::NothingToCheck,
            _ => Outcome::Holds,
        };
        Check { number, name, outcome, bytes: bytes.into_iter().map(|range| (range.start, range.end)).collect(), facts }
    });
    Explanation { checks: checks.collect(), refused: rejection.map(|rejection| (rejection.code, rejection.reason.clone())) }
}

/// The check that a code is the failure of. Faults of form are told apart by how far the package can be read.
fn step_of(code: u16, envelope: Option<&Envelope<'_>>, manifest: bool) -> u8 {
    match code {
        // Several components, where one is asked for.
        76 => 5,
        0..200 => match envelope {
            None => 1,
            Some(envelope) if envelope.blocks().any(|block| block.is_err()) => 3,
            Some(_) if !manifest => 5,
            // The package as a whole is shorter or longer than it says, or the patch is malformed.
            Some(_) if code < 130 => 10,
            Some(_) => 13,
        },
        200 => 2,
        201..=203 => 3,
        204 | 300 => 4,
        205 | 206 => 6,
        301 | 302 => 7,
        303 | 304 => 8,
        305 => 9,
        330..=332 => 10,
        311..=316 => 11,
        310 => 12,
        _ => 13,
    }
}

struct Subject<'a> {
    package: &'a [u8],
    envelope: Option<Envelope<'a>>,
    /// Those of the manifest; none when it cannot be read.
    components: Vec<Manifest<'a>>,
    trust: &'a TrustRecord<'a>,
    state: &'a DeviceState,
}

type Found = (Vec<Range<usize>>, Vec<String>, bool);

impl Subject<'_> {
    /// The bytes and facts of a check, and whether there is anything to check.
    fn look(&self, number: u8) -> Found {
        let Some(envelope) = &self.envelope else { return (std::iter::once(0..self.package.len()).filter(|_| number == 1).collect(), Vec::new(), true) };
        let Some(manifest) = self.components.first() else { return (self.shell(envelope, number), Vec::new(), true) };
        let state = self.state;
        let facts = match number {
            1 => vec![format!("{} bytes before the payload, {} blocks", envelope.prefix_size(), envelope.block_count())],
            2 => vec![format!("sha-256 {}", hex::encode(envelope.digest))],
            3 => self.blocks(envelope),
            4 => self.policy(true),
            5 => vec![format!("{} as sequence number {}", self.each(|one| one.component.to_owned()).join(", "), manifest.sequence)],
            6 => manifest.text_digest.iter().map(|digest| format!("sha-256 {}", hex::encode(digest))).collect(),
            7 => [("vendor", manifest.vendor, state.vendor), ("class", manifest.class, state.class)]
                .map(|(what, found, own)| format!("{what} {}, the device's is {}", hex::encode(&found), hex::encode(&own)))
                .into(),
            8 => vec![format!("{}, the device's floor is {}, the trust record's {}", manifest.sequence, state.sequence_floor, self.trust.sequence_floor)],
            9 => vec![format!("{}, the device's is {}", manifest.security_counter, state.security_counter)],
            10 => self.each(|one| format!("{} bytes of {}", one.patch.size, one.uri)),
            11 => self.approvals(envelope),
            12 => self.policy(false),
            _ => self.each(|one| format!("new image of {} bytes, sha-256 {}", one.new.size, hex::encode(&one.new.digest))),
        };
        let any = match number {
            6 => envelope.text.is_some(),
            11 => !facts.is_empty(),
            12 => !facts.is_empty(),
            _ => true,
        };
        (self.shell(envelope, number), facts, any)
    }

    fn each(&self, line: impl Fn(&Manifest<'_>) -> String) -> Vec<String> {
        self.components.iter().map(line).collect()
    }

    fn shell(&self, envelope: &Envelope<'_>, number: u8) -> Vec<Range<usize>> {
        let range = |part: &[u8]| range_of(self.package, part);
        let blocks = |approvals: bool| {
            let with_claims = envelope
                .block_bytes()
                .zip(envelope.blocks())
                .filter(move |(_, block)| !approvals || block.as_ref().is_ok_and(|block| block.header.claims.is_some()));
            with_claims.map(|(bytes, _)| range(bytes)).collect()
        };
        match number {
            1 => std::iter::once(0..envelope.prefix_size()).collect(),
            2 => vec![range(envelope.digest), range(envelope.manifest_bstr)],
            3 | 4 => blocks(false),
            6 => envelope.text.iter().map(|text| range(text.bstr)).collect(),
            10 | 13 => {
                let start = envelope.payload.map(|payload| payload.offset).or(envelope.series.map(|series| series.offset));
                start.iter().map(|start| *start..self.package.len()).collect()
            }
            11 => blocks(true),
            12 => Vec::new(),
            _ => vec![range(envelope.manifest)],
        }
    }

    fn blocks(&self, envelope: &Envelope<'_>) -> Vec<String> {
        let line = |block: Result<sealift_formats::cose::Block<'_>, _>| {
            let Ok(block) = block else { return "a block that cannot be read".to_owned() };
            let id = hex::encode(block.header.key_id);
            match self.trust.key(block.header.key_id) {
                None => format!("key {id} is not in the trust record: passed over"),
                Some(key) => format!("key {id}, role {}{}", key.role.name(), key.owner.map(|owner| format!(", {owner}")).unwrap_or_default()),
            }
        };
        envelope.blocks().map(line).collect()
    }

    fn approvals(&self, envelope: &Envelope<'_>) -> Vec<String> {
        let claims = envelope.blocks().filter_map(|block| Some((block.ok()?.header.key_id, block.ok()?.header.claims?)));
        claims
            .map(|(key_id, claims)| {
                let at = |name: &str, value: Option<u64>| value.map(|value| format!(", {name} {}", time::format(value))).unwrap_or_default();
                let floor = self.trust.key(key_id).and_then(|key| key.epoch_floor).unwrap_or(0);
                let now = self.state.time.map_or("no trusted clock".to_owned(), |now| format!("it is {}", time::format(now)));
                format!(
                    "{} by key {}{}{}, epoch {} (floor {floor}); {now}",
                    claims.issuer,
                    hex::encode(key_id),
                    at("from", claims.not_before),
                    at("until", claims.not_after),
                    claims.epoch.unwrap_or(0)
                )
            })
            .collect()
    }

    fn policy(&self, oem: bool) -> Vec<String> {
        let Some(policy) = self.trust.policy_for(&self.state.class) else { return vec!["no policy for this class".into()] };
        let asked = policy.thresholds().filter(|threshold| (threshold.role == Role::Oem) == oem);
        asked.map(|threshold| format!("{} key(s) of role {} must have signed", threshold.keys, threshold.role.name())).collect()
    }
}

/// Where a part of the package is in it.
fn range_of(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start + part.len()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let outcome = match check.outcome {
                Outcome::Holds => "ok",
                Outcome::Fails => "FAILS",
                Outcome::Asks => "asks the user",
                Outcome::NothingToCheck => "nothing to check",
                Outcome::NotMade => "not made",
            };
            writeln!(f, "{:>2}. {:<24} {outcome}", check.number, check.name)?;
            if check.outcome == Outcome::NotMade {
                continue;
            }
            let ranges: Vec<String> = check.bytes.iter().map(|(start, end)| format!("{start}..{end}")).collect();
            if !ranges.is_empty() {
                writeln!(f, "      bytes {}", ranges.join(", "))?;
            }
            for fact in &check.facts {
                writeln!(f, "      {fact}")?;
            }
        }
        match &self.refused {
            None => Ok(()),
            Some((code, reason)) => writeln!(f, "refused: {reason} (code {code})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use sealift_formats::trust::TrustRecord;
    use sealift_verify::DeviceState;

    use super::{Outcome, explain};
    use crate::hex;
    use crate::install;

    /// Every package of `testdata/vectors`: refused ones have one check that failed, all before it held, none after it was made.
    #[test]
    fn every_vector_is_explained() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors");
        let (mut failing, mut explained) = (BTreeSet::new(), 0);
        for verdict in ["accept", "reject"] {
            for entry in fs::read_dir(folder.join(verdict)).unwrap() {
                let path = entry.unwrap().path();
                let Some(table) = (path.extension() == Some("toml".as_ref())).then(|| fs::read_to_string(&path).unwrap().parse::<toml::Table>().unwrap())
                else {
                    continue;
                };
                let several = table["format"].as_str() == Some("package-set");
                if !several && table["format"].as_str() != Some("package") {
                    continue;
                }
                let device = table["device"].as_table().unwrap();
                let bytes = |key: &str| hex::decode_all(device[key].as_str().unwrap()).unwrap();
                let number = |key: &str| device.get(key).map(|text| text.as_str().unwrap().parse().unwrap());
                let trust = bytes("trust_record");
                let trust = TrustRecord::parse(&trust).unwrap();
                let state = DeviceState {
                    vendor: bytes("vendor").try_into().unwrap(),
                    class: bytes("class").try_into().unwrap(),
                    sequence_floor: number("sequence_floor").unwrap(),
                    installed_manifest: device.get("installed_manifest").map(|_| bytes("installed_manifest").try_into().unwrap()),
                    security_counter: number("security_counter").unwrap(),
                    time: number("time"),
                };
                let package = fs::read(path.with_extension("bin")).unwrap();
                let rejection = match several {
                    true => install::verify_set(&package, &trust, &state, true).err(),
                    false => install::verify(&package, &trust, &state, true).err(),
                };
                let explanation = explain(&package, &trust, &state, rejection.as_ref(), false, false);
                let outcomes: Vec<Outcome> = explanation.checks.iter().map(|check| check.outcome).collect();
                let fails: Vec<usize> = (0..outcomes.len()).filter(|at| outcomes[*at] == Outcome::Fails).collect();
                assert_eq!(fails.len(), usize::from(rejection.is_some()), "{}: {explanation}", path.display());
                let first = fails.first().copied().unwrap_or(12);
                assert!(outcomes[..first].iter().all(|outcome| matches!(outcome, Outcome::Holds | Outcome::NothingToCheck)), "{explanation}");
                assert!(outcomes[first..].iter().skip(fails.len()).all(|outcome| *outcome == Outcome::NotMade), "{explanation}");
                for (start, end) in explanation.checks.iter().flat_map(|check| &check.bytes) {
                    assert!(start <= end && *end <= package.len(), "{}: {start}..{end}", path.display());
                }
                failing.extend(fails.iter().map(|at| at + 1));
                explained += 1;
            }
        }
        // The images are not looked at here.
        assert_eq!(failing, (1..=12).collect());
        assert!(explained > 70, "{explained}");
    }
}
