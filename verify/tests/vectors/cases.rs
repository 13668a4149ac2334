//! Every vector: good ones, and those that are well-formed but not authentic or not allowed.

use sealift_formats::approval::Claims;
use sealift_formats::capability::{self, Capabilities, InstructionSets, Profiles};
use sealift_formats::cose::{MAX_BLOCKS, digest_item};
use sealift_formats::manifest::{ImageId, Manifest};
use sealift_formats::patch::{Header, InstructionSet, Profile};
use sealift_formats::trust::{self, Key, NewPolicy, NewTrustRecord, Role, Threshold, Unapproved};
use sealift_verify::digest::sha256;
use sealift_verify::{DeviceState, Error};

use crate::fixture::{
    self, CLASS, NOW, OEM_AND_OPERATOR, Package, Signer, claims, oem, operator, regulator, second_oem, second_operator, signer, stranger, trust_with,
};
use crate::malformed;
use crate::package::{NEW, OLD, Raw, good, manifest, manifest_of, of, parts, signed};
use crate::set;
use crate::vector::{Format, Outcome, Vector};

/// A vector for the usual device, which installs it.
pub fn vector(description: &str, bytes: Vec<u8>) -> Vector {
    Vector {
        description: description.into(),
        attack: None,
        format: Format::Package,
        bytes,
        trust: fixture::trust(OEM_AND_OPERATOR),
        state: fixture::state(),
        old: Some(OLD.to_vec()),
        components: Vec::new(),
        expected: Outcome::Installed,
        reason: String::new(),
    }
}

impl Vector {
    pub fn refused(self, error: Error) -> Self {
        Vector { expected: Outcome::Refused(error.code()), ..self }
    }

    pub fn malformed(self, kind: sealift_formats::ErrorKind) -> Self {
        Vector { expected: Outcome::Refused(kind.code()), ..self }
    }

    pub fn row(self, row: u8) -> Self {
        Vector { attack: Some(row), ..self }
    }

    pub fn of(self, format: Format) -> Self {
        Vector { format, expected: Outcome::Accepted, ..self }
    }

    pub fn under(self, trust: Vec<u8>) -> Self {
        Vector { trust, ..self }
    }

    pub fn on(self, state: DeviceState) -> Self {
        Vector { state, ..self }
    }
}

pub struct Cases(Vec<(String, Vector)>);

impl Cases {
    pub fn add(&mut self, name: &str, vector: Vector) {
        self.0.push((name.to_owned(), vector));
    }
}

/// Every vector with its name and its reason.
pub fn all() -> Vec<(String, Vector)> {
    let mut cases = Cases(Vec::new());
    accepted(&mut cases);
    authenticity(&mut cases);
    policy(&mut cases);
    approvals(&mut cases);
    images(&mut cases);
    trust_files(&mut cases);
    capabilities(&mut cases);
    set::add(&mut cases);
    malformed::add(&mut cases);
    let mut wrong = Vec::new();
    for (name, vector) in &mut cases.0 {
        let (outcome, reason) = vector.judge();
        if outcome != vector.expected {
            wrong.push(format!("{name}: {outcome:?} ({reason}), not {:?}", vector.expected));
        }
        vector.reason = reason;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    cases.0
}

fn alone() -> Package {
    of(&manifest()).signed(&oem())
}

fn accepted(cases: &mut Cases) {
    let bytes = |package: Package| package.bytes();
    cases.add("oem-and-operator", vector("signed by the OEM, approved by the operator", bytes(good())));
    cases.add(
        "oem-alone",
        vector("signed by the OEM, whose signature is all that the policy asks for", bytes(alone())).under(fixture::trust(&[(Role::Oem, 1)])),
    );
    let two = alone().signed(&second_oem());
    cases.add("two-oem-keys", vector("two of two OEM keys", bytes(two)).under(fixture::trust(&[(Role::Oem, 2)])));
    let all_roles = &[(Role::Oem, 1), (Role::Operator, 2), (Role::Regulator, 1)];
    let approved = alone().approved(&regulator(), claims()).approved(&second_operator(), claims()).approved(&operator(), claims());
    cases.add("three-approvals", vector("two operators and the regulator have approved, in any order", bytes(approved)).under(fixture::trust(all_roles)));
    cases.add("stranger-beside", vector("a block by an unknown key is passed over", bytes(good().signed(&stranger()))));
    let eight = (2..MAX_BLOCKS).fold(good(), |package, index| package.signed(&signer(100 + index as u8)));
    cases.add("eight-blocks", vector("as many blocks as an envelope can have", bytes(eight)));
    cases.add("text-severed", vector("the text is cut out, its digest stays", bytes(Package { text: None, ..good() })));
    let elsewhere = Manifest { uri: "https://example.com/patch", ..manifest() };
    let elsewhere = Package { payload: None, ..signed(of(&elsewhere)) };
    cases.add("patch-elsewhere", Vector { expected: Outcome::Accepted, ..vector("the patch is to be fetched from elsewhere", bytes(elsewhere)) });
    let mut full = parts(b"", NEW).finish();
    full.expected.old = None;
    let package = Package { payload: Some(full.bytes.clone()), ..Package::of(&manifest_of(&full)) };
    cases.add("full-image", vector("a full image, which needs no old one", bytes(signed(package))));
    let again = DeviceState { sequence_floor: 42, installed_manifest: Some(good().digest()), ..fixture::state() };
    cases.add("same-manifest-again", vector("the manifest in force once more", bytes(good())).on(again).row(2));
    let expired = alone().approved(&operator(), Claims { not_after: Some(1), ..claims() });
    let clockless = DeviceState { time: None, ..fixture::state() };
    cases.add("expired-without-clock", vector("without a trusted time an approval is judged by its epoch alone", bytes(expired)).on(clockless).row(3));
    let ask = trust_with(OEM_AND_OPERATOR, Unapproved::Ask, |_| {});
    cases.add("consent-needed", Vector { expected: Outcome::Ask, ..vector("not approved, and the policy leaves it to the user", bytes(alone())) }.under(ask));
}

fn authenticity(cases: &mut Cases) {
    let unsigned = of(&manifest());
    cases.add("unsigned", vector("nobody has signed", unsigned.bytes()).refused(Error::Unsigned).row(1));
    let missing = Error::OemThreshold { found: 0, needed: 1 };
    let by_stranger = of(&manifest()).signed(&stranger()).approved(&operator(), claims());
    cases.add("signed-by-a-stranger", vector("the OEM's place is taken by an unknown key", by_stranger.bytes()).refused(missing).row(1));
    let garbage = Package { payload: good().payload, ..Package::of_bytes(b"\xff no manifest".to_vec()) }.signed(&stranger());
    cases.add("garbage-by-a-stranger", vector("what no key has signed is not parsed", garbage.bytes()).refused(missing).row(9));
    let two = fixture::trust(&[(Role::Oem, 2)]);
    let twice = alone().signed(&oem());
    cases.add("one-key-twice", vector("one OEM key has signed twice", twice.bytes()).under(two.clone()).refused(missing).row(12));
    cases.add("one-of-two-keys", vector("one of two OEM keys", alone().bytes()).under(two).refused(missing).row(12));
    let mut digest = good().bytes();
    let at = digest.windows(32).position(|window| window == good().digest()).unwrap();
    digest[at] ^= 1;
    cases.add("other-digest", vector("the envelope says another digest", digest).refused(Error::ManifestDigest).row(1));
    let other = Manifest { sequence: 43, ..manifest() };
    let mixed = Raw { blocks: good().blocks, ..Raw::from(of(&other)) };
    cases.add("blocks-of-another-manifest", vector("the blocks of one package, the manifest of another", mixed.bytes()).refused(Error::OemSignature).row(5));
    let mut malleable = Raw::from(good());
    malleable.blocks[0] = raised(&malleable.blocks[0]);
    cases.add("malleable-signature", vector("S of the OEM's signature raised by the group order", malleable.bytes()).refused(Error::OemSignature).row(13));
    let foreign = operator().block(Some(claims()), b"", &digest_item(&Package::of(&other).digest()));
    cases.add(
        "approval-of-another-manifest",
        vector("the approval is for another manifest", alone().with(foreign).bytes()).refused(Error::ApprovalSignature).row(14),
    );
    let other_text = Package { text: Some(b"\xa1\x62en\xa1\x81\x43app\xa1\x06\x639.9".to_vec()), ..good() };
    cases.add("text-of-another", vector("the text of another package", other_text.bytes()).refused(Error::TextDigest).row(5));
    let unnamed = signed(of(&Manifest { text_digest: None, ..manifest() }));
    cases.add("text-added", vector("a text that no signature covers", unnamed.bytes()).refused(Error::TextUnsigned).row(5));
}

/// A block with the group order added to the S of its signature.
pub fn raised(block: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 16] = [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14];
    let mut block = block.to_vec();
    let (start, mut carry) = (block.len() - 32, 0);
    let order = ORDER.into_iter().chain([0; 15]).chain([0x10]);
    for (byte, order) in block[start..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
    block
}

fn policy(cases: &mut Cases) {
    let state = fixture::state;
    let usual = |description: &str| vector(description, good().bytes());
    let no_policy = trust_with(OEM_AND_OPERATOR, Unapproved::Refuse, |record| record.policies[0].class = Some([0; 16]));
    cases.add("no-policy", usual("the trust record has no policy for the class").under(no_policy).refused(Error::NoPolicy));
    cases.add("other-vendor", usual("for another vendor's devices").on(DeviceState { vendor: [0; 16], ..state() }).refused(Error::OtherVendor));
    cases.add("other-class", usual("for another class of devices").on(DeviceState { class: [0; 16], ..state() }).refused(Error::OtherClass));
    let below = Error::SequenceBelowFloor { found: 42, floor: 43 };
    cases.add("sequence-below-floor", usual("an older package once more").on(DeviceState { sequence_floor: 43, ..state() }).refused(below).row(2));
    let record = trust_with(OEM_AND_OPERATOR, Unapproved::Refuse, |record| record.sequence_floor = 43);
    cases.add("sequence-below-record-floor", usual("an older package than the trust record allows").under(record).refused(below).row(2));
    let same = DeviceState { sequence_floor: 42, ..state() };
    cases.add("sequence-reused", usual("another manifest has this number").on(same).refused(Error::SequenceReused { number: 42 }).row(2));
    let counter = Error::SecurityCounter { found: 3, counter: 4 };
    cases
        .add("security-counter-below", usual("below the device's security counter").on(DeviceState { security_counter: 4, ..state() }).refused(counter).row(2));
    let fast_forward = of(&Manifest { sequence: u64::MAX, ..manifest() }).signed(&stranger()).approved(&operator(), claims());
    let missing = Error::OemThreshold { found: 0, needed: 1 };
    cases.add("fast-forward", vector("the highest sequence number, by an unknown key", fast_forward.bytes()).refused(missing).row(4));
    let absent = Package { payload: None, ..good() };
    cases.add("payload-missing", vector("the payload that the manifest names is cut out", absent.bytes()).refused(Error::PayloadMissing).row(8));
    let elsewhere = signed(of(&Manifest { uri: "https://example.com/patch", ..manifest() }));
    cases.add("payload-not-named", vector("a payload where the manifest says to fetch it", elsewhere.bytes()).refused(Error::PayloadNotNamed).row(5));
    let endless = Package { payload: Some([good().payload.unwrap(), vec![0; 40]].concat()), ..good() };
    cases.add("payload-longer", vector("a longer payload than was signed", endless.bytes()).refused(Error::PayloadSize { found: 0, expected: 0 }).row(7));
}

fn approvals(cases: &mut Cases) {
    let missing = Error::ApprovalMissing { role: Role::Operator.into(), found: 0, needed: 1 };
    let with = |description: &str, package: Package| vector(description, package.bytes());
    let claiming = |description: &str, claims: Claims<'_>| with(description, alone().approved(&operator(), claims));
    cases.add("not-approved", with("nobody has approved", alone()).refused(missing));
    cases.add(
        "approved-by-another-role",
        with("the regulator has approved, not the operator", alone().approved(&regulator(), claims())).refused(missing).row(15),
    );
    cases.add("approved-by-oem-key", with("the OEM approves for the operator", alone().approved(&oem(), claims())).refused(Error::ApprovalByOemKey).row(15));
    cases.add(
        "approved-without-claims",
        with("the operator has signed as an OEM does", alone().signed(&operator())).refused(Error::ApprovalWithoutClaims).row(15),
    );
    let two = fixture::trust(&[(Role::Oem, 1), (Role::Operator, 2)]);
    let again = alone().approved(&operator(), claims()).approved(&operator(), Claims { issuer: "operator-b", ..claims() });
    cases.add("one-operator-twice", with("one operator has approved twice", again).under(two).refused(missing).row(12));
    let other_class = Claims { audience: Some([0x23; 16]), ..claims() };
    cases.add("approval-for-another-class", claiming("for another class", other_class).refused(Error::ApprovalOtherClass).row(14));
    let early = Error::ApprovalNotYetValid { now: 0, not_before: 0 };
    cases.add("approval-not-yet-valid", claiming("valid one second later", Claims { not_before: Some(NOW + 1), ..claims() }).refused(early).row(14));
    let late = Error::ApprovalExpired { now: 0, not_after: 0 };
    cases.add("approval-expired", claiming("expired this second", Claims { not_after: Some(NOW), ..claims() }).refused(late).row(3));
    let stale = Error::ApprovalStaleEpoch { found: 6, floor: 7 };
    cases.add("approval-of-a-stale-epoch", claiming("of the epoch before", Claims { epoch: Some(6), ..claims() }).refused(stale).row(14));
    cases.add("approval-without-epoch", claiming("no epoch counts as 0", Claims { epoch: None, ..claims() }).refused(stale).row(14));
    cases.add("approval-file", vector("an approval as it is sent", alone().approved(&operator(), claims()).blocks[1].clone()).of(Format::Approval));
}

fn images(cases: &mut Cases) {
    let other_old = Vector { old: Some([OLD, b"."].concat()), ..vector("the device has another old image", good().bytes()) };
    cases.add("other-old-image", other_old.refused(Error::OtherOldImage).row(6));
    let same_size = Vector { old: Some(OLD.to_ascii_uppercase()), ..vector("the device has another build of the same version", good().bytes()) };
    cases.add("other-build", same_size.refused(Error::OtherOldImage).row(6));
    let changed = |at: usize| {
        let mut payload = good().payload.unwrap();
        let at = (payload.len() - 1).min(at);
        payload[at] ^= 1;
        Package { payload: Some(payload), ..good() }.bytes()
    };
    cases.add("patch-changed", vector("one bit of the patch is another", changed(usize::MAX)).refused(Error::ChunkDigest).row(5));
    let digest = |change: fn(&mut Manifest<'_>)| {
        let mut manifest = manifest();
        change(&mut manifest);
        signed(of(&manifest)).bytes()
    };
    let not_the_patch = digest(|manifest| manifest.patch.digest[0] ^= 1);
    cases.add("patch-digest", vector("the chunks hold, the patch as a whole is another", not_the_patch).refused(Error::PatchDigest));
    let not_the_image = digest(|manifest| manifest.new.digest[0] ^= 1);
    cases.add("new-image-digest", vector("the patch makes another image than was signed", not_the_image).refused(Error::NewImageDigest).row(5));
    let contradiction = digest(|manifest| manifest.apply.ram_log2 = 15);
    cases.add("header-contradicts", vector("the manifest says another RAM class than the patch", contradiction).refused(Error::HeaderContradictsManifest));
    let larger = digest(|manifest| manifest.new = ImageId { size: manifest.new.size + 1, ..manifest.new });
    cases.add("header-contradicts-size", vector("the manifest says another size of the new image", larger).refused(Error::HeaderContradictsManifest));
    let parts = parts(OLD, NEW);
    let other_crc = parts.finish_with(&Header { new_crc: 1, ..parts.header() });
    let package = signed(Package { payload: Some(other_crc.bytes.clone()), ..Package::of(&manifest_of(&other_crc)) });
    cases.add("new-image-crc", vector("the patch header says another CRC", package.bytes()).refused(Error::NewImageCrc));
}

pub fn record(number: u64, floor: u64, oems: &[&Signer], needed: u8) -> Vec<u8> {
    let keys: Vec<Key<'_>> = oems.iter().map(|oem| oem.trusted(Role::Oem)).collect();
    let policies = vec![NewPolicy { class: None, thresholds: vec![Threshold { role: Role::Oem, keys: needed }], unapproved: Unapproved::Refuse }];
    NewTrustRecord { number, keys, policies, sequence_floor: floor }.write().unwrap()
}

pub fn trust_file(record: &[u8], signers: &[&Signer]) -> Vec<u8> {
    let payload = digest_item(&sha256(record));
    let blocks: Vec<_> = signers.iter().map(|signer| signer.block(None, trust::EXTERNAL, &payload)).collect();
    trust::write_file(record, &blocks.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
}

fn trust_files(cases: &mut Cases) {
    let (a, b) = (oem(), second_oem());
    let current = record(5, 10, &[&a], 1);
    let file = |description: &str, bytes: Vec<u8>| Vector { old: None, ..vector(description, bytes).of(Format::TrustFile) }.under(current.clone());
    let new = record(6, 10, &[&b], 1);
    cases.add("trust-rotation", file("signed by the old key and the new one", trust_file(&new, &[&a, &b])).row(16));
    let (found, needed) = (0, 1);
    cases.add(
        "trust-without-old-key",
        file("signed by the new key alone", trust_file(&new, &[&b])).refused(Error::TrustThresholdCurrent { found, needed }).row(16),
    );
    cases
        .add("trust-without-new-key", file("signed by the old key alone", trust_file(&new, &[&a])).refused(Error::TrustThresholdNew { found, needed }).row(16));
    let over_manifest = a.block(None, b"", &digest_item(&sha256(&new)));
    let over_manifest = trust::write_file(&new, &[&over_manifest]).unwrap();
    cases.add("trust-signed-as-manifest", file("a signature over a manifest is none over a record", over_manifest).refused(Error::TrustSignature).row(21));
    let replayed = trust_file(&record(4, 10, &[&a], 1), &[&a]);
    cases.add("trust-replayed", file("an older record once more", replayed).refused(Error::TrustNumber { found: 4, current: 5 }).row(21));
    let same = trust_file(&record(5, 11, &[&a], 1), &[&a]);
    cases.add("trust-same-number", file("another record of the same number", same).refused(Error::TrustNumber { found: 5, current: 5 }).row(21));
    let lower = trust_file(&record(6, 9, &[&a], 1), &[&a]);
    cases.add("trust-floor-lowered", file("a lower sequence floor", lower).refused(Error::TrustFloor { found: 9, current: 10 }).row(21));
}

pub fn meter() -> Capabilities {
    Capabilities {
        patch_version: 1,
        class: CLASS,
        profiles: Profiles::default().with(Profile::Fast).with(Profile::Compact),
        ram_log2: 15,
        instruction_sets: InstructionSets::default().with(InstructionSet::Thumb),
        chunk_log2: 10,
        group_log2: 12,
        window_log: 12,
        sector_log2: 12,
        slot_size: 393_216,
        installed: Some(sha256(OLD)),
    }
}

fn capabilities(cases: &mut Cases) {
    let record = meter().write().unwrap();
    let payload = digest_item(&sha256(&record));
    let file = |description: &str, blocks: &[&[u8]]| {
        let bytes = capability::write_file(&record, blocks).unwrap();
        Vector { old: None, ..vector(description, bytes).of(Format::Capabilities) }
    };
    cases.add("capabilities", file("what a device can apply, unsigned", &[]));
    cases.add("capabilities-signed", file("what a device can apply, signed", &[&oem().block(None, capability::EXTERNAL, &payload)]));
    let over_manifest = oem().block(None, b"", &payload);
    cases.add(
        "capabilities-signed-as-manifest",
        file("a signature over a manifest is none over a record", &[&over_manifest]).refused(Error::CapabilitySignature),
    );
}
